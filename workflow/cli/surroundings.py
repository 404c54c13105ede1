"""What stands around the procedures that are checked: the ledger of approvals and the calendars of their folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from workflow.cli.inputs import all_calendars
from workflow.clocks.calendar import read_calendar
from workflow.errors import DefinitionError, UnknownZone
from workflow.procedure.ledger import NAME, by_revision, read_ledger

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from workflow.errors import DunghenError
    from workflow.procedure.ledger import Listed


class Zones(NamedTuple):
    """The zone of each calendar by its name, and what is wrong with those that cannot be read, each with its place."""

    known: dict[str, str]
    faults: list[tuple[str, DunghenError]]


def ledger_around(files: Iterable[Path], given: Path | None) -> Listed | None:
    """The entries of the ledger given, else of the nearest in or above each file; None where there is none."""
    found = _nearest(files, NAME) if given is None else [given]
    return by_revision(entry for one in found for entry in read_ledger(one)) if found else None


def zones_around(files: Iterable[Path], given: tuple[Path, ...]) -> Zones:
    """The calendars that come with us, before them those of the nearest folder, before them those given.

    Raises DefinitionError or UnknownZone where one that was given cannot be read.
    """
    own: dict[str, str] = {}
    faults: list[tuple[str, DunghenError]] = []
    for path in [path for folder in _nearest(files, "calendars") for path in sorted(folder.glob("*.yaml"))]:
        try:
            calendar = read_calendar(path)
        except (DefinitionError, UnknownZone) as error:
            told = str(error.values.get("place", ""))
            faults.append((told if told.startswith(f"{path}:") else str(path), error))
        else:
            own[calendar.name] = calendar.definition.zone
    ours = {name: one.definition.zone for name, one in all_calendars(()).items()}
    asked = {one.name: one.definition.zone for one in map(read_calendar, given)}
    return Zones({**ours, **own, **asked}, faults)


def _nearest(files: Iterable[Path], name: str) -> list[Path]:
    """The nearest of this name in or above each of the files, each once."""
    found = (
        next((one / name for one in (file, *file.resolve().parents) if (one / name).exists()), None)
        for file in files
    )
    return list({one.resolve(): one for one in found if one is not None}.values())
