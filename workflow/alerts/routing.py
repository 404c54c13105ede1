"""Where what is said of an alert goes, and when it is told one by one or counted in a digest. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from workflow.messages import HOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from workflow.alerts.routes import Route, Routes
    from workflow.messages import Alert, AlertSaid, Topic

Making: TypeAlias = Literal["wait", "each", "digest"]

ROTATION: Final[Topic] = "alerts.rotation"
"""What no route takes that does not name it: who has to leave a post concerns nobody else."""


class Addressed(NamedTuple):
    """A channel, the route that led to it, and the address there: empty for a webhook, which has one."""

    channel: str
    route: str
    address: str


class Lately(NamedTuple):
    """What one address of a route was sent within the route's window: alerts one by one, and whether a digest."""

    alerts: int = 0
    digest: bool = False


def addressed(routes: Routes, said: AlertSaid) -> Iterator[Addressed]:
    """Where a message goes: in each channel by the first route that takes it, in mail to each address once."""
    reached: set[str] = set()
    for name, route in routes.routes.items():
        if route.channel in reached or not _takes(route, said):
            continue
        reached.add(route.channel)
        mail = routes.mail.get(route.channel)
        addresses = {""} if mail is None else _addresses(route, mail.addresses, said.alert)
        yield from (Addressed(route.channel, name, address) for address in sorted(addresses))


def making(route: Route, waiting: int, waited: timedelta, lately: Lately) -> Making:
    """What to do with so many alerts that wait for one address, the oldest for so long.

    They gather first. Where they and those told one by one in the window are more than the limit, one digest counts
    them all; after it nothing is told until its window is over.
    """
    if lately.digest or waited.total_seconds() < route.gather_seconds:
        return "wait"
    return "digest" if lately.alerts + waiting > route.storm.alerts else "each"


def _takes(route: Route, said: AlertSaid) -> bool:
    alert = said.alert
    named = alert.topic in route.topics or alert.kind in route.kinds
    if alert.topic == ROTATION and not named:
        return False
    return (
        said.change in route.says
        and alert.rung >= route.rung
        and (not route.topics or alert.topic in route.topics)
        and (not route.kinds or alert.kind in route.kinds)
        and (not route.units or alert.unit in route.units)
        and (not route.posts or bool(_posts(route, alert)))
    )


def _posts(route: Route, alert: Alert) -> set[str]:
    """The posts a route has an alert go to, as `post@unit`; those that it names may read it too, as it names them."""
    to = {f"{HOLDER}@{alert.unit}" if post == HOLDER else post for post in alert.to}
    if not route.posts:
        return to
    named = {post for post in to if post in route.posts or post.partition("@")[0] in route.posts}
    return named | {post for post in route.posts if post.partition("@")[0] in alert.readers}


def _addresses(route: Route, known: dict[str, str], alert: Alert) -> set[str]:
    posts = _posts(route, alert)
    found = {address for post, address in known.items() if post in posts or post.partition("@")[0] in posts}
    return found or {route.address or ""}
