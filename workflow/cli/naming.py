"""What definitions call their parts, in the language of the command."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workflow.catalogue import Catalogue
    from workflow.procedure.language import Names, Revision, Wording

CodeOf: TypeAlias = Literal["unit", "procedure"]


def named(names: Names | None, identifier: str) -> str:
    """The name in the language of the texts; the identifier itself where there is none."""
    if names is None:
        return identifier
    return names.vi if os.environ.get("LANGUAGE") == "vi" else names.en


def with_names(row: Mapping[str, object], catalogue: Catalogue, **kinds: CodeOf) -> dict[str, object]:
    """The row and, as `KEY_name` for each of its keys named, what its code of a unit or a procedure is called.

    None where the definitions have no such code. Columns that are `named` show it in tables.
    """
    names = {f"{key}_name": called(row.get(key), kind, catalogue) for key, kind in kinds.items()}
    return {**row, **names}


def called(code: object, kind: CodeOf, catalogue: Catalogue) -> str | None:
    """The name of a unit or a procedure in the language of the texts; None where the definitions have no such code."""
    if not isinstance(code, str):
        return None
    if kind == "unit":
        unit = catalogue.organisation.units.get(code) if catalogue.organisation is not None else None
        return None if unit is None else named(unit.name, code)
    family = catalogue.families.get(code)
    return named(list(family.values())[-1].revision.name, code) if family else None


def worded(text: Wording) -> str:
    """A text of a definition in the language of the texts."""
    return text if isinstance(text, str) else named(text, "")


def in_names(values: Mapping[str, str | int], revision: Revision) -> dict[str, str | int]:
    """The values of a line of a sum, with the parts of a revision by their names in place of their identifiers."""
    tasks = {name: task for state in revision.states.values() for name, task in state.tasks.items()}
    stops = {**tasks, **revision.pauses}
    kinds: dict[str, Mapping[str, object]] = {
        "state": revision.states,
        "action": revision.actions,
        "pause": revision.pauses,
        "names": stops,
        "task": tasks,
        "phase": revision.phases,
        "register": revision.registers,
    }
    return {key: _named(value, kinds[key]) if key in kinds else value for key, value in values.items()}


def part_named(identifier: str, revision: Revision) -> str:
    """The name of a state, pause or task; the identifier of anything else."""
    tasks = {name: task for state in revision.states.values() for name, task in state.tasks.items()}
    return str(_named(identifier, {**tasks, **revision.pauses, **revision.states}))


def _named(value: str | int, parts: Mapping[str, object]) -> str | int:
    """The name of one part, or of several parted by commas."""
    if not isinstance(value, str):
        return value
    return ", ".join(named(getattr(parts.get(one), "name", None), one) for one in value.split(", "))
