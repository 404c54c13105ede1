"""The due instant itself, of which guards, caps and limits with one counting say the same; amounts choose so."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from judging import SUBJECT

from workflow.facts import Acted, Actor, Fact
from workflow.fold import fold
from workflow.procedure.language import Revision
from workflow.rules import compile_rules
from workflow.yamltree import parse

PROCEDURE = """\
procedure: X.5
revision: "1"
name: {vi: Thử, en: Test}
figures: sample
zone: Asia/Ho_Chi_Minh
initial: s0
states: {s0: {}, s1: {}, w: {}, s2: {final: true}}
actions:
  a: {milestone: received, moves: [{from: [s0], to: s1}]}
  g: {moves: [{from: [s1]}], guards: [soon]}
  l: {moves: [{from: [s1]}]}
  p: {milestone: paused, pause: sup, moves: [{from: [s1], to: w}]}
  r: {milestone: resumed, pause: sup, moves: [{from: [w], to: s1}]}
pauses: {sup: {on_resume: continue, cap: {within: 2, counts: hours}}}
registers: {fee: {type: money, actions: [a]}}
counting:
  days: {unit: calendar_days, rest_day: stays, first_day: excluded, reaching: late}
  hours: {unit: elapsed_hours, reaching: late}
  lenient: {unit: elapsed_hours, reaching: in_time}
limits:
  asked: {binds: {action: l}, within: 3, counts: days}
  chosen: {binds: {action: l}, within: {register: fee, values: {"1": 1}}, counts: lenient}
guards: {soon: {on_break: record, requires: {within: {after: a, number: 3, counts: days}}}}
"""


def broken(*acts: tuple[str, str], **data: Any) -> list[str]:
    rules = compile_rules(parse(PROCEDURE.encode(), "p.yaml", Revision))
    facts = [
        Fact(
            SUBJECT,
            "s",
            str(n),
            at(when),
            Acted(action=action, actor=Actor(id="an"), data=data if n == 0 else {}),
            n,
        )
        for n, (action, when) in enumerate(acts)
    ]
    return [violation.rule for one in fold(rules, SUBJECT, facts).outcomes for violation in one.violations]


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-{text}+07:00").astimezone(UTC)


@pytest.mark.parametrize(("action", "rule"), [("g", "soon"), ("l", "asked")])
def test_a_guard_and_a_limit_with_one_count_of_days_end_at_one_instant(action: str, rule: str) -> None:
    received, end_of_the_last_day = ("a", "02T09:00"), "04T23:59:59.999999"
    assert broken(received, (action, end_of_the_last_day)) == []
    assert broken(received, (action, "05T00:00")) == [rule]


def test_a_cap_whose_end_is_too_late_is_broken_by_resuming_at_its_end() -> None:
    begun = (("a", "02T09:00"), ("p", "02T10:00"))
    assert broken(*begun, ("r", "02T11:59:59")) == []
    assert broken(*begun, ("r", "02T12:00")) == ["pause/sup/cap"]


@pytest.mark.parametrize("fee", ["1", "1.0", "1.00"])
def test_an_amount_chooses_however_many_decimals_it_has(fee: str) -> None:
    assert broken(("a", "02T09:00"), ("l", "02T11:00"), fee=fee) == ["chosen"]


def test_another_amount_chooses_nothing() -> None:
    assert broken(("a", "02T09:00"), ("l", "02T11:00"), fee="1.01") == []
