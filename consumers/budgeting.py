"""The budget of lateness judged over a store: counts of its columns against what was said, in one short transaction."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from consumers.differences import begin, own_lives, tell
from workflow.alerts.life import say
from workflow.facts import Linked
from workflow.figures.budget import BANDS_MIN, budgets, standing
from workflow.organisation import head_of
from workflow.standing import stand
from workflow.store.budgets import counts
from workflow.store.looking import linked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workflow.catalogue import Catalogue
    from workflow.clocks.worktime import Worktime
    from workflow.figures.budget import Budget
    from workflow.messages import AlertSaid, Kind
    from workflow.organisation import Organisation
    from workflow.store.store import Store

BUDGET_KINDS: Final[tuple[Kind, ...]] = ("budget_at_risk", "budget_spent")
_MINUTE_US: Final = 60_000_000


def judge_budgets(store: Store, catalogue: Catalogue, *, now: datetime) -> tuple[AlertSaid, ...]:
    """Says which budgets of the year are at risk or spent at `now`, or no longer.

    The counting reads and holds nobody up. Nothing is said where no organisation or no calendar of its own is known.
    Raises CalendarRange, StoreError.
    """
    organisation = catalogue.organisation
    calendar = None if organisation is None else catalogue.calendars.get(organisation.calendar)
    if organisation is None or calendar is None:
        return ()
    work = calendar.worktime(None, now)
    local = now.astimezone(work.zone)
    found = _found(store, catalogue, work, now)
    to: dict[str, tuple[str, ...]] = {
        name: (f"{head_of(organisation, name)}@{name}",) for name in organisation.units
    }
    whole = _whole(organisation)
    to[organisation.organisation] = to.get(whole, ())
    should = standing(found, local.year, to, organisation.organisation)
    with store.writing() as writing:
        begin(writing, "budget")
        known = own_lives(writing, BUDGET_KINDS)
        return tell(writing, catalogue, say(known, should, now), now)


def _found(store: Store, catalogue: Catalogue, work: Worktime, now: datetime) -> list[Budget]:
    year = now.astimezone(work.zone).year
    since = datetime(year, 1, 1, tzinfo=work.zone)
    borders = [work.add(now, minutes * _MINUTE_US) for minutes in BANDS_MIN]
    released, waiting = counts(store, since, now, borders, list(_duplicates(store, catalogue)))
    return budgets(released, waiting, catalogue.risk)


def _duplicates(store: Store, catalogue: Catalogue) -> Iterator[str]:
    """The dossiers that say they are the duplicate of another, and were not corrected since."""
    for subject in linked(store):
        with store.reading() as reading:
            placed = stand(catalogue.orders, list(reading.facts([subject])), None, None).placed
        links = [one.fact.body for one in placed if isinstance(one.fact.body, Linked)]
        if any(link.kind == "duplicate_of" for link in links):
            yield subject


def _whole(organisation: Organisation) -> str:
    """The unit that answers for all: the first that belongs to no other."""
    return next((name for name, unit in organisation.units.items() if unit.parent is None), "")
