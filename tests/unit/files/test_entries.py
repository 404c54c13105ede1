"""A file as a numbered sequence of facts: the same every time, and able to go on from any place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from consumers.codec import encode
from consumers.files.entries import Entry, Messages, batches, files_of, identity_of, mapped
from consumers.files.limits import DEFAULT_LIMITS
from consumers.files.mapping import parse_mapping
from workflow.errors import InputError
from workflow.facts import Acted, Fact

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NINE = datetime(2026, 3, 2, 2, tzinfo=UTC)
MAPPING = parse_mapping(
    b"format: csv\nsource: desk\nfields: {subject: code, action: what, occurred_at: at}\n", "mapping"
)


def fact(number: int, source: str = "desk") -> Fact:
    at = NINE + timedelta(minutes=number)
    return Fact(f"H13-{number % 3}", source, f"e{number}", at, Acted(action="receive"), number + 1)


def written(path: Path, *lines: bytes) -> Path:
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def messages(path: Path, **more: str) -> Messages:
    return Messages(path, DEFAULT_LIMITS, source=more.get("source"))


def test_messages_come_line_by_line_with_their_bytes(tmp_path: Path) -> None:
    lines = [encode(fact(number)) for number in range(4)]
    file = written(tmp_path / "a.jsonl", lines[0], b"", *lines[1:])

    found = list(messages(file).entries(0))

    assert [entry.position for entry in found] == [1, 3, 4, 5]
    assert [entry.received for entry in found] == lines
    assert [entry.fact for entry in found] == [fact(number) for number in range(4)]


def test_a_reading_goes_on_after_any_line(tmp_path: Path) -> None:
    file = written(tmp_path / "a.jsonl", *(encode(fact(number)) for number in range(9)))
    whole = list(messages(file).entries(0))

    assert [list(messages(file).entries(after)) for after in range(10)] == [whole[n:] for n in range(10)]


def test_a_message_of_another_source_is_refused_with_its_line(tmp_path: Path) -> None:
    file = messages(written(tmp_path / "a.jsonl", encode(fact(0)), encode(fact(1, "portal"))), source="desk")

    assert [entry.fact.id for entry in file.entries(0)] == ["e0"]
    (refused,) = file.refusals.listed
    assert (refused.reason, refused.place, refused.found) == (
        "other_source",
        f"{tmp_path / 'a.jsonl'}:2",
        "portal",
    )


def test_a_line_that_is_no_message_is_refused_and_the_rest_taken(tmp_path: Path) -> None:
    file = messages(written(tmp_path / "a.jsonl", b"{", encode(fact(0))))

    assert [entry.position for entry in file.entries(0)] == [2]
    assert (file.rows, file.taken, file.refusals.total) == (2, 1, 1)


def test_rows_come_sorted_by_dossier_and_numbered(tmp_path: Path) -> None:
    rows = [f"H13-{n % 3},receive,2026-03-02T09:{n:02}:00+07:00".encode() for n in range(7)]
    file = written(tmp_path / "a.csv", b"code,what,at", *rows)

    found = list(mapped(file, MAPPING, DEFAULT_LIMITS).entries(0))

    assert [entry.position for entry in found] == list(range(1, 8))
    assert [entry.fact.subject for entry in found] == sorted(f"H13-{n % 3}" for n in range(7))
    assert list(mapped(file, MAPPING, DEFAULT_LIMITS).entries(4)) == found[4:]


def test_batches_hold_every_entry_once_and_in_order(tmp_path: Path) -> None:
    file = written(tmp_path / "a.jsonl", *(encode(fact(number)) for number in range(7)))
    found = list(batches(messages(file).entries(0), 3))

    assert [len(batch) for batch in found] == [3, 3, 1]
    assert [entry for batch in found for entry in batch] == list(messages(file).entries(0))


def test_what_was_read_before_a_broken_byte_is_given_before_the_error() -> None:
    def broken() -> Iterator[Entry]:
        yield Entry(1, fact(1), None)
        raise InputError("broken", reason="encoding")

    taken = batches(broken(), 3)

    assert len(next(taken)) == 1
    with pytest.raises(InputError):
        next(taken)


def test_a_folder_stands_for_its_logs_by_name(tmp_path: Path) -> None:
    for name in ("b.csv", "a.jsonl.gz", "c.xes", "notes.txt", "d.yaml"):
        (tmp_path / name).touch()

    assert [path.name for path in files_of(tmp_path)] == ["a.jsonl.gz", "b.csv", "c.xes"]
    assert files_of(tmp_path / "notes.txt") == [tmp_path / "notes.txt"]


def test_a_folder_without_logs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as found:
        files_of(tmp_path)

    assert found.value.code == "no_log"


def test_a_file_is_told_by_its_bytes_and_its_reading_not_by_its_name(tmp_path: Path) -> None:
    one, other = written(tmp_path / "a", b"x"), written(tmp_path / "b", b"x")

    assert identity_of(one, b"m") == identity_of(other, b"m")
    assert len({identity_of(one), identity_of(one, b"m"), identity_of(written(tmp_path / "c", b"y"))}) == 3
