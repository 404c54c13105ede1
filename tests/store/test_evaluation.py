"""Evaluations: which count, what is divided by what, and who may not key them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keeping import act as plain_act
from keeping import catalogue, moves, revision, source, tell, void
from rotating import ORGANISATION, at
from searching import examples

from workflow.facts import Actor, Rated
from workflow.figures.evaluation import (
    BANDS,
    CRITERIA,
    Rating,
    Returned,
    evaluate,
    keyed_by_handler,
    rating,
    returned,
)
from workflow.figures.rates import Period, Share
from workflow.fold import fold

if TYPE_CHECKING:
    from workflow.facts import Fact

YEAR = Period("2024", at("2024-01-01"), at("2025-01-01"))
ORDERS = catalogue(sources={"gate": source("gate")}).orders


def rated(hour: float, channel: Any = "tablet", scores: dict[str, int] | None = None, **more: Any) -> Fact:
    keyed = {name: more.pop(name) for name in ("keyed_by", "rated_on") if name in more}
    return tell(
        Rated(channel=channel, scores={"courtesy": 2} if scores is None else scores, **keyed), hour, **more
    )


def on_paper(hour: float, keyed_by: str) -> Fact:
    return rated(hour, "paper", keyed_by=keyed_by, rated_on=date(2024, 1, 2))


def act(action: str, hour: float, officer: str = "cb-1") -> Fact:
    return plain_act(action, hour, actor=Actor(id=officer, role="officer"))


def test_the_last_evaluation_that_stands_counts() -> None:
    first, second = rated(1), rated(2, "web", {"courtesy": 0})
    found = rating(ORDERS, [second, first])
    assert found is not None
    assert (found.channel, found.told) == ("web", 2)
    found = rating(ORDERS, [first, second, void(second, 3)])
    assert found is not None
    assert (found.channel, found.told) == ("tablet", 1)
    assert rating(ORDERS, [act("receive", 0)]) is None


def test_a_form_keyed_by_who_handled_the_dossier_is_marked_and_goes_to_the_head() -> None:
    told = [act("receive", 0, "cb-7"), act("approve", 1, "cb-8"), on_paper(4, "cb-8")]
    found = rating(ORDERS, told)
    assert found is not None
    assert found.handled
    alert = keyed_by_handler("H13-1", found, ORGANISATION)
    assert (alert.subject, alert.rule, alert.to) == ("cb-8", "H13-1", ("director@can-tho-department",))


@pytest.mark.parametrize("told", [[on_paper(4, "cb-9")], [rated(4)], [rated(4, keyed_by="cb-7")]])
def test_a_form_keyed_by_somebody_else_or_given_by_tablet_is_not(told: list[Fact]) -> None:
    found = rating(ORDERS, [act("receive", 0, "cb-7"), *told])
    assert found is not None
    assert not found.handled


def test_an_act_that_was_voided_handled_nothing() -> None:
    handled = act("approve", 1, "cb-8")
    found = rating(ORDERS, [handled, on_paper(4, "cb-8"), void(handled, 5)])
    assert found is not None
    assert not found.handled


@pytest.mark.parametrize(
    ("points", "band"),
    [
        (18, "excellent"),
        (15, "excellent"),
        (14, "good"),
        (12, "good"),
        (11, "fair"),
        (9, "fair"),
        (8, "weak"),
        (0, "weak"),
    ],
)
def test_nine_scores_are_called_by_their_sum(points: int, band: str) -> None:
    scores = {name: min(2, max(0, points - 2 * place)) for place, name in enumerate(CRITERIA)}
    assert sum(scores.values()) == points
    assert Rating("tablet", scores, at("2024-01-02")).band == band


def test_fewer_than_nine_scores_have_no_name() -> None:
    assert Rating("tablet", dict.fromkeys(CRITERIA[1:], 2), at("2024-01-02")).band is None


def one_of(*facts: Fact, unit: str | None = None, **more: Any) -> Returned | None:
    rules = catalogue(revision(**more), revision(procedure="generic", generic=True)).rules_for(facts)
    dossier = fold(rules, facts[0].subject, facts).dossier
    dossier.unit = unit
    return returned(rules, dossier, ORGANISATION, at("2024-01-03"))


LIFE = (act("receive", 0), act("approve", 2), act("return_result", 3))


def test_only_a_dossier_whose_result_was_returned_counts() -> None:
    assert one_of(*LIFE) is not None
    assert one_of(*LIFE[:2]) is None
    withdrawn: dict[str, Any] = {
        "actions": {
            "receive": moves("new", "checking", milestone="received"),
            "withdraw": moves("checking", "returned", milestone="withdrawn"),
        },
        "limits": {},
    }
    assert one_of(LIFE[0], act("withdraw", 2), **withdrawn) is None
    assert one_of(*LIFE, kind="feedback") is None


def test_a_desk_counts_for_the_unit_it_belongs_to() -> None:
    desk = one_of(*LIFE, unit="one-stop-o-mon")
    assert desk is not None
    assert (desk.desk, desk.unit) == ("one-stop-o-mon", "branch-o-mon")
    office = one_of(*LIFE, unit="inspectorate")
    assert office is not None
    assert (office.desk, office.unit) == ("", "inspectorate")


def test_what_was_returned_outside_the_period_does_not_count() -> None:
    found = [
        Returned(str(number), at(day), "", "")
        for number, day in enumerate(("2023-12-31", "2024-06-01", "2025-01-01"))
    ]
    (whole,) = evaluate(found, {}, YEAR)
    assert whole.evaluated == Share(0, 1)
    assert whole.points.percent is None


CHANNELS = st.sampled_from(["tablet", "paper", "web"])
SCORES = st.dictionaries(st.sampled_from([*CRITERIA, "parking"]), st.integers(0, 2), max_size=10)
RATINGS = st.one_of(
    st.none(), st.builds(Rating, CHANNELS, SCORES, st.just(at("2024-02-01")), st.none(), st.booleans())
)


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), RATINGS), max_size=12))
@settings(max_examples=examples(300), deadline=None)
def test_shares_are_those_of_a_straight_count(dossiers: list[tuple[str, Rating | None]]) -> None:
    found = [Returned(str(number), at("2024-03-01"), desk, "") for number, (desk, _) in enumerate(dossiers)]
    ratings = {str(number): one for number, (_, one) in enumerate(dossiers) if one is not None}
    groups = {one.group: one for one in evaluate(found, ratings, YEAR, "desk")}
    assert set(groups) == {desk for desk, _ in dossiers}
    for desk, one in groups.items():
        mine = [given for at_desk, given in dossiers if at_desk == desk]
        told = [given for given in mine if given is not None]
        scores = [score for given in told for score in given.scores.values()]
        paper = [given for given in told if given.channel == "paper"]
        assert one.evaluated == Share(len(told), len(mine))
        assert {name: share.numerator for name, share in one.channels.items()} == {
            name: sum(given.channel == name for given in told) for name in ("tablet", "paper", "web")
        }
        assert {share.denominator for share in one.channels.values()} == {len(mine)}
        assert one.points == Share(sum(scores), 2 * len(scores))
        assert one.content == Share(
            sum(min(given.scores.values()) > 0 for given in told if given.scores),
            sum(bool(given.scores) for given in told),
        )
        assert one.by_handler == Share(sum(given.handled for given in paper), len(paper))
        assert sum(one.bands.values()) == sum(set(CRITERIA) <= set(given.scores) for given in told)
        for name in CRITERIA:
            each = [given.scores[name] for given in told if name in given.scores]
            assert one.criteria[name] == Share(sum(each), 2 * len(each))


def test_the_bands_begin_where_they_are_remembered_to() -> None:
    assert [least for least, _ in BANDS] == [15, 12, 9, 0]
