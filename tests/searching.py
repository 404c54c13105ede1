"""How far properties are searched: `make check` looks at few cases, `make test` at many."""

from __future__ import annotations

import os
from typing import Final

PROFILE: Final = os.environ.get("DUNGHEN_TEST_PROFILE", "test")
"""`check` or `test`, as the Makefile sets it."""

_SHARE: Final = {"check": 8, "test": 1}[PROFILE]


def examples(many: int, least: int = 10) -> int:
    """So many cases in `make test`, an eighth of them in `make check`, but no fewer than `least`."""
    return many if _SHARE == 1 else max(min(many, least), many // _SHARE)
