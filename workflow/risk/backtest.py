"""How well a risk table foretold: on dossiers it was not fitted to, against saying the same of every dossier."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from workflow.errors import UsageError
from workflow.risk.table import THRESHOLD_PERCENT, Backtest, Band, Fitted, Risk, fit

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from workflow.risk.stays import Course
    from workflow.risk.table import Moment, RiskTable, Stay

BANDS: Final = (1, 2, 5, 10, 20, 40, 60, 80)
"""Borders of the bands of risk, in per cent: finer where most dossiers are and the promise of 1 % is decided."""
MILLION: Final = 1_000_000
"""Risks are summed in millionths, as whole numbers: in whatever order, the sum is the same."""


def trial(
    courses: Iterable[Course],
    split: datetime,
    *,
    revision: str,
    threshold_percent: int = THRESHOLD_PERCENT,
) -> RiskTable:
    """A table fitted to the dossiers whose clocks had stopped by `split`, with its test on those received later.

    So nothing the table knows comes from the time it is tested on. Later dossiers whose clocks still run and whose date
    has not come are left out of the test. Raises UsageError where one of the two parts is
    empty.
    """
    stays: list[Stay] = []
    known: list[Moment] = []
    moments: list[Moment] = []
    stopped: list[datetime] = []
    late = tested = undecided = 0
    for one in courses:
        if one.met_at is not None and one.met_at <= split:
            stays += one.stays
            known += one.moments
            stopped.append(one.met_at)
            late += one.late
        elif one.begun_at > split:
            decided = one.met_at is not None or one.late
            tested += decided
            undecided += not decided
            moments += one.moments if decided else ()
    if not stopped or not tested:
        raise UsageError(
            "risk: expected dossiers released by {split} and others received later and decided, found {before} and "
            "{after}; split at another date, or import more first",
            split=split.isoformat(sep=" ", timespec="minutes"),
            before=len(stopped),
            after=tested,
            reason="split",
        )
    fitted = Fitted(len(stopped), late, min(stopped), max(stopped))
    table = fit(stays, known, fitted, revision=revision, threshold_percent=threshold_percent)
    return replace(table, test=replace(backtest(Risk(table), moments), undecided=undecided))


def backtest(risk: Risk, moments: Iterable[Moment]) -> Backtest:
    """What the table said of these moments, and what came."""
    counts, expected, came = [[0] * (len(BANDS) + 1) for _ in range(3)]
    squares = 0
    for one in moments:
        said = round(risk.probability(one.procedure, one.step, one.unit, one.left) * MILLION)
        band = sum(said >= border * MILLION // 100 for border in BANDS)
        counts[band] += 1
        expected[band] += said
        came[band] += one.late
        squares += (said - one.late * MILLION) ** 2
    count, late = sum(counts), sum(came)
    share = late / count if count else 0.0
    borders = pairwise((0, *BANDS, 100))
    found = zip(borders, counts, expected, came, strict=True)
    return Backtest(
        moments=count,
        late=late,
        brier=round(squares / MILLION**2 / count, 6) if count else 0.0,
        brier_base=round(share * (1 - share), 6),
        bands=tuple(
            Band(low=low, high=high, moments=moments, expected=round(said / MILLION, 2), late=late)
            for (low, high), moments, said, late in found
        ),
    )
