"""A file is read as the definition of its source says."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from consumers.codec import encode
from consumers.files.limits import DEFAULT_LIMITS
from consumers.files.sourcefile import SourceFile, open_source_file
from workflow.errors import DefinitionError
from workflow.facts import Acted, Fact
from workflow.sources import read_sources

BESIDE: Final = Path(__file__).resolve().parents[3] / "processes" / "sources"
SOURCES: Final = read_sources(BESIDE)
NINE: Final = datetime(2026, 3, 2, 2, tzinfo=UTC)
POLLED: Final = "code,status,changed_at,version,procedure,unit\n"


def opened(path: Path, source: str, mapping: Path | None = None) -> SourceFile:
    return open_source_file(path, SOURCES[source], BESIDE, DEFAULT_LIMITS, mapping)


def text(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    return path


def facts(file: SourceFile) -> list[Fact]:
    return [entry.fact for entry in file.reading.entries(0)]


def test_a_source_without_form_or_mapping_sends_our_own_messages(tmp_path: Path) -> None:
    told = Fact("H13-1", "one-stop", "e1", NINE, Acted(action="receive"), 1)
    path = text(tmp_path / "a.jsonl", encode(told).decode() + "\n")

    assert facts(opened(path, "one-stop")) == [told]


def test_the_form_of_a_source_reads_its_status_table(tmp_path: Path) -> None:
    path = text(tmp_path / "a.csv", f"{POLLED}H13-1,2,2026-03-02 09:00:00,7,1.000003,branch\n")

    (fact,) = facts(opened(path, "polled-status"))

    assert isinstance(fact.body, Acted)
    assert (fact.body.action, fact.occurred_at, fact.sequence) == ("receive", NINE, 7)


def test_a_mapping_that_is_named_goes_before_the_definition(tmp_path: Path) -> None:
    mapping = text(
        tmp_path / "m.yaml",
        "format: csv\nsource: polled-status\nfields: {subject: who, action: what, occurred_at: at}\n",
    )
    path = text(tmp_path / "a.csv", "who,what,at\nH13-1,receive,2026-03-02T09:00:00+07:00\n")

    assert [fact.occurred_at for fact in facts(opened(path, "polled-status", mapping))] == [NINE]


def test_a_mapping_of_another_source_is_refused(tmp_path: Path) -> None:
    mapping = text(
        tmp_path / "m.yaml", "format: csv\nsource: desk\nfields: {subject: a, action: b, occurred_at: c}\n"
    )

    with pytest.raises(DefinitionError) as found:
        opened(text(tmp_path / "a.csv", "a,b,c\n"), "one-stop", mapping)

    assert found.value.code == "other_source"


def test_the_same_file_read_in_another_way_is_another(tmp_path: Path) -> None:
    path = text(tmp_path / "a.csv", POLLED)

    assert opened(path, "polled-status").identity == opened(path, "polled-status").identity
    assert opened(path, "polled-status").identity != opened(path, "one-stop").identity


def test_a_mapping_may_not_trust_times_where_the_sequence_of_its_source_counts(tmp_path: Path) -> None:
    fields = "fields: {subject: who, action: what, occurred_at: at}\n"
    path = text(tmp_path / "a.csv", "who,what,at\nH13-1,receive,2026-03-02T09:00:00+07:00\n")
    wrong = text(tmp_path / "m.yaml", f"format: csv\nsource: polled-status\norder: time\n{fields}")
    right = text(tmp_path / "n.yaml", f"format: csv\nsource: portal-step\norder: time\n{fields}")

    with pytest.raises(DefinitionError, match="whose authority is sequence, found order: time") as caught:
        opened(path, "polled-status", wrong)
    assert caught.value.code == "other_order"
    assert len(facts(opened(path, "portal-step", right))) == 1
