"""A year of the department driven through a store as life drives it, and what it said held against what was planted.

Simulated time goes by in windows: what was sent in one is applied at its end, the ticker looks, and in the evening
the judgments over several subjects are made. Nothing reads a clock.
"""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from datetime import date, datetime, timedelta
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import msgspec
from msgspec.structs import replace

from consumers.apply import apply
from consumers.codec import encode
from consumers.several import judge_several
from consumers.ticker import DOSSIERS_A_TICK, tick, tick_feeds
from scenario.beside import JUDGED, WINDOW, Key, Sent, beside, window_of, windows
from scenario.expecting import DELAY, Expecting
from workflow.facts import Acted
from workflow.messages import AlertSaid, Decision
from workflow.simulation.department import department, dossiers
from workflow.simulation.volumes import Rates
from workflow.store.alerts import lives
from workflow.store.bodies import Told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workflow.catalogue import Catalogue
    from workflow.clocks.worktime import Worktime
    from workflow.facts import Fact
    from workflow.messages import Alert
    from workflow.store.store import Store

    Deliver: TypeAlias = Callable[[list[Fact], datetime], None]

YEAR: Final = 2025
COUNTED: Final = frozenset(
    {
        *("dossier_late", "feedback_late", "appointment_differs", "result_not_collected", "refused_event"),
        *("clock_skew", "id_conflict", "feed_silent", "feed_incomplete"),
        *("rotation_due_verified", "rotation_due_term", "rotation_overdue", "acting_after_move"),
        *("feedback_repeated", "feedback_drawn_out", "feedback_over_level", "evaluation_by_handler"),
    }
)
"""The kinds held against the plan; docs/simulation.md says why the others are not."""
CONFLICTS: Final = 0.01
"""The share of undamaged dossiers of which one act comes again under its id with other content."""
BATCH: Final = 1_000
ACTS_ON: Final = 30
"""The day of the month on whose evening the acts of officers who left are looked through, which reads all acts since
then. The year's last evening, of 30 December, is one of them."""
BESIDE_PER: Final = 1_000
"""For so many dossiers one of each story beside them."""
_said: Final = msgspec.json.Decoder(list[AlertSaid | Decision]).decode


class Scenario(NamedTuple):
    """What is made up: how many dossiers, by which seed; `shuffle`: by which messages change places and moments within
    the delay of their source, None for the order in which they are sent."""

    dossiers: int
    seed: int
    shuffle: int | None = None


class Outcome(NamedTuple):
    """What was planted and what was raised, how much was told, and what became of it all in the end."""

    planted: Counter[Key]
    raised: Counter[Key]
    events: int
    judged: str

    @property
    def missed(self) -> Counter[Key]:
        """What was planted and not raised."""
        return self.planted - self.raised

    @property
    def extra(self) -> Counter[Key]:
        """What was raised and not planted, or raised again."""
        return self.raised - self.planted


class Year:
    """The messages of a year as they are sent, and what ought to be said of them, growing as they are made up."""

    def __init__(self, catalogue: Catalogue, scenario: Scenario) -> None:
        """Nothing made up yet."""
        body = catalogue.organisation
        assert body is not None
        self.work: Worktime = catalogue.calendars[body.calendar].worktime(None, None)
        self.end = window_of(datetime(YEAR, 12, 31, 17, tzinfo=self.work.zone))
        self.scenario = scenario
        self.expected: Counter[Key] = Counter()
        self._catalogue = catalogue
        self._random = Random(scenario.seed)
        self._expecting = Expecting(catalogue, self.work, self.end)

    def sent(self) -> Iterator[Sent]:
        """All messages, each with its moment, in the order of these."""
        scale = max(1, self.scenario.dossiers // BESIDE_PER)
        stories = beside(self.work, YEAR, scale, Random(self.scenario.seed + 1))
        self.expected.update(stories.expected)
        yield from heapq.merge(sorted(stories.sent, key=_moment), self._dossiers(), key=_moment)

    def _dossiers(self) -> Iterator[Sent]:
        held: list[tuple[datetime, int, Fact]] = []
        count = 0
        body = self._catalogue.organisation
        assert body is not None
        for month in range(1, 13):
            number = self.scenario.dossiers * month // 12 - self.scenario.dossiers * (month - 1) // 12
            of_month = department(self._catalogue.families.values(), body, self.work, date(YEAR, month, 1))
            for made in dossiers(of_month, number, Rates(), self._random, until=self.end):
                while held and held[0][0] < made.began:
                    at, _, fact = heapq.heappop(held)
                    yield at, fact
                self.expected.update(self._expecting.of(made))
                for at, fact in [
                    *made.messages,
                    *self._conflict(made.messages, damaged=bool(made.truth.planted)),
                ]:
                    count += 1
                    heapq.heappush(held, (at, count, fact))
        while held:
            at, _, fact = heapq.heappop(held)
            yield at, fact

    def _conflict(self, messages: list[Sent], *, damaged: bool) -> Iterator[Sent]:
        """One act again an hour later, under its id but from another unit."""
        if damaged or not messages or self._random.random() >= CONFLICTS:
            return
        at, fact = self._random.choice(messages)
        again = at + timedelta(hours=1)
        if isinstance(fact.body, Acted) and window_of(again) <= self.end:
            yield again, replace(fact, body=replace(fact.body, unit="another-unit"))
            self.expected["id_conflict", f"{fact.subject}/{fact.id}/{fact.revision}"] += 1


def drive(
    store: Store,
    catalogue: Catalogue,
    scenario: Scenario,
    watch: Callable[[datetime], None] = lambda _: None,
    deliver: Deliver | None = None,
) -> Outcome:
    """Drives a year through an empty store; `watch` is told how far simulated time has come.

    `deliver` brings facts into the store as of a moment; by default they are applied here.
    """
    bring = partial(_apply, store, catalogue) if deliver is None else deliver
    year = Year(catalogue, scenario)
    stream = year.sent()
    waiting: dict[datetime, list[Fact]] = {}
    upcoming = next(stream, None)
    shuffle = None if scenario.shuffle is None else Random(scenario.shuffle)
    events, now, evening = 0, window_of(datetime(YEAR, 1, 1, tzinfo=year.work.zone)), None
    working: set[datetime] = set()
    while now <= year.end:
        day = now.astimezone(year.work.zone).date()
        if day != evening:
            evening, working = day, set(windows(year.work, day))
            watch(now)
        while upcoming is not None and upcoming[0] <= now:
            at, fact = upcoming
            if shuffle is not None and window_of(at) <= year.end:
                at = min(_moved(at, fact, shuffle), year.end)
            waiting.setdefault(max(window_of(at), now), []).append(fact)
            upcoming = next(stream, None)
        told = waiting.pop(now, [])
        if shuffle is not None:
            shuffle.shuffle(told)
        events += len(told)
        bring(told, now)
        if told or now in working:
            while tick(store, catalogue, now=now).dossiers == DOSSIERS_A_TICK:
                pass
            tick_feeds(store, catalogue, now=now)
        if now.astimezone(year.work.zone).time() == JUDGED:
            judge_several(store, catalogue, now=now, acts=day.day == ACTS_ON)
        now += WINDOW
    for _ in stream:  # what is sent after the year is not told, but belongs to the plan
        pass
    return Outcome(+year.expected, _raised(store), events, _judged(store))


def _moment(sent: Sent) -> datetime:
    return sent[0]


def _moved(at: datetime, fact: Fact, random: Random) -> datetime:
    """Another moment within the delay, for what is told within it."""
    if not timedelta() <= at - fact.occurred_at <= DELAY or not isinstance(fact.body, Acted):
        return at
    return at + random.random() * (fact.occurred_at + DELAY - at)


def _apply(store: Store, catalogue: Catalogue, facts: list[Fact], now: datetime) -> None:
    for place in range(0, len(facts), BATCH):
        batch = [Told(fact, encode(fact)) for fact in facts[place : place + BATCH]]
        apply(store, catalogue, batch, now=now)


def _raised(store: Store) -> Counter[Key]:
    """How often each alert was raised, and how often taken back, by what was sent."""
    found: Counter[Key] = Counter()
    after = 0
    with store.reading() as reading:
        while batches := reading.outbox(after):
            for after, content in batches:  # noqa: B007 - the last one is where the next reading begins
                for one in _said(content):
                    if isinstance(one, AlertSaid) and one.alert.kind in COUNTED:
                        if one.change == "raised":
                            found[key_of(one.alert)] += 1
                        elif one.change == "retracted":
                            kind, about = key_of(one.alert)
                            found[f"retracted {kind}", about] += 1
    return found


def key_of(alert: Alert) -> Key:
    """What an alert of a kind is known by in the plan."""
    if alert.kind in ("feed_silent", "clock_skew"):
        return alert.kind, f"{alert.subject}@{alert.rule}"
    if alert.kind in ("feedback_repeated", "feedback_drawn_out", "id_conflict"):
        return alert.kind, alert.rule
    if alert.kind == "refused_event":
        return alert.kind, f"{alert.subject}/{alert.rule.partition('/')[2]}"
    return alert.kind, alert.subject


def _judged(store: Store) -> str:
    """The SHA-256 of all judgments, without the moments at which they were made."""
    told = hashlib.sha256()
    with store.reading() as reading:
        for row in reading.dossiers():
            told.update(f"{row.subject} {row.state} {row.unit} {row.released_at} {row.ended_at}".encode())
            told.update(row.judgment)
    return told.hexdigest()


def kept(store: Store) -> dict[str, bytes]:
    """All alerts that were said, without the moments at which they were, and whether a feed was silent then."""
    with store.reading() as reading:
        return {
            name: f"{life.state} ".encode() + msgspec.json.encode(replace(life.alert, feed_silent=False))
            for name, life in lives(reading.alerts()).items()
            if life.n
        }
