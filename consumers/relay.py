"""The relay: outbox to topics. Each batch is sent, acknowledged by all replicas, and only then marked as sent.

A fault between the two sends it again, with the same ids and bytes: who dedupes by id sees each message once. Batches
go out in the order of their numbers, which is the order of each dossier (`workflow.store.outbox` says why).
"""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from consumers.contract.outgoing import Record, letter_record, record
from consumers.patience import Patience
from consumers.retrying import again
from workflow import log
from workflow.errors import DunghenError
from workflow.messages import read
from workflow.store.looking import backlog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from threading import Event

    from consumers.health import Health
    from consumers.metrics import Metrics
    from workflow.store.outbox import Outbox
    from workflow.store.store import Store

Publish: TypeAlias = "Callable[[Sequence[Record]], None]"
"""Sends records in their order and returns when each is acknowledged; raises where one is not."""

PART: Final = "relay"
BATCHES: Final = 16
"""Rows taken at once: some ten thousand messages, so that waiting for the broker is shared and memory stays bounded."""
LETTERS: Final = 100
"""Dead letters taken at once, each at most as large as a message may be."""
IDLE_S: Final = 0.1
STANDBY_S: Final = 2.0
OUST_S: Final = 60.0
"""A relay that has the outbox while a message waits so long has stopped: the one standing by takes over."""


class Sent(NamedTuple):
    """What one step sent: rows of the outbox, and messages by topic."""

    batches: int
    topics: Mapping[str, int]


def step(outbox: Outbox, publish: Publish, prefix: str, clock: Callable[[], datetime]) -> Sent:
    """Sends the oldest batches and dead letters not yet sent and marks them. Raises what `publish` raises, and
    StoreErrors."""
    batches, letters = outbox.unsent(BATCHES), outbox.unsent_letters(LETTERS)
    records = [
        record(message, batch.recorded_at, prefix) for batch in batches for message in read(batch.content)
    ]
    records += [letter_record(letter, prefix) for letter in letters.values()]
    if records:
        publish(records)
    if batches:
        outbox.sent(batches, clock())
    if letters:
        outbox.letters_sent(letters, clock())
    return Sent(len(batches), Counter(one.topic for one in records))


class Relay:
    """The loop: one of several processes has the outbox, the others stand by."""

    def __init__(
        self,
        store: Store,
        publish: Publish,
        prefix: str,
        health: Health,
        metrics: Metrics,
        patience: Patience | None = None,
    ) -> None:
        """`publish` may raise errors that retrying cures; they are retried."""
        self._store = store
        self._publish = publish
        self._prefix = prefix
        self._health = health
        self._metrics = metrics
        self._patience = patience or Patience()
        self._waited_since: float | None = None

    def run(self, stop: Event) -> None:
        """Sends until `stop` is set, the step at hand finished. Raises DunghenError for what retrying does not cure."""
        while not stop.is_set():
            try:
                self._turn(stop)
            except DunghenError as fault:
                stop.wait(again(PART, fault, self._patience, self._health, self._metrics))

    def _turn(self, stop: Event) -> None:
        """Has the outbox until `stop` is set or a fault ends it; or finds another has it, and stands by a while."""
        with self._store.relaying(oust=self._overdue()) as outbox:
            if outbox is not None:
                self._drain(outbox, stop)
                return
        self._health.beat(PART)
        stop.wait(STANDBY_S)

    def _drain(self, outbox: Outbox, stop: Event) -> None:
        self._waited_since = None
        log.info("relaying", part=PART)
        while not stop.is_set():
            if not self._step(outbox):
                stop.wait(IDLE_S)

    def _overdue(self) -> bool:
        """Whether, while this relay stood by, nothing was sent for too long though something waited."""
        now = time.monotonic()
        if self._waited_since is None:
            self._waited_since = now
        if now - self._waited_since < OUST_S:
            return False
        self._waited_since = now
        oldest_s = backlog(self._store, datetime.now(UTC)).oldest_s
        if oldest_s < OUST_S:
            return False
        log.warning("ousting", part=PART, wait_s=round(oldest_s, 1))
        return True

    def _step(self, outbox: Outbox) -> bool:
        began = time.monotonic()
        sent = step(outbox, self._publish, self._prefix, lambda: datetime.now(UTC))
        self._health.beat(PART)
        self._patience.rewarded()
        if not sent.topics:
            return False
        took = time.monotonic() - began
        messages = sum(sent.topics.values())
        self._metrics.relayed(took, sent.topics)
        log.info(
            "relayed", part=PART, batches=sent.batches, messages=messages, batch_ms=round(took * 1000, 1)
        )
        return True
