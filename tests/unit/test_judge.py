"""A dossier judged whole, held against the rules its facts ask for and the fold, each asked by itself."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import month
from msgspec.structs import replace

from workflow.facts import Acted, Voided
from workflow.fold import fold, judgment_bytes
from workflow.judge import judge, named

if TYPE_CHECKING:
    from workflow.facts import Fact

SEED = 7


def taken_back(fact: Fact) -> list[Fact]:
    """The same act told before of another procedure, and that it never took place."""
    assert isinstance(fact.body, Acted)
    wrong = replace(fact, id=f"{fact.id}/wrong", body=replace(fact.body, procedure="certificate-exchange"))
    void = Voided(target_id=wrong.id, reason="told of another dossier")
    return [wrong, replace(fact, id=f"{fact.id}/void", body=void)]


def histories(number: int) -> dict[str, list[list[Fact]]]:
    """Each dossier's facts as they were sent, with repetitions in another order, and with an act taken back."""
    rng = Random(SEED)
    sent: dict[str, list[Fact]] = {}
    for fact in month.facts(month.catalogue(), number, seed=SEED):
        sent.setdefault(fact.subject, []).append(fact)
    found = {}
    for subject, facts in sent.items():
        repeated = [*facts, *facts[:3]]
        first = next(fact for fact in facts if isinstance(fact.body, Acted))
        found[subject] = [facts, rng.sample(repeated, len(repeated)), taken_back(first) + facts]
    return found


def test_a_dossier_judged_whole_is_folded_by_the_rules_its_facts_ask_for() -> None:
    known, as_rows = month.catalogue(), 0
    for subject, each in histories(120).items():
        rules = known.rules_for(each[0])
        for facts in each:
            expected = fold(rules, subject, facts)
            judgment, code = judge(known, subject, facts)

            assert judgment_bytes(judgment) == judgment_bytes(expected)
            assert list(judgment.facts) == list(expected.facts)
            assert judgment.rules is expected.rules
            assert code == named(expected.facts)
            as_rows += not judgment.dossier.corrected

    assert 120 < as_rows < 3 * 120
