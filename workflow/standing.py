"""Which facts of a dossier count, and in which order: the two times, voids, revisions, the total order.

Facts of linked codes may come together. Each keeps its subject: identities, voids and sequences are of one code alone.
docs/judging.md, first part. Pure; knows nothing of procedures.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from workflow.facts import Acted, Appointment, Fact, Voided
from workflow.model import OrderKey, Outcome, Violation
from workflow.sources import UNKNOWN_SOURCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from workflow.sources import SourceOrder

    Sources: TypeAlias = Mapping[str, SourceOrder]
    Target: TypeAlias = tuple[str, str, str, int | None]


class Placed(Struct, frozen=True, gc=False):
    """A standing fact at its place: its effective time and its key in the total order. `promised`: the slip of the
    first of its revisions that had one, where it names another date: a promise is not unsaid by sending it again."""

    fact: Fact
    at: datetime
    key: OrderKey
    promised: Appointment | None = None


class Standing(NamedTuple):
    """The facts that count, in order, and those set aside with what became of them. `corrected`: there are voids
    or further revisions, so a later fact can never be taken on its own."""

    placed: list[Placed]
    aside: list[tuple[Fact, Outcome]]
    corrected: bool


def stand(
    sources: Sources, facts: Iterable[Fact], known_at: datetime | None, valid_at: datetime | None
) -> Standing:
    """The standing facts at the two times, in their total order."""
    known = _known(facts, known_at)
    voids = [fact for fact in known if isinstance(fact.body, Voided)]
    targets, aside = _resolve(sources, voids)
    kept: dict[tuple[str, str, str], Fact] = {}
    again: list[Fact] = []
    for fact in known:
        if isinstance(fact.body, Voided):
            continue
        if _named(fact, targets):
            aside.append((fact, Outcome("voided")))
            continue
        other = kept.get((fact.subject, fact.source, fact.id))
        if other is not None:
            low, fact = sorted((fact, other), key=lambda f: f.revision)  # noqa: PLW2901 - the higher one goes on
            aside.append((low, Outcome("superseded")))
            again.append(low)
        kept[fact.subject, fact.source, fact.id] = fact
    placed = in_order(sources, kept.values())
    if again:
        first = _first_slips(again)
        placed = [
            _promising(one, first.get((one.fact.subject, one.fact.source, one.fact.id))) for one in placed
        ]
    if valid_at is not None:
        placed = [one for one in placed if one.at <= valid_at]
    aside.sort(key=lambda pair: (pair[0].occurred_at, *_identity(pair[0]), pair[0].subject))
    return Standing(placed, aside, corrected=bool(aside) or any(f.revision for f in known))


def _first_slips(superseded: Iterable[Fact]) -> dict[tuple[str, str, str], Appointment]:
    """By record, the slip of the first of its earlier revisions that had one."""
    found: dict[tuple[str, str, str], Appointment] = {}
    for fact in sorted(superseded, key=lambda one: one.revision):
        if isinstance(fact.body, Acted) and fact.body.appointment is not None:
            found.setdefault((fact.subject, fact.source, fact.id), fact.body.appointment)
    return found


def _promising(one: Placed, first: Appointment | None) -> Placed:
    body = one.fact.body
    if first is None or not isinstance(body, Acted) or (body.appointment and body.appointment.at == first.at):
        return one
    return replace(one, promised=first)


def place(order: SourceOrder, fact: Fact, at: datetime) -> Placed:
    """A fact at its effective time `at`, as its source orders its facts."""
    return Placed(fact, at, (at, order.rank, fact.sequence, fact.source, fact.id, fact.revision))


def in_order(sources: Sources, facts: Iterable[Fact]) -> list[Placed]:
    """Facts in their total order, each at its effective time."""
    streams: dict[tuple[str, str], list[Fact]] = {}
    for fact in facts:
        streams.setdefault((fact.subject, fact.source), []).append(fact)
    # In the order of the codes, which sorting keeps: where two say the same in all else, the code decides.
    placed = []
    for stream in sorted(streams):
        order = sources.get(stream[1], UNKNOWN_SOURCE)
        placed += [place(order, fact, at) for fact, at in _effective(order, streams[stream])]
    return sorted(placed, key=lambda one: one.key)


def _effective(order: SourceOrder, facts: list[Fact]) -> Iterable[tuple[Fact, datetime]]:
    """Effective times: the fact's own, or, where the sequence rules, the latest up to its sequence."""
    if order.order == "time":
        return [(fact, fact.occurred_at) for fact in facts]
    latest: dict[int, datetime] = {}
    for fact in facts:
        latest[fact.sequence] = max(fact.occurred_at, latest.get(fact.sequence, fact.occurred_at))
    reached: datetime | None = None
    for sequence in sorted(latest):
        reached = latest[sequence] if reached is None else max(reached, latest[sequence])
        latest[sequence] = reached
    return [(fact, latest[fact.sequence]) for fact in facts]


def _known(facts: Iterable[Fact], known_at: datetime | None) -> list[Fact]:
    once: dict[tuple[str, str, str, int], Fact] = {}
    for fact in facts:
        if known_at is None or fact.recorded_at is None or fact.recorded_at <= known_at:
            once.setdefault((fact.subject, fact.source, fact.id, fact.revision), fact)
    return list(once.values())


def _identity(fact: Fact) -> tuple[str, str, int]:
    return fact.source, fact.id, fact.revision


def _resolve(sources: Sources, voids: Sequence[Fact]) -> tuple[list[Target], list[tuple[Fact, Outcome]]]:
    """What the voids remove, and what became of each void; taken from the latest down."""
    counting: dict[tuple[str, str, str], Fact] = {}
    for fact in sorted(voids, key=lambda f: f.revision):
        counting[fact.subject, fact.source, fact.id] = fact
    aside = [(f, Outcome("superseded")) for f in voids if counting[f.subject, f.source, f.id] is not f]
    targets: list[Target] = []
    taken: list[Fact] = []
    for void in sorted(counting.values(), key=lambda f: (f.occurred_at, f.source, f.id), reverse=True):
        taken.append(void)
        if _named(void, targets):
            aside.append((void, Outcome("voided")))
            continue
        target = _target(void)
        broken = _forbidden(sources, void, target, taken)
        aside.append((void, Outcome("refused", (broken,)) if broken else Outcome("applied")))
        if broken is None:
            targets.append(target)
    return targets, aside


def _target(void: Fact) -> Target:
    body = void.body
    assert isinstance(body, Voided)  # noqa: S101 - only voids come here
    return void.subject, body.target_source or void.source, body.target_id, body.target_revision


def _named(fact: Fact, targets: Iterable[Target]) -> bool:
    return any(
        fact.id == identifier
        and fact.source == source
        and fact.subject == subject
        and revision in (None, fact.revision)
        for subject, source, identifier, revision in targets
    )


def _forbidden(sources: Sources, void: Fact, target: Target, taken: Sequence[Fact]) -> Violation | None:
    may = sources.get(void.source, UNKNOWN_SOURCE).voids
    if may == "none" or (may == "own" and target[1] != void.source):
        return Violation("void/source", "role", f"{void.source} may void: {may}", f"{target[1]}/{target[2]}")
    if any(_named(other, (target,)) for other in taken):
        return Violation("void/later", "order", "a fact before the void", f"{target[1]}/{target[2]}")
    return None
