"""Index 2.1 of Decision 766/QĐ-TTg, case by case."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from department import local, told

from workflow.figures.indices import indices
from workflow.figures.portal import PortalDates, portal_dates
from workflow.figures.rates import Period, Share, measure


def day(number: int, hour: int = 9) -> datetime:
    return datetime(2025, 3, number, hour, tzinfo=UTC)


ASKED, DONE = (day(5), None), (day(5), day(9))
AGAIN, AGAIN_DONE = (day(10), None), (day(10), day(11))


@pytest.mark.parametrize(
    ("ended_at", "supplements", "on_time", "why"),
    [
        (day(20), (), True, "at the date itself"),
        (day(20, 10), (), False, "an hour later"),
        (None, (), False, "not ended, and asked about on the 25th"),
        (day(23), (DONE,), True, "four days of waiting are taken off"),
        (day(25), (DONE,), False, "four are not five"),
        (None, (ASKED,), True, "the one request, still open, is the end"),
        (None, (DONE, AGAIN), False, "a second request, still open, is late"),
        (day(25), (DONE, AGAIN_DONE), True, "both waits are taken off"),
        (day(19), (DONE, AGAIN), True, "another end is known"),
    ],
)
def test_the_portal_counts_by_its_own_rule(
    ended_at: datetime | None,
    supplements: tuple[tuple[datetime, datetime | None], ...],
    on_time: object,
    why: str,
) -> None:
    found = PortalDates(day(20), ended_at, supplements)

    assert found.on_time(day(25)) is on_time, why


def test_what_comes_later_is_not_known_yet() -> None:
    found = PortalDates(day(20), day(21), ((day(22), None),))

    assert found.on_time(day(19))
    assert not found.on_time(day(21))


def test_without_any_date_nothing_says_it_is_late() -> None:
    assert PortalDates(None, day(28)).on_time(day(30))


def test_waits_that_moved_the_statutory_date_are_not_taken_off_again() -> None:
    assert not PortalDates(day(20), day(23), (DONE,), moved=True).on_time(day(25))


def test_only_requests_to_supplement_are_the_portals_waits() -> None:
    """A land transfer waits for its supplement and then for its payment."""
    judged = told(
        "land-transfer/2021",
        "2025-03-03T08:00 submit",
        "2025-03-03T09:00 receive",
        "2025-03-04T09:00 assign",
        "2025-03-05T09:00 request_supplement doc:form-02",
        "2025-03-06T09:00 receive_supplement",
    )
    found = portal_dates(judged.rules, judged.dossier, day(10))

    assert [one[0] for one in found.supplements] == [datetime(2025, 3, 5, 2, tzinfo=UTC)]
    assert found.moved


def test_a_long_wait_does_not_shorten_the_next_one() -> None:
    """Ended on the 25th less ten days and two: the 13th."""
    waits = ((day(3), day(13)), (day(17), day(19)))

    assert PortalDates(day(13), day(25), waits).on_time(day(31))
    assert not PortalDates(day(13), day(25, 10), waits).on_time(day(31))


@pytest.mark.parametrize(
    ("received", "answered", "published", "kept"),
    [
        ("2025-03-05T09:00", "2025-03-14T09:00", "2025-03-18T16:00", True),
        ("2025-03-07T09:00", "2025-03-14T09:00", "2025-03-18T16:00", False),
        ("2025-03-05T09:00", "2025-03-26T17:01", "2025-03-27T09:00", False),
        ("2025-03-05T09:00", "2025-03-14T09:00", "2025-03-19T09:00", False),
        ("2025-03-05T09:00", "2025-03-14T09:00", None, False),
    ],
)
def test_petitions_are_held_to_the_portals_marks(
    received: str, answered: str, published: str | None, kept: object
) -> None:
    """Filed on Monday the 3rd: received within two working days, answered within fifteen of that, published within two
    more."""
    judged = told(
        "regulation-feedback/2021",
        "2025-03-03T08:00 submit submitted:2025-03-03T08:00",
        f"{received} receive",
        f"{received} assign",
        f"{answered} submit_for_approval",
        f"{answered} issue",
        *([] if published is None else [f"{published} return_result"]),
    )
    one = measure(judged.rules, judged.dossier, local("2025-03-31T09:00"))
    year = Period("2025", local("2025-01-01T00:00"), local("2026-01-01T00:00"))
    found = {each.number: each for each in indices([one], year, local("2025-03-31T09:00"))}

    assert found["5.2"].value == Share(int(bool(kept)), 1)
