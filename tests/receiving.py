"""Receivers of what goes through channels: a real HTTP server, a real SMTP server, and certificates of their own."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import EmailMessage
    from pathlib import Path

HERE: Final = "127.0.0.1"
SECRET: Final = "whsec_MfKQ9r8GKYqTwjUPD8ILPZIo2LaLaSw0MfKQ9r8GKYo="  # noqa: S105 - of the tests alone

LOOK_S: Final = 0.02
"""How often a server looks whether it is to end: each of hundreds of tests waits for that."""


class Got(NamedTuple):
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


class Desk:
    """Takes webhooks: answers each with what `answers` says, 200 unless told else; remembers all of them."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.answers: Callable[[Got], int] = lambda _: 200
        self.headers: dict[str, str] = {}
        self.port = 0
        self._came = Condition()

    @property
    def url(self) -> str:
        return f"http://{HERE}:{self.port}/alerts?from=dunghen"

    def take(self, got: Got) -> int:
        with self._came:
            self.got.append(got)
            self._came.notify_all()
        return self.answers(got)

    def wait(self, reached: Callable[[list[Got]], bool], within_s: float = 60) -> list[Got]:
        """What has come once it is as asked."""
        with self._came:
            assert self._came.wait_for(lambda: reached(self.got), within_s), self.got
            return list(self.got)


@contextmanager
def desk(context: ssl.SSLContext | None = None, port: int = 0) -> Iterator[Desk]:
    """A desk that listens until the block ends; by TLS with a context."""
    found = Desk()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = found.take(Got(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(status)
            for name, value in found.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_said: object) -> None:
            pass

    server = ThreadingHTTPServer((HERE, port), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    found.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, args=(LOOK_S,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Post:
    """Takes mail: `refuses` says what it answers to an address or to a text instead of taking it."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.to: list[str] = []
        self.refuses: dict[str, str] = {}
        self.port = 0
        self.user = b"dunghen"
        self.password = b"a long word"

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - as above
        if "DATA" in self.refuses:
            return self.refuses["DATA"]
        self.to += envelope.rcpt_tos
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        return "250 OK"

    def __call__(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, told: Any) -> AuthResult:
        assert isinstance(told, LoginPassword)
        return AuthResult(success=(told.login, told.password) == (self.user, self.password), handled=False)


class _Bound(Controller):
    """A controller on a port the system chooses, and which says which."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call] # the library's own


@contextmanager
def post(context: ssl.SSLContext | None = None, *, port: int = 0) -> Iterator[Post]:
    """A server of mail until the block ends; with a context it asks for STARTTLS and a password first."""
    found = Post()
    settings: dict[str, Any] = {"auth_required": False}
    if context is not None:
        settings = {"tls_context": context, "require_starttls": True, "auth_required": True}
        settings["authenticator"] = found
    server = _Bound(found, hostname=HERE, port=port, ready_timeout=30, **settings)
    server.start()
    found.port = server.port
    try:
        yield found
    finally:
        server.stop()


class Certificate(NamedTuple):
    """A certificate for 127.0.0.1 that signs itself, and the context of a server that shows it."""

    path: Path
    context: ssl.SSLContext


def certificate(folder: Path) -> Certificate:
    """One made now."""
    openssl = shutil.which("openssl")
    assert openssl, "openssl is needed to make a certificate"
    key, path = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-days", "2", "-subj", "/CN=dunghen-test", "-addext", f"subjectAltName=IP:{HERE}"),
            *("-keyout", str(key), "-out", str(path)),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key)
    return Certificate(path, context)
