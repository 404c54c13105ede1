"""Files a command writes: each takes its name only once it is whole, and never that of a file the command reads."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from workflow.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO


class Output(click.Path):
    """The type of a file that is written, by which `spare_inputs` knows it."""


OUT: Final = Output(dir_okay=False, path_type=Path)
_STORE: Final = "store"
"""The option whose text may be a file, though it may also be an address."""


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a file that takes its name only once they are all there.

    Raises UsageError where it cannot be written.
    """
    part = _part(path)
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    except OSError as cause:
        raise UsageError(
            "{file}: cannot be written ({cause}); choose another place",
            file=path,
            cause=cause.strerror or cause,
            reason="unwritable",
        ) from cause
    finally:
        part.unlink(missing_ok=True)


def spare_inputs(context: click.Context) -> None:
    """Raises UsageError where a command would write over a file it reads, or two things into one file."""
    given = [(one, path) for one in context.command.params for path in _paths(one, context)]
    for place, (option, path) in enumerate(given):
        if not isinstance(option.type, Output):
            continue
        others = [one for one in given[:place] if isinstance(one[0].type, Output)]
        others += [one for one in given if not isinstance(one[0].type, Output)]
        for other, found in others:
            if _same(path, found) or _same(_part(path), found):
                raise UsageError(
                    "{option}: {file} is what {other} names too, and would be written over; choose another place",
                    option=_named(option),
                    file=path,
                    other=_named(other),
                    reason="written_over",
                )


def _paths(option: click.Parameter, context: click.Context) -> Iterator[Path]:
    value = context.params.get(option.name or "")
    values: Iterable[object] = value if isinstance(value, tuple) else (value,)
    for one in values:
        if isinstance(one, Path):
            yield one
        elif option.name == _STORE and isinstance(one, str) and "://" not in one:
            yield Path(one)


def _part(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


def _same(one: Path, other: Path) -> bool:
    """Whether two names lead to one file, through links too."""
    try:
        return one.samefile(other)
    except OSError:
        return one.absolute() == other.absolute()


def _named(option: click.Parameter) -> str:
    return option.opts[0] if isinstance(option, click.Option) else option.human_readable_name
