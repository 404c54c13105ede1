"""The campaign of faults in its short form, and that it finds what is wrong."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from campaign import AWAY, SILENT, WEIGHTS, plan, reasons, run
from comparing import Kept, Verdict, known, verdict

if TYPE_CHECKING:
    from pathlib import Path

SHORT = 20
STORM = 60
HELD_UP_MAX_S = 15
"""A session of three seconds, of a member that was killed, and what a busy machine adds."""
NOTHING = Kept({}, {}, {}, {})


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_twenty_faults_of_every_kind_lose_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    faults = plan(SHORT, random.Random(7))
    came = run(faults, 7, tmp_path, said.append)
    assert came.verdict == Verdict(0, 0, 0), said
    assert came.happened == Counter(faults)
    assert set(came.alone) <= AWAY, came.alone


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_storm_of_members_that_join_and_leave_loses_nothing_and_never_holds_up_for_long(
    tmp_path: Path,
) -> None:
    """As many as in two minutes of one each two seconds, as fast as it goes."""
    said: list[str] = []
    came = run(["rebalance"] * STORM, 7, tmp_path, said.append)
    assert came.verdict == Verdict(0, 0, 0), said
    assert came.happened == {"rebalance": STORM}
    assert not came.alone
    assert came.longest_s < HELD_UP_MAX_S, said


def test_a_plan_has_every_kind_and_is_the_same_for_the_same_seed() -> None:
    assert plan(100, random.Random(1)) == plan(100, random.Random(1))
    assert set(plan(len(WEIGHTS), random.Random(2))) == set(WEIGHTS)
    assert len(plan(3, random.Random(3))) == 3
    assert Counter(plan(2_000, random.Random(4)))["kill worker"] > 800


def test_one_that_ends_by_itself_says_why_or_is_called_silent(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(
        '{"event":"ended","pid":7,"reason":"StoreUnreachable"}\n{"event":"ended","pi\n{"event":"started","pid":8}\n'
    )
    assert reasons(log, [7, 8]) == {"StoreUnreachable": 1, SILENT: 1}


def message(identifier: str, **data: object) -> tuple[str, bytes]:
    return identifier, json.dumps({"id": identifier, "data": {"says": "decision", **data}}).encode()


def test_what_is_lost_twice_or_differs_is_counted() -> None:
    first, second = message("a/1", outcome="applied"), message("b/1", outcome="applied")
    calm = NOTHING._replace(facts={1: "x", 2: "y"}, dossiers={1: "x"})
    assert verdict(calm, calm, ([first], [first, first], [first])) == Verdict(0, 0, 0)
    assert verdict(calm._replace(facts={1: "x"}), calm, ([], [], [])) == Verdict(1, 0, 0)
    assert verdict(calm._replace(dossiers={1: "z"}), calm, ([], [], [])) == Verdict(0, 0, 1)
    assert verdict(calm, calm, ([first, second], [first], [first])) == Verdict(1, 0, 0)
    assert verdict(calm, calm, ([first, first], [first], [first])).twice == 1
    assert verdict(calm, calm, ([first], [first, message("a/1", outcome="refused")], [first])).twice == 1


def test_the_highest_version_wins_and_an_alert_that_ended_is_not_known() -> None:
    late = ("late/2", json.dumps({"data": {"says": "alert", "state": "retracted"}}).encode())
    early = ("late/1", json.dumps({"data": {"says": "alert", "state": "raised"}}).encode())
    newer = message("a/10", outcome="refused")
    assert known([newer, message("a/9", outcome="applied"), late, early]) == {"a": ("refused", None)}
