"""A mapping compiled for the rows of one file: which cells it reads and how they become a fact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from consumers.files import values
from consumers.files.bodies import Bodies
from consumers.files.cases import CaseReader
from consumers.files.mapping import XES_DEFAULTS, Column, columned, named_fields
from workflow.facts import Fact

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consumers.files.bodies import Built
    from consumers.files.limits import FileLimits
    from consumers.files.mapping import Mapping
    from consumers.files.times import Times
    from consumers.files.values import Cells

_ROW_FIELDS: Final = ("subject", "occurred_at", "entered_at", "id", "sequence")
"""Fields that differ from row to row; all others make up the body."""


class Swift(NamedTuple):
    """The common shape of a row, read by a short cut: these columns as they are, all others for the body only."""

    subject: str
    id: str | None
    occurred_at: str
    times: Times


class Plan:
    """How the rows of one mapping become facts.

    `columns`: the cells a row must bring, in this order; `case_columns`: those of its dossier (XES: of the trace;
    elsewhere of the row too).
    """

    def __init__(self, mapping: Mapping, limits: FileLimits) -> None:
        """Compile. Raises UnknownZone."""
        self.source = mapping.source
        self.limits = limits
        fields = _fields(mapping)
        row: dict[str, Column] = {name: fields.pop(name) for name in _ROW_FIELDS if name in fields}
        data = {name: columned(field) for name, field in mapping.fields.data.items()}
        case = dict(named_fields(mapping.case))
        case_data = {name: columned(field) for name, field in mapping.case.data.items()}
        of_trace = [row["subject"]] if mapping.format == "xes" else []
        of_row = [column for column in row.values() if column not in of_trace]
        self.columns = _columns([*of_row, *fields.values(), *data.values()], mapping.only)
        self.case_columns = _columns([*of_trace, *case.values(), *case_data.values()], ())
        zone = mapping.timezone
        context = values.Context(_places(self.columns), zone, limits)
        of_case = values.Context(_places(self.case_columns), zone, limits)
        self.subject = values.identity("subject", row["subject"], of_case if of_trace else context)
        self._row(row, context)
        only = {name: (one,) if isinstance(one, str) else one for name, one in mapping.only.items()}
        self.body = Bodies(fields, data, only, context).of
        self.case = CaseReader(case, case_data, of_case) if case or case_data else None
        repeating = _columns([*fields.values(), *data.values()], mapping.only)
        self.swift = None if self.case else _swift(row, self._times, repeating)

    def _row(self, row: dict[str, Column], context: values.Context) -> None:
        self._times = values.times(row["occurred_at"], context)
        self._occurred_at = values.needed_time(row["occurred_at"], context, self._times)
        id_, sequence, entered_at = row.get("id"), row.get("sequence"), row.get("entered_at")
        self._id = id_ and values.identity("id", id_, context)
        self.names_ids = id_ is not None
        self._sequence = sequence and values.whole("sequence", sequence, context)
        self._entered_at = entered_at and values.time(entered_at, context)

    def fact(self, cells: Cells, row: int, subject: str, built: Built) -> Fact:
        """The fact of a row: the `row`-th of its file, of this dossier, with this body.

        Raises InputError with the reason why it cannot be taken, and the `column`.
        """
        sequence = self._sequence(cells) if self._sequence else row
        return Fact(
            subject,
            self.source,
            self._id(cells) if self._id else str(row),
            self._occurred_at(cells),
            built.body,
            0 if sequence is None else sequence,
            0,
            self._entered_at(cells) if self._entered_at else None,
        )


def _fields(mapping: Mapping) -> dict[str, Column]:
    defaults = XES_DEFAULTS if mapping.format == "xes" else {}
    return {name: Column(column=column) for name, column in defaults.items()} | dict(
        named_fields(mapping.fields)
    )


def _columns(columns: Iterable[Column], further: Iterable[str]) -> tuple[str, ...]:
    """The names of all columns read, each once, in the order of the mapping."""
    names = [name for column in columns for name in values.column_names(column)]
    return tuple(dict.fromkeys([*names, *further]))


def _places(columns: tuple[str, ...]) -> dict[str, int]:
    return {name: place for place, name in enumerate(columns)}


def _swift(row: dict[str, Column], times: Times, repeating: tuple[str, ...]) -> Swift | None:
    if not set(row) <= {"subject", "occurred_at", "id"}:
        return None
    plain = [row["subject"], row["occurred_at"], *([row["id"]] if "id" in row else [])]
    as_it_is = all(
        Column(column=one.column, format=one.format if one is plain[1] else None) == one and one.column
        for one in plain
    )
    names = [one.column for one in plain if one.column]
    if not as_it_is or len(set(names)) < len(plain) or set(names) & set(repeating):
        return None
    return Swift(names[0], names[2] if "id" in row else None, names[1], times)
