"""The contract's schemas, examples and page agree with its Structs and with the codec."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator
from msgspec.structs import asdict

from consumers.codec import RawRecord, decode, encode
from consumers.contract.limits import DEFAULT_LIMITS
from consumers.contract.messages import BODIES, MESSAGES
from consumers.contract.reasons import LIMIT_REASONS, REASONS
from consumers.contract.schema import FOLDER, schema, schema_files
from workflow.errors import InputError

ROOT: Final = Path(__file__).parent.parent.parent
EXAMPLES: Final = ROOT / "tests" / "contract_examples"
PAGE: Final = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
BAD: Final = {
    f"{path.parent.name}/{name}": bad
    for path in sorted(EXAMPLES.glob("*/expect.json"))
    for name, bad in json.loads(path.read_text()).items()
}
SEEN_BY_SCHEMAS: Final = {
    "missing_field", "not_in_list", "empty_text", "blanks_around", "specversion", "unknown_type"
}  # fmt: skip
"""Reasons whose every bad example a schema refuses as well; the others need what only the codec sees."""


def _good(kind: str) -> bytes:
    return (EXAMPLES / kind / "good.json").read_bytes()


def _section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def _table(text: str) -> list[list[str]]:
    """The cells of the first table, without its head."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def test_the_contract_has_the_types_of_the_event_table() -> None:
    assert list(MESSAGES) == [
        "dossier.acted.v1",
        "dossier.opened.v1",
        "dossier.linked.v1",
        "dossier.rated.v1",
        "dossier.migrated.v1",
        "event.voided.v1",
        "officer.appointed.v1",
        "officer.moved.v1",
        "officer.exempted.v1",
        "officer.deferred.v1",
        "officer.concluded.v1",
        "officer.account.v1",
        "alert.acted.v1",
        "source.heartbeat.v1",
        "source.counted.v1",
        "body.erased.v1",
    ]


def test_schema_files_are_what_the_structs_say() -> None:
    """Else: `python -m consumers.contract`."""
    assert {path: path.read_bytes() for path in FOLDER.iterdir()} == schema_files()


@pytest.mark.parametrize("kind", MESSAGES)
def test_a_schema_is_valid_and_says_what_the_type_means(kind: str) -> None:
    Draft202012Validator.check_schema(schema(kind))

    assert schema(kind)["description"].split("\n")[0] in (BODIES[kind].__doc__ or "")
    assert schema(kind)["required"] == ["type", "specversion", "id", "source", "subject", "data"]
    assert "occurred_at" in schema(kind)["properties"]["data"]["required"]


@pytest.mark.parametrize("kind", MESSAGES)
def test_a_schema_names_every_field_of_its_body(kind: str) -> None:
    data = schema(kind)["properties"]["data"]["properties"]

    assert set(data) == {"occurred_at", "entered_at", *BODIES[kind].__struct_fields__}


@pytest.mark.parametrize("kind", MESSAGES)
def test_a_good_example_validates_and_decodes_and_loses_no_field(kind: str) -> None:
    event = json.loads(_good(kind))
    Draft202012Validator(schema(kind)).validate(event)
    fact = decode(RawRecord(_good(kind), key=event["subject"].encode()))

    assert type(fact.body) is BODIES[kind]
    assert json.loads(encode(fact))["data"].keys() == event["data"].keys()


@pytest.mark.parametrize("kind", MESSAGES)
def test_what_is_written_validates(kind: str) -> None:
    message: dict[str, Any] = json.loads(encode(decode(RawRecord(_good(kind)))))

    Draft202012Validator(schema(kind)).validate(message)


def test_every_bad_example_is_listed_and_every_listed_one_there() -> None:
    files = {f"{path.parent.name}/{path.name}" for path in EXAMPLES.glob("*/bad-*")}

    assert files == set(BAD)
    assert {path.name for path in EXAMPLES.iterdir()} == set(MESSAGES)
    assert all(sum(name.startswith(kind) for name in BAD) >= 2 for kind in MESSAGES)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_example_is_refused_with_its_reason_and_path(name: str) -> None:
    with pytest.raises(InputError) as refused:
        decode(RawRecord((EXAMPLES / name).read_bytes(), place=name))

    error = refused.value
    assert {"reason": error.code, "path": error.values["path"]} == BAD[name]
    assert str(error).startswith(f"{name}: at {error.values['path']} expected ")


@pytest.mark.parametrize("name", [name for name, bad in BAD.items() if bad["reason"] in SEEN_BY_SCHEMAS])
def test_a_schema_refuses_what_it_can_see(name: str) -> None:
    event = json.loads((EXAMPLES / name).read_bytes())

    assert not Draft202012Validator(schema(name.partition("/")[0])).is_valid(event)


@pytest.mark.parametrize("kind", MESSAGES)
def test_the_page_shows_each_type_with_its_good_example(kind: str) -> None:
    section = _section("Types").split(f"\n### `{kind}`\n")[1].split("\n### ")[0]
    shown = re.findall(r"```json\n(.*?)```", section, re.DOTALL)

    assert [text.encode() for text in shown] == [_good(kind)]


def test_the_page_shows_no_type_the_contract_does_not_have() -> None:
    assert re.findall(r"\n### `(.+)`\n", PAGE) == list(MESSAGES)


def test_the_page_lists_every_reason_with_its_kind() -> None:
    listed = {row[0].strip("`"): row[1] for row in _table(_section("Reasons"))}

    assert listed == dict.fromkeys(REASONS, "wrong") | dict.fromkeys(LIMIT_REASONS, "hostile")


def test_the_page_lists_every_limit_with_its_default() -> None:
    listed = {row[0].strip("`"): row[1] for row in _table(_section("Limits"))}
    defaults = {
        name: f"{value:,}" if isinstance(value, int) else f"{value:%Y-%m-%d}"
        for name, value in asdict(DEFAULT_LIMITS).items()
    }

    assert listed == defaults
