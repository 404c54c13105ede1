"""What is owed by a date: begun by its schedule, late like any other, complete or not; and the two shares."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from places import ROOT
from rotating import CALENDAR, OFFICER, ZONE, appointed, at, day, fact, moved
from searching import examples

from workflow.errors import DefinitionError
from workflow.facts import Acted, Actor, Fact, OfficerAccount, Scalar
from workflow.figures.obligations import (
    Owed,
    accounts,
    begun,
    filed_online,
    fulfilled,
    owed,
    read_schedule,
    sound,
)
from workflow.figures.rates import Period, Share
from workflow.fold import Judgment, fold
from workflow.procedure.reader import read_procedures
from workflow.rotation.careers import career
from workflow.rules import compile_rules

PATH = ROOT / "processes" / "schedules" / "can-tho.yaml"
SCHEDULE = read_schedule(PATH)
REVISIONS = {one.procedure: one for one in read_procedures(ROOT / "processes" / "obligations")}
YEAR = Period("2021", at("2021-01-01"), at("2022-01-01"))


def judged(*facts: Fact) -> Judgment:
    body = facts[0].body
    assert isinstance(body, Acted)
    rules = compile_rules(REVISIONS[body.procedure or ""], {"vn-can-tho": CALENDAR})
    return fold(rules, facts[0].subject, facts)


def first(subject: str) -> Fact:
    return next(one for one in begun(SCHEDULE, at("2022-06-01")) if one.subject.endswith(subject))


def submitted(begin: Fact, on: str, action: str, **data: Scalar) -> Fact:
    body = Acted(action=action, actor=Actor(id="cb-9", role="officer"), data=data)
    return Fact(begin.subject, "one-stop", "s", at(on), body)


def due(judgment: Judgment, on: str) -> Any:
    dates = judgment.rules.clock.deadlines(judgment.dossier, at=at(on))
    return next(one for one in dates if one.kind == "committed")


def test_a_schedule_begins_each_quarter_and_what_is_owed_once() -> None:
    found = begun(SCHEDULE, at("2021-10-02"))
    assert [(one.subject, one.occurred_at.astimezone(ZONE).date().isoformat()) for one in found] == [
        ("can-tho/e-government-2021-q2", "2021-04-01"),
        ("can-tho/security-level-maps", "2021-05-20"),
        ("can-tho/security-level-monitoring", "2021-05-20"),
        ("can-tho/e-government-2021-q3", "2021-07-01"),
        ("can-tho/e-government-2021-q4", "2021-10-01"),
    ]


def test_asked_again_it_says_the_same() -> None:
    early, late = begun(SCHEDULE, at("2021-06-01")), begun(SCHEDULE, at("2023-06-01"))
    assert late[: len(early)] == early
    assert len({(one.subject, one.source, one.id) for one in late}) == len(late)


@given(st.dates(date(2021, 4, 1), date(2035, 12, 31)))
@settings(max_examples=examples(100), deadline=None)
def test_a_report_is_begun_on_every_first_day_of_a_quarter(until: date) -> None:
    days = {
        SCHEDULE.quarterly["e-government"].first + timedelta(days=n)
        for n in range((until - date(2021, 4, 1)).days + 1)
    }
    expected = sorted(one for one in days if one.day == 1 and one.month in (1, 4, 7, 10))
    found = [one for one in begun(SCHEDULE, at(until.isoformat())) if "e-government" in one.subject]
    assert [one.occurred_at.astimezone(ZONE).date() for one in found] == expected
    for one, begins in zip(found, expected, strict=True):
        assert isinstance(one.body, Acted)
        last = date.fromisoformat(str(one.body.data["due"]))
        assert (last.year, last.month, last.day) == (begins.year, begins.month + 2, 15)


@pytest.mark.parametrize("system", ["monitoring", "maps"])
def test_friday_29_october_2021_is_the_last_day_of_the_security_level_files(system: str) -> None:
    begin = first(f"security-level-{system}")
    assert day("2021-10-29").isoweekday() == 5
    on_time = judged(begin, submitted(begin, "2021-10-29T16:00", "submit_file", complete=True))
    assert not due(on_time, "2021-11-01").late
    for late_on in ("2021-10-30T08:00", "2021-11-01T08:00"):
        late = judged(begin, submitted(begin, late_on, "submit_file", complete=True))
        assert due(late, "2021-11-02").late
    assert due(judged(begin), "2021-11-01").late


def test_a_report_is_to_be_complete_as_well_as_on_time() -> None:
    begin = first("e-government-2021-q3")
    full = judged(begin, submitted(begin, "2021-09-15T10:00", "submit_report", complete=True))
    part = judged(begin, submitted(begin, "2021-09-15T10:00", "submit_report", complete=False))
    assert [due(one, "2021-10-01").late for one in (full, part)] == [False, False]
    assert full.dossier.broken == {}
    assert part.dossier.broken == {"in-full": "guard"}


def test_a_report_that_was_asked_for_has_the_day_that_was_asked() -> None:
    body = Acted(
        action="receive",
        procedure="government-report",
        actor=Actor(id="cb-1", role="head"),
        data={"due": "2021-08-20", "period": "flood season"},
    )
    asked = Fact("report-7", "one-stop", "r", at("2021-08-10"), body)
    assert not due(judged(asked), "2021-08-20T12:00").late
    assert due(judged(asked), "2021-08-21").late


def test_accounts_are_counted_of_those_who_hold_a_post() -> None:
    told = OfficerAccount(account="vneid:1")
    careers = [
        career({}, "cb-1", [appointed("2021-03-01"), fact(told, "2021-03-02")]),
        career({}, "cb-2", [appointed("2021-03-01")]),
        career({}, "cb-3", [appointed("2021-03-01"), fact(replace(told, active=False), "2021-03-02")]),
        career({}, "cb-4", [appointed("2021-03-01"), moved("2021-04-01")]),
        career({}, OFFICER, []),
    ]
    assert accounts(careers, day("2021-05-01")) == (Share(1, 3), ["cb-2", "cb-3"])
    assert accounts([], day("2021-05-01"))[0].percent is None


CHANNELS: list[tuple[Any, str, Any]] = [
    ("online", "2021-05-03", True),
    ("post", "2021-05-03", False),
    ("direct", "2021-05-03", False),
    (None, "2021-05-03", None),
    ("online", "2020-12-31", None),
]


@pytest.mark.parametrize(("channel", "on", "found"), CHANNELS)
def test_a_dossier_counts_as_filed_online_by_its_first_channel(channel: Any, on: str, found: Any) -> None:
    facts = [
        Fact(
            "D", "one-stop", "2", at("2021-06-01"), Acted(action="note", channel="post" if channel else None)
        ),
        Fact("D", "one-stop", "1", at(on), Acted(action="receive", channel=channel)),
    ]
    assert filed_online({}, facts, YEAR) is found


MAPS = "    due: 2021-10-29\n    data: {system: surveying-and-mapping}"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("due_day: 15", "due_day: 31"),
        (MAPS, MAPS.replace("2021-10", "2021-01")),
        ("first-registration: 3", "first-registration: 7"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused_at_its_place(old: str, new: str) -> None:
    text = PATH.read_text(encoding="utf-8")
    assert text.count(old) == 1
    with pytest.raises(DefinitionError, match=r"s\.yaml:\d+:\d+"):
        sound(text.replace(old, new).encode(), "s.yaml")


def test_the_moments_are_utc() -> None:
    assert begun(SCHEDULE, at("2021-04-02"))[0].occurred_at == datetime(2021, 3, 31, 17, tzinfo=UTC)


def test_what_was_due_counts_as_kept_only_in_full_and_on_time() -> None:
    begin = first("2021-q2")
    asked = at("2021-12-31")
    ways = {
        "kept": submitted(begin, "2021-06-15", "submit_report", complete=True),
        "not in full": submitted(begin, "2021-06-15", "submit_report", complete=False),
        "late": submitted(begin, "2021-06-16", "submit_report", complete=True),
    }
    found = {name: owed((one := judged(begin, way)).rules, one.dossier, asked) for name, way in ways.items()}
    found["never"] = owed((one := judged(begin)).rules, one.dossier, asked)

    assert fulfilled([found["kept"]], YEAR) == (Share(1, 1), [])
    for name in ("not in full", "late", "never"):
        assert fulfilled([found[name]], YEAR) == (Share(0, 1), [begin.subject]), name
    assert fulfilled(found.values(), YEAR)[0] == Share(1, 4)


def test_what_is_not_due_yet_or_was_called_off_says_nothing() -> None:
    begin = first("2021-q4")
    early = at("2021-11-01")
    running = owed((one := judged(begin)).rules, one.dossier, early)
    off = submitted(begin, "2021-11-01", "stop_processing")
    called_off = owed((one := judged(begin, off)).rules, one.dossier, at("2022-02-01"))
    elsewhen = Owed(
        "a", "report", at("2022-03-15"), at("2022-03-14"), late=False, in_full=True, called_off=False
    )

    assert fulfilled([running, called_off, elsewhen], YEAR) == (Share(0, 0), [])
