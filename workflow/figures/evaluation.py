"""What citizens say of how their dossiers were settled: how many of those returned were evaluated, and how well.

Decree 61/2018 art. 31 and Circular 01/2018 name nine criteria scored 0, 1 or 2. No official formula of the share
evaluated was found, nor of satisfaction; docs/evaluation.md says what is counted here. Pure; every share keeps what it
is divided by.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from msgspec import Struct

from workflow.facts import Acted, Rated
from workflow.figures.rates import NO_UNIT, Share
from workflow.messages import Alert
from workflow.organisation import parents
from workflow.procedure.language import Names
from workflow.standing import stand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from workflow.facts import Fact
    from workflow.figures.rates import Period
    from workflow.messages import Kind
    from workflow.model import Dossier
    from workflow.organisation import Organisation
    from workflow.rules import Rules
    from workflow.sources import SourceOrder

By: TypeAlias = Literal["all", "desk", "unit"]
Channel: TypeAlias = Literal["tablet", "paper", "web"]
Band: TypeAlias = Literal["excellent", "good", "fair", "weak"]

CHANNELS: Final[tuple[Channel, ...]] = ("tablet", "paper", "web")
EVALUATED: Final = ("dossier", "log")
"""The kinds of procedure whose dossiers are evaluated: not feedback, complaints, reports and obligations."""
DESKS: Final = "one-stop"
"""The kind of unit that counts as a desk."""
CRITERIA: Final = (
    *("on_time", "agency_time", "visits", "agencies", "one_stop", "publicity", "courtesy"),
    *("feedback_heard", "online"),
)
"""The nine criteria in the order of Circular 01/2018: time against the law, time of each agency, visits made, agencies
to go to, one-stop intake kept, publicity, attitude of officers, feedback taken in and explained, online service."""
SCORE_MAX: Final = 2
KIND: Final[Kind] = "evaluation_by_handler"
BASIS: Final = Names(
    vi="Nghị định 61/2018/NĐ-CP, Điều 31; Thông tư 01/2018/TT-VPCP, chương III",
    en="Decree 61/2018/NĐ-CP art. 31; Circular 01/2018/TT-VPCP chapter III",
)
BANDS: Final[tuple[tuple[int, Band], ...]] = ((15, "excellent"), (12, "good"), (9, "fair"), (0, "weak"))
"""From how many of 18 points on a rating is called so. Unverified: remembered, no text of them was seen."""


class Rating(Struct, frozen=True, omit_defaults=True):
    """The evaluation of one dossier. `handled`: who keyed the paper form also handled the dossier. `told`: how many
    evaluations of it stand; only one should, the last counts."""

    channel: Channel
    scores: dict[str, int]
    at: datetime
    keyed_by: str | None = None
    handled: bool = False
    told: int = 1

    @property
    def band(self) -> Band | None:
        """What its points are called; None where not all nine criteria were scored."""
        if any(name not in self.scores for name in CRITERIA):
            return None
        points = sum(self.scores[name] for name in CRITERIA)
        return next(band for least, band in BANDS if points >= least)


class Returned(Struct, frozen=True):
    """A dossier whose result was returned: the unit that did so and, where that is a desk, the unit it belongs to."""

    dossier: str
    at: datetime
    desk: str
    unit: str


class Evaluation(Struct):
    """What is said of a group of returned dossiers.

    `evaluated`: rated / returned. `channels`: rated through each / returned. `points`: points given / points possible
    over all scores given. `content`: ratings without a 0 / ratings. `criteria`: points given / possible of each, in the
    order of the nine, further ones after them. `bands`: ratings of all nine criteria by their name. `by_handler`: paper
    forms keyed by somebody who handled the dossier / paper forms.
    """

    group: str
    evaluated: Share
    channels: dict[str, Share]
    points: Share
    content: Share
    criteria: dict[str, Share]
    bands: dict[str, int]
    by_handler: Share


def rating(
    sources: Mapping[str, SourceOrder],
    facts: Iterable[Fact],
    *,
    known_at: datetime | None = None,
    valid_at: datetime | None = None,
) -> Rating | None:
    """The evaluation that counts among a dossier's facts at the two times; None where none stands."""
    placed = stand(sources, facts, known_at, valid_at).placed
    found = [one for one in placed if isinstance(one.fact.body, Rated)]
    if not found:
        return None
    body = found[-1].fact.body
    assert isinstance(body, Rated)  # noqa: S101 - just asked
    acted = {
        one.fact.body.actor.id for one in placed if isinstance(one.fact.body, Acted) and one.fact.body.actor
    }
    handled = body.channel == "paper" and body.keyed_by in acted
    return Rating(body.channel, body.scores, found[-1].at, body.keyed_by, handled, len(found))


def returned(
    rules: Rules, dossier: Dossier, organisation: Organisation | None, at: datetime
) -> Returned | None:
    """The return of a judged dossier by `at`; None where it was not returned, or is feedback or an obligation.

    `rules`: any revision of its procedure. Its desk is the unit that returned it where that is one, else none.
    """
    revision = rules.family[dossier.revision].revision
    ended_at = dossier.ended_at
    if ended_at is None or ended_at > at or dossier.ended_by != "returned" or revision.kind not in EVALUATED:
        return None
    unit = dossier.unit or NO_UNIT
    known = organisation.units.get(unit) if organisation is not None else None
    if organisation is None or known is None or known.kind != DESKS:
        return Returned(dossier.subject, ended_at, NO_UNIT, unit)
    return Returned(dossier.subject, ended_at, unit, next(iter(parents(organisation, unit)), unit))


def keyed_by_handler(dossier: str, given: Rating, organisation: Organisation | None) -> Alert:
    """The alert about a paper form keyed by somebody who handled the dossier; it goes to the head of the whole.

    Its subject is who keyed it, so that the forms of one person are seen together.
    """
    units = {} if organisation is None else organisation.units
    heads = [f"{unit.head}@{name}" for name, unit in units.items() if unit.parent is None]
    return Alert(
        id=f"{KIND}/{given.keyed_by}/{dossier}",
        kind=KIND,
        topic="alerts.conformance",
        subject=given.keyed_by or "",
        rule=dossier,
        due_at=given.at,
        officer=given.keyed_by,
        to=tuple(heads),
        basis=BASIS.en,
        basis_vi=BASIS.vi,
    )


def evaluate(
    found: Iterable[Returned], ratings: Mapping[str, Rating], period: Period, by: By = "all"
) -> list[Evaluation]:
    """The evaluation of each group of dossiers returned in the period, groups by their names."""
    groups: dict[str, Evaluation] = {}
    for one in found:
        if period.since <= one.at < period.until:
            name = _GROUPS[by](one)
            _count(groups.setdefault(name, _nothing(name)), ratings.get(one.dossier))
    return [groups[name] for name in sorted(groups)]


_GROUPS: Final[Mapping[By, Callable[[Returned], str]]] = {
    "all": lambda _one: "",
    "desk": lambda one: one.desk,
    "unit": lambda one: one.unit,
}


def _nothing(group: str) -> Evaluation:
    return Evaluation(
        group,
        Share(),
        {channel: Share() for channel in CHANNELS},
        Share(),
        Share(),
        {name: Share() for name in CRITERIA},
        {band: 0 for _, band in BANDS},
        Share(),
    )


def _count(into: Evaluation, given: Rating | None) -> None:
    into.evaluated.count(given is not None)
    for channel, share in into.channels.items():
        share.count(given is not None and given.channel == channel)
    if given is None:
        return
    for name, score in sorted(given.scores.items()):
        for share in (into.points, into.criteria.setdefault(name, Share())):
            share.numerator += score
            share.denominator += SCORE_MAX
    if given.scores:
        into.content.count(0 not in given.scores.values())
    if given.channel == "paper":
        into.by_handler.count(given.handled)
    if given.band is not None:
        into.bands[given.band] += 1
