# ruff: noqa: E501 - one case of a table is one line
from __future__ import annotations

import pytest
from drawing import procedure, read, text
from hypothesis import given
from hypothesis import strategies as st

from workflow.procedure.diff import changes, worded
from workflow.procedure.reader import fingerprint

GUARDS = "guards: {rule: {requires: {role: [head]}}}"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('revision: "1"', 'revision: "2"', "revision changed from 1 to 2"),
        ("en: Registration", "en: Entry", "English name changed from Registration of a change to Entry of a change"),
        ("calendar: office\n", "", "calendar removed: office"),
        ("within: 2, counts: days", "within: 3, counts: days", "state checked limit.within changed from 2 to 3"),
        ("returned: {final: true}", "returned: {final: true}\n  spare: {role: desk}", "state spare added: role: desk"),
        ("{role: [desk], moves: [{from: [signed]", "{role: [desk, head], moves: [{from: [signed]", None),
        ("from: [checked], to: drafted", "from: [checked], to: signed", "action assign move from checked changed from checked → drafted to checked → signed"),
        ("from: [checked], to: drafted", "from: [checked, signed], to: drafted", "action assign move from signed added: signed → drafted"),
        ("from: [checked], to: drafted", "from: [checked]", "action assign move from checked changed from checked → drafted to checked"),
        ("to: drafted}", "to: drafted, guards: [rule]}", "action assign move from checked changed from checked → drafted to checked → drafted (rule)"),
        ("role: [head], moves: [{from: [checked]", "moves: [{from: [checked]", "action assign role removed: head"),
        ("role: [head]}}}", "times: {action: sign, fewer_than: 2}}}}", "guard rule requires changed from role(head) to fewer_than(2, sign)"),
        (GUARDS, "", "guard rule removed: requires: role(head)"),
        ("within: 10, ", "within: 9, ", "limit committed within changed from 10 to 9"),
        ("headline: true", "headline: false", "limit committed headline removed: true"),
        ("reaching: in_time", "reaching: late", "way of counting days reaching changed from in_time to late"),
    ],
)  # fmt: skip
def test_says_what_changed(old: str, new: str, said: str | None) -> None:
    source = text(guards=GUARDS)
    if said is None:
        old, said = (
            "role: [desk], moves: [{from: [signed]",
            "action return role changed from desk to desk, head",
        )
        new = old.replace("[desk]", "[desk, head]")
    assert old in source
    found = changes(read(source), read(source.replace(old, new, 1)))
    assert [worded(change, str) for change in found] == [said]


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("pauses: {tax: {at_most: 1}}", "pause tax added: at_most: 1"),
        ("registers: {fee: {type: money}}", "register fee added: type: money"),
        ("phases: {check: {starts: [receive]}}", "phase check added: starts: receive"),
        ("ends: {signed: {}}", "end signed added: {}"),
        ("accepts: {no-role: none}", "accepted finding no-role added: none"),
        ("approval: {document: QT-01, decision: 1/QĐ, decided_on: 2025-01-01}", None),
    ],
)
def test_says_what_was_added(section: str, said: str | None) -> None:
    found = [worded(change, str) for change in changes(procedure(), procedure(more=section))]
    approval = [
        "approval.document added: QT-01",
        "approval.decision added: 1/QĐ",
        "approval.decided_on added: 2025-01-01",
    ]
    assert found == ([said] if said else approval)


def test_says_that_phases_changed_places() -> None:
    one = procedure(phases="phases: {check: {starts: [receive]}, supply: {starts: [assign]}}")
    two = procedure(phases="phases: {supply: {starts: [assign]}, check: {starts: [receive]}}")
    assert [worded(c, str) for c in changes(one, two)] == [
        "phases changed from check, supply to supply, check"
    ]


LINES = text(guards=GUARDS).splitlines()


@given(
    st.integers(0, len(LINES) - 1),
    st.sampled_from([("2", "3"), ("desk", "head"), ("in_time", "late"), ("role", "role")]),
)
def test_there_is_a_change_exactly_where_the_fingerprint_differs(line: int, change: tuple[str, str]) -> None:
    changed = [one.replace(*change) if number == line else one for number, one in enumerate(LINES)]
    one, two = read("\n".join(LINES)), read("\n".join(changed))
    assert (changes(one, two) == ()) == (fingerprint(one) == fingerprint(two))
