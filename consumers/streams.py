"""Streams as a worker reads them, whatever brings them: Kafka, a file, a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from workflow.store.bodies import Told


class Stream(NamedTuple):
    """One partition of a log: what is read in order, by one worker."""

    name: str
    partition: int

    def __str__(self) -> str:
        """As errors and logs name it."""
        return f"{self.name}/{self.partition}"


class Log(NamedTuple):
    """What lies there now: which log it is, its first position, and the one after its last."""

    identity: str
    start: int
    end: int


class Unreadable(NamedTuple):
    """A message that could not be decoded, whole, or by reference where it is too large to keep. `detail`: why, as
    `workflow.kept` keeps it."""

    received: bytes
    place: str
    key: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    reason: str
    detail: str


class Polled(NamedTuple):
    """What came of one stream, in its order. `since`: the position it was read from. `after`: that to read on from.
    `end`: that after the last record of the log, as far as is known. `last_at_ms`: when the newest of these was
    written, where the log says so."""

    stream: Stream
    told: Sequence[Told]
    unreadable: Sequence[Unreadable]
    since: int
    after: int
    end: int
    last_at_ms: int | None = None


class Streams(Protocol):
    """What a worker reads from. One thread asks; what it says of assignment may change between any two calls."""

    def assigned(self) -> Mapping[Stream, int]:
        """The streams that are this worker's to read, each with a number that changes when it was away in between."""

    def logs(self, streams: Collection[Stream]) -> Mapping[Stream, Log]:
        """What lies in the log of each. Raises BrokerError."""

    def begin(self, stream: Stream, position: int) -> bool:
        """Reads this stream on from a position; False where it is no longer ours."""

    def leave(self, stream: Stream) -> None:
        """Gives nothing more of this stream until it is begun again."""

    def hold(self) -> None:
        """Gives nothing more until each stream is begun again; membership is kept."""

    def poll(self) -> list[Polled]:
        """What has come of streams that were begun, at most one batch, after a short wait at most."""

    def hint(self, positions: Mapping[Stream, int]) -> None:
        """Tells whoever watches from outside how far we are. Nothing rests on it."""

    def moved(self) -> bool:
        """Whether the logs should be looked at: it is time, or reading failed in a way that says so."""

    def ended(self) -> bool:
        """Whether everything was read and nothing more will come."""

    def close(self) -> None:
        """Leaves, so that others may read at once."""
