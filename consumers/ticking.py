"""The loop of the ticker: deadlines that pass in silence are noticed, again and again, until it is told to end.

Between two batches of a storm it lets events through. Feeds are looked at once a minute, and what is judged over
several subjects (officers, evaluations, matters of feedback, budgets) every quarter of an hour. What need no longer be
looked at is removed once an hour.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from consumers.patience import Patience
from consumers.retrying import again
from consumers.several import judgments
from consumers.ticker import DOSSIERS_A_TICK, tick, tick_feeds
from workflow import log
from workflow.errors import DunghenError
from workflow.store.letters import expire
from workflow.store.notices import forget

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from consumers.health import Health
    from consumers.metrics import Metrics
    from consumers.several import Judgment
    from workflow.catalogue import Catalogue
    from workflow.store.store import Store

PART: Final = "ticker"
IDLE_S: Final = 1.0
BETWEEN_S: Final = 0.01
FEEDS_S: Final = 60.0
SEVERAL_S: Final = 900.0
FORGET_S: Final = 3_600.0
DELIVERIES_KEPT: Final = timedelta(days=90)
"""How long what went through a channel can be looked at, as long as a dead letter."""
ACTS_S: Final = 86_400.0
"""How often the acts of officers who left a post are looked through: that reads all their dossiers since."""
WORK: Final = "judge"
"""What one ticker at a time does; the others pass over it."""


def _now() -> datetime:
    return datetime.now(UTC)


class Ticking:
    """Several may run on one store: on PostgreSQL they share the work."""

    def __init__(
        self,
        store: Store,
        catalogue: Catalogue,
        health: Health,
        metrics: Metrics,
        patience: Patience | None = None,
        clock: Callable[[], datetime] = _now,
        passed_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`catalogue`: the newest definitions, by which what is due is judged again. `passed_s`: the seconds that have
        gone by since some moment, which say when it is time for what is done now and then. `clock`: what passes by it
        is noticed."""
        self._store = store
        self._catalogue = catalogue
        self._health = health
        self._metrics = metrics
        self._clock = clock
        self._passed_s = passed_s
        self._feeds_at = self._several_at = self._acts_at = self._forget_at = passed_s()
        self._patience = patience or Patience()

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
                wait_s = again(PART, fault, self._patience, self._health, self._metrics)
            stop.wait(wait_s)

    def _round(self) -> float:
        """One batch, and what else it is time for; the seconds to wait until the next."""
        began = self._passed_s()
        if began >= self._feeds_at:
            tick_feeds(self._store, self._catalogue, now=self._clock())
            self._feeds_at = began + FEEDS_S
        if began >= self._forget_at:
            self._forget(self._clock())
            self._forget_at = began + FORGET_S
        if began >= self._several_at:
            self._judge_several(began)
        began = time.monotonic()
        ticked = tick(self._store, self._catalogue, now=self._clock())
        if not ticked.dossiers:
            return IDLE_S
        self._metrics.ticked(late / 1000 for late in ticked.late_ms)
        took_ms = round((time.monotonic() - began) * 1000, 1)
        log.info("ticked", part=PART, dossiers=ticked.dossiers, alerts=ticked.said, batch_ms=took_ms)
        return BETWEEN_S if ticked.dossiers == DOSSIERS_A_TICK else IDLE_S

    def _forget(self, now: datetime) -> None:
        """Removes what need no longer be looked at: dead letters whose time is over, and deliveries long settled."""
        with self._store.writing() as writing:
            letters, deliveries = expire(writing, now), forget(writing, now - DELIVERIES_KEPT)
        if letters or deliveries:
            log.info("forgotten", part=PART, dead=letters, messages=deliveries)

    def _judge_several(self, began: float) -> None:
        """The judgments over several subjects; one that cannot be made keeps neither the others nor dossiers back."""
        acts = began >= self._acts_at
        with self._store.alone(WORK) as free:
            if not free:
                self._several_at = began + SEVERAL_S
                return
            for name, judge in judgments(self._store, self._catalogue, now=self._clock(), acts=acts):
                self._judge(name, judge)
        self._several_at = began + SEVERAL_S
        if acts:
            self._acts_at = began + ACTS_S

    def _judge(self, name: str, judge: Judgment) -> None:
        began = time.monotonic()
        try:
            said = judge()
        except DunghenError as fault:
            if fault.retriable:
                raise
            log.error("judgment_failed", part=PART, judgment=name, reason=fault.code, said=str(fault))
            return
        self._health.beat(PART)
        if said:
            took_ms = round((time.monotonic() - began) * 1000, 1)
            log.info("judged", part=PART, judgment=name, alerts=len(said), batch_ms=took_ms)
