"""The JSON Schema of the procedure language, for editors that complete and check while one writes.

`python -m workflow.procedure.schema > processes/procedure.schema.json` writes it anew. The reader stays the judge: it
knows more than a schema can say, and takes every scalar as the text that was written.
"""

from __future__ import annotations

import json
import sys
from inspect import cleandoc
from typing import Any, Final

import msgspec

from workflow.procedure.language import Revision

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_SCALAR: Final = ["string", "number", "boolean"]
_NULL: Final = {"type": "null"}


def schema() -> dict[str, Any]:
    """The schema of one revision. Free text also admits an unquoted number or word such as `1.004220` or `no`; an
    absent value is left out, not null, as the reader wants it."""
    found = _as_written(msgspec.json.schema(Revision))
    return {"$schema": DIALECT, "title": "Dunghen procedure", **found}


def _as_written(part: Any) -> Any:  # noqa: ANN401 - any part of a schema
    if isinstance(part, list):
        return [_as_written(one) for one in part if one != _NULL]
    if not isinstance(part, dict):
        return part
    if part.get("type") == "string" and not {"pattern", "format"} & set(part):
        return {**part, "type": _SCALAR}
    found = {key: _as_written(value) for key, value in part.items() if (key, value) != ("default", None)}
    if "description" in found and isinstance(found["description"], str):
        found["description"] = cleandoc(found["description"])
    only = found.pop("anyOf")[0] if len(found.get("anyOf", ())) == 1 else {}
    return {**only, **found}


def text() -> str:
    """The schema as the file's text: keys in a fixed order, two spaces, a final line break."""
    return json.dumps(schema(), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
