"""What an officer's facts say at two times: posts held, what frees from rotation, findings on complaints, the account.

Pure. An officer's facts count, are voided and corrected as those of a dossier do.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from msgspec import Struct

from workflow.facts import (
    OfficerAccount,
    OfficerAppointed,
    OfficerConcluded,
    OfficerDeferred,
    OfficerExempted,
    OfficerMoved,
)
from workflow.standing import stand

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from zoneinfo import ZoneInfo

    from workflow.facts import Fact
    from workflow.sources import SourceOrder

Place: TypeAlias = tuple[str, str]
"""A post and its unit."""

_DAY: Final = timedelta(days=1)


class Holding(Struct, frozen=True, omit_defaults=True):
    """A post held from `since` to `until`, both included. Without `since` it is known only that it was left, without
    `until` it is still held."""

    post: str
    unit: str
    since: date | None = None
    until: date | None = None

    def on(self, day: date) -> bool:
        """Whether the post was held on a day."""
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)


class Freed(Struct, frozen=True, omit_defaults=True):
    """Days on which periodic rotation does not ask for a move, and the reason told; both days included."""

    kind: Literal["exempt", "deferred"]
    reason: str
    since: date
    until: date | None = None


class Concluded(Struct, frozen=True):
    """A complaint about the officer: every finding on it, the last of which counts."""

    complaint: str
    findings: tuple[OfficerConcluded, ...]
    told_at: tuple[datetime, ...]


class Career(Struct, frozen=True):
    """All of it, each list in the order of time. `accounts`: portal accounts that are active."""

    officer: str
    holdings: tuple[Holding, ...]
    freed: tuple[Freed, ...]
    complaints: tuple[Concluded, ...]
    accounts: tuple[str, ...]

    def held(self, day: date) -> list[Holding]:
        """The posts held on a day."""
        return [one for one in self.holdings if one.on(day)]


def career(
    sources: Mapping[str, SourceOrder],
    officer: str,
    facts: Iterable[Fact],
    *,
    known_at: datetime | None = None,
    valid_at: datetime | None = None,
) -> Career:
    """What the standing facts of an officer say at the two times, in any order of the facts.

    Days (a post taken up on, left on) may lie after `valid_at`: a decision tells them ahead.
    """
    told = [one.fact for one in stand(sources, facts, known_at, valid_at).placed]
    bodies = [fact.body for fact in told]
    freed = [
        Freed(
            "exempt" if isinstance(body, OfficerExempted) else "deferred",
            body.reason,
            body.from_on,
            body.until_on,
        )
        for body in bodies
        if isinstance(body, OfficerExempted | OfficerDeferred)
    ]
    accounts: dict[str, bool] = {}
    for body in bodies:
        if isinstance(body, OfficerAccount):
            accounts[body.account] = body.active
    return Career(
        officer,
        holdings(bodies),
        tuple(sorted(freed, key=lambda one: (one.since, one.kind, one.reason, one.until or date.max))),
        _complaints(told),
        tuple(sorted(name for name, active in accounts.items() if active)),
    )


class _Marks(NamedTuple):
    """The days one post was taken up by an appointment, taken up by a move, and left."""

    appointed: list[date]
    moved_in: list[date]
    left: list[date]


def holdings(bodies: Iterable[object]) -> tuple[Holding, ...]:
    """The posts appointments and moves say were held, by their first day.

    A move to the same post in the same unit is none. A post is taken up the day after the last one was left, unless an
    appointment tells another day. An appointment to a post that is held already changes nothing: its term goes on.
    """
    marks: dict[Place, _Marks] = {}
    for body in bodies:
        if isinstance(body, OfficerAppointed):
            _of(marks, (body.post, body.unit)).appointed.append(body.starts_on)
        if isinstance(body, OfficerMoved):
            old, new = (body.from_post, body.from_unit), _target(body)
            if old == new:
                continue
            _of(marks, old).left.append(body.left_on)
            if new is not None:
                _of(marks, new).moved_in.append(body.left_on + _DAY)
    found = [one for place, each in marks.items() for one in _held(place, each)]
    return tuple(
        sorted(found, key=lambda one: (one.since or date.min, one.until or date.max, one.post, one.unit))
    )


def day_of(instant: datetime, zone: ZoneInfo) -> date:
    """The day of an instant by the calendar of `zone`."""
    return instant.astimezone(zone).date()


def _of(marks: dict[Place, _Marks], place: Place) -> _Marks:
    return marks.setdefault(place, _Marks([], [], []))


def _target(body: OfficerMoved) -> Place | None:
    """Where a move leads: what it does not name stays as it was; None where it names nothing."""
    if body.to_post is None and body.to_unit is None:
        return None
    return body.to_post or body.from_post, body.to_unit or body.from_unit


def _held(place: Place, marks: _Marks) -> Iterable[Holding]:
    starts = {*marks.appointed, *(day for day in marks.moved_in if not _told_otherwise(day, marks))}
    # A post taken up and left on one day was held that day: starts come first.
    days = sorted([*((day, 0) for day in starts), *((day, 1) for day in set(marks.left))])
    since: date | None = None
    first = True
    for day, left in days:
        if not left:
            since = since or day
        elif since is not None or first:
            yield Holding(*place, since, day)
            since = None
        first = False
    if since is not None:
        yield Holding(*place, since)


def _told_otherwise(moved_in: date, marks: _Marks) -> bool:
    """Whether an appointment says when the post a move leads to was taken up, before it was left again."""
    again = min((day for day in marks.left if day >= moved_in), default=date.max)
    return any(moved_in - _DAY <= day <= again for day in marks.appointed)


def _complaints(told: Iterable[Fact]) -> tuple[Concluded, ...]:
    found: dict[str, list[tuple[OfficerConcluded, datetime]]] = {}
    for fact in told:
        if isinstance(fact.body, OfficerConcluded):
            found.setdefault(fact.body.complaint, []).append((fact.body, fact.occurred_at))
    return tuple(
        Concluded(complaint, tuple(body for body, _ in each), tuple(at for _, at in each))
        for complaint, each in sorted(found.items())
    )
