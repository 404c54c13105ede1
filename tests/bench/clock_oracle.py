"""A million random clocks: the product against the walk of `tests/oracle`, from one seed.

`python -m tests.bench clock_oracle [--cases=N] [--seed=S]` prints cases, agreements and seconds. All cores share the
calendars; the cases, and what is said of them, are the same on any number. At the first difference it prints the
counter-example in full, with everything taken out that it does not need, and exits 1.
"""

from __future__ import annotations

import argparse
import sys
import time
from itertools import islice
from pathlib import Path
from pprint import pformat
from random import Random
from typing import TYPE_CHECKING, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from machine import machine, on_all_cores
from oracle.questions import benchmark_differences, differences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oracle.questions import Difference

CASES = 1_000_000
CASES_A_CALENDAR = 2_000
SEED = 20_260_101
SLIPS_EVERY = 20
"""Of so many calendars one is asked about printed dates."""


class Batch(NamedTuple):
    """The cases of one calendar: they follow from the seed and their place alone."""

    seed: int
    first: int
    number: int


def run(cases: int = CASES, seed: int = SEED) -> tuple[int, str | None]:
    """How many cases agreed, and the first that did not, if any, spelled out."""
    batches = [
        Batch(seed, first, min(CASES_A_CALENDAR, cases - first))
        for first in range(0, cases, CASES_A_CALENDAR)
    ]
    agreed = 0
    for here, difference in on_all_cores(agreeing, batches):
        agreed += here
        if difference is not None:
            return agreed, difference
    return agreed, None


def agreeing(batch: Batch) -> tuple[int, str | None]:
    """As `run`, of one batch."""
    rnd = Random(f"{batch.seed}/{batch.first}")
    printed = batch.first // CASES_A_CALENDAR % SLIPS_EVERY == 0
    asked = slips(rnd, batch.number) if printed else differences(rnd, batch.number)
    agreed = 0
    for difference in asked:
        if difference is not None:
            return agreed, pformat(difference._asdict(), width=110)
        agreed += 1
    return agreed, None


def slips(rnd: Random, number: int) -> Iterator[Difference | None]:
    """The answers on so many dossiers with printed dates."""
    return islice(benchmark_differences(rnd, number), number)


def main() -> int:
    """Exit status 1 where the two sides differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args()
    began = time.perf_counter()
    agreed, difference = run(asked.cases, asked.seed)
    seconds = time.perf_counter() - began
    tried = agreed + (difference is not None)
    print(machine())
    print(f"clock oracle: seed {asked.seed}, {tried:,} cases, {agreed:,} agree, {seconds:.1f} s")
    if difference is None:
        return 0
    print(difference)
    return 1


if __name__ == "__main__":
    sys.exit(main())
