"""Procedures from YAML files, and the canonical form whose fingerprint an approval binds.

A file holds one revision, or several as YAML documents. In a folder every `.yaml` counts except other kinds of
definition: the folders `calendars`, `organisation`, `rotation` and `sources`, and files named `mapping.yaml`.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import msgspec

from workflow.errors import DefinitionError
from workflow.procedure.language import Revision
from workflow.yamltree import Placed, contents, each_placed, placed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OTHER_FOLDERS: Final = ("calendars", "organisation", "rotation", "schedules", "sources")
OTHER_FILES: Final = ("mapping.yaml",)

CANONICAL_FORM: Final = 1
"""Number of the canonical form. A change of it, or of a default of the language, changes every fingerprint."""


def read_procedures(path: Path) -> tuple[Revision, ...]:
    """The revisions in a file or below a folder, in the order of the paths and of the documents in each.

    Raises `DefinitionError` with file:line:column where one cannot be read, and where there is none.
    """
    return tuple(one.value for one in read_placed(path))


def read_placed(path: Path) -> tuple[Placed[Revision], ...]:
    """Like `read_procedures`, each with the places of its parts in its file."""
    files = tuple(_files(path)) if path.is_dir() else (path,)
    found = tuple(one for file in files for one in placed(contents(file), str(file), Revision))
    if not found:
        raise _none(path)
    return found


def read_each(path: Path) -> tuple[Placed[Revision] | DefinitionError, ...]:
    """Like `read_placed`, but what cannot be read stands as its error in its place, and the others are read.

    Raises `DefinitionError` where there is nothing to read.
    """
    files = tuple(_files(path)) if path.is_dir() else (path,)
    found = tuple(one for file in files for one in _each(file))
    if not found:
        raise _none(path)
    return found


def _each(file: Path) -> Iterator[Placed[Revision] | DefinitionError]:
    try:
        data = contents(file)
    except DefinitionError as error:
        yield error
        return
    yield from each_placed(data, str(file), Revision)


def _none(path: Path) -> DefinitionError:
    return DefinitionError(
        "{path}: expected a procedure, found none; give a .yaml file or a folder that holds some",
        path=str(path),
        reason="no_procedure",
    )


def _files(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*.yaml")):
        inside = file.relative_to(folder)
        if inside.name not in OTHER_FILES and not set(inside.parts[:-1]) & set(OTHER_FOLDERS):
            yield file


def canonical(revision: Revision) -> bytes:
    """The canonical form of a revision: JSON in UTF-8 with sorted keys, absent where a value is the default.

    It is the same whatever the comments, the layout of the file, the order of the keys of a mapping, or whether
    a default is spelled out. What order means is kept: the items of every list (guards are asked, and their
    violations listed, in that order), and the phases, of which one follows the other. The order in which
    registers, limits, states and so on are declared only decides in which order equal things are listed.
    """
    tree = msgspec.to_builtins(revision)
    if revision.phases:
        tree["phases"] = [[name, phase] for name, phase in tree["phases"].items()]
    return msgspec.json.encode({"canonical": CANONICAL_FORM, "revision": tree}, order="sorted")


def fingerprint(revision: Revision) -> str:
    """SHA-256 of the canonical form, 64 hexadecimal digits. Verdicts carry it and the ledger lists it."""
    return hashlib.sha256(canonical(revision)).hexdigest()
