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


def driven(folder: Path, shuffle: int | None = None) -> Outcome:
    store = open_store(folder / f"year-{shuffle}.db")
    try:
        return drive(store, load(ROOT / "processes"), Scenario(DOSSIERS, SEED, shuffle))
    finally:
        store.close()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_year_raises_what_was_planted_and_ends_alike_in_any_order_within_the_delay(tmp_path: Path) -> None:
    straight, mixed = driven(tmp_path), driven(tmp_path, shuffle=7)
    for found in (straight, mixed):
        assert (found.missed, found.extra) == (Counter(), Counter())
    kinds = {kind for kind, _ in straight.planted}
    assert {"dossier_late", "refused_event", "appointment_differs", "clock_skew", "id_conflict"} <= kinds
    assert {"feed_silent", "rotation_due_verified", "rotation_overdue", "acting_after_move"} <= kinds
    assert {"feedback_late", "feedback_repeated", "feedback_drawn_out"} <= kinds
    assert straight.ended == mixed.ended
