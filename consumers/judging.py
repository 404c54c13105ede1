"""One dossier of a batch: judged by single steps where its facts sort last, else folded whole, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from workflow.catalogue import code_of
from workflow.errors import DunghenError
from workflow.fold import fold, follow
from workflow.judge import FAULTS
from workflow.messages import Decision
from workflow.store.judgments import Standing, row, unpack
from workflow.store.rows import DossierRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from workflow.catalogue import Basis, Catalogue
    from workflow.facts import Fact
    from workflow.fold import Judgment
    from workflow.model import Dossier, Outcome
    from workflow.rules import Rules


FactId: TypeAlias = tuple[str, str, int]
"""Source, id and revision of a fact of a dossier."""


class Touched:
    """A dossier that a batch touches. `before`: its row so far, None for a new one. `rules`: those that judged it."""

    def __init__(
        self, catalogue: Catalogue, subject: str, before: DossierRow | None, facts: Sequence[Fact]
    ) -> None:
        """`facts` are new, in any order."""
        self.subject = subject
        self.row: DossierRow | None = None
        self.decisions: list[Decision] = []
        self.rules: Rules | None = None
        self.refolded = False
        self._catalogue = catalogue
        self._before = before
        self._facts = sorted(facts, key=_time) if len(facts) > 1 else facts
        self._recorded_at = 0

    def step(self, recorded_at: int) -> bool:
        """Judges by single steps; False where all facts of the dossier are needed. `recorded_at`: of its last fact."""
        self._recorded_at = recorded_at
        before = self._before
        if before is None:
            self.whole(())
            return True
        rules = self._still(before)
        if rules is None:
            return False
        if before.blocked is not None:
            self._block(before.blocked, rules)
            return True
        try:
            return self._steps(rules, before)
        except FAULTS as fault:
            self._block(_said(fault), rules)
            return True

    def whole(
        self,
        older: Sequence[Fact],
        *,
        recorded_at: int | None = None,
        told: Mapping[FactId, Outcome] | None = None,
    ) -> None:
        """Judges all facts of the dossier together, `older` being those it had.

        `told`: what was said of them, where the present rules do not give it again.
        """
        self._recorded_at = self._recorded_at if recorded_at is None else recorded_at
        self.refolded = self._before is not None
        facts = [*older, *self._facts]
        rules = next(iter(self._catalogue.family(None).values()))
        try:
            rules = self._catalogue.rules_for(facts)
            judgment = fold(rules, self.subject, facts)
            code = next((named for fact in judgment.facts if (named := code_of(fact)) is not None), None)
            self._keep(judgment.rules, judgment.dossier, code, len(facts))
            self._say_all(judgment, self._told(rules, older) if told is None else told)
        except FAULTS as fault:
            self._block(_said(fault), rules, len(facts))

    def _still(self, before: DossierRow) -> Rules | None:
        """The rules of the last judgment; None where others would judge it now."""
        rules = self._catalogue.rules(before.procedure, before.revision)
        if rules is None or self._basis(rules) != (before.fingerprint, before.calendar, before.judge_version):
            return None
        return rules if self._catalogue.family(before.code) is rules.family else None

    def _steps(self, rules: Rules, before: DossierRow) -> bool:
        code, facts, settles = before.code, self._facts, self._catalogue.settles
        if code is None and any(code_of(fact) is not None for fact in facts):
            return False
        if any(settles(before.procedure, fact) for fact in facts):
            return False
        found = follow(rules, unpack(before.judgment), facts)
        if found is None:
            return False
        dossier, outcomes = found
        self._keep(rules.family[dossier.revision], dossier, code, before.facts + len(facts))
        self.decisions = [self._decision(fact, one) for fact, one in zip(facts, outcomes, strict=True)]
        return True

    def _keep(self, rules: Rules, dossier: Dossier, code: str | None, facts: int) -> None:
        alerts = 0 if self._before is None else self._before.alerts
        standing = Standing(code, self._version, facts, self._recorded_at, alerts=alerts)
        self.rules = rules
        self.row = row(rules, self._basis(rules), dossier, standing)

    def _told(self, rules: Rules, older: Sequence[Fact]) -> Mapping[FactId, Outcome]:
        """What was said of the older facts, where it was these rules that judged them."""
        before = self._before
        if not older or before is None or before.blocked is not None or self._still(before) is not rules:
            return {}
        last = fold(rules, self.subject, older)
        return {_identity(fact): one for fact, one in zip(last.facts, last.outcomes, strict=True)}

    def _say_all(self, judgment: Judgment, told: Mapping[FactId, Outcome]) -> None:
        """New outcomes, and of those told before the ones that have changed."""
        for fact, outcome in zip(judgment.facts, judgment.outcomes, strict=True):
            earlier = told.get(_identity(fact))
            if earlier != outcome:
                self.decisions.append(self._decision(fact, outcome, earlier))

    def _block(self, reason: str, rules: Rules, facts: int | None = None) -> None:
        """Keeps the last judgment and says why there is no newer one."""
        before = self._before
        basis = self._basis(rules)
        if before is None:
            standing = Standing(None, self._version, len(self._facts), self._recorded_at, reason)
            self.row = _blank(rules, basis, self.subject, standing)
        else:
            self.row = before._replace(
                fingerprint=basis.fingerprint,
                calendar=basis.calendar,
                judge_version=basis.judge_version,
                blocked=reason,
                version=self._version,
                facts=before.facts + len(self._facts) if facts is None else facts,
                last_recorded_at=self._recorded_at,
            )
        self.rules = rules
        self.decisions = [self._decision(fact, None, blocked=reason) for fact in self._facts]

    def _decision(
        self,
        fact: Fact,
        outcome: Outcome | None,
        supersedes: Outcome | None = None,
        blocked: str | None = None,
    ) -> Decision:
        return Decision(
            self.subject, fact.source, fact.id, fact.revision, self._version, outcome, supersedes, blocked
        )

    def _basis(self, rules: Rules) -> Basis:
        return self._catalogue.basis(rules)

    @property
    def _version(self) -> int:
        return 1 if self._before is None else self._before.version + 1


def used(touched: Iterable[Touched]) -> list[Rules]:
    """The rules that judged these dossiers, each once."""
    return list({id(one.rules): one.rules for one in touched if one.rules is not None}.values())


def _blank(rules: Rules, basis: Basis, subject: str, standing: Standing) -> DossierRow:
    """The row of a dossier that could never be judged."""
    blank = rules.start(subject)
    nothing: dict[str, Any] = dict.fromkeys(DossierRow._fields)
    known = {
        "subject": subject,
        "procedure": rules.revision.procedure,
        "revision": rules.revision.revision,
        "state": blank.state,
        "deviated": False,
        "judgment": msgspec.msgpack.encode(None),
        **basis._asdict(),
        **standing._asdict(),
    }
    return DossierRow(**{**nothing, **known})


def _identity(fact: Fact) -> FactId:
    return fact.source, fact.id, fact.revision


def _time(fact: Fact) -> tuple[object, ...]:
    return fact.occurred_at, fact.sequence, fact.source, fact.id, fact.revision


def _said(fault: BaseException) -> str:
    code = fault.code if isinstance(fault, DunghenError) else type(fault).__name__
    return f"{code}: {fault}"
