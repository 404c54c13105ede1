"""Random procedures with what the naive model leaves out (pauses, tasks, phases, extensions), and plain chains."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace
from strategies_facts import PEOPLE, START, SUBJECT, Case, drawn, readings, sometimes_in_an_office
from strategies_procedures import chance, procedure

from workflow.facts import Acted, Actor, Fact, Part, Recipient
from workflow.procedure.language import (
    Action,
    Anchor,
    Binds,
    Cap,
    Guard,
    Limit,
    Move,
    Names,
    Pause,
    Phase,
    Predicate,
    Revision,
    State,
    Task,
    Within,
)

if TYPE_CHECKING:
    from random import Random

    from hypothesis import strategies as st

    from workflow.procedure.language import Milestone


def clocked_cases() -> st.SearchStrategy[Case]:
    """Cases that the naive model cannot judge, for the laws that need no model."""
    return drawn(lambda rng: sometimes_in_an_office(rng, clocked_case(rng)))


def clocked_case(rng: Random) -> Case:
    """One procedure with clocks that stop, and acts of all kinds in it."""
    revision = _with_clocks(rng, procedure(rng))
    return Case(
        revision, readings(rng), [_act(rng, revision, number) for number in range(rng.randint(1, 12))]
    )


def chain(length: int, *, last: Milestone | None = None) -> Revision:
    """States s0, s1, ... in a row, led from one to the next by a0, a1, ...; the last action may be a milestone."""
    names = [f"a{number}" for number in range(length)]
    return Revision(
        procedure="1.000002",
        revision="1",
        name=Names(vi="Chuỗi", en="Chain"),
        figures="sample",
        zone="Asia/Ho_Chi_Minh",
        initial="s0",
        states={f"s{number}": State(final=number == length) for number in range(length + 1)},
        actions={
            name: Action(
                moves=(Move(sources=(f"s{number}",), to=f"s{number + 1}"),),
                milestone=last if number == length - 1 else None,
            )
            for number, name in enumerate(names)
        },
    )


def _with_clocks(rng: Random, revision: Revision) -> Revision:
    """Adds acts that stay where they are: pauses, questions to agencies, an extension; and phases."""
    states, named = list(revision.states), list(revision.actions)
    asking = rng.choice(states)
    everywhere = (Move(sources=tuple(states)),)
    actions = {
        **revision.actions,
        "pause": Action(moves=everywhere, milestone="paused", pause="supplement"),
        "resume": Action(moves=everywhere, milestone="resumed", pause="supplement"),
        "extend": Action(moves=everywhere, milestone="extended", extends={"whole": rng.randint(1, 4)}),
        "receive": Action(moves=everywhere, milestone="received"),
        "ask": Action(moves=(Move(sources=(asking,)),)),
        "answer": Action(moves=(Move(sources=(asking,)),)),
        "recall": Action(moves=(Move(sources=(asking,)),)),
        "hurry": Action(moves=everywhere, guards=("soon",)),
    }
    whole = Limit(counts="hours", within=rng.randint(1, 9), binds=Binds(end="any"), date="committed")
    stay = Limit(
        counts="hours", within=rng.randint(0, 5), binds=Binds(actions="any"), starts=Anchor(entering=asking)
    )
    soon = Within(number=rng.randint(0, 4), counts="hours", after=rng.choice(named), which="last")
    two_phases = {"first": Phase(starts=(named[0],)), "second": Phase(starts=("extend",), ends=(named[-1],))}
    return replace(
        revision,
        actions=actions,
        states={**revision.states, asking: replace(revision.states[asking], tasks={"consult": _task(rng)})},
        pauses={"supplement": _pause(rng)},
        phases=two_phases,
        limits={**revision.limits, "whole": whole, "stay": stay},
        guards={**revision.guards, "soon": Guard(requires=Predicate(within=soon), on_break="record")},
    )


def _task(rng: Random) -> Task:
    return Task(
        asked="ask",
        answered="answer",
        recalled="recall",
        agencies=("tax",) if chance(rng, 30) else (),
        limit=Limit(counts="hours", within=rng.randint(1, 5)),
        clock=rng.choice(("counts", "excluded")),
        on_silence=rng.choice(("proceed", "wait", "reject")),
        join=rng.choice(("all", "any")),
    )


def _pause(rng: Random) -> Pause:
    return Pause(
        documents=("notice",) if chance(rng, 40) else (),
        at_most=rng.choice((None, 1, 2)),
        cap=Cap(within=rng.randint(1, 5), counts="hours") if chance(rng, 50) else None,
        on_resume=rng.choice(("continue", "restart", "next_phase")),
    )


def _act(rng: Random, revision: Revision, number: int) -> Fact:
    hours = number + rng.choice((0, 0, 0, 1, -3))
    body = Acted(
        action=rng.choice(("pause", "resume", "extend", "receive", "ask", "answer", *revision.actions)),
        actor=Actor(id=rng.choice(PEOPLE), role="clerk"),
        unit=rng.choice((None, "tax", "land")),
        to=Recipient(unit=rng.choice(("tax", "land"))) if chance(rng, 30) else None,
        documents=("notice",) if chance(rng, 50) else (),
        part=Part(rng.randint(1, 2), 2) if chance(rng, 15) else None,
    )
    return Fact(
        subject=SUBJECT,
        source=rng.choice(("gate", "desk")),
        id=f"f{number}",
        occurred_at=START + timedelta(hours=hours),
        body=body,
        sequence=number if chance(rng, 90) else 0,
    )
