"""Whether the facts of a store are still what was appended: each row's digest, and its received bytes' hash."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from workflow.canonical import digest
from workflow.errors import InputError, StoreCorrupt
from workflow.facts import BodyErased, Fact
from workflow.store.bodies import Bodies

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workflow.store.store import Reading

Breach: TypeAlias = Literal["content", "received", "erased_unsaid"]
_COLUMNS: Final = 9


class Broken(NamedTuple):
    """A fact whose row is not what was appended. `content`: its columns do not give its digest. `received`: its bytes
    do not give their hash. `erased_unsaid`: its bytes are gone and no fact says so."""

    subject: str
    source: str
    id: str
    revision: int
    breach: Breach


class Verification:
    """One run over the facts of a store. `facts`: how many were looked at so far."""

    def __init__(self, reading: Reading) -> None:
        """`reading`: one view of the store, held to the end."""
        self.facts = 0
        self._reading = reading

    def broken(self) -> Iterator[Broken]:
        """Every fact that does not verify, in the order of the rows; those whose erasure nobody recorded come last."""
        bodies = Bodies()
        gone: list[Broken] = []
        said: set[tuple[str, str, str, int | None]] = set()
        for row in self._reading.proofs():
            self.facts += 1
            subject, source, identifier, revision = row[:4]
            kind, kept, received, salt, received_hash = row[_COLUMNS:]
            broken = Broken(subject, source, identifier, revision, "content")
            fact = _fact(bodies, row)
            if fact is None or _differs(fact, kind, kept):
                yield broken
            if received is None:
                gone.append(broken._replace(breach="erased_unsaid"))
            elif salt is None or sha256(bytes(salt) + bytes(received)).digest() != bytes(received_hash):
                yield broken._replace(breach="received")
            if fact is not None and isinstance(fact.body, BodyErased):
                source = fact.body.target_source or source
                said.add((subject, source, fact.body.target_id, fact.body.target_revision))
        for one in gone:
            if not said & {(*one[:3], None), one[:4]}:
                yield one


def verify_rows(reading: Reading) -> Iterator[Broken]:
    """Every fact that does not verify, in the order of the rows; none after an erasure that was recorded."""
    return Verification(reading).broken()


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
