"""Known answers of the portal's messages, the newer flow and the polled table; persons; messages sent again."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import pytest
from places import ROOT

from consumers.forms.formfile import FormFile
from consumers.forms.language import parse_form, read_form
from consumers.forms.reading import national_code
from consumers.forms.revisions import revised
from workflow.clocks.calendar import read_calendars
from workflow.errors import DefinitionError, InputError
from workflow.facts import Acted, Fact
from workflow.fold import fold
from workflow.procedure.reader import read_procedures
from workflow.rules import Rules, compile_rules
from workflow.sources import orders, read_sources

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

PROCESSES: Final = ROOT / "processes"
FOLDER: Final = PROCESSES / "sources"
CODE: Final = "000.00.01.H13-260302-0001"
SUPPLEMENT: Final = {
    "HoSoBoSungId": 7,
    "NguoiYeuCauBoSung": "Trần Thị Bình",
    "NoiDungBoSung": "Thiếu sổ đỏ của ông Nguyễn Văn An",
    "NgayBoSung": "20260303100000",
    "NguoiTiepNhanBoSung": "Lê Văn Cường",
    "ThongTinTiepNhan": "Đã nhận của Nguyễn Văn An",
    "NgayTiepNhanBoSung": "20260305100000",
    "TrangThaiBoSung": "2",
    "DanhSachGiayToBoSung": [{"TenGiayTo": "Sổ đỏ Nguyễn Văn An"}],
    "DanhSachLePhiBoSung": [],
    "NgayHenTraTruoc": "20260312170000",
    "NgayHenTraMoi": "20260316170000",
}
WHOLE: Final[dict[str, Any]] = {
    "MaHoSo": CODE,
    "MaTTHC": "1.004237.000.00.00.H13",
    "TenTTHC": "Cung cấp dữ liệu",
    "MaLinhVuc": "G15",
    "SoBienNhan": "Nguyễn Văn An 01",
    "ChuHoSo": "Nguyễn Văn An",
    "LoaiDoiTuong": "1",
    "MaDoiTuong": "Nguyễn Văn An 079",
    "ThongTinKhac": "Nguyễn Văn An",
    "Email": "an.nguyen@example.org",
    "Fax": "Nguyễn Văn An",
    "SoDienThoai": "0900000000",
    "TrichYeuHoSo": "Đơn của Nguyễn Văn An",
    "NgayTiepNhan": "20260302081500",
    "NgayHenTra": "20260316170000",
    "TrangThaiHoSo": "10",
    "NgayTra": "20260312100000",
    "ThongTinTra": "Trả cho Nguyễn Văn An",
    "HinhThuc": "1",
    "NgayKetThucXuLy": "20260311093000",
    "DonViXuLy": "it-centre",
    "GhiChu": "Nguyễn Văn An gọi lại",
    "TaiLieuNop": [{"TenTepDinhKem": "Nguyễn Văn An.pdf"}],
    "DanhSachLePhi": [],
    "DanhSachTepDinhKemKhac": [],
    "DanhSachHoSoBoSung": [SUPPLEMENT],
    "DanhSachGiayToKetQua": [{"TenGiayTo": "Giấy của Nguyễn Văn An"}],
}
PERSONS: Final = ("Nguyễn", "An 079", "an.nguyen", "0900000000", "Trần", "Bình", "Lê Văn", "Cường")


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., FormFile]:
    """Opens lines (text, or objects written as JSON) as a file of a source."""

    def open_lines(source: str, *lines: Any, secret: bytes | None = None) -> FormFile:
        path = tmp_path / "messages"
        told = (one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in lines)
        path.write_text("".join(f"{line}\n" for line in told), encoding="utf-8")
        definition = read_sources(FOLDER)[source]
        assert definition.form is not None
        return FormFile(path, read_form(FOLDER / definition.form), definition, secret=secret)

    return open_lines


@pytest.fixture
def generic() -> Rules:
    """The procedure that judges what only statuses are told of."""
    (revision,) = read_procedures(PROCESSES / "generic.yaml")
    return compile_rules(revision, read_calendars(PROCESSES / "calendars"), orders(read_sources(FOLDER)))


def whole(**changed: Any) -> dict[str, Any]:
    """One message of one whole dossier."""
    return {"service": "DongBoHoSoMC", "isUpdating": "True", "data": [WHOLE | changed]}


def facts_of(file: FormFile) -> list[Fact]:
    return [fact for _, facts in file.dossiers() for fact in facts]


def acts(facts: list[Fact]) -> list[tuple[str, str]]:
    return [
        (fact.body.action, fact.occurred_at.isoformat()) for fact in facts if isinstance(fact.body, Acted)
    ]


def test_a_whole_dossier_tells_receipt_supplement_and_end(opened: Callable[..., FormFile]) -> None:
    facts = facts_of(opened("portal-whole", whole()))

    assert acts(facts) == [
        ("receive", "2026-03-02T01:15:00+00:00"),
        ("request_supplement", "2026-03-03T03:00:00+00:00"),
        ("process", "2026-03-05T03:00:00+00:00"),
        ("issue", "2026-03-11T02:30:00+00:00"),
        ("return_result", "2026-03-12T03:00:00+00:00"),
    ]


@pytest.mark.parametrize(
    ("told", "place"),
    [
        ("none", "data[0].DanhSachHoSoBoSung "),
        ({"HoSoBoSungId": 7}, "data[0].DanhSachHoSoBoSung "),
        ([SUPPLEMENT, ["HoSoBoSungId"]], "data[0].DanhSachHoSoBoSung[1] "),
    ],
)
def test_what_is_no_object_of_a_list_is_refused_and_not_left_out(
    opened: Callable[..., FormFile], told: object, place: str
) -> None:
    file = opened("portal-whole", whole(DanhSachHoSoBoSung=told))
    refused = [part for part in file.parts() if part.error is not None]

    assert {part.error.code for part in refused if part.error} == {"no_records"}
    assert all(place in part.place for part in refused)
    assert acts(facts_of(file))[0] == ("receive", "2026-03-02T01:15:00+00:00")


@pytest.mark.parametrize("told", [[], None, ""])
def test_a_list_of_nothing_is_no_fault(opened: Callable[..., FormFile], told: object) -> None:
    file = opened("portal-whole", whole(DanhSachHoSoBoSung=told))
    assert "request_supplement" not in dict(acts(facts_of(file)))
    assert not file.refusals.total


def test_the_first_slip_is_the_date_before_the_supplement_moved_it(opened: Callable[..., FormFile]) -> None:
    bodies = [fact.body for fact in facts_of(opened("portal-whole", whole())) if isinstance(fact.body, Acted)]
    slips = [(slip.at, slip.cause) for body in bodies if (slip := body.appointment) is not None]

    assert slips == [
        (datetime(2026, 3, 12, 10, tzinfo=UTC), "first"),
        (datetime(2026, 3, 16, 10, tzinfo=UTC), "after_supplement"),
    ]


def test_the_supplement_does_not_change_what_was_said_of_the_receipt(
    opened: Callable[..., FormFile],
) -> None:
    before = whole(DanhSachHoSoBoSung=[], NgayHenTra="20260312170000", TrangThaiHoSo="4", NgayTra="")

    assert [fact.revision for fact in facts_of(opened("portal-whole", before, whole()))] == [0] * 5


def test_a_procedure_code_loses_the_agency_behind_it(opened: Callable[..., FormFile]) -> None:
    bodies = [fact.body for fact in facts_of(opened("portal-whole", whole()))]

    assert {body.procedure for body in bodies if isinstance(body, Acted)} == {"1.004237"}


@pytest.mark.parametrize(
    ("told", "ours"), [("2.000889.000.00.00.H13", "land-transfer"), ("1.999999", "1.999999")]
)
def test_a_code_the_source_lists_becomes_ours_and_another_stays(
    opened: Callable[..., FormFile], told: str, ours: str
) -> None:
    file = opened("portal-whole", whole(MaTTHC=told))
    bodies = [fact.body for fact in facts_of(file)]

    assert {body.procedure for body in bodies if isinstance(body, Acted)} == {ours}
    assert file.uncoded == {}


@pytest.mark.parametrize("code", ["1.004237", "2.000889.H13", "eia", "1.004237.000.00.00"])
def test_a_code_of_another_shape_stays(code: str) -> None:
    assert national_code(code) == code


@pytest.mark.parametrize(
    ("status", "action"), [("3", "refuse_receipt"), ("7", "withdraw"), ("8", "stop_processing")]
)
def test_other_ends_are_told_at_the_end_of_processing(
    opened: Callable[..., FormFile], status: str, action: str
) -> None:
    message = whole(TrangThaiHoSo=status, NgayTra=None, DanhSachHoSoBoSung=None)

    assert acts(facts_of(opened("portal-whole", message)))[-1] == (action, "2026-03-11T02:30:00+00:00")


def test_a_dossier_without_any_time_says_nothing(opened: Callable[..., FormFile]) -> None:
    file = opened("portal-whole", {"data": [{"MaHoSo": CODE, "TrangThaiHoSo": "1"}]})

    assert facts_of(file) == []
    assert (file.rows, file.filtered, file.refusals.total) == (1, 1, 0)


def test_a_step_of_the_portal_is_one_fact(opened: Callable[..., FormFile]) -> None:
    step = {"MaHoSo": CODE, "NguoiXuLy": "Lê Văn Cường", "ThoiDiemXuLy": "20260302081500", "TrangThai": "2"}
    message = {"service": "CapNhatTienDoHoSoMC", "isUpdating": "False", "data": [step]}

    assert acts(facts_of(opened("portal-step", message))) == [("receive", "2026-03-02T01:15:00+00:00")]


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2026-06-08 14:07:53", "2026-06-08T07:07:53+00:00"),
        ("2026-06-08T07:47:28.329", "2026-06-08T00:47:28.329000+00:00"),
        ("20241231000000", "2024-12-30T17:00:00+00:00"),
    ],
)
def test_the_newer_flow_has_three_shapes_of_time(
    opened: Callable[..., FormFile], written: str, instant: str
) -> None:
    line = {"data": [{"MaHoSo": CODE, "NgayTiepNhan": written}]}

    assert acts(facts_of(opened("ministry-flow", line))) == [("receive", instant)]


def test_the_newer_flow_tells_submission_and_receipt_apart(opened: Callable[..., FormFile]) -> None:
    record = {"MaHoSo": CODE, "NgayNop": "2026-06-07 20:00:00", "NgayTiepNhan": "2026-06-08 08:00:00"}

    told = acts(facts_of(opened("ministry-flow", {"service": "create", "data": [record]})))

    assert [action for action, _ in told] == ["submit", "receive"]


def test_a_status_without_a_time_needs_the_moment_it_was_sent(opened: Callable[..., FormFile]) -> None:
    status = {"service": "CapNhatTrangThai", "data": [{"MaHoSo": CODE, "TrangThai": 9}]}
    file = opened("ministry-flow", status, status | {"sent_at": "2026-06-09 08:00:00"})

    assert acts(facts_of(file)) == [("issue", "2026-06-09T01:00:00+00:00")]
    assert file.refusals.counts == {"time_missing": 1}


ROWS: Final = (
    "code,procedure,status,changed_at,version,unit",
    f"{CODE},1.004237,2,2026-03-02 08:15:00,11,it-centre",
    f"{CODE},1.004237,9,2026-03-02 08:15:00,12,it-centre",
)


def test_a_polled_table_reads_alike_as_csv_and_as_json_lines(opened: Callable[..., FormFile]) -> None:
    names = ROWS[0].split(",")
    as_csv = facts_of(opened("polled-status", *ROWS))
    as_json = facts_of(
        opened("polled-status", *(dict(zip(names, row.split(","), strict=True)) for row in ROWS[1:]))
    )

    assert as_csv == as_json
    assert [(fact.sequence, action) for fact, (action, _) in zip(as_csv, acts(as_csv), strict=True)] == [
        (11, "receive"),
        (12, "issue"),
    ]


def test_lines_and_cells_are_as_written_however_long_the_file_is(opened: Callable[..., FormFile]) -> None:
    rows = [f'H{n},1.004237,2,2026-03-02 08:15:00,1,"one\ntwo"' for n in range(2_000)]
    file = opened("polled-status", ROWS[0], *rows, "HX,,2,yesterday,1,u")

    assert {fact.body.unit for fact in facts_of(file) if isinstance(fact.body, Acted)} == {"one\ntwo"}
    (refusal,) = file.refusals.listed
    assert f":{1 + 2 * len(rows) + 1} status" in refusal.place


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("code;status;changed_at;version", "expected cells between ',', found one cell in the header"),
        ("dossier,status,changed_at,version", "expected each mapped column once, found code 0 times"),
    ],
)
def test_a_table_without_the_column_of_its_key_says_so_once(
    opened: Callable[..., FormFile], header: str, said: str
) -> None:
    file = opened("polled-status", header, *ROWS[1:])

    with pytest.raises(InputError, match=said) as caught:
        facts_of(file)
    assert caught.value.code == "missing_column"


def test_a_row_read_again_adds_nothing(opened: Callable[..., FormFile]) -> None:
    assert facts_of(opened("polled-status", *ROWS, *ROWS[1:])) == facts_of(opened("polled-status", *ROWS))


def test_a_message_sent_again_adds_nothing(opened: Callable[..., FormFile]) -> None:
    once = facts_of(opened("portal-whole", whole()))

    assert facts_of(opened("portal-whole", whole(), whole(), whole())) == once
    assert revised(once, once) == once


def test_a_changed_message_is_a_further_revision_and_stands(
    generic: Rules, opened: Callable[..., FormFile]
) -> None:
    facts = facts_of(opened("portal-whole", whole(), whole(NgayTra="20260313100000")))
    judged = fold(generic, CODE, facts)

    assert [(fact.revision, fact.occurred_at.day) for fact in facts if fact.sequence == 5] == [
        (0, 12),
        (1, 13),
    ]
    assert judged.dossier.ended_at == datetime(2026, 3, 13, 3, tzinfo=UTC)


def test_told_changed_and_told_again_is_three_revisions_however_often_read(
    opened: Callable[..., FormFile],
) -> None:
    lines = (whole(), whole(NgayTra="20260313100000"), whole())
    facts = [fact for fact in facts_of(opened("portal-whole", *lines)) if fact.sequence == 5]

    assert [fact.revision for fact in facts] == [0, 1, 2]
    assert revised(_unrevised(opened("portal-whole", *lines)), facts_of(opened("portal-whole", *lines))) == (
        facts_of(opened("portal-whole", *lines))
    )


def test_what_is_told_last_stands_however_messages_are_cut_into_files(
    opened: Callable[..., FormFile],
) -> None:
    lines = (whole(), whole(NgayTra="20260313100000"), whole(), whole(NgayTra="20260314100000"))
    kept: list[Fact] = []
    for line in lines:
        kept += [fact for fact in revised(_unrevised(opened("portal-whole", line)), kept) if fact not in kept]

    at_once = facts_of(opened("portal-whole", *lines))
    assert sorted(kept, key=_identity) == sorted(at_once, key=_identity)
    assert [fact.occurred_at.day for fact in kept if fact.sequence == 5] == [12, 13, 12, 14]


def test_a_longer_file_of_what_is_known_adds_only_its_end(opened: Callable[..., FormFile]) -> None:
    lines = (whole(), whole(NgayTra="20260313100000"), whole(NgayTra="20260314100000"))
    kept = facts_of(opened("portal-whole", *lines[:2]))

    longer = revised(_unrevised(opened("portal-whole", *lines)), kept)

    assert [(fact.revision, fact.occurred_at.day) for fact in longer if fact not in kept] == [(2, 14)]


def test_messages_that_say_when_they_were_sent_may_come_in_any_order(
    opened: Callable[..., FormFile],
) -> None:
    lines = [
        whole(NgayTra=f"202603{day}100000") | {"sent_at": f"202603{day}180000"} for day in (12, 13, 14, 15)
    ]

    def kept(order: Sequence[dict[str, Any]]) -> list[Fact]:
        found: list[Fact] = []
        for line in order:
            told = revised(_unrevised(opened("portal-whole", line)), found)
            found += [fact for fact in told if fact not in found]
        return sorted(found, key=_identity)

    assert kept(lines) == kept(lines[::-1]) == kept([*lines[2:], *lines[:2], *lines])
    assert max(kept(lines[::-1]), key=lambda fact: (fact.sequence, fact.revision)).occurred_at.day == 15


def test_two_messages_of_one_second_that_differ_are_two_revisions(opened: Callable[..., FormFile]) -> None:
    lines = [whole(NgayTra=f"202603{day}100000") | {"sent_at": "2026-03-15 08:00:00"} for day in (12, 13)]
    first, second = [fact.revision for fact in facts_of(opened("portal-whole", *lines)) if fact.sequence == 5]

    assert second == first + 1


@pytest.mark.parametrize("sent", ["99999999999", "1999-12-31 00:00:00"])
def test_a_version_out_of_range_is_refused_with_its_column(
    opened: Callable[..., FormFile], sent: str
) -> None:
    file = opened("portal-whole", whole() | {"sent_at": sent})

    assert facts_of(file) == []
    assert set(file.refusals.counts) == {"version"}
    assert "sent_at: expected a whole number" in file.refusals.listed[0].text


@pytest.mark.parametrize(
    ("row", "reason", "column"),
    [
        (f"{CODE},1.004237,9,2026-03-02 08:15:00,,it-centre", "key_missing", "version"),
        (f"{CODE},1.004237,9,2026-03-02 08:15:00, ,it-centre", "key_missing", "version"),
    ],
)
def test_a_row_without_a_value_in_its_key_is_refused_with_line_and_column(
    opened: Callable[..., FormFile], row: str, reason: str, column: str
) -> None:
    file = opened("polled-status", *ROWS, row)

    assert len(facts_of(file)) == 2
    (refusal,) = file.refusals.listed
    assert refusal.reason == reason
    assert ":4 status" in refusal.place
    assert refusal.values["column"] == column
    assert f"{column}: expected" in refusal.text


def test_a_record_without_its_sequence_is_refused(tmp_path: Path) -> None:
    definition = read_sources(FOLDER)["polled-status"]
    form = parse_form(
        (FOLDER / "polled-status.form.yaml").read_bytes().replace(b"[version]", b"[status]"), "f"
    )
    path = tmp_path / "rows"
    path.write_text(f"{ROWS[0]}\n{CODE},1.004237,9,2026-03-02 08:15:00,,it-centre\n", encoding="utf-8")
    file = FormFile(path, form, definition)

    assert facts_of(file) == []
    assert file.refusals.counts == {"sequence_missing": 1}


def _identity(fact: Fact) -> tuple[str, str, str, int]:
    return fact.subject, fact.source, fact.id, fact.revision


def _unrevised(file: FormFile) -> list[Fact]:
    return [part.fact for part in file.parts() if part.fact is not None]


@pytest.mark.parametrize("secret", [None, b"secret"])
def test_no_person_leaves_the_adapter(opened: Callable[..., FormFile], secret: bytes | None) -> None:
    broken = whole(NgayTiepNhan="Nguyễn Văn An", TrangThaiHoSo="Nguyễn", MaHoSo={"ten": "Nguyễn Văn An"})
    lines = (
        whole(),
        broken,
        whole(NgayTra="Nguyễn Văn An"),
        '["Nguyễn Văn An"]',
        '{"Nguyễn": 1, "Nguyễn": 2}',
    )
    file = opened("portal-whole", *lines, secret=secret)

    told = repr([*facts_of(file), *(one.text for one in file.refusals.listed), file.uncoded])

    assert file.refusals.total >= 4
    assert [name for name in PERSONS if name in told] == []


def test_a_party_is_the_same_hash_under_the_same_secret_only(opened: Callable[..., FormFile]) -> None:
    def party(secret: bytes | None) -> str | None:
        body = facts_of(opened("portal-whole", whole(), secret=secret))[0].body
        assert isinstance(body, Acted)
        return body.party

    assert party(None) is None
    assert party(b"one") == party(b"one")
    assert party(b"one") != party(b"two")


FORM: Final = """
format: jsonl
key: [code]
personal: [owner]
facts:
  - kind: step
    fields: {subject: code, action: status, occurred_at: at, %s}
"""


@pytest.mark.parametrize("field", ["unit: owner", "party: owner", "data: {name: owner}", "id: code"])
def test_a_form_may_not_read_persons_nor_name_ids(field: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        parse_form((FORM % field).encode(), "form.yaml")

    assert str(refused.value).startswith("form.yaml:7:")
