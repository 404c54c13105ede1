from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from consumers.codec import encode
from workflow.facts import Acted, Fact, Voided

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.files.conftest import Read

    Reading = Callable[..., Read]

MAPPING = """
format: jsonl
source: portal
fields:
  subject: dossier.code
  id: id
  action: step
  occurred_at: at
  documents: files
  data: {fee: fee, urgent: urgent, plain.key: plain.key}
"""
AT = "2026-11-23T01:15:00Z"


def line(**more: object) -> str:
    return json.dumps({"dossier": {"code": "A"}, "id": 7, "step": "receive", "at": AT, **more})


def bodies(found: Read) -> list[Acted]:
    return [fact.body for facts in found.dossiers.values() for fact in facts if isinstance(fact.body, Acted)]


def test_keys_and_dotted_paths_are_columns_and_numbers_stay_exact(read: Reading) -> None:
    text = line(fee=1, urgent=True, files=["a", "b"]).replace('"fee": 1', '"fee": 1234567890123456789.10')
    found = read(text + "\n\n  \n" + line(id=8, **{"plain.key": "p"}), MAPPING)
    first, second = bodies(found)
    assert first.data == {"fee": "1234567890123456789.10", "urgent": "true"}
    assert (first.documents, second.data) == (("a", "b"), {"plain.key": "p"})
    assert [fact.id for fact in found.dossiers["A"]] == ["7", "8"]
    assert (found.file.rows, found.file.sorted_externally) == (2, True)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "json"),
        ("[]", "json"),
        ('"text"', "json"),
        ('{"fee": NaN}', "json"),
        ('{"fee": -Infinity}', "json"),
        ('{"a": 1, "a": 2}', "repeated_key"),
        ('{"x": {"a": 1, "a": 2}}', "repeated_key"),
        (line(step={"a": 1}), "not_a_value"),
        (line(step=["a", "b"]), "not_a_value"),
        (line(step=["a"]), "not_a_value"),
        (line(step=[]), "not_a_value"),
        (line(id=["7"]), "not_a_value"),
        (line(fee=["1"]), "not_a_value"),
        (line(dossier={"code": ["A"]}), "not_a_value"),
        (line(step="a\x1fb"), "not_text"),
        (line(step="\ud800"), "not_text"),
        (line(step="a\0b"), "not_text"),
        (line(step=None), "action_missing"),
        (line(at=None), "time_missing"),
        (line(dossier=None), "subject_missing"),
        ("[" * 10_000 + "]" * 10_000, "too_deep"),
        ('{"a":' * 10_000 + "1" + "}" * 10_000, "too_deep"),
    ],
)
def test_a_line_that_cannot_be_taken_is_refused_and_the_rest_goes_on(
    read: Reading, text: str, reason: str
) -> None:
    found = read(line() + "\n" + text + "\n" + line(id=8), MAPPING)
    assert (found.reasons, found.places, found.file.taken) == ({reason: 1}, ["2"], 2)


@pytest.mark.parametrize("files", [[], ["a"], ["a", "b"]])
def test_a_list_of_any_length_is_as_many_documents(read: Reading, files: list[str]) -> None:
    assert bodies(read(line(files=files), MAPPING))[0].documents == tuple(files)


def test_brackets_inside_texts_are_no_depth(read: Reading) -> None:
    assert bodies(read(line(step="[{" * 60 + '"'), MAPPING))[0].action == "[{" * 60 + '"'


def test_without_a_mapping_the_lines_are_our_own_messages(read: Reading) -> None:
    at = datetime(2026, 11, 23, 1, 15, tzinfo=UTC)
    facts = [
        Fact("B", "desk", "1", at, Acted(action="receive"), 1),
        Fact("A", "desk", "2", at, Acted(action="receive"), 2),
        Fact("B", "desk", "3", at, Voided(target_id="1", reason="typed twice"), 3),
    ]
    text = b"\n".join(encode(fact) for fact in facts) + b"\n{}\n"
    found = read(text, None)
    assert found.dossiers == {"A": [facts[1]], "B": [facts[0], facts[2]]}
    assert (found.file.rows, found.file.taken, found.places) == (4, 3, ["4"])
    assert found.file.last_at == at


def test_a_refusal_names_the_column_once(read: Reading) -> None:
    found = read(line(at="never") + "\n" + line(dossier={}) + "\n", MAPPING)
    first, second = (one.text for one in found.file.refusals.listed)
    assert ":1, at: expected a time" in first
    assert ":2: expected 1 to 200 characters for subject in the column dossier.code" in second
