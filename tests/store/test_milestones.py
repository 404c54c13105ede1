"""Sources that report milestones only: the generic procedure judges, until a source that reports steps tells of it."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from keeping import CODE, NOW, SUBJECT, act, catalogue, generic, messages, revision, source, void
from msgspec.structs import replace
from test_replay import replayed

from consumers.apply import apply
from consumers.sweep import Sweep
from workflow.catalogue import from_archive
from workflow.facts import Linked
from workflow.fold import fold
from workflow.store.judgments import pack
from workflow.store.rows import EPOCH

if TYPE_CHECKING:
    from workflow.catalogue import Catalogue
    from workflow.facts import Fact
    from workflow.store.rows import DossierRow
    from workflow.store.store import Store

GENERIC = replace(generic(), on_order_break="follow")
PORTAL, GATE = source("portal", reports="milestones", voids="own"), source("gate")
RULES = catalogue(revision(), GENERIC, sources={"portal": PORTAL, "gate": GATE})
RECEIVED, APPROVED, RETURNED = (
    act(name, hour, source="portal") for hour, name in enumerate(("receive", "approve", "return_result"))
)
NOTED = act("note", 1.5)


def row_of(store: Store, subject: str = SUBJECT) -> DossierRow:
    with store.reading() as reading:
        return next(iter(reading.dossiers([subject])))


def swept(store: Store, known: Catalogue) -> list[str]:
    now = NOW.replace(month=7)
    return [one.subject for batch in Sweep(store, known, now).batches() for one in batch.moved]


def test_what_only_milestones_tell_is_judged_by_them_and_keeps_its_code(store: Store) -> None:
    apply(store, RULES, messages(RECEIVED, RETURNED), now=NOW)
    found = row_of(store)

    assert (found.procedure, found.code, found.state) == ("generic", CODE, "returned")
    assert replayed(store)[0] == []


@pytest.mark.parametrize("told", list(itertools.permutations((RECEIVED, APPROVED, NOTED))))
def test_the_first_step_told_brings_it_to_its_own_procedure_in_whatever_order(
    store: Store, told: tuple[Fact, ...]
) -> None:
    for fact in told:
        apply(store, RULES, messages(fact), now=NOW)

    assert row_of(store).procedure == CODE
    assert row_of(store).judgment == pack(fold(RULES.rules_for(told), SUBJECT, told).dossier)
    assert replayed(store)[0] == []


def test_a_step_that_is_taken_back_leaves_what_the_milestones_tell(store: Store) -> None:
    apply(store, RULES, messages(RECEIVED, NOTED), now=NOW)
    apply(store, RULES, messages(void(NOTED, 2)), now=NOW)

    assert row_of(store).procedure == "generic"
    assert replayed(store)[0] == []


def test_two_codes_of_one_story_are_told_by_either(store: Store) -> None:
    link = replace(
        act("note", 1, subject="OLD"), id="link", source="portal", body=Linked(kind="new_code", other=SUBJECT)
    )
    apply(store, RULES, messages(RECEIVED, replace(RECEIVED, subject="OLD"), link), now=NOW)
    assert {row_of(store, code).procedure for code in ("OLD", SUBJECT)} == {"generic"}

    apply(store, RULES, messages(replace(NOTED, subject="OLD")), now=NOW)

    assert {row_of(store, code).procedure for code in ("OLD", SUBJECT)} == {CODE}
    assert replayed(store)[0] == []


def test_the_archive_knows_which_sources_told_milestones(store: Store) -> None:
    apply(store, RULES, messages(RECEIVED, APPROVED), now=NOW)
    with store.reading() as reading:
        kept = [one for one, _ in reading.definitions_between(EPOCH, NOW.replace(year=2030))]

    known = from_archive([*RULES.used(RULES.families[CODE].values()), *kept])
    assert known.rules_for([RECEIVED, APPROVED]).revision.procedure == "generic"
    assert known.rules_for([RECEIVED, NOTED]).revision.procedure == CODE


def test_a_source_that_begins_to_report_steps_has_its_dossiers_judged_anew(store: Store) -> None:
    apply(store, RULES, messages(RECEIVED, APPROVED, act("receive", 0, subject="B")), now=NOW)
    assert swept(store, RULES) == []

    steps = catalogue(revision(), GENERIC, sources={"portal": replace(PORTAL, reports="steps"), "gate": GATE})

    assert swept(store, steps) == [SUBJECT]
    assert row_of(store).procedure == CODE
