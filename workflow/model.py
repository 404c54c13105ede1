"""The values judgments are made of: violations, outcomes, the dossier and its parts.

No rules here. A `Dossier` is a value outside of `fold`: only `fold` and `machine` change one, and only their own
private copy (a test reads the sources and holds them to it). All instants are aware.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct

from workflow.facts import AppointmentCause, InstantOrDay
from workflow.procedure.language import Wording

ViolationKind: TypeAlias = Literal["order", "deadline", "guard", "role", "end"]
OrderKey: TypeAlias = tuple[datetime, int, int, str, str, int]
"""Place of a fact: effective_at, source rank, sequence, source, id, revision."""
Status: TypeAlias = Literal["applied", "refused", "superseded", "voided", "not_judged"]

if TYPE_CHECKING:
    from decimal import Decimal

    RegisterValue: TypeAlias = str | int | Decimal | date | datetime | bool | None
    TextOrInstant: TypeAlias = str | datetime
else:
    # msgspec takes no union of two kinds of text: what it reads stays text, or what its extension makes of it.
    RegisterValue = Any
    TextOrInstant = Annotated[Any, Meta(extra_json_schema={"type": "string"})]


class Violation(Struct, frozen=True, gc=False):
    """One broken rule: which, of what kind, what it asked for and what was found.

    A deadline's `expected` is the due instant and `found` the instant of the act; elsewhere both are text.
    """

    rule: str
    kind: ViolationKind
    expected: TextOrInstant
    found: TextOrInstant


class Outcome(Struct, frozen=True, omit_defaults=True, gc=False):
    """What became of one fact. `order_assumed`: its place among its neighbours rests on its id alone."""

    status: Status
    violations: tuple[Violation, ...] = ()
    order_assumed: bool = False


class PauseTaken(Struct, frozen=True, gc=False, omit_defaults=True):
    """A pause: open while `ended_at` is absent. `counts` is false for one beyond its permitted number."""

    pause: str
    started_at: datetime
    ended_at: datetime | None = None
    counts: bool = True


class TaskRun(Struct, frozen=True, gc=False, omit_defaults=True):
    """One agency asked inside a state: answered, recalled, or still silent."""

    state: str
    task: str
    agency: str
    asked_at: datetime
    answered_at: datetime | None = None
    recalled_at: datetime | None = None
    left_at: datetime | None = None

    @property
    def ended_at(self) -> datetime | None:
        """When the agency answered, was recalled, or its state was left, the first of them; None while it is silent."""
        ended = self.left_at
        for at in (self.answered_at, self.recalled_at):
            if at is not None and (ended is None or at < ended):
                ended = at
        return ended


class PhaseRun(Struct, frozen=True, gc=False, omit_defaults=True):
    """One phase begun."""

    phase: str
    started_at: datetime
    ended_at: datetime | None = None


class ExtensionTaken(Struct, frozen=True):
    """A limit lengthened by decision, by `by` of its own units."""

    limit: str
    by: int
    at: datetime


class AppointmentTold(Struct, frozen=True, array_like=True, gc=False):
    """A slip: the date printed on it, why, and when (effective time) it was told."""

    at: InstantOrDay
    cause: AppointmentCause
    told_at: datetime


class Missed(Struct, frozen=True, gc=False):
    """A limit an act came too late for: counted from `starts_at` (absent for a given date), due, and met at last."""

    rule: str
    starts_at: datetime | None
    due_at: datetime
    met_at: datetime


class Dossier(Struct, array_like=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """The state of one dossier after some of its facts, judged by `revision` of its procedure. Kept as a list of its
    fields, so their order counts.

    `registers`, and `firsts`, `lasts`, `counts` (of the actions rules ask about) lie in the order of the
    revision's `Layout`. `since`: when the present state was entered. `halted`: an order break of kind `stop` was
    met, nothing after it is judged. `parts`: which parts of a dossier returned in parts have been seen. `broken`:
    the rules its events broke, each with its kind, in the order first met. `missed`: the limits they came too late for,
    each count once. `corrected`: voids or further revisions are
    among its facts. `steps_told`: judged by the generic procedure, and a source that reports steps told of it.
    `last_key` and `streams` (per source:
    greatest sequence, latest effective time) say whether a further fact sorts last. `hours_of`: the unit by whose
    hours its clocks count, the one that received it, whoever holds it now.
    """

    subject: str
    revision: str
    state: str
    since: datetime | None = None
    registers: list[RegisterValue]
    firsts: list[datetime | None]
    lasts: list[datetime | None]
    counts: list[int]
    actors: dict[str, tuple[str, ...]] = {}
    visited: tuple[str, ...] = ()
    unit: str | None = None
    officer: str | None = None
    submitted_at: datetime | None = None
    received_at: datetime | None = None
    issued_at: datetime | None = None
    ready_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None
    pauses: tuple[PauseTaken, ...] = ()
    tasks: tuple[TaskRun, ...] = ()
    phases: tuple[PhaseRun, ...] = ()
    extensions: tuple[ExtensionTaken, ...] = ()
    appointments: tuple[AppointmentTold, ...] = ()
    parts: tuple[int, ...] = ()
    halted: bool = False
    order_assumed: bool = False
    opened: bool = False
    corrected: bool = False
    steps_told: bool = False
    broken: dict[str, ViolationKind] = {}
    missed: tuple[Missed, ...] = ()
    last_key: OrderKey | None = None
    streams: dict[str, tuple[int, datetime]] = {}
    hours_of: str | None = None


class Line(Struct, frozen=True, gc=False, omit_defaults=True):
    """One line of a deadline's sum. `text` is an English template (the key of its translation), `values` fill
    it; `at` is the date reached so far, where the line moves it."""

    text: str
    values: dict[str, str | int] = {}
    at: datetime | None = None


DeadlineKind: TypeAlias = Literal[
    "appointment", "benchmark", "committed", "statutory", "limit", "step", "phase", "task"
]


class Deadline(Struct, frozen=True, gc=False, omit_defaults=True):
    """When something is due, whether it was met, and how the date came about.

    `rule`: the limit's id, or `appointment`. `reaching_is_late`: whether the instant itself is already too late.
    `met_at`: the instant that stops this clock, absent while it runs. `late`: against `met_at`, or against the
    time asked about. `calendar`, `hours`: the revision it was counted by, and which of its hours, absent for the usual
    ones. `open_pause`: the clock stands at the moment, so `due_at` still moves.
    """

    rule: str
    kind: DeadlineKind
    due_at: datetime
    reaching_is_late: bool = False
    starts_at: datetime | None = None
    met_at: datetime | None = None
    late: bool = False
    open_pause: bool = False
    basis: Wording | None = None
    calendar: str | None = None
    hours: str | None = None
    sum: tuple[Line, ...] = ()
