"""The number of the judging follows the shape of what is kept of a judgment."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final, get_args, get_type_hints

from msgspec import Struct

from workflow.catalogue import JUDGE_VERSION
from workflow.model import AppointmentTold, Dossier

if TYPE_CHECKING:
    from collections.abc import Iterator

SHAPE: Final = (5, "6017eefa5cd1baaa95f6e2fb2af9c01c57c3b026ea54127e8a13494dc9e3b058")
"""The number, and the digest of the fields of a kept judgment in their order with their types. Where this test fails,
this engine no longer reads what stores hold: raise JUDGE_VERSION, and write both down here."""


def shape(kind: type[Struct]) -> Iterator[str]:
    """The fields of a structure in their order, each with its type, and those of the structures in it."""
    hints = get_type_hints(kind)
    for name in kind.__struct_fields__:
        yield f"{kind.__name__}.{name}: {hints[name]}"
        for part in parts(hints[name]):
            yield from shape(part)


def parts(hint: Any) -> Iterator[type[Struct]]:
    if isinstance(hint, type) and issubclass(hint, Struct):
        yield hint
    for one in get_args(hint):
        yield from parts(one)


def test_another_shape_of_a_kept_judgment_is_another_version_of_the_judging() -> None:
    fields = [*shape(Dossier)]
    assert any(field.startswith(f"{AppointmentTold.__name__}.") for field in fields)

    digest = hashlib.sha256("\n".join(fields).encode()).hexdigest()

    assert (JUDGE_VERSION, digest) == SHAPE
