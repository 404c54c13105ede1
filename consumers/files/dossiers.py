"""From runs of rows to whole dossiers: as they lie, where the file is grouped, else through a sort."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final

from consumers.files.cases import merged
from workflow.errors import InputError
from workflow.factrows import FactRows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from consumers.files.tally import Run, Tally

EARLY_MAX: Final = 10_000
"""Dossiers whose return is noticed at once; a log in order of time shows itself within its first rows."""

_SHARE: Final = 1 << 17
"""Hashes compared at once in the end (1 MiB of them)."""


class NotGrouped(InputError):
    """A dossier came back after others: its facts do not lie together, though the mapping says so.

    What was read so far must be thrown away; reading the dossiers once more sorts them first.
    """

    reason = "not_grouped"


def joined(blocks: Iterable[list[Run]], tally: Tally, name: str) -> Iterator[list[Run]]:
    """Neighbouring runs of one dossier as one, within the limit of facts for each; blocks as they come.

    The last run of a block waits for the next, which may go on with its dossier.
    """
    waiting: list[Run] = []
    for block in blocks:
        whole = waiting
        for run in block:
            if whole and whole[-1].subject == run.subject:
                whole[-1].extend(run.facts)
                whole[-1].case = merged(whole[-1].case, run.case)
            else:
                whole.append(run)
        waiting = whole[-1:]
        del whole[-1:]
        yield _within(whole, tally, name)
    yield _within(waiting, tally, name)


def _within(runs: list[Run], tally: Tally, name: str) -> list[Run]:
    most = tally.limits.dossier_facts_max
    for run in runs:
        facts = run.facts
        if len(facts.rows if isinstance(facts, FactRows) else facts) > most:
            tally.cut(run, name)
    return runs


def together(blocks: Iterable[list[Run]], name: str) -> Iterator[list[Run]]:
    """The blocks as they come, each run a whole dossier.

    Raises NotGrouped where a dossier came back: at once among the first of them, else at the end. Memory: eight
    bytes for each dossier. Hashes of two codes that are equal by chance only cost a sort.
    """
    early: set[str] = set()
    hashes = array("q")
    for block in blocks:
        hashes.extend([hash(run.subject) for run in block])
        if len(early) < EARLY_MAX:
            _note_early(block, early, name)
        yield block
    if _repeated(hashes):
        raise _came_back(name, "a dossier")


def _note_early(block: list[Run], early: set[str], name: str) -> None:
    for run in block:
        if run.subject in early:
            raise _came_back(name, run.subject)
        early.add(run.subject)


def _repeated(hashes: array[int]) -> bool:
    """Whether a hash occurs twice; compared share by share, so that a set of all is never held."""
    count = 1 + len(hashes) // _SHARE
    shares = [array("q") for _ in range(count)]
    for one in hashes:
        shares[one % count].append(one)
    return any(len(set(share)) < len(share) for share in shares)


def _came_back(name: str, subject: str) -> NotGrouped:
    return NotGrouped(
        "{name}: expected the rows of each dossier together, found {found} again after others; read it again, "
        "sorted, or say `grouped: false` in the mapping",
        name=name,
        found=subject,
    )
