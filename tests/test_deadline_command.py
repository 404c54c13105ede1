"""`dunghen deadline` told of a result: each date is judged at its own stop of the clock."""

from __future__ import annotations

from typing import Any, Final

import pytest
from commands import said
from places import ROOT

TRANSFER: Final = ROOT / "processes" / "can-tho" / "land" / "land-transfer.yaml"
SLIP: Final = ("--received", "2025-03-03", "--appointment", "2025-03-14")
ISSUED: Final = ("--issued", "2025-03-10T10:00")
"""By the slip the closing time of the 14th, 17:00, by the approved limit that of the 17th."""


def dates(*given: str) -> dict[str, Any]:
    """Each deadline by its rule, of several kinds the last."""
    return {one["rule"]: one for one in said("deadline", TRANSFER, *SLIP, *given)}


def test_the_issue_meets_the_committed_date_and_leaves_the_appointment_open() -> None:
    found = dates(*ISSUED, "--at", "2025-03-17T08:00")
    assert (found["committed"]["met_at"], found["committed"].get("late", False)) == (
        "2025-03-10T03:00:00Z",
        False,
    )
    assert "met_at" not in found["appointment"]
    assert found["appointment"]["late"]


@pytest.mark.parametrize(("ready", "late"), [("2025-03-14T16:00", False), ("2025-03-14T17:01", True)])
def test_the_appointment_is_judged_when_the_result_is_ready(ready: str, *, late: bool) -> None:
    found = dates(*ISSUED, "--ready", ready)
    assert found["committed"]["met_at"] == "2025-03-10T03:00:00Z"
    assert found["appointment"]["met_at"] == f"2025-03-14T{int(ready[11:13]) - 7:02}:{ready[14:]}:00Z"
    assert found["appointment"].get("late", False) is late


def test_a_result_told_needs_no_moment_beside_it_and_what_it_made_needless_is_asked_no_more() -> None:
    assert "apology-notice" in dates(*ISSUED)
    assert {one["met_at"] for one in dates(*ISSUED, "--ready", "2025-03-14T16:00").values()} == {
        "2025-03-10T03:00:00Z",
        "2025-03-14T09:00:00Z",
    }
