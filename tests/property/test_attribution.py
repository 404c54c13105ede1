"""The parts of an overrun sum to it, whatever the story; and they name who went over a limit of their own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from workflow.alerts.attribution import Outage, Overrun, overrun
from workflow.cli.overruns import print_overrun
from workflow.facts import Acted, Actor, Fact, Recipient
from workflow.procedure.language import (
    Action,
    Anchor,
    Binds,
    Cap,
    Counting,
    Limit,
    Move,
    Names,
    Pause,
    Revision,
    State,
    Task,
)
from workflow.rules import compile_rules

if TYPE_CHECKING:
    import pytest

START = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOURS = "hours"


def move(source: str, to: str | None = None, **more: Any) -> Action:
    return Action(moves=(Move(sources=(source,), to=to),), **more)


RULES = compile_rules(
    Revision(
        procedure="p",
        revision="1",
        name=Names(vi="Mẫu", en="Sample"),
        figures="sample",
        zone="UTC",
        initial="new",
        states={
            "new": State(),
            "checking": State(
                limit=Limit(counts=HOURS, within=10),
                tasks={
                    "opinion": Task(
                        asked="ask", answered="answer", limit=Limit(counts=HOURS, within=5), join="any"
                    )
                },
            ),
            "waiting": State(),
            "approving": State(limit=Limit(counts=HOURS, within=4)),
            "returned": State(final=True),
        },
        actions={
            "receive": move("new", "checking", milestone="received"),
            "hand_over": move("checking"),
            "ask": move("checking"),
            "answer": move("checking"),
            "pause": move("checking", "waiting", milestone="paused", pause="supplement"),
            "resume": move("waiting", "checking", milestone="resumed", pause="supplement"),
            "submit": move("checking", "approving"),
            "return_result": move("approving", "returned", milestone="returned"),
        },
        counting={HOURS: Counting(unit="elapsed_hours", reaching="in_time")},
        pauses={"supplement": Pause(cap=Cap(within=8, counts=HOURS))},
        limits={
            "all": Limit(
                counts=HOURS,
                within=20,
                binds=Binds(end="any"),
                starts=Anchor(action="receive"),
                date="committed",
                headline=True,
            )
        },
    )
)
ACTIONS = ["hand_over", "ask", "answer", "pause", "resume", "submit", "return_result"]


def told(*acts: tuple[str, float], officers: int = 3) -> list[Fact]:
    return [
        Fact(
            "D",
            "gate",
            f"e{number}",
            START + hour * HOUR,
            Acted(
                action=action,
                procedure="p",
                actor=Actor(id="o1"),
                to=Recipient(unit="u", officer=f"o{number % officers}"),
                task="opinion" if action in ("ask", "answer") else None,
            ),
            number,
        )
        for number, (action, hour) in enumerate([("receive", 0.0), *acts])
    ]


def parts(found: Overrun | None) -> list[tuple[str, str, int]]:
    assert found is not None
    return [(part.reason, part.name, part.minutes) for part in found.parts]


@given(
    st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(1, 6_000)), max_size=12),
    st.integers(0, 7_000),
    st.lists(st.tuples(st.integers(0, 6_000), st.integers(1, 900)), max_size=3),
)
def test_the_parts_sum_to_the_overrun(
    acts: list[tuple[str, int]], at: int, silent: list[tuple[int, int]]
) -> None:
    facts = told(*sorted(((action, minute / 60) for action, minute in acts), key=lambda one: one[1]))
    outages = [
        Outage(f"s{begin % 2}", START + begin * HOUR / 60, START + (begin + length) * HOUR / 60)
        for begin, length in silent
    ]
    found = overrun(RULES, "D", facts, START + at * HOUR / 60, outages)
    if found is not None:
        assert sum(part.minutes for part in found.parts) == found.minutes
        assert all(part.minutes > 0 for part in found.parts)


def test_an_overrun_without_a_calendar_is_elapsed_time_and_is_called_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = overrun(RULES, "D", told(("submit", 20), ("return_result", 70)), START + 90 * HOUR)
    assert found is not None
    assert (found.days, found.minutes, found.counted) == (2, 50 * 60, "elapsed")

    print_overrun(found, None)
    shown = capsys.readouterr().out
    assert "2 days past its date, 50 h 0 min of elapsed time" in shown
    assert "Elapsed time" in shown
    assert "orking" not in shown


def test_a_dossier_in_time_has_no_overrun() -> None:
    assert overrun(RULES, "D", told(("submit", 5), ("return_result", 8)), START + 50 * HOUR) is None


def test_an_overrun_is_shared_by_what_went_over_its_own_limit() -> None:
    facts = told(("submit", 20), ("return_result", 26))
    assert parts(overrun(RULES, "D", facts, START + 50 * HOUR)) == [
        ("step", "checking", 300),
        ("step", "approving", 60),
    ]


def test_a_citizen_bears_only_what_lies_beyond_the_cap() -> None:
    facts = told(("pause", 5), ("resume", 38), ("submit", 40), ("return_result", 42))
    found = overrun(RULES, "D", facts, START + 50 * HOUR)
    assert found is not None
    assert found.minutes == 14 * 60
    assert parts(found) == [("citizen", "supplement", 14 * 60)]


def test_an_agency_bears_its_silence_beyond_its_limit() -> None:
    facts = told(("ask", 1), ("answer", 9), ("submit", 9), ("return_result", 23))
    assert parts(overrun(RULES, "D", facts, START + 50 * HOUR)) == [
        ("step", "approving", 138),
        ("agency", "opinion", 42),
    ]


def test_time_in_which_the_source_was_silent_is_laid_to_it() -> None:
    facts = told(("submit", 10), ("return_result", 30))
    outages = [Outage("gate", START + 25 * HOUR, START + 29 * HOUR)]
    found = parts(overrun(RULES, "D", facts, START + 50 * HOUR, outages))
    assert found == [("feed", "gate", 240), ("step", "approving", 360)]


def test_where_nothing_went_over_a_limit_the_time_after_the_date_is_borne_by_who_had_it() -> None:
    plain = compile_rules(
        Revision(
            **{
                **{name: getattr(RULES.revision, name) for name in RULES.revision.__struct_fields__},
                "states": {name: State(final=state.final) for name, state in RULES.revision.states.items()},
                "actions": {
                    name: action
                    for name, action in RULES.revision.actions.items()
                    if name not in ("ask", "answer")
                },
            }
        )
    )
    facts = told(("submit", 22), ("return_result", 23))
    assert parts(overrun(plain, "D", facts, START + 50 * HOUR)) == [
        ("step", "checking", 120),
        ("step", "approving", 60),
    ]
