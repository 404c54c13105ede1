"""Evaluations over a store: what is said of forms keyed by a handler, once, and taken back."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from keeping import SUBJECT, act, catalogue, messages, source, tell, void
from rotating import ORGANISATION, at

from consumers.apply import apply
from consumers.rating import judge_evaluation
from workflow.facts import Actor, Rated

if TYPE_CHECKING:
    from workflow.facts import Fact
    from workflow.store.store import Store

RULES = catalogue(sources={"gate": source("gate")}, organisation=ORGANISATION)


def said(store: Store) -> list[tuple[str, str, str]]:
    done = judge_evaluation(store, RULES, now=at("2024-06-01"))
    return [(one.alert.subject, one.alert.rule, one.change) for one in done]


def take(store: Store, *facts: Fact) -> None:
    apply(store, RULES, messages(*facts), now=at("2024-05-01"))


def test_a_form_keyed_by_a_handler_is_said_once_and_taken_back_with_its_void(store: Store) -> None:
    form = tell(Rated(channel="paper", scores={"courtesy": 2}, keyed_by="cb-8", rated_on=date(2024, 1, 2)), 4)
    take(store, act("receive", 0), act("approve", 1, actor=Actor(id="cb-8", role="officer")), form)
    assert said(store) == [("cb-8", SUBJECT, "raised")]
    assert said(store) == []
    take(store, void(form, 5))
    assert said(store) == [("cb-8", SUBJECT, "retracted")]


def test_a_form_keyed_by_another_is_not_said(store: Store) -> None:
    form = tell(Rated(channel="paper", scores={"courtesy": 2}, keyed_by="cb-9", rated_on=date(2024, 1, 2)), 4)
    take(store, act("receive", 0), act("approve", 1, actor=Actor(id="cb-8", role="officer")), form)
    assert said(store) == []
