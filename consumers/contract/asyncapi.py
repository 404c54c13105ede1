"""The AsyncAPI 3.1 document of all topics, generated: topics from `topics`, messages from the Structs by their schemas.

Written as YAML by a writer of our own, which needs nothing but mappings, lists and texts that JSON would quote alike.
"""

from __future__ import annotations

import re
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec.json import encode

from consumers.contract.messages import BODIES
from consumers.contract.outgoing import SAID, STRUCTURED
from consumers.contract.topics import (
    CARRIES,
    DEAD_LETTERS,
    LETTER_ALWAYS,
    LETTER_HEADERS,
    PREFIX,
    TOPICS,
    WHY,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from consumers.contract.topics import Topic

FILE: Final = Path(__file__).parent / "asyncapi.yaml"
BINDING: Final = "0.5.0"
"""Version of the Kafka bindings."""
FORMAT: Final = "application/schema+json;version=draft-07"
"""Of the schemas: they say 2020-12, but nothing that draft 07, which every AsyncAPI tool reads, takes otherwise."""
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_/+.-]*(?:;version=[a-z0-9.-]+)?", re.ASCII)
_WORDS: Final = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}

Tree = dict[str, Any]


def document(version: str) -> Tree:
    """The document of this version of Dunghen, with the default prefix."""
    return {
        "asyncapi": "3.1.0",
        "info": {
            "title": "Dunghen",
            "version": version,
            "description": "Events of dossiers in, decisions and alerts out. Order is promised for a key of a topic."
            " A message may come more than once, with the same source and id and the same bytes.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": STRUCTURED.decode().partition(";")[0],
        "servers": {
            "kafka": {
                "host": "{broker}",
                "protocol": "kafka",
                "description": "Apache Kafka of the installation.",
                "variables": {"broker": {"default": "127.0.0.1:9092"}},
                "bindings": {"kafka": {"bindingVersion": BINDING}},
            }
        },
        "channels": {_identifier(topic.name): _channel(topic) for topic in TOPICS},
        "operations": {_verb(topic): _operation(topic) for topic in TOPICS},
        "components": {"messages": dict(_messages())},
    }


def asyncapi_file(version: str) -> bytes:
    """The bytes of the document; the same contract and version give the same bytes."""
    return "".join(f"{line}\n" for line in [_HEAD, *_lines(document(version), "")]).encode()


_HEAD: Final = "# Written by `python -m consumers.contract` from the Structs of the contract; do not edit."


def _channel(topic: Topic) -> Tree:
    return {
        "address": PREFIX + topic.name,
        "description": CARRIES[topic.name],
        "messages": {
            _identifier(kind): {"$ref": f"#/components/messages/{_identifier(kind)}"}
            for kind in _kinds(topic)
        },
        "bindings": {
            "kafka": {
                "topic": PREFIX + topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {
                    "cleanup.policy": [topic.cleanup],
                    "retention.ms": int(topic.settings["retention.ms"]),
                    "max.message.bytes": int(topic.settings["max.message.bytes"]),
                },
                "bindingVersion": BINDING,
            }
        },
    }


def _verb(topic: Topic) -> str:
    name = _identifier(topic.name)
    return ("take" if topic.direction == "in" else "send") + name[0].upper() + name[1:]


def _operation(topic: Topic) -> Tree:
    channel = f"#/channels/{_identifier(topic.name)}"
    return {
        "action": "receive" if topic.direction == "in" else "send",
        "channel": {"$ref": channel},
        "description": WHY[topic.reasons],
        "messages": [{"$ref": f"{channel}/messages/{_identifier(kind)}"} for kind in _kinds(topic)],
    }


def _kinds(topic: Topic) -> tuple[str, ...]:
    return ("dead.letter",) if topic is DEAD_LETTERS else topic.kinds


def _messages() -> Iterator[tuple[str, Tree]]:
    for kind, body in {**BODIES, **SAID}.items():
        yield (
            _identifier(kind),
            {
                "name": kind,
                "title": cleandoc(body.__doc__ or kind).splitlines()[0],
                "contentType": STRUCTURED.decode(),
                "payload": {"schemaFormat": FORMAT, "schema": {"$ref": f"./schemas/{kind}.json"}},
                "bindings": {"kafka": {"key": _KEY, "bindingVersion": BINDING}},
            },
        )
    headers = {name: {"type": "string", "description": text} for name, text in LETTER_HEADERS.items()}
    yield (
        "deadLetter",
        {
            "name": "dead letter",
            "title": "A message that could not be taken, whole: key, value and headers as they came",
            "contentType": "application/octet-stream",
            "headers": {"type": "object", "properties": headers, "required": list(LETTER_ALWAYS)},
            "bindings": {"kafka": {"bindingVersion": BINDING}},
        },
    )


_KEY: Final = {"type": "string", "description": "The subject, UTF-8."}


def _identifier(name: str) -> str:
    """`dossier.acted.v1` as `dossierActedV1`: keys of AsyncAPI's maps take no dots in a reference."""
    first, *others = name.split(".")
    return first + "".join(part.capitalize() for part in others)


def _lines(tree: Mapping[str, Any], margin: str) -> Iterator[str]:
    """A mapping in YAML's block style."""
    for key, value in tree.items():
        head = f"{margin}{_scalar(key)}:"
        if isinstance(value, dict) and value:
            yield head
            yield from _lines(value, margin + "  ")
        elif isinstance(value, list) and value:
            yield head
            for item in value:
                yield from _item(item, margin + "  ")
        else:
            yield f"{head} {_scalar(value)}"


def _item(item: object, margin: str) -> Iterator[str]:
    if isinstance(item, dict):
        first, *others = _lines(item, margin + "  ")
        yield f"{margin}- {first.lstrip()}"
        yield from others
    else:
        yield f"{margin}- {_scalar(item)}"


def _scalar(value: object) -> str:
    """A text as it stands where YAML cannot read it as anything else; all others as JSON, which YAML reads too."""
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return encode(value).decode()
