"""Archived definitions: from their rows, and what is said of one that was edited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from workflow.catalogue import Definition
from workflow.errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


_REVISION_EDITED: Final = (
    "{store}: {kind} {name} revision {revision}: expected the content it was first used with ({expected}), found "
    "another ({found}); undo the edit, or give the new text a new revision"
)
_CALENDAR_EDITED: Final = (
    "{store}: {kind} {name}, last announced {revision}: expected the content it was first used with "
    "({expected}), found another ({found}); undo the edit, or say of a day that is new when it was announced, "
    "later than that, or give the calendar another `revision`"
)


def definition_of(row: Sequence[Any]) -> Definition:
    """A definition of its columns."""
    return Definition._make((*row[:4], bytes(row[4])))


def to_keep(
    store: str, used: Iterable[Definition], kept: Iterable[Definition], *, again: bool
) -> Iterator[Definition]:
    """Those of the definitions that are not kept yet. `kept`: the first recorded first.

    `again`: also those that come back after another. Of all but procedures the last counts, so such a one is kept once
    more, under a number that says the how manieth it is. Raises LedgerError for one that was edited.
    """
    found: dict[tuple[str, str], list[Definition]] = {}
    for one in kept:
        found.setdefault(one[:2], []).append(one)
    for one in used:
        known = found.get(one[:2], [])
        same = next((each for each in known if each.revision == one.revision), None)
        if same is None:
            yield one
        elif same != one:
            raise edited(store, one, same)
        elif again and one.kind != "procedure" and known[-1].fingerprint != one.fingerprint:
            yield one._replace(revision=f"{one.revision}-{len(known) + 1}")


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
