"""The department's procedures, and dossiers told in short: `2025-03-03T09:00 receive area=remote`."""

from __future__ import annotations

from datetime import date, datetime, time
from functools import cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import walks
from places import ROOT

from workflow.clocks.calendar import read_calendars
from workflow.facts import Actor, Appointment
from workflow.fold import Judgment, fold
from workflow.procedure.reader import read_procedures
from workflow.rules import Rules, compile_rules

if TYPE_CHECKING:
    from workflow.procedure.language import Revision

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
FOLDER = ROOT / "processes" / "can-tho"
FILES = {path: read_procedures(path) for path in sorted(FOLDER.rglob("*.yaml"))}
GENERIC = read_procedures(ROOT / "processes" / "generic.yaml")
REVISIONS: dict[str, Revision] = {
    f"{revision.procedure}/{revision.revision}": revision
    for found in (*FILES.values(), GENERIC)
    for revision in found
}


@cache
def rules_of(name: str) -> Rules:
    """The compiled rules of one revision, by procedure and revision."""
    return compile_rules(REVISIONS[name], read_calendars(ROOT / "processes" / "calendars"))


def local(text: str) -> datetime:
    """A wall clock time of Cần Thơ; a date alone is the last moment of its day."""
    if len(text) == len("2025-01-01"):
        return datetime.combine(date.fromisoformat(text), time.max, ZONE)
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def told(name: str, *acts: str) -> Judgment:
    """The judgment of acts, each a local time, an action, and what its event carries.

    `to:` names the agency of a task, `by:` the officer, `submitted:` the time of filing,
    `slip:` the printed time; the rest are registers.
    """
    facts = [_fact(name, number, *line.split()) for number, line in enumerate(acts, 1)]
    return fold(rules_of(name), walks.SUBJECT, facts)


def _fact(name: str, number: int, at: str, action: str, *more: str) -> Any:
    revision, extra = REVISIONS[name], dict[str, Any]()
    extra["data"] = dict(word.split("=") for word in more if "=" in word)
    for word in more:
        if word.startswith("to:"):
            extra["task"] = word.removeprefix("to:")
        if word.startswith("by:"):
            extra["actor"] = Actor(id=word.removeprefix("by:"), role=revision.actions[action].role[0])
        if word.startswith("submitted:"):
            extra["submitted_at"] = local(word.removeprefix("submitted:"))
        if word.startswith("slip:"):
            extra["appointment"] = Appointment(at=local(word.removeprefix("slip:")))
    return walks.act(revision, action, local(at), number, **extra)


def due(name: str, judged: Judgment, rule: str, at: str) -> datetime:
    """The due instant of one limit as of a moment, in local time."""
    found = [d for d in rules_of(name).clock.deadlines(judged.dossier, at=local(at)) if d.rule == rule]
    assert len(found) == 1, (name, rule, found)
    return found[0].due_at.astimezone(ZONE)


def violations(judged: Judgment) -> list[str]:
    """The rules broken, in the order of the facts."""
    return [violation.rule for outcome in judged.outcomes for violation in outcome.violations]
