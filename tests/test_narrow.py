"""Tables at a terminal that is too narrow for them: nothing a person reads as one or copies is torn."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from commands import Terminal
from hypothesis import given
from hypothesis import strategies as st

from workflow.cli.narrow import BETWEEN, fitted
from workflow.cli.output import Column, print_rows
from workflow.i18n import use

if TYPE_CHECKING:
    import pytest

CODE = "000.00.01.H13-261102-0000005"
ID = f"refused_event/{CODE}/one-stop/{CODE}/2/x/0"


def printed(
    monkeypatch: pytest.MonkeyPatch, width: int, columns: list[Column], *rows: list[str]
) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    use("en")
    out = Terminal()
    keyed = [{one.key: cell for one, cell in zip(columns, row, strict=True)} for row in rows]
    print_rows(keyed, columns, "table", stream=out)
    return out.lines()


def test_an_id_that_has_no_room_stands_whole_below_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = [Column("due", "Due"), Column("kind", "Alert"), Column("id", "Id", id=True)]
    row = ["2026-11-02 10:09:55", "refused event", ID]

    lines = printed(monkeypatch, 80, columns, row, row)

    assert lines.count(f"    {ID}") == 2
    assert [line for line in lines if "refused event" in line] == ["  2026-11-02 10:09:55  refused event"] * 2
    assert lines[1].split() == ["Due", "Alert"]
    assert len(lines) == 8


def test_words_codes_and_rates_are_broken_where_a_reader_expects_it(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = [Column(f"rate{n}", "Late or overdue", "right") for n in range(4)]
    rate = "129/1061 = 12.16 %"

    lines = printed(
        monkeypatch, 80, [Column("unit", "Unit"), *rates], ["environment-protection", *[rate] * 4]
    )

    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines if line.startswith("  environment-")] == ["environment-"]
    assert any(line.split() == ["protection", *["12.16", "%"] * 4] for line in lines)


def test_a_row_that_has_room_stays_on_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = [Column(f"n{n}", "Of open: released", "right") for n in range(4)]
    lines = printed(monkeypatch, 60, [Column("unit", "Unit"), *numbers], ["land-registration", *["956"] * 4])
    assert any(line.split() == ["land-registration", *["956"] * 4] for line in lines)


def test_a_table_of_too_many_columns_is_told_row_by_row_a_column_a_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    columns = [Column(f"c{n}", f"Column{n}") for n in range(12)]
    row = ["http://127.0.0.1:18099/ok", "", *["refused"] * 10]

    lines = printed(monkeypatch, 80, columns, row, row)

    assert max(map(len, lines)) <= 80
    assert lines.count("  Column0   http://127.0.0.1:18099/ok") == 2
    assert not any("Column1 " in line for line in lines)
    assert sum(line.split() == ["Column11", "refused"] for line in lines) == 2


CELLS = st.text("ab c-/9%", max_size=12).map(str.strip)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=4), st.integers(20, 60))
def test_a_shape_has_room_and_says_all_there_is(rows: list[tuple[str, str, str]], room: int) -> None:
    shape = fitted(["One", "Two", "Three"], rows, [False, True, False], [False, False, True], room)
    if shape is None:
        return
    assert sum(shape.widths) + BETWEEN * len(shape.widths) < room or not shape.columns
    for row, told, below in zip(rows, shape.rows, shape.below, strict=True):
        assert all(
            len(line) <= width
            for cell, width in zip(told, shape.widths, strict=True)
            for line in cell.split("\n")
        )
        assert sorted("".join("".join((*told, *below)).split())) == sorted("".join("".join(row).split()))
        assert not row[2] or row[2] in (*told, *below)
    assert all(one < other for one, other in pairwise(shape.columns))
