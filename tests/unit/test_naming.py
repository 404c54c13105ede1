"""Sums as people read them: parts of a procedure by their names, instants as they are shown elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from department import REVISIONS, local, told

from workflow.cli.naming import in_names, part_named
from workflow.cli.sums import print_sum
from workflow.i18n import use
from workflow.model import Line

if TYPE_CHECKING:
    import pytest

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
TRANSFER = REVISIONS["land-transfer/2021"]
ACTS = (
    "2025-03-03T09:00 receive",
    "2025-03-03T14:00 assign",
    "2025-03-05T10:00 request_supplement",
    "2025-04-25T10:00 receive_supplement",
)


def test_a_sum_names_pauses_and_tells_instants_without_microseconds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    judged = told("land-transfer/2021", *ACTS)
    dates = judged.rules.clock.deadlines(judged.dossier, at=local("2025-04-28T09:00"), explain=True)
    committed = next(one for one in dates if one.kind == "committed")
    print_sum(committed.sum, ZONE, TRANSFER)
    said = capsys.readouterr().out

    assert "stopped by Supplement from 2025-03-05 10:00 to end of 2025-04-04: 22 working days" in said
    assert "+07:00" not in said


def test_without_a_revision_identifiers_stay(capsys: pytest.CaptureFixture[str]) -> None:
    print_sum([Line("entering state {state}", {"state": "appraising"}, local("2025-03-03T14:00"))], ZONE)

    assert capsys.readouterr().out == "  entering state appraising  → 2025-03-03 14:00\n"


def test_names_are_those_of_the_language_and_what_has_none_stays() -> None:
    try:
        use("vi")
        found = in_names(
            {"state": "appraising", "names": "supplement, tax-notice, other", "number": 3}, TRANSFER
        )
        assert found == {
            "state": "Đang thẩm định",
            "names": "Bổ sung hồ sơ, Thông báo thuế, other",
            "number": 3,
        }
        assert part_named("approving", TRANSFER) == "Chờ duyệt"
    finally:
        use("en")
    assert part_named("one-stop", TRANSFER) == "one-stop"
