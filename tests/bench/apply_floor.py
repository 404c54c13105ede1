"""The least Python that leaves the same rows as a batch of ours: raw driver, one dict for the machine, no rules.

It reads the messages, moves the position, locks and reads the batch's dossiers, leaves out repetitions, steps a table
of (procedure, state, action), counts a due date by one table of working minutes, makes the canonical bodies with their
hashes, and writes the same facts in the same order. What the rules alone can know (the dossiers' columns, their
judgments, what became of each fact) is handed to it as values, at no cost; it only encodes them.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from struct import pack as pack_numbers
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

import msgspec

from workflow.store.rows import AlertRow, DeadLetter, DossierRow, FactRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workflow.catalogue import Catalogue
    from workflow.store.store import Store

Row = tuple[Any, ...]
EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
FACT, DOSSIER = ", ".join(FactRow._fields), ", ".join(DossierRow._fields)
STATE, VERSION, LAST, ALERTS = (
    DossierRow._fields.index(name) for name in ("state", "version", "last_recorded_at", "alerts")
)
FACT_TYPES = ["text", "text", "text", "int8", "text", "int8", "int8", "int8", "int8", *["bytea"] * 5]
MOVE = "UPDATE positions SET position = {0} WHERE stream = 'b' AND partition = 0 AND position = {0} AND epoch = 1"
SAY = (
    "INSERT INTO outbox (recorded_at, messages, content, withheld, wrote, checksum)"
    " VALUES ({0}, {0}, {0}, false, {0}, {0})"
)
HEAR = (
    "INSERT INTO feeds VALUES ({0}, 'b', 0, {0}, {0}) ON CONFLICT (source, stream, partition) DO UPDATE SET"
    " heard_at = excluded.heard_at,"
    " told_at = CASE WHEN feeds.told_at > excluded.told_at THEN feeds.told_at ELSE excluded.told_at END"
)
ALERT, DEAD = ", ".join(AlertRow._fields), ", ".join(DeadLetter._fields)
KEEP = f"INSERT INTO alerts ({ALERT}) {{}} ON CONFLICT (id) DO UPDATE SET " + ", ".join(
    f"{name} = excluded.{name}" for name in AlertRow._fields[1:]
)
BURY = f"INSERT INTO dead_letters ({DEAD}, withheld) VALUES ({', '.join(['{0}'] * 8)}, false)"
OPENS = [day * 1440 + hour * 60 for day in range(30_000) if day % 7 < 5 for hour in (0, 6)]
WORKED = [number * 240 for number in range(len(OPENS))]
KNOWN_LITE = (
    "SELECT f.subject, f.source, f.id, f.revision, f.digest FROM json_each(?) j CROSS JOIN facts f"
    " WHERE f.subject = json_extract(j.value, '$[0]') AND f.source = json_extract(j.value, '$[1]')"
    " AND f.id = json_extract(j.value, '$[2]') AND f.revision = json_extract(j.value, '$[3]')"
)
KNOWN = (
    "SELECT f.subject, f.source, f.id, f.revision, f.digest"
    " FROM unnest(%b::text[], %b::text[], %b::text[], %b::int8[]) AS t (subject, source, id, revision)"
    " JOIN facts f USING (subject, source, id, revision)"
)
decode = msgspec.json.decode
encode = msgspec.json.Encoder(order="sorted").encode
say = msgspec.json.Encoder().encode
unpack = msgspec.msgpack.Decoder().decode
pack = msgspec.msgpack.Encoder().encode


class Given(NamedTuple):
    """What the judgments of one batch came to: new dossiers and changed ones, each with its judgment as values, and the
    messages said, the alerts kept (each with its life as values) and the dead letters; `beside`: what its outbox row
    says it wrote beside facts, as values."""

    new: list[Row]
    changed: list[Row]
    told: list[dict[str, Any]]
    alerts: list[Row]
    dead: list[DeadLetter]
    beside: Row


def table_of(known: Catalogue) -> dict[tuple[str, str, str], str]:
    """Where each action leads from each state, over all procedures."""
    return {
        (code, state, action): target
        for code, family in known.families.items()
        for rules in family.values()
        for state in rules.revision.states
        for action in rules.revision.actions
        if (target := rules.machine.target(state, action)) is not None
    }


class Floor:
    """One database reached by its own driver; `batch` is one transaction."""

    def __init__(self, store: Store, table: dict[tuple[str, str, str], str]) -> None:
        """Over the connection of an open store, so with the same settings."""
        self.lite = store.engine.dialect.name == "sqlite"
        self._pooled: Any = store.engine.raw_connection()
        self.driver = _any(self._pooled.driver_connection)
        self.table = table
        self.states: dict[str, str] = {}
        self.mark = "?" if self.lite else "%s"
        self.cursor = self.driver.cursor() if self.lite else self.driver.cursor(binary=True)
        self.run = self.cursor.execute
        if not self.lite:
            self.types = self._staging("staged", DOSSIER, "dossiers")
            self.kept_types = self._staging("kept", ALERT, "alerts")
            self.driver.commit()

    def _staging(self, name: str, columns: str, table: str) -> list[str]:
        """Makes an empty table of the same columns; their types."""
        self.run(f"CREATE TEMP TABLE {name} ON COMMIT DELETE ROWS AS SELECT {columns} FROM {table} LIMIT 0")
        self.run(
            "SELECT format_type(atttypid, null) FROM pg_attribute"
            f" WHERE attrelid = '{name}'::regclass AND attnum > 0 ORDER BY attnum"
        )
        return [row[0] for row in self.cursor.fetchall()]

    def close(self) -> None:
        """Gives the connection back."""
        self._pooled.close()

    def batch(self, lines: Sequence[bytes], at: int, now_us: int, given: Given) -> None:
        """Applies the messages that stand at `at` in their stream."""
        messages = [decode(line) for line in lines]
        if self.lite:
            self.run("BEGIN IMMEDIATE")
        self.run(MOVE.format(self.mark), (at + len(lines), at))
        rows = {row[0]: row for row in self._locked(sorted({one["subject"] for one in messages}))}
        for row in rows.values():
            unpack(row[-1])
        self._alerts([subject for subject, row in rows.items() if row[ALERTS]])
        facts = [_fact(message, line) for message, line in zip(messages, lines, strict=True)]
        seen = self._known([fact[:4] for fact in facts if fact[0] in rows])
        fresh = []
        for fact, message in zip(facts, messages, strict=True):
            identity = fact[:4]
            if identity not in seen:
                seen.add(identity)
                fresh.append(fact)
                self._step(message, rows)
                due(fact[5] // 60_000_000)
        appended = _recorded(fresh, rows, now_us)
        self._append(appended)
        self._put(given)
        self._keep(given.alerts)
        if given.told:
            self._say(given, appended, now_us)
        for letter in given.dead:
            self.run(BURY.format(self.mark), letter)
        for source, told_at in _told(facts).items():
            self.run(HEAR.format(self.mark), (source, min(told_at, now_us), now_us))
        self.driver.commit()

    def _step(self, message: dict[str, Any], rows: dict[str, Row]) -> None:
        subject, data = message["subject"], message["data"]
        state = self.states.get(subject) or (rows[subject][STATE] if subject in rows else "new")
        key = data.get("procedure"), state, data.get("action")
        self.states[subject] = self.table.get(key, state)

    def _say(self, given: Given, facts: list[Row], now_us: int) -> None:
        number, content = len(given.told), say(given.told)
        digests, received = (b"".join(fact[place] for fact in facts) for place in (-1, -2))
        recorded = pack_numbers(f">{len(facts)}q", *(fact[7] for fact in facts))
        wrote = pack([digests, received, recorded, *given.beside])
        proof = crc32(wrote, crc32(content, crc32(pack_numbers(">qq?", now_us, number, False))))  # noqa: FBT003 - withheld
        self.run(SAY.format(self.mark), (now_us, number, content, wrote, proof))

    def _locked(self, subjects: list[str]) -> list[Row]:
        among, values = "= ANY(%s::text[]) ORDER BY subject FOR UPDATE", tuple[Any, ...]((subjects,))
        if self.lite:
            among = "IN (SELECT value FROM json_each(?)) ORDER BY subject"
            values = (encode(subjects).decode(),)
        self.run(f"SELECT {DOSSIER} FROM dossiers WHERE subject {among}", values)
        return list(self.cursor.fetchall())

    def _alerts(self, subjects: list[str]) -> None:
        """Reads what was said of these dossiers, without which nothing can be told from what it was."""
        if not subjects:
            return
        among = "IN (SELECT value FROM json_each(?))" if self.lite else "= ANY(%s::text[])"
        values = encode(subjects).decode() if self.lite else subjects
        self.run(f"SELECT {ALERT} FROM alerts WHERE subject {among}", (values,))
        for row in self.cursor.fetchall():
            decode(row[-1])

    def _keep(self, alerts: list[Row]) -> None:
        rows = [(*row[:-1], say(row[-1])) for row in alerts]
        if rows and self.lite:
            marks = ", ".join("?" * len(AlertRow._fields))
            self.cursor.executemany(KEEP.format(f"VALUES ({marks})"), rows)
        elif rows:
            self._copy("kept", ALERT, self.kept_types, rows)
            self.run(KEEP.format("SELECT * FROM kept"))

    def _known(self, identities: list[Row]) -> set[Row]:
        if not identities:
            return set()
        if self.lite:
            self.run(KNOWN_LITE, (encode(identities).decode(),))
        else:
            self.run(KNOWN, [list(column) for column in zip(*identities, strict=True)])
        return {row[:4] for row in self.cursor.fetchall()}

    def _append(self, rows: list[Row]) -> None:
        if self.lite:
            marks = ", ".join("?" * len(FactRow._fields))
            self.cursor.executemany(f"INSERT INTO facts ({FACT}) VALUES ({marks})", rows)
        else:
            self._copy("facts", FACT, FACT_TYPES, rows)

    def _put(self, given: Given) -> None:
        new = [(*row[:-1], pack(row[-1])) for row in given.new]
        changed = [(*row[:-1], pack(row[-1])) for row in given.changed]
        names = DossierRow._fields[1:]
        if self.lite:
            marks = ", ".join("?" * len(DossierRow._fields))
            self.cursor.executemany(f"INSERT INTO dossiers ({DOSSIER}) VALUES ({marks})", new)
            sets = ", ".join(f"{name} = ?" for name in names)
            values = [(*row[1:], row[0], row[VERSION]) for row in changed]
            self.cursor.executemany(
                f"UPDATE dossiers SET {sets} WHERE subject = ? AND version = ? - 1", values
            )
            return
        self._copy("dossiers", DOSSIER, self.types, new)
        self._copy("staged", DOSSIER, self.types, changed)
        sets = ", ".join(f"{name} = t.{name}" for name in names)
        where = "d.subject = t.subject AND d.version = t.version - 1"
        self.run(f"UPDATE dossiers d SET {sets} FROM staged t WHERE {where}")

    def _copy(self, into: str, columns: str, types: list[str], rows: list[Row]) -> None:
        with self.cursor.copy(f"COPY {into} ({columns}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)


def _told(facts: list[Row]) -> dict[str, int]:
    """The latest that each source tells, repetitions too."""
    found: dict[str, int] = {}
    for fact in facts:
        if found.get(fact[1], 0) < fact[5]:
            found[fact[1]] = fact[5]
    return dict(sorted(found.items()))


def due(at: int) -> int:
    """The least a due date can be: 120 working hours from a minute, on plain integers."""
    spell = bisect_right(OPENS, at) - 1
    full = WORKED[spell] + min(at - OPENS[spell], 240) + 120 * 60
    reached = bisect_right(WORKED, full - 1) - 1
    return OPENS[reached] + full - WORKED[reached]


def _fact(message: dict[str, Any], line: bytes) -> Row:
    """Columns of a fact's row but those of its recording: identity, type, times, sequence, bodies, digest."""
    data = message["data"]
    occurred_at, entered_at = data.pop("occurred_at"), data.pop("entered_at", None)
    data["type"] = message["type"]
    revision, sequence = message.get("revision", 0), int(message.get("sequence", 0))
    rest = {key: message[key] for key in ("id", "source", "subject")}
    rest["occurred_at"] = occurred_at
    if entered_at is not None:
        rest["entered_at"] = entered_at
    if revision:
        rest["revision"] = revision
    if sequence:
        rest["sequence"] = sequence
    told = encode(data)
    digest = sha256(b'{"body":' + told + b"," + encode(rest)[1:]).digest()
    entered_us = None if entered_at is None else _us(entered_at)
    identity = message["subject"], message["source"], message["id"], revision
    return (*identity, message["type"], _us(occurred_at), entered_us, sequence, told, line, digest)


def _recorded(fresh: list[Row], rows: dict[str, Row], now_us: int) -> list[Row]:
    """The whole rows of facts, those of a dossier together, their recorded times growing in it."""
    salts = os.urandom(16 * len(fresh))
    following: dict[str, int] = {}
    found = []
    for number, fact in enumerate(sorted(fresh, key=lambda one: one[0])):
        subject, received = fact[0], fact[9]
        at = following.get(subject)
        if at is None:
            at = max(now_us, rows[subject][LAST] + 1) if subject in rows else now_us
        following[subject] = at + 1
        salt = salts[16 * number : 16 * number + 16]
        proof = sha256(salt + received).digest()
        found.append((*fact[:7], at, fact[7], fact[8], received, salt, proof, fact[10]))
    return found


def _us(text: str) -> int:
    return (datetime.fromisoformat(text) - EPOCH) // MICROSECOND


def _any(driver: object) -> Any:
    return driver
