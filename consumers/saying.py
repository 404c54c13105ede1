"""What a batch says about alerts, worked out inside its transaction: dossiers, the facts it took, and their sources."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from consumers.judging import Touched
from workflow.alerts.feeds import Heard, compared, heard, silences
from workflow.alerts.life import acts_in, say
from workflow.facts import Voided
from workflow.standing import stand
from workflow.store.alerts import feeds, lives_about, lives_of, lives_open, row
from workflow.store.alerts import hear as keep_heard
from workflow.store.rows import FeedRow, from_us, to_us

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from workflow.alerts.feeds import DayCount
    from workflow.alerts.life import Life
    from workflow.alerts.office import Office
    from workflow.catalogue import Catalogue
    from workflow.facts import Fact
    from workflow.messages import Alert, AlertSaid
    from workflow.rules import Rules
    from workflow.sources import SourceOrder
    from workflow.store.rows import DossierRow, Position
    from workflow.store.store import Reading, Writing

__all__ = ["hear", "heard_of", "speak", "speak_of", "speak_of_counts", "speak_of_silence", "touch", "used"]

_NO_LIVES: Final[Mapping[str, Life]] = MappingProxyType({})


def touch(
    reading: Reading,
    catalogue: Catalogue,
    rows: Mapping[str, DossierRow],
    facts: Mapping[str, Sequence[Fact]],
    now: datetime,
) -> list[Touched]:
    """The dossiers of `facts`, which are new, by their code; each with its row and what was said of it so far."""
    lives = lives_about(reading, [code for code in facts if code in rows and rows[code].alerts])
    return [
        Touched(catalogue, code, rows.get(code), new, now, lives.get(code, _NO_LIVES))
        for code, new in facts.items()
    ]


def used(touched: Iterable[Touched]) -> list[Rules]:
    """The rules that judged these dossiers, each once."""
    return list({id(one.rules): one.rules for one in touched if one.rules is not None}.values())


def speak(
    writing: Writing, office: Office, touched: Sequence[Touched], now: datetime, *, live: bool
) -> list[AlertSaid]:
    """What is said of the alerts about these dossiers; keeps it, and when each must be looked at again. `live`: whether
    they are looked at as of the present."""
    concerned = [one for one in touched if one.concerned]
    if not concerned:
        return []
    silent = {
        one.source for one in heard_of(writing).values() if office.silent(one.source, one.heard_at, now)
    }
    unread = [name for one in concerned for name in one.unread]
    for one in concerned if unread and (known := lives_of(writing, unread)) else ():
        one.recall(known)
    said: list[AlertSaid] = []
    kept: list[Life] = []
    for one in concerned:
        spoken = one.speak(silent, live=live)
        said += spoken.said
        kept += spoken.lives
    writing.keep_alerts([row(life) for life in kept])
    return said


def speak_of_silence(writing: Writing, office: Office, now: datetime) -> list[AlertSaid]:
    """What is said of sources that are silent, or no longer."""
    lives = lives_open(writing, "feed_silent")
    standing = silences(office, heard_of(writing), now, [life.alert for life in lives.values()])
    lives |= lives_of(writing, (alert.id for alert in standing if alert.id not in lives))
    spoken = say(lives, standing, now)
    writing.keep_alerts([row(life) for life in spoken.lives])
    return spoken.said


def speak_of_counts(writing: Writing, counts: Mapping[str, DayCount], now: datetime) -> list[AlertSaid]:
    """What is said of days whose counts disagree, or agree at last; `counts`: ours, by alert id."""
    lives = lives_of(writing, counts)
    compared_now = (compared(life.alert, counts[name]) for name, life in lives.items())
    spoken = say(lives, [alert for alert in compared_now if alert is not None], now)
    writing.keep_alerts([row(life) for life in spoken.lives])
    return spoken.said


def speak_of(
    writing: Writing,
    orders: Mapping[str, SourceOrder],
    alerts: Iterable[Alert],
    facts: Sequence[Fact],
    now: datetime,
) -> list[AlertSaid]:
    """What is said of new alerts about sources, officers and units, and of human acts on those said before, or that
    were corrected. Raises VersionConflict where another said more of one meanwhile."""
    acts = acts_in(facts)
    undone = _undone(writing, orders, facts)
    new = {alert.id: alert for alert in alerts}
    if not new and not acts and not undone:
        return []
    lives = {**lives_of(writing, {*new, *acts}), **undone}
    standing = {name: life.alert for name, life in lives.items() if life.state != "retracted"}
    spoken = say(
        lives, (standing | {k: v for k, v in new.items() if k not in standing}).values(), now, acts=acts
    )
    writing.keep_alerts([row(life) for life in spoken.lives])
    return spoken.said


def _undone(writing: Writing, orders: Mapping[str, SourceOrder], facts: Sequence[Fact]) -> dict[str, Life]:
    """The lives of alerts whose act was corrected by these facts, with the act that counts instead of it."""
    subjects = {fact.subject for fact in facts if isinstance(fact.body, Voided) or fact.revision}
    about = lives_about(writing, sorted(subjects)).values()
    lives = {name: life for known in about for name, life in known.items() if life.act is not None}
    if not lives:
        return {}
    acts = acts_in(one.fact for one in stand(orders, writing.facts(sorted(subjects)), None, None).placed)
    return {
        name: replace(life, act=acts.get(name)) for name, life in lives.items() if acts.get(name) != life.act
    }


def hear(writing: Writing, told: Mapping[str, Fact], position: Position | None, now: datetime) -> None:
    """Keeps that these sources were heard of, by the reader of a stream whose position moves; repetitions count too.
    `told`: the newest fact of each source.

    The last statement of a batch, so that nobody waits for it.
    """
    stream, partition = ("", 0) if position is None else (position.stream, position.partition)
    now_us = to_us(now)
    keep_heard(
        writing,
        (
            FeedRow(source, stream, partition, min(to_us(told[source].occurred_at), now_us), now_us)
            for source in sorted(told)
        ),
    )


def heard_of(reading: Reading) -> dict[str, Heard]:
    """What was heard of each source."""
    return heard(Heard(row.source, from_us(row.told_at), from_us(row.heard_at)) for row in feeds(reading))
