"""One dossier judged whole by a catalogue: the rules its facts ask for, the fold, and the code it goes by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from workflow.errors import DunghenError
from workflow.factrows import FactRows
from workflow.facts import code_of
from workflow.fold import fold

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
    judgment = fold(catalogue.rules_for(facts), subject, facts)
    return Judged(judgment, named(judgment.facts))


def named(facts: Sequence[Fact]) -> str | None:
    """The code of the procedure that facts in their order name first."""
    if isinstance(facts, FactRows):
        return facts.code
    return next((code for fact in facts if (code := code_of(fact)) is not None), None)
