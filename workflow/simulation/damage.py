"""What goes wrong on the way to us, done on purpose: each damage with the outcome that ought to follow.

At most one damage of a dossier touches what is said; repetition and delay come on top, since they must change nothing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from workflow.facts import Acted, Fact, Voided
from workflow.model import Status
from workflow.simulation.walk import GAP

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from random import Random

    from workflow.rules import Rules
    from workflow.simulation.volumes import Rates
    from workflow.simulation.walk import Stop

    Message: TypeAlias = tuple[datetime, Fact]

HALF: Final = GAP // 2
SOON: Final = timedelta(minutes=2)
LATE_REPORT: Final = timedelta(days=2)
SKEW: Final = timedelta(hours=3)


class Planted(Struct, frozen=True, omit_defaults=True):
    """One damage: its kind, the event it was done to, and what ought to become of that event (absent: it never
    comes). `rule`: the rule that ought to be broken there."""

    kind: str
    event: str
    revision: int = 0
    status: Status | None = None
    rule: str | None = None


class Damaged:
    """The messages of one dossier with what was planted in them."""

    def __init__(self, rules: Rules, stops: list[Stop], rates: Rates, random: Random) -> None:
        """Does each damage at its rate."""
        self._rules = rules
        self._stops = stops
        self._random = random
        self.planted: list[Planted] = []
        self.messages: list[Message] = [(stop.fact.occurred_at + SOON, stop.fact) for stop in stops]
        said: tuple[tuple[float, Callable[[int], None]], ...] = (
            (rates.lost, self._lose),
            (rates.illegal, self._break),
            (rates.void, self._void),
            (rates.revision, self._revise),
            (rates.skew, self._skew),
        )
        drawn = random.random()
        for rate, damage in said:
            if drawn < rate and len(stops) > 2:  # noqa: PLR2004 - a first, one to damage, and one after it
                damage(random.randrange(1, len(stops) - 1))
                break
            drawn -= rate
        self._disturb(rates)
        self.messages.sort(key=lambda message: message[0])

    def _lose(self, index: int) -> None:
        stop, after = self._stops[index], self._stops[index + 1].fact
        action = _action(after)
        state = stop.before.state
        milestones = self._rules.revision.actions
        lone = milestones[_action(stop.fact)].milestone is None
        if not lone or self._stops[-1].before.tasks or self._rules.machine.target(state, action) is not None:
            return
        del self.messages[index]
        self.planted.append(Planted("lost", stop.fact.id))
        follows = milestones[action].milestone is not None and milestones[action].on_order_break != "refuse"
        self.planted.append(
            Planted("after_lost", after.id, 0, "applied" if follows else "refused", f"order/{action}/{state}")
        )

    def _break(self, index: int) -> None:
        extra = self._impossible(index)
        if extra is not None:
            rule = f"order/{_action(extra)}/{self._stops[index].before.state}"
            self.messages.append((extra.occurred_at + SOON, extra))
            self.planted.append(Planted("illegal", extra.id, 0, "refused", rule))

    def _void(self, index: int) -> None:
        wrong = self._impossible(index)
        if wrong is None:
            return
        at = wrong.occurred_at + timedelta(hours=2)
        body = Voided(target_id=wrong.id, reason="keyed into the wrong dossier")
        void = Fact(wrong.subject, wrong.source, f"{wrong.id}/void", at, body, wrong.sequence + 1)
        self.messages += [(wrong.occurred_at + SOON, wrong), (at + SOON, void)]
        self.planted.append(Planted("void", wrong.id, 0, "voided"))

    def _impossible(self, index: int) -> Fact | None:
        """An act no state like this one allows, just before the one at `index`."""
        state, before = self._stops[index].before.state, self._stops[index - 1].fact
        revision = self._rules.revision
        names = [
            name
            for name, action in revision.actions.items()
            if action.milestone is None
            and action.on_order_break is None
            and self._rules.machine.target(state, name) is None
        ]
        if not names or revision.on_order_break != "refuse" or not isinstance(before.body, Acted):
            return None
        body = Acted(action=self._random.choice(names), procedure=revision.procedure, actor=before.body.actor)
        return Fact(
            before.subject, before.source, f"{before.id}/x", before.occurred_at, body, before.sequence + HALF
        )

    def _revise(self, index: int) -> None:
        right = self._stops[index].fact
        assert isinstance(right.body, Acted)  # noqa: S101 - walks are made of acts
        wrong = replace(right, body=replace(right.body, unit="another-unit"))
        self.messages[index] = (right.occurred_at + SOON, wrong)
        self.messages.append((right.occurred_at + timedelta(hours=1), replace(right, revision=1)))
        self.planted += [
            Planted("revised", right.id, 0, "superseded"),
            Planted("revision", right.id, 1, "applied"),
        ]

    def _skew(self, index: int) -> None:
        fact = self._stops[index].fact
        if self._rules.revision.actions[_action(fact)].milestone is None:
            early = replace(fact, occurred_at=fact.occurred_at - SKEW)
            self.messages[index] = (fact.occurred_at + SOON, early)
            self.planted.append(Planted("skew", fact.id, 0, "applied"))

    def _disturb(self, rates: Rates) -> None:
        random, messages = self._random, self.messages
        if not messages:  # it was sent to the desk, and nobody acted before the stream ends
            return
        if random.random() < rates.late_report:
            index = random.randrange(len(messages))
            sent, fact = messages[index]
            entered = sent + LATE_REPORT
            if not isinstance(fact.body, Voided):
                messages[index] = (entered, replace(fact, entered_at=entered))
                self.planted.append(Planted("late_report", fact.id, fact.revision))
        # In the order they are sent: one that changes places with the next is not sent before it took place.
        messages.sort(key=lambda message: message[0])
        if len(messages) > 1 and random.random() < rates.out_of_order:
            index = random.randrange(len(messages) - 1)
            (_, first), (other, second) = messages[index : index + 2]
            messages[index : index + 2] = [(other, second), (other + SOON, first)]
            self.planted.append(Planted("out_of_order", first.id, first.revision))
        if random.random() < rates.duplicate:
            sent, fact = random.choice(messages)
            messages.append((sent + timedelta(minutes=random.randrange(1, 3_000)), fact))
            self.planted.append(Planted("duplicate", fact.id, fact.revision))


def _action(fact: Fact) -> str:
    assert isinstance(fact.body, Acted)  # noqa: S101 - walks are made of acts
    return fact.body.action
