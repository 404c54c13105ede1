"""A file of another system's messages, opened as facts: message by message, or as whole dossiers."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from consumers.files.blocks import Blocks, Bytes
from consumers.files.csvrows import check_header
from consumers.files.jsonrows import numbered_lines, parsed
from consumers.files.limits import DEFAULT_LIMITS, FileLimits
from consumers.files.openedfile import OpenedFile
from consumers.files.sorting import by_dossier
from consumers.files.tally import Run
from consumers.files.values import composed
from consumers.forms.reading import FormReader, Part
from consumers.forms.revisions import revised
from workflow.errors import InputError, Words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from consumers.files.refusals import Refusal
    from consumers.forms.language import Form
    from workflow.facts import Fact
    from workflow.sources import SourceDefinition

    Known: TypeAlias = Callable[[list[str]], Iterable[Fact]]
    """What is kept of the dossiers of these codes."""

BOM: Final = "\ufeff"
ASKED_FACTS: Final = 1_000
"""Facts of the file about whose dossiers one question asks; a dossier of more is asked about alone."""


class FormFile(OpenedFile):
    """One file of messages as facts, read like a log: the counts are those of the reading so far.

    `rows`: records met; `taken`: facts told; `filtered`: records that say nothing we judge. A record may tell several
    facts, so `taken` may pass `rows`.
    """

    sorted_externally = True
    mapping = None

    def __init__(
        self,
        path: Path,
        form: Form,
        source: SourceDefinition,
        *,
        limits: FileLimits = DEFAULT_LIMITS,
        secret: bytes | None = None,
        told: Callable[[Refusal], None] | None = None,
        known: Known | None = None,
    ) -> None:
        """`secret` keys the hashes of persons; `known` tells what is kept already, without which nothing is.

        Raises InputError (`unreadable`, `empty_file`).
        """
        super().__init__(path, limits, told)
        self._known = known
        self._form = form
        self._reader = FormReader(form, source, limits, secret)

    def parts(self) -> Iterator[Part]:
        """What each message tells, in the order of the file, read anew from its start; facts have revision 0, or what
        their record says of its order. A record that says nothing is a part without a fact and without an error.

        Raises InputError for what concerns the whole file.
        """
        self._tally.clear()
        with self._read() as source:
            for place, message in self._messages(source):
                if isinstance(message, InputError):
                    self._tally.rows += 1
                    yield self._counted(Part(place, None, message))
                    continue
                yield from self._told(place, message)

    def dossiers(self) -> Iterator[tuple[str, Sequence[Fact]]]:
        """Each dossier's code and its facts, sorted by dossier in bounded memory, a changed one as a revision.

        As many for each dossier whatever is known of it, so that a reading that was stopped can go on.
        """
        runs = (Run(part.fact.subject, [part.fact]) for part in self.parts() if part.fact is not None)
        whole = by_dossier(runs, self._limits.sort_facts_max)
        for several in _together(whole):
            for run in several:
                if len(run.facts) > self._limits.dossier_facts_max:
                    self._tally.cut(run, str(self.path))
            kept = self._kept([run.subject for run in several])
            for run in several:
                yield run.subject, revised(run.facts, kept.get(run.subject, ()), self._tally.put_aside)

    def _kept(self, subjects: list[str]) -> dict[str, list[Fact]]:
        found: dict[str, list[Fact]] = {}
        for fact in () if self._known is None else self._known(subjects):
            found.setdefault(fact.subject, []).append(fact)
        return found

    def _told(self, place: str, message: dict[str, Any]) -> Iterator[Part]:
        records = self._reader.records(message, place)
        while True:
            try:
                where, parts = next(records)
            except StopIteration:
                return
            except InputError as error:
                self._tally.rows += 1
                yield self._counted(Part(place, None, error))
                return
            self._tally.rows += 1
            self._tally.filtered += not parts
            for part in parts or [Part(where, None)]:
                yield self._counted(part)

    def _counted(self, part: Part) -> Part:
        if part.error is not None:
            self._tally.refusals.add(part.place, part.error)
        elif part.fact is not None:
            self._tally.taken += 1
            self._tally.saw(part.fact.occurred_at)
            self._tally.lacked_code(part.uncoded)
        return part

    def _messages(self, source: Bytes) -> Iterator[tuple[str, dict[str, Any] | InputError]]:
        blocks = Blocks(source, self._limits)
        if self._form.format == "csv" or (self._form.format == "table" and not self._is_json()):
            yield from self._rows(blocks)
            return
        for line, text in numbered_lines(blocks):
            place = f"{self.path}:{line}"
            try:
                yield place, parsed(text, self._limits.depth_max)
            except InputError as error:
                # Only where it broke is repeated, never the line: it is full of persons.
                error.values["found"] = Words("a line that is none")
                yield place, error

    def _is_json(self) -> bool:
        with Bytes(self.path, self._limits) as source:
            return source.read(64).decode("utf-8", "replace").lstrip(BOM + " \t\r\n").startswith("{")

    def _rows(self, blocks: Blocks) -> Iterator[tuple[str, dict[str, Any] | InputError]]:
        delimiter = "\t" if self._form.csv.delimiter == "tab" else self._form.csv.delimiter
        rows = csv.reader(_lines(blocks), delimiter=delimiter, strict=True)
        try:
            header = [composed(name) for name in next(rows, [])]
            check_header(str(self.path), header, self._form.key, delimiter)
            start = rows.line_num + 1
            for row in rows:
                place, start = f"{self.path}:{start}", rows.line_num + 1
                if len(row) == len(header):
                    yield place, dict(zip(header, row, strict=True))
                elif row:
                    yield place, _wrong_length(len(header), len(row))
        except csv.Error as error:
            raise InputError(
                "{name}: expected CSV (RFC 4180), found: {found}; is a quote left open?",
                reason="csv",
                name=f"{self.path}:{rows.line_num}",
                found=str(error),
            ) from error


def _together(runs: Iterable[Run]) -> Iterator[list[Run]]:
    held: list[Run] = []
    facts = 0
    for run in runs:
        held.append(run)
        facts += len(run.facts)
        if facts >= ASKED_FACTS:
            yield held
            held, facts = [], 0
    if held:
        yield held


def _lines(blocks: Blocks) -> Iterator[str]:
    for text in blocks:
        # Each line once, with the end it has, whichever of the three that is.
        yield from io.StringIO(text, newline="")


def _wrong_length(expected: int, found: int) -> InputError:
    return InputError(
        "expected {expected} cells, found {found}; correct the row",
        reason="cells",
        expected=expected,
        found=found,
    )
