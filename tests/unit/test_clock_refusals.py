"""What a clock refuses to compile or to count, each with its reason."""

from __future__ import annotations

import pytest
from clockmaking import at, calendar, can_tho, clock, dossier, due, limited, revision, total

from workflow.clocks.clock import compile_clock
from workflow.errors import CalendarRange, DefinitionError, UnknownZone
from workflow.layout import layout
from workflow.model import ExtensionTaken

CHOSEN_TOO_SMALL = """
registers: {g: {type: text}}
limits: {total: {within: {register: g, values: {a: 2}, otherwise: 0}, counts: days-included}}
"""


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("limits: {total: {within: 1, counts: weeks}}", "unknown counting weeks, expected one of days"),
        (
            "limits: {total: {within: 0, counts: days-included}}",
            "limit total: 0 days would end before the first",
        ),
        ("limits: {total: {within: 0, counts: dates-late}}", "expected at least 1"),
        ("limits: {total: {counts: days}}", "expected either `within` or `until`"),
        ("limits: {total: {within: 1, counts: given}}", "found given_date"),
        ("limits: {total: {until: day, counts: given}}", "limit total: unknown register day"),
        (
            "limits: {total: {within: 1, counts: {unit: working_days, reaching: late}}}",
            "expected `first_day`",
        ),
        (
            "limits: {total: {within: 1, counts: {unit: calendar_days, reaching: late, first_day: excluded}}}",
            "expected `rest_day`",
        ),
        (CHOSEN_TOO_SMALL, "limit total: 0 days"),
        ("pauses: {wait: {cap: {within: 0, counts: days-included}}}", "limit pause/wait: 0 days"),
    ],
)
def test_a_limit_that_cannot_be_counted_is_refused(body: str, message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        clock(body)


def test_a_number_cannot_be_counted_in_given_dates() -> None:
    with pytest.raises(DefinitionError, match="a number cannot be counted in given_date"):
        limited(1, "days").counting("given")


@pytest.mark.parametrize("counts", ["days", "hours", "days-cut"])
def test_working_time_needs_a_calendar(counts: str) -> None:
    with pytest.raises(DefinitionError, match="needs a calendar") as refused:
        limited(1, counts, bare=True)
    assert refused.value.code == "no_calendar"


def test_an_unknown_calendar_is_refused_with_the_known_ones() -> None:
    read = revision("", named="vn-hue")
    with pytest.raises(DefinitionError, match="unknown calendar vn-hue, expected one of vn-can-tho"):
        compile_clock(read, layout(read), {"vn-can-tho": can_tho()})


def test_a_calendar_of_another_zone_is_refused() -> None:
    with pytest.raises(
        DefinitionError, match="its zone is Asia/Ho_Chi_Minh, that of calendar test Europe/Rome"
    ):
        clock("", given=calendar(zone="Europe/Rome"))


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(UnknownZone, match="procedure p: expected the IANA name of a time zone"):
        clock("", zone="Asia/Nowhere", bare=True)


@pytest.mark.parametrize("counts", ["days", "hours", "days-cut", "dates"])
def test_a_receipt_before_the_calendar_is_refused_with_its_name(counts: str) -> None:
    with pytest.raises(CalendarRange, match="calendar vn-can-tho counts from 2018-01-01 to 2028-12-31"):
        total(1, counts, "2017-12-29 16:00")


def test_a_date_after_the_year_9999_is_refused() -> None:
    subject = dossier(at("9990-01-01 00:00"))
    made = limited(90_000, "dates-stay", bare=True)
    with pytest.raises(CalendarRange, match="beyond the year 9999"):
        due(made, subject)
    stretched = dossier(
        at("9990-01-01 00:00"), extensions=(ExtensionTaken("total", 1, at("9990-01-01 00:00")),)
    )
    with pytest.raises(CalendarRange, match="beyond the year 9999"):
        due(made, stretched)
