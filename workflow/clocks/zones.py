"""The zone of a procedure: where its dates begin and end."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from workflow.errors import UnknownZone

if TYPE_CHECKING:
    from workflow.procedure.language import Revision


def zone_of(revision: Revision) -> ZoneInfo:
    """The zone a revision names. Raises UnknownZone where no database knows it."""
    try:
        return ZoneInfo(revision.zone)
    except (ZoneInfoNotFoundError, ValueError) as cause:
        raise UnknownZone(
            "procedure {procedure}: unknown time zone {zone}, expected an IANA name such as Asia/Ho_Chi_Minh",
            procedure=revision.procedure,
            zone=revision.zone,
        ) from cause
