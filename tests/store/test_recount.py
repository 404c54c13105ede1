"""A new calendar over dossiers that need not be folded again: what comes of it is what folding all of them gives."""

from __future__ import annotations

import itertools
import shutil
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from keeping import messages
from msgspec.structs import replace
from places import ROOT

from consumers.apply import apply
from consumers.sweep import Sweep, known_alike, stands
from consumers.ticker import tick
from workflow.catalogue import Catalogue, load
from workflow.clocks.calendar import Calendar, CalendarRevision, Covers, Day, LaterHours, alike_until
from workflow.clocks.worktime import midnight
from workflow.simulation.department import department, dossiers
from workflow.simulation.volumes import Rates
from workflow.store.judgments import unpack
from workflow.store.opening import open_store

if TYPE_CHECKING:
    from workflow.clocks.worktime import Worktime
    from workflow.facts import Fact

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
DOSSIERS, BATCH = 60, 200
BEGAN = date(2025, 12, 1)
MONTH = timedelta(days=31)


@cache
def now_known() -> Catalogue:
    return load(ROOT / "processes")


@cache
def before(announced: date, off: date) -> tuple[Catalogue, Catalogue]:
    """The department's definitions as known before a date, and with a day off that is announced on it."""
    known = now_known()
    revisions = [rules.revision for family in known.families.values() for rules in family.values()]

    def having(*more: Day) -> Catalogue:
        calendars = {
            name: Calendar(
                replace(
                    one.definition,
                    days=(
                        *(d for d in one.definition.days if d.announced is None or d.announced < announced),
                        *more,
                    ),
                )
            )
            for name, one in known.calendars.items()
        }
        return Catalogue(revisions, calendars, known.sources, known.organisation, None, known.rotation_rules)

    return having(), having(Day(off, "off", instrument="1/TB", announced=announced))


def told(seed: int, until: datetime) -> list[tuple[datetime, Fact]]:
    """What was sent of dossiers of December by a moment, damaged as the simulation damages."""
    known = now_known()
    body = known.organisation
    assert body is not None
    work = known.calendars[body.calendar].worktime(None, None)
    of_month = department(known.families.values(), body, work, BEGAN)
    rates = Rates(late=0.3, illegal=0.1, void=0.1)
    made = dossiers(of_month, DOSSIERS, rates, Random(seed), until=until)
    sent = [one for each in made for one in each.messages if one[0] <= until]
    return sorted(sent, key=lambda one: one[0])


def kept(path: Path) -> dict[str, list[Any]]:
    store = open_store(path)
    with store.reading() as reading:
        found: dict[str, list[Any]] = {
            "dossiers": list(reading.dossiers()),
            "alerts": reading.alerts(),
            "outbox": [content for _, content in reading.outbox()],
        }
    store.close()
    return found


def filled(path: Path, known: Catalogue, facts: list[tuple[datetime, Fact]], now: datetime) -> None:
    """Facts applied in a few batches, as they were sent, and all that was due said after each."""
    store = open_store(path)
    for place in range(0, len(facts), BATCH):
        batch = facts[place : place + BATCH]
        end = batch[-1][0]
        apply(store, known, messages(*(fact for _, fact in batch)), now=end)
        tick(store, known, now=end)
    tick(store, known, now=now)
    store.close()


def activated(path: Path, known: Catalogue, now: datetime, *, everything: bool) -> None:
    store = open_store(path)
    for _ in Sweep(store, known, now, batch=7, everything=everything).batches():
        pass
    store.close()


OFF = [date(2025, 12, 12), date(2026, 1, 2), date(2026, 1, 7)]
ANNOUNCED = [date(2025, 12, 10), date(2025, 12, 19)]


@settings(max_examples=12, deadline=None)
@example(1, ANNOUNCED[0], OFF[0], 22, 3.5)
@given(
    st.integers(0, 10**6),
    st.sampled_from(ANNOUNCED),
    st.sampled_from(OFF),
    st.integers(9, 30),
    st.floats(0.01, 20),
)
def test_dossiers_whose_dates_alone_are_counted_anew_come_to_what_folding_them_gives(
    seed: int, announced: date, off: date, last_day: int, later_days: float
) -> None:
    """Told until an evening of December, put into force days later; the twin store folds every dossier again."""
    older, newer = before(announced, off)
    until = datetime(2025, 12, last_day, 10, tzinfo=UTC)
    now = until + timedelta(days=later_days)
    with TemporaryDirectory() as folder:
        path, twin = Path(folder) / "counted.db", Path(folder) / "folded.db"
        filled(path, older, told(seed, until), until)
        shutil.copy(path, twin)

        activated(path, newer, now, everything=False)
        activated(twin, newer, now, everything=True)

        assert kept(path) == kept(twin)


def test_only_dossiers_that_took_place_before_with_no_rule_broken_need_no_fold(tmp_path: Path) -> None:
    """Some stand, some were told of later, of some an act was refused."""
    older, newer = before(ANNOUNCED[0], OFF[0])
    until = datetime(2025, 12, 16, 10, tzinfo=UTC)
    filled(tmp_path / "a.db", older, told(0, until), until)
    store = open_store(tmp_path / "a.db")
    with store.reading() as reading:
        alike = known_alike(reading.definitions(), newer)
        rows = [row for row in reading.dossiers() if row.calendar is not None]
    store.close()
    found = [(row, unpack(row.judgment)) for row in rows]

    standing = {row.subject for row, one in found if stands(one, alike[row.calendar or ""])}
    later = {
        row.subject for row, one in found if one.last_key and one.last_key[0] >= alike[row.calendar or ""]
    }
    refused = {row.subject for row, one in found if "order" in one.broken.values()}

    assert standing
    assert later
    assert refused
    assert standing.isdisjoint(later | refused)


DAYS = st.builds(
    Day,
    on=st.dates(date(2025, 1, 1), date(2025, 1, 20)),
    kind=st.just("off"),
    announced=st.none() | st.dates(date(2024, 12, 25), date(2025, 1, 20)),
).map(lambda day: replace(day, unverified=day.announced is None))


LATER = st.dictionaries(
    st.dates(date(2025, 1, 1), date(2025, 1, 25)),
    st.sampled_from([{"mon": ("08:00-12:00",)}, {"tue": ("07:00-11:00",), "sat": ("07:00-11:00",)}]),
    max_size=2,
).map(lambda begun: [LaterHours(since=day, week=week) for day, week in sorted(begun.items())])  # type: ignore[arg-type] # the weekdays' names
"""Hours that begin on a day."""


@settings(max_examples=60, deadline=None)
@given(
    st.lists(DAYS, max_size=5),
    st.tuples(st.lists(DAYS, max_size=2), LATER),
    st.tuples(st.lists(DAYS, max_size=2), LATER),
    st.integers(0, 40),
)
def test_until_calendars_judge_apart_whatever_is_counted_ends_alike_or_later(
    shared: list[Day],
    here: tuple[list[Day], list[LaterHours]],
    there: tuple[list[Day], list[LaterHours]],
    hours: int,
) -> None:
    """By the days announced at any moment before: what was due by that moment was so by both, at one instant."""
    known = now_known().calendars["vn-can-tho"]
    plain = replace(known.definition, covers=Covers(date(2024, 12, 1), date(2025, 3, 31)))
    one, other = (
        replace(plain, days=(*shared, *days), hours=replace(plain.hours, later=tuple(later)))
        for days, later in (here, there)
    )
    alike = alike_until(one, other) or datetime(2025, 3, 1, tzinfo=UTC)
    since = datetime(2024, 12, 26, 3, tzinfo=UTC)

    announced = {day.announced for day in (*shared, *here[0], *there[0]) if day.announced is not None}
    borders = sorted({since.date(), *announced, date(2025, 3, 1)})
    for first, following in itertools.pairwise(borders):
        until = min(midnight(following, known.zone), alike)
        if midnight(first, known.zone) < until:
            works = [CalendarRevision(each, first).worktime(None) for each in (one, other)]
            early = [[due for due in counted(work, since, hours) if due < until] for work in works]
            assert early[0] == early[1]


def counted(work: Worktime, since: datetime, hours: int) -> list[datetime]:
    """What so many working hours, and the days in them, lead to."""
    return [work.add(since, hours * 3_600_000_000), work.nth_closing(since, hours // 8, included=False)]
