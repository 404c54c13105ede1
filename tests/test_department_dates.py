"""Due dates of the department's procedures, counted by hand with the calendars of 2021, 2025 and 2026."""

from __future__ import annotations

import pytest
from department import due, local, rules_of, told, violations

RECEIVED = [
    ("land-allocation/2021", "2021-03-01T09:00 receive", "2021-03-29T17:00"),
    ("land-use-change/2021", "2021-03-01T09:00 receive", "2021-03-22T17:00"),
    ("first-registration/2021", "2021-03-01T09:00 receive", "2021-04-12T17:00"),
    # Tết 2021, 10 to 16 February
    ("certificate-from-developer/2021", "2021-02-01T09:00 receive", "2021-03-01T17:00"),
    # 21 April, 30 April, and 3 May in lieu of Saturday 1 May
    ("land-transfer/2021", "2021-04-20T10:00 receive", "2021-05-07T17:00"),
    # Tết 2026, 16 to 20 February
    ("land-transfer/2025", "2026-02-11T10:00 receive", "2026-03-04T17:00"),
    # Saturday 26 April 2025 made up for Friday 2 May
    ("attached-assets/2021", "2025-04-21T10:00 receive", "2025-05-14T17:00"),
    # Friday 2 January 2026 off, Saturday 10 January made up
    ("parcel-split-merge/2021", "2025-12-30T10:00 receive", "2026-01-21T17:00"),
    ("certificate-exchange/2021", "2021-03-01T09:00 receive", "2021-03-10T17:00"),
    # Saturday 22 August 2026 made up for Monday 31 August
    ("certificate-reissue-lost/2021", "2026-08-21T09:00 receive", "2026-09-08T17:00"),
    # within the day, from 15:00 on the next working day
    ("mortgage-registration/2021", "2025-03-03T14:59 receive", "2025-03-03T17:00"),
    ("mortgage-registration/2021", "2025-03-03T15:00 receive", "2025-03-04T17:00"),
    ("mortgage-registration/2021", "2025-03-07T15:00 receive", "2025-03-10T17:00"),
    ("environmental-change/2019", "2021-03-01T09:00 receive", "2021-03-15T17:00"),
    ("1.000943/2021", "2025-03-03T09:00 receive", "2025-03-10T17:00"),
    # calendar days; a last day on a rest day rolls
    ("1.010727/2022", "2025-03-03T09:00 receive permit_case=short", "2025-03-18"),
    ("1.010727/2022", "2025-03-03T09:00 receive permit_case=middle", "2025-03-24"),
    ("1.010727/2022", "2025-03-03T09:00 receive permit_case=full", "2025-04-02"),
    ("mineral-exploitation/2021", "2025-03-03T09:00 receive", "2025-06-02"),
    ("first-complaint/2021", "2025-03-03T09:00 receive area=ordinary", "2025-04-02"),
    ("first-complaint/2021", "2025-03-03T09:00 receive area=remote", "2025-04-17"),
    ("denunciation/2021", "2025-03-03T09:00 receive", "2025-04-02"),
    ("petition/2021", "2025-03-03T09:00 receive", "2025-03-13"),
    ("regulation-feedback/2021", "2025-03-03T09:00 receive", "2025-03-24"),
    ("harassment-feedback/2021", "2025-03-03T09:00 receive", "2025-03-24"),
]


@pytest.mark.parametrize(("name", "received", "expected"), RECEIVED)
def test_is_due_on_the_day_counted_by_hand(name: str, received: str, expected: str) -> None:
    judged = told(name, received)

    assert due(name, judged, "statutory", received.split(maxsplit=1)[0]) == local(expected)
    assert due(name, judged, "committed", received.split(maxsplit=1)[0]) == local(expected)


TAKEN = ("2025-03-03T09:00 receive", "2025-03-03T10:00 assign")
PHASES = [
    ("first-registration/2024", "registration", "2025-03-31T17:00", TAKEN[:1]),
    (
        "first-registration/2024",
        "certificate",
        "2025-03-25T17:00",
        (*TAKEN, "2025-03-18T09:00 submit_for_approval", "2025-03-20T09:00 approve"),
    ),
    ("eia-appraisal/2022", "appraisal", "2025-04-17", ("2025-03-03T09:00 receive group=i",)),
    ("eia-appraisal/2022", "appraisal", "2025-04-02", ("2025-03-03T09:00 receive group=ii",)),
    (
        "eia-appraisal/2022",
        "approval",
        "2025-06-23",
        (
            *TAKEN,
            "2025-03-20T09:00 hold_council",
            "2025-03-21T09:00 request_revision",
            "2025-06-02T09:00 receive_revision",
        ),
    ),
    ("groundwater-licence/2021", "check", "2025-03-17T17:00", ("2025-03-03T09:00 receive licence_case=new",)),
    (
        "groundwater-licence/2021",
        "check",
        "2025-03-04T17:00",
        ("2025-03-03T09:00 receive licence_case=extension",),
    ),
    (
        "groundwater-licence/2021",
        "appraisal",
        "2025-04-04T17:00",
        (*TAKEN, "2025-03-04T09:00 accept_dossier"),
    ),
    (
        "groundwater-licence/2021",
        "revised",
        "2025-05-08T17:00",
        (
            *TAKEN,
            "2025-03-04T09:00 accept_dossier",
            "2025-03-20T09:00 request_revision",
            "2025-04-10T09:00 receive_revision",
        ),
    ),
    ("hydromet-forecast-licence/2021", "check", "2025-03-05T17:00", TAKEN[:1]),
    (
        "hydromet-forecast-licence/2021",
        "appraisal",
        "2025-03-25T17:00",
        (*TAKEN, "2025-03-04T09:00 accept_dossier"),
    ),
    ("1.004237/2021", "check", "2025-03-10T17:00", TAKEN[:1]),
]


@pytest.mark.parametrize(("name", "phase", "expected", "acts"), PHASES)
def test_each_phase_has_a_clock_of_its_own(
    name: str, phase: str, expected: str, acts: tuple[str, ...]
) -> None:
    judged = told(name, *acts)

    assert due(name, judged, f"{phase}-statutory", acts[-1].split()[0]) == local(expected)
    assert due(name, judged, f"{phase}-committed", acts[-1].split()[0]) == local(expected)


@pytest.mark.parametrize(
    ("paid", "volume", "expected"),
    [
        ("2025-03-12T10:00", "normal", "2025-03-12T17:00"),
        ("2025-03-12T15:30", "normal", "2025-03-13T17:00"),
        ("2025-03-12T10:00", "large", "2025-03-19T17:00"),
    ],
)
def test_data_is_supplied_the_day_it_is_paid_unless_it_is_large(
    paid: str, volume: str, expected: str
) -> None:
    judged = told(
        "1.004237/2021",
        f"2025-03-03T09:00 receive volume={volume}",
        f"2025-03-03T10:00 assign volume={volume}",
        f"2025-03-05T10:00 submit_for_approval volume={volume}",
        f"2025-03-06T09:00 request_payment volume={volume} fee=350000",
        f"{paid} confirm_payment volume={volume}",
    )

    assert violations(judged) == []
    assert due("1.004237/2021", judged, "supply-statutory", paid) == local(expected)


def test_the_clock_of_an_exploration_licence_starts_at_the_slip_after_the_window() -> None:
    judged = told(
        "mineral-exploration/2021",
        "2025-01-20T09:00 publish_notice",
        "2025-02-24T09:00 select_applicant",
        "2025-03-03T09:00 receive",
    )

    # 55 days end on Sunday 27 April; the Saturday before it was made up for 2 May
    assert due("mineral-exploration/2021", judged, "statutory", "2025-03-03T09:00") == local("2025-04-28")


PAUSED = [
    # without the pause 17 March; 6, 7 and 10 March lie in it
    ("land-transfer/2021", "request_supplement", "receive_supplement", "2025-03-20T17:00"),
    ("land-transfer/2021", "request_payment", "confirm_payment", "2025-03-20T17:00"),
    ("certificate-reissue-lost/2021", "post_notice", "end_posting", "2025-03-20T17:00"),
    # without it 15 April, over 7 April
    ("first-registration/2021", "request_assessment", "receive_assessment", "2025-04-18T17:00"),
    ("first-registration/2021", "refer_breach", "close_breach", "2025-04-18T17:00"),
    # without it 31 March
    ("land-allocation/2021", "await_clearance", "finish_clearance", "2025-04-03T17:00"),
    # calendar days: without it 2 April
    ("1.010727/2022", "request_revision", "receive_revision", "2025-03-24"),
]


@pytest.mark.parametrize(("name", "begins", "ends", "expected"), PAUSED)
def test_a_pause_moves_the_date_by_its_days(name: str, begins: str, ends: str, expected: str) -> None:
    judged = told(
        name,
        "2025-03-03T09:00 receive",
        "2025-03-04T09:00 assign",
        f"2025-03-05T10:00 {begins}",
        f"2025-03-10T09:00 {ends}",
    )

    assert due(name, judged, "statutory", "2025-03-10T09:00") == local(expected)


def test_the_clock_runs_again_where_a_supplement_stays_out_beyond_its_cap() -> None:
    judged = told(
        "land-transfer/2021",
        "2025-03-03T09:00 receive",
        "2025-03-04T09:00 assign",
        "2025-03-05T10:00 request_supplement",
        "2025-05-05T09:00 receive_supplement",
    )

    # the cap ends on Friday 4 April: 22 working days, then over 7 April
    assert due("land-transfer/2021", judged, "statutory", "2025-05-05T09:00") == local("2025-04-17T17:00")
    assert "pause/supplement/cap" in violations(judged)


def test_a_second_request_for_a_supplement_stops_no_clock() -> None:
    judged = told(
        "land-transfer/2021",
        "2025-03-03T09:00 receive",
        "2025-03-04T09:00 assign",
        "2025-03-05T10:00 request_supplement",
        "2025-03-06T09:00 receive_supplement",
        "2025-03-07T10:00 request_supplement",
        "2025-03-12T09:00 receive_supplement",
    )

    assert due("land-transfer/2021", judged, "statutory", "2025-03-12T09:00") == local("2025-03-18T17:00")
    assert violations(judged) == ["pause/supplement/times"]


def test_the_wait_for_the_tax_notice_runs_beside_drafting_and_is_not_counted() -> None:
    judged = told(
        "land-transfer/2021",
        "2025-03-03T09:00 receive",
        "2025-03-04T09:00 assign",
        "2025-03-05T10:00 ask_tax to:tax-office",
        "2025-03-07T09:00 receive_tax_notice to:tax-office",
    )

    assert due("land-transfer/2021", judged, "statutory", "2025-03-07T09:00") == local("2025-03-19T17:00")


def test_a_pause_and_the_wait_for_ministries_count_once_where_they_overlap() -> None:
    judged = told(
        "mineral-exploration/2021",
        "2025-01-20T09:00 publish_notice",
        "2025-02-24T09:00 select_applicant",
        "2025-03-03T09:00 receive",
        "2025-03-04T09:00 assign",
        "2025-03-05T09:00 ask_opinion to:defence",
        "2025-03-06T09:00 ask_opinion to:culture",
        "2025-03-11T09:00 receive_opinion to:defence",
        "2025-03-12T09:00 receive_opinion to:culture",
    )

    # 27 April and the seven days from 5 to 12 March: Sunday 4 May, which rolls
    assert due("mineral-exploration/2021", judged, "statutory", "2025-03-12T09:00") == local("2025-05-05")


@pytest.mark.parametrize(
    ("name", "data", "times", "expected"),
    [
        ("land-use-change/2021", "", 1, "2025-04-15T17:00"),
        ("first-complaint/2021", "area=ordinary", 1, "2025-04-17"),
        # 60 days end on Friday 2 May, a day off
        ("first-complaint/2021", "area=remote", 1, "2025-05-05"),
        ("denunciation/2021", "complexity=complex", 1, "2025-05-05"),
        ("denunciation/2021", "complexity=especially_complex", 2, "2025-06-02"),
    ],
)
def test_an_extension_by_decision_moves_the_date(name: str, data: str, times: int, expected: str) -> None:
    extensions = [f"2025-03-1{day}T09:00 extend {data}" for day in range(times)]
    judged = told(name, f"2025-03-03T09:00 receive {data}", f"2025-03-04T09:00 assign {data}", *extensions)

    assert violations(judged) == []
    assert due(name, judged, "statutory", "2025-03-14T09:00") == local(expected)


@pytest.mark.parametrize(
    ("answered", "found"), [("2025-03-10T15:00", []), ("2025-03-10T15:01", ["acceptance"])]
)
def test_an_online_submission_is_answered_within_eight_working_hours(answered: str, found: list[str]) -> None:
    judged = told(
        "land-transfer/2021",
        "2025-03-07T15:00 submit submitted:2025-03-07T15:00",
        f"{answered} refuse_receipt",
    )

    assert judged.dossier.state == "not_accepted"
    assert violations(judged) == found


@pytest.mark.parametrize(
    ("answered", "found"),
    [
        ("2025-03-12T16:00", []),
        # ten calendar days from Monday 3 March end on Thursday the 13th
        ("2025-03-13T16:00", []),
        ("2025-03-14T08:00", ["acceptance"]),
    ],
)
def test_a_complaint_is_accepted_within_ten_days(answered: str, found: list[str]) -> None:
    judged = told(
        "first-complaint/2021", "2025-03-03T08:00 submit submitted:2025-03-03T08:00", f"{answered} receive"
    )

    assert violations(judged) == found


@pytest.mark.parametrize(
    ("at", "found"), [("2025-03-14T17:00", []), ("2025-03-17T07:00", ["apology-notice"])]
)
def test_a_delay_is_told_a_working_day_before_the_limit(at: str, found: list[str]) -> None:
    judged = told("land-transfer/2021", "2025-03-03T09:00 receive", f"{at} apologise")

    assert violations(judged) == found


def test_a_result_may_lie_ready_for_weeks_and_was_still_issued_in_time() -> None:
    judged = told(
        "land-transfer/2021",
        "2025-03-03T09:00 receive",
        "2025-03-04T09:00 assign",
        "2025-03-07T09:00 submit_for_approval",
        "2025-03-10T09:00 approve",
        "2025-03-11T09:00 sign",
        "2025-03-12T09:00 issue",
        "2025-03-12T10:00 make_ready",
        "2025-05-20T09:00 return_result",
    )

    deadlines = rules_of("land-transfer/2021").clock.deadlines(judged.dossier, at=local("2025-05-21T09:00"))
    assert violations(judged) == []
    assert {d.rule: d.late for d in deadlines} == {"committed": False, "statutory": False}
