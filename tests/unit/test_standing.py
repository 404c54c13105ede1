"""Which facts count, and in which order: one example for each sentence of docs/judging.md."""

from __future__ import annotations

from datetime import timedelta

from judging import APPROVE, NINE, RECEIVE, RETURN, act, broken, judge, of, tell, void
from msgspec.structs import replace

from workflow.facts import Voided
from workflow.fold import judgment_bytes
from workflow.rules import SourceOrder


def test_facts_recorded_after_the_known_time_are_left_out() -> None:
    late = replace(APPROVE, recorded_at=NINE + timedelta(hours=9))

    assert judge(RECEIVE, late, known_at=NINE + timedelta(hours=8)).dossier.state == "checking"
    assert judge(RECEIVE, late, known_at=NINE + timedelta(hours=9)).dossier.state == "approved"


def test_a_fact_without_a_recorded_time_is_always_known() -> None:
    assert judge(RECEIVE, APPROVE, known_at=NINE - timedelta(days=9)).dossier.state == "approved"


def test_repetitions_of_one_identity_count_once() -> None:
    judgment = judge(RECEIVE, RECEIVE, APPROVE, RECEIVE)

    assert judgment.facts == [RECEIVE, APPROVE]
    assert judgment_bytes(judgment) == judgment_bytes(judge(RECEIVE, APPROVE))


def test_a_void_removes_its_target_everywhere() -> None:
    correction = void(APPROVE, 5)
    judgment = judge(RECEIVE, APPROVE, correction)

    assert judgment.dossier.state == "checking"
    assert [of(judgment, f).status for f in (RECEIVE, APPROVE, correction)] == [
        "applied",
        "voided",
        "applied",
    ]


def test_a_void_may_come_before_its_target() -> None:
    assert judge(RECEIVE, void(APPROVE, -5), APPROVE).dossier.state == "checking"


def test_a_void_without_a_target_is_applied() -> None:
    correction = void(APPROVE, 5)

    assert of(judge(RECEIVE, correction), correction).status == "applied"


def test_a_void_of_a_void_restores() -> None:
    correction = void(APPROVE, 5)
    judgment = judge(RECEIVE, APPROVE, correction, void(correction, 6))

    assert judgment.dossier.state == "approved"
    assert of(judgment, correction).status == "voided"


def test_a_void_of_itself_is_refused() -> None:
    correction = tell(Voided(target_id="v", reason="mistyped"), 5, id="v")

    assert broken(of(judge(RECEIVE, correction), correction)) == [("void/later", "order")]


def test_a_void_of_a_later_void_is_refused() -> None:
    later = void(APPROVE, 6, id="v")
    earlier = void(later, 5)
    judgment = judge(RECEIVE, APPROVE, later, earlier)

    assert broken(of(judgment, earlier)) == [("void/later", "order")]
    assert judgment.dossier.state == "checking"


def test_a_source_voids_its_own_facts_by_default() -> None:
    foreign = void(APPROVE, 5, source="desk")
    judgment = judge(RECEIVE, APPROVE, foreign)

    assert of(judgment, foreign).status == "refused"
    assert broken(of(judgment, foreign)) == [("void/source", "role")]
    assert judgment.dossier.state == "approved"


def test_a_source_may_be_let_void_any_fact_or_none() -> None:
    foreign, own = void(APPROVE, 5, source="desk"), void(APPROVE, 5)

    anyone = judge(RECEIVE, APPROVE, foreign, sources={"desk": SourceOrder(voids="any")})
    nobody = judge(RECEIVE, APPROVE, own, sources={"gate": SourceOrder(voids="none")})

    assert anyone.dossier.state == "checking"
    assert nobody.dossier.state == "approved"


def test_of_a_void_sent_again_the_highest_revision_counts() -> None:
    first = void(APPROVE, 5, id="v")
    again = replace(void(RETURN, 5, id="v"), revision=1)
    judgment = judge(RECEIVE, APPROVE, RETURN, first, again)

    assert judgment.dossier.state == "approved"
    assert of(judgment, first).status == "superseded"


def test_a_void_takes_all_revisions_unless_it_names_one() -> None:
    again = replace(act("approve", 1.5), id=APPROVE.id, revision=1)
    of_one = tell(Voided(target_id=APPROVE.id, target_revision=1, reason="mistyped"), 5)

    assert judge(RECEIVE, APPROVE, again, void(APPROVE, 5)).dossier.state == "checking"
    only = judge(RECEIVE, APPROVE, again, of_one)
    assert [of(only, f).status for f in (APPROVE, again)] == ["applied", "voided"]


def test_the_highest_revision_of_a_record_stands() -> None:
    again = replace(act("note", 1), id=APPROVE.id, revision=1)
    judgment = judge(RECEIVE, again, APPROVE)

    assert judgment.dossier.state == "checking"
    assert of(judgment, APPROVE).status == "superseded"


def test_facts_lie_in_the_order_of_their_times_whatever_their_arrival() -> None:
    assert judge(RETURN, APPROVE, RECEIVE).dossier.state == "returned"


def test_at_one_time_the_rank_of_the_source_decides_before_its_sequence() -> None:
    receive, approve = (
        act("receive", 0, source="gate", sequence=9),
        act("approve", 0, source="desk", sequence=1),
    )
    ranks = {"gate": SourceOrder(rank=0), "desk": SourceOrder(rank=1)}

    assert judge(approve, receive, sources=ranks).dossier.state == "approved"


def test_at_one_time_and_rank_the_sequence_decides() -> None:
    receive, approve = act("receive", 0, sequence=1, id="z"), act("approve", 0, sequence=2, id="a")

    judgment = judge(approve, receive)

    assert judgment.dossier.state == "approved"
    assert not judgment.dossier.order_assumed


def test_a_source_of_order_sequence_takes_effect_at_the_latest_time_so_far() -> None:
    receive, approve = act("receive", 3, sequence=1), act("approve", 1, sequence=2)
    judgment = judge(approve, receive, sources={"gate": SourceOrder(order="sequence")})

    assert judgment.dossier.state == "approved"
    assert judgment.dossier.since == NINE + timedelta(hours=3)


def test_an_order_that_rests_on_the_id_alone_is_marked() -> None:
    receive, approve = act("receive", 0, id="a"), act("approve", 0, id="b")
    judgment = judge(approve, receive)

    assert [o.order_assumed for o in judgment.outcomes] == [False, True]
    assert judgment.dossier.order_assumed


def test_facts_that_take_effect_after_the_valid_time_have_no_outcome() -> None:
    judgment = judge(RECEIVE, APPROVE, valid_at=NINE + timedelta(minutes=59))

    assert judgment.facts == [RECEIVE]
    assert judge(RECEIVE, APPROVE, valid_at=NINE + timedelta(hours=1)).dossier.state == "approved"


def test_the_valid_time_cuts_no_void() -> None:
    assert judge(RECEIVE, void(RECEIVE, 9), valid_at=NINE).dossier.state == "new"
