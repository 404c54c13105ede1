"""A thousand facts of one dossier, shuffled, against the same in order: each batch folds the dossier once at most.

`python -m tests.bench hot_dossier [--batch=N] [--rounds=N]`, on SQLite. It ends with 1 where shuffled facts cost more
than twice those in order, where a batch folded twice, or where the two judgments differ.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import month

from consumers.apply import apply
from workflow.catalogue import Catalogue
from workflow.cli.main import COLLECT_AFTER
from workflow.cli.running import settled
from workflow.facts import Acted, Fact
from workflow.procedure.language import Action, Anchor, Binds, Counting, Limit, Move, Names, Revision, State
from workflow.store.opening import open_store

FACTS, BATCH, ROUNDS, RATIO_MAX = 1_000, 250, 7, 2.0
START = datetime(2025, 3, 3, 1, tzinfo=UTC)


def catalogue() -> Catalogue:
    """One procedure in which a dossier may be noted upon without end, due in eight hours."""
    counting = {"hours": Counting(unit="elapsed_hours", reaching="in_time")}
    due = Limit(
        counts="hours", within=8, binds=Binds(end="any"), starts=Anchor(action="receive"), date="committed"
    )
    return Catalogue(
        [
            Revision(
                procedure="generic",
                generic=True,
                revision="1",
                name=Names(vi="Mẫu", en="Sample"),
                figures="sample",
                zone="UTC",
                initial="new",
                states={"new": State(), "open": State(), "closed": State(final=True)},
                actions={
                    "receive": Action(moves=(Move(sources=("new",), to="open"),), milestone="received"),
                    "note": Action(moves=(Move(sources=("open",)),)),
                    "close": Action(moves=(Move(sources=("open",), to="closed"),), milestone="returned"),
                },
                counting=counting,
                limits={"all": due},
            )
        ]
    )


def facts() -> list[Fact]:
    """Received, then noted upon again and again."""
    acts = ["receive", *["note"] * (FACTS - 1)]
    return [
        Fact("HOT", "gate", str(number), START + timedelta(minutes=number), Acted(action=act), number)
        for number, act in enumerate(acts, 1)
    ]


def applied(told: list[Fact], size: int, where: Path) -> tuple[float, int, bytes]:
    """Seconds of computing (not of waiting for the disk), how often the dossier was folded anew, and its judgment."""
    store, known, refolded = open_store(where), catalogue(), 0
    batches = list(zip(month.batches(month.messages(told), size), month.sent(told, size), strict=True))
    began = time.process_time()
    for lines, now in batches:
        refolded += apply(store, known, month.decoded(lines), now=now).refolded
    took = time.process_time() - began
    with store.reading() as reading:
        (row,) = reading.dossiers()
    store.close()
    return took, refolded, row.judgment


def main() -> int:
    """Measures, prints, and says whether the bound holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=BATCH)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    asked = parser.parse_args()
    gc.set_threshold(COLLECT_AFTER)
    settled()  # as the worker does, so that neither side pays for a look through all there is
    ordered = facts()
    shuffled = Random(1).sample(ordered, len(ordered))
    ratios, folds, different = [], 0, False
    with tempfile.TemporaryDirectory() as folder:
        for number in range(asked.rounds):
            plain = applied(ordered, asked.batch, Path(folder) / f"{number}a.db")
            mixed = applied(shuffled, asked.batch, Path(folder) / f"{number}b.db")
            ratios.append(mixed[0] / plain[0])
            folds = mixed[1]
            different = different or plain[2] != mixed[2]
    batches = -(-FACTS // asked.batch)
    print(f"{month.heading()}, {FACTS:,} facts in batches of {asked.batch}, {asked.rounds} rounds")
    print(
        f"shuffled costs {month.spread(ratios)} of in order, bound {RATIO_MAX}; {folds} folds in {batches} batches"
    )
    missed = statistics.median(ratios) > RATIO_MAX or folds > batches or different
    print(f"missed: {'yes' if missed else 'none'}{', the judgments differ' if different else ''}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
