"""The loops of the channels: one lays out what was said, one for each channel sends. None waits for another.

A delivery is kept with its id before it is sent, and marked when it was taken: killed in between it goes out again
under the same id. A channel that does not answer is tried again and again, ever more seldom.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

from consumers.channels import making
from consumers.patience import Patience
from consumers.retrying import again
from workflow import log
from workflow.errors import ChannelAway, ChannelRefused, DunghenError
from workflow.kept import as_kept
from workflow.store import notices

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from threading import Event

    from consumers.channels.opening import Send
    from consumers.health import Health
    from consumers.metrics import Metrics
    from workflow.alerts.routes import Routes
    from workflow.store.notices import Delivery
    from workflow.store.store import Store

PART: Final = "notify"
IDLE_S: Final = 1.0
STANDBY_S: Final = 2.0
ROUND_S: Final = 5.0
"""However long a channel is left alone, its loop comes round so often."""
AWAY_LEAST_S: Final = 1.0
AWAY_MOST_S: Final = 300.0


class Notifying:
    """Several may run on one store: of one channel, one sends at a time."""

    def __init__(
        self, store: Store, routes: Routes, senders: Mapping[str, Send], health: Health, metrics: Metrics
    ) -> None:
        """`senders`: how each channel of the routes is reached."""
        self._store = store
        self._routes = routes
        self._senders = senders
        self._health = health
        self._metrics = metrics
        self._since: dict[str, datetime] = {}

    def loops(self) -> dict[str, Callable[[Event], object]]:
        """Each loop by the name of its part; each raises DunghenError for what retrying does not cure."""
        found: dict[str, Callable[[Event], object]] = {PART: partial(self._run, PART, self._lay_out)}
        for name, send in self._senders.items():
            channel = _Channel(self._store, self._routes, name, send, self._metrics)
            found[part_of(name)] = partial(self._run, part_of(name), channel.turn)
        return found

    def _run(self, part: str, turn: Callable[[], float], stop: Event) -> None:
        """One turn after the other until `stop` is set; a store that does not answer is asked again."""
        patience = Patience()
        while not stop.is_set():
            try:
                wait_s = turn()
                patience.rewarded()
                self._health.beat(part)
            except DunghenError as fault:
                wait_s = again(part, fault, patience, self._health, self._metrics)
            stop.wait(wait_s)

    def _lay_out(self) -> float:
        if not self._since:
            with self._store.writing() as writing:
                self._since = notices.begin(writing, self._routes.channels, datetime.now(UTC))
        with self._store.reading() as reading:
            if not notices.unrouted(reading, 1):
                return IDLE_S
        with self._store.alone(PART) as free:
            if not free:
                return STANDBY_S
            laid = making.lay_out(self._store, self._routes, self._since, datetime.now(UTC))
        if laid.notices:
            log.info("laid_out", part=PART, batches=laid.batches, messages=laid.notices)
        return 0


def parts_of(channels: Iterable[str]) -> tuple[str, ...]:
    """The names of all loops, for their health."""
    return (PART, *map(part_of, channels))


def part_of(channel: str) -> str:
    """The name of a channel's loop, in the log and in its health."""
    return f"{PART}-{channel}"


class _Channel:
    """One channel: its deliveries in their order, one at a time."""

    def __init__(self, store: Store, routes: Routes, name: str, send: Send, metrics: Metrics) -> None:
        self._store = store
        self._routes = routes
        self._name = name
        self._send = send
        self._metrics = metrics
        self._patience = Patience(AWAY_LEAST_S, AWAY_MOST_S)
        self._not_before = 0.0

    def turn(self) -> float:
        """One delivery, or putting together what waits; the seconds to wait until the next turn."""
        left_s = self._not_before - time.monotonic()
        if left_s > 0:
            return min(left_s, ROUND_S)
        now = datetime.now(UTC)
        with self._store.reading() as reading:
            waits = notices.next_delivery(reading, self._name) is not None or bool(
                making.planned(reading, self._routes, self._name, now)
            )
        if not waits:
            return IDLE_S
        with self._store.alone(part_of(self._name)) as free:
            return self._work(now) if free else STANDBY_S

    def _work(self, now: datetime) -> float:
        with self._store.reading() as reading:
            one = notices.next_delivery(reading, self._name)
            content = None if one is None else making.content_of(reading, one)
        if one is None or content is None:
            making.make(self._store, self._routes, self._name, now)
            return 0
        try:
            self._send(content)
        except ChannelAway as fault:
            return self._away(one, fault)
        except ChannelRefused as fault:
            self._settled(one, fault)
        else:
            self._settled(one, None)
        return 0

    def _settled(self, one: Delivery, fault: ChannelRefused | None) -> None:
        now, why = datetime.now(UTC), None if fault is None else as_kept(fault)
        state: Literal["sent", "parked"] = "sent" if why is None else "parked"
        with self._store.writing() as writing:
            notices.settle(writing, one, state, now, why)
        self._patience.rewarded()
        self._metrics.delivered(self._name, state, one.notices)
        if fault is None:
            log.info("delivered", part=part_of(self._name), kind=one.form, alerts=one.notices, seq=one.number)
        else:
            log.error("parked", part=part_of(self._name), reason=fault.code, said=str(fault), seq=one.number)

    def _away(self, one: Delivery, fault: ChannelAway) -> float:
        asked_s = fault.values.get("wait_s")
        wait_s = max(self._patience.wait_s(), asked_s if isinstance(asked_s, float) else 0.0)
        self._not_before = time.monotonic() + wait_s
        with self._store.writing() as writing:
            notices.failed(writing, self._name, datetime.now(UTC), as_kept(fault))
        self._metrics.retried(fault.code)
        log.warning(
            "channel_away",
            part=part_of(self._name),
            reason=fault.code,
            said=str(fault),
            wait_s=round(wait_s, 1),
            seq=one.number,
        )
        return min(wait_s, ROUND_S)
