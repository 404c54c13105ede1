"""The organisation: units, what they belong to, and the posts that answer for them. Posts and codes, never persons.

Units come and go by decision, so each may say from when to when it stands, and every question takes a date.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from msgspec import field

from workflow.errors import DefinitionError, Words
from workflow.procedure.language import Definition, Identifier, Names, Wording
from workflow.yamltree import contents, placed_one

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from workflow.yamltree import Placed


class Standing(Definition, frozen=True):
    """The days a unit stands, both included; without a first or last day, as far as is known."""

    since: date | None = field(name="from", default=None)
    to: date | None = None


class Unit(Definition, frozen=True):
    """A unit: its kind, what it belongs to, and its posts.

    `hours`: the calendar's hours it works by, where they are not those of its name or kind, or the usual ones.
    `focal`: the post that tracks feedback. `rotated_by`: the post that must move its officers and those of the units
    below it.
    """

    name: Names
    kind: Identifier
    head: Identifier
    parent: Identifier | None = None
    hours: Identifier | None = None
    focal: Identifier | None = None
    rotated_by: Identifier | None = None
    standing: Standing = Standing()


class Organisation(Definition, frozen=True):
    """An organisation file: the kinds of unit, the posts and the units of one body."""

    organisation: Identifier
    revision: str
    name: Names
    calendar: Identifier
    kinds: dict[Identifier, Names]
    posts: dict[Identifier, Names]
    units: dict[Identifier, Unit]
    basis: Wording | None = None


def read_organisation(path: Path) -> Organisation:
    """The organisation in a YAML file.

    Raises `DefinitionError` with file:line:column where it cannot be read, names a kind, post or parent it does
    not declare, or has units that belong to each other in a circle.
    """
    return sound(contents(path), str(path))


def organisation_in(folder: Path) -> Organisation | None:
    """The organisation of a folder of definitions; None where it has none. Raises as `read_organisation`."""
    path = next(iter(sorted((folder / "organisation").glob("*.yaml"))), None)
    return None if path is None else read_organisation(path)


def sound(data: bytes, name: str) -> Organisation:
    """The organisation in these bytes; `name` stands for the file in errors, which are those of `read_organisation`."""
    one = placed_one(data, name, Organisation)
    for unit in one.value.units:
        _check_names(one, unit)
        _check_standing(one, unit)
    for unit in one.value.units:
        _check_no_circle(one, unit)
    return one.value


def stands(unit: Unit, on: date) -> bool:
    """Whether a unit stands on a day."""
    since, to = unit.standing.since, unit.standing.to
    return (since is None or since <= on) and (to is None or on <= to)


def units_of_kind(organisation: Organisation, kind: str, on: date) -> tuple[str, ...]:
    """The units of a kind that stand on a day, in the order of the file; none for a kind that is not declared."""
    return tuple(name for name, unit in organisation.units.items() if unit.kind == kind and stands(unit, on))


def parents(organisation: Organisation, unit: str) -> tuple[str, ...]:
    """What a unit belongs to: its parent first, the whole body last. Raises `DefinitionError` for no such unit."""
    found: list[str] = []
    above = _unit(organisation, unit).parent
    while above is not None:
        found.append(above)
        above = organisation.units[above].parent
    return tuple(found)


def hours_of(organisation: Organisation | None) -> dict[str, tuple[str, ...]]:
    """By unit the names its hours may have in a calendar: those the unit names; else those called like it, else those
    called like its kind. None without an organisation."""
    units = {} if organisation is None else organisation.units
    return {name: (name, unit.kind) if unit.hours is None else (unit.hours,) for name, unit in units.items()}


def check_hours(organisation: Organisation, known: Collection[str]) -> None:
    """Raises DefinitionError for a unit that names hours its calendar has not."""
    for name, unit in organisation.units.items():
        if unit.hours is not None and unit.hours not in known:
            raise DefinitionError(
                "organisation {organisation}: unit {unit}: expected hours of calendar {calendar}, one of {known}, "
                "found {found}; correct them or add them to the calendar",
                organisation=organisation.organisation,
                unit=name,
                calendar=organisation.calendar,
                known=", ".join(sorted(known)) or Words("none"),
                found=unit.hours,
                reason="unknown_hours",
            )


def head_of(organisation: Organisation, unit: str) -> str:
    """The post that heads a unit. Raises `DefinitionError` for no such unit."""
    return _unit(organisation, unit).head


def focal_of(organisation: Organisation, unit: str) -> str | None:
    """The post that tracks feedback about a unit: its own, else that of the nearest unit above that has one."""
    return next((u.focal for u in _upwards(organisation, unit) if u.focal is not None), None)


def focal_at(organisation: Organisation, unit: str) -> tuple[str, str] | None:
    """The post that tracks feedback about a unit, and where it stands. Raises `DefinitionError` for no such unit."""
    _unit(organisation, unit)
    chain = (unit, *parents(organisation, unit))
    return next(
        ((focal, name) for name in chain if (focal := organisation.units[name].focal) is not None), None
    )


def rotator_of(organisation: Organisation, unit: str) -> str | None:
    """The post that must move the officers of a unit: its own, else that of the nearest unit above that names one.

    None where nobody is named; then the head who appoints does.
    """
    return next((u.rotated_by for u in _upwards(organisation, unit) if u.rotated_by is not None), None)


def _upwards(organisation: Organisation, unit: str) -> Iterator[Unit]:
    yield _unit(organisation, unit)
    for above in parents(organisation, unit):
        yield organisation.units[above]


def _unit(organisation: Organisation, unit: str) -> Unit:
    found = organisation.units.get(unit)
    if found is None:
        raise DefinitionError(
            "organisation {organisation}: unknown unit {unit}, expected one of {known}; correct the name or add it",
            organisation=organisation.organisation,
            unit=unit,
            known=", ".join(organisation.units),
            reason="unknown_unit",
        )
    return found


def _check_names(file: Placed[Organisation], name: str) -> None:
    body, unit = file.value, file.value.units[name]
    asked = (
        ("kind", unit.kind, body.kinds),
        ("parent", unit.parent, body.units),
        ("head", unit.head, body.posts),
        ("focal", unit.focal, body.posts),
        ("rotated_by", unit.rotated_by, body.posts),
    )
    for word, given, declared in asked:
        if given is not None and given not in declared:
            raise DefinitionError(
                "{place}: unit {unit}: expected {word} to be one of {known}, found {found}; declare it or correct it",
                place=file.place(("units", name, word)),
                unit=name,
                word=word,
                known=", ".join(declared),
                found=given,
                reason="undeclared_unit_part",
            )


def _check_standing(file: Placed[Organisation], name: str) -> None:
    span = file.value.units[name].standing
    if span.since is not None and span.to is not None and span.to < span.since:
        raise DefinitionError(
            "{place}: unit {unit}: expected its last day after its first, found {since} to {to}; correct one of them",
            place=file.place(("units", name, "standing")),
            unit=name,
            since=span.since.isoformat(),
            to=span.to.isoformat(),
            reason="standing_reversed",
        )


def _check_no_circle(file: Placed[Organisation], name: str) -> None:
    seen = [name]
    above = file.value.units[name].parent
    while above is not None:
        if above in seen:
            raise DefinitionError(
                "{place}: unit {unit}: expected its parents to end at a unit without one, found the circle {circle}; "
                "correct a parent",
                place=file.place(("units", name, "parent")),
                unit=name,
                circle=" in ".join([*seen, above]),
                reason="circle_of_units",
            )
        seen.append(above)
        above = file.value.units[above].parent
