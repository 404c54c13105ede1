"""Whatever is left out of a procedure or put into the wrong place, the checks answer; they never fail themselves."""

from __future__ import annotations

import random
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from drawing import text

from workflow import yamltree
from workflow.errors import DefinitionError
from workflow.procedure import tables
from workflow.procedure.checks import check
from workflow.procedure.diagram import svg
from workflow.procedure.diff import changes
from workflow.procedure.language import Revision
from workflow.procedure.mermaid import mermaid
from workflow.procedure.reader import fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
SOURCES = {
    "sound": text(),
    "fines": (ROOT / "tests" / "histories" / "fines" / "procedure.yaml").read_text("utf-8"),
    "transfer": (ROOT / "examples" / "first_history" / "procedure.yaml").read_text("utf-8"),
}


def paths(tree: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    for key, part in (
        tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    ):
        yield (*path, key)
        yield from paths(part, (*path, key))


def part_at(tree: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        tree = tree[key]
    return tree


def read(tree: Any) -> Revision | None:
    source = yaml.safe_dump(tree, allow_unicode=True, sort_keys=False)
    try:
        return yamltree.parse(source.encode(), "p.yaml", Revision)
    except DefinitionError:
        return None


@pytest.mark.parametrize(
    "name",
    # The checks of larger procedures take a second or two for each way of spoiling them.
    ["sound", *(pytest.param(name, marks=pytest.mark.slow) for name in ("fines", "transfer"))],
)
@pytest.mark.parametrize("how", ["left out", "replaced"])
def test_a_mutilated_procedure_is_refused_or_checked(name: str, how: str) -> None:
    whole = yaml.load(SOURCES[name], yaml.BaseLoader)  # noqa: S506 - it makes nothing but text, lists and mappings
    original = read(whole)
    assert original is not None
    chosen, every = random.Random(f"{name} {how}"), list(paths(whole))
    read_all = checked = 0
    for path in chosen.sample(every, 20):
        tree = deepcopy(whole)
        if how == "left out":
            del part_at(tree, path[:-1])[path[-1]]
        else:
            part_at(tree, path[:-1])[path[-1]] = deepcopy(part_at(whole, chosen.choice(every)))
        read_all += 1
        revision = read(tree)
        if revision is None:
            continue
        checked += 1
        assert all(finding.code and str(finding) for finding in check(revision))
        assert svg(revision, "vi", str).endswith("</svg>\n")
        assert mermaid(revision, "en", str)
        assert len(list(tables.states(revision, "vi", str))) == len(revision.states)
        assert (changes(original, revision) == ()) == (fingerprint(original) == fingerprint(revision))
    assert 0 < checked < read_all
