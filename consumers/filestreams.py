"""Files as streams: one after the other, each read from where it was left."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from consumers.codec import encode
from consumers.streams import Log, Polled, Stream
from workflow import log
from workflow.store.bodies import Told

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from consumers.files.entries import Entry
    from consumers.files.sourcefile import SourceFile

BATCH: Final = 1_000
ENDLESS: Final = 2**62
"""A file's last position is known only when it was read."""


class FileStreams:
    """The files of a list, in its order."""

    def __init__(self, paths: Sequence[Path], open_file: Callable[[Path], SourceFile]) -> None:
        """`open_file` may raise InputError, as reading may."""
        self._paths = list(paths)
        self._open_file = open_file
        self._entries: Iterator[Entry] | None = None
        self._number = self._at = 0
        self._file: SourceFile | None = None
        self._next()

    def assigned(self) -> Mapping[Stream, int]:
        """The file that is read now."""
        return {} if self._file is None else {self._stream(): self._number}

    def logs(self, streams: Collection[Stream]) -> Mapping[Stream, Log]:
        """Each file is its own identity, by its bytes."""
        return {stream: Log(stream.name.removeprefix("file/"), 0, ENDLESS) for stream in streams}

    def begin(self, stream: Stream, position: int) -> bool:
        """Reads the file on from behind a position."""
        if self._file is None or stream != self._stream():
            return False
        self._entries = self._file.reading.entries(position)
        self._at = position
        return True

    def leave(self, _stream: Stream) -> None:
        """Goes on to the next file."""
        self._next()

    def hold(self) -> None:
        """Reads nothing until it is begun again."""
        self._entries = None

    def poll(self) -> list[Polled]:
        """The next facts of the file; at its end, the next file."""
        if self._entries is None or self._file is None:
            return []
        entries = list(islice(self._entries, BATCH))
        if not entries:
            self._tell()
            self._next()
            return []
        path, since = self._paths[self._number - 1], self._at
        self._at = entries[-1].position
        told = [_told(entry, path) for entry in entries]
        return [Polled(self._stream(), told, (), since, self._at, self._at)]

    def hint(self, positions: Mapping[Stream, int]) -> None:
        """Nobody watches from outside."""

    def moved(self) -> bool:
        """Never: a file that is read does not change its bytes."""
        return False

    def ended(self) -> bool:
        """Whether every file was read."""
        return self._file is None

    def close(self) -> None:
        """Reads no more."""
        self._entries = self._file = None

    def _stream(self) -> Stream:
        assert self._file is not None  # noqa: S101 - asked for only while a file is open
        return Stream(f"file/{self._file.identity}", 0)

    def _next(self) -> None:
        self._entries = None
        self._number += 1
        more = self._number <= len(self._paths)
        self._file = self._open_file(self._paths[self._number - 1]) if more else None

    def _tell(self) -> None:
        assert self._file is not None  # noqa: S101 - as above
        reading = self._file.reading
        for refusal in reading.refusals.listed:
            log.warning("not taken", place=refusal.where, said=refusal.template.format(**refusal.values))
        log.info(
            "file read",
            path=str(self._paths[self._number - 1]),
            records=reading.rows,
            dead=reading.refusals.total,
        )


def _told(entry: Entry, path: Path) -> Told:
    received = encode(entry.fact) if entry.received is None else entry.received
    return Told(entry.fact, received, f"{path}:{entry.position}")
