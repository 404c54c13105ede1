"""Whether a store is still what its transactions wrote: facts by their digests, and every table whose rows stay by what
the outbox says of them."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from workflow.alerts.life import Life
from workflow.canonical import digest
from workflow.errors import InputError, StoreCorrupt
from workflow.facts import BodyErased, Fact
from workflow.messages import AlertSaid
from workflow.store.alerts import row as alert_row
from workflow.store.bodies import Bodies
from workflow.store.breaches import Broken, instant, of_fact
from workflow.store.rows import AlertRow, DeadLetter, to_us
from workflow.store.told import MASK, PARTS, Decided, facts_of, said_in, told, wrote_in
from workflow.store.witness import Trees, Witness
from workflow.store.wrote import KeptDefinition, letter_digest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from workflow.store.reading import Reading
    from workflow.store.rows import Identity
    from workflow.store.told import SaidLast, Told

NO_WITNESS: Final = Witness()
LOOKED_AT: Final = 1 << 10
"""Parts of the facts that are looked at together, one by one: what is held in memory for them is a small share."""
_COLUMNS: Final = 9
_RECORDED: Final = 6
_RECEIVED: Final = 11
_alerts: Final = f"SELECT {', '.join(AlertRow._fields)} FROM alerts ORDER BY id"
_letters: Final = f"SELECT seq, redriven_at, {', '.join(DeadLetter._fields)} FROM dead_letters ORDER BY seq"
_positions: Final = "SELECT stream, partition, position, epoch FROM positions ORDER BY stream, partition"
_definitions: Final = (
    "SELECT kind, name, revision, fingerprint, content, recorded_at FROM definitions ORDER BY 1, 2, 3"
)
_there: Final = "SELECT 1 FROM facts WHERE subject = %s AND source = %s AND id = %s AND revision = %s"
_life: Final = msgspec.json.Decoder(Life).decode
_said: Final = msgspec.json.Decoder(AlertSaid).decode


class Leaf(NamedTuple):
    """A fact as the outbox row `seq` tells of it."""

    received: bytes
    recorded_at: int
    seq: int


class Verification:
    """One run over a store. `facts`: how many were looked at so far; `witness`: what may be kept of it, at the end."""

    def __init__(self, reading: Reading, now: datetime, earlier: Witness = NO_WITNESS) -> None:
        """`reading`: one view of the store, held to the end. `now`: dead letters whose time is over by then may be
        gone. `earlier`: what was kept of an earlier run."""
        self.facts = 0
        self.witness = NO_WITNESS
        self._reading, self._now, self._trees = reading, now, Trees(earlier)

    def broken(self) -> Iterator[Broken]:
        """Every row that is not what was written: the outbox first, then the facts in the order of their rows, those
        whose erasure nobody recorded, those that were recorded otherwise or are gone, and the other tables."""
        with told(self._reading, self._trees) as said:
            yield from said.read_through()
            self.witness = self._trees.witness(one for kept in said.definitions.values() for one in kept[:1])
            yield from self._trees.broken(said.definitions)
            yield from self._facts(said)
            unequal = [part for part, total in enumerate(said.sums) if total]
            for start in range(0, len(unequal), LOOKED_AT):
                yield from self._one_by_one(frozenset(unequal[start : start + LOOKED_AT]))
            yield from self._alerts(said)
            yield from self._positions(said)
            yield from self._definitions(said)
            yield from self._letters(said)

    def _facts(self, said: Told) -> Iterator[Broken]:
        bodies = Bodies()
        gone: list[Identity] = []
        erased: set[tuple[str, str, str, int | None]] = set()
        for row in self._reading.proofs():
            self.facts += 1
            identity: Identity = row[:4]
            kind, kept, received, _, received_hash = row[_COLUMNS:]
            leaf = bytes(kept), bytes(received_hash), row[_RECORDED]
            part = _part(leaf[0])
            said.sums[part] = (said.sums[part] - hash(leaf)) & MASK
            fact = _fact(bodies, row)
            if fact is None or _differs(fact, kind, kept):
                yield of_fact("content", identity)
            if received is None:
                gone.append(identity)
            elif not _salted(row):
                yield of_fact("received", identity)
            if fact is not None and isinstance(fact.body, BodyErased):
                source = fact.body.target_source or identity[1]
                erased.add((identity[0], source, fact.body.target_id, fact.body.target_revision))
        for one in gone:
            if not erased & {(*one[:3], None), one}:
                yield of_fact("erased_unsaid", one)

    def _one_by_one(self, parts: frozenset[int]) -> Iterator[Broken]:
        """The facts of these parts against what the outbox says of them."""
        leaves: dict[bytes, Leaf] = {}
        for seq, _, wrote in wrote_in(self._reading):
            for kept, received, at in facts_of(wrote):
                if _part(kept) in parts:
                    leaves[kept] = Leaf(received, at, seq)
        for row in self._reading.proofs():
            kept = bytes(row[_COLUMNS + 1])
            if _part(kept) in parts:
                yield from _told_otherwise(row, leaves.pop(kept, None))
        if leaves:
            yield from self._gone(list(leaves.values()))

    def _gone(self, leaves: list[Leaf]) -> Iterator[Broken]:
        """Facts that are not there any more, by the names that were decided on in their batch."""
        batches = {leaf.seq for leaf in leaves}
        missing: dict[int, list[Identity]] = {}
        for seq, content, _ in wrote_in(self._reading):
            if seq in batches:
                decided = [one for one in said_in(content) if isinstance(one, Decided)]
                names = dict.fromkeys((one.subject, one.source, one.id, one.revision) for one in decided)
                missing[seq] = [name for name in names if not self._reading.rows(_there, name)]
        for leaf in sorted(leaves, key=lambda one: (one.seq, one.recorded_at)):
            found, expected = missing.get(leaf.seq, []), f"recorded {instant(leaf.recorded_at)}"
            if found:
                yield of_fact("gone", found.pop(0), expected, "none")
            else:
                yield Broken("gone", "facts", f"of outbox row {leaf.seq}", expected, "none")

    def _alerts(self, said: Told) -> Iterator[Broken]:
        names = said.alerts()
        known = next(names, None)
        for columns in self._reading.ask(_alerts):
            row = AlertRow._make((*columns[:-1], bytes(columns[-1])))
            while known is not None and known.id < row.id:
                yield _alert_gone(known)
                known = next(names, None)
            if known is not None and known.id == row.id:
                yield from _alert(row, known)
                known = next(names, None)
            else:
                yield Broken("unsaid", "alerts", row.id, "none", row.state)
        while known is not None:
            yield _alert_gone(known)
            known = next(names, None)

    def _positions(self, said: Told) -> Iterator[Broken]:
        steps = dict(said.steps)
        for stream, partition, position, epoch in self._reading.ask(_positions):
            last = steps.pop((stream, partition), None)
            if last is None:
                continue  # claimed, and nothing read of it yet
            name = f"{stream}/{partition}"
            if position != last.after:
                yield Broken("content", "positions", name, f"position {last.after}", f"position {position}")
            if epoch < last.epoch:
                yield Broken("content", "positions", name, f"epoch {last.epoch}", f"epoch {epoch}")
        for (stream, partition), last in steps.items():
            yield Broken("gone", "positions", f"{stream}/{partition}", f"position {last.after}", "none")

    def _definitions(self, said: Told) -> Iterator[Broken]:
        kept = dict(said.definitions)
        for *names, fingerprint, content, at in self._reading.ask(_definitions):
            known = kept.pop(tuple(names), None)
            row = KeptDefinition._make((*names, fingerprint, sha256(bytes(content)).digest(), at))
            if known is None:
                yield Broken("unsaid", "definitions", " ".join(names), "none", fingerprint)
            elif row not in known:  # of two that kept it at once both say so, and one did
                yield from _definition(row, known[0])
        for first, *_ in kept.values():
            yield Broken("gone", "definitions", " ".join(first[:3]), first.fingerprint, "none")

    def _letters(self, said: Told) -> Iterator[Broken]:
        for seq, at, *columns in self._reading.ask(_letters):
            one = DeadLetter._make(bytes(cell) if isinstance(cell, memoryview) else cell for cell in columns)
            known = letter_digest(one)
            if not said.letter(known):
                yield Broken("unsaid", "dead_letters", str(seq), "none", one.place)
            elif at != (taken := said.retaken.get(known)):
                yield Broken("content", "dead_letters", str(seq), _taken(taken), _taken(at))
        yield from said.letters_left(to_us(self._now))


def verify_rows(reading: Reading, now: datetime) -> Iterator[Broken]:
    """Every row that is not what was written; none after an erasure that was recorded."""
    return Verification(reading, now).broken()


def _part(kept: bytes) -> int:
    return int.from_bytes(kept[:2], "big") % PARTS


def _told_otherwise(row: tuple[Any, ...], leaf: Leaf | None) -> Iterator[Broken]:
    """What the outbox says otherwise of a fact's row."""
    identity: Identity = row[:4]
    at, received_hash = row[_RECORDED], bytes(row[-1])
    if leaf is None:
        yield of_fact("unsaid", identity, "none", f"recorded {instant(at)}")
        return
    if at != leaf.recorded_at:
        yield of_fact("recorded_at", identity, instant(leaf.recorded_at), instant(at))
    if received_hash != leaf.received and (row[_RECEIVED] is None or _salted(row)):
        yield of_fact("received", identity, leaf.received.hex(), received_hash.hex())


def _definition(row: KeptDefinition, known: KeptDefinition) -> Iterator[Broken]:
    name = " ".join(row[:3])
    if row.recorded_at != known.recorded_at:
        yield Broken("recorded_at", "definitions", name, instant(known.recorded_at), instant(row.recorded_at))
    if row.fingerprint != known.fingerprint:
        yield Broken("content", "definitions", name, known.fingerprint, row.fingerprint)
    elif row.digest != known.digest:
        yield Broken("content", "definitions", name, known.digest.hex(), row.digest.hex())


def _taken(at: int | None) -> str:
    return "not taken" if at is None else f"taken {instant(at)}"


def _salted(row: tuple[Any, ...]) -> bool:
    """Whether the bytes of a fact, with their salt, give their hash."""
    received, salt, received_hash = row[_RECEIVED:]
    return salt is not None and sha256(bytes(salt) + bytes(received)).digest() == bytes(received_hash)


def _alert(row: AlertRow, known: SaidLast) -> Iterator[Broken]:
    """What is not so of an alert's row: by its content, and by what was said last."""
    if row.n != known.messages:
        yield Broken(
            "gone", "outbox", f"of alert {row.id}", f"{row.n} messages", f"{known.messages} messages"
        )
    try:
        life = _life(row.content)
    except msgspec.MsgspecError as fault:
        yield Broken("content", "alerts", row.id, "a life", str(fault))
        return
    follows = alert_row(life)
    for name in AlertRow._fields[:-1]:
        cell, told_of_it = getattr(row, name), getattr(follows, name)
        if cell != told_of_it:
            yield Broken("content", "alerts", row.id, f"{name} {told_of_it}", f"{name} {cell}")
    if known.kept is not None:
        if (found := sha256(row.content).digest()) != bytes(known.kept):
            yield Broken("content", "alerts", row.id, bytes(known.kept).hex(), found.hex())
    elif known.said is not None:
        last = _said(known.said)
        if (last.alert, last.state, last.n, None) != (life.alert, life.state, life.n, life.act):
            yield Broken("content", "alerts", row.id, bytes(known.said).decode(), row.content.decode())


def _alert_gone(known: SaidLast) -> Broken:
    return Broken("gone", "alerts", known.id, f"an alert after {known.messages} messages", "none")


def _fact(bodies: Bodies, row: tuple[Any, ...]) -> Fact | None:
    """The fact of a row; None where its body is none."""
    try:
        return bodies.fact([*row[: _COLUMNS - 1], bytes(row[_COLUMNS - 1])])
    except (StoreCorrupt, ValueError):
        return None


def _differs(fact: Fact, kind: str, kept: bytes) -> bool:
    if type(fact.body).__struct_config__.tag != kind:
        return True
    try:
        return digest(fact) != bytes(kept)
    except InputError:
        return True
