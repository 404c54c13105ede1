"""Results on standard output: rows as a table, JSON, JSON lines or CSV; one value as JSON.

The same rows give the same bytes, whatever the machine's locale. Nothing is coloured unless standard output is a
terminal and NO_COLOR is not set. Data is text: no cell is taken for markup, an escape sequence or a formula.
"""

from __future__ import annotations

import csv
import re
import sys
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TextIO, TypeAlias

import click
import msgspec
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from workflow.cli.narrow import BETWEEN, fitted
from workflow.cli.vocabulary import worded
from workflow.i18n import current, filled

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from workflow.cli.narrow import Shape

Form: TypeAlias = Literal["table", "json", "jsonl", "csv"]
WIDEST: Final = 100_000
"""Columns of a table that goes to a file or a pipe: wide enough that nothing is folded."""
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""C0 and C1 controls and those that turn the direction of writing: shown, never sent to a terminal."""
_FORMULA: Final = re.compile(r"'*[=+\-@\t\r]")


class Column(NamedTuple):
    """A column of results: its key in JSON and CSV, its English title in tables, and how it stands.

    `words`: its cells hold words of ours, which tables show in the language of the command. `id`: its cells are what
    another command asks for, never broken over lines. `named`: its cells are codes, whose names the rows
    have (`workflow.cli.naming.with_names`): a table shows both where it has room; with
    `below` names else stand below it.
    """

    key: str
    title: str
    justify: Literal["left", "right"] = "left"
    words: bool = False
    id: bool = False
    named: Literal["", "beside", "below"] = ""


def print_rows(
    rows: Iterable[Mapping[str, object]],
    columns: Sequence[Column],
    form: Form,
    *,
    title: str = "",
    stream: TextIO | None = None,
) -> None:
    """Prints rows in the asked form. JSON keeps every key of a row; table and CSV the named columns.

    `title` heads a table only; it and the columns' titles are translated. A table of no rows is not printed.
    """
    out = stream or sys.stdout
    if form == "json":
        print_json(list(rows), stream=out)
    elif form == "jsonl":
        for row in rows:
            out.write(msgspec.json.encode(row).decode() + "\n")
    elif form == "csv":
        _print_csv(rows, columns, out)
    else:
        _print_table(rows, columns, title, out)


def tell_none(found: Sequence[object], form: Form, text: str) -> None:
    """Says on standard error that nothing was found, where a table would have stood."""
    if form == "table" and not found:
        click.echo(current(text), err=True)


def print_json(value: object, *, stream: TextIO | None = None) -> None:
    """Prints one value as indented JSON in UTF-8, keys in the order they stand in."""
    encoded = msgspec.json.format(msgspec.json.encode(value), indent=2)
    (stream or sys.stdout).write(encoded.decode() + "\n")


def print_json_around(name: str, rows: Iterable[object], rest: Mapping[str, object]) -> None:
    """Prints one JSON object of a list, row by row as it comes, and of what else there is to say."""
    out = sys.stdout
    out.write(f"{{\n  {msgspec.json.encode(name).decode()}: [")
    between = "\n"
    for row in rows:
        out.write(f"{between}    {msgspec.json.encode(row).decode()}")
        between = ",\n"
    out.write("\n  ]")
    for key, value in rest.items():
        out.write(f",\n  {msgspec.json.encode(key).decode()}: {msgspec.json.encode(value).decode()}")
    out.write("\n}\n")


def refusal_line(place: str, template: str, values: Mapping[str, object]) -> str:
    """One row that was not taken, with its place, which some templates name themselves."""
    said = filled(template, values)
    return said if "place" in values else f"{place}: {said}"


def csv_cell(value: object) -> object:
    """A cell no spreadsheet takes for a formula: a text that begins like one gets a leading apostrophe.

    Texts that already have such apostrophes get one more, so that taking one away gives every text back.
    """
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def visible(text: str) -> str:
    """`text` with its control characters spelled out, so that data cannot steer a terminal."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def _print_csv(rows: Iterable[Mapping[str, object]], columns: Sequence[Column], out: TextIO) -> None:
    # All texts are quoted: what else would be quoted differs between versions of Python.
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow([column.key for column in columns])
    for row in rows:
        writer.writerow([csv_cell(_plain(row.get(column.key))) for column in columns])


def _print_table(
    rows: Iterable[Mapping[str, object]], columns: Sequence[Column], title: str, out: TextIO
) -> None:
    rows = list(rows)
    if not rows:
        return
    cells = [[visible(with_name(row, column)) for column in columns] for row in rows]
    titles = [current(column.title) for column in columns]
    table = _table([(name, one.justify, None) for name, one in zip(titles, columns, strict=True)], cells)
    wide = out.isatty() and _console(out, WIDEST).measure(table).maximum > _console(out).width
    if title:  # not the table's own title, which would be folded to the width of a narrow table
        print_rich(Text(visible(current(title))), stream=out)
    if not wide:
        print_rich(table, stream=out)
        return
    cells = [[visible(_shown(row.get(column.key), column)) for column in columns] for row in rows]
    right, ids = ([one.justify == "right" for one in columns], [one.id for one in columns])
    shape = fitted(titles, cells, right, ids, _console(out).width)
    if shape is None:
        _print_records(titles, cells, out)
    else:
        _print_shape(columns, shape, out)
    _print_names(rows, columns, out)


def _print_records(titles: Sequence[str], cells: Sequence[Sequence[str]], out: TextIO) -> None:
    """Prints each row as lines of its own, a column a line, those that say nothing left out."""
    for row in cells:
        table = Table(box=None, show_header=False, padding=(0, 0, 0, BETWEEN))
        table.add_column()
        table.add_column(overflow="fold")
        for title, cell in zip(titles, row, strict=True):
            if cell:
                table.add_row(Text(title, style="bold"), Text(cell))
        out.write("\n")
        print_rich(table, stream=out)
    out.write("\n")


def _print_shape(columns: Sequence[Column], shape: Shape, out: TextIO) -> None:
    """Prints a table that fits; rows with lines below are tables of their own, as wide as all."""
    heads = [
        (title, columns[place].justify, width)
        for place, title, width in zip(shape.columns, shape.titles, shape.widths, strict=True)
    ]
    if not any(shape.below):
        print_rich(_table(heads, shape.rows), stream=out)
        return
    out.write(f"{_rendered(_table(heads, []), out).rstrip()}\n")
    for row, below in zip(shape.rows, shape.below, strict=True):
        table = _table(heads, [row])
        table.show_header, table.box, table.padding = False, None, (0, 0, 0, BETWEEN)
        print_rich(table, stream=out)
        # As one line, however long: the terminal folds what it copies whole.
        out.writelines(f"    {one}\n" for one in below if one)
    out.write("\n")


def _table(
    heads: Sequence[tuple[str, Literal["left", "right"], int | None]], cells: Sequence[Sequence[str]]
) -> Table:
    """A table of columns, each with its title, how it stands and how wide it is, where that is settled."""
    table = Table(box=box.SIMPLE_HEAD)
    for title, justify, width in heads:
        table.add_column(Text(title), justify=justify, overflow="fold", width=width)
        if width is not None:
            table.padding = (0, 0, 0, BETWEEN - 1)
    for row in cells:
        table.add_row(*map(Text, row))
    return table


def print_rich(*parts: Any, stream: TextIO | None = None) -> None:  # noqa: ANN401 - whatever rich can show
    """Prints rich text or tables: as wide as the terminal, or unfolded and uncoloured into a file or pipe."""
    out = stream or sys.stdout
    for part in parts:
        out.write(_rendered(part, out))


def print_note(text: str) -> None:
    """Prints a sentence beside a table; a terminal breaks it between words."""
    print_rich(Text(visible(text)))


def _rendered(part: Any, out: TextIO) -> str:  # noqa: ANN401 - as above
    console = _console(out)
    with console.capture() as capture:
        console.print(part)
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


def _console(out: TextIO, width: int | None = None) -> Console:
    if width is None and not out.isatty():
        width = WIDEST
    return Console(file=out, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False)


def with_name(row: Mapping[str, object], column: Column) -> str:
    """What a table shows of a row: a code that has a name stands behind it."""
    text, name = _shown(row.get(column.key), column), _name(row, column)
    return text if name is None else f"{name} ({text})"


def _name(row: Mapping[str, object], column: Column) -> object:
    return row.get(f"{column.key}_name") if column.named else None


def _print_names(rows: Sequence[Mapping[str, object]], columns: Sequence[Column], out: TextIO) -> None:
    """Prints below a table what its codes are called, each once."""
    names = {
        _shown(row.get(column.key), column): name
        for column in columns
        if column.named == "below"
        for row in rows
        if (name := _name(row, column)) is not None
    }
    for code, name in names.items():
        print_rich(Text(visible(f"{code}: {name}")), stream=out)
    if names:
        out.write("\n")


def _shown(value: object, column: Column) -> str:
    """What a person reads: yes and no are words, lists are joined by commas."""
    if isinstance(value, bool):
        return current("yes") if value else current("no")
    parts = value if isinstance(value, list | tuple) else (value,)
    text = ", ".join(str(_plain(part)) for part in parts)
    return worded(text) if column.words else text


def _plain(value: object) -> object:
    """A scalar as it stands; a time or another value as its JSON text."""
    if value is None:
        return ""
    if isinstance(value, str | int | float):
        return value
    built = msgspec.to_builtins(value)
    return built if isinstance(built, str) else msgspec.json.encode(built).decode()
