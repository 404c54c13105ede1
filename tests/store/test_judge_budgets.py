"""What is said of the budget: once when it is spent, once when it is no longer, and never twice."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

import pytest

from consumers.apply import Told, apply
from consumers.budgeting import judge_budgets
from consumers.codec import encode
from workflow.catalogue import Catalogue, load
from workflow.cli.simulate import department_of
from workflow.facts import Fact
from workflow.simulation.department import simulate
from workflow.simulation.volumes import UNDAMAGED

if TYPE_CHECKING:
    from workflow.store.store import Store

PROCESSES: Final = Path(__file__).resolve().parents[2] / "processes"
AT: Final = datetime(2025, 3, 26, 3, tzinfo=UTC)
NEXT_YEAR: Final = datetime(2026, 1, 5, 3, tzinfo=UTC)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load(PROCESSES)


@pytest.fixture(scope="module")
def facts() -> list[Fact]:
    """March 2025 until the 26th: 400 dossiers, a sixth of them late."""
    told = simulate(department_of(date(2025, 3, 1)), 400, UNDAMAGED, Random(5), until=AT)
    return [one for one in told if isinstance(one, Fact)]


@pytest.fixture
def filled(store: Store, catalogue: Catalogue, facts: list[Fact]) -> Store:
    apply(store, catalogue, [Told(fact, encode(fact)) for fact in facts], now=AT)
    return store


def test_a_spent_budget_is_raised_once(filled: Store, catalogue: Catalogue) -> None:
    said = judge_budgets(filled, catalogue, now=AT)
    whole = [one for one in said if one.alert.subject == "can-tho"]

    assert [(one.alert.id, one.change, one.alert.to) for one in whole] == [
        ("budget_spent/can-tho/2025", "raised", ("director@can-tho-department",))
    ]
    assert judge_budgets(filled, catalogue, now=AT) == ()


def test_a_new_year_begins_with_nothing_spent(filled: Store, catalogue: Catalogue) -> None:
    """Whatever is still open at its end is past its date by then, and is spent from the new year's budget."""
    judge_budgets(filled, catalogue, now=AT)
    said = judge_budgets(filled, catalogue, now=NEXT_YEAR)

    assert ("budget_spent/can-tho/2025", "resolved") in {(one.alert.id, one.change) for one in said}
    assert "budget_spent/can-tho/2026" in {one.alert.id for one in said}


def test_without_an_organisation_nothing_is_said(store: Store, catalogue: Catalogue) -> None:
    plain = Catalogue(
        [rules.revision for rules in catalogue.families[catalogue.generic].values()], catalogue.calendars
    )

    assert judge_budgets(store, plain, now=AT) == ()
