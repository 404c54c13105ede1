"""The laws of warnings on random procedures and histories: the short way is held against counting every date."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

from hypothesis import given, settings
from msgspec.structs import replace
from oracle.agreement import rules_of
from searching import examples
from strategies_clocks import clocked_case
from strategies_facts import SOURCES, START, SUBJECT, Case, drawn, sometimes_in_an_office
from strategies_procedures import chance

from workflow.alerts.causes import causes, warned_by
from workflow.alerts.lateness import FOLLOWED_BY
from workflow.alerts.life import Life
from workflow.alerts.office import AlertLimits, Office
from workflow.alerts.warnings import Steps, standing_over
from workflow.facts import Acted, Actor, Appointment, Fact
from workflow.fold import trail
from workflow.procedure.language import Binds, Limit, Names
from workflow.sources import Cadence, SourceDefinition, Speakers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from typing import TypeAlias

    from hypothesis import strategies as st

    from workflow.alerts.causes import Cause
    from workflow.facts import AppointmentCause
    from workflow.fold import Stage
    from workflow.messages import Alert
    from workflow.model import Dossier
    from workflow.rules import Rules

    Told: TypeAlias = tuple[str, str, datetime, datetime]

OFFICE = Office({}, None, {}, AlertLimits(at_risk_percent=60))
SEEDED = examples(600)
ROWS = ("benchmark", "committed")
"""The kinds of dates that a dossier's row keeps."""


def warned_case(rng: Random) -> Case:
    """One procedure with clocks that stop and phases with limits, and acts that tell slips too, some hours apart."""
    one, slowly = clocked_case(rng), rng.randint(1, 3)
    phases = {
        f"within/{name}": Limit(counts="hours", within=rng.randint(1, 12), binds=Binds(phase=name))
        for name in one.revision.phases
        if chance(rng, 60)
    }
    dated = one.revision if chance(rng, 60) else replace(one.revision, limits=dict(_redated(rng, one)))
    revision = replace(dated, limits={**dated.limits, **phases})
    body = Acted(action="receive", actor=Actor(id="an", role="clerk"))
    received = Fact(SUBJECT, "gate", "f", START - timedelta(hours=4), body)
    facts = [received, *(_slip(rng, _later(fact, slowly)) for fact in one.facts)]
    return sometimes_in_an_office(rng, one._replace(revision=revision, facts=facts))


def _later(fact: Fact, times: int) -> Fact:
    return replace(fact, occurred_at=START + (fact.occurred_at - START) * times)


def _redated(rng: Random, one: Case) -> Iterator[tuple[str, Limit]]:
    """Without a committed date, with a statutory one or none at all."""
    statutory = chance(rng, 50)
    for rule, limit in one.revision.limits.items():
        dates = statutory and limit.date == "committed"
        yield rule, replace(limit, date="statutory" if dates else "other")


def _slip(rng: Random, fact: Fact) -> Fact:
    if not isinstance(fact.body, Acted) or not chance(rng, 25):
        return fact
    printed = fact.occurred_at + timedelta(hours=rng.randint(1, 16))
    told: tuple[AppointmentCause, ...] = "first", "first", "correction", "apology"
    slip = Appointment(at=printed, cause=rng.choice(told))
    return replace(fact, body=replace(fact.body, appointment=slip))


def warned_cases() -> st.SearchStrategy[Case]:
    return drawn(warned_case)


def plainly(rules: Rules, dossier: Dossier, at: datetime) -> list[Cause]:
    """The warnings that are true by a moment, found by counting every date."""
    rules = rules.family[dossier.revision]
    dates = rules.clock.deadlines(dossier, at=at)
    every = causes(OFFICE, rules, dossier, dates, at)
    return [one for one in every if one.kind in FOLLOWED_BY and one.since <= at]


def shortly(rules: Rules, dossier: Dossier, at: datetime, but: Dossier | None = None) -> list[Cause]:
    return warned_by(OFFICE, rules.family[dossier.revision], dossier, at, but=but)


def told(found: list[Cause]) -> list[Told]:
    return sorted((one.kind, one.rule, one.since, one.due_at) for one in found)


def steps(one: Case) -> Iterator[tuple[Rules, Stage, Stage]]:
    """Each fact of a history, before it and after."""
    rules = rules_of(one.revision, one.sources)
    for before, after in pairwise(trail(rules, SUBJECT, one.facts)):
        yield rules, before, after


def unlike(one: Case) -> list[tuple[list[Told], list[Told]]]:
    """Where the short way to what is true of a dossier before and after each fact finds something else."""
    found = []
    for rules, before, after in steps(one):
        at = after.placed.at
        for dossier in (before.dossier, after.dossier):
            short, plain = told(shortly(rules, dossier, at)), told(plainly(rules, dossier, at))
            found += [(short, plain)] if short != plain else []
    return found


def ungoverned(one: Case) -> list[datetime]:
    """Moments at which alerts or rows would differ if they rested on every date and not on those that govern."""
    found = []
    for rules, _, after in steps(one):
        at, dossier = after.placed.at, after.dossier
        own = rules.family[dossier.revision]
        every, governing = own.clock.deadlines(dossier, at=at), own.clock.governing(dossier, at=at)
        same = causes(OFFICE, own, dossier, every, at) == causes(OFFICE, own, dossier, governing, at)
        kept = [[date for date in dates if date.kind in ROWS] for dates in (every, governing)]
        found += [] if same and kept[0] == kept[1] else [at]
    return found


def ended(one: Case) -> Iterator[tuple[list[Told], list[Told]]]:
    """The warnings each fact ended: as the steps find them, and by all dates before it and after."""
    for rules, stage, later in steps(one):
        fact, before = later.placed.fact, stage.dossier
        looked = Steps(OFFICE, later.placed.at)
        stepped = looked.follow(rules, before, (fact,))
        if stepped is not None:
            yield told([over.cause for over in looked.over]), told(plainly_ended(rules, before, stepped[0]))


def plainly_ended(rules: Rules, before: Dossier, after: Dossier) -> list[Cause]:
    assert after.last_key is not None
    at = after.last_key[0]
    if before.halted or before.last_key == after.last_key:
        return []
    left = [] if after.halted else plainly(rules, after, at)
    still = {(cause.kind, cause.rule, cause.due_at) for cause in left}
    true = [cause for cause in plainly(rules, before, at) if cause.since < min(at, cause.due_at)]
    return [cause for cause in true if (cause.kind, cause.rule, cause.due_at) not in still]


def late_looks(rng: Random, one: Case) -> Iterator[tuple[list[Alert], list[Alert]]]:
    """What is still said of a dossier of which something or nothing was said before: by looking at its new facts and
    at what was said, as long after as may be, and by looking at all its facts."""
    office = Office({name: _slow(rng, name) for name in SOURCES}, None, {}, AlertLimits(at_risk_percent=60))
    rules = rules_of(one.revision, one.sources)
    stages = list(trail(rules, SUBJECT, one.facts))
    cut = rng.randint(0, len(stages) - 1)
    before = stages[cut - 1].dossier if cut else rules.start(SUBJECT)
    facts = [stage.placed.fact for stage in stages[cut:]]
    begun = min(fact.occurred_at for fact in facts)
    for _ in range(3):
        now = rng.choice(facts).occurred_at + timedelta(hours=rng.randint(0, 120))
        plain = Steps(office, begun)
        if plain.follow(rules, before, facts) is None:
            continue
        lives = said_before(rng, standing_over(office, plain, {}, (), begun))
        look = Steps(office, now, lives.values())
        assert look.follow(rules, before, facts) is not None
        short, whole = (standing_over(office, one, lives, (), now) for one in (look, plain))
        yield short, whole


def said_before(rng: Random, over: list[Alert]) -> dict[str, Life]:
    """Some of the warnings that are over, as they were said before they were, or wait."""
    asked = [alert for alert in over if rng.random() < 0.4]
    begun = [replace(alert, ended_at=None, raise_at=None) for alert in asked]
    said = [Life(alert, rng.choice(("raised", "acknowledged", "resolved")), 1, START) for alert in begun]
    waiting = [Life(alert, "waiting", 0, START) for alert in asked if rng.random() < 0.3]
    return {life.alert.id: life for life in (*said, *waiting)}


def _slow(rng: Random, name: str) -> SourceDefinition:
    return SourceDefinition(
        source=name,
        name=Names(vi=name, en=name),
        zone="UTC",
        authority="time",
        precision="second",
        reports="steps",
        cadence=Cadence(working_minutes=30, calendar="none"),
        delay_minutes=rng.choice((0, 60, 2880)),
        speakers=Speakers(principals=(name,)),
        voids="own",
    )


def test_what_was_over_is_still_said_whether_or_not_its_older_facts_were_looked_at() -> None:
    said = 0
    for seed in range(SEEDED):
        rng = Random(seed)
        for short, whole in late_looks(rng, warned_case(rng)):
            assert short == whole
            said += len(whole)

    assert said > SEEDED // 4


@settings(max_examples=examples(150))
@given(warned_cases())
def test_the_warnings_of_a_dossier_are_those_found_by_counting_every_date(one: Case) -> None:
    assert unlike(one) == []


@settings(max_examples=examples(150))
@given(warned_cases())
def test_what_governs_tells_all_that_every_date_tells(one: Case) -> None:
    assert ungoverned(one) == []


@settings(max_examples=examples(150))
@given(warned_cases())
def test_the_warnings_a_fact_ended_are_those_that_were_true_before_it_and_not_after(one: Case) -> None:
    assert [pair for pair in ended(one) if pair[0] != pair[1]] == []


def test_both_hold_in_seeded_cases_that_end_many_warnings_and_leave_most_facts_alone() -> None:
    over = calm = 0
    for seed in range(SEEDED):
        one = warned_case(Random(seed))
        assert unlike(one) == []
        assert ungoverned(one) == []
        for found, expected in ended(one):
            assert found == expected
            over += len(found)
            calm += not found

    assert over > SEEDED // 4
    assert calm > SEEDED
