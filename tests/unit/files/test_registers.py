"""Registers of officers as facts: CSV and workbooks, terms and events, and what is refused of them."""

from __future__ import annotations

import zipfile
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from places import ROOT

from consumers.codec import RawRecord, decode
from consumers.files import workbook
from consumers.files.limits import FileLimits
from consumers.files.registers import Register
from workflow.errors import HostileInput, InputError
from workflow.facts import OfficerAccount, OfficerAppointed, OfficerConcluded, OfficerMoved, Voided

if TYPE_CHECKING:
    from pathlib import Path

    from workflow.facts import Fact

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
TERMS = "officer,post,unit,starts_on,left_on\ncb-1,receiver,desk,01/03/2021,2022-02-28\n"
SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def opened(path: Path) -> Register:
    return Register(path, FileLimits(), source="personnel", zone=ZONE)


def read(path: Path) -> tuple[list[Fact], list[str]]:
    register = opened(path)
    facts = [entry.fact for entry in register.entries(0)]
    return facts, [refusal.text for refusal in register.refusals.listed]


def csv_of(folder: Path, text: str) -> Path:
    path = folder / "register.csv"
    path.write_text(text, encoding="utf-8")
    return path


def cell(reference: str, value: object) -> str:
    if isinstance(value, int):
        return f'<c r="{reference}" s="1"><v>{value}</v></c>'
    return f'<c r="{reference}" t="inlineStr"><is><t>{value}</t></is></c>'


def sheet(*rows: tuple[object, ...]) -> str:
    lines = [
        f'<row r="{number}">'
        + "".join(cell(f"{chr(65 + place)}{number}", value) for place, value in enumerate(row) if value != "")
        + "</row>"
        for number, row in enumerate(rows, 1)
    ]
    return f'<worksheet xmlns="{SHEET}"><sheetData>{"".join(lines)}</sheetData></worksheet>'


def parts_of(*sheets: str) -> dict[str, str]:
    """The parts of a workbook; the style 1 is a date."""
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    names = "".join(f'<sheet name="s{n}" sheetId="{n}" r:id="r{n}"/>' for n in range(1, len(sheets) + 1))
    related = "".join(
        f'<Relationship Id="r{n}" Type="{office}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(sheets) + 1)
    )
    kinds = '<Default Extension="xml" ContentType="application/xml"/>'
    return {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">{kinds}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{SHEET}" xmlns:r="{office}"><sheets>{names}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">{related}</Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{SHEET}"><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>'
        "</styleSheet>",
        **{f"xl/worksheets/sheet{n}.xml": text for n, text in enumerate(sheets, 1)},
    }


def workbook_of(folder: Path, parts: dict[str, str]) -> Path:
    path = folder / "register.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return path


def test_a_row_of_terms_says_when_a_post_was_taken_up_and_left(tmp_path: Path) -> None:
    (up, left), refused = read(csv_of(tmp_path, TERMS))
    assert refused == []
    assert up.body == OfficerAppointed(post="receiver", unit="desk", starts_on=date(2021, 3, 1))
    assert left.body == OfficerMoved(from_post="receiver", from_unit="desk", left_on=date(2022, 2, 28))
    assert [one.subject for one in (up, left)] == ["cb-1", "cb-1"]
    assert up.occurred_at == datetime(2021, 2, 28, 17, tzinfo=UTC)


def test_a_row_of_events_tells_its_type() -> None:
    facts, refused = read(ROOT / "examples" / "officers" / "events.csv")
    assert refused == []
    verified = next(one for one in facts if isinstance(one.body, OfficerConcluded))
    assert verified.occurred_at == datetime(2021, 6, 1, 8, tzinfo=UTC)
    accounts = [one.body for one in facts if isinstance(one.body, OfficerAccount)]
    assert [one.active for one in accounts] == [True, True, False]


def test_cells_parted_by_semicolons_tell_the_same(tmp_path: Path) -> None:
    assert read(csv_of(tmp_path, TERMS.replace(",", ";"))) == read(csv_of(tmp_path, TERMS))
    assert TERMS.count(",") > 3


@pytest.mark.parametrize(
    "written",
    [
        "2021-06-01T15:00",
        "2021-06-01 15:00",
        "2021-06-01 15:00:00",
        "01/06/2021 15:00",
        "2021-06-01T15:00:00+07:00",
    ],
)
def test_a_time_stands_as_people_and_spreadsheets_write_it(tmp_path: Path, written: str) -> None:
    text = f"event,officer,occurred_at,target_id,reason\nvoided,cb-1,{written},e-7,of another officer\n"
    (fact,), refused = read(csv_of(tmp_path, text))
    assert refused == []
    assert fact.occurred_at == datetime(2021, 6, 1, 8, tzinfo=UTC)


def test_a_time_that_is_none_is_refused_as_it_was_written(tmp_path: Path) -> None:
    text = "event,officer,occurred_at,target_id,reason\nvoided,cb-1,yesterday,e-7,of another officer\n"
    facts, refused = read(csv_of(tmp_path, text))
    assert (facts, len(refused)) == ([], 1)
    assert "yesterday" in str(refused[0])


def test_a_row_may_void_another(tmp_path: Path) -> None:
    text = "event,officer,occurred_at,target_id,reason\nvoided,cb-1,2021-06-01,e-7,of another officer\n"
    (fact,), _ = read(csv_of(tmp_path, text))
    assert fact.body == Voided(target_id="e-7", reason="of another officer")


def test_the_message_kept_is_the_one_that_was_read_and_holds_no_other_column(tmp_path: Path) -> None:
    text = "officer,full name,post,unit,starts_on\ncb-1,Somebody,receiver,desk,2021-03-01\n"
    (entry,) = opened(csv_of(tmp_path, text)).entries(0)
    assert entry.received is not None
    assert b"Somebody" not in entry.received
    assert decode(RawRecord(entry.received), zone=ZONE) == entry.fact


def test_a_row_read_again_tells_the_same_fact_and_a_changed_one_another(tmp_path: Path) -> None:
    first, _ = read(csv_of(tmp_path, TERMS))
    assert read(csv_of(tmp_path, TERMS))[0] == first
    changed, _ = read(csv_of(tmp_path, TERMS.replace("01/03/2021", "02/03/2021")))
    assert changed[0].id != first[0].id
    assert changed[1] == first[1]


def test_reading_goes_on_after_what_was_taken() -> None:
    path = ROOT / "examples" / "officers" / "terms.csv"
    every = list(opened(path).entries(0))
    assert list(opened(path).entries(3)) == every[3:]
    assert [one.position for one in every] == list(range(1, 8))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("promoted,cb-1,2021-06-01,", "expected `event` to be one of appointed"),
        ("concluded,cb-1,2021-06-01,maybe", "$.data"),
        ("concluded,,2021-06-01,verified", "for officer in the column officer, found nothing"),
        ("concluded,cb-1,,verified", "occurred_at"),
        ("concluded,cb-1,31/02/2021,verified", "time"),
    ],
)
def test_a_row_that_cannot_be_taken_is_refused_with_its_place_and_the_others_go_on(
    tmp_path: Path, row: str, said: str
) -> None:
    header = "event,officer,occurred_at,finding,complaint,authority,document,account"
    good = "account,cb-1,2021-01-04,,,,,vneid:1"
    facts, refused = read(csv_of(tmp_path, f"{header}\n{row},K,a,d,\n{good}\n"))
    assert [type(one.body) for one in facts] == [OfficerAccount]
    assert f"{tmp_path}/register.csv:2" in refused[0]
    assert said in refused[0]


@pytest.mark.parametrize("header", ["officer,post,unit", "event,post", "event,officer,officer"])
def test_a_header_that_lacks_a_column_is_refused(tmp_path: Path, header: str) -> None:
    with pytest.raises(InputError, match=r"register\.csv:1: expected the columns"):
        read(csv_of(tmp_path, f"{header}\n"))


def test_a_workbook_is_read_sheet_by_sheet_each_by_its_header(tmp_path: Path) -> None:
    terms = sheet(("officer", "post", "unit", "starts_on"), ("cb-1", "receiver", "desk", 44256))
    events = sheet(
        ("event", "officer", "on", "account"), ("account", "cb-1", "2021-06-01", "vneid:1"), ("", "", "", "")
    )
    facts, refused = read(workbook_of(tmp_path, parts_of(terms, events)))
    assert refused == []
    assert [one.body for one in facts] == [
        OfficerAppointed(post="receiver", unit="desk", starts_on=date(2021, 3, 1)),
        OfficerAccount(account="vneid:1"),
    ]


def test_a_row_of_a_workbook_is_refused_with_its_sheet(tmp_path: Path) -> None:
    terms = sheet(("officer", "post", "unit", "starts_on"), ("cb-1", "receiver", "desk", "soon"))
    _, refused = read(workbook_of(tmp_path, parts_of(terms)))
    assert ":s1:2: " in refused[0]


def far_cell(parts: dict[str, str]) -> dict[str, str]:
    row = '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row>'
    text = parts["xl/worksheets/sheet1.xml"].replace("</sheetData>", f"{row}</sheetData>")
    return {**parts, "xl/worksheets/sheet1.xml": text}


def test_a_cell_in_the_far_corner_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    path = workbook_of(tmp_path, far_cell(parts_of(sheet(("officer",)))))
    with pytest.raises(HostileInput, match="a cell at XFD1048576"):
        read(path)


def test_a_workbook_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "UNPACKED_BYTES_MAX", 100_000)
    path = workbook_of(tmp_path, {**parts_of(sheet(("officer",))), "xl/media/zeros.bin": "0" * 200_000})
    with pytest.raises(HostileInput, match="unpacked bytes"):
        read(path)


def test_what_a_part_holds_counts_and_not_what_the_archive_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "UNPACKED_BYTES_MAX", 100_000)
    path = workbook_of(tmp_path, {**parts_of(sheet(("officer",))), "xl/media/zeros.bin": "0" * 200_000})
    content = path.read_bytes()
    size, lie = (200_000).to_bytes(4, "little"), (10).to_bytes(4, "little")
    assert content.count(size) == 2
    path.write_bytes(content.replace(size, lie))
    with pytest.raises(HostileInput, match="unpacked bytes"):
        read(path)


@pytest.mark.parametrize("content", [b"PK", b"officer,post\n", b"\0" * 100])
def test_what_is_no_workbook_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "register.xlsx"
    path.write_bytes(content)
    with pytest.raises(InputError, match="expected an XLSX workbook"):
        read(path)


def test_an_archive_without_a_workbook_or_with_broken_xml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="without xl/workbook"):
        read(workbook_of(tmp_path, {"a.txt": "a"}))
    with pytest.raises(InputError, match="expected an XLSX workbook"):
        read(workbook_of(tmp_path, {**parts_of(""), "xl/worksheets/sheet1.xml": "<worksheet><row"}))


def test_damaged_bytes_are_refused_in_our_words(tmp_path: Path) -> None:
    whole = workbook_of(tmp_path, parts_of(sheet(("officer", "post", "unit", "starts_on")))).read_bytes()
    for place in range(0, len(whole), 7):
        path = tmp_path / "damaged.xlsx"
        path.write_bytes(whole[:place] + b"\xff" + whole[place + 1 :])
        with suppress(InputError):
            read(path)


def test_entities_are_not_expanded(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    text = bomb + sheet(("officer", "post", "unit", "starts_on"), ("&b;", "receiver", "desk", "2021-03-01"))
    path = workbook_of(tmp_path, {**parts_of(""), "xl/worksheets/sheet1.xml": text})
    try:
        facts, _ = read(path)
    except InputError:
        return
    assert all("aaa" not in one.subject for one in facts)
