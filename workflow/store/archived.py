"""Archived definitions: from their rows, and what is said of one that was edited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from workflow.catalogue import Definition
from workflow.errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import Sequence


_REVISION_EDITED: Final = (
    "{store}: {kind} {name} revision {revision}: expected the content it was first used with ({expected}), found "
    "another ({found}); undo the edit, or give the new text a new revision"
)
_CALENDAR_EDITED: Final = (
    "{store}: {kind} {name}, last announced {revision}: expected the content it was first used with "
    "({expected}), found another ({found}); undo the edit, or say of a day that is new when it was announced, "
    "later than that"
)


def definition_of(row: Sequence[Any]) -> Definition:
    """A definition of its columns."""
    return Definition._make((*row[:4], bytes(row[4])))


def edited(store: str, one: Definition, found: Definition) -> LedgerError:
    """The error of a definition whose content is not that it was first used with."""
    return LedgerError(
        _CALENDAR_EDITED if one.kind == "calendar" else _REVISION_EDITED,
        store=store,
        kind=one.kind,
        name=one.name,
        revision=one.revision,
        expected=found.fingerprint[:16],
        found=one.fingerprint[:16] if one.fingerprint != found.fingerprint else "the same in another order",
        reason="definition_edited",
    )
