"""JSON Schemas of the messages, generated from the Structs and their docstrings (JSON Schema 2020-12).

What a schema cannot say (repeated keys, numbers as written, bounds of times, fields that contradict each other) the
codec alone refuses: what the codec takes a schema accepts, not the other way round.
"""

from __future__ import annotations

from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec.inspect as types
from msgspec.json import encode, format, schema_components  # noqa: A004 - its name in msgspec

from consumers.contract.messages import BODIES, MESSAGES, Times
from consumers.contract.outgoing import OUTGOING, SAID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgspec import Struct

FOLDER: Final = Path(__file__).parent / "schemas"
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
IDENTIFIER: Final = "urn:dunghen:event:"

Schema = dict[str, Any]


def schema(kind: str) -> Schema:
    """The JSON Schema of one message type, in or out. Raises KeyError for a type the contract does not have."""
    if kind in OUTGOING:
        return _outgoing(kind)
    message, body = MESSAGES[kind].__name__, BODIES[kind].__name__
    definitions = _definitions(MESSAGES[kind], Times)
    envelope, data, moments = (definitions.pop(name) for name in (message, body, Times.__name__))
    # A body is told apart by the message's type, so that it needs none of its own.
    data["properties"].pop("type")
    data["properties"] = moments["properties"] | data["properties"]
    data["required"] = moments["required"] + [name for name in data["required"] if name != "type"]
    return _whole(kind, BODIES[kind], envelope, data, definitions)


def schema_files() -> dict[Path, bytes]:
    """The bytes of every schema file by its path; the same contract gives the same bytes."""
    kinds = (*MESSAGES, *OUTGOING)
    return {FOLDER / f"{kind}.json": format(encode(schema(kind)), indent=2) + b"\n" for kind in kinds}


def _outgoing(kind: str) -> Schema:
    definitions = _definitions(OUTGOING[kind])
    envelope, data = (definitions.pop(one.__name__) for one in (OUTGOING[kind], SAID[kind]))
    # Written always, though they have a default: a reader may count on them.
    envelope["required"] = ["type", *(name for name in envelope["properties"] if name != "type")]
    return _whole(kind, SAID[kind], envelope, data, definitions)


def _definitions(*kinds: type[Struct]) -> dict[str, Schema]:
    """The schema of each Struct that these are made of, by its name."""
    _, parts = schema_components(kinds, ref_template="#/$defs/{name}")
    structs = {found.cls.__name__: found for kind in kinds for found in _structs(types.type_info(kind))}
    return {
        name: _described(part, structs[name]) if name in structs else part
        for name, part in sorted(parts.items())
    }


def _whole(
    kind: str, said: type[Struct], envelope: Schema, data: Schema, definitions: dict[str, Schema]
) -> Schema:
    described = cleandoc(said.__doc__ or "")
    envelope["properties"]["data"] = {"description": described} | data
    head = {"$schema": DIALECT, "$id": IDENTIFIER + kind, "title": kind, "description": described}
    tail = {"$defs": definitions} if definitions else {}
    return head | {name: value for name, value in envelope.items() if name not in head} | tail


def _described(part: Schema, struct: types.StructType) -> Schema:
    """The schema of one Struct with its docstring as prose, and its times marked as such, which msgspec does not."""
    part = {name: value for name, value in part.items() if name != "title"}
    if "description" in part:
        part["description"] = cleandoc(cast("str", part["description"]))
    for field in struct.fields:
        written = part["properties"][field.encode_name]
        if any(isinstance(kind, types.DateTimeType) for kind in _members(field.type)):
            text = next(option for option in written.get("anyOf", [written]) if option["type"] == "string")
            text["format"] = "date-time"
    return part


def _members(kind: types.Type) -> tuple[types.Type, ...]:
    return kind.types if isinstance(kind, types.UnionType) else (kind,)


def _structs(kind: types.Type) -> Iterator[types.StructType]:
    """Every Struct a type is made of."""
    match kind:
        case types.StructType(fields=fields):
            yield kind
            inner = [field.type for field in fields]
        case types.UnionType(types=members):
            inner = list(members)
        case types.VarTupleType(item_type=item):
            inner = [item]
        case _:
            inner = []
    for found in inner:
        yield from _structs(found)
