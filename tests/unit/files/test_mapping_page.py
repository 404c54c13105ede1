"""Every example of docs/mapping.md is run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, get_args

import msgspec
import pytest

from consumers.files.factfile import open_facts
from consumers.files.mapping import Case, Column, CsvShape, Fields, Mapping, parse_mapping
from consumers.files.times import TimeShape

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLE = re.compile(r"```yaml\n(.*?)```\s*```(?:csv|xml|json)\n(.*?)```\s*```facts\n(.*?)```", re.DOTALL)


@pytest.fixture
def page(root: Path) -> str:
    return (root / "docs" / "mapping.md").read_text(encoding="utf-8")


def test_every_example_gives_the_facts_it_shows(page: str, tmp_path: Path) -> None:
    examples = EXAMPLE.findall(page)
    assert len(examples) == page.count("```yaml") >= 5
    for mapping, log, shown in examples:
        path = tmp_path / "log"
        path.write_text(log, encoding="utf-8")
        file = open_facts(path, parse_mapping(mapping.encode(), "docs/mapping.md"))
        facts = [fact for _, facts in file.dossiers() for fact in facts]
        told = [
            f"{fact.subject} {fact.id} {fact.occurred_at.isoformat()} {msgspec.json.encode(fact.body).decode()}"
            for fact in facts
        ]
        assert told == shown.strip().split("\n")
        assert file.refusals.total == 0


@pytest.mark.parametrize("part", [Mapping, Fields, Case, Column, CsvShape])
def test_every_word_of_the_language_is_on_the_page(page: str, part: type[msgspec.Struct]) -> None:
    missing = [name for name in part.__struct_fields__ if not re.search(rf"`{name}`|\b{name}:", page)]
    assert missing == []


def test_every_time_shape_is_on_the_page(page: str) -> None:
    assert [shape for shape in get_args(TimeShape) if f"`{shape}`" not in page] == []
