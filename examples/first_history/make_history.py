"""A small history of dossiers at a one-stop desk, made up with a seed: the same seed gives the same file.

Most dossiers go well. Five are made to show something, and their codes say which (see `STORIES`).
"""

from __future__ import annotations

import csv
import random
import sys
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Final, NamedTuple

SEED: Final = 2026
DAY: Final = date(2026, 3, 2)
"""All are received on one Monday, the day in their codes. No public holiday lies in the weeks after it."""
DOSSIERS: Final = 40
STORIES: Final = {
    "H13.09-260302-0007": "late",
    "H13.09-260302-0013": "paused",
    "H13.09-260302-0021": "refused",
    "H13.09-260302-0027": "left_lying",
    "H13.09-260302-0034": "four_eyes",
}
COLUMNS: Final = (
    *("code", "number", "action", "at", "entered", "officer", "role", "unit"),
    *("documents", "appointment", "tax_due", "tax_paid"),
)
OPENING, NOON, AFTERNOON, CLOSING = time(7, 30), time(11, 30), time(13), time(17)
LIMIT: Final = 10
"""Working days of the procedure's committed limit, printed on the slip."""
SUPPLEMENTED: Final = 0.15
TAXED: Final = 0.5
"""Shares of the ordinary dossiers that are supplemented, and that wait for a tax."""
SATURDAY: Final = 5


class Step(NamedTuple):
    """One action: who does it in which role, after how many working hours at least and at most."""

    action: str
    officer: str
    role: str
    hours: tuple[float, float]


BEGINNING: Final = (
    Step("receive", "nv-lan", "one-stop", (0, 0)),
    Step("hand-over", "nv-lan", "one-stop", (0.5, 3)),
    Step("assign", "tp-hung", "head", (0.5, 5)),
)
TAX: Final = (
    Step("notify-tax", "cb-minh", "officer", (3, 8)),
    Step("tax-paid", "nv-lan", "one-stop", (10, 40)),
)
SUPPLEMENT: Final = (
    Step("ask-supplement", "cb-minh", "officer", (2, 8)),
    Step("supplement", "nv-lan", "one-stop", (16, 48)),
)
DECISION: Final = (
    Step("appraise", "cb-minh", "officer", (4, 12)),
    Step("approve", "tp-hung", "head", (1, 5)),
    Step("sign", "gd-thu", "director", (1, 5)),
    Step("issue", "vt-hoa", "clerk", (0.5, 3)),
    Step("arrive", "nv-lan", "one-stop", (0.5, 4)),
    Step("return", "nv-lan", "one-stop", (1, 24)),
)


def main(target: Path) -> None:
    """Writes the history to `target`, the rows of a dossier together."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        chance = random.Random(SEED)
        for number in range(1, DOSSIERS + 1):
            code = f"H13.09-260302-{number:04}"
            writer.writerows(dossier(chance, code, STORIES.get(code, "")))


def dossier(chance: random.Random, code: str, story: str) -> list[dict[str, str]]:
    """The rows of one dossier, in the order in which they took place."""
    received = forward(datetime.combine(DAY, OPENING), chance.uniform(0, 7.5))
    rows: list[dict[str, str]] = []
    at = received
    for step in steps(chance, story):
        at = forward(at, chance.uniform(*step.hours))
        entered = forward(at, chance.uniform(0, 0.5))
        rows.append(row(code, len(rows) + 1, step, at, entered) | extras(chance, step, received, rows))
    return rows


def steps(chance: random.Random, story: str) -> list[Step]:
    """What happens to one dossier: the regular way, with pauses, or the way its story tells."""
    found = [*BEGINNING]
    found += SUPPLEMENT if story == "paused" or (not story and chance.random() < SUPPLEMENTED) else ()
    found += TAX if not story and chance.random() < TAXED else ()
    found += DECISION
    if story == "late":
        found[3] = found[3]._replace(hours=(90, 96))
    if story == "paused":
        found[4] = found[4]._replace(hours=(80, 88))
    if story == "refused":
        sign = next(step for step in DECISION if step.action == "sign")
        found.insert(3, sign._replace(hours=(1, 2)))
    if story == "four_eyes":
        found[4] = found[4]._replace(officer="cb-minh", role="deputy")
    return found[: len(BEGINNING)] if story == "left_lying" else found


def row(code: str, number: int, step: Step, at: datetime, entered: datetime) -> dict[str, str]:
    """The cells every row has."""
    return {
        "code": code,
        "number": str(number),
        "action": step.action,
        "at": f"{at:%d/%m/%Y %H:%M}",
        "entered": f"{max(at, entered):%d/%m/%Y %H:%M}",
        "officer": step.officer,
        "role": step.role,
        "unit": "branch-09",
    }


def extras(
    chance: random.Random, step: Step, received: datetime, earlier: list[dict[str, str]]
) -> dict[str, str]:
    """What only some actions bring: the slip, the documents of a pause, the tax."""
    if step.action == "receive":
        return {"appointment": f"{working_day(received.date(), LIMIT):%d/%m/%Y}"}
    if step.action == "ask-supplement":
        return {"documents": "supplement-slip"}
    if step.action == "notify-tax":
        return {"documents": "tax-notice", "tax_due": str(chance.randrange(2, 60) * 250_000)}
    if step.action == "tax-paid":
        return {"tax_paid": next(row["tax_due"] for row in reversed(earlier) if row.get("tax_due"))}
    return {}


def forward(at: datetime, hours: float) -> datetime:
    """`at` plus working hours, Mondays to Fridays, to the minute."""
    left = timedelta(minutes=round(hours * 60))
    while True:
        for begins, ends in ((OPENING, NOON), (AFTERNOON, CLOSING)):
            start = max(at, datetime.combine(at.date(), begins))
            room = datetime.combine(at.date(), ends) - start
            if left <= room:
                return start + left
            left -= max(room, timedelta())
        at = datetime.combine(working_day(at.date(), 1), OPENING)


def working_day(start: date, number: int) -> date:
    """The `number`-th day from Monday to Friday after `start`."""
    day = start
    while number:
        day += timedelta(days=1)
        number -= day.weekday() < SATURDAY
    return day


if __name__ == "__main__":
    main(Path(sys.argv[1]))
