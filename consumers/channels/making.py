"""From the outbox to deliveries: what goes where is laid out, what waits is put together. Each in one transaction."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from consumers.channels.wording import Content
from workflow.alerts.routes import Route
from workflow.alerts.routing import addressed, making
from workflow.messages import AlertSaid, read
from workflow.store import notices
from workflow.store.faults import overtaken
from workflow.store.rows import Notice, to_us

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from workflow.alerts.routes import Routes
    from workflow.alerts.routing import Making
    from workflow.store.notices import Delivery, Waiting
    from workflow.store.outbox import Batch
    from workflow.store.store import Reading, Store

BATCHES: Final = 16
"""Rows of the outbox looked at in one transaction, as the relay sends them."""

_said: Final = msgspec.json.Decoder(AlertSaid).decode


class Laid(NamedTuple):
    """What one pass looked at, and how many notices it laid out."""

    batches: int = 0
    notices: int = 0


def lay_out(store: Store, routes: Routes, since: Mapping[str, datetime], now: datetime) -> Laid:
    """Lays out what was said and not looked at yet, the oldest first. `since`: from when on each channel gets it.

    Raises VersionConflict where another did it meanwhile, and other StoreErrors.
    """
    with store.writing() as writing:
        batches = notices.unrouted(writing, BATCHES)
        if not batches:
            return Laid()
        found = [one for batch in batches for one in _notices(routes, batch, since, now)]
        done = notices.lay_out(writing, batches, found, now)
        if done != len(batches):
            raise overtaken(store.name, len(batches), done)
    return Laid(len(batches), len(found))


def _notices(routes: Routes, batch: Batch, since: Mapping[str, datetime], now: datetime) -> Iterator[Notice]:
    if not any(at <= batch.recorded_at for at in since.values()):
        return
    for message in read(batch.content):
        if message.topic == "decisions":
            continue
        said = _said(message.data)
        alert = said.alert
        due_us = None if alert.due_at is None else to_us(alert.due_at)
        for to in addressed(routes, said):
            if since[to.channel] <= batch.recorded_at:
                yield Notice(
                    *to,
                    id=message.id,
                    alert=alert.id,
                    kind=alert.kind,
                    change=said.change,
                    unit=alert.unit,
                    due_at=due_us,
                    routed_at=to_us(now),
                    content=message.data,
                )


def planned(reading: Reading, routes: Routes, channel: str, now: datetime) -> list[tuple[Waiting, Making]]:
    """What of that which waits in a channel is to be put together now."""
    found: list[tuple[Waiting, Making]] = []
    for one in notices.waiting(reading, channel):
        # A route that was taken out of the file since: what waits on it still goes out.
        route = routes.routes.get(one.route) or Route(channel=channel)
        lately = notices.lately(reading, channel, one, now - timedelta(minutes=route.storm.minutes))
        how = making(route, one.alerts, now - one.since, lately)
        if how != "wait":
            found.append((one, how))
    return found


def make(store: Store, routes: Routes, channel: str, now: datetime) -> int:
    """Puts what waits together to deliveries; how many, and what was snoozed meanwhile aside. Raises StoreErrors."""
    with store.writing() as writing:
        made = int(notices.hush(writing, channel, now) > 0)
        for one, how in planned(writing, routes, channel, now):
            if how == "digest":
                notices.make_digest(writing, channel, one, now)
                made += 1
            else:
                made += notices.make_each(writing, channel, one, now)
    return made


def content_of(reading: Reading, one: Delivery) -> Content:
    """A delivery with what is in it."""
    if one.form == "digest":
        return Content(one, (), notices.counts_of(reading, one.id))
    return Content(one, notices.contents_of(reading, one.id), ())
