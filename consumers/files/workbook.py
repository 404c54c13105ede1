"""XLSX workbooks as rows of text, measured before they are opened: the one door to python-calamine.

A workbook is an archive of XML. What it really unpacks to, and how far its cells reach, is counted first, since the
library holds a whole sheet as one rectangle: a single cell in the far corner would fill the memory.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lxml import etree

from workflow.errors import HostileInput, InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKED_BYTES_MAX: Final = 32 << 20
"""Largest workbook; the posts of ten thousand officers take under one MiB."""
UNPACKED_BYTES_MAX: Final = 256 << 20
"""What all its parts may unpack to together."""
CELLS_MAX: Final = 2_000_000
"""Cells of the rectangle a sheet spans."""
PARTS_MAX: Final = 1_000

_CHUNK: Final = 1 << 16
_REFERENCE: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7})", re.ASCII)
_LOCAL_HEADER: Final = struct.Struct("<26xHH")
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Row(NamedTuple):
    """A row of a sheet: its sheet, its number there from 1, and its cells as text; an empty cell is empty text."""

    sheet: str
    number: int
    cells: list[str]


def rows(path: Path) -> Iterator[Row]:
    """The rows of all sheets of a workbook, in its order. Dates are given as 2021-03-01.

    Raises InputError (`workbook`) for a file that is none, HostileInput (`workbook_size`) beyond the limits, UsageError
    where the library that reads workbooks is not installed.
    """
    content = path.read_bytes()
    _measure(path, content)
    try:
        from python_calamine import CalamineError, CalamineWorkbook  # noqa: PLC0415 - an extra, asked for when needed
    except ImportError as error:
        raise UsageError(
            "{name}: a workbook needs the extra xlsx; install it with: pip install dunghen[xlsx], or save the sheet as "
            "CSV",
            name=str(path),
            reason="no_xlsx",
        ) from error
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        for name in book.sheet_names:
            sheet = book.get_sheet_by_name(name)
            for number, cells in enumerate(sheet.to_python(skip_empty_area=False), 1):
                yield Row(name, number, [_text(cell) for cell in cells])
    except CalamineError as error:
        raise _broken(path, str(error)) from error


def _text(cell: Any) -> str:  # noqa: ANN401 - whatever a cell holds
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time.min else cell.isoformat()
    return cell.isoformat() if isinstance(cell, date | time) else str(cell).strip()


def _measure(path: Path, content: bytes) -> None:
    if len(content) > PACKED_BYTES_MAX:
        raise _too_large(path, f"{PACKED_BYTES_MAX} bytes", len(content))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise _broken(path, str(error)) from error
    if not any(part.filename == "xl/workbook.xml" for part in parts):
        raise _broken(path, "an archive without xl/workbook.xml")
    if len(parts) > PARTS_MAX:
        raise _too_large(path, f"{PARTS_MAX} parts", len(parts))
    left = UNPACKED_BYTES_MAX
    for part in parts:
        unpacked = _Part(path, content, part, left)
        if part.filename.endswith(".xml"):
            _check_reach(path, unpacked)
        unpacked.drain()
        left = unpacked.left


class _Part:
    """One part of the archive, unpacked bit by bit: what it holds counts, not what the archive says it holds."""

    def __init__(self, path: Path, content: bytes, part: zipfile.ZipInfo, left: int) -> None:
        self.left = left
        self._path = path
        if part.compress_type not in _METHODS or part.flag_bits & 1:
            raise _broken(path, f"the part {part.filename!r} packed in a way that workbooks are not")
        header = content[part.header_offset : part.header_offset + _LOCAL_HEADER.size]
        if len(header) < _LOCAL_HEADER.size:
            raise _broken(path, f"the part {part.filename!r} cut short")
        start = part.header_offset + _LOCAL_HEADER.size + sum(_LOCAL_HEADER.unpack(header))
        self._packed = content[start : start + part.compress_size]
        self._inflate = zlib.decompressobj(-15) if part.compress_type == zipfile.ZIP_DEFLATED else None

    def read(self, size: int = _CHUNK) -> bytes:
        """The next bytes; none at the end. Raises HostileInput beyond what all parts may unpack to."""
        if self._inflate is None:
            found, self._packed = self._packed[:size], self._packed[size:]
        else:
            try:
                found = self._inflate.decompress(self._packed, size)
            except zlib.error as error:
                raise _broken(self._path, str(error)) from error
            self._packed = self._inflate.unconsumed_tail
        self.left -= len(found)
        if self.left < 0:
            raise _too_large(self._path, f"{UNPACKED_BYTES_MAX} unpacked bytes", "more")
        return found

    def drain(self) -> None:
        """Read to the end."""
        while self.read():
            pass


def _check_reach(path: Path, part: _Part) -> None:
    """How far the cells of a sheet reach. Other parts are left at their first element."""
    parser = etree.iterparse(
        part,
        events=("start",),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        collect_ids=False,
    )
    right = down = 1
    try:
        for _, element in parser:
            if element.getparent() is None and etree.QName(element).localname != "worksheet":
                return
            reference = _REFERENCE.fullmatch(element.get("r", ""))
            if reference is not None:
                right, down = max(right, _column(reference[1])), max(down, int(reference[2]))
            if right * down > CELLS_MAX:
                raise _too_large(path, f"{CELLS_MAX} cells", f"a cell at {element.get('r')}")
            while element.getprevious() is not None:
                del element.getparent()[0]
    except etree.XMLSyntaxError as error:
        raise _broken(path, error.msg) from error


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _broken(path: Path, found: str) -> InputError:
    return InputError(
        "{name}: expected an XLSX workbook, found: {found}; save it again, or as CSV",
        reason="workbook",
        name=str(path),
        found=found,
    )


def _too_large(path: Path, expected: str, found: object) -> HostileInput:
    return HostileInput(
        "{name}: expected a workbook of at most {expected}, found {found}; split it",
        reason="workbook_size",
        name=str(path),
        expected=expected,
        found=found,
    )
