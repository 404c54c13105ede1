"""Feedback: what is repeated, drawn out or over the level; and the 20 days, counted as the file says."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from department import local, rules_of, told
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from rotating import CALENDAR, ORGANISATION, at
from searching import examples

from workflow.facts import OfficerConcluded
from workflow.feedback import Petition, petition, standing
from workflow.rotation.findings import finding
from workflow.rules import compile_rules

if TYPE_CHECKING:
    from workflow.procedure.language import Revision

NAME = "regulation-feedback/2021"


def one(dossier: str, on: str, ended: str | None = None, **more: Any) -> Petition:
    plain = {"party": "p-1", "about": "rule-7", "unit": "can-tho-department"}
    return Petition(
        dossier=dossier,
        procedure="regulation-feedback",
        revision="2021",
        received_at=at(on),
        ended_at=None if ended is None else at(ended),
        **{**plain, **more},
    )


def said(*petitions: Petition, now: str = "2021-06-30") -> list[str]:
    return [f"{alert.kind}/{alert.rule}" for alert in standing(petitions, ORGANISATION, at(now))]


def test_the_second_of_one_party_on_one_subject_is_repeated() -> None:
    first, second = one("F-1", "2021-06-01"), one("F-2", "2021-06-10")
    assert said(second, first) == ["feedback_repeated/F-2"]
    (alert,) = standing([first, second], ORGANISATION, at("2021-06-30"))
    assert (alert.subject, alert.to) == ("matter/p-1/rule-7", ("focal-officer@can-tho-department",))
    assert alert.sum[0].values == {"dossier": "F-1"}


@pytest.mark.parametrize("other", [{"party": "p-2"}, {"about": "rule-8"}, {"party": None}, {"about": None}])
def test_another_party_or_subject_or_an_untold_one_is_no_repetition(other: dict[str, Any]) -> None:
    assert said(one("F-1", "2021-06-01"), one("F-2", "2021-06-10", **other)) == []


def test_what_its_source_says_is_repeated_is() -> None:
    assert said(one("F-1", "2021-06-01", told_repeated=True)) == ["feedback_repeated/F-1"]


def test_over_the_level_is_what_another_body_sent_on_or_its_source_calls_so() -> None:
    found = said(
        one("F-1", "2021-06-01", over_level=True, about="a"),
        one("F-2", "2021-06-01", forwarded_from="city-committee", about="b"),
        one("F-3", "2021-06-01", forwarded_from="branch-o-mon", about="c"),
    )
    assert found == ["feedback_over_level/F-1", "feedback_over_level/F-2"]


def test_a_matter_is_drawn_out_forty_days_after_its_first() -> None:
    lasting = one("F-1", "2021-05-01")
    assert said(lasting, now="2021-06-10") == []
    assert said(lasting, now="2021-06-10T09:01") == ["feedback_drawn_out/F-1"]
    answered = one("F-1", "2021-05-01", "2021-06-05")
    assert said(answered, now="2021-12-01") == []


def test_a_matter_that_comes_back_soon_goes_on_and_one_that_comes_back_late_begins_anew() -> None:
    first = one("F-1", "2021-05-01", "2021-05-15")
    assert "feedback_drawn_out/F-1" in said(first, one("F-2", "2021-06-20", "2021-07-01"), now="2021-07-02")
    assert said(first, one("F-2", "2021-06-30", "2021-07-10"), now="2021-07-12") == ["feedback_repeated/F-2"]


def test_an_unknown_unit_goes_to_the_focal_officer_of_the_whole() -> None:
    (alert,) = standing(
        [one("F-1", "2021-06-01", over_level=True, unit="elsewhere")], ORGANISATION, at("2021-06-30")
    )
    assert alert.to == ("focal-officer@can-tho-department",)


PETITIONS = st.lists(
    st.tuples(
        st.sampled_from(["p-1", "p-2", None]),
        st.sampled_from(["a", "b", None]),
        st.integers(0, 120),
        st.one_of(st.none(), st.integers(0, 60)),
    ),
    max_size=8,
)


@given(PETITIONS, st.integers(0, 300), st.randoms(use_true_random=False))
@settings(max_examples=examples(300), deadline=None)
def test_repetition_and_length_are_those_of_a_naive_look(drawn: list[Any], later: int, random: Any) -> None:
    found = [
        one(f"F-{number}", "2021-01-01", party=party, about=about)
        for number, (party, about, _, _) in enumerate(drawn)
    ]
    begin = at("2021-01-01")
    found = [
        replace(
            each,
            received_at=begin + timedelta(days=day),
            ended_at=None if length is None else begin + timedelta(days=day + length),
        )
        for each, (_, _, day, length) in zip(found, drawn, strict=True)
    ]
    now = begin + timedelta(days=later, hours=1)
    shuffled = random.sample(found, len(found))
    ids = {f"{alert.kind}/{alert.rule}" for alert in standing(shuffled, ORGANISATION, now)}

    def before(a: Petition, b: Petition) -> bool:
        return (a.received_at, a.dossier) < (b.received_at, b.dossier)

    def same(a: Petition, b: Petition) -> bool:
        return a.party is not None and a.about is not None and (a.party, a.about) == (b.party, b.about)

    repeated = {
        f"feedback_repeated/{b.dossier}" for b in found if any(same(a, b) and before(a, b) for a in found)
    }
    drawn_out = set()
    for each in found:
        if each.party is None or each.about is None:
            continue
        own = sorted((a for a in found if same(a, each)), key=lambda a: (a.received_at, a.dossier))
        place = own.index(each)
        if place and _soon(own[place - 1], each):
            continue  # not the first of a run
        run = [each]
        for following in own[place + 1 :]:
            if not _soon(run[-1], following):
                break
            run.append(following)
        end = now if any(a.ended_at is None for a in run) else max(a.ended_at for a in run if a.ended_at)
        if end > each.received_at + timedelta(days=40):
            drawn_out.add(f"feedback_drawn_out/{each.dossier}")
    assert ids == repeated | drawn_out


def _soon(before: Petition, following: Petition) -> bool:
    return before.ended_at is None or following.received_at - before.ended_at <= timedelta(days=40)


def test_a_dossier_of_feedback_says_who_and_about_what() -> None:
    judged = told(NAME, "2021-06-01T09:00 receive about=rule-7 forwarded_from=city-committee")
    facts = [replace(fact, body=replace(fact.body, party="p-1")) for fact in judged.facts]
    found = petition(rules_of(NAME), judged.dossier, facts)
    assert found is not None
    assert (found.party, found.about, found.forwarded_from) == ("p-1", "rule-7", "city-committee")
    other = told("petition/2021", "2021-06-01T09:00 receive")
    assert petition(rules_of("petition/2021"), other.dossier, other.facts) is None


def counted(revision: Revision) -> tuple[str, list[str]]:
    """The committed date of feedback received on 3 March 2025, and the texts of its sum."""
    rules = compile_rules(revision, {"vn-can-tho": CALENDAR})
    judged = told(NAME, "2025-03-03T09:00 receive").dossier
    found = next(
        date
        for date in rules.clock.deadlines(judged, at=local("2025-03-04"), explain=True)
        if date.kind == "committed"
    )
    return found.due_at.astimezone(local("2025-03-04").tzinfo).date().isoformat(), [
        line.text for line in found.sum
    ]


def test_twenty_days_count_as_the_file_says_and_the_sum_shows_it() -> None:
    revision = rules_of(NAME).revision
    due, lines = counted(revision)
    assert due == "2025-03-24"
    assert "{number} calendar days, the first day not counted" in lines
    working = {**revision.limits, "committed": replace(revision.limits["committed"], counts="working-days")}
    due, lines = counted(replace(revision, limits=working))
    assert due == "2025-03-31"
    assert "{number} working days, the first day not counted" in lines


@pytest.mark.parametrize("name", ["regulation-feedback/2021", "harassment-feedback/2021"])
def test_both_kinds_show_the_portals_marks_of_two_five_fifteen_and_two_working_days(name: str) -> None:
    limits = rules_of(name).revision.limits
    assert {key: limits[key].within for key in ("acceptance", "ask-more", "answer", "publish")} == {
        "acceptance": 2,
        "ask-more": 5,
        "answer": 15,
        "publish": 2,
    }
    assert {limits[key].counts for key in ("acceptance", "ask-more", "answer", "publish")} == {"working-days"}


CONDUCT = (
    "2025-03-03T09:00 receive officer=cb-7",
    "2025-03-03T10:00 assign",
    "2025-03-07T10:00 conclude conclusion={}",
    "2025-03-07T11:00 submit_for_approval",
    "2025-03-10T09:00 issue",
)


@pytest.mark.parametrize("conclusion", ["verified", "partly", "not_verified"])
def test_a_signed_conclusion_on_an_officer_is_a_finding(conclusion: str) -> None:
    judged = told("harassment-feedback/2021", *(line.format(conclusion) for line in CONDUCT))
    found = finding(judged.rules, judged.dossier)

    assert found is not None
    assert (found.subject, found.occurred_at) == ("cb-7", local("2025-03-10T09:00"))
    assert isinstance(found.body, OfficerConcluded)
    assert (found.body.finding, found.body.complaint) == (conclusion, judged.dossier.subject)


def test_what_is_not_signed_concluded_or_about_an_officer_is_no_finding() -> None:
    lines = [line.format("verified") for line in CONDUCT]
    for some in (lines[:-1], [lines[0].replace(" officer=cb-7", ""), *lines[1:]], [*lines[:2], *lines[3:]]):
        judged = told("harassment-feedback/2021", *some)
        assert finding(judged.rules, judged.dossier) is None
    about_a_rule = told(NAME, "2025-03-03T09:00 receive about=fee")
    assert finding(about_a_rule.rules, about_a_rule.dossier) is None
