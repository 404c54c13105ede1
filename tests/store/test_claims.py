"""A worker's claims: a batch that does not join what was kept before it is never kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from consumers.claims import Claims
from consumers.codec import RawRecord, decode, encode
from consumers.files.entries import Messages, identity_of
from consumers.files.limits import DEFAULT_LIMITS
from consumers.files.sourcefile import SourceFile
from consumers.filestreams import BATCH, FileStreams
from workflow.errors import PositionLost

if TYPE_CHECKING:
    from workflow.store.store import Store

GOOD = Path(__file__).parent.parent / "contract_examples" / "dossier.acted.v1" / "good.json"


def opened(path: Path) -> SourceFile:
    return SourceFile(Messages(path, DEFAULT_LIMITS), identity_of(path))


@pytest.fixture
def streams(tmp_path: Path) -> FileStreams:
    """A file of three batches of events."""
    line = encode(decode(RawRecord(GOOD.read_bytes()))) + b"\n"
    path = tmp_path / "events.jsonl"
    path.write_bytes(line * (2 * BATCH + 10))
    return FileStreams([path], opened)


def test_a_batch_that_was_dropped_is_read_again_before_the_next_is_kept(
    store: Store, streams: FileStreams
) -> None:
    claims = Claims(store, streams)
    claims.follow()
    first = streams.poll()
    (step,) = claims.steps(first)
    claims.moved(first)
    dropped, behind = streams.poll(), streams.poll()
    with pytest.raises(PositionLost) as caught:
        claims.steps(behind)

    assert (step.before, step.after) == (0, BATCH)
    assert caught.value.code == "position_gap"
    assert [one.since for one in (*dropped, *behind)] == [BATCH, 2 * BATCH]
    assert claims.steps(dropped)[0].after == 2 * BATCH
