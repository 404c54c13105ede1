"""Openings, migrations and other facts: one example for each sentence of docs/judging.md."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from judging import NINE, RECEIVE, RETURN, SUBJECT, act, broken, judge, of, revision, tell

from workflow.facts import Heartbeat, Migrated, Opened, PauseUsed
from workflow.fold import fold
from workflow.procedure.language import Pause, Register
from workflow.rules import compile_family


def test_an_opening_balance_leaves_unjudged_what_lies_before() -> None:
    opening = tell(Opened(state="approved"), 0.5)
    judgment = judge(RECEIVE, opening, RETURN)

    assert [o.status for o in judgment.outcomes] == ["not_judged", "applied", "applied"]
    assert judgment.dossier.state == "returned"
    assert judgment.dossier.received_at is None


def test_a_second_opening_balance_is_refused() -> None:
    opening, second = tell(Opened(state="checking"), 0), tell(Opened(state="approved"), 1)
    judgment = judge(opening, second)

    assert judgment.dossier.state == "checking"
    assert broken(of(judgment, second)) == [("order/opened/checking", "order")]


def test_an_opening_in_an_unknown_state_is_refused_and_opens_nothing() -> None:
    lost = tell(Opened(state="somewhere"), 1)
    judgment = judge(RECEIVE, lost)

    assert broken(of(judgment, lost)) == [("order/opened/checking", "order")]
    assert of(judgment, RECEIVE).status == "applied"


def test_an_opening_in_a_final_state_is_an_end() -> None:
    assert judge(tell(Opened(state="returned"), 3)).dossier.ended_at == NINE + timedelta(hours=3)


def test_the_pauses_of_an_opening_stop_no_clock_beyond_their_permitted_number() -> None:
    """In the order of their starts; what lies before the balance is not judged, so no rule is told as broken."""
    once = revision(pauses={"papers": Pause(at_most=1), "fee": Pause()})
    second, first, fee = (
        PauseUsed(
            pause=name,
            started_at=NINE + timedelta(hours=hour),
            ended_at=NINE + timedelta(hours=hour + 1),
        )
        for name, hour in (("papers", 5), ("papers", 1), ("fee", 6))
    )
    judgment = judge(tell(Opened(state="checking", pauses=(second, first, fee)), 9), rules=once)

    taken = {(one.pause, one.started_at): one.counts for one in judgment.dossier.pauses}
    assert taken == {
        ("papers", first.started_at): True,
        ("papers", second.started_at): False,
        ("fee", fee.started_at): True,
    }
    assert judgment.outcomes[0].violations == ()


def test_an_opening_without_a_state_makes_known_and_moves_nothing() -> None:
    paid = revision(registers={"paid": Register(type="money", actions=("approve",))})
    known = tell(Opened(data={"paid": "12.50"}, received_at=NINE, ended_at=NINE + timedelta(hours=8)), -1)
    dossier = judge(known, RECEIVE, rules=paid).dossier

    assert (dossier.state, dossier.registers) == ("checking", [Decimal("12.50")])
    assert (dossier.received_at, dossier.ended_at) == (NINE, NINE + timedelta(hours=8))


def test_a_migration_moves_to_another_revision_with_registers_by_name() -> None:
    old = revision(registers={"paid": Register(type="money"), "kind": Register(type="text")})
    new = revision(
        revision="2", registers={"kind": Register(type="text"), "more": Register(type="text", initial="x")}
    )
    rules = compile_family((old, new))["1"]
    facts = [
        act("receive", 0, data={"paid": "1", "kind": "plain"}),
        tell(Migrated(revision="2", decision="12/QĐ"), 1),
    ]
    judgment = fold(rules, SUBJECT, [*facts, act("approve", 2)])

    assert judgment.rules.revision.revision == "2"
    assert judgment.dossier.registers == ["plain", "x"]
    assert judgment.dossier.state == "approved"


def test_a_migration_to_an_unknown_revision_or_state_is_refused() -> None:
    lost = tell(Migrated(revision="9", decision="12/QĐ"), 1)
    nowhere = tell(Migrated(revision="1", state="somewhere", decision="12/QĐ"), 1)

    assert broken(of(judge(RECEIVE, lost), lost)) == [("migration/9", "order")]
    assert broken(of(judge(RECEIVE, nowhere), nowhere)) == [("migration/1", "order")]


def test_other_facts_are_applied_and_change_no_state() -> None:
    alive = tell(Heartbeat(), 0.5)
    judgment = judge(RECEIVE, alive)

    assert (of(judgment, alive).status, judgment.dossier.state) == ("applied", "checking")
