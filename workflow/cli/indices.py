"""The published indices as `dunghen rates --index 766` shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workflow.cli.output import Column, print_rows
from workflow.figures.indices import indices
from workflow.i18n import current

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from workflow.cli.output import Form
    from workflow.figures.indices import Index
    from workflow.figures.rates import Measure, Period

COLUMNS: Final = (
    Column("number", "Index"),
    Column("name", "Name"),
    Column("value", "Value", "right"),
    Column("score", "Points", "right"),
    Column("rule", "Rule"),
    Column("source", "Source"),
    Column("lacks", "What it lacks"),
)

INDEX_NAMES: Final = {
    "1.4": "Dossiers synchronised with the portal",
    "2.1": "Dossiers on time",
    "2.2": "Mean time of processing, days",
    "5.2": "Petitions answered on time",
    "5.3": "Satisfaction with answers to petitions",
    "5.4": "Satisfaction with settlement",
    "publicity": "Score of publicity, of 18",
    "online": "Score of online services, of 12",
    "payment": "Score of online payment, of 10",
    "digitised": "Score of digitisation, of 22",
    "satisfaction": "Score of satisfaction, of 18",
    "PAR": "Criterion of timely return",
    "SIPAS": "Satisfaction of citizens",
}
INDEX_RULES: Final = {
    "1.4": "Dossiers the portal holds, of all received",
    "2.1": "On time or in hand and not past the first date printed, of all received or in hand; supplements are taken "
    "off; 20 points times the share",
    "2.2": "From receipt to the result, in days of 24 hours, of dossiers issued or ended in the period",
    "5.2": "Feedback dossiers past neither their date nor the portal's marks of 2, 5, 15 and 2 working days, of all "
    "received or in hand",
    "5.3": "Petitions less those answered late or to the discontent of who asked, of all",
    "5.4": "100 % less the late rate and the share with a complaint or dislike; full marks from 90 %",
    "publicity": "Procedures published in full and on time",
    "online": "Services offered and used online",
    "payment": "Fees paid online, of those due",
    "digitised": "Papers and results digitised and used again",
    "satisfaction": "Made of 5.2, 5.3 and 5.4",
    "PAR": "Share of dossiers released on time by their headline date, scored by bands such as 95 to 100 %",
    "SIPAS": "Index of a survey, Decision 2640/QĐ-BNV of 2017",
}
DECISION_766: Final = "Decision 766/QĐ-TTg of 23 June 2022"
REFORM_PLAN: Final = (
    "Reform plan of the department, 20 May 2021: PAR index 77.62 %, satisfaction 81.40 % in 2020"
)
INDEX_LACKS: Final = {
    "1.4": "What reached the portal is known to the portal alone",
    "2.1": "The portal sees what was sent to it, and waits only where they were sent",
    "2.2": "Whether waits are taken off is not published; they are not",
    "5.2": "How the portal weighs its marks is not published: one missed counts as late",
    "5.3": "No source tells whether who asked was content with the answer",
    "5.4": "Complaints are not tied to dossiers; late rate and evaluations stand in dunghen rates and evaluation",
    "publicity": "What is published is told by no event",
    "online": "Its formula was not found; the share filed online stands in dunghen obligations shares",
    "payment": "No source tells how a fee was paid",
    "digitised": "No source tells which papers were digitised",
    "satisfaction": "5.3 and 5.4 cannot be computed, nor is known how the three weigh",
    "PAR": "The borders of its bands are not verified, so it has no points",
    "SIPAS": "It is a yearly survey, not made of dossiers; what citizens rated stands in dunghen evaluation",
}


def show_indices(measures: Iterable[Measure], period: Period, now: datetime, output: Form) -> None:
    """Prints the indices of a period."""
    found = indices(measures, period, now)
    rows = [_described(one) for one in found]
    if output == "table":
        shown = ({**row, "value": row["value"] or current("not computed")} for row in rows)
        print_rows(shown, COLUMNS, "table", title=str(period.name))
    else:
        print_rows([{**row, "period": period.name} for row in rows], COLUMNS, output)


def _described(one: Index) -> dict[str, object]:
    return {
        "number": one.number,
        "name": current(INDEX_NAMES[one.number]),
        "value": _value(one),
        "score": one.score,
        "rule": current(INDEX_RULES[one.number]),
        "source": current(REFORM_PLAN) if one.number in ("PAR", "SIPAS") else current(DECISION_766),
        "lacks": current(INDEX_LACKS[one.number]),
    }


def _value(one: Index) -> str | None:
    if one.days is not None:
        return one.days
    if one.value is None:
        return None
    share = one.value
    counted = f"{share.numerator}/{share.denominator}"
    return counted if share.percent is None else f"{counted} = {share.percent} %"
