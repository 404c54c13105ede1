"""What the department's procedures do with acts that break a rule: refuse, note, or follow."""

from __future__ import annotations

from datetime import UTC

import pytest
import walks
from department import REVISIONS, local, rules_of, told, violations

from workflow.facts import Acted, Actor, Fact
from workflow.fold import fold

ON_TIME = (
    "2025-03-03T09:00 receive",
    "2025-03-04T09:00 assign",
    "2025-03-07T09:00 submit_for_approval",
    "2025-03-10T09:00 approve",
    "2025-03-11T09:00 sign",
    "2025-03-12T09:00 issue",
    "2025-03-12T10:00 make_ready",
)


def test_a_result_that_was_not_collected_yet_is_a_state_of_its_own() -> None:
    judged = told("land-transfer/2021", *ON_TIME)

    assert judged.dossier.state == "ready"
    assert judged.dossier.ready_at == local("2025-03-12T10:00").astimezone(UTC)
    assert judged.dossier.ended_at is None


def test_a_lost_assignment_leaves_no_returned_dossier_open() -> None:
    judged = told(
        "land-transfer/2021", ON_TIME[0], "2025-03-12T09:00 issue", "2025-03-12T10:00 return_result"
    )

    assert judged.dossier.state == "returned"
    assert "order/issue/received" in violations(judged)


def test_a_second_receipt_leads_no_dossier_back() -> None:
    judged = told("land-transfer/2021", *ON_TIME[:3], "2025-03-07T10:00 receive")

    assert judged.dossier.state == "approving"
    assert violations(judged) == ["order/receive/approving"]


def test_nothing_is_submitted_while_the_tax_notice_is_awaited() -> None:
    judged = told(
        "land-transfer/2021",
        *ON_TIME[:2],
        "2025-03-05T10:00 ask_tax to:tax-office",
        "2025-03-06T09:00 submit_for_approval",
    )

    assert judged.dossier.state == "appraising"
    assert violations(judged) == ["join/appraising/tax-notice"]


@pytest.mark.parametrize(
    ("held", "state", "found"),
    [
        ("2025-03-11T17:00", "appraising", ["join/appraising/opinions"]),
        ("2025-03-12T08:00", "concluding", []),
    ],
)
def test_an_agency_silent_for_five_working_days_has_agreed(held: str, state: str, found: list[str]) -> None:
    judged = told(
        "eia-appraisal/2022",
        *ON_TIME[:2],
        "2025-03-04T10:00 ask_opinion to:health",
        "2025-03-04T10:00 ask_opinion to:construction",
        "2025-03-06T10:00 receive_opinion to:health",
        f"{held} hold_council",
    )

    assert judged.dossier.state == state
    assert violations(judged) == found


@pytest.mark.parametrize(
    ("name", "data", "times", "rule"),
    [
        ("land-use-change/2021", "", 2, "extended-once"),
        ("first-complaint/2021", "", 2, "extended-once"),
        ("denunciation/2021", "complexity=plain", 1, "complex-case"),
        ("denunciation/2021", "complexity=complex", 2, "second-extension"),
        ("denunciation/2021", "complexity=especially_complex", 3, "extended-twice"),
    ],
)
def test_an_extension_too_many_is_refused_and_moves_nothing(
    name: str, data: str, times: int, rule: str
) -> None:
    extensions = [f"2025-03-1{day}T09:00 extend {data}" for day in range(times)]
    judged = told(name, f"2025-03-03T09:00 receive {data}", *extensions)

    assert judged.outcomes[-1].status == "refused"
    assert rule in violations(judged)
    # each that was taken moved two limits, the statutory and the committed one
    assert len(judged.dossier.extensions) == 2 * (times - 1)


@pytest.mark.parametrize(
    ("chosen", "found"), [("2025-04-02T16:00", ["window-over"]), ("2025-04-03T08:00", [])]
)
def test_others_may_apply_for_thirty_days_before_an_applicant_is_selected(
    chosen: str, found: list[str]
) -> None:
    name = "mineral-exploration/2021"
    judged = told(name, "2025-03-03T09:00 publish_notice", f"{chosen} select_applicant")

    deadlines = rules_of(name).clock.deadlines(judged.dossier, at=local(chosen))
    assert violations(judged) == found
    assert "statutory" not in [deadline.rule for deadline in deadlines]


def test_who_appraises_may_not_approve_or_sign() -> None:
    judged = told(
        "land-transfer/2021",
        *ON_TIME[:2],
        f"{ON_TIME[2]} by:cb-017",
        f"{ON_TIME[3]} by:cb-017",
        f"{ON_TIME[4]} by:cb-017",
    )

    assert violations(judged) == ["appraiser-may-not-approve", "appraiser-may-not-sign"]


def test_a_fourth_return_to_the_officer_is_noted() -> None:
    rounds = [
        f"2025-03-07T{hour:02}:{minute} {action}"
        for hour in (8, 9, 10, 14)
        for minute, action in (("00", "submit_for_approval"), ("30", "send_back"))
    ]
    judged = told("land-transfer/2021", *ON_TIME[:2], *rounds)

    assert violations(judged) == ["sent-back-at-most"]
    assert judged.dossier.state == "appraising"


def test_a_second_new_appointment_is_noted() -> None:
    judged = told(
        "land-transfer/2021", *ON_TIME[:2], "2025-03-10T09:00 apologise", "2025-03-11T09:00 apologise"
    )

    assert violations(judged) == ["apologised-once"]


def test_a_delay_told_in_time_is_not_told_late_by_a_second_apology() -> None:
    judged = told(
        "land-transfer/2021", *ON_TIME[:2], "2025-03-13T09:00 apologise", "2025-03-21T09:00 apologise"
    )

    assert violations(judged) == ["apologised-once"]
    assert judged.dossier.missed == ()


@pytest.mark.parametrize(
    ("name", "found"), [("land-transfer/2021", []), ("land-transfer/2025", ["with-form-05"])]
)
def test_to_stop_needs_its_form_since_there_is_one(name: str, found: list[str]) -> None:
    received = walks.act(REVISIONS[name], "receive", local("2025-08-04T09:00"), 1)
    without_paper = Acted(action="stop_processing", actor=Actor(id="cb-002", role="head"))
    stopped = Fact(
        walks.SUBJECT, "desk", "e002", local("2025-08-05T09:00").astimezone(UTC), without_paper, sequence=2
    )
    judged = fold(rules_of(name), walks.SUBJECT, [received, stopped])

    assert judged.dossier.ended_by == "stopped"
    assert violations(judged) == found


def test_harassment_feedback_is_not_answered_without_a_conclusion() -> None:
    judged = told(
        "harassment-feedback/2021",
        "2025-03-03T09:00 receive",
        "2025-03-03T10:00 assign",
        "2025-03-07T09:00 submit_for_approval",
        "2025-03-10T09:00 issue",
    )

    assert violations(judged) == ["concluded"]


@pytest.mark.parametrize(
    ("word", "status"), [("verified", "applied"), ("partly", "applied"), ("maybe", "refused")]
)
def test_a_conclusion_is_one_of_three(word: str, status: str) -> None:
    judged = told(
        "harassment-feedback/2021",
        "2025-03-03T09:00 receive",
        "2025-03-03T10:00 assign",
        f"2025-03-05T09:00 conclude conclusion={word}",
    )

    assert judged.outcomes[-1].status == status


def test_the_generic_procedure_takes_statuses_in_any_order_before_an_end() -> None:
    judged = told(
        "generic/1",
        "2025-03-03T09:00 process",
        "2025-03-04T09:00 request_supplement",
        "2025-03-05T09:00 request_payment",
        "2025-03-06T09:00 process",
        "2025-03-07T09:00 return_result",
    )

    assert violations(judged) == []
    assert judged.dossier.state == "returned"
    assert [taken.ended_at for taken in judged.dossier.pauses] == [local("2025-03-06T09:00").astimezone(UTC)]
