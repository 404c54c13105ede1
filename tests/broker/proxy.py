"""A network that fails when told to: it stands between a client and a server, on loopback."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from threading import Lock, Thread
from typing import TYPE_CHECKING, Final, Literal, Self, TypeAlias

if TYPE_CHECKING:
    from types import TracebackType

Network: TypeAlias = Literal["whole", "cut", "silent", "one way", "slow"]
"""`cut`: connections end and new ones are refused. `silent`: they stay, and nothing comes through. `one way`: what
the server says is lost. `slow`: each answer takes DELAY_S longer."""
DELAY_S: Final = 0.2
Address: TypeAlias = tuple[str, int] | str


class Proxy:
    """Takes connections and passes on what they say, both ways. `network` may be changed at any time."""

    def __init__(self) -> None:
        """Listens on a free port; `target` is to be set before the first connection."""
        self.target: Address = ""
        self._network: Network = "whole"
        self._lock = Lock()
        self._open: set[socket.socket] = set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        Thread(target=self._listen, daemon=True).start()

    @property
    def network(self) -> Network:
        return self._network

    @network.setter
    def network(self, network: Network) -> None:
        """What was swallowed in between is gone: so a network that is whole again begins with new connections."""
        before, self._network = self._network, network
        if network == "cut" or (network == "whole" and before != "slow"):
            self._end_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A thread that accepts is not woken by `close` alone.
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._end_all()

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            if self._network == "cut":
                client.close()
                continue
            try:
                server = self._connected()
            except OSError:
                client.close()
                continue
            with self._lock:
                self._open |= {client, server}
            Thread(target=self._pass, args=(client, server, "there"), daemon=True).start()
            Thread(target=self._pass, args=(server, client, "back"), daemon=True).start()

    def _connected(self) -> socket.socket:
        if isinstance(self.target, str):
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.target)
            return server
        return socket.create_connection(self.target)

    def _pass(self, giver: socket.socket, taker: socket.socket, way: str) -> None:
        with suppress(OSError):
            while piece := giver.recv(1 << 16):
                network = self._network
                if network == "silent" or (network, way) == ("one way", "back"):
                    continue
                if (network, way) == ("slow", "back"):
                    time.sleep(DELAY_S)  # it is what a slow network does
                taker.sendall(piece)
        for one in (giver, taker):
            self._end(one)

    def _end(self, one: socket.socket) -> None:
        with self._lock:
            self._open.discard(one)
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()

    def _end_all(self) -> None:
        with self._lock:
            found = list(self._open)
        for one in found:
            self._end(one)
