"""The closed words of our definitions and judgments in the language of tables; JSON and CSV keep them as they are."""

from __future__ import annotations

import re
from typing import Final

from workflow.i18n import current

VOCABULARY: Final = {
    "accepted": "accepted",
    "action": "action",
    "actions": "actions",
    "added": "added",
    "agency": "agency",
    "all": "all",
    "any": "any",
    "approved": "approved",
    "calendar_days": "calendar_days",
    "changed": "changed",
    "citizen": "citizen",
    "committed": "committed",
    "compact": "compact",
    "continue": "continue",
    "count": "count",
    "cut_off": "cut_off",
    "date": "date",
    "deadline": "deadline",
    "delete": "delete",
    "differs": "differs",
    "digest": "digest",
    "elapsed_hours": "elapsed_hours",
    "end": "end",
    "error": "error",
    "excluded": "excluded",
    "first": "first",
    "first_day": "first_day",
    "flag": "flag",
    "follow": "follow",
    "given_date": "given_date",
    "guard": "guard",
    "in": "in",
    "in_time": "in_time",
    "included": "included",
    "integer": "integer",
    "known": "known",
    "last": "last",
    "late": "late",
    "made": "made",
    "milestones": "milestones",
    "missing": "missing",
    "money": "money",
    "next_phase": "next_phase",
    "none": "none",
    "nothing": "nothing",
    "office": "office",
    "order": "order",
    "other": "other",
    "out": "out",
    "own": "own",
    "phase": "phase",
    "reaching": "reaching",
    "record": "record",
    "refuse": "refuse",
    "removed": "removed",
    "rest_day": "rest_day",
    "restart": "restart",
    "role": "role",
    "rolls": "rolls",
    "sample": "sample",
    "sequence": "sequence",
    "state": "state",
    "statutory": "statutory",
    "stays": "stays",
    "steps": "steps",
    "stop": "stop",
    "sum": "sum",
    "taken": "taken",
    "task": "task",
    "text": "text",
    "there": "there",
    "time": "time",
    "unit": "unit",
    "warning": "warning",
    "working_days": "working_days",
    "working_hours": "working_hours",
}
_WORD: Final = re.compile(r"[a-z]+(?:_[a-z]+)*(?![\w/.-])")


def worded(cell: str) -> str:
    """A cell made of words of ours, numbers and names: each word of ours in the language of the command."""
    return _WORD.sub(_said, cell)


def _said(found: re.Match[str]) -> str:
    word = found[0]
    return current(VOCABULARY[word]) if word in VOCABULARY else word
