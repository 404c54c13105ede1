"""What is kept outside a store so that it cannot be made anew unseen: the roots of its trees of facts, and its
definitions. One tree for each partition of a stream, in the order its facts were taken; hashed as RFC 9162 says, so
that an earlier root is that of the first leaves of a later tree."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from workflow.store.breaches import Broken, instant

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from workflow.store.wrote import KeptDefinition, Wrote

TreeName: TypeAlias = tuple[str, int]
"""Stream and partition; the empty stream for facts that came through none, as a redrive brings them."""


class Root(Struct, frozen=True):
    """The root of a tree when it had so many facts, as hexadecimal digits."""

    stream: str
    partition: int
    facts: int
    root: str


class Defined(Struct, frozen=True):
    """A definition as it was archived; the instant is RFC 3339."""

    kind: str
    name: str
    revision: str
    fingerprint: str
    recorded_at: str


class Witness(Struct, frozen=True):
    """What a store held when it was looked at."""

    trees: tuple[Root, ...] = ()
    definitions: tuple[Defined, ...] = ()


class Tree:
    """A Merkle tree that only grows; it keeps one hash for each full subtree at its right edge. RFC 9162, 2.1."""

    def __init__(self) -> None:
        """No leaf yet."""
        self.size = 0
        self._edge: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Adds a leaf behind the others."""
        found, number = sha256(b"\0" + leaf).digest(), self.size
        while number & 1:
            found = sha256(b"\1" + self._edge.pop() + found).digest()
            number >>= 1
        self._edge.append(found)
        self.size += 1

    def root(self) -> bytes:
        """The hash of the whole tree."""
        if not self._edge:
            return sha256().digest()
        found = self._edge[-1]
        for left in reversed(self._edge[:-1]):
            found = sha256(b"\1" + left + found).digest()
        return found


class Trees:
    """The trees of a store as they grow, and their roots at the sizes an earlier witness tells."""

    def __init__(self, earlier: Witness) -> None:
        """`earlier`: what they are compared with."""
        self._trees: dict[TreeName, Tree] = {}
        self._wanted = {(one.stream, one.partition, one.facts): one.root for one in earlier.trees}
        self._definitions = earlier.definitions
        self._found: dict[tuple[str, int, int], str] = {}

    def add(self, wrote: Wrote, facts: Iterable[tuple[bytes, bytes, int]]) -> None:
        """Adds the facts of one row of the outbox. All its steps are of one transaction, so the first may name it."""
        name: TreeName = wrote.steps[0][:2] if wrote.steps else ("", 0)
        for kept, received, at in facts:
            tree = self._trees.setdefault(name, Tree())
            tree.add(kept + received + at.to_bytes(8, "big", signed=True))
            if (size := (*name, tree.size)) in self._wanted:
                self._found[size] = tree.root().hex()

    def witness(self, kept: Iterable[KeptDefinition]) -> Witness:
        """What may be kept of the store as it is."""
        roots = [Root(*name, tree.size, tree.root().hex()) for name, tree in sorted(self._trees.items())]
        return Witness(tuple(roots), tuple(sorted(map(_defined, kept), key=_name)))

    def broken(self, kept: Mapping[tuple[str, str, str], Collection[KeptDefinition]]) -> Iterator[Broken]:
        """What the earlier witness saw and the store no longer holds as it was."""
        for (stream, partition, facts), root in self._wanted.items():
            found = self._found.get((stream, partition, facts), "fewer facts")
            if found != root:
                name = f"{stream}/{partition}, the first {facts}"
                yield Broken("witness", "facts", name, root, found)
        for one in self._definitions:
            there = [_defined(each) for each in kept.get((one.kind, one.name, one.revision), ())]
            if one not in there:
                seen = f"{one.fingerprint} recorded {one.recorded_at}"
                now = (
                    "".join(f"{each.fingerprint} recorded {each.recorded_at}" for each in there[:1]) or "none"
                )
                yield Broken("witness", "definitions", f"{one.kind} {one.name} {one.revision}", seen, now)


def _defined(one: KeptDefinition) -> Defined:
    return Defined(one.kind, one.name, one.revision, one.fingerprint, instant(one.recorded_at))


def _name(one: Defined) -> tuple[str, str, str]:
    return one.kind, one.name, one.revision
