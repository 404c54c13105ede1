"""A judged dossier as bytes and back, and the columns that are asked about."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct
from msgspec.msgpack import Ext
from msgspec.structs import asdict, astuple, replace

from workflow.catalogue import JUDGE_VERSION
from workflow.errors import JudgedOtherwise, StoreCorrupt
from workflow.model import Dossier
from workflow.store.rows import DossierRow, dossier_row, from_us, to_us
from workflow.verdict import deviates

if TYPE_CHECKING:
    from workflow.catalogue import Basis
    from workflow.links import Story
    from workflow.model import Deadline
    from workflow.rules import Rules

_FIELDS: Final = Dossier.__struct_fields__
_REGISTERS: Final = _FIELDS.index("registers")
_SLIPS: Final = _FIELDS.index("appointments")
_ANY_TIME: Final = datetime.max.replace(tzinfo=UTC)
_NOT_NATIVE: Final[frozenset[type]] = frozenset((Decimal, date))
_DECIMAL, _DAY = 1, 2
"""The two kinds of values MessagePack has no type for, and their codes."""


def _extended(code: int, content: memoryview) -> object:
    text = bytes(content).decode()
    return Decimal(text) if code == _DECIMAL else date.fromisoformat(text)


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Dossier, ext_hook=_extended).decode
_ARRAY_16: Final = b"\xdc"
_HEAD: Final = _ARRAY_16 + len(_FIELDS).to_bytes(2, "big")
"""How a list of as many values as a dossier has fields begins: without it a list cut short is read with defaults."""


class Standing(Struct, frozen=True, gc=False):
    """What a dossier row says beside its judgment: the code its facts name, why it is blocked, its version, how many
    facts it has, when the last of them was recorded (microseconds), how many alerts about it are kept, when they must
    be looked at again (microseconds), and the codes of its story where it has several."""

    code: str | None
    version: int
    facts: int
    last_recorded_at: int
    blocked: str | None = None
    alerts: int = 0
    next_due_at: int | None = None
    linked: str | None = None


def pack(dossier: Dossier) -> bytes:
    """A dossier as bytes: its fields in their order, instants in UTC. Equal dossiers give equal bytes."""
    slips = dossier.appointments
    if _NOT_NATIVE.isdisjoint([*map(type, dossier.registers), *[type(slip.at) for slip in slips]]):
        return _encode(dossier)
    values = list(astuple(dossier))
    values[_REGISTERS] = [_plain(value) for value in dossier.registers]
    values[_SLIPS] = [(_plain(slip.at), slip.cause, slip.told_at) for slip in slips]
    return _encode(values)


def unpack(content: bytes) -> Dossier:
    """The dossier of these bytes. Raises msgspec.DecodeError for bytes that are none, or of another engine's version;
    of a row ask `kept` or `judged`."""
    try:
        if content.startswith(_HEAD):
            return _decode(content)
    except TypeError as fault:  # a database without strict types gives back whatever another wrote there
        raise msgspec.DecodeError("expected bytes, found text") from fault
    raise msgspec.DecodeError(f"expected a list of {len(_FIELDS)} values, found other bytes")


def kept(row: DossierRow) -> Dossier:
    """The dossier as a row keeps it, which this version of the engine judged. Raises StoreCorrupt for other bytes."""
    try:
        return unpack(row.judgment)
    except (ValueError, ArithmeticError) as fault:
        raise StoreCorrupt(
            "dossier {subject}: the judgment kept of it is not what was written, it cannot be read ({fault}); list all "
            "that differ with: dunghen audit replay, and make them anew from the facts with: dunghen activate --all",
            subject=row.subject,
            fault=str(fault),
        ) from fault


def judged(row: DossierRow) -> Dossier:
    """The dossier as a row keeps it. Raises JudgedOtherwise where another version of the engine judged it, else as
    `kept`."""
    if row.judge_version != JUDGE_VERSION:
        raise JudgedOtherwise(
            "dossier {subject}: expected a judgment by version {expected} of the judging, found one by version "
            "{found}; judge all such dossiers anew with: dunghen activate",
            subject=row.subject,
            expected=JUDGE_VERSION,
            found=row.judge_version,
        )
    return kept(row)


def row(
    rules: Rules, basis: Basis, dossier: Dossier, standing: Standing, dates: tuple[Deadline, ...]
) -> DossierRow:
    """The row of a judged dossier. `dates`: its deadlines as of its last recorded instant, so that facts alone decide.

    `rules`: those that judged last.
    """
    at = standing.last_recorded_at
    benchmark = [one for one in dates if one.kind == "benchmark"]
    appointment = _headline(benchmark)
    committed = _headline([one for one in dates if one.kind == "committed"])
    released_at = rules.clock.released_at(dossier, _ANY_TIME)
    ended_at = _us(dossier.ended_at)
    return dossier_row(
        (
            dossier.subject,
            standing.code,
            rules.revision.procedure,
            dossier.revision,
            basis.fingerprint,
            basis.calendar,
            basis.judge_version,
            dossier.state,
            dossier.unit,
            dossier.officer,
            _us(dossier.received_at),
            _us(released_at),
            ended_at,
            *appointment,
            *committed,
            _deviated(rules, dossier, has_ended=ended_at is not None and ended_at <= at),
            _minutes_left(rules, dossier, benchmark, at),
            standing.next_due_at,
            standing.blocked,
            standing.linked,
            standing.version,
            standing.facts,
            standing.last_recorded_at,
            standing.alerts,
            pack(dossier),
        )
    )


def blank(rules: Rules, basis: Basis, subject: str, kept: Standing) -> DossierRow:
    """The row of a dossier that could never be judged: as at its start, and why."""
    begun = rules.start(subject)
    nothing: dict[str, Any] = dict.fromkeys(DossierRow._fields)
    known = {
        "subject": subject,
        "procedure": rules.revision.procedure,
        "revision": rules.revision.revision,
        "state": begun.state,
        "deviated": False,
        "judgment": pack(begun),
        **basis._asdict(),
        **asdict(kept),
    }
    return DossierRow(**{**nothing, **known})


def story_row(  # noqa: PLR0913 - as `row`, and which code of which story
    rules: Rules,
    basis: Basis,
    dossier: Dossier,
    standing: Standing,
    dates: tuple[Deadline, ...],
    story: Story,
    code: str,
    latest: int,
) -> DossierRow:
    """The row of one code of a story: the judgment of the whole. `standing` is the code's own.

    `dates`: the deadlines as of `latest`, when the last fact of the story was recorded.
    """
    shared = replace(standing, linked=listed(story), last_recorded_at=latest)
    found = row(rules, basis, dossier, shared, dates)
    return found._replace(subject=code, last_recorded_at=standing.last_recorded_at)


def listed(story: Story) -> str | None:
    """A story as the column `linked` says it."""
    return msgspec.json.encode(story.codes).decode() if story.others else None


def told_under(row: DossierRow) -> str:
    """The code a row's story goes on under and is counted by."""
    return row.subject if row.linked is None else codes_of(row)[0]


def codes_of(row: DossierRow) -> list[str]:
    """The codes of a row's story, its head first. Raises StoreCorrupt where they cannot be read."""
    if row.linked is None:
        return [row.subject]
    try:
        return msgspec.json.decode(row.linked, type=list[str])
    except msgspec.MsgspecError as fault:
        raise StoreCorrupt(
            "dossier {dossier}: the codes it is linked to are not what was kept, they cannot be read ({fault}); "
            "restore the last backup",
            dossier=row.subject,
            fault=str(fault),
        ) from fault


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return Ext(_DECIMAL, str(value).encode())
    if isinstance(value, date) and not isinstance(value, datetime):
        return Ext(_DAY, value.isoformat().encode())
    return value


def _us(at: datetime | None) -> int | None:
    return None if at is None else to_us(at)


def _headline(dates: list[Deadline]) -> tuple[int | None, bool | None]:
    """Of the dates of a kind the next that is not met, else the last; and, once all are met, whether one was late."""
    if not dates:
        return None, None
    if len(dates) == 1:
        (one,) = dates
        return to_us(one.due_at), None if one.met_at is None else one.late
    waiting = [one.due_at for one in dates if one.met_at is None]
    if waiting:
        return to_us(min(waiting)), None
    return to_us(max([one.due_at for one in dates])), any(one.late for one in dates)


def _minutes_left(rules: Rules, dossier: Dossier, benchmark: list[Deadline], at: int) -> int | None:
    """Working minutes until the benchmark where its clock stands: they stay, while its date moves with time."""
    for one in benchmark:
        if one.open_pause:
            return rules.clock.minutes(from_us(at), one.due_at, from_us(at), dossier.hours_of)
    return None


def _deviated(rules: Rules, dossier: Dossier, *, has_ended: bool) -> bool:
    """Whether a rule of order, role, guard or end was broken; lateness is told apart from it."""
    for kind in dossier.broken.values():
        if kind != "deadline":
            return True
    return has_ended and deviates(rules, dossier)
