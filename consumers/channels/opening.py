"""The senders of a routes file, with the secrets, passwords and certificates it names, read once, at start."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from zoneinfo import ZoneInfo

from consumers.channels.mail import MailSender, Speech
from consumers.channels.webhook import WebhookSender, secret_of
from workflow import masking
from workflow.alerts.routes import refused
from workflow.errors import Words

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumers.channels.wording import Content
    from workflow.alerts.routes import Routes
    from workflow.yamltree import Placed
    from workflow.yamltyped import Keys

Send: TypeAlias = "Callable[[Content], None]"
"""Sends a delivery and returns when it was taken; raises ChannelAway or ChannelRefused."""


def senders(one: Placed[Routes]) -> dict[str, Send]:
    """The sender of each channel, by its name. Files are beside the routes file unless their path is absolute.

    Raises DefinitionError with the place that names a file which cannot be read, or holds no secret.
    """
    folder = Path(one.name).parent
    return {
        **{name: _webhook(one, name, folder) for name in one.value.webhooks},
        **{name: _mail(one, name, folder) for name in one.value.mail},
    }


def _webhook(one: Placed[Routes], name: str, folder: Path) -> Send:
    told, path = one.value.webhooks[name], ("webhooks", name)
    keys = []
    for index, file in enumerate(told.secrets):
        at = (*path, "secrets", index)
        key = secret_of(_read(one, at, folder / file))
        if key is None:
            raise refused(
                one,
                at,
                Words("a file with whsec_ and the base64 of 24 to 64 bytes"),
                Words("something else in {file}", file=file),
            )
        keys.append(key)
    return WebhookSender(
        told.url,
        keys,
        timeout_s=told.timeout_seconds,
        context=_context(one, (*path, "authority"), told.authority, folder),
    )


def _mail(one: Placed[Routes], name: str, folder: Path) -> Send:
    told, path = one.value.mail[name], ("mail", name)
    password = None if told.password is None else _read(one, (*path, "password"), folder / told.password)
    if password == "":
        raise refused(
            one,
            (*path, "password"),
            Words("a file with the password"),
            Words("nothing in {file}", file=told.password),
        )
    context = _context(one, (*path, "authority"), told.authority, folder)
    return MailSender(told, password, context=context, speech=Speech(ZoneInfo(one.value.zone), told.lang))


def _read(one: Placed[Routes], path: Keys, file: Path) -> str:
    """The secret in a file; it is masked wherever it would be logged."""
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else Words("bytes that are no text")
        found = Words("{file}: {why}", file=file, why=why)
        raise refused(one, path, Words("a file that can be read"), found) from fault
    masking.hide(text)
    return text


def _context(one: Placed[Routes], path: Keys, authority: str | None, folder: Path) -> ssl.SSLContext:
    if authority is None:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=folder / authority)
    except OSError as fault:
        why = fault.strerror or str(fault)
        raise refused(one, path, Words("a file of certificates"), f"{authority}: {why}") from fault
