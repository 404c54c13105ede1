"""The mapping language: how the columns of a file become the fields of facts. See docs/mapping.md.

A mapping is approved data like a procedure: YAML, every scalar text, unknown words refused. Nothing here reads the
mapped file; `plan` compiles a mapping, the readers apply it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, NoReturn, TypeAlias

from msgspec import Meta, Struct

from consumers.files.times import WITH_OFFSET, TimeShape
from workflow.errors import DefinitionError, Words
from workflow.yamltree import contents, placed_one
from workflow.zones import zone_at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from workflow.yamltree import Placed

Text: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200)]
Texts: TypeAlias = Annotated[tuple[str, ...], Meta(min_length=1)]


class _Part(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every piece of a mapping: frozen, unknown words refused."""


class Column(_Part, frozen=True):
    """Where a field's value comes from: exactly one of `column`, `columns` and `constant`, and how it is read.

    `join` stands between the values of `columns`; absent ones are left out. `absent`: texts that mean "not there",
    besides the empty cell. `codes`: the file's values to ours; a value it does not list stays as it is and is
    counted. `format`: the shape of a time. `decimal`: `comma` reads `1.234,50` as 1234.50. `separator`: cuts one
    cell into several documents.
    """

    column: Text | None = None
    columns: Annotated[tuple[Text, ...], Meta(min_length=2)] | None = None
    join: str = " "
    constant: Text | None = None
    absent: Texts | None = None
    codes: dict[str, str] | None = None
    format: TimeShape | None = None
    decimal: Literal["point", "comma"] = "point"
    separator: Text | None = None


Field: TypeAlias = Text | Column
"""A column's name, or more about it."""


class Fields(_Part, frozen=True):
    """The fields of an event. `subject` and `occurred_at` are needed (XES has the standard's names for them, and
    for `action`); `id` and `sequence` default to the row's number."""

    subject: Field | None = None
    occurred_at: Field | None = None
    action: Field | None = None
    id: Field | None = None
    sequence: Field | None = None
    entered_at: Field | None = None
    procedure: Field | None = None
    actor: Field | None = None
    role: Field | None = None
    on_behalf_of: Field | None = None
    unit: Field | None = None
    to_unit: Field | None = None
    to_officer: Field | None = None
    list_id: Field | None = None
    documents: Field | None = None
    reason: Field | None = None
    channel: Field | None = None
    task: Field | None = None
    party: Field | None = None
    part: Field | None = None
    parts: Field | None = None
    appointment: Field | None = None
    cause: Field | None = None
    submitted_at: Field | None = None
    data: dict[Text, Field] = {}


class Case(_Part, frozen=True):
    """What is known of a dossier from its start: trace attributes of XES, columns of other files (there the first
    row of the dossier that has a value says it)."""

    procedure: Field | None = None
    unit: Field | None = None
    received_at: Field | None = None
    submitted_at: Field | None = None
    appointment: Field | None = None
    cause: Field | None = None
    ended_at: Field | None = None
    data: dict[Text, Field] = {}


class CsvShape(_Part, frozen=True):
    """How a CSV file is written: RFC 4180 with another delimiter where it says so."""

    delimiter: Literal[",", ";", "tab"] = ","
    encoding: Literal["utf-8"] = "utf-8"


class Mapping(_Part, frozen=True):
    """How one kind of file becomes facts of one source.

    `zone`: IANA name, for times without an offset. `order`: what orders the source's facts. `log_end`: whether the
    end of the file is the end of every dossier. `grouped`: whether a dossier's rows lie together (default: true,
    for jsonl false). `only`: rows are taken where each of these columns has one of these values.
    """

    format: Literal["csv", "jsonl", "xes"]
    source: Text
    fields: Fields = Fields()
    case: Case = Case()
    zone: Text | None = None
    order: Literal["sequence", "time"] = "sequence"
    log_end: Literal["closes", "open"] = "open"
    grouped: bool | None = None
    csv: CsvShape = CsvShape()
    only: dict[Text, Texts | Text] = {}

    @property
    def dossiers_lie_together(self) -> bool:
        """Whether the file may be read one dossier after the other."""
        return self.format != "jsonl" if self.grouped is None else self.grouped

    @property
    def timezone(self) -> ZoneInfo | None:
        """The zone of naive times. Raises UnknownZone."""
        return None if self.zone is None else zone_at(self.zone, "zone")


TIMES: Final = ("occurred_at", "entered_at", "submitted_at", "received_at", "ended_at", "appointment")
"""Fields that are read as a time or date."""

XES_DEFAULTS: Final = {
    "subject": "concept:name",
    "occurred_at": "time:timestamp",
    "action": "concept:name",
}
"""The attributes of the standard extensions concept and time (IEEE 1849-2016), where a XES mapping names none."""


def read_mapping(path: Path) -> Mapping:
    """The mapping in a YAML file.

    Raises DefinitionError with file:line:column for what the language does not allow, UnknownZone for a zone that
    no database knows.
    """
    return parse_mapping(contents(path), str(path))


def parse_mapping(data: bytes, name: str) -> Mapping:
    """The mapping in these bytes; `name` stands for the file in errors, which are those of `read_mapping`."""
    one = placed_one(data, name, Mapping)
    _check(one)
    return one.value


def columned(field: Field) -> Column:
    """A field written as a plain column name as the object it stands for."""
    return Column(column=field) if isinstance(field, str) else field


def named_fields(part: Fields | Case) -> Iterator[tuple[str, Column]]:
    """The mapped fields of a part but its registers, in the order of the language."""
    for name in part.__struct_fields__:
        value = getattr(part, name)
        if name != "data" and value is not None:
            yield name, columned(value)


def _check(one: Placed[Mapping]) -> None:
    mapping = one.value
    if mapping.zone is not None:
        zone_at(mapping.zone, one.place(("zone",)))
    for key, part in (("fields", mapping.fields), ("case", mapping.case)):
        for name, column in named_fields(part):
            _check_column(one, (key, name), column, is_time=name in TIMES)
        for name, field in part.data.items():
            _check_column(one, (key, "data", name), columned(field), is_time=False)
    _check_needed(one)


def _check_needed(one: Placed[Mapping]) -> None:
    mapping = one.value
    if mapping.format == "xes":
        return
    for name in ("subject", "occurred_at", "action"):
        if getattr(mapping.fields, name) is None:
            _refuse(one, ("fields",), Words("the field {expected}", expected=name), reason="missing_field")


def _check_column(one: Placed[Mapping], path: tuple[str, ...], column: Column, *, is_time: bool) -> None:
    origins = [name for name in ("column", "columns", "constant") if getattr(column, name) is not None]
    if len(origins) != 1:
        found = ", ".join(origins) or Words("none of them")
        _refuse(one, path, Words("one of column, columns, constant"), found, reason="origin")
    shape = column.format or ("iso" if is_time else None)
    if shape is not None and shape not in WITH_OFFSET and one.value.zone is None:
        _refuse(
            one,
            path,
            Words("a `zone` for times of the shape {shape}", shape=shape),
            reason="time_without_zone",
        )
    if column.separator is not None and path[-1] != "documents":
        _refuse(one, path, Words("a `separator` for documents only"), column.separator, reason="separator")


def _refuse(
    one: Placed[Mapping], path: tuple[str, ...], what: Words, found: str = "", *, reason: str
) -> NoReturn:
    raise DefinitionError(
        "{place}: {path}: expected {expected}, found {found}; correct the mapping",
        reason=reason,
        place=one.place(path),
        path=".".join(path),
        expected=what,
        found=found or Words("none"),
    )
