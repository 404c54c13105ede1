"""Judgments of a store made again: the same tests on every database."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from keeping import CODE, LIFE, NINE, NOW, SUBJECT, act, catalogue, generic, messages, revision, tell, void
from msgspec.structs import replace

from consumers.apply import apply, redrive
from consumers.sweep import Sweep
from consumers.ticker import tick
from workflow.audit import replay as replaying
from workflow.audit.archive import Archive
from workflow.audit.replay import Counts, Difference, Replay
from workflow.facts import Heartbeat
from workflow.procedure.language import Anchor, Binds, Limit
from workflow.store.rows import EPOCH, to_us

if TYPE_CHECKING:
    from workflow.store.store import Store

RULES = catalogue()
(SPARE,) = [one for one in RULES.used(RULES.families["generic"].values()) if one.name == "generic"]


def replayed(
    store: Store, *, dates: bool = True, now: datetime | None = None
) -> tuple[list[Difference], Counts]:
    with store.reading() as reading:
        archive = Archive(reading.definitions_between(EPOCH, NOW.replace(year=2030)), SPARE)
        run = Replay(reading, archive, dates=dates, now=now)
        return list(run.differences()), run.counts


def change(store: Store, statement: str) -> None:
    """What no command of ours does."""
    with store.engine.begin() as plain:
        plain.exec_driver_sql(statement)


@pytest.fixture
def filled(store: Store) -> Store:
    """A dossier whose story changes late, three that are short, and a fact of no dossier."""
    apply(store, RULES, messages(LIFE[0], LIFE[2], tell(Heartbeat(), 0, subject="gate")), now=NOW)
    apply(store, RULES, messages(act("approve", 4), act("note", 1)), now=NOW)
    apply(store, RULES, messages(void(LIFE[2], 5)), now=NOW)
    apply(store, RULES, messages(*(act("receive", 0, subject=one) for one in "ABC")), now=NOW)
    return store


def test_what_was_applied_is_what_follows(filled: Store) -> None:
    found, counts = replayed(filled)

    assert found == []
    assert (counts.dossiers, counts.facts, counts.older, counts.blocked) == (4, 9, 0, 0)
    assert counts.said > 8


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE dossiers SET state = 'approved' WHERE subject = 'B'", "state"),
        ("UPDATE dossiers SET committed_due_at = 1 WHERE subject = 'B'", "committed_due_at"),
        ("UPDATE dossiers SET facts = 7 WHERE subject = 'B'", "facts"),
        ("UPDATE dossiers SET blocked = 'mistake' WHERE subject = 'B'", "blocked"),
        ("UPDATE dossiers SET fingerprint = 'none' WHERE subject = 'B'", "judgment"),
        ("DELETE FROM dossiers WHERE subject = 'B'", "row"),
    ],
)
def test_a_row_that_was_changed_is_named(filled: Store, statement: str, what: str) -> None:
    change(filled, statement)

    found, counts = replayed(filled)

    assert [(one.subject, one.where, one.what) for one in found if one.where == "row"] == [("B", "row", what)]
    assert counts.differences == len(found)


OTHERWISE = {
    **dict.fromkeys(("code", "state", "unit", "officer"), "'other'"),
    **dict.fromkeys(("received_at", "released_at", "ended_at"), "7"),
    **dict.fromkeys(("appointment_due_at", "committed_due_at", "minutes_left", "facts"), "7"),
    **dict.fromkeys(("appointment_late", "committed_late"), "true"),
    "deviated": "NOT deviated",
}
BASIS = dict.fromkeys(("procedure", "revision", "fingerprint", "calendar"), "'other'")


def test_each_column_that_follows_is_compared(filled: Store) -> None:
    """Without dates those that hang on none, and what the judgment itself says."""
    with filled.reading() as reading:
        (row,) = reading.dossiers(["B"])
    for number, (column, value) in enumerate({**OTHERWISE, **BASIS}.items(), 1):
        change(filled, f"UPDATE dossiers SET {column} = {value} WHERE subject = 'B'")
        dated, undated = ({one.what for one in replayed(filled, dates=dates)[0]} for dates in (True, False))
        with filled.writing() as writing:
            writing.put([row._replace(version=row.version + number)])

        named = {column} if column in OTHERWISE else {"judgment"}
        assert {one for one in dated if one != "outcome"} == named, column
        without = named if column in {"code", "state", "facts", *BASIS} else set()
        assert {one for one in undated if one != "outcome"} == without, column
    assert replayed(filled)[0] == replayed(filled, dates=False)[0] == []


AT_RISK, LATE = NINE + 0.8 * timedelta(hours=8), NINE + timedelta(hours=8)


@pytest.mark.parametrize("put_off", ["NULL", str(to_us(LATE + timedelta(days=400)))])
@pytest.mark.parametrize("asked_at", [NINE, AT_RISK - timedelta(minutes=1), LATE + timedelta(hours=1)])
def test_a_dossier_that_the_ticker_was_made_to_forget_is_named(
    store: Store, put_off: str, asked_at: datetime
) -> None:
    """Its warnings would never be raised, though nothing of its judgment was changed."""
    apply(store, RULES, messages(LIFE[0], act("receive", 0, subject="B")), now=NINE)
    assert replayed(store, now=asked_at)[0] == []
    change(store, f"UPDATE dossiers SET next_due_at = {put_off} WHERE subject = 'B'")

    found, _ = replayed(store, now=asked_at)

    assert [(one.subject, one.what) for one in found] == [("B", "next_due_at")]
    list(Sweep(store, RULES, NINE, everything=True).batches())
    assert replayed(store, now=asked_at)[0] == []


def test_a_dossier_the_ticker_looked_at_has_slept_through_nothing(store: Store) -> None:
    """Warned, late, told late after the end: at each step it is looked at for the present and again by the replay."""
    apply(store, RULES, messages(LIFE[0], act("receive", 0, subject="B")), now=NINE)
    for hours in (6.5, 7, 8.5, 30, 400):
        at = NINE + timedelta(hours=hours)
        tick(store, RULES, now=at)
        assert replayed(store, now=at)[0] == [], hours
    apply(store, RULES, messages(act("approve", 401), act("return_result", 402)), now=at + timedelta(hours=3))
    change(store, f"UPDATE dossiers SET next_due_at = NULL WHERE subject = '{SUBJECT}'")
    assert replayed(store, now=at + timedelta(hours=4))[0] == []


def test_a_row_without_facts_is_named(filled: Store) -> None:
    with filled.reading() as reading:
        (row,) = reading.dossiers(["C"])
    with filled.writing() as writing:
        writing.put([row._replace(subject="AA", version=1), row._replace(subject="Z", version=1)])

    found, _ = replayed(filled)

    assert [(one.subject, one.where) for one in found] == [("AA", "facts"), ("Z", "facts")]


def test_a_judgment_that_was_changed_is_named_by_its_part(filled: Store) -> None:
    with filled.reading() as reading:
        rows = {row.subject: row for row in reading.dossiers()}
    other = rows["B"]._replace(judgment=rows["C"].judgment, version=2)
    with filled.writing() as writing:
        writing.put([other, rows["A"]._replace(judgment=b"\x90", version=2)])

    found, _ = replayed(filled)

    assert [(one.subject, one.what, one.kept, one.derived) for one in found] == [
        ("A", "judgment", "1 bytes of no judgment", "a judgment"),
        ("B", "judgment.subject", '"C"', '"B"'),
    ]


def said(store: Store) -> list[tuple[int, list[dict[str, Any]]]]:
    with store.reading() as reading:
        return [(seq, msgspec.json.decode(content)) for seq, content in reading.outbox()]


@pytest.mark.tampers
@pytest.mark.parametrize("looked_at", [1, 1 << 10])
def test_what_was_said_otherwise_or_not_at_all_is_named(
    filled: Store, monkeypatch: pytest.MonkeyPatch, looked_at: int
) -> None:
    monkeypatch.setattr(replaying, "LOOKED_AT", looked_at)
    (*_, (last, told)) = said(filled)
    lie = {**told[0], "outcome": {**told[0]["outcome"], "status": "refused"}}
    more = {**told[0], "id": "never"}
    with filled.writing() as writing:
        writing.run("DELETE FROM outbox WHERE seq = %s", (last,))
        writing.say(1, 2, msgspec.json.encode([lie, more]))

    found, _ = replayed(filled)

    assert sorted((one.subject, one.where, one.fact, one.kept, one.derived) for one in found) == [
        ("A", "said", "gate/never", '{"status":"applied"}', "nothing"),
        ("A", "said", "gate/receive-0", '{"status":"refused"}', '{"status":"applied"}'),
        ("B", "said", "gate/receive-0", "nothing", '{"status":"applied"}'),
        ("C", "said", "gate/receive-0", "nothing", '{"status":"applied"}'),
    ]


def test_what_is_said_of_alerts_is_no_decision(filled: Store) -> None:
    with filled.writing() as writing:
        writing.say(1, 1, b'[{"says":"alert","alert":{"subject":"A"},"n":3}]')

    assert replayed(filled)[0] == []


@pytest.mark.tampers
def test_a_fact_that_was_smuggled_in_is_noticed(filled: Store) -> None:
    change(
        filled,
        "INSERT INTO facts (subject, source, id, revision, type, occurred_at, recorded_at, sequence, told, "
        "received_hash, digest) SELECT subject, source, 'smuggled', 0, type, occurred_at + 1, recorded_at + 1, 0, "
        "told, received_hash, digest FROM facts WHERE subject = 'B'",
    )

    found, _ = replayed(filled)

    assert ("B", "row", "facts", "1", "2") in [
        (one.subject, one.where, one.what, one.kept, one.derived) for one in found
    ]
    assert ("B", "said", "gate/smuggled") in [(one.subject, one.where, one.fact) for one in found]


def test_a_dossier_that_cannot_be_judged_differs_only_once_it_can(store: Store) -> None:
    far = replace(act("receive", 0), occurred_at=NINE.replace(year=9999, month=12, day=31, hour=23))
    apply(store, RULES, messages(far, act("receive", 0, subject="B")), now=NOW)
    assert replayed(store)[0] == []
    assert replayed(store)[1].blocked == 1

    change(store, f"UPDATE dossiers SET blocked = 'no reason' WHERE subject <> '{SUBJECT}'")

    assert [(one.subject, one.what, one.kept) for one in replayed(store)[0]] == [
        ("B", "blocked", "no reason")
    ]


def test_a_dossier_is_judged_again_by_the_definitions_it_was_judged_by(store: Store) -> None:
    apply(store, catalogue(generic()), messages(act("receive", 0, subject="OLD"), LIFE[0]), now=NOW)
    apply(store, RULES, messages(LIFE[1]), now=NOW.replace(month=7))

    found, counts = replayed(store)

    assert found == []
    assert (counts.dossiers, counts.older) == (2, 1)
    with store.reading() as reading:
        assert [row.procedure for row in reading.dossiers()] == [CODE, "generic"]


def test_what_a_redrive_says_again_is_no_difference(store: Store) -> None:
    apply(store, catalogue(generic()), messages(*LIFE), now=NOW)
    redrive(store, RULES, [SUBJECT], now=NOW)

    assert replayed(store)[0] == []


def test_a_dossier_whose_definitions_were_not_kept_is_named(store: Store) -> None:
    apply(store, RULES, messages(*LIFE), now=NOW)
    stricter = {
        "all": Limit(
            counts="hours",
            within=1,
            binds=Binds(end="any"),
            starts=Anchor(action="receive"),
            date="committed",
            headline=True,
        )
    }
    other = catalogue(revision(limits=stricter), generic())
    definitions = other.used(other.families[CODE].values())
    with store.reading() as reading:
        run = Replay(reading, Archive([(one, NOW) for one in definitions], SPARE))
        found = list(run.differences())

    assert {one.what for one in found} == {"judgment"}
    assert found[0].derived == "its definitions are not archived"
