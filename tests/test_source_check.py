"""The first hour of an integrator: what a file would become, told without storing it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

COMMAND: Final = Path(sys.executable).with_name("dunghen")
HEADER: Final = "code,procedure,status,changed_at,version,unit"


def dunghen(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([COMMAND, *arguments], capture_output=True, text=True, check=False)


def checked(tmp_path: Path, source: str, *lines: str) -> tuple[int, dict[str, Any]]:
    path = tmp_path / "told"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    done = dunghen("source", "check", str(path), "--source", source, "-o", "json")
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_a_sound_file_is_taken_whole(tmp_path: Path) -> None:
    status, found = checked(
        tmp_path,
        "polled-status",
        HEADER,
        "H1,1.004237,2,2026-03-02 08:15:00,1,u",
        "H1,,9,2026-03-03 08:15:00,2,u",
    )

    assert status == 0
    assert (found["records"], found["facts"], found["dossiers"]) == (2, 2, 1)
    assert found["outcomes"] == {"applied": 2}
    assert [one["action"] for one in found["messages"]] == ["receive", "issue"]


def test_a_refusal_says_where_and_why_and_what_to_do(tmp_path: Path) -> None:
    status, found = checked(tmp_path, "polled-status", HEADER, "H1,,2,02/03/2026,1,u")
    (refused,) = found["messages"]

    assert status == 1
    assert refused["place"].endswith("told:2 status")
    assert refused["reason"] == "time"
    assert refused["column"] == "changed_at"
    assert refused["expected"] == "yyyy-MM-dd HH:mm:ss"
    assert "02/03/2026" in refused["found"]
    assert "name its `format`" in refused["do"]
    assert found["refusals"] == {"time": 1}


def test_unmapped_values_and_unknown_codes_are_grouped(tmp_path: Path) -> None:
    rows = [f"H{n},9.999999,77,2026-03-02 08:15:00,1,u" for n in range(3)]
    status, found = checked(tmp_path, "polled-status", HEADER, *rows)

    assert status == 1
    assert found["unmapped"] == {"action: 77": 3}
    assert found["unknown_procedures"] == {"9.999999": 3}
    assert found["unknown_actions"] == {"generic: 77": 3}


def test_units_the_organisation_has_not_are_grouped_and_no_fault(tmp_path: Path) -> None:
    units = ["branch-o-mon", "u", "u", ""]
    status, found = checked(
        tmp_path,
        "polled-status",
        HEADER,
        *(f"H{n},,2,2026-03-02 08:15:00,1,{u}" for n, u in enumerate(units)),
    )

    assert status == 0
    assert found["strange_units"] == [{"unit": "u", "count": 2, "dossier": "H1"}]
    table = dunghen("source", "check", str(tmp_path / "told"), "--source", "polled-status").stdout
    assert "no unit of the organisation" in table
    assert "u, first in H1" in table


def test_our_own_messages_are_judged_by_their_procedure(tmp_path: Path) -> None:
    message = {
        "specversion": "1.0",
        "type": "dossier.acted.v1",
        "source": "one-stop",
        "id": "1",
        "subject": "H1",
        "data": {"occurred_at": "2026-03-02T08:15:00+07:00", "action": "sign", "procedure": "land-transfer"},
    }
    status, found = checked(tmp_path, "one-stop", json.dumps(message), "{}")

    assert status == 1
    assert found["outcomes"] == {"refused order/sign/submitted": 1}
    assert found["refusals"] == {"specversion": 1}


def test_a_source_of_ones_own_is_named_by_its_file(tmp_path: Path) -> None:
    shown = json.loads(dunghen("source", "show", "polled-status").stdout)
    kept = {name: value for name, value in shown.items() if name not in ("form", "source")}
    (tmp_path / "mine.yaml").write_text(
        json.dumps({"source": "mine", "mapping": "m.yaml", **kept}).replace(": 60", ': "60"'),
        encoding="utf-8",
    )
    (tmp_path / "m.yaml").write_text(
        "{format: csv, source: mine, fields: {subject: c, action: a, occurred_at: t}}", encoding="utf-8"
    )
    status, found = checked(
        tmp_path, str(tmp_path / "mine.yaml"), "c,a,t", "H1,receive,2026-03-02T08:15:00Z", "H1,issue,soon"
    )

    assert status == 1
    assert found["facts"] == 1
    assert [one.get("reason") for one in found["messages"]] == [None, "time"]


def test_an_unknown_source_is_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "told").write_text("x\n", encoding="utf-8")
    done = dunghen("source", "check", str(tmp_path / "told"), "--source", "nobody")

    assert done.returncode == 2
    assert "no such source" in done.stderr


def test_every_source_is_listed() -> None:
    assert len(json.loads(dunghen("source", "list", "-o", "json").stdout)) == 7


def test_a_register_is_not_checked_as_dossiers() -> None:
    done = dunghen("source", "check", "examples/officers/terms.csv", "--source", "personnel")
    assert done.returncode == 2
    assert "--dry-run" in done.stderr


MAPPING: Final = """
format: csv
source: mine
fields: {subject: c, id: n, action: a, occurred_at: t}
only: {kept: [yes]}
"""
ROWS: Final = (
    "c,n,a,t,kept",
    "H2,1,receive,2026-03-02T08:15:00Z,yes",
    "H1,1,receive,2026-03-02T08:16:00Z,yes",
    "H1,2,issue,soon,yes",
    "H1,1,receive,2026-03-02T08:16:00Z,yes",
    "H1,1,issue,2026-03-02T08:16:00Z,yes",
    "H2,2,no such step,2026-03-03T08:15:00Z,yes",
    "H2,3,issue,2026-03-04T08:15:00Z,no",
    '"H2",4,issue,2026-03-05T08:15:00Z,yes',
)
BECAME: Final = [
    "applied",
    "applied",
    "not_taken",
    "repeated",
    "not_taken",
    "refused",
    "says_nothing",
    "applied",
]


def mapped(tmp_path: Path, mapping: str) -> Path:
    """A source of one's own that is read through a mapping."""
    kept = json.loads(dunghen("source", "show", "polled-status").stdout)
    told = {name: value for name, value in kept.items() if name not in ("form", "codes")}
    text = json.dumps(
        {**told, "source": "mine", "mapping": "m.yaml", "reports": "steps", "authority": "sequence"}
    )
    (tmp_path / "mine.yaml").write_text(text.replace(": 60", ': "60"'), encoding="utf-8")
    (tmp_path / "m.yaml").write_text(mapping, encoding="utf-8")
    return tmp_path / "mine.yaml"


def test_each_row_of_a_mapped_file_says_what_became_of_it(tmp_path: Path) -> None:
    source = mapped(tmp_path, MAPPING)
    status, found = checked(tmp_path, str(source), *ROWS)
    told = found["messages"]

    assert status == 1
    assert [one["line"] for one in told] == [2, 3, 4, 5, 6, 7, 8, 9]
    assert [one["outcome"] for one in told] == BECAME
    assert [one.get("reason") for one in told if one["outcome"] == "not_taken"] == ["time", "id_conflict"]
    assert told[5]["rules"][0].startswith("order/no such step/")
    assert found["facts"] == 4


def test_one_line_or_some_can_be_asked_for_and_a_table_tells_its_bound(tmp_path: Path) -> None:
    source = str(mapped(tmp_path, MAPPING))
    checked(tmp_path, source, *ROWS)
    words = ("source", "check", str(tmp_path / "told"), "--source", source)

    one = [json.loads(line) for line in dunghen(*words, "--lines", "7", "-o", "jsonl").stdout.splitlines()]
    some = dunghen(*words, "--lines", "3-5", "-o", "csv").stdout.splitlines()
    bounded = dunghen(*words, "--limit", "1")
    wrong = dunghen(*words, "--lines", "3,5")

    assert [(row["line"], row["outcome"]) for row in one] == [(7, "refused")]
    assert [line.split(",")[0] for line in some[1:]] == ["3", "4", "5"]
    assert "Shown are the first 1 of each outcome, 5 of 8" in bounded.stderr
    assert "told:3 " not in bounded.stdout
    assert wrong.returncode == 2
    assert "such as 17" in wrong.stderr


def test_events_of_a_log_say_what_became_of_them(tmp_path: Path) -> None:
    source = mapped(tmp_path, "{format: xes, source: mine, only: {kept: [yes]}}")
    event = (
        '<event><string key="concept:name" value="{action}"/><date key="time:timestamp" value="{at}"/>'
        '<string key="kept" value="{kept}"/></event>'
    )
    status, found = checked(
        tmp_path,
        str(source),
        "<log><trace>",
        '<string key="concept:name" value="H1"/>',
        event.format(action="receive", at="2026-03-02T08:15:00Z", kept="yes"),
        event.format(action="receive", at="2026-03-02T08:15:00Z", kept="no"),
        event.format(action="issue", at="soon", kept="yes"),
        "</trace><trace>",
        event.format(action="receive", at="2026-03-02T08:15:00Z", kept="yes"),
        "</trace></log>",
    )

    assert status == 1
    assert [(one["line"], one["outcome"]) for one in found["messages"]] == [
        (3, "applied"),
        (4, "says_nothing"),
        (5, "not_taken"),
        (7, "not_taken"),
    ]


def test_a_changed_record_of_a_form_and_one_told_again_are_told_apart(tmp_path: Path) -> None:
    received = "H1,1.004237,2,2026-03-02 08:15:00,1,u"
    status, found = checked(
        tmp_path,
        "polled-status",
        HEADER,
        received,
        received,
        "H1,1.004237,2,2026-03-02 09:00:00,1,u",
        "H1,1.004237,,2026-03-02 09:00:00,1,u",
    )

    assert status == 1
    assert [(one["line"], one["outcome"]) for one in found["messages"]] == [
        (2, "superseded"),
        (3, "repeated"),
        (4, "applied"),
        (5, "not_taken"),
    ]


def test_dossiers_that_do_not_lie_together_and_facts_beyond_their_limit_are_told_by_line(
    tmp_path: Path,
) -> None:
    source = mapped(tmp_path, "{format: csv, source: mine, fields: {subject: c, action: a, occurred_at: t}}")
    rows = [f"{code},receive,2026-03-02T08:15:00Z" for code in ("H1", "H2", "H1", "H1")]
    path = tmp_path / "told"
    path.write_text("\n".join(["c,a,t", *rows, ""]), encoding="utf-8")
    words = ("source", "check", str(path), "--source", str(source), "-o", "json")
    done = subprocess.run(
        [COMMAND, *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "DUNGHEN_LIMIT_DOSSIER_FACTS_MAX": "2"},
    )
    found = json.loads(done.stdout)

    assert [(one["line"], one["outcome"]) for one in found["messages"]][:2] == [
        (2, "applied"),
        (3, "applied"),
    ]
    assert [(one["line"], one.get("reason")) for one in found["messages"]][3] == (5, "too_many_facts")
    assert found["refusals"] == {"too_many_facts": 1}
