"""Which rules judge a dossier: by the procedure its facts name, and the date of its receipt."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from workflow.choosing import choose
from workflow.errors import DefinitionError
from workflow.facts import Acted, Opened
from workflow.procedure.reader import fingerprint
from workflow.rules import compile_family
from workflow.sources import orders
from workflow.standing import in_order, stand

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from workflow.calendar import Calendar
    from workflow.facts import Fact
    from workflow.procedure.language import Revision
    from workflow.rules import Rules
    from workflow.sources import SourceDefinition


class Archived(NamedTuple):
    """A definition as it is archived: `body` keeps the order of its parts, the fingerprint tells one from another."""

    kind: str
    name: str
    revision: str
    fingerprint: str
    body: bytes


class Chosen(NamedTuple):
    """The rules of a dossier, and the code of the procedure its facts name, None where none does."""

    rules: Rules
    code: str | None


class Catalogue:
    """Procedures with the calendars and sources they are judged with."""

    def __init__(
        self,
        procedures: Iterable[Revision],
        calendars: Mapping[str, Calendar],
        sources: Mapping[str, SourceDefinition],
    ) -> None:
        """Compiles every revision. Raises DefinitionError without a generic procedure, and what compiling raises."""
        by_code: dict[str, list[Revision]] = {}
        for revision in procedures:
            by_code.setdefault(revision.procedure, []).append(revision)
        self._orders = orders(sources)
        self._families = {
            code: compile_family(revisions, calendars, self._orders) for code, revisions in by_code.items()
        }
        generic = [code for code, revisions in by_code.items() if revisions[0].generic]
        if len(generic) != 1:
            raise DefinitionError(
                "expected one generic procedure for codes that are not modelled, found {found}; keep one",
                found=", ".join(generic) or "none",
                reason="generic_procedure",
            )
        self._generic = self._families[generic[0]]
        self._calendars = calendars
        self._sources = sources
        self._prints: dict[tuple[str, str], str] = {}

    def choose(self, facts: Sequence[Fact]) -> Chosen:
        """The rules for a dossier of these facts, at least one: by the first code that its standing facts name.

        A code that is not modelled, or none, is judged by the generic procedure.
        """
        standing = [one.fact for one in stand(self._orders, facts, None, None).placed] or list(facts)
        named = (code_of(one.fact) for one in in_order(self._orders, standing))
        code = next((code for code in named if code is not None), None)
        return Chosen(choose(self._families.get(code or "", self._generic), standing), code)

    def rules(self, procedure: str, revision: str, print_: str) -> Rules | None:
        """The rules of a revision, None where it is not known by this fingerprint."""
        found = self._families.get(procedure, {}).get(revision)
        return found if found is not None and self.fingerprint(found) == print_ else None

    def fingerprint(self, rules: Rules) -> str:
        """The fingerprint of a revision, computed once."""
        key = rules.revision.procedure, rules.revision.revision
        if key not in self._prints:
            self._prints[key] = fingerprint(rules.revision)
        return self._prints[key]

    def definitions(self, rules: Rules, sources: Iterable[str]) -> list[Archived]:
        """What judging by `rules` rests on: the revision, its calendar, and those of the sources that are declared.

        A calendar's revision is its newest announcement; a source has none, so each of its texts is one.
        """
        revision = rules.revision
        found = [
            Archived(
                "procedure",
                revision.procedure,
                revision.revision,
                self.fingerprint(rules),
                msgspec.json.encode(revision),
            )
        ]
        if revision.calendar is not None:
            newest = self._calendars[revision.calendar].revisions[-1]
            announced = "first" if newest.announced is None else newest.announced.isoformat()
            body = msgspec.json.encode(newest.definition)
            found.append(Archived("calendar", revision.calendar, announced, newest.fingerprint, body))
        for name in sources:
            if name in self._sources:
                body = msgspec.json.encode(self._sources[name], order="sorted")
                print_ = hashlib.sha256(body).hexdigest()
                found.append(Archived("source", name, print_[:16], print_, body))
        return found


def code_of(fact: Fact) -> str | None:
    """The procedure a fact names."""
    return fact.body.procedure if isinstance(fact.body, Acted | Opened) else None
