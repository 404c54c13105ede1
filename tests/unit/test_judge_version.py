"""The number of the judging follows the shape of what is kept of a judgment."""

from __future__ import annotations

import ast
import hashlib
import inspect
import re
import sys
from functools import cache
from typing import TYPE_CHECKING, Any, Final, get_args, get_type_hints

from msgspec import Struct

from workflow.catalogue import JUDGE_VERSION
from workflow.model import AppointmentTold, Dossier

if TYPE_CHECKING:
    from collections.abc import Iterator

SHAPE: Final = (5, "2210710e2e7811884453807773d561e89d8c92088f69cd541418bc78ca556551")
"""The number, and the digest of the fields of a kept judgment in their order with their types. Where this test fails,
this engine no longer reads what stores hold: raise JUDGE_VERSION, and write both down here."""


def shape(kind: type[Struct]) -> Iterator[str]:
    """The fields of a structure in their order, each with its type, and those of the structures in it."""
    hints = get_type_hints(kind)
    module = sys.modules[kind.__module__]
    for name in kind.__struct_fields__:
        yield f"{kind.__name__}.{name}: {hints[name]}"
        for word in re.findall(r"\w+", kind.__annotations__[name]):
            yield from untyped(inspect.getsource(module)).get(word, ())
        for part in parts(hints[name]):
            yield from shape(part)


@cache
def untyped(source: str) -> dict[str, tuple[str]]:
    """What a module says of kinds of values that msgspec knows nothing of: they are `Any` to it."""
    blocks = [node for node in ast.parse(source).body if isinstance(node, ast.If)]
    named = [one for block in blocks for one in block.body if isinstance(one, ast.AnnAssign)]
    said = {ast.unparse(one.target): one.value for one in named}
    return {name: (f"{name} = {ast.unparse(value)}",) for name, value in said.items() if value is not None}


def parts(hint: Any) -> Iterator[type[Struct]]:
    if isinstance(hint, type) and issubclass(hint, Struct):
        yield hint
    for one in get_args(hint):
        yield from parts(one)


def test_another_shape_of_a_kept_judgment_is_another_version_of_the_judging() -> None:
    fields = [*shape(Dossier)]
    assert any(field.startswith(f"{AppointmentTold.__name__}.") for field in fields)
    assert any(re.match(r"RegisterValue = .*\bDecimal\b", field) for field in fields)

    digest = hashlib.sha256("\n".join(fields).encode()).hexdigest()

    assert (JUDGE_VERSION, digest) == SHAPE
