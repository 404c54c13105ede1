"""What is known of a dossier from its start, as one fact before its first event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from consumers.files import values
from consumers.files.bodies import appointment, reader
from workflow.facts import Fact, Opened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consumers.files.mapping import Column
    from consumers.files.values import Cells, Context

CASE_ID: Final = "case"
"""Id of the fact that says what is known of a dossier from its start."""

CaseValues: TypeAlias = tuple[Any, ...]
"""The values of a dossier's own fields and registers, each None where the file has none (yet)."""


class CaseReader:
    """Reads a dossier's own values and makes the fact of them."""

    def __init__(self, fields: Mapping[str, Column], data: Mapping[str, Column], context: Context) -> None:
        """`fields` by their names in the mapping, `data` by register."""
        self._names = tuple(fields)
        self._registers = tuple(data)
        self._readers = (
            *(reader(name, column, context) for name, column in fields.items()),
            *(values.text(name, column, context) for name, column in data.items()),
        )

    def of(self, cells: Cells) -> CaseValues:
        """The values in these cells. Raises InputError with the `column`."""
        return tuple(read(cells) for read in self._readers)

    def fact(self, facts: Sequence[Fact], known: CaseValues) -> Fact:
        """The fact that tells `known` of the dossier that has these events, at least one of them."""
        first = facts[0]
        return Fact(
            first.subject, first.source, CASE_ID, min(one.occurred_at for one in facts), self._opened(known)
        )

    def _opened(self, known: CaseValues) -> Opened:
        found = dict(zip(self._names, known, strict=False))
        told = zip(self._registers, known[len(self._names) :], strict=True)
        slip = appointment(found.pop("appointment", None), found.pop("cause", None))
        return Opened(
            appointments=() if slip is None else (slip,),
            data={name: value for name, value in told if value is not None},
            **found,
        )


def merged(known: CaseValues | None, further: CaseValues | None) -> CaseValues | None:
    """Of two rows of one dossier, what the earlier says, completed by the later."""
    if known is None or further is None or known == further:
        return further if known is None else known
    return tuple(later if earlier is None else earlier for earlier, later in zip(known, further, strict=True))
