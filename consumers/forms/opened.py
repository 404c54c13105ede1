"""A file of a declared source, opened by what its definition says: a form, a mapping, or our own messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumers.files.entries import Messages
from consumers.files.factfile import FactFile, open_facts
from consumers.files.limits import DEFAULT_LIMITS, FileLimits
from consumers.files.sourcefile import mapping_of
from consumers.files.tally import Run
from consumers.forms.formfile import FormFile
from consumers.forms.language import read_form
from consumers.forms.reading import Part
from workflow.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workflow.facts import Fact
    from workflow.sources import SourceDefinition


def open_source(
    path: Path,
    source: SourceDefinition,
    folder: Path,
    *,
    limits: FileLimits = DEFAULT_LIMITS,
    secret: bytes | None = None,
) -> FactFile | FormFile | Messages:
    """A file of `source` as dossiers of facts, read as an import reads it; `folder` holds its form or mapping.

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
    if source.mapping is not None:
        return open_facts(path, mapping_of(source, folder / source.mapping), limits=limits)
    return Messages(path, limits, source=source.source, zone=source.timezone)


def parts(file: FactFile | FormFile | Messages) -> Iterator[Part]:
    """What each message or row of a file tells, in its order. Raises InputError for what concerns the whole file."""
    if isinstance(file, FormFile):
        yield from file.parts()
    elif isinstance(file, Messages):
        for line, _, told in file.told():
            yield _part(f"{file.path}:{line}", told)
    else:
        for line, became in file.told():
            yield _part(f"{file.path}:{line}", became.facts[0] if isinstance(became, Run) else became)


def _part(place: str, told: Fact | InputError | None) -> Part:
    return Part(place, None, told) if isinstance(told, InputError) else Part(place, told)
