"""CSV (RFC 4180) as runs of facts: a short cut for plain text, `csv.reader` from the first quote on.

A block of text without a quote, a NUL, a lone carriage return or a letter that has another spelling can be cut
at its delimiters. Of such a row only the dossier's code, the id and the time are looked at; the rest of the line,
as text, finds the body that an equal rest had before. Whatever is new takes the long way, where every check is made.
"""

from __future__ import annotations

import csv
import io
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Final
from unicodedata import is_normalized

from consumers.files.blocks import Blocks
from consumers.files.tally import Run
from consumers.files.values import composed
from workflow.errors import HostileInput, InputError, Words
from workflow.factrows import FactRows
from workflow.facts import is_bare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from consumers.files.blocks import Bytes
    from consumers.files.mapping import Mapping
    from consumers.files.plan import Plan, Swift
    from consumers.files.tally import Tally, Told
    from consumers.files.values import Cells
    from workflow.facts import Acted, Fact

LINES_MAX: Final = 65_536
"""Distinct rests of lines remembered; the fines log has 8,764."""


class CsvRows:
    """The rows of one CSV file, read once."""

    def __init__(self, source: Bytes, mapping: Mapping, plan: Plan, tally: Tally) -> None:
        """Read from the start of `source`, counting in `tally`."""
        self.name = source.name
        self.delimiter = "\t" if mapping.csv.delimiter == "tab" else mapping.csv.delimiter
        self._plan = plan
        self._needed = dict.fromkeys((*plan.columns, *plan.case_columns))
        self._tally = tally
        self._blocks = Blocks(source, plan.limits)

    def blocks(self) -> Iterator[list[Run]]:
        """Neighbouring rows of one dossier, in the order of the file; one dossier may come in several runs.

        Raises InputError for what concerns the whole file: header, encoding, archive, an open quote.
        """
        texts = iter(self._blocks)
        first = next(texts, "")
        body, line = self._head(first)
        swift = self._plan.swift and _ShortCut(self, self._plan, self._plan.swift, self._tally)
        for text in chain((body,), texts):
            plain = _plain(text) if swift else None
            if swift is None or plain is None:
                told = self._each(chain((text,), texts), line)
                yield from ([run] for _, run in told if isinstance(run, Run))
                return
            yield swift.runs(plain, line)
            line += swift.lines

    def told(self) -> Iterator[tuple[int, Told]]:
        """The number of the line each row begins with, and what became of it. Raises as `blocks`."""
        texts = iter(self._blocks)
        body, line = self._head(next(texts, ""))
        return self._each(chain((body,), texts), line)

    def take(self, cells: list[str], row: int, line: int) -> tuple[Fact, Acted | None] | InputError | None:
        """The fact of a row's cells, and its body where equal cells need no second look; else why it is not taken, or
        None if it is left out."""
        plan, tally = self._plan, self._tally
        if not any(map(str.strip, cells)):  # as a sheet leaves below its last row
            tally.filtered += 1
            return None
        try:
            mapped = self._cells(cells)
            built = plan.body(mapped)
            if built is None:
                tally.filtered += 1
                return None
            fact = plan.fact(mapped, row, plan.subject(mapped), built)
        except InputError as error:
            tally.refusals.add(f"{self.name}:{line}", error)
            return error
        tally.taken += 1
        tally.saw(fact.occurred_at)
        tally.lacked_code(built.uncoded)
        return fact, None if built.uncoded else built.body

    def _cells(self, cells: list[str]) -> Cells:
        if len(cells) != self.width:
            raise InputError(
                "expected {expected} cells as in the header, found {found}; is a delimiter missing or not quoted?",
                reason="cells",
                expected=self.width,
                found=len(cells),
            )
        return self._mapped(cells)

    def _head(self, first: str) -> tuple[str, int]:
        """Read the header; the rest of its block, and the number of the line it begins with."""
        text = io.StringIO(first, newline="\n")
        reader = csv.reader(text, delimiter=self.delimiter, strict=True)
        try:
            header = next(reader, [])
        except csv.Error as error:
            raise self._broken(Words("a header line"), str(error), 1) from error
        self.width = len(header)
        if self.width > self._plan.limits.columns_max:
            raise HostileInput(
                "{place}: expected at most {limit} columns, found {found}",
                reason="too_many_columns",
                place=f"{self.name}:1",
                limit=self._plan.limits.columns_max,
                found=self.width,
            )
        check_header(self.name, header, self._needed, self.delimiter)
        spelled = [composed(name) for name in header]
        self.header = {name: spelled.index(composed(name)) for name in self._needed}
        self._mapped = _picker([self.header[name] for name in self._plan.columns])
        case = self._plan.case
        self._case_cells = _picker([self.header[name] for name in self._plan.case_columns]) if case else None
        return first[text.tell() :], 1 + reader.line_num

    def _each(self, texts: Iterable[str], line: int) -> Iterator[tuple[int, Told]]:
        """The rows of the rest of the file, wherever cells and lines are quoted."""
        lines = chain.from_iterable(io.StringIO(text, newline="\n") for text in texts)
        reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
        before = line
        while True:
            start = before + reader.line_num
            try:
                cells = next(reader, None)
            except csv.Error as error:
                yield start, self._unread(error, start)
                continue
            if cells is None:
                return
            if cells:
                self._tally.rows += 1
                yield start, self._row(cells, start)

    def _row(self, cells: list[str], line: int) -> Told:
        taken = self.take(cells, self._tally.rows, line)
        if not isinstance(taken, tuple):
            return taken
        case = self._plan.case
        if case is None or self._case_cells is None:
            return Run(taken[0].subject, [taken[0]])
        try:
            return Run(taken[0].subject, [taken[0]], case.of(self._case_cells(cells)))
        except InputError as error:
            self._tally.taken -= 1
            self._tally.refusals.add(f"{self.name}:{line}", error)
            return error

    def _unread(self, error: csv.Error, line: int) -> InputError:
        """Refuse one row, or the file where the ends of its rows can no longer be known."""
        found = str(error)
        if found.startswith(("unexpected end", "field larger")):
            raise self._broken(Words("a closing quote"), found, line) from error
        self._tally.rows += 1
        refused = InputError(
            "expected {expected}, found {found}; quote the cell and double the quotes inside",
            reason="csv",
            expected=Words("a row of CSV"),
            found=found,
        )
        self._tally.refusals.add(f"{self.name}:{line}", refused)
        return refused

    def _broken(self, expected: str, found: str, line: int) -> InputError:
        return HostileInput(
            "{place}: expected {expected}, found {found}; correct the file from this line on",
            reason="csv_file",
            place=f"{self.name}:{line}",
            expected=expected,
            found=found,
        )


class _ShortCut:
    """Rows of plain text: those that equal earlier ones but for dossier, id and time are taken at once."""

    def __init__(self, rows: CsvRows, plan: Plan, swift: Swift, tally: Tally) -> None:
        self._rows = rows
        self._tally = tally
        self._plan = plan
        self._subject = rows.header[swift.subject]
        self._id = None if swift.id is None else rows.header[swift.id]
        self._at = rows.header[swift.occurred_at]
        self._times = swift.times
        own = {self._subject, self._at, self._subject if self._id is None else self._id}
        self._cut = max(own) + 1
        self._parts = min(self._cut + 1, rows.width)
        self._rest = _rest([place for place in range(self._parts) if place not in own])
        self._bodies: dict[object, Acted] = {}
        self.lines = 0

    def runs(self, text: str, line: int) -> list[Run]:
        """The runs of a block whose first line has the number `line`; `lines` then says how many ended in it."""
        delimiter, cut, width, rest = self._rows.delimiter, self._cut, self._parts, self._rest
        known_body, known_time, source = self._bodies.get, self._times.get, self._plan.source
        subject_at, id_at, time_at = self._subject, self._id, self._at
        row = self._tally.rows
        line -= row + 1
        long = 0
        runs: list[Run] = []
        subject, last = "", self._plan.limits.earliest
        lines = text.split("\n")
        self.lines = len(lines) - 1
        # No cell is longer than its line: with short lines alone only an empty code or id is looked for.
        longest = self._plan.limits.identity_chars_max
        longest = longest if max(map(len, lines)) > longest else 0
        for text_line in lines:
            row += 1
            parts = text_line.split(delimiter, cut)
            body = at = None
            if len(parts) == width:
                body, at = known_body(rest(parts)), known_time(parts[time_at])
                code, name = parts[subject_at], str(row) if id_at is None else parts[id_at]
            if (
                body is None
                or at is None
                or not name
                or not code
                or (longest and max(len(name), len(code)) > longest)
                or name.strip() != name
                or code.strip() != code
            ):
                if not text_line:
                    row, line = row - 1, line + 1
                    continue
                at = None if body is None or at is not None else self._new_time(parts[time_at], name, code)
            if at is None:
                long += 1
                fact = self._long_way(text_line, parts, row, line + row)
                if fact is None:
                    continue
                code, at, body, name = fact.subject, fact.occurred_at, fact.body, fact.id  # type: ignore[assignment] # rows are acts
            if code != subject or at < last:
                subject, rows = code, FactRows(code, source, shared=True)
                add = rows.rows.append
                runs.append(Run(code, rows))
            add((at, body, name, row))  # type: ignore[arg-type] # an act, as above
            last = at
        self._tally.taken += row - self._tally.rows - long
        self._tally.rows = row
        return runs

    def _new_time(self, text: str, name: str, code: str) -> datetime | None:
        """An instant not met before, of a row that is otherwise taken; None if it is none: the long way says why."""
        longest = self._plan.limits.identity_chars_max
        if not (len(name) <= longest and len(code) <= longest and is_bare(name) and is_bare(code)):
            return None
        try:
            at = self._times[text]
        except InputError:
            return None
        self._tally.saw(at)
        return at

    def _long_way(self, text: str, parts: list[str], row: int, line: int) -> Fact | None:
        taken = self._rows.take(text.split(self._rows.delimiter), row, line)
        if not isinstance(taken, tuple):
            return None
        fact, body = taken
        if body is not None:
            if len(self._bodies) >= LINES_MAX:
                self._bodies.clear()
            self._bodies[self._rest(parts)] = body
        return fact


def check_header(name: str, header: list[str], needed: Iterable[str], delimiter: str) -> None:
    """Raises InputError (`missing_column`, `repeated_column`) where one of the `needed` columns is not there once."""
    spelled = [composed(one) for one in header]
    wrong = [one for one in needed if spelled.count(composed(one)) != 1]
    other = next((one for one in ",;\t" if one != delimiter and one in header[0]), "") if header else ""
    if wrong and len(header) == 1 and other:
        raise InputError(
            "{place}: expected cells between {delimiter}, found one cell in the header, {found}; say in the "
            "mapping or form: csv: {{delimiter: {other}}}",
            reason="missing_column",
            place=f"{name}:1",
            delimiter=repr(delimiter),
            found=header[0][:500],
            other="tab" if other == "\t" else f'"{other}"',
        )
    if wrong:
        times = spelled.count(composed(wrong[0]))
        raise InputError(
            "{place}: expected each mapped column once, found {column} {times} times; the file has {found}",
            reason="repeated_column" if times else "missing_column",
            place=f"{name}:1",
            column=wrong[0],
            times=times,
            found=", ".join(header)[:500],
        )


def _plain(text: str) -> str | None:
    """The block with newlines as its only line ends; None if it cannot simply be cut at its delimiters."""
    if '"' in text or "\0" in text or not (text.isascii() or is_normalized("NFC", text)):
        return None
    if "\r" not in text:
        return text
    text = text.replace("\r\n", "\n")
    return None if "\r" in text else text


def _picker(places: list[int]) -> Callable[[list[str]], Cells]:
    """Picks cells; one `itemgetter` where it gives a tuple."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda cells: [cells[place] for place in places]


def _rest(places: list[int]) -> Callable[[list[str]], object]:
    return itemgetter(*places) if places else lambda _: None
