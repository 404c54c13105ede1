"""The one door to webhooks: a POST signed after Standard Webhooks 1.0, without redirects."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

from consumers.channels.faults import why
from consumers.channels.within import Within
from consumers.channels.wording import payload
from workflow.errors import ChannelAway, ChannelRefused

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Sequence

    from consumers.channels.wording import Content

SECRET: Final = "whsec_"  # noqa: S105 - what a secret begins with
SECRET_BYTES: Final = (24, 64)
TRY_AGAIN: Final = (408, 425, 429)
"""Refusals that are of the moment: too slow, too early, too often. All from 500 on are too."""
WAIT_S_MAX: Final = 3_600.0


def secret_of(text: str) -> bytes | None:
    """The key in a secret as Standard Webhooks writes it, `whsec_` and base64 of 24 to 64 bytes; None for any other."""
    try:
        key = base64.b64decode(text.strip().removeprefix(SECRET), validate=True)
    except (binascii.Error, ValueError):
        return None
    least, most = SECRET_BYTES
    return key if text.strip().startswith(SECRET) and least <= len(key) <= most else None


def signature(keys: Sequence[bytes], identifier: str, at_s: int, body: bytes) -> str:
    """`webhook-signature`: for each key `v1,` and the base64 of HMAC-SHA256 over id, seconds since 1970 and body."""
    signed = f"{identifier}.{at_s}.".encode() + body
    made = (base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode() for key in keys)
    return " ".join(f"v1,{one}" for one in made)


class _Answer(NamedTuple):
    status: int
    retry_after: str


class WebhookSender:
    """Sends deliveries to one address. Its receiver tells repeats by `webhook-id`."""

    def __init__(
        self,
        url: str,
        keys: Sequence[bytes],
        *,
        timeout_s: float,
        context: ssl.SSLContext,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`context`: how its certificate is looked at. Connects anew for each delivery."""
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._name = f"{parts.scheme}://{parts.netloc}"
        self._secure = parts.scheme == "https"
        self._keys, self._timeout_s, self._context, self._clock = keys, timeout_s, context, clock

    def __call__(self, content: Content) -> None:
        """Returns when it was taken. Raises ChannelAway where it may be sent again, ChannelRefused where not."""
        body, identifier, at_s = payload(content), content.delivery.id, int(self._clock().timestamp())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "dunghen",
            "webhook-id": identifier,
            "webhook-timestamp": str(at_s),
            "webhook-signature": signature(self._keys, identifier, at_s, body),
        }
        try:
            answer = self._post(body, headers)
        except (OSError, HTTPException) as fault:
            raise ChannelAway(
                "{channel}: no answer ({found}); it is tried again",
                channel=self._name,
                found=why(fault),
            ) from fault
        if 200 <= answer.status < 300:  # noqa: PLR2004 - HTTP's own word for success
            return
        self._refuse(answer)

    def _post(self, body: bytes, headers: dict[str, str]) -> _Answer:
        connection = (
            HTTPSConnection(self._host, self._port, timeout=self._timeout_s, context=self._context)
            if self._secure
            else HTTPConnection(self._host, self._port, timeout=self._timeout_s)
        )
        with Within(self._timeout_s) as bound, closing(connection):
            connection.connect()
            bound.hold(connection.sock)
            connection.request("POST", self._path, body, headers)
            answer = connection.getresponse()
            return _Answer(answer.status, answer.getheader("Retry-After") or "")

    def _refuse(self, answer: _Answer) -> None:
        if answer.status in TRY_AGAIN or answer.status >= 500:  # noqa: PLR2004 - as above
            asked = answer.retry_after
            wait_s = min(float(asked), WAIT_S_MAX) if asked.isascii() and asked.isdecimal() else 0.0
            raise ChannelAway(
                "{channel}: it answered {status}; it is tried again",
                channel=self._name,
                status=answer.status,
                wait_s=wait_s,
            )
        raise ChannelRefused(
            "{channel}: it answered {status}, and would again; correct it, then: dunghen channels resend",
            channel=self._name,
            status=answer.status,
        )
