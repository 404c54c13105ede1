"""Dead letters as they are looked at, taken again, or left lying. A row is never removed before its time is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from workflow.kept import english
from workflow.store.rows import DeadLetter, to_us

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from workflow.store.store import Reading, Writing

PAGE: Final = 100
"""Letters held in memory at once, each at most as large as a message may be."""
CONFLICT: Final = "id_conflict"
_LYING: Final = f"SELECT detail, value FROM dead_letters WHERE reason = '{CONFLICT}' AND {{detail}}"
"""With the reason in the words of the index that serves it."""
_COLUMNS: Final = f"seq, {', '.join(DeadLetter._fields)}, redriven_at"

_BURY: Final = (
    f"INSERT INTO dead_letters ({', '.join(DeadLetter._fields)}, withheld)"
    " SELECT %s, %s, %s, %s, %s, %s, %s, %s, %s"
    " WHERE NOT EXISTS (SELECT 1 FROM dead_letters WHERE place = %s AND value = %s)"
)


class Kept(NamedTuple):
    """A dead letter with its number, and when it was taken after all, in microseconds."""

    number: int
    letter: DeadLetter
    redriven_at: int | None


def bury(writing: Writing, found: Iterable[DeadLetter]) -> list[DeadLetter]:
    """Keeps messages that could not be taken; which of them were new.

    A stream that is read again brings the same bytes from the same place: they lie there already. A conflict tells its
    own source and id, so from whatever place it comes again, it is the same.
    """
    letters = list(found)
    disputed = {one.detail for one in letters if one.reason == CONFLICT}
    # Older rows hold the English itself.
    disputed |= {english(one) for one in disputed}
    lying = _conflicts(writing, disputed) if disputed else set()
    new: list[DeadLetter] = []
    for one in letters:
        if one.reason == CONFLICT:
            said = english(one.detail), one.value
            if said in lying:
                continue
            lying.add(said)
        if writing.run(_BURY, (*one, writing.shadow, one.place, one.value)) == 1:
            writing.buried(one)
            new.append(one)
    return new


def _conflicts(reading: Reading, details: Iterable[str]) -> set[tuple[str, bytes]]:
    rows = reading.rows(_LYING, detail=details)
    return {(english(detail), bytes(value)) for detail, value in rows}


def letter(reading: Reading, number: int) -> Kept | None:
    """The letter of that number; None where there is none."""
    found = reading.rows(f"SELECT {_COLUMNS} FROM dead_letters WHERE seq = %s", (number,))
    return _kept(found[0]) if found else None


def letters(reading: Reading, after: int, *, reason: str | None = None, taken: bool = False) -> list[Kept]:
    """The next letters of higher numbers, at most PAGE: those that wait, and with `taken` the others too."""
    where, values = "", (after,)
    if not taken:
        where = " AND redriven_at IS NULL"
    asked: tuple[object, ...] = values
    if reason is not None:
        where, asked = f"{where} AND reason = %s", (*values, reason)
    statement = f"SELECT {_COLUMNS} FROM dead_letters WHERE seq > %s{where} ORDER BY seq LIMIT {PAGE}"
    return [_kept(row) for row in reading.rows(statement, asked)]


def take_again(writing: Writing, number: int, at_us: int) -> bool:
    """Marks a letter as taken, in the transaction that takes it; False where another was first, or it is gone."""
    statement = "UPDATE dead_letters SET redriven_at = %s WHERE seq = %s AND redriven_at IS NULL"
    done = writing.run(statement, (at_us, number)) == 1
    if done:
        _note(writing, number, at_us)
    return done


def stay(writing: Writing, number: int, reason: str, detail: str) -> None:
    """Leaves a letter lying, with the reason for which it cannot be taken today."""
    statement = "UPDATE dead_letters SET redriven_at = NULL, reason = %s, detail = %s WHERE seq = %s"
    writing.run(statement, (reason, detail.replace("\0", "\\0"), number))
    _note(writing, number, None)


def expire(writing: Writing, by: datetime) -> int:
    """Removes dead letters whose time is over; how many there were."""
    return writing.run("DELETE FROM dead_letters WHERE expires_at <= %s", (to_us(by),))


def _note(writing: Writing, number: int, at_us: int | None) -> None:
    found = letter(writing, number)
    if found is not None:
        writing.retaken(found.letter, at_us)


def _kept(row: tuple[object, ...]) -> Kept:
    number, *columns, redriven_at = row
    found = DeadLetter._make(columns)
    whole = found._replace(
        key=None if found.key is None else bytes(found.key),
        value=bytes(found.value),
        headers=bytes(found.headers),
    )
    return Kept(number, whole, redriven_at)  # type: ignore[arg-type] # columns of the table
