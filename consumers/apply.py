"""One batch of facts in one transaction: the only place where the core and the store meet.

In this order: the position moves (or the claim is lost), the batch's dossiers are locked in the order of their codes,
repetitions are left out, facts get their recorded times, dossiers are judged, and everything is written.
"""

from __future__ import annotations

import base64
from datetime import timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple, TypeAlias

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from consumers.applied import Applied, Buried
from consumers.intake import Dead, Taken, about_officers, new_ones, prepared
from consumers.saying import hear, speak, speak_of, touch, used
from consumers.stories import Batch, fold_stories, locked, told_together
from workflow.alerts.feeds import conflict, counted, newest, skews
from workflow.errors import Unstorable
from workflow.facts import STANDING_ALONE, BodyErased
from workflow.kept import as_kept
from workflow.messages import encode
from workflow.store.bodies import Told, row, salts
from workflow.store.letters import bury, stay, take_again
from workflow.store.rows import DeadLetter, from_us, to_us

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from consumers.judging import FactId, Touched
    from consumers.streams import Unreadable
    from workflow.catalogue import Catalogue
    from workflow.facts import Fact
    from workflow.messages import AlertSaid
    from workflow.model import Dossier, Outcome
    from workflow.store.rows import DossierRow, FactRow, Position
    from workflow.store.store import Store, Writing

__all__ = ["Again", "Applied", "ApplyLimits", "Beside", "Told", "apply", "redrive"]

_encode: Final = msgspec.json.Encoder().encode


class ApplyLimits(Struct, frozen=True, kw_only=True):
    """Named limits of what is taken.

    `facts_per_dossier_max`: facts of one dossier, the fold of which is done at once; a real one has tens.
    `dead_letter_days`: how long a message that could not be taken is kept, in days.
    """

    facts_per_dossier_max: Annotated[int, Meta(ge=1)] = 10_000
    dead_letter_days: Annotated[int, Meta(ge=1)] = 90


DEFAULT_LIMITS: Final = ApplyLimits()


class Again(NamedTuple):
    """A dead letter, by its number, that a batch takes again; without `keep` only to see what would become of it."""

    number: int
    keep: bool = True


class Beside(NamedTuple):
    """What a batch brings beside its facts: further positions it moves, and messages that tell no fact; or the dead
    letter it takes again. `as_of`: when alerts about its dossiers are looked at, where that is not now; judgments do
    not hang on it."""

    positions: Sequence[Position] = ()
    letters: Sequence[DeadLetter] = ()
    again: Again | None = None
    as_of: datetime | None = None


def apply(
    store: Store,
    catalogue: Catalogue,
    batch: Sequence[Told],
    *,
    now: datetime,
    position: Position | None = None,
    beside: Beside = Beside(),  # noqa: B008 - a value that never changes
    limits: ApplyLimits = DEFAULT_LIMITS,
) -> Applied:
    """Applies a batch in one transaction: all of it is kept, or none.

    A message whose values the database refuses is looked for by halves and becomes a dead letter, the others are taken.
    Raises PositionLost where another has claimed the stream, VersionConflict where another writer was first (try
    again), LedgerError for a definition that was edited after its first use, and other StoreErrors.
    """
    batcher = _Batcher(store, catalogue, now, limits, beside)
    keep = beside.again is None or beside.again.keep
    taken, dead = prepared(batch)
    try:
        return batcher.commit(taken, dead, position, keep=keep)
    except Unstorable as fault:
        culprits = batcher.culprits(taken)
        if not culprits:
            raise
        dead += [Dead(told, "unstorable", as_kept(fault)) for told, _ in culprits]
        refused = {id(one) for one in culprits}
        return batcher.commit([one for one in taken if id(one) not in refused], dead, position, keep=keep)


def letter(one: Dead | Unreadable, now: datetime, limits: ApplyLimits = DEFAULT_LIMITS) -> DeadLetter:
    """What is kept of a message that could not be taken: all of it, and why."""
    message = one.told if isinstance(one, Dead) else one
    headers = [(name, base64.b64encode(value).decode()) for name, value in message.headers]
    return DeadLetter(
        message.place,
        one.reason,
        one.detail.replace("\0", "\\0"),
        message.key,
        message.received,
        _encode(headers),
        to_us(now),
        to_us(now + timedelta(days=limits.dead_letter_days)),
    )


def redrive(
    store: Store, catalogue: Catalogue, subjects: Iterable[str], *, now: datetime, live: bool = True
) -> Applied:
    """Folds dossiers again, blocked ones too: after a definition or the engine was corrected. `live`: whether `now` is
    the present. Raises as `apply`."""
    with locked(store, subjects) as (writing, rows):
        done, _ = refold(writing, catalogue, rows, now_us=to_us(now), live=live)
        return done


def refold(
    writing: Writing,
    catalogue: Catalogue,
    rows: Mapping[str, DossierRow],
    *,
    now_us: int,
    told: Mapping[str, Mapping[FactId, Outcome]] | None = None,
    standing: Mapping[str, Dossier] | None = None,
    live: bool = True,
) -> tuple[Applied, list[Touched]]:
    """Folds dossiers that are `locked` already, and writes them as judged at this instant; each as it became.

    `told`: what was said of their facts before, by dossier; only what differs is said. `standing`: judgments that stand
    as they are kept, by dossier; of those only the dates are counted anew. `live`: whether the instant is the present.
    Raises as `apply`.
    """
    now = from_us(now_us)
    joined = told_together(rows.values(), ())
    touched = touch(writing, catalogue, rows, {code: () for code in rows if code not in joined}, now)
    recorded = {subject: max(now_us, before.last_recorded_at) for subject, before in rows.items()}
    stand = standing or {}
    for one in touched:
        if one.subject in stand:
            one.recount(rows[one.subject], stand[one.subject], recorded[one.subject])
    fold_whole(writing, [one for one in touched if one.subject not in stand], recorded, told=told)
    touched += fold_stories(writing, Batch(catalogue, rows, recorded, now), joined, {}, told)
    done, _ = settle(writing, catalogue, touched, now, looked_at=None if live else now)
    return done, touched


_Told: TypeAlias = dict[str, list[Taken]]


class _MoreLinked(Exception):
    """More dossiers must be locked: those linked to the ones that were."""

    def __init__(self, codes: set[str]) -> None:
        super().__init__(codes)
        self.codes = codes


class _Batcher(NamedTuple):
    store: Store
    catalogue: Catalogue
    now: datetime
    limits: ApplyLimits
    beside: Beside

    def commit(
        self, taken: list[Taken], dead: list[Dead], position: Position | None, *, keep: bool = True
    ) -> Applied:
        """One transaction; begun anew where it turns out that linked dossiers must be locked too, since all writers
        lock in one order."""
        codes = {one.fact.subject for _, one in taken}
        while True:
            try:
                return self._committed(taken, dead, position, codes, keep=keep)
            except _MoreLinked as found:
                codes |= found.codes

    def _committed(
        self,
        taken: list[Taken],
        dead: list[Dead],
        position: Position | None,
        codes: set[str],
        *,
        keep: bool,
    ) -> Applied:
        now_us, looked_at = to_us(self.now), self.beside.as_of or self.now
        with self.store.writing(keep=keep) as writing:
            for step in () if position is None else (position, *self.beside.positions):
                writing.move(step)
            again = self.beside.again
            if again is not None and not take_again(writing, again.number, now_us):
                return Applied()
            rows = writing.lock(codes)
            facts = [one.fact for _, one in taken]
            joined = told_together(rows.values(), facts)
            if not joined <= codes:
                raise _MoreLinked(joined)
            alone_too = about_officers(writing, taken, rows)
            fresh, duplicates, conflicts = new_ones(writing, taken, rows, alone_too)
            dossiers, alone, beyond = self._sorted_out(fresh, rows, alone_too)
            appended, recorded = _recorded({**dossiers, **alone}, rows, now_us)
            if alone:
                # Officers are judged by definitions that no dossier may have needed yet.
                writing.archive(self.catalogue.around(), now_us)
            unlinked = {
                code: [one.fact for _, one in kept] for code, kept in dossiers.items() if code not in joined
            }
            touched = touch(writing, self.catalogue, rows, unlinked, looked_at)
            needing = [one for one in touched if not one.step(recorded[one.subject])]
            fold_whole(writing, needing, recorded)
            writing.append(appended)
            if not joined.isdisjoint(dossiers):
                new = {code: len(dossiers.get(code, ())) for code in joined}
                batch = Batch(self.catalogue, rows, recorded, looked_at)
                touched += fold_stories(writing, batch, joined, new)
                touched.sort(key=attrgetter("subject"))
            told = newest(facts)
            also = self._of_sources(writing, told, [] if again else conflicts, alone)
            refused = [letter(one, self.now, self.limits) for one in (*dead, *conflicts, *beyond)]
            letters = [*self.beside.letters, *refused]
            if again is None:
                met = len(letters)
                letters = bury(writing, letters)
                duplicates += met - len(letters)
            elif letters:
                stay(writing, again.number, letters[0].reason, letters[0].detail)
            done, _ = settle(writing, self.catalogue, touched, self.now, also, self.beside.as_of)
            kept = [one.fact for _, one in fresh]
            erased = _erase(writing, self.catalogue, kept)
            hear(writing, told, position, self.now)
        buried = tuple(Buried(one.place, one.reason, one.detail) for one in letters)
        return replace(
            done,
            appended=len(appended),
            duplicates=duplicates,
            dead=len(letters),
            erased=erased,
            letters=buried,
        )

    def _of_sources(
        self, writing: Writing, told: Mapping[str, Fact], conflicts: list[Dead], alone: _Told
    ) -> list[AlertSaid]:
        """What is said of alerts that are about no dossier. `told`: the newest fact of each source."""
        office = self.catalogue.office
        alerts = [conflict(office, one.told.fact, self.now) for one in conflicts]
        alone_facts = [one.fact for kept in alone.values() for _, one in kept]
        alerts += [alert for fact in alone_facts if (alert := counted(office, fact, self.now)) is not None]
        alerts += skews(office, told, self.now)
        return speak_of(writing, self.catalogue.orders, alerts, alone_facts, self.now)

    def culprits(self, taken: list[Taken]) -> list[Taken]:
        """The messages that make a batch fail by themselves, found by trying halves and keeping nothing."""
        if not taken:
            return []
        try:
            self.commit(taken, [], None, keep=False)
        except Unstorable:
            if len(taken) == 1:
                return taken
            half = len(taken) // 2
            return self.culprits(taken[:half]) + self.culprits(taken[half:])
        return []

    def _sorted_out(
        self, fresh: list[Taken], rows: dict[str, DossierRow], alone_too: set[str]
    ) -> tuple[_Told, _Told, list[Dead]]:
        """By code: facts of dossiers, and facts that stand alone; and those beyond the limit of their dossier."""
        dossiers: _Told = {}
        alone: _Told = {}
        beyond: list[Dead] = []
        by_subject: _Told = {}
        for one in fresh:
            by_subject.setdefault(one[1].fact.subject, []).append(one)
        for subject, told in by_subject.items():
            before = rows.get(subject)
            if before is None and (subject in alone_too or _all_alone(told)):
                alone[subject] = told
                continue
            facts = 0 if before is None else before.facts
            room = max(0, self.limits.facts_per_dossier_max - facts)
            if room:
                dossiers[subject] = told[:room]
            beyond += [
                Dead(
                    message, "too_many_facts", f"{subject} has {facts + room} facts, the most that are taken"
                )
                for message, _ in told[room:]
            ]
        return dict(sorted(dossiers.items())), alone, beyond


def _all_alone(told: Iterable[Taken]) -> bool:
    return all(type(one.fact.body) in STANDING_ALONE for _, one in told)


def _recorded(
    by_subject: _Told, rows: Mapping[str, DossierRow], now_us: int
) -> tuple[list[FactRow], dict[str, int]]:
    """The rows of facts, with recorded times that grow in each dossier; and the last such time of each."""
    last: dict[str, int] = {}
    appended: list[FactRow] = []
    fresh_salts = iter(salts(sum(map(len, by_subject.values()))))
    for subject, kept in by_subject.items():
        before = rows.get(subject)
        recorded_at = now_us if before is None else max(now_us, before.last_recorded_at + 1)
        for told, one in kept:
            appended.append(row(one, told.received, recorded_at, next(fresh_salts)))
            recorded_at += 1
        last[subject] = recorded_at - 1
    return appended, last


def fold_whole(
    writing: Writing,
    touched: Sequence[Touched],
    recorded: Mapping[str, int],
    told: Mapping[str, Mapping[FactId, Outcome]] | None = None,
) -> None:
    """Folds dossiers whole, the facts kept so far read by one query: before the new ones they have are appended."""
    if not touched:
        return
    facts = dict(writing.told([one.subject for one in touched]))
    for one in touched:
        said = None if told is None else told.get(one.subject, {})
        one.whole(facts.get(one.subject, ()), recorded_at=recorded[one.subject], told=said)


def settle(
    writing: Writing,
    catalogue: Catalogue,
    touched: Sequence[Touched],
    now: datetime,
    also: Sequence[AlertSaid] = (),
    looked_at: datetime | None = None,
) -> tuple[Applied, int]:
    """Writes the judged dossiers, what they rest on, and what they and `also` say; and how much is said of alerts,
    which are looked at live or as of another moment."""
    now_us = to_us(now)
    writing.archive(catalogue.used(used(touched)), now_us)
    said = speak(writing, catalogue.office, touched, looked_at or now, live=looked_at is None)
    alerts = [*said, *also]
    rows = [one.row for one in touched if one.row is not None]
    writing.put(rows)
    decisions = [decision for one in touched for decision in one.decisions]
    messages = [*decisions, *alerts]
    writing.say(now_us, len(messages), encode(messages))
    done = Applied(
        dossiers=len(rows),
        refolded=sum(one.refolded for one in touched),
        blocked=tuple(row.subject for row in rows if row.blocked is not None),
        refused=tuple(
            one for one in decisions if one.outcome is not None and one.outcome.status == "refused"
        ),
    )
    return done, len(alerts)


def _erase(writing: Writing, catalogue: Catalogue, facts: Iterable[Fact]) -> int:
    """Does what erasures say: a source may erase what it may void."""
    erased = 0
    for fact in facts:
        body = fact.body
        if not isinstance(body, BodyErased):
            continue
        source = body.target_source or fact.source
        if source == fact.source or catalogue.may_void(fact.source) == "any":
            erased += writing.erase(fact.subject, source, body.target_id, body.target_revision)
    return erased
