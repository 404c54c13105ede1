"""The budget by query on the store's columns, against the same dossiers counted one by one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest
from msgspec.structs import replace

from consumers.apply import Told, apply
from consumers.codec import encode
from workflow.catalogue import Catalogue, load
from workflow.cli.simulate import department_of
from workflow.facts import Fact
from workflow.figures.budget import BANDS_MIN, budgets, counted, of_dossiers
from workflow.risk.table import Cell, Risk, RiskTable
from workflow.simulation.department import simulate
from workflow.simulation.volumes import Rates
from workflow.store.budgets import counts
from workflow.store.judgments import unpack
from workflow.store.rows import to_us

if TYPE_CHECKING:
    from workflow.clocks.worktime import Worktime
    from workflow.store.store import Store

PROCESSES: Final = Path(__file__).resolve().parents[2] / "processes"
YEAR: Final = datetime(2024, 12, 31, 17, tzinfo=UTC)
AT: Final = datetime(2025, 3, 26, 3, tzinfo=UTC)


class Month(NamedTuple):
    catalogue: Catalogue
    work: Worktime
    facts: list[Fact]


@pytest.fixture(scope="module")
def month() -> Month:
    """March 2025 until the 26th: some dossiers released, some late, some waiting for their applicants."""
    body = department_of(date(2025, 3, 1))
    told = simulate(body, 500, Rates(), Random(5), until=AT)
    facts = [one for one in told if isinstance(one, Fact) and one.occurred_at <= AT]
    return Month(load(PROCESSES), body.work, facts)


@pytest.fixture
def filled(store: Store, month: Month) -> Store:
    for start in range(0, len(month.facts), 1_000):
        part = [Told(fact, encode(fact)) for fact in month.facts[start : start + 1_000]]
        apply(store, month.catalogue, part, now=AT)
    return store


def step_by_band(month: Month) -> Risk:
    """A table whose risk is the same within each band, so that taking a band at its middle loses nothing."""
    codes = {
        rules.revision.procedure for family in month.catalogue.families.values() for rules in family.values()
    }
    cells = tuple(Cell(procedure=code, dossiers=10_000, minutes=(60, 480, 1_440)) for code in sorted(codes))
    assert {60, 480, 1_440} <= set(BANDS_MIN)
    return Risk(
        RiskTable(
            risk="appointment",
            revision="test",
            since=YEAR,
            until=AT,
            dossiers=10,
            late=1,
            threshold_percent=20,
            cells=cells,
        )
    )


def borders(month: Month, at: datetime = AT) -> list[datetime]:
    return [month.work.add(at, minutes * 60_000_000) for minutes in BANDS_MIN]


@pytest.mark.parametrize("days", [0, 9])
def test_the_columns_say_what_the_judgments_say(filled: Store, month: Month, days: int) -> None:
    """Waiting dossiers too: their date moves, so what they have left is kept instead; nine days later as well."""
    at = AT + timedelta(days=days)
    risk = step_by_band(month)
    with filled.reading() as reading:
        rows = list(reading.dossiers())
    rules = [month.catalogue.rules(row.procedure, row.revision) for row in rows]
    one_by_one = [
        counted(own, unpack(row.judgment), risk, YEAR, at)
        for own, row in zip(rules, rows, strict=True)
        if own is not None
    ]
    released, waiting = counts(filled, YEAR, at, borders(month, at))
    by_query = budgets(released, waiting, risk)
    by_judgment = of_dossiers(one for one in one_by_one if one is not None)

    plain = [replace(one, risk_ppm=0) for one in by_query]
    assert plain == [replace(one, risk_ppm=0) for one in by_judgment]
    for one, other in zip(by_query, by_judgment, strict=True):
        assert one.risk_ppm == pytest.approx(other.risk_ppm, abs=20_000 + one.expected * 20_000)
    whole = by_query[0]
    assert min(whole.released, whole.late, whole.expected - whole.overdue, whole.risk_ppm) > 0
    assert any(row.minutes_left is not None for row in rows)
    unready = [row for row in rows if row.state == "issued" and row.appointment_due_at is not None]
    assert {(row.released_at, row.appointment_late) for row in unready} == {(None, None)}
    issued = sum((row.appointment_due_at or 0) < to_us(AT) for row in unready)
    assert whole.overdue > issued if days else whole.overdue == issued > 0


def test_duplicates_leave_the_counts(filled: Store, month: Month) -> None:
    with filled.reading() as reading:
        gone = [
            row.subject
            for row in reading.dossiers()
            if row.released_at is not None and row.appointment_due_at
        ]
    before = budgets(*counts(filled, YEAR, AT, borders(month)), None)[0]
    after = budgets(*counts(filled, YEAR, AT, borders(month), gone[:3]), None)[0]

    assert (before.released - after.released, before.expected) == (3, after.expected)


def test_what_was_released_before_the_year_is_no_part_of_it(filled: Store, month: Month) -> None:
    whole = budgets(*counts(filled, AT, AT, borders(month)), None)[0]

    assert whole.released == 0
    assert whole.expected > 0


def test_of_an_empty_store_there_is_no_budget(store: Store, month: Month) -> None:
    (whole,) = budgets(*counts(store, YEAR, AT, borders(month)), None)

    assert (whole.all, whole.state, whole.projected_ppm) == (0, "small", None)
