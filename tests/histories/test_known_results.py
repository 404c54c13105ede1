"""The public logs judged by the command itself: every figure known of them, exactly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from itertools import groupby, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from consumers.files.factfile import open_facts
from consumers.files.mapping import read_mapping
from workflow.facts import Acted

if TYPE_CHECKING:
    from workflow.facts import Fact

HERE = Path(__file__).parent
LOGS = {
    "fines": "road_traffic_fines_full.csv.gz",
    "receipt": "receipt_wabo.xes.gz",
    "closed_problems": "bpic2013_closed_problems.xes.gz",
}
FINDING = 1

FINES = {
    "send-fine": 50_551,
    "appeal-to-prefecture": 659,
    "appeal-to-judge": 101,
    "ended-sent-paid": 20_964,
    "ended-notified-paid": 6_328,
    "ended-submitted-granted": 451,
    "ended-created-dismissed-or-paid": 57,
    "ended-judged-known-code": 32,
    "ended-judged-paid": 15,
    "answered-not-dismissed": 8,
    "judged-not-dismissed": 4,
    "collected-only-unpaid": 1,
    "order/add_penalty/appealed": 2_929,
    "order/add_penalty/submitted": 325,
    "order/add_penalty/answered": 48,
    "order/insert_date_appeal/sent": 162,
    "order/insert_date_appeal/created": 22,
    "order/receive_result/appealed": 35,
    "order/receive_result/notified": 15,
    "order/receive_result/judged": 1,
    "order/payment/appealed": 13,
    "order/payment/submitted": 7,
    "order/payment/answered": 3,
    "order/appeal_to_judge/sent": 10,
    "order/appeal_to_judge/appealed": 7,
    "order/appeal_to_judge/created": 4,
    "order/appeal_to_judge/answered": 2,
    "order/appeal_to_judge/submitted": 1,
    "order/end/answered": 8,
    "order/send_appeal/notified": 2,
    "order/send_appeal/sent": 2,
    "order/notify_result/notified": 1,
}
RECEIPT = {
    "deadline": 377,
    "planned-end": 389,
    "acts-by-deadline": 92,
    "acts-by-end": 145,
    "planned-end-differs": 51,
    "checked-and-decided": 1_042,
    "stop-advice-and-indication": 1_261,
    "hold-and-check": 20,
    "report-check-and-decision": 20,
}


def conform(name: str, logs: Path, *more: str | Path, **environment: str) -> dict[str, Any]:
    """What `dunghen audit conform` says of a log, as JSON."""
    done = subprocess.run(
        [
            *(Path(sys.executable).with_name("dunghen"), "audit", "conform", logs / LOGS[name]),
            *("--procedure", HERE / name / "procedure.yaml", "--mapping", HERE / name / "mapping.yaml"),
            *("--output", "json", *more),
        ],
        capture_output=True,
        encoding="utf-8",
        env=os.environ | environment,
        check=False,
    )
    assert done.returncode == FINDING, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def counted(said: dict[str, Any]) -> dict[str, int]:
    """Dossiers by rule."""
    return {one["rule"]: one["dossiers"] for one in said["violations"]}


@pytest.mark.timeout(300)
def test_the_fines_come_out_as_known(public_logs: Path) -> None:
    said = conform("fines", public_logs)

    assert (said["dossiers"], said["events"]) == (150_370, 561_470)
    assert (said["ended"], said["open"], said["open_overdue"], said["late"]) == (150_370, 0, 0, 0)
    assert (said["order_conforming"], said["time_conforming"], said["conforming"]) == (
        146_773,
        97_741,
        85_406,
    )
    assert counted(said) == FINES
    assert said["rows"] == {"read": 561_470, "taken": 561_470, "filtered": 0, "repeated": 0, "refused": {}}


@pytest.mark.timeout(300)
def test_the_way_of_counting_stands_in_each_verdict(public_logs: Path, tmp_path: Path) -> None:
    """795 fines were sent on exactly the 90th day: whoever reads a verdict must see that this is late, and why."""
    listing = tmp_path / "violations.jsonl"
    said = conform("fines", public_logs, "--violations", listing)
    rows = [json.loads(line) for line in listing.read_text(encoding="utf-8").splitlines()]

    counts = "90 calendar_days, reaching late, first_day excluded, rest_day stays"
    assert next(one["counts"] for one in said["violations"] if one["rule"] == "send-fine") == counts
    assert {row["counts"] for row in rows if row["rule"] == "send-fine"} == {counts}
    per_rule = Counter(rule for _, rule in {(row["dossier"], row["rule"]) for row in rows})
    assert per_rule == FINES
    first = next(row for row in rows if row["rule"] == "order/end/answered")
    assert (first["position"], first["kind"], first["found"]) == (0, "order", "answered")


def test_the_receipt_phase_comes_out_as_known(public_logs: Path) -> None:
    said = conform("receipt", public_logs)

    assert (said["dossiers"], said["events"]) == (1_434, 8_577)
    assert (said["ended"], said["open"], said["open_overdue"], said["late"]) == (1_329, 105, 39, 377)
    assert said["order_conforming"] == said["dossiers"]
    assert counted(said) == RECEIPT
    assert said["as_of"] == "2012-01-23T14:42:54.644000Z"


def test_the_four_arrivals_seen_once_break_the_order_of_the_closed_problems(public_logs: Path) -> None:
    said = conform("closed_problems", public_logs)

    assert (said["dossiers"], said["events"], said["ended"]) == (1_487, 6_660, 1_487)
    assert said["conforming"] == said["order_conforming"] == 1_484
    assert counted(said) == {
        "order/accepted_assigned/unmatched": 1,
        "order/completed_closed/start": 1,
        "order/unmatched/accepted_wait": 1,
        "order/unmatched/start": 1,
    }


def test_an_earlier_moment_leaves_out_what_came_later(public_logs: Path) -> None:
    said = conform("receipt", public_logs, "--as-of", "2011-06-30")

    assert said["dossiers"] < 1_434
    assert said["events"] < 8_577
    assert said["ended"] + said["open"] == said["dossiers"]
    assert said["open_overdue"] > 0


@pytest.mark.slow
@pytest.mark.timeout(300)  # four whole readings of half a million events, on whatever machine
@pytest.mark.parametrize("name", ["fines", "receipt"])
def test_the_same_log_gives_the_same_bytes(name: str, public_logs: Path, tmp_path: Path) -> None:
    found = []
    for number, environment in enumerate(
        ({"TZ": "UTC", "PYTHONHASHSEED": "1"}, {"TZ": "America/New_York", "PYTHONHASHSEED": "2"})
    ):
        listing = tmp_path / f"{number}.jsonl"
        said = conform(name, public_logs, "--violations", listing, **environment)
        timeless = {key: value for key, value in said.items() if key not in {"seconds", "events_per_second"}}
        found.append((json.dumps(timeless), listing.read_bytes()))
    assert found[0] == found[1]


def histories(name: str, file: str, logs: Path) -> list[list[tuple[Fact, Acted]]]:
    """Each dossier's acts with their facts, in order."""
    log = open_facts(logs / file, read_mapping(HERE / name / "mapping.yaml"))
    return [[(f, f.body) for f in facts if isinstance(f.body, Acted)] for _, facts in log.dossiers()]


def persons(history: list[tuple[Fact, Acted]]) -> list[str]:
    """Who acted, in order."""
    return [act.actor.id for _, act in history if act.actor]


def test_persons_and_handovers_of_the_receipt_phase(public_logs: Path) -> None:
    acted = [persons(history) for history in histories("receipt", LOGS["receipt"], public_logs)]
    handovers = [sum(one != other for one, other in pairwise(who)) for who in acted]

    assert (sum(handovers), sum(map(bool, handovers)), max(handovers)) == (1_208, 564, 9)
    assert sum(len(set(who)) == 1 for who in acted) == 870
    assert (sum(len(set(who)) == 5 for who in acted), max(len(set(who)) for who in acted)) == (12, 5)


def test_variants_of_the_receipt_phase(public_logs: Path) -> None:
    variants = Counter(
        tuple(act.action for _, act in history)
        for history in histories("receipt", LOGS["receipt"], public_logs)
    )
    assert (len(variants), variants.most_common(1)[0][1]) == (116, 713)
    assert variants[("confirmation",)] == 116
    assert sum(count for variant, count in variants.items() if variant[-1] == "t10") == 828


def test_who_checked_and_who_decided_among_those_with_both(public_logs: Path) -> None:
    both = [
        history
        for history in histories("receipt", LOGS["receipt"], public_logs)
        if {"t02", "t04"} <= {act.action for _, act in history}
    ]
    assert len(both) == 1_303


@pytest.mark.timeout(300)
def test_variants_and_exact_days_of_the_fines(public_logs: Path) -> None:
    variants: Counter[tuple[str, ...]] = Counter()
    exact = 0
    for history in histories("fines", LOGS["fines"], public_logs):
        variants[tuple(act.action for _, act in history)] += 1
        day = {act.action: fact.occurred_at for fact, act in reversed(history)}
        if "send_fine" in day:
            exact += round((day["send_fine"] - day["create_fine"]).total_seconds() / 86_400) == 90
    assert (len(variants), exact) == (231, 795)


def test_states_and_groups_of_the_closed_problems(public_logs: Path) -> None:
    every = histories("closed_problems", LOGS["closed_problems"], public_logs)
    steps = Counter(
        pair for history in every for pair in pairwise(("start", *(act.action for _, act in history)))
    )

    assert (len(every), sum(map(len, every))) == (1_487, 6_660)
    assert (len(steps), sum(count == 1 for count in steps.values())) == (33, 4)
    assert len({history[-1][1].action for history in every}) == 1
    assert sum(one != other for history in every for one, other in pairwise(persons(history))) == 1_771
    groups = [[unit for unit, _ in groupby(act.unit for _, act in history)] for history in every]
    assert sum(any(a == c for a, c in zip(one, one[2:], strict=False)) for one in groups) == 59
