"""One dossier in one line, which of them a list takes, and in which order."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from department import local, rules_of, told
from judging import NINE

from workflow.audit.census import Count, census
from workflow.audit.views import Filter, View, in_order, view

NAME = "land-transfer/2021"
ACTS = ("2025-03-03T08:00 submit", "2025-03-03T09:00 receive")
DUE = local("2025-03-17T17:00")


def seen(at: str, *acts: str) -> View:
    return view(rules_of(NAME), told(NAME, *ACTS, *acts).dossier, local(at))


def one(**changes: Any) -> View:
    plain: dict[str, Any] = {"subject": "a", "procedure": "p", "revision": "1", "state": "s", "open": True}
    return View(**{**plain, **changes})


def test_an_open_dossier_is_overdue_once_its_date_has_passed() -> None:
    before, after = seen("2025-03-17T16:59"), seen("2025-03-17T17:01")

    assert (before.due_at, before.by, before.open) == (DUE, "committed", True)
    assert (before.overdue, after.overdue, after.late) == (False, True, False)


def test_a_released_dossier_is_late_and_no_longer_overdue() -> None:
    found = seen("2025-04-01", "2025-03-18T09:00 issue")

    assert (found.late, found.overdue, found.open) == (True, False, True)
    assert found.released_at == local("2025-03-18T09:00")


def test_a_dossier_asked_about_before_its_end_is_open() -> None:
    acts = ("2025-03-10T09:00 issue", "2025-03-12T09:00 return_result")

    assert [seen(at, *acts).open for at in ("2025-03-11", "2025-03-12")] == [True, False]


def test_a_skipped_step_is_a_deviation() -> None:
    assert seen("2025-03-11", "2025-03-10T09:00 issue").deviated
    assert not seen("2025-03-04").deviated


@pytest.mark.parametrize(
    ("asked", "taken"),
    [
        (Filter(), {"a", "b", "c"}),
        (Filter(states=("s",)), {"a", "b"}),
        (Filter(units=("u", "v")), {"b", "c"}),
        (Filter(procedures=("p",), open=True), {"a", "b"}),
        (Filter(open=True, units=("v",)), set()),
        (Filter(overdue=True), {"b"}),
        (Filter(late=True), {"c"}),
        (Filter(blocked=True), {"a"}),
        (Filter(due_before=NINE), {"b"}),
    ],
)
def test_a_list_takes_what_meets_all_that_is_asked(asked: Filter, taken: set[str]) -> None:
    views = [
        one(blocked="why", due_at=NINE),
        one(subject="b", unit="u", overdue=True, due_at=NINE - timedelta(days=1)),
        one(subject="c", unit="v", state="t", open=False, late=True, due_at=NINE - timedelta(days=1)),
    ]

    assert {each.subject for each in views if asked.takes(each)} == taken


def test_a_list_is_sorted_with_unknown_values_last() -> None:
    views = [
        one(subject="c", due_at=NINE),
        one(subject="b"),
        one(subject="a", due_at=NINE + timedelta(microseconds=1)),
        one(subject="d", due_at=datetime(2020, 1, 1, tzinfo=NINE.tzinfo)),
    ]

    assert [each.subject for each in in_order(views, "due")] == ["d", "c", "a", "b"]
    assert [each.subject for each in in_order(views, "code")] == ["a", "b", "c", "d"]


def test_a_census_counts_every_dossier_once_in_each_way() -> None:
    views = [
        one(unit="u", overdue=True),
        one(subject="b", state="t", unit="v", open=False, late=True, released_at=NINE, deviated=True),
        one(subject="c", state="t", procedure="q", blocked="why", released_at=NINE),
    ]

    found = census(views)

    assert found.whole == Count(
        dossiers=3, open=2, released=2, open_released=1, late=1, overdue=1, deviated=1, blocked=1
    )
    assert [(each.name, each.count.dossiers) for each in found.states] == [("t", 2), ("s", 1)]
    assert [(each.name, each.count.dossiers) for each in found.procedures] == [("p", 2), ("q", 1)]
    assert [(each.name, each.count.overdue) for each in found.units] == [("", 0), ("u", 1), ("v", 0)]


def test_a_census_does_not_depend_on_the_order_it_counts_in() -> None:
    views = [one(subject=name, state=name, procedure=name, unit=name) for name in "dbac"]

    assert census(views) == census(reversed(views))
