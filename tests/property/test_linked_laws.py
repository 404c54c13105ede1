"""The laws of linked dossiers, held on random histories told under several codes, and against a naive model."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from oracle import naive_links
from oracle.agreement import differences, rules_of
from searching import examples
from strategies_facts import START, SUBJECT, Case, case

from workflow.facts import Fact, Linked, Voided
from workflow.fold import fold, judgment_bytes
from workflow.links import Story, stories

if TYPE_CHECKING:
    from workflow.facts import LinkKind
    from workflow.rules import Rules

CODES = ("C1", "C2", "C3", "C4")
KINDS: tuple[LinkKind, ...] = ("new_code", "new_code", "reopened_as", "reopened_as", "split", "duplicate_of")
thorough = settings(max_examples=examples(200))
seeds = st.integers(0, 2**32)
moments = st.none() | st.integers(-3, 22).map(lambda hours: START + timedelta(hours=hours))


def linked(seed: int) -> Case:
    """A random history told under up to four codes, which links join now and then; some links are voided."""
    rng = Random(seed)
    one = case(rng)
    home: dict[str, str] = {}
    facts = []
    for fact in one.facts:
        body = fact.body
        key = body.target_id if isinstance(body, Voided) and rng.random() < 0.8 else fact.id
        facts.append(replace(fact, subject=home.setdefault(key, rng.choice(CODES[:3]))))
    for number in range(rng.randrange(5)):
        subject, other = rng.sample(CODES, 2)
        facts.append(_told(rng, subject, f"l{number}", Linked(kind=rng.choice(KINDS), other=other)))
        if rng.random() < 0.25:
            facts.append(_told(rng, subject, f"v{number}", Voided(target_id=f"l{number}", reason="mistyped")))
    facts = list({(fact.subject, fact.source, fact.id, fact.revision): fact for fact in facts}.values())
    rng.shuffle(facts)
    return Case(one.revision, one.sources, facts)


def _told(rng: Random, subject: str, name: str, body: Any) -> Fact:
    at = START + timedelta(hours=rng.randrange(20))
    recorded_at = at + timedelta(minutes=30 * rng.randrange(20))
    return Fact(subject, "links", name, at, body, rng.randrange(9), 0, None, recorded_at)


def found(
    rules: Rules, facts: list[Fact], known_at: datetime | None, valid_at: datetime | None
) -> list[Story]:
    told = {code: [fact for fact in facts if fact.subject == code] for code in {f.subject for f in facts}}
    return stories(rules.sources, told, known_at=known_at, valid_at=valid_at)


@thorough
@given(seeds, moments, moments)
def test_the_stories_are_those_of_the_naive_model(
    seed: int, known_at: datetime | None, valid_at: datetime | None
) -> None:
    one = linked(seed)

    engine = found(rules_of(one.revision, one.sources), one.facts, known_at, valid_at)

    assert [list(story.codes) for story in engine] == naive_links.stories(
        one.facts, one.sources, known_at, valid_at
    )


@thorough
@given(seeds, moments, moments)
def test_a_story_is_judged_as_the_naive_model_judges_it(
    seed: int, known_at: datetime | None, valid_at: datetime | None
) -> None:
    one = linked(seed)
    for story in found(rules_of(one.revision, one.sources), one.facts, known_at, valid_at):
        together = [fact for fact in one.facts if fact.subject in story.codes]
        if together:
            assert (
                differences(one.revision, one.sources, together, known_at=known_at, valid_at=valid_at) == {}
            )


@thorough
@given(seeds, st.randoms(use_true_random=False))
def test_order_and_repetition_of_linked_facts_do_not_matter(seed: int, rng: Random) -> None:
    one = linked(seed)
    rules = rules_of(one.revision, one.sources)
    mixed = one.facts + [rng.choice(one.facts) for _ in range(rng.randrange(4))]
    rng.shuffle(mixed)

    before, after = (found(rules, facts, None, None) for facts in (one.facts, mixed))
    assert before == after
    for story in before:
        one_way, other_way = (
            [fact for fact in facts if fact.subject in story.codes] for facts in (one.facts, mixed)
        )
        if one_way:
            assert judgment_bytes(fold(rules, story.head, one_way)) == judgment_bytes(
                fold(rules, story.head, other_way)
            )


def test_a_history_of_one_code_has_one_story() -> None:
    one = case(Random(5))

    assert found(rules_of(one.revision, one.sources), one.facts, None, None) == [Story(SUBJECT)]
