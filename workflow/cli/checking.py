"""What a check of a file or a topic met: each message, what would become of it, and all of it counted."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click
import msgspec

from workflow.choosing import choose
from workflow.cli.output import Column, print_rows
from workflow.cli.stories import OUTCOMES
from workflow.errors import Words
from workflow.facts import Acted, Opened, units_named
from workflow.fold import fold
from workflow.i18n import current, filled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from consumers.files.entries import Messages
    from consumers.files.factfile import FactFile
    from consumers.forms.formfile import FormFile
    from consumers.forms.reading import Part
    from consumers.topicfacts import TopicFacts
    from workflow.facts import Fact
    from workflow.organisation import Organisation
    from workflow.rules import Rules
    from workflow.sources import SourceDefinition

_Identity = tuple[str, str, str, int]
LISTED_MAX = 1_000
"""Messages that would be taken, and such as would not, shown one by one; all are counted."""
MESSAGES = (
    Column("place", "Place"),
    Column("dossier", "Dossier", id=True),
    Column("action", "Action"),
    Column("occurred_at", "When"),
    Column("reason", "Not taken because"),
    Column("column", "Column"),
    Column("expected", "Expected"),
    Column("found", "Found"),
    Column("do", "What to do"),
)
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


class Report:
    """What a check met so far."""

    def __init__(
        self,
        definition: SourceDefinition | None,
        sources: Mapping[str, SourceDefinition],
        families: dict[str, dict[str, Rules]],
        organisation: Organisation | None = None,
    ) -> None:
        self._definition = definition
        self._mapped = definition is not None and definition.mapping is not None
        self._sources = sources
        self.families = families
        self._organisation = organisation
        self.listed: list[dict[str, Any]] = []
        self._shown: Counter[bool] = Counter()
        self._rows: dict[_Identity, list[int]] = {}
        self._clear()

    def _clear(self) -> None:
        if self._mapped:
            self.listed.clear()
            self._shown.clear()
        self.dossiers = self.facts = self.conflicts = 0
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.procedures: Counter[str] = Counter()
        self.actions: Counter[str] = Counter()
        self.units: Counter[str] = Counter()
        self._first_in: dict[str, str] = {}

    def tell(self, part: Part) -> None:
        """One message: its fact, or why it is not taken."""
        if part.error is not None:
            values = part.error.values
            # The place has a column of its own.
            said = filled(part.error.template, values).removeprefix(f"{part.place}: ")
            self._refused(part.place, part.error.code, values, said)
        elif part.fact is not None and self._list({"place": part.place, **_told(part.fact)}):
            self._rows.setdefault(_identity(part.fact), []).append(len(self.listed) - 1)

    def _refused(self, place: str, reason: str, values: Mapping[str, object], said: str) -> None:
        self._list(_not_taken(place, reason, values, said))

    def _list(self, row: dict[str, Any]) -> bool:
        """Whether it is listed: those that are taken leave room for those that are not."""
        kind = "reason" in row
        if self._shown[kind] == LISTED_MAX:
            return False
        self._shown[kind] += 1
        self.listed.append(row)
        return True

    @property
    def shown(self) -> int:
        """How many messages that would be taken are listed."""
        return self._shown[False]

    def _once(self, facts: Sequence[Fact], file: str) -> list[Fact]:
        """The facts of a dossier, each identity once, as a store would keep them; other content is a conflict."""
        first: dict[_Identity, Fact] = {}
        met: Counter[_Identity] = Counter()
        for fact in facts:
            identity = _identity(fact)
            kept = first.setdefault(identity, fact)
            if _content(kept) != _content(fact):
                self._conflict(identity, met[identity], file)
            met[identity] += 1
        return list(first.values())

    def _conflict(self, identity: _Identity, number: int, file: str) -> None:
        self.conflicts += 1
        values = {
            "expected": current("the content first told of {id}").format(id=identity[2]),
            "found": current("other content"),
        }
        said = current("give another content another id or revision, or void the first")
        rows = self._rows.get(identity, ())
        if number < len(rows):
            at = rows[number]
            self.listed[at] = _not_taken(self.listed[at]["place"], "id_conflict", values, said)
        else:
            self._refused(file, "id_conflict", values, said)

    def judge(self, opened: FactFile | FormFile | Messages | TopicFacts) -> None:
        """Folds every dossier of the file."""
        self._clear()
        for code, told in opened.dossiers():
            facts = self._once(told, str(opened.path))
            self.dossiers += 1
            self.facts += len(facts)
            if self._mapped:
                for fact in facts:
                    self._list({"place": str(opened.path), **_told(fact)})
            rules = self._rules(facts)
            judged = fold(rules, code, facts)
            for fact, outcome in zip(judged.facts, judged.outcomes, strict=True):
                broken = ", ".join(violation.rule for violation in outcome.violations)
                self.outcomes[outcome.status, broken] += 1
                self._note_units(fact)
                body = fact.body
                if isinstance(body, Acted) and body.action not in judged.rules.revision.actions:
                    self.actions[f"{judged.rules.revision.procedure}: {body.action}"] += 1

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

    def summary(self, opened: FactFile | FormFile | Messages | TopicFacts) -> dict[str, Any]:
        """What would be taken, and what stands in the way, grouped."""
        if self._mapped:
            for one in opened.refusals.listed:
                said = filled(one.template, one.values)
                self._refused(one.place, one.reason, one.values, said)
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


def _identity(fact: Fact) -> _Identity:
    return fact.subject, fact.source, fact.id, fact.revision


def _content(fact: Fact) -> Fact:
    return msgspec.structs.replace(fact, recorded_at=None)


def _not_taken(place: str, reason: str, values: Mapping[str, object], said: str) -> dict[str, Any]:
    return {
        "place": place,
        "reason": reason,
        "column": str(values.get("column", "")),
        "expected": _in_words(values.get("expected", "")),
        "found": _in_words(values.get("found", "")),
        "do": said,
    }


def _in_words(value: object) -> str:
    return filled(value.template, value.values) if isinstance(value, Words) else str(value)


def _told(fact: Fact) -> dict[str, Any]:
    action = fact.body.action if isinstance(fact.body, Acted) else type(fact.body).__struct_config__.tag
    return {"dossier": fact.subject, "action": action, "occurred_at": fact.occurred_at, "id": fact.id}


def print_report(report: Report, found: dict[str, Any], title: str) -> None:
    """Prints the messages one by one, then all of them in groups, with their number."""
    print_rows(report.listed, MESSAGES, "table", title=title)
    if found["facts"] > report.shown:
        said = current("The first {shown} messages that would be taken are shown; all are counted.")
        click.echo(said.format(shown=report.shown), err=True)
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
