"""The bytes of a file: plain or gzip by its first bytes, within limits, in blocks that end at a line's end.

Text is UTF-8, strictly: a byte that is not ends the reading with its offset, since what follows cannot be trusted.
Lines end at a newline only; Python's own line splitting would also cut at U+2028 and a vertical tab.
"""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING, BinaryIO, Final, Self

from workflow.errors import HostileInput, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consumers.files.limits import FileLimits

BLOCK_BYTES: Final = 1 << 15
"""Bytes read at once: large enough that costs per block vanish, small enough that the rows made of them, some twenty
times their size, stay in a core's cache until they are judged."""

_GZIP_MAGIC: Final = b"\x1f\x8b"
_BOM: Final = b"\xef\xbb\xbf"
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")


class Bytes:
    """An open file and how far it was read. Use as a context manager.

    Raises InputError (`unreadable`, `empty_file`) where it cannot be opened or holds nothing.
    """

    def __init__(self, path: Path, limits: FileLimits) -> None:
        """Open the file; what its first bytes say, not its name, decides whether it is unpacked."""
        self.name = str(path)
        self._limits = limits
        self._raw, self.size = _opened(path)
        packed = self._raw.read(2) == _GZIP_MAGIC
        self._raw.seek(0)
        self._stream: BinaryIO | gzip.GzipFile = gzip.GzipFile(fileobj=self._raw) if packed else self._raw
        self._unpacked = 0

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file; closing twice is fine."""
        self._stream.close()
        self._raw.close()

    @property
    def position(self) -> int:
        """Bytes of the file on disk read so far."""
        return self.size if self._raw.closed else self._raw.tell()

    def read(self, size: int = BLOCK_BYTES) -> bytes:
        """Read at most `size` unpacked bytes; none at the end of the file.

        Raises InputError (`gzip`) for a truncated or broken archive, HostileInput (`expansion`) for one that
        unpacks beyond the limits.
        """
        try:
            data = self._stream.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InputError(
                "{name}: expected a whole gzip file, found {found} after {offset} unpacked bytes; fetch it again",
                reason="gzip",
                name=self.name,
                found=str(error),
                offset=self._unpacked,
            ) from error
        self._unpacked += len(data)
        self._check_expansion()
        return data

    def _check_expansion(self) -> None:
        limits, out = self._limits, self._unpacked
        packed = max(self._raw.tell(), 1)
        bomb = out > limits.expansion_from_bytes and out > packed * limits.expansion_max
        if bomb or out > limits.unpacked_bytes_max:
            raise HostileInput(
                "{name}: expected at most {limit} bytes for each packed one and {most} in all, found {found} from "
                "{packed}; if the file is sound, raise the limit",
                reason="expansion",
                name=self.name,
                limit=limits.expansion_max,
                most=limits.unpacked_bytes_max,
                found=out,
                packed=packed,
            )


class Blocks:
    """The text of a file in blocks of whole lines. `first_line` is the number of the present block's first line.

    Raises, as it is iterated, what `Bytes.read` raises, InputError (`encoding`) for a byte that is not UTF-8, and
    HostileInput (`line_too_long`).
    """

    def __init__(self, source: Bytes, limits: FileLimits) -> None:
        """Read from where `source` stands: the start of the file."""
        self.name = source.name
        self.first_line = 1
        self._source = source
        self._limits = limits
        self._offset = 0

    def __iter__(self) -> Iterator[str]:
        """Give blocks of text that end with a newline, the last one perhaps without."""
        rest = b""
        while data := self._source.read():
            if not self._offset and not rest:
                data = self._without_bom(data)
            end = data.rfind(b"\n") + 1
            if not end:
                rest += data
                self._check_line(rest)
                continue
            block, rest = rest + data[:end], data[end:]
            yield from self._text(block)
        if rest:
            yield from self._text(rest)

    def _without_bom(self, data: bytes) -> bytes:
        if not data.startswith(_BOM):
            return data
        self._offset = len(_BOM)
        return data[len(_BOM) :]

    def _text(self, block: bytes) -> Iterator[str]:
        try:
            text = block.decode()
        except UnicodeDecodeError as error:
            line = self.first_line + block.count(b"\n", 0, error.start)
            if self._offset == 0 and block.startswith(_UTF_16):
                raise InputError(
                    "{place}: expected UTF-8, found UTF-16; save the file as UTF-8, which a sheet calls `CSV UTF-8`",
                    reason="encoding",
                    place=f"{self.name}:1",
                ) from error
            raise InputError(
                "{place}: expected UTF-8, found the byte {found} at offset {offset}; save the file as UTF-8",
                reason="encoding",
                place=f"{self.name}:{line}",
                found=f"0x{block[error.start]:02X}",
                offset=self._offset + error.start,
            ) from error
        yield text
        self._offset += len(block)
        self.first_line += text.count("\n")

    def _check_line(self, rest: bytes) -> None:
        if len(rest) > self._limits.line_bytes_max:
            raise HostileInput(
                "{place}: expected lines of at most {limit} bytes, found a longer one; is a quote left open?",
                reason="line_too_long",
                place=f"{self.name}:{self.first_line}",
                limit=self._limits.line_bytes_max,
            )


def _opened(path: Path) -> tuple[BinaryIO, int]:
    try:
        file = path.open("rb")
        size = file.seek(0, 2)
        file.seek(0)
    except OSError as error:
        raise InputError(
            "{name}: expected a file that can be read, found none ({found}); check the path",
            reason="unreadable",
            name=str(path),
            found=error.strerror or type(error).__name__,
        ) from error
    if size:
        return file, size
    file.close()
    raise InputError(
        "{name}: expected a log, found an empty file; check the path", reason="empty_file", name=str(path)
    )
