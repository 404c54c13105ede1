"""The risk table: what it counts, what it leans on, when a dossier crosses the threshold, and how it is tested."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from department import rules_of
from hypothesis import given
from hypothesis import strategies as st
from judging import APPROVE, NINE, RECEIVE, RETURN, act, judge

from workflow.catalogue import of_risk
from workflow.errors import UsageError
from workflow.facts import Appointment
from workflow.risk.backtest import backtest, trial
from workflow.risk.outlook import outlook
from workflow.risk.stays import Course, course
from workflow.risk.table import ALWAYS, PRIOR, Fitted, Moment, Risk, RiskTable, Stay, fit

FROM, TO = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 3, 1, tzinfo=UTC)
HOUR = 60
SUBJECTS = st.sampled_from(["a", "b", "c", "d", "e"])
NEEDED = st.integers(1, 3_000)
STAYS = st.lists(
    st.builds(
        Stay,
        SUBJECTS,
        st.sampled_from("pq"),
        st.sampled_from("st"),
        st.sampled_from(["", "u", "v"]),
        NEEDED,
        NEEDED,
    ),
    min_size=1,
    max_size=30,
)
MOMENTS = st.lists(
    st.builds(
        Moment,
        st.sampled_from("pq"),
        st.sampled_from("st"),
        st.sampled_from(["", "u"]),
        st.integers(0, 3_000),
        st.booleans(),
    ),
    max_size=600,
)
GROUP = st.tuples(st.sampled_from("pqr"), st.sampled_from("st"), st.sampled_from(["", "u", "w"]))


def fitted(
    stays: list[Stay], moments: list[Moment] | None = None, late: int = 1, dossiers: int = 10
) -> RiskTable:
    return fit(stays, moments or [], Fitted(dossiers, late, FROM, TO), revision="1")


def needing(hours: int, count: int, step: str = "check", unit: str = "") -> list[Stay]:
    """So many dossiers that needed so many hours at the beginning of a short stay in a step."""
    return [
        Stay(f"{unit}{step}{hours}-{n}", "p", step, unit, hours * HOUR, hours * HOUR - 30)
        for n in range(count)
    ]


def test_the_risk_is_the_share_that_needed_more_than_is_left() -> None:
    risk = Risk(fitted(needing(2, 5_000) + needing(10, 5_000)))

    assert risk.probability("p", "check", "", 11 * HOUR) == pytest.approx(0, abs=0.01)
    assert risk.probability("p", "check", "", 5 * HOUR) == pytest.approx(0.5, abs=0.01)
    assert risk.probability("p", "check", "", HOUR) == pytest.approx(1, abs=0.01)


def test_nothing_left_is_certain() -> None:
    assert Risk(fitted(needing(2, 5))).probability("p", "check", "", 0) == 1


def test_a_unit_seldom_seen_leans_on_its_step_and_a_step_on_its_procedure() -> None:
    """One slow dossier of a unit among many quick ones of others moves its risk by one part in PRIOR + 1."""
    risk = Risk(fitted(needing(2, 2_000, unit="quick") + needing(40, 1, unit="slow")))

    assert risk.probability("p", "check", "slow", 5 * HOUR) == pytest.approx(1 / (PRIOR + 1), abs=0.005)
    assert risk.probability("p", "check", "quick", 5 * HOUR) < 0.001 + 1 / 2_000
    assert risk.probability("p", "unheard of", "", 5 * HOUR) == risk.probability("p", "", "", 5 * HOUR)


def test_a_procedure_never_seen_has_the_risk_of_all() -> None:
    assert Risk(fitted(needing(2, 9), late=3, dossiers=12)).probability("other", "check", "", HOUR) == 0.25


def test_a_long_stay_is_looked_at_each_hour() -> None:
    """Ten hours in one step: in half of the moments less than five were needed."""
    stays = [Stay(f"{n}", "p", "check", "", 10 * HOUR, 0) for n in range(2_000)]

    assert Risk(fitted(stays)).probability("p", "check", "", 5 * HOUR) == pytest.approx(0.5, abs=0.06)


def test_where_officers_hurry_the_mark_is_taken_for_what_it_was_worth() -> None:
    """All needed ten hours, but those with less left hurried and only a tenth of them came late."""
    hurried = [Moment("p", "check", "", 5 * HOUR, n % 10 == 0) for n in range(1_000)]
    easy = [Moment("p", "check", "", 20 * HOUR, late=False) for _ in range(1_000)]
    risk = Risk(fitted(needing(10, 1_000), hurried + easy))

    assert risk.probability("p", "check", "", 5 * HOUR) == pytest.approx(0.1, abs=0.001)
    assert risk.probability("p", "check", "", 20 * HOUR) == pytest.approx(0, abs=0.001)


def test_marks_with_few_moments_are_joined_with_one_another_and_not_with_all_below() -> None:
    """Two hundred different marks of ten moments each, the higher half of them late."""
    stays = [Stay(f"{n}", "p", "check", "", n, n - 1) for n in range(1, 1_001)]
    moments = [Moment("p", "check", "", 5 * n, late=n <= 100) for n in range(1, 201) for _ in range(10)]
    risk = Risk(fitted(stays, moments, late=0))

    assert risk.probability("p", "check", "", 900) < 0.1
    assert risk.probability("p", "check", "", 100) > 0.9


@given(STAYS, MOMENTS, GROUP, st.integers(1, 4_000), st.integers(0, 4_000))
def test_less_time_left_never_lowers_the_risk(
    stays: list[Stay], moments: list[Moment], group: tuple[str, str, str], left: int, less: int
) -> None:
    risk = Risk(fitted(stays, moments))
    more, fewer = risk.probability(*group, left), risk.probability(*group, max(left - less, 0))

    assert 0 <= more <= fewer <= 1


@given(STAYS, MOMENTS, GROUP, st.integers(1, 99))
def test_the_threshold_is_reached_with_the_most_time_that_has_its_risk(
    stays: list[Stay], moments: list[Moment], group: tuple[str, str, str], percent: int
) -> None:
    """Against asking for every number of minutes there may be."""
    table = msgspec.structs.replace(fitted(stays, moments), threshold_percent=percent)
    risk = Risk(table)
    asked = [left for left in range(1, 3_100) if risk.probability(*group, left) >= percent / 100]
    found = risk.reached_with(*group)

    if found == ALWAYS:
        assert len(asked) == 3_099
    else:
        assert found == max(asked, default=None)


@given(STAYS, MOMENTS, st.randoms())
def test_the_order_of_what_is_fitted_to_changes_no_byte(
    stays: list[Stay], moments: list[Moment], random: object
) -> None:
    shuffled, asked = list(stays), list(moments)
    random.shuffle(shuffled)  # type: ignore[attr-defined] # hypothesis gives a random.Random
    random.shuffle(asked)  # type: ignore[attr-defined]
    table = fitted(stays, moments)

    assert msgspec.json.encode(table) == msgspec.json.encode(fitted(shuffled, asked))
    assert msgspec.json.decode(of_risk(table).content, type=RiskTable) == table


def test_what_is_said_and_what_came_stand_side_by_side() -> None:
    """Half of the moments at a risk of one half came late: the score is a quarter, and as good as the share alone."""
    risk = Risk(fitted(needing(2, 5_000) + needing(10, 5_000)))
    test = backtest(risk, [Moment("p", "check", "", 5 * HOUR, n % 2 == 0) for n in range(100)])
    (band,) = [one for one in test.bands if one.moments]

    assert (test.moments, test.late, band.moments, band.late) == (100, 50, 100, 50)
    assert band.expected == pytest.approx(50, abs=0.5)
    assert test.brier == pytest.approx(0.25, abs=0.001)
    assert test.skill == pytest.approx(0, abs=0.001)


def test_a_perfect_table_has_a_score_of_nothing() -> None:
    risk = Risk(fitted(needing(2, 5_000)))
    test = backtest(
        risk, [Moment("p", "check", "", 0, late=True), Moment("p", "check", "", 9_000, late=False)]
    )

    assert test.brier < 0.0001
    assert test.skill is not None
    assert test.skill > 0.999


def test_the_table_learns_from_what_was_over_and_is_tested_on_what_came_later() -> None:
    """A dossier that straddles the split teaches nothing and tests nothing."""
    day = timedelta(days=1)
    moment = Moment("p", "check", "", HOUR, late=True)

    def one(name: str, begun: datetime, met: datetime | None, *, late: bool = False) -> Course:
        stays = () if met is None else (Stay(name, "p", "check", "", HOUR, 0),)
        return Course(begun, met, late, stays, (moment,))

    courses = [
        one("before", TO - 5 * day, TO - day),
        one("straddles", TO - day, TO + day, late=True),
        one("later", TO + day, TO + 2 * day, late=True),
        one("overdue", TO + day, None, late=True),
        one("undecided", TO + day, None),
    ]
    table = trial(courses, TO, revision="1")

    assert (table.dossiers, table.late, table.since) == (1, 0, TO - day)
    assert table.test is not None
    assert (table.test.moments, table.test.undecided) == (2, 1)


def test_a_split_that_leaves_nothing_to_test_on_is_refused() -> None:
    with pytest.raises(UsageError, match="found 0 and 0; split at another date"):
        trial([], TO, revision="1")


def test_a_history_gives_its_stays_and_what_was_left_in_each() -> None:
    """Elapsed hours: received at nine with a slip for nineteen, approved at ten, returned at eleven."""
    slip = NINE + timedelta(hours=10)
    judged = judge(act("receive", 0, appointment=Appointment(at=slip)), APPROVE, RETURN)
    found = course(judged.rules, judged.dossier.subject, judged.facts, NINE + timedelta(days=3))

    assert found is not None
    assert (found.begun_at, found.met_at, found.late) == (NINE, NINE + timedelta(hours=2), False)
    assert [(stay.step, stay.needed_first, stay.needed_last) for stay in found.stays] == [
        ("checking", 120, 60),
        ("approved", 60, 0),
    ]
    assert [(moment.step, moment.left) for moment in found.moments] == [("checking", 600), ("approved", 540)]


def test_before_its_receipt_a_dossier_has_no_history() -> None:
    judged = judge(RECEIVE, APPROVE)

    assert course(judged.rules, judged.dossier.subject, judged.facts, NINE - timedelta(hours=1)) is None


def test_a_dossier_is_at_risk_from_when_so_much_is_left() -> None:
    """All needed four hours, so with a slip for nineteen o'clock it is at risk from just after fifteen."""
    slip = NINE + timedelta(hours=10)
    judged = judge(act("receive", 0, appointment=Appointment(at=slip)))
    stays = [Stay(f"{n}", "1.000003", "checking", "", 240, 239) for n in range(1_000)]

    at = Risk(fitted(stays, late=0)).at_risk_from(judged.rules, judged.dossier, slip, NINE)

    assert at == slip - timedelta(minutes=239)


def test_a_dossier_already_past_that_is_at_risk_from_its_step() -> None:
    judged = judge(RECEIVE)
    stays = [Stay(f"{n}", "1.000003", "checking", "", 6_000, 5_990) for n in range(1_000)]

    at = Risk(fitted(stays)).at_risk_from(judged.rules, judged.dossier, NINE + timedelta(hours=10), NINE)

    assert at == judged.dossier.since


def test_working_time_counts_back_over_nights_and_holidays() -> None:
    """Two working hours before Monday eight o'clock lie on Friday afternoon, in the calendar of Cần Thơ."""
    clock = rules_of("land-transfer/2021").clock
    monday = datetime(2025, 3, 10, 1, tzinfo=UTC)

    assert clock.before(monday, 120, monday, None) == datetime(2025, 3, 7, 9, tzinfo=UTC)
    assert clock.minutes(datetime(2025, 3, 7, 9, tzinfo=UTC), monday, monday, None) == 120


def test_an_open_dossier_is_looked_at_by_what_it_has_left() -> None:
    """Half of those seen needed two hours, half ten; at fourteen o'clock five are left until the slip's nineteen."""
    slip = NINE + timedelta(hours=10)
    judged = judge(act("receive", 0, appointment=Appointment(at=slip)))
    risk = Risk(
        fitted([Stay(f"{n}", "1.000003", "checking", "", 120 + n % 2 * 480, 110) for n in range(9_000)])
    )
    found = outlook(judged.rules, judged.dossier, risk, NINE + timedelta(hours=5))

    assert found is not None
    assert (found.subject, found.step, found.left, found.by, found.due_at) == (
        judged.dossier.subject,
        "checking",
        5 * HOUR,
        "benchmark",
        slip,
    )
    assert found.risk == risk.probability("1.000003", "checking", "", 5 * HOUR)
    assert found.at_risk_from == risk.at_risk_from(judged.rules, judged.dossier, slip, NINE)


def test_the_last_minute_is_a_risk_and_only_what_is_past_is_certain() -> None:
    slip = NINE + timedelta(hours=10)
    judged = judge(act("receive", 0, appointment=Appointment(at=slip)))
    risk = Risk(fitted([Stay(f"{n}", "1.000003", "checking", "", 1, 0) for n in range(9_000)], late=0))
    at_date = outlook(judged.rules, judged.dossier, risk, slip)
    past = outlook(judged.rules, judged.dossier, risk, slip + timedelta(microseconds=1))

    assert at_date is not None
    assert past is not None
    assert (at_date.risk < 1, past.risk, past.left) == (True, 1, 0)


def test_nothing_is_foretold_of_what_is_not_received_has_met_its_date_or_ended() -> None:
    risk, at = Risk(fitted(needing(2, 5))), NINE + timedelta(hours=99)
    for told in ([RECEIVE, APPROVE, RETURN], [APPROVE]):
        judged = judge(*told)
        assert outlook(judged.rules, judged.dossier, risk, at) is None


def test_a_table_tells_its_greatest_risk() -> None:
    moments = [Moment("p", "check", "", 60, late=n % 10 == 0) for n in range(1_000)]
    risk = Risk(fitted(needing(2, 500), moments, late=0))

    assert risk.greatest == max(risk.probability("p", "check", "", left) for left in range(1, 300))
    assert 0.09 < risk.greatest < 0.11
