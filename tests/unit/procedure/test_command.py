"""`dunghen procedure`, as it is typed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from drawing import SOUND, read
from drawing import text as drawn

from workflow.cli.main import run
from workflow.procedure.ledger import new_entry

APPROVED = "approval: {document: QT-01, decision: 1593/QĐ-UBND, decided_on: 2023-07-10}"


def text(**parts: str) -> str:
    """The sound procedure by a calendar that comes with us."""
    return drawn(head=SOUND["head"].replace("office", "vn-can-tho"), **parts)


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    file = tmp_path / "sound.yaml"
    file.write_text(text(), "utf-8")
    return file


@pytest.fixture
def unsound(tmp_path: Path) -> Path:
    file = tmp_path / "unsound.yaml"
    file.write_text(text().replace("assign: {role: [head], ", "assign: {"), "utf-8")
    return file


def test_a_sound_procedure_ends_with_0(sound: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["procedure", "check", str(sound), "--output", "json", "--lang", "en"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == []
    assert err == "1 revisions: 0 errors, 0 warnings, 0 accepted\n"


def test_an_error_ends_with_1_and_says_where_and_how(
    unsound: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["procedure", "check", str(unsound), "--output", "json", "--lang", "en"]) == 1
    assert json.loads(capsys.readouterr().out) == [
        {
            "level": "error",
            "place": f"{unsound}:16:3",
            "code": "no-role",
            "path": "actions.assign",
            "message": "action assign names no role, so anybody may do it; name the roles",
            "run": "submitted --receive--> checked --assign--> drafted",
            "because": None,
        }
    ]


def test_a_calendar_that_is_not_there_is_an_error_with_its_place(
    sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sound.write_text(sound.read_text("utf-8").replace("vn-can-tho", "vn-nowhere"), "utf-8")
    command = ["procedure", "check", str(sound), "--output", "json", "--lang", "en"]
    assert run(command) == 1
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["code"], found["place"]) == ("unknown-calendar", f"{sound}:6:1")
    ours = Path(__file__).parents[3] / "processes" / "calendars" / "vn-can-tho.yaml"
    given = tmp_path / "vn-nowhere.yaml"
    given.write_text(ours.read_text("utf-8").replace("name: vn-can-tho", "name: vn-nowhere"), "utf-8")
    assert run([*command, "--calendar", str(given)]) == 0
    given.write_text(given.read_text("utf-8").replace("Asia/Ho_Chi_Minh", "Asia/Bangkok"), "utf-8")
    capsys.readouterr()
    assert run([*command, "--calendar", str(given)]) == 1
    assert [one["code"] for one in json.loads(capsys.readouterr().out)] == ["other-zone"]


def test_a_calendar_of_the_folder_is_known_and_its_mistakes_are_told(
    sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sound.write_text(sound.read_text("utf-8").replace("vn-can-tho", "vn-nowhere"), "utf-8")
    ours = Path(__file__).parents[3] / "processes" / "calendars" / "vn-can-tho.yaml"
    own = tmp_path / "calendars" / "vn-nowhere.yaml"
    own.parent.mkdir()
    source = ours.read_text("utf-8").replace("name: vn-can-tho", "name: vn-nowhere")
    own.write_text(source, "utf-8")
    for checked in (tmp_path, sound):
        assert _check(capsys, checked) == (0, [])
    for wrong, place in (
        (source.replace("kind: off", "kind: holiday", 1), ":38:30"),
        (source.replace("to: 2026-12-31", "to: 2017-01-01"), ""),
        (source.replace("zone: Asia/Ho_Chi_Minh", "zone: Asia/HCM"), ""),
    ):
        own.write_text(wrong, "utf-8")
        status, found = _check(capsys, tmp_path)
        assert (status, [one["place"] for one in found]) == (1, [f"{own}{place}"])


def test_a_diagram_is_never_written_over_its_procedure(
    sound: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sound.read_bytes()
    out = sound.parent / "." / "sub" / ".." / sound.name
    (sound.parent / "sub").mkdir()
    assert run(["procedure", "diagram", str(sound), "--out", str(out), "--lang", "en"]) == 2
    assert "--out" in capsys.readouterr().err
    assert sound.read_bytes() == before


def test_findings_are_told_in_vietnamese(unsound: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["procedure", "check", str(unsound), "--output", "json", "--lang", "vi"])
    assert "vai trò" in json.loads(capsys.readouterr().out)[0]["message"]


def test_what_is_accepted_is_listed_when_asked(unsound: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unsound.write_text(unsound.read_text("utf-8") + "\naccepts: {no-role: the log names none}", "utf-8")
    assert run(["procedure", "check", str(unsound), "--output", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert run(["procedure", "check", str(unsound), "--output", "json", "--accepted"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["because"] == "the log names none"


def _check(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, list[dict[str, str]]]:
    status = run(["procedure", "check", *map(str, arguments), "--output", "json", "--lang", "en"])
    return status, json.loads(capsys.readouterr().out)


def test_what_cannot_be_read_is_a_finding_and_the_others_are_checked(
    unsound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    anchor, word = tmp_path / "a.yaml", tmp_path / "z.yaml"
    anchor.write_text("procedure: a\nstates: *all\n", "utf-8")
    second = text().replace("figures: sample", "figure: sample")
    another = unsound.read_text("utf-8").replace("1.004220", "1.004221")
    word.write_text(f"{second}\n---\n{another}", "utf-8")
    status, found = _check(capsys, tmp_path)
    assert status == 1
    assert [(one["level"], one["code"], one["place"]) for one in found] == [
        ("error", "anchor", f"{anchor}:2:9"),
        ("error", "no-role", f"{unsound}:16:3"),
        ("error", "unknown_word", f"{word}:4:1"),
        ("error", "no-role", f"{word}:39:3"),
    ]
    assert found[0]["message"].startswith("expected a plain value, found the anchor or alias all")


def test_a_file_that_may_not_be_read_is_a_finding_of_its_folder(
    sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nowhere")
    status, found = _check(capsys, tmp_path)
    assert (status, [one["place"] for one in found]) == (1, [str(tmp_path / "gone.yaml")])
    assert sound.exists()


def test_a_gap_is_not_told_where_what_lies_between_could_not_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dates = {"1": "2025-01-01, to: 2025-06-30", "2": "2025-07-01, to: 2025-07-31", "3": "2025-08-01"}
    for number, since in dates.items():
        source = text(effective=f"effective: {{from: {since}}}").replace('"1"', f'"{number}"')
        (tmp_path / f"{number}.yaml").write_text(source, "utf-8")
    assert _check(capsys, tmp_path) == (0, [])
    (tmp_path / "2.yaml").write_text("procedure: [", "utf-8")
    status, found = _check(capsys, tmp_path)
    assert (status, [one["code"] for one in found]) == (1, ["syntax"])


def test_a_path_where_nothing_is_ends_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["procedure", "check", str(tmp_path / "absent.yaml"), "--lang", "en"]) == 2
    assert "absent.yaml" in capsys.readouterr().err
    assert run(["procedure", "check", str(tmp_path), "--lang", "en"]) == 2
    assert "expected a procedure, found none" in capsys.readouterr().err


def test_the_dates_of_several_files_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number, since in (("1", "2025-01-01, to: 2025-06-30"), ("2", "2025-08-01")):
        source = text(effective=f"effective: {{from: {since}}}").replace(
            'revision: "1"', f'revision: "{number}"'
        )
        (tmp_path / f"{number}.yaml").write_text(source, "utf-8")
    assert run(["procedure", "check", str(tmp_path), "--output", "json"]) == 1
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["code"], found["place"]) == ("gap", f"{tmp_path / '2.yaml'}:23:1")


def test_every_approved_revision_is_held_to_the_ledger(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = text(approval=APPROVED).replace("figures: sample", "figures: approved")
    other = source.replace("1.004220", "1.004221")
    file, ledger = tmp_path / "p.yaml", tmp_path / "APPROVED"
    file.write_text(f"{source}\n---\n{other}", "utf-8")
    ledger.write_text("", "utf-8")
    status, found = _check(capsys, file, "--ledger", ledger)
    assert (status, [(one["code"], one["place"]) for one in found]) == (
        1,
        [("ledger_absent", f"{file}:23:1"), ("ledger_absent", f"{file}:47:1")],
    )
    lines = [new_entry(read(one)).line for one in (source, other)]
    assert [one["message"].endswith(line) for one, line in zip(found, lines, strict=True)] == [True, True]
    for near in (tmp_path, file):
        assert [one["code"] for one in _check(capsys, near)[1]] == ["ledger_absent"] * 2
    ledger.write_text("\n".join(lines), "utf-8")
    assert _check(capsys, file, "--ledger", ledger) == (0, [])
    assert _check(capsys, tmp_path) == (0, [])
    ledger.write_text("\n".join([*lines, "signed by hand"]), "utf-8")
    file.write_text(f"{source}\n---\n{other}\n---\nprocedure: [", "utf-8")
    found = _check(capsys, tmp_path)[1]
    assert [(one["code"], one["place"]) for one in found] == [
        ("ledger_line", f"{ledger}:3"),
        ("syntax", f"{file}:50:1"),
    ]


def test_shows_every_part_in_words(sound: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = text().replace("assign: {role: [head],", "assign: {role: [head], guards: [once],")
    once = "guards: {once: {requires: {times: {action: assign, fewer_than: 2}}}}"
    sound.write_text(f"{source}\n{once}\nbasis: Luật Đất đai 2024\n", "utf-8")
    assert run(["procedure", "show", str(sound), "--lang", "vi"]) == 0
    out = capsys.readouterr().out
    assert "trước đó “assign” chưa đến 2 lần" in out
    assert "Luật Đất đai 2024" in out
    assert "Đăng ký biến động" in out
    assert "5 ngày làm việc" in out


def test_shows_the_phases_in_their_order(sound: Path, capsys: pytest.CaptureFixture[str]) -> None:
    phases = "phases:\n  check: {name: {vi: Thẩm định, en: Checking}, starts: [receive], ends: [assign]}\n"
    sound.write_text(f"{text()}\n{phases}  sign: {{starts: [assign]}}\n", "utf-8")
    assert run(["procedure", "show", str(sound), "--lang", "vi"]) == 0
    assert re.search(r"Giai đoạn +Tên +Bắt đầu bằng +Kết thúc bằng", capsys.readouterr().out)
    assert run(["procedure", "show", str(sound), "--output", "json", "--lang", "en"]) == 0
    assert json.loads(capsys.readouterr().out)["phases"] == [
        {"phase": "check", "name": "Checking", "starts": ["receive"], "ends": ["assign"]},
        {"phase": "sign", "name": "sign", "starts": ["assign"], "ends": []},
    ]


def test_shows_the_same_as_json(sound: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["procedure", "show", str(sound), "--output", "json", "--lang", "en"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [row["state"] for row in shown["states"]] == [
        "submitted",
        "checked",
        "drafted",
        "signed",
        "returned",
    ]
    assert [row["limit"] for row in shown["limits"]] == [
        "committed",
        "step/checked",
        "step/drafted",
        "step/signed",
    ]
    assert shown["moves"][0]["from"] == ["submitted"]
    assert len(shown["fingerprint"]) == 64


def test_draws_to_standard_output_or_into_a_file(
    sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["procedure", "diagram", str(sound)]) == 0
    printed = capsys.readouterr().out
    assert ET.fromstring(printed).tag.endswith("svg")  # noqa: S314 - our own bytes
    out = tmp_path / "p.svg"
    assert run(["procedure", "diagram", str(sound), "--out", str(out)]) == 0
    assert out.read_text("utf-8") == printed
    assert sorted(tmp_path.iterdir()) == [out, sound]


def test_a_place_that_cannot_be_written_ends_with_2(sound: Path, tmp_path: Path) -> None:
    assert (
        run(
            [
                "procedure",
                "diagram",
                str(sound),
                "--format",
                "mermaid",
                "--out",
                str(tmp_path / "no" / "p.mmd"),
            ]
        )
        == 2
    )


def test_says_what_changed_between_two_files(
    sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(text().replace("within: 10", "within: 9"), "utf-8")
    assert run(["procedure", "diff", str(sound), str(other), "--lang", "en"]) == 0
    assert capsys.readouterr().out == "limit committed within changed from 10 to 9\n"
    assert run(["procedure", "diff", str(sound), str(other), "--output", "json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["after"] == "9"
    assert run(["procedure", "diff", str(sound), str(sound), "--lang", "en"]) == 0
    assert capsys.readouterr().err == "No difference: both have the same fingerprint.\n"


def test_one_of_several_revisions_must_be_named(sound: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sound.write_text(text() + "\n---\n" + text().replace('revision: "1"', 'revision: "2"'), "utf-8")
    assert run(["procedure", "show", str(sound), "--lang", "en"]) == 2
    assert "expected one revision, found 1.004220 1, 1.004220 2; name one of them with --revision" in (
        capsys.readouterr().err
    )
    assert run(["procedure", "diff", str(sound), str(sound), "--before-revision", "3", "--lang", "en"]) == 2
    assert (
        "expected one revision 3, found 1.004220 1, 1.004220 2; name one of them with --before-revision"
        in (capsys.readouterr().err)
    )
    assert run(["procedure", "show", str(sound), "--revision", "2", "--output", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["revision"] == "2"
    assert (
        run(
            [
                "procedure",
                "diff",
                str(sound),
                str(sound),
                "--before-revision",
                "1",
                "--after-revision",
                "2",
                "--lang",
                "en",
            ]
        )
        == 0
    )
    assert capsys.readouterr().out == "revision changed from 1 to 2\n"


def test_the_real_command_prints_the_same_bytes_under_any_hash_seed(unsound: Path) -> None:
    command = [
        str(Path(sys.executable).with_name("dunghen")),
        "procedure",
        "check",
        str(unsound),
        "--output",
        "jsonl",
    ]
    outputs = {
        subprocess.run(command, env={"PYTHONHASHSEED": seed}, capture_output=True, check=False).stdout
        for seed in "012"
    }
    assert len(outputs) == 1
    assert b"no-role" in outputs.pop()
