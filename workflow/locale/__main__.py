"""Compiles `vi.po` to the `.mo` the standard library reads: `python -m workflow.locale`."""

from __future__ import annotations

import sys

from workflow.locale import compiled, mo_path

if __name__ == "__main__":
    target = mo_path()
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(compiled())
    sys.stdout.write(f"{target}\n")
