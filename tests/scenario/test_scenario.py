"""A short year of the department: every planted alert is raised once and none else, in whatever order events come."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import pytest
from places import ROOT

from scenario.driving import Outcome, Scenario, drive, kept
from workflow.catalogue import load
from workflow.store.opening import open_store

if TYPE_CHECKING:
    from pathlib import Path

DOSSIERS, SEED = 300, 1
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


class Driven(NamedTuple):
    """What became of a year, and all alerts its store says."""

    outcome: Outcome
    alerts: dict[str, bytes]


def driven(folder: Path, shuffle: int | None = None) -> Driven:
    store = open_store(folder / f"year-{shuffle}.db")
    try:
        found = drive(store, load(ROOT / "processes"), Scenario(DOSSIERS, SEED, shuffle))
        return Driven(found, kept(store))
    finally:
        store.close()


@pytest.fixture(scope="module")
def years(tmp_path_factory: pytest.TempPathFactory) -> tuple[Driven, Driven]:
    """A year in the order it was sent, and with messages that changed places within the delay of their source."""
    folder = tmp_path_factory.mktemp("years")
    return driven(folder), driven(folder, shuffle=7)


def test_a_year_raises_what_was_planted_and_nothing_else(years: tuple[Driven, Driven]) -> None:
    for found in years:
        assert (found.outcome.missed, found.outcome.extra) == (Counter(), Counter())
    kinds = {kind for kind, _ in years[0].outcome.planted}
    assert {"dossier_late", "refused_event", "appointment_differs", "clock_skew", "id_conflict"} <= kinds
    assert {"feed_silent", "rotation_due_verified", "rotation_overdue", "acting_after_move"} <= kinds
    assert {"feedback_late", "feedback_repeated", "feedback_drawn_out"} <= kinds


def test_any_order_within_the_delay_ends_in_the_same_judgments(years: tuple[Driven, Driven]) -> None:
    straight, mixed = years
    assert straight.outcome.judged == mixed.outcome.judged


def test_any_order_within_the_delay_ends_in_the_same_alerts(years: tuple[Driven, Driven]) -> None:
    straight, mixed = years
    assert straight.alerts == mixed.alerts
    kinds = {name.partition("/")[0] for name in straight.alerts}
    assert {"step_at_risk", "step_late", "dossier_at_risk", "apology_due"} <= kinds
