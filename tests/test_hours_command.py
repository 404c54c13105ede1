"""Two units of different hours on the command line: one log measured, kept, judged again, and told other hours."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from commands import dunghen, said
from places import ROOT

if TYPE_CHECKING:
    from pathlib import Path

CALENDAR = """\
name: two-hours
zone: Asia/Ho_Chi_Minh
covers: {from: 2024-01-01, to: 2024-12-31}
hours: {week: {mon: [08:00-12:00], tue: [08:00-12:00], wed: [08:00-12:00], thu: [08:00-12:00], fri: [08:00-12:00]}}
units:
  long: {week: {mon: [07:00-12:00, 13:00-18:00], tue: [07:00-12:00, 13:00-18:00], wed: [07:00-12:00, 13:00-18:00]}}
days: []
"""
ORGANISATION = """\
organisation: small
revision: "%s"
name: {vi: Sở, en: Department}
calendar: two-hours
kinds: {department: {vi: Sở, en: Department}}
posts: {director: {vi: Giám đốc, en: Director}}
units:
  whole: {name: {vi: Sở, en: Department}, kind: department, head: director}
  far: {name: {vi: Xa, en: Far}, kind: department, head: director, parent: whole%s}
"""
PROCEDURE = """\
procedure: "1.000777"
revision: "1"
name: {vi: Thử, en: Test}
figures: sample
zone: Asia/Ho_Chi_Minh
calendar: two-hours
initial: sent
states: {sent: {}, open: {}, closed: {final: true}}
actions:
  receive: {moves: [{from: [sent], to: open}], milestone: received}
  hand: {moves: [{from: [open]}]}
  close: {moves: [{from: [open], to: closed}], milestone: returned}
counting: {hours: {unit: working_hours, reaching: in_time}}
limits: {committed: {binds: {end: any}, within: 6, counts: hours, date: committed, headline: true}}
accepts: {no-role: made up, no-limit: made up, no-cap: made up}
"""
LIVES = {
    "FAR": (("receive", "far", "01T09:00"), ("hand", "whole", "01T14:00"), ("close", "whole", "01T17:00")),
    "NEAR": (("receive", "whole", "01T09:00"), ("hand", "far", "01T14:00"), ("close", "far", "02T10:30")),
    "WHO": (("receive", None, "01T09:00"), ("close", None, "02T11:00")),
}
"""Six hours from Monday at nine: until 16:00 in the long hours, until Tuesday at 11:00 in the usual ones."""


class World:
    """Definitions and a log in a folder."""

    def __init__(self, folder: Path) -> None:
        self.processes, self.log, self.store = folder / "processes", folder / "log.jsonl", folder / "a.db"
        for name in ("calendars", "organisation", "sources"):
            (self.processes / name).mkdir(parents=True)
        shutil.copy(ROOT / "processes" / "generic.yaml", self.processes)
        shutil.copy(ROOT / "processes" / "calendars" / "vn-can-tho.yaml", self.processes / "calendars")
        self.procedure = self.processes / "p.yaml"
        self.procedure.write_text(PROCEDURE, "utf-8")
        self.calendar = self.processes / "calendars" / "two-hours.yaml"
        self.calendar.write_text(CALENDAR, "utf-8")
        self.organisation = self.processes / "organisation" / "small.yaml"
        self.works("1", ", hours: long")
        shutil.copy(ROOT / "processes" / "sources" / "one-stop.yaml", self.processes / "sources")
        self.log.write_text("\n".join(map(json.dumps, _messages())), "utf-8")

    def works(self, revision: str, far: str) -> None:
        self.organisation.write_text(ORGANISATION % (revision, far), "utf-8")

    @property
    def measured(self) -> tuple[str | Path, ...]:
        """The options of what measures the log without keeping it."""
        return "--procedure", self.procedure, "--calendar", self.calendar, "--organisation", self.organisation


def _messages() -> list[dict[str, Any]]:
    return [
        {
            "specversion": "1.0",
            "type": "dossier.acted.v1",
            "source": "one-stop",
            "id": f"{subject}-{number}",
            "subject": subject,
            "sequence": number + 1,
            "data": {
                "occurred_at": f"2024-07-{when}:00+07:00",
                "procedure": "1.000777",
                "action": action,
                **({} if unit is None else {"unit": unit}),
            },
        }
        for subject, acts in LIVES.items()
        for number, (action, unit, when) in enumerate(acts)
    ]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_log_is_measured_by_the_hours_of_the_unit_that_received(world: World) -> None:
    found = said("audit", "conform", world.log, *world.measured, status=1)
    assert (found["late"], found["violations"][0]["dossiers"]) == (1, 1)

    world.works("2", "")
    assert said("audit", "conform", world.log, *world.measured)["late"] == 0


def test_the_story_of_a_dossier_says_whose_hours_counted(world: World) -> None:
    told = dunghen("dossier", "explain", world.log, "FAR", *world.measured).stdout
    assert "by the hours long, which unit far works by" in told
    assert "2024-07-01 16:00" in told
    assert "by the usual hours, which unit whole works by" in (
        dunghen("dossier", "explain", world.log, "NEAR", *world.measured).stdout
    )


def due(world: World, *unit: str) -> tuple[str, str | None]:
    named = world.measured[2:]
    (found,) = said("deadline", world.procedure, *named, "--received", "2024-07-01T09:00", *unit)
    return found["due_at"], found.get("hours")


def test_deadline_counts_by_the_hours_of_the_unit_and_says_so(world: World) -> None:
    assert due(world, "--unit", "far") == ("2024-07-01T09:00:00Z", "long")
    assert due(world, "--unit", "long") == ("2024-07-01T09:00:00Z", "long")
    assert due(world, "--unit", "whole") == ("2024-07-02T04:00:00Z", None)
    assert due(world) == ("2024-07-02T04:00:00Z", None)
    table = dunghen(
        "deadline", world.procedure, *world.measured[2:], "--received", "2024-07-01T09:00", "--unit", "far"
    )
    assert "by the hours long, which unit far works by" in table.stdout


def test_deadline_refuses_a_unit_of_which_nothing_is_known(world: World) -> None:
    words = (
        "deadline",
        world.procedure,
        *world.measured[2:],
        "--received",
        "2024-07-01T09:00",
        "--unit",
        "fra",
    )
    assert "one of far, long, whole, found fra" in dunghen(*words, status=2).stderr


def kept(world: World) -> dict[str, bool]:
    listed = said("dossier", "list", "--store", world.store)
    return {one["subject"]: one["late"] for one in listed}


def test_a_store_keeps_it_replays_to_it_and_is_judged_anew_when_a_unit_works_otherwise(world: World) -> None:
    named = ("--procedures", world.processes)
    said("import", world.log, "--source", "one-stop", "--store", world.store, *named)
    assert kept(world) == {"FAR": True, "NEAR": False, "WHO": False}
    assert said("audit", "replay", "--store", world.store)["differences"] == 0

    before = said("dossier", "show", "FAR", "--store", world.store)["last_recorded_at"]
    world.works("2", "")
    found = said("activate", "--store", world.store, *named)
    assert [(one["subject"], one["because"]) for one in found["found"]] == [("FAR", ["calendar"])]
    assert kept(world) == {"FAR": False, "NEAR": False, "WHO": False}
    assert said("audit", "replay", "--store", world.store)["differences"] == 0

    told = said("audit", "diff", "--store", world.store, "--known", before, found["activated_at"])
    assert [(one["subject"], [did["kind"] for did in one["definitions"]]) for one in told["dossiers"]] == [
        ("FAR", ["organisation"])
    ]


def test_hours_the_calendar_has_not_are_refused(world: World) -> None:
    world.works("1", ", hours: lnog")
    words = (
        "import",
        world.log,
        "--source",
        "one-stop",
        "--store",
        world.store,
        "--procedures",
        world.processes,
    )
    found = dunghen(*words, status=2).stderr

    assert "unit far: expected hours of calendar two-hours, one of long, found lnog" in found
    assert not world.store.exists()
