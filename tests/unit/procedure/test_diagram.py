from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from itertools import combinations
from pathlib import Path

import pytest
from drawing import procedure, read, text
from hypothesis import given, settings
from hypothesis import strategies as st
from searching import examples

from workflow.procedure.diagram import svg
from workflow.procedure.layering import GAP, Box, Line, arrange
from workflow.procedure.mermaid import mermaid
from workflow.procedure.reader import read_procedures

HISTORIES = Path(__file__).parents[2] / "histories"
SVG = "{http://www.w3.org/2000/svg}"


def same(words: str) -> str:
    return words


def apart(line: tuple[int, int, float]) -> bool:
    return line[0] != line[1]


graphs = st.integers(1, 9).flatmap(
    lambda count: st.tuples(
        st.lists(st.tuples(st.floats(10, 120), st.floats(10, 120), st.floats(10, 90)), min_size=count, max_size=count),
        st.lists(
            st.tuples(st.integers(0, count - 1), st.integers(0, count - 1), st.floats(5, 160)).filter(apart),
            max_size=14,
            unique_by=lambda e: e[:2],
        ),
    )
)  # fmt: skip


@settings(max_examples=examples(80))
@given(graphs)
def test_nothing_covers_anything_else(
    graph: tuple[list[tuple[float, float, float]], list[tuple[int, int, float]]],
) -> None:
    boxes = [Box(left, right, height) for left, right, height in graph[0]]
    lines = [Line(source, target, (width, 20.0)) for source, target, width in graph[1]]
    size = arrange(boxes, lines)
    holders = [holder for line in lines for holder in line.chain[1:-1]]
    for one, other in combinations([*boxes, *holders], 2):
        beside = (
            one.x + one.right + GAP <= other.x - other.left + 0.01
            or other.x + other.right + GAP <= one.x - one.left + 0.01
        )
        assert beside or one.bottom < other.top or other.bottom < one.top
    for box in boxes:
        assert box.x - box.left >= -0.01
        assert box.x + box.right <= size[0] + 0.01
        assert box.y + box.height <= size[1] + 0.01
    for line in lines:
        assert all(one.bottom < other.top for one, other in zip(line.chain, line.chain[1:], strict=False))
        assert line.carrier in holders


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("name", ["fines", "receipt"])
def test_the_picture_names_every_state_and_action_in_its_language(name: str, language: str) -> None:
    revision = read_procedures(HISTORIES / name / "procedure.yaml")[0]
    root = ET.fromstring(svg(revision, language, same))  # type: ignore[arg-type]  # noqa: S314 - our own bytes
    words = " ".join("".join(node.itertext()) for node in root.iter(f"{SVG}text"))
    names = [s.name for s in revision.states.values()] + [a.name for a in revision.actions.values()]
    for name_both in names:
        assert all(word in words for word in getattr(name_both, language).split())


def test_roles_limits_milestones_and_ends_are_drawn() -> None:
    root = ET.fromstring(svg(procedure(), "en", same))  # noqa: S314
    words = [node.text for node in root.iter(f"{SVG}text")]
    assert {
        "checked",
        "desk",
        "≤ 2 working days",
        "≤ 1 working day",
        "assign",
        "head",
        "desk · ◆ clock starts",
    } <= set(words)
    assert "committed: 10 working days" in words
    assert [node.get("class") for node in root.iter(f"{SVG}rect")].count("final") == 1
    assert len([node for node in root.iter(f"{SVG}path") if node.get("marker-end")]) == 4 + 1


def test_a_move_back_and_a_move_that_stays_are_drawn_as_such() -> None:
    actions = (
        "actions:\n  back: {moves: [{from: [signed], to: drafted}]}\n  note: {moves: [{from: [drafted]}]}"
    )
    root = ET.fromstring(svg(read(text().replace("actions:", actions)), "en", same))  # noqa: S314
    assert len([n for n in root.iter(f"{SVG}path") if n.get("marker-start")]) == 2
    words = [node.text for node in root.iter(f"{SVG}text")]
    assert {"note", "sent back", "the dossier stays in its state"} <= set(words)


def test_a_move_that_stays_in_many_states_is_told_once() -> None:
    actions = "actions:\n  note: {role: [desk], moves: [{from: [submitted, checked, drafted, signed]}]}"
    root = ET.fromstring(svg(read(text().replace("actions:", actions)), "en", same))  # noqa: S314
    words = [node.text for node in root.iter(f"{SVG}text") if "note" in (node.text or "")]
    assert words == ["↻ note (desk): submitted, checked, drafted, signed"]


def test_an_action_of_many_states_is_drawn_once() -> None:
    actions = "actions:\n  stop: {role: [head], moves: [{from: [submitted, checked, drafted, signed], to: returned}]}"
    root = ET.fromstring(svg(read(text().replace("actions:", actions)), "en", same))  # noqa: S314
    words = [node.text for node in root.iter(f"{SVG}text")]
    assert words.count("stop") == 1
    assert "From: submitted, checked," in words


def test_text_is_never_taken_for_markup() -> None:
    source = text().replace("Registration of a change", "<script>alert(1)</script> & co")
    drawn = svg(read(source), "en", same)
    assert "<script" not in drawn
    assert "&lt;script&gt;" in drawn


@pytest.mark.parametrize("kind", ["svg", "mermaid"])
def test_the_same_procedure_gives_the_same_bytes_under_any_hash_seed(kind: str) -> None:
    program = (
        f"from workflow.procedure.{'diagram' if kind == 'svg' else kind} import {kind};"
        "from workflow.procedure.reader import read_procedures; from pathlib import Path; import sys;"
        f"r = read_procedures(Path({str(HISTORIES / 'fines' / 'procedure.yaml')!r}))[0];"
        f"sys.stdout.buffer.write({kind}(r, 'vi', str).encode())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1


def test_the_mermaid_text_has_every_move() -> None:
    assert mermaid(procedure(), "en", same).splitlines() == [
        "stateDiagram-v2",
        '    state "submitted" as s_submitted',
        '    state "checked<br/>desk<br/>≤ 2 working days" as s_checked',
        '    state "drafted<br/>officer<br/>≤ 5 working days" as s_drafted',
        '    state "signed<br/>head<br/>≤ 1 working day" as s_signed',
        '    state "returned" as s_returned',
        "    [*] --> s_submitted",
        "    s_submitted --> s_checked : receive (desk)",
        "    s_checked --> s_drafted : assign (head)",
        "    s_drafted --> s_signed : sign (head)",
        "    s_signed --> s_returned : return (desk)",
        "    s_returned --> [*]",
    ]


def test_mermaid_labels_cannot_end_early() -> None:
    source = text().replace("assign: {", 'assign: {name: {vi: a, en: "a: b; #c"}, ')
    assert "s_checked --> s_drafted : a#58; b#59; #35;c (head)" in mermaid(read(source), "en", same)
