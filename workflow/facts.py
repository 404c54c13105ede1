"""Facts: events as a source told them. Frozen values, no judgment, no clock, no I/O.

The bodies are the one definition of what a message may say (DESIGN: the event contract);
`consumers.contract` wraps each in its CloudEvents envelope and generates the JSON Schemas from it.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias

from msgspec import Meta, Struct

Scalar: TypeAlias = str | int | bool | None
"""A register's value as a source tells it. Money and other decimals travel as text, so no binary float
enters; the procedure's register gives the type."""

AppointmentCause: TypeAlias = Literal["first", "after_supplement", "extension", "correction", "apology"]
Channel: TypeAlias = Literal["direct", "online", "post"]


if TYPE_CHECKING:
    from collections.abc import Collection

    InstantOrDay: TypeAlias = datetime | date
else:
    # msgspec takes no union of two kinds of text: the codec hands it the value, already read.
    InstantOrDay = Annotated[
        Any,
        Meta(extra_json_schema={"anyOf": [{"type": "string", "format": f} for f in ("date-time", "date")]}),
    ]


Code: TypeAlias = Annotated[str, Meta(extra_json_schema={"minLength": 1, "pattern": r"^\S(?:[\s\S]*\S)?$"})]
"""A code: not empty, no blank before or after it. The contract holds messages to it; what is kept is read as it is."""


class Actor(Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """Who acted: an officer's code (never a name), in which capacity, for whom."""

    id: Code
    role: Code | None = None
    on_behalf_of: Code | None = None


class Recipient(Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """To whom a dossier was handed over."""

    unit: Code | None = None
    officer: Code | None = None


class Part(Struct, frozen=True, omit_defaults=True):
    """Part `number` of `total` of one dossier returned in several parts."""

    number: int
    total: int


class Appointment(Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """The date printed on the citizen's slip.

    `at` is an instant, or a date where the slip names only a day (then the closing time of that day counts).
    """

    at: InstantOrDay
    cause: AppointmentCause = "first"


class Acted(
    Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="dossier.acted.v1", tag_field="type"
):
    """An action of its procedure took place."""

    action: Code
    procedure: Code | None = None
    actor: Actor | None = None
    unit: Code | None = None
    to: Recipient | None = None
    list_id: Code | None = None
    documents: tuple[str, ...] = ()
    reason: str | None = None
    appointment: Appointment | None = None
    submitted_at: datetime | None = None
    channel: Channel | None = None
    part: Part | None = None
    party: Code | None = None
    task: Code | None = None
    data: dict[str, Scalar] = {}


class PauseUsed(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A pause of a running dossier that began before we kept its facts; open while `to` is absent."""

    pause: Code
    started_at: datetime
    ended_at: datetime | None = None


class Opened(
    Struct, frozen=True, omit_defaults=True, kw_only=True, tag="dossier.opened.v1", tag_field="type"
):
    """Opening balance of a dossier, or what is known of it from the start.

    With a `state` the dossier was already running: everything that lies before is not judged. Without one it
    starts at its procedure's initial state and only the registers, dates and the end are known beforehand
    (the case attributes of a log). `ended_at` is the end as the source gives it; events may lie after it.
    """

    procedure: Code | None = None
    state: Code | None = None
    unit: Code | None = None
    officer: Code | None = None
    received_at: datetime | None = None
    submitted_at: datetime | None = None
    appointments: tuple[Appointment, ...] = ()
    pauses: tuple[PauseUsed, ...] = ()
    ended_at: datetime | None = None
    data: dict[str, Scalar] = {}


LinkKind: TypeAlias = Literal["new_code", "split", "merged", "duplicate_of", "phase_of", "reopened_as"]


class Linked(
    Struct, frozen=True, omit_defaults=True, kw_only=True, tag="dossier.linked.v1", tag_field="type"
):
    """This dossier stands in a relation to another code; facts keep the subject they came with."""

    kind: LinkKind
    other: Code
    reason: str | None = None
    document: str | None = None


class Rated(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="dossier.rated.v1", tag_field="type"):
    """The citizen's evaluation: at most one per dossier. Scores are 0, 1 or 2 per criterion
    (Decree 61/2018 art. 31)."""

    channel: Literal["tablet", "paper", "web"]
    scores: dict[str, int]
    keyed_by: Code | None = None
    rated_on: date | None = None


class Migrated(
    Struct, frozen=True, omit_defaults=True, kw_only=True, tag="dossier.migrated.v1", tag_field="type"
):
    """Moves a running dossier to another revision of its procedure, by a decision."""

    revision: Code
    decision: str
    state: Code | None = None


class Voided(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="event.voided.v1", tag_field="type"):
    """Correction: the target never took place. It removes the target everywhere from its recorded time on."""

    target_id: Code
    target_source: Code | None = None
    target_revision: int | None = None
    reason: str
    by: Actor | None = None
    document: str | None = None


class OfficerAppointed(
    Struct, frozen=True, omit_defaults=True, kw_only=True, tag="officer.appointed.v1", tag_field="type"
):
    """An officer took up a post."""

    post: Code
    unit: Code
    starts_on: date
    decision: str | None = None


class OfficerMoved(
    Struct, frozen=True, omit_defaults=True, kw_only=True, tag="officer.moved.v1", tag_field="type"
):
    """An officer left a post, for another or for none."""

    from_post: Code
    from_unit: Code
    left_on: date
    to_post: Code | None = None
    to_unit: Code | None = None
    decision: str | None = None


class OfficerExempted(
    Struct, frozen=True, omit_defaults=True, kw_only=True, tag="officer.exempted.v1", tag_field="type"
):
    """Freed from periodic rotation (Decree 59/2019 art. 36-39)."""

    reason: str
    from_on: date
    until_on: date | None = None
    decision: str | None = None


class OfficerDeferred(
    Struct, frozen=True, omit_defaults=True, kw_only=True, tag="officer.deferred.v1", tag_field="type"
):
    """Periodic rotation put off (Decree 59/2019 art. 36-39)."""

    reason: str
    from_on: date
    until_on: date | None = None
    decision: str | None = None


class OfficerConcluded(
    Struct, frozen=True, omit_defaults=True, kw_only=True, tag="officer.concluded.v1", tag_field="type"
):
    """The finding on a complaint of harassment: only a verified one makes a move due."""

    complaint: Code
    finding: Literal["verified", "partly", "not_verified"]
    authority: Code
    document: str


class OfficerAccount(
    Struct, frozen=True, omit_defaults=True, kw_only=True, tag="officer.account.v1", tag_field="type"
):
    """The officer's account on the national portal."""

    account: Code
    active: bool = True


class AlertActed(
    Struct, frozen=True, omit_defaults=True, kw_only=True, tag="alert.acted.v1", tag_field="type"
):
    """A human act on an alert: a fact too, or a rebuild would lose it."""

    alert_id: Code
    act: Literal["acknowledged", "snoozed", "resolved"]
    by: Actor
    until: datetime | None = None
    reason: str | None = None


class Heartbeat(
    Struct, frozen=True, omit_defaults=True, kw_only=True, tag="source.heartbeat.v1", tag_field="type"
):
    """The source is alive, though it has nothing to tell."""


class Counted(
    Struct, frozen=True, omit_defaults=True, kw_only=True, tag="source.counted.v1", tag_field="type"
):
    """A source's count of a day, so that completeness can be shown."""

    day: date
    received: int
    released: int
    open: int
    codes_sha256: str


class BodyErased(
    Struct, frozen=True, omit_defaults=True, kw_only=True, tag="body.erased.v1", tag_field="type"
):
    """The received bytes of a fact were erased; its typed columns and its proof stay."""

    target_id: Code
    rule: str
    by: Actor
    target_source: Code | None = None
    target_revision: int | None = None


Body: TypeAlias = (
    Acted
    | Opened
    | Linked
    | Rated
    | Migrated
    | Voided
    | OfficerAppointed
    | OfficerMoved
    | OfficerExempted
    | OfficerDeferred
    | OfficerConcluded
    | OfficerAccount
    | AlertActed
    | Heartbeat
    | Counted
    | BodyErased
)

OFFICER_FACTS: Final = (
    OfficerAccount,
    OfficerAppointed,
    OfficerConcluded,
    OfficerDeferred,
    OfficerExempted,
    OfficerMoved,
)
STANDING_ALONE: Final[frozenset[type]] = frozenset((AlertActed, Counted, Heartbeat, *OFFICER_FACTS))
"""Facts on officers, sources and alerts: kept like all others, but they begin no dossier."""

CORRECTIONS: Final[frozenset[type]] = frozenset((Voided, BodyErased))
"""Facts about other facts; on those of an officer they begin no dossier either."""

STEPS: Final = (Acted, Opened)
"""What may name the procedure of its dossier, and tells its steps."""


class Fact(Struct, frozen=True, gc=False, omit_defaults=True):
    """One event as a source told it.

    Identity is (subject, source, id, revision), for ever. `occurred_at`: when it took place; `entered_at`: when
    the officer typed it; `recorded_at`: when we stored it (set under the dossier's lock). All aware.
    `sequence` is the source's own order, 0 where it has none; a stream offset is never a sequence.
    """

    subject: str
    source: str
    id: str
    occurred_at: datetime
    body: Body
    sequence: int = 0
    revision: int = 0
    entered_at: datetime | None = None
    recorded_at: datetime | None = None


def is_bare(code: str) -> bool:
    """Whether a code is one: not empty, and no blank before or after it, which nobody sees and nothing equals."""
    return code != "" and code == code.strip()


def code_of(fact: Fact) -> str | None:
    """The procedure a fact names."""
    body = fact.body
    return body.procedure if isinstance(body, STEPS) else None


def units_named(fact: Fact) -> tuple[str, ...]:
    """The units an event of a dossier says it lies in, or goes to."""
    body = fact.body
    if not isinstance(body, STEPS):
        return ()
    to = body.to.unit if isinstance(body, Acted) and body.to is not None else None
    return tuple(unit for unit in (body.unit, to) if unit is not None)


def begins_dossier(facts: Collection[Fact]) -> bool:
    """Whether these facts of one subject make it a dossier: an officer, a source or an alert is none."""
    bodies = {type(fact.body) for fact in facts}
    if bodies - STANDING_ALONE - CORRECTIONS:
        return True
    corrected = not bodies.isdisjoint(CORRECTIONS)
    return corrected and not any(_of_no_dossier(fact.body) for fact in facts)


_NO_DOSSIER: Final = (
    *("feed_", "clock_skew/", "id_conflict/", "budget_", "rotation_", "acting_after_move/"),
    *("feedback_repeated/", "feedback_drawn_out/", "feedback_over_level/"),
)
"""How the ids of alerts begin that are about a source, a unit, an officer or a matter."""


def _of_no_dossier(body: Body) -> bool:
    if isinstance(body, AlertActed):
        return body.alert_id.startswith(_NO_DOSSIER)
    return isinstance(body, (Counted, Heartbeat, *OFFICER_FACTS))
