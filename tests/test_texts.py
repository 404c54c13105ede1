"""What commands say to people: where they refuse, where there is nothing to tell, and in both languages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest
from commands import dunghen, said

from workflow.cli.main import run
from workflow.errors import InputError, Words
from workflow.i18n import message, translator

if TYPE_CHECKING:
    from pathlib import Path

PROCEDURE: Final = """
procedure: X.1
revision: "1"
name: {vi: Thử, en: Test}
figures: sample
zone: Asia/Ho_Chi_Minh
initial: nothing
accepts: {no-limit: a test}
states:
  nothing: {}
  desk: {role: desk, limit: {within: 2, counts: days}}
  work: {role: officer}
  waiting: {role: citizen}
  done: {final: true}
actions:
  receive: {milestone: received, role: [desk], moves: [{from: [nothing], to: desk}]}
  assign: {role: [head], moves: [{from: [desk], to: work}]}
  ask: {milestone: paused, pause: papers, role: [officer], moves: [{from: [work], to: waiting}]}
  got: {milestone: resumed, pause: papers, role: [desk], moves: [{from: [waiting], to: work}]}
  give: {milestone: returned, role: [desk], moves: [{from: [work], to: done}]}
pauses:
  papers: {at_most: 2, cap: {within: 3, counts: days}, on_resume: continue, waits_for: citizen}
counting:
  days: {unit: calendar_days, first_day: excluded, rest_day: stays, reaching: late}
"""
MAPPING: Final = """
format: csv
source: s
zone: Asia/Ho_Chi_Minh
fields:
  subject: c
  action: a
  occurred_at: {column: t, format: yyyy-MM-dd HH:mm}
  actor: r
  role: r
case: {ended_at: {column: end, format: yyyy-MM-dd HH:mm}}
"""
ROWS: Final = """c,a,t,r,end
A,receive,2026-03-02 08:00,desk,
A,assign,2026-03-02 08:00,head,
A,give,2026-03-03 08:00,desk,
B,receive,2026-03-02 08:00,desk,2026-03-01 09:00
"""


class Files:
    """A procedure, a mapping and a log in a folder."""

    def __init__(self, folder: Path) -> None:
        self.procedure = folder / "p.yaml"
        self.mapping = folder / "m.yaml"
        self.log = folder / "l.csv"
        self.procedure.write_text(PROCEDURE, "utf-8")
        self.mapping.write_text(MAPPING, "utf-8")
        self.log.write_text(ROWS, "utf-8")

    @property
    def judging(self) -> tuple[str | Path, ...]:
        return "--procedure", self.procedure, "--mapping", self.mapping


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.mark.parametrize("which", ["log", "procedure", "mapping"])
def test_violations_are_never_written_over_what_is_read(files: Files, tmp_path: Path, which: str) -> None:
    victim: Path = getattr(files, which)
    link = tmp_path / "link"
    link.symlink_to(victim)
    before = victim.read_bytes()
    for out in (victim, link):
        told = dunghen("audit", "conform", files.log, *files.judging, "--violations", out, status=2)
        assert str(out) in told.stderr
    assert victim.read_bytes() == before


def test_not_even_the_unfinished_file_takes_the_place_of_what_is_read(files: Files, tmp_path: Path) -> None:
    victim = tmp_path / "v.part"
    victim.write_text(ROWS, "utf-8")
    dunghen("audit", "conform", victim, *files.judging, "--violations", tmp_path / "v", status=2)
    assert victim.read_text("utf-8") == ROWS


def test_two_things_are_not_written_into_one_file(tmp_path: Path) -> None:
    out = tmp_path / "o.jsonl"
    told = dunghen("simulate", "--seed", "1", "--dossiers", "1", "--out", out, "--truth", out, status=2)
    assert "--truth" in told.stderr
    assert not out.exists()


def test_a_table_is_never_written_over_its_store(tmp_path: Path) -> None:
    store = tmp_path / "s.db"
    store.write_bytes(b"kept")
    told = dunghen("risk", "fit", "--store", store, "--out", store, status=2)
    assert "--store" in told.stderr
    assert store.read_bytes() == b"kept"


def test_a_state_left_at_the_instant_it_was_entered_is_a_stay(files: Files) -> None:
    stays = said("dossier", "explain", files.log, "A", *files.judging)["stays"]
    assert [one["state"] for one in stays] == ["desk", "work", "done"]
    assert stays[0]["entered_at"] == stays[0]["left_at"]


def test_a_case_that_ended_before_its_events_took_no_negative_time(files: Files) -> None:
    told = dunghen("dossier", "explain", files.log, "B", *files.judging).stdout
    assert "it had ended before" in told
    assert "-1 d" not in told


def test_an_event_yet_to_come_took_no_negative_time_and_what_is_no_action_has_a_name(tmp_path: Path) -> None:
    kinds: dict[str, dict[str, object]] = {
        "dossier.opened": {
            "procedure": "9.999999",
            "state": "processing",
            "received_at": "2099-03-03T09:00:00+07:00",
        },
        "event.voided": {"target_id": "x", "reason": "mistyped"},
    }
    lines = [
        json.dumps(
            {
                "specversion": "1.0",
                "type": f"{kind}.v1",
                "source": "one-stop",
                "id": kind,
                "subject": "H13-1",
                "data": {"occurred_at": f"2099-03-1{number}T09:00:00+07:00", **data},
            }
        )
        for number, (kind, data) in enumerate(kinds.items())
    ]
    file, store = tmp_path / "later.jsonl", tmp_path / "a.db"
    file.write_text("\n".join(lines), "utf-8")
    dunghen("import", file, "--source", "one-stop", "--store", store)

    told = dunghen("dossier", "explain", "H13-1", "--store", store).stdout
    vietnamese = dunghen("dossier", "explain", "H13-1", "--store", store, "--lang", "vi").stdout

    assert "nothing yet: it begins later" in told
    assert "opening balance" in told
    assert "void of an event" in told
    assert "số liệu mở đầu" in vietnamese
    assert "dossier.opened.v1" not in told + vietnamese


def test_before_the_first_event_there_is_a_line_that_says_so(files: Files) -> None:
    told = dunghen("dossier", "explain", files.log, "A", *files.judging, "--at", "2020-01-01", status=2)
    assert "nothing of the dossier A was known or had taken place by then" in told.stderr


RECEIVED: Final = ("--received", "2026-03-02T08:00")


@pytest.mark.parametrize(
    ("pauses", "words"),
    [
        (("2026-03-05T08:00..2026-03-04T08:00",), "an end after its start"),
        (("2026-03-03T08:00..2026-03-05T08:00", "2026-03-04T08:00.."), "one pause after the other"),
        (("2026-03-03T08:00..", "2026-03-04T08:00..2026-03-05T08:00"), "one pause after the other"),
    ],
)
def test_pauses_that_cannot_be_are_refused(files: Files, pauses: tuple[str, ...], words: str) -> None:
    given = [word for one in pauses for word in ("--pause", f"papers={one}")]
    assert words in dunghen("deadline", files.procedure, *RECEIVED, *given, status=2).stderr


def test_pauses_one_after_the_other_are_taken(files: Files) -> None:
    given = ("--pause", "papers=2026-03-04T08:00..", "--pause", "papers=2026-03-03T08:00..2026-03-04T08:00")
    dunghen("deadline", files.procedure, *RECEIVED, *given)


def test_without_a_due_date_a_line_says_why(files: Files) -> None:
    assert "none of the procedure's limits applies" in dunghen("deadline", files.procedure, *RECEIVED).stderr
    plain = PROCEDURE.replace(", limit: {within: 2, counts: days}", "")
    files.procedure.write_text(plain, "utf-8")
    assert "declares no limit" in dunghen("deadline", files.procedure, *RECEIVED).stderr


def test_a_file_of_rows_without_a_mapping_is_one_line_that_names_the_option(files: Files) -> None:
    told = dunghen("audit", "conform", files.log, "--procedure", files.procedure, status=2)
    assert told.stderr.count("\n") == 1
    assert "--mapping" in told.stderr


@pytest.mark.parametrize(("delimiter", "said_as"), [(";", '";"'), ("\t", "tab")])
def test_another_delimiter_is_hinted_at(files: Files, delimiter: str, said_as: str) -> None:
    files.log.write_text(ROWS.replace(",", delimiter), "utf-8")
    told = dunghen("audit", "conform", files.log, *files.judging, status=2)
    assert f"csv: {{delimiter: {said_as}}}" in told.stderr


def test_an_empty_code_is_named_with_its_field_and_column(files: Files) -> None:
    files.log.write_text(ROWS.replace("A,assign", ",assign"), "utf-8")
    told = dunghen("audit", "conform", files.log, *files.judging, status=1)
    assert "for subject in the column c, found nothing" in told.stderr


def test_a_place_is_told_once(files: Files, tmp_path: Path) -> None:
    messages = tmp_path / "m.jsonl"
    messages.write_text("[1]\n", "utf-8")
    told = dunghen("audit", "conform", messages, "--procedure", files.procedure, status=1)
    assert told.stderr.count(f"{messages}:1") == 1


def test_what_is_no_yaml_is_said_without_repeating_a_word(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("a: @x\n", "utf-8")
    (found,) = said("procedure", "check", file, status=1)
    assert found["message"].count("found") == 1


def test_words_of_ours_inside_an_error_are_translated_and_data_is_not() -> None:
    error = InputError(
        "expected {expected}, found {found}; correct it",
        expected=Words("{one} or {other}", one=Words("a number"), other=Words("nothing")),
        found="nothing",
    )
    assert str(error) == "expected a number or nothing, found nothing; correct it"
    assert message(error, translator("vi")) == "cần một số hoặc không có gì, thấy nothing; hãy sửa lại"


def test_tables_speak_vietnamese_and_json_keeps_the_words(
    files: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    files.log.write_text(ROWS.replace("assign,2026-03-02", "assign,2026-03-09"), "utf-8")
    words = ["audit", "conform", str(files.log), *map(str, files.judging), "--lang", "vi"]
    run(words)
    table = capsys.readouterr().out
    assert "thời hạn" in table
    assert "chạm hạn là trễ hạn" in table
    assert "deadline" not in table
    run([*words, "--output", "json"])
    assert '"kind": "deadline"' in capsys.readouterr().out


def test_a_procedure_is_shown_with_all_that_changes_a_date(
    files: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    digits = "9" * 5_000
    guard = f"guards: {{big: {{requires: {{equals: [{{register: n}}, '{digits}']}}, on_break: record}}}}"
    files.procedure.write_text(f"{PROCEDURE}{guard}\nregisters: {{n: {{type: text}}}}\n", "utf-8")
    shown = dunghen("procedure", "show", files.procedure).stdout
    for part in ("reaching late, first_day excluded, rest_day stays", "state desk", "3 days", "9" * 60 + "…"):
        assert part in shown
    assert "9" * 61 not in shown
    run(["procedure", "show", str(files.procedure), "--lang", "vi"])
    vietnamese = capsys.readouterr().out
    for part in ("Số liệu", "số tạm", "ngày đầu không tính", "trạng thái desk", "người dân"):
        assert part in vietnamese
    for part in ("sample", "follow", "figures"):
        assert part not in vietnamese


def test_a_difference_names_its_field_in_vietnamese(
    files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    after = tmp_path / "after.yaml"
    after.write_text(PROCEDURE.replace('revision: "1"', 'revision: "2"'), "utf-8")
    run(["procedure", "diff", str(files.procedure), str(after), "--lang", "vi"])
    assert "bản đổi từ 1" in capsys.readouterr().out
