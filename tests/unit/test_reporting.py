"""On time, or on time only by a late report."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from workflow.alerts.office import Office
from workflow.alerts.reporting import reported_late_at
from workflow.facts import Acted, Fact
from workflow.fold import fold
from workflow.procedure.language import Action, Anchor, Binds, Counting, Limit, Move, Names, Revision, State
from workflow.rules import compile_rules
from workflow.sources import Cadence, SourceDefinition, Speakers

if TYPE_CHECKING:
    from workflow.facts import Body

START = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
NAMES = Names(vi="Mẫu", en="Sample")
GATE = SourceDefinition(
    source="gate",
    name=NAMES,
    zone="UTC",
    authority="time",
    precision="second",
    reports="steps",
    cadence=Cadence(working_minutes=30, calendar="none"),
    delay_minutes=120,
    speakers=Speakers(principals=("gate",)),
    voids="own",
)
RULES = compile_rules(
    Revision(
        procedure="p",
        revision="1",
        name=NAMES,
        figures="sample",
        zone="UTC",
        initial="new",
        states={"new": State(), "checking": State(), "returned": State(final=True)},
        actions={
            "receive": Action(moves=(Move(sources=("new",), to="checking"),), milestone="received"),
            "return_result": Action(
                moves=(Move(sources=("checking",), to="returned"),), milestone="returned"
            ),
        },
        counting={"hours": Counting(unit="elapsed_hours", reaching="in_time")},
        limits={
            "all": Limit(
                counts="hours",
                within=8,
                binds=Binds(end="any"),
                starts=Anchor(action="receive"),
                date="committed",
                headline=True,
            )
        },
    )
)


def fact(action: str, hour: float, recorded: float) -> Fact:
    body: Body = Acted(action=action, procedure="p")
    return Fact("D", "gate", action, START + hour * HOUR, body, recorded_at=START + recorded * HOUR)


def asked(ended: float, recorded: float, source: SourceDefinition = GATE) -> datetime | None:
    facts = [fact("receive", 0, 0), fact("return_result", ended, recorded)]
    judgment = fold(RULES, "D", facts)
    office = Office({"gate": source}, None, {})
    return reported_late_at(office, judgment.rules, judgment.dossier, facts, START + 99 * HOUR)


@pytest.mark.parametrize(("ended", "recorded"), [(7, 7.1), (7, 9.9), (7, 10), (9, 20)])
def test_a_result_told_in_time_or_late_itself_is_no_late_report(ended: float, recorded: float) -> None:
    assert asked(ended, recorded) is None


def test_a_result_in_time_that_was_told_after_date_and_delay_is_on_time_only_by_a_late_report() -> None:
    assert asked(7, 10.1) == START + 10.1 * HOUR


def test_before_its_source_went_live_nothing_is_said_of_it() -> None:
    assert asked(7, 10.1, replace(GATE, live_from=START + 8 * HOUR)) is None
