"""What stands around the procedures that are checked: the ledger of approvals and the calendars of their folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from workflow.cli.inputs import all_calendars
from workflow.clocks.calendar import read_calendar
from workflow.errors import DefinitionError, LedgerError, UnknownZone
from workflow.procedure.ledger import NAME, by_revision, read_ledger

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from workflow.errors import DunghenError
    from workflow.procedure.ledger import Listed


class Surroundings(NamedTuple):
    """The zone of each calendar by its name and the entries of the ledger, each None where it is not known whole; and
    what cannot be read of them, each with its place."""

    zones: dict[str, str] | None
    listed: Listed | None
    faults: list[tuple[str, DunghenError]]


def surroundings(files: Iterable[Path], calendars: tuple[Path, ...], ledger: Path | None) -> Surroundings:
    """What stands around these files. Of calendars those that come with us, before them those of the nearest folder in
    or above each file, before them those given; of ledgers the one given, else the nearest.

    Raises DefinitionError or UnknownZone where one that was given cannot be read.
    """
    faults: list[tuple[str, DunghenError]] = []
    own: dict[str, str] = {}
    for path in [path for folder in _nearest(files, "calendars") for path in sorted(folder.glob("*.yaml"))]:
        try:
            calendar = read_calendar(path)
        except (DefinitionError, UnknownZone) as error:
            faults.append((_place(error, path), error))
        else:
            own[calendar.name] = calendar.definition.zone
    ours = {name: one.definition.zone for name, one in all_calendars(()).items()}
    asked = {one.name: one.definition.zone for one in map(read_calendar, calendars)}
    zones = None if faults else {**ours, **own, **asked}
    try:
        listed = listed_for(files, ledger)
    except LedgerError as error:
        faults.append((str(error.values["place"]), error))
        listed = None
    return Surroundings(zones, listed, faults)


def listed_for(files: Iterable[Path], ledger: Path | None) -> Listed | None:
    """What the ledger given lists, else the nearest in or above each file; None where there is none.

    Raises LedgerError for a line that is malformed.
    """
    found = _nearest(files, NAME) if ledger is None else [ledger]
    return by_revision(entry for one in found for entry in read_ledger(one)) if found else None


def _place(error: DunghenError, path: Path) -> str:
    """Where in its file something is wrong; the file where the error says no more."""
    told = str(error.values.get("place", ""))
    return told if told.startswith(f"{path}:") else str(path)


def _nearest(files: Iterable[Path], name: str) -> list[Path]:
    """The nearest of this name in or above each of the files, each once."""
    found = (
        next((one / name for one in (file, *file.resolve().parents) if (one / name).exists()), None)
        for file in files
    )
    return list({one.resolve(): one for one in found if one is not None}.values())
