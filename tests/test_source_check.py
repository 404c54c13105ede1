"""The first hour of an integrator: what a file would become, told without storing it."""

from __future__ import annotations

import json
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
