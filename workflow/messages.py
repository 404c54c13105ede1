"""What goes out: decisions on facts, and what is said about alerts. Pure; the relay wraps each in its envelope.

One row of the outbox holds what one batch says, as a JSON list of `Said`; topic, id and key follow from what is said.
A message id is that of the fact or alert with the number of its change, so a repeat is known by it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal, NamedTuple, TypeAlias

import msgspec
from msgspec import Struct

from workflow.model import Line, Outcome

Topic: TypeAlias = Literal[
    "decisions",
    "alerts.lateness",
    "alerts.rotation",
    "alerts.feedback",
    "alerts.conformance",
    "alerts.feeds",
]

Kind: TypeAlias = Literal[
    "step_at_risk",
    "step_late",
    "dossier_at_risk",
    "dossier_late",
    "apology_due",
    "appointment_differs",
    "pause_cap_exceeded",
    "result_not_collected",
    "budget_at_risk",
    "budget_spent",
    "feedback_due",
    "feedback_late",
    "feedback_repeated",
    "feedback_drawn_out",
    "feedback_over_level",
    "rotation_due_verified",
    "rotation_due_term",
    "rotation_overdue",
    "acting_after_move",
    "evaluation_by_handler",
    "refused_event",
    "feed_silent",
    "feed_incomplete",
    "clock_skew",
    "id_conflict",
]

Change: TypeAlias = Literal[
    "raised", "changed", "escalated", "acknowledged", "snoozed", "resolved", "retracted"
]
"""What a message says of an alert. `resolved`: it was right and is over. `retracted`: it was wrong."""

State: TypeAlias = Literal["waiting", "raised", "acknowledged", "snoozed", "resolved", "retracted", "history"]
"""Where an alert is in its life. `waiting`: true, but its source may still tell what makes it wrong. `history`: due
before its source went live; kept and never sent."""

ESCALATED: Final[frozenset[Kind]] = frozenset({"dossier_late", "feedback_late"})
"""Kinds that the heads above are told of, rung by rung, while they last."""

HOLDER: Final = "holder"
"""Stands in `Alert.to` for whoever holds the dossier: the officer, else whoever plays the state's role."""


class Alert(Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """Something that must be said, and all it rests on; made of facts and definitions alone, so it has no number.

    `id`: derived of kind, subject and rule. `subject`: the dossier, officer, source or unit it is about, the key of its
    messages. `rule`: the limit, rule, deadline or fact it rests on. `due_at`: the true moment it is about, however late
    we heard. `ended_at`: when what it warns of was over (the result issued, the step left); absent while it goes on.
    `to`: the posts it goes to, `post@unit`, and `holder`; `readers`: posts of any unit that may read it too, where not
    everybody may. `rung`: how many steps of escalation those contain.
    `basis`: the clause; `basis_vi`: the same in Vietnamese, where its definition says it in both languages.
    `calendar` and `sum`: how the deadline came about. `cause`: what alerts are grouped by where not by unit. `by`:
    which date a lateness is measured by. `feed_silent`: its source was past its cadence when this was said, so the
    dossier may be further than we know.
    """

    id: str
    kind: Kind
    topic: Topic
    subject: str
    rule: str
    due_at: datetime | None = None
    ended_at: datetime | None = None
    unit: str | None = None
    officer: str | None = None
    source: str | None = None
    to: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    rung: int = 0
    procedure: str | None = None
    revision: str | None = None
    basis: str | None = None
    basis_vi: str | None = None
    calendar: str | None = None
    by: str | None = None
    sum: tuple[Line, ...] = ()
    cause: str | None = None
    feed_silent: bool = False
    history: bool = False
    raise_at: datetime | None = None


class Decision(Struct, frozen=True, gc=False, omit_defaults=True, tag="decision", tag_field="says"):
    """What became of one fact. `version`: of the dossier; the highest wins. `supersedes`: what was decided before.
    Without an outcome the dossier is `blocked`."""

    subject: str
    source: str
    id: str
    revision: int
    version: int
    outcome: Outcome | None = None
    supersedes: Outcome | None = None
    blocked: str | None = None


class AlertSaid(
    Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="alert", tag_field="says"
):
    """The `n`-th thing said about an alert, and where that leaves it. `said_at`: when; `by`, `until`: the human act."""

    alert: Alert
    change: Change
    state: State
    n: int
    said_at: datetime
    by: str | None = None
    until: datetime | None = None


Said: TypeAlias = Decision | AlertSaid


class Message(NamedTuple):
    """One message: where to, its id, its Kafka key, and what it says as JSON."""

    topic: Topic
    id: str
    key: str
    data: bytes


encode: Final = msgspec.json.Encoder().encode
"""A batch of `Said` as the content of an outbox row."""


class _DecisionHead(Struct, frozen=True, gc=False, tag="decision", tag_field="says"):
    """What says where a decision goes; the rest of it is passed on as it stands."""

    subject: str
    source: str
    id: str
    revision: int
    version: int


class _AlertRef(Struct, frozen=True, gc=False):
    id: str
    topic: Topic
    subject: str


class _AlertHead(Struct, frozen=True, gc=False, tag="alert", tag_field="says"):
    alert: _AlertRef
    n: int


_whole: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode
_heads: Final = msgspec.json.Decoder(list[_DecisionHead | _AlertHead]).decode


def read(content: bytes) -> list[Message]:
    """The messages of an outbox row, in the order they were said. Raises msgspec.DecodeError for other bytes."""
    return [_message(head, bytes(data)) for head, data in zip(_heads(content), _whole(content), strict=True)]


def _message(head: _DecisionHead | _AlertHead, data: bytes) -> Message:
    if isinstance(head, _AlertHead):
        alert = head.alert
        return Message(alert.topic, f"{alert.id}/{head.n}", alert.subject, data)
    identifier = f"{head.subject}/{head.source}/{head.id}/{head.revision}/{head.version}"
    return Message("decisions", identifier, head.subject, data)
