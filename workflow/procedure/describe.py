"""Parts of a procedure in words, for tables, diagrams and differences.

Texts are English templates; `translate` turns each into the language asked for. Names stand in the revision in
both languages; where one is missing its id is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from workflow.guards import spelled
from workflow.procedure.language import Cap, Choice, Counting, Names, Unit

if TYPE_CHECKING:
    from collections.abc import Callable

    from workflow.procedure.language import Limit, Milestone, Predicate, Revision, Wording

    Translate: TypeAlias = Callable[[str], str]

Language: TypeAlias = Literal["vi", "en"]

UNITS: Final[dict[Unit, str]] = {
    "working_hours": "{number} working hours",
    "working_days": "{number} working days",
    "calendar_days": "{number} days",
    "elapsed_hours": "{number} hours",
    "given_date": "until {number}",
}
ONE: Final[dict[Unit, str]] = {
    "working_hours": "1 working hour",
    "working_days": "1 working day",
    "calendar_days": "1 day",
    "elapsed_hours": "1 hour",
}
MILESTONES: Final[dict[Milestone, str]] = {
    "received": "clock starts",
    "paused": "clock paused",
    "resumed": "clock resumed",
    "extended": "limit extended",
    "issued": "result issued",
    "ready": "ready to collect",
    "returned": "result returned",
    "rejected": "rejected",
    "withdrawn": "withdrawn",
    "stopped": "stopped",
}


def name_of(names: Names | None, otherwise: str, language: Language) -> str:
    """The name in one language; the id where the revision gives none."""
    return otherwise if names is None else getattr(names, language)


def text_of(text: Wording | None, language: Language) -> str | None:
    """A text in one language; as it stands where the definition says it once, None where it says none."""
    return name_of(text, "", language) if isinstance(text, Names) else text


def limit_text(revision: Revision, limit: Limit | Cap, translate: Translate) -> str:
    """A limit in few words: its number or register and its unit, `I: 45, II: 30` where a register chooses."""
    counting = limit.counts if isinstance(limit.counts, Counting) else revision.counting.get(limit.counts)
    template = translate(UNITS[counting.unit]) if counting else "{number}"
    if counting and limit.within == 1 and counting.unit in ONE:
        return translate(ONE[counting.unit])
    if isinstance(limit.within, Choice):
        choice = [f"{value}: {number}" for value, number in limit.within.values.items()]
        if limit.within.otherwise is not None:
            choice.append(f"{translate('else')}: {limit.within.otherwise}")
        return template.format(number=f"{limit.within.register} ({', '.join(choice)})")
    until = None if isinstance(limit, Cap) else limit.until
    return template.format(number=until if limit.within is None else limit.within)


def asked_text(predicate: Predicate) -> str:
    """A predicate in one line, as verdicts spell it; `?` where it says nothing, which the checks refuse."""
    try:
        return spelled(predicate)
    except ValueError:
        return "?"
