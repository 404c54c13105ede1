"""Straight-line floors: the least Python that does one fixed job, written by hand for that job alone.

A figure of the product is judged as a ratio against its floor, measured in the same run.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MOVES = {
    "start": {"Create Fine": "created"},
    "created": {"Payment": "created", "Send Fine": "sent"},
    "sent": {"Payment": "sent", "Insert Fine Notification": "notified"},
    "notified": {
        "Payment": "notified",
        "Add penalty": "notified",
        "Insert Date Appeal to Prefecture": "appealed",
        "Appeal to Judge": "judged",
        "Send for Credit Collection": "collected",
    },
    "appealed": {"Send Appeal to Prefecture": "submitted"},
    "submitted": {"Receive Result Appeal from Prefecture": "answered"},
    "answered": {"Notify Result Appeal to Offender": "notified"},
    "collected": {},
}
MOVES["judged"] = MOVES["notified"]
LIMITS = {"Send Fine": (0, 90), "Insert Date Appeal to Prefecture": (1, 60), "Appeal to Judge": (1, 60)}
ZERO = Decimal(0)


@lru_cache(maxsize=50_000)
def ordinal(text: str) -> int:
    """The day number of an ISO date."""
    return date.fromisoformat(text).toordinal()


@lru_cache(maxsize=50_000)
def money(text: str) -> Decimal:
    """An exact amount."""
    return Decimal(text)


def rows_alone(path: Path) -> tuple[int]:
    """The rows of the fines log read and counted, nothing else."""
    with gzip.open(path, "rt", newline="", encoding="utf-8") as text:
        return (sum(1 for _ in csv.reader(text)) - 1,)


def fines_floor(path: Path) -> tuple[int, int, int, Counter[str]]:
    """The fines log, file to verdicts, for this one procedure: conforming in order, in time, altogether, by rule."""
    rules: Counter[str] = Counter()
    good = [0, 0, 0]
    with gzip.open(path, "rt", newline="", encoding="utf-8") as text:
        rows = csv.reader(text)
        next(rows)
        current = ""
        case: list[list[str]] = []
        for row in rows:
            if row[1] != current:
                if case:
                    _judge(case, rules, good)
                current, case = row[1], []
            case.append(row)
        _judge(case, rules, good)
    return good[0], good[1], good[2], rules


def _judge(case: list[list[str]], rules: Counter[str], good: list[int]) -> None:
    state, created, notified = "start", 0, 0
    amount = expenses = total = ZERO
    dismissal, points = "", ""
    broken: set[str] = set()
    for row in case:
        act, day = row[2], ordinal(row[3])
        target = MOVES[state].get(act)
        if target is None:
            rules[f"order/{act}/{state}"] += 1
            rules.update(broken)
            return
        if act in LIMITS:
            since, limit = LIMITS[act]
            if day - (notified if since else created) >= limit:
                broken.add(act)
        if state == "judged" and dismissal != "NIL":
            broken.add("judged")
        if act == "Send for Credit Collection" and total >= amount + expenses:
            broken.add("collected")
        elif act == "Receive Result Appeal from Prefecture" and dismissal != "NIL":
            broken.add("answered")
        elif act == "Create Fine":
            created, points = day, row[9]
        elif act == "Insert Fine Notification":
            notified = day
        if row[5]:
            amount = money(row[5])
        if row[6]:
            expenses = money(row[6])
        if row[8]:
            total = money(row[8])
        if row[10]:
            dismissal = row[10]
        state = target
    if state in ("appealed", "answered", "start"):
        rules[f"end/{state}"] += 1
        rules.update(broken)
        return
    good[0] += 1
    if broken.isdisjoint(LIMITS):
        good[1] += 1
    broken |= _ends(state, dismissal, points, paid=total >= amount + expenses, fine_paid=total >= amount)
    if not broken:
        good[2] += 1
    rules.update(broken)


def _ends(state: str, dismissal: str, points: str, *, paid: bool, fine_paid: bool) -> set[str]:
    if state == "created" and not (dismissal != "NIL" or (points == "0" and fine_paid)):
        return {"ended created"}
    if state in ("sent", "notified") and not paid:
        return {f"ended {state}"}
    if state == "submitted" and dismissal != "G":
        return {"ended submitted"}
    if state == "judged" and dismissal not in ("#", "NIL"):
        return {"ended judged, code"}
    if state == "judged" and dismissal == "NIL" and not paid:
        return {"ended judged, unpaid"}
    return set()
