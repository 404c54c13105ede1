"""A bound on a whole exchange with a receiver. A time-out of a socket begins anew with each byte that drips in."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from threading import Timer
from typing import TYPE_CHECKING, Self

from workflow.errors import Words

if TYPE_CHECKING:
    from types import TracebackType


class Within:
    """Ends the connection it is given where the block takes longer: reading and writing on it then fail at once.

    The block then ends with TimeoutError, whatever else failed in it for that.
    """

    def __init__(self, seconds: float) -> None:
        """They run from the block's beginning."""
        self._seconds = seconds
        self._timer = Timer(seconds, self._end)
        self._timer.daemon = True
        self._held: socket.socket | None = None
        self._over = False

    def hold(self, connection: socket.socket) -> None:
        """Bounds this connection, and whatever encryption is put over it later."""
        # A handle of our own: the connection's object is another once it is encrypted, and may be closed any moment.
        self._held = socket.socket(fileno=os.dup(connection.fileno()))
        if self._over:
            self._end()

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._timer.join()
        if self._held is not None:
            self._held.close()
        # An answer cut off may look whole: what took too long was not answered.
        if self._over and (fault is None or isinstance(fault, Exception)):
            raise TimeoutError(Words("timed out after {seconds} s", seconds=f"{self._seconds:g}")) from fault

    def _end(self) -> None:
        self._over = True
        if self._held is not None:
            with suppress(OSError):
                self._held.shutdown(socket.SHUT_RDWR)
