"""What was read of a file so far, and the runs of rows its reader gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from msgspec import Struct

from consumers.files.cases import CaseValues
from consumers.files.refusals import Refusals
from workflow.errors import InputError
from workflow.factrows import FactRows
from workflow.facts import Fact

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from consumers.files.limits import FileLimits
    from consumers.files.refusals import Refusal

UNCODED_MAX: Final = 100
"""Distinct values without a code that are listed; the rest is counted under `...` of their field."""


class Run(Struct):
    """Neighbouring rows of one dossier: the facts taken from them, and what they say of the dossier as a whole.

    `facts` are `FactRows` where a reader took rows in order, else a list.
    """

    subject: str
    facts: FactRows | list[Fact]
    case: CaseValues | None = None

    def extend(self, facts: FactRows | list[Fact]) -> None:
        """Puts the facts of a neighbouring run behind these."""
        if isinstance(self.facts, FactRows):
            if isinstance(facts, FactRows) and facts.follows(self.facts):
                self.facts.rows += facts.rows
                return
            self.facts = list(self.facts)
        self.facts.extend(facts)

    def insert(self, known: Fact) -> None:
        """Puts what is known of the dossier from its start before its events."""
        if isinstance(self.facts, FactRows):
            self.facts.known = known
        else:
            self.facts.insert(0, known)


Told: TypeAlias = Run | InputError | None
"""What one row became: a run of its one fact, why it is not taken, or None where it is left out on purpose."""


class Tally:
    """Counts of one reading of a file.

    `rows`: rows of data met; `taken`: those that became facts; `filtered`: those the mapping leaves out; `repeated`:
    those that said again what another said under the same id; `last_at`: the latest time of a fact; `uncoded`: how
    often a field had a value that its codes do not list; `aside` is told of each fact that is put aside as its dossier
    is put together: what said the same again, a conflict of ids, what is beyond the limit of a dossier.
    """

    def __init__(self, limits: FileLimits, told: Callable[[Refusal], None] | None = None) -> None:
        """`told` is given each refusal as it comes."""
        self.refusals = Refusals(limits.refusals_kept_max, told)
        self.limits = limits
        self.aside: Callable[[Fact], None] | None = None
        self.clear()

    def clear(self) -> None:
        """Begin again: the file is read once more from its start."""
        self.rows = 0
        self.taken = 0
        self.filtered = 0
        self.repeated = 0
        self.last_at: datetime | None = None
        self.uncoded: dict[tuple[str, str], int] = {}
        self.refusals.clear()

    def saw(self, at: datetime) -> None:
        """Remember the latest time of a fact."""
        if self.last_at is None or at > self.last_at:
            self.last_at = at

    def lacked_code(self, values: tuple[tuple[str, str], ...]) -> None:
        """Count a row's values without a code."""
        for field, value in values:
            listed = (field, value) in self.uncoded or len(self.uncoded) < UNCODED_MAX
            key = (field, value if listed else "...")
            self.uncoded[key] = self.uncoded.get(key, 0) + 1

    def cut(self, run: Run, place: str) -> None:
        """Leave a run the facts a dossier may have; those beyond are refused at `place`."""
        most = self.limits.dossier_facts_max
        self.taken -= len(run.facts) - most
        for fact in run.facts[most:]:
            self.refusals.add(place, beyond(fact, most))
            self.put_aside(fact)
        run.facts = run.facts[:most]

    def put_aside(self, fact: Fact) -> None:
        """Tell of a fact that is put aside."""
        if self.aside is not None:
            self.aside(fact)


def beyond(fact: Fact, most: int) -> InputError:
    """Why a fact is not taken that comes after as many of its dossier as it may have."""
    return InputError(
        "expected at most {expected} events of the dossier {subject}, found {found} beyond; is its code a placeholder?",
        reason="too_many_facts",
        expected=most,
        subject=fact.subject,
        found=fact.id,
    )
