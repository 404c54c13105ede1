"""How complete feeds were, and the indices that can be computed from events."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from msgspec.structs import replace
from test_rates import DUE, MARCH, NOW, due, measured, on

from workflow.cli.indices import INDEX_LACKS, INDEX_NAMES, INDEX_RULES
from workflow.facts import Counted, Fact
from workflow.figures.completeness import Complete, complete, counts_of
from workflow.figures.indices import indices
from workflow.figures.portal import PortalDates
from workflow.figures.rates import Share, rates

DAY = date(2026, 3, 2)


def count(day: date, received: int) -> Counted:
    return Counted(day=day, received=received, released=0, open=0, codes_sha256="0" * 64)


def told(identifier: str, one: Counted, revision: int = 0) -> Fact:
    return Fact("desk", "desk", identifier, on(20), one, revision=revision)


def test_what_we_know_beyond_a_count_does_not_make_up_for_another_day() -> None:
    other = DAY + timedelta(days=1)
    counted = {DAY: count(DAY, 10), other: count(other, 10), date(2026, 4, 1): count(DAY, 99)}

    assert complete(counted, {DAY: 15, other: 8}, DAY, date(2026, 3, 31)) == Complete(18, 20, 2)


def test_without_a_count_nothing_is_known_of_completeness() -> None:
    assert complete({}, {DAY: 15}, DAY, DAY) == Complete(0, 0, 0)


def test_a_corrected_count_stands_for_the_first() -> None:
    facts = [told("1", count(DAY, 10)), told("1", count(DAY, 12), revision=1)]

    assert {day: one.received for day, one in counts_of({}, facts, NOW).items()} == {DAY: 12}


def test_open_and_overdue_is_divided_by_what_is_open() -> None:
    late, waiting = measured(released_at=None), measured(released_at=None, benchmark=due(on(9, 4)))
    (found,) = rates([measured(), late, waiting], [MARCH], now=NOW)

    assert found.overdue == Share(1, 2)


def test_opencps_cuts_its_per_cent_and_takes_what_has_no_date_for_on_time() -> None:
    undated = measured(benchmark=None, committed=())
    late = measured(released_at=on(25))
    (found,) = rates([measured(), undated, late], [MARCH], now=NOW)
    (nothing,) = rates([measured(released_at=None)], [MARCH], now=NOW)

    assert (found.opencps_on_time.numerator, found.opencps_on_time.denominator) == (2, 3)
    assert found.opencps_on_time.percent == "66"
    assert nothing.opencps_on_time.percent == "100"


def test_the_portals_share_is_of_all_received_or_in_hand() -> None:
    late = measured(portal=PortalDates(DUE, on(25)))
    fine = measured(portal=PortalDates(DUE, on(18)))
    waiting = measured(released_at=None, portal=PortalDates(on(9, 4), None))
    (found,) = rates([late, fine, waiting], [MARCH], now=NOW)

    assert found.portal_on_time == Share(2, 3)


def test_the_portals_share_leaves_out_what_it_does_not_count() -> None:
    feedback = measured(kind="feedback", portal=None)
    (found,) = rates([feedback, measured(portal=PortalDates(DUE, on(18)))], [MARCH], now=NOW)

    assert (found.portal_on_time, found.late_or_overdue) == (Share(1, 1), Share(0, 2))


def test_an_officers_unit_is_a_group_of_its_own() -> None:
    some = [replace(measured(), officer_unit=unit) for unit in ("b", "a", "b")]

    assert [
        (one.group, one.approved.denominator) for one in rates(some, [MARCH], "officer_unit", now=NOW)
    ] == [
        ("a", 1),
        ("b", 2),
    ]


def test_each_index_says_its_rule_and_what_it_lacks() -> None:
    some = [
        measured(portal=PortalDates(DUE, on(18))),
        measured(portal=PortalDates(DUE, on(25)), released_at=on(26)),
        measured(kind="feedback"),
        measured(kind="report", released_at=on(27)),
    ]
    found = {one.number: one for one in indices(some, MARCH, NOW)}

    assert (found["2.1"].value, found["2.1"].score) == (Share(1, 2), "10.00")
    assert found["2.2"].days == "20.00"
    assert found["5.2"].value == Share(1, 1)
    assert found["PAR"].value == Share(1, 2)
    unknown = ["1.4", "5.3", "5.4", "publicity", "online", "payment", "digitised", "satisfaction", "SIPAS"]
    assert [one.number for one in found.values() if one.value is None] == unknown
    assert INDEX_NAMES.keys() == INDEX_RULES.keys() == INDEX_LACKS.keys() == found.keys()


def test_indices_of_nothing_have_no_points() -> None:
    found = {one.number: one for one in indices([], MARCH, NOW)}

    assert (found["2.1"].score, found["2.2"].days) == (None, None)


def test_the_moment_asked_about_cuts_the_mean_time() -> None:
    found = {one.number: one for one in indices([measured()], MARCH, datetime(2026, 3, 10, tzinfo=UTC))}

    assert found["2.2"].days is None
