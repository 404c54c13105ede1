"""A short year of the department: every planted alert is raised once and none else, in whatever order events come."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from places import ROOT

from scenario.driving import Outcome, Scenario, drive
from workflow.catalogue import load
from workflow.store.opening import open_store

if TYPE_CHECKING:
    from pathlib import Path

DOSSIERS, SEED = 300, 1
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def driven(folder: Path, shuffle: int | None = None) -> Outcome:
    store = open_store(folder / f"year-{shuffle}.db")
    try:
        return drive(store, load(ROOT / "processes"), Scenario(DOSSIERS, SEED, shuffle))
    finally:
        store.close()


@pytest.fixture(scope="module")
def years(tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, Outcome]:
    """A year in the order it was sent, and with messages that changed places within the delay of their source."""
    folder = tmp_path_factory.mktemp("years")
    return driven(folder), driven(folder, shuffle=7)


def test_a_year_raises_what_was_planted_and_nothing_else(years: tuple[Outcome, Outcome]) -> None:
    for found in years:
        assert (found.missed, found.extra) == (Counter(), Counter())
    kinds = {kind for kind, _ in years[0].planted}
    assert {"dossier_late", "refused_event", "appointment_differs", "clock_skew", "id_conflict"} <= kinds
    assert {"feed_silent", "rotation_due_verified", "rotation_overdue", "acting_after_move"} <= kinds
    assert {"feedback_late", "feedback_repeated", "feedback_drawn_out"} <= kinds


def test_any_order_within_the_delay_ends_in_the_same_judgments(years: tuple[Outcome, Outcome]) -> None:
    straight, mixed = years
    assert straight.judged == mixed.judged


def test_any_order_within_the_delay_ends_in_the_same_alerts(years: tuple[Outcome, Outcome]) -> None:
    straight, mixed = years
    assert straight.alerts == mixed.alerts
    kinds = {name.partition("/")[0] for name in straight.alerts}
    assert {"step_at_risk", "step_late", "dossier_at_risk", "apology_due"} <= kinds
