"""An integrator's outbox: its table on real PostgreSQL, its connector's settings, and each shape Debezium makes of it.

No Debezium runs here (it needs Kafka Connect). The envelopes are written after the format its documentation publishes
(PostgreSQL connector, change events; outbox event router), around rows that the real table took.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg
import pytest

from consumers.codec import RawRecord, decode
from consumers.contract.messages import MESSAGES
from consumers.contract.topics import DOSSIERS, PREFIX
from consumers.debezium import unwrapped
from consumers.decoding import facts_of
from workflow.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from servers.finding import Servers

ROOT: Final = Path(__file__).parent.parent.parent
DEPLOY: Final = ROOT / "deploy" / "debezium"
CONNECTOR: Final[dict[str, str]] = json.loads((DEPLOY / "connector.json").read_bytes())["config"]
GOOD: Final = {
    kind: json.loads((ROOT / "tests" / "contract_examples" / kind / "good.json").read_bytes())
    for kind in MESSAGES
}


@pytest.fixture
def outbox(servers: Servers, name: str) -> Iterator[psycopg.Connection[Any]]:
    """A database with the table, made by the file that integrators get."""
    url = servers.database(name)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute((DEPLOY / "outbox.sql").read_text())
        yield connection
    servers.drop(name)


def put(outbox: psycopg.Connection[Any], event: dict[str, Any], **more: str) -> dict[str, Any]:
    """The row as Debezium's JSON has it: a uuid as text, jsonb as text, a time with its zone as text."""
    values = {"aggregateid": event["subject"], "type": event["type"], "payload": json.dumps(event), **more}
    names = ", ".join(values)
    marks = ", ".join(["%s"] * len(values))
    told = "id::text, aggregatetype, aggregateid, type, payload::text"
    added = f"INSERT INTO outbox ({names}) VALUES ({marks}) RETURNING {told}"
    row = outbox.execute(added, list(values.values())).fetchone()
    assert row is not None
    return dict(zip(("id", "aggregatetype", "aggregateid", "type", "payload"), row, strict=True))


def change(after: dict[str, Any] | None, op: str = "c", **more: Any) -> dict[str, Any]:
    """A change event of the PostgreSQL connector."""
    return {
        "before": None,
        "after": after,
        "source": {
            "version": "3.4.0.Final",
            "connector": "postgresql",
            "name": "your-system",
            "ts_ms": 1717210800000,
            "snapshot": "false",
            "db": "your-system",
            "sequence": '["24023119","24023128"]',
            "schema": "public",
            "table": "outbox",
            "txId": 555,
            "lsn": 24023128,
            "xmin": None,
        },
        "transaction": None,
        "op": op,
        "ts_ms": 1717210800123,
        **more,
    }


def record(value: object, key: bytes | None = None) -> RawRecord:
    plain = value if isinstance(value, bytes) else json.dumps(value).encode()
    return RawRecord(plain, key, (("id", b"4d47e190-0402-4048-bc2c-89dd54343cdc"),), "t/0/1")


def test_the_table_takes_every_type_and_nothing_that_would_be_refused(
    outbox: psycopg.Connection[Any],
) -> None:
    for event in GOOD.values():
        put(outbox, event)
    good = GOOD["dossier.acted.v1"]
    for wrong in (
        {**good, "specversion": "0.3"},
        {**good, "subject": ""},
        {**good, "data": {}},
        {**good, "id": ""},
        *(
            {key: value for key, value in good.items() if key != name}
            for name in ("specversion", "id", "source", "data")
        ),
    ):
        with pytest.raises(psycopg.errors.CheckViolation):
            put(outbox, wrong)
    with pytest.raises(psycopg.errors.CheckViolation):
        put(outbox, good, aggregateid="another dossier")


@pytest.mark.parametrize("kind", MESSAGES)
def test_every_shape_of_a_captured_row_is_the_fact_itself(outbox: psycopg.Connection[Any], kind: str) -> None:
    row = put(outbox, GOOD[kind])
    expected = decode(RawRecord(json.dumps(GOOD[kind]).encode()))
    routed = record(row["payload"].encode(), row["aggregateid"].encode())
    row_key = json.dumps({"id": row["id"]}).encode()
    schema = {"type": "struct", "fields": [], "optional": False, "name": "your-system.public.outbox.Envelope"}
    wrapped = [
        record(row["payload"], row["aggregateid"].encode()),
        record({"schema": {"type": "string", "optional": False}, "payload": row["payload"]}),
        record(change(row), row_key),
        record(change(row, "r"), row_key),
        record({"schema": schema, "payload": change(row)}, row_key),
        record(change({**row, "payload": json.loads(row["payload"])}), row_key),
    ]

    assert decode(routed) == expected
    assert unwrapped(routed) == [routed]
    for one in wrapped:
        (inside,) = unwrapped(one)
        assert decode(inside) == expected
        assert facts_of(one, None) == [expected]


@pytest.mark.parametrize(
    "value",
    [
        b"",
        change(None, "d"),
        change(None, "t"),
        {"schema": None, "payload": None},
        {"schema": {}, "payload": change(None, "d")},
    ],
)
def test_what_is_removed_says_nothing(value: object) -> None:
    assert unwrapped(record(value)) == []
    assert not value or facts_of(record(value), None) == []


@pytest.mark.parametrize(
    "value", [change({"id": "1"}), change({"payload": "{}"}, "u"), change({"payload": "{}"}, "m")]
)
def test_a_row_that_was_changed_or_holds_no_message_is_refused(value: object) -> None:
    with pytest.raises(InputError) as refused:
        unwrapped(record(value))
    assert refused.value.code == "no_outbox_row"


@pytest.mark.parametrize("value", [b"[1]", b"not json", b'"half', b"\xff", b'{"a": 1, "a": 2}'])
def test_what_cannot_be_read_is_refused_or_left_as_it_is(value: bytes) -> None:
    try:
        found = unwrapped(record(value))
    except InputError:
        return
    assert found == [record(value)]


def test_shells_without_end_are_not_followed() -> None:
    value: object = {"specversion": "1.0"}
    for _ in range(8):
        value = {"schema": None, "payload": value}
    (inside,) = unwrapped(record(value))
    with pytest.raises(InputError):
        decode(inside)


def test_the_connector_names_the_columns_the_publication_and_the_topic_there_are() -> None:
    ddl = (DEPLOY / "outbox.sql").read_text()
    columns = set(re.findall(r"^    (\w+) (?:uuid|text|jsonb|timestamptz)", ddl, re.MULTILINE))
    named = {
        value for key, value in CONNECTOR.items() if ".table.field." in key or key.endswith("route.by.field")
    }

    assert columns == {"id", "aggregatetype", "aggregateid", "type", "payload", "written_at"}
    assert named == {"id", "aggregateid", "payload", "aggregatetype"}
    assert f"CREATE PUBLICATION {CONNECTOR['publication.name']} " in ddl
    routed = CONNECTOR["transforms.outbox.route.topic.replacement"].replace("${routedByValue}", "dossiers")
    assert routed == PREFIX + DOSSIERS.name
    assert CONNECTOR["table.include.list"] == "public.outbox"


def test_the_connector_holds_no_password() -> None:
    assert CONNECTOR["database.password"].startswith("${dir:")
