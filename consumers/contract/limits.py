"""Named limits of one message: what it may cost us, and which times we believe."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

WHOLE_MAX: Final = 2**53 - 1
"""Largest whole number every JSON reader keeps exactly (RFC 8259 section 6, RFC 8785 section 3.2.2.3)."""

REVISION_MAX: Final = 2**31 - 1
"""Largest CloudEvents Integer (CloudEvents 1.0.2, type system)."""


class Limits(Struct, frozen=True, kw_only=True):
    """Bounds of one message. Passing one refuses the message whole, as hostile; a time out of bounds as wrong.

    `message_bytes_max`: 1 MiB, the default of a Kafka topic; an event has under 2 KiB. `depth_max`: nested objects
    and lists; the contract itself needs 5. `text_chars_max`: any one text; a reason of an office fits in 4,000.
    `identity_chars_max`: subject, source, id, and any name of a field: they are keys of indexes.
    `list_items_max`: any one list, documents and pauses among them; the longest list of papers of a procedure in
    the national list has under 100. `data_fields_max`: fields of any one object, the registers in `data` among
    them. `earliest`, `latest`: a time from `earliest` to before `latest` is believed, others are slips of a clock
    or a finger: no dossier on file is older than 1990, and a clock run wild stands beyond 2100.
    """

    message_bytes_max: int = 1 << 20
    depth_max: int = 32
    text_chars_max: int = 10_000
    identity_chars_max: int = 200
    list_items_max: int = 1_000
    data_fields_max: int = 500
    earliest: datetime = datetime(1990, 1, 1, tzinfo=UTC)
    latest: datetime = datetime(2101, 1, 1, tzinfo=UTC)


DEFAULT_LIMITS: Final = Limits()
"""The limits where a caller names none."""
