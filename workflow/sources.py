"""Sources: approved data on the systems that tell facts, and the little of it that judging needs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct

from workflow.errors import DefinitionError
from workflow.procedure.language import Count, Definition, Identifier, Names, Wording
from workflow.yamltree import contents, placed_one
from workflow.zones import zone_at

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from workflow.yamltree import Placed

OTHER_FILES: Final = (".mapping.yaml", ".form.yaml")
"""How the files beside source definitions end that say how their messages are read."""

Authority: TypeAlias = Literal["time", "sequence"]
Voids: TypeAlias = Literal["none", "own", "any"]
Word: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200)]


class SourceOrder(Struct, frozen=True):
    """Whether a source's times or its sequence give the order, its rank among sources at one instant (lower
    first), whose facts it may void, and whether it reports every step or milestones only."""

    order: Authority = "time"
    rank: int = 0
    voids: Voids = "own"
    steps: bool = True


UNKNOWN_SOURCE: Final = SourceOrder()
"""A source that is not declared orders by time, may only void what it told itself, and is taken to report steps."""


class Cadence(Definition, frozen=True):
    """At most so many working minutes may pass in silence, by the hours of a calendar: lunch and Tết are none."""

    working_minutes: Annotated[int, Meta(ge=1, le=100_000)]
    calendar: Identifier


class Speakers(Definition, frozen=True):
    """Who may speak for a source: topics it alone writes to, or authenticated principals."""

    topics: tuple[Word, ...] = ()
    principals: tuple[Word, ...] = ()


class CodeLists(Definition, frozen=True):
    """A source's codes and ours: its statuses to actions, its codes of procedures to ours."""

    statuses: dict[Word, Identifier] = {}  # noqa: RUF012 - msgspec copies empty defaults
    procedures: dict[Word, Word] = {}  # noqa: RUF012 - as above


class SourceDefinition(Definition, frozen=True):
    """A system that tells facts.

    `authority`: whether its times or its sequence order its facts. `precision`: the finest its times tell apart.
    `reports`: every step, or only milestones such as the portal's ten statuses. `delay_minutes`: how long it may
    take to report. `voids`: whose facts it may void. `live_from`: what was due before is history and is never
    sent as an alert. `mapping`, `form`: the file beside this one that says how its rows or messages become facts;
    `register`: its files are registers of officers, posts and terms. With none of them it sends messages of the event
    contract. `rank`: its place among sources at one instant.
    """

    source: Identifier
    name: Names
    zone: str
    authority: Authority
    precision: Literal["second", "minute", "day"]
    reports: Literal["steps", "milestones"]
    cadence: Cadence
    delay_minutes: Count
    speakers: Speakers
    voids: Voids
    live_from: datetime | None = None
    codes: CodeLists = CodeLists()
    mapping: Word | None = None
    form: Word | None = None
    register: bool = False
    rank: int = 0
    basis: Wording | None = None

    def order(self) -> SourceOrder:
        """What judging needs of it."""
        return SourceOrder(self.authority, self.rank, self.voids, self.reports == "steps")

    @property
    def timezone(self) -> ZoneInfo:
        """The zone of its times without an offset."""
        return ZoneInfo(self.zone)


def read_source(path: Path) -> SourceDefinition:
    """The source in a YAML file.

    Raises DefinitionError with file:line:column where it cannot be read or contradicts itself, UnknownZone.
    """
    return parse_source(contents(path), str(path))


def parse_source(data: bytes, name: str) -> SourceDefinition:
    """The source in these bytes; `name` stands for the file in errors, which are those of `read_source`."""
    one = placed_one(data, name, SourceDefinition)
    zone_at(one.value.zone, one.place(("zone",)))
    _check_agreement(one)
    return one.value


def read_sources(folder: Path) -> dict[str, SourceDefinition]:
    """The sources in a folder's YAML files, by name, in the order of their files.

    Raises what `read_source` raises, and DefinitionError for two of one name.
    """
    found: dict[str, SourceDefinition] = {}
    for path in sorted(folder.glob("*.yaml")):
        if path.name.endswith(OTHER_FILES):
            continue
        source = read_source(path)
        if source.source in found:
            raise DefinitionError(
                "{path}: source {source} is defined twice; rename one",
                path=str(path),
                source=source.source,
                reason="source_twice",
            )
        found[source.source] = source
    return found


def orders(sources: Mapping[str, SourceDefinition]) -> dict[str, SourceOrder]:
    """What judging needs of each source, by name."""
    return {name: source.order() for name, source in sources.items()}


def _check_agreement(one: Placed[SourceDefinition]) -> None:
    """What the parts of a definition must say together."""
    source = one.value
    if source.precision == "day" and source.authority == "time":
        raise DefinitionError(
            "{place}: source {source}: expected the authority `sequence` where times are only days, found `time`; "
            "two acts of one day would have no order",
            place=one.place(("authority",)),
            source=source.source,
            reason="coarse_times",
        )
    if not (source.speakers.topics or source.speakers.principals):
        raise DefinitionError(
            "{place}: source {source}: expected a topic or a principal that may speak for it, found none; name one",
            place=one.place(("speakers",)),
            source=source.source,
            reason="no_speaker",
        )
    readers = (source.mapping is not None, source.form is not None, source.register)
    if readers.count(True) > 1:
        raise DefinitionError(
            "{place}: source {source}: expected a `mapping`, a `form` or a `register`, found two of them; keep one",
            place=one.place(("form",) if source.form is not None else ("register",)),
            source=source.source,
            reason="two_readers",
        )
    if source.live_from is not None and source.live_from.utcoffset() is None:
        raise DefinitionError(
            "{place}: source {source}: expected `live_from` with an offset such as 2026-01-01T00:00:00+07:00, found "
            "{found}; add it",
            place=one.place(("live_from",)),
            source=source.source,
            found=source.live_from.isoformat(),
            reason="time_without_zone",
        )
