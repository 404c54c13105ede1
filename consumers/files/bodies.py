"""What happened, built from a row's cells once for each distinct combination of them."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, get_args

from consumers.files import values
from consumers.files.values import LISTED, time, time_or_date, whole
from workflow.errors import InputError, Words
from workflow.facts import Acted, Actor, Appointment, AppointmentCause, Channel, Part, Recipient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date, datetime

    from consumers.files.mapping import Column
    from consumers.files.values import Cells, Context, Reader
    from workflow.facts import Scalar

BODIES_MAX: Final = 65_536
"""Distinct bodies remembered. The fines log has under 5,000; free text must not fill the memory."""

CAUSES: Final = get_args(AppointmentCause)
_CHANNELS: Final = get_args(Channel)


class Built(NamedTuple):
    """A body, and the values in it that their list of codes did not have."""

    body: Acted
    uncoded: tuple[tuple[str, str], ...]


class Bodies:
    """The bodies of a mapping's rows."""

    def __init__(
        self,
        fields: Mapping[str, Column],
        data: Mapping[str, Column],
        only: Mapping[str, tuple[str, ...]],
        context: Context,
    ) -> None:
        """`fields` by their names in the mapping, `data` by register; `only` filters rows."""
        self._context = context
        self._readers = {name: reader(name, column, context) for name, column in fields.items()}
        self._separator = fields["documents"].separator if "documents" in fields else None
        self._data = [(name, values.text(name, column, context)) for name, column in data.items()]
        self._only = [
            (context.columns[name], frozenset(map(values.composed, taken))) for name, taken in only.items()
        ]
        self._key = _getter(self._places([*fields.values(), *data.values()], only))
        self._built: dict[object, Built | None] = {}

    def of(self, cells: Cells) -> Built | None:
        """The row's body, None where the mapping leaves such rows out.

        Raises InputError with the reason why the row cannot be taken, and the `column`.
        """
        key = self._key(cells)
        if key not in self._built:
            if len(self._built) >= BODIES_MAX:
                self._built.clear()
            self._built[key] = self._build(cells)
        return self._built[key]

    def _places(self, columns: Iterable[Column], only: Iterable[str]) -> list[int]:
        names = {name for column in columns for name in values.column_names(column)} | set(only)
        return sorted(self._context.columns[name] for name in names)

    def _build(self, cells: Cells) -> Built | None:
        if any(values.composed(cells[place] or "") not in taken for place, taken in self._only):
            return None
        self._context.uncoded.clear()
        found = {name: read(cells) for name, read in self._readers.items()}
        data: dict[str, Scalar] = {
            name: text for name, read in self._data if (text := read(cells)) is not None
        }
        return Built(self._acted(found, data), tuple(self._context.uncoded))

    def _acted(self, found: dict[str, Any], data: dict[str, Scalar]) -> Acted:
        take = found.pop
        action = take("action")
        if action is None:
            raise InputError(
                "expected {expected}, found {found}; map the column that has it, or leave such rows out with `only`",
                reason="action_missing",
                expected=Words("an action"),
                found=Words("nothing"),
            )
        actor, role, behalf = take("actor", None), take("role", None), take("on_behalf_of", None)
        unit, officer = take("to_unit", None), take("to_officer", None)
        number, total = take("part", None), take("parts", None)
        documents = take("documents", None)
        return Acted(
            action=action,
            actor=None if actor is None else Actor(id=actor, role=role, on_behalf_of=behalf),
            to=Recipient(unit=unit, officer=officer) if unit or officer else None,
            part=None if number is None or total is None else Part(number, total),
            documents=() if documents is None else split(documents, self._separator),
            appointment=appointment(take("appointment", None), take("cause", None)),
            data=data,
            **found,
        )


def reader(name: str, column: Column, context: Context) -> Reader[Any]:
    """How the field `name` of an event or a dossier is read."""
    match name:
        case "submitted_at" | "received_at" | "ended_at":
            return time(column, context)
        case "appointment":
            return time_or_date(column, context)
        case "cause":
            return values.choice(name, column, context, CAUSES)
        case "channel":
            return values.choice(name, column, context, _CHANNELS)
        case "part" | "parts":
            return whole(name, column, context)
        case "reason" | "documents":
            return values.text(name, column, context)
        case _:
            return values.code(name, column, context)


def appointment(at: datetime | date | None, cause: AppointmentCause | None) -> Appointment | None:
    """The slip's date with its cause, `first` where the file names none; None without a date."""
    if at is None:
        return None
    return Appointment(at=at) if cause is None else Appointment(at=at, cause=cause)


def split(documents: str, separator: str | None) -> tuple[str, ...]:
    """One cell as the documents it names, without blanks around them."""
    parts = (documents.replace(separator, LISTED) if separator else documents).split(LISTED)
    return tuple(part for one in parts if (part := one.strip()))


def _getter(places: list[int]) -> Callable[[Cells], object]:
    return itemgetter(*places) if places else lambda _: None
