"""The life of an alert as a row and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from workflow.alerts import Life
from workflow.store.rows import AlertRow, to_us

if TYPE_CHECKING:
    from collections.abc import Iterable

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Life).decode


def row(life: Life) -> AlertRow:
    """The row of an alert."""
    alert = life.alert
    return AlertRow(
        alert.id,
        alert.kind,
        alert.topic,
        alert.subject,
        alert.unit,
        life.state,
        life.n,
        None if alert.due_at is None else to_us(alert.due_at),
        to_us(life.raised_at),
        _encode(life),
    )


def lives(rows: Iterable[AlertRow]) -> dict[str, Life]:
    """The lives of alerts, by their ids."""
    return {one.id: _decode(one.content) for one in rows}
