"""Feedback that is repeated, drawn out, or went over the level that should have had it. Pure; over many dossiers.

The department's plan of 2021 wants none of the three (nhiều lần, kéo dài, vượt cấp) and defines none of them; what is
taken for each stands in docs/feedback.md. That one is due or late is the lateness of its dossier.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final

from msgspec import Meta, Struct
from msgspec.structs import replace

from workflow.facts import Acted
from workflow.messages import Alert
from workflow.model import Line
from workflow.organisation import focal_at
from workflow.procedure.language import Names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from workflow.facts import Fact
    from workflow.messages import Kind, Topic
    from workflow.model import Dossier, RegisterValue
    from workflow.organisation import Organisation
    from workflow.rules import Rules

REPEATED: Final[Kind] = "feedback_repeated"
DRAWN_OUT: Final[Kind] = "feedback_drawn_out"
OVER_LEVEL: Final[Kind] = "feedback_over_level"
TOPIC: Final[Topic] = "alerts.feedback"
ABOUT: Final = ("officer", "about")
"""The registers that say what a feedback is about, the first that is told counts."""
BASIS: Final = Names(
    vi="Thông báo ngày 20/05/2021 trên trang cải cách hành chính của thành phố",
    en="Notice of the city's administrative-reform site of 20/05/2021",
)


class FeedbackLimits(Struct, frozen=True, kw_only=True):
    """Named limits. `drawn_out_after_days`: calendar days from the first of a matter, twice the plan's 20; sample."""

    drawn_out_after_days: Annotated[int, Meta(ge=1)] = 40


DEFAULT_LIMITS: Final = FeedbackLimits()


class Petition(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One feedback: by whom (a keyed hash), about what, when it came and was answered.

    `told_repeated`, `over_level`: its source says so. `forwarded_from`: the body it was first sent to.
    """

    dossier: str
    procedure: str
    revision: str
    received_at: datetime
    party: str | None = None
    about: str | None = None
    unit: str | None = None
    ended_at: datetime | None = None
    told_repeated: bool = False
    over_level: bool = False
    forwarded_from: str | None = None


def petition(rules: Rules, dossier: Dossier, facts: Iterable[Fact]) -> Petition | None:
    """A judged dossier as feedback; None where it is none, or came nowhere yet. `facts`: those of it that stand.

    `rules`: any revision of its procedure.
    """
    own = rules.family[dossier.revision]
    received_at = dossier.submitted_at or dossier.received_at
    if own.revision.kind != "feedback" or received_at is None:
        return None
    told = dict(zip(own.layout.registers, dossier.registers, strict=True))
    acts = [fact.body for fact in facts if isinstance(fact.body, Acted)]
    return Petition(
        dossier=dossier.subject,
        procedure=own.revision.procedure,
        revision=dossier.revision,
        received_at=received_at,
        party=next((act.party for act in acts if act.party is not None), None),
        about=next((found for name in ABOUT if (found := _text(told.get(name)))), None),
        unit=next((act.unit for act in acts if act.unit is not None), dossier.unit),
        ended_at=dossier.issued_at or dossier.ended_at,
        told_repeated=told.get("repeated") is True,
        over_level=told.get("over_level") is True,
        forwarded_from=_text(told.get("forwarded_from")),
    )


def matters(petitions: Iterable[Petition]) -> dict[tuple[str, str], list[Petition]]:
    """The petitions of one party on one subject, in the order they came; those that do not say both belong to none."""
    found: dict[tuple[str, str], list[Petition]] = {}
    for one in sorted(petitions, key=lambda each: (each.received_at, each.dossier)):
        if one.party is not None and one.about is not None:
            found.setdefault((one.party, one.about), []).append(one)
    return found


def standing(
    petitions: Sequence[Petition],
    organisation: Organisation | None,
    now: datetime,
    limits: FeedbackLimits = DEFAULT_LIMITS,
) -> list[Alert]:
    """The alerts about feedback that should stand at `now`, by their ids."""
    grouped = matters(petitions)
    earlier = {one.dossier: each[0] for each in grouped.values() for one in each[1:]}
    found = [
        _alert(REPEATED, one, one.dossier, organisation, _first(earlier.get(one.dossier)))
        for one in petitions
        if one.told_repeated or one.dossier in earlier
    ]
    found += [
        _alert(OVER_LEVEL, one, one.dossier, organisation, _from(one))
        for one in petitions
        if one.over_level or _outside(organisation, one.forwarded_from)
    ]
    for each in grouped.values():
        found += _drawn_out(each, organisation, now, limits)
    return sorted(found, key=lambda alert: alert.id)


def subject_of(one: Petition) -> str:
    """What alerts about a petition are keyed by: the matter, or the petition itself where that is not told.

    Never the dossier's own code: under that stand the alerts judged with it alone, and they would take these back.
    """
    if one.party is None or one.about is None:
        return f"feedback/{one.dossier}"
    return f"matter/{one.party}/{one.about}"


def _drawn_out(
    matter: Sequence[Petition], organisation: Organisation | None, now: datetime, limits: FeedbackLimits
) -> Iterator[Alert]:
    """A matter that goes on beyond the limit: one feedback that stays open, or one that follows another soon."""
    span = timedelta(days=limits.drawn_out_after_days)
    run: list[Petition] = []
    for one in matter:
        if run and not _goes_on(run[-1], one, span):
            yield from _run_drawn_out(run, organisation, now, span)
            run = []
        run.append(one)
    yield from _run_drawn_out(run, organisation, now, span)


def _goes_on(before: Petition, one: Petition, span: timedelta) -> bool:
    return before.ended_at is None or one.received_at <= before.ended_at + span


def _run_drawn_out(
    run: Sequence[Petition], organisation: Organisation | None, now: datetime, span: timedelta
) -> Iterator[Alert]:
    due_at = run[0].received_at + span
    ends = [one.ended_at for one in run if one.ended_at is not None]
    last = max(ends) if len(ends) == len(run) else None
    if (now if last is None else last) > due_at:
        days: dict[str, str | int] = {"days": span.days}
        sum_ = (
            Line("first told in {dossier}", {"dossier": run[0].dossier}, run[0].received_at),
            Line("plus {days} days", days, due_at),
        )
        alert = _alert(DRAWN_OUT, run[-1], run[0].dossier, organisation, sum_)
        yield replace(alert, due_at=due_at, ended_at=last)


def _alert(
    kind: Kind, one: Petition, rule: str, organisation: Organisation | None, lines: tuple[Line, ...]
) -> Alert:
    return Alert(
        id=f"{kind}/{subject_of(one)}/{rule}",
        kind=kind,
        topic=TOPIC,
        subject=subject_of(one),
        rule=rule,
        due_at=one.received_at,
        ended_at=one.ended_at,
        unit=one.unit,
        to=_focal(organisation, one.unit),
        procedure=one.procedure,
        revision=one.revision,
        basis=BASIS.en,
        basis_vi=BASIS.vi,
        sum=lines,
    )


def _focal(organisation: Organisation | None, unit: str | None) -> tuple[str, ...]:
    """The focal officer of a unit, else that of the whole."""
    if organisation is None:
        return ()
    whole = next(name for name, one in organisation.units.items() if one.parent is None)
    known = unit if unit is not None and unit in organisation.units else whole
    found = focal_at(organisation, known)
    return () if found is None else (f"{found[0]}@{found[1]}",)


def _first(first: Petition | None) -> tuple[Line, ...]:
    if first is None:
        return (Line("its source says that it is repeated", {}),)
    return (Line("first told in {dossier}", {"dossier": first.dossier}, first.received_at),)


def _from(one: Petition) -> tuple[Line, ...]:
    if one.forwarded_from is None:
        return (Line("its source says that it went over the level", {}),)
    return (Line("forwarded by {body}, outside the organisation", {"body": one.forwarded_from}),)


def _outside(organisation: Organisation | None, body: str | None) -> bool:
    return body is not None and (organisation is None or body not in organisation.units)


def _text(value: RegisterValue) -> str | None:
    return str(value) if value not in (None, "") else None
