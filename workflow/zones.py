"""Time zones by their IANA names: where dates begin and end."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from workflow.errors import UnknownZone


def is_zone(name: str) -> bool:
    """Whether a database knows the zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # A name such as `../etc` is a ValueError, that of a folder of the database an OSError.
        return False
    return True


def zone_at(name: str, place: str) -> ZoneInfo:
    """The zone of that name. Raises UnknownZone, which says at which place it was named."""
    if not is_zone(name):
        raise UnknownZone(
            "{place}: expected the IANA name of a time zone such as Asia/Ho_Chi_Minh, found {found}; correct it",
            place=place,
            found=repr(name),
        )
    return ZoneInfo(name)
