"""Text that is none, in a file of SQLite: in which column it stands, and in which row."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator

_SAID: Final = re.compile(r"Could not decode to UTF-8 column '(\w+)'")
_FILE: Final = "sqlite:///"


class Misread(NamedTuple):
    """A column that holds text in no UTF-8; `table` and `row`, its key, where they were found."""

    column: str
    table: str = "?"
    row: str = "?"


def misread(store: str, cause: BaseException) -> Misread | None:
    """What a fault of SQLite says could not be read as text; None where it says something else."""
    said = _SAID.match(str(cause))
    if said is None or not isinstance(cause, sqlite3.Error):
        return None
    column = said[1]
    try:
        uri = f"file:{quote(store.removeprefix(_FILE))}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as file:
            file.text_factory = bytes
            return next(_found(file, column), Misread(column))
    except sqlite3.Error:
        return Misread(column)


def _found(file: sqlite3.Connection, column: str) -> Iterator[Misread]:
    for (table,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        name = table.decode()
        columns = file.execute("SELECT name, pk FROM pragma_table_info(?)", (name,)).fetchall()
        if column.encode() not in [told for told, _ in columns]:
            continue
        key = [told.decode() for told, place in sorted(columns, key=lambda one: int(one[1])) if place]
        names = ", ".join(f'"{one}"' for one in (*key, column))
        for *row, value in file.execute(f'SELECT {names} FROM "{name}" WHERE typeof("{column}") = \'text\''):
            if not _is_text(value):
                yield Misread(
                    column,
                    name,
                    " ".join(one.decode() if isinstance(one, bytes) else str(one) for one in row),
                )


def _is_text(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
