"""A folder to write small logs into, and one call that reads them."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, NamedTuple

import pytest

from consumers.files.factfile import FactFile, open_facts
from consumers.files.limits import DEFAULT_LIMITS, FileLimits
from consumers.files.mapping import parse_mapping

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workflow.facts import Fact


class Read(NamedTuple):
    """A file, and the dossiers it gave."""

    file: FactFile
    dossiers: dict[str, list[Fact]]

    @property
    def reasons(self) -> dict[str, int]:
        return self.file.refusals.counts

    @property
    def places(self) -> list[str]:
        """Line numbers of the refusals."""
        return [refusal.place.rpartition(":")[2] for refusal in self.file.refusals.listed]


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Read]:
    def reading(
        data: str | bytes,
        mapping: str | None,
        limits: FileLimits = DEFAULT_LIMITS,
        name: str = "log",
        pack: bool = False,  # noqa: FBT001, FBT002 - read as a word where it is called
    ) -> Read:
        raw = data.encode() if isinstance(data, str) else data
        path = tmp_path / name
        path.write_bytes(gzip.compress(raw, mtime=0) if pack else raw)
        parsed = None if mapping is None else parse_mapping(mapping.encode(), "mapping.yaml")
        file = open_facts(path, parsed, limits=limits)
        return Read(file, {code: list(told) for code, told in file.dossiers()})

    return reading
