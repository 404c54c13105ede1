"""Steps of the machine and due dates, one at a time, each as a ratio against a floor measured in the same run.

`python -m tests.bench core_steps`: rounds are interleaved, medians are told. It ends with 1 where a ratio misses its
bound: a step must cost at most a fifth of a stock `trigger` of the library, a guarded one at most half; a due date at
most five times a bisect over a table of working minutes.
"""

from __future__ import annotations

import statistics
import sys
import time
from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from machine import machine
from transitions import Machine

from workflow.clocks.calendar import read_calendars
from workflow.facts import Acted, Actor
from workflow.procedure.language import (
    Action,
    Anchor,
    Binds,
    Counting,
    Guard,
    Limit,
    Move,
    Names,
    Predicate,
    Revision,
    State,
)
from workflow.rules import compile_rules

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
STEPS = 30_000
ROUNDS = 7
START = datetime(2024, 3, 4, 2, tzinfo=UTC)
COUNTS = ("working_hours", "working_days", "calendar_days", "elapsed_hours")
BOUNDS = {"step": 5.0, "guarded step": 2.0} | dict.fromkeys((f"due date, {unit}" for unit in COUNTS), 0.2)
NAMES = Names(vi="Vòng", en="Ring")


def ring() -> Revision:
    """Nine states in a ring: `go` moves round it, `sign` too but by another person in the right role."""
    states = [f"s{number}" for number in range(9)]
    pairs = list(zip(states, states[1:] + states[:1], strict=True))
    moves = tuple(Move(sources=(one,), to=other) for one, other in pairs)
    days = {"first_day": "excluded", "rest_day": "stays"}
    counting = {
        "working_hours": Counting(unit="working_hours", reaching="in_time"),
        "working_days": Counting(unit="working_days", reaching="in_time", first_day="excluded"),
        "calendar_days": Counting(unit="calendar_days", reaching="in_time", **days),  # type: ignore[arg-type] # texts of the language
        "elapsed_hours": Counting(unit="elapsed_hours", reaching="in_time"),
    }
    return Revision(
        procedure="ring",
        revision="1",
        name=NAMES,
        figures="sample",
        zone="Asia/Ho_Chi_Minh",
        calendar="vn-can-tho",
        initial="s0",
        states={state: State() for state in states},
        actions={
            "go": Action(moves=moves),
            "sign": Action(moves=moves, role=("head",), guards=("two",)),
        },
        guards={"two": Guard(requires=Predicate(four_eyes=("go", "sign")))},
        counting=counting,
        limits={
            unit: Limit(counts=unit, within=15, binds=Binds(end="any"), starts=Anchor(milestone="received"))
            for unit in COUNTS
        },
    )


class Passing:
    """The model the stock machine moves."""

    __slots__ = ("state",)

    def __init__(self) -> None:
        """Where the ring begins."""
        self.state = "s0"


def stock(revision: Revision, *, guarded: bool) -> Callable[[], float]:
    """Seconds a step of the library's own classes takes, with a condition where `guarded`."""
    machine = Machine(model=None, states=list(revision.states), initial="s0", auto_transitions=False)
    for move in revision.actions["go"].moves:
        machine.add_transition(
            "go", list(move.sources), move.to, conditions=[_fine, _fine] if guarded else None
        )
    trigger = machine.events["go"].trigger
    model = Passing()

    def measure() -> float:
        began = time.perf_counter()
        for _ in range(STEPS // 10):
            trigger(model)
        return (time.perf_counter() - began) / (STEPS // 10)

    return measure


def _fine(*_: object) -> bool:
    return True


def ours(revision: Revision, action: str) -> Callable[[], float]:
    """Seconds a step of the product takes: the whole act, with its rules, to its outcome."""
    rules = compile_rules(revision, read_calendars(ROOT / "processes" / "calendars"))
    dossier = rules.start("bench")
    act = Acted(action=action, actor=Actor(id="an", role="head"))
    judge, status = rules.machine.judge, rules.machine.judge(dossier, act, START).status
    if status != "applied":
        sys.exit(f"the bench's own step was {status}")

    def measure() -> float:
        began = time.perf_counter()
        for _ in range(STEPS):
            judge(dossier, act, START)
        return (time.perf_counter() - began) / STEPS

    return measure


def due_dates(revision: Revision, unit: str) -> Callable[[], float]:
    """Seconds one due date takes, each from another instant."""
    rules = compile_rules(revision, read_calendars(ROOT / "processes" / "calendars"))
    dossier, limit = rules.start("bench"), rules.clock.limits[unit]
    anchors = [START + timedelta(minutes=17 * number, seconds=number % 60) for number in range(STEPS)]

    def measure() -> float:
        due = limit.due
        began = time.perf_counter()
        for anchor in anchors:
            due(dossier, anchor, None)
        return (time.perf_counter() - began) / STEPS

    return measure


def bisecting() -> Callable[[], float]:
    """Seconds of the least a due date can be: two look-ups in a table of working minutes, on plain integers."""
    opens = [day * 1440 + hour * 60 for day in range(2_000) if day % 7 < 5 for hour in (7, 13)]
    worked = [number * 240 for number in range(len(opens))]

    def measure() -> float:
        began = time.perf_counter()
        for number in range(STEPS):
            at = number * 17
            spell = bisect_right(opens, at) - 1
            full = worked[spell] + min(at - opens[spell], 240) + 120 * 60
            reached = bisect_right(worked, full - 1) - 1
            opens[reached] + full - worked[reached]
        return (time.perf_counter() - began) / STEPS

    return measure


def main() -> int:
    """Measures, prints, and says whether the ratios hold."""
    revision = ring()
    pairs = {
        "step": (stock(revision, guarded=False), ours(revision, "go")),
        "guarded step": (stock(revision, guarded=True), ours(revision, "sign")),
    } | {f"due date, {unit}": (bisecting(), due_dates(revision, unit)) for unit in COUNTS}
    rounds = [{name: (floor(), product()) for name, (floor, product) in pairs.items()} for _ in range(ROUNDS)]
    print(machine())
    missed = []
    for name, bound in BOUNDS.items():
        ratio = statistics.median(one[name][0] / one[name][1] for one in rounds)
        rate = 1 / statistics.median(one[name][1] for one in rounds)
        best = 1 / min(one[name][1] for one in rounds)
        print(f"{name}: {rate:,.0f}/s (best {best:,.0f}/s), {ratio:.2f} of the floor's speed, bound {bound}")
        missed += [name] if ratio < bound else []
    print(f"missed: {', '.join(missed) or 'none'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
