"""The procedure language: what an approved revision may say, as frozen values.

Nothing here reads files or judges. `reader` turns YAML into these values, `checks` refuses unsound ones,
`machine`, `guards` and `clock` compile them. Every scalar of the YAML arrives as text and is typed here.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct, field

from workflow.errors import Words

Identifier: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9_\-]*$(?!\n)",
        max_length=80,
        extra={"says": Words("a name of letters a-z, digits, _ and -, beginning with a letter")},
    ),
]
"""ASCII name of a state, action, rule and so on. The names people read stand in `name`."""

Figures: TypeAlias = Literal["statutory", "approved", "sample"]
Unit: TypeAlias = Literal["working_hours", "working_days", "calendar_days", "elapsed_hours", "given_date"]
OnOrderBreak: TypeAlias = Literal["refuse", "follow", "stop"]
OnGuardBreak: TypeAlias = Literal["refuse", "record"]
Milestone: TypeAlias = Literal[
    "received",
    "paused",
    "resumed",
    "extended",
    "issued",
    "ready",
    "returned",
    "rejected",
    "withdrawn",
    "stopped",
]
ENDING_MILESTONES: frozenset[Milestone] = frozenset({"returned", "rejected", "withdrawn", "stopped"})
RegisterType: TypeAlias = Literal["text", "integer", "money", "date", "time", "flag"]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=100_000)]
TimeOfDay: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$(?!\n)", extra={"says": Words("a time of day such as 15:00")}
    ),
]


class Definition(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every piece of a procedure: frozen, unknown words refused."""


class Names(Definition, frozen=True):
    """What people read, in both languages."""

    vi: str
    en: str


Wording: TypeAlias = Names | str
"""What people read: in both languages, or one text for both."""


def both(text: Wording | None) -> tuple[str | None, str | None]:
    """A text as messages carry it: in English or as it stands, and in Vietnamese where that is another."""
    return (text.en, text.vi) if isinstance(text, Names) else (text, None)


class Counting(Definition, frozen=True):
    """How a limit counts. Nothing is left to a default that would change a date.

    `first_day`, `rest_day`: for day counts only (Civil Code 2015 art. 147-148). `rest_day`: what happens when the
    last day is no working day. `reaching`: whether an act at exactly the limit is late. `cut_off`: a receipt at
    or after this time of day counts as of the next working day.
    """

    unit: Unit
    reaching: Literal["late", "in_time"]
    first_day: Literal["excluded", "included"] | None = None
    rest_day: Literal["rolls", "stays"] | None = None
    cut_off: TimeOfDay | None = None


class Choice(Definition, frozen=True):
    """A number chosen by a register's value (EIA: group I 45 days, group II 30)."""

    register: Identifier
    values: dict[str, Count]
    otherwise: Count | None = None


class Anchor(Definition, frozen=True):
    """The moment a limit counts from: exactly one of an action, entering a state, or a milestone."""

    action: Identifier | None = None
    which: Literal["first", "last"] = "first"
    entering: Identifier | None = None
    milestone: Milestone | Literal["submitted"] | None = None


class Binds(Definition, frozen=True):
    """What a limit is a limit of: exactly one of these."""

    action: Identifier | None = None
    actions: tuple[Identifier, ...] | Literal["any"] | None = None
    state: Identifier | None = None
    phase: Identifier | None = None
    end: Literal["any"] | tuple[Identifier, ...] | None = None


class Limit(Definition, frozen=True):
    """How long something may take, or until when.

    Exactly one of `within` (a number in the counting's unit) and `until` (a register holding a date or time).
    `stops_for`: which pauses and excluded tasks stop this clock. `date`: which of the three dates of a dossier
    it gives, where it binds the end or a phase. `headline`: of several limits that bind the end, the one that
    says whether the dossier ended late.
    """

    counts: Counting | Identifier
    within: Count | Choice | None = None
    until: Identifier | None = None
    binds: Binds | None = None
    starts: Anchor | None = field(name="from", default=None)
    stops_for: Literal["all", "none"] | tuple[Identifier, ...] = "all"
    date: Literal["statutory", "committed", "other"] = "other"
    headline: bool = False
    name: Names | None = None
    basis: Wording | None = None
    figures: Figures | None = None


class Operand(Definition, frozen=True):
    """A value to compare: a register, the event's own value for a register, or a sum of registers.
    A plain text is a constant."""

    register: Identifier | None = None
    data: Identifier | None = None
    sum: tuple[Identifier, ...] | Identifier | None = None


Value: TypeAlias = str | Operand


class OneOf(Definition, frozen=True):
    """A value is one of a closed list of constants."""

    value: Value
    values: Annotated[tuple[str, ...], Meta(min_length=1)] = field(name="in")


class Times(Definition, frozen=True):
    """An action took place at most so often before (the present event not counted)."""

    action: Identifier
    fewer_than: Count


class Within(Definition, frozen=True):
    """The event lies within a time after the first or last of an action."""

    number: Count
    counts: Counting | Identifier
    after: Identifier
    which: Literal["first", "last"] = "first"


class Predicate(Definition, frozen=True):
    """Exactly one of these. Registers are read as before the event; role, documents and data from the event.
    A comparison with an absent register that has no `initial` is false."""

    role: tuple[Identifier, ...] | None = None
    four_eyes: Annotated[tuple[Identifier, ...], Meta(min_length=2)] | None = None
    documents: tuple[str, ...] | None = None
    times: Times | None = None
    after_state: tuple[Identifier, ...] | None = None
    before_state: tuple[Identifier, ...] | None = None
    present: Operand | None = None
    equals: tuple[Value, Value] | None = None
    one_of: OneOf | None = None
    at_least: tuple[Value, Value] | None = None
    at_most: tuple[Value, Value] | None = None
    less_than: tuple[Value, Value] | None = None
    within: Within | None = None
    limit_passed: Identifier | None = None
    all: tuple[Predicate, ...] | None = None
    any: tuple[Predicate, ...] | None = None
    negated: Predicate | None = field(name="not", default=None)


class Guard(Definition, frozen=True):
    """A rule over an event or an end. `refuse` leaves the state as it was; `record` applies the event with the
    violation."""

    requires: Predicate
    on_break: OnGuardBreak = "refuse"
    name: Names | None = None
    basis: Wording | None = None


class Task(Definition, frozen=True):
    """Parallel work inside a state: other agencies are asked, answer, or are recalled.

    `clock`: whether the wait counts against the dossier or is taken out of it. `on_silence`: what no answer
    within the limit means (EIA consultation: consent, Circular 02/2022 art. 16): `proceed` takes it as an answer,
    `wait` as none, `reject` as a refusal, after which the state may only be left through an ending milestone.
    The join guards every action that leaves the state but those that end or pause the dossier.
    """

    asked: Identifier
    answered: Identifier
    recalled: Identifier | None = None
    agencies: tuple[str, ...] = ()
    limit: Limit | None = None
    clock: Literal["counts", "excluded"] = "counts"
    on_silence: Literal["proceed", "wait", "reject"] = "wait"
    join: Literal["all", "any"] = "all"
    name: Names | None = None


class State(Definition, frozen=True):
    """Where a dossier is: who holds it, how long one stay may last, and whether the dossier ends there."""

    name: Names | None = None
    role: Identifier | None = None
    limit: Limit | None = None
    final: bool = False
    guards: tuple[Identifier, ...] = ()
    tasks: dict[Identifier, Task] = {}


class Move(Definition, frozen=True):
    """One or more states an action may start from, and where it leads. Without `to` the dossier stays."""

    sources: tuple[Identifier, ...] | Literal["any"] = field(name="from")
    to: Identifier | None = None
    guards: tuple[Identifier, ...] = ()


class Action(Definition, frozen=True):
    """The verb that moves a dossier.

    `on_order_break`: what it does in a state it may not start from; by default a milestone is followed (the
    state moves to its target), any other action does what the revision says. `follow_to` names the target where
    the moves have several. `pause`: the pause this action begins (milestone paused) or ends (resumed).
    `extends`: by how much it lengthens a limit, in that limit's unit.
    """

    moves: tuple[Move, ...]
    name: Names | None = None
    role: tuple[Identifier, ...] = ()
    on_role_break: OnGuardBreak = "refuse"
    milestone: Milestone | None = None
    guards: tuple[Identifier, ...] = ()
    on_order_break: OnOrderBreak | None = None
    follow_to: Identifier | None = None
    pause: Identifier | None = None
    extends: dict[Identifier, Count] = {}


class Cap(Definition, frozen=True):
    """The longest a pause may stop the clock; beyond it the clock runs again."""

    within: Count
    counts: Counting | Identifier


class Pause(Definition, frozen=True):
    """A legal reason for the clock to stand: its document, how often and how long, and how it goes on.

    A pause beyond `at_most` is recorded with a violation and stops no clock.
    """

    name: Names | None = None
    reason: str | None = None
    documents: tuple[str, ...] = ()
    at_most: Count | None = None
    cap: Cap | None = None
    on_resume: Literal["continue", "restart", "next_phase"] = "continue"
    waits_for: Literal["citizen", "agency", "office"] = "citizen"
    basis: Wording | None = None


class Register(Definition, frozen=True):
    """A named typed value taken from events: from the field `from` of their data (its own name by default), of
    any action or of those listed. `money` and other decimals are exact."""

    type: RegisterType
    keep: Literal["last", "first", "sum", "count"] = "last"
    source: str | None = field(name="from", default=None)
    actions: tuple[Identifier, ...] | None = None
    initial: str | None = None
    name: Names | None = None


class End(Definition, frozen=True):
    """Conditions of ending in a state; a broken one is a violation of kind `end`."""

    requires: tuple[Identifier, ...] = ()


class Phase(Definition, frozen=True):
    """A part of the procedure with a clock of its own: it starts with one of these actions and ends with one of
    those (or when the next phase starts, or the dossier ends)."""

    starts: tuple[Identifier, ...]
    ends: tuple[Identifier, ...] = ()
    name: Names | None = None


class Approval(Definition, frozen=True):
    """What makes a revision the approved procedure."""

    document: str
    decision: str
    decided_on: date


class Effective(Definition, frozen=True):
    """The receipt dates this revision is for; `to` is the last of them, absent while it is in force."""

    since: date = field(name="from")
    to: date | None = None


class Revision(Definition, frozen=True):
    """One edition of a procedure: the whole of what a dossier is judged by."""

    procedure: Annotated[str, Meta(min_length=1, max_length=80)]
    revision: Annotated[str, Meta(min_length=1, max_length=20)]
    name: Names
    figures: Figures
    zone: str
    initial: Identifier
    states: dict[Identifier, State]
    actions: dict[Identifier, Action]
    kind: Literal["dossier", "feedback", "complaint", "report", "obligation", "log"] = "dossier"
    generic: bool = False
    approval: Approval | None = None
    effective: Effective | None = None
    calendar: str | None = None
    units: tuple[Identifier, ...] = ()
    on_order_break: OnOrderBreak = "refuse"
    counting: dict[Identifier, Counting] = {}
    registers: dict[Identifier, Register] = {}
    sums: dict[Identifier, tuple[Identifier, ...]] = {}
    guards: dict[Identifier, Guard] = {}
    limits: dict[Identifier, Limit] = {}
    pauses: dict[Identifier, Pause] = {}
    phases: dict[Identifier, Phase] = {}
    ends: dict[Identifier, End] = {}
    basis: Wording | None = None
    accepts: dict[str, str] = {}
