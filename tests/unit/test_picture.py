"""The curves of a year and their picture."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

from test_rates import due, measured, on

from workflow.figures.curves import Curve, Point, Release, curves, releases
from workflow.figures.picture import NAME_MAX, Words, picture
from workflow.figures.rates import Share

WORDS = Words("vi", "Tỷ lệ trễ <hẹn>", "đến 31/12", "mức 1 %", tuple(f"T{n}" for n in range(1, 13)), "quá ít")
SVG = "{http://www.w3.org/2000/svg}"


def curve(name: str, *late_of: tuple[int, int]) -> Curve:
    days = [date(2025, 1, 7 + 7 * place) for place in range(4)]
    return Curve(name, tuple(Point(day, *one) for day, one in zip(days, late_of, strict=False)))


def drawn(*small: Curve, large: Curve | None = None) -> ET.Element:
    return ET.fromstring(picture([large or curve("Tất cả", (1, 100), (3, 200))], small, WORDS, 2025))  # noqa: S314 - our own


def said(svg: ET.Element) -> list[str]:
    return [one.text or "" for one in svg.iter(f"{SVG}text")]


def test_each_week_tells_what_was_released_so_far() -> None:
    some = [
        Release(date(2025, 1, 3), "a", late=False),
        Release(date(2025, 1, 9), "b", late=True),
        Release(date(2025, 1, 16), "a", late=False),
    ]
    whole, a, b = curves(some, date(2025, 1, 16))

    assert whole == Curve(
        "", (Point(date(2025, 1, 7), 0, 1), Point(date(2025, 1, 14), 1, 2), Point(date(2025, 1, 16), 1, 3))
    )
    assert (a.name, a.points[-1]) == ("a", Point(date(2025, 1, 16), 0, 2))
    assert (b.name, [point.released for point in b.points]) == ("b", [1, 1])


def test_only_what_the_first_rate_divides_by_is_drawn() -> None:
    zone, since, at = (
        ZoneInfo("Asia/Ho_Chi_Minh"),
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 4, 1, tzinfo=UTC),
    )
    late = measured(released_at=on(25), benchmark=due(met_at=on(25)))
    others = [measured(benchmark=None), measured(released_at=None), measured(released_at=on(2, 4))]

    assert list(releases([late, measured(), *others], since, at, zone)) == [
        Release(date(2026, 3, 25), "a", late=True),
        Release(date(2026, 3, 18), "a", late=False),
    ]


def test_a_picture_is_sound_and_says_what_it_was_given() -> None:
    svg = drawn(curve("Chi nhánh <A>", (1, 100), (2, 250)))

    assert {"Tỷ lệ trễ <hẹn>", "mức 1 %", "Tất cả 1.50 %", "Chi nhánh <A>", "2/250 = 0.80 %", "T12"} <= set(
        said(svg)
    )
    assert len(list(svg.iter(f"{SVG}polyline"))) == 2
    assert not [one for one in svg.iter() if one.tag in (f"{SVG}script", f"{SVG}image")]


def test_a_narrow_window_shows_the_picture_whole() -> None:
    # As in a browser of 400 px: no wider than the window, in its own proportions.
    assert drawn().attrib["style"] == "max-width:100%;height:auto"


def test_a_rate_is_rounded_as_in_every_table() -> None:
    """5 of 160 are 3.125 %."""
    found = said(drawn(curve("A", (5, 160)), large=curve("B", (5, 160))))
    assert {"B 3.13 %", "5/160 = 3.13 %"} <= set(found)
    assert Share(5, 160).percent == "3.13"


def test_of_few_dossiers_the_counts_are_told_and_no_line_is_drawn() -> None:
    svg = drawn(curve("Thanh tra", (1, 20), (2, 60)))

    assert "2/60, quá ít" in said(svg)
    assert len(list(svg.iter(f"{SVG}polyline"))) == 1


def test_a_year_of_nothing_is_drawn_with_its_budget() -> None:
    svg = drawn(large=Curve("Tất cả", ()))

    assert "Tất cả: quá ít" in said(svg)
    assert [one for one in svg.iter(f"{SVG}line") if one.get("class") == "budget"]


def test_a_higher_rate_lies_higher_and_all_lie_inside() -> None:
    text = picture([curve("All", (1, 100), (40, 200), (60, 300))], [], WORDS, 2025)
    (points,) = re.findall(r'points="([^"]+)"', text)
    heights = [float(one.split(",")[1]) for one in points.split()]

    assert heights[0] > heights[1] == heights[2] > 0


def test_names_at_the_ends_do_not_overlap() -> None:
    large = [curve("one", (1, 100), (4, 200)), curve("two", (1, 100), (4, 200))]
    svg = ET.fromstring(picture(large, [], WORDS, 2025))  # noqa: S314 - our own
    ends = sorted(
        float(one.get("y", "0")) for one in svg.iter(f"{SVG}text") if (one.text or "").endswith("2.00 %")
    )

    assert ends[1] - ends[0] >= 18


def test_a_long_name_takes_two_lines() -> None:
    name = "Phòng Tài nguyên Khoáng sản, Nước, Khí tượng thủy văn và Biến đổi khí hậu"
    lines = [one for one in said(drawn(curve(name, (1, 200)))) if one.startswith(("Phòng", "Nước", "sản"))]

    assert len(lines) == 2
    assert all(len(one) <= NAME_MAX for one in lines)


def test_the_same_curves_give_the_same_bytes() -> None:
    some = [curve("a", (1, 100), (2, 200))]

    assert picture(some, some, WORDS, 2025) == picture(some, some, WORDS, 2025)
