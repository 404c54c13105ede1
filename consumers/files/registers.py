"""Registers of officers, posts and terms (CSV or XLSX) as facts: each row becomes messages of the event contract.

A sheet with a column `event` tells one event in each row: its other columns are the fields of that `officer.` type. A
sheet without one lists terms: who held which post of which unit from when to when. Columns of no meaning here, such as
a person's name, are not read and not kept.
"""

from __future__ import annotations

import csv
from hashlib import sha256
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from consumers.codec import RawRecord, decode
from consumers.contract.messages import BODIES
from consumers.files import workbook
from consumers.files.blocks import Blocks
from consumers.files.entries import Entry
from consumers.files.openedfile import OpenedFile
from consumers.files.times import day
from workflow.errors import InputError, Words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from consumers.files.limits import FileLimits

PREFIX: Final = "officer."
EVENTS: Final = {name.split(".")[1]: name for name in BODIES if name.startswith(PREFIX)}
"""The word of the column `event` and the message type it stands for."""
VOIDED: Final = "voided"
FIRST_DAYS: Final = ("starts_on", "left_on", "from_on", "on")
"""Where the row names no `occurred_at`: it took place on the first of these days it names."""
TERM: Final = frozenset({"officer", "post", "unit", "starts_on"})
WORKBOOK: Final = ".xlsx"
BOOLEANS: Final = {"true": True, "false": False, "1": True, "0": False}


class _Line(NamedTuple):
    place: str
    cells: dict[str, str]


class Register(OpenedFile):
    """A register file, read once: facts of officers, in the order of its rows."""

    def __init__(self, path: Path, limits: FileLimits, *, source: str, zone: ZoneInfo) -> None:
        """`source` tells the facts; days and times without an offset are those of `zone`.

        Raises InputError (`unreadable`, `empty_file`).
        """
        super().__init__(path, limits)
        self._source, self._zone = source, zone

    def entries(self, after: int) -> Iterator[Entry]:
        """The facts after that number, each with the message it amounts to.

        Raises InputError for what concerns the whole file: its header, its encoding, its size.
        """
        self._tally.clear()
        position = 0
        for line in self._lines():
            self._tally.rows += 1
            try:
                told = [
                    (decode(RawRecord(message, place=line.place), zone=self._zone), message)
                    for message in self._messages(line.cells)
                ]
            except InputError as error:
                self._tally.refusals.add(line.place, error)
                continue
            self._tally.taken += 1
            for fact, message in told:
                position += 1
                if position > after:
                    yield Entry(position, fact, message)
                else:
                    self._tally.repeated += 1

    def _messages(self, cells: dict[str, str]) -> Iterator[bytes]:
        if "event" in cells:
            yield self._message(cells.get("event", ""), cells)
            return
        yield self._message("appointed", cells)
        if cells.get("left_on"):
            left = {**cells, "from_post": cells["post"], "from_unit": cells["unit"], "starts_on": ""}
            yield self._message("moved", {**left, "id": f"{cells['id']}-left" if cells.get("id") else ""})

    def _message(self, event: str, cells: dict[str, str]) -> bytes:
        kind = "event.voided.v1" if event == VOIDED else EVENTS.get(event)
        if kind is None:
            raise InputError(
                "expected `event` to be one of {expected}, found {found}; correct it",
                reason="register_event",
                expected=", ".join([*EVENTS, VOIDED]),
                found=event or Words("none"),
            )
        if not cells.get("officer"):
            raise InputError(
                "expected {expected} for {field} in the column {column}, found {found}; correct it",
                reason="officer_missing",
                expected=Words("the code of an officer"),
                field="officer",
                column="officer",
                found=Words("nothing"),
            )
        data = {
            field.encode_name: self._value(field.type, cells[field.encode_name])
            for field in msgspec.structs.fields(BODIES[kind])
            if cells.get(field.encode_name)
        }
        data["occurred_at"] = self._occurred_at(cells)
        message = {
            "specversion": "1.0",
            "type": kind,
            "source": self._source,
            "subject": cells.get("officer", ""),
            "revision": int(cells["revision"]) if cells.get("revision", "").isdecimal() else 0,
            "data": data,
        }
        told = msgspec.json.encode(message, order="sorted")
        message["id"] = cells.get("id") or sha256(told).hexdigest()[:32]
        return msgspec.json.encode(message, order="sorted")

    def _value(self, kind: object, text: str) -> object:
        if kind is bool:
            return BOOLEANS.get(text.lower(), text)
        return int(text) if text.isdecimal() and kind in (int, int | None) else self._dated(text)

    def _occurred_at(self, cells: dict[str, str]) -> str:
        if cells.get("occurred_at"):
            return self._with_time(cells["occurred_at"])
        return self._with_time(next((cells[name] for name in FIRST_DAYS if cells.get(name)), ""))

    def _with_time(self, text: str) -> str:
        date_text, _, time_text = text.replace("T", " ", 1).partition(" ")
        found = f"{self._dated(date_text)}T{time_text.strip() or '00:00'}"
        return f"{found}:00" if len(found) == len("2021-03-01T08:00") else found

    def _dated(self, text: str) -> str:
        """A day written as 01/03/2021 in our form; all other texts as they are."""
        if len(text) == len("01/03/2021") and text[2] == text[5] == "/":
            return day("dd/MM/yyyy", text).isoformat()
        return text

    def _lines(self) -> Iterator[_Line]:
        header: list[str] | None = None
        sheet = ""
        for row in self._sheets():
            if header is None or row.sheet != sheet:
                sheet, header = row.sheet, None
                if any(row.cells):
                    header = self._header(row)
                continue
            if not any(row.cells):
                continue
            where = f"{row.sheet}:{row.number}" if row.sheet else str(row.number)
            yield _Line(f"{self.path}:{where}", dict(zip(header, row.cells, strict=False)))

    def _header(self, row: workbook.Row) -> list[str]:
        found = [cell.strip().lower() for cell in row.cells]
        needed = {"event", "officer"} if "event" in found else TERM
        missing = sorted(needed.difference(found))
        twice = sorted({name for name in found if name and found.count(name) > 1})
        if missing or twice:
            raise InputError(
                "{place}: expected the columns `event` and `officer`, or `officer`, `post`, `unit` and `starts_on`, "
                "each once, found {found}; name them in the first row",
                reason="register_header",
                place=f"{self.path}:{row.sheet}:{row.number}" if row.sheet else f"{self.path}:{row.number}",
                found=", ".join(name for name in found if name) or Words("none"),
            )
        return found

    def _sheets(self) -> Iterator[workbook.Row]:
        if self.path.suffix.lower() == WORKBOOK:
            yield from workbook.rows(self.path)
            return
        with self._read() as opened:
            lines = _text_lines(Blocks(opened, self._limits))
            header = next(lines, "")
            # Spreadsheets of a country that writes 1,5 part cells by semicolons.
            parting = ";" if header.count(";") > header.count(",") else ","
            reader = csv.reader(chain([header], lines), delimiter=parting, strict=True)
            try:
                for cells in reader:
                    yield workbook.Row("", reader.line_num, [cell.strip() for cell in cells])
            except csv.Error as error:
                raise InputError(
                    "{place}: expected {expected}, found {found}; correct the file from this line on",
                    reason="csv_file",
                    place=f"{self.path}:{reader.line_num}",
                    expected=Words("a row of CSV"),
                    found=str(error),
                ) from error


def _text_lines(blocks: Blocks) -> Iterator[str]:
    for block in blocks:
        yield from block.splitlines(keepends=True)
