"""Findings: what the checks of a procedure have to say, each with its place and a run that shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from msgspec import Struct

from workflow.procedure.moves import Run

if TYPE_CHECKING:
    from workflow.procedure.language import Revision

Level: TypeAlias = Literal["error", "warning", "accepted"]
Where: TypeAlias = tuple[str | int, ...]

ACCEPTABLE: Final = ("no-role", "no-limit", "no-cap", "sum-exceeds")
"""Codes of errors that a revision may list under `accepts`, with a reason. A published procedure may lack a
limit or add up wrongly and still be the approved one; it may not be ambiguous."""


class Finding(Struct, frozen=True, omit_defaults=True):
    """One thing found in a procedure.

    `text` is an English template (the key of its translation) that `values` fill. `where`: the keys and indexes
    that lead to the part. `trace`: a run from the initial state that shows it, empty where no run can.
    `because`: the reason a revision gives for accepting it.
    """

    code: str
    level: Level
    text: str
    values: dict[str, str | int]
    where: Where
    trace: Run = ()
    because: str | None = None

    def __str__(self) -> str:
        return self.text.format(**self.values)

    @property
    def place(self) -> str:
        """The part's path with dots, as `accepts` names it after the code."""
        return ".".join(str(key) for key in self.where)


def error(code: str, text: str, where: Where, trace: Run = (), /, **values: str | int) -> Finding:
    """A finding that keeps the revision from being used, unless it may be accepted and is."""
    return Finding(code, "error", text, values, where, trace)


def warning(code: str, text: str, where: Where, trace: Run = (), /, **values: str | int) -> Finding:
    """A finding that a person should look at."""
    return Finding(code, "warning", text, values, where, trace)


def shown_run(revision: Revision, run: Run) -> str:
    """A run in one line: the initial state, then each action and where it leads."""
    return revision.initial + "".join(f" --{step.action}--> {step.state}" for step in run)
