from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Literal
from unicodedata import normalize

import pytest

from consumers.files.blocks import BLOCK_BYTES
from consumers.files.dossiers import NotGrouped
from consumers.files.factfile import open_facts
from consumers.files.limits import FileLimits
from consumers.files.mapping import parse_mapping
from workflow.errors import HostileInput, InputError
from workflow.facts import Acted, Actor, Opened, Part, Recipient

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.files.conftest import Read

    Reading = Callable[..., Read]

PLAIN = """
format: csv
source: desk
zone: Asia/Ho_Chi_Minh
fields: {subject: code, id: no, action: step, occurred_at: at, data: {fee: fee}}
"""
HEAD = "no,code,step,at,fee\n"
AT = "2026-11-23T08:15:00+07:00"
MOMENT = datetime(2026, 11, 23, 1, 15, tzinfo=UTC)


def acted(fact: object) -> Acted:
    body = getattr(fact, "body", None)
    assert isinstance(body, Acted)
    return body


def test_a_row_becomes_a_fact_with_its_row_as_sequence(read: Reading) -> None:
    found = read(HEAD + f"x1,A,receive,{AT},15.00\nx2,A,assign,{AT},\n", PLAIN)
    first, second = found.dossiers["A"]
    assert (first.id, first.source, first.sequence, first.occurred_at) == ("x1", "desk", 1, MOMENT)
    assert first.body == Acted(action="receive", data={"fee": "15.00"})
    assert (second.id, second.sequence, second.body) == ("x2", 2, Acted(action="assign"))
    assert (found.file.rows, found.file.taken, found.file.last_at) == (2, 2, MOMENT)


def test_rows_that_repeat_share_their_body_and_keep_their_own_id_and_time(read: Reading) -> None:
    later = "2026-11-24T08:15:00+07:00"
    rows = f"1,A,pay,{AT},5\n2,A,pay,{later},5\n3,B,pay,{AT},5\n4,B,pay,{later},6\n"
    found = read(HEAD + rows, PLAIN)
    facts = [fact for facts in found.dossiers.values() for fact in facts]
    assert [fact.id for fact in facts] == ["1", "2", "3", "4"]
    assert [fact.occurred_at - MOMENT for fact in facts] == [timedelta(days=day) for day in (0, 1, 0, 1)]
    assert [acted(fact).data["fee"] for fact in facts] == ["5", "5", "5", "6"]
    assert facts[0].body is facts[2].body


def test_without_an_id_column_the_id_is_the_row(read: Reading) -> None:
    found = read(HEAD + f"9,A,receive,{AT},\n\n9,A,assign,{AT},\n", PLAIN.replace("id: no, ", ""))
    assert [fact.id for fact in found.dossiers["A"]] == ["1", "2"]


def test_the_short_cut_and_the_quoted_way_give_the_same_facts(read: Reading) -> None:
    rows = [f"{n},D{n // 4},step{n % 3},2026-11-{1 + n % 28:02}T08:00:00Z,{n % 5}" for n in range(500)]
    plain = read(HEAD + "\n".join(rows), PLAIN)
    quoted = read(HEAD + "\n".join(",".join(f'"{cell}"' for cell in row.split(",")) for row in rows), PLAIN)
    assert plain.dossiers == quoted.dossiers
    assert (plain.file.rows, plain.file.last_at) == (quoted.file.rows, quoted.file.last_at)
    assert len(plain.dossiers) == 125


def test_blocks_may_end_anywhere_in_a_dossier(read: Reading) -> None:
    rows = "".join(f"{n},D{n // 700},step,{AT},{n}\n" for n in range(9_000))
    assert len(rows) > 2 * BLOCK_BYTES
    found = read(HEAD + rows, PLAIN)
    assert [len(facts) for facts in found.dossiers.values()] == [700] * 12 + [600]
    assert [fact.id for facts in found.dossiers.values() for fact in facts] == [str(n) for n in range(9_000)]


def test_quoted_newlines_keep_the_physical_line_of_a_refused_row(read: Reading) -> None:
    rows = f'1,A,"receive\nand\nfile",{AT},5\n2,A,assign,yesterday,5\n3,A,sign,{AT},5\n'
    found = read(HEAD + rows, PLAIN)
    assert [acted(fact).action for fact in found.dossiers["A"]] == ["receive\nand\nfile", "sign"]
    assert (found.reasons, found.places) == ({"time": 1}, ["5"])


def test_quotes_that_begin_late_in_the_file_are_read_too(read: Reading) -> None:
    rows = "".join(f"{n},D{n // 3},step,{AT},{n}\n" for n in range(6_000))
    found = read(HEAD + rows + f'6000,"D,2000",step,{AT},bad\n6001,"D,2000",step,never,5\n', PLAIN)
    assert found.file.taken == 6_001
    assert len(found.dossiers["D,2000"]) == 1
    assert found.places == ["6003"]


@pytest.mark.parametrize("delimiter", [";", "tab"])
def test_other_delimiters_a_byte_order_mark_and_windows_lines(read: Reading, delimiter: str) -> None:
    sign = "\t" if delimiter == "tab" else delimiter
    text = (HEAD + f'1,A,receive,{AT},"5{sign}0"\n2,A,assign,{AT},\n').replace(",", sign)
    mapping = PLAIN + f'csv: {{delimiter: "{delimiter}"}}\n'
    found = read(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode(), mapping)
    assert [acted(fact).data for fact in found.dossiers["A"]] == [{"fee": f"5{sign}0"}, {}]


def test_windows_lines_without_quotes_take_the_short_cut(read: Reading) -> None:
    found = read((HEAD + f"1,A,receive,{AT},5\n2,A,receive,{AT},5\n").replace("\n", "\r\n"), PLAIN)
    assert [acted(fact).data for fact in found.dossiers["A"]] == [{"fee": "5"}, {"fee": "5"}]


def test_rows_with_too_few_or_too_many_cells_are_refused_with_their_line(read: Reading) -> None:
    good = f",receive,{AT},5\n"
    found = read(HEAD + f"1,A{good}2,A,receive\n3,A{good}4,A,receive,{AT},5,6\n5,A{good}", PLAIN)
    assert [fact.id for fact in found.dossiers["A"]] == ["1", "3", "5"]
    assert (found.reasons, found.places) == ({"cells": 2}, ["3", "5"])
    assert (found.file.refusals.listed[0].expected, found.file.refusals.listed[0].found) == ("5", "3")


def test_a_last_column_that_is_the_time_takes_no_cell_too_many(read: Reading) -> None:
    mapping = "{format: csv, source: s, fields: {subject: a, action: b, occurred_at: c}}"
    found = read(f"a,b,c\nA,x,{AT}\nA,x,{AT},more\nA,x,{AT}\n", mapping)
    assert (found.file.taken, found.reasons, found.places) == (2, {"cells": 1}, ["3"])


def test_empty_codes_and_ids_are_refused(read: Reading) -> None:
    rows = f"1,A,receive,{AT},5\n2,,receive,{AT},5\n,A,receive,{AT},5\n4,{'x' * 201},receive,{AT},5\n"
    found = read(HEAD + rows, PLAIN)
    assert found.reasons == {"subject_missing": 1, "id_missing": 1, "subject_too_long": 1}
    assert (found.places, found.file.taken) == (["3", "4", "5"], 1)


def test_a_missing_column_is_refused_at_once_and_says_what_there_is(read: Reading) -> None:
    with pytest.raises(
        InputError, match=r"log:1: .*found fee 0 times; the file has no, code, step, at"
    ) as error:
        read("no,code,step,at\n", PLAIN)
    assert error.value.code == "missing_column"


def test_a_mapped_column_that_comes_twice_is_refused(read: Reading) -> None:
    with pytest.raises(InputError, match="fee 2 times") as error:
        read("no,code,step,at,fee,fee\n", PLAIN)
    assert error.value.code == "repeated_column"


def test_filtered_rows_are_counted_and_not_refused(read: Reading) -> None:
    mapping = PLAIN + "only: {state: complete}\n"
    rows = f"1,A,receive,{AT},,start\n2,A,receive,{AT},,complete\n3,A,sign,bad time,,start\n"
    found = read("no,code,step,at,fee,state\n" + rows, mapping)
    assert [fact.id for fact in found.dossiers["A"]] == ["2"]
    assert (found.file.rows, found.file.taken, found.file.filtered, found.reasons) == (3, 1, 2, {})


def test_codes_translate_and_what_they_lack_stays_and_is_counted(read: Reading) -> None:
    mapping = PLAIN.replace("action: step", "action: {column: step, codes: {Nhận: receive}}")
    rows = "".join(f"{n},A,{step},{AT},\n" for n, step in enumerate(["Nhận", "Ký", "Nhận", "Ký"]))
    found = read(HEAD + rows, mapping)
    assert [acted(fact).action for fact in found.dossiers["A"]] == ["receive", "Ký", "receive", "Ký"]
    assert found.file.uncoded == {("action", "Ký"): 2}


def test_one_vietnamese_word_has_one_spelling(read: Reading) -> None:
    decomposed = "Nhận"
    mapping = PLAIN.replace("action: step", "action: {column: step, codes: {Nhận: receive}}")
    found = read(HEAD + f"1,Đ,{decomposed},{AT},\n2,Đ,Nhận,{AT},\n", mapping)
    assert [acted(fact).action for fact in found.dossiers["Đ"]] == ["receive", "receive"]


def test_an_id_na_is_an_id_and_absent_texts_are_only_those_named(read: Reading) -> None:
    mapping = PLAIN.replace("fee: fee", "fee: {column: fee, absent: [EMPTY, '-']}")
    found = read(HEAD + f"NA,NA,NA,{AT},NA\n2,NA,NA,{AT},EMPTY\n3,NA,NA,{AT},-\n", mapping)
    assert [fact.id for fact in found.dossiers["NA"]] == ["NA", "2", "3"]
    assert [acted(fact).data for fact in found.dossiers["NA"]] == [{"fee": "NA"}, {}, {}]


def test_a_decimal_comma_is_read_where_the_mapping_says_so(read: Reading) -> None:
    mapping = PLAIN.replace("fee: fee", "fee: {column: fee, decimal: comma}") + 'csv: {delimiter: ";"}\n'
    rows = "".join(
        f"{n};A;pay;{AT};{fee}\n" for n, fee in enumerate(["1.234,50", "35,0", "7", "1.5", "=1+1"])
    )
    found = read(HEAD.replace(",", ";") + rows, mapping)
    assert [acted(fact).data["fee"] for fact in found.dossiers["A"]] == ["1234.50", "35.0", "7"]
    assert found.reasons == {"decimal": 2}


def test_same_times_keep_the_order_of_their_rows(read: Reading) -> None:
    found = read(HEAD + "".join(f"{9 - n},A,s{n},{AT},\n" for n in range(9)), PLAIN)
    assert [acted(fact).action for fact in found.dossiers["A"]] == [f"s{n}" for n in range(9)]
    assert [fact.sequence for fact in found.dossiers["A"]] == list(range(1, 10))


def test_an_earlier_event_in_a_later_row_keeps_both_its_times(read: Reading) -> None:
    mapping = PLAIN.replace("id: no", "id: no, entered_at: keyed")
    rows = f"1,A,receive,{AT},,{AT}\n2,A,assign,2026-11-20T08:00:00Z,,{AT}\n"
    first, second = read("no,code,step,at,fee,keyed\n" + rows, mapping).dossiers["A"]
    assert second.occurred_at < first.occurred_at
    assert (second.entered_at, second.sequence) == (MOMENT, 2)


def test_every_field_of_the_contract_can_be_mapped(read: Reading) -> None:
    mapping = """
format: csv
source: desk
zone: Asia/Ho_Chi_Minh
fields:
  subject: code
  id: id
  sequence: seq
  occurred_at: at
  action: {columns: [status, sub], join: /}
  procedure: {constant: "1.004220"}
  actor: who
  role: role
  on_behalf_of: for
  unit: unit
  to_unit: tu
  to_officer: to
  list_id: list
  documents: {column: docs, separator: "|"}
  reason: why
  channel: {column: ch, codes: {W: online}}
  task: task
  party: party
  part: part
  parts: parts
  appointment: {column: due, format: dd/MM/yyyy}
  cause: {constant: extension}
  submitted_at: {column: sent, format: yyyyMMddHHmmss}
  data: {group: {column: grp, codes: {"1": I}}, on: {column: day, format: yyyyMMdd}}
"""
    row = {
        "code": "A", "id": "7", "seq": "40", "at": AT, "status": "Done", "sub": "Closed", "who": "o1", "role": "clerk",
        "for": "o2", "unit": "u1", "tu": "u2", "to": "o3", "list": "L1", "docs": " a.pdf| b.pdf|", "why": "w",
        "ch": "W", "task": "t", "party": "ab12", "part": "1", "parts": "2", "due": "30/11/2026",
        "sent": "20261120093000", "grp": "1", "day": "20261119",
    }  # fmt: skip
    (fact,) = read(",".join(row) + "\n" + ",".join(row.values()) + "\n", mapping).dossiers["A"]
    body = acted(fact)
    assert (fact.id, fact.sequence, body.action, body.procedure) == ("7", 40, "Done/Closed", "1.004220")
    assert body.actor == Actor(id="o1", role="clerk", on_behalf_of="o2")
    assert body.to == Recipient(unit="u2", officer="o3")
    assert (body.documents, body.channel, body.part) == (("a.pdf", "b.pdf"), "online", Part(1, 2))
    assert body.appointment is not None
    assert (body.appointment.at, body.appointment.cause) == (date(2026, 11, 30), "extension")
    assert body.submitted_at == datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
    assert body.data == {"group": "I", "on": "2026-11-19"}
    assert (body.unit, body.list_id, body.reason, body.task, body.party) == ("u1", "L1", "w", "t", "ab12")


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ("channel: fee", "channel"),
        ("cause: fee", "cause"),
        ("part: fee", "whole_number"),
        ("sequence: fee", "whole_number"),
    ],
)
def test_a_value_that_its_field_cannot_take_refuses_the_row(read: Reading, field: str, reason: str) -> None:
    found = read(HEAD + f"1,A,receive,{AT},odd\n", PLAIN.replace("id: no", f"id: no, {field}"))
    assert (found.reasons, found.dossiers) == ({reason: 1}, {})
    assert found.file.refusals.listed[0].text.startswith(found.file.refusals.listed[0].place)


def test_case_columns_become_one_opening_fact_before_the_events(read: Reading) -> None:
    mapping = (
        PLAIN + "case: {received_at: got, appointment: {column: due, format: date}, data: {kind: kind}}\n"
    )
    rows = f"1,A,receive,{AT},,,,K\n2,A,assign,2026-11-20T08:00:00Z,,{AT},2026-12-01,\n"
    opened, first, _ = read("no,code,step,at,fee,got,due,kind\n" + rows, mapping).dossiers["A"]
    assert (opened.id, opened.sequence, opened.occurred_at) == (
        "case",
        0,
        datetime(2026, 11, 20, 8, tzinfo=UTC),
    )
    assert isinstance(opened.body, Opened)
    assert (opened.body.state, opened.body.received_at, opened.body.data) == (None, MOMENT, {"kind": "K"})
    assert [slip.at for slip in opened.body.appointments] == [date(2026, 12, 1)]
    assert first.id == "1"


def test_a_file_that_is_not_grouped_is_sorted_on_the_second_reading(read: Reading) -> None:
    rows = HEAD + f"1,B,x,{AT},\n2,A,x,{AT},\n3,B,y,{AT},\n4,A,y,{AT},\n"
    with pytest.raises(NotGrouped, match="B again after others"):
        read(rows, PLAIN)
    found = read(rows, PLAIN + "grouped: false\n")
    assert {code: [fact.id for fact in facts] for code, facts in found.dossiers.items()} == {
        "A": ["2", "4"],
        "B": ["1", "3"],
    }
    assert found.file.sorted_externally


def test_reading_again_after_a_dossier_came_back_sorts_and_counts_anew(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(HEAD + "".join(f"{n},D{n % 3},x,{AT},\n" for n in range(9)))
    file = open_facts(path, parse_mapping(PLAIN.encode(), "m"))
    with pytest.raises(NotGrouped):
        list(file.dossiers())
    assert file.sorted_externally
    again = {code: [fact.id for fact in facts] for code, facts in file.dossiers()}
    assert again == {"D0": ["0", "3", "6"], "D1": ["1", "4", "7"], "D2": ["2", "5", "8"]}
    assert (file.rows, file.taken, file.progress()) == (9, 9, (path.stat().st_size,) * 2)


def test_a_row_of_formulas_stays_text(read: Reading) -> None:
    found = read(HEAD + f"=1,+A,@SUM(A1),{AT},=cmd|' /C calc'!A0\n", PLAIN)
    (fact,) = found.dossiers["+A"]
    assert (fact.id, acted(fact).action, acted(fact).data) == (
        "=1",
        "@SUM(A1)",
        {"fee": "=cmd|' /C calc'!A0"},
    )


def test_facts_beyond_the_limit_of_a_dossier_are_refused(read: Reading) -> None:
    rows = "".join(f"{n},A,x,{AT},\n" for n in range(7)) + f"8,B,x,{AT},\n"
    found = read(HEAD + rows, PLAIN, FileLimits(dossier_facts_max=5))
    assert {code: len(facts) for code, facts in found.dossiers.items()} == {"A": 5, "B": 1}
    assert (found.reasons, found.file.taken) == ({"too_many_facts": 2}, 6)


def test_refusals_are_listed_up_to_a_limit_and_counted_beyond(read: Reading) -> None:
    found = read(HEAD + "1,A,x,never,\n" * 50, PLAIN, FileLimits(refusals_kept_max=3))
    assert (len(found.file.refusals.listed), found.file.refusals.total) == (3, 50)


def test_a_quote_that_is_never_closed_ends_the_reading_at_its_line(read: Reading) -> None:
    with pytest.raises(HostileInput, match="log:3: expected a closing quote"):
        read(HEAD + f'1,A,x,{AT},\n2,A,"x,{AT},\n3,A,x,{AT},\n', PLAIN)


@pytest.mark.parametrize(("mapped", "written"), [("NFC", "NFD"), ("NFD", "NFC"), ("NFD", "NFD")])
def test_a_vietnamese_word_is_found_however_its_letters_are_composed(
    read: Reading, mapped: Literal["NFC", "NFD"], written: Literal["NFC", "NFD"]
) -> None:
    mapping = """
format: csv
source: desk
only: {trạng thái: [đã xong]}
fields:
  subject: mã hồ sơ
  action: {column: bước, codes: {tiếp nhận: receive}}
  occurred_at: lúc
  actor: {column: cán bộ, absent: [không rõ]}
"""
    rows = (
        "mã hồ sơ,bước,lúc,trạng thái,cán bộ\n"
        f"A,tiếp nhận,{AT},đã xong,không rõ\nA,tiếp nhận,{AT},còn thiếu,cb1\n"
    )
    found = read(normalize(written, rows), normalize(mapped, mapping))
    assert [fact.body for fact in found.dossiers["A"]] == [Acted(action="receive")]
    assert (found.file.filtered, dict(found.file.uncoded)) == (1, {})


@pytest.mark.parametrize("blank", [" ", "\t", "\u00a0"])
def test_blanks_around_a_code_are_refused_the_short_way_as_the_long(read: Reading, blank: str) -> None:
    codes = ["1,A", "2,A", f"3,{blank}A", f"4,A{blank}", f"5,{blank}", f"6{blank},A", f"{blank}7,A", "8,A"]
    rows = "".join(f"{code},receive,{AT},5\n" for code in codes)
    plain, quoted = read(HEAD + rows, PLAIN), read(HEAD + '0,A,"receive",' + f"{AT},5\n" + rows, PLAIN)
    assert [fact.id for fact in plain.dossiers["A"]] == ["1", "2", "8"]
    assert [fact.id for fact in quoted.dossiers["A"]] == ["0", "1", "2", "8"]
    assert plain.reasons == quoted.reasons == {"blanks_around": 4, "subject_missing": 1}


@pytest.mark.parametrize("field", ["unit", "to_officer", "to_unit", "task", "list_id", "procedure", "party"])
def test_any_code_with_blanks_around_is_refused(read: Reading, field: str) -> None:
    mapping = PLAIN.replace("{fee: fee}", f"{{}}, {field}: fee")
    found = read(
        HEAD + f"1,A,receive,{AT},x\n2,A,receive,{AT},x \n3,A,receive,{AT},  \n4,A, receive,{AT},x\n", mapping
    )
    assert [fact.id for fact in found.dossiers["A"]] == ["1", "3"]
    assert found.reasons == {"blanks_around": 2}


def test_an_actor_with_blanks_around_is_refused_and_one_of_blanks_only_is_none(read: Reading) -> None:
    mapping = PLAIN.replace("{fee: fee}", "{}, actor: fee")
    found = read(HEAD + f"1,A,receive,{AT},cb-1\n2,A,receive,{AT}, cb-1\n3,A,receive,{AT},  \n", mapping)
    assert [acted(fact).actor for fact in found.dossiers["A"]] == [Actor(id="cb-1"), None]
    assert (found.reasons, found.places) == ({"blanks_around": 1}, ["3"])


@pytest.mark.parametrize("quoted", ["", '0,A,"receive",2026-11-23T08:15:00+07:00,5\n'])
def test_rows_without_any_value_are_left_out_and_no_fault(read: Reading, quoted: str) -> None:
    found = read(HEAD + quoted + f"1,A,receive,{AT},5\n,,,,\n2,A,receive,{AT},5\n , ,,,\n,,,\n", PLAIN)
    assert [fact.id for fact in found.dossiers["A"]][-2:] == ["1", "2"]
    assert (found.reasons, found.file.filtered) == ({}, 3)
