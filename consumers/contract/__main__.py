"""`python -m consumers.contract` writes the JSON Schema files and the AsyncAPI document anew from the contract."""

from __future__ import annotations

from importlib import metadata

from consumers.contract.asyncapi import FILE, asyncapi_file
from consumers.contract.schema import FOLDER, schema_files

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    files = schema_files()
    for path in set(FOLDER.glob("*.json")) - set(files):
        path.unlink()
    for path, text in files.items():
        path.write_bytes(text)
    FILE.write_bytes(asyncapi_file(metadata.version("dunghen")))
