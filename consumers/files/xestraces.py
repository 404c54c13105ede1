"""XES (IEEE 1849) as runs of facts: one trace is one run.

A document type, entities, the network and huge trees are off or refused. Only attributes an event or trace itself
carries are read: the `<global>` defaults of a log say what a value would be called, never what it was.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from lxml import etree

from consumers.files.tally import Run, Told
from consumers.files.times import shown
from workflow.errors import HostileInput, InputError, Words
from workflow.facts import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.etree import _Element as Element

    from consumers.files.blocks import Bytes
    from consumers.files.plan import Plan
    from consumers.files.tally import Tally
    from consumers.files.values import Cells


class _Event(NamedTuple):
    """One event of the trace being read: its place in the file, and its cells or why they cannot be read."""

    row: int
    line: int
    cells: Cells | InputError


class XesTraces:
    """The traces of one XES file, read once; memory holds one trace."""

    def __init__(self, source: Bytes, plan: Plan, tally: Tally) -> None:
        """Read from the start of `source`, counting in `tally`."""
        self.name = source.name
        self._source = source
        self._plan = plan
        self._tally = tally
        self._events: list[_Event] = []
        self._told: list[tuple[int, Told]] = []
        self._tells = False

    def runs(self) -> Iterator[Run]:
        """The traces in the order of the file.

        Raises InputError (`xml`, `not_xes`) and HostileInput (`doctype`) for what concerns the whole file.
        """
        return (run for run in self._runs() if run is not None)

    def told(self) -> Iterator[tuple[int, Told]]:
        """The number of the line of each event, and what became of it. Raises as `runs`."""
        self._tells = True
        for _ in self._runs():
            yield from sorted(self._told, key=itemgetter(0))

    def _runs(self) -> Iterator[Run | None]:
        """What each trace became; what became of its events stands in `_told` until the next, if it is asked for."""
        try:
            for happens, element in self._parsed():
                if happens == "end" and _local_name(element) == "trace":
                    yield self._trace(element)
                    _forget(element)
                else:
                    self._met(happens, element)
        except etree.XMLSyntaxError as error:
            raise InputError(
                "{place}: expected XML, found: {found}; export the log again",
                reason="xml",
                place=f"{self.name}:{error.lineno}",
                found=error.msg,
            ) from error

    def _parsed(self) -> Iterator[tuple[str, Element]]:
        parser = etree.iterparse(
            self._source,
            events=("start", "end"),
            tag=("{*}log", "{*}trace", "{*}event"),
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            dtd_validation=False,
            huge_tree=False,
            collect_ids=False,
            remove_comments=True,
            remove_pis=True,
        )
        yield from parser
        root = parser.root
        self._refuse_doctype(root)
        if _local_name(root) != "log":
            raise InputError(
                "{place}: expected a XES log, found the element {found}; check the mapping's `format`",
                reason="not_xes",
                place=f"{self.name}:{_line(root)}",
                found=_local_name(root),
            )

    def _met(self, happens: str, element: Element) -> None:
        match happens, _local_name(element):
            case "start", "log":
                self._refuse_doctype(element)
            case "start", "trace":
                self._events, self._told = [], []
            case "end", "event":
                self._event(element)

    def _refuse_doctype(self, element: Element) -> None:
        if element.getroottree().docinfo.internalDTD is not None:
            raise HostileInput(
                "{place}: expected no document type, found one; remove it, a log needs none",
                reason="doctype",
                place=f"{self.name}:1",
            )

    def _event(self, element: Element) -> None:
        tally = self._tally
        tally.rows += 1
        line = _line(element)
        if len(self._events) < tally.limits.dossier_facts_max:
            self._events.append(_Event(tally.rows, line, _cells(element, self._plan.columns)))
        else:
            self._refuse(line, _too_many(tally.limits.dossier_facts_max))
        element.clear()

    def _trace(self, trace: Element) -> Run | None:
        plan = self._plan
        try:
            own = _cells(trace, plan.case_columns)
            if isinstance(own, InputError):
                raise own
            subject = plan.subject(own)
            case = plan.case.of(own) if plan.case else None
            if not self._events:
                raise _no_events()
        except InputError as error:
            # Without its own values a dossier would get a wrong verdict, so none of its events is taken.
            for line in [event.line for event in self._events] or [_line(trace)]:
                self._refuse(line, error)
            return None
        facts = [fact for event in self._events if (fact := self._fact(event, subject)) is not None]
        return Run(subject, facts, case) if facts else None

    def _fact(self, event: _Event, subject: str) -> Fact | None:
        tally = self._tally
        try:
            if isinstance(event.cells, InputError):
                raise event.cells
            built = self._plan.body(event.cells)
            if built is None:
                tally.filtered += 1
                self._tell(event.line, None)
                return None
            fact = self._plan.fact(event.cells, event.row, subject, built)
        except InputError as error:
            self._refuse(event.line, error)
            return None
        tally.taken += 1
        tally.saw(fact.occurred_at)
        tally.lacked_code(built.uncoded)
        self._tell(event.line, fact)
        return fact

    def _refuse(self, line: int, error: InputError) -> None:
        self._tally.refusals.add(f"{self.name}:{line}", error)
        self._tell(line, error)

    def _tell(self, line: int, became: Fact | InputError | None) -> None:
        if self._tells:
            self._told.append((line, Run(became.subject, [became]) if isinstance(became, Fact) else became))


def _cells(element: Element, columns: tuple[str, ...]) -> Cells | InputError:
    """The values of an element's own attributes, or why they are not clear. Nested attributes say nothing here."""
    found: dict[str, str] = {}
    for child in element:
        key, value = child.get("key"), child.get("value")
        if key is None or value is None:
            continue
        if key in found and key in columns:
            return InputError(
                "expected {expected} once, found {found} again; keep one of the two",
                reason="repeated_attribute",
                expected=key,
                found=shown(value),
            )
        found[key] = value
    return [found.get(name) for name in columns]


def _local_name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _line(element: Element) -> int:
    found = element.sourceline
    return found if isinstance(found, int) else 0


def _forget(trace: Element) -> None:
    """Free a trace and all that stands before it, or the tree of the whole log would grow in memory."""
    trace.clear()
    parent = trace.getparent()
    while parent is not None and trace.getprevious() is not None:
        del parent[0]


def _too_many(most: int) -> InputError:
    return InputError(
        "expected at most {expected} events of one dossier, found more; is its code a placeholder?",
        reason="too_many_facts",
        expected=most,
    )


def _no_events() -> InputError:
    return InputError(
        "expected {expected}, found {found}; nothing can be judged of such a dossier",
        reason="no_events",
        expected=Words("a trace with events"),
        found=Words("none"),
    )
