"""The counts known of the public logs come out of the readers, row for row."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from consumers.files.factfile import FactFile, open_facts
from consumers.files.mapping import read_mapping
from workflow.facts import Acted, Opened

if TYPE_CHECKING:
    from workflow.facts import Fact

HERE = Path(__file__).parent


def opened(folder: Path, name: str, log: str) -> FactFile:
    return open_facts(folder / log, read_mapping(HERE / name / "mapping.yaml"))


@pytest.fixture(scope="module")
def receipt(public_logs: Path) -> tuple[FactFile, dict[str, list[Fact]]]:
    file = opened(public_logs, "receipt", "receipt_wabo.xes.gz")
    return file, {subject: list(facts) for subject, facts in file.dossiers()}


def test_the_fines_are_150_370_dossiers_of_561_470_rows(public_logs: Path) -> None:
    file = opened(public_logs, "fines", "road_traffic_fines_full.csv.gz")
    dossiers = acted = officers = 0
    for _, facts in file.dossiers():
        dossiers += 1
        acted += len(facts)
        officers += sum(isinstance(fact.body, Acted) and fact.body.actor is not None for fact in facts)
    assert (dossiers, acted, officers) == (150_370, 561_470, 150_925)
    assert (file.rows, file.taken, file.filtered, file.refusals.total) == (561_470, 561_470, 0, 0)
    assert (file.uncoded, file.sorted_externally) == ({}, False)
    # The last day begins at midnight in Rome, in summer time.
    assert file.last_at == datetime(2013, 6, 17, 22, tzinfo=UTC)


def test_the_receipt_log_is_1_434_dossiers_of_8_577_events(
    receipt: tuple[FactFile, dict[str, list[Fact]]],
) -> None:
    file, dossiers = receipt
    assert (len(dossiers), file.rows, file.taken, file.refusals.total) == (1_434, 8_577, 8_577, 0)
    assert file.uncoded == {}
    assert file.last_at == datetime(2012, 1, 23, 14, 42, 54, 644_000, tzinfo=UTC)


def test_105_receipts_have_no_end_and_every_one_has_its_deadline(
    receipt: tuple[FactFile, dict[str, list[Fact]]],
) -> None:
    bodies = [facts[0].body for facts in receipt[1].values()]
    assert sum(isinstance(body, Opened) and body.ended_at is None for body in bodies) == 105
    assert all(
        isinstance(body, Opened) and {"deadline", "planned_end"} <= body.data.keys() for body in bodies
    )


def test_1_208_handovers_lie_in_564_receipts(receipt: tuple[FactFile, dict[str, list[Fact]]]) -> None:
    handovers = []
    for facts in receipt[1].values():
        actors = [fact.body.actor for fact in facts if isinstance(fact.body, Acted)]
        handovers.append(sum(one != other for one, other in pairwise(actors)))
    assert (sum(handovers), sum(count > 0 for count in handovers), max(handovers)) == (1_208, 564, 9)


def test_the_closed_problems_are_1_487_dossiers_of_6_660_events(public_logs: Path) -> None:
    file = opened(public_logs, "closed_problems", "bpic2013_closed_problems.xes.gz")
    last: dict[str, int] = {}
    roles = 0
    for _, facts in file.dossiers():
        bodies = [fact.body for fact in facts if isinstance(fact.body, Acted)]
        last[bodies[-1].action] = last.get(bodies[-1].action, 0) + 1
        roles += sum(body.actor is not None and body.actor.role is not None for body in bodies)
    assert (last, roles) == ({"completed_closed": 1_487}, 6_660 - 2_078)
    assert (file.rows, file.refusals.total, file.uncoded) == (6_660, 0, {})
