"""What a guard asks, in words for people: with the names of states and actions, in either language.

Verdicts and JSON spell a predicate the same in every language (`workflow.guards.spelled`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workflow.procedure.describe import name_of
from workflow.procedure.language import Counting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from workflow.procedure.describe import Language, Translate
    from workflow.procedure.language import Action, Predicate, Revision, State, Value, Within

COMPARISONS: Final = {
    "equals": "{one} is {other}",
    "at_least": "{one} is at least {other}",
    "at_most": "{one} is at most {other}",
    "less_than": "{one} is less than {other}",
}
NAMED_PARTS: Final = {
    "role": "whoever acts is {names}",
    "four_eyes": "{names} are done by different persons",
    "documents": "the documents {names} are there",
    "after_state": "it was in {names} before",
    "before_state": "it was never in {names} before",
}
LATEST_BY: Final = {
    "working_hours": "at most {number} working hours after the {which} {action}",
    "working_days": "at most {number} working days after the {which} {action}",
    "calendar_days": "at most {number} days after the {which} {action}",
    "elapsed_hours": "at most {number} hours after the {which} {action}",
    "given_date": "at most {number} after the {which} {action}",
}
WHICH: Final = {"first": "first", "last": "last"}


def asked_in_words(predicate: Predicate, revision: Revision, language: Language, translate: Translate) -> str:
    """What a predicate asks, in one line; empty where it says nothing, which the checks refuse."""
    return _Words(revision, language, translate).of(predicate)


class _Words:
    def __init__(self, revision: Revision, language: Language, translate: Translate) -> None:
        self._revision, self._language, self._translate = revision, language, translate

    def of(self, predicate: Predicate) -> str:
        """The words of a predicate and of those it is combined of."""
        translate = self._translate
        if predicate.all is not None:
            return self._joined(translate("and"), predicate.all)
        if predicate.any is not None:
            return self._joined(translate("or"), predicate.any)
        if predicate.negated is not None:
            return translate("not: {asked}").format(asked=self._inner(predicate.negated))
        return self._compared(predicate) or self._listed(predicate) or self._single(predicate)

    def _joined(self, word: str, parts: Iterable[Predicate]) -> str:
        return f" {word} ".join(map(self._inner, parts))

    def _inner(self, part: Predicate) -> str:
        """A part, in brackets where it is combined itself."""
        return f"({self.of(part)})" if part.all or part.any or part.negated else self.of(part)

    def _compared(self, predicate: Predicate) -> str:
        translate = self._translate
        for name in COMPARISONS:
            pair: tuple[Value, Value] | None = getattr(predicate, name)
            if pair is not None:
                one, other = map(self._value, pair)
                return translate(COMPARISONS[name]).format(one=one, other=other)
        return ""

    def _listed(self, predicate: Predicate) -> str:
        translate = self._translate
        sections: dict[str, Mapping[str, State | Action]] = {
            "four_eyes": self._revision.actions,
            "after_state": self._revision.states,
            "before_state": self._revision.states,
        }
        for name in NAMED_PARTS:
            words: tuple[str, ...] | None = getattr(predicate, name)
            if words is not None:
                named = [self._named(one, sections.get(name, {})) for one in words]
                either = name not in ("four_eyes", "documents")
                return translate(NAMED_PARTS[name]).format(names=self._several(named, either=either))
        return ""

    def _single(self, predicate: Predicate) -> str:
        translate = self._translate
        if predicate.present is not None:
            return translate("{value} is known").format(value=self._value(predicate.present))
        if one_of := predicate.one_of:
            values = self._several([f"“{value}”" for value in one_of.values], either=True)
            return translate("{one} is {other}").format(one=self._value(one_of.value), other=values)
        if times := predicate.times:
            action = self._named(times.action, self._revision.actions)
            if times.fewer_than == 1:
                return translate("{action} never took place before").format(action=action)
            said = translate("{action} took place fewer than {number} times before")
            return said.format(action=action, number=times.fewer_than)
        if within := predicate.within:
            return self._within(within)
        if predicate.limit_passed is not None:
            limit = self._revision.limits.get(predicate.limit_passed)
            name = name_of(limit.name if limit else None, predicate.limit_passed, self._language)
            return translate("the limit {limit} has passed").format(limit=name)
        return ""

    def _within(self, within: Within) -> str:
        translate, by = self._translate, within.counts
        counting = by if isinstance(by, Counting) else self._revision.counting.get(by)
        return translate(LATEST_BY[counting.unit if counting else "given_date"]).format(
            number=within.number,
            which=translate(WHICH[within.which]),
            action=self._named(within.after, self._revision.actions),
        )

    def _several(self, names: list[str], *, either: bool) -> str:
        translate = self._translate
        word = translate("or") if either else translate("and")
        return f" {word} ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)

    def _named(self, identifier: str, section: Mapping[str, State | Action]) -> str:
        part = section.get(identifier)
        return identifier if part is None else f"“{name_of(part.name, identifier, self._language)}”"

    def _value(self, value: Value) -> str:
        if isinstance(value, str):
            return f"“{value}”"
        if value.sum is not None:
            return value.sum if isinstance(value.sum, str) else " + ".join(value.sum)
        if value.register is not None:
            return value.register
        translate = self._translate
        return translate("{value} of the event").format(value=value.data)
