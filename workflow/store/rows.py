"""The rows of the store as values, in the order of their columns, and instants as whole microseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, NamedTuple

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_US: Final = 86_400_000_000

Identity = tuple[str, str, str, int]
"""Subject, source, id, revision of a fact."""


class FactRow(NamedTuple):
    """A fact as it is appended."""

    subject: str
    source: str
    id: str
    revision: int
    type: str
    occurred_at: int
    entered_at: int | None
    recorded_at: int
    sequence: int
    told: bytes
    received: bytes | None
    salt: bytes | None
    received_hash: bytes
    digest: bytes


class DossierRow(NamedTuple):
    """A dossier and what its facts came to; columns of one kind stand side by side.

    `code`: the procedure its facts name, whether we have it or not. `fingerprint`, `calendar`, `judge_version`: what
    the judgment rests on. `appointment_due_at` is the benchmark: the slip with the stops that move it. `..._late` is
    NULL while the date is not met. `minutes_left`: working minutes until the appointment while its clock stands, NULL
    while it runs. `next_due_at`: when its standing alerts may next change. `blocked`: why it could not be judged; its
    other columns are then those of its last judgment. `linked`: the codes of its story as a JSON list, the one it goes
    on under first; NULL for a dossier of one code. `version` grows with every change. `alerts`: how many alerts about
    it are kept, so that where there are none nothing is asked. `last_recorded_at`: the recorded time of its last fact,
    or the later instant at which it was judged anew; its dates are counted as of it.
    """

    subject: str
    code: str | None
    procedure: str
    revision: str
    fingerprint: str
    calendar: str | None
    judge_version: int
    state: str
    unit: str | None
    officer: str | None
    received_at: int | None
    released_at: int | None
    ended_at: int | None
    appointment_due_at: int | None
    appointment_late: bool | None
    committed_due_at: int | None
    committed_late: bool | None
    deviated: bool
    minutes_left: int | None
    next_due_at: int | None
    blocked: str | None
    linked: str | None
    version: int
    facts: int
    last_recorded_at: int
    alerts: int
    judgment: bytes

    def looked_at(self, next_due_at: int | None, alerts: int) -> DossierRow:
        """The row once its alerts were looked at: when to look again, and how many are kept."""
        values = list(self)
        values[_NEXT_DUE_AT], values[_ALERTS] = next_due_at, alerts
        return dossier_row(values)


_NEXT_DUE_AT: Final = DossierRow._fields.index("next_due_at")
_ALERTS: Final = DossierRow._fields.index("alerts")

fact_row: Final = partial(tuple.__new__, FactRow)
dossier_row: Final = partial(tuple.__new__, DossierRow)
"""Rows of all their values in the order of the columns: a class that also takes names needs more than twice as long,
for every fact."""


class AlertRow(NamedTuple):
    """An alert as it was last said. `n`: how much was said about it; `content`: its whole life so far, as JSON."""

    id: str
    kind: str
    topic: str
    subject: str
    unit: str | None
    state: str
    n: int
    due_at: int | None
    raised_at: int
    content: bytes


NEXT_OF_ALERT: Final = (
    "alerts.n < excluded.n OR (alerts.n = excluded.n AND"
    " (alerts.n = 0 OR alerts.state IN ('history', 'waiting') OR excluded.state = 'waiting'))"
)
"""A condition on an alert that is written again: it is as its writer knew it. What was said of it is counted by `n`;
nothing is said of one that begins to wait or waits, nor of history."""


class FeedRow(NamedTuple):
    """What one reader of a stream has heard of a source: the latest that occurred, and when it last heard of it."""

    source: str
    stream: str
    partition: int
    told_at: int
    heard_at: int


class DeadLetter(NamedTuple):
    """A message that could not be taken, whole. `headers` is a JSON list of names and base64 values."""

    place: str
    reason: str
    detail: str
    key: bytes | None
    value: bytes
    headers: bytes
    recorded_at: int
    expires_at: int


class Notice(NamedTuple):
    """A message for one address of a channel. `id`: of the message, `alert`: of what it is about; `content`: what is
    said, as JSON."""

    channel: str
    route: str
    address: str
    id: str
    alert: str
    kind: str
    change: str
    unit: str | None
    due_at: int | None
    routed_at: int
    content: bytes


class SweepRow(NamedTuple):
    """How far the dossiers have been judged anew by a set of definitions. `target` tells the set, `recorded_at` when it
    was activated, `sources` (a JSON list) the sources whose order or rights it changes, `after` the last dossier looked
    at; `dossiers` were judged anew, of which `moved` came to something else."""

    target: str
    recorded_at: int
    sources: str
    after: str
    dossiers: int
    moved: int
    finished: bool


class Position(NamedTuple):
    """A step along a stream: from `before` to `after`, by the claim `epoch` on the log of that identity."""

    stream: str
    partition: int
    before: int
    after: int
    epoch: int = 0


def to_us(at: datetime) -> int:
    """Microseconds since 1970 UTC, exactly; a float would be wrong for one time in a hundred."""
    since = at - EPOCH
    return since.days * _DAY_US + since.seconds * 1_000_000 + since.microseconds


def from_us(at: int) -> datetime:
    """The instant (UTC)."""
    return EPOCH + timedelta(0, 0, at)
