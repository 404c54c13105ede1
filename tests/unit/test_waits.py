"""When a pause is over though nobody told of its resuming: the wait is left, the result issued, ready at the desk."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from judging import NINE, RECEIVE, act, judge, moves, revision, tell
from msgspec.structs import replace

from workflow.facts import Migrated
from workflow.fold import fold
from workflow.procedure.language import Pause, Phase, State
from workflow.rules import compile_family

if TYPE_CHECKING:
    from workflow.procedure.language import Revision

ASK = act("ask", 1)


def waiting(**more: object) -> Revision:
    """The sample with a wait for papers, another for a fee, and the result's three milestones."""
    plain = revision()
    states = ("papers", "fee", "issued", "ready")
    actions = {
        **plain.actions,
        "ask": moves("checking", "papers", milestone="paused", pause="papers"),
        "bill": moves("papers", "fee", milestone="paused", pause="fee"),
        "supplied": moves("papers", "checking", milestone="resumed", pause="papers"),
        "look": moves("papers"),
        "take_up": moves("papers", "checking"),
        "issue": moves("checking", "issued", milestone="issued"),
        "make_ready": moves("issued", "ready", milestone="ready"),
    }
    return replace(
        plain,
        states={**plain.states, **{name: State() for name in states}},
        actions=actions,
        pauses={"papers": Pause(), "fee": Pause()},
        **more,
    )


def ends(*acts: str, rules: Revision | None = None) -> list[tuple[str, float | None]]:
    """The pauses of a dossier asked for papers at hour 1, then these acts, one an hour, each with the hour it ended."""
    facts = [RECEIVE, ASK, *(act(name, hour) for hour, name in enumerate(acts, 2))]
    taken = judge(*facts, rules=rules or waiting()).dossier.pauses
    return [
        (p.pause, None if p.ended_at is None else (p.ended_at - NINE) / timedelta(hours=1)) for p in taken
    ]


def test_a_wait_that_goes_on_stays_open() -> None:
    assert ends("look") == [("papers", None)]


@pytest.mark.parametrize("leaving", ["take_up", "supplied", "issue", "make_ready", "return_result"])
def test_a_pause_ends_when_its_waiting_state_is_left(leaving: str) -> None:
    assert ends(leaving, "return_result") == [("papers", 2.0)]


def test_one_wait_that_gives_way_to_another_is_over() -> None:
    assert ends("bill", "issue") == [("papers", 2.0), ("fee", 3.0)]


@pytest.mark.parametrize("milestone", ["issue", "make_ready"])
def test_the_result_ends_a_pause_that_no_state_waits_for(milestone: str) -> None:
    rules = waiting()
    stays = replace(
        rules,
        actions={**rules.actions, "ask": replace(moves("checking"), milestone="paused", pause="papers")},
    )

    assert ends("note", milestone, "return_result", rules=stays) == [("papers", 3.0)]


def test_a_wait_left_starts_the_next_phase_unless_the_result_is_there() -> None:
    phases = {"first": Phase(starts=("receive",)), "second": Phase(starts=("note",))}
    rules = replace(waiting(phases=phases), pauses={"papers": Pause(on_resume="next_phase"), "fee": Pause()})
    begun = [
        [run.phase for run in judge(RECEIVE, ASK, act(name, 2), rules=rules).dossier.phases]
        for name in ("supplied", "take_up", "issue")
    ]

    assert begun == [["first", "second"], ["first", "second"], ["first"]]


def test_a_dossier_moved_out_of_its_wait_waits_no_more() -> None:
    family = compile_family([waiting(), replace(waiting(), revision="2")])
    moved = [
        fold(
            family["1"],
            RECEIVE.subject,
            [RECEIVE, ASK, tell(Migrated(revision="2", state=state, decision="d"), 3)],
        ).dossier.pauses[0]
        for state in ("checking", None)
    ]

    assert [one.ended_at for one in moved] == [NINE + timedelta(hours=3), None]
