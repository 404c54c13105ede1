"""Calendars: their revisions by announcement, the days of Cần Thơ, and what is refused."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import msgspec
import pytest
from clockmaking import CAN_THO, at, calendar, can_tho, wall

from workflow.clocks.calendar import Calendar, CalendarDefinition, alike_until, read_calendar, read_calendars
from workflow.errors import DefinitionError, UnknownZone
from workflow.yamltree import parse

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

APRIL_2024 = at("2024-04-12 00:00")
ONE_DAY = "[{date: 2024-07-03, kind: off, announced: 2024-06-01}]"


def works(day: str, known: datetime | None = None) -> bool:
    return can_tho().worktime(None, known).opening(date.fromisoformat(day)) is not None


@pytest.mark.parametrize(
    ("off", "made_up"),
    [
        ("2018-12-31", "2019-01-05"),
        ("2019-04-29", "2019-05-04"),
        ("2024-04-29", "2024-05-04"),
        ("2025-05-02", "2025-04-26"),
        ("2026-01-02", "2026-01-10"),
        ("2026-08-31", "2026-08-22"),
    ],
)
def test_swapped_days_of_can_tho(off: str, made_up: str) -> None:
    assert not works(off)
    assert works(made_up)


@pytest.mark.parametrize(
    ("first", "last", "before", "after"),
    [
        ("2021-02-10", "2021-02-16", "2021-02-09", "2021-02-17"),
        ("2026-02-14", "2026-02-22", "2026-02-13", "2026-02-23"),
        ("2020-01-23", "2020-01-29", "2020-01-22", "2020-01-30"),
    ],
)
def test_tet_is_off_from_its_first_day_to_its_last(first: str, last: str, before: str, after: str) -> None:
    work = can_tho().worktime(None, None)
    assert works(before)
    assert works(after)
    assert work.working_days_between(date.fromisoformat(before), date.fromisoformat(last)) == 0
    assert not works(first)


@pytest.mark.parametrize(
    ("year", "weekdays", "off", "made_up"),
    [
        (2018, 261, 11, 0),
        (2020, 262, 10, 0),
        (2021, 261, 11, 0),
        (2024, 262, 12, 1),
        (2025, 261, 12, 1),
        (2026, 261, 14, 2),
    ],
)
def test_working_days_of_a_year_are_its_weekdays_less_those_off_and_those_made_up(
    year: int, weekdays: int, off: int, made_up: int
) -> None:
    work = can_tho().worktime(None, None)
    counted = sum(
        work.opening(date.fromordinal(n)) is not None
        for n in range(date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal() + 1)
    )
    assert counted == weekdays - off + made_up


def test_culture_day_is_off_from_2026() -> None:
    assert works("2025-11-24")
    assert not works("2026-11-24")


def test_the_national_day_has_two_days_from_2021() -> None:
    assert works("2020-09-03")
    assert not works("2021-09-03")


def test_a_swap_is_known_from_the_day_it_was_announced() -> None:
    assert works("2024-04-29", at("2024-04-11 23:59"))
    assert not works("2024-05-04", at("2024-04-11 23:59"))
    assert not works("2024-04-29", APRIL_2024)
    assert works("2024-05-04", APRIL_2024)
    assert works("2026-01-02", at("2025-12-24 23:59"))
    assert not works("2026-01-02", at("2025-12-25 00:00"))


def test_a_day_of_no_known_announcement_is_known_always() -> None:
    assert not works("2025-01-01", at("2018-01-01 00:00"))


def test_no_moment_means_the_newest_revision() -> None:
    assert can_tho().known_at(None) is can_tho().revisions[-1]
    assert can_tho().known_at(at("2024-04-11 23:59")).announced is None


def test_the_later_announced_of_two_entries_for_a_date_counts() -> None:
    days = """[
      {date: 2024-07-03, kind: work, hours_of: mon, announced: 2024-06-20},
      {date: 2024-07-03, kind: off, announced: 2024-06-01},
      {date: 2024-07-06, kind: work, hours_of: tue, announced: 2024-06-01},
      {date: 2024-07-06, kind: off, unverified: true}]"""
    made = calendar(days)
    third, sixth = date(2024, 7, 3), date(2024, 7, 6)

    def known(day: date, moment: str) -> bool:
        return made.worktime(None, at(moment)).opening(day) is not None

    assert [known(third, m) for m in ("2024-05-31", "2024-06-01", "2024-06-20")] == [True, False, True]
    assert [known(sixth, m) for m in ("2024-05-31", "2024-06-01")] == [False, True]


def test_the_fingerprint_follows_the_content_and_not_the_spelling() -> None:
    days = [
        "{date: 2024-07-03, kind: off, unverified: true}",
        "{date: 2024-07-04, kind: off, unverified: true}",
    ]
    forth, back = calendar(f"[{', '.join(days)}]"), calendar(f"[{', '.join(reversed(days))}]")
    assert forth.known_at(None).fingerprint == back.known_at(None).fingerprint
    assert forth.known_at(None).fingerprint != calendar().known_at(None).fingerprint


def test_each_announcement_gives_a_revision_with_its_own_fingerprint() -> None:
    marks = [revision.fingerprint for revision in can_tho().revisions]
    assert len(set(marks)) == len(marks) == 3
    assert can_tho().known_at(None).label == f"vn-can-tho@2025-12-25#{marks[-1][:16]}"


def test_tables_are_built_once_for_each_revision_and_unit() -> None:
    made = calendar(ONE_DAY)
    assert made.worktime("nobody", None) is made.worktime(None, at("2024-06-01 00:00"))
    assert made.worktime(None, at("2024-05-31 23:59")) is not made.worktime(None, None)


@pytest.mark.parametrize(
    ("days", "message"),
    [
        ("[{date: 2025-01-01, kind: off, unverified: true}]", "day 2025-01-01 lies outside the cover"),
        ("[{date: 2024-01-01, kind: off}]", "expected either `announced` or `unverified: true`"),
        (
            "[{date: 2024-01-01, kind: off, unverified: true, announced: 2023-01-01}]",
            "expected either `announced`",
        ),
        ("[{date: 2024-01-06, kind: work, unverified: true}]", "expected `hours_of` for kind work"),
        ("[{date: 2024-01-01, kind: off, hours_of: mon, unverified: true}]", "none for kind off"),
        (
            "[{date: 2024-01-01, kind: off, unverified: true}, {date: 2024-01-01, kind: off, unverified: true}]",
            "two entries",
        ),
    ],
)
def test_an_unsound_day_is_refused_with_its_date(days: str, message: str) -> None:
    with pytest.raises(DefinitionError, match=message) as refused:
        calendar(days)
    assert refused.value.code == "unsound_calendar"


@pytest.mark.parametrize(
    "spells", ["11:00-07:00", "07:00-07:00", "07:00-11:00, 10:30-12:00", "13:00-17:00, 07:00-11:00"]
)
def test_spells_out_of_order_are_refused(spells: str) -> None:
    with pytest.raises(DefinitionError, match="hours default/mon: expected spells that end after they start"):
        calendar(week=f"{{mon: [{spells}]}}")


def test_a_time_that_no_clock_shows_is_refused_with_its_place() -> None:
    with pytest.raises(DefinitionError, match=r"test.yaml:4:\d+"):
        calendar(week="{mon: [07:00-25:00]}")


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(UnknownZone, match="calendar test: expected the IANA name of a time zone"):
        calendar(zone="Asia/Saigon2")


@pytest.mark.parametrize(
    "covers", ["{from: 2024-12-31, to: 2024-01-01}", "{from: 1024-01-01, to: 2024-01-01}"]
)
def test_a_cover_that_no_calendar_has_is_refused(covers: str, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(f"name: c\nzone: Europe/Rome\ncovers: {covers}\nhours: {{week: {{}}}}\n", "utf-8")
    with pytest.raises(DefinitionError, match="expected a first date before the last"):
        read_calendar(path)


def test_a_folder_gives_its_calendars_by_name_and_refuses_two_of_one(tmp_path: Path) -> None:
    assert list(read_calendars(CAN_THO.parent)) == ["vn-can-tho"]
    text = CAN_THO.read_text("utf-8")
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(DefinitionError, match=r"b\.yaml: calendar vn-can-tho is defined twice"):
        read_calendars(tmp_path)


def test_every_day_of_can_tho_names_its_instrument_and_whether_its_announcement_is_known() -> None:
    days = can_tho().definition.days
    assert all(day.instrument and day.name for day in days)
    assert {day.announced for day in days if day.announced} == {date(2024, 4, 12), date(2025, 12, 25)}


WINTER = """{week: {mon: [07:00-11:00, 13:00-17:00], sat: [07:00-11:00]}, later: [
  {from: 2024-07-01, week: {mon: [08:00-12:00]}, basis: {vi: Quyết định 1, en: Decision 1}},
  {from: 2024-09-02, week: {mon: [06:00-07:00]}}]}"""


def hours(told: str, days: str = "[]") -> Calendar:
    text = (
        f"name: test\nzone: Asia/Ho_Chi_Minh\ncovers: {{from: 2024-01-01, to: 2024-12-31}}\nhours: {told}\n"
    )
    return Calendar(parse(f"{text}days: {days}\n".encode(), "test.yaml", CalendarDefinition))


def test_hours_that_begin_on_a_day_hold_until_the_next_begin() -> None:
    swapped = "[{date: 2024-06-29, kind: work, hours_of: mon, unverified: true}, "
    swapped += "{date: 2024-07-02, kind: work, hours_of: mon, unverified: true}]"
    work = hours(WINTER, swapped).worktime(None, None)
    opened = {
        day: None if (at_ := work.opening(date.fromisoformat(day))) is None else wall(at_)[11:]
        for day in (
            "2024-06-24",
            "2024-06-29",
            "2024-07-01",
            "2024-07-02",
            "2024-07-06",
            "2024-08-26",
            "2024-09-02",
        )
    }

    assert opened == {
        "2024-06-24": "07:00",
        "2024-06-29": "07:00",
        "2024-07-01": "08:00",
        "2024-07-02": "08:00",
        "2024-07-06": None,
        "2024-08-26": "08:00",
        "2024-09-02": "06:00",
    }
    # The last hour of a Saturday morning and a whole Monday; then an hour, the swapped Saturday, two of the new hours.
    assert wall(work.add(at("2024-06-22 10:00"), 9 * 3_600_000_000)) == "2024-06-24 17:00"
    assert wall(work.add(at("2024-06-24 16:00"), 11 * 3_600_000_000)) == "2024-07-01 10:00"


def test_a_calendar_without_later_hours_keeps_its_fingerprint_and_differs_from_one_with_them_from_that_day() -> (
    None
):
    (first, *_), rest = WINTER.split(", later:"), WINTER
    before, after = hours(first + "}").definition, hours(rest).definition

    assert b"later" not in msgspec.json.encode(before)
    assert alike_until(before, before) is None
    # The last day worked by the hours of either, before the first that differs.
    assert alike_until(before, after) == at("2024-06-24 00:00")


@pytest.mark.parametrize("later", ["2024-01-01", "2025-01-01", "2024-07-01}, {week: {}, from: 2024-07-01"])
def test_later_hours_begin_within_the_cover_and_one_after_the_other(later: str) -> None:
    with pytest.raises(DefinitionError, match="each after those before, found 202"):
        hours("{week: {mon: [07:00-11:00]}, later: [{week: {}, from: " + later + "}]}")


def test_the_spells_of_later_hours_are_held_to_the_same_form() -> None:
    with pytest.raises(DefinitionError, match="default/mon: expected spells that end after they start"):
        hours("{week: {}, later: [{from: 2024-07-01, week: {mon: [11:00-07:00]}}]}")
