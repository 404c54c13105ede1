"""Rotation judged over a store: what is said, said once, taken back; and officers' facts beside those of dossiers."""

from __future__ import annotations

from contextlib import closing
from functools import cache
from typing import TYPE_CHECKING

import msgspec
import pytest
from keeping import generic, message, messages, revision, source
from msgspec.structs import replace
from places import ROOT
from rotating import (
    BRANCH,
    CALENDAR,
    OFFICER,
    ORGANISATION,
    POST,
    RULES,
    ZONE,
    appointed,
    at,
    concluded,
    moved,
    void,
)

from consumers.apply import apply
from consumers.files.limits import FileLimits
from consumers.files.registers import Register
from consumers.rotating import acts_after, judge_rotation
from workflow.catalogue import Catalogue, from_archive
from workflow.facts import Acted, Actor, AlertActed, Fact, Scalar, Voided
from workflow.messages import read
from workflow.procedure.reader import read_procedures
from workflow.rotation.careers import career
from workflow.store import beside
from workflow.store.opening import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workflow.store.store import Store

DUE = f"rotation_due_verified/{OFFICER}/finding/KN-31/{BRANCH}/{POST}"
OVERDUE = f"rotation_overdue/{OFFICER}/finding/KN-31/{BRANCH}/{POST}"
VERIFIED = (appointed("2021-03-01"), concluded("2021-06-01"))


@cache
def catalogue() -> Catalogue:
    return Catalogue(
        (revision(), generic()),
        {"vn-can-tho": CALENDAR},
        {"personnel": source("personnel")},
        ORGANISATION,
        None,
        RULES,
    )


def tell(store: Store, *facts: Fact, on: str = "2021-06-02") -> None:
    apply(store, catalogue(), messages(*facts), now=at(on))


def said(store: Store, on: str, *, acts: bool = True) -> list[tuple[str, str]]:
    done = judge_rotation(store, catalogue(), now=at(on), acts=acts)
    return [(one.alert.id, one.change) for one in done.said]


def act(number: int, on: str, officer: str = OFFICER, **more: object) -> Fact:
    body = Acted(action="note", procedure="1.000003", actor=Actor(id=officer, role="officer"), unit=BRANCH)
    return Fact(f"H13-{number}", "gate", f"a-{number}", at(on), msgspec.structs.replace(body, **more))


def test_what_feedback_on_an_officer_came_to_makes_a_move_due_and_its_correction_takes_it_back(
    store: Store,
) -> None:
    known = Catalogue(
        (*read_procedures(ROOT / "processes" / "can-tho" / "feedback"), generic()),
        {"vn-can-tho": CALENDAR},
        {"personnel": source("personnel")},
        ORGANISATION,
        None,
        RULES,
    )

    def feedback(number: int, action: str, role: str, **data: Scalar) -> Fact:
        body = Acted(
            action=action,
            procedure="harassment-feedback",
            actor=Actor(id=f"{role}-1", role=role),
            unit="can-tho-department",
            data=data,
        )
        return Fact("PA-7", "gate", f"f-{number}", at(f"2021-06-0{number}"), body, number)

    acts = [
        feedback(1, "receive", "focal", officer=OFFICER),
        feedback(2, "assign", "focal"),
        feedback(3, "conclude", "inspector", conclusion="verified"),
        feedback(4, "submit_for_approval", "officer"),
    ]

    def pass_at(on: str, *facts: Fact) -> list[tuple[str, str]]:
        apply(store, known, messages(*facts), now=at(on))
        return [(one.alert.id, one.change) for one in judge_rotation(store, known, now=at(on)).said]

    due = f"rotation_due_verified/{OFFICER}/finding/PA-7/{BRANCH}/{POST}"
    assert pass_at("2021-06-04", appointed("2021-03-01"), *acts) == []
    assert pass_at("2021-06-05", feedback(5, "issue", "director")) == [(due, "raised")]
    wrong = Fact("PA-7", "gate", "v", at("2021-06-06"), Voided(target_id="f-3", reason="of another officer"))
    again = feedback(3, "conclude", "inspector", conclusion="not_verified")
    assert pass_at("2021-06-07", wrong, replace(again, id="f-3b")) == [(due, "retracted")]


def test_a_move_that_is_due_is_said_once_and_then_that_it_is_overdue(store: Store) -> None:
    tell(store, *VERIFIED)
    assert said(store, "2021-06-02") == [(DUE, "raised")]
    assert said(store, "2021-06-03") == []
    assert said(store, "2021-06-16") == [(OVERDUE, "raised")]
    assert said(store, "2021-06-17") == []


def test_a_void_takes_back_what_rested_on_it_and_begins_no_dossier(store: Store) -> None:
    tell(store, *VERIFIED)
    said(store, "2021-06-16")
    tell(store, void(VERIFIED[1], "2021-06-17"), on="2021-06-17")
    assert said(store, "2021-06-18") == [(DUE, "retracted"), (OVERDUE, "retracted")]
    with store.reading() as reading:
        assert list(reading.dossiers()) == []


def test_a_void_told_with_its_officer_or_twice_begins_no_dossier_either(store: Store) -> None:
    gone = void(VERIFIED[1], "2021-06-17")
    tell(store, *VERIFIED, gone)
    again = apply(store, catalogue(), messages(gone), now=at("2021-06-18"))
    assert (again.appended, again.duplicates) == (0, 1)
    assert said(store, "2021-06-18") == []
    with store.reading() as reading:
        assert list(reading.dossiers()) == []


def test_a_move_that_was_made_is_resolved_and_a_reversed_finding_retracted(store: Store) -> None:
    tell(store, *VERIFIED)
    said(store, "2021-06-02")
    tell(store, moved("2021-06-10", (POST, "branch-o-mon")), on="2021-06-10")
    assert said(store, "2021-06-10") == []
    assert said(store, "2021-06-11") == [(DUE, "resolved")]
    tell(store, concluded("2021-07-01", "not_verified"), on="2021-07-01")
    assert said(store, "2021-07-01") == [(DUE, "retracted")]


def test_a_move_made_long_before_anything_was_said_raises_nothing(store: Store) -> None:
    tell(store, *VERIFIED, moved("2021-06-10", (POST, "branch-o-mon")))
    assert said(store, "2021-08-01") == []


def test_an_acknowledgement_is_kept_through_a_pass(store: Store) -> None:
    tell(store, *VERIFIED)
    said(store, "2021-06-02")
    seen = AlertActed(alert_id=DUE, act="acknowledged", by=Actor(id="head-1"))
    tell(store, Fact(OFFICER, "personnel", "ack-1", at("2021-06-03"), seen), on="2021-06-03")
    assert said(store, "2021-06-03") in ([(DUE, "acknowledged")], [])
    with store.reading() as reading:
        assert [row.state for row in reading.alerts([OFFICER])] == ["acknowledged"]


def test_acts_after_the_move_are_said_where_they_stand(store: Store) -> None:
    tell(store, appointed("2021-03-01"), moved("2021-06-10"), on="2021-06-10")
    later, undone = act(1, "2021-06-11"), act(2, "2021-06-12")
    gone = Fact("H13-2", "gate", "v", at("2021-06-13"), Voided(target_id=undone.id, reason="of another"))
    others = (
        act(3, "2021-06-11", officer=f"{OFFICER}9"),
        act(4, "2021-06-11", unit="branch-o-mon"),
        act(5, "2021-06-09"),
    )
    tell(store, later, undone, gone, *others, on="2021-06-14")
    ((name, change),) = said(store, "2021-06-15")
    assert (name.rpartition("/")[0], change) == (f"acting_after_move/{OFFICER}/H13-1/note", "raised")
    assert said(store, "2021-06-15", acts=False) == []
    tell(
        store,
        replace(gone, subject="H13-1", body=Voided(target_id=later.id, reason="of another")),
        on="2021-06-16",
    )
    assert [change for _, change in said(store, "2021-06-16")] == ["retracted"]


ACTED = f"acting_after_move/{OFFICER}/H13-1/note"


class Watching:
    """A pass over a store of which each search through all acts and each claim is heard; what happens `meanwhile` comes
    with the first search."""

    def __init__(self, where: str, meanwhile: Callable[[Store], object] = lambda _: None) -> None:
        self.heard: list[str] = []
        self._meanwhile: Callable[[Store], object] | None = meanwhile
        self._store = open_store(where, watch=self._hear)

    def _hear(self, statement: str) -> None:
        if "INSERT INTO positions" in statement:
            self.heard.append("claim")
        if "type = 'dossier.acted.v1'" in statement:
            self.heard.append("search")
            if (meanwhile := self._meanwhile) is not None:
                self._meanwhile = None
                meanwhile(self._store)

    def said(self, on: str) -> list[tuple[str, str]]:
        """Of acts after a move: which, and what was said."""
        with closing(self._store):
            return acting(self._store, on)


def acting(store: Store, on: str) -> list[tuple[str, str]]:
    return [(name.rpartition("/")[0], change) for name, change in said(store, on)]


def test_all_acts_are_looked_through_before_the_transaction(store: Store, where: str) -> None:
    tell(store, appointed("2021-03-01"), moved("2021-06-10"), act(1, "2021-06-14"), on="2021-06-14")
    watching = Watching(where)
    assert watching.said("2021-06-15") == [(ACTED, "raised")]
    assert watching.heard == ["search", "claim"]


def test_what_another_pass_said_of_an_act_meanwhile_is_not_taken_back(store: Store, where: str) -> None:
    tell(store, appointed("2021-03-01"), moved("2021-06-10"), on="2021-06-14")
    told: list[tuple[str, str]] = []

    def meanwhile(other: Store) -> None:
        tell(other, act(1, "2021-06-14"), on="2021-06-15")
        told.extend(acting(other, "2021-06-15"))

    watching = Watching(where, meanwhile)
    assert watching.said("2021-06-15") == []
    assert told == [(ACTED, "raised")]
    assert watching.heard == ["search", "search", "claim", "claim", "search"]


def test_who_left_a_post_meanwhile_is_looked_for_at_once(store: Store, where: str) -> None:
    tell(store, appointed("2021-03-01"), act(1, "2021-06-14"), on="2021-06-14")
    other = appointed("2021-03-01", subject="cb-0200"), moved("2021-06-10", subject="cb-0200")
    tell(store, *other, on="2021-06-14")
    watching = Watching(where, lambda again: tell(again, moved("2021-06-10"), on="2021-06-15"))
    assert watching.said("2021-06-15") == [(ACTED, "raised")]


def test_acts_are_known_as_of_two_times(store: Store) -> None:
    told = [appointed("2021-03-01"), moved("2021-06-10")]
    tell(store, *told)
    tell(store, act(1, "2021-06-11"), on="2021-07-01")
    known = career({}, OFFICER, told)
    with store.reading() as reading:
        assert len(acts_after(reading, catalogue(), [known])[OFFICER]) == 1
        assert acts_after(reading, catalogue(), [known], known_at=at("2021-06-30")) == {}
        assert acts_after(reading, catalogue(), [known], until=at("2021-06-10")) == {}


def test_messages_go_to_the_topic_of_rotation_under_the_officers_code(store: Store) -> None:
    tell(store, *VERIFIED)
    said(store, "2021-06-02")
    with store.reading() as reading:
        sent = [one for _, content in reading.outbox() for one in read(content)]
    assert [(one.topic, one.key, one.id) for one in sent] == [("alerts.rotation", OFFICER, f"{DUE}/1")]
    assert b"land-registration-director@land-registration" in sent[0].data


def test_the_definitions_officers_are_judged_by_are_archived_with_their_first_fact(store: Store) -> None:
    tell(store, *VERIFIED)
    with store.reading() as reading:
        archived = reading.definitions()
    again = from_archive([*archived, *catalogue().used([next(iter(catalogue().family(None).values()))])])
    assert again.rotation_rules == RULES
    found = again.rotation()
    assert found is not None
    assert found.duties(career({}, OFFICER, VERIFIED))[0].due_at == at("2021-06-15T17:00")


def test_officers_come_with_all_their_facts_and_dossiers_with_none(store: Store) -> None:
    tell(store, *VERIFIED, void(VERIFIED[0], "2021-06-05"), act(1, "2021-06-01"))
    with store.reading() as reading:
        found = dict(beside.officers(reading))
    assert {name: len(facts) for name, facts in found.items()} == {OFFICER: 3}


@pytest.mark.parametrize("count", [0, 200])
def test_the_index_serves_the_question_for_officers(tmp_path: Path, count: int) -> None:
    store = open_store(tmp_path / "plan.db")
    tell(store, *VERIFIED, *(act(number, "2021-06-01") for number in range(count)))
    statement = beside._BESIDE.replace("%s", "?")  # noqa: SLF001 - the statement itself is asked about
    with store.engine.connect() as plain:
        rows = plain.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", ("officer.", "officer/"))
        plan = " ".join(str(row[3]) for row in rows)
    store.close()
    assert "facts_beside" in plan
    assert "SCAN facts" not in plan


def test_a_register_in_the_examples_is_taken_whole(store: Store) -> None:
    for name in ("terms", "events"):
        path = ROOT / "examples" / "officers" / f"{name}.csv"
        register = Register(path, FileLimits(), source="personnel", zone=ZONE)
        apply(
            store, catalogue(), [message(entry.fact) for entry in register.entries(0)], now=at("2021-06-30")
        )
    assert {one.partition("/")[0] for one, _ in said(store, "2021-06-30")} == {
        "rotation_due_verified",
        "rotation_due_term",
        "rotation_overdue",
    }
