"""The rotation file: how long a post may be held, what frees from leaving it, and how soon a verified finding moves.

Approved data like a procedure. Posts and grounds are codes; no person stands here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

from msgspec import Meta

from workflow.errors import DefinitionError
from workflow.procedure.language import Count, Counting, Definition, Figures, Identifier, Names, Wording
from workflow.yamltree import contents, placed_one
from workflow.zones import zone_at

if TYPE_CHECKING:
    from pathlib import Path

    from workflow.organisation import Organisation
    from workflow.yamltree import Placed

YEARS_MIN: Final = 2
YEARS_MAX: Final = 5
"""Law on Anti-corruption 2018 art. 24-25: from two to five years by field."""

Finding: TypeAlias = Literal["verified", "partly"]
"""The findings that may make a move due; one that found nothing never does."""


class Prompt(Definition, frozen=True):
    """The move a finding makes due: which findings do, within how many units of its counting."""

    within: Count
    counts: Counting
    figures: Figures
    findings: Annotated[tuple[Finding, ...], Meta(min_length=1)] = ("verified",)
    basis: Wording | None = None


class Notice(Definition, frozen=True):
    """How many calendar days before the end of a term its move is announced."""

    days: Count
    figures: Figures
    basis: Wording | None = None


class Field(Definition, frozen=True):
    """A field of work and how many full years a post in it may be held."""

    name: Names
    years: Annotated[int, Meta(ge=YEARS_MIN, le=YEARS_MAX)]
    figures: Figures
    basis: Wording | None = None


class Post(Definition, frozen=True):
    """A post that rotates. `roles`: in which roles it acts; without any, in every one. `single_in`: the units in which
    it is the only one of its speciality, so that their head proposes and the level above decides."""

    name: Names
    field: Identifier
    roles: tuple[Identifier, ...] = ()
    single_in: tuple[Identifier, ...] = ()


class Ground(Definition, frozen=True):
    """A ground that frees from periodic rotation. What is told for another reason does not."""

    name: Names
    basis: Wording | None = None


class RotationRules(Definition, frozen=True):
    """A rotation file. `readers`: the posts that may read every rotation alert; those it goes to always may."""

    rotation: Identifier
    revision: str
    zone: str
    prompt: Prompt
    notice: Notice
    fields: dict[Identifier, Field]
    posts: dict[Identifier, Post]
    exempt: dict[Identifier, Ground]
    deferred: dict[Identifier, Ground]
    readers: tuple[Identifier, ...] = ()
    calendar: Identifier | None = None
    basis: Wording | None = None

    @property
    def timezone(self) -> ZoneInfo:
        """The zone in which its days begin and end."""
        return ZoneInfo(self.zone)


def read_rotation(path: Path, organisation: Organisation | None = None) -> RotationRules:
    """The rotation rules in a YAML file.

    Raises `DefinitionError` with file:line:column where it cannot be read, or names a field, a unit or a reading post
    that neither it nor the organisation declares; `UnknownZone`.
    """
    return sound(contents(path), str(path), organisation)


def sound(data: bytes, name: str, organisation: Organisation | None = None) -> RotationRules:
    """The rotation rules in these bytes; `name` stands for the file in errors, which are those of `read_rotation`."""
    one = placed_one(data, name, RotationRules)
    zone_at(one.value.zone, one.place(("zone",)))
    _check_names(one, organisation)
    return one.value


def _check_names(file: Placed[RotationRules], organisation: Organisation | None) -> None:
    rules = file.value
    asked: list[tuple[tuple[str | int, ...], str, object]] = [
        (("posts", name, "field"), post.field, rules.fields) for name, post in rules.posts.items()
    ]
    if organisation is not None:
        asked += [
            (("posts", name, "single_in", place), unit, organisation.units)
            for name, post in rules.posts.items()
            for place, unit in enumerate(post.single_in)
        ]
        asked += [(("readers", place), post, organisation.posts) for place, post in enumerate(rules.readers)]
    for path, given, declared in asked:
        assert isinstance(declared, dict)  # noqa: S101 - tables of declared names
        if given not in declared:
            raise DefinitionError(
                "{place}: expected one of {known}, found {found}; declare it or correct it",
                place=file.place(path),
                known=", ".join(declared),
                found=given,
                reason="undeclared_in_rotation",
            )
