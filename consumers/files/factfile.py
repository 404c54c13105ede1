"""The door of this room: a file of any kind, opened as whole dossiers of facts."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from consumers.files.csvrows import CsvRows
from consumers.files.dossiers import NotGrouped, joined, together
from consumers.files.identities import distinct
from consumers.files.jsonrows import JsonRows
from consumers.files.limits import DEFAULT_LIMITS, FileLimits
from consumers.files.messages import Messages
from consumers.files.openedfile import OpenedFile
from consumers.files.plan import Plan
from consumers.files.sorting import by_dossier
from consumers.files.xestraces import XesTraces
from workflow.errors import InputError
from workflow.facts import Opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from consumers.files.blocks import Bytes
    from consumers.files.cases import CaseValues
    from consumers.files.mapping import Mapping
    from consumers.files.refusals import Refusal
    from consumers.files.tally import Run, Told
    from workflow.facts import Fact


def open_facts(
    path: Path,
    mapping: Mapping | None,
    *,
    limits: FileLimits = DEFAULT_LIMITS,
    told: Callable[[Refusal], None] | None = None,
) -> FactFile:
    """A file as dossiers of facts; without a mapping it is JSONL of our own messages.

    `told` is given each refused row as it comes, instead of their being listed. Nothing is read yet but that the
    file is there. Raises InputError (`unreadable`, `empty_file`, `no_mapping`), UnknownZone.
    """
    if mapping is None and path.name.removesuffix(".gz").endswith((".csv", ".xes")):
        raise InputError(
            "{name}: expected a mapping, since CSV and XES hold no messages of ours; name it with --mapping",
            reason="no_mapping",
            name=str(path),
        )
    return FactFile(path, mapping, limits, told)


class FactFile(OpenedFile):
    """One file as dossiers of facts.

    `sorted_externally`: whether the facts were sorted by dossier first,
    since they do not lie together.
    """

    def __init__(
        self,
        path: Path,
        mapping: Mapping | None,
        limits: FileLimits,
        told: Callable[[Refusal], None] | None,
    ) -> None:
        """See `open_facts`."""
        super().__init__(path, limits, told)
        self.mapping = mapping
        self.sorted_externally = mapping is None or not mapping.dossiers_lie_together
        self._plan = None if mapping is None else Plan(mapping, limits)

    def dossiers(self) -> Iterator[tuple[str, Sequence[Fact]]]:
        """Each dossier's code and its facts in the order of the file, read anew from its start.

        What the mapping knows of a dossier from its start comes first, as one `Opened` fact.

        Raises InputError for what concerns the whole file, and NotGrouped where the file's dossiers do not lie
        together though its mapping says so: throw away what came and iterate once more, which then sorts.
        """
        self._tally.clear()
        with self._read() as source:
            for run in chain.from_iterable(self._whole(self._blocks(source))):
                if run.case is not None:
                    self._reveal(run, run.case)
                yield run.subject, run.facts

    def told(self) -> Iterator[tuple[int, Told]]:
        """The number of each row's line and what became of it, in the order of the file, which has a mapping.

        Read anew from its start. Raises InputError for what concerns the whole file.
        """
        assert self.mapping is not None  # noqa: S101 - only rows of other systems are asked about
        assert self._plan is not None  # noqa: S101 - it comes with the mapping
        self._tally.clear()
        with self._read() as source:
            match self.mapping.format:
                case "csv":
                    yield from CsvRows(source, self.mapping, self._plan, self._tally).told()
                case "xes":
                    yield from XesTraces(source, self._plan, self._tally).told()
                case "jsonl":
                    yield from JsonRows(source, self._plan, self._tally).told()

    def _reveal(self, run: Run, values: CaseValues) -> None:
        """Puts what is known of a dossier from its start before its events; its end may be the log's latest time."""
        assert self._plan is not None  # noqa: S101 - only a plan reads values of a dossier
        assert self._plan.case is not None  # noqa: S101 - as above
        known = self._plan.case.fact(run.facts, values)
        run.insert(known)
        if isinstance(known.body, Opened) and known.body.ended_at is not None:
            self._tally.saw(known.body.ended_at)

    def _whole(self, blocks: Iterator[list[Run]]) -> Iterator[list[Run]]:
        name = str(self.path)
        if self.sorted_externally:
            runs = by_dossier(chain.from_iterable(blocks), self._limits.sort_facts_max)
            yield from self._each_once(joined(([run] for run in runs), self._tally, name), name)
            return
        try:
            yield from together(self._each_once(joined(blocks, self._tally, name), name), name)
        except NotGrouped:
            self.sorted_externally = True
            raise

    def _each_once(self, blocks: Iterator[list[Run]], name: str) -> Iterator[list[Run]]:
        """Without a column of ids each row has one of its own."""
        named = self._plan is None or self._plan.names_ids
        return distinct(blocks, self._tally, name) if named else blocks

    def _blocks(self, source: Bytes) -> Iterator[list[Run]]:
        if self.mapping is None or self._plan is None:
            return ([run] for run in Messages(source, self._limits, self._tally).runs())
        match self.mapping.format:
            case "csv":
                return CsvRows(source, self.mapping, self._plan, self._tally).blocks()
            case "xes":
                return ([run] for run in XesTraces(source, self._plan, self._tally).runs())
            case "jsonl":
                return ([run] for run in JsonRows(source, self._plan, self._tally).runs())
