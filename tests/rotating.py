"""Officers told in short, under the department's own rotation file and organisation."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from places import ROOT

from workflow.clocks.calendar import read_calendars
from workflow.facts import (
    Body,
    Fact,
    OfficerAppointed,
    OfficerConcluded,
    OfficerDeferred,
    OfficerExempted,
    OfficerMoved,
    Voided,
)
from workflow.organisation import read_organisation
from workflow.rotation.careers import career
from workflow.rotation.duties import Duty, Rotation
from workflow.rotation.postrules import read_rotation

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
OFFICER = "cb-0172"
BRANCH = "branch-ninh-kieu"
POST = "certificate-issuer"
ORGANISATION = read_organisation(ROOT / "processes" / "organisation" / "can-tho.yaml")
RULES = read_rotation(ROOT / "processes" / "rotation" / "can-tho.yaml", ORGANISATION)
CALENDAR = read_calendars(ROOT / "processes" / "calendars")["vn-can-tho"]
ROTATION = Rotation(RULES, ORGANISATION, CALENDAR)


def day(text: str) -> date:
    return date.fromisoformat(text)


def at(text: str) -> datetime:
    """A local time; a date alone is nine in the morning."""
    if len(text) == len("2021-06-01"):
        return datetime.combine(day(text), time(9), ZONE)
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def fact(body: Body, on: str, **more: Any) -> Fact:
    told = {"subject": OFFICER, "source": "personnel", "id": f"{type(body).__name__}-{on}", **more}
    return Fact(occurred_at=at(on), body=body, **told)


def appointed(on: str, post: str = POST, unit: str = BRANCH, **more: Any) -> Fact:
    return fact(OfficerAppointed(post=post, unit=unit, starts_on=day(on)), on, **more)


def moved(on: str, to: tuple[str | None, str | None] = (None, None), **more: Any) -> Fact:
    post, unit = more.pop("post", POST), more.pop("unit", BRANCH)
    body = OfficerMoved(from_post=post, from_unit=unit, left_on=day(on), to_post=to[0], to_unit=to[1])
    return fact(body, on, **more)


def concluded(on: str, finding: Any = "verified", complaint: str = "KN-31", **more: Any) -> Fact:
    body = OfficerConcluded(complaint=complaint, finding=finding, authority="inspectorate", document="KL-12")
    return fact(body, on, **{"id": f"{complaint}-{finding}-{on}", **more})


def deferred(since: str, until: str | None = None, reason: str = "under-verification") -> Fact:
    body = OfficerDeferred(reason=reason, from_on=day(since), until_on=until and day(until))  # type: ignore[arg-type]
    return fact(body, since)


def exempted(since: str, until: str | None = None, reason: str = "near-retirement") -> Fact:
    body = OfficerExempted(reason=reason, from_on=day(since), until_on=until and day(until))  # type: ignore[arg-type]
    return fact(body, since)


def void(target: Fact, on: str, **more: Any) -> Fact:
    return fact(
        Voided(target_id=target.id, reason="told of another"), on, **{"id": f"void-{target.id}", **more}
    )


def duties(*facts: Fact, rotation: Rotation = ROTATION, **moments: Any) -> list[Duty]:
    return rotation.duties(career({}, OFFICER, facts, **moments))


def of_findings(*facts: Fact, **moments: Any) -> list[Duty]:
    return [one for one in duties(*facts, **moments) if one.kind == "finding"]


def of_terms(*facts: Fact) -> list[Duty]:
    return [one for one in duties(*facts) if one.kind == "term"]


def states(duty: Duty, *days: str) -> list[str]:
    return [ROTATION.state(duty, at(each)) for each in days]


def said(duty: Duty) -> list[str]:
    return [line.text.format(**line.values) for line in duty.sum]
