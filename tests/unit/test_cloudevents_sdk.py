"""The SDK of CloudEvents reads what we write, and we read what it writes, in structured and in binary mode."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka_event, to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from jsonschema import Draft202012Validator

from consumers.codec import RawRecord, decode, encode
from consumers.contract.messages import MESSAGES
from consumers.contract.outgoing import OUTGOING, SENDER, record
from consumers.contract.schema import schema
from workflow import messages
from workflow.messages import Alert, AlertSaid, Decision
from workflow.model import Outcome, Violation

EXAMPLES: Final = Path(__file__).parent.parent / "contract_examples"
AT: Final = datetime(2024, 6, 1, 3, 0, 0, 5, tzinfo=UTC)
REFUSED: Final = Outcome("refused", (Violation("four_eyes", "guard", "another person", "the same"),))
DECIDED: Final = Decision("H13-Đ", "gate", "a-1", 0, 3, REFUSED, Outcome("applied"))
ALERTED: Final = AlertSaid(
    alert=Alert(
        id="x1", kind="dossier_late", topic="alerts.lateness", subject="H13-Đ", rule="all", due_at=AT
    ),
    change="raised",
    state="raised",
    n=2,
    said_at=AT,
)
SAID: Final = dict(zip(OUTGOING, (DECIDED, ALERTED), strict=True))


def event_of(kind: str) -> CloudEvent:
    plain: dict[str, Any] = json.loads((EXAMPLES / kind / "good.json").read_bytes())
    data = plain.pop("data")
    if "recordedtime" not in plain:
        plain["time"] = AT
    plain["partitionkey"] = plain["subject"]
    return CloudEvent(plain, data)


def raw(message: KafkaMessage) -> RawRecord:
    key = message.key.encode() if isinstance(message.key, str) else message.key
    return RawRecord(message.value, key, tuple(message.headers.items()))


@pytest.mark.parametrize("mode", [to_structured, to_binary])
@pytest.mark.parametrize("kind", MESSAGES)
def test_we_read_what_the_sdk_writes(kind: str, mode: Any) -> None:
    expected = decode(RawRecord((EXAMPLES / kind / "good.json").read_bytes()))

    assert decode(raw(mode(event_of(kind), JSONFormat()))) == expected


@pytest.mark.parametrize("kind", MESSAGES)
def test_the_sdk_reads_facts_that_we_write(kind: str) -> None:
    fact = decode(RawRecord((EXAMPLES / kind / "good.json").read_bytes()))
    headers = {"content-type": b"application/cloudevents+json"}
    event = from_kafka_event(KafkaMessage(headers, fact.subject.encode(), encode(fact)), JSONFormat())

    assert (event.get_source(), event.get_id(), event.get_subject()) == (fact.source, fact.id, fact.subject)
    data: Any = event.get_data()
    assert data["occurred_at"] == fact.occurred_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@pytest.mark.parametrize("kind", OUTGOING)
def test_the_sdk_reads_what_we_send_and_so_does_the_schema(kind: str) -> None:
    (message,) = messages.read(messages.encode([SAID[kind]]))
    sent = record(message, AT, "dunghen.")
    event = from_kafka_event(KafkaMessage(dict(sent.headers), sent.key, sent.value), JSONFormat())

    Draft202012Validator(schema(kind)).validate(json.loads(sent.value))
    assert sent.topic == f"dunghen.{message.topic}"
    assert (event.get_type(), event.get_source(), event.get_id()) == (kind, SENDER, message.id)
    assert event.get_subject() == "H13-Đ"
    assert sent.key == "H13-Đ".encode()
    assert event.get_time() == AT
    assert msgspec.convert(event.get_data(), type(SAID[kind]), strict=False) == SAID[kind]


def test_a_repeat_has_the_same_bytes_and_a_later_change_another_id() -> None:
    first, again, later = messages.read(
        messages.encode([ALERTED, ALERTED, msgspec.structs.replace(ALERTED, n=3, change="retracted")])
    )

    assert record(first, AT, "d.") == record(again, AT, "d.")
    assert record(first, AT, "d.").value != record(later, AT, "d.").value
    assert later.id != first.id


def test_a_time_is_told_as_it_is_in_any_zone() -> None:
    (message,) = messages.read(messages.encode([DECIDED]))

    assert json.loads(record(message, AT, "d.").value)["time"] == "2024-06-01T03:00:00.000005Z"
    assert (
        json.loads(record(message, AT + timedelta(microseconds=-5), "d.").value)["time"]
        == "2024-06-01T03:00:00Z"
    )
