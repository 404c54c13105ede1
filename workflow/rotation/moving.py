"""The alerts of rotation that should stand: what an officer's duties, and acts after a move, ask to be said. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from workflow.clocks.worktime import end_of_day, midnight
from workflow.messages import Alert
from workflow.model import Line
from workflow.procedure.language import both
from workflow.rotation.careers import day_of

if TYPE_CHECKING:
    from collections.abc import Container, Iterable
    from datetime import datetime

    from workflow.messages import Kind, Topic
    from workflow.rotation.careers import Career
    from workflow.rotation.duties import ActedAfter, Duty, Rotation

TOPIC: Final[Topic] = "alerts.rotation"
DUE: Final[dict[str, Kind]] = {"finding": "rotation_due_verified", "term": "rotation_due_term"}
OVERDUE: Final[Kind] = "rotation_overdue"
SAID_KINDS: Final = frozenset({*DUE.values(), OVERDUE, "acting_after_move"})


def standing(
    rotation: Rotation,
    career: Career,
    acts: Iterable[ActedAfter],
    now: datetime,
    *,
    said: Container[str] = (),
) -> list[Alert]:
    """The alerts about an officer that should stand at `now`; `said`: the ids of those that were ever said.

    A duty that was done before anything was said of it raises nothing. One that was done stays, with its end, so that
    it is resolved; one that fell away is no more here, so that it is retracted.
    """
    found: list[Alert] = []
    for duty in rotation.duties(career):
        done = rotation.state(duty, now) == "done"
        alerts = [_alert(rotation, duty, kind, done=done) for kind in _kinds(rotation, duty, now)]
        found += [alert for alert in alerts if not done or alert.id in said]
    return [*found, *(_of_act(rotation, one) for one in acts)]


def _kinds(rotation: Rotation, duty: Duty, now: datetime) -> list[Kind]:
    state = rotation.state(duty, now)
    if state in ("ahead", "exempt", "deferred"):
        return []
    late = state == "overdue" or (state == "done" and _done_late(rotation, duty))
    return [DUE[duty.kind], *([OVERDUE] if late else [])]


def _done_late(rotation: Rotation, duty: Duty) -> bool:
    if duty.left_on is None or duty.due_at is None:
        return False
    return duty.left_on > day_of(duty.due_at, rotation.zone)


def _alert(rotation: Rotation, duty: Duty, kind: Kind, *, done: bool) -> Alert:
    to = [f"{duty.to}@{duty.at}", *([f"{duty.proposed_by}@{duty.unit}"] if duty.proposed_by else [])]
    left_on = duty.left_on if done else None
    basis, basis_vi = both(duty.basis)
    ended_at = None if left_on is None else midnight(left_on + timedelta(days=1), rotation.zone)
    return Alert(
        id=f"{kind}/{duty.officer}/{duty.key}",
        kind=kind,
        topic=TOPIC,
        subject=duty.officer,
        rule=duty.key,
        due_at=duty.due_at,
        ended_at=ended_at,
        unit=duty.unit,
        officer=duty.officer,
        to=tuple(to),
        readers=rotation.rules.readers,
        procedure=rotation.rules.rotation,
        revision=rotation.rules.revision,
        basis=basis,
        basis_vi=basis_vi,
        sum=duty.sum,
    )


def _of_act(rotation: Rotation, one: ActedAfter) -> Alert:
    to, at = rotation.addressee(one.unit, one.post)
    rule = f"{one.dossier}/{one.action}/{one.at.isoformat()}"
    day = {"day": one.left_on.isoformat()}
    basis, basis_vi = both(rotation.rules.basis)
    return Alert(
        id=f"acting_after_move/{one.officer}/{rule}",
        kind="acting_after_move",
        topic=TOPIC,
        subject=one.officer,
        rule=rule,
        due_at=one.at,
        unit=one.unit,
        officer=one.officer,
        to=(f"{to}@{at}",),
        readers=rotation.rules.readers,
        procedure=rotation.rules.rotation,
        revision=rotation.rules.revision,
        basis=basis,
        basis_vi=basis_vi,
        sum=(Line("last day in the post: {day}", {**day}, end_of_day(one.left_on, rotation.zone)),),
    )
