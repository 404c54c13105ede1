"""The budget of lateness: what is allowed, spent and left, what is coming, and what is said of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from department import told
from hypothesis import example, given
from hypothesis import strategies as st
from judging import NINE, act, judge

from workflow.cli.budgets import budget_row
from workflow.facts import Appointment
from workflow.figures.budget import (
    BANDS_MIN,
    MILLION,
    Budget,
    Counted,
    Released,
    Waiting,
    budgets,
    counted,
    of_dossiers,
    standing,
)
from workflow.figures.rates import Share
from workflow.risk.table import Cell, Risk, RiskTable

NOTHING = (0,) * (len(BANDS_MIN) + 1)
NUMBER = st.integers(0, 3_000)
YEAR = datetime(2024, 1, 1, tzinfo=UTC)
SLIP = NINE + timedelta(hours=10)


def of(released: int, late: int = 0, *, overdue: int = 0, waiting: int = 0, risk: float = 0) -> Budget:
    """A unit with so many released and so many more waiting, whose risks come to so many dossiers."""
    return Budget("a", released, late, overdue, overdue + waiting, round(risk * MILLION))


def table(late: int, dossiers: int, *cells: Cell) -> Risk:
    return Risk(
        RiskTable(
            risk="appointment",
            revision="1",
            since=YEAR,
            until=NINE,
            dossiers=dossiers,
            late=late,
            threshold_percent=20,
            cells=cells,
        )
    )


def test_one_in_a_hundred_may_be_late() -> None:
    found = of(950, 4, overdue=2, waiting=48)

    assert (found.all, found.allowed, found.spent, found.left) == (1_000, 10, 6, 4)


def test_of_sixty_dossiers_nothing_may_be_late_so_they_are_shown_in_counts() -> None:
    assert of(60, 3).state == "small"
    assert of(60, 3).allowed == 0


def test_the_rate_that_is_coming_adds_the_risks_of_what_is_in_hand() -> None:
    found = of(900, 5, waiting=100, risk=6)

    assert found.projected_ppm == 11_000
    assert found.state == "at_risk"


def test_a_budget_that_is_just_used_up_is_kept() -> None:
    assert of(1_000, 10).state == "kept"
    assert of(1_000, 11).state == "spent"


def test_an_open_dossier_past_its_date_is_spent_before_it_is_released() -> None:
    assert of(950, 6, overdue=5, waiting=45).state == "spent"


def test_what_can_still_be_saved_is_at_risk_and_not_spent() -> None:
    assert of(950, 10, waiting=50, risk=0.5).state == "at_risk"


@given(NUMBER, NUMBER, NUMBER, NUMBER, st.integers(0, 40_000_000))
def test_the_states_exclude_each_other_and_follow_from_whole_numbers(
    released: int, late: int, overdue: int, waiting: int, risk: int
) -> None:
    late = min(late, released)
    found = Budget("a", released, late, overdue, overdue + waiting, risk)
    certain, coming = 100 * (late + overdue), 100 * (late + overdue + risk / MILLION)

    match found.state:
        case "small":
            assert released + overdue + waiting < 100
        case "spent":
            assert certain > found.all
        case "at_risk":
            assert certain <= found.all < coming + 0.001
        case "kept":
            assert coming <= found.all + found.all * 0.0001


GROUPS = st.lists(
    st.builds(
        Waiting,
        st.sampled_from("ab"),
        st.sampled_from("pq"),
        st.sampled_from("st"),
        st.integers(0, 9),
        st.tuples(*(st.integers(0, 9) for _ in NOTHING)),
    ),
    max_size=8,
)


@given(
    st.lists(st.builds(Released, st.sampled_from("ab"), st.integers(5, 9), st.integers(0, 5)), max_size=4),
    GROUPS,
)
def test_the_whole_is_the_sum_of_its_units(released: list[Released], waiting: list[Waiting]) -> None:
    whole, *units = budgets(released, waiting, table(1, 10))

    for name in ("released", "late", "overdue", "expected", "risk_ppm"):
        assert getattr(whole, name) == sum(getattr(one, name) for one in units)
    assert [one.unit for one in units] == sorted(
        {one.unit for one in released} | {one.unit for one in waiting}
    )


def test_each_band_has_the_risk_of_its_middle() -> None:
    """All needed 90 minutes: below the first border of 60 they will be late, beyond the second of 120 they will not."""
    cell = Cell(procedure="p", dossiers=1_000_000, minutes=(90,))
    bands = (3, 0, 5, *NOTHING[3:])

    whole = budgets([], [Waiting("a", "p", "s", 2, bands)], table(0, 10, cell))[0]

    assert (whole.overdue, whole.expected) == (2, 10)
    assert whole.risk_ppm == pytest.approx(3 * MILLION, rel=0.001)


def test_without_a_table_no_risk_is_added() -> None:
    whole = budgets([], [Waiting("a", "p", "s", 0, (5, *NOTHING[1:]))], None)[0]

    assert (whole.expected, whole.risk_ppm) == (5, 0)


def test_dossiers_counted_one_by_one_come_to_the_same() -> None:
    some = [
        Counted("a", released=True, late=True, risk_ppm=0),
        Counted("a", released=True, late=False, risk_ppm=0),
        Counted("b", released=False, late=True, risk_ppm=0),
        Counted("b", released=False, late=False, risk_ppm=250_000),
    ]

    assert of_dossiers(some) == [
        Budget(None, 2, 1, 1, 2, 250_000),
        Budget("a", 2, 1, 0, 0, 0),
        Budget("b", 0, 0, 1, 2, 250_000),
    ]


def test_a_dossier_counts_by_its_slip() -> None:
    judged = judge(act("receive", 0, appointment=Appointment(at=SLIP)))
    risk = table(1, 4)

    found = counted(judged.rules, judged.dossier, risk, YEAR, NINE)
    later = counted(judged.rules, judged.dossier, risk, YEAR, SLIP + timedelta(hours=1))

    assert found == Counted("", released=False, late=False, risk_ppm=250_000)
    assert later == Counted("", released=False, late=True, risk_ppm=0)


@pytest.mark.parametrize(
    ("acts", "expected"),
    [
        ((), Counted("", released=False, late=True, risk_ppm=0)),
        (("2025-03-17T16:00 make_ready",), Counted("", released=True, late=False, risk_ppm=0)),
        (("2025-03-18T16:00 make_ready",), Counted("", released=True, late=True, risk_ppm=0)),
    ],
)
def test_what_was_issued_is_in_hand_until_it_is_ready(acts: tuple[str, ...], expected: Counted) -> None:
    judged = told(
        "land-transfer/2021",
        "2025-03-03T08:00 submit",
        "2025-03-03T09:00 receive slip:2025-03-17T17:00",
        "2025-03-11T09:00 issue",
        *acts,
    )
    since, at = (datetime(2025, month, 1, tzinfo=UTC) for month in (1, 4))

    found = counted(judged.rules, judged.dossier, table(1, 4), since, at)

    assert found is not None
    assert found._replace(unit="") == expected


def test_without_a_slip_a_dossier_is_no_part_of_the_budget() -> None:
    judged = judge(act("receive", 0))

    assert counted(judged.rules, judged.dossier, None, YEAR, NINE) is None


def test_each_unit_and_the_whole_are_told_apart() -> None:
    found = [Budget(None, 1_000, 11), Budget("a", 500, 0), Budget("b", 500, 11), Budget("", 500, 50)]
    alerts = standing(found, 2024, {"b": ("head@b",), "department": ("director@department",)}, "department")

    assert [(one.id, one.unit, one.to) for one in alerts] == [
        ("budget_spent/department/2024", None, ("director@department",)),
        ("budget_spent/b/2024", "b", ("head@b",)),
    ]


def test_an_alert_tells_its_sum() -> None:
    (alert,) = standing([of(900, 5, overdue=1, waiting=99, risk=6.5)], 2024, {}, "all")

    assert alert.kind == "budget_at_risk"
    assert [line.text.format(**line.values) for line in alert.sum] == [
        "900 released and 100 in hand: at most 1 % of them, 10, may be late",
        "5 were late and 1 are open past their appointment: 4 left",
        "the risks of the others come to 6.50 dossiers: 1.25 % as things go",
    ]


@given(st.integers(1, 400), st.integers(0, 400))
@example(32, 1)
def test_the_command_rounds_its_rates_as_all_others_are_rounded(released: int, late: int) -> None:
    late = min(late, released)
    row = budget_row(Budget("unit", released=released, late=late))
    assert row["rate"] == row["projected"] == Share(late, released).percent
