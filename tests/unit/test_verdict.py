"""How a dossier ends: one example for each sentence of docs/judging.md."""

from __future__ import annotations

from datetime import timedelta

from judging import APPROVE, NINE, RECEIVE, RETURN, act, judge, limited, revision, tell

from workflow.facts import Opened
from workflow.procedure.language import (
    Binds,
    End,
    Guard,
    Predicate,
)
from workflow.verdict import verdict


def test_a_dossier_that_has_not_ended_has_no_verdict_unless_its_log_is_closed() -> None:
    judgment = judge(RECEIVE)

    assert verdict(judgment).ended_at is None
    assert verdict(judgment, closes=True).ended_at == NINE


def test_ending_in_a_state_that_is_no_end_is_an_order_break() -> None:
    found = verdict(judge(RECEIVE), closes=True).violations

    assert [(v.rule, v.kind) for v in found] == [("order/end/checking", "order")]


def test_a_broken_condition_of_an_allowed_end_is_of_kind_end() -> None:
    conditional = revision(
        guards={"approved_before": Guard(requires=Predicate(after_state=("approved",)))},
        ends={"checking": End(requires=("approved_before",))},
    )
    found = verdict(judge(RECEIVE, rules=conditional), closes=True).violations

    assert [(v.rule, v.kind) for v in found] == [("approved_before", "end")]


def test_a_limit_of_the_end_is_compared_with_the_instant_of_the_end() -> None:
    rules = limited(binds=Binds(end="any"))
    late = verdict(judge(RECEIVE, APPROVE, RETURN, rules=rules))

    assert late.late
    assert [(v.rule, v.kind) for v in late.violations] == [("hour", "deadline")]


def test_a_dossier_that_ends_where_it_may_not_can_still_be_late() -> None:
    rules = limited(binds=Binds(end="any"))
    told_end = tell(Opened(ended_at=NINE + timedelta(hours=5)), -1)
    found = verdict(judge(told_end, RECEIVE, rules=rules))

    assert found.late
    assert [(v.rule, v.kind) for v in found.violations] == [
        ("order/end/checking", "order"),
        ("hour", "deadline"),
    ]


def test_the_end_of_a_halted_dossier_is_not_judged() -> None:
    stopped = judge(act("dance", 0), rules=revision(on_order_break="stop"))

    assert verdict(stopped, closes=True).violations == ()
