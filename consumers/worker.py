"""The worker: reads streams, applies what comes in one transaction a batch, and is never ahead of what is stored.

One thread, in rounds: claim what is newly assigned, poll, apply, look at the logs now and then. After any fault nothing
in memory is believed: positions are read from the store again.
"""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from consumers.apply import Beside, apply, letter
from consumers.claims import Claims
from workflow import log
from workflow.errors import DunghenError, PositionLost, StoreReadOnly

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event

    from consumers.apply import Applied
    from consumers.health import Health
    from consumers.metrics import Metrics
    from consumers.streams import Polled, Streams
    from workflow.catalogue import Catalogue
    from workflow.store.store import Store

PART: Final = "worker"
HINT_S: Final = 1.0
_WAIT_LEAST_S: Final = 0.1
_WAIT_MOST_S: Final = 10.0
"""Waits after faults: doubled each time between these, each at random below that."""


def _now() -> datetime:
    return datetime.now(UTC)


class Worker:
    """The loop over one set of streams."""

    def __init__(
        self,
        store: Store,
        catalogue: Catalogue,
        streams: Streams,
        health: Health,
        metrics: Metrics,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        """`streams` are left when the loop ends. `clock`: by which facts are recorded and dossiers judged."""
        self._store = store
        self._catalogue = catalogue
        self._streams = streams
        self._health = health
        self._metrics = metrics
        self._clock = clock
        self._claims = Claims(store, streams)
        self._attempt = 0
        self._again_at = 0.0
        self._hinted_at = 0.0
        self._to_restore = False

    def run(self, stop: Event) -> bool:
        """Reads until `stop` is set, the batch at hand finished, or everything is read; False where a stream was
        refused.

        Raises DunghenError for what retrying does not cure.
        """
        try:
            while not (stop.is_set() or self._streams.ended()):
                self._round()
        finally:
            self._streams.close()
        return not list(self._claims.refused)

    def _round(self) -> None:
        try:
            self._turn()
        except PositionLost as fault:
            # Another has claimed it: nothing to wait for, restoring finds out which.
            self._retry(fault, wait=False)
        except DunghenError as fault:
            if not (fault.retriable or isinstance(fault, StoreReadOnly)):
                raise
            self._retry(fault, wait=True)

    def _turn(self) -> None:
        # A worker that waits goes on polling, of streams that are held: so it stays a member of its group.
        if time.monotonic() < self._again_at:
            self._streams.poll()
            return
        if self._to_restore:
            self._claims.restore()
            # Polling alone does not tell that the broker is still away: what it reads then is nothing.
            self._claims.look()
            self._to_restore = False
        for stream in self._claims.follow():
            self._metrics.revoked(*stream)
        polled = self._streams.poll()
        # Before what came is taken: it may be of a log that was made anew, in which our position means nothing.
        if self._streams.moved():
            self._claims.look()
        taken = [one for one in polled if one.stream in self._claims.held]
        if taken:
            self._apply(taken)
        self._attempt = 0
        self._tell()

    def _apply(self, polled: Sequence[Polled]) -> None:
        began = time.monotonic()
        now = self._clock()
        first, *more = self._claims.steps(polled)
        done = apply(
            self._store,
            self._catalogue,
            [told for one in polled for told in one.told],
            now=now,
            position=first,
            beside=Beside(more, [letter(bad, now) for one in polled for bad in one.unreadable]),
        )
        self._claims.moved(polled)
        self._say(polled, done, time.monotonic() - began)

    def _say(self, polled: Sequence[Polled], done: Applied, took_s: float) -> None:
        now = datetime.now(UTC).timestamp()
        for one in polled:
            waited_s = 0.0 if one.last_at_ms is None else max(0.0, now - one.last_at_ms / 1_000)
            self._metrics.lag(*one.stream, one.end - one.after, waited_s)
        self._metrics.batch(
            took_s,
            {"appended": done.appended, "duplicate": done.duplicates, "dead": done.dead},
        )
        log.info(
            "batch",
            stream=sorted({one.stream.name for one in polled}),
            records=sum(len(one.told) + len(one.unreadable) for one in polled),
            facts=done.appended,
            duplicates=done.duplicates,
            dead=done.dead,
            dossiers=done.dossiers,
            refolded=done.refolded,
            blocked=len(done.blocked),
            lag_events=sum(one.end - one.after for one in polled),
            batch_ms=round(took_s * 1_000, 1),
        )
        if time.monotonic() - self._hinted_at >= HINT_S:
            self._hinted_at = time.monotonic()
            self._streams.hint({one.stream: one.after for one in polled})

    def _tell(self) -> None:
        held, refused = list(self._claims.held), list(self._claims.refused)
        self._metrics.assigned(len(held))
        problem = None if held else "no stream to read"
        self._health.beat(PART, f"stopped: {', '.join(map(str, refused))}" if refused else problem)

    def _retry(self, fault: DunghenError, *, wait: bool) -> None:
        """Holds everything and begins again from the store, after a while where waiting may help."""
        most = min(_WAIT_LEAST_S * 2**self._attempt, _WAIT_MOST_S) if wait else 0.0
        wait_s = random.uniform(most / 2, most)  # noqa: S311 - a jitter, no secret
        self._attempt += 1
        self._again_at = time.monotonic() + wait_s
        # Whatever the fault: a worker that waits drops what it polls, so nothing may be polled that is not held.
        self._streams.hold()
        self._to_restore = True
        log.warning(
            "retry",
            part=PART,
            reason=fault.code,
            said=str(fault),
            attempt=self._attempt,
            wait_s=round(wait_s, 2),
        )
        self._metrics.retried(fault.code)
        self._health.beat(PART, fault.code)
