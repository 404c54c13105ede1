from __future__ import annotations

import random
from datetime import UTC, date, datetime

import pytest

from consumers.files import dossiers, sorting
from consumers.files.dossiers import NotGrouped, joined, together
from consumers.files.limits import FileLimits
from consumers.files.sorting import by_dossier
from consumers.files.tally import Run, Tally
from workflow.facts import Acted, Fact

AT = datetime(2026, 11, 23, tzinfo=UTC)


def fact(subject: str, number: int) -> Fact:
    return Fact(subject, "s", str(number), AT, Acted(action=f"a{number % 3}"), number)


def shuffled(count: int) -> list[Run]:
    chance = random.Random(7)
    subjects = [f"D{chance.randrange(count // 5)}" for _ in range(count)]
    return [Run(subject, [fact(subject, number)]) for number, subject in enumerate(subjects)]


@pytest.mark.parametrize("facts_max", [1, 7, 100, 10_000])
def test_any_bound_of_memory_gives_whole_dossiers_in_the_order_of_the_file(facts_max: int) -> None:
    runs = shuffled(500)
    expected: dict[str, list[Fact]] = {}
    for run in runs:
        expected.setdefault(run.subject, []).extend(run.facts)
    found = [(run.subject, run.facts) for run in by_dossier(runs, facts_max)]
    assert found == sorted(expected.items())


def test_more_temporary_files_than_may_be_open_are_merged_first() -> None:
    runs = shuffled(3 * sorting.MERGED_MAX)
    found = [one.sequence for run in by_dossier(runs, 1) for one in run.facts]
    assert sorted(found) == list(range(3 * sorting.MERGED_MAX))
    assert [run.subject for run in by_dossier(runs, 1)] == sorted({run.subject for run in runs})


def test_what_is_known_of_a_dossier_survives_the_sort() -> None:
    runs = [
        Run("B", [fact("B", 1)], (None, date(2026, 1, 2), None)),
        Run("A", [fact("A", 2)], ("2026-01-01", None, AT)),
        Run("B", [fact("B", 3)], ("x", date(2027, 1, 2), None)),
    ]
    found = [(run.subject, run.case) for run in by_dossier(runs, 1)]
    assert found == [("A", ("2026-01-01", None, AT)), ("B", ("x", date(2026, 1, 2), None))]


def test_neighbouring_runs_of_one_dossier_are_one() -> None:
    blocks = [[Run("A", [fact("A", 1)])], [Run("A", [fact("A", 2)]), Run("B", [fact("B", 3)])]]
    whole = joined(blocks, Tally(FileLimits()), "log")
    found = [(run.subject, len(run.facts)) for block in whole for run in block]
    assert found == [("A", 2), ("B", 1)]


def test_an_early_return_is_noticed_at_once() -> None:
    blocks = iter([[Run("A", [])], [Run("B", []), Run("A", [])], [Run("C", [])]])
    with pytest.raises(NotGrouped, match="A again"):
        list(together(blocks, "log"))
    assert next(blocks)[0].subject == "C"


def test_a_late_return_is_noticed_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dossiers, "EARLY_MAX", 10)
    monkeypatch.setattr(dossiers, "_SHARE", 1_000)
    subjects = [f"D{n}" for n in range(3_000)]
    assert len(list(together(([Run(one, [])] for one in subjects), "log"))) == 3_000
    with pytest.raises(NotGrouped, match="a dossier again"):
        list(together(([Run(one, [])] for one in [*subjects, "D2000"]), "log"))
