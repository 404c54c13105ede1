"""What a check of a file or a topic met: what would become of each fact, and all of it counted."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import click
import msgspec

from consumers.files.identities import conflict, says_the_same
from consumers.files.tally import beyond
from consumers.forms.revisions import Changes
from consumers.topicfacts import TopicFacts
from workflow.choosing import choose
from workflow.cli.output import Column, print_rows
from workflow.cli.progress import watched
from workflow.cli.stories import OUTCOMES
from workflow.errors import InputError, Words
from workflow.facts import Acted, Opened, units_named
from workflow.fold import fold
from workflow.i18n import current

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from consumers.files.entries import Messages
    from consumers.files.factfile import FactFile
    from consumers.forms.formfile import FormFile
    from workflow.facts import Fact
    from workflow.organisation import Organisation
    from workflow.rules import Rules
    from workflow.sources import SourceDefinition

    Checked: TypeAlias = FactFile | FormFile | Messages | TopicFacts
    Identity: TypeAlias = tuple[str, str, str, int]

GROUPED = (Column("what", "What"), Column("value", "Value"), Column("count", "Count", "right"))
GROUP_WORDS = {
    "refusals": "not taken",
    "unmapped": "without a code of ours",
    "unknown_procedures": "judged by the generic procedure",
    "strange_units": "no unit of the organisation",
    "unknown_actions": "unknown to its procedure",
    "outcomes": "outcome",
}
"""What a table calls the groups of a check."""


class Became(NamedTuple):
    """What became of a fact: the status of its outcome or `repeated`, and the rules it broke."""

    status: str
    rules: tuple[str, ...] = ()


_APPLIED: Final = Became("applied")


class Report:
    """What a check met so far.

    In memory it keeps only those facts of which there is more to say than that they are applied.
    """

    def __init__(
        self,
        definition: SourceDefinition | None,
        sources: Mapping[str, SourceDefinition],
        families: dict[str, dict[str, Rules]],
        facts_max: int,
        organisation: Organisation | None = None,
    ) -> None:
        """`facts_max`: how many facts a dossier may have in a file of another system."""
        self._definition = definition
        self._mapped = definition is not None and definition.mapping is not None
        self._form = definition is not None and definition.form is not None
        self._sources = sources
        self.families = families
        self._facts_max = facts_max
        self._organisation = organisation
        self._clear()

    def _clear(self) -> None:
        self.dossiers = self.facts = self.conflicts = 0
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.procedures: Counter[str] = Counter()
        self.actions: Counter[str] = Counter()
        self.units: Counter[str] = Counter()
        self._first_in: dict[str, str] = {}
        self._became: dict[Identity, Became] = {}
        self._again: set[Identity] = set()
        self._crowded: Counter[str] = Counter()
        self._first: dict[Identity, Fact] = {}
        self._changes: dict[Identity, Changes] = {}

    def judge(self, opened: Checked) -> None:
        """Folds every dossier of the file."""
        self._clear()
        if not isinstance(opened, TopicFacts):
            opened.tell_aside(self._aside)
        for code, told in watched(opened.dossiers(), opened.progress, "Judging"):
            facts = self._once(told)
            self.dossiers += 1
            self.facts += len(facts)
            rules = self._rules(facts)
            judged = fold(rules, code, facts)
            for fact, outcome in zip(judged.facts, judged.outcomes, strict=True):
                became = Became(outcome.status, tuple(violation.rule for violation in outcome.violations))
                self.outcomes[became.status, ", ".join(became.rules)] += 1
                if became != _APPLIED:
                    self._became[_identity(fact)] = became
                self._note_units(fact)
                body = fact.body
                if isinstance(body, Acted) and body.action not in judged.rules.revision.actions:
                    self.actions[f"{judged.rules.revision.procedure}: {body.action}"] += 1

    def became(self, fact: Fact) -> Became:
        """What became of a fact, asked about each once, in the order of the file, after `judge`.

        Raises InputError where it is not taken: a conflict of ids, or one beyond what a dossier may have.
        """
        if (self._mapped or self._form) and fact.subject in self._crowded:
            self._crowded[fact.subject] += 1
            if self._crowded[fact.subject] > self._facts_max:
                raise beyond(fact, self._facts_max)
        identity = self._named(fact)
        if identity in self._again and self._form:
            number = self._changes.setdefault(identity, Changes()).number(fact)
            if number is None:
                return Became("repeated")
            fact = msgspec.structs.replace(fact, revision=number)
        elif identity in self._again and self._is_repeated(identity, fact):
            return Became("repeated")
        return self._became.get(_identity(fact), _APPLIED)

    def _is_repeated(self, identity: Identity, fact: Fact) -> bool:
        first = self._first.setdefault(identity, fact)
        if first is fact:
            return False
        if self._mapped and not says_the_same(first, fact):
            raise conflict(fact)
        if not self._mapped and _content(first) != _content(fact):
            raise InputError(
                "give another content another id or revision, or void the first",
                reason="id_conflict",
                expected=Words("the content first told of {id}", id=fact.id),
                found=Words("other content"),
            )
        return True

    def _named(self, fact: Fact) -> Identity:
        """Its identity; the number of a revision is only found where the messages are read in order."""
        return (fact.subject, fact.source, fact.id, 0) if self._form else _identity(fact)

    def _aside(self, fact: Fact) -> None:
        self._again.add(self._named(fact))
        self._crowded.setdefault(fact.subject, 0)

    def _once(self, facts: Sequence[Fact]) -> list[Fact]:
        """The facts of a dossier, each identity once, as a store would keep them; other content is a conflict."""
        first: dict[Identity, Fact] = {}
        for fact in facts:
            kept = first.setdefault(_identity(fact), fact)
            if kept is not fact:
                self._aside(fact)
                self.conflicts += _content(kept) != _content(fact)
        return list(first.values())

    def _note_units(self, fact: Fact) -> None:
        """Counts the units a fact names that the organisation has not; nothing is asked where there is none."""
        if self._organisation is None:
            return
        for unit in units_named(fact):
            if unit not in self._organisation.units:
                self.units[unit] += 1
                self._first_in.setdefault(unit, fact.subject)

    def _rules(self, facts: Sequence[Fact]) -> Rules:
        """The procedure the facts name; the generic one where it is not modelled or only milestones are told."""
        bodies = (fact.body for fact in facts)
        code = next((b.procedure for b in bodies if isinstance(b, Acted | Opened) and b.procedure), None)
        if code is not None and code not in self.families:
            self.procedures[code] += 1
        told = {self._sources[fact.source].reports for fact in facts if fact.source in self._sources}
        milestones = (told if self._definition is None else {self._definition.reports}) == {"milestones"}
        family = self.families.get("generic" if milestones or code is None else code)
        return choose(family or self.families["generic"], facts)

    def summary(self, opened: Checked) -> dict[str, Any]:
        """What would be taken, and what stands in the way, grouped."""
        refusals = Counter(opened.refusals.counts)
        if self.conflicts:
            refusals["id_conflict"] += self.conflicts
        return {
            "records": opened.rows,
            "facts": self.facts,
            "dossiers": self.dossiers,
            "says_nothing": opened.filtered,
            "refusals": dict(sorted(refusals.items())),
            "unmapped": {f"{field}: {value}": n for (field, value), n in sorted(opened.uncoded.items())},
            "unknown_procedures": dict(sorted(self.procedures.items())),
            "strange_units": [
                {"unit": unit, "count": n, "dossier": self._first_in[unit]}
                for unit, n in sorted(self.units.items())
            ],
            "unknown_actions": dict(sorted(self.actions.items())),
            "outcomes": {" ".join(one).strip(): n for one, n in sorted(self.outcomes.items())},
            "outcomes_refused": sum(n for (status, _), n in self.outcomes.items() if status == "refused"),
        }


def _identity(fact: Fact) -> Identity:
    return fact.subject, fact.source, fact.id, fact.revision


def _content(fact: Fact) -> Fact:
    return msgspec.structs.replace(fact, recorded_at=None)


def print_groups(found: dict[str, Any]) -> None:
    """Prints what a check met in groups, with their number, and what of it would be taken."""
    grouped = [
        {"what": current(word), "value": value, "count": count}
        for group, word in GROUP_WORDS.items()
        for value, count in _counts(group, found[group])
    ]
    print_rows(grouped, GROUPED, "table")
    click.echo(
        current("Of {records} records {facts} facts of {dossiers} dossiers would be taken.").format(**found)
    )


def _counts(group: str, found: Any) -> Iterator[tuple[str, int]]:  # noqa: ANN401 - JSON
    """The lines of a group, each with its number."""
    if group == "strange_units":
        said = current("{unit}, first in {dossier}")
        yield from ((said.format(**one), one["count"]) for one in found)
    elif group == "outcomes":
        yield from ((_outcome(told), count) for told, count in found.items())
    else:
        yield from found.items()


def _outcome(told: str) -> str:
    status, _, broken = told.partition(" ")
    return f"{current(OUTCOMES[status])} {broken}".rstrip()
