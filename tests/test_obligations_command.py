"""`dunghen obligations`, `evaluation` and `judge` as a user meets them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from places import ROOT
from test_cli import dunghen

from consumers.ticker import tick
from workflow.catalogue import load
from workflow.store.opening import open_store

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(180)
"""The store is filled by three commands, each of which starts anew."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("obligations")
    where, log = str(folder / "store.db"), folder / "log.jsonl"

    def told(dossier: str, number: int, kind: str, at: str, **data: Any) -> str:
        head = {"specversion": "1.0", "type": kind, "source": "one-stop", "id": f"{dossier}-{number}"}
        return json.dumps(
            {**head, "subject": dossier, "sequence": number, "data": {"occurred_at": at, **data}}
        )

    def act(dossier: str, number: int, action: str, at: str, **data: Any) -> str:
        more = {"procedure": "mortgage-registration", "unit": "one-stop-o-mon", "action": action, **data}
        actor = {"id": "cb-7", "role": "desk"}
        return told(dossier, number, "dossier.acted.v1", at, actor=actor, **more)

    lines = []
    for name, channel in (("D-1", "online"), ("D-2", "direct")):
        lines += [
            act(name, 1, "receive", "2021-06-01T08:00:00+07:00", channel=channel),
            act(name, 2, "return_result", "2021-06-01T15:00:00+07:00"),
        ]
    form = {"channel": "paper", "keyed_by": "cb-7", "rated_on": "2021-06-01", "scores": {"courtesy": 1}}
    lines.append(told("D-1", 3, "dossier.rated.v1", "2021-06-02T08:00:00+07:00", **form))
    log.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    for file, source in ((str(log), "one-stop"), ("examples/officers/terms.csv", "personnel")):
        done = dunghen("import", file, "--source", source, "--store", where)
        assert done.returncode == 0, done.stderr
    done = dunghen("import", "examples/officers/events.csv", "--source", "personnel", "--store", where)
    assert done.returncode == 0, done.stderr
    return where


def rows(store: str, *asked: str) -> list[dict[str, Any]]:
    done = dunghen(*asked, "--store", store, "-o", "json")
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_what_is_owed_begins_once_and_is_late_like_any_dossier(store: str) -> None:
    first, again = rows(store, "obligations", "begin"), rows(store, "obligations", "begin")
    assert first[0]["begun"] > 10
    assert (again[0]["begun"], again[0]["known"]) == (0, first[0]["begun"])
    late = rows(store, "obligations", "list", "--at", "2021-10-30T08:00")
    maps = next(one for one in late if one["subject"] == "can-tho/security-level-maps")
    assert maps["overdue"]
    in_time = rows(store, "obligations", "list", "--at", "2021-10-29T12:00")
    assert not next(one for one in in_time if one["subject"] == "can-tho/security-level-maps")["overdue"]


def test_shares_name_what_they_are_divided_by(store: str) -> None:
    asked = rows(store, "obligations", "shares", "--from", "2021-01-01", "--to", "2021-06-30")
    found = {one["what"]: one for one in asked}
    assert (found["accounts"]["numerator"], found["accounts"]["denominator"]) == (2, 6)
    assert (found["report"]["numerator"], found["report"]["denominator"]) == (0, 1)
    assert found["report"]["without"] == ["can-tho/e-government-2021-q2"]
    assert found["accounts"]["without"] == ["cb-0103", "cb-0104", "cb-0105", "cb-0106"]
    assert (found["online_4"]["numerator"], found["online_4"]["denominator"]) == (1, 2)
    assert found["online_3"]["percent"] is None


def at_the_opening(where: str) -> None:
    """What a ticker says at the next working instant, which is now by day: at night nothing is raised."""
    known, now = load(ROOT / "processes"), datetime.now(UTC)
    kept = open_store(where)
    tick(kept, known, now=known.office.speaking_at(now, "one-stop-o-mon", now) + timedelta(minutes=1))
    kept.close()


def test_what_is_owed_is_late_once_and_in_no_rate_of_dossiers(store: str) -> None:
    at_the_opening(store)
    kinds = {one["kind"] for one in rows(store, "alerts", "list", "--about", "can-tho/e-government-2021-q2")}
    assert kinds == {"dossier_late"}
    (everything,) = rows(store, "rates", "--by", "all", "--from", "2021-01-01")
    assert everything["late_or_overdue"]["denominator"] == 2
    assert everything["portal_on_time"]["denominator"] == 2


def test_evaluation_counts_by_desk_and_altogether(store: str) -> None:
    found = rows(store, "evaluation", "--from", "2021-01-01", "--to", "2021-12-31")
    assert [
        (one["by"], one["group"], one["evaluated_numerator"], one["evaluated_denominator"]) for one in found
    ] == [
        ("desk", "one-stop-o-mon", 1, 2),
        ("all", "", 1, 2),
    ]
    table = dunghen(
        "evaluation", "--from", "2021-01-01", "--to", "2021-12-31", "--store", store, "--lang", "vi"
    ).stdout
    assert "1/2 = 50.00 %" in table
    assert "thái độ của cán bộ" in table


def test_what_no_desk_returned_is_not_called_all(tmp_path: Path) -> None:
    path, log = tmp_path / "store.db", tmp_path / "log.jsonl"
    head = {"specversion": "1.0", "type": "dossier.acted.v1", "source": "one-stop", "subject": "D-9"}
    more = {
        "procedure": "mortgage-registration",
        "unit": "branch-o-mon",
        "actor": {"id": "cb-7", "role": "desk"},
    }
    lines = [
        {
            **head,
            "id": action,
            "sequence": number,
            "data": {"occurred_at": f"2021-06-01T{number + 8:02}:00:00+07:00", "action": action, **more},
        }
        for number, action in enumerate(("receive", "return_result"))
    ]
    log.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    assert dunghen("import", str(log), "--source", "one-stop", "--store", str(path)).returncode == 0
    table = dunghen("evaluation", "--from", "2021-01-01", "--to", "2021-12-31", "--store", str(path)).stdout
    first = [line.split("  ")[1] for line in table.splitlines() if "0/1" in line]
    assert first == ["no desk named", "All"]


def test_judge_says_each_thing_once(store: str) -> None:
    kinds = {one["kind"] for one in rows(store, "judge")}
    assert {"rotation_due_verified", "rotation_overdue", "evaluation_by_handler"} <= kinds
    assert rows(store, "judge") == []
