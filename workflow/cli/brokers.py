"""The broker a command works with, the prefix of our topics, and where the health of a running process is asked."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from consumers.contract.topics import PREFIX
from workflow.errors import UsageError, Words

if TYPE_CHECKING:
    from collections.abc import Callable

HEALTH_PORT: Final = 8080


class Broker(NamedTuple):
    """Where Kafka is, and what our topics' names begin with."""

    servers: str
    prefix: str


def broker_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--brokers` and `--prefix`; the command receives them as `broker`."""

    @wraps(command)
    def placed(*, brokers: str, prefix: str, **asked: Any) -> Any:  # noqa: ANN401 - whatever the command takes
        return command(broker=Broker(brokers, prefix), **asked)

    for option in (_PREFIX, _BROKERS):
        placed = option(placed)
    return placed


class _Addresses(click.ParamType[str]):
    """Addresses of brokers, kept as they were written."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002 - click's
        """Raises UsageError where one is no host:port: the library would look for it for ever, or fail within."""
        for one in value.split(","):
            host, _, port = one.strip().rpartition(":")
            if not host or not (port.isascii() and port.isdigit() and 0 < int(port) < 1 << 16):
                raise UsageError(
                    "--brokers: expected addresses such as kafka.example:9092, several with commas between them, "
                    "found {found}; correct it, or DUNGHEN_BROKERS",
                    found=one.strip() or Words("nothing"),
                    reason="no_address",
                )
        return value


ADDRESSES: Final = _Addresses()
_BROKERS: Final = click.option(
    "--brokers",
    type=ADDRESSES,
    default="127.0.0.1:9092",
    show_default=True,
    envvar="DUNGHEN_BROKERS",
    help="Kafka: host:port, several with commas between them.",
)
_PREFIX: Final = click.option(
    "--prefix",
    default=PREFIX,
    show_default=True,
    envvar="DUNGHEN_PREFIX",
    help="What the names of our topics begin with.",
)


def health_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--health-port` and `--health-host` of a command that keeps running."""
    return _HEALTH_PORT(_HEALTH_HOST(command))


_HEALTH_PORT: Final = click.option(
    "--health-port",
    type=click.IntRange(0, 65535),
    default=HEALTH_PORT,
    show_default=True,
    envvar="DUNGHEN_HEALTH_PORT",
    help="The port of /livez, /readyz and /metrics; 0 takes a free one, which the log tells.",
)
_HEALTH_HOST: Final = click.option(
    "--health-host",
    default="127.0.0.1",
    show_default=True,
    envvar="DUNGHEN_HEALTH_HOST",
    help="The address they are asked at. They have no password: name another only inside a closed network.",
)
