"""Definitions put into force: the same tests on every database."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from keeping import (
    CODE,
    LIFE,
    NINE,
    NOW,
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
from msgspec.structs import replace
from test_replay import replayed

from consumers.apply import apply
from consumers.sweep import Change, Moved, Sweep, Swept
from consumers.ticker import tick
from workflow.clocks.calendar import Calendar, CalendarDefinition, Covers, Day, Hours
from workflow.errors import LedgerError
from workflow.facts import Fact, Migrated
from workflow.procedure.language import Anchor, Approval, Binds, Counting, Effective, Limit, Names
from workflow.store.alerts import lives
from workflow.store.opening import open_store
from workflow.store.rows import to_us

if TYPE_CHECKING:
    from workflow.catalogue import Catalogue
    from workflow.store.rows import DossierRow
    from workflow.store.store import Reading, Store

RULES = catalogue()
LATER = NOW.replace(month=7)


def swept(store: Store, known: Catalogue, now: datetime = LATER, **more: Any) -> list[Swept]:
    return list(Sweep(store, known, now, **more).batches())


def moves(batches: list[Swept]) -> list[Moved]:
    return [one for batch in batches for one in batch.moved]


def rows(store: Store) -> dict[str, DossierRow]:
    with store.reading() as reading:
        return {row.subject: row for row in reading.dossiers()}


def said(store: Store) -> list[dict[str, Any]]:
    """The decisions that were said."""
    with store.reading() as reading:
        told = [one for _, content in reading.outbox() for one in msgspec.json.decode(content)]
    return [one for one in told if one["says"] == "decision"]


def working(*days: Day, number: str | None = None) -> Catalogue:
    """The small procedure with seven working days, by a calendar of Monday to Friday, 7 to 11 and 13 to 17."""
    week = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), ("07:00-11:00", "13:00-17:00"))
    definition = CalendarDefinition(
        name="vn",
        zone="Asia/Ho_Chi_Minh",
        covers=Covers(date(2025, 1, 1), date(2026, 12, 31)),
        hours=Hours(week=week),  # type: ignore[arg-type] # the weekdays' names
        days=(Day(date(2026, 1, 1), "off", instrument="Labour Code", unverified=True), *days),
        revision=number,
    )
    limit = Limit(
        counts="days",
        within=7,
        binds=Binds(end="any"),
        starts=Anchor(action="receive"),
        date="committed",
        headline=True,
    )
    counted = revision(
        calendar="vn",
        counting={
            "days": Counting(unit="working_days", first_day="excluded", rest_day="rolls", reaching="in_time")
        },
        limits={"all": limit},
    )
    return catalogue(counted, generic(), calendars={"vn": Calendar(definition)})


BEFORE_THE_SWAP = working()
AFTER_THE_SWAP = working(
    Day(date(2026, 1, 2), "off", instrument="12729/VPCP-KGVX", announced=date(2025, 12, 25)),
    Day(
        date(2026, 1, 10), "work", hours_of="fri", instrument="12729/VPCP-KGVX", announced=date(2025, 12, 25)
    ),
)


def vietnam(*when: int) -> datetime:
    return datetime(*when, tzinfo=UTC) - timedelta(hours=7)  # type: ignore[arg-type,misc] # year to minute


def at(when: datetime, subject: str, action: str = "receive") -> Any:
    return replace(act(action, 0, subject=subject), occurred_at=when)


def test_the_swap_of_2_january_2026_moves_the_open_dossiers_it_touches_and_no_other(store: Store) -> None:
    """Announced on 25 December 2025, in force from then on. Seven working days after Tuesday 23 December end on
    2 January (24, 25, 26, 29, 30, 31, 2), and on 5 January where the 2nd is off."""
    received = vietnam(2025, 12, 23, 9)
    told = [
        at(received, "OPEN"),
        at(vietnam(2025, 12, 11, 9), "EARLIER"),
        at(received, "CLOSED"),
        at(vietnam(2025, 12, 24, 9), "CLOSED", "approve"),
        at(vietnam(2025, 12, 24, 10), "CLOSED", "return_result"),
    ]
    apply(store, BEFORE_THE_SWAP, messages(*told), now=vietnam(2025, 12, 24, 12))
    activated = vietnam(2025, 12, 25, 15)

    found = moves(swept(store, AFTER_THE_SWAP, activated))

    assert found == [
        Moved(
            "OPEN",
            ("calendar",),
            (Change("committed_due_at", vietnam(2026, 1, 2, 17), vietnam(2026, 1, 5, 17)),),
            0,
        )
    ]
    assert len(said(store)) == len(told)
    assert {row.version for row in rows(store).values()} == {2}
    with store.reading() as reading:
        kept = reading.definitions_between(activated - timedelta(seconds=1), activated)
    assert [(one.kind, one.name, one.revision, when) for one, when in kept] == [
        ("calendar", "vn", "2025-12-25", activated)
    ]
    assert replayed(store)[0] == []


def test_a_code_that_is_modelled_now_is_judged_by_its_procedure_and_only_the_difference_is_said(
    store: Store,
) -> None:
    unmodelled = catalogue(replace(generic(), actions={"receive": generic().actions["receive"]}))
    apply(store, unmodelled, messages(LIFE[0], LIFE[1], act("receive", 0, subject="B")), now=NOW)
    assert [one["outcome"]["status"] for one in said(store)] == ["applied", "applied", "refused"]

    found = moves(
        swept(
            store,
            catalogue(
                revision(), replace(generic(), actions=unmodelled.families["generic"]["1"].revision.actions)
            ),
        )
    )

    assert [(one.subject, one.because, one.outcomes) for one in found] == [
        ("B", ("procedure",), 0),
        (SUBJECT, ("procedure",), 1),
    ]
    assert found[0].changes[0] == Change("procedure", "generic", CODE)
    (last,) = said(store)[3:]
    assert (last["id"], last["outcome"]["status"], last["supersedes"]["status"], last["version"]) == (
        LIFE[1].id,
        "applied",
        "refused",
        2,
    )
    assert replayed(store)[0] == []


def test_a_revision_that_comes_after_the_dossiers_it_is_for_judges_them_and_no_others(store: Store) -> None:
    first = revision(effective=Effective(date(2024, 1, 1)))
    second = revision(
        revision="2",
        effective=Effective(date(2024, 1, 3)),
        actions={**first.actions, "note": replace(first.actions["note"], milestone="ready")},
    )
    told = [act("receive", hour, subject=name) for name, hour in (("OLD", 0), ("NEW", 48))]
    apply(store, catalogue(first, generic()), messages(*told), now=NOW)

    found = swept(store, catalogue(first, second, generic()))

    assert [(one.subject, one.because, one.changes) for one in moves(found)] == [
        ("NEW", ("procedure",), (Change("revision", "1", "2"),))
    ]
    assert found[-1].row.dossiers == 1
    assert replayed(store)[0] == []


SLOWER = revision(
    revision="2",
    effective=Effective(date(2024, 5, 1)),
    limits={"all": replace(revision().limits["all"], within=24)},
)
FIRST = revision(effective=Effective(date(2024, 1, 1)))
BOTH = catalogue(FIRST, SLOWER, generic())


def migrated(hour: float, **more: Any) -> Fact:
    return tell(Migrated(revision="2", decision="12/QD"), hour, **more)


def stories(store: Store, kind: str = "dossier_late") -> dict[str, list[str]]:
    """What was said of the alerts of a kind, by dossier."""
    found: dict[str, list[str]] = {}
    with store.reading() as reading:
        told = [one for _, content in reading.outbox() for one in msgspec.json.decode(content)]
    for one in told:
        if one["says"] == "alert" and one["alert"]["kind"] == kind:
            found.setdefault(one["alert"]["subject"], []).append(one["change"])
    return found


def test_a_running_dossier_that_is_moved_to_another_revision_is_late_by_that_one(store: Store) -> None:
    """Eight hours by the first revision, twenty-four by the second: what was said is taken back, and said again."""
    apply(store, BOTH, messages(act("receive", 0)), now=NINE)
    tick(store, BOTH, now=NINE + timedelta(hours=9))
    move = migrated(10)
    apply(store, BOTH, messages(move), now=NINE + timedelta(hours=10))
    assert stories(store) == {SUBJECT: ["raised", "retracted"]}
    assert rows(store)[SUBJECT].revision == "2"

    tick(store, BOTH, now=NINE + timedelta(hours=25))
    assert stories(store) == {SUBJECT: ["raised", "retracted", "raised"]}
    apply(store, BOTH, messages(void(move, 26)), now=NINE + timedelta(hours=26))
    assert rows(store)[SUBJECT].revision == "1"
    with store.reading() as reading:
        (life,) = (one for one in lives(reading.alerts()).values() if one.alert.kind == "dossier_late")
    assert life.alert.due_at == NINE + timedelta(hours=8)


def test_a_move_to_a_revision_that_was_not_known_takes_effect_with_it_and_is_listed_with_its_reason(
    store: Store,
) -> None:
    """Each is moved by a decision before its new revision is there, and late by the old one; B was not moved. The run
    is stopped after a batch and goes on."""
    names = "ABC"
    told = [act("receive", 0, subject=one) for one in names]
    apply(store, catalogue(FIRST, generic()), messages(*told), now=NINE)
    tick(store, catalogue(FIRST, generic()), now=NINE + timedelta(hours=9))
    moves_told = [migrated(10, subject=one) for one in "AC"]
    apply(store, catalogue(FIRST, generic()), messages(*moves_told), now=NINE + timedelta(hours=10))
    assert stories(store) == {one: ["raised"] for one in names}
    activated = NINE + timedelta(hours=12)

    begun = next(Sweep(store, BOTH, activated, batch=1).batches())
    rest = swept(store, BOTH, activated + timedelta(hours=1), batch=1)

    refused = Change("deviated", before=True, after=False)
    due = Change("committed_due_at", NINE + timedelta(hours=8), NINE + timedelta(hours=24))
    expected = (Change("revision", "1", "2"), due, refused)
    assert [(one.subject, one.because, one.changes, one.outcomes) for one in moves([begun, *rest])] == [
        ("A", ("procedure",), expected, 1),
        ("C", ("procedure",), expected, 1),
    ]
    assert stories(store) == {"A": ["raised", "retracted"], "B": ["raised"], "C": ["raised", "retracted"]}
    assert rest[-1].row.finished
    tick(store, BOTH, now=NINE + timedelta(hours=25))
    assert stories(store)["C"] == ["raised", "retracted", "raised"]
    assert moves(swept(store, BOTH, activated + timedelta(days=1))) == []
    assert replayed(store)[0] == []


def test_a_dossier_that_could_not_be_judged_is_tried_again(store: Store) -> None:
    far = replace(act("receive", 0), occurred_at=NOW.replace(year=9999, month=12, day=31, hour=16, minute=30))
    apply(store, RULES, messages(far), now=NOW)
    assert rows(store)[SUBJECT].blocked is not None

    second = revision(revision="2", effective=Effective(date(2025, 1, 1)), limits={})
    (found,) = moves(swept(store, catalogue(revision(), second, generic())))

    assert (found.subject, found.because) == (SUBJECT, ("blocked",))
    assert rows(store)[SUBJECT].blocked is None
    assert said(store)[-1]["outcome"]["status"] == "applied"
    assert replayed(store)[0] == []


def test_an_engine_that_judges_otherwise_tells_what_differs_from_what_the_older_one_said(
    store: Store,
) -> None:
    apply(store, RULES, messages(*LIFE, act("receive", 0, subject="SAME")), now=NOW)
    wrong = {**said(store)[0], "outcome": {"status": "refused"}}
    with store.writing() as writing:
        (row,) = writing.lock([SUBJECT]).values()
        writing.put([row._replace(state="approved", version=2)])
        writing.say(to_us(NOW), 1, msgspec.json.encode([{**wrong, "version": 2}]))
        writing.run("UPDATE dossiers SET judge_version = %s", (0,))

    found = moves(swept(store, RULES))

    assert found == [Moved(SUBJECT, ("engine",), (Change("state", "approved", "returned"),), 1)]
    assert said(store)[-1]["supersedes"] == {"status": "refused"}
    assert {row.judge_version for row in rows(store).values()} == {
        RULES.basis(RULES.families[CODE]["1"]).judge_version
    }
    assert replayed(store)[0] == []


def test_a_source_that_may_void_now_has_its_voids_looked_at_again(store: Store) -> None:
    own = {name: source(name) for name in ("gate", "other")}
    either = {**own, "other": source("other", voids="any")}
    before, after = catalogue(sources=own), catalogue(sources=either)
    apply(store, before, messages(*LIFE, act("receive", 0, subject="B")), now=NOW)
    apply(store, before, messages(void(LIFE[3], 5, source="other")), now=NOW)

    found = moves(swept(store, after))

    assert [(one.subject, one.because) for one in found] == [(SUBJECT, ("source",))]
    assert Change("state", "returned", "approved") in found[0].changes
    assert replayed(store)[0] == []


def test_a_source_whose_run_was_stopped_is_not_forgotten_by_the_next_definitions(store: Store) -> None:
    own = {name: source(name) for name in ("gate", "other")}
    either = {**own, "other": source("other", voids="any")}
    apply(store, catalogue(sources=own), messages(*LIFE, act("receive", 0, subject="B")), now=NOW)
    apply(store, catalogue(sources=own), messages(void(LIFE[3], 5, source="other")), now=NOW)
    Sweep(store, catalogue(sources=either), LATER)

    newer = catalogue(revision(), revision(revision="2"), generic(), sources=either)
    found = moves(swept(store, newer, LATER + timedelta(days=1)))

    assert [one.subject for one in found if "source" in one.because] == [SUBJECT]
    assert replayed(store)[0] == []


def test_a_source_that_is_again_what_it_was_counts_as_that(store: Store, where: str) -> None:
    own = {name: source(name) for name in ("gate", "other")}
    either = {**own, "other": source("other", voids="any")}
    before, after = catalogue(sources=own), catalogue(sources=either)
    apply(store, before, messages(*LIFE), now=NOW)
    apply(store, before, messages(void(LIFE[3], 5, source="other")), now=NOW)
    swept(store, after)

    with closing(open_store(where)) as later:
        assert [one.subject for one in moves(swept(later, before, LATER + timedelta(days=1)))] == [SUBJECT]
    with closing(open_store(where)) as again:
        assert replayed(again)[0] == []
        assert moves(swept(again, before, LATER + timedelta(days=2))) == []


def test_a_calendar_that_is_again_what_it_was_counts_as_that(store: Store) -> None:
    received = vietnam(2025, 12, 29, 9, 0)
    apply(store, BEFORE_THE_SWAP, messages(at(received, "A")), now=received)
    first = rows(store)["A"].committed_due_at
    assert len(moves(swept(store, AFTER_THE_SWAP, received + timedelta(hours=1)))) == 1

    swept(store, BEFORE_THE_SWAP, received + timedelta(hours=2))

    assert rows(store)["A"].committed_due_at == first
    assert replayed(store)[0] == []
    with store.reading() as reading:
        kept = [one.revision for one in reading.definitions() if one.kind == "calendar"]
    assert kept == ["first", "2025-12-25", "first-3"]


def test_what_a_calendar_says_newly_comes_in_by_its_own_revision(store: Store) -> None:
    apply(store, BEFORE_THE_SWAP, messages(at(vietnam(2025, 12, 22, 9, 0), "A")), now=NOW)
    found = Day(date(2025, 12, 24), "off", instrument="Decree", unverified=True)
    with pytest.raises(LedgerError, match="give the calendar another `revision`"):
        swept(store, working(found))

    (moved,) = moves(swept(store, working(found, number="2")))

    assert moved.because == ("calendar",)
    assert [one.what for one in moved.changes] == ["committed_due_at"]
    assert replayed(store)[0] == []
    with store.reading() as reading:
        assert [one.revision for one in reading.definitions() if one.kind == "calendar"] == [
            "first",
            "first/2",
        ]


def test_a_second_run_finds_nothing_to_do(store: Store) -> None:
    apply(store, catalogue(generic()), messages(*LIFE), now=NOW)
    swept(store, RULES)
    before = rows(store), said(store)

    (last,) = swept(store, RULES, LATER + timedelta(days=1))

    assert (last.row.dossiers, last.row.finished, last.moved) == (0, True, ())
    assert (rows(store), said(store)) == before


def test_batches_are_bounded_and_say_how_far_they_came(store: Store) -> None:
    apply(
        store, catalogue(generic()), messages(*(act("receive", 0, subject=one) for one in "ABCDE")), now=NOW
    )

    found = swept(store, RULES, batch=2)

    assert [(one.row.after, one.row.dossiers, one.row.finished) for one in found] == [
        ("B", 2, False),
        ("D", 4, False),
        ("D", 5, True),
    ]


def test_a_run_that_was_stopped_goes_on_as_of_its_own_instant(store: Store) -> None:
    apply(store, catalogue(generic()), messages(*(act("receive", 0, subject=one) for one in "ABC")), now=NOW)
    next(Sweep(store, RULES, LATER, batch=2).batches())

    (rest,) = swept(store, RULES, LATER + timedelta(days=1), batch=2)

    assert (rest.row.dossiers, rest.row.recorded_at) == (3, to_us(LATER))
    assert {row.last_recorded_at for row in rows(store).values()} == {to_us(LATER)}


def test_a_dry_run_tells_the_same_and_keeps_nothing(store: Store) -> None:
    apply(store, catalogue(generic()), messages(*LIFE, act("receive", 0, subject="B")), now=NOW)
    with store.reading() as reading:
        before = rows(store), said(store), reading.definitions()

    dry = moves(swept(store, RULES, keep=False, batch=1))

    with store.reading() as reading:
        assert (rows(store), said(store), reading.definitions()) == before
    assert dry == moves(swept(store, RULES))


@pytest.mark.parametrize("figures", ["approved", "statutory"])
def test_a_revision_that_is_no_draft_is_not_put_into_force_once_it_was_edited(
    store: Store, figures: str
) -> None:
    approval = Approval(document="QT-1", decision="1/QĐ", decided_on=date(2026, 1, 5))
    told = {"figures": figures, "approval": approval if figures == "approved" else None}
    apply(store, catalogue(revision(**told), generic()), messages(*LIFE), now=NOW)
    edited = catalogue(revision(**told, name=Names(vi="Khác", en="Other")), generic())

    with pytest.raises(LedgerError, match="undo the edit"):
        Sweep(store, edited, LATER)


def drafts(reading: Reading) -> list[str]:
    return [one.revision for one in reading.definitions() if (one.kind, one.name) == ("procedure", CODE)]


def test_a_draft_may_be_corrected_and_put_back_and_what_was_judged_by_it_before_stays_known(
    store: Store, where: str
) -> None:
    """A sample was approved by nobody: what is wrong in it is corrected under its own number."""
    first, other = RULES, catalogue(revision(name=Names(vi="Khác", en="Other")), generic())
    apply(store, first, messages(*LIFE), now=NOW)
    before = rows(store)[SUBJECT].fingerprint

    (moved_,) = swept(store, other)
    after = rows(store)[SUBJECT].fingerprint

    assert (moved_.row.dossiers, before == after) == (1, False)
    assert replayed(store)[0] == []
    with closing(open_store(where)) as later:
        with pytest.raises(LedgerError, match="undo the edit"):
            apply(later, first, messages(act("receive", 0, subject="B")), now=LATER)
        apply(later, other, messages(act("receive", 0, subject="C")), now=LATER)
    with store.reading() as reading:
        assert drafts(reading) == ["1", "1 ~2"]
    with closing(open_store(where)) as later:
        swept(later, first, LATER + timedelta(days=1))
        assert rows(later)[SUBJECT].fingerprint == before
        assert replayed(later)[0] == []
        assert [one.row.dossiers for one in swept(later, first, LATER + timedelta(days=2))] == [0]
        with later.reading() as reading:
            assert drafts(reading) == ["1", "1 ~2", "1 ~3"]


def test_a_draft_is_approved_under_its_own_number_and_not_edited_from_then_on(store: Store) -> None:
    approval = Approval(document="QT-1", decision="1/QĐ", decided_on=date(2026, 1, 5))
    signed = revision(figures="approved", approval=approval)
    apply(store, RULES, messages(*LIFE), now=NOW)
    swept(store, catalogue(signed, generic()))

    assert replayed(store)[0] == []
    with pytest.raises(LedgerError, match="undo the edit"):
        swept(store, RULES, LATER + timedelta(days=1))


def test_facts_that_come_after_a_run_are_recorded_after_it(store: Store) -> None:
    apply(store, catalogue(generic()), messages(LIFE[0]), now=NOW)
    swept(store, RULES)
    apply(store, RULES, messages(LIFE[1]), now=NOW)

    with store.reading() as reading:
        recorded = [fact.recorded_at for fact in reading.facts()]
    assert recorded == [NOW, LATER + timedelta(microseconds=1)]
    assert replayed(store)[0] == []
