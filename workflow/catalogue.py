"""The approved definitions a dossier is judged by: which revision of which procedure, with which calendar and sources.

Pure but for `load`, which reads a folder of definitions. What was used is archived by the store, as the bytes of
`Definition`; `from_archive` makes the same rules of them again.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

import msgspec

from workflow.alerts.office import Office
from workflow.choosing import choose, receipts_of, tells_steps
from workflow.clocks.calendar import Calendar, CalendarDefinition, read_calendars
from workflow.errors import DefinitionError, StoreCorrupt, UsageError, Words
from workflow.factrows import as_rows
from workflow.facts import Acted, Opened, Voided, code_of
from workflow.organisation import Organisation, check_hours, hours_of, organisation_in
from workflow.procedure.checks import require_sound
from workflow.procedure.language import Revision
from workflow.procedure.ledger import Ledger, ledger_of, unlisted
from workflow.procedure.reader import fingerprint, read_procedures
from workflow.risk.table import Risk, RiskTable
from workflow.rotation.duties import Rotation
from workflow.rotation.postrules import RotationRules, read_rotation
from workflow.rules import Rules, compile_family
from workflow.sources import UNKNOWN_SOURCE, SourceDefinition, orders, read_sources
from workflow.standing import stand

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from workflow.facts import Fact
    from workflow.sources import SourceOrder, Voids
    from workflow.standing import Standing

JUDGE_VERSION: Final = 5
"""Number of the engine's judging. Raised with every change that may give the same facts another judgment, or a judgment
another shape in a store; what another number judged is judged anew when it is next touched, and not read before."""

DefinitionKind: TypeAlias = Literal[
    "procedure", "calendar", "organisation", "rotation", "source", "risk", "ledger"
]
_KINDS: Final[Mapping[DefinitionKind, type[msgspec.Struct]]] = {
    "procedure": Revision,
    "calendar": CalendarDefinition,
    "organisation": Organisation,
    "rotation": RotationRules,
    "source": SourceDefinition,
    "risk": RiskTable,
    "ledger": Ledger,
}


class Definition(NamedTuple):
    """A definition as it is archived. `content` is JSON in the order of its file, since equal things are listed in
    that order; `fingerprint` does not depend on it."""

    kind: DefinitionKind
    name: str
    revision: str
    fingerprint: str
    content: bytes


class Basis(NamedTuple):
    """What a judgment rests on: the fingerprint of its revision and that of its calendar (where units of the
    organisation work by hours of their own, of both together), and the engine's number."""

    fingerprint: str
    calendar: str | None
    judge_version: int = JUDGE_VERSION


class Catalogue:
    """Procedures by code, compiled once, and which of them judges a dossier."""

    def __init__(
        self,
        procedures: Iterable[Revision],
        calendars: Mapping[str, Calendar] | None = None,
        sources: Mapping[str, SourceDefinition] | None = None,
        organisation: Organisation | None = None,
        risk: RiskTable | None = None,
        rotation: RotationRules | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        """Compiles every revision. `risk`: the table that says which dossiers are at risk, if there is one. `ledger`:
        what was approved; without it nothing is, and every revision that says so is among the `unlisted`.

        Raises DefinitionError where there is no generic procedure, or two of them.
        """
        self.calendars, self.sources = dict(calendars or {}), dict(sources or {})
        self.organisation = organisation
        self.rotation_rules = rotation
        self.risk = None if risk is None else Risk(risk)
        self.office = Office(self.sources, organisation, self.calendars, risk=self.risk)
        self.orders: dict[str, SourceOrder] = orders(self.sources)
        by_code: dict[str, list[Revision]] = {}
        for revision in procedures:
            by_code.setdefault(revision.procedure, []).append(revision)
        hours = hours_of(organisation)
        self.families: dict[str, dict[str, Rules]] = {
            code: compile_family(revisions, self.calendars, self.orders, hours)
            for code, revisions in by_code.items()
        }
        self.generic = self._one_generic()
        self._receipts = {code: receipts_of(family) for code, family in self.families.items()}
        prints = {name: _calendar(one.definition) for name, one in self.calendars.items()}
        self._calendars = prints
        self._procedures = {
            (code, number): _procedure(rules.revision)
            for code, family in self.families.items()
            for number, rules in family.items()
        }
        self._bases = {
            key: Basis(one.fingerprint, self._calendar_print(key)) for key, one in self._procedures.items()
        }
        self._around = [_source(one) for one in self.sources.values()]
        if organisation is not None:
            self._around.append(_organisation(organisation))
        if rotation is not None:
            self._around.append(_plain("rotation", rotation.rotation, rotation.revision, rotation))
        if risk is not None:
            self._around.append(of_risk(risk))
        if ledger is not None:
            self._around.append(_plain("ledger", "approved", None, ledger))
        every = (rules.revision for family in self.families.values() for rules in family.values())
        self.unlisted = unlisted(every, ledger or Ledger())

    def rules_for(self, facts: Sequence[Fact]) -> Rules:
        """The rules that judge a dossier of these facts, in any order.

        The first code among its standing facts names the procedure, the date of receipt its revision; a code that is
        not modelled, or none, is judged by the generic procedure, and so is a dossier of which only sources that
        report milestones tell: nobody said its steps.
        """
        rows = as_rows(facts)
        if rows is not None:
            steps = self.orders.get(rows.source, UNKNOWN_SOURCE).steps
            return choose(self.family(rows.code if steps else None), rows)
        codes = {code for fact in facts if (code := code_of(fact)) is not None}
        if len(codes) <= 1 and not any(fact.revision or isinstance(fact.body, Voided) for fact in facts):
            return choose(self._told_family(next(iter(codes), None), facts), facts)
        return self.rules_of(stand(self.orders, facts, None, None), facts)

    def rules_of(self, standing: Standing, facts: Sequence[Fact]) -> Rules:
        """As `rules_for`, of facts of which those that count are known already."""
        told = [placed.fact for placed in standing.placed] or facts
        code = next((named for fact in told if (named := code_of(fact)) is not None), None)
        return choose(self._told_family(code, told), told)

    def _told_family(self, code: str | None, standing: Sequence[Fact]) -> dict[str, Rules]:
        """The revisions that may judge a dossier of this code, by who tells of it."""
        told = any(tells_steps(self.orders, fact) for fact in standing)
        return self.family(code if told else None)

    def judges(self, code: str | None, rules: Rules, *, steps_told: bool) -> bool:
        """Whether rules are of the procedure that judges a dossier of this code. `steps_told`: a source that reports
        steps tells of it, which matters to the generic procedure only."""
        if rules.family is self.families[self.generic] and not steps_told:
            return True
        return self.family(code) is rules.family

    def family(self, code: str | None) -> dict[str, Rules]:
        """The revisions of a code by number; those of the generic procedure where it is not modelled."""
        return self.families.get(self.generic if code is None else code, self.families[self.generic])

    def rules(self, procedure: str, revision: str) -> Rules | None:
        """One revision, None where this catalogue has it not."""
        return self.families.get(procedure, {}).get(revision)

    def basis(self, rules: Rules) -> Basis:
        """What judgments of these rules rest on."""
        return self._bases[rules.revision.procedure, rules.revision.revision]

    def may_void(self, source: str) -> Voids:
        """Whose facts a source may void."""
        return self.orders.get(source, UNKNOWN_SOURCE).voids

    def settle(self, procedure: str, facts: Iterable[Fact]) -> bool:
        """Whether one of these facts may change which revision judges a dossier of `procedure`: its receipt, of several
        revisions."""
        if len(self.families[procedure]) == 1:
            return False
        receipts = self._receipts[procedure]
        for fact in facts:
            body = fact.body
            if isinstance(body, Acted):
                if body.action in receipts:
                    return True
            elif isinstance(body, Opened) and body.received_at is not None:
                return True
        return False

    def rotation(self) -> Rotation | None:
        """The rules of rotation, ready to judge; None where there is no rotation file or no organisation.

        Raises DefinitionError where it counts by a calendar that is not there.
        """
        rules = self.rotation_rules
        if rules is None or self.organisation is None:
            return None
        calendar = self.calendars.get(rules.calendar) if rules.calendar is not None else None
        return Rotation(rules, self.organisation, calendar)

    def around(self) -> list[Definition]:
        """The definitions that judge more than one dossier, with the calendar of rotation: to be archived."""
        rules = self.rotation_rules
        named = self._calendars.get(rules.calendar) if rules is not None and rules.calendar else None
        return [*([named] if named is not None else []), *self._around]

    def used(self, judged: Iterable[Rules]) -> list[Definition]:
        """The definitions judging by these rules made use of, each once: to be archived."""
        found: dict[tuple[str, str, str], Definition] = {}
        for rules in judged:
            key = rules.revision.procedure, rules.revision.revision
            calendar = rules.revision.calendar
            around = [] if calendar is None else [self._calendars[calendar]]
            for one in (self._procedures[key], *around):
                found.setdefault(one[:3], one)
        for one in self._around if found else ():
            found.setdefault(one[:3], one)
        return list(found.values())

    def _calendar_print(self, key: tuple[str, str]) -> str | None:
        timetable = self.families[key[0]][key[1]].clock.timetable
        if timetable is None:
            return None
        return timetable.fingerprint(self._calendars[timetable.calendar.name].fingerprint)

    def _one_generic(self) -> str:
        found = [
            code for code, family in self.families.items() if next(iter(family.values())).revision.generic
        ]
        if len(found) != 1:
            raise DefinitionError(
                "expected one generic procedure among the definitions, found {found}; it judges the codes that are "
                "not modelled, keep processes/generic.yaml",
                found=", ".join(sorted(found)) or Words("none"),
                reason="generic",
            )
        return found[0]


def load(folder: Path) -> Catalogue:
    """The catalogue of a folder: procedures anywhere below it, and `calendars`, `sources`, `organisation`, `risk`,
    `rotation` and the ledger `APPROVED`.

    Of several risk tables the one of the greatest revision counts. Raises DefinitionError or UnknownZone with
    file:line:column, LedgerError for a revision that is not as it was approved, UsageError where there is no such
    folder.
    """
    if not folder.is_dir():
        raise UsageError(
            "{folder}: expected a folder of definitions, found none; name one such as processes",
            folder=str(folder),
            reason="no_folder",
        )
    revisions = read_procedures(folder)
    require_sound(revisions, folder)
    told, calendars = organisation_in(folder), read_calendars(folder / "calendars")
    if told is not None and (usual := calendars.get(told.calendar)) is not None:
        check_hours(told, usual.definition.units)
    sources = read_sources(folder / "sources")
    found = next(iter(sorted((folder / "rotation").glob("*.yaml"))), None)
    rotation = None if found is None else read_rotation(found, told)
    bodies = [one for one in (told, rotation) if one is not None]
    _check_calendars([*bodies, *sources.values()], calendars, folder)
    ledger = ledger_of(folder, revisions)
    return Catalogue(revisions, calendars, sources, told, _newest_risk(folder / "risk"), rotation, ledger)


def _check_calendars(
    those: Iterable[Organisation | RotationRules | SourceDefinition],
    calendars: Mapping[str, Calendar],
    folder: Path,
) -> None:
    """Raises DefinitionError where one of these counts by a calendar that is not there, as procedures do later."""
    for one in those:
        match one:
            case Organisation(organisation=name, calendar=calendar):
                kind = "organisation"
            case RotationRules(rotation=name, calendar=calendar):
                kind = "rotation"
            case SourceDefinition(source=name):
                kind, calendar = "source", one.cadence.calendar
        if calendar is not None and calendar not in calendars:
            raise DefinitionError(
                "{folder}: {kind} {name}: unknown calendar {calendar}, expected one of {known}: correct the name or "
                "add the calendar",
                reason="unknown_calendar",
                folder=str(folder),
                kind=kind,
                name=name,
                calendar=calendar,
                known=", ".join(sorted(calendars)) or Words("none"),
            )


def from_archive(archived: Iterable[Definition]) -> Catalogue:
    """The catalogue of archived definitions, given from the first recorded to the last.

    Of calendars, sources, organisations, risk tables, rotation rules and ledgers the last counts; every revision of a
    procedure stays, of a draft that was corrected the last text. Raises StoreCorrupt where they cannot be read, or do
    not belong together.
    """
    try:
        return _from_archive(archived)
    except (msgspec.MsgspecError, DefinitionError) as fault:
        raise _corrupt(str(fault)) from fault


def _corrupt(fault: str) -> StoreCorrupt:
    return StoreCorrupt(
        "the archived definitions are not what was kept, they do not belong together ({fault}); restore the last "
        "backup",
        fault=fault,
    )


def _kind(one: Definition) -> type[msgspec.Struct]:
    found = _KINDS.get(one.kind)
    if found is None:
        raise _corrupt(f"{one.kind} {one.name}")
    return found


def _from_archive(archived: Iterable[Definition]) -> Catalogue:
    procedures: dict[tuple[str, str], Revision] = {}
    calendars: dict[str, Calendar] = {}
    sources: dict[str, SourceDefinition] = {}
    organisation: Organisation | None = None
    rotation: RotationRules | None = None
    risk: RiskTable | None = None
    ledger: Ledger | None = None
    for one in archived:
        match msgspec.json.decode(one.content, type=_kind(one)):
            case Revision() as revision:
                procedures[revision.procedure, revision.revision] = revision
            case CalendarDefinition() as calendar:
                calendars[calendar.name] = Calendar(calendar)
            case SourceDefinition() as source:
                sources[source.source] = source
            case Organisation() as told:
                organisation = told
            case RotationRules() as rules:
                rotation = rules
            case RiskTable() as table:
                risk = table
            case Ledger() as approvals:
                ledger = approvals
    return Catalogue(procedures.values(), calendars, sources, organisation, risk, rotation, ledger)


def of_risk(table: RiskTable) -> Definition:
    """A risk table as it is archived."""
    return _plain("risk", table.risk, table.revision, table)


def _newest_risk(folder: Path) -> RiskTable | None:
    tables = []
    for path in sorted(folder.glob("*.json")):
        try:
            tables.append(msgspec.json.decode(path.read_bytes(), type=RiskTable))
        except msgspec.MsgspecError as cause:
            raise DefinitionError(
                "{file}: expected a risk table as written by dunghen risk fit, found another ({cause}); write it anew",
                file=str(path),
                cause=cause,
                reason="risk_table",
            ) from cause
    return max(tables, key=lambda one: one.revision, default=None)


def _procedure(revision: Revision) -> Definition:
    content = msgspec.json.encode(revision)
    return Definition("procedure", revision.procedure, revision.revision, fingerprint(revision), content)


def _calendar(calendar: CalendarDefinition) -> Definition:
    return _plain("calendar", calendar.name, calendar.number, calendar)


def _organisation(one: Organisation) -> Definition:
    return _plain("organisation", one.organisation, one.revision, one)


def _source(one: SourceDefinition) -> Definition:
    # A source carries no number of its own: what it says is its number.
    return _plain("source", one.source, None, one)


def _plain(kind: DefinitionKind, name: str, revision: str | None, value: msgspec.Struct) -> Definition:
    digest = hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()
    return Definition(kind, name, revision or digest[:16], digest, msgspec.json.encode(value))
