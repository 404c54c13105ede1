"""The page of the procedure language: every example is read and checked, every message compared, nothing left out."""

from __future__ import annotations

import ast
import re
from copy import deepcopy
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, get_args, get_origin

import msgspec
import pytest
import yaml

from workflow import yamltree
from workflow.errors import DefinitionError
from workflow.procedure import language
from workflow.procedure.checks import check
from workflow.procedure.finding import ACCEPTABLE, shown_run
from workflow.procedure.language import Revision

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = (ROOT / "docs" / "procedure-language.md").read_text("utf-8")
FENCE: Final = re.compile(r"^```yaml ?(\w*)\n(.*?)^```\n(?:```text\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE)


class Example(NamedTuple):
    """One example: what it is (`refused`, `finding`, or good), its YAML, what is said about it, its line."""

    what: str
    source: str
    said: str
    line: int


EXAMPLES: Final = [
    Example(m.group(1), m.group(2), m.group(3) or "", PAGE[: m.start()].count("\n") + 1)
    for m in FENCE.finditer(PAGE)
]


def tree_of(source: str) -> Any:
    """The YAML with every scalar as text."""
    return yaml.load(source, yaml.BaseLoader)  # noqa: S506 - it makes nothing but text, lists and mappings


SKELETON: Final = next(tree_of(e.source) for e in EXAMPLES if "states:\n  submitted" in e.source)


def of(what: str) -> pytest.MarkDecorator:
    found = [example for example in EXAMPLES if example.what == what]
    return pytest.mark.parametrize("example", found, ids=lambda example: f"line_{example.line}")


def merged(into: Any, part: Any) -> Any:
    """`into` with the keys of `part` added, mappings deeply; anything else replaced."""
    if not isinstance(into, dict) or not isinstance(part, dict):
        return deepcopy(part)
    return {**into, **{key: merged(into.get(key), value) for key, value in part.items()}}


def put_in_skeleton(example: Example) -> Revision:
    tree = merged(SKELETON, tree_of(example.source))
    return yamltree.parse(
        yaml.safe_dump(tree, allow_unicode=True, sort_keys=False).encode(), "p.yaml", Revision
    )


@of("")
def test_every_example_is_sound(example: Example) -> None:
    assert [
        (finding.code, finding.place, str(finding))
        for finding in check(put_in_skeleton(example))
        if finding.level != "accepted"
    ] == []


@of("finding")
def test_every_mistake_is_found_as_the_page_says(example: Example) -> None:
    revision = put_in_skeleton(example)
    said = []
    for finding in check(revision):
        said.append(f"{finding.level} {finding.code} at {finding.place}: {finding}\n")
        if finding.trace:
            said.append(f"  {shown_run(revision, finding.trace)}\n")
    assert "".join(said) == example.said


@of("refused")
def test_every_broken_file_is_refused_as_the_page_says(example: Example) -> None:
    with pytest.raises(DefinitionError) as caught:
        yamltree.parse(example.source.encode(), "p.yaml", Revision)
    assert f"{caught.value}\n" == example.said


def test_the_page_has_examples_of_each_sort() -> None:
    assert {what: sum(e.what == what for e in EXAMPLES) > 3 for what in ("", "finding", "refused")} == {
        "": True,
        "finding": True,
        "refused": True,
    }


def structs() -> list[type[msgspec.Struct]]:
    return [v for v in vars(language).values() if isinstance(v, type) and issubclass(v, language.Definition)]


@pytest.mark.parametrize("struct", structs(), ids=lambda struct: struct.__name__)
def test_every_word_of_the_language_stands_in_an_example(struct: type[msgspec.Struct]) -> None:
    examples = "\n".join(e.source for e in EXAMPLES if e.what == "")
    words = [field.encode_name for field in msgspec.structs.fields(struct)]
    missing = [word for word in words if not re.search(rf"(?<![\w-]){re.escape(word)}:", examples)]
    assert [word for word in missing if word != "generic"] == []


def test_every_choice_of_the_language_is_named() -> None:
    aliases = [value for value in vars(language).values() if get_origin(value) is Literal]
    annotations = [a for s in structs() for a in _literals(msgspec.inspect.type_info(s))]
    choices = [choice for alias in aliases for choice in get_args(alias)] + annotations
    assert len(choices) > 40
    assert [
        choice for choice in choices if not re.search(rf"(?<![\w-]){re.escape(choice)}(?![\w-])", PAGE)
    ] == []


def _literals(kind: msgspec.inspect.Type) -> list[str]:
    if isinstance(kind, msgspec.inspect.StructType):
        return [choice for field in kind.fields for choice in _literals_below(field.type)]
    return []


def _literals_below(kind: msgspec.inspect.Type) -> list[str]:
    if isinstance(kind, msgspec.inspect.LiteralType):
        return [str(value) for value in kind.values]
    if isinstance(kind, msgspec.inspect.UnionType):
        return [choice for part in kind.types for choice in _literals_below(part)]
    return []


def test_every_code_of_a_finding_stands_in_the_table() -> None:
    files = sorted((ROOT / "workflow" / "procedure").glob("*.py"))
    calls = [n for f in files for n in ast.walk(ast.parse(f.read_text("utf-8"))) if isinstance(n, ast.Call)]
    said = {
        node.args[0].value
        for node in calls
        if isinstance(node.func, ast.Name) and node.func.id in {"error", "warning"} and node.args
        if isinstance(node.args[0], ast.Constant)
    }
    rows = re.findall(r"^\| (`[^|]+) \| (error|warning)(, may be accepted)? \|", PAGE, re.MULTILINE)
    listed = {code: accepted for codes, _, accepted in rows for code in re.findall(r"`([a-z-]+)`", codes)}
    assert said | {"gap", "overlap"} == set(listed)
    assert {code for code, accepted in listed.items() if accepted} == set(ACCEPTABLE)
