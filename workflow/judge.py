"""One dossier judged whole by a catalogue: the rules its facts ask for, the fold, and the code it goes by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from workflow.errors import DunghenError
from workflow.factrows import FactRows, as_rows, in_time
from workflow.facts import code_of
from workflow.fold import fold, fold_standing
from workflow.standing import stand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workflow.catalogue import Catalogue
    from workflow.facts import Fact
    from workflow.fold import Judgment

FAULTS: Final = (
    DunghenError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What judging may raise where we or a definition are wrong: it blocks the one dossier, its facts are kept."""


class Judged(NamedTuple):
    """A judgment and the code its dossier goes by: the first procedure its facts name."""

    judgment: Judgment
    code: str | None


def judge(catalogue: Catalogue, subject: str, facts: Sequence[Fact]) -> Judged:
    """All facts of a dossier, judged by the rules they ask for. Raises one of FAULTS where it cannot be judged."""
    rows = as_rows(in_time(facts))
    if rows is not None:
        return Judged(fold(catalogue.rules_for(rows), subject, rows), rows.code)
    standing = stand(catalogue.orders, facts, None, None)
    judgment = fold_standing(catalogue.rules_of(standing, facts), subject, standing)
    return Judged(judgment, named(judgment.facts))


def named(facts: Sequence[Fact]) -> str | None:
    """The code of the procedure that facts in their order name first."""
    if isinstance(facts, FactRows):
        return facts.code
    return next((code for fact in facts if (code := code_of(fact)) is not None), None)


def reason_of(fault: BaseException) -> str:
    """Why a dossier could not be judged, as its row keeps it: the code of the error, and its words."""
    code = fault.code if isinstance(fault, DunghenError) else type(fault).__name__
    return f"{code}: {fault}"
