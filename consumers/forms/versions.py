"""What a record says of its own order among the messages about it, as the revision of the facts it tells."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from consumers.contract.limits import REVISION_MAX
from consumers.files import values
from consumers.files.mapping import Column
from workflow.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumers.files.limits import FileLimits
    from workflow.sources import SourceDefinition

EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Seconds are counted from here, so that they stay within a revision until 2068."""
_WHOLE: Final = re.compile(r"[0-9]+", re.ASCII)


def version_of(column: str, source: SourceDefinition, limits: FileLimits) -> Callable[[str | None], int]:
    """Reads the column as a revision from 1 on: a whole number counts as it is, a time by its second; 0 where the
    record has none. Raises InputError (`version`, and what times raise)."""
    context = values.Context({column: 0}, source.timezone, limits)
    when = values.needed_time(Column(column=column), context, values.times(Column(column=column), context))

    def read(text: str | None) -> int:
        if text is None:
            return 0
        # Behind 0, which is the revision of a record that says nothing of its order.
        number = int(text) if _WHOLE.fullmatch(text) else int((when([text]) - EPOCH).total_seconds())
        if 0 <= number < REVISION_MAX:
            return number + 1
        raise InputError(
            "{column}: expected {expected}, found {found}; name a time of several shapes among `mixed_times`",
            reason="version",
            column=column,
            expected=f"a whole number below {REVISION_MAX} or a time from 2000 on",
            found=text,
        )

    return read
