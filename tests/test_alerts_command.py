"""`dunghen alerts`: listed, shown, and acted on, as a person at the desk would."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from commands import dunghen

from consumers.apply import Told, apply
from consumers.codec import encode
from consumers.ticker import tick
from workflow.catalogue import load
from workflow.facts import Acted, Appointment, Fact
from workflow.store.opening import open_store

if TYPE_CHECKING:
    from pathlib import Path

RECEIVED = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
SUBJECT = "H13-260302-0001"
LATE = f"dossier_late/{SUBJECT}/appointment"


@pytest.fixture(scope="module")
def late(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a dossier that is late, whose slip said the next day, and an event that was refused."""
    path = tmp_path_factory.mktemp("alerts") / "store.db"
    catalogue = load(root / "processes")
    received = Acted(
        action="receive",
        procedure="1.004237",
        unit="it-centre",
        appointment=Appointment(at=(RECEIVED + timedelta(days=1)).date()),
    )
    facts = [
        Fact(SUBJECT, "one-stop", "e1", RECEIVED, received, 1),
        Fact(SUBJECT, "one-stop", "e2", RECEIVED + timedelta(hours=1), Acted(action="approve"), 2),
    ]
    store = open_store(path)
    told = [Told(fact, encode(fact)) for fact in facts]
    apply(store, catalogue, told, now=RECEIVED + timedelta(hours=2))
    tick(store, catalogue, now=RECEIVED + timedelta(days=9))
    store.close()
    return path


def test_open_alerts_are_listed_with_whom_they_go_to(late: Path) -> None:
    done = dunghen("alerts", "list", "--store", late, "--output", "csv")
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(done.stdout))}
    assert rows[LATE]["kind"] == "dossier_late"
    assert "it-centre-director@it-centre" in rows[LATE]["to"]
    assert "director@can-tho-department" in rows[LATE]["to"]
    assert "dossier late" in dunghen("alerts", "list", "--store", late).stdout
    assert "hồ sơ trễ hẹn" in dunghen("alerts", "list", "--store", late, "--lang", "vi").stdout


def test_alerts_are_counted_by_unit_and_refusals_by_cause(late: Path) -> None:
    by_unit = json.loads(dunghen("alerts", "list", "--store", late, "--by", "unit", "-o", "json").stdout)
    by_cause = dunghen(
        *("alerts", "list", "--store", late, "--kind", "refused_event", "--by", "cause", "-o", "json")
    )
    assert {one["group"] for one in by_unit} == {"it-centre"}
    assert json.loads(by_cause.stdout)[0]["group"] == "order/approve/received, one-stop"


def test_alerts_are_counted_by_kind(late: Path) -> None:
    by_kind = json.loads(dunghen("alerts", "list", "--store", late, "--by", "kind", "-o", "json").stdout)
    counts = {one["kind"]: one["count"] for one in by_kind}
    assert counts["dossier_late"] == counts["refused_event"] == 1
    table = dunghen("alerts", "list", "--store", late, "--by", "kind").stdout
    assert "Group" not in table
    assert "dossier late" in table


def test_one_alert_is_shown_with_its_sum(late: Path) -> None:
    shown = json.loads(dunghen("alerts", "show", LATE, "--store", late, "-o", "json").stdout)
    assert shown["alert"]["sum"]
    assert shown["alert"]["calendar"].startswith("vn-can-tho@")
    whole = dunghen("alerts", "show", LATE, "--store", late).stdout
    assert "Decree 73/2017" in whole
    assert "minutes past its date, of which:" in whole
    assert shown["overrun"]["minutes"] == sum(part["minutes"] for part in shown["overrun"]["parts"]) > 0


def test_an_alert_is_acknowledged_and_snoozed_by_facts(late: Path) -> None:
    assert dunghen("alerts", "ack", LATE, "--by", "cb-1", "--store", late).stdout == f"{LATE}: acknowledged\n"
    snoozed = dunghen(*("alerts", "snooze", LATE, "--by", "cb-1", "--until", "2999-01-01", "--store", late))
    assert snoozed.stdout == f"{LATE}: snoozed\n"
    shown = json.loads(dunghen("alerts", "show", LATE, "--store", late, "-o", "json").stdout)
    assert (shown["act"]["by"], shown["n"]) == ("cb-1", 3)
    listed = dunghen("alerts", "list", "--store", late, "--state", "snoozed", "-o", "json")
    assert [one["id"] for one in json.loads(listed.stdout)] == [LATE]
    resolved = dunghen("alerts", "resolve", LATE, "--by", "cb-1", "--reason", "returned", "--store", late)
    assert resolved.stdout == f"{LATE}: resolved\n"


def test_an_alert_that_is_not_there_is_named(late: Path) -> None:
    done = dunghen("alerts", "ack", "nothing", "--by", "cb-1", "--store", late, status=2)
    assert "no alert nothing; see their ids with: dunghen alerts list" in done.stderr
