"""A file opened by the definition of its source: our own messages, rows, another system's messages, a register."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from consumers.files.entries import PACKED, Messages, Rows, identity_of, mapped
from consumers.files.mapping import read_mapping
from consumers.files.registers import Register
from consumers.forms.formfile import FormFile
from consumers.forms.language import read_form
from workflow.errors import DefinitionError, InputError

if TYPE_CHECKING:
    from pathlib import Path

    from consumers.files.limits import FileLimits
    from consumers.files.mapping import Mapping
    from consumers.forms.formfile import Known
    from workflow.sources import SourceDefinition


class SourceFile(NamedTuple):
    """A file ready to be read. `identity`: what tells it, read in this way, from every other."""

    reading: Messages | Rows | Register
    identity: str


def open_source_file(
    path: Path,
    source: SourceDefinition,
    beside: Path,
    limits: FileLimits,
    mapping: Path | None = None,
    known: Known | None = None,
) -> SourceFile:
    """A file of `source`, read through `mapping` or else as its definition says; `beside` holds the files that names.
    `known` tells what a store keeps already of some dossiers: what a changed message says is then a further revision.

    Raises InputError (`unreadable`, `empty_file`, `no_mapping`), DefinitionError and what `mapping_of` and
    reading a form raise.
    """
    named = mapping or (beside / source.mapping if source.mapping is not None else None)
    if named is not None:
        return SourceFile(
            mapped(path, mapping_of(source, named), limits), identity_of(path, named.read_bytes())
        )
    if path.name.removesuffix(PACKED).endswith(".xes"):
        raise InputError(
            "{name}: expected messages of the source {source}, found an event log in XES; say how it is read with "
            "--mapping",
            reason="no_mapping",
            name=str(path),
            source=source.source,
        )
    if source.form is not None:
        form = beside / source.form
        rows = Rows(FormFile(path, read_form(form), source, limits=limits, known=known))
        return SourceFile(rows, identity_of(path, source.source.encode(), form.read_bytes()))
    if source.register:
        register = Register(path, limits, source=source.source, zone=source.timezone)
        return SourceFile(register, identity_of(path, source.source.encode(), b"register"))
    messages = Messages(path, limits, source=source.source, zone=source.timezone)
    return SourceFile(messages, identity_of(path, source.source.encode()))


def mapping_of(source: SourceDefinition, path: Path) -> Mapping:
    """The mapping in a file, held to its source.

    Raises DefinitionError (`other_source`; `other_order` where it trusts the times of a source whose sequence counts)
    and what `read_mapping` raises.
    """
    declared = read_mapping(path)
    if declared.source != source.source:
        raise DefinitionError(
            "{name}: expected a mapping of the source {expected}, found one of {found}; name that source",
            name=str(path),
            expected=source.source,
            found=declared.source,
            reason="other_source",
        )
    if declared.order == "time" and source.authority != "time":
        raise DefinitionError(
            "{name}: expected the order of the source {source}, whose authority is {expected}, found order: {found}; "
            "correct one of them",
            name=str(path),
            source=source.source,
            expected=source.authority,
            found=declared.order,
            reason="other_order",
        )
    return declared
