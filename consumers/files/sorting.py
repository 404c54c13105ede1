"""Sorting of a file's facts by dossier in bounded memory: sorted runs in temporary files, then a merge.

Within a dossier the order of the file is kept. The temporary files have no names: nobody else can open them, and
they vanish with the process.
"""

from __future__ import annotations

import heapq
import pickle
import tempfile
from contextlib import ExitStack
from itertools import groupby, islice
from operator import itemgetter
from typing import IO, TYPE_CHECKING, Final, TypeAlias

from consumers.files.cases import merged
from consumers.files.tally import Run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from consumers.files.cases import CaseValues
    from workflow.facts import Fact

MERGED_MAX: Final = 64
"""Temporary files open at once; more are merged into one first."""
BATCH: Final = 256
"""Runs written at once, so that what they share is written once; a merge holds one batch of each file."""

Entry: TypeAlias = tuple[str, int, Run]
"""A dossier's code, the place of the run in the file, the run. The first two tell any two entries apart."""


def by_dossier(runs: Iterable[Run], facts_max: int) -> Iterator[Run]:
    """Whole dossiers in the order of their codes, each with its facts in the order of `runs`.

    Holds at most about `facts_max` facts in memory, and one dossier.
    """
    with ExitStack() as files:
        entries = _sorted(((run.subject, at, run) for at, run in enumerate(runs)), facts_max, files)
        for subject, group in groupby(entries, key=itemgetter(0)):
            facts: list[Fact] = []
            case: CaseValues | None = None
            for _, _, run in group:
                facts.extend(run.facts)
                case = merged(case, run.case)
            yield Run(subject, facts, case)


def _sorted(entries: Iterable[Entry], facts_max: int, files: ExitStack) -> Iterator[Entry]:
    held: list[Entry] = []
    facts = 0
    spilled: list[IO[bytes]] = []
    for entry in entries:
        held.append(entry)
        facts += len(entry[2].facts)
        if facts < facts_max:
            continue
        held.sort()
        spilled.append(_written(held, files))
        held, facts = [], 0
        if len(spilled) >= MERGED_MAX:
            spilled = [_written(heapq.merge(*map(_read, spilled)), files)]
    held.sort()
    return heapq.merge(*map(_read, spilled), held)


def _written(entries: Iterable[Entry], files: ExitStack) -> IO[bytes]:
    file = files.enter_context(tempfile.TemporaryFile(prefix="dunghen-"))  # noqa: SIM115 - the stack closes it
    rest = iter(entries)
    while batch := list(islice(rest, BATCH)):
        pickle.dump(batch, file, protocol=pickle.HIGHEST_PROTOCOL)
    return file


def _read(file: IO[bytes]) -> Iterator[Entry]:
    end = file.tell()
    file.seek(0)
    while file.tell() < end:
        yield from pickle.load(file)  # noqa: S301 - our own bytes, from a file nobody else can open
    file.close()
