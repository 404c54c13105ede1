"""A file as a numbered sequence of facts, the same at every reading, so that a reading that was stopped can go on.

Our own messages come line by line with the bytes as they came, numbered by their lines. Rows of other systems come
sorted by dossier (what a file knows of a dossier as a whole is known only then), numbered one by one.
"""

from __future__ import annotations

from hashlib import file_digest, sha256
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from consumers.codec import RawRecord, decode
from consumers.files.blocks import Blocks
from consumers.files.factfile import FactFile
from consumers.files.jsonrows import numbered_lines
from consumers.files.openedfile import OpenedFile
from consumers.files.sorting import by_dossier
from consumers.files.tally import Run
from workflow.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from consumers.files.limits import FileLimits
    from consumers.files.mapping import Mapping
    from consumers.files.refusals import Refusals
    from workflow.facts import Fact

ENDINGS: Final = (".jsonl", ".csv", ".xes")
PACKED: Final = ".gz"


class Entry(NamedTuple):
    """A fact, its place in the sequence, and its bytes as they came, where the file has them one by one."""

    position: int
    fact: Fact
    received: bytes | None


class Counted(Protocol):
    """What every reader of a file tells about its reading so far."""

    @property
    def rows(self) -> int:
        """Rows of data met."""

    @property
    def taken(self) -> int:
        """Rows that became facts."""

    @property
    def filtered(self) -> int:
        """Rows left out on purpose."""

    @property
    def repeated(self) -> int:
        """Rows that said again what another said under the same id."""

    @property
    def refusals(self) -> Refusals:
        """The rows that were not taken."""

    @property
    def uncoded(self) -> dict[tuple[str, str], int]:
        """How often a field had a value without a code."""

    def progress(self) -> tuple[int, int]:
        """Bytes read so far, and all there are."""


class DossierFile(Counted, Protocol):
    """A file that gives whole dossiers."""

    def dossiers(self) -> Iterator[tuple[str, Sequence[Fact]]]:
        """Each dossier's code and facts."""


class Messages(OpenedFile):
    """A file of our own messages, one for each line."""

    def __init__(
        self, path: Path, limits: FileLimits, *, source: str | None = None, zone: ZoneInfo | None = None
    ) -> None:
        """`source`: the only one whose messages are taken; `zone` reads its times without an offset.

        Raises InputError (`unreadable`, `empty_file`).
        """
        super().__init__(path, limits)
        self._source, self._zone = source, zone

    def entries(self, after: int) -> Iterator[Entry]:
        """The messages of the lines after that number. Raises InputError for what concerns the whole file."""
        for line, received, fact in self.told(after):
            if not isinstance(fact, InputError):
                yield Entry(line, fact, received)

    def dossiers(self) -> Iterator[tuple[str, Sequence[Fact]]]:
        """Each dossier's code and its facts, sorted by dossier in bounded memory. Raises as `entries`."""
        runs = (Run(one.fact.subject, [one.fact]) for one in self.entries(0))
        for run in by_dossier(runs, self._limits.sort_facts_max):
            yield run.subject, run.facts

    def told(self, after: int = 0) -> Iterator[tuple[int, bytes, Fact | InputError]]:
        """Each line after that number: its number, its bytes, and its fact or why it has none. Raises as `entries`."""
        self._tally.clear()
        with self._read() as opened:
            for line, text in numbered_lines(Blocks(opened, self._limits)):
                if line <= after:
                    continue
                self._tally.rows += 1
                place = f"{self.path}:{line}"
                received = text.encode()
                fact = self._told(received, place)
                if isinstance(fact, InputError):
                    self._tally.refusals.add(place, fact)
                else:
                    self._tally.taken += 1
                yield line, received, fact

    def _told(self, received: bytes, place: str) -> Fact | InputError:
        try:
            return self._fact(received, place)
        except InputError as error:
            return error

    def _fact(self, received: bytes, place: str) -> Fact:
        fact = decode(RawRecord(received, place=place), zone=self._zone)
        if self._source is not None and fact.source != self._source:
            raise InputError(
                "expected a message of the source {expected}, found one of {found}; import it under its own source",
                reason="other_source",
                expected=self._source,
                found=fact.source,
            )
        return fact


class Rows:
    """A file of rows or messages of another system."""

    def __init__(self, file: DossierFile) -> None:
        """The facts of `file`, which sorts them by dossier."""
        self.file = file
        self._passed = 0

    @property
    def rows(self) -> int:
        """Rows of data met."""
        return self.file.rows

    @property
    def taken(self) -> int:
        """Rows that became facts."""
        return self.file.taken

    @property
    def filtered(self) -> int:
        """Rows left out on purpose."""
        return self.file.filtered

    @property
    def repeated(self) -> int:
        """Rows that became no entry because what they say was given already: in this file, or by an earlier reading."""
        return self.file.repeated + self._passed

    @property
    def refusals(self) -> Refusals:
        """The rows that were not taken."""
        return self.file.refusals

    @property
    def uncoded(self) -> dict[tuple[str, str], int]:
        """How often a field had a value without a code."""
        return self.file.uncoded

    def progress(self) -> tuple[int, int]:
        """Bytes of the file on disk read so far, and its size."""
        return self.file.progress()

    def entries(self, after: int) -> Iterator[Entry]:
        """The facts after that number. Raises InputError for what concerns the whole file."""
        facts = (fact for _, facts in self.file.dossiers() for fact in facts)
        numbered = enumerate(facts, 1)
        self._passed = sum(1 for _ in islice(numbered, after))
        for position, fact in numbered:
            yield Entry(position, fact, None)


def mapped(path: Path, mapping: Mapping, limits: FileLimits) -> Rows:
    """A file read through a mapping.

    Always sorted: a dossier that comes back after others would change what was already taken as its whole. Raises
    InputError (`unreadable`, `empty_file`), UnknownZone.
    """
    file = FactFile(path, mapping, limits, None)
    file.sorted_externally = True
    return Rows(file)


def batches(entries: Iterable[Entry], size: int) -> Iterator[list[Entry]]:
    """The entries in lists of `size`, the last one perhaps shorter; what was read of a broken file comes first.

    Raises what `entries` raises, after the last list.
    """
    batch: list[Entry] = []
    try:
        for entry in entries:
            batch.append(entry)
            if len(batch) == size:
                yield batch
                batch = []
    except InputError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def files_of(path: Path) -> list[Path]:
    """The file itself, or the logs in a folder in the order of their names.

    Raises InputError (`no_log`) for a folder without any.
    """
    if not path.is_dir():
        return [path]
    found = sorted(one for one in path.iterdir() if one.name.removesuffix(PACKED).endswith(ENDINGS))
    if not found:
        raise InputError(
            "{name}: expected files that end in {expected}, found none; name a file, or another folder",
            reason="no_log",
            name=str(path),
            expected=", ".join(ENDINGS),
        )
    return found


def identity_of(path: Path, *reading: bytes) -> str:
    """What tells one file from another, whatever its name: a digest of its bytes and of how they are read.

    Raises InputError (`unreadable`).
    """
    try:
        with path.open("rb") as file:
            content = file_digest(file, "sha256")
    except OSError as error:
        raise InputError(
            "{name}: expected a file that can be read, found none ({found}); check the path",
            reason="unreadable",
            name=str(path),
            found=error.strerror or type(error).__name__,
        ) from error
    whole = sha256(content.digest())
    for part in reading:
        whole.update(sha256(part).digest())
    return whole.hexdigest()
