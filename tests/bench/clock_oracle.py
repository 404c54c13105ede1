"""A million random clocks: the product against the walk of `tests/oracle`, from one seed.

`python tests/bench/clock_oracle.py [--cases N] [--seed S]` prints cases, agreements and seconds. At the first
difference it prints the counter-example in full, with everything taken out that it does not need, and exits 1.
"""

from __future__ import annotations

import argparse
import sys
import time
from itertools import islice
from pathlib import Path
from pprint import pformat
from random import Random
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from oracle.questions import Difference, benchmark_differences, differences

if TYPE_CHECKING:
    from collections.abc import Iterator

CASES = 1_000_000
CASES_A_CALENDAR = 2_000
SEED = 20_260_101
SLIPS_EVERY = 20
"""Of so many calendars one is asked about printed dates."""


def run(cases: int = CASES, seed: int = SEED) -> tuple[int, Difference | None]:
    """How many cases agreed, and the first that did not, if any."""
    agreed = 0
    while agreed < cases:
        rnd = Random(f"{seed}/{agreed}")
        batch, number = agreed // CASES_A_CALENDAR, min(CASES_A_CALENDAR, cases - agreed)
        asked = slips(rnd, number) if batch % SLIPS_EVERY == 0 else differences(rnd, number)
        for difference in asked:
            if difference is not None:
                return agreed, difference
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
    print(f"clock oracle: seed {asked.seed}, {tried:,} cases, {agreed:,} agree, {seconds:.1f} s")
    if difference is None:
        return 0
    print(pformat(difference._asdict(), width=110))
    return 1


if __name__ == "__main__":
    sys.exit(main())
