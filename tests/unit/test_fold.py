"""One fact after the other: one example for each sentence of docs/judging.md."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from judging import (
    APPROVE,
    NINE,
    RECEIVE,
    RETURN,
    SUBJECT,
    act,
    broken,
    by,
    guarded,
    judge,
    limited,
    moves,
    of,
    revision,
    tell,
    void,
    with_action,
)
from msgspec.structs import replace

from workflow.errors import OutOfOrder
from workflow.facts import Actor, Appointment, Fact, Voided
from workflow.fold import advance, passed, sorts_last, start
from workflow.procedure.language import (
    Action,
    Anchor,
    Binds,
    Counting,
    Guard,
    Limit,
    Move,
    Operand,
    Predicate,
    Register,
    State,
    Times,
)
from workflow.rules import compile_rules


def test_a_step_out_of_order_is_refused_and_moves_nothing() -> None:
    judgment = judge(APPROVE)

    assert of(judgment, APPROVE).status == "refused"
    assert broken(of(judgment, APPROVE)) == [("order/approve/new", "order")]
    assert judgment.dossier.state == "new"


def test_a_milestone_out_of_order_is_followed() -> None:
    judgment = judge(RECEIVE, RETURN)

    assert of(judgment, RETURN).status == "applied"
    assert broken(of(judgment, RETURN)) == [("order/return_result/checking", "order")]
    assert judgment.dossier.state == "returned"
    assert judgment.dossier.ended_at == RETURN.occurred_at


def test_a_break_that_stops_leaves_every_later_act_unjudged() -> None:
    stops = revision(actions=with_action("approve", on_order_break="stop"))
    judgment = judge(act("approve", -1), RECEIVE, rules=stops)

    assert [o.status for o in judgment.outcomes] == ["refused", "not_judged"]
    assert judgment.dossier.halted


def test_what_the_revision_says_of_breaks_holds_for_actions_that_say_nothing() -> None:
    follows = revision(on_order_break="follow")

    assert judge(APPROVE, rules=follows).dossier.state == "approved"


def test_a_promise_is_not_unsaid_by_sending_its_record_again() -> None:
    """The first date stands before the last one sent; a void of the wrong revision takes its slip away."""
    days = [date(2024, 1, 10), date(2024, 1, 20)]
    sent = [
        act("receive", 0, id="r", revision=number, appointment=Appointment(at=day))
        for number, day in enumerate([days[0], days[1], days[0], days[1]])
    ]
    dates = [
        [slip.at for slip in judge(*facts).dossier.appointments]
        for facts in (sent[:1], sent[:2], sent[:3], sent, [*sent, *(wrong(one) for one in sent[:3:2])])
    ]

    assert dates == [days[:1], days, days[:1], days, days[1:]]


def test_a_record_sent_again_without_its_slip_keeps_the_promise() -> None:
    first = act("receive", 0, id="r", appointment=Appointment(at=date(2024, 1, 10)))
    judgment = judge(first, act("receive", 0, id="r", revision=1))

    assert [slip.at for slip in judgment.dossier.appointments] == [date(2024, 1, 10)]


def wrong(target: Fact) -> Fact:
    """A void of one revision alone."""
    body = Voided(
        target_id=target.id, target_source=target.source, target_revision=target.revision, reason="wrong"
    )
    return tell(body, 5, id=f"void-{target.revision}", source=target.source)


def test_a_followed_action_whose_moves_only_stay_stays() -> None:
    follows = revision(actions=with_action("note", on_order_break="follow"))
    judgment = judge(act("note", 0), rules=follows)

    assert (judgment.outcomes[0].status, judgment.dossier.state) == ("applied", "new")


def test_a_followed_action_with_several_targets_leads_where_it_is_told_to() -> None:
    two_ways = Action(
        moves=(Move(sources=("checking",), to="approved"), Move(sources=("approved",), to="checking")),
        on_order_break="follow",
        follow_to="checking",
    )
    judgment = judge(APPROVE, rules=revision(actions=with_action("approve", **_fields(two_ways))))

    assert judgment.dossier.state == "checking"


def _fields(action: Action) -> dict[str, Any]:
    return {name: getattr(action, name) for name in ("moves", "on_order_break", "follow_to")}


def test_an_action_the_procedure_does_not_know_is_refused_in_every_state() -> None:
    strange = act("dance", 0.5)

    assert broken(of(judge(RECEIVE, strange, APPROVE), strange)) == [("order/dance/checking", "order")]
    assert judge(RECEIVE, strange, APPROVE).dossier.state == "approved"
    assert not judge(strange, rules=revision(on_order_break="follow")).dossier.halted


def test_an_unknown_action_stops_where_the_revision_stops() -> None:
    assert judge(act("dance", 0), rules=revision(on_order_break="stop")).dossier.halted


def test_a_move_from_any_state_leaves_out_the_initial_and_the_final_ones() -> None:
    cancels = revision(
        actions={**revision().actions, "cancel": moves("any", "returned", on_order_break="refuse")}
    )

    assert judge(act("cancel", 0), rules=cancels).dossier.state == "new"
    assert judge(RECEIVE, act("cancel", 1), rules=cancels).dossier.state == "returned"
    assert judge(RECEIVE, act("cancel", 1), act("cancel", 2), rules=cancels).outcomes[-1].status == "refused"


@pytest.mark.parametrize("actor", [None, by("an"), by("an", "clerk")])
def test_an_act_by_another_role_is_refused(actor: Actor | None) -> None:
    heads = revision(actions=with_action("approve", role=("head",)))
    judgment = judge(RECEIVE, act("approve", 1, actor=actor), rules=heads)

    assert broken(judgment.outcomes[1]) == [("role/approve", "role")]
    assert judgment.dossier.state == "checking"


def test_a_broken_role_may_be_recorded_instead() -> None:
    heads = revision(actions=with_action("approve", role=("head",), on_role_break="record"))
    judgment = judge(RECEIVE, APPROVE, rules=heads)

    assert (judgment.outcomes[1].status, judgment.dossier.state) == ("applied", "approved")
    assert broken(judgment.outcomes[1]) == [("role/approve", "role")]


def test_all_rules_are_asked_even_if_the_first_refuses() -> None:
    strict = guarded("approve", Predicate(after_state=("returned",)), "record")
    both = replace(
        strict, actions={**strict.actions, "approve": replace(strict.actions["approve"], role=("head",))}
    )
    judgment = judge(RECEIVE, APPROVE, rules=both)

    assert broken(judgment.outcomes[1]) == [("role/approve", "role"), ("rule", "guard")]


def test_guards_of_the_action_of_the_move_and_of_the_state_left_are_asked_once_each() -> None:
    never = Guard(requires=Predicate(before_state=("new",)), on_break="record")
    everywhere = revision(
        guards={"of_action": never, "of_move": never, "of_state": never},
        states={**revision().states, "checking": State(guards=("of_state", "of_action"))},
        actions=with_action(
            "approve",
            guards=("of_action",),
            moves=(Move(sources=("checking",), to="approved", guards=("of_move", "of_action")),),
        ),
    )
    judgment = judge(RECEIVE, act("note", 0.5), APPROVE, rules=everywhere)

    assert broken(judgment.outcomes[1]) == []
    assert broken(judgment.outcomes[2]) == [
        ("of_action", "guard"),
        ("of_move", "guard"),
        ("of_state", "guard"),
    ]


def test_a_followed_break_asks_the_guards_of_the_state_it_leaves() -> None:
    never = Guard(requires=Predicate(before_state=("new",)), on_break="record")
    watched = revision(
        guards={"rule": never}, states={**revision().states, "checking": State(guards=("rule",))}
    )
    judgment = judge(RECEIVE, RETURN, rules=watched)

    assert broken(judgment.outcomes[1]) == [("order/return_result/checking", "order"), ("rule", "guard")]


def test_registers_and_history_are_read_as_before_the_event() -> None:
    once = guarded("note", Predicate(times=Times(action="note", fewer_than=1)))
    judgment = judge(RECEIVE, act("note", 1), act("note", 2), rules=once)

    assert [o.status for o in judgment.outcomes] == ["applied", "applied", "refused"]


def test_an_operand_of_the_event_reads_the_field_its_register_is_taken_from() -> None:
    paid = Register(type="money", source="payment")
    enough = Predicate(at_least=(Operand(data="paid"), "10"))
    rules = guarded("approve", enough, registers={"paid": paid})

    assert (
        judge(RECEIVE, act("approve", 1, data={"payment": "10.00"}), rules=rules).dossier.state == "approved"
    )
    assert judge(RECEIVE, act("approve", 1, data={"paid": "10.00"}), rules=rules).dossier.state == "checking"


def test_a_comparison_with_an_absent_register_is_false() -> None:
    rules = guarded(
        "approve",
        Predicate(at_most=(Operand(register="paid"), "10")),
        registers={"paid": Register(type="money")},
    )

    assert judge(RECEIVE, APPROVE, rules=rules).dossier.state == "checking"


def test_four_eyes_are_broken_by_whoever_acts_second_and_by_nobody_named() -> None:
    rules = guarded("approve", Predicate(four_eyes=("receive", "approve")))
    received = act("receive", 0, actor=by("an"))

    same = judge(received, act("approve", 1, actor=by("an")), rules=rules)
    assert broken(same.outcomes[1]) == [("rule", "role")]
    assert judge(received, APPROVE, rules=rules).dossier.state == "checking"
    assert judge(received, act("approve", 1, actor=by("binh")), rules=rules).dossier.state == "approved"


def test_a_refused_event_changes_nothing_but_the_appointment_it_carries() -> None:
    counted = revision(registers={"told": Register(type="integer", keep="count", source="x")})
    slip = Appointment(at=date(2024, 1, 9))
    judgment = judge(act("approve", 0, appointment=slip, data={"x": 1}), rules=counted)

    assert [told.at for told in judgment.dossier.appointments] == [date(2024, 1, 9)]
    assert (judgment.dossier.state, judgment.dossier.registers) == ("new", [0])


def test_a_limit_of_an_action_is_a_violation_that_never_refuses() -> None:
    rules = limited(binds=Binds(action="approve"), starts=Anchor(action="receive"))
    late = judge(RECEIVE, act("approve", 1.1), rules=rules).outcomes[1]

    assert (late.status, broken(late)) == ("applied", [("hour", "deadline")])
    assert (late.violations[0].expected, late.violations[0].found) == (
        NINE + timedelta(hours=1),
        NINE + timedelta(hours=1.1),
    )
    assert judge(RECEIVE, APPROVE, rules=rules).outcomes[1].violations == ()


@pytest.mark.parametrize(
    ("binds", "starts", "hours", "late"),
    [
        pytest.param("note", Anchor(action="receive"), (0.5, 3, 4), (), id="met in time"),
        pytest.param("note", Anchor(action="receive"), (2, 3), (2,), id="met late, once"),
        pytest.param("note", Anchor(milestone="received"), (0.5, 3), (), id="counted from a milestone"),
        pytest.param("note", None, (0.5, 3), (), id="counted from the receipt"),
        pytest.param("note", Anchor(action="note"), (0.1, 2, 3), (2,), id="after the first of its own"),
        pytest.param(
            "note", Anchor(action="note", which="last"), (0.1, 2, 4), (2, 4), id="each after the last"
        ),
        pytest.param("any", Anchor(action="receive"), (0.5, 3, 4), (3, 4), id="every act"),
    ],
)
def test_the_first_act_of_a_count_meets_a_limit_and_a_later_one_does_not_break_it(
    binds: str, starts: Anchor | None, hours: tuple[float, ...], late: tuple[float, ...]
) -> None:
    bound = Binds(actions="any") if binds == "any" else Binds(action=binds)
    judgment = judge(
        RECEIVE, *(act("note", hour) for hour in hours), rules=limited(binds=bound, starts=starts)
    )

    found = [hour for hour, one in zip(hours, judgment.outcomes[1:], strict=True) if broken(one)]
    assert found == list(late)


def test_the_first_of_several_actions_meets_their_limit() -> None:
    rules = limited(binds=Binds(actions=("note", "approve")), starts=Anchor(action="receive"))
    judgment = judge(RECEIVE, act("note", 0.5), act("approve", 3), rules=rules)

    assert [broken(one) for one in judgment.outcomes] == [[], [], []]


def test_a_count_that_begins_anew_must_be_met_anew() -> None:
    rules = replace(
        limited(binds=Binds(action="note"), starts=Anchor(entering="checking")),
        actions={**revision().actions, "again": moves("checking", "checking")},
    )
    judgment = judge(RECEIVE, act("note", 0.5), act("again", 3), act("note", 5), act("note", 6), rules=rules)

    assert [broken(one) for one in judgment.outcomes] == [[], [], [], [("hour", "deadline")], []]


def test_every_act_is_held_to_a_date_that_was_given() -> None:
    given = Limit(counts="given", until="due", binds=Binds(action="note"))
    rules = revision(
        limits={"date": given},
        registers={"due": Register(type="time")},
        counting={"given": Counting(unit="given_date", reaching="in_time")},
    )
    due = (NINE + timedelta(hours=2)).isoformat()
    judgment = judge(act("receive", 0, data={"due": due}), act("note", 1), act("note", 3), rules=rules)

    assert [broken(one) for one in judgment.outcomes] == [[], [], [("date", "deadline")]]


def test_a_limit_of_a_stay_is_asked_only_when_the_state_is_left() -> None:
    rules = limited(binds=Binds(state="checking"))
    judgment = judge(RECEIVE, act("note", 3), act("approve", 4), rules=rules)

    assert [broken(o) for o in judgment.outcomes] == [[], [], [("hour", "deadline")]]


def test_a_refused_event_is_not_asked_for_its_limits() -> None:
    rules = replace(
        limited(binds=Binds(actions="any"), starts=Anchor(action="receive")), on_order_break="refuse"
    )
    judgment = judge(RECEIVE, act("receive", 5), act("dance", 6), rules=rules)

    assert broken(judgment.outcomes[2]) == [("order/dance/checking", "order")]


@pytest.mark.parametrize(
    ("keep", "initial", "kept"),
    [
        ("last", None, 5),
        ("first", None, 2),
        ("sum", None, 7),
        ("count", None, 2),
        ("sum", "1", 8),
        ("first", "1", 1),
    ],
)
def test_registers_keep_what_they_are_declared_to(keep: Any, initial: str | None, kept: int) -> None:
    rules = revision(registers={"points": Register(type="integer", keep=keep, initial=initial)})
    told = (act("receive", 0, data={"points": 2}), act("approve", 1, data={"points": "5"}))

    assert judge(*told, rules=rules).dossier.registers == [kept]


def test_a_value_of_another_type_leaves_the_register_and_is_a_violation() -> None:
    rules = revision(registers={"points": Register(type="integer", initial="7")})
    judgment = judge(act("receive", 0, data={"points": "many"}), rules=rules)

    assert broken(judgment.outcomes[0]) == [("register/points", "guard")]
    assert (judgment.outcomes[0].status, judgment.dossier.registers) == ("applied", [7])


def test_a_null_says_nothing() -> None:
    rules = revision(registers={"points": Register(type="integer", initial="7")})
    judgment = judge(act("receive", 0, data={"points": None}), rules=rules)

    assert (judgment.outcomes[0].violations, judgment.dossier.registers) == ((), [7])


def test_violations_stand_in_the_order_of_order_role_guards_limits_registers() -> None:
    base = limited(binds=Binds(action="return_result"), starts=Anchor(action="receive"))
    never = Guard(requires=Predicate(before_state=("new",)), on_break="record")
    full = replace(
        base,
        guards={"rule": never},
        registers={"points": Register(type="integer")},
        actions=with_action("return_result", role=("head",), on_role_break="record", guards=("rule",)),
    )
    judgment = judge(RECEIVE, act("return_result", 9, data={"points": "many"}), rules=full)

    rules = [rule for rule, _ in broken(judgment.outcomes[1])]
    assert rules == ["order/return_result/checking", "role/return_result", "rule", "hour", "register/points"]


def test_a_second_receipt_does_not_restart_the_clock() -> None:
    dossier = judge(RECEIVE, act("receive", 5)).dossier

    assert dossier.received_at == NINE


def test_entering_the_same_state_by_name_is_a_new_visit_and_staying_is_none() -> None:
    again = revision(actions={**revision().actions, "recheck": moves("checking", "checking")})

    assert judge(RECEIVE, act("note", 3), rules=again).dossier.since == NINE
    assert judge(RECEIVE, act("recheck", 3), rules=again).dossier.since == NINE + timedelta(hours=3)


def test_the_first_end_counts() -> None:
    again = act("return_result", 9)

    assert judge(RECEIVE, APPROVE, RETURN, again).dossier.ended_at == RETURN.occurred_at


def test_advancing_gives_the_same_dossier_as_folding() -> None:
    rules = compile_rules(revision())
    dossier = start(rules, SUBJECT)
    for fact in (RECEIVE, APPROVE, RETURN):
        dossier, _ = advance(rules, dossier, fact)

    assert dossier == judge(RECEIVE, APPROVE, RETURN).dossier


@pytest.mark.parametrize("fact", [RECEIVE, void(APPROVE, 5), replace(act("note", 9), revision=1)])
def test_only_a_fact_that_sorts_last_and_corrects_nothing_is_advanced(fact: Fact) -> None:
    rules = compile_rules(revision())
    dossier = judge(RECEIVE, APPROVE).dossier

    assert not sorts_last(rules, dossier, fact)
    with pytest.raises(OutOfOrder, match=f"fact {fact.id} of {SUBJECT} does not sort last"):
        advance(rules, dossier, fact)


@pytest.mark.parametrize("told", ["note", "stamp"])
def test_what_leaves_a_dossier_alone_is_passed_over_but_for_who_told_it(told: str) -> None:
    """Applied or refused: an alert names the source that told last, and waits for it."""
    others = [act(told, hour, source="portal") for hour in (0.4, 0.6)]
    facts = [RECEIVE, act("note", 0.2), *others, APPROVE]
    found = list(passed(compile_rules(revision()), SUBJECT, facts, lambda *_: True))

    assert [(after.state, before.last_key and before.last_key[3]) for before, after, _ in found] == [
        ("approved", "portal")
    ]
