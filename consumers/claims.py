"""Which streams a worker may write for: claims on them, taken, kept, lost, or refused for the log's sake."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NamedTuple

from workflow import log
from workflow.errors import PositionLost
from workflow.store.claiming import claim
from workflow.store.rows import Position

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consumers.streams import Log, Polled, Stream, Streams
    from workflow.store.store import Store

RECLAIM_S: Final = 3.0
"""How long a stream that another has claimed is left alone: the group will say by then whether it is still ours."""


class Claim(NamedTuple):
    """The right to read a stream on from a position: by its epoch, on the log of that identity. `given`: the number
    under which the stream was assigned."""

    given: int
    epoch: int
    position: int
    log: str


class Claims:
    """The claims of one worker. One thread uses it."""

    def __init__(self, store: Store, streams: Streams) -> None:
        """Nothing is claimed yet."""
        self._store = store
        self._streams = streams
        self._held: dict[Stream, Claim] = {}
        self._refused: dict[Stream, tuple[int, PositionLost]] = {}
        self._not_before: dict[Stream, float] = {}

    @property
    def held(self) -> Iterable[Stream]:
        """The streams that are claimed now."""
        return self._held.keys()

    @property
    def refused(self) -> list[PositionLost]:
        """Why streams that are ours cannot be read: their log is not the one our position was counted in."""
        return [fault for _, fault in self._refused.values()]

    def follow(self) -> list[Stream]:
        """Gives up what is no longer assigned and claims what is new; the streams given up.

        Raises StoreError and BrokerError; what was claimed before that stays claimed.
        """
        assigned = self._streams.assigned()
        gone = [stream for stream, held in self._held.items() if assigned.get(stream) != held.given]
        for stream in gone:
            del self._held[stream]
        self._refused = {
            stream: refusal for stream, refusal in self._refused.items() if assigned.get(stream) == refusal[0]
        }
        new = [
            stream
            for stream in assigned
            if stream not in self._held and stream not in self._refused and self._may(stream)
        ]
        for stream, found in self._streams.logs(new).items():
            self._claim(stream, assigned[stream], found)
        return gone

    def steps(self, polled: Sequence[Polled]) -> list[Position]:
        """How these move the positions of their streams, in the order in which every worker locks them.

        Raises PositionLost where one was not read from where its stream was left: what lies between would be lost.
        """
        for one in polled:
            if one.since != self._held[one.stream].position:
                raise PositionLost(
                    "{stream}: expected a batch from {expected} on, found one from {found} on; it is read again from "
                    "the stored position",
                    stream=str(one.stream),
                    expected=self._held[one.stream].position,
                    found=one.since,
                    reason="position_gap",
                )
        return sorted(
            Position(*one.stream, self._held[one.stream].position, one.after, self._held[one.stream].epoch)
            for one in polled
        )

    def moved(self, polled: Iterable[Polled]) -> None:
        """These were kept: their streams are read on from behind them."""
        for one in polled:
            self._held[one.stream] = self._held[one.stream]._replace(position=one.after)

    def restore(self) -> None:
        """After an aborted batch, begins every stream again where the store says it is; what others claimed is lost.

        Raises StoreError.
        """
        with self._store.reading() as reading:
            stored = {stream: reading.position(*stream) for stream in self._held}
        for stream, found in stored.items():
            held = self._held[stream]
            if found is None or found[1] != held.epoch:
                self._lose(stream, held, None if found is None else found[1])
            elif not self._streams.begin(stream, found[0]):
                del self._held[stream]
            else:
                self._held[stream] = held._replace(position=found[0])

    def behind(self) -> dict[Stream, int]:
        """How many records lie behind each position as it was left, by the logs alone: the store is not asked.

        Raises BrokerError.
        """
        found = self._streams.logs(self._held)
        return {
            stream: found[stream].end - held.position
            for stream, held in self._held.items()
            if _wrong(stream, held.position, held.log, found[stream]) is None
        }

    def look(self) -> dict[Stream, int]:
        """Looks whether every claim still holds, and every log is still the one that was claimed; how many records lie
        behind each position.

        Raises StoreError, BrokerError.
        """
        with self._store.reading() as reading:
            stored = {stream: reading.position(*stream) for stream in self._held}
        for stream, kept in stored.items():
            if kept is None or kept[1] != self._held[stream].epoch:
                self._lose(stream, self._held[stream], None if kept is None else kept[1])
        found = self._streams.logs(self._held)
        for stream, held in list(self._held.items()):
            wrong = _wrong(stream, held.position, held.log, found[stream])
            if wrong is not None:
                del self._held[stream]
                self._refuse(stream, held.given, wrong)
        return {stream: found[stream].end - held.position for stream, held in self._held.items()}

    def _may(self, stream: Stream) -> bool:
        return time.monotonic() >= self._not_before.get(stream, 0.0)

    def _claim(self, stream: Stream, given: int, found: Log) -> None:
        try:
            position, epoch = claim(
                self._store, stream.name, stream.partition, log=found.identity, start=found.start
            )
        except PositionLost as fault:
            self._refuse(stream, given, fault)
            return
        wrong = _wrong(stream, position, found.identity, found)
        if wrong is not None:
            self._refuse(stream, given, wrong)
        elif self._streams.begin(stream, position):
            self._held[stream] = Claim(given, epoch, position, found.identity)
            log.info(
                "claimed",
                stream=stream.name,
                partition=stream.partition,
                position=position,
                epoch=epoch,
                end=found.end,
            )

    def _refuse(self, stream: Stream, given: int, fault: PositionLost) -> None:
        self._streams.leave(stream)
        self._refused[stream] = given, fault
        log.error(
            "stream stopped",
            stream=stream.name,
            partition=stream.partition,
            reason=fault.code,
            said=str(fault),
        )

    def _lose(self, stream: Stream, held: Claim, epoch: int | None) -> None:
        del self._held[stream]
        self._streams.leave(stream)
        self._not_before[stream] = time.monotonic() + RECLAIM_S
        log.warning(
            "claim lost",
            stream=stream.name,
            partition=stream.partition,
            epoch=held.epoch,
            reason="position_lost",
            found=epoch,
        )


def _wrong(stream: Stream, position: int, identity: str, found: Log) -> PositionLost | None:
    """What is wrong with reading on from a position of the log `identity`, where `found` lies now."""
    if found.identity != identity:
        return PositionLost(
            "{stream}: expected the log {expected}, found {found}: the topic was made anew; decide from where to read, "
            "then set it with: dunghen position set",
            stream=str(stream),
            expected=identity,
            found=found.identity,
            reason="log_changed",
        )
    if position < found.start:
        return PositionLost(
            "{stream}: expected to read on from {position}, found that the log begins at {start}: what lies between "
            "was removed unread; fetch it from its source, then set the position with: dunghen position set",
            stream=str(stream),
            position=position,
            start=found.start,
            reason="log_start_moved",
        )
    if position > found.end:
        return PositionLost(
            "{stream}: expected to read on from {position}, found that the log ends at {end}: its end was lost; see "
            "which events are missing, then set the position with: dunghen position set",
            stream=str(stream),
            position=position,
            end=found.end,
            reason="log_end_lost",
        )
    return None
