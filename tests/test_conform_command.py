"""`dunghen audit conform` on small logs: what a moment asked about, a complete log and other procedures change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from commands import dunghen, said

from workflow.procedure.ledger import new_entry
from workflow.procedure.reader import read_procedures

if TYPE_CHECKING:
    from pathlib import Path

PROCEDURE = """\
procedure: X.2
revision: "1"
name: {vi: Thử, en: Test}
figures: sample
zone: Asia/Ho_Chi_Minh
initial: s0
states: {s0: {}, s1: {}, s2: {final: true}}
actions:
  a: {moves: [{from: [s0], to: s1}]}
  b: {moves: [{from: [s1]}]}
  z: {moves: [{from: [s1], to: s2}]}
registers: {dl: {type: date}}
counting: {given: {unit: given_date, reaching: in_time}}
limits: {due: {binds: {end: any}, until: dl, counts: given, headline: true}}
ends: {s1: {}}
accepts: {no-role: made up, no-limit: made up, no-cap: made up}
"""
MAPPING = """\
format: csv
source: s
order: time
fields: {subject: c, action: a, occurred_at: t}
"""
CASES = MAPPING + "case: {ended_at: end, data: {dl: dl}}\n"


def conform(folder: Path, log: str, mapping: str, *options: str, status: int = 0) -> Any:
    for name, text in (("p.yaml", PROCEDURE), ("m.yaml", mapping), ("l.csv", log)):
        (folder / name).write_text(text, encoding="utf-8")
    named = ("--procedure", folder / "p.yaml", "--mapping", folder / "m.yaml", "--output", "json")
    return said("audit", "conform", folder / "l.csv", *named, *options, status=status)


def test_a_complete_log_does_not_end_what_it_goes_on_telling_of(tmp_path: Path) -> None:
    log = (
        "c,a,t\nA,a,2026-03-02T10:00:00Z\nA,z,2026-03-09T10:00:00Z\n"
        "B,a,2026-03-01T10:00:00Z\nB,b,2026-03-08T10:00:00Z\nC,a,2026-03-03T10:00:00Z\n"
    )
    closed = MAPPING + "log_end: closes\n"
    then = conform(tmp_path, log, closed, "--as-of", "2026-03-05T00:00:00Z")
    assert (then["dossiers"], then["ended"], then["open"]) == (3, 1, 2)
    at_the_end = conform(tmp_path, log, closed)
    assert (at_the_end["ended"], at_the_end["open"]) == (3, 0)


def test_the_moment_by_default_is_the_latest_the_log_tells_of_even_an_end(tmp_path: Path) -> None:
    log = (
        "c,a,t,dl,end\nA,a,2026-03-02T10:00:00Z,2026-03-01,2026-05-01T00:00:00Z\n"
        "C,a,2026-03-03T10:00:00Z,2026-03-01,\n"
    )
    unasked = conform(tmp_path, log, CASES, status=1)
    assert (unasked["as_of"], unasked["ended"], unasked["late"]) == ("2026-05-01T00:00:00Z", 1, 1)
    assert (unasked["open"], unasked["open_overdue"]) == (1, 1)
    asked = conform(tmp_path, log, CASES, "--as-of", unasked["as_of"], status=1)
    times = {"seconds": 0, "events_per_second": 0}
    assert asked | times == unasked | times


def test_a_dossier_of_another_procedure_is_not_judged_and_said(tmp_path: Path) -> None:
    log = "c,a,t,p\nA,a,2026-03-02T10:00:00Z,X.2\nB,a,2026-03-02T10:00:00Z,Y.1\nC,a,2026-03-02T10:00:00Z,\n"
    mapping = MAPPING.replace("occurred_at: t}", "occurred_at: t, procedure: p}")
    found = conform(tmp_path, log, mapping, status=1)
    assert (found["dossiers"], found["rows"]["refused"]) == (2, {"other_procedure": 1})


@pytest.mark.parametrize(
    ("sound", "unsound", "said_of_it"),
    [
        ("z: {moves: [{from: [s1], to: s2}]}", "z: {moves: [{from: [s1], to: s8}]}", "s8"),
        ("accepts: {no-role: made up, ", "accepts: {", "names no role"),
    ],
)
def test_no_log_is_judged_by_an_unsound_procedure(
    tmp_path: Path, sound: str, unsound: str, said_of_it: str
) -> None:
    (tmp_path / "p.yaml").write_text(PROCEDURE.replace(sound, unsound), encoding="utf-8")
    (tmp_path / "m.yaml").write_text(MAPPING, encoding="utf-8")
    (tmp_path / "l.csv").write_text("c,a,t\nA,a,2026-03-02T10:00:00Z\n", encoding="utf-8")
    options = ("--procedure", tmp_path / "p.yaml", "--mapping", tmp_path / "m.yaml")
    refused = dunghen("audit", "conform", tmp_path / "l.csv", *options, status=1)
    assert refused.stdout == ""
    assert said_of_it in refused.stderr
    assert "dunghen procedure check" in refused.stderr


@pytest.mark.parametrize("grouped", ["", "grouped: false\n"])
def test_an_id_told_again_counts_once_and_told_otherwise_is_refused(tmp_path: Path, grouped: str) -> None:
    log = (
        "c,a,t,i\nA,a,2026-03-02T10:00:00Z,1\nA,a,2026-03-02T10:00:00Z,1\nA,z,2026-03-03T10:00:00Z,1\n"
        "A,b,2026-03-04T10:00:00Z,2\nB,a,2026-03-02T10:00:00Z,1\n"
    )
    mapping = MAPPING.replace("occurred_at: t}", "occurred_at: t, id: i}") + grouped
    found = conform(tmp_path, log, mapping, status=1)
    assert found["rows"] == {
        "read": 5,
        "taken": 3,
        "filtered": 0,
        "repeated": 1,
        "refused": {"id_conflict": 1},
    }
    assert (found["events"], found["order_conforming"], found["open"]) == (3, 2, 2)


ZONED = MAPPING + "zone: Asia/Ho_Chi_Minh\n"
SLIPS = ZONED + "case: {appointment: {column: slip, format: date}}\n"
PROMISED = (
    "c,a,t,slip\n"
    "A,a,2026-03-02T10:00:00Z,2026-03-05\nA,z,2026-03-05T10:00:00Z,2026-03-05\n"
    "B,a,2026-03-02T10:00:00Z,2026-03-05\nB,z,2026-03-05T18:00:00Z,2026-03-05\n"
    "C,a,2026-03-02T10:00:00Z,2026-03-06\n"
    "D,a,2026-03-02T10:00:00Z,2026-03-30\n"
    "E,a,2026-03-02T10:00:00Z,\nE,z,2026-03-20T10:00:00Z,\n"
)
"""Kept, an hour past midnight in the zone of the procedure, open past it, open before it, none."""


def test_the_appointment_is_told_beside_the_deadline_of_the_procedure(tmp_path: Path) -> None:
    found = conform(tmp_path, PROMISED, SLIPS)
    assert found["appointments"] == {"dossiers": 4, "late": 1, "open_overdue": 1}
    assert (found["ended"], found["late"], found["open"], found["open_overdue"]) == (3, 0, 2, 0)


def test_the_appointment_is_asked_about_as_of_the_moment(tmp_path: Path) -> None:
    early = conform(tmp_path, PROMISED, SLIPS, "--as-of", "2026-03-05T12:00:00Z")
    assert early["appointments"] == {"dossiers": 4, "late": 0, "open_overdue": 0}
    late = conform(tmp_path, PROMISED, SLIPS, "--as-of", "2026-04-05")
    assert late["appointments"] == {"dossiers": 4, "late": 1, "open_overdue": 2}


def test_the_end_of_a_complete_log_is_held_against_the_appointment(tmp_path: Path) -> None:
    log = PROMISED + "F,a,2026-03-02T10:00:00Z,2026-03-05\nF,b,2026-03-09T10:00:00Z,2026-03-05\n"
    found = conform(tmp_path, log, SLIPS + "log_end: closes\n")
    assert found["appointments"] == {"dossiers": 5, "late": 2, "open_overdue": 0}


def test_a_slip_told_by_an_event_counts_too(tmp_path: Path) -> None:
    mapping = ZONED.replace("occurred_at: t}", "occurred_at: t, appointment: {column: slip, format: date}}")
    assert conform(tmp_path, PROMISED, mapping)["appointments"]["dossiers"] == 4


def test_without_an_appointment_none_is_told_of(tmp_path: Path) -> None:
    assert "appointments" not in conform(tmp_path, PROMISED, MAPPING)


def test_the_table_tells_appointments_in_vietnamese_too(tmp_path: Path) -> None:
    conform(tmp_path, PROMISED, SLIPS)
    named = ("--procedure", tmp_path / "p.yaml", "--mapping", tmp_path / "m.yaml")
    told = dunghen("--lang", "vi", "audit", "conform", tmp_path / "l.csv", *named, "--output", "table")
    assert "Trễ so với ngày hẹn trả" in told.stdout


APPROVED = PROCEDURE.replace(
    "figures: sample", "figures: approved\napproval: {document: QT-1, decision: 1/QĐ, decided_on: 2026-01-05}"
)
ONE_ACT = "c,a,t\nA,a,2026-03-02T10:00:00Z\n"


def test_a_procedure_that_no_ledger_lists_as_approved_is_told(tmp_path: Path) -> None:
    for name, text in (("p.yaml", APPROVED), ("m.yaml", MAPPING), ("l.csv", ONE_ACT)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    given = ("audit", "conform", tmp_path / "l.csv", "--mapping", tmp_path / "m.yaml", "--lang", "en")

    def told(*more: str | Path) -> str:
        return dunghen(*given, "--procedure", tmp_path / "p.yaml", *more).stderr

    line = new_entry(read_procedures(tmp_path / "p.yaml")[0]).line
    assert f"once the decision is signed append the line: {line}" in told()
    (tmp_path / "APPROVED").write_text(f"{line}\n", encoding="utf-8")
    assert "ledger" not in told()
    assert "not listed as approved" not in told()
    other = tmp_path / "other"
    other.write_text("", encoding="utf-8")
    assert "expected its fingerprint in the ledger" in told("--ledger", other)
    (tmp_path / "p.yaml").write_text(APPROVED.replace("s1: {}", "s1: {role: desk}", 1), encoding="utf-8")
    assert "undo the edit, or give the new text a new revision" in told()
    (tmp_path / "p.yaml").write_text(PROCEDURE.replace("X.2", "X.3"), encoding="utf-8")
    assert (
        "measured against procedure X.3 revision 1, which is not listed as approved: its figures are sample"
        in told()
    )
