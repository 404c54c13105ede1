"""Source definitions: those that come with us, and what a definition may not say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from places import ROOT

from consumers.forms.language import read_form
from workflow.clocks.calendar import read_calendars
from workflow.errors import DefinitionError, UnknownZone
from workflow.procedure.reader import read_procedures
from workflow.sources import SourceOrder, orders, parse_source, read_sources

if TYPE_CHECKING:
    from pathlib import Path

FOLDER: Final = ROOT / "processes" / "sources"
SOURCES: Final = read_sources(FOLDER)
LEAST: Final = """
source: desk
name: {vi: Bàn, en: Desk}
zone: Asia/Ho_Chi_Minh
authority: sequence
precision: second
reports: steps
cadence: {working_minutes: 30, calendar: vn-can-tho}
delay_minutes: 15
speakers: {topics: [desk]}
voids: own
"""


def told(**changed: str) -> str:
    lines = LEAST.strip().splitlines()
    kept = [line for line in lines if line.partition(":")[0] not in changed]
    return "\n".join([*kept, *(f"{name}: {value}" for name, value in changed.items())])


def test_the_sources_that_come_with_us() -> None:
    portals = ["polled-status", "portal-step", "portal-whole"]
    assert list(SOURCES) == ["ministry-flow", "one-stop", "personnel", *portals, "schedule"]


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_names_a_form_and_a_calendar_that_exist(name: str) -> None:
    source = SOURCES[name]

    assert source.form is None or read_form(FOLDER / source.form).facts
    assert source.cadence.calendar in read_calendars(ROOT / "processes" / "calendars")


@pytest.mark.parametrize("name", SOURCES)
def test_a_code_list_leads_to_actions_of_the_generic_procedure(name: str) -> None:
    (generic,) = read_procedures(ROOT / "processes" / "generic.yaml")

    assert [a for a in SOURCES[name].codes.statuses.values() if a not in generic.actions] == []


def test_judging_needs_order_rank_voids_and_whether_steps_are_told() -> None:
    assert orders(SOURCES)["one-stop"] == SourceOrder("sequence", 0, "own")
    assert orders(SOURCES)["portal-whole"] == SourceOrder("time", 20, "none", steps=False)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"precision": "day", "authority": "time"}, "coarse_times"),
        ({"speakers": "{}"}, "no_speaker"),
        ({"form": "a.form.yaml", "mapping": "a.mapping.yaml"}, "two_readers"),
        ({"live_from": "2026-01-01T00:00:00"}, "time_without_zone"),
        ({"voids": "all"}, "definition"),
        ({"colour": "red"}, "definition"),
    ],
)
def test_a_definition_may_not_contradict_itself(changed: dict[str, str], reason: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        parse_source(told(**changed).encode(), "desk.yaml")

    assert str(refused.value).startswith("desk.yaml:")
    assert reason in (refused.value.code, "definition")


def test_days_with_a_sequence_are_taken() -> None:
    assert parse_source(told(precision="day").encode(), "desk.yaml").precision == "day"


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(UnknownZone):
        parse_source(told(zone="Asia/Can_Tho").encode(), "desk.yaml")


def test_two_sources_of_one_name_are_refused(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(told(), encoding="utf-8")

    with pytest.raises(DefinitionError, match="defined twice"):
        read_sources(tmp_path)
