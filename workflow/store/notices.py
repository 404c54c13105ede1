"""What goes through channels: each message for each address, and the deliveries they are put together to.

The order of the outbox's numbers holds for what is laid out too, as `workflow.store.outbox` says why: a row is marked
as laid out, no highest number is kept.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from workflow.alerts.routing import Lately
from workflow.store.outbox import Batch
from workflow.store.rows import Notice, from_us, to_us

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from workflow.store.store import Reading, Writing

Form: TypeAlias = Literal["unit", "digest", "quiet"]
State: TypeAlias = Literal["waiting", "sent", "parked", "quiet"]

_NOTICE: Final = ", ".join(Notice._fields)
_UNROUTED: Final = (
    "SELECT seq, recorded_at, messages, content FROM outbox"
    " WHERE routed_at IS NULL AND NOT withheld ORDER BY seq LIMIT %s"
)
_WAITING: Final = (
    "SELECT route, address, count(*), min(routed_at), max(seq) FROM notices"
    " WHERE channel = %s AND delivery IS NULL GROUP BY route, address ORDER BY min(seq)"
)
_LATELY: Final = (
    "SELECT coalesce(sum(CASE WHEN form = 'unit' THEN notices ELSE 0 END), 0),"
    " coalesce(sum(CASE WHEN form = 'digest' THEN 1 ELSE 0 END), 0)"
    " FROM deliveries WHERE channel = %s AND route = %s AND address = %s AND made_at > %s"
)
_GROUP: Final = "channel = %s AND route = %s AND address = %s AND delivery IS NULL AND seq <= %s"
_SNOOZED: Final = (
    "SELECT n.seq, n.id FROM notices n JOIN alerts a ON a.id = n.alert WHERE n.channel = %s AND n.delivery IS NULL"
    " AND a.state = 'snoozed' AND n.change IN ('raised', 'changed', 'escalated') ORDER BY n.seq"
)
_COUNTED: Final = (
    "SELECT unit, kind, change, count(*), min(due_at) FROM notices WHERE delivery = %s"
    " GROUP BY unit, kind, change ORDER BY count(*) DESC, unit, kind, change"
)


class Waiting(NamedTuple):
    """What waits for one address of a route: how many alerts, since when the oldest, and the last number."""

    route: str
    address: str
    alerts: int
    since: datetime
    last: int


class Delivery(NamedTuple):
    """One webhook call or mail. `id` stays whatever happens; `number` is for people."""

    number: int
    id: str
    channel: str
    route: str
    address: str
    form: Form
    unit: str | None
    notices: int
    made_at: datetime
    state: State
    settled_at: datetime | None
    fault: str | None


_COLUMNS: Final = (
    *("seq", "id", "channel", "route", "address", "form", "unit", "notices"),
    *("made_at", "state", "settled_at", "fault"),
)


class Counted(NamedTuple):
    """So many messages of a digest about alerts of a unit and kind, and the earliest date among them."""

    unit: str | None
    kind: str
    change: str
    alerts: int
    first_due_at: datetime | None


def begin(writing: Writing, channels: Iterable[str], now: datetime) -> dict[str, datetime]:
    """From when on each channel gets what is said: those that are new from now on."""
    statement = (
        "INSERT INTO channels (name, since, failures) VALUES (%s, %s, 0) ON CONFLICT (name) DO NOTHING"
    )
    writing.run_all(statement, [(name, to_us(now)) for name in channels])
    return {name: from_us(since) for name, since in writing.rows("SELECT name, since FROM channels")}


def unrouted(reading: Reading, limit: int) -> list[Batch]:
    """The oldest batches of the outbox that were not laid out yet, at most so many."""
    rows = reading.rows(_UNROUTED, (limit,))
    return [Batch(seq, from_us(at), messages, bytes(content)) for seq, at, messages, content in rows]


def lay_out(writing: Writing, batches: Sequence[Batch], notices: Sequence[Notice], now: datetime) -> int:
    """Keeps what goes where, and that these batches were looked at; how many of them nobody had looked at before."""
    marks = ", ".join(["%s"] * len(batches))
    statement = f"UPDATE outbox SET routed_at = %s WHERE seq IN ({marks}) AND routed_at IS NULL"
    done = writing.run(statement, (to_us(now), *(batch.seq for batch in batches)))
    columns = ", ".join(["%s"] * len(Notice._fields))
    writing.run_all(f"INSERT INTO notices ({_NOTICE}) VALUES ({columns})", notices)
    return done


def waiting(reading: Reading, channel: str) -> list[Waiting]:
    """What waits in a channel for a delivery, by route and address, the oldest first."""
    rows = reading.rows(_WAITING, (channel,))
    return [
        Waiting(route, address, int(count), from_us(at), last) for route, address, count, at, last in rows
    ]


def lately(reading: Reading, channel: str, one: Waiting, since: datetime) -> Lately:
    """What was made up for this address of a route since then."""
    ((alerts, digests),) = reading.rows(_LATELY, (channel, one.route, one.address, to_us(since)))
    return Lately(int(alerts), int(digests) > 0)


def hush(writing: Writing, channel: str, now: datetime) -> int:
    """Sets aside what waits to be said of alerts that were snoozed meanwhile; how many. It is said anew afterwards."""
    found = writing.rows(_SNOOZED, (channel,))
    if found:
        made = Delivery(
            0, _id(channel, "", found[0][1]), channel, "", "", "quiet", None, 0, now, "quiet", now, None
        )
        _make(writing, made, [seq for seq, _ in found])
    return len(found)


def make_digest(writing: Writing, channel: str, one: Waiting, now: datetime) -> None:
    """Puts all that waits for an address into one delivery that counts it."""
    group = (channel, one.route, one.address, one.last)
    ((first,),) = writing.rows(f"SELECT id FROM notices WHERE {_GROUP} ORDER BY seq LIMIT 1", group)
    identifier = _id(channel, one.address, first)
    done = writing.run(f"UPDATE notices SET delivery = %s WHERE {_GROUP}", (identifier, *group))
    made = Delivery(
        0, identifier, channel, one.route, one.address, "digest", None, done, now, "waiting", None, None
    )
    _insert(writing, made)


def make_each(writing: Writing, channel: str, one: Waiting, now: datetime) -> int:
    """Puts what waits for an address into one delivery for each unit; how many."""
    group = (channel, one.route, one.address, one.last)
    units: dict[str | None, list[tuple[int, str]]] = {}
    for seq, identifier, unit in writing.rows(
        f"SELECT seq, id, unit FROM notices WHERE {_GROUP} ORDER BY seq", group
    ):
        units.setdefault(unit, []).append((seq, identifier))
    for unit, found in units.items():
        name = _id(channel, one.address, found[0][1])
        made = Delivery(0, name, channel, one.route, one.address, "unit", unit, 0, now, "waiting", None, None)
        _make(writing, made, [seq for seq, _ in found])
    return len(units)


def next_delivery(reading: Reading, channel: str) -> Delivery | None:
    """The oldest delivery of a channel that is still to be sent."""
    where = "WHERE channel = %s AND state = 'waiting' ORDER BY seq LIMIT 1"
    return next(iter(_deliveries(reading, where, (channel,))), None)


def delivery(reading: Reading, number: int) -> Delivery | None:
    """The delivery of that number; None where there is none."""
    return next(iter(_deliveries(reading, "WHERE seq = %s", (number,))), None)


def deliveries(reading: Reading, states: Sequence[State], limit: int) -> list[Delivery]:
    """Deliveries in these states, the newest first, at most so many."""
    marks = ", ".join(["%s"] * len(states))
    return _deliveries(reading, f"WHERE state IN ({marks}) ORDER BY seq DESC LIMIT %s", (*states, limit))


def contents_of(reading: Reading, identifier: str) -> list[bytes]:
    """What is said in a delivery, in the order it was said, each as JSON."""
    rows = reading.rows("SELECT content FROM notices WHERE delivery = %s ORDER BY seq", (identifier,))
    return [bytes(content) for (content,) in rows]


def counts_of(reading: Reading, identifier: str) -> list[Counted]:
    """What is said in a delivery in numbers, the most first."""
    return [
        Counted(unit, kind, change, int(count), None if due is None else from_us(due))
        for unit, kind, change, count, due in reading.rows(_COUNTED, (identifier,))
    ]


def settle(
    writing: Writing, one: Delivery, state: Literal["sent", "parked"], now: datetime, fault: str | None
) -> None:
    """Keeps what became of a delivery that waited; one that was refused counts as a failed attempt of its channel."""
    statement = (
        "UPDATE deliveries SET state = %s, settled_at = %s, fault = %s WHERE id = %s AND state = 'waiting'"
    )
    writing.run(statement, (state, to_us(now), fault, one.id))
    if fault is not None:
        failed(writing, one.channel, now, fault)
        return
    statement = "UPDATE channels SET delivered_at = %s, failures = 0 WHERE name = %s"
    writing.run(statement, (to_us(now), one.channel))


def failed(writing: Writing, channel: str, now: datetime, fault: str) -> None:
    """Keeps that an attempt failed, and why."""
    statement = "UPDATE channels SET failed_at = %s, failures = failures + 1, fault = %s WHERE name = %s"
    writing.run(statement, (to_us(now), fault, channel))


def forget(writing: Writing, by: datetime) -> int:
    """Removes deliveries that were sent or set aside by then, with what was in them; how many."""
    settled = "state IN ('sent', 'quiet') AND settled_at <= %s"
    inside = f"SELECT id FROM deliveries WHERE {settled}"
    writing.run(f"DELETE FROM notices WHERE delivery IN ({inside})", (to_us(by),))
    return writing.run(f"DELETE FROM deliveries WHERE {settled}", (to_us(by),))


def parked(reading: Reading) -> tuple[int, ...]:
    """The numbers of the deliveries that were refused for good."""
    rows = reading.rows("SELECT seq FROM deliveries WHERE state = 'parked' ORDER BY seq")
    return tuple(number for (number,) in rows)


def send_again(writing: Writing, number: int) -> bool:
    """Has a parked delivery sent again under its id; False where it is not parked."""
    statement = (
        "UPDATE deliveries SET state = 'waiting', settled_at = NULL WHERE seq = %s AND state = 'parked'"
    )
    return writing.run(statement, (number,)) == 1


def _deliveries(reading: Reading, where: str, values: Sequence[object]) -> list[Delivery]:
    rows = reading.rows(f"SELECT {', '.join(_COLUMNS)} FROM deliveries {where}", values)
    return [
        Delivery._make((*row, from_us(made), state, None if settled is None else from_us(settled), fault))
        for *row, made, state, settled, fault in rows
    ]


def _make(writing: Writing, made: Delivery, numbers: Sequence[int]) -> None:
    writing.run_all("UPDATE notices SET delivery = %s WHERE seq = %s", [(made.id, seq) for seq in numbers])
    _insert(writing, made._replace(notices=len(numbers)))


def _insert(writing: Writing, made: Delivery) -> None:
    statement = (
        "INSERT INTO deliveries (id, channel, route, address, form, unit, notices, made_at, state, settled_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
    )
    settled = None if made.settled_at is None else to_us(made.settled_at)
    writing.run(statement, (*made[1:8], to_us(made.made_at), made.state, settled))


def _id(channel: str, address: str, first: str) -> str:
    """The id of a delivery, by the first message in it: each message goes once to an address of a channel."""
    return "dh-" + sha256(f"{channel}\n{address}\n{first}".encode()).hexdigest()[:32]
