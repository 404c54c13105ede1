"""Rotation: who has to leave which post, why, by when, and who has to see to it.

A judgment over several subjects, separate from the fold: a pure function of an officer's facts, the organisation and
the rotation file, run again when any of them changes. A finding that is voided or reversed leaves no duty behind.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from msgspec import Struct

from workflow.clocks import sums
from workflow.clocks.counting import Counts
from workflow.clocks.timetable import Timetable
from workflow.clocks.worktime import end_of_day, midnight, years_later
from workflow.model import Line
from workflow.organisation import Organisation, head_of, hours_of, parents
from workflow.procedure.language import Wording
from workflow.rotation.careers import Concluded, Freed, Holding, Place, day_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from zoneinfo import ZoneInfo

    from workflow.clocks.calendar import Calendar
    from workflow.facts import OfficerConcluded
    from workflow.rotation.careers import Career
    from workflow.rotation.postrules import Field, RotationRules

State: TypeAlias = Literal["ahead", "due", "overdue", "done", "exempt", "deferred"]


class Duty(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A post an officer has to leave.

    `kind`: because of a `finding`, or at the end of a `term`. `rests_on`: the complaint, or the day the post was taken
    up. Announced from `opens_at`, to be done by `due_at`; a term has no date while an exemption has no end. `left_on`:
    the last day in the post. `to`: the post that must see to it, of the unit `at`; `proposed_by`: where the level above
    decides, the head who proposes. `sample`: the number it rests on is one. `sum`: how it came about, line by line.
    """

    officer: str
    kind: Literal["finding", "term"]
    rests_on: str
    post: str | None = None
    unit: str | None = None
    opens_at: datetime | None = None
    due_at: datetime | None = None
    left_on: date | None = None
    to: str
    at: str
    proposed_by: str | None = None
    basis: Wording | None = None
    sample: bool = False
    freed: tuple[Freed, ...] = ()
    sum: tuple[Line, ...] = ()

    @property
    def key(self) -> str:
        """What tells this duty from every other of the officer."""
        return f"{self.kind}/{self.rests_on}/{self.unit or ''}/{self.post or ''}"


class Rotation:
    """The rules of one rotation file, ready to judge."""

    def __init__(
        self, rules: RotationRules, organisation: Organisation, calendar: Calendar | None = None
    ) -> None:
        """Raises DefinitionError where the file counts by a calendar that is not given."""
        self.rules = rules
        self.organisation = organisation
        self.zone = rules.timezone
        timetable = None if calendar is None else Timetable(calendar, hours_of=hours_of(organisation))
        self._counts = Counts(rules.prompt.counts, self.zone, timetable)

    def duties(self, career: Career) -> list[Duty]:
        """Every post the officer has, or had, to leave: those of findings first, each kind by its date.

        Raises CalendarRange where a date lies beyond the calendar.
        """
        found = [
            duty
            for complaint in career.complaints
            if (since := self._since(complaint)) is not None
            for duty in self._of_finding(career, complaint, since)
        ]
        found += [duty for held in career.holdings if (duty := self._of_term(career, held)) is not None]
        return sorted(
            found, key=lambda one: (one.kind, one.due_at is None, one.due_at or one.opens_at, one.key)
        )

    def state(self, duty: Duty, at: datetime) -> State:
        """How a duty stands at an instant."""
        day = day_of(at, self.zone)
        if duty.left_on is not None and duty.left_on < day:
            return "done"
        freeing = next((one for one in duty.freed if _covers(one, day)), None)
        if freeing is not None:
            return freeing.kind
        if duty.due_at is not None and at > duty.due_at:
            return "overdue"
        return "due" if duty.opens_at is not None and at >= duty.opens_at else "ahead"

    def may_read(self, duty: Duty, post: str) -> bool:
        """Whether the holder of a post may read about a duty: whom it goes to, who proposes, and the named readers."""
        return post in (duty.to, duty.proposed_by) or post in self.rules.readers

    def strangers(self, careers: Iterable[Career], day: date) -> tuple[list[str], list[str]]:
        """Posts held on a day that neither the file nor the organisation names, so that no term of theirs ends, and
        units of posts that the organisation does not: meant so, or slips of typing."""
        held = [one for told in careers for one in told.held(day)]
        posts = {one.post for one in held} - self.rules.posts.keys() - self.organisation.posts.keys()
        return sorted(posts), sorted({one.unit for one in held} - self.organisation.units.keys())

    def addressee(self, unit: str | None, post: str | None) -> Place:
        """Who must move an officer: the post named for the unit or the nearest above, else the head who appoints.

        Nobody is asked to move themselves: for the post that would have to, it is the next one above. An officer of a
        unit that is not known concerns the head of the whole.
        """
        units = self.organisation.units
        if unit is None or unit not in units:
            whole = next(name for name, one in units.items() if one.parent is None)
            return units[whole].rotated_by or units[whole].head, whole
        upwards = (unit, *parents(self.organisation, unit))
        named = [(by, name) for name in upwards if (by := units[name].rotated_by) is not None and by != post]
        heads = [(units[name].head, name) for name in upwards if units[name].head != post]
        return next(iter([*named, *heads]), (head_of(self.organisation, unit), unit))

    def _since(self, complaint: Concluded) -> int | None:
        """The place of the finding a move rests on: the first of those at the end that all ask for one."""
        since: int | None = None
        for number, body in enumerate(complaint.findings):
            asks = body.finding in self.rules.prompt.findings
            since = (number if since is None else since) if asks else None
        return since

    def _of_finding(self, career: Career, complaint: Concluded, since: int) -> Iterator[Duty]:
        at, body = complaint.told_at[since], complaint.findings[since]
        held: list[Holding | None] = list(career.held(day_of(at, self.zone)))
        if not career.holdings:
            held = [None]
        for each in held:
            post, unit = (each.post, each.unit) if each is not None else (None, None)
            left_on = None if each is None else each.until
            announced_by = None if left_on is None else end_of_day(left_on, self.zone)
            prompt, counter = self.rules.prompt, self._counts.at(announced_by, unit)
            due_at = counter.due(at, prompt.within)
            to, of = self.addressee(unit, post)
            lines = [
                _concluded(complaint.complaint, body, at),
                sums.counted(prompt.counts, prompt.within, due_at),
            ]
            lines += sums.counted_by(self._counts.timetable, counter, unit)
            lines += [_no_hold(one) for one in career.freed if _touches(one, day_of(at, self.zone), left_on)]
            lines += _left(left_on, self.zone)
            yield Duty(
                officer=career.officer,
                kind="finding",
                rests_on=complaint.complaint,
                post=post,
                unit=unit,
                opens_at=at,
                due_at=due_at,
                left_on=left_on,
                to=to,
                at=of,
                basis=prompt.basis or self.rules.basis,
                sample=prompt.figures == "sample",
                sum=tuple(lines),
            )

    def _of_term(self, career: Career, held: Holding) -> Duty | None:
        post = self.rules.posts.get(held.post)
        if post is None or held.since is None:
            return None
        field = self.rules.fields[post.field]
        full_on = years_later(held.since, field.years)
        spells = tuple(spell for spell in career.freed if self._listed(spell))
        due_on = _moved(full_on, spells)
        notice = timedelta(days=self.rules.notice.days)
        opens_on = None if due_on is None else due_on - notice
        if held.until is not None and (opens_on is None or held.until < opens_on):
            return None
        single = held.unit in post.single_in
        above = parents(self.organisation, held.unit)[:1] if single else ()
        to, of = self.addressee(above[0] if above else held.unit, held.post)
        return Duty(
            officer=career.officer,
            kind="term",
            rests_on=held.since.isoformat(),
            post=held.post,
            unit=held.unit,
            opens_at=None if opens_on is None else midnight(opens_on, self.zone),
            due_at=None if due_on is None else end_of_day(due_on, self.zone),
            left_on=held.until,
            to=to,
            at=of,
            proposed_by=head_of(self.organisation, held.unit) if single else None,
            basis=field.basis or self.rules.basis,
            sample="sample" in (field.figures, self.rules.notice.figures),
            freed=spells,
            sum=tuple(self._lines_of_term(career, held, field, full_on)),
        )

    def _lines_of_term(self, career: Career, held: Holding, field: Field, full_on: date) -> Iterator[Line]:
        assert held.since is not None  # noqa: S101 - a term is counted from it
        zone = self.zone
        yield Line(
            "in the post {post} of {unit}", {"post": held.post, "unit": held.unit}, midnight(held.since, zone)
        )
        years: dict[str, str | int] = {"years": field.years, "field": self.rules.posts[held.post].field}
        yield Line("plus {years} full years in the field {field}", years, end_of_day(full_on, zone))
        due_on: date | None = full_on
        for spell in career.freed:
            if not self._listed(spell):
                yield _unlisted(spell)
            elif due_on is not None and _covers(spell, due_on):
                due_on = _moved(due_on, (spell,))
                yield _moving(spell, due_on, zone)
        if held.unit in self.rules.posts[held.post].single_in:
            yield Line(
                "the only post of its speciality in {unit}: its head proposes, the level above decides",
                {"unit": held.unit},
            )
        yield from _left(held.until, zone)

    def _listed(self, spell: Freed) -> bool:
        return spell.reason in (self.rules.exempt if spell.kind == "exempt" else self.rules.deferred)


class Act(NamedTuple):
    """An act of an officer in a dossier."""

    dossier: str
    officer: str
    action: str
    unit: str | None
    role: str | None
    at: datetime


class ActedAfter(Struct, frozen=True):
    """An act in a post after it was left."""

    officer: str
    post: str
    unit: str
    left_on: date
    dossier: str
    action: str
    at: datetime


def acted_after(rotation: Rotation, career: Career, acts: Iterable[Act]) -> list[ActedAfter]:
    """The acts of an officer in a post left before the day of the act, in the order of time.

    An act belongs to a post by its unit and, where the rotation file says in which roles the post acts, its role. One
    that belongs to a post held on that day is none. An act of which no unit is told says nothing.
    """
    found = []
    for act in acts:
        if act.officer != career.officer:
            continue
        day = day_of(act.at, rotation.zone)
        fitting = [one for one in career.holdings if _fits(rotation.rules, one, act)]
        if any(one.on(day) for one in fitting):
            continue
        left = [one for one in fitting if one.until is not None and one.until < day]
        if left:
            last = max(left, key=lambda one: (one.until or date.min, one.post))
            assert last.until is not None  # noqa: S101 - only posts that were left
            found.append(
                ActedAfter(act.officer, last.post, last.unit, last.until, act.dossier, act.action, act.at)
            )
    return sorted(found, key=lambda one: (one.at, one.dossier, one.action))


def _fits(rules: RotationRules, held: Holding, act: Act) -> bool:
    if held.unit != act.unit:
        return False
    post = rules.posts.get(held.post)
    return post is None or not post.roles or act.role is None or act.role in post.roles


def _moved(due_on: date, spells: Iterable[Freed]) -> date | None:
    """A date after all spells it falls into, one after the other; None where one has no end."""
    for spell in sorted(spells, key=lambda one: one.since):
        if _covers(spell, due_on):
            if spell.until is None:
                return None
            due_on = spell.until + timedelta(days=1)
    return due_on


def _covers(spell: Freed, day: date) -> bool:
    return spell.since <= day and (spell.until is None or day <= spell.until)


def _touches(spell: Freed, since: date, until: date | None) -> bool:
    return (spell.until is None or since <= spell.until) and (until is None or spell.since <= until)


def _concluded(complaint: str, body: OfficerConcluded, at: datetime) -> Line:
    values: dict[str, str | int] = {
        "complaint": complaint,
        "finding": body.finding,
        "authority": body.authority,
        "document": body.document,
    }
    return Line("complaint {complaint}: {finding} by {authority}, document {document}", values, at)


def _spell(spell: Freed) -> dict[str, str | int]:
    return {
        "reason": spell.reason,
        "from": spell.since.isoformat(),
        "to": "…" if spell.until is None else spell.until.isoformat(),
    }


def _no_hold(spell: Freed) -> Line:
    return Line(
        "{reason} from {from} to {to} holds up the periodic rotation only: what was verified has to be followed",
        _spell(spell),
    )


def _unlisted(spell: Freed) -> Line:
    return Line(
        "{reason} from {from} to {to} is none of the grounds listed: it frees from nothing", _spell(spell)
    )


def _moving(spell: Freed, due_on: date | None, zone: ZoneInfo) -> Line:
    if due_on is None:
        return Line("freed by {reason} from {from} on, with no end told: no date", _spell(spell))
    return Line(
        "freed by {reason} from {from} to {to}: due the day after", _spell(spell), end_of_day(due_on, zone)
    )


def _left(left_on: date | None, zone: ZoneInfo) -> Iterator[Line]:
    if left_on is not None:
        yield Line("last day in the post: {day}", {"day": left_on.isoformat()}, end_of_day(left_on, zone))
