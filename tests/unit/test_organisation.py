"""The organisation file: what it answers, and what it is refused for."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from workflow.clocks.calendar import read_calendars
from workflow.errors import DefinitionError
from workflow.organisation import (
    focal_of,
    head_of,
    parents,
    read_organisation,
    rotator_of,
    sound,
    stands,
    units_of_kind,
)

PROCESSES = Path(__file__).resolve().parents[2] / "processes"
DEPARTMENT = read_organisation(PROCESSES / "organisation" / "can-tho.yaml")
IN_2021, LAST_DAY, AFTER = date(2021, 5, 20), date(2025, 6, 30), date(2025, 7, 1)
BRANCHES = (
    "Ninh Kiều",
    "Bình Thủy",
    "Cái Răng",
    "Ô Môn",
    "Thốt Nốt",
    "Phong Điền",
    "Cờ Đỏ",
    "Thới Lai",
    "Vĩnh Thạnh",
)
SMALL = """\
organisation: small
revision: "1"
name: {vi: Sở, en: Department}
calendar: vn-can-tho
kinds:
  department: {vi: Sở, en: Department}
  desk: {vi: Một cửa, en: Desk}
posts:
  director: {vi: Giám đốc, en: Director}
  lead: {vi: Phụ trách, en: Lead}
units:
  whole:
    name: {vi: Sở, en: Department}
    kind: department
    head: director
    focal: lead
  desk-one:
    name: {vi: Một cửa, en: Desk}
    kind: desk
    head: lead
    parent: whole
"""


def refused(old: str, new: str) -> DefinitionError:
    assert SMALL.count(old) == 1
    with pytest.raises(DefinitionError) as caught:
        sound(SMALL.replace(old, new).encode(), "small.yaml")
    return caught.value


def test_the_nine_branches_and_their_desks_stand_by_name() -> None:
    branches = units_of_kind(DEPARTMENT, "land-registration-branch", IN_2021)
    desks = units_of_kind(DEPARTMENT, "one-stop", IN_2021)

    assert [DEPARTMENT.units[b].name.vi for b in branches] == [f"Chi nhánh {name}" for name in BRANCHES]
    assert [parents(DEPARTMENT, desk)[0] for desk in desks[1:]] == list(branches)
    assert parents(DEPARTMENT, desks[0]) == ("can-tho-department",)


def test_the_branches_stand_until_the_districts_ended() -> None:
    assert len(units_of_kind(DEPARTMENT, "land-registration-branch", LAST_DAY)) == 9
    assert units_of_kind(DEPARTMENT, "land-registration-branch", AFTER) == ()
    assert units_of_kind(DEPARTMENT, "one-stop", AFTER) == ("one-stop-department",)


def test_each_kind_of_unit_that_settles_dossiers_is_there() -> None:
    for kind in DEPARTMENT.kinds:
        assert units_of_kind(DEPARTMENT, kind, IN_2021) != (), kind


def test_a_kind_that_is_not_declared_has_no_units() -> None:
    assert units_of_kind(DEPARTMENT, "ward", IN_2021) == ()


@pytest.mark.parametrize("unit", ["land-registration", "branch-o-mon", "one-stop-o-mon"])
def test_the_director_of_the_land_registration_office_moves_its_officers_and_the_branches(unit: str) -> None:
    assert rotator_of(DEPARTMENT, unit) == "land-registration-director"


@pytest.mark.parametrize("unit", ["inspectorate", "environment-protection", "can-tho-department"])
def test_elsewhere_the_head_who_appoints_moves_officers(unit: str) -> None:
    assert rotator_of(DEPARTMENT, unit) == "director"


def test_one_focal_officer_tracks_feedback_about_every_unit() -> None:
    assert {focal_of(DEPARTMENT, unit) for unit in DEPARTMENT.units} == {"focal-officer"}


def test_a_branch_has_its_own_head_and_belongs_to_the_office_and_the_department() -> None:
    assert head_of(DEPARTMENT, "branch-co-do") == "branch-director"
    assert parents(DEPARTMENT, "branch-co-do") == ("land-registration", "can-tho-department")


def test_hours_a_unit_names_are_in_the_calendar() -> None:
    calendar = read_calendars(PROCESSES / "calendars")[DEPARTMENT.calendar]
    named = {unit.hours for unit in DEPARTMENT.units.values() if unit.hours is not None}

    assert named <= set(calendar.definition.units)


def test_a_unit_may_stand_from_a_first_to_a_last_day() -> None:
    unit = sound(
        SMALL.replace(
            "parent: whole", "parent: whole\n    standing: {from: 2021-01-01, to: 2021-12-31}"
        ).encode(),
        "x",
    ).units["desk-one"]

    days = [date(2020, 12, 31), date(2021, 1, 1), date(2021, 12, 31), date(2022, 1, 1)]
    assert [stands(unit, day) for day in days] == [False, True, True, False]


def test_nobody_is_named_to_move_officers_where_no_unit_above_says_so() -> None:
    assert rotator_of(sound(SMALL.encode(), "small.yaml"), "desk-one") is None


@pytest.mark.parametrize(
    ("old", "new", "place", "says"),
    [
        ("parent: whole", "parent: hole", "small.yaml:21:5", "one of whole, desk-one, found hole"),
        ("kind: desk", "kind: desc", "small.yaml:19:5", "one of department, desk, found desc"),
        ("head: director", "head: boss", "small.yaml:15:5", "one of director, lead, found boss"),
        ("focal: lead", "focal: leed", "small.yaml:16:5", "one of director, lead, found leed"),
        ("parent: whole", "parent: whole\n    rotated_by: boss", "small.yaml:22:5", "found boss"),
        (
            "parent: whole",
            "parent: whole\n    standing: {from: 2022-01-01, to: 2021-01-01}",
            "small.yaml:22:5",
            "found 2022-01-01 to 2021-01-01",
        ),
    ],
)
def test_refuses_what_is_not_declared_with_its_place(old: str, new: str, place: str, says: str) -> None:
    message = str(refused(old, new))

    assert message.startswith(place)
    assert says in message


def test_refuses_units_that_belong_to_each_other_in_a_circle() -> None:
    error = refused("focal: lead", "focal: lead\n    parent: desk-one")

    assert error.code == "circle_of_units"
    assert str(error).startswith("small.yaml:17:5")
    assert "whole in desk-one in whole" in str(error)


def test_refuses_a_unit_that_is_not_there() -> None:
    with pytest.raises(
        DefinitionError, match="unknown unit ward-1, expected one of whole, desk-one"
    ) as caught:
        head_of(sound(SMALL.encode(), "small.yaml"), "ward-1")

    assert caught.value.code == "unknown_unit"


def test_refuses_two_organisations_in_one_file() -> None:
    with pytest.raises(DefinitionError, match="expected one YAML document, found 2"):
        sound(f"{SMALL}---\n{SMALL}".encode(), "two.yaml")
