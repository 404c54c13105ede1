"""Facts of one identity in a file: told again they count once, told otherwise they are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from msgspec.structs import replace

from workflow.errors import InputError
from workflow.factrows import FactRows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from consumers.files.tally import Run, Tally
    from workflow.facts import Fact

    Identity: TypeAlias = tuple[str, str, int]


def distinct(blocks: Iterable[list[Run]], tally: Tally, name: str) -> Iterator[list[Run]]:
    """The blocks of whole dossiers as they come, each identity once: the first of the file stands.

    One set for a block is cheap, and most blocks repeat nothing.
    """
    for block in blocks:
        for run in block if _may_repeat(block) else ():
            _settle(run, tally, name)
        yield block


def _may_repeat(block: list[Run]) -> bool:
    rows = [run.facts.rows for run in block if isinstance(run.facts, FactRows)]
    if len(rows) < len(block):
        return True
    return len({row[2] for each in rows for row in each}) < sum(map(len, rows))


def _settle(run: Run, tally: Tally, name: str) -> None:
    facts = run.facts
    if not isinstance(facts, FactRows):
        told: dict[Identity, Fact] = {}
        run.facts = [
            fact for fact in facts if _is_new(told, (fact.source, fact.id, fact.revision), fact, tally, name)
        ]
        return
    seen: dict[Identity, Fact] = {}
    pairs = zip(facts.rows, facts, strict=True)
    facts.rows = [row for row, fact in pairs if _is_new(seen, (fact.source, fact.id, 0), fact, tally, name)]


def _is_new(seen: dict[Identity, Fact], identity: Identity, fact: Fact, tally: Tally, name: str) -> bool:
    known = seen.setdefault(identity, fact)
    if known is fact:
        return True
    tally.taken -= 1
    tally.put_aside(fact)
    if says_the_same(known, fact):
        tally.repeated += 1
    else:
        tally.refusals.add(name, conflict(fact))
    return False


def says_the_same(known: Fact, fact: Fact) -> bool:
    """Whether two facts of one identity differ at most in the number of their row."""
    return replace(known, sequence=fact.sequence) == fact


def conflict(fact: Fact) -> InputError:
    """Why a fact is not taken whose identity another of the file has, which says something else."""
    return InputError(
        "expected event {id} of dossier {subject} to say the same wherever it stands, found it again at {at} with "
        "other content; the first stands: correct the ids",
        reason="id_conflict",
        id=fact.id,
        subject=fact.subject,
        at=fact.occurred_at.isoformat(),
    )
