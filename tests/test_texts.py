"""What commands say to people: where they refuse, where there is nothing to tell, and in both languages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from commands import dunghen, said

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


def test_before_the_first_event_there_is_a_line_that_says_so(files: Files) -> None:
    told = dunghen("dossier", "explain", files.log, "A", *files.judging, "--at", "2020-01-01")
    assert "Nothing had happened" in told.stderr


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
