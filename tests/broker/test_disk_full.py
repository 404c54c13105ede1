"""A disk without room: nothing is half-written, the error says so, and work goes on by itself once there is room."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from working import Office, undisturbed, until

from servers.postgres import ACCOUNT, Postgres
from workflow.store.opening import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.timeout(300)
ROOM_MB = 24
LEFT_BYTES = 400_000
"""A batch of twenty finds room in it, the month does not."""
LOG_BYTES = 4_000


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of its own. To make one is a right not every account has."""
    folder = Path(tempfile.mkdtemp(prefix="dunghen-small-"))
    rights = () if os.geteuid() == 0 else ("sudo", "-n")
    mount = (*rights, "mount", "-t", "tmpfs", "-o", f"size={ROOM_MB}m,mode=0777", "tmpfs", str(folder))
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        folder.rmdir()
        pytest.skip(f"a small disk cannot be made here: {done.stderr.strip()}")
    yield folder
    subprocess.run((*rights, "umount", "--lazy", str(folder)), check=True)
    folder.rmdir()


def test_a_full_disk_of_the_database_holds_up_the_worker_until_there_is_room(
    office: Office,
    messages: list[bytes],
    another: Callable[[], str],
    small_disk: Path,
    tmp_path: Path,
    name: str,
) -> None:
    database = another()
    undisturbed(database, messages)
    expected = Office("", database, "", tmp_path)
    tables = small_disk / "tables"
    tables.mkdir()
    if os.geteuid() == 0:
        shutil.chown(tables, ACCOUNT)
    with Postgres() as postgres:
        postgres.run(f"CREATE TABLESPACE small LOCATION '{tables}'")
        postgres.run(f"CREATE DATABASE {name} TEMPLATE template0 TABLESPACE small")
        office.database = postgres.url(name)
        open_store(office.database).close()
        postgres.run("CHECKPOINT")
        ballast = small_disk / "ballast"
        room = os.statvfs(small_disk)
        ballast.write_bytes(bytes(room.f_bavail * room.f_frsize - LEFT_BYTES))
        office.send(messages)
        worker = office.worker(KAFKA_BATCH_RECORDS_MAX=20)

        full = worker.said("retry", reason="store_full")
        assert "nothing was half-written" in full["said"]
        until(lambda: not worker.ready(), "not ready")
        ((read,),) = office.rows("SELECT coalesce(sum(position), 0) FROM positions")
        assert office.count("facts") <= read < len(messages)
        ballast.unlink()
        office.read_to(len(messages))
        assert office.judged() == expected.judged()
        assert worker.end() == 0
        office.close()


def test_a_log_that_cannot_be_written_loses_no_event(
    office: Office, messages: list[bytes], another: Callable[[], str], tmp_path: Path
) -> None:
    """Whoever cannot log ends; once there is room another goes on where it was."""
    database = another()
    undisturbed(database, messages)
    office.send(messages)
    with (tmp_path / "short.log").open("wb") as log:
        mute = subprocess.run(
            [sys.executable, "-c", "from workflow.cli.main import main; main()", "worker"],
            env=office.environ(KAFKA_BATCH_RECORDS_MAX=20),
            stderr=log,
            stdin=subprocess.DEVNULL,
            timeout=120,
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (LOG_BYTES, LOG_BYTES)),
        )
    assert mute.returncode != 0
    ((read,),) = office.rows("SELECT sum(position) FROM positions")
    assert 0 < read < len(messages)
    office.worker()
    office.read_to(len(messages))
    assert office.judged() == Office("", database, "", tmp_path).judged()
