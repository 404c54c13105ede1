"""Many thousand random histories: the fold against its naive model and its laws, from one seed.

`python -m tests.bench fold_laws [--cases=N] [--seed=S]` prints cases and seconds. At the first difference it prints
the counter-example, with every fact taken out that it does not need, and exits 1.
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import timedelta
from pathlib import Path
from pprint import pformat
from random import Random
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "property"))

import msgspec
from machine import machine, on_all_cores
from oracle.agreement import differences, rules_of
from strategies_clocks import clocked_case
from strategies_facts import START, SUBJECT, Case, case

from workflow.fold import advance, fold, judgment_bytes, sorts_last, start

if TYPE_CHECKING:
    from collections.abc import Callable

    from workflow.facts import Fact

    Law = Callable[[Case, list[Fact], Random], object]

CASES = 25_000
SHARE = 250
SEED = 20_260_101


def agreement(one: Case, facts: list[Fact], rng: Random) -> object:
    """What the model says otherwise, at two random times."""
    known_at, valid_at = (
        START + timedelta(hours=rng.randint(-3, 22)) if rng.random() < 0.3 else None for _ in "kv"
    )
    return differences(one.revision, one.sources, facts, known_at=known_at, valid_at=valid_at)


def order_and_repetition(one: Case, facts: list[Fact], rng: Random) -> object:
    """Both judgments, where a shuffled and repeated history is judged otherwise."""
    rules = rules_of(one.revision, one.sources)
    shuffled = facts + [rng.choice(facts) for _ in range(rng.randrange(4))]
    rng.shuffle(shuffled)
    both = [judgment_bytes(fold(rules, SUBJECT, told)) for told in (facts, shuffled)]
    return [] if both[0] == both[1] else both


def one_at_a_time(one: Case, facts: list[Fact], _rng: Random) -> object:
    """The fact after which an advanced dossier is another than the folded one, with both."""
    rules = rules_of(one.revision, one.sources)
    told = sorted(
        {(f.source, f.id, f.revision): f for f in facts}.values(), key=lambda f: (f.occurred_at, f.sequence)
    )
    dossier = start(rules, SUBJECT)
    for number, fact in enumerate(told, start=1):
        folded = fold(rules, SUBJECT, told[:number]).dossier
        if sorts_last(rules, dossier, fact):
            advanced, _ = advance(rules, dossier, fact)
            both = [msgspec.json.encode(value, order="sorted") for value in (advanced, folded)]
            if both[0] != both[1]:
                return [fact.id, *both]
        dossier = folded
    return []


MODELLED: tuple[Law, ...] = (agreement, order_and_repetition, one_at_a_time)
UNMODELLED: tuple[Law, ...] = (order_and_repetition, one_at_a_time)


def broken_law(number: int, seed: int) -> dict[str, Any] | None:
    """The first law that a case breaks, with the fewest facts that break it."""
    clocked = number % 4 == 0
    name = f"{seed}/{number}"
    one = (clocked_case if clocked else case)(Random(name))
    for law in UNMODELLED if clocked else MODELLED:
        if law(one, one.facts, Random(name)):
            facts = fewest(one, law, name)
            found = law(one, facts, Random(name))
            return {
                "case": name,
                "law": law.__name__,
                "found": found,
                "facts": facts,
                "procedure": one.revision,
            }
    return None


def first_broken(share: tuple[int, int, int]) -> str | None:
    """The first broken law of a share of the cases (seed, first, end), spelled out."""
    seed, first, end = share
    broken = next(filter(None, (broken_law(number, seed) for number in range(first, end))), None)
    return None if broken is None else pformat(broken, width=110)


def fewest(one: Case, law: Law, name: str) -> list[Fact]:
    """The facts of a case without those the difference does not need."""
    facts, index = list(one.facts), 0
    while index < len(facts):
        without = facts[:index] + facts[index + 1 :]
        if without and law(one, without, Random(name)):
            facts, index = without, 0
        else:
            index += 1
    return facts


def main() -> int:
    """Exit status 1 at the first broken law."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args()
    began = time.perf_counter()
    print(machine())
    shares = [(asked.seed, first, min(first + SHARE, asked.cases)) for first in range(0, asked.cases, SHARE)]
    for broken in on_all_cores(first_broken, shares):
        if broken is not None:
            print(f"fold laws: seed {asked.seed} breaks a law")
            print(broken)
            return 1
    seconds = time.perf_counter() - began
    print(f"fold laws: seed {asked.seed}, {asked.cases:,} cases, all agree, {seconds:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
