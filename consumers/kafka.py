"""The one door to Kafka."""

from __future__ import annotations

from typing import Any, Final

from kafka import KafkaAdminClient
from kafka.errors import KafkaError
from kafka.net.compat import KafkaNetClient

_RECONNECT_MS: Final = {"reconnect_backoff_ms": 50, "reconnect_backoff_max_ms": 1_000}
"""Kafka's own waits half a minute in the end; a broker that is back should be found within a second or two."""


def answers(servers: str, *, timeout_ms: int) -> bool:
    """Whether a broker gives the metadata of its cluster within this time."""
    try:
        admin = _connected(KafkaAdminClient, bootstrap_servers=servers, bootstrap_timeout_ms=timeout_ms)
    except KafkaError:
        return False
    admin.close()
    return True


def _connected(kind: Any, **settings: Any) -> Any:  # noqa: ANN401 - a library without types
    """A client of this kind. One that finds no broker is ended whole: by itself it leaves a thread and sockets."""
    clients: list[Any] = []

    def network(**more: Any) -> Any:  # noqa: ANN401 - as above
        clients.append(KafkaNetClient(**more))
        return clients[-1]

    try:
        return kind(kafka_client=network, **_RECONNECT_MS, **settings)
    except KafkaError:
        for client in clients:
            client.close()
        raise
