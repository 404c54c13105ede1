"""The loop of the ticker: deadlines that pass in silence are noticed, again and again, until it is told to end.

Between two batches of a storm it lets events through; feeds are looked at once a minute.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from consumers.patience import Patience
from consumers.ticker import DOSSIERS_A_TICK, tick, tick_feeds
from workflow import log
from workflow.errors import DunghenError

if TYPE_CHECKING:
    from threading import Event

    from consumers.health import Health
    from consumers.metrics import Metrics
    from workflow.catalogue import Catalogue
    from workflow.store.store import Store

PART: Final = "ticker"
IDLE_S: Final = 1.0
BETWEEN_S: Final = 0.01
FEEDS_S: Final = 60.0


class Ticking:
    """Several may run on one store: on PostgreSQL they share the work."""

    def __init__(self, store: Store, catalogue: Catalogue, health: Health, metrics: Metrics) -> None:
        """`catalogue`: the newest definitions, by which what is due is judged again."""
        self._store = store
        self._catalogue = catalogue
        self._health = health
        self._metrics = metrics
        self._feeds_at = 0.0
        self._patience = Patience()

    def run(self, stop: Event) -> None:
        """Notices until `stop` is set, the batch at hand finished.

        Raises DunghenError for what retrying does not cure.
        """
        while not stop.is_set():
            try:
                wait_s = self._round()
                self._patience.rewarded()
                self._health.beat(PART)
            except DunghenError as fault:
                if not fault.retriable:
                    raise
                wait_s = self._again(fault)
            stop.wait(wait_s)

    def _round(self) -> float:
        """One batch, and the feeds when it is time; the seconds to wait until the next."""
        began = time.monotonic()
        if began >= self._feeds_at:
            self._feeds_at = began + FEEDS_S
            tick_feeds(self._store, self._catalogue, now=datetime.now(UTC))
        ticked = tick(self._store, self._catalogue, now=datetime.now(UTC))
        if not ticked.dossiers:
            return IDLE_S
        self._metrics.ticked(late / 1000 for late in ticked.late_ms)
        took_ms = round((time.monotonic() - began) * 1000, 1)
        log.info("ticked", part=PART, dossiers=ticked.dossiers, alerts=ticked.said, batch_ms=took_ms)
        return BETWEEN_S if ticked.dossiers == DOSSIERS_A_TICK else IDLE_S

    def _again(self, fault: DunghenError) -> float:
        wait_s = self._patience.wait_s()
        log.warning("retry", part=PART, reason=fault.code, said=str(fault), wait_s=round(wait_s, 1))
        self._metrics.retried(fault.code)
        self._health.beat(PART, fault.code)
        return wait_s
