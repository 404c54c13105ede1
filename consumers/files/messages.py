"""JSONL of our own messages: one CloudEvents object for each line, decoded as those of a stream are.

The limits of one message are the contract's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumers.codec import RawRecord, decode
from consumers.files.blocks import Blocks
from consumers.files.jsonrows import numbered_lines
from consumers.files.tally import Run
from workflow.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumers.files.blocks import Bytes
    from consumers.files.limits import FileLimits
    from consumers.files.tally import Tally


class Messages:
    """The messages of one file, read once."""

    def __init__(self, source: Bytes, limits: FileLimits, tally: Tally) -> None:
        """Read from the start of `source`, counting in `tally`."""
        self.name = source.name
        self._source = source
        self._limits = limits
        self._tally = tally

    def runs(self) -> Iterator[Run]:
        """Each message as a run of its own, in the order of the file; blank lines are skipped.

        Raises InputError (`encoding`, `gzip`) and HostileInput (`line_too_long`, `expansion`) for the whole file.
        """
        for line, text in numbered_lines(Blocks(self._source, self._limits)):
            self._tally.rows += 1
            place = f"{self.name}:{line}"
            try:
                fact = decode(RawRecord(text.encode(), place=place))
            except InputError as error:
                self._tally.refusals.add(place, error)
                continue
            self._tally.taken += 1
            self._tally.saw(fact.occurred_at)
            yield Run(fact.subject, [fact])
