"""Rows that could not be taken: each with its place and reason, listed up to a limit, counted always."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from workflow.errors import Words

if TYPE_CHECKING:
    from collections.abc import Callable

    from workflow.errors import InputError


class Refusal(Struct, frozen=True):
    """One row that was not taken: where (`file:line`), why, what was expected and what was found.

    `template` is English with {placeholders} and the key of its translation; `values` fill it.
    """

    place: str
    reason: str
    template: str
    values: dict[str, str]

    @property
    def where(self) -> str:
        """Its place, with the column it was found in where the message does not name it."""
        column = self._plain("column")
        return self.place if column is None or "{column}" in self.template else f"{self.place}, {column}"

    @property
    def text(self) -> str:
        """The message in English, with its place."""
        said = self.template.format(**self.values)
        return said if "place" in self.values else f"{self.where}: {said}"

    @property
    def expected(self) -> str | None:
        """What the row should have had, where that can be said."""
        return self._plain("expected")

    @property
    def found(self) -> str | None:
        """What the row had instead."""
        return self._plain("found")

    def _plain(self, name: str) -> str | None:
        """A value as plain text, which machines read too."""
        return None if name not in self.values else str(self.values[name])


class Refusals:
    """The refusals of one file: the first `limit` in `listed`, the number of each reason in `counts`."""

    def __init__(self, limit: int, told: Callable[[Refusal], None] | None = None) -> None:
        """`told` is given every refusal as it comes; then none is kept in `listed`."""
        self.listed: list[Refusal] = []
        self.counts: dict[str, int] = {}
        self._limit = limit
        self._told = told

    @property
    def total(self) -> int:
        """How many rows were refused."""
        return sum(self.counts.values())

    def add(self, place: str, error: InputError) -> None:
        """Count the row at `place` as refused because of `error`, and list or tell it."""
        self.counts[error.code] = self.counts.get(error.code, 0) + 1
        if self._told is None and len(self.listed) >= self._limit:
            return
        values = {name: one if isinstance(one, Words) else str(one) for name, one in error.values.items()}
        refusal = Refusal(place, error.code, error.template, values)
        if self._told is None:
            self.listed.append(refusal)
        else:
            self._told(refusal)

    def clear(self) -> None:
        """Forget all: the file is read again from its start."""
        self.listed.clear()
        self.counts.clear()
