from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
import yaml
from drawing import text as sound
from jsonschema.validators import validator_for

from workflow.procedure.schema import schema, text

ROOT = Path(__file__).parents[3]
PROCEDURES = [
    *sorted(ROOT.glob("tests/histories/*/procedure.yaml")),
    *sorted(ROOT.glob("examples/*/procedure.yaml")),
]


class EditorLoader(yaml.SafeLoader):
    """Types scalars as editors do, but leaves dates as the text JSON has for them."""


EditorLoader.yaml_implicit_resolvers = {
    sign: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
    for sign, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def test_the_committed_schema_is_the_one_of_the_language() -> None:
    assert (ROOT / "processes" / "procedure.schema.json").read_text("utf-8") == text()


def test_the_schema_is_a_schema() -> None:
    validator_for(schema()).check_schema(schema())


@pytest.mark.parametrize("file", PROCEDURES, ids=lambda file: file.parent.name)
def test_an_editor_accepts_the_procedures_of_the_repository(file: Path) -> None:
    for document in yaml.load_all(file.read_text("utf-8"), EditorLoader):
        jsonschema.validate(document, schema())


def test_an_editor_accepts_an_unquoted_code() -> None:
    document = yaml.load(sound().replace('"1.004220"', "1.004220"), EditorLoader)  # noqa: S506
    assert document["procedure"] == 1.00422
    jsonschema.validate(document, schema())


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("milestone: received", "milestone: recieved", "'recieved' is not one of"),
        ("role: desk", "rolle: desk", "'rolle' was unexpected"),
        ("within: 10", "within: ten", "'ten' is not valid under any of the given schemas"),
        ("final: true", "final: null", "None is not of type 'boolean'"),
    ],
)
def test_an_editor_marks_what_the_reader_refuses(old: str, new: str, says: str) -> None:
    document = yaml.load(sound().replace(old, new), EditorLoader)  # noqa: S506
    with pytest.raises(jsonschema.ValidationError, match=says):
        jsonschema.validate(document, schema())
