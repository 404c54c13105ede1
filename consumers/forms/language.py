"""The language of message forms: how one message of another system becomes several facts. See docs/sources.md.

What a single field says is the mapping language's own; a form adds the list of records inside a message, the facts a
record tells and when it tells them, and which columns hold persons.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, NoReturn, TypeAlias

from msgspec import Meta

from consumers.files.mapping import Column, CsvShape, Fields, columned, named_fields
from workflow.errors import DefinitionError
from workflow.procedure.language import Definition, Identifier
from workflow.yamltree import contents, placed_one

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workflow.yamltree import Placed

Text: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200)]
Texts: TypeAlias = Annotated[tuple[Text, ...], Meta(min_length=1)]

PERSON_FIELDS: Final = ("party", "actor")
"""The only fields a keyed hash may fill: everywhere else it would be taken for what the source said."""


class Told(Definition, frozen=True):
    """One kind of fact a record tells.

    `kind` names it in the fact's id, so two entries of one kind say the same fact in two ways. `each`: the list of
    the record that tells one such fact for each entry; columns are looked up in the entry, then in the record, then
    in the message. `key`: further columns of the id. It is told where all of `needs` and none of `unless` have a
    value and each column of `when` has one of its values.
    """

    kind: Identifier
    fields: Fields
    each: Text | None = None
    key: tuple[Text, ...] = ()
    needs: tuple[Text, ...] = ()
    unless: tuple[Text, ...] = ()
    when: dict[Text, Texts] = {}  # noqa: RUF012 - msgspec copies empty defaults


class Form(Definition, frozen=True):
    """How the messages of one source become facts.

    `version`: the column that orders the messages about one record, a whole number or a time, where they have it.
    `format`: JSON lines, CSV, or `table` for either (the first character tells). `records`: the path of the list of
    records in a message; without it the message is the record. `key`: the columns of every fact's id, the dossier's
    code among them. `mixed_times`: columns whose times come in several shapes. `personal`: columns about persons, which
    no field may read; `keyed`: those of them that may become a keyed hash.
    """

    format: Literal["jsonl", "csv", "table"]
    key: Texts
    facts: Annotated[tuple[Told, ...], Meta(min_length=1)]
    records: Text | None = None
    version: Text | None = None
    mixed_times: tuple[Text, ...] = ()
    personal: tuple[Text, ...] = ()
    keyed: tuple[Text, ...] = ()
    csv: CsvShape = CsvShape()


def read_form(path: Path) -> Form:
    """The form in a YAML file.

    Raises DefinitionError with file:line:column for what the language does not allow, and for a field that reads a
    column about persons.
    """
    return parse_form(contents(path), str(path))


def parse_form(data: bytes, name: str) -> Form:
    """The form in these bytes; `name` stands for the file in errors, which are those of `read_form`."""
    one = placed_one(data, name, Form)
    for index, told in enumerate(one.value.facts):
        _check_fields(one, index, told)
    return one.value


def columns_of(told: Told) -> Iterator[tuple[str, Column]]:
    """The fields and registers a kind of fact reads, by name."""
    yield from named_fields(told.fields)
    for name, field in told.fields.data.items():
        yield f"data.{name}", columned(field)


def _check_fields(one: Placed[Form], index: int, told: Told) -> None:
    form, path = one.value, ("facts", index, "fields")
    for name in ("subject", "occurred_at", "action"):
        if getattr(told.fields, name) is None:
            _refuse(one, path, f"the field {name}", "none", "missing_field")
    if told.fields.id is not None:
        _refuse(one, (*path, "id"), "no `id`, which is derived from `key`", "one", "derived_id")
    for name, column in columns_of(told):
        for read in (column.column, *(column.columns or ())):
            if read not in form.personal:
                continue
            if read not in form.keyed:
                _refuse(one, (*path, name), "no column about persons", str(read), "personal")
            if name not in PERSON_FIELDS:
                _refuse(one, (*path, name), "a keyed column as party or actor only", str(read), "personal")
    for read in (*form.key, *told.key, *(() if form.version is None else (form.version,))):
        if read in form.personal:
            _refuse(one, ("key",), "no column about persons", read, "personal")
    if form.key[0] not in _named(told.fields.subject):
        _refuse(one, ("key",), "the dossier's code first", form.key[0], "key_without_subject")


def _named(field: str | Column | None) -> tuple[str | None, ...]:
    column = None if field is None else columned(field)
    return () if column is None else (column.column, *(column.columns or ()))


def _refuse(one: Placed[Form], path: tuple[str | int, ...], what: str, found: str, reason: str) -> NoReturn:
    raise DefinitionError(
        "{place}: {path}: expected {expected}, found {found}; correct the form",
        place=one.place(path),
        path=".".join(map(str, path)),
        expected=what,
        found=found,
        reason=reason,
    )
