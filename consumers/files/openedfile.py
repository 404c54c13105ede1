"""A file being read, whatever its kind, and what was read of it so far."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from consumers.files.blocks import Bytes
from consumers.files.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from consumers.files.limits import FileLimits
    from consumers.files.refusals import Refusal, Refusals
    from workflow.facts import Fact


class OpenedFile:
    """A file at `path`. The counts are those of the reading so far, which may begin anew."""

    def __init__(self, path: Path, limits: FileLimits, told: Callable[[Refusal], None] | None = None) -> None:
        """`told` is given each refusal as it comes, instead of their being listed.

        Nothing is read yet but that the file is there. Raises InputError (`unreadable`, `empty_file`).
        """
        self.path = path
        self._limits = limits
        self._tally = Tally(limits, told)
        self._bytes = Bytes(path, limits)
        self._bytes.close()

    @property
    def rows(self) -> int:
        """Rows, records or messages met."""
        return self._tally.rows

    @property
    def taken(self) -> int:
        """Those that became facts of events; a record that tells several facts counts for each."""
        return self._tally.taken

    @property
    def filtered(self) -> int:
        """Those left out on purpose."""
        return self._tally.filtered

    @property
    def repeated(self) -> int:
        """Those that said again what another said under the same id."""
        return self._tally.repeated

    @property
    def last_at(self) -> datetime | None:
        """The latest time of an event; None before there was one."""
        return self._tally.last_at

    @property
    def refusals(self) -> Refusals:
        """Those that were not taken."""
        return self._tally.refusals

    @property
    def uncoded(self) -> dict[tuple[str, str], int]:
        """How often a field had a value that its codes do not list, by field and value."""
        return dict(self._tally.uncoded)

    def tell_aside(self, told: Callable[[Fact], None]) -> None:
        """Give `told` each fact that a reading of dossiers puts aside: said again, a conflict, beyond the limit."""
        self._tally.aside = told

    def progress(self) -> tuple[int, int]:
        """Bytes of the file on disk read so far, and its size."""
        return self._bytes.position, self._bytes.size

    @contextmanager
    def _read(self) -> Iterator[Bytes]:
        """The file's bytes from their start, while `progress` follows them. Raises InputError (`unreadable`)."""
        with Bytes(self.path, self._limits) as opened:
            self._bytes = opened
            yield opened
