"""`python -m consumers.contract` writes the JSON Schema files anew from the contract."""

from __future__ import annotations

from consumers.contract.schema import FOLDER, schema_files

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    files = schema_files()
    for path in set(FOLDER.glob("*.json")) - set(files):
        path.unlink()
    for path, text in files.items():
        path.write_bytes(text)
