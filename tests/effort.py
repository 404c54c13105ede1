"""How much was done, not how long it took: a machine under load must not turn a test red."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class Effort:
    """Calls of functions, Python's own and those in C."""

    calls = 0


@contextmanager
def counted() -> Iterator[Effort]:
    """Counts the calls made within; the same code on the same values makes the same number on every machine."""
    effort = Effort()

    def note(_frame: Any, event: str, _what: Any) -> None:
        effort.calls += event.endswith("call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield effort
    finally:
        sys.setprofile(before)
