"""How long to wait before a further attempt."""

from __future__ import annotations

import random
from typing import Annotated, Final

from msgspec import Meta, Struct

PREFIX: Final = "DUNGHEN_RETRY_"


class RetrySettings(Struct, frozen=True, kw_only=True):
    """How long to wait between attempts while a broker or a database is away, in milliseconds.

    `wait_least_ms`: after the first fault. `wait_most_ms`: however many there were.
    """

    wait_least_ms: Annotated[int, Meta(ge=1)] = 200
    wait_most_ms: Annotated[int, Meta(ge=1)] = 10_000


DEFAULT: Final = RetrySettings()


class Patience:
    """Waits that double from attempt to attempt up to a limit, each at random below that, until one succeeds.

    At random, so that many who failed together do not come back together.
    """

    def __init__(self, settings: RetrySettings = DEFAULT) -> None:
        """Begins with the shortest wait."""
        self._settings = settings
        self._most_s = settings.wait_least_ms / 1_000
        self.attempts = 0

    def wait_s(self) -> float:
        """Seconds to wait before the next attempt."""
        self.attempts += 1
        most_s, self._most_s = self._most_s, min(2 * self._most_s, self._settings.wait_most_ms / 1_000)
        return random.uniform(most_s / 2, most_s)  # noqa: S311 - a jitter, no secret

    def rewarded(self) -> None:
        """An attempt succeeded: the next fault begins with the shortest wait again."""
        self._most_s = self._settings.wait_least_ms / 1_000
        self.attempts = 0
