"""`dunghen alerts`: listed, shown, and acted on, as a person at the desk would."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from commands import dunghen

from consumers.apply import Told, apply
from consumers.codec import encode
from consumers.rotating import judge_rotation
from consumers.ticker import tick, tick_feeds
from workflow.alerts.attribution import overrun
from workflow.catalogue import load
from workflow.facts import (
    Acted,
    Appointment,
    Fact,
    Heartbeat,
    OfficerAppointed,
    OfficerConcluded,
    Voided,
)
from workflow.messages import read
from workflow.store.alerts import lives
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
    days, minutes = shown["overrun"]["days"], shown["overrun"]["minutes"]
    assert days > 1
    assert f"{days} working days past its date, {minutes // 60} h {minutes % 60} min of working time" in whole
    assert (
        f"Trễ {days} ngày làm việc, tức {minutes // 60} giờ"
        in dunghen("alerts", "show", LATE, "--lang", "vi", "--store", late).stdout
    )
    assert minutes == sum(part["minutes"] for part in shown["overrun"]["parts"]) > 0


def test_an_overrun_counts_the_working_days_after_its_date(root: Path) -> None:
    slip = Appointment(at=date(2026, 3, 3))
    body = Acted(action="receive", procedure="1.004237", unit="it-centre", appointment=slip)
    facts = [Fact(SUBJECT, "one-stop", "e1", RECEIVED, body, 1)]
    rules = load(root / "processes").rules_for(facts)

    found = overrun(rules, SUBJECT, facts, datetime(2026, 3, 10, 2, 30, tzinfo=UTC))

    # Wednesday to Friday, Monday, and on Tuesday from seven to half past nine.
    assert found is not None
    assert (found.days, found.minutes, found.counted) == (5, 4 * 480 + 150, "working")


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


def test_who_acted_on_which_alert_stands_in_the_story(late: Path) -> None:
    told = dunghen("alerts", "ack", LATE, "--by", "cb-5", "--store", late)
    assert told.stdout
    story = json.loads(dunghen("dossier", "explain", SUBJECT, "--store", late, "-o", "json").stdout)
    act = story["happenings"][-1]
    assert (act["actor"], act["about"], act["act"]) == ("cb-5", LATE, "acknowledged")
    assert (
        f"act on an alert, acknowledged: {LATE}"
        in dunghen("dossier", "explain", SUBJECT, "--store", late).stdout
    )


def test_what_is_true_and_not_said_yet_is_counted(root: Path, tmp_path: Path) -> None:
    """An event that was refused may still be put right by one on its way, so whoever looks hears at least of it."""
    path, catalogue = tmp_path / "store.db", load(root / "processes")
    received = Acted(action="receive", procedure="1.004237", unit="it-centre")
    facts = [
        Fact(SUBJECT, "one-stop", "e1", RECEIVED, received, 1),
        Fact(SUBJECT, "one-stop", "e2", RECEIVED + timedelta(minutes=1), Acted(action="approve"), 2),
    ]
    store = open_store(path)
    told = [Told(fact, encode(fact)) for fact in facts]
    apply(store, catalogue, told, now=RECEIVED + timedelta(minutes=2))
    store.close()

    words = ("alerts", "list", "--store", path, "--kind")
    waiting = (
        "Not said yet, while the office is closed or an event on its way: at least 1 (--state waiting)\n"
    )
    assert dunghen(*words, "refused_event").stderr == f"No alert meets what is asked.\n{waiting}"
    assert dunghen(*words, "clock_skew").stderr == "No alert meets what is asked.\n"
    assert dunghen(*words, "refused_event", "--state", "waiting").stderr == ""


def test_nobody_snoozes_an_alert_until_a_moment_that_is_over(late: Path) -> None:
    words = ("alerts", "snooze", LATE, "--by", "cb-1", "--until", "2020-01-01", "--store", late)
    assert "--until: expected a date or time to come, found 2020-01-01" in dunghen(*words, status=2).stderr


def test_a_table_names_alerts_by_the_ids_that_show_takes_and_fits_a_terminal(late: Path) -> None:
    states = [word for state in ("raised", "acknowledged", "resolved") for word in ("--state", state)]
    lines = dunghen("alerts", "list", "--store", late, *states).stdout.splitlines()
    assert any(line.endswith(f" {LATE}") for line in lines)
    # In a file the names of units stand beside their codes; a terminal has them below.
    assert max(map(len, lines)) <= 160
    shown = dunghen("alerts", "show", LATE, "--store", late, "--lang", "vi").stdout
    assert "hồ sơ trễ hẹn" in shown
    assert "due_at" not in shown
    assert "2026-03-0" in shown


def test_what_was_never_said_is_not_listed_as_taken_back(root: Path, tmp_path: Path) -> None:
    """A refused event waits for its source's delay; one that is corrected meanwhile was never told of."""
    path, catalogue = tmp_path / "store.db", load(root / "processes")
    received = Acted(action="receive", procedure="1.004237", unit="it-centre")
    early = Fact(SUBJECT, "one-stop", "e2", RECEIVED + timedelta(minutes=1), Acted(action="approve"), 2)
    undone = Voided(target_id="e2", target_source="one-stop", reason="mistyped")
    told = [
        Fact(SUBJECT, "one-stop", "e1", RECEIVED, received, 1),
        early,
        Fact(SUBJECT, "one-stop", "e3", RECEIVED + timedelta(minutes=2), undone, 3),
    ]
    store = open_store(path)
    for number, fact in enumerate(told, 1):
        apply(store, catalogue, [Told(fact, encode(fact))], now=RECEIVED + timedelta(minutes=number))
    with store.reading() as reading:
        ((name, life),) = lives(reading.alerts()).items()
    store.close()

    def listed(*more: str) -> list[dict[str, object]]:
        found: list[dict[str, object]] = json.loads(
            dunghen("alerts", "list", "--store", path, "-o", "json", *more).stdout
        )
        return found

    assert (life.alert.kind, life.n) == ("refused_event", 0)
    assert listed() == listed("--state", "retracted") == listed("--state", "retracted", "--by", "kind") == []
    assert [(one["id"], one["state"]) for one in listed("--state", "unsaid")] == [(name, "unsaid")]
    assert [one["count"] for one in listed("--state", "unsaid", "--by", "kind")] == [1]
    shown = json.loads(dunghen("alerts", "show", name, "--store", path, "-o", "json").stdout)
    assert (shown["state"], shown["n"]) == ("unsaid", 0)
    assert "over before it was said" in dunghen("alerts", "show", name, "--store", path).stdout


def test_an_alert_that_is_not_there_is_named(late: Path) -> None:
    done = dunghen("alerts", "ack", "nothing", "--by", "cb-1", "--store", late, status=2)
    assert "no alert nothing; see their ids with: dunghen alerts list" in done.stderr


def test_alerts_on_sources_and_officers_go_through_the_same_life(root: Path, tmp_path: Path) -> None:
    """Raised, acknowledged, snoozed and quiet, raised again, settled: as those on dossiers do."""
    path, catalogue, day = tmp_path / "store.db", load(root / "processes"), timedelta(days=1)
    post = OfficerAppointed(
        post="branch-director", unit="land-registration", starts_on=(RECEIVED - day).date()
    )
    finding = OfficerConcluded(
        complaint="KN-1", finding="verified", authority="inspectorate", document="KL-1"
    )
    facts = [
        Fact("one-stop", "one-stop", "h1", RECEIVED, Heartbeat(), 1),
        Fact("cb-9", "personnel", "p1", RECEIVED - day, post, 1),
        Fact("cb-9", "personnel", "p2", RECEIVED, finding, 2),
    ]
    store = open_store(path)
    apply(store, catalogue, [Told(fact, encode(fact)) for fact in facts], now=RECEIVED)

    def look(at: datetime) -> None:
        tick_feeds(store, catalogue, now=at)
        judge_rotation(store, catalogue, now=at)

    def raised() -> Counter[str]:
        with store.reading() as reading:
            contents = [content for _, content in reading.outbox()]
        said = (
            json.loads(one.data) for content in contents for one in read(content) if "alerts" in one.topic
        )
        return Counter(one["alert"]["id"] for one in said if one["change"] == "raised")

    look(RECEIVED + 20 * day)
    with store.reading() as reading:
        rows = {row.id: row for row in reading.alerts()}
    kinds = {row.kind for row in rows.values()}
    assert kinds == {"feed_silent", "rotation_due_verified", "rotation_overdue"}
    of_rotation = [life.alert for life in lives(rows.values()).values() if life.alert.officer]
    assert [one.readers for one in of_rotation] == [("director", "chief-inspector")] * 2
    assert raised() == dict.fromkeys(rows, 1)
    now = datetime.now(UTC)
    for name in rows:
        dunghen("alerts", "ack", name, "--by", "cb-1", "--store", path)
        until = (now + day).isoformat()
        dunghen("alerts", "snooze", name, "--by", "cb-1", "--until", until, "--store", path)
    look(now + day / 2)
    assert {name: raised()[name] for name in rows} == dict.fromkeys(rows, 1)
    look(now + 2 * day)
    assert {name: raised()[name] for name in rows} == dict.fromkeys(rows, 2)
    for name in rows:
        done = dunghen("alerts", "resolve", name, "--by", "cb-1", "--store", path)
        assert done.stdout == f"{name}: resolved\n"
    look(now + 3 * day)
    assert {name: raised()[name] for name in rows} == dict.fromkeys(rows, 2)
    store.close()


def test_nobody_is_no_officer_and_acts_on_no_alert(late: Path) -> None:
    for act, by, more in (
        ("ack", "", ()),
        ("resolve", " ", ()),
        ("snooze", "cb-1 ", ("--until", "2999-01-01")),
    ):
        told = dunghen("alerts", act, LATE, "--by", by, *more, "--store", late, status=2)
        assert told.stderr.startswith(
            f"--by: expected the code of an officer with no blank around it, found {by!r}"
        )


def test_why_somebody_acted_stands_in_the_story(late: Path) -> None:
    dunghen("alerts", "ack", LATE, "--by", "cb-7", "--reason", "asked for the file", "--store", late)
    story = dunghen("dossier", "explain", SUBJECT, "--store", late).stdout
    assert f"act on an alert, acknowledged: {LATE} (asked for the file)" in story

    shown = json.loads(dunghen("alerts", "show", LATE, "--store", late, "-o", "json").stdout)
    assert (shown["act"]["by"], shown["act"]["reason"]) == ("cb-7", "asked for the file")
    assert "asked for the file" in dunghen("alerts", "show", LATE, "--store", late).stdout
    dunghen("alerts", "ack", LATE, "--by", "cb-8", "--store", late)
    assert "asked for the file" not in dunghen("alerts", "show", LATE, "--store", late).stdout
