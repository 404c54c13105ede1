"""Alerts through the store: raised by the time alone, retracted by facts, each once, whoever ticks and how often."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from keeping import (
    LIFE,
    NINE,
    SUBJECT,
    act,
    catalogue,
    generic,
    messages,
    revision,
    source,
    tell,
    void,
)
from sqlalchemy import event

from consumers.apply import apply, redrive
from consumers.ticker import Ticked, tick, tick_feeds
from workflow.alerts.feeds import DayCount
from workflow.catalogue import load
from workflow.clocks.calendar import read_calendars
from workflow.errors import StoreBusy, VersionConflict
from workflow.facts import Acted, Actor, AlertActed, Appointment, Counted, Heartbeat
from workflow.messages import read
from workflow.procedure.language import Limit, State
from workflow.store.looking import day_count
from workflow.store.opening import open_store
from workflow.store.rows import from_us

if TYPE_CHECKING:
    from pathlib import Path

    from workflow.catalogue import Catalogue
    from workflow.facts import Fact
    from workflow.messages import Message
    from workflow.store.store import Store

HOUR = timedelta(hours=1)
DELAY = timedelta(minutes=15)
RULES = catalogue(sources={"gate": source("gate", delay_minutes=15)})
RECEIVED = LIFE[0]
DUE = NINE + 8 * HOUR
LATE_ID = f"dossier_late/{SUBJECT}/all"


def outbox(store: Store) -> list[Message]:
    with store.reading() as reading:
        return [one for _, content in reading.outbox(limit=10_000) for one in read(content)]


def said(store: Store, kind: str = "dossier_late") -> list[dict[str, Any]]:
    found = [msgspec.json.decode(one.data) for one in outbox(store) if one.topic != "decisions"]
    return [one for one in found if one["alert"]["kind"] == kind]


def changes(store: Store, kind: str = "dossier_late") -> list[str]:
    return [one["change"] for one in said(store, kind)]


def tick_on(store: Store, until: datetime, rules: Catalogue = RULES) -> int:
    """Ticks at each moment something is due, until a moment; how often."""
    for times in itertools.count():
        with store.reading() as reading:
            due = [row.next_due_at for row in reading.dossiers() if row.next_due_at is not None]
        if not due or from_us(min(due)) > until:
            return times
        tick(store, rules, now=from_us(min(due)))
        assert times < 50, "a tick must move what is due into the future"
    raise AssertionError


def test_a_dossier_is_said_to_be_late_after_the_delay_of_its_source_with_its_true_date(store: Store) -> None:
    apply(store, RULES, messages(RECEIVED), now=NINE)
    tick_on(store, DUE + DELAY)
    assert changes(store) == []

    tick_on(store, DUE + DELAY + HOUR)

    (alert,) = said(store)
    assert (alert["change"], alert["n"]) == ("raised", 1)
    assert datetime.fromisoformat(alert["alert"]["due_at"]) == DUE
    assert datetime.fromisoformat(alert["said_at"]) >= DUE + DELAY
    assert alert["alert"]["sum"]
    assert alert["alert"]["procedure"] == RECEIVED.body.procedure  # type: ignore[union-attr] # an act


def test_its_message_has_a_derived_id_and_the_dossier_as_key(store: Store) -> None:
    apply(store, RULES, messages(RECEIVED), now=NINE)
    tick(store, RULES, now=DUE + HOUR)

    (late,) = [one for one in outbox(store) if one.id.startswith("dossier_late")]
    assert (late.topic, late.id, late.key) == ("alerts.lateness", f"{LATE_ID}/1", SUBJECT)


def test_what_was_said_is_not_said_again(store: Store) -> None:
    apply(store, RULES, messages(RECEIVED), now=NINE)
    for hour in range(30):
        tick(store, RULES, now=DUE + hour * HOUR)
    redrive(store, RULES, [SUBJECT], now=DUE + 40 * HOUR)
    apply(store, RULES, messages(RECEIVED), now=DUE + 50 * HOUR)

    assert changes(store) == ["raised"]


def test_a_result_told_within_the_delay_raises_nothing(store: Store) -> None:
    apply(store, RULES, messages(RECEIVED), now=NINE)
    tick(store, RULES, now=DUE + DELAY / 3)
    on_time = [act("approve", 7), act("return_result", 7.9)]

    apply(store, RULES, messages(*on_time), now=DUE + DELAY / 2)
    tick_on(store, DUE + 100 * HOUR)

    assert changes(store) == []


def test_a_late_report_retracts_what_it_proves_wrong(store: Store) -> None:
    apply(store, RULES, messages(RECEIVED), now=NINE)
    tick(store, RULES, now=DUE + HOUR)
    apply(store, RULES, messages(act("approve", 7), act("return_result", 7.9)), now=DUE + 2 * HOUR)

    assert changes(store) == ["raised", "retracted"]
    with store.reading() as reading:
        (row,) = [one for one in reading.alerts([SUBJECT]) if one.kind == "dossier_late"]
    assert (row.state, row.n) == ("retracted", 2)


def test_a_void_raises_again_what_was_retracted(store: Store) -> None:
    ended = act("return_result", 7.9)
    apply(store, RULES, messages(RECEIVED), now=NINE)
    tick(store, RULES, now=DUE + HOUR)
    apply(store, RULES, messages(act("approve", 7), ended), now=DUE + 2 * HOUR)
    apply(store, RULES, messages(void(ended, 9)), now=DUE + 3 * HOUR)

    assert changes(store) == ["raised", "retracted", "raised"]
    assert [one["n"] for one in said(store)] == [1, 2, 3]


def test_a_late_result_resolves_its_alert(store: Store) -> None:
    apply(store, RULES, messages(RECEIVED), now=NINE)
    tick(store, RULES, now=DUE + HOUR)
    apply(store, RULES, messages(act("approve", 9), act("return_result", 9.5)), now=DUE + 2 * HOUR)

    assert changes(store) == ["raised", "resolved"]
    assert datetime.fromisoformat(said(store)[-1]["alert"]["ended_at"]) == NINE + 9.5 * HOUR


def test_thirty_days_down_and_every_lateness_comes_out_once_with_its_true_date(store: Store) -> None:
    subjects = [f"S{number:02}" for number in range(30)]
    received = [act("receive", number, subject=one) for number, one in enumerate(subjects)]
    apply(store, RULES, messages(*received), now=NINE + 29.5 * HOUR)
    assert len(said(store)) == 22

    later = NINE + timedelta(days=30)
    ticked = [tick(store, RULES, now=later, limit=3) for _ in range(6)]

    assert sum(one.dossiers for one in ticked) == 8
    late = said(store)
    assert sorted(one["alert"]["subject"] for one in late) == subjects
    due = {one["alert"]["subject"]: datetime.fromisoformat(one["alert"]["due_at"]) for one in late}
    assert due == {one: DUE + number * HOUR for number, one in enumerate(subjects)}
    assert tick(store, RULES, now=later) == Ticked()


def test_a_tick_says_by_how_much_it_came_late(store: Store) -> None:
    apply(store, RULES, messages(RECEIVED), now=NINE)
    with store.reading() as reading:
        (row,) = reading.dossiers()
    assert row.next_due_at is not None

    assert tick(store, RULES, now=from_us(row.next_due_at) + HOUR).late_ms == (3_600_000,)


def test_many_tickers_share_the_work_and_each_alert_is_said_once(store: Store, where: str) -> None:
    subjects = [f"S{number:03}" for number in range(60)]
    apply(store, RULES, messages(*(act("receive", 0, subject=one) for one in subjects)), now=NINE)

    def work() -> None:
        own = open_store(where)
        while tick(own, RULES, now=DUE + HOUR, limit=7).dossiers:
            pass
        own.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tick(store, RULES, now=DUE + HOUR)

    assert sorted(one["alert"]["subject"] for one in said(store)) == subjects


def test_a_tick_judges_by_the_newest_definitions(store: Store) -> None:
    apply(store, RULES, messages(RECEIVED), now=NINE)
    longer = {"all": msgspec.structs.replace(revision().limits["all"], within=100)}
    newer = catalogue(revision(limits=longer, revision="2"), generic(), sources=RULES.sources)

    tick(store, newer, now=DUE + HOUR)

    assert changes(store) == []


def test_due_before_its_source_went_live_is_kept_and_never_sent(store: Store) -> None:
    young = catalogue(sources={"gate": source("gate", live_from=DUE + HOUR)})
    apply(store, young, messages(RECEIVED), now=NINE)
    tick(store, young, now=DUE + 2 * HOUR)

    assert said(store) == []
    with store.reading() as reading:
        states = {row.id: (row.state, row.n) for row in reading.alerts([SUBJECT])}
    assert states[LATE_ID] == ("history", 0)


def test_a_blocked_dossier_is_not_looked_at_for_ever(store: Store) -> None:
    beyond = act("receive", 0)
    far = msgspec.structs.replace(beyond, occurred_at=NINE.replace(year=9999, month=12, day=31, hour=23))
    apply(store, RULES, messages(far), now=NINE)

    assert tick(store, RULES, now=DUE + 999 * HOUR) == Ticked()


def test_a_refused_event_waits_for_what_may_still_come(store: Store) -> None:
    apply(store, RULES, messages(act("note", 3)), now=NINE + 3 * HOUR)
    tick_on(store, NINE + 3 * HOUR + DELAY / 2)
    apply(store, RULES, messages(RECEIVED), now=NINE + 3 * HOUR + DELAY / 2)
    tick_on(store, DUE)

    assert changes(store, "refused_event") == []


def test_a_refused_event_is_said_once_with_its_cause_and_retracted_when_it_is_taken(store: Store) -> None:
    apply(store, RULES, messages(act("note", 3)), now=NINE + 3 * HOUR)
    assert changes(store, "refused_event") == []
    tick_on(store, NINE + 3 * HOUR + DELAY)
    apply(store, RULES, messages(act("note", 4)), now=NINE + 4 * HOUR)

    (alert,) = said(store, "refused_event")
    assert alert["alert"]["cause"] == "order/note/new"
    assert (alert["alert"]["source"], alert["alert"]["topic"]) == ("gate", "alerts.conformance")
    apply(store, RULES, messages(RECEIVED), now=NINE + 5 * HOUR)
    assert changes(store, "refused_event") == ["raised", "retracted"]
    tick_on(store, DUE)
    assert len(said(store, "refused_event")) == 2


def acted(what: Any, hour: float, identifier: str = LATE_ID, **more: Any) -> Fact:
    body = AlertActed(alert_id=identifier, act=what, by=Actor(id="o7"), **more)
    return tell(body, hour, source="desk", id=f"{what}-{hour}")


def test_an_alert_is_acknowledged_snoozed_and_said_again_when_the_snooze_is_over(store: Store) -> None:
    apply(store, RULES, messages(RECEIVED), now=NINE)
    tick(store, RULES, now=DUE + HOUR)
    apply(store, RULES, messages(acted("acknowledged", 9.5)), now=NINE + 9.5 * HOUR)
    apply(store, RULES, messages(acted("snoozed", 10, until=NINE + 20 * HOUR)), now=NINE + 10 * HOUR)
    tick_on(store, NINE + 19 * HOUR)
    assert changes(store) == ["raised", "acknowledged", "snoozed"]

    tick_on(store, NINE + 20 * HOUR)

    assert changes(store) == ["raised", "acknowledged", "snoozed", "raised"]
    assert said(store)[1]["by"] == "o7"


def test_acts_on_an_alert_survive_a_rebuild_of_its_dossier(store: Store) -> None:
    apply(store, RULES, messages(RECEIVED), now=NINE)
    tick(store, RULES, now=DUE + HOUR)
    apply(store, RULES, messages(acted("resolved", 9.5)), now=NINE + 9.5 * HOUR)
    redrive(store, RULES, [SUBJECT], now=NINE + 12 * HOUR)

    assert changes(store) == ["raised", "resolved"]


def test_an_act_that_is_voided_is_undone(store: Store) -> None:
    seen = acted("acknowledged", 9.5)
    apply(store, RULES, messages(RECEIVED), now=NINE)
    tick(store, RULES, now=DUE + HOUR)
    apply(store, RULES, messages(seen), now=NINE + 9.5 * HOUR)
    apply(store, RULES, messages(void(seen, 10)), now=NINE + 10 * HOUR)

    assert changes(store) == ["raised", "acknowledged", "raised"]


def test_an_act_on_an_alert_about_a_source_is_undone_by_its_void(store: Store) -> None:
    apply(store, RULES, messages(RECEIVED), now=NINE)
    apply(store, RULES, messages(act("note", 9, id="ahead")), now=NINE + HOUR)
    (skew,) = said(store, "clock_skew")
    seen = acted("resolved", 1.5, skew["alert"]["id"])
    seen = msgspec.structs.replace(seen, subject="gate")
    apply(store, RULES, messages(seen), now=NINE + 2 * HOUR)
    apply(store, RULES, messages(void(seen, 2)), now=NINE + 2 * HOUR)

    assert changes(store, "clock_skew") == ["raised", "resolved", "raised"]
    with store.reading() as reading:
        assert [row.subject for row in reading.dossiers()] == [SUBJECT]


@pytest.mark.tampers
def test_of_two_that_speak_of_one_alert_at_once_the_later_is_told_to_try_again(
    store: Store, where: str
) -> None:
    apply(store, RULES, messages(RECEIVED), now=NINE)
    apply(store, RULES, messages(act("note", 9, id="ahead")), now=NINE + HOUR)
    with store.reading() as reading:
        (kept,) = [row for row in reading.alerts(["gate"]) if row.kind == "clock_skew"]
    with store.writing() as writing:
        writing.keep_alerts([kept._replace(n=2, state="acknowledged")])
    other = open_store(where)
    with pytest.raises(VersionConflict, match="1 alerts"), other.writing() as writing:
        writing.keep_alerts([kept._replace(n=2, state="resolved")])
    other.close()

    with store.reading() as reading:
        states = {row.kind: (row.state, row.n) for row in reading.alerts(["gate"])}
    assert states["clock_skew"] == ("acknowledged", 2)


def test_two_tickers_that_look_at_feeds_at_once_say_each_silence_once(
    store: Store, where: str, vn: Catalogue
) -> None:
    apply(store, vn, messages(RECEIVED), now=NINE)

    def look() -> None:
        own = open_store(where)
        for _ in range(5):
            with contextlib.suppress(VersionConflict, StoreBusy):
                tick_feeds(own, vn, now=NINE + HOUR / 2)
        own.close()

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert changes(store, "feed_silent") == ["raised"]


def test_a_step_left_too_late_stays_known_though_no_tick_came_in_between(store: Store) -> None:
    states = {**revision().states, "checking": State(limit=Limit(counts="hours", within=2))}
    stepped = catalogue(revision(states=states), generic())
    apply(store, stepped, messages(RECEIVED, act("approve", 3)), now=NINE + 4 * HOUR)

    (alert,) = said(store, "step_late")
    assert (alert["change"], alert["state"]) == ("raised", "resolved")
    assert datetime.fromisoformat(alert["alert"]["due_at"]) == NINE + 2 * HOUR
    assert datetime.fromisoformat(alert["alert"]["ended_at"]) == NINE + 3 * HOUR


def test_an_id_used_twice_and_a_clock_ahead_are_said_of_the_source(store: Store) -> None:
    apply(store, RULES, messages(RECEIVED), now=NINE)
    apply(store, RULES, messages(act("receive", 1, id=RECEIVED.id)), now=NINE + HOUR)
    apply(store, RULES, messages(act("note", 9, id="ahead")), now=NINE + HOUR)

    (conflict,), (skew,) = said(store, "id_conflict"), said(store, "clock_skew")
    assert (conflict["alert"]["subject"], conflict["alert"]["cause"]) == ("gate", SUBJECT)
    assert (skew["alert"]["topic"], skew["alert"]["cause"]) == ("alerts.feeds", SUBJECT)
    apply(store, RULES, messages(act("receive", 1, id=RECEIVED.id)), now=NINE + HOUR)
    assert changes(store, "id_conflict") == ["raised"]


@pytest.fixture
def vn(root: Path) -> Catalogue:
    """A catalogue whose source keeps the hours of the department."""
    calendars = read_calendars(root / "processes" / "calendars")
    gate = source("gate", zone="Asia/Ho_Chi_Minh", delay_minutes=15)
    cadence = msgspec.structs.replace(gate.cadence, calendar="vn-can-tho")
    return catalogue(calendars=calendars, sources={"gate": msgspec.structs.replace(gate, cadence=cadence)})


def test_a_feed_is_silent_past_its_cadence_and_no_longer_when_it_is_heard_of(
    store: Store, vn: Catalogue
) -> None:
    apply(store, vn, messages(RECEIVED), now=NINE)
    assert tick_feeds(store, vn, now=NINE + HOUR / 2) == 1
    assert tick_feeds(store, vn, now=NINE + 2 * HOUR) == 0
    apply(store, vn, messages(tell(Heartbeat(), 2, subject="gate")), now=NINE + 2 * HOUR)
    assert tick_feeds(store, vn, now=NINE + 2 * HOUR) == 1

    assert changes(store, "feed_silent") == ["raised", "resolved"]


def told_count(codes: list[str], hour: float, **more: int) -> Fact:
    digest = hashlib.sha256("".join(f"{code}\n" for code in sorted(codes)).encode()).hexdigest()
    counts = {"received": len(codes), "released": 0, "open": len(codes), **more}
    return tell(Counted(day=NINE.date(), codes_sha256=digest, **counts), hour, subject="gate")


def test_a_count_that_agrees_says_nothing(store: Store) -> None:
    apply(store, RULES, messages(*(act("receive", 0, subject=one) for one in "AB")), now=NINE)
    apply(store, RULES, messages(told_count(["A", "B"], 9)), now=NINE + 9 * HOUR)

    assert tick_feeds(store, RULES, now=NINE + 9 * HOUR + DELAY) == 0
    assert said(store, "feed_incomplete") == []


def test_a_count_that_differs_is_said_after_the_delay_and_resolved_by_what_was_missing(store: Store) -> None:
    apply(store, RULES, messages(act("receive", 0, subject="A")), now=NINE)
    apply(store, RULES, messages(told_count(["A", "B"], 9)), now=NINE + 9 * HOUR)
    assert tick_feeds(store, RULES, now=NINE + 9 * HOUR) == 0
    assert tick_feeds(store, RULES, now=NINE + 9 * HOUR + DELAY) == 1
    assert tick_feeds(store, RULES, now=NINE + 10 * HOUR) == 0
    apply(store, RULES, messages(act("receive", 0, subject="B")), now=NINE + 11 * HOUR)
    assert tick_feeds(store, RULES, now=NINE + 11 * HOUR) == 1

    assert changes(store, "feed_incomplete") == ["raised", "resolved"]
    cause = said(store, "feed_incomplete")[0]["alert"]["cause"]
    assert cause.startswith("received 2, released 0, open 2, codes ")
    assert "; found received 1, released 0, open 1, codes " in cause


def test_a_count_of_a_day_reads_the_dossiers_that_were_open_in_it_or_ended_since(tmp_path: Path) -> None:
    """Not the thousands that ended before; asked of SQLite, which tells how it would look for them."""
    store, statements = open_store(tmp_path / "counted.db"), list[str]()
    apply(store, RULES, messages(act("receive", 0)), now=NINE)
    event.listen(store.engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    day_count(store, "gate", NINE, NINE + 24 * HOUR)
    counted = [one for one in statements if "ended_at" in one]
    assert len(counted) == 2
    with store.engine.connect() as plain:
        for statement in counted:
            values = (0,) * statement.count("?")
            plan = " ".join(
                str(row[3]) for row in plain.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            )
            assert "SEARCH dossiers USING COVERING INDEX dossiers_ended" in plan
    store.close()


def test_a_count_of_a_day_holds_what_was_received_released_and_open_in_it(store: Store) -> None:
    """A is received and returned in the day, B the day before and still open, C returned the day after, D before."""
    day = 24.0
    life = (("A", 25, 30), ("B", 1, None), ("C", 2, 49), ("D", 1, 3))
    for subject, received, returned in life:
        acts = [act("receive", received, subject=subject)]
        if returned is not None:
            acts += [
                act(name, returned - ahead, subject=subject)
                for name, ahead in (("approve", 0.5), ("return_result", 0.0))
            ]
        apply(store, RULES, messages(*acts), now=NINE + 3 * day * HOUR)
    found = day_count(store, "gate", NINE + day * HOUR, NINE + 2 * day * HOUR)
    codes = hashlib.sha256(b"A\n").hexdigest()
    assert found == DayCount(received=1, released=1, open=2, codes_sha256=codes)
    assert day_count(store, "other", NINE, NINE + 9 * day * HOUR).received == 0


def test_lunch_and_night_are_no_silence(store: Store, vn: Catalogue) -> None:
    eleven = NINE + 1.9 * HOUR
    apply(store, vn, messages(RECEIVED), now=eleven)

    assert tick_feeds(store, vn, now=eleven + 2 * HOUR) == 0


def test_after_an_outage_what_a_tick_at_night_finds_is_said_at_the_opening(store: Store, root: Path) -> None:
    """Nine on Monday by the clock of the department; ten days later somebody looks at five in the morning."""
    office = load(root / "processes")
    slip = Appointment(at=(NINE + 24 * HOUR).date())
    body = Acted(action="receive", procedure="1.004237", unit="it-centre", appointment=slip)
    told = [tell(body, 0, source="one-stop"), act("approve", 1, source="one-stop")]
    apply(store, office, messages(*told), now=NINE + HOUR)
    night = NINE + 9 * 24 * HOUR - 4 * HOUR
    opening = night + 2 * HOUR

    assert tick(store, office, now=night).said == 0
    with store.reading() as reading:
        assert [from_us(row.next_due_at or 0) for row in reading.dossiers()] == [opening]
    tick(store, office, now=opening)

    for kind in ("dossier_late", "refused_event"):
        assert [(one["change"], datetime.fromisoformat(one["said_at"])) for one in said(store, kind)] == [
            ("raised", opening)
        ]


def test_a_refusal_taken_back_and_refused_again_at_night_is_said_at_the_opening(
    store: Store, root: Path
) -> None:
    """At half past ten nobody had told of the receipt, at noon it came, and at five in the morning it was voided."""
    office = load(root / "processes")
    head = Actor(id="o1", role="head")
    named: dict[str, Any] = {"procedure": "1.004237", "unit": "it-centre"}
    received = tell(Acted(action="receive", **named), 0, source="one-stop")
    assigned = tell(Acted(action="assign", actor=head, **named), 1, source="one-stop", id="assigned")
    night, opening = NINE + 20 * HOUR, NINE + 22 * HOUR

    apply(store, office, messages(assigned), now=NINE + HOUR)
    tick(store, office, now=NINE + 1.5 * HOUR)
    apply(store, office, messages(received), now=NINE + 3 * HOUR)
    assert changes(store, "refused_event") == ["raised", "retracted"]
    apply(store, office, messages(void(received, 19)), now=night)
    tick(store, office, now=night + HOUR)
    assert changes(store, "refused_event") == ["raised", "retracted"]
    tick_on(store, opening, office)

    again = said(store, "refused_event")[-1]
    assert (again["change"], again["n"]) == ("raised", 3)
    assert datetime.fromisoformat(again["said_at"]) == opening


def test_a_look_as_of_a_moment_at_night_waits_for_nobody(store: Store, root: Path) -> None:
    office = load(root / "processes")
    body = Acted(action="receive", procedure="1.004237", unit="it-centre")
    told = [tell(body, 0, source="one-stop"), act("approve", 1, source="one-stop")]
    apply(store, office, messages(*told), now=NINE + HOUR)
    night = NINE + 20 * HOUR

    tick(store, office, now=night, written_at=NINE + 90 * 24 * HOUR)

    assert changes(store, "refused_event") == ["raised"]


def test_a_lateness_said_while_its_feed_is_silent_is_marked(store: Store, vn: Catalogue) -> None:
    apply(store, vn, messages(RECEIVED), now=NINE)
    tick(store, vn, now=DUE + HOUR)

    assert said(store)[0]["alert"]["feed_silent"] is True


def test_the_order_of_arrival_within_the_delay_changes_no_alert(store: Store) -> None:
    """Every order of one dossier's facts, each in a batch of its own, on a dossier of its own name. What it was at risk
    of is said before it, though by then both are over."""
    states = {**revision().states, "checking": State(limit=Limit(counts="hours", within=2))}
    plain = catalogue(
        revision(states=states), generic(), sources={"gate": source("gate", delay_minutes=60 * 24)}
    )
    story = [("receive", 0.0), ("note", 1.0), ("approve", 3.0), ("return_result", 9.0)]
    for number, order in enumerate(itertools.permutations(story)):
        for turn, (action, hour) in enumerate(order):
            fact = act(action, hour, subject=f"S{number:02}", id=action)
            apply(store, plain, messages(fact), now=NINE + (9.1 + turn / 100) * HOUR)
    tick_on(store, NINE + timedelta(days=9), plain)

    with store.reading() as reading:
        rows = reading.alerts()
    final = {(row.subject, row.kind, row.due_at) for row in rows if row.state not in ("retracted", "waiting")}
    expected = {
        (f"S{number:02}", kind, due)
        for number in range(24)
        for kind, due in (
            *((kind, int(DUE.timestamp()) * 1_000_000) for kind in ("dossier_at_risk", "dossier_late")),
            *(
                (kind, int((NINE + 2 * HOUR).timestamp()) * 1_000_000)
                for kind in ("step_at_risk", "step_late")
            ),
        )
    }
    assert final == expected
    assert {row.state for row in rows if row.state != "retracted"} == {"resolved"}
    told: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row.state == "resolved":
            content = msgspec.json.decode(row.content)["alert"]
            same = {name: content.get(name) for name in ("ended_at", "by", "calendar", "sum", "unit", "to")}
            told.setdefault(row.kind, []).append(same)
    assert all(one == others[0] for others in told.values() for one in others)
    assert all(others[0]["sum"] for others in told.values())
