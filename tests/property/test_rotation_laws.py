"""Rotation against a naive model of it, and its laws: order, repetition and two times do not matter."""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from oracle import naive_rotation as naive
from rotating import OFFICER, ROTATION, RULES, ZONE, concluded, deferred, exempted, void
from searching import examples

from workflow.facts import Fact, OfficerAppointed, OfficerMoved
from workflow.rotation.careers import career, holdings
from workflow.rotation.duties import Act, acted_after

FIRST = date(2021, 1, 1)
PLACES = [("certificate-issuer", "branch-o-mon"), ("receiver", "one-stop-o-mon"), ("clerk", "branch-o-mon")]
DAYS = st.integers(0, 40).map(lambda number: FIRST + timedelta(days=number))
PLACE = st.sampled_from(PLACES)


def appointments() -> st.SearchStrategy[naive.Event]:
    return st.builds(lambda day, place: (day, "appointed", *place), DAYS, PLACE)


def moves() -> st.SearchStrategy[naive.Event]:
    return st.builds(lambda day, old, new: (day, "moved", old, new), DAYS, PLACE, st.one_of(st.none(), PLACE))


EVENTS = st.lists(st.one_of(appointments(), moves()), max_size=7)


def body(event: naive.Event) -> OfficerAppointed | OfficerMoved:
    day, kind, *what = event
    if kind == "appointed":
        return OfficerAppointed(post=what[0], unit=what[1], starts_on=day)
    old, new = what
    return OfficerMoved(
        from_post=old[0],
        from_unit=old[1],
        left_on=day,
        to_post=None if new is None else new[0],
        to_unit=None if new is None else new[1],
    )


def facts_of(events: list[naive.Event]) -> list[Fact]:
    return [
        Fact(OFFICER, "personnel", str(number), datetime.combine(event[0], time(8), ZONE), body(event))
        for number, event in enumerate(events)
    ]


@given(EVENTS)
@settings(max_examples=examples(1500), deadline=None)
def test_posts_are_held_on_the_days_a_naive_model_says(events: list[naive.Event]) -> None:
    found = holdings(map(body, events))
    for place in PLACES:
        own = [one for one in found if (one.post, one.unit) == place]
        for number in range(-1, 43):
            day = FIRST + timedelta(days=number)
            expected = naive.held(events, place, day)
            assert [one.on(day) for one in own].count(True) == expected, (place, day, own)


@given(EVENTS, DAYS)
@settings(max_examples=examples(600), deadline=None)
def test_a_finding_asks_for_every_post_held_that_day_until_its_last_day(
    events: list[naive.Event], day: date
) -> None:
    told = [*facts_of(events), concluded(day.isoformat())]
    found = {
        (one.post, one.unit): one.left_on
        for one in ROTATION.duties(career({}, OFFICER, told))
        if one.kind == "finding" and one.post is not None
    }
    expected = {
        place: naive.last_day(events, place, day) for place in PLACES if naive.held(events, place, day)
    }
    assert found == expected


SPELLS = st.lists(
    st.tuples(st.integers(-60, 60), st.one_of(st.none(), st.integers(0, 90)), st.booleans()), max_size=5
)


@given(st.dates(date(2016, 1, 1), date(2022, 12, 31)), SPELLS)
@settings(max_examples=examples(400), deadline=None)
def test_a_term_ends_on_the_first_day_nothing_frees_from(
    since: date, spells: list[tuple[int, int | None, bool]]
) -> None:
    years = RULES.fields["land"].years
    around = naive.due_on(since, years, []) or since
    told: list[Fact] = []
    listed: list[tuple[date, date | None]] = []
    for number, (begin, length, counts) in enumerate(spells):
        first = around + timedelta(days=begin)
        last = None if length is None else first + timedelta(days=length)
        make = deferred if number % 2 else exempted
        reason = {} if counts else {"reason": "needed-here"}
        one = make(first.isoformat(), None if last is None else last.isoformat(), **reason)
        told.append(replace(one, id=f"spell-{number}"))
        if counts:
            listed.append((first, last))
    start: naive.Event = (since, "appointed", *PLACES[0])
    (duty,) = ROTATION.duties(career({}, OFFICER, [*facts_of([start]), *told]))
    expected = naive.due_on(since, years, listed)
    assert (duty.due_at and duty.due_at.astimezone(ZONE).date()) == expected


@given(st.lists(st.sampled_from(["verified", "partly", "not_verified"]), max_size=6))
@settings(max_examples=examples(200), deadline=None)
def test_a_move_rests_on_the_first_of_the_findings_that_stand_unreversed(findings: list[Any]) -> None:
    days = [FIRST + timedelta(days=number) for number in range(len(findings))]
    told = [concluded(day.isoformat(), one) for day, one in zip(days, findings, strict=True)]
    found = ROTATION.duties(career({}, OFFICER, told))
    place = naive.verified_since(findings, ("verified",))
    assert [one.opens_at.date() for one in found if one.opens_at] == ([] if place is None else [days[place]])


@given(EVENTS, st.integers(0, 2**32))
@settings(max_examples=examples(300), deadline=None)
def test_neither_order_nor_repetition_nor_a_void_in_advance_matters(
    events: list[naive.Event], seed: int
) -> None:
    rng = random.Random(seed)
    told = [*facts_of(events), concluded("2021-01-20"), deferred("2021-01-10", "2021-02-10")]
    told += [void(one, "2021-03-01") for one in rng.sample(told, rng.randint(0, 2))]
    shuffled = [*told, *rng.choices(told, k=3)]
    rng.shuffle(shuffled)
    first = ROTATION.duties(career({}, OFFICER, told))
    assert msgspec.json.encode(ROTATION.duties(career({}, OFFICER, shuffled))) == msgspec.json.encode(first)


@given(EVENTS)
@settings(max_examples=examples(300), deadline=None)
def test_what_is_voided_might_never_have_been_told(events: list[naive.Event]) -> None:
    told = facts_of(events)
    kept, gone = told[::2], told[1::2]
    voided = [*told, *(void(one, "2021-03-01") for one in gone)]
    assert ROTATION.duties(career({}, OFFICER, voided)) == ROTATION.duties(career({}, OFFICER, kept))


@given(EVENTS, DAYS, st.sampled_from(["officer", "desk", None]))
@settings(max_examples=examples(600), deadline=None)
def test_an_act_is_reported_where_a_post_it_fits_was_left_and_none_it_fits_is_held(
    events: list[naive.Event], day: date, role: str | None
) -> None:
    at = datetime.combine(day, time(10), ZONE)
    act = Act("H13-1", OFFICER, "approve", "branch-o-mon", role, at)
    found = acted_after(ROTATION, career({}, OFFICER, facts_of(events)), [act])
    roles: dict[str, tuple[str, ...]] = {name: post.roles for name, post in RULES.posts.items()}
    fitting = [
        place
        for place in PLACES
        if place[1] == "branch-o-mon" and (role is None or not roles.get(place[0]) or role in roles[place[0]])
    ]
    holds = any(naive.held(events, place, day) for place in fitting)
    left = any(last < day for place in fitting for last in naive.leavings(events, place))
    assert bool(found) == (left and not holds)
