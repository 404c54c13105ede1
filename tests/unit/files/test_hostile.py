"""Files that attack their reader: each is refused, quickly, and says where."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

import pytest

from consumers.files.factfile import open_facts
from consumers.files.limits import DEFAULT_LIMITS, FileLimits
from workflow.errors import HostileInput, InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.files.conftest import Read

    Reading = Callable[..., Read]

CSV = "{format: csv, source: s, fields: {subject: a, action: b, occurred_at: c}}"
XES = "{format: xes, source: s, fields: {}}"
JSONL = "{format: jsonl, source: s, fields: {subject: a, action: b, occurred_at: c}}"
AT = "2026-11-23T01:15:00Z"
EVENT = f'<event><string key="concept:name" value="x"/><date key="time:timestamp" value="{AT}"/></event>'


def refusal(
    read: Reading, data: str | bytes, mapping: str, limits: FileLimits = DEFAULT_LIMITS
) -> InputError:
    with pytest.raises(InputError) as error:
        read(data, mapping, limits)
    return error.value


LAUGHS = "<!DOCTYPE log [<!ENTITY a0 'ha'>" + "".join(
    f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10)
)


@pytest.mark.parametrize(
    "text",
    [
        LAUGHS + "]><log><trace>&a9;</trace></log>",
        LAUGHS + ']><log a="&a2;"></log>',
        '<!DOCTYPE log SYSTEM "file:///etc/passwd"><log/>',
        '<!DOCTYPE log [<!ENTITY x SYSTEM "file:///etc/passwd">]><log><trace>&x;</trace></log>',
        '<!DOCTYPE log [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x"> %x;]><log/>',
        "<!DOCTYPE html><html/>",
    ],
)
def test_a_document_type_is_refused_whatever_it_holds(read: Reading, text: str) -> None:
    assert refusal(read, text, XES).code in {"doctype", "xml"}


def test_an_entity_bomb_in_an_attribute_does_not_grow(read: Reading) -> None:
    assert refusal(read, LAUGHS + ']><log a="&a9;"></log>', XES).code in {"doctype", "xml"}


def test_xml_ten_thousand_deep_is_refused(read: Reading) -> None:
    assert refusal(read, "<log>" + "<trace>" * 10_000, XES).code == "xml"


def test_a_huge_attribute_refuses_its_event_alone(read: Reading) -> None:
    huge = EVENT.replace('"x"', '"' + "x" * 5_000_000 + '"')
    name = '<string key="concept:name" value="A"/>'
    found = read(f"<log><trace>{name}{huge}{EVENT}</trace></log>", XES)
    assert (found.reasons, found.file.taken) == ({"text_too_long": 1}, 1)


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_cell_of_five_megabytes_ends_the_reading(read: Reading, quote: str) -> None:
    error = refusal(read, f"a,b,c\nA,x,{AT}\nA,{quote}{'x' * 5_000_000}{quote},{AT}\n", CSV)
    assert isinstance(error, HostileInput)
    assert "log:" in str(error)


def test_a_quoted_cell_of_many_lines_ends_the_reading(read: Reading) -> None:
    assert refusal(read, f'a,b,c\nA,x,{AT}\nA,"' + "x\n" * 200_000 + f'",{AT}\n', CSV).code == "csv_file"


def test_a_long_text_refuses_its_row_alone(read: Reading) -> None:
    found = read(f"a,b,c\nA,{'x' * 20_000},{AT}\nA,x,{AT}\n", CSV)
    assert (found.reasons, found.places, found.file.taken) == ({"text_too_long": 1}, ["2"], 1)


def test_nul_bytes_refuse_their_row_alone(read: Reading) -> None:
    found = read(f"a,b,c\nA,x,{AT}\nA\0,x,{AT}\nA,x\0,{AT}\nA,y,{AT}\n", CSV)
    assert (found.reasons, found.places, found.file.taken) == ({"not_text": 2}, ["3", "4"], 2)


@pytest.mark.parametrize("bad", [b"\xff", b"\xed\xa0\x80", b"\xc0\xaf"])
def test_bytes_that_are_no_utf8_are_refused_with_line_and_offset(read: Reading, bad: bytes) -> None:
    start = f"a,b,c\nA,x,{AT}\nA,".encode()
    error = refusal(read, start + bad + f",{AT}\n".encode(), CSV)
    assert (error.code, error.values["offset"]) == ("encoding", len(start))
    assert "log:3: expected UTF-8" in str(error)


def test_utf16_is_refused(read: Reading) -> None:
    error = refusal(read, f"a,b,c\nA,x,{AT}\n".encode("utf-16"), CSV)
    assert error.code == "encoding"
    assert "found UTF-16" in str(error)


def test_too_many_columns_are_refused(read: Reading) -> None:
    assert refusal(read, ",".join(f"c{n}" for n in range(2_000)), CSV).code == "too_many_columns"


def test_a_truncated_archive_is_refused_however_much_it_held(read: Reading) -> None:
    whole = gzip.compress(("a,b,c\n" + f"A,x,{AT}\n" * 5_000).encode(), mtime=0)
    for cut in (whole[:-9], whole[:40], whole[:12]):
        error = refusal(read, cut, CSV)
        assert (error.code, "fetch it again" in str(error)) == ("gzip", True)


def test_a_broken_archive_is_refused(read: Reading) -> None:
    whole = bytearray(gzip.compress(f"a,b,c\nA,x,{AT}\n".encode(), mtime=0))
    whole[-6] ^= 0xFF
    assert refusal(read, bytes(whole), CSV).code == "gzip"
    assert refusal(read, b"\x1f\x8b\x08" + zlib.compress(b"x"), CSV).code == "gzip"


def test_the_first_bytes_say_whether_a_file_is_packed_and_not_its_name(read: Reading) -> None:
    text = f"a,b,c\nA,x,{AT}\n"
    assert read(text, CSV, name="log.csv.gz").dossiers == read(text, CSV, pack=True, name="log.csv").dossiers


def test_an_archive_that_unpacks_beyond_its_limits_is_refused(read: Reading) -> None:
    data = b"a,b,c\n" + b"\n" * 2_000_000
    error = refusal(read, gzip.compress(data, mtime=0), CSV, FileLimits(expansion_from_bytes=1 << 18))
    assert (type(error), error.code) == (HostileInput, "expansion")
    assert refusal(read, data, CSV, FileLimits(unpacked_bytes_max=1_000_000)).code == "expansion"


@pytest.mark.parametrize("mapping", [CSV, XES, JSONL])
def test_a_name_that_climbs_out_of_its_folder_is_only_a_name(
    read: Reading, tmp_path: Path, mapping: str
) -> None:
    name = "../../../../tmp/owned"
    rows = {
        CSV: f"a,b,c\n{name},x,{AT}\n",
        XES: f'<log><trace><string key="concept:name" value="{name}"/>{EVENT}</trace></log>',
        JSONL: f'{{"a": "{name}", "b": "x", "c": "{AT}"}}',
    }
    found = read(rows[mapping], mapping)
    assert list(found.dossiers) == [name]
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


def test_a_file_that_is_not_there_or_holds_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for name, reason in (("none", "unreadable"), ("", "unreadable"), ("empty", "empty_file")):
        with pytest.raises(InputError) as error:
            open_facts(tmp_path / name, None)
        assert error.value.code == reason
