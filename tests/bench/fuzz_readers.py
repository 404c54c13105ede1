"""Random damage to good files, for a bounded time: a reader may refuse, it may never fail in another way.

    python -m tests.bench.fuzz_readers [seconds] [seed]

Prints the seed first and, for the first failure, the damaged file's bytes; ends with 1 if there was one.
"""

from __future__ import annotations

import gzip
import random
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Final, NamedTuple

from machine import machine

from consumers.files.dossiers import NotGrouped
from consumers.files.factfile import open_facts
from consumers.files.mapping import Mapping, parse_mapping
from workflow.errors import DunghenError

_FIELDS: Final = """
source: fuzz
zone: Europe/Rome
only: {state: [complete, start]}
fields:
  subject: code
  id: no
  occurred_at: at
  entered_at: keyed
  action: {column: step, codes: {x: y}}
  appointment: {column: due, format: dd/MM/yyyy}
  documents: {column: docs, separator: ;}
  data: {fee: {column: fee, decimal: comma, absent: [EMPTY]}}
case: {ended_at: ended, data: {kind: kind}}
"""
_PLAIN: Final = (
    "source: fuzz\nfields: {subject: code, id: no, action: step, occurred_at: at, data: {fee: fee}}\n"
)
_ROW: Final = {
    "no": "7",
    "code": "A1",
    "step": "x",
    "at": "2011-10-30T02:30:00+01:00",
    "keyed": "2011-10-31T08:00:00",
    "due": "30/11/2011",
    "docs": "a;b",
    "fee": "1.234,50",
    "state": "complete",
    "ended": "2011-12-01T08:00:00Z",
    "kind": "K",
}
_PIECES: Final = (
    b'"', b",", b"\n", b"\r", b"\0", b"\xff", b"\xed\xa0\x80", b"\\ud800", b"<", b">", b"&", b"{", b"}", b"[" * 50,
    b"]", b"NaN", b"\x1f\x8b", b"<!DOCTYPE x>", b"&#0;", b"-", b"9" * 30, b"0000-00-00", b"\xe2\x80\xa8", b"\xcc\x83",
)  # fmt: skip


class Subject(NamedTuple):
    """A good file to damage, and the mapping that reads it."""

    name: str
    mapping: Mapping | None
    good: bytes


def subjects() -> list[Subject]:
    """One good file of each kind, packed and plain."""
    cells = [{**_ROW, "no": str(n), "code": f"A{n // 4}"} for n in range(12)]
    csv = "\n".join([",".join(_ROW), *(",".join(f'"{cell}"' for cell in row.values()) for row in cells)])
    short = [{name: row[name] for name in ("no", "code", "step", "at", "fee")} for row in cells]
    swift = "\n".join(["no,code,step,at,fee", *(",".join(row.values()).replace(",50", "") for row in short)])
    jsonl = "\n".join("{" + ",".join(f'"{k}":"{v}"' for k, v in row.items()) + "}" for row in cells)
    attributes = "".join(f'<string key="{key}" value="{value}"/>' for key, value in _ROW.items())
    trace = f"<trace>{attributes}<event>{attributes}</event><event>{attributes}</event></trace>"
    message = (
        '{"specversion":"1.0","id":"1","source":"s","type":"dossier.acted.v1","subject":"A",'
        '"data":{"action":"x","occurred_at":"2011-12-01T08:00:00Z","data":{"fee":"1"}}}'
    )
    found = [
        Subject("csv", _mapping("csv", _FIELDS), csv.encode()),
        Subject("plain csv", _mapping("csv", _PLAIN), swift.encode()),
        Subject("jsonl", _mapping("jsonl", _FIELDS), jsonl.encode()),
        Subject("xes", _mapping("xes", _FIELDS), f"<log>{trace * 4}</log>".encode()),
        Subject("messages", None, "\n".join([message] * 4).encode()),
    ]
    packed = [one._replace(name=f"{one.name}.gz", good=gzip.compress(one.good, mtime=0)) for one in found]
    return [*found, *packed]


def _mapping(kind: str, rest: str) -> Mapping:
    return parse_mapping(f"format: {kind}\n{rest}".encode(), kind)


def damaged(good: bytes, chance: random.Random) -> bytes:
    """The bytes with a few cuts, repetitions, flips and foreign pieces."""
    data = bytearray(good)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(5):
            case 0:
                data[at : at + chance.randint(1, 20)] = b""
            case 1:
                data[at:at] = chance.choice(_PIECES)
            case 2:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 3:
                data[at:at] = data[at : at + chance.randint(1, 400)]
            case _:
                data = data[: max(at, 1)]
    return bytes(data) or b"x"


def fails(path: Path, mapping: Mapping | None) -> str | None:
    """The traceback of an exception that is no refusal; None where the reader did its work."""
    try:
        file = open_facts(path, mapping)
        try:
            counted = sum(len(facts) for _, facts in file.dossiers())
        except NotGrouped:
            counted = sum(len(facts) for _, facts in file.dossiers())
        taken_in_all = file.taken + file.repeated + file.filtered + file.refusals.total
        if counted < file.taken or taken_in_all < file.rows:
            return (
                f"{file.rows} rows, but {file.taken} taken, {file.repeated} repeated, {file.filtered} filtered, "
                f"{file.refusals.counts}"
            )
    except DunghenError:
        return None
    except Exception:  # noqa: BLE001 - finding any other exception is what this is for
        return traceback.format_exc()
    return None


def run(seconds: float, seed: int) -> int:
    """Fuzz for `seconds`; 0 if no reader failed, else 1."""
    print(machine())
    print(f"readers: seed {seed}, {seconds:g} s", flush=True)
    chance = random.Random(seed)
    kinds = subjects()
    end = time.monotonic() + seconds
    tried = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "log")
        while time.monotonic() < end:
            one = kinds[tried % len(kinds)]
            data = damaged(one.good, chance)
            path.write_bytes(data)
            tried += 1
            if found := fails(path, one.mapping):
                print(f"{one.name}: failed after {tried} files\n{data!r}\n{found}")
                return 1
    print(f"readers: {tried} damaged files, each read or refused")
    return 0


if __name__ == "__main__":
    sys.exit(
        run(
            float(sys.argv[1]) if len(sys.argv) > 1 else 20.0,
            int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(1 << 32),
        )
    )
