"""The laws of judging, held on random procedures and histories, and against a naive model of the fold."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import assume, example, given, reject, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from oracle.agreement import as_plain, differences, rules_of
from searching import examples
from strategies_clocks import chain, clocked_cases
from strategies_facts import START, SUBJECT, Case, case, cases, first_facts
from strategies_procedures import with_pauses

from workflow.alerts.lateness import source_of
from workflow.errors import OutOfOrder
from workflow.factrows import FactRows, as_rows, in_time
from workflow.facts import Acted, Fact, Opened, Voided
from workflow.fold import advance, fold, follow, judgment_bytes, left_alone, passed, sorts_last, start, trail
from workflow.procedure.language import Action, Anchor, Binds, Counting, Limit, Move
from workflow.rules import compile_rules
from workflow.situations import Situations
from workflow.verdict import verdict

if TYPE_CHECKING:
    from datetime import datetime

    from workflow.fold import Judgment
    from workflow.model import Dossier, Outcome
    from workflow.rules import Rules
    from workflow.situations import Course
    from workflow.verdict import Verdict

thorough = settings(max_examples=examples(250))
brief = settings(max_examples=examples(100))
moments = st.none() | st.integers(-3, 22).map(lambda hours: START + timedelta(hours=hours))


def judged(rules: Rules, facts: list[Fact], *, known_at: datetime | None = None) -> Judgment:
    return fold(rules, SUBJECT, facts, known_at=known_at)


def encoded(dossier: Dossier) -> bytes:
    return msgspec.json.encode(dossier, order="sorted")


def identity(fact: Fact) -> tuple[str, str, int]:
    return fact.source, fact.id, fact.revision


def without_repetitions(facts: list[Fact]) -> list[Fact]:
    return list({identity(fact): fact for fact in facts}.values())


def acts_in_order(one: Case) -> FactRows:
    """The acts of a case as rows of one source, each later than the one before in its sequence."""
    told = [fact for fact in one.facts if isinstance(fact.body, Acted)]
    if not told:
        reject()
    rows = FactRows(SUBJECT, told[0].source, shared=True)
    times = sorted(fact.occurred_at for fact in told)
    rows.rows = [
        (at, fact.body, str(number), number)
        for number, (at, fact) in enumerate(zip(times, told, strict=True))
        if isinstance(fact.body, Acted)
    ]
    return rows


# The model


@thorough
@given(cases())
def test_a_fold_says_what_the_naive_model_says(one: Case) -> None:
    assert differences(one.revision, one.sources, one.facts) == {}


@thorough
@given(cases(), moments, moments)
def test_a_fold_at_two_times_says_what_the_naive_model_says(
    one: Case, known_at: datetime | None, valid_at: datetime | None
) -> None:
    assert differences(one.revision, one.sources, one.facts, known_at=known_at, valid_at=valid_at) == {}


@thorough
@given(cases(), st.integers(0, 2**32))
def test_pauses_begin_and_end_as_the_naive_model_says(one: Case, seed: int) -> None:
    revision = with_pauses(Random(seed), one.revision)
    assert differences(revision, one.sources, one.facts) == {}


@brief
@given(st.integers(0, 2**32))
def test_seeded_histories_agree_with_the_model_too(seed: int) -> None:
    """A true Random reaches mixtures that a shrinkable one seldom draws."""
    for number in range(4):
        one = case(Random(seed + number))
        assert differences(one.revision, one.sources, one.facts) == {}


@thorough
@given(cases() | clocked_cases(), st.booleans())
@example(first_facts(case(Random(1697)), 9), True)  # noqa: FBT003 - as above
def test_what_equal_situations_have_shown_is_what_the_fold_finds(one: Case, closes: bool) -> None:  # noqa: FBT001
    """Each prefix is a dossier, at the times it has and an hour apart: what was learned at one time holds at others."""
    rules, rows = rules_of(one.revision, one.sources), acts_in_order(one)
    situations = Situations(rules)
    apart = [
        (at + hour * timedelta(hours=1), act, id_, n) for hour, (at, act, id_, n) in enumerate(rows.rows)
    ]
    for told in (rows.rows, apart, rows.rows):
        for length in range(1, len(told) + 1):
            known = FactRows(SUBJECT, rows.source, rows=told[:length], shared=True)
            course = situations.course(known, closes=closes)
            if course is not None:
                judgment = fold(rules, SUBJECT, known)
                assert set(course.broken) == {
                    *judgment.dossier.broken.items(),
                    *verdict(judgment, closes=closes).broken,
                }
                _same_end(course, judgment, verdict(judgment, closes=closes))


def _same_end(course: Course, judgment: Judgment, end: Verdict) -> None:
    assert (course.ended_at, course.late) == (end.ended_at, end.late)
    if course.dossier is not None:
        told = {"subject", "last_key", "streams", "officer", "broken", "missed", "steps_told"}
        whole = judgment.dossier
        for name in set(whole.__struct_fields__) - told:
            assert getattr(course.dossier, name) == getattr(whole, name), name


def test_random_procedures_do_have_situations_to_learn_from() -> None:
    """Else the law above would hold for want of cases."""
    lengths = []
    for one in (case(Random(seed)) for seed in range(60)):
        if any(isinstance(fact.body, Acted) for fact in one.facts):
            rows, situations = acts_in_order(one), Situations(rules_of(one.revision, one.sources))
            known = [
                FactRows(SUBJECT, rows.source, rows=rows.rows[:n], shared=True) for n in range(1, len(rows))
            ]
            courses = [situations.course(each, closes=True) for each in known]
            lengths.append(sum(course is not None and bool(course.broken) for course in courses))

    assert sum(length >= 4 for length in lengths) >= 10


def test_a_later_act_of_a_count_that_was_met_is_late_in_no_situation() -> None:
    hour = timedelta(hours=1)
    one = chain(2)
    bound = Limit(counts="hours", within=1, binds=Binds(action="pay"), starts=Anchor(action="a0"))
    revision = replace(
        one,
        actions={**one.actions, "pay": Action(moves=(Move(sources=("s1",)),))},
        counting={"hours": Counting(unit="elapsed_hours", reaching="in_time")},
        limits={"prompt": bound},
    )
    rules, begin, pay = compile_rules(revision), Acted(action="a0"), Acted(action="pay")
    for times, broken in (((0, 1, 5), ()), ((0, 2, 5), (("prompt", "deadline"),) * 2)):
        told = [(START + n * hour, act, str(n), n) for n, act in zip(times, (begin, pay, pay), strict=True)]
        rows = FactRows(SUBJECT, "desk", rows=told, shared=True)
        course = Situations(rules).course(rows, closes=False)
        assert course is not None
        assert set(course.broken) == set(fold(rules, SUBJECT, rows).dossier.broken.items())
        assert set(course.broken) == set(broken)


@thorough
@given(cases() | clocked_cases(), st.randoms(use_true_random=False))
def test_acts_in_order_come_to_the_same_folded_followed_and_gone_through(one: Case, rng: Random) -> None:
    """Each way has a short cut of its own for them; shuffled acts are put in order first."""
    rules, facts = rules_of(one.revision, one.sources), list(acts_in_order(one))
    judgment, stages = judged(rules, facts), trail(rules, SUBJECT, facts)
    shuffled, cut = rng.sample(facts, len(facts)), rng.randrange(len(facts))
    followed = follow(rules, stages[cut].dossier, facts[cut + 1 :])

    assert judgment_bytes(judged(rules, shuffled)) == judgment_bytes(judgment)
    assert as_rows(in_time(shuffled)) == facts
    assert [stage.outcome for stage in stages] == list(judgment.outcomes)
    assert encoded(stages[-1].dossier) == encoded(judgment.dossier)
    assert followed is not None
    assert encoded(followed[0]) == encoded(judgment.dossier)
    assert followed[1] == list(judgment.outcomes)[cut + 1 :]


@thorough
@given(cases())
def test_what_is_gone_through_step_by_step_is_what_is_folded(one: Case) -> None:
    rules = rules_of(one.revision, one.sources)
    stages = trail(rules, SUBJECT, one.facts)

    assert [stage.outcome for stage in stages] == list(judged(rules, one.facts).outcomes)[: len(stages)]


@thorough
@given(cases() | clocked_cases(), st.sets(st.integers(0, 40)))
def test_what_is_passed_is_the_trail_around_the_facts_asked_for(one: Case, asked: set[int]) -> None:
    """Told apart by their names, as facts of one identity are one fact. What was left alone before one is the same but
    for what no date hangs on, and told of by the same source."""
    rules = rules_of(one.revision, one.sources)
    for facts in (one.facts, list(acts_in_order(one))):
        names = {fact.id for number, fact in enumerate(facts) if number in asked}
        found = list(passed(rules, SUBJECT, facts, lambda fact, _, names=names: fact.id in names))  # type: ignore[misc]
        expected = [
            (before.dossier, after.dossier, after.outcome)
            for before, after in pairwise(trail(rules, SUBJECT, facts))
            if after.placed.fact.id in names and not left_alone(before.dossier, after.dossier, after.outcome)
        ]

        assert [one[1:] for one in found] == [one[1:] for one in expected]
        assert [unmarked(one[0]) for one in found] == [unmarked(one[0]) for one in expected]
        assert [source_of(one[0]) for one in found] == [source_of(one[0]) for one in expected]


def unmarked(dossier: Dossier) -> Dossier:
    undated: dict[str, Any] = {"streams": {}, "broken": {}, "actors": {}, "counts": [], "missed": ()}
    return replace(dossier, last_key=None, order_assumed=False, steps_told=False, **undated)


# Order and repetition do not matter


@thorough
@given(cases() | clocked_cases(), st.randoms(use_true_random=False))
def test_any_permutation_and_repetition_gives_the_same_bytes(one: Case, rng: Random) -> None:
    rules = rules_of(one.revision, one.sources)
    shuffled = one.facts + [rng.choice(one.facts) for _ in range(rng.randrange(4))]
    rng.shuffle(shuffled)

    assert judgment_bytes(judged(rules, shuffled)) == judgment_bytes(judged(rules, one.facts))


@brief
@given(cases(), st.randoms(use_true_random=False))
def test_recorded_times_never_change_an_outcome(one: Case, rng: Random) -> None:
    rules, facts = rules_of(one.revision, one.sources), without_repetitions(one.facts)
    later = [replace(fact, recorded_at=START + timedelta(hours=rng.randrange(99))) for fact in facts]

    assert judgment_bytes(judged(rules, later)) == judgment_bytes(judged(rules, facts))


def test_hash_seed_and_time_zone_of_the_machine_never_change_a_byte() -> None:
    """Sets and local times would show here."""
    here = Path(__file__).parent
    program = (
        "import hashlib; from random import Random; from strategies_facts import SUBJECT, case;"
        "from oracle.agreement import rules_of; from workflow.fold import fold, judgment_bytes;"
        "every = [case(Random(seed)) for seed in range(30)];"
        "folded = [fold(rules_of(c.revision, c.sources), SUBJECT, c.facts) for c in every];"
        "print(hashlib.sha256(b''.join(map(judgment_bytes, folded))).hexdigest())"
    )
    said = set()
    for seed, zone in (("1", "Asia/Ho_Chi_Minh"), ("2", "America/New_York")):
        path = os.pathsep.join(map(str, (here, here.parent, here.parent.parent)))
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "PYTHONPATH": path}
        run = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        said.add(run.stdout)

    assert len(said) == 1


# One at a time


@thorough
@given(cases() | clocked_cases(), st.booleans())
def test_advancing_one_by_one_equals_folding_every_prefix(one: Case, by_time: bool) -> None:  # noqa: FBT001
    rules = rules_of(one.revision, one.sources)
    facts = without_repetitions(one.facts)
    if by_time:
        facts.sort(key=lambda fact: (fact.occurred_at, fact.sequence))
    dossier = start(rules, SUBJECT)
    before: dict[tuple[str, str, int], Outcome] = {}
    for number, fact in enumerate(facts, start=1):
        folded = fold(rules, SUBJECT, facts[:number])
        said = {identity(f): o for f, o in zip(folded.facts, folded.outcomes, strict=True)}
        if sorts_last(rules, dossier, fact):
            untouched = encoded(dossier)
            after, outcome = advance(rules, dossier, fact)
            assert encoded(dossier) == untouched
            assert encoded(after) == encoded(folded.dossier)
            assert {**before, identity(fact): outcome} == said
        else:
            with pytest.raises(OutOfOrder, match=fact.id):
                advance(rules, dossier, fact)
        dossier, before = folded.dossier, said


@brief
@given(cases())
def test_acts_of_one_source_in_rising_order_always_sort_last(one: Case) -> None:
    """Else the law above would hold for want of cases."""
    rules = rules_of(one.revision, one.sources)
    acts = [fact for fact in one.facts if isinstance(fact.body, Acted)]
    dossier = start(rules, SUBJECT)
    for number, fact in enumerate(acts):
        told = replace(
            fact,
            source="gate",
            id=f"n{number}",
            occurred_at=START + timedelta(hours=number),
            sequence=number,
            revision=0,
        )
        assert sorts_last(rules, dossier, told)
        dossier, _ = advance(rules, dossier, told)


@brief
@given(cases())
def test_a_repetition_never_sorts_last(one: Case) -> None:
    rules = rules_of(one.revision, one.sources)
    dossier = judged(rules, one.facts).dossier

    assert not any(sorts_last(rules, dossier, fact) for fact in one.facts)


# Corrections


def corrected_by(target: Fact, name: str, *, hours: int) -> Fact:
    return Fact(
        subject=SUBJECT,
        source=target.source,
        id=name,
        occurred_at=target.occurred_at + timedelta(hours=hours),
        body=Voided(target_id=target.id, reason="mistyped"),
    )


def uncorrected(one: Case) -> tuple[Rules, list[Fact]]:
    """The facts of a case without its voids, from sources that may void what they told."""
    facts = [fact for fact in without_repetitions(one.facts) if not isinstance(fact.body, Voided)]
    assume(facts)
    sources = {name: {**how, "voids": "own"} for name, how in one.sources.items()}
    return rules_of(one.revision, sources), facts


def told_of(judgment: Judgment, *, but: tuple[str, ...]) -> dict[str, object]:
    """The judgment without the outcomes of certain facts."""
    plain = as_plain(judgment)
    kept = [(i, o) for i, o in zip(plain["facts"], plain["outcomes"], strict=True) if i[1] not in but]
    return {**plain, "facts": [i for i, _ in kept], "outcomes": [o for _, o in kept]}


@brief
@given(cases(), st.integers(0, 99), st.integers(-30, 30))
def test_a_void_told_of_before_or_after_its_target_does_the_same(one: Case, pick: int, hours: int) -> None:
    rules, facts = uncorrected(one)
    target = facts[pick % len(facts)]
    void, late_void = corrected_by(target, "v", hours=hours), corrected_by(target, "v", hours=50)
    others = [fact for fact in facts if fact.id != target.id]

    early = judged(rules, [void, *facts])
    late = judged(rules, [*facts, late_void])

    assert told_of(early, but=("v",)) == told_of(late, but=("v",))
    assert told_of(early, but=("v", target.id)) == told_of(judged(rules, others), but=())
    assert {o.status for f, o in zip(early.facts, early.outcomes, strict=True) if f.id == target.id} == {
        "voided"
    }


@brief
@given(cases(), st.integers(0, 99))
def test_a_void_of_a_void_restores(one: Case, pick: int) -> None:
    rules, facts = uncorrected(one)
    void = corrected_by(facts[pick % len(facts)], "v", hours=1)
    restored = judged(rules, [corrected_by(void, "w", hours=1), void, *facts])

    statuses = {f.id: o.status for f, o in zip(restored.facts, restored.outcomes, strict=True)}
    assert told_of(restored, but=("v", "w")) == told_of(judged(rules, facts), but=())
    assert (statuses["v"], statuses["w"]) == ("voided", "applied")


@brief
@given(cases(), st.integers(0, 99))
def test_what_was_known_before_a_void_came_is_as_if_it_never_did(one: Case, pick: int) -> None:
    rules, facts = uncorrected(one)
    facts = [replace(fact, recorded_at=START) for fact in facts]
    void = corrected_by(facts[pick % len(facts)], "v", hours=-1)
    told_later = replace(void, recorded_at=START + timedelta(hours=1))

    known = judged(rules, [*facts, told_later], known_at=START)

    assert judgment_bytes(known) == judgment_bytes(judged(rules, facts))


# Late, early and lost facts


def told(actions: list[str], *, missing: int | None = None) -> list[Fact]:
    """One act an hour, but for the missing one."""
    return [
        Fact(
            subject=SUBJECT,
            source="gate",
            id=f"f{number}",
            occurred_at=START + timedelta(hours=number),
            body=Acted(action=action),
            sequence=number,
        )
        for number, action in enumerate(actions)
        if number != missing
    ]


@brief
@given(st.integers(2, 7), st.data())
def test_an_early_event_that_was_refused_is_applied_once_its_predecessor_arrives(
    length: int, data: st.DataObject
) -> None:
    revision = chain(length)
    rules, actions = compile_rules(revision), list(revision.actions)
    missing = data.draw(st.integers(0, length - 2))
    whole = told(actions)

    early = fold(rules, SUBJECT, told(actions, missing=missing))
    complete = fold(rules, SUBJECT, [*told(actions, missing=missing), whole[missing]])

    assert [o.status for o in early.outcomes] == ["applied"] * missing + ["refused"] * (length - 1 - missing)
    assert [o.status for o in complete.outcomes] == ["applied"] * length
    assert complete.dossier.state == f"s{length}"


@brief
@given(st.integers(2, 7), st.data())
def test_a_step_lost_before_a_milestone_leaves_the_dossier_where_the_milestone_leads(
    length: int, data: st.DataObject
) -> None:
    revision = chain(length, last="returned")
    rules, actions = compile_rules(revision), list(revision.actions)
    missing = data.draw(st.integers(0, length - 2))

    judgment = fold(rules, SUBJECT, told(actions, missing=missing))

    rule = f"order/{actions[-1]}/s{missing}"
    assert judgment.dossier.state == f"s{length}"
    assert judgment.dossier.ended_at == START + timedelta(hours=length - 1)
    assert judgment.outcomes[-1].status == "applied"
    assert [(v.rule, v.kind) for v in judgment.outcomes[-1].violations] == [(rule, "order")]


@brief
@given(cases())
def test_what_lies_before_an_opening_balance_is_not_judged(one: Case) -> None:
    opening = Fact(
        subject=SUBJECT,
        source="gate",
        id="balance",
        occurred_at=START + timedelta(days=9),
        body=Opened(state=one.revision.initial),
        sequence=99,
    )
    facts = [fact for fact in one.facts if not isinstance(fact.body, Opened)]
    sources = {name: {**how, "order": "time"} for name, how in one.sources.items()}
    rules = rules_of(one.revision, sources)

    judgment = fold(rules, SUBJECT, [*facts, opening])

    placed = [
        o for f, o in zip(judgment.facts, judgment.outcomes, strict=True) if not isinstance(f.body, Voided)
    ]
    assert {o.status for o in placed} <= {"not_judged", "applied", "voided", "superseded"}
    assert sum(o.status == "applied" for o in placed) == 1
    assert judgment.dossier.state == one.revision.initial
