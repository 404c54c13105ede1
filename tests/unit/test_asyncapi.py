"""The published contract: the AsyncAPI document and the schemas agree with the code, and with the specification."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path
from typing import Any, Final, get_args

import pytest
import yaml
from jsonschema import Draft7Validator, Draft202012Validator
from official import asyncapi_schema

from consumers.contract.asyncapi import FILE, asyncapi_file, document
from consumers.contract.messages import MESSAGES
from consumers.contract.outgoing import OUTGOING
from consumers.contract.schema import schema
from consumers.contract.topics import TOPICS
from workflow import messages

EXAMPLES: Final = Path(__file__).parent.parent / "contract_examples"
WRITTEN: Final[dict[str, Any]] = yaml.safe_load(FILE.read_bytes())


def _references(tree: object) -> list[str]:
    if isinstance(tree, list):
        return [found for item in tree for found in _references(item)]
    if not isinstance(tree, dict):
        return []
    own = [tree["$ref"]] if isinstance(tree.get("$ref"), str) else []
    return own + [found for value in tree.values() for found in _references(value)]


def test_the_document_is_what_the_contract_says() -> None:
    """Else: `python -m consumers.contract`."""
    assert FILE.read_bytes() == asyncapi_file(metadata.version("dunghen"))


def test_what_is_written_reads_as_what_was_meant() -> None:
    assert document(metadata.version("dunghen")) == WRITTEN


def test_the_document_holds_to_the_specification(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.cache is not None
    official = asyncapi_schema(pytestconfig.cache.mkdir("asyncapi"))
    validator = Draft7Validator(official)
    wrong = {**WRITTEN, "operations": {"take": {"action": "eat", "channel": {"$ref": "#/channels/dossiers"}}}}

    assert [error.message for error in validator.iter_errors(WRITTEN)] == []
    assert not validator.is_valid(wrong)


def test_every_reference_leads_somewhere() -> None:
    found = _references(WRITTEN)
    assert len(found) > 30
    for reference in found:
        if reference.startswith("./"):
            assert (FILE.parent / reference).is_file(), reference
            continue
        node = WRITTEN
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


def test_every_message_names_the_schema_of_its_type() -> None:
    said = {one["name"]: one.get("payload") for one in WRITTEN["components"]["messages"].values()}

    assert said.pop("dead letter") is None
    assert set(said) == {*MESSAGES, *OUTGOING}
    for kind, payload in said.items():
        assert payload["schema"] == {"$ref": f"./schemas/{kind}.json"}
        assert json.loads((FILE.parent / "schemas" / f"{kind}.json").read_bytes())["$id"].endswith(kind)


def test_whatever_is_said_has_a_topic_and_every_topic_a_channel() -> None:
    names = {topic.name for topic in TOPICS}

    assert names == {*get_args(messages.Topic), "dossiers", "deadletters"}
    assert {one["address"] for one in WRITTEN["channels"].values()} == {f"dunghen.{name}" for name in names}
    assert len(WRITTEN["operations"]) == len(TOPICS)
    assert {kind for topic in TOPICS for kind in topic.kinds} == {*MESSAGES, *OUTGOING}


@pytest.mark.parametrize(
    "path", sorted(EXAMPLES.rglob("*.json")), ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_draft_07_reads_the_schemas_as_2020_12_does(path: Path) -> None:
    """The document says draft 07, which every tool reads; the files say 2020-12."""
    read = schema(path.parent.name)
    Draft7Validator.check_schema(read)
    example = json.loads(path.read_bytes()) if path.name != "bad-not-json.json" else None

    assert Draft7Validator(read).is_valid(example) == Draft202012Validator(read).is_valid(example)
