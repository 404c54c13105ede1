"""`/livez`, `/readyz` and `/metrics` over HTTP, for whatever watches this process. Loopback unless told else."""

from __future__ import annotations

import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Final, NamedTuple

from consumers.metrics import CONTENT_TYPE
from workflow.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from consumers.metrics import Metrics

LOOPBACK: Final = "127.0.0.1"
STALLED_S: Final = 120.0
"""A loop that did not come round for so long is taken for dead: longer than any wait of ours for a database."""
REQUEST_S: Final = 5.0
LOOK_S: Final = 0.1
"""How often the server looks whether it is to end, so that a process that is told to end does not wait for it."""


class Health:
    """Whether this process does its work: told by its loops, asked by the watcher.

    Alive: every loop came round lately. Ready: every part said last that nothing stands in its way.
    """

    def __init__(self, parts: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        """`parts` are the loops; none is ready before it says so."""
        self._clock = clock
        self._beats = dict.fromkeys(parts, clock())
        self._problems: dict[str, str | None] = dict.fromkeys(parts, "starting")

    def beat(self, part: str, problem: str | None = None) -> None:
        """A loop came round: what stands in its way, if anything."""
        self._beats[part] = self._clock()
        self._problems[part] = problem

    def finished(self, part: str) -> None:
        """A loop has done all it had to do: nothing more is expected of it."""
        self._beats.pop(part, None)
        self._problems.pop(part, None)

    def stalled(self) -> list[str]:
        """The loops that did not come round lately, with how long."""
        now = self._clock()
        ages = {part: now - beat for part, beat in dict(self._beats).items()}
        return [f"{part}: no round for {age:.0f} s" for part, age in ages.items() if age > STALLED_S]

    def problems(self) -> list[str]:
        """What stands in the way of the work."""
        known = dict(self._problems)
        return [f"{part}: {problem}" for part, problem in known.items() if problem is not None]


class _Answer(NamedTuple):
    status: int
    content_type: str
    body: bytes


@contextmanager
def served(health: Health, metrics: Metrics, port: int, host: str = LOOPBACK) -> Iterator[int]:
    """Answers in a thread of its own until the block ends; the port it listens on, which `port` 0 leaves open.

    Raises UsageError where the port cannot be had.
    """

    def answer(path: str) -> _Answer:
        if path == "/metrics":
            return _Answer(200, CONTENT_TYPE, metrics.text())
        if path == "/livez":
            return _said(health.stalled())
        if path == "/readyz":
            return _said([*health.stalled(), *health.problems()])
        return _Answer(404, "text/plain; charset=utf-8", b"expected /livez, /readyz or /metrics\n")

    try:
        server = ThreadingHTTPServer((host, port), _handler(answer))
    except OSError as fault:
        raise UsageError(
            "{host}:{port}: cannot listen there ({found}); name another with --health-port or --health-host",
            host=host,
            port=port,
            found=fault.strerror or str(fault),
            reason="port_taken",
        ) from fault
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(LOOK_S,), name="health", daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _said(problems: list[str]) -> _Answer:
    body = "".join(f"{line}\n" for line in problems or ["ok"])
    return _Answer(503 if problems else 200, "text/plain; charset=utf-8", body.encode())


def _handler(answer: Callable[[str], _Answer]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = REQUEST_S
        server_version = "dunghen"
        sys_version = ""

        def do_GET(self) -> None:
            self._answer(whole=True)

        def do_HEAD(self) -> None:
            self._answer(whole=False)

        def _answer(self, *, whole: bool) -> None:
            found = answer(self.path.partition("?")[0])
            self.send_response(found.status)
            self.send_header("Content-Type", found.content_type)
            self.send_header("Content-Length", str(len(found.body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            if whole:
                self.wfile.write(found.body)

        def log_message(self, *_said: object) -> None:
            """Nothing: a scrape each few seconds would hide what matters."""

    return Handler
