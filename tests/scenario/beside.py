"""What is planted beside the dossiers: officers and findings, feedback of a party, silent feeds, clocks that run ahead.

Each story says itself which alerts ought to be raised on it; nothing here asks the engine.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from workflow.facts import Acted, Actor, Fact, Heartbeat, OfficerAppointed, OfficerConcluded, OfficerMoved

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from workflow.clocks.worktime import Worktime
    from workflow.facts import Body

Key: TypeAlias = tuple[str, str]
"""The kind of an alert, and what it is about."""
Sent: TypeAlias = tuple[datetime, Fact]

WINDOW: Final = timedelta(minutes=30)
"""What is sent within it is applied at its end; then the ticker looks."""
POST, BRANCH, ELSEWHERE = "certificate-issuer", "branch-ninh-kieu", "branch-o-mon"
NINE: Final = time(9)
FEED: Final = "portal-step"
"""A source that only tells that it is alive, and at times does not."""
AHEAD: Final = timedelta(hours=2)
DAY: Final = timedelta(days=1)
JUDGED: Final = time(18)
"""When the judgments over several subjects are made, every day."""


class Stories(NamedTuple):
    """Messages, each with the moment it is sent, and the alerts that ought to be raised on them."""

    sent: list[Sent]
    expected: Counter[Key]


def window_of(at: datetime) -> datetime:
    """The end of the window in which something is sent (UTC): it is applied then."""
    passed = (at - datetime(1970, 1, 1, tzinfo=UTC)) % WINDOW
    return at.astimezone(UTC) + (WINDOW - passed if passed else timedelta())


def beside(work: Worktime, year: int, scale: int, random: Random) -> Stories:
    """All stories of a year; `scale`: how many of each kind."""
    found = Stories([], Counter())
    for number in range(scale):
        for variant in (_moved_in_time, _never_moved, _reversed, _not_verified, _acts_on):
            _officer(found, f"cb-{number}-{variant.__name__.strip('_')}", variant, _day(work, year, random))
        _settled_feedback(found, work, number, _day(work, year, random))
        _ignored_feedback(found, work, number, _day(work, year, random))
    days = _working_days(work, year)
    for at in random.sample(days[5:-5], min(2 * scale, 60)):
        _clock_ahead(found, datetime.combine(at, NINE, work.zone))
    _feeds(found, work, days, set(random.sample(days[5:-5:4], min(2 * scale, 40))))
    return found


def _day(work: Worktime, year: int, random: Random) -> datetime:
    day = work.next_working_day(date(year, 2, 3) + DAY * random.randrange(80))
    return datetime.combine(day, NINE, work.zone)


def _working_days(work: Worktime, year: int) -> list[date]:
    days = (date(year, 1, 1) + DAY * number for number in range(365))
    return [day for day in days if work.opening(day) is not None]


def _officer(found: Stories, officer: str, variant: Any, at: datetime) -> None:
    first = datetime(at.year, 1, 2, 9, tzinfo=at.tzinfo)
    taken_up = OfficerAppointed(post=POST, unit=BRANCH, starts_on=date(at.year - 1, 6, 3))
    _told(found, officer, "appointed", first, taken_up)
    variant(found, officer, at)


def _told(found: Stories, officer: str, name: str, at: datetime, body: Body) -> None:
    found.sent.append((at, Fact(officer, "personnel", f"{officer}/{name}", at, body)))


def _concluded(found: Stories, officer: str, at: datetime, finding: Any) -> None:
    body = OfficerConcluded(complaint="KN-1", finding=finding, authority="inspectorate", document="KL-1")
    _told(found, officer, f"{finding}", at, body)


def _verified(found: Stories, officer: str, at: datetime) -> None:
    _concluded(found, officer, at, "verified")
    found.expected["rotation_due_verified", officer] += 1


def _moved(found: Stories, officer: str, at: datetime) -> None:
    left_on = (at + 5 * DAY).date()
    body = OfficerMoved(from_post=POST, from_unit=BRANCH, left_on=left_on, to_post=POST, to_unit=ELSEWHERE)
    _told(found, officer, "moved", at + 3 * DAY, body)


def _moved_in_time(found: Stories, officer: str, at: datetime) -> None:
    _verified(found, officer, at)
    _moved(found, officer, at)


def _never_moved(found: Stories, officer: str, at: datetime) -> None:
    _verified(found, officer, at)
    found.expected["rotation_overdue", officer] += 1


def _reversed(found: Stories, officer: str, at: datetime) -> None:
    _verified(found, officer, at)
    _concluded(found, officer, at + 5 * DAY, "not_verified")
    found.expected["retracted rotation_due_verified", officer] += 1


def _not_verified(found: Stories, officer: str, at: datetime) -> None:
    _concluded(found, officer, at, "not_verified")


def _acts_on(found: Stories, officer: str, at: datetime) -> None:
    _moved_in_time(found, officer, at)
    when = at + 30 * DAY
    body = Acted(action="receive", procedure="0.000000", actor=Actor(id=officer, role="officer"), unit=BRANCH)
    found.sent.append((when, Fact(f"act-of-{officer}", "one-stop", f"{officer}/act", when, body, 1)))
    found.expected["acting_after_move", officer] += 1


def _feedback(
    found: Stories, dossier: str, matter: int | str, at: datetime, ends_at: datetime | None = None
) -> None:
    for number, (action, when) in enumerate((("receive", at), ("withdraw", ends_at)), 1):
        if when is not None:
            body = Acted(
                action=action,
                procedure="regulation-feedback",
                actor=Actor(id="cb-5", role="focal"),
                unit="can-tho-department",
                party=f"party-{matter}",
                data={"about": f"rule-{matter}"} if number == 1 else {},
            )
            found.sent.append((when, Fact(dossier, "one-stop", f"{dossier}/{number}", when, body, number)))


def _settled_feedback(found: Stories, work: Worktime, number: int, at: datetime) -> None:
    """Told twice, each settled soon: repeated, not late and not drawn out."""
    again = datetime.combine(work.next_working_day((at + 20 * DAY).date()), NINE, work.zone)
    _feedback(found, f"settled-{number}-1", f"s{number}", at, at + timedelta(hours=2))
    _feedback(found, f"settled-{number}-2", f"s{number}", again, again + timedelta(hours=2))
    found.expected["feedback_repeated", f"settled-{number}-2"] += 1


def _ignored_feedback(found: Stories, work: Worktime, number: int, at: datetime) -> None:
    """Told twice and never answered: both late, the second repeated, the matter drawn out."""
    again = datetime.combine(work.next_working_day((at + 20 * DAY).date()), NINE, work.zone)
    names = f"ignored-{number}-1", f"ignored-{number}-2"
    for name, when in zip(names, (at, again), strict=True):
        _feedback(found, name, f"i{number}", when)
        found.expected["feedback_late", name] += 1
    found.expected["feedback_repeated", names[1]] += 1
    found.expected["feedback_drawn_out", names[0]] += 1


def _clock_ahead(found: Stories, at: datetime) -> None:
    found.sent.append((at, Fact("one-stop", "one-stop", f"ahead/{at:%Y%m%d}", at + AHEAD, Heartbeat())))
    found.expected["clock_skew", f"one-stop@{window_of(at):%Y%m%d}"] += 1


def _feeds(found: Stories, work: Worktime, days: list[date], silent: set[date]) -> None:
    """Signs of life in every window of the working day; the feed that may fall silent keeps whole days to itself."""
    last = None
    for day in days:
        for at in windows(work, day):
            found.sent.append((at, _alive("one-stop", at)))
            if day not in silent:
                last = at
                found.sent.append((at, _alive(FEED, at)))
        if day in silent and last is not None:
            found.expected["feed_silent", f"{FEED}@{last:%Y%m%dT%H%M%SZ}"] += 1
        if day.weekday() == 0:
            monday = datetime.combine(day, NINE, work.zone)
            found.sent.append((monday, _alive("personnel", monday)))


def _alive(source: str, at: datetime) -> Fact:
    return Fact(source, source, f"alive/{at:%Y%m%dT%H%M}", at, Heartbeat())


def windows(work: Worktime, day: date) -> Iterator[datetime]:
    """The ends of the windows of a working day, its closing included."""
    opening, closing = work.opening(day), work.closing(day)
    if opening is None or closing is None:
        return
    at = window_of(opening)
    while at < closing + WINDOW:
        yield at
        at += WINDOW
