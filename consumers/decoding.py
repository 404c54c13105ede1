"""Records as they came, decoded: facts, and what cannot be read."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

import msgspec

from consumers.codec import RawRecord, decode
from consumers.contract.limits import DEFAULT_LIMITS
from consumers.debezium import unwrapped
from consumers.streams import Polled, Unreadable
from workflow.errors import InputError
from workflow.kept import as_kept
from workflow.store.bodies import Told

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

    from consumers.contract.limits import Limits
    from consumers.kafkareader import Raw
    from workflow.facts import Fact
    from workflow.sources import SourceDefinition

SHELLS: Final = ("specversion", "not_an_object")
"""What is found wrong with a message that stands inside another: no attribute of an event, or a text."""
BY_REFERENCE: Final = "dunghen.reference"
"""Header of a dead letter whose value only names the message: where it lies, how long it is, its SHA-256."""


def decoded(raw: Raw, zones: dict[str, ZoneInfo], limits: Limits = DEFAULT_LIMITS) -> Polled:
    """The facts of these records, in their order, and the records that are none. `zones`: of topics whose one source
    writes times without an offset."""
    zone = zones.get(raw.stream.name)
    told: list[Told] = []
    unreadable: list[Unreadable] = []
    for record in raw.records:
        try:
            facts = facts_of(record, zone, limits)
        except InputError as fault:
            unreadable.append(_unreadable(record, fault, limits))
        else:
            told += [Told(fact, record.value, record.place, record.key, record.headers) for fact in facts]
    return Polled(raw.stream, told, unreadable, raw.since, raw.after, raw.end, raw.last_at_ms)


def zones_of(sources: Iterable[SourceDefinition]) -> dict[str, ZoneInfo]:
    """The topics whose sources all write times without an offset in one zone, each with it."""
    found: dict[str, set[ZoneInfo]] = {}
    for one in sources:
        for topic in one.speakers.topics:
            found.setdefault(topic, set()).add(one.timezone)
    return {topic: zones.pop() for topic, zones in found.items() if len(zones) == 1}


def facts_of(record: RawRecord, zone: ZoneInfo | None, limits: Limits = DEFAULT_LIMITS) -> list[Fact]:
    """The fact a record tells, itself or inside what Debezium captured; none where that is a removed row.

    Raises InputError.
    """
    try:
        return [decode(record, zone=zone, limits=limits)]
    except InputError as fault:
        # Looked for only here: a message that is plain pays nothing for those that are not.
        if fault.code not in SHELLS:
            raise
        inner = _inside(record, limits)
        if inner == [record]:
            raise
        return [decode(one, zone=zone, limits=limits) for one in inner]


def _inside(record: RawRecord, limits: Limits) -> list[RawRecord]:
    try:
        return unwrapped(record, limits)
    except InputError as fault:
        fault.values["place"] = record.place
        raise


def _unreadable(record: RawRecord, fault: InputError, limits: Limits) -> Unreadable:
    detail = as_kept(fault)
    if len(record.value) <= limits.message_bytes_max:
        return Unreadable(record.value, record.place, record.key, record.headers, fault.code, detail)
    named = {
        "place": record.place,
        "bytes": len(record.value),
        "sha256": sha256(record.value).hexdigest(),
    }
    headers = (*record.headers, (BY_REFERENCE, b"true"))
    return Unreadable(msgspec.json.encode(named), record.place, record.key, headers, fault.code, detail)
