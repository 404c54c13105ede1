"""The one function of all times: facts of one dossier in, its judgment out. docs/judging.md is its page.

Live run, rebuild, audit, what-if and simulation call the same `fold`; `advance` is one step of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from workflow.choosing import tells_steps
from workflow.effects import tell_slip
from workflow.errors import OutOfOrder
from workflow.factrows import FactRows, as_rows, in_time
from workflow.facts import Acted, AlertActed, Fact, Linked, Migrated, Opened, Voided
from workflow.model import Dossier, Outcome
from workflow.opening import migrate, open_dossier, opens, reopen
from workflow.plan import APPLIED, NOT_JUDGED
from workflow.rules import Rules
from workflow.sources import UNKNOWN_SOURCE
from workflow.standing import Placed, place, stand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from workflow.machine import ProcedureMachine
    from workflow.standing import Standing


_UNDATED: Final = {
    *("last_key", "streams", "order_assumed", "corrected", "steps_told"),
    *("actors", "counts", "broken", "missed"),
}
_dated: Final = attrgetter(*(one for one in Dossier.__struct_fields__ if one not in _UNDATED))
"""All of a dossier that a date may hang on."""


class Judgment(Struct, frozen=True, gc=False):
    """What follows from the facts of one dossier: its state, and each fact's outcome.

    `facts` and `outcomes` run parallel: the standing facts in their total order, then those that have no place in
    it (voids, voided, superseded) by (occurred_at, source, id, revision). `rules`: the revision that judged last.
    """

    rules: Rules
    dossier: Dossier
    facts: Sequence[Fact]
    outcomes: Sequence[Outcome]


def start(rules: Rules, subject: str) -> Dossier:
    """A dossier of which nothing is known yet: where `advance` begins."""
    return rules.start(subject)


def fold(
    rules: Rules,
    subject: str,
    facts: Sequence[Fact],
    *,
    known_at: datetime | None = None,
    valid_at: datetime | None = None,
) -> Judgment:
    """The judgment of `facts`, all of one subject or of the codes of one story, in any order and with repetitions.

    `known_at` leaves out what was recorded later, `valid_at` what took effect later. Facts of one identity must
    have the same content (conflicts are dead letters before they come here).
    """
    told = in_time(facts)
    rows = as_rows(told)
    if known_at is None and rows is not None and (valid_at is None or rows.rows[-1][0] <= valid_at):
        return _fold_rows(rules, rows, told)
    return fold_standing(rules, subject, stand(rules.sources, facts, known_at, valid_at))


def fold_standing(rules: Rules, subject: str, standing: Standing) -> Judgment:
    """As `fold`, of facts of which those that count, and their order, are known already."""
    dossier = rules.start(subject)
    outcomes = [outcome for _, outcome in _steps(rules, dossier, standing.placed)]
    dossier.corrected = standing.corrected
    return Judgment(
        rules.family[dossier.revision],
        dossier,
        [*(one.fact for one in standing.placed), *(fact for fact, _ in standing.aside)],
        [*outcomes, *(outcome for _, outcome in standing.aside)],
    )


class Stage(Struct, frozen=True, gc=False):
    """One fact at its place, its outcome, and the dossier right after it."""

    placed: Placed
    outcome: Outcome
    dossier: Dossier


def trail(
    rules: Rules,
    subject: str,
    facts: Sequence[Fact],
    *,
    known_at: datetime | None = None,
    valid_at: datetime | None = None,
) -> list[Stage]:
    """The same judgment as `fold`, kept after every standing fact: for explaining a history step by step."""
    dossier, _, steps = _walk(rules, subject, facts, known_at, valid_at)
    return [Stage(placed, said, _draft(dossier)) for placed, said in steps]


def passed(
    rules: Rules, subject: str, facts: Sequence[Fact], asked: Callable[[Fact, datetime], bool]
) -> Iterator[tuple[Dossier, Dossier, Outcome]]:
    """The dossier right before and right after each standing fact that is `asked` for, by it and its effective time,
    and its outcome; the first has nothing before it. A `trail` of those alone: most histories are asked for little.

    Facts that `left_alone` what they found are passed over, and what was right before them stands for it after them,
    as long as one source goes on telling of it.
    """
    dossier, placed, steps = _walk(rules, subject, facts)
    wanted = [asked(one.fact, one.at) for one in placed]
    before: Dossier | None = None
    source = ""
    for (one, outcome), now, then in zip(steps, wanted, [*wanted[1:], False], strict=False):
        if not (now or then):
            before = None
            continue
        alone = before is not None and left_alone(before, dossier, outcome)
        if alone and one.fact.source == source:
            continue
        after = _draft(dossier)
        if now and before is not None and not alone:
            yield before, after, outcome
        before, source = after, one.fact.source


def left_alone(before: Dossier, after: Dossier, outcome: Outcome) -> bool:
    """Whether a fact surely changed no date: what is refused changes nothing but the slip it may tell, unless it halts
    the dossier, and what is applied in a state that stays often changes nothing a date hangs on."""
    if outcome.status == "refused":
        return not after.halted and after.appointments is before.appointments
    return after.since is before.since and bool(_dated(after) == _dated(before))


def sorts_last(rules: Rules, dossier: Dossier, fact: Fact) -> bool:
    """Whether `advance` may take `fact`: it comes after all that `dossier` has seen and corrects nothing."""
    return _next_place(rules, dossier, fact) is not None


def advance(rules: Rules, dossier: Dossier, fact: Fact) -> tuple[Dossier, Outcome]:
    """One step: the dossier after `fact`, and the fact's outcome. The given dossier stays as it was.

    Raises OutOfOrder for a fact that does not sort last, and for corrections: those are folded.
    """
    found = stepped(rules, dossier, fact)
    if found is None:
        raise OutOfOrder(
            "fact {id} of {subject} does not sort last: fold all facts of the dossier again",
            id=fact.id,
            subject=fact.subject,
        )
    return found


def stepped(rules: Rules, dossier: Dossier, fact: Fact) -> tuple[Dossier, Outcome] | None:
    """As `advance`; None where the fact does not sort last."""
    draft = _draft(dossier)
    outcome = _take(rules, draft, fact)
    return None if outcome is None else (draft, outcome)


def follow(rules: Rules, dossier: Dossier, facts: Sequence[Fact]) -> tuple[Dossier, list[Outcome]] | None:
    """The dossier after several steps and the outcome of each; None where a fact does not sort last.

    The given dossier stays as it was.
    """
    draft = _draft(dossier)
    rows = as_rows(facts) if len(facts) > 1 else None
    if rows is not None and rows.known is None and _begins_behind(rules, dossier, facts[0]):
        return draft, _judge(rules.family[draft.revision], draft, rows)
    outcomes: list[Outcome] = []
    for fact in facts:
        outcome = _take(rules, draft, fact)
        if outcome is None:
            return None
        outcomes.append(outcome)
    return draft, outcomes


def judgment_bytes(judgment: Judgment) -> bytes:
    """A judgment as bytes: equal bytes, equal judgment. Recorded times are no part of it."""
    rows = [
        (fact.source, fact.id, fact.revision, outcome)
        for fact, outcome in zip(judgment.facts, judgment.outcomes, strict=True)
    ]
    revision = judgment.rules.revision
    return msgspec.json.encode(
        (revision.procedure, revision.revision, judgment.dossier, rows), order="sorted"
    )


def _fold_rows(rules: Rules, rows: FactRows, facts: Sequence[Fact]) -> Judgment:
    """The fold of acts that are known to lie in order: no sorting, no voids, no two of one identity."""
    dossier = rules.start(rows.subject)
    return Judgment(rules, dossier, facts, _judge(rules, dossier, rows))


def _judge(rules: Rules, dossier: Dossier, rows: FactRows) -> list[Outcome]:
    """The outcomes of rows that lie behind all that a private dossier has seen."""
    outcomes: list[Outcome] = []
    if rows.known is not None:
        outcomes.append(open_dossier(rules, dossier, rows.known, rows.known.occurred_at))
    _judge_rows(rules.machine, dossier, rows, outcomes)
    if dossier.halted:
        outcomes += [NOT_JUDGED] * (len(rows) - len(outcomes))
    at, _, identifier, sequence = rows.rows[-1]
    source = rows.source
    order = rules.sources.get(source, UNKNOWN_SOURCE)
    dossier.last_key = (at, order.rank, sequence, source, identifier, 0)
    dossier.steps_told = dossier.steps_told or (rules.revision.generic and order.steps)
    if order.order == "sequence":
        seen = (sequence, at)
        dossier.streams = {**dossier.streams, source: seen} if dossier.streams else {source: seen}
    return outcomes


def _judge_rows(machine: ProcedureMachine, dossier: Dossier, rows: FactRows, outcomes: list[Outcome]) -> None:
    """Judges one row after the other, up to one that halts the dossier."""
    add, judges = outcomes.append, machine.judges
    for at, act, _, _ in rows.rows:
        judge = judges[dossier.state].get(act.action)
        if judge is not None:
            add(judge(dossier, act, at))
            continue
        add(machine.judge(dossier, act, at))
        if dossier.halted:
            return


def _walk(
    rules: Rules,
    subject: str,
    facts: Sequence[Fact],
    known_at: datetime | None = None,
    valid_at: datetime | None = None,
) -> tuple[Dossier, Sequence[Placed], Iterator[tuple[Placed, Outcome]]]:
    """A dossier of which nothing is known yet, its standing facts, and the steps that judge one after the other,
    changing that dossier."""
    dossier = rules.start(subject)
    rows = as_rows(in_time(facts)) if known_at is None and valid_at is None else None
    if rows is None or rows.known is not None:
        placed = stand(rules.sources, facts, known_at, valid_at).placed
        return dossier, placed, _steps(rules, dossier, placed)
    order = rules.sources.get(rows.source, UNKNOWN_SOURCE)
    placed = [place(order, fact, fact.occurred_at) for fact in rows]
    return dossier, placed, _act_steps(rules, dossier, placed)


def _act_steps(rules: Rules, dossier: Dossier, placed: Sequence[Placed]) -> Iterator[tuple[Placed, Outcome]]:
    """As `_steps`, of acts of one source that are known to lie in order."""
    machine, source = rules.machine, placed[0].fact.source
    order = rules.sources.get(source, UNKNOWN_SOURCE)
    steps_told, by_sequence = rules.revision.generic and order.steps, order.order == "sequence"
    for one in placed:
        act, at = one.fact.body, one.at
        assert isinstance(act, Acted)  # noqa: S101 - rows are made of nothing else
        judge = machine.judges[dossier.state].get(act.action, machine.judge)
        outcome = NOT_JUDGED if dossier.halted else judge(dossier, act, at)
        dossier.last_key = one.key
        dossier.steps_told = dossier.steps_told or steps_told
        if by_sequence:
            dossier.streams = {source: (one.fact.sequence, at)}
        yield one, outcome


def _steps(rules: Rules, dossier: Dossier, placed: Sequence[Placed]) -> Iterator[tuple[Placed, Outcome]]:
    """Judges one fact after the other, changing `dossier`; what lies before an opening balance is not judged."""
    opening = next((index for index, one in enumerate(placed) if opens(rules, one.fact)), 0)
    for index, one in enumerate(placed):
        if index < opening:
            outcome = _assumed(dossier, one, NOT_JUDGED)
        else:
            outcome = _step(rules.family[dossier.revision], dossier, one)
        _remember(rules, dossier, one)
        yield one, outcome


def _step(rules: Rules, dossier: Dossier, placed: Placed) -> Outcome:
    """Judges one fact on a private dossier."""
    outcome, body = APPLIED, placed.fact.body
    match body:
        case Acted():
            if placed.promised is not None and not dossier.halted:
                tell_slip(dossier, placed.promised, placed.at)
            outcome = NOT_JUDGED if dossier.halted else rules.machine.judge(dossier, body, placed.at)
        case Opened():
            outcome = open_dossier(rules, dossier, placed.fact, placed.at)
        case Migrated():
            outcome = migrate(rules, dossier, placed.fact, placed.at)
        case Linked(kind="reopened_as"):
            reopen(rules, dossier, placed.at)
    return _assumed(dossier, placed, outcome)


def _assumed(dossier: Dossier, placed: Placed, outcome: Outcome) -> Outcome:
    last = dossier.last_key
    if last is None or last[:3] != placed.key[:3]:
        return outcome
    dossier.order_assumed = True
    return replace(outcome, order_assumed=True)


def _remember(rules: Rules, dossier: Dossier, placed: Placed) -> None:
    """Keeps what tells whether a further fact sorts last. Acts on alerts say nothing of the dossier itself."""
    fact = placed.fact
    if fact.body.__class__ is AlertActed:
        return
    dossier.last_key = placed.key
    if rules.revision.generic and tells_steps(rules.sources, fact):
        dossier.steps_told = True
    if rules.sources.get(fact.source, UNKNOWN_SOURCE).order == "sequence":
        dossier.streams = {**dossier.streams, fact.source: (fact.sequence, placed.at)}


def _take(rules: Rules, dossier: Dossier, fact: Fact) -> Outcome | None:
    """Judges a fact that sorts last, on a private dossier; None, and nothing done, where it does not sort last.

    Most are acts that surely do, at their own time and by no assumption, since their source goes on after its own last
    fact: these need no place, and what `_step` and `_remember` do of them is done here.
    """
    act, last = fact.body, dossier.last_key
    if last is None or act.__class__ is not Acted or fact.revision or dossier.corrected:
        return _placed(rules, dossier, fact)
    at, sequence, (latest, rank, seen, source, _, _) = fact.occurred_at, fact.sequence, last
    if fact.source != source or sequence <= seen or at < latest:
        return _placed(rules, dossier, fact)
    rules = rules.family[dossier.revision]
    outcome = NOT_JUDGED if dossier.halted else rules.machine.judge(dossier, act, at)
    dossier.last_key = (at, rank, sequence, source, fact.id, 0)
    if rules.revision.generic and tells_steps(rules.sources, fact):
        dossier.steps_told = True
    if source in dossier.streams:
        dossier.streams = {**dossier.streams, source: (sequence, at)}
    return outcome


def _placed(rules: Rules, dossier: Dossier, fact: Fact) -> Outcome | None:
    """As `_take`, of any fact: its place is looked for first."""
    placed = _next_place(rules, dossier, fact)
    if placed is None:
        return None
    outcome = _step(rules.family[dossier.revision], dossier, placed)
    _remember(rules, dossier, placed)
    return outcome


def _begins_behind(rules: Rules, dossier: Dossier, fact: Fact) -> bool:
    """Whether a fact lies behind all that a dossier has seen, at its own time and surely, so that rows may begin."""
    placed, last = _next_place(rules, dossier, fact), dossier.last_key
    if placed is None or dossier.halted:
        return False
    return placed.at == fact.occurred_at and (last is None or last[:3] != placed.key[:3])


def _next_place(rules: Rules, dossier: Dossier, fact: Fact) -> Placed | None:
    """The place of a fact that sorts last; None where it does not, or where neighbours must be looked at."""
    if dossier.corrected or fact.revision or isinstance(fact.body, Voided):
        return None
    last = dossier.last_key
    if isinstance(fact.body, Opened) and fact.body.state is not None and last is not None:
        return None
    at, order = fact.occurred_at, rules.sources.get(fact.source, UNKNOWN_SOURCE)
    if order.order == "sequence":
        sequence, latest = dossier.streams.get(fact.source, (-1, at))
        if fact.sequence <= sequence:
            return None
        at = max(at, latest)
    placed = place(order, fact, at)
    return placed if last is None or placed.key > last else None


def _draft(dossier: Dossier) -> Dossier:
    """A private copy: tuples and dicts are replaced, never changed, so only the lists are copied."""
    return replace(
        dossier,
        registers=dossier.registers.copy(),
        firsts=dossier.firsts.copy(),
        lasts=dossier.lasts.copy(),
        counts=dossier.counts.copy(),
    )
