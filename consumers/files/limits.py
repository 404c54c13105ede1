"""Named limits of the file readers: what one file may cost us, and which times we believe."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import Struct


class FileLimits(Struct, frozen=True, kw_only=True):
    """Bounds of one file. Passing a limit of the whole file ends its reading; passing one of a row refuses the row.

    `line_bytes_max`: longest line of text; a row of a register export has under 2 KiB, so 1 MiB means a broken quote
    or an attack. `expansion_max`: bytes a gzip file may unpack to per packed byte, asked once `expansion_from_bytes`
    are out (short files of equal lines pack well; logs pack 10 to 40 times, zeros about 1,000 times).
    `unpacked_bytes_max`: 64 GiB, twice a year of a whole country. `text_chars_max`: one value that is kept.
    `identity_chars_max`: a dossier's code or an event's id. `columns_max`: cells of a row. `depth_max`: nesting of
    a JSON line. `earliest`, `latest`: an event's time outside is refused as a slip of a clock or a finger.
    `dossier_facts_max`: facts of one dossier; those beyond are refused. `sort_facts_max`: facts held in memory
    while a file that is not grouped is sorted (about 0.5 KiB each).
    `refusals_kept_max`: refusals listed; all are counted.
    """

    line_bytes_max: int = 1 << 20
    expansion_max: int = 250
    expansion_from_bytes: int = 64 << 20
    unpacked_bytes_max: int = 64 << 30
    text_chars_max: int = 10_000
    identity_chars_max: int = 200
    columns_max: int = 1_000
    depth_max: int = 32
    earliest: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    latest: datetime = datetime(2100, 1, 1, tzinfo=UTC)
    dossier_facts_max: int = 100_000
    sort_facts_max: int = 100_000
    refusals_kept_max: int = 1_000


DEFAULT_LIMITS = FileLimits()
"""The limits where a caller names none."""
