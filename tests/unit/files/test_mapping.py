from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consumers.files.mapping import Column, columned, parse_mapping, read_mapping
from workflow.errors import DefinitionError, DunghenError, UnknownZone

if TYPE_CHECKING:
    from pathlib import Path

NEEDED = "fields: {subject: a, action: b, occurred_at: c}\n"
HEAD = "format: csv\nsource: s\n"


def refusal(text: str) -> DunghenError:
    with pytest.raises(DunghenError) as error:
        parse_mapping(text.encode(), "m.yaml")
    return error.value


def test_a_plain_name_is_a_column_and_everything_else_has_its_default() -> None:
    mapping = parse_mapping((HEAD + NEEDED).encode(), "m.yaml")
    assert columned(mapping.fields.subject or "") == Column(column="a")
    assert (mapping.order, mapping.log_end, mapping.dossiers_lie_together) == ("sequence", "open", True)
    assert mapping.timezone is None


def test_only_jsonl_is_not_grouped_by_default() -> None:
    grouped = {
        kind: parse_mapping(f"format: {kind}\nsource: s\n{NEEDED}".encode(), "m").dossiers_lie_together
        for kind in ("csv", "xes", "jsonl")
    }
    assert grouped == {"csv": True, "xes": True, "jsonl": False}


def test_names_are_text_whatever_they_look_like() -> None:
    mapping = parse_mapping(
        (HEAD + "fields: {subject: NO, action: on, occurred_at: 1.10, id: null}").encode(), "m"
    )
    fields = mapping.fields
    assert (fields.subject, fields.action, fields.occurred_at, fields.id) == ("NO", "on", "1.10", "null")


@pytest.mark.parametrize("zone", ["Europe/Nowhere", "../../etc/passwd", "/etc/localtime", "Europe", "a\\0b"])
def test_an_unknown_zone_is_refused_with_its_place(zone: str) -> None:
    error = refusal(HEAD + f"zone: {zone}\n" + NEEDED)
    assert isinstance(error, UnknownZone)
    assert str(error).startswith("m.yaml:3:")


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        (HEAD + "fields: {subject: a, action: b}", "m.yaml:3:", "missing_field"),
        (HEAD + NEEDED + "colour: red", "m.yaml:4:", "unknown_word"),
        (
            HEAD + "fields: {subject: a, action: b, occurred_at: {column: c, format: '%Y'}}",
            "m.yaml:3:",
            "mistyped",
        ),
        (
            HEAD + "fields: {subject: a, action: b, occurred_at: {column: c, format: date}}",
            "m.yaml:3:",
            "time_without_zone",
        ),
        (
            HEAD + "fields: {subject: a, action: {column: b, constant: x}, occurred_at: c}",
            "m.yaml:3:",
            "origin",
        ),
        (HEAD + "fields: {subject: a, action: {codes: {x: y}}, occurred_at: c}", "m.yaml:3:", "origin"),
        (
            HEAD + "fields: {subject: a, action: {column: b, separator: x}, occurred_at: c}",
            "m.yaml:3:",
            "separator",
        ),
        (HEAD + NEEDED + "csv: {delimiter: '|'}", "m.yaml:4:", "mistyped"),
        (
            HEAD + NEEDED + "case: {data: {due: {column: d, format: yyyyMMdd}}}",
            "m.yaml:4:",
            "time_without_zone",
        ),
        (HEAD + NEEDED + "source: again", "m.yaml:4:", "repeated_key"),
        (HEAD + NEEDED + "---\n" + HEAD + NEEDED, "m.yaml", "documents"),
        ("", "m.yaml", "documents"),
    ],
)
def test_what_the_language_does_not_allow_is_refused_with_its_place(
    text: str, place: str, reason: str
) -> None:
    error = refusal(text)
    assert isinstance(error, DefinitionError)
    assert (str(error)[: len(place)], error.code) == (place, reason)


def test_a_xes_mapping_needs_no_word_about_fields() -> None:
    assert parse_mapping(b"{format: xes, source: s}", "m.yaml").fields.subject is None


def test_a_xes_mapping_needs_no_fields_the_standard_names() -> None:
    assert parse_mapping(b"format: xes\nsource: s\nfields: {}", "m").fields.subject is None


def test_a_mapping_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="check the path"):
        read_mapping(tmp_path / "none.yaml")
