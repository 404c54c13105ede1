"""Linked dossiers of a batch: each story folded whole, once, and kept under every code it has."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from consumers.saying import touch
from workflow.facts import Linked
from workflow.judge import FAULTS, judge
from workflow.links import Story, joins, stories
from workflow.store.judgments import codes_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from consumers.judging import FactId, Touched
    from workflow.catalogue import Catalogue
    from workflow.facts import Fact
    from workflow.model import Outcome
    from workflow.store.rows import DossierRow
    from workflow.store.store import Store, Writing


@contextmanager
def locked(
    store: Store, subjects: Iterable[str], *, keep: bool = True
) -> Iterator[tuple[Writing, dict[str, DossierRow]]]:
    """A transaction that holds these dossiers and all they are linked to, locked in the order of their codes."""
    codes = set(subjects)
    while True:
        with store.writing(keep=keep) as writing:
            rows = writing.lock(codes)
            more = told_together(rows.values(), ()) - codes
            if not more:
                yield writing, rows
                return
        codes |= more


def told_together(rows: Iterable[DossierRow], facts: Iterable[Fact]) -> set[str]:
    """The codes whose stories these rows and new facts belong to; none in most batches."""
    found: set[str] = set()
    for row in rows:
        if row.linked is not None:
            found.update(codes_of(row))
    for fact in facts:
        body = fact.body
        if isinstance(body, Linked) and joins(fact):
            found |= {fact.subject, body.other}
    return found


class Batch(NamedTuple):
    """What stories are judged by and kept with. `rows`: those locked; `recorded`: when the last fact of each code was;
    `now`: as of when alerts are looked at."""

    catalogue: Catalogue
    rows: Mapping[str, DossierRow]
    recorded: Mapping[str, int]
    now: datetime


def fold_stories(
    writing: Writing,
    batch: Batch,
    codes: set[str],
    new: Mapping[str, int],
    told: Mapping[str, Mapping[FactId, Outcome]] | None = None,
) -> list[Touched]:
    """Folds the stories of linked codes whole; `new`: how many facts of each were appended just now. `told`: what was
    said of their facts, where the present rules do not give it again."""
    if not codes:
        return []
    facts: dict[str, list[Fact]] = {code: [] for code in sorted(codes)}
    for fact in writing.facts(facts):
        facts[fact.subject].append(fact)
    kept = {code: len(found) - new.get(code, 0) for code, found in facts.items()}
    before = {code: found[: kept[code]] for code, found in facts.items()}
    added = {code: found[kept[code] :] for code, found in facts.items()}
    touched = {one.subject: one for one in touch(writing, batch.catalogue, batch.rows, added, batch.now)}
    if told is not None:
        said = {(code, *fact): one for code in facts for fact, one in told.get(code, {}).items()}
    else:
        said = _outcomes(batch.catalogue, before) if all(one.still for one in touched.values()) else {}
    for story in stories(batch.catalogue.orders, facts):
        _judge(batch, story, touched, facts, said)
    return list(touched.values())


def _judge(
    batch: Batch,
    story: Story,
    touched: Mapping[str, Touched],
    facts: Mapping[str, Sequence[Fact]],
    said: Mapping[tuple[str, str, str, int], Outcome],
) -> None:
    catalogue = batch.catalogue
    together = [fact for code in story.codes for fact in facts[code]]
    latest = max((batch.recorded[code] for code in story.codes if code in batch.recorded), default=0)
    recorded = {code: _recorded(batch, code, latest) for code in story.codes}
    latest = max(recorded.values())
    rules = next(iter(catalogue.family(None).values()))
    try:
        rules = catalogue.rules_for(together) if together else rules
        judgment, code = judge(catalogue, story.head, together)
        for one in story.codes:
            touched[one].share(
                judgment, story, code, facts=len(facts[one]), recorded_at=recorded[one], latest=latest
            )
    except FAULTS as fault:
        for one in story.codes:
            touched[one].block(fault, rules, story, len(facts[one]), recorded[one])
        return
    for fact, outcome in zip(judgment.facts, judgment.outcomes, strict=True):
        earlier = said.get(_identity(fact))
        if earlier != outcome:
            touched[fact.subject].decide(fact, outcome, earlier)


def _recorded(batch: Batch, code: str, latest: int) -> int:
    """When the last fact of a code was recorded; of one that is known by its link alone, of its story."""
    if code in batch.recorded:
        return batch.recorded[code]
    return batch.rows[code].last_recorded_at if code in batch.rows else latest


def _outcomes(
    catalogue: Catalogue, facts: Mapping[str, Sequence[Fact]]
) -> dict[tuple[str, str, str, int], Outcome]:
    """What was said of these facts before the new ones came."""
    found: dict[tuple[str, str, str, int], Outcome] = {}
    for story in stories(catalogue.orders, facts):
        together = [fact for code in story.codes for fact in facts.get(code, ())]
        if together:
            judgment, _ = judge(catalogue, story.head, together)
            found.update(zip(map(_identity, judgment.facts), judgment.outcomes, strict=True))
    return found


def _identity(fact: Fact) -> tuple[str, str, str, int]:
    return fact.subject, fact.source, fact.id, fact.revision
