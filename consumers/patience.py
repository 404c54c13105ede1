"""How long to wait before a further attempt."""

from __future__ import annotations

import random
from typing import Final

from msgspec import Struct

from workflow.settings import Whole32

PREFIX: Final = "DUNGHEN_RETRY_"
LEAST_S: Final = 0.2
MOST_S: Final = 10.0


class Patience:
    """Waits that double from attempt to attempt up to a limit, each at random below that, until one succeeds.

    At random, so that many who failed together do not come back together.
    """

    def __init__(self, least_s: float = LEAST_S, most_s: float = MOST_S) -> None:
        """Begins with the shortest wait; none is longer than `most_s`."""
        self._least_s, self._limit_s = least_s, most_s
        self._most_s = least_s
        self.attempts = 0

    def wait_s(self) -> float:
        """Seconds to wait before the next attempt."""
        self.attempts += 1
        most_s, self._most_s = self._most_s, min(2 * self._most_s, self._limit_s)
        return random.uniform(most_s / 2, most_s)  # noqa: S311 - a jitter, no secret

    def rewarded(self) -> None:
        """An attempt succeeded: the next fault begins with the shortest wait again."""
        self._most_s = self._least_s
        self.attempts = 0


class RetrySettings(Struct, frozen=True, kw_only=True):
    """How long to wait between attempts while a broker or a database is away, in milliseconds.

    `wait_least_ms`: after the first fault. `wait_most_ms`: however many there were.
    """

    wait_least_ms: Whole32 = int(1_000 * LEAST_S)
    wait_most_ms: Whole32 = int(1_000 * MOST_S)

    def patience(self) -> Patience:
        """A patience of its own for one loop."""
        return Patience(self.wait_least_ms / 1_000, self.wait_most_ms / 1_000)


DEFAULT: Final = RetrySettings()
