"""The log: one JSON object a line on standard error, or a line for people where that is a terminal.

Nothing personal and no secret leaves the process here: every line goes through `workflow/masking.py`.
"""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal, TextIO, TypeAlias

import msgspec
import structlog

from workflow.masking import masked

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import Any

Form: TypeAlias = Literal["json", "console"]
QUIET: Final = ("kafka.net",)
"""Loggers of libraries that tell each attempt to connect, several a second: whoever asked says what comes of it."""


REPEATED_S: Final = 60.0
REMEMBERED: Final = 100
"""Lines of libraries of which it is known when they were said last."""


def start(stream: TextIO | None = None, form: Form | None = None) -> None:
    """Begins to log to `stream`, standard error by default. `form`: by default `console` on a terminal.

    What libraries log as a warning or worse goes the same way. Called once, by the commands that keep running.
    """
    out = sys.stderr if stream is None else stream
    console = out.isatty() if form is None else form == "console"
    structlog.configure(
        processors=[_stamp, masked, _console if console else _json],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=out),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_Forwarded(logging.WARNING)]
    root.setLevel(logging.WARNING)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def info(event: str, /, **fields: object) -> None:
    """One line about something that went as it should."""
    structlog.get_logger().info(event, **fields)


def warning(event: str, /, **fields: object) -> None:
    """One line about something that someone should look at in time."""
    structlog.get_logger().warning(event, **fields)


def error(event: str, /, **fields: object) -> None:
    """One line about something that stops or loses work until someone acts."""
    structlog.get_logger().error(event, **fields)


def _stamp(_logger: object, method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    return {"at": at, "level": method, "event": fields.pop("event", ""), **fields}


def _json(_logger: object, _method: str, fields: MutableMapping[str, Any]) -> str:
    return msgspec.json.encode(fields).decode()


def _console(_logger: object, _method: str, fields: MutableMapping[str, Any]) -> str:
    head = f"{fields.pop('at')[11:19]} {fields.pop('level'):<7} {fields.pop('event')}"
    return " ".join([head, *(f"{name}={value}" for name, value in fields.items())])


class _Forwarded(logging.Handler):
    """Lines of libraries, through the same masks; what one says again and again is said now and then."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self._said_at: dict[tuple[str, str], float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Says one line of a library, unless it said the same just before."""
        line = record.name, record.getMessage()
        if record.created - self._said_at.get(line, 0.0) < REPEATED_S:
            return
        self._said_at.pop(line, None)
        self._said_at[line] = record.created
        if len(self._said_at) > REMEMBERED:
            del self._said_at[next(iter(self._said_at))]
        say = error if record.levelno >= logging.ERROR else warning
        say("library", library=record.name, said=record.getMessage())
