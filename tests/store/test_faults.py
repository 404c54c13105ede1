"""An import that ends or fails at any call of the database, taken up again: nothing lost, nothing twice."""

from __future__ import annotations

import itertools
import shutil
import signal
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
import pytest
from keeping import LIFE, NINE, NOW, act, catalogue, generic, messages, tell, void
from mortal import BOTH, FIRST, JUDGED_AT, LATER, MOVED_AT, REFUSED, Mortals, department
from msgspec.structs import replace
from rotating import appointed, concluded
from sqlalchemy import select

from consumers.apply import apply
from consumers.codec import encode
from consumers.ticker import tick
from workflow.facts import Acted, Actor, BodyErased, Fact, Heartbeat, Migrated
from workflow.fold import fold
from workflow.store.judgments import pack
from workflow.store.opening import open_store
from workflow.store.proof import verify_rows
from workflow.store.rows import DossierRow, to_us
from workflow.store.tables import METADATA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mortal import Fault

    from servers.postgres import Postgres

ABOUT_A_RUN = {"seq", "salt", "received_hash", "epoch", "wrote", "checksum"}
"""Columns that differ between any two runs: numbers the database draws, salts and what hangs on them, and how
often a stream was claimed."""
NUMBERS = itertools.count(1)
THINNED = 3
VERSION = DossierRow._fields.index("version")
Kept: TypeAlias = dict[str, list[tuple[Any, ...]]]


def workload() -> list[Fact]:
    """Every way a batch can go: new and known dossiers, repetitions, a conflict, a correction that comes late, one
    that cannot be taken, an erasure, a fact that begins no dossier."""
    far = replace(act("receive", 0, subject="FAR"), occurred_at=NINE.replace(year=9999, month=12, day=31))
    erased = BodyErased(target_id=LIFE[0].id, rule="R1", by=Actor(id="o1"))
    return [
        *LIFE[:3],
        act("receive", 0, subject="B"),
        LIFE[0],
        far,
        tell(Heartbeat(), 0, subject="gate"),
        act("approve", 2, subject="B"),
        act("note", 1, subject="B"),
        LIFE[1],
        act("approve", 4),
        act("note", 1, subject="FAR"),
        act("receive", 1, subject="B", id="receive-0"),
        void(LIFE[2], 5),
        *(act("receive", hour, subject=f"C{hour}") for hour in range(4)),
        tell(erased, 6),
        act("return_result", 7),
    ]


def overdue() -> list[Fact]:
    """What judgments over several subjects have something to say of."""

    def told(subject: str, **more: Any) -> Fact:
        body = Acted(action="receive", procedure="regulation-feedback", unit="can-tho-department", **more)
        return Fact(subject, "one-stop", subject, JUDGED_AT.replace(month=2), body, sequence=1)

    twice = {"actor": Actor(id="cb-5", role="focal"), "party": "p-1", "data": {"about": "rule-7"}}
    return [
        *(told(name, **twice) for name in ("F-1", "F-2")),
        appointed("2021-03-01"),
        concluded("2021-06-01"),
    ]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("faults") / "messages.jsonl"
    path.write_bytes(b"".join(encode(fact) + b"\n" for fact in workload()))
    return path


@pytest.fixture(scope="module")
def mortals() -> Iterator[Mortals]:
    with Mortals() as parent:
        yield parent


def kept(where: str) -> Kept:
    """All a store says, and that every fact of it verifies."""
    store = open_store(where)
    with store.reading() as reading:
        assert list(verify_rows(reading, NOW)) == []
    found = {}
    with store.engine.connect() as plain:
        for name, table in METADATA.tables.items():
            columns = [column for column in table.columns if column.name not in ABOUT_A_RUN]
            order = [column for column in table.columns if column.name == "seq"] or columns
            found[name] = [tuple(row) for row in plain.execute(select(*columns).order_by(*order))]
    store.close()
    return found


class Stores:
    """Fresh stores of one database, with our tables or without."""

    def __init__(self, folder: Path, server: Postgres | None) -> None:
        self.served = server is not None
        self._folder, self._server = folder, server
        if server is None:
            open_store(folder / "model.db").close()

    @contextmanager
    def fresh(self, *, tables: bool = True) -> Iterator[str]:
        name = f"faults{next(NUMBERS)}"
        if self._server is not None:
            self._server.run(f"CREATE DATABASE {name} TEMPLATE {'model' if tables else 'template1'}")
            yield self._server.url(name)
            self._server.run(f"DROP DATABASE {name} WITH (FORCE)")
            return
        path = self._folder / f"{name}.db"
        if tables:
            shutil.copy(self._folder / "model.db", path)
        yield str(path)


@pytest.fixture(scope="module", params=["sqlite", "postgresql18"])
def stores(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    servers: Callable[[int], Postgres],
) -> Stores:
    server = servers(18) if request.param == "postgresql18" else None
    return Stores(tmp_path_factory.mktemp("stores"), server)


@pytest.fixture(scope="module")
def undisturbed(stores: Stores, mortals: Mortals, file: Path) -> Kept:
    """What a run without a fault keeps."""
    with stores.fresh() as where:
        assert mortals.run(where, file) == 0
        return kept(where)


def test_the_workload_goes_every_way(undisturbed: Kept) -> None:
    assert len(undisturbed["facts"]) == len(workload()) - 4
    assert len(undisturbed["outbox"]) == 3
    assert len(undisturbed["dead_letters"]) == 1
    assert undisturbed["dossiers"][-1][0] == "H13-240102-0001"


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("fault", "first"), [("kill", 1), ("error", 2), ("lost", 3), ("reply", 1)])
def test_after_a_fault_at_any_call_the_store_is_as_after_an_undisturbed_run(
    stores: Stores, mortals: Mortals, file: Path, undisturbed: Kept, fault: Fault, first: int
) -> None:
    """On SQLite each fault at every call; on PostgreSQL, where a fresh database is dear, every call meets one fault."""
    if fault == "lost" and not stores.served:
        pytest.skip("SQLite has no connection to lose")
    thinned = stores.served and fault != "reply"
    ends = []
    for at in itertools.count(first, THINNED) if thinned else itertools.count(1):
        with stores.fresh() as where:
            ends.append(mortals.run(where, file, fault, at))
            assert mortals.run(where, file) == 0
            assert kept(where) == undisturbed, f"{fault} at call {at}"
        if ends[-1] == 0:
            break
    assert set(ends[:-1]) == {-signal.SIGKILL if fault == "kill" else REFUSED}
    assert len(ends) > (3 if fault == "reply" else 30 // (THINNED if thinned else 1))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_store_whose_making_was_killed_at_any_call_is_made_when_it_is_next_opened(
    stores: Stores, mortals: Mortals, file: Path, undisturbed: Kept
) -> None:
    every = 5 if stores.served else 1
    for at in itertools.count(1, every):
        with stores.fresh(tables=False) as where:
            ended = mortals.run(where, "make", "kill", at)
            assert mortals.run(where, file) == 0
            assert kept(where) == undisturbed, f"killed at call {at}"
        if ended == 0:
            break
    assert at > 15


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_definitions_put_into_force_by_a_run_that_was_killed_at_any_call_are_in_force_after_the_next(
    stores: Stores, mortals: Mortals
) -> None:
    """Five dossiers whose procedure was not modelled so far, judged anew two by two."""
    facts = [act("receive", number, subject=f"S{number}") for number in range(5)]

    def killed(where: str, at: int) -> tuple[int, Kept]:
        store = open_store(where)
        apply(store, catalogue(generic()), messages(*facts), now=NOW)
        store.close()
        ended = mortals.run(where, "activate", "kill", at)
        assert mortals.run(where, "activate") == 0
        found = kept(where)
        found["sweeps"] = [(row[1], row[-1]) for row in found["sweeps"]]
        return ended, found

    with stores.fresh() as where:
        undisturbed = killed(where, 0)[1]
    assert undisturbed["sweeps"] == [(to_us(LATER), True)]
    assert {row[-3] for row in undisturbed["dossiers"]} == {to_us(LATER)}
    ends_as(undisturbed, stores, killed, every_served=5)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_dossiers_moved_to_another_revision_by_a_run_that_was_killed_at_any_call_end_as_undisturbed(
    stores: Stores, mortals: Mortals
) -> None:
    """Six dossiers late by the first revision. By decisions four are moved to the second before it is known; with it
    they are not late, and what was said of them is taken back, once.

    A dossier that was ever moved is judged anew by every run, so how often it was is left out of what is compared.
    """
    before = catalogue(FIRST, generic())
    names = [f"S{number}" for number in range(6)]
    told = [act("receive", 0, subject=name) for name in names]
    decided = [tell(Migrated(revision="2", decision="12/QD"), 10, subject=name) for name in names[1:5]]

    def killed(where: str, at: int) -> tuple[int, Kept]:
        store = open_store(where)
        apply(store, before, messages(*told), now=NINE)
        tick(store, before, now=NINE + timedelta(hours=9))
        apply(store, before, messages(*decided), now=NINE + timedelta(hours=10))
        store.close()
        ended = mortals.run(where, "move", "kill", at)
        assert mortals.run(where, "move") == 0
        store = open_store(where)
        tick(store, BOTH, now=NINE + timedelta(hours=25))
        store.close()
        found = kept(where)
        found["sweeps"] = [(row[1], row[-1]) for row in found["sweeps"]]
        found["dossiers"] = [row[:VERSION] + row[VERSION + 1 :] for row in found["dossiers"]]
        return ended, found

    with stores.fresh() as where:
        undisturbed = killed(where, 0)[1]
    assert undisturbed["sweeps"] == [(to_us(MOVED_AT), True)]
    assert changes(undisturbed, "dossier_late") == {
        name: ["raised"] if name in ("S0", "S5") else ["raised", "retracted", "raised"] for name in names
    }
    ends_as(undisturbed, stores, killed, every_served=5)


def ends_as(
    undisturbed: Kept, stores: Stores, killed: Callable[[str, int], tuple[int, Kept]], *, every_served: int
) -> None:
    """Killed at one call after the other, of a server at one of so many, until a run comes through: each ends alike."""
    for at in itertools.count(1, every_served if stores.served else 1):
        with stores.fresh() as where:
            ended, found = killed(where, at)
        assert found == undisturbed, f"killed at call {at}"
        if ended == 0:
            break
    assert at > 20


def changes(found: Kept, kind: str) -> dict[str, list[str]]:
    """What was said of the alerts of a kind, by dossier, in its order."""
    said: dict[str, list[str]] = {}
    place = METADATA.tables["outbox"].c.keys()
    content = [name for name in place if name not in ABOUT_A_RUN].index("content")
    for row in found["outbox"]:
        for one in msgspec.json.decode(row[content]):
            if one["says"] == "alert" and one["alert"]["kind"] == kind:
                said.setdefault(one["alert"]["subject"], []).append(one["change"])
    return said


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_judgments_over_several_subjects_that_were_killed_at_any_call_are_said_once_by_the_next(
    stores: Stores, mortals: Mortals
) -> None:
    """A finding verified, and feedback told twice; all judgments are made one after the other."""

    def killed(where: str, at: int) -> tuple[int, Kept]:
        store = open_store(where)
        apply(store, department(), messages(*overdue()), now=JUDGED_AT)
        store.close()
        ended = mortals.run(where, "judge", "kill", at)
        assert mortals.run(where, "judge") == 0
        found = kept(where)
        assert mortals.run(where, "judge") == 0
        assert kept(where)["outbox"] == found["outbox"]
        return ended, found

    with stores.fresh() as where:
        undisturbed = killed(where, 0)[1]
    assert {row[1] for row in undisturbed["alerts"]} >= {"rotation_due_verified", "feedback_repeated"}
    ends_as(undisturbed, stores, killed, every_served=4)


@pytest.mark.slow
def test_two_processes_that_import_facts_of_the_same_dossiers_lose_nothing_and_say_nothing_twice(
    stores: Stores, tmp_path: Path
) -> None:
    facts = [
        act("receive" if turn == 0 else "note", turn, subject=f"S{turn // 4}-{number}", id=f"{turn}{name}")
        for turn in range(40)
        for number in range(3)
        for name in "ab"
    ]
    files = [tmp_path / name for name in "ab"]
    for file in files:
        told = [fact for fact in facts if fact.id.endswith(file.name)]
        file.write_bytes(b"".join(encode(fact) + b"\n" for fact in told))

    with stores.fresh() as where, Mortals() as one, Mortals() as other:
        one.begin(where, files[0])
        other.begin(where, files[1])
        assert (one.ended(), other.ended()) == (0, 0)
        store = open_store(where)
        with store.reading() as reading:
            found, rows = list(reading.facts()), list(reading.dossiers())
            spoken = [one for _, content in reading.outbox() for one in msgspec.json.decode(content)]
            assert list(verify_rows(reading, NOW)) == []
        store.close()

    said = [one for one in spoken if one["says"] == "decision"]
    assert sorted((fact.subject, fact.id) for fact in found) == sorted((f.subject, f.id) for f in facts)
    for row in rows:
        own = [fact for fact in facts if fact.subject == row.subject]
        rules = catalogue()
        judgment = fold(rules.rules_for(own), row.subject, own)
        last = {one["id"]: one for one in said if one["subject"] == row.subject}
        versions = [one["version"] for one in said if one["subject"] == row.subject]
        assert (row.facts, row.judgment) == (len(own), pack(judgment.dossier))
        assert sorted(set(versions)) == list(range(1, row.version + 1))
        assert {fact.id: one.status for fact, one in zip(judgment.facts, judgment.outcomes, strict=True)} == {
            identifier: one["outcome"]["status"] for identifier, one in last.items()
        }
        for earlier, later in itertools.pairwise(one for one in said if one["subject"] == row.subject):
            assert (earlier["id"], earlier["version"]) != (later["id"], later["version"])
