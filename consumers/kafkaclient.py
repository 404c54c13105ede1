"""How a connection to Kafka is made and ended, and what its faults mean: the base of both doors."""

from __future__ import annotations

import ssl
from contextlib import contextmanager, nullcontext
from threading import Timer
from typing import TYPE_CHECKING, Any, Final

from kafka import KafkaAdminClient
from kafka.errors import (
    FencedInstanceIdError,
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    SaslAuthenticationFailedError,
    UnsupportedSaslMechanismError,
)
from kafka.net.compat import KafkaNetClient
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector

from consumers.kafkasettings import PREFIX
from workflow.errors import BrokerError, BrokerRefused, BrokerUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_RECONNECT_MS: Final = {"reconnect_backoff_ms": 50, "reconnect_backoff_max_ms": 1_000}
"""Kafka's own waits half a minute in the end; a broker that is back should be found within a second or two."""
ANSWER_MS: Final = 10_000
"""How long a broker may take to answer."""
TELL_AFTER_S: Final = 3.0
"""After so long without a broker whoever waits for one is told so."""
NO_NAME: Final = (SaslAuthenticationFailedError, UnsupportedSaslMechanismError, IllegalSaslStateError)
"""The broker knows us not by what we say of ourselves."""


class NoTrust(KafkaError):  # type: ignore[misc] # a library without types
    """The encrypted connection could not be agreed on, and will not be when it is tried again."""


class _Manager(KafkaConnectionManager):  # type: ignore[misc] # as above
    """Keeps why the last connection failed, which the library forgets, and a refusal that no attempt will change.

    Where a refusal is kept for a broker, the library raises it instead of trying again until its time is over.
    """

    last: Exception | None = None

    async def _connect(self, node: Any, conn: Any, *more: Any, **named: Any) -> None:  # noqa: ANN401 - as above
        await super()._connect(node, conn, *more, **named)
        if not conn.init_future.failed() or self.bootstrapped:
            return
        self.last = conn.init_future.exception
        refusal = _for_good(self.last)
        if refusal is not None:
            self._auth_failures[node.node_id] = refusal


def _for_good(fault: Exception | None) -> KafkaError | None:
    if isinstance(fault, NO_NAME):
        return fault
    cause = fault.__context__ if isinstance(fault, KafkaConnectionError) else fault
    if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError):
        # What it says of itself names a line of the library's source.
        return NoTrust(getattr(cause, "verify_message", None) or cause.reason or str(cause))
    return None


def tombstone(record: Any) -> bool:  # noqa: ANN401 - the library's
    """Whether a record only says that its key is gone, as Debezium has it behind a removed row: it tells nothing.

    No value at all is meant, not one of no bytes; an event whose attributes are headers may do without a value.
    """
    return record.value is None and not any(name.startswith("ce_") for name, _ in record.headers)


def answers(servers: str, *, timeout_ms: int) -> bool:
    """Whether a broker gives the metadata of its cluster within this time."""
    try:
        admin = connected(KafkaAdminClient, bootstrap_servers=servers, bootstrap_timeout_ms=timeout_ms)
    except KafkaError:
        return False
    admin.close()
    return True


def connected(
    kind: Any,  # noqa: ANN401 - a library without types
    waiting: Callable[[str], None] | None = None,
    tell_after_s: float = TELL_AFTER_S,
    **settings: Any,  # noqa: ANN401 - as above
) -> Any:  # noqa: ANN401 - as above
    """A client of this kind, with what every client of ours has. Raises KafkaError.

    One that finds no broker is ended whole: by itself it leaves a thread and sockets. `waiting` is told, once, from a
    thread of its own, what the last attempt met (nothing, where none came to its end) if there is no broker after
    `tell_after_s`.
    """
    made: list[tuple[_Manager, Any]] = []

    def network(**more: Any) -> Any:  # noqa: ANN401 - as above
        selector = NetworkSelector(**more)
        manager = _Manager(selector, **more)
        client = KafkaNetClient(net=selector, manager=manager, **more)
        made.append((manager, client))
        return client

    def seen() -> str:
        return next((str(manager.last) for manager, _ in made if manager.last is not None), "")

    try:
        telling = _told_after(tell_after_s, lambda: waiting(seen())) if waiting else nullcontext()
        with telling:
            return kind(kafka_client=network, **_RECONNECT_MS, **settings)
    except KafkaError as fault:
        last = None
        for manager, client in made:
            last = manager.last
            client.close()
        if isinstance(fault, KafkaTimeoutError) and last is not None:
            raise KafkaTimeoutError(str(last)) from fault
        raise


@contextmanager
def _told_after(seconds: float, tell: Callable[[], object]) -> Iterator[None]:
    timer = Timer(seconds, tell)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def fault_of(servers: str, fault: KafkaError) -> BrokerError:
    """The error of ours that a fault of the library is: whether asking again may cure it."""
    said = str(fault) or type(fault).__name__
    if isinstance(fault, NoTrust):
        return BrokerRefused(
            "{broker}: expected an encrypted connection to a broker with a trusted certificate, found none ({found}); "
            "name the authority that signed it in {prefix}CA_FILE and the broker by a name its certificate holds, or "
            "see that this port is the encrypted one",
            broker=servers,
            found=said,
            prefix=PREFIX,
            reason="not_trusted",
        )
    if isinstance(fault, NO_NAME):
        return BrokerRefused(
            "{broker}: expected a name and a password that it knows, it refused them ({found}); correct {prefix}SASL, "
            "{prefix}USER and the file in {prefix}PASSWORD_FILE, or have it know this account",
            broker=servers,
            found=said,
            prefix=PREFIX,
            reason="not_authenticated",
        )
    if isinstance(fault, FencedInstanceIdError):
        return BrokerRefused(
            "{broker}: another worker joined under the name of this one and has its place; give each a name of its own "
            "in {prefix}MEMBER, or none",
            broker=servers,
            prefix=PREFIX,
            reason="name_taken",
        )
    if isinstance(fault, KafkaTimeoutError) or fault.retriable:
        return BrokerUnreachable(
            "{broker}: no answer in time ({found}); see that it runs, that its address is right, that encryption and "
            "name are set as it wants them ({prefix}TLS, {prefix}SASL), and that the topics are there: dunghen topics "
            "create --dry-run",
            broker=servers,
            found=said,
            prefix=PREFIX,
        )
    return BrokerRefused(
        "{broker}: it refused what was asked ({found}); give this account the rights it needs, or correct the settings",
        broker=servers,
        found=said,
    )
