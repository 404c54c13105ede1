"""What a delivery says: JSON for a webhook, a text for mail. The same delivery gives the same words, however often."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from workflow.alerts.words import ALERT_CHANGES, ALERT_KINDS
from workflow.i18n import translator
from workflow.messages import AlertSaid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from zoneinfo import ZoneInfo

    from workflow.i18n import Language
    from workflow.store.notices import Counted, Delivery

ALERTS: Final = "alerts.said.v1"
DIGEST: Final = "alerts.counted.v1"
"""The types of what a webhook gets."""
SUBJECT_CHARS_MAX: Final = 150

_encode: Final = msgspec.json.Encoder().encode
_said: Final = msgspec.json.Decoder(AlertSaid).decode


class Content(NamedTuple):
    """A delivery and what is in it: for a digest numbers alone, else everything that is said, each as JSON."""

    delivery: Delivery
    said: Sequence[bytes]
    counted: Sequence[Counted]


class Letter(NamedTuple):
    """Subject and text of a mail."""

    subject: str
    text: str


def payload(content: Content) -> bytes:
    """What a webhook gets: `type`, `timestamp` and `data`, as Standard Webhooks has it."""
    one = content.delivery
    about = {"delivery": one.number, "route": one.route, "count": one.notices}
    if one.form == "digest":
        counts = [count._asdict() for count in content.counted]
        data = {**about, "counts": counts, "listed_by": listing(one)}
    else:
        data = {**about, "unit": one.unit, "alerts": [msgspec.Raw(each) for each in content.said]}
    kind = DIGEST if one.form == "digest" else ALERTS
    return _encode({"type": kind, "timestamp": one.made_at, "data": data})


def listing(one: Delivery) -> str:
    """The command that lists every alert of a delivery."""
    return f"dunghen channels show {one.number}"


def about(said: bytes) -> dict[str, object]:
    """What a list shows of one message: the alert, what is said of it, what it is about and since when."""
    found = _said(said)
    alert = found.alert
    return {
        "id": alert.id,
        "kind": alert.kind,
        "change": found.change,
        "subject": alert.subject,
        "unit": alert.unit,
        "due_at": alert.due_at,
    }


def letter(content: Content, zone: ZoneInfo, language: Language) -> Letter:
    """What a mail says."""
    one, translate = content.delivery, translator(language)
    if one.form == "digest":
        subject = translate("{count} alerts, counted").format(count=one.notices)
        lines = [*_counts(content.counted, zone, translate), "", translate("List each of them with:")]
        return _letter(subject, [*lines, f"  {listing(one)} --output csv"])
    unit = one.unit or "-"
    subject = translate("{count} alerts of {unit}").format(count=one.notices, unit=unit)
    if len(content.said) == 1:
        alert = _said(content.said[0]).alert
        kind = translate(ALERT_KINDS[alert.kind])
        subject = f"{kind}: {alert.subject}"
    lines = [line for each in content.said for line in _alert(_said(each), zone, language)]
    return _letter(subject, [*lines, translate("See one whole with: dunghen alerts show ALERT")])


def _letter(subject: str, lines: Sequence[str]) -> Letter:
    return Letter(_plain(subject)[:SUBJECT_CHARS_MAX], "".join(f"{_plain(line)}\n" for line in lines))


def _alert(said: AlertSaid, zone: ZoneInfo, language: Language) -> Iterator[str]:
    alert, translate = said.alert, translator(language)
    basis = (alert.basis_vi if language == "vi" else None) or alert.basis
    kind, change = translate(ALERT_KINDS[alert.kind]), translate(ALERT_CHANGES[said.change])
    yield f"{kind} · {alert.subject} · {change}"
    fields = {
        translate("due"): _shown(alert.due_at, zone),
        translate("unit"): alert.unit,
        translate("rests on"): basis,
        translate("cause"): alert.cause,
        translate("alert"): alert.id,
    }
    yield from (f"  {name}: {value}" for name, value in fields.items() if value)
    if alert.feed_silent:
        note = translate("The source is silent: the dossier may be further than we know.")
        yield f"  {note}"
    yield ""


def _counts(counted: Sequence[Counted], zone: ZoneInfo, translate: Callable[[str], str]) -> Iterator[str]:
    for one in counted:
        kind, change = translate(ALERT_KINDS[one.kind]), translate(ALERT_CHANGES[one.change])
        due = _shown(one.first_due_at, zone) or "-"
        earliest = translate("earliest {due}").format(due=due)
        yield f"{one.alerts:>7}  {one.unit or '-'} · {kind} · {change} · {earliest}"


def _shown(at: datetime | None, zone: ZoneInfo) -> str:
    return (
        ""
        if at is None
        else f"{(at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(zone):%Y-%m-%d %H:%M}"
    )


def _plain(text: str) -> str:
    """One line of printable characters, whatever a source told us."""
    return "".join(one if one.isprintable() else " " for one in text)
