"""The worker: reads streams, applies what comes in one transaction a batch, and is never ahead of what is stored.

One thread, in rounds: claim what is newly assigned, poll, apply, look at the logs now and then. After any fault nothing
in memory is believed: positions are read from the store again.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from consumers.apply import Beside, apply, letter
from consumers.claims import Claims
from consumers.patience import Patience
from workflow import log
from workflow.errors import DunghenError, PositionLost, StoreReadOnly

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from threading import Event

    from consumers.apply import Applied
    from consumers.health import Health
    from consumers.metrics import Metrics
    from consumers.streams import Polled, Stream, Streams
    from workflow.catalogue import Catalogue
    from workflow.store.store import Store

PART: Final = "worker"
HINT_S: Final = 1.0


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
        patience: Patience | None = None,
    ) -> None:
        """`streams` are left when the loop ends. `clock`: by which facts are recorded and dossiers judged.

        `patience`: how it waits after faults.
        """
        self._store = store
        self._catalogue = catalogue
        self._streams = streams
        self._health = health
        self._metrics = metrics
        self._clock = clock
        self._claims = Claims(store, streams)
        self._patience = patience or Patience()
        self._again_at = 0.0
        self._hinted_at = 0.0
        self._to_restore = False
        self._seen: dict[str, datetime] = {}
        self._told: set[Stream] = set()  # of whose lag a batch told since the last look
        self._behind_since: dict[Stream, float] = {}

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
        return not self._claims.refused

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
            # While the store is away too, whoever watches is to see what gathers meanwhile.
            self._tell_lag(self._claims.behind())
            self._claims.restore()
            # Polling alone does not tell that the broker is still away: what it reads then is nothing.
            self._tell_lag(self._claims.look())
            self._to_restore = False
        for stream in self._claims.follow():
            self._metrics.revoked(*stream)
        polled = self._streams.poll()
        # Before what came is taken: it may be of a log that was made anew, in which our position means nothing.
        if self._streams.moved():
            self._tell_lag(self._claims.look())
        taken = [one for one in polled if one.stream in self._claims.held]
        if taken:
            self._apply(taken)
        self._patience.rewarded()
        self._tell()

    def _tell_lag(self, unread: Mapping[Stream, int]) -> None:
        """What lies unread of each stream, where no batch told of it since it was looked at last."""
        now = time.monotonic()
        for stream, behind in unread.items():
            if stream in self._told or not behind:
                self._behind_since.pop(stream, None)
            if stream not in self._told:
                since = self._behind_since.setdefault(stream, now) if behind else now
                self._metrics.lag(*stream, behind, now - since)
        self._told.clear()

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
            self._told.add(one.stream)
        self._metrics.batch(
            took_s,
            {"appended": done.appended, "duplicate": done.duplicates, "dead": done.dead},
        )
        self._say_seen(polled)
        self._say_refused(polled, done)
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

    def _say_seen(self, polled: Sequence[Polled]) -> None:
        for one in polled:
            for told in one.told:
                fact = told.fact
                newest = self._seen.get(fact.source)
                if newest is None or fact.occurred_at > newest:
                    self._seen[fact.source] = fact.occurred_at
        for source, at in self._seen.items():
            self._metrics.seen(source, at.timestamp())

    def _say_refused(self, polled: Sequence[Polled], done: Applied) -> None:
        """A line for each event that was refused: where it lies and by which rule, and nothing of what it says."""
        for buried in done.letters:
            log.warning("dead letter", place=buried.place, reason=buried.reason)
        if not done.refused:
            return
        subjects = {said.subject for said in done.refused}
        facts = [
            (told.fact, told.place) for one in polled for told in one.told if told.fact.subject in subjects
        ]
        places = {(fact.subject, fact.source, fact.id, fact.revision): place for fact, place in facts}
        for said in done.refused:
            broken = said.outcome.violations[0] if said.outcome and said.outcome.violations else None
            log.info(
                "refused",
                place=places.get((said.subject, said.source, said.id, said.revision)),
                source=said.source,
                reason=None if broken is None else broken.rule,
                kind=None if broken is None else broken.kind,
            )

    def _tell(self) -> None:
        held, refused = list(self._claims.held), self._claims.refused
        self._metrics.assigned(len(held), len(refused))
        problem = None if held else "no stream to read"
        self._health.beat(PART, f"stopped: {'; '.join(map(str, refused))}" if refused else problem)

    def _retry(self, fault: DunghenError, *, wait: bool) -> None:
        """Holds everything and begins again from the store, after a while where waiting may help."""
        wait_s = self._patience.wait_s() if wait else 0.0
        self._again_at = time.monotonic() + wait_s
        # Whatever the fault: a worker that waits drops what it polls, so nothing may be polled that is not held.
        self._streams.hold()
        self._to_restore = True
        self._told.clear()
        log.warning(
            "retry",
            part=PART,
            reason=fault.code,
            said=str(fault),
            attempt=self._patience.attempts,
            wait_s=round(wait_s, 2),
        )
        self._metrics.retried(fault.code)
        self._health.beat(PART, fault.code)
