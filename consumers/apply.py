"""A batch of facts in one transaction: appended, judged, said. The only place where judging and the store meet."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from workflow import JUDGE_VERSION
from workflow.canonical import digest
from workflow.catalogue import code_of
from workflow.errors import DunghenError
from workflow.facts import Acted, BodyErased, Migrated, Opened
from workflow.fold import advance, fold, sorts_last
from workflow.model import Outcome
from workflow.store.archive import archive
from workflow.store.stored import blank, instant, micros, pack, row_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from workflow.catalogue import Archived, Catalogue
    from workflow.facts import Fact
    from workflow.model import Deadline, Dossier
    from workflow.rules import Rules
    from workflow.store.opening import Store
    from workflow.store.stored import DossierRow, Told
    from workflow.store.transaction import Identity, Position, Transaction

FACTS_PER_DOSSIER_MAX: Final = 10_000
"""A dossier of years has some hundred; one of more than this is a source that repeats itself under new ids."""

DEAD_LETTERS_KEPT: Final = timedelta(days=90)
_JUDGED: Final = (Acted, Opened, Migrated)
_OURS: Final = (DunghenError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What an error of ours in judging may be; it blocks the one dossier."""


class Applied(NamedTuple):
    """What became of a batch. `position` is where its stream stands now."""

    appended: int
    duplicates: int
    dead: int
    blocked: tuple[str, ...]
    position: Position | None


class Decision(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is said of one fact: its outcome, in which version of its dossier."""

    subject: str
    version: int
    source: str
    id: str
    revision: int
    outcome: Outcome


class _Judged(NamedTuple):
    rules: Rules
    code: str | None
    dossier: Dossier
    outcomes: list[tuple[Fact, Outcome]]
    deadlines: tuple[Deadline, ...]


def apply(
    store: Store,
    catalogue: Catalogue,
    batch: Sequence[Told],
    *,
    now: datetime,
    salt: Callable[[], bytes],
    position: tuple[Position, int] | None = None,
) -> Applied:
    """Appends a batch and judges the dossiers it touches, in one transaction; `position`: from where, to where.

    `salt` gives 16 fresh bytes for the proof of each message's bytes. Raises StoreError, of which those that are
    `retriable` may be tried again with the same batch, and LedgerError for a definition edited after its first use.
    """
    with store.writing() as writer:
        moved = None if position is None else writer.advance(*position)
        done = _Batch(writer, catalogue, now, salt)
        done.take(batch)
        done.write()
    return Applied(len(done.rows), done.duplicates, len(done.dead), tuple(done.blocked), moved)


class _Batch:
    """One batch while it is worked on."""

    def __init__(
        self, writer: Transaction, catalogue: Catalogue, now: datetime, salt: Callable[[], bytes]
    ) -> None:
        self.writer, self.catalogue, self.now, self.salt = writer, catalogue, now, salt
        self.rows: list[tuple[Any, ...]] = []
        self.dossiers: list[dict[str, Any]] = []
        self.dead: list[dict[str, Any]] = []
        self.decisions: list[Decision] = []
        self.blocked: list[str] = []
        self.used: dict[tuple[str, str, str], Archived] = {}
        self.erased: list[tuple[str, str, str, int | None]] = []
        self.duplicates = 0

    def take(self, batch: Sequence[Told]) -> None:
        """Works through the dossiers of the batch in the order of their keys."""
        by_subject: dict[str, list[Told]] = {}
        for told in batch:
            by_subject.setdefault(told.fact.subject, []).append(told)
        known = self.writer.dossiers(by_subject)
        seen = self.writer.digests(_identity(told.fact) for subject in known for told in by_subject[subject])
        for subject in sorted(by_subject):
            row = known.get(subject)
            new = self._new(by_subject[subject], seen, row)
            if new:
                self._judge(subject, row, new)

    def _new(self, tolds: list[Told], seen: dict[Identity, bytes], row: DossierRow | None) -> list[Fact]:
        """The facts not yet known, appended and with their recorded times, which grow within a dossier."""
        count = 0 if row is None else row.columns["facts"]
        recorded_at = micros(self.now)
        if row is not None:
            recorded_at = max(recorded_at, row.columns["last_recorded_at"] + 1)
        new: list[Fact] = []
        for told in tolds:
            print_, identity = digest(told.fact), _identity(told.fact)
            if identity in seen:
                if seen[identity] == print_:
                    self.duplicates += 1
                else:
                    self._bury(told, "id_conflict")
            elif count + len(new) >= FACTS_PER_DOSSIER_MAX:
                self._bury(told, "facts_limit")
            else:
                seen[identity] = print_
                at = recorded_at + len(new)
                self.rows.append(row_of(told, print_, at, self.salt()))
                new.append(msgspec.structs.replace(told.fact, recorded_at=instant(at)))
        return new

    def _bury(self, told: Told, reason: str) -> None:
        at = micros(self.now)
        self.dead.append(
            {
                "place": "/".join(map(str, _identity(told.fact))),
                "reason": reason,
                "detail": told.fact.id,
                "message_key": told.fact.subject.encode(),
                "value": told.received,
                "headers": b"[]",
                "recorded_at": at,
                "expires_at": at + DEAD_LETTERS_KEPT // timedelta(microseconds=1),
            }
        )

    def _judge(self, subject: str, row: DossierRow | None, new: list[Fact]) -> None:
        columns = blank(subject) if row is None else dict(row.columns)
        columns["version"] += 1
        columns["facts"] += len(new)
        columns["last_recorded_at"] = micros(new[-1].recorded_at or self.now)
        columns["judge_version"] = JUDGE_VERSION
        self.dossiers.append(columns)
        for fact in new:
            if isinstance(fact.body, BodyErased):
                body = fact.body
                source = body.target_source or fact.source
                self.erased.append((subject, source, body.target_id, body.target_revision))
        try:
            judged = self._next(row, new) or self._again(subject, row, new)
        except _OURS as error:
            columns["blocked"] = error.code if isinstance(error, DunghenError) else type(error).__name__
            self.blocked.append(subject)
            return
        if judged is not None:
            self._keep(columns, judged)

    def _next(self, row: DossierRow | None, new: list[Fact]) -> _Judged | None:
        """The fast path: facts that sort last and cannot change which rules judge; None where it does not go."""
        if row is None or row.dossier is None or row.columns["blocked"] is not None:
            return None
        columns, dossier = row.columns, row.dossier
        rules = self.catalogue.rules(columns["procedure"], columns["revision"], columns["fingerprint"])
        if rules is None or columns["judge_version"] != JUDGE_VERSION:
            return None
        outcomes = []
        for fact in new:
            names = columns["code"] is None and code_of(fact) is not None
            receives = len(rules.family) > 1 and _may_receive(rules, fact)
            if names or receives or not sorts_last(rules, dossier, fact):
                return None
            dossier, outcome = advance(rules, dossier, fact)
            outcomes.append((fact, outcome))
        return _Judged(rules, columns["code"], dossier, outcomes, self._deadlines(rules, dossier))

    def _again(self, subject: str, row: DossierRow | None, new: list[Fact]) -> _Judged | None:
        """All facts of the dossier folded once; None where none of them is a dossier's. Says only what differs."""
        earlier = [] if row is None else self.writer.facts(subject)
        facts = [*earlier, *new]
        if not any(isinstance(fact.body, _JUDGED) for fact in facts):
            return None
        before = {}
        if row is not None and row.dossier is not None and row.columns["blocked"] is None:
            was = fold(self.catalogue.choose(earlier).rules, subject, earlier)
            before = {_identity(f): o for f, o in zip(was.facts, was.outcomes, strict=True)}
        chosen = self.catalogue.choose(facts)
        judgment = fold(chosen.rules, subject, facts)
        pairs = zip(judgment.facts, judgment.outcomes, strict=True)
        outcomes = [(fact, outcome) for fact, outcome in pairs if before.get(_identity(fact)) != outcome]
        deadlines = self._deadlines(chosen.rules, judgment.dossier)
        return _Judged(chosen.rules, chosen.code, judgment.dossier, outcomes, deadlines)

    def _deadlines(self, rules: Rules, dossier: Dossier) -> tuple[Deadline, ...]:
        return rules.family[dossier.revision].clock.deadlines(dossier, at=self.now)

    def _keep(self, columns: dict[str, Any], judged: _Judged) -> None:
        rules = judged.rules.family[judged.dossier.revision]
        columns.update(_columns(judged, self.now))
        columns["procedure"], columns["revision"] = rules.revision.procedure, rules.revision.revision
        columns["fingerprint"] = self.catalogue.fingerprint(rules)
        sources = dict.fromkeys(fact.source for fact, _ in judged.outcomes)
        for one in self.catalogue.definitions(rules, sources):
            self.used[one.kind, one.name, one.revision] = one
        self.decisions += [
            Decision(fact.subject, columns["version"], fact.source, fact.id, fact.revision, outcome)
            for fact, outcome in judged.outcomes
        ]

    def write(self) -> None:
        """Writes everything."""
        at = micros(self.now)
        if self.used:
            archive(self.writer, self.used.values(), at)
        self.writer.append_facts(self.rows)
        for target in self.erased:
            self.writer.erase(*target)
        self.writer.write_dossiers(self.dossiers)
        self.writer.append_dead_letters(self.dead)
        if self.decisions:
            body = msgspec.json.encode(self.decisions)
            self.writer.append_outbox(body, messages=len(self.decisions), recorded_at=at)


def _identity(fact: Fact) -> Identity:
    return fact.subject, fact.source, fact.id, fact.revision


def _may_receive(rules: Rules, fact: Fact) -> bool:
    """Whether a fact may be the receipt that picks the revision."""
    if isinstance(fact.body, Opened):
        return True
    return isinstance(fact.body, Acted) and any(
        one.revision.actions[fact.body.action].milestone == "received"
        for one in rules.family.values()
        if fact.body.action in one.revision.actions
    )


def _columns(judged: _Judged, now: datetime) -> dict[str, Any]:
    """The columns that lists, rates and the ticker ask for."""
    dossier = judged.dossier
    ahead = [d.due_at for d in judged.deadlines if d.met_at is None and d.due_at > now]
    found: dict[str, Any] = {
        "code": judged.code,
        "state": dossier.state,
        "unit": dossier.unit,
        "officer": dossier.officer,
        "received_at": _micros(dossier.received_at),
        "released_at": _micros(dossier.issued_at),
        "ended_at": _micros(dossier.ended_at),
        "deviated": int(dossier.halted or any(kind != "deadline" for kind in dossier.broken.values())),
        "next_due_at": _micros(min(ahead, default=None)),
        "blocked": None,
        "judgment": pack(dossier),
    }
    for name, kind in (("appointment", "benchmark"), ("committed", "committed")):
        due = next((d for d in judged.deadlines if d.kind == kind), None)
        found[f"{name}_due_at"] = None if due is None else micros(due.due_at)
        found[f"{name}_late"] = None if due is None else int(due.late)
    return found


def _micros(at: datetime | None) -> int | None:
    return None if at is None else micros(at)
