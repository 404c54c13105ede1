"""Dead letters taken again: decoded and judged by today's definitions, each in one transaction with its mark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from consumers.apply import Again, Beside, Told, apply
from consumers.codec import RawRecord, encode
from consumers.contract.outgoing import headers_of
from consumers.decoding import BY_REFERENCE, facts_of
from consumers.forms.revisions import revised
from consumers.intake import kept_in
from workflow.errors import InputError
from workflow.kept import as_kept
from workflow.store.letters import stay

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from workflow.catalogue import Catalogue
    from workflow.store.letters import Kept
    from workflow.store.store import Store

Outcome: TypeAlias = Literal["taken", "known", "nothing", "stays"]


class Redriven(Struct, frozen=True):
    """What became of a dead letter: `taken` now, `known` before under the same identity, `nothing` to take (another was
    first, or it tells no fact today), or it `stays` for a reason; `before` is the reason it lay there for. `detail`: as
    `workflow.kept` keeps it."""

    number: int
    place: str
    before: str
    outcome: Outcome
    reason: str | None = None
    detail: str | None = None


def redriven(
    store: Store,
    catalogue: Catalogue,
    kept: Kept,
    zones: Mapping[str, ZoneInfo],
    *,
    now: datetime,
    keep: bool = True,
) -> Redriven:
    """Takes a letter again, under its own place and ids; without `keep` only says what would become of it.

    It is marked as taken in the transaction that takes it, never before; twice has no effect. Raises as `apply`.
    """
    letter = kept.letter
    headers = headers_of(letter)
    if any(name == BY_REFERENCE for name, _ in headers):
        # Only where the message lies is kept: it must be sent again.
        return Redriven(kept.number, letter.place, letter.reason, "stays", letter.reason, letter.detail)
    record = RawRecord(letter.value, letter.key, headers, letter.place)
    try:
        facts = facts_of(record, zones.get(letter.place.rsplit("/", 2)[0]))
    except InputError as fault:
        detail = as_kept(fault)
        with store.writing(keep=keep) as writing:
            stay(writing, kept.number, fault.code, detail)
        return Redriven(kept.number, letter.place, letter.reason, "stays", fault.code, detail)
    told = [Told(fact, letter.value, letter.place, letter.key, headers) for fact in facts]
    if letter.reason == "id_conflict":
        told = [_numbered(store, catalogue, one) for one in told]
    done = apply(store, catalogue, told, now=now, beside=Beside(again=Again(kept.number, keep)))
    if done.letters:
        first = done.letters[0]
        return Redriven(kept.number, letter.place, letter.reason, "stays", first.reason, first.detail)
    outcome: Outcome = "taken" if done.appended else "known" if done.duplicates else "nothing"
    return Redriven(kept.number, letter.place, letter.reason, outcome)


def _numbered(store: Store, catalogue: Catalogue, told: Told) -> Told:
    """What a form made of a record has no number of its source's: it comes behind what is kept of its id by now."""
    source = catalogue.sources.get(told.fact.source)
    if source is None or source.form is None:
        return told
    (fact,) = revised([told.fact], kept_in(store)([told.fact.subject]))
    return replace(told, fact=fact, received=encode(fact))
