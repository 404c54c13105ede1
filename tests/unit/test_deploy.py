"""The dashboard and the alert rules: they parse, and whatever they name is measured, with the labels they ask for."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from consumers.metrics import Metrics
from workflow.store.looking import Backlog, Channel, Letters
from workflow.store.rows import EPOCH

ROOT: Final = Path(__file__).parent.parent.parent
RULES: Final[list[dict[str, Any]]] = [
    rule
    for group in yaml.safe_load((ROOT / "deploy" / "prometheus" / "rules.yaml").read_bytes())["groups"]
    for rule in group["rules"]
]
DASHBOARD: Final[dict[str, Any]] = json.loads((ROOT / "deploy" / "grafana" / "dunghen.json").read_bytes())
TARGETS: Final = [target for panel in DASHBOARD["panels"] for target in panel["targets"]]
EXPRESSIONS: Final = [rule["expr"] for rule in RULES] + [target["expr"] for target in TARGETS]
PAGE: Final = (ROOT / "docs" / "monitor.md").read_text(encoding="utf-8")
PAIRS: Final = {"(": ")", "[": "]", "{": "}"}


def measured() -> dict[str, set[str]]:
    """Every series there is once each measure was told, with its labels."""
    metrics = Metrics()
    metrics.lag("t", 0, 1, 1)
    metrics.batch(1, {"applied": 1})
    metrics.retried("r")
    metrics.relayed(1, {"t": 1})
    metrics.ticked([1])
    metrics.seen("s", 1)
    metrics.delivered("c", "sent", 1)
    channel = Channel("c", EPOCH, 1, 1.0, 1, 1, None, None, None)
    metrics.watch(lambda: Backlog(0, (Letters("r", 1, EPOCH),), 0, 0, 0, (channel,)))
    found: dict[str, set[str]] = {}
    for line in metrics.text().decode().splitlines():
        if line and not line.startswith("#"):
            name, _, labels = line.rpartition(" ")[0].partition("{")
            found.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    return found


SERIES: Final = measured()


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_measure_that_is_named_is_there_with_the_labels_asked_for(expression: str) -> None:
    named = re.findall(r"dunghen_\w+", expression)
    labels = {
        label.strip() for group in re.findall(r"\bby \(([^)]*)\)", expression) for label in group.split(",")
    }

    assert named
    assert set(named) <= set(SERIES), set(named) - set(SERIES)
    for name in named:
        assert labels <= SERIES[name], (name, labels)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_closes_what_it_opens(expression: str) -> None:
    open_ones = []
    for one in expression:
        if one in PAIRS:
            open_ones.append(PAIRS[one])
        elif one in PAIRS.values():
            assert open_ones
            assert open_ones.pop() == one
    assert not open_ones


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_summary_reads_right_of_one_too(rule: dict[str, Any]) -> None:
    assert not re.search(r"\}\} [a-z]+s\b", rule["annotations"]["summary"])


def test_of_no_dead_letters_the_dashboard_shows_none_and_not_no_data() -> None:
    (shown,) = [one["targets"] for one in DASHBOARD["panels"] if one["title"] == "Dead letters"]
    assert shown[0]["expr"].endswith(" or vector(0)")


def test_what_is_measured_is_shown_or_guarded() -> None:
    plain = {re.sub(r"_(bucket|sum|count|created|total)$", "", name) for name in SERIES}
    used = {
        re.sub(r"_(bucket|sum|count|total)$", "", name)
        for one in EXPRESSIONS
        for name in re.findall(r"dunghen_\w+", one)
    }

    assert plain == used


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_how_bad_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"]["severity"] in {"warning", "critical"}
    page, _, anchor = rule["annotations"]["what_to_do"].partition("#")
    assert page == "docs/monitor.md"
    titles = [title.lower().replace(" ", "-") for title in re.findall(r"^### (.+)$", PAGE, re.MULTILINE)]
    assert anchor in titles
    for label in re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]):
        assert f"by ({label})" in rule["expr"]


def test_the_page_explains_every_measure() -> None:
    rows = re.findall(r"^\| (`dunghen_.+?) \|", PAGE, re.MULTILINE)
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row)}

    assert told == {
        re.sub(r"_(bucket|sum|count)$", "", name) for name in SERIES if not name.endswith("_created")
    }


def test_panels_have_numbers_of_their_own_and_do_not_lie_on_each_other() -> None:
    panels = DASHBOARD["panels"]
    cells = [
        (x, y)
        for panel in panels
        for place in [panel["gridPos"]]
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]

    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    for target in TARGETS:
        labels = re.findall(r"{{(\w+)}}", target["legendFormat"])
        assert all(f"by ({label})" in target["expr"] or "by" not in target["expr"] for label in labels)
