"""Files of portal messages, read through the forms that come with us."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from consumers.forms.formfile import FormFile
from consumers.forms.language import read_form
from workflow.calendar import read_calendars
from workflow.procedure.reader import read_procedures
from workflow.rules import Rules, compile_rules
from workflow.sources import orders, read_sources

if TYPE_CHECKING:
    from collections.abc import Callable

PROCESSES = Path(__file__).resolve().parents[3] / "processes"
FOLDER = PROCESSES / "sources"


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., FormFile]:
    """Opens lines (text, or objects written as JSON) as a file of a source."""

    def open_lines(source: str, *lines: Any, secret: bytes | None = None) -> FormFile:
        path = tmp_path / "messages"
        told = (one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in lines)
        path.write_text("".join(f"{line}\n" for line in told), encoding="utf-8")
        definition = read_sources(FOLDER)[source]
        assert definition.form is not None
        return FormFile(path, read_form(FOLDER / definition.form), definition, secret=secret)

    return open_lines


@pytest.fixture
def generic() -> Rules:
    """The procedure that judges what only statuses are told of."""
    (revision,) = read_procedures(PROCESSES / "generic.yaml")
    return compile_rules(revision, read_calendars(PROCESSES / "calendars"), orders(read_sources(FOLDER)))
