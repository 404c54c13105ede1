"""Routes: which alerts go through which channel, and to whom. docs/channels.md says each word of the file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias
from urllib.parse import urlsplit

from msgspec import Meta

from workflow.errors import DefinitionError, Words
from workflow.messages import ESCALATED, Change, Kind, Topic
from workflow.procedure.language import Definition, Identifier
from workflow.yamltree import contents, placed_one
from workflow.zones import zone_at

if TYPE_CHECKING:
    from pathlib import Path

    from workflow.organisation import Organisation
    from workflow.yamltree import Placed
    from workflow.yamltyped import Keys

Word: TypeAlias = Annotated[str, Meta(min_length=1, max_length=500)]

HERE: Final = ("127.0.0.1", "::1", "localhost")
"""Names of this machine, to which a plain connection may be made."""
ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,255}")
"""An address of mail as our channels take it: ASCII, nothing quoted."""


class Webhook(Definition, frozen=True):
    """An address that takes alerts by POST, each signed after Standard Webhooks.

    `secrets`: the files of its secrets, beside the routes file; each signs, so that one may be exchanged for another.
    `authority`: the file of the certificates it is known by, where those of this machine do not do.
    """

    url: Word
    secrets: Annotated[tuple[Word, ...], Meta(min_length=1, max_length=4)]
    authority: Word | None = None
    timeout_seconds: Annotated[int, Meta(ge=1, le=60)] = 15


class Mail(Definition, frozen=True, rename={"sender": "from"}):
    """A server that takes mail, and the address of each post.

    `user` and `password` (a file) go together. `addresses`: by `post@unit`, or `holder@unit` for whoever holds a
    dossier of that unit.
    """

    host: Word
    port: Annotated[int, Meta(ge=1, le=65535)]
    security: Literal["starttls", "tls", "none"]
    sender: Word
    user: Word | None = None
    password: Word | None = None
    authority: Word | None = None
    addresses: dict[Word, Word] = {}  # noqa: RUF012 - msgspec copies empty defaults
    lang: Literal["vi", "en"] = "vi"
    timeout_seconds: Annotated[int, Meta(ge=1, le=60)] = 15


class Storm(Definition, frozen=True):
    """Above so many alerts within so many minutes, one digest is sent instead of each."""

    alerts: Annotated[int, Meta(ge=1, le=1_000)] = 50
    minutes: Annotated[int, Meta(ge=1, le=1_440)] = 15


class Route(Definition, frozen=True):
    """Alerts that meet every condition named here go through `channel`; of several routes of a channel the first.

    `posts`: those an alert goes to, or who may read it: `post@unit`, `post` of any unit, or `holder`. `rung`: escalated
    at least so often. `says`: what is said of an alert. `address`: where mail goes whose post has no address.
    `gather_seconds`: how long alerts are waited for that go together.
    """

    channel: Identifier
    kinds: tuple[Kind, ...] = ()
    topics: tuple[Topic, ...] = ()
    units: tuple[Identifier, ...] = ()
    posts: tuple[Word, ...] = ()
    rung: Annotated[int, Meta(ge=0, le=10)] = 0
    says: tuple[Change, ...] = ("raised", "changed", "escalated", "resolved", "retracted")
    address: Word | None = None
    storm: Storm = Storm()
    gather_seconds: Annotated[int, Meta(ge=0, le=3_600)] = 30


class Routes(Definition, frozen=True):
    """Every channel by its name, and the routes to them. `zone`: of the times in mail."""

    zone: Word
    routes: Annotated[dict[Identifier, Route], Meta(min_length=1)]
    webhooks: dict[Identifier, Webhook] = {}  # noqa: RUF012 - as above
    mail: dict[Identifier, Mail] = {}  # noqa: RUF012 - as above

    @property
    def channels(self) -> tuple[str, ...]:
        """The names of all channels."""
        return (*self.webhooks, *self.mail)


def read_routes(path: Path, organisation: Organisation | None = None) -> Routes:
    """The routes in a YAML file; with an `organisation` its units and posts are held to it.

    Raises DefinitionError with file:line:column where it cannot be read, names what is not there or contradicts
    itself, UnknownZone.
    """
    return placed_routes(path, organisation).value


def placed_routes(path: Path, organisation: Organisation | None = None) -> Placed[Routes]:
    """The same with the places of its parts, for what is found wrong later."""
    one = placed_one(contents(path), str(path), Routes)
    zone_at(one.value.zone, one.place(("zone",)))
    for name in one.value.webhooks:
        _check_webhook(one, name)
    for name in one.value.mail:
        _check_mail(one, name)
    for name in one.value.routes:
        _check_route(one, name)
    _check_reached(one)
    if organisation is not None:
        _check_organisation(one, organisation)
    return one


def refused(
    one: Placed[Routes], path: Keys, expected: Words, found: object, reason: str = "routes"
) -> DefinitionError:
    """What is wrong at a place of the file, in words that stand in the code."""
    return DefinitionError(
        "{place}: {path}: expected {expected}, found {found}; correct it",
        place=one.place(path),
        path=".".join(map(str, path)),
        expected=expected,
        found=found,
        reason=reason,
    )


def _check_webhook(one: Placed[Routes], name: str) -> None:
    path = ("webhooks", name, "url")
    url = one.value.webhooks[name].url
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise refused(one, path, Words("an address such as https://desk.example/alerts"), url) from None
    if not host or not url.isascii() or not url.isprintable() or " " in url:
        raise refused(one, path, Words("an address such as https://desk.example/alerts"), url)
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise refused(
            one, path, Words("an address without user, password and fragment"), Words("one of them")
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and host in HERE):
        raise refused(one, path, Words("https, or http to this machine"), parts.scheme)


def _check_mail(one: Placed[Routes], name: str) -> None:
    path, mail = ("mail", name), one.value.mail[name]
    if (mail.user is None) != (mail.password is None):
        raise refused(one, path, Words("user and password together, or neither"), Words("one of them"))
    if mail.user is not None and mail.security == "none":
        raise refused(
            one, (*path, "security"), Words("starttls or tls, since a password is sent"), repr(mail.security)
        )
    _check_address(one, (*path, "from"), mail.sender)
    for post, address in mail.addresses.items():
        if post.count("@") != 1 or not all(post.split("@")):
            raise refused(
                one, (*path, "addresses", post), Words("a post such as head@land-office"), repr(post)
            )
        _check_address(one, (*path, "addresses", post), address)


def _check_address(one: Placed[Routes], path: Keys, address: str) -> None:
    if not ADDRESS.fullmatch(address):
        raise refused(one, path, Words("an address such as desk@office.example"), repr(address))


def _check_route(one: Placed[Routes], name: str) -> None:
    path, route = ("routes", name), one.value.routes[name]
    both = one.value.webhooks.keys() & one.value.mail.keys()
    if route.channel in both:
        raise refused(
            one, ("mail", route.channel), Words("a name of its own for each channel"), repr(route.channel)
        )
    if route.channel not in one.value.channels:
        known = ", ".join(one.value.channels) or Words("none")
        raise refused(one, (*path, "channel"), Words("one of: {words}", words=known), repr(route.channel))
    if route.rung and route.kinds and ESCALATED.isdisjoint(route.kinds):
        kinds = ", ".join(sorted(ESCALATED))
        raise refused(
            one,
            (*path, "rung"),
            Words("no rung, as only these are escalated: {kinds}", kinds=kinds),
            route.rung,
        )
    if route.channel in one.value.webhooks and route.address is not None:
        raise refused(one, (*path, "address"), Words("none for a webhook"), repr(route.address))
    if route.channel in one.value.mail:
        if route.address is None:
            raise refused(one, path, Words("an address for those whose post has none"), Words("no address"))
        _check_address(one, (*path, "address"), route.address)


def _check_reached(one: Placed[Routes]) -> None:
    for group, names in (("webhooks", one.value.webhooks), ("mail", one.value.mail)):
        for name in names:
            if not any(route.channel == name for route in one.value.routes.values()):
                raise refused(one, (group, name), Words("a route to each channel"), Words("none to this one"))


def _check_organisation(one: Placed[Routes], body: Organisation) -> None:
    """Units and posts are those of the organisation: a slip of typing would silently reach nobody."""
    for name, route in one.value.routes.items():
        for index, unit in enumerate(route.units):
            if unit not in body.units:
                raise refused(one, ("routes", name, "units", index), _units(body), repr(unit))
        for index, post in enumerate(route.posts):
            _check_post(one, ("routes", name, "posts", index), post, body)
    for name, mail in one.value.mail.items():
        for post in mail.addresses:
            _check_post(one, ("mail", name, "addresses", post), post, body)


def _check_post(one: Placed[Routes], path: Keys, said: str, body: Organisation) -> None:
    post, at, unit = said.partition("@")
    if post != "holder" and post not in body.posts:
        raise refused(one, path, Words("holder, or a post of {body}", body=body.organisation), repr(post))
    if at and unit not in body.units:
        raise refused(one, path, _units(body), repr(unit))


def _units(body: Organisation) -> Words:
    return Words("a unit of {body}", body=body.organisation)
