"""The AsyncAPI specification's own JSON Schema. It is not ours, so it is not kept here: npm brings it, where npm is."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tarfile
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from pathlib import Path

ABSENT: Final = "the AsyncAPI JSON Schema could not be had"
"""How the reason begins for which the validation by it is skipped; the summary of the tests repeats it loudly."""
PACKAGE: Final = "@asyncapi/specs@6.11.1"
SHA512: Final = (
    "0375812ea00a1a8276fba15616da63065090d6814272ce06c45ef3b081af36aa"
    "7f9251941e3940dda01c67d5cc3292c613cccf7980f3db1f4598ee834ae2ab69"
)
FETCH_S: Final = 40.0


def asyncapi_schema(folder: Path) -> dict[str, Any]:
    """The schema of AsyncAPI 3.1.0, from the package in `folder`, fetched if need be; else skips the test."""
    npm = shutil.which("npm")
    archive = next(folder.glob("*.tgz"), None)
    if archive is None:
        if npm is None:
            pytest.skip(f"{ABSENT}: there is no npm here; our own checks of the document ran all the same")
        asked = [npm, "pack", "--silent", "--ignore-scripts", "--pack-destination", str(folder), PACKAGE]
        try:
            subprocess.run(asked, cwd=folder, check=True, capture_output=True, timeout=FETCH_S)
        except (subprocess.SubprocessError, OSError) as fault:
            pytest.skip(f"{ABSENT}: npm did not bring {PACKAGE} ({type(fault).__name__})")
        (archive,) = folder.glob("*.tgz")
    assert hashlib.sha512(archive.read_bytes()).hexdigest() == SHA512
    with tarfile.open(archive) as package:
        found = package.extractfile("package/schemas/3.1.0.json")
        assert found is not None
        schema: dict[str, Any] = json.load(found)
    return schema
