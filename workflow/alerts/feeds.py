"""Alerts on what sources send: silence past their cadence, counts that disagree, clocks ahead of ours, ids used twice.

Pure. All go to `alerts.feeds`, keyed by the source, to whoever looks after it: the head of the whole body.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec.structs import replace

from workflow.facts import Counted
from workflow.messages import Alert
from workflow.procedure.language import both

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from workflow.alerts.office import Office
    from workflow.facts import Fact
    from workflow.messages import Kind


_FOUND: Final = "; found "
"""Stands in a cause between what the source says and what we have."""


class Heard(NamedTuple):
    """When a source was last heard of, and the latest that it told."""

    source: str
    told_at: datetime
    heard_at: datetime


def heard(feeds: Iterable[Heard]) -> dict[str, Heard]:
    """What was heard of each source, by all who read it."""
    found: dict[str, Heard] = {}
    for one in feeds:
        other = found.get(one.source, one)
        found[one.source] = Heard(
            one.source, max(one.told_at, other.told_at), max(one.heard_at, other.heard_at)
        )
    return found


def silences(
    office: Office, feeds: Mapping[str, Heard], now: datetime, earlier: Iterable[Alert] = ()
) -> list[Alert]:
    """An alert for each source that was silent for longer than its cadence, by the working time of its calendar.

    `earlier`: those that are open; one whose source was heard of since has ended then. A source of which nothing was
    ever heard has not begun.
    """
    found = []
    for alert in earlier:
        heard_at = feeds[alert.subject].heard_at if alert.subject in feeds else None
        if heard_at is not None and alert.rule != _instant(heard_at):
            found.append(replace(alert, ended_at=heard_at))
    for one in feeds.values():
        due_at = office.silent_from(one.source, one.heard_at, now)
        if due_at is not None and due_at <= now:
            found.append(_about(office, "feed_silent", one.source, _instant(one.heard_at), due_at))
    return found


def _instant(at: datetime) -> str:
    return f"{at:%Y%m%dT%H%M%SZ}"


class DayCount(NamedTuple):
    """What a source told of one day, as it says or as we have it."""

    received: int
    released: int
    open: int
    codes_sha256: str

    @property
    def said(self) -> str:
        """In one line, the same for equal counts."""
        codes = self.codes_sha256[:16]
        return f"received {self.received}, released {self.released}, open {self.open}, codes {codes}"


def counted(office: Office, fact: Fact, now: datetime) -> Alert | None:
    """The alert that waits until a source's count of a day can be compared with what we have; None for other facts."""
    body = fact.body
    if not isinstance(body, Counted):
        return None
    said = DayCount(body.received, body.released, body.open, body.codes_sha256).said
    alert = _about(office, "feed_incomplete", fact.source, f"{body.day}/{fact.id}", now, said)
    return replace(alert, due_at=fact.occurred_at, raise_at=fact.occurred_at + office.delay(fact.source))


def day_of(alert: Alert) -> date:
    """The day whose count an alert is about."""
    return date.fromisoformat(alert.rule[:10])


def compared(alert: Alert, found: DayCount) -> Alert | None:
    """The alert after our own count of its day; None where they agree."""
    said = (alert.cause or "").partition(_FOUND)[0]
    return None if said == found.said else replace(alert, cause=f"{said}{_FOUND}{found.said}")


def conflict(office: Office, fact: Fact, now: datetime) -> Alert:
    """A fact that bears the id of another."""
    rule = f"{fact.subject}/{fact.id}/{fact.revision}"
    return _about(office, "id_conflict", fact.source, rule, now, cause=fact.subject)


def newest(facts: Iterable[Fact]) -> dict[str, Fact]:
    """The fact of each source that took effect last, the first of several."""
    found: dict[str, Fact] = {}
    for fact in facts:
        known = found.get(fact.source)
        if known is None or known.occurred_at < fact.occurred_at:
            found[fact.source] = fact
    return found


def skews(office: Office, told: Mapping[str, Fact], now: datetime) -> list[Alert]:
    """An alert for each source and day whose newest fact lies further ahead of our clock than the named limit."""
    latest = now + timedelta(minutes=office.limits.clock_skew_minutes)
    return [
        _about(office, "clock_skew", source, f"{now:%Y%m%d}", fact.occurred_at, cause=fact.subject)
        for source, fact in told.items()
        if fact.occurred_at > latest
    ]


def _about(
    office: Office, kind: Kind, source: str, rule: str, due_at: datetime, cause: str | None = None
) -> Alert:
    basis, basis_vi = both(office.basis(source))
    return Alert(
        id=f"{kind}/{source}/{rule}",
        kind=kind,
        topic="alerts.feeds",
        subject=source,
        rule=rule,
        due_at=due_at,
        source=source,
        to=office.directorate,
        basis=basis,
        basis_vi=basis_vi,
        cause=cause,
        history=kind in ("feed_silent", "feed_incomplete") and office.history(source, due_at),
    )
