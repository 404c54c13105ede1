"""What was known at two moments: the same tests on every database."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from keeping import CODE, LIFE, NOW, SUBJECT, act, catalogue, generic, messages, void
from test_replay import SPARE
from test_sweep import AFTER_THE_SWAP, BEFORE_THE_SWAP, at, swept, vietnam

from consumers.apply import apply
from workflow.audit.archive import Archive
from workflow.audit.difference import Change, Comparison, Differing
from workflow.store.rows import EPOCH

if TYPE_CHECKING:
    from datetime import datetime

    from workflow.store.store import Store

RULES = catalogue()
SECOND = timedelta(seconds=1)


def compared(store: Store, first: datetime, second: datetime) -> tuple[list[Differing], Comparison]:
    with store.reading() as reading:
        archive = Archive(reading.definitions_between(EPOCH, NOW.replace(year=2030)), SPARE)
        run = Comparison(reading, archive, first, second)
        return list(run.differing()), run


def test_a_correction_is_named_with_what_it_changed(store: Store) -> None:
    apply(
        store, RULES, messages(LIFE[0], LIFE[2], act("approve", 4), act("receive", 0, subject="B")), now=NOW
    )
    correction = void(LIFE[2], 5)
    apply(store, RULES, messages(correction), now=NOW + 10 * SECOND)

    (found,), run = compared(store, NOW + 5 * SECOND, NOW + 20 * SECOND)

    assert (found.subject, found.changes, found.definitions) == (
        SUBJECT,
        (Change("deviated", before=True, after=False),),
        (),
    )
    assert [(fact.id, fact.action, fact.status) for fact in found.facts] == [
        (correction.id, "event.voided.v1", "applied")
    ]
    assert [(one.id, one.before.status, one.after.status) for one in found.rejudged] == [
        ("approve-2", "applied", "voided"),
        ("approve-4", "refused", "applied"),
    ]
    assert (run.dossiers, run.definitions) == (1, ())


def test_a_calendar_is_named_where_it_moved_a_date_and_nowhere_else(store: Store) -> None:
    told = [at(vietnam(2025, 12, 23, 9), "OPEN"), at(vietnam(2025, 12, 11, 9), "EARLIER")]
    recorded = vietnam(2025, 12, 24, 12)
    apply(store, BEFORE_THE_SWAP, messages(*told), now=recorded)
    activated = vietnam(2025, 12, 25, 15)
    swept(store, AFTER_THE_SWAP, activated)

    (found,), run = compared(store, recorded + SECOND, activated)

    assert found.subject == "OPEN"
    assert found.changes == (Change("due_at", vietnam(2026, 1, 2, 17), vietnam(2026, 1, 5, 17)),)
    assert (found.facts, found.rejudged) == ((), ())
    assert [(one.kind, one.name, one.recorded_at) for one in found.definitions] == [
        ("calendar", "vn", activated)
    ]
    assert run.definitions == found.definitions


def test_a_fact_and_a_procedure_of_the_same_time_are_both_named(store: Store) -> None:
    apply(store, catalogue(generic()), messages(LIFE[0], act("receive", 0, subject="B")), now=NOW)
    apply(store, RULES, messages(LIFE[2]), now=NOW + 10 * SECOND)

    found, _ = compared(store, NOW, NOW + 20 * SECOND)

    by_subject = {one.subject: one for one in found}
    assert [fact.id for fact in by_subject[SUBJECT].facts] == [LIFE[2].id]
    assert [one.name for one in by_subject[SUBJECT].definitions] == [CODE]
    assert Change("procedure", "generic", CODE) in by_subject["B"].changes
    assert (by_subject["B"].facts, [one.name for one in by_subject["B"].definitions]) == ((), [CODE])


def test_a_new_dossier_came_with_its_facts(store: Store) -> None:
    apply(store, RULES, messages(*LIFE), now=NOW)

    (found,), run = compared(store, NOW - SECOND, NOW + SECOND)

    assert [fact.id for fact in found.facts] == [fact.id for fact in LIFE]
    assert found.definitions == ()
    assert Change("state", None, "returned") in found.changes
    assert {one.kind for one in run.definitions} == {"procedure"}


def test_nothing_differs_by_the_passing_of_time_alone(store: Store) -> None:
    apply(store, RULES, messages(LIFE[0]), now=NOW)

    assert compared(store, NOW, NOW + timedelta(days=400))[0] == []
    assert compared(store, NOW + timedelta(days=1), NOW + timedelta(days=400))[0] == []


def test_a_fact_that_changes_nothing_is_no_difference(store: Store) -> None:
    apply(store, RULES, messages(*LIFE), now=NOW)
    late = void(act("note", 9, id="unknown"), 5)
    apply(store, RULES, messages(late), now=NOW + 10 * SECOND)

    assert compared(store, NOW + SECOND, NOW + 20 * SECOND)[0] == []
