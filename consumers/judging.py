"""One dossier of a batch: judged by single steps where its facts sort last, else folded whole, once."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Final, TypeAlias

from workflow.alerts.lateness import explained, standing, watch
from workflow.alerts.life import acts_in, rungs_said, say, wakes_at
from workflow.alerts.office import FAR
from workflow.alerts.refusals import refusal_id, refusals
from workflow.alerts.warnings import Steps, standing_over
from workflow.choosing import tells_steps
from workflow.factrows import as_rows, identities, in_time
from workflow.facts import code_of
from workflow.fold import fold
from workflow.judge import FAULTS, named, reason_of
from workflow.messages import Decision
from workflow.store.judgments import Standing, blank, kept, listed, row, story_row, told_under
from workflow.store.rows import DossierRow, from_us, to_us

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from workflow.alerts.lateness import Watched
    from workflow.alerts.life import Act, Life, Spoken
    from workflow.catalogue import Basis, Catalogue
    from workflow.facts import Fact
    from workflow.fold import Judgment
    from workflow.links import Story
    from workflow.messages import Alert
    from workflow.model import Deadline, Dossier, Outcome
    from workflow.rules import Rules


FactId: TypeAlias = tuple[str, str, int]
"""Source, id and revision of a fact of a dossier."""


SOON: Final = timedelta(seconds=1)


class Touched:
    """A dossier that a batch touches. `before`: its row so far, None for a new one. `rules`: those that judged it.

    `watched`: what alerts may rest on, None where it could not be judged; `refused`: the refusals among its new facts,
    or, where it was folded whole, among all. One whose story goes on under another code has alerts on its refused facts
    alone.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        subject: str,
        before: DossierRow | None,
        facts: Sequence[Fact],
        now: datetime,
        lives: Mapping[str, Life],
    ) -> None:
        """`facts` are new, in any order. `now`: as of when its alerts are looked at, `lives`: what was said of them."""
        self.subject = subject
        self.row: DossierRow | None = None
        self.decisions: list[Decision] = []
        self.rules: Rules | None = None
        self.refolded = False
        self.watched: Watched | None = None
        self.refused: list[tuple[Fact, Outcome]] = []
        self._dossier: Dossier | None = None
        self._all_told = False
        self._elsewhere = False
        self._acts: dict[str, Act] = {}
        self._all_acts = False
        self._catalogue = catalogue
        self._before = before
        self._facts = sorted(facts, key=_time) if len(facts) > 1 else facts
        self._recorded_at = 0
        self._now = now
        self._lives = lives
        self._past = Steps(catalogue.office, now, lives.values())

    def step(self, recorded_at: int) -> bool:
        """Judges by single steps; False where all facts of the dossier are needed. `recorded_at`: of its last fact."""
        self._recorded_at = recorded_at
        before = self._before
        if before is None:
            if not self._begin():
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
            self._block(reason_of(fault), rules)
            return True

    def look(self) -> bool:
        """Looks at the dossier again because of the time; False where all its facts are needed to judge it."""
        before = self._before
        rules = None if before is None else self._still(before)
        if before is None or rules is None:
            return False
        self.rules = rules
        try:
            self._elsewhere = told_under(before) != self.subject
            dossier = kept(before)
            watched = self._watch(rules, dossier)
        except FAULTS as fault:
            self._block(reason_of(fault), rules, before.facts)
            return True
        next_due_at = None if self._elsewhere else _moment(watched.next_at)
        self.row = before._replace(version=self._version, next_due_at=next_due_at)
        return True

    @property
    def concerned(self) -> bool:
        """Whether anything may have to be said of alerts about it."""
        watched = self.watched
        due = watched is not None and (watched.up or self._past.over) and not self._elsewhere
        return watched is not None and bool(due or self.refused or self._lives)

    @property
    def unread(self) -> list[str]:
        """The ids of alerts on its refused facts that may have been taken back before: such are read by id alone."""
        asked = self.refused if self._before is not None and self._before.alerts else ()
        return [name for fact, _ in asked if (name := refusal_id(fact)) not in self._lives]

    def recall(self, lives: Mapping[str, Life]) -> None:
        """Takes what was said of those `unread`, by id, among others."""
        self._lives = {**self._lives, **{name: lives[name] for name in self.unread if name in lives}}

    def speak(self, silent: Collection[str] = (), *, live: bool = True) -> Spoken:
        """What must be said of its alerts; its row then says when to look again. `live`: as of now, not of another
        moment: then nothing new is said while nobody is at work."""
        rules, dossier, watched, before = self.rules, self._dossier, self.watched, self.row
        assert rules is not None  # noqa: S101 - asked only where it is concerned, so it was judged
        assert dossier is not None  # noqa: S101 - as above
        assert watched is not None  # noqa: S101 - as above
        assert before is not None  # noqa: S101 - as above
        office, now, lives = self._catalogue.office, self._now, self._lives
        said = rungs_said(lives)
        found: list[Alert] = []
        next_at = FAR
        if not self._elsewhere:
            found, next_at = standing(
                office, rules, dossier, watched, now, said=said, silent=silent, live=live
            )
            found += standing_over(office, self._past, lives, found, now, silent=silent, live=live)
        earlier = () if self._all_told else lives.values()
        refused = refusals(office, rules, dossier, self.refused, earlier, now)
        spoken = say(
            lives,
            [*found, *(office.held(one, now, live=live) for one in refused)],
            now,
            acts=self._acts,
            all_acts=self._all_acts,
            explain=partial(explained, rules, dossier, watched, now),
        )
        new = {life.alert.id: life for life in spoken.lives}
        after = {**lives, **new} if new else lives
        wakes = wakes_at(after.values(), now)
        due = _moment(next_at if wakes is None else min(next_at, wakes))
        alerts = before.alerts + len(after) - len(lives)
        if (due, alerts) != (before.next_due_at, before.alerts):
            self.row = before.looked_at(due, alerts)
        return spoken

    def _watch(self, rules: Rules, dossier: Dossier, dates: tuple[Deadline, ...] | None = None) -> Watched:
        """What alerts may rest on. `dates`: the deadlines where they are known as of now."""
        now = self._now
        found = rules.clock.governing(dossier, at=now) if dates is None else dates
        self._dossier = dossier
        self.watched = watch(self._catalogue.office, rules, dossier, found, now)
        return self.watched

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
        facts = in_time([*older, *self._facts])
        facts = as_rows(facts) or facts
        rules = next(iter(self._catalogue.family(None).values()))
        try:
            rules = self._catalogue.rules_for(facts)
            looked_back = self._facts or (self._before is not None and self._before.blocked is not None)
            if looked_back:
                judgment = self._past.fold(rules, self.subject, facts, self._facts)
            else:
                judgment = fold(rules, self.subject, facts)
            self._keep(judgment.rules, judgment.dossier, named(judgment.facts), len(facts))
            self._hear(judgment)
            self._all_told = True
            self._say_all(judgment, self._told(rules, older) if told is None else told)
        except FAULTS as fault:
            self._block(reason_of(fault), rules, len(facts))

    def recount(self, row: DossierRow, dossier: Dossier, recorded_at: int) -> None:
        """Counts the dates anew of a judgment that stands as its row keeps it."""
        self._recorded_at = recorded_at
        rules = self._catalogue.families[row.procedure][row.revision]
        try:
            self._keep(rules, dossier, row.code, row.facts)
        except FAULTS as fault:
            self._block(reason_of(fault), rules, row.facts)

    def share(
        self, judgment: Judgment, story: Story, code: str | None, *, facts: int, recorded_at: int, latest: int
    ) -> None:
        """Takes over the judgment of its story, or keeps its last where that has no facts. `facts`: its own; `latest`:
        when the story's last fact was recorded. Raises CalendarRange."""
        self._recorded_at = recorded_at
        self.refolded = self._before is not None
        rules, dossier, at = judgment.rules, judgment.dossier, from_us(latest)
        dates = rules.clock.governing(dossier, at=at)
        watched = self._watch(rules, dossier, dates if self._is_now(at) else None)
        self._elsewhere = self.subject != story.head
        kept = Standing(
            code,
            self._version,
            facts,
            recorded_at,
            alerts=0 if self._before is None else self._before.alerts,
            next_due_at=None if self._elsewhere else _moment(watched.next_at),
        )
        self.rules = rules
        self.row = story_row(rules, self._basis(rules), dossier, kept, dates, story, self.subject, latest)
        self._all_told = True
        self._hear(judgment)
        if not self._elsewhere:
            asked = self._catalogue.rules_for(judgment.facts)
            self._past.look_back(asked, dossier, judgment.facts, self._facts)

    def _is_now(self, recorded_at: datetime) -> bool:
        """Whether dates as of a recorded time are those of now: recorded times grow a little beyond it."""
        return self._now <= recorded_at <= self._now + SOON

    def _hear(self, judgment: Judgment) -> None:
        """Takes from all outcomes of a dossier what its alerts rest on: refusals of facts of its own code alone."""
        found, own = list(zip(judgment.facts, judgment.outcomes, strict=True)), self.subject
        self.refused = [(one, said) for one, said in found if said.status == "refused" and one.subject == own]
        self._acts = acts_in(fact for fact, outcome in found if outcome.status == "applied")
        self._all_acts = True

    def decide(self, fact: Fact, outcome: Outcome, earlier: Outcome | None) -> None:
        """Says what became of one of its facts."""
        self.decisions.append(self._decision(fact, outcome, earlier))

    def block(self, fault: BaseException, rules: Rules, story: Story, facts: int, recorded_at: int) -> None:
        """Keeps the last judgment, since its story could not be judged."""
        self._recorded_at = recorded_at
        self._block(reason_of(fault), rules, facts)
        assert self.row is not None  # noqa: S101 - just made
        self.row = self.row._replace(linked=listed(story))

    @property
    def still(self) -> bool:
        """Whether its last judgment stands, by the definitions there are now."""
        before = self._before
        return before is None or (before.blocked is None and self._still(before) is not None)

    def _still(self, before: DossierRow) -> Rules | None:
        """The rules of the last judgment; None where others would judge it now."""
        rules = self._catalogue.rules(before.procedure, before.revision)
        if rules is None or self._basis(rules) != (before.fingerprint, before.calendar, before.judge_version):
            return None
        if self._catalogue.family(before.code) is rules.family:
            return rules
        steps_told = kept(before).steps_told
        return rules if self._catalogue.judges(before.code, rules, steps_told=steps_told) else None

    def _steps(self, rules: Rules, before: DossierRow) -> bool:
        code, facts, catalogue = before.code, self._facts, self._catalogue
        if code is None and any(code_of(fact) is not None for fact in facts):
            return False
        if catalogue.settle(before.procedure, facts):
            return False
        if catalogue.family(code) is not rules.family and any(
            tells_steps(catalogue.orders, one) for one in facts
        ):
            return False
        return self._follow(rules, kept(before), code, before.facts)

    def _begin(self) -> bool:
        """Judges the first facts of a dossier by single steps; False where they must be put in order."""
        rules = next(iter(self._catalogue.family(None).values()))
        try:
            rules = self._catalogue.rules_for(self._facts)
            return self._follow(rules, rules.start(self.subject), named(self._facts), 0)
        except FAULTS as fault:
            self._block(reason_of(fault), rules)
            return True

    def _follow(self, rules: Rules, dossier: Dossier, code: str | None, older: int) -> bool:
        """Takes the new facts behind all that `dossier` has seen; False where one does not lie there."""
        facts = self._facts
        found = self._past.follow(rules, dossier, facts)
        if found is None:
            return False
        after, outcomes = found
        told = list(zip(facts, outcomes, strict=True))
        self._keep(rules.family[after.revision], after, code, older + len(facts))
        version = self._version
        self.decisions = [
            Decision(self.subject, fact.source, fact.id, fact.revision, version, outcome)
            for fact, outcome in told
        ]
        self.refused = [(fact, outcome) for fact, outcome in told if outcome.status == "refused"]
        self._acts = acts_in(facts)
        return True

    def _keep(self, rules: Rules, dossier: Dossier, code: str | None, facts: int) -> None:
        recorded_at = from_us(self._recorded_at)
        dates = rules.clock.governing(dossier, at=recorded_at)
        watched = self._watch(rules, dossier, dates if self._is_now(recorded_at) else None)
        alerts = 0 if self._before is None else self._before.alerts
        kept = Standing(
            code, self._version, facts, self._recorded_at, alerts=alerts, next_due_at=_moment(watched.next_at)
        )
        self.rules = rules
        self.row = row(rules, self._basis(rules), dossier, kept, dates)

    def _told(self, rules: Rules, older: Sequence[Fact]) -> Mapping[FactId, Outcome]:
        """What was said of the older facts, where it was these rules that judged them."""
        before = self._before
        if not older or before is None or before.blocked is not None or self._still(before) is not rules:
            return {}
        last = fold(rules, self.subject, older)
        return dict(zip(identities(last.facts), last.outcomes, strict=True))

    def _say_all(self, judgment: Judgment, told: Mapping[FactId, Outcome]) -> None:
        """New outcomes, and of those told before the ones that have changed."""
        earlier_ones = map(told.get, identities(judgment.facts))
        for fact, outcome, earlier in zip(judgment.facts, judgment.outcomes, earlier_ones, strict=True):
            if earlier != outcome:
                self.decisions.append(self._decision(fact, outcome, earlier))

    def _block(self, reason: str, rules: Rules, facts: int | None = None) -> None:
        """Keeps the last judgment and says why there is no newer one."""
        before = self._before
        basis = self._basis(rules)
        if before is None:
            kept = Standing(None, self._version, len(self._facts), self._recorded_at, reason)
            self.row = blank(rules, basis, self.subject, kept)
        else:
            self.row = before._replace(
                fingerprint=basis.fingerprint,
                calendar=basis.calendar,
                judge_version=basis.judge_version,
                next_due_at=None,
                blocked=reason,
                version=self._version,
                facts=before.facts + len(self._facts) if facts is None else facts,
                last_recorded_at=self._recorded_at,
            )
        self.rules, self.watched = rules, None
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


def _moment(at: datetime) -> int | None:
    return None if at >= FAR else to_us(at)


_time: Final = attrgetter("occurred_at", "sequence", "source", "id", "revision")
