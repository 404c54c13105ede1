"""What was planted in a made-up stream is found again by judging it; the stream follows from its seed alone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from datetime import date
from functools import cache
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

import msgspec
import pytest

from consumers.codec import RawRecord, decode
from workflow.catalogue import load
from workflow.choosing import choose
from workflow.clocks.calendar import read_calendars
from workflow.facts import Acted, Fact
from workflow.fold import Judgment, fold
from workflow.procedure.reader import read_procedures
from workflow.rules import Rules, compile_family
from workflow.simulation.arrivals import arrivals
from workflow.simulation.department import Truth, department, dossiers
from workflow.simulation.volumes import Rates
from workflow.sources import orders, read_sources

if TYPE_CHECKING:
    from workflow.model import Outcome
    from workflow.simulation.damage import Planted

PROCESSES: Final = Path(__file__).resolve().parents[3] / "processes"
slow: Final = pytest.mark.slow  # a made-up stream of some size, judged whole
COMMAND: Final = Path(sys.executable).with_name("dunghen")
KINDS: Final = (
    "duplicate",
    "late_report",
    "out_of_order",
    "void",
    "revised",
    "revision",
    "lost",
    "after_lost",
    "illegal",
    "skew",
    "slip",
)


def made(folder: Path, *options: str, **environ: str) -> tuple[bytes, bytes]:
    """The stream and the truth the command writes."""
    out, truth = folder / "stream.jsonl", folder / "truth.jsonl"
    arguments = ["simulate", "--out", str(out), "--truth", str(truth), *options]
    subprocess.run([COMMAND, *arguments], check=True, capture_output=True, env={**os.environ, **environ})
    return out.read_bytes(), truth.read_bytes()


@cache
def families() -> dict[str, dict[str, Rules]]:
    calendars = read_calendars(PROCESSES / "calendars")
    sources = orders(read_sources(PROCESSES / "sources"))
    found: dict[str, list[object]] = {}
    for revision in read_procedures(PROCESSES / "can-tho"):
        found.setdefault(revision.procedure, []).append(revision)
    return {code: compile_family(family, calendars, sources) for code, family in found.items()}  # type: ignore[arg-type]


class Stream:
    """A stream, its truth, and the judgments of its dossiers."""

    def __init__(self, stream: bytes, truth: bytes) -> None:
        self.facts: dict[str, list[Fact]] = {}
        for line in stream.splitlines():
            fact = decode(RawRecord(line))
            self.facts.setdefault(fact.subject, []).append(fact)
        self.truths = [msgspec.json.decode(line, type=Truth) for line in truth.splitlines()]
        self.judged = {truth.dossier: self._judge(truth) for truth in self.truths}

    def _judge(self, truth: Truth) -> Judgment:
        facts = self.facts[truth.dossier]
        return fold(choose(families()[truth.procedure], facts), truth.dossier, facts)

    def planted(self, kind: str) -> list[tuple[Truth, Planted]]:
        return [(t, p) for t in self.truths for p in t.planted if p.kind == kind]

    def outcome(self, truth: Truth, planted: Planted) -> Outcome:
        judged = self.judged[truth.dossier]
        pairs = zip(judged.facts, judged.outcomes, strict=True)
        return next(o for f, o in pairs if (f.id, f.revision) == (planted.event, planted.revision))


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Stream:
    return Stream(*made(tmp_path_factory.mktemp("simulated"), "--seed", "7", "--dossiers", "1500"))


@slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_damage_is_planted(stream: Stream, kind: str) -> None:
    assert stream.planted(kind) != []


@slow
@pytest.mark.parametrize("kind", ["void", "revised", "revision", "after_lost", "illegal", "skew"])
def test_a_damaged_event_has_the_outcome_that_ought_to_follow(stream: Stream, kind: str) -> None:
    for truth, planted in stream.planted(kind):
        outcome = stream.outcome(truth, planted)
        broken = [violation.rule for violation in outcome.violations]
        assert outcome.status == planted.status, (truth, planted)
        assert planted.rule is None or planted.rule in broken, (truth, planted, broken)


@slow
def test_a_lost_event_leaves_a_gap(stream: Stream) -> None:
    for truth, planted in stream.planted("lost"):
        assert planted.event not in [fact.id for fact in stream.facts[truth.dossier]]


@slow
def test_a_duplicate_is_the_same_message_twice(stream: Stream) -> None:
    for truth, planted in stream.planted("duplicate"):
        same = [
            f for f in stream.facts[truth.dossier] if (f.id, f.revision) == (planted.event, planted.revision)
        ]
        assert len(same) == 2
        assert same[0] == same[1]


@slow
def test_a_late_report_was_entered_long_after_it_took_place(stream: Stream) -> None:
    for truth, planted in stream.planted("late_report"):
        facts = [f for f in stream.facts[truth.dossier] if f.id == planted.event]
        assert any(f.entered_at and (f.entered_at - f.occurred_at).days >= 2 for f in facts)


@slow
def test_messages_come_out_of_order(stream: Stream) -> None:
    for truth, _ in stream.planted("out_of_order"):
        sequences = [fact.sequence for fact in stream.facts[truth.dossier]]
        assert sequences != sorted(sequences)


@slow
def test_a_wrong_slip_differs_from_the_committed_date(stream: Stream) -> None:
    differing = 0
    for truth, planted in stream.planted("slip"):
        received = next(f for f in stream.facts[truth.dossier] if f.id == planted.event)
        assert isinstance(received.body, Acted)
        judged = stream.judged[truth.dossier]
        before = [f for f in judged.facts if f.sequence <= received.sequence and isinstance(f.body, Acted)]
        own = fold(judged.rules, truth.dossier, before)
        dates = judged.rules.clock.deadlines(own.dossier, at=received.occurred_at)
        slips = [d.due_at for d in dates if d.kind == "appointment"]
        assert slips[0] not in [d.due_at for d in dates if d.kind in ("committed", "phase")]
        differing += 1
    assert differing > 10


@slow
def test_judging_the_damaged_stream_gives_the_state_and_dates_that_are_so(stream: Stream) -> None:
    for truth in stream.truths:
        found = stream.judged[truth.dossier].dossier
        assert (found.state, found.ended_by, found.ended_at) == (
            truth.state,
            truth.ended_by,
            truth.ended_at,
        ), truth
        assert (found.received_at, found.issued_at, found.ready_at) == (
            truth.received_at,
            truth.issued_at,
            truth.ready_at,
        ), truth


@slow
def test_judging_the_damaged_stream_gives_the_lateness_that_is_so(stream: Stream) -> None:
    for truth in stream.truths:
        judged = stream.judged[truth.dossier]
        if truth.ended_at is None:
            continue
        dates = judged.rules.clock.deadlines(judged.dossier, at=truth.ended_at)
        assert [d.late for d in dates if d.kind == "benchmark"] in ([truth.late], []), truth


@slow
def test_the_late_rate_is_the_one_asked_for(stream: Stream) -> None:
    late = sum(truth.late for truth in stream.truths) / len(stream.truths)

    assert abs(late - 0.165) < 0.03


@slow
def test_nothing_is_refused_where_nothing_was_damaged(tmp_path: Path) -> None:
    stream = Stream(*made(tmp_path, "--seed", "3", "--dossiers", "300", "--undamaged"))
    statuses = Counter(outcome.status for judged in stream.judged.values() for outcome in judged.outcomes)
    kinds = {v.kind for j in stream.judged.values() for o in j.outcomes for v in o.violations}

    assert set(statuses) == {"applied"}
    assert kinds <= {"deadline"}


@slow
def test_the_same_seed_gives_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    options = ("--seed", "5", "--dossiers", "60")
    once = made(tmp_path, *options, PYTHONHASHSEED="1", TZ="UTC")
    again = made(tmp_path, *options, PYTHONHASHSEED="2", TZ="America/New_York")

    assert once == again
    assert made(tmp_path, "--seed", "6", "--dossiers", "60") != once


@slow
def test_a_stream_that_ends_leaves_dossiers_open(tmp_path: Path) -> None:
    stream = Stream(
        *made(tmp_path, "--seed", "5", "--dossiers", "100", "--until", "2026-04-01", "--undamaged")
    )

    assert {truth.ended_at is None for truth in stream.truths} == {True, False}
    assert max(f.occurred_at for facts in stream.facts.values() for f in facts).month == 3


def test_dossiers_arrive_in_working_time_and_in_order() -> None:
    work = read_calendars(PROCESSES / "calendars")["vn-can-tho"].worktime(None, None)
    found = list(arrivals(work, date(2026, 2, 1), 500, Random(1)))

    assert found == sorted(found)
    days = {at.astimezone(work.zone).date() for at in found}
    assert all(work.opening(day) is not None for day in days)
    assert {day.month for day in days} == {2}


def test_nothing_is_sent_before_it_took_place() -> None:
    """Damages come upon damages here, since each is done to half of the dossiers."""
    catalogue = load(PROCESSES)
    body = catalogue.organisation
    assert body is not None
    work = catalogue.calendars[body.calendar].worktime(None, None)
    often = Rates(late_report=0.5, out_of_order=0.5, void=0.25, revision=0.25, illegal=0.25)
    of_month = department(catalogue.families.values(), body, work, date(2025, 3, 1))
    told = [one for made in dossiers(of_month, 300, often, Random(3)) for one in made.messages]
    assert [fact.id for sent, fact in told if sent < fact.occurred_at] == []
