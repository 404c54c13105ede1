"""Archived definitions: from their rows, and what is said of one that was edited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec.json import decode

from workflow.catalogue import Definition
from workflow.errors import LedgerError
from workflow.procedure.language import Revision

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


_AMENDED: Final = " ~"
"""Between the number of a revision and which of its texts it is: no number that somebody writes ends so."""
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
    more, under a number that says the how manieth it is. So is what a revision of sample figures says anew: nobody had
    approved it, and of its texts the last counts. Raises LedgerError for any other that was edited.
    """
    found: dict[tuple[str, str], list[Definition]] = {}
    for one in kept:
        found.setdefault(one[:2], []).append(one)
    for one in used:
        known = found.get(one[:2], [])
        texts = [each for each in known if each.revision.partition(_AMENDED)[0] == one.revision]
        same = texts[-1]._replace(revision=one.revision) if texts else None
        if same is None:
            yield one
        elif same != one:
            if not (again and _is_draft(same)):
                raise edited(store, one, same)
            yield one._replace(revision=f"{one.revision}{_AMENDED}{len(texts) + 1}")
        elif again and one.kind != "procedure" and known[-1].fingerprint != one.fingerprint:
            yield one._replace(revision=f"{one.revision}-{len(known) + 1}")


def _is_draft(one: Definition) -> bool:
    """Whether it is a revision of a procedure that never was approved."""
    return one.kind == "procedure" and decode(one.content, type=Revision).figures == "sample"


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
