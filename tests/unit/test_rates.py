"""What each rate counts, and what it divides by."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from department import told
from judging import APPROVE, NINE, RECEIVE, RETURN, act, judge
from msgspec.structs import replace

from workflow.facts import Appointment
from workflow.figures.rates import By, Due, Measure, Period, Rates, Share, measure, months, rates, total

HOUR = timedelta(hours=1)
MARCH = Period("2026-03", datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
APRIL = Period("2026-04", MARCH.until, datetime(2026, 5, 1, tzinfo=UTC))
NOW = APRIL.until
DUE = datetime(2026, 3, 20, 10, tzinfo=UTC)


def on(day: int, month: int = 3) -> datetime:
    return datetime(2026, month, day, 9, tzinfo=UTC)


def due(at: datetime = DUE, met_at: datetime | None = None, *, reaching_is_late: bool = False) -> Due:
    return Due(at, reaching_is_late, met_at)


def measured(**changes: Any) -> Measure:
    """A dossier received on 2 March, released in time on the 18th, judged by a sample."""
    told_at: dict[str, Any] = {"received_at": on(2), "released_at": on(18), **changes}
    told_at.setdefault("issued_at", told_at["released_at"])
    met = due(met_at=told_at["released_at"])
    plain: dict[str, Any] = {
        "unit": "a",
        "procedure": "p",
        "approved": False,
        "observed": True,
        "followed": True,
    }
    return Measure(**{**plain, "benchmark": met, "committed": (met,), **told_at})


LATE = measured(released_at=on(25))
OPEN = measured(released_at=None)


def counted(*measures: Measure, period: Period = MARCH, now: datetime = NOW) -> Rates:
    (found,) = rates(measures, [period], now=now)
    return found


def test_late_is_divided_by_what_was_released_with_a_slip() -> None:
    without_slip = measured(benchmark=None)

    assert counted(measured(), LATE, without_slip, OPEN).late_appointment == Share(1, 2)


def test_the_committed_date_is_counted_beside_the_slip() -> None:
    kept_slip_only = measured(committed=(due(on(10), on(18)),))

    found = counted(measured(), kept_slip_only)

    assert (found.late_appointment, found.late_committed) == (Share(0, 2), Share(1, 2))


def test_of_several_committed_dates_one_that_was_missed_makes_it_late() -> None:
    phases = measured(committed=(due(on(10), on(9)), due(on(12), on(18))))

    assert counted(phases).late_committed == Share(1, 1)


def test_the_other_reading_adds_what_is_open_and_past_due() -> None:
    not_yet_due = measured(released_at=None, benchmark=due(on(20, 4)))
    received_later = measured(received_at=on(2, 4), released_at=None)

    found = counted(measured(), LATE, OPEN, not_yet_due, received_later)

    assert found.late_or_overdue == Share(2, 4)


def test_what_is_released_after_the_period_was_open_at_its_end() -> None:
    released_in_april = measured(released_at=on(3, 4))

    assert counted(released_in_april).late_appointment == Share(0, 0)
    assert counted(released_in_april).late_or_overdue == Share(1, 1)
    assert counted(released_in_april, period=APRIL).late_appointment == Share(1, 1)


def test_a_period_that_is_not_over_is_asked_about_now() -> None:
    assert counted(OPEN, now=on(19)).late_or_overdue == Share(0, 1)
    assert counted(OPEN, now=on(21)).late_or_overdue == Share(1, 1)


def test_what_was_released_before_the_period_is_no_part_of_it() -> None:
    assert rates([measured()], [APRIL], now=NOW) == []


def test_without_a_slip_the_committed_date_says_what_is_on_time() -> None:
    late = measured(released_at=on(25), benchmark=None)

    assert counted(late).late_or_overdue == Share(1, 1)
    assert counted(late).both == Share(0, 1)


def test_a_dossier_without_any_date_is_counted_apart() -> None:
    undated = measured(benchmark=None, committed=())

    found = counted(undated)

    assert (found.without_date, found.late_appointment, found.both) == (1, Share(), Share())
    assert found.followed == Share(1, 1)


def test_following_the_procedure_and_both_at_once_are_shares_of_what_was_released() -> None:
    strayed, late_and_strayed = replace(measured(), followed=False), replace(LATE, followed=False)

    found = counted(measured(), measured(), LATE, strayed, late_and_strayed, OPEN)

    assert (found.followed, found.both) == (Share(3, 5), Share(2, 5))


def test_a_dossier_whose_steps_are_not_told_says_nothing_of_following_the_procedure() -> None:
    found = counted(measured(), measured(observed=False))

    assert (found.followed, found.both, found.late_appointment) == (Share(1, 1), Share(1, 1), Share(0, 2))


def test_only_approved_revisions_count_as_approved() -> None:
    assert counted(measured(), measured(approved=True), OPEN).approved == Share(1, 3)


@pytest.mark.parametrize(
    ("numerator", "denominator", "percent"),
    [(1, 6, "16.67"), (0, 5, "0.00"), (5, 5, "100.00"), (1, 800, "0.13"), (1, 1600, "0.06"), (1, 8, "12.50")],
)
def test_per_cent_has_two_decimals_and_rounds_halves_up(
    numerator: int, denominator: int, percent: str
) -> None:
    assert Share(numerator, denominator).percent == percent


def test_of_no_dossiers_there_is_no_per_cent() -> None:
    assert Share(0, 0).percent is None


def test_reaching_the_date_is_late_only_where_the_limit_says_so() -> None:
    assert not due(met_at=DUE).late(NOW)
    assert due(met_at=DUE, reaching_is_late=True).late(NOW)


def test_groups_and_periods_come_in_their_order() -> None:
    other = [replace(one, unit="b") for one in (LATE, measured(released_at=on(2, 4)))]

    found = rates([*reversed(other), measured()], [MARCH, APRIL], "unit", now=NOW)

    assert [(one.group, one.period) for one in found] == [
        ("a", "2026-03"),
        ("b", "2026-03"),
        ("b", "2026-04"),
    ]


def test_months_are_those_of_the_zone_and_cut_to_what_was_asked() -> None:
    zone = ZoneInfo("Asia/Ho_Chi_Minh")

    found = months(datetime(2025, 12, 15, tzinfo=zone), datetime(2026, 2, 1, 0, 30, tzinfo=zone), zone)

    assert [(one.name, one.since.date(), one.until.date()) for one in found] == [
        ("2025-12", date(2025, 12, 15), date(2026, 1, 1)),
        ("2026-01", date(2026, 1, 1), date(2026, 2, 1)),
        ("2026-02", date(2026, 2, 1), date(2026, 2, 1)),
    ]


def test_the_sums_over_the_groups_are_those_of_all() -> None:
    seeded = random.Random(7)
    some = [_drawn(seeded) for _ in range(400)]
    whole = counted(*some)
    grouped: tuple[By, ...] = ("unit", "procedure")
    for by in grouped:
        assert replace(whole, group="") == total(rates(some, [MARCH], by, now=NOW), MARCH.name)


def _drawn(seeded: random.Random) -> Measure:
    released = seeded.choice([None, on(seeded.randint(3, 28)), on(seeded.randint(1, 28), 4)])
    return measured(
        unit=seeded.choice("abc"),
        procedure=seeded.choice("pq"),
        approved=seeded.random() < 0.5,
        followed=seeded.random() < 0.8,
        observed=seeded.random() < 0.9,
        released_at=released,
        benchmark=None if seeded.random() < 0.2 else due(on(seeded.randint(3, 28)), released),
    )


def test_an_act_refused_or_out_of_order_is_not_following_the_procedure() -> None:
    straight, broken = judge(RECEIVE, APPROVE, RETURN), judge(RECEIVE, RETURN)

    followed = [measure(one.rules, one.dossier, NINE + 99 * HOUR).followed for one in (straight, broken)]

    assert followed == [True, False]


def test_what_has_ended_is_released_when_it_ended() -> None:
    judged = judge(RECEIVE, APPROVE, RETURN)

    assert measure(judged.rules, judged.dossier, NINE + 99 * HOUR).released_at == NINE + 2 * HOUR
    assert measure(judged.rules, judged.dossier, NINE + HOUR).released_at is None


def test_a_sample_is_not_approved() -> None:
    judged = judge(RECEIVE)

    assert not measure(judged.rules, judged.dossier, NINE).approved


def test_the_slip_gives_the_benchmark() -> None:
    slip = NINE + HOUR
    judged = judge(act("receive", 0, appointment=Appointment(at=slip)), APPROVE, RETURN)

    assert measure(judged.rules, judged.dossier, NINE + 99 * HOUR).benchmark == Due(
        slip, reaching_is_late=False, met_at=NINE + 2 * HOUR
    )


def test_a_land_transfer_is_released_when_it_is_issued() -> None:
    """Ten working days from Monday 3 March 2025 end on the 17th; the citizen's coming later changes nothing."""
    judged = told(
        "land-transfer/2021",
        "2025-03-03T08:00 submit",
        "2025-03-03T09:00 receive",
        "2025-03-18T09:00 issue",
        "2025-03-25T09:00 return_result",
    )
    found = measure(judged.rules, judged.dossier, datetime(2025, 4, 1, tzinfo=UTC))

    assert found.released_at == datetime(2025, 3, 18, 2, tzinfo=UTC)
    assert [one.late(NOW) for one in found.committed] == [True]


WAITING = (
    "2025-03-03T08:00 submit",
    "2025-03-03T09:00 receive slip:2025-03-17T17:00",
    "2025-03-11T09:00 issue",
)
"""A land transfer issued in time, with a slip of 17 March."""
MONTHS = (Period("march", NINE.replace(2025, 3, 1), NINE.replace(2025, 4, 1)),)


def asked(*acts: str, at: datetime) -> Rates:
    """The rates of March 2025 of a land transfer, as of a moment."""
    judged = told("land-transfer/2021", *WAITING, *acts)
    (found,) = rates([measure(judged.rules, judged.dossier, at)], MONTHS, now=at)
    return found


def test_what_was_issued_and_never_made_ready_is_open_past_its_slip() -> None:
    late = asked(at=datetime(2025, 3, 28, tzinfo=UTC))
    assert (late.late_appointment, late.late_committed) == (Share(0, 0), Share(0, 1))
    assert (late.overdue, late.late_or_overdue) == (Share(1, 1), Share(1, 1))

    before = asked(at=datetime(2025, 3, 12, tzinfo=UTC))
    assert (before.late_appointment, before.overdue) == (Share(0, 0), Share(0, 1))


@pytest.mark.parametrize(
    ("last", "late"),
    [
        ("2025-03-17T17:00 make_ready", 0),
        ("2025-03-17T17:01 make_ready", 1),
        ("2025-03-20T09:00 return_result", 0),
    ],
)
def test_it_is_released_against_its_slip_once_it_is_ready_or_has_ended(last: str, late: int) -> None:
    found = asked(last, at=datetime(2025, 3, 28, tzinfo=UTC))

    assert (found.late_appointment, found.late_committed) == (Share(late, 1), Share(0, 1))
    assert found.overdue == Share(0, 0)


def test_made_ready_in_the_next_month_it_is_issued_in_one_and_released_in_the_other() -> None:
    judged = told("land-transfer/2021", *WAITING, "2025-04-02T09:00 make_ready")
    now = datetime(2025, 4, 28, tzinfo=UTC)
    april = Period("april", MONTHS[0].until, now)
    found = rates([measure(judged.rules, judged.dossier, now)], [*MONTHS, april], now=now)

    assert [one.late_appointment for one in found] == [Share(0, 0), Share(1, 1)]
    assert [one.late_committed for one in found] == [Share(0, 1), Share(0, 0)]
    assert [one.overdue for one in found] == [Share(1, 1), Share(0, 0)]
