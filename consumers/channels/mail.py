"""The one door to mail: one message for one address, by SMTP, under a Message-ID that stays."""

from __future__ import annotations

import smtplib
import socket
from contextlib import closing, suppress
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from consumers.channels.faults import why
from consumers.channels.within import Within
from consumers.channels.wording import letter
from workflow.errors import ChannelAway, ChannelRefused

if TYPE_CHECKING:
    import ssl
    from zoneinfo import ZoneInfo

    from consumers.channels.wording import Content
    from workflow.alerts.routes import Mail
    from workflow.i18n import Language

FOR_GOOD: Final = 500
"""SMTP's replies from here on are final; those below are of the moment."""


class _Server(smtplib.SMTP):
    """A connection, encrypted from its first byte where there is a context, whose whole exchange is bounded."""

    def __init__(self, mail: Mail, context: ssl.SSLContext | None, bound: Within) -> None:
        self._encrypts, self._bound = context, bound
        super().__init__(mail.host, mail.port, timeout=mail.timeout_seconds)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        # The library's own place for it, before the first word is read.
        plain = socket.create_connection((host, port), timeout)
        self._bound.hold(plain)
        return plain if self._encrypts is None else self._encrypts.wrap_socket(plain, server_hostname=host)


class Speech(NamedTuple):
    """The zone of a mail's times, and its language."""

    zone: ZoneInfo
    language: Language


class MailSender:
    """Sends deliveries by one server. Whoever gets one twice has the same Message-ID twice."""

    def __init__(self, mail: Mail, password: str | None, *, context: ssl.SSLContext, speech: Speech) -> None:
        """`context`: how the server's certificate is looked at. Connects anew for each delivery."""
        self._mail, self._password, self._context, self._speech = mail, password, context, speech
        self._name = f"{mail.host}:{mail.port}"

    def __call__(self, content: Content) -> None:
        """Returns when the server took it. Raises ChannelAway where it may be sent again, ChannelRefused where not.

        What the server says for good of the address or the text concerns this mail alone; what it says of us, or not
        at all, may be mended.
        """
        address = content.delivery.address
        try:
            with Within(self._mail.timeout_seconds) as bound, closing(self._connected(bound)) as server:
                server.send_message(self._message(content), self._mail.sender, [address])
                with suppress(OSError, smtplib.SMTPException):
                    server.quit()
        except smtplib.SMTPRecipientsRefused as fault:
            code, said = next(iter(fault.recipients.values()))
            raise self._fault(code, said) from fault
        except smtplib.SMTPDataError as fault:
            raise self._fault(fault.smtp_code, fault.smtp_error) from fault
        except smtplib.SMTPResponseException as fault:
            raise self._away(f"{fault.smtp_code} {_text(fault.smtp_error)}") from fault
        except (OSError, smtplib.SMTPException) as fault:
            raise self._away(why(fault)) from fault

    def _connected(self, bound: Within) -> smtplib.SMTP:
        mail = self._mail
        server = _Server(mail, self._context if mail.security == "tls" else None, bound)
        try:
            if mail.security == "starttls":
                server.starttls(context=self._context)
            if mail.user is not None and self._password is not None:
                server.login(mail.user, self._password)
        except (OSError, smtplib.SMTPException):
            server.close()
            raise
        return server

    def _message(self, content: Content) -> EmailMessage:
        one, mail = content.delivery, self._mail
        written = letter(content, *self._speech)
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = mail.sender, one.address, written.subject
        message["Date"] = format_datetime(one.made_at)
        message["Message-ID"] = f"<{one.id}@{mail.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(written.text)
        return message

    def _fault(self, code: int, said: bytes | str) -> ChannelAway | ChannelRefused:
        found = f"{code} {_text(said)}"
        if code < FOR_GOOD:
            return self._away(found)
        return ChannelRefused(
            "{channel}: it refused the mail ({found}), and would again; correct it, then: dunghen channels resend",
            channel=self._name,
            found=found,
        )

    def _away(self, found: str) -> ChannelAway:
        return ChannelAway(
            "{channel}: it took no mail ({found}); it is tried again", channel=self._name, found=found
        )


def _text(said: bytes | str) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else said
