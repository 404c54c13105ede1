"""A file of a declared source, opened by what its definition says: a form, a mapping, or our own messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumers.codec import RawRecord, decode
from consumers.files.blocks import Blocks, Bytes
from consumers.files.factfile import FactFile, open_facts
from consumers.files.jsonrows import numbered_lines
from consumers.files.limits import DEFAULT_LIMITS, FileLimits
from consumers.files.mapping import read_mapping
from consumers.forms.formfile import FormFile
from consumers.forms.language import read_form
from consumers.forms.reading import Part
from workflow.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workflow.sources import SourceDefinition


def open_source(
    path: Path,
    source: SourceDefinition,
    folder: Path,
    *,
    limits: FileLimits = DEFAULT_LIMITS,
    secret: bytes | None = None,
) -> FactFile | FormFile:
    """A file of `source` as dossiers of facts; `folder` holds its form or mapping.

    Raises DefinitionError for an unsound form or mapping, InputError (`unreadable`, `empty_file`), UsageError for a
    source of registers.
    """
    if source.register:
        raise UsageError(
            "source {source}: its registers are no dossiers; try one with: dunghen import {file} --source {source} "
            "--dry-run",
            source=source.source,
            file=str(path),
            reason="register",
        )
    if source.form is not None:
        return FormFile(path, read_form(folder / source.form), source, limits=limits, secret=secret)
    mapping = None if source.mapping is None else read_mapping(folder / source.mapping)
    return open_facts(path, mapping, limits=limits)


def parts(file: FactFile | FormFile, source: SourceDefinition, limits: FileLimits) -> Iterator[Part]:
    """What each message of a file tells, in its order: nothing for a file read through a mapping, whose facts come by
    dossier only. Raises InputError for what concerns the whole file."""
    if isinstance(file, FormFile):
        yield from file.parts()
    elif source.mapping is None:
        with Bytes(file.path, limits) as stream:
            for line, text in numbered_lines(Blocks(stream, limits)):
                yield _part(f"{file.path}:{line}", text, source)


def _part(place: str, text: str, source: SourceDefinition) -> Part:
    try:
        return Part(place, decode(RawRecord(text.encode(), place=place), zone=source.timezone))
    except InputError as error:
        return Part(place, None, error)
