"""Rotation: who must leave which post, why, by when, and what takes that back."""

from __future__ import annotations

from datetime import UTC

import pytest
from msgspec.structs import replace
from places import ROOT
from rotating import (
    BRANCH,
    CALENDAR,
    OFFICER,
    ORGANISATION,
    POST,
    ROTATION,
    RULES,
    appointed,
    at,
    concluded,
    day,
    deferred,
    duties,
    exempted,
    fact,
    moved,
    of_findings,
    of_terms,
    said,
    states,
    void,
)

from workflow.errors import DefinitionError, UnknownZone
from workflow.facts import OfficerAccount
from workflow.rotation.careers import Holding, career
from workflow.rotation.duties import Act, Rotation, acted_after
from workflow.rotation.postrules import RotationRules, sound

FILE = (ROOT / "processes" / "rotation" / "can-tho.yaml").read_text(encoding="utf-8")


def rotation(**prompt: object) -> Rotation:
    rules: RotationRules = replace(RULES, prompt=replace(RULES.prompt, **prompt))
    return Rotation(rules, ORGANISATION, CALENDAR)


# A verified finding.


def test_a_verified_finding_makes_a_move_due_to_the_director_of_the_land_registration_office() -> None:
    (duty,) = of_findings(appointed("2021-03-01"), concluded("2021-06-01"))
    assert (duty.post, duty.unit, duty.to) == (POST, BRANCH, "land-registration-director")
    # Tuesday 1 June and ten working days: Tuesday 15 June, at closing.
    assert duty.due_at == at("2021-06-15T17:00")
    assert duty.sample
    assert states(duty, "2021-05-31", "2021-06-01", "2021-06-15", "2021-06-16") == [
        "ahead",
        "due",
        "due",
        "overdue",
    ]


@pytest.mark.parametrize("finding", ["partly", "not_verified"])
def test_what_is_not_verified_never_appears(finding: str) -> None:
    assert of_findings(appointed("2021-03-01"), concluded("2021-06-01", finding)) == []


def test_partly_verified_counts_where_the_file_says_so() -> None:
    told = [appointed("2021-03-01"), concluded("2021-06-01", "partly")]
    found = duties(*told, rotation=rotation(findings=("verified", "partly")))
    assert [one.kind for one in found] == ["finding", "term"]


def test_the_move_is_done_on_the_last_day_in_the_post_and_late_after_the_date() -> None:
    told = [appointed("2021-03-01"), concluded("2021-06-01")]
    (in_time,) = of_findings(*told, moved("2021-06-15", (POST, "branch-o-mon")))
    assert states(in_time, "2021-06-15", "2021-06-16") == ["due", "done"]
    (late,) = of_findings(*told, moved("2021-07-01", (POST, "branch-o-mon")))
    assert states(late, "2021-06-16", "2021-07-02") == ["overdue", "done"]
    assert said(late)[-1] == "last day in the post: 2021-07-01"


def test_a_move_to_the_same_post_of_the_same_unit_is_none() -> None:
    told = [appointed("2021-03-01"), concluded("2021-06-01"), moved("2021-06-02", (POST, BRANCH))]
    (duty,) = of_findings(*told)
    assert duty.left_on is None


def test_a_voided_finding_leaves_no_duty() -> None:
    finding = concluded("2021-06-01")
    assert of_findings(appointed("2021-03-01"), finding, void(finding, "2021-06-05")) == []


def test_a_later_finding_on_the_same_complaint_takes_the_move_back() -> None:
    told = [appointed("2021-03-01"), concluded("2021-06-01"), concluded("2021-07-01", "not_verified")]
    assert of_findings(*told) == []
    assert len(of_findings(*told, valid_at=at("2021-06-30"))) == 1
    (again,) = of_findings(*told, concluded("2021-08-02"))
    assert again.opens_at == at("2021-08-02")


def test_a_second_authority_that_confirms_does_not_put_the_date_off() -> None:
    (duty,) = of_findings(appointed("2021-03-01"), concluded("2021-06-01"), concluded("2021-06-10"))
    assert duty.opens_at == at("2021-06-01")


def test_a_finding_is_due_only_from_when_it_was_known() -> None:
    told = [
        appointed("2021-03-01", recorded_at=at("2021-03-01")),
        concluded("2021-06-01", recorded_at=at("2021-06-20")),
    ]
    assert of_findings(*told, known_at=at("2021-06-19")) == []
    assert len(of_findings(*told, known_at=at("2021-06-20"))) == 1


def test_an_officer_of_whom_no_post_is_told_concerns_the_head_of_the_whole() -> None:
    (duty,) = of_findings(concluded("2021-06-01"))
    assert (duty.post, duty.unit, duty.to) == (None, None, "director")


def test_who_held_no_post_any_more_when_it_was_verified_has_none_to_leave() -> None:
    assert of_findings(appointed("2021-03-01"), moved("2021-05-01"), concluded("2021-06-01")) == []


def test_every_post_held_has_to_be_left() -> None:
    told = [
        appointed("2021-03-01"),
        appointed("2021-04-01", "receiver", "one-stop-ninh-kieu"),
        concluded("2021-06-01"),
    ]
    assert {(one.post, one.unit) for one in of_findings(*told)} == {
        (POST, BRANCH),
        ("receiver", "one-stop-ninh-kieu"),
    }


@pytest.mark.parametrize(
    ("post", "unit", "to"),
    [
        (POST, "land-registration", "land-registration-director"),
        ("receiver", "one-stop-o-mon", "land-registration-director"),
        ("branch-director", BRANCH, "land-registration-director"),
        ("land-registration-director", "land-registration", "director"),
        ("minerals-licence-officer", "minerals-water", "director"),
        (POST, "somewhere-else", "director"),
    ],
)
def test_goes_to_whoever_moves_the_officers_of_the_unit_but_never_to_the_officer(
    post: str, unit: str, to: str
) -> None:
    (duty,) = of_findings(appointed("2021-03-01", post, unit), concluded("2021-06-01"))
    assert duty.to == to


def test_where_nobody_is_named_it_goes_to_the_head_who_appoints() -> None:
    units = {name: replace(unit, rotated_by=None) for name, unit in ORGANISATION.units.items()}
    plain = Rotation(RULES, replace(ORGANISATION, units=units), CALENDAR)
    (duty,) = (
        one
        for one in duties(appointed("2021-03-01"), concluded("2021-06-01"), rotation=plain)
        if one.kind == "finding"
    )
    assert duty.to == "branch-director"


def test_only_those_it_goes_to_and_the_named_readers_may_read_it() -> None:
    (duty,) = of_findings(appointed("2021-03-01"), concluded("2021-06-01"))
    readers = [post for post in ORGANISATION.posts if ROTATION.may_read(duty, post)]
    assert readers == ["director", "land-registration-director", "chief-inspector"]


# The term of a post.


def test_a_term_ends_after_its_full_years_with_notice() -> None:
    (duty,) = of_terms(appointed("2021-03-01"))
    assert duty.due_at == at("2024-03-01T23:59:59.999999")
    assert states(duty, "2024-01-30", "2024-01-31", "2024-03-01", "2024-03-02") == [
        "ahead",
        "due",
        "due",
        "overdue",
    ]
    assert said(duty) == [f"in the post {POST} of {BRANCH}", "plus 3 full years in the field land"]


def test_a_term_begun_on_the_29th_of_february_ends_on_the_28th() -> None:
    (duty,) = of_terms(appointed("2024-02-29"))
    assert duty.due_at == at("2027-02-28T23:59:59.999999")


def test_a_post_that_does_not_rotate_has_no_term() -> None:
    assert of_terms(appointed("2021-03-01", "clerk")) == []


def test_who_leaves_before_notice_was_due_owes_nothing() -> None:
    assert of_terms(appointed("2021-03-01"), moved("2024-01-30")) == []
    assert len(of_terms(appointed("2021-03-01"), moved("2024-01-31"))) == 1


def test_an_appointment_to_the_post_that_is_held_does_not_start_the_term_again() -> None:
    (duty,) = of_terms(appointed("2021-03-01"), appointed("2022-03-01"))
    assert duty.rests_on == "2021-03-01"


def test_a_move_begins_a_term_the_day_after_unless_an_appointment_says_when() -> None:
    there = (POST, "branch-o-mon")
    told = [appointed("2021-03-01"), moved("2022-03-01", there)]
    assert [one.rests_on for one in of_terms(*told)] == ["2022-03-02"]
    later = appointed("2022-03-14", unit="branch-o-mon")
    assert [one.rests_on for one in of_terms(*told, later)] == ["2022-03-14"]


def test_an_exemption_frees_and_its_end_makes_the_move_due() -> None:
    (duty,) = of_terms(appointed("2021-03-01"), exempted("2023-09-01", "2025-02-28"))
    assert duty.due_at == at("2025-03-01T23:59:59.999999")
    assert states(duty, "2024-03-02", "2025-03-01", "2025-03-02") == ["exempt", "due", "overdue"]


def test_a_deferral_without_an_end_leaves_no_date() -> None:
    (duty,) = of_terms(appointed("2021-03-01"), deferred("2024-02-01"))
    assert duty.due_at is None
    assert states(duty, "2024-01-15", "2024-03-02") == ["ahead", "deferred"]


def test_deferrals_that_follow_each_other_add_up() -> None:
    told = [deferred("2024-02-01", "2024-04-30"), deferred("2024-05-01", "2024-07-31", "raising-child")]
    (duty,) = of_terms(appointed("2021-03-01"), *told)
    assert duty.due_at == at("2024-08-01T23:59:59.999999")


def test_a_deferral_that_ended_before_changes_nothing() -> None:
    (duty,) = of_terms(appointed("2021-03-01"), deferred("2022-02-01", "2022-04-30"))
    assert duty.due_at == at("2024-03-01T23:59:59.999999")


def test_a_reason_that_is_none_of_the_grounds_frees_from_nothing() -> None:
    (duty,) = of_terms(appointed("2021-03-01"), deferred("2024-02-01", reason="needed-here"))
    assert states(duty, "2024-03-02") == ["overdue"]
    assert (
        said(duty)[-1]
        == "needed-here from 2024-02-01 to … is none of the grounds listed: it frees from nothing"
    )


def test_the_only_post_of_its_speciality_is_proposed_by_its_head_and_decided_above() -> None:
    (duty,) = of_terms(appointed("2021-03-01", "minerals-licence-officer", "minerals-water"))
    assert (duty.proposed_by, duty.to) == ("minerals-water-head", "director")
    (elsewhere,) = of_terms(appointed("2021-03-01", "minerals-licence-officer", "environment-protection"))
    assert elsewhere.proposed_by is None


def test_who_is_deferred_for_a_verification_must_move_all_the_same_once_it_is_verified() -> None:
    told = [appointed("2018-06-01"), deferred("2021-05-01"), concluded("2021-06-01")]
    finding, term = duties(*told)
    assert states(finding, "2021-06-16") == ["overdue"]
    assert states(term, "2021-06-16") == ["deferred"]
    assert "under-verification from 2021-05-01 to … holds up the periodic rotation only" in said(finding)[-1]
    done, settled = duties(*told, moved("2021-06-10", (POST, "branch-o-mon"))), "2021-06-16"
    assert [ROTATION.state(one, at(settled)) for one in done if one.unit == BRANCH] == ["done"]


# Acts after the move.


def act(on: str, unit: str | None = BRANCH, role: str | None = "officer", officer: str = OFFICER) -> Act:
    return Act("H13-1", officer, "submit_for_approval", unit, role, at(on))


def acted(*acts: Act) -> list[str]:
    told = [appointed("2021-03-01"), moved("2021-06-10", ("receiver", BRANCH))]
    return [one.at.date().isoformat() for one in acted_after(ROTATION, career({}, OFFICER, told), acts)]


def test_an_act_in_the_old_post_after_its_last_day_is_reported() -> None:
    assert acted(act("2021-06-11"), act("2021-06-10"), act("2021-03-02")) == ["2021-06-11"]


def test_an_act_of_the_new_post_or_of_nobody_known_is_none() -> None:
    assert (
        acted(act("2021-06-11", role="desk"), act("2021-06-11", officer="cb-9"), act("2021-06-11", None))
        == []
    )


def test_an_act_that_tells_no_role_is_taken_for_that_of_the_post_held() -> None:
    assert acted(act("2021-06-11", role=None)) == []


def test_who_came_back_to_the_post_acts_in_it() -> None:
    told = [appointed("2021-03-01"), moved("2021-06-10"), appointed("2021-09-01")]
    found = acted_after(ROTATION, career({}, OFFICER, told), [act("2021-08-31"), act("2021-09-01")])
    assert [one.at for one in found] == [at("2021-08-31")]


# What an officer's facts say.


def test_a_post_is_known_to_have_been_left_though_nobody_told_since_when() -> None:
    told = career({}, OFFICER, [moved("2021-06-10", (None, "branch-o-mon"))])
    assert told.holdings == (
        Holding(POST, BRANCH, None, day("2021-06-10")),
        Holding(POST, "branch-o-mon", day("2021-06-11")),
    )


def test_accounts_that_were_closed_do_not_count() -> None:
    told = [
        fact(OfficerAccount(account="a"), "2021-01-04"),
        fact(OfficerAccount(account="b"), "2021-01-05", id="b"),
    ]
    closed = fact(OfficerAccount(account="a", active=False), "2021-02-01")
    assert career({}, OFFICER, [*told, closed]).accounts == ("b",)


# The file.


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            '    years: 3\n    figures: sample\n    basis: {vi: "Luật',
            '    years: 6\n    figures: sample\n    basis: {vi: "Luật',
            "5",
        ),
        ("    field: one-stop", "    field: kitchen", "kitchen"),
        ("single_in: [minerals-water]", "single_in: [salt-mines]", "salt-mines"),
        ("readers: [director, chief-inspector]", "readers: [everybody]", "everybody"),
        ("findings: [verified]", "findings: [not_verified]", "not_verified"),
    ],
)
def test_a_file_that_contradicts_itself_or_the_law_is_refused_at_its_place(
    old: str, new: str, said: str
) -> None:
    assert FILE.count(old) == 1
    changed = FILE.replace(old, new)
    with pytest.raises(DefinitionError, match=r"rotation\.yaml:\d+:\d+") as caught:
        sound(changed.encode(), "rotation.yaml", ORGANISATION)
    assert said in str(caught.value)


def test_a_zone_nobody_knows_is_refused() -> None:
    with pytest.raises(UnknownZone, match=r"rotation\.yaml:7:"):
        sound(FILE.replace("Asia/Ho_Chi_Minh", "Asia/Atlantis").encode(), "rotation.yaml")


def test_one_file_holds_one_set_of_rules() -> None:
    with pytest.raises(DefinitionError, match="found 2"):
        sound(f"{FILE}\n---\n{FILE}".encode(), "rotation.yaml")


def test_a_file_that_counts_working_days_needs_its_calendar() -> None:
    with pytest.raises(DefinitionError, match="needs a calendar"):
        Rotation(RULES, ORGANISATION)


def test_calendar_days_count_through_the_weekend_and_the_choice_is_shown() -> None:
    counts = replace(RULES.prompt.counts, unit="calendar_days", rest_day="stays")
    told = [appointed("2021-03-01"), concluded("2021-06-01")]
    duty = duties(*told, rotation=rotation(counts=counts))[0]
    assert duty.due_at == at("2021-06-11T23:59:59.999999")
    assert said(duty)[1] == "10 calendar days, the first day not counted"


def test_the_days_of_a_career_are_those_of_the_file_zone() -> None:
    told = [appointed("2021-03-01"), moved("2021-06-01", (POST, "branch-o-mon"))]
    early = replace(concluded("2021-06-01"), occurred_at=at("2021-06-02T00:30"))
    assert early.occurred_at.astimezone(UTC).date() == day("2021-06-01")
    assert [one.unit for one in of_findings(*told, early)] == ["branch-o-mon"]
