"""JSONL through a mapping: one object for each line, its keys or dotted paths as columns."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NoReturn

from consumers.files.blocks import Blocks
from consumers.files.tally import Run
from consumers.files.times import shown
from consumers.files.values import LISTED
from workflow.errors import HostileInput, InputError, Words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumers.files.blocks import Bytes
    from consumers.files.plan import Plan
    from consumers.files.tally import Tally, Told
    from consumers.files.values import Cells

_STRINGS: Final = re.compile(r'"(?:[^"\\]|\\.)*"?')


class JsonRows:
    """The lines of one JSONL file, read once."""

    def __init__(self, source: Bytes, plan: Plan, tally: Tally) -> None:
        """Read from the start of `source`, counting in `tally`."""
        self.name = source.name
        self._plan = plan
        self._tally = tally
        self._source = source

    def runs(self) -> Iterator[Run]:
        """Each row that is taken as a run of its own, in the order of the file. Raises as `told`."""
        return (told for _, told in self.told() if isinstance(told, Run))

    def told(self) -> Iterator[tuple[int, Told]]:
        """The number of each line and what became of it; blank lines are skipped.

        Raises InputError (`encoding`, `gzip`) and HostileInput (`line_too_long`, `expansion`) for the whole file.
        """
        for line, text in numbered_lines(Blocks(self._source, self._plan.limits)):
            self._tally.rows += 1
            try:
                run = self._run(text)
            except InputError as error:
                self._tally.refusals.add(f"{self.name}:{line}", error)
                yield line, error
            else:
                yield line, run

    def _run(self, text: str) -> Run | None:
        plan, tally = self._plan, self._tally
        found = parsed(text, plan.limits.depth_max)
        cells: Cells = [_cell(found, name) for name in plan.columns]
        built = plan.body(cells)
        if built is None:
            tally.filtered += 1
            return None
        fact = plan.fact(cells, tally.rows, plan.subject(cells), built)
        case = plan.case.of([_cell(found, name) for name in plan.case_columns]) if plan.case else None
        tally.taken += 1
        tally.saw(fact.occurred_at)
        tally.lacked_code(built.uncoded)
        return Run(fact.subject, [fact], case)


def numbered_lines(blocks: Blocks) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, each with its number in the file."""
    for text in blocks:
        for number, line in enumerate(text.split("\n"), blocks.first_line):
            if line and not line.isspace():
                yield number, line


def parsed(text: str, depth_max: int) -> dict[str, Any]:
    """The object of one line; numbers stay the text they were written as, so that no binary float enters.

    Raises InputError (`json`, `repeated_key`), HostileInput (`too_deep`).
    """
    _check_depth(text, depth_max)
    try:
        found = json.loads(
            text, parse_float=str, parse_int=str, parse_constant=_no_number, object_pairs_hook=_once
        )
    except ValueError as error:
        raise InputError(
            "expected {expected}, found: {found}; correct the line",
            reason="json",
            expected=Words("one JSON object"),
            found=str(error),
        ) from error
    if not isinstance(found, dict):
        raise InputError(
            "expected {expected}, found {found}; correct the line",
            reason="json",
            expected=Words("one JSON object"),
            found=shown(text),
        )
    return found


def _check_depth(text: str, depth_max: int) -> None:
    if text.count("[") + text.count("{") <= depth_max:
        return
    depth = 0
    for one in _STRINGS.sub("", text):
        depth += (one in "[{") - (one in "]}")
        if depth > depth_max:
            raise HostileInput(
                "expected at most {expected} levels of nesting, found more; flatten the object",
                reason="too_deep",
                expected=depth_max,
            )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise InputError(
            "expected each key once, found {found} again; keep one of the two",
            reason="repeated_key",
            found=next(shown(name) for name in names if names.count(name) > 1),
        )
    return found


def _no_number(found: str) -> NoReturn:
    raise InputError(
        "expected {expected}, found {found}; leave the key out where nothing is known",
        reason="json",
        expected=Words("a number"),
        found=found,
    )


def _cell(found: dict[str, Any], name: str) -> str | None:
    """The value at a key, or else at a dotted path, as text."""
    value: Any = found.get(name)
    if value is None and "." in name:
        value = found
        for key in name.split("."):
            value = value.get(key) if isinstance(value, dict) else None
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case list() if all(isinstance(one, str) for one in value):
            return LISTED + LISTED.join(value)
        case _:
            raise InputError(
                "expected {expected}, found {found}; name the path of the value inside",
                reason="not_a_value",
                column=name,
                expected=Words("text, a number, true, false or a list of texts"),
                found=Words("an object or a list of other things"),
            )
