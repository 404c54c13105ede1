"""Routes: read and refused with their place, and which message goes where by them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.channels.opening import senders
from workflow.alerts.routes import Mail, Route, Routes, Storm, Webhook, placed_routes, read_routes
from workflow.alerts.routing import Addressed, Lately, addressed, making
from workflow.errors import DefinitionError, UnknownZone
from workflow.i18n import message, translator
from workflow.messages import Alert, AlertSaid
from workflow.organisation import read_organisation

if TYPE_CHECKING:
    from pathlib import Path

NOW: Final = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
GOOD: Final = """\
zone: Asia/Ho_Chi_Minh
webhooks:
  desk:
    url: https://desk.example/alerts
    secrets: [one]
mail:
  heads:
    host: mail.example
    port: 587
    security: starttls
    user: dunghen
    password: word
    from: dunghen@office.example
    addresses:
      director@can-tho-department: director@office.example
routes:
  all:
    channel: desk
  late:
    channel: heads
    kinds: [dossier_late]
    units: [land-management]
    posts: [director, holder]
    address: monitor@office.example
"""
BAD: Final = {
    "zone: Asia/Ho_Chi_Minh -> zone: Mars/Olympus": "1:1: expected the IANA name",
    "https://desk.example/alerts -> http://desk.example/alerts": "4:5: webhooks.desk.url: expected https",
    "https://desk.example/alerts -> https://me:pass@desk.example/": "4:5: webhooks.desk.url: expected an address",
    "https://desk.example/alerts -> desk.example": "4:5: webhooks.desk.url: expected an address",
    "https://desk.example/alerts -> https://desk.example:999999/": "4:5: webhooks.desk.url: expected an address",
    "[one] -> []": "5:14: webhooks.desk.secrets: expected a list of at least 1",
    "port: 587 -> port: 70000": "9:11: mail.heads.port: expected",
    "starttls -> ssl": "10:15: mail.heads.security: expected one of",
    "security: starttls -> security: none": "10:5: mail.heads.security: expected starttls or tls",
    "    user: dunghen\n -> ": "7:3: mail.heads: expected user and password together",
    "from: dunghen@office.example -> from: someone": "13:5: mail.heads.from: expected an address",
    "from: dunghen@office.example -> from: 'a@b.example, c@d.example'": "13:5: mail.heads.from: expected",
    "    from: dunghen@office.example\n -> ": "7:3: mail.heads: expected the word from",
    "director@can-tho-department: -> director:": "15:7: mail.heads.addresses.director: expected a post",
    "director@can-tho-department: -> boss@can-tho-department:": "15:7: mail.heads.addresses.boss@can-tho-dep",
    "director@can-tho-department: -> director@nowhere:": "15:7: mail.heads.addresses.director@nowhere: exp",
    ": director@office.example -> : director": "15:7: mail.heads.addresses.director@can-tho-department: exp",
    "channel: desk -> channel: desc": "18:5: routes.all.channel: expected one of: desk, heads, found 'desc'",
    "channel: desk -> channel: heads": "17:3: routes.all: expected an address",
    "dossier_late -> dossier_latest": "21:13: routes.late.kinds.0: expected one of",
    "units: [land-management] -> units: [land-managment]": "22:13: routes.late.units.0: expected a unit",
    "posts: [director, holder] -> posts: [directr]": "23:13: routes.late.posts.0: expected holder, or a post",
    "address: monitor@office.example -> adress: x": "24:5: routes.late: expected one of channel",
    "    address: monitor@office.example\n -> ": "19:3: routes.late: expected an address",
    "channel: heads -> channel: desk": "24:5: routes.late.address: expected none for a webhook",
    "kinds: [dossier_late] -> kinds: [step_late]\n    rung: 1": "22:5: routes.late.rung: expected no rung",
    "  desk:\n -> ": "3:10: webhooks.url: expected a mapping",
}


def written(folder: Path, text: str) -> Path:
    path = folder / "routes.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("change", BAD)
def test_what_is_wrong_is_said_with_its_place(change: str, root: Path, tmp_path: Path) -> None:
    before, _, after = change.partition(" -> ")
    assert before in GOOD
    path = written(tmp_path, GOOD.replace(before, after, 1))
    with pytest.raises((DefinitionError, UnknownZone)) as refused:
        read_routes(path, read_organisation(root / "processes" / "organisation" / "can-tho.yaml"))
    assert f"{path}:{BAD[change]}" in str(refused.value)
    vietnamese = message(refused.value, translator("vi"))
    assert not re.search(r"\b(expected|found|one of|such as|an?|the|for|none|post|both) ", vietnamese), (
        vietnamese
    )


def test_a_channel_without_a_route_and_one_name_for_two_are_refused(tmp_path: Path) -> None:
    twice = GOOD.replace("  heads:\n", "  desk:\n").replace("channel: heads", "channel: desk")
    with pytest.raises(DefinitionError, match=r":7:3: mail.desk: expected a name of its own"):
        read_routes(written(tmp_path, twice))
    unused = GOOD.replace("  all:\n    channel: desk\n", "")
    with pytest.raises(DefinitionError, match=r":3:3: webhooks.desk: expected a route to each channel"):
        read_routes(written(tmp_path, unused))


def test_secrets_are_looked_at_when_it_starts(tmp_path: Path) -> None:
    found = placed_routes(written(tmp_path, GOOD))
    with pytest.raises(DefinitionError, match=r":5:15: webhooks.desk.secrets.0: expected a file that can be"):
        senders(found)
    (tmp_path / "one").write_text("a word of mine")
    with pytest.raises(DefinitionError, match=r":5:15: webhooks.desk.secrets.0: expected a file with whsec_"):
        senders(found)
    (tmp_path / "one").write_text("whsec_MfKQ9r8GKYqTwjUPD8ILPZIo2LaLaSw0MfKQ9r8GKYqT\n")
    with pytest.raises(
        DefinitionError, match=r":12:5: mail.heads.password: expected a file that can be read"
    ):
        senders(found)
    (tmp_path / "word").write_text("\n")
    with pytest.raises(
        DefinitionError, match=r":12:5: mail.heads.password: expected a file with the password"
    ):
        senders(found)
    (tmp_path / "word").write_text("a long one\n")
    assert set(senders(found)) == {"desk", "heads"}


def test_the_example_is_one_that_works(root: Path, tmp_path: Path) -> None:
    text = (root / "deploy" / "channels" / "routes.yaml").read_text(encoding="utf-8")
    path = written(tmp_path, text)
    body = read_organisation(root / "processes" / "organisation" / "can-tho.yaml")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "desk-webhook").write_text("whsec_" + "A" * 43 + "=")
    (tmp_path / "secrets" / "mail-password").write_text("x")

    found = placed_routes(path, body)
    assert set(senders(found)) == {"desk", "heads"}
    told = [
        said(),
        said("escalated", rung=2),
        said(
            kind="rotation_overdue",
            topic="alerts.rotation",
            readers=("director",),
            to=("director@can-tho-department",),
        ),
    ]
    assert {one.route for each in told for one in addressed(found.value, each)} == set(found.value.routes)


def alert(**more: Any) -> Alert:
    plain: dict[str, Any] = {
        "id": "dossier_late/D1/appointment",
        "kind": "dossier_late",
        "topic": "alerts.lateness",
        "subject": "D1",
        "rule": "appointment",
        "unit": "land",
        "to": ("holder", "head@land", "director@office"),
    }
    return Alert(**{**plain, **more})


def said(change: Any = "raised", **more: Any) -> AlertSaid:
    return AlertSaid(alert=alert(**more), change=change, state="raised", n=1, said_at=NOW)


def routes(**found: Route) -> Routes:
    mail = Mail(
        host="h",
        port=25,
        security="none",
        sender="a@b.example",
        addresses={"head@land": "head@x.example", "holder@land": "holders@x.example"},
    )
    desk = Webhook(url="https://desk.example", secrets=("s",))
    return Routes(zone="UTC", webhooks={"desk": desk}, mail={"heads": mail}, routes=found)


def test_mail_goes_to_each_post_that_has_an_address_and_else_to_that_of_the_route() -> None:
    found = routes(late=Route(channel="heads", address="monitor@x.example"))
    assert list(addressed(found, said())) == [
        Addressed("heads", "late", "head@x.example"),
        Addressed("heads", "late", "holders@x.example"),
    ]
    elsewhere = said(unit="water", to=("holder", "head@water"))
    assert list(addressed(found, elsewhere)) == [Addressed("heads", "late", "monitor@x.example")]


def test_posts_of_a_route_are_those_it_goes_to() -> None:
    head = routes(late=Route(channel="heads", posts=("head",), address="monitor@x.example"))
    assert list(addressed(head, said())) == [Addressed("heads", "late", "head@x.example")]
    above = routes(late=Route(channel="heads", posts=("director@office",), address="monitor@x.example"))
    assert list(addressed(above, said())) == [Addressed("heads", "late", "monitor@x.example")]
    assert list(addressed(above, said(to=("head@land",)))) == []


@pytest.mark.parametrize(
    ("route", "takes"),
    [
        ({}, True),
        ({"kinds": ("dossier_late",)}, True),
        ({"kinds": ("step_late",)}, False),
        ({"topics": ("alerts.lateness",)}, True),
        ({"topics": ("alerts.feeds",)}, False),
        ({"units": ("land",)}, True),
        ({"units": ("water",)}, False),
        ({"rung": 1}, False),
        ({"says": ("retracted",)}, False),
    ],
)
def test_every_condition_of_a_route_must_hold(route: dict[str, Any], takes: bool) -> None:  # noqa: FBT001 - a case
    found = list(addressed(routes(one=Route(channel="desk", **route)), said()))
    assert found == ([Addressed("desk", "one", "")] if takes else [])


def test_of_several_routes_of_a_channel_the_first_counts_and_channels_do_not_meddle() -> None:
    found = routes(
        feeds=Route(channel="desk", topics=("alerts.feeds",)),
        first=Route(channel="desk"),
        second=Route(channel="desk"),
        mail=Route(channel="heads", address="monitor@x.example", posts=("head",)),
    )
    assert [one.route for one in addressed(found, said())] == ["first", "mail"]


def test_what_a_person_did_is_sent_only_where_it_is_asked_for() -> None:
    assert not list(addressed(routes(all=Route(channel="desk")), said("snoozed")))
    assert list(addressed(routes(all=Route(channel="desk", says=("snoozed",))), said("snoozed")))


def test_who_may_read_of_a_move_is_reached_where_the_route_names_the_post() -> None:
    moved = said(**ROTATION, to=("director@office",), readers=("chief-inspector", "head"))
    by_post = Route(channel="heads", topics=("alerts.rotation",), posts=("head",), address="m@x.example")
    assert list(addressed(routes(r=by_post), moved)) == [Addressed("heads", "r", "head@x.example")]
    to_whom = Route(channel="heads", topics=("alerts.rotation",), address="director@x.example")
    assert list(addressed(routes(r=to_whom), moved)) == [Addressed("heads", "r", "director@x.example")]
    nobody = Route(channel="heads", topics=("alerts.rotation",), posts=("clerk",), address="m@x.example")
    assert list(addressed(routes(r=nobody), moved)) == []


ROTATION: Final = {"kind": "rotation_overdue", "topic": "alerts.rotation", "subject": "cb-1"}


@given(
    units=st.sampled_from([(), ("land",)]),
    posts=st.sampled_from([(), ("head",), ("head@land", "director@office")]),
    kinds=st.sampled_from([(), ("dossier_late",), ("rotation_overdue",)]),
    topics=st.sampled_from([(), ("alerts.lateness",), ("alerts.rotation",)]),
)
def test_rotation_goes_only_where_a_route_names_it(
    units: tuple[str, ...], posts: tuple[str, ...], kinds: tuple[Any, ...], topics: tuple[Any, ...]
) -> None:
    route = Route(channel="desk", units=units, posts=posts, kinds=kinds, topics=topics)
    found = list(addressed(routes(one=route), said(**ROTATION)))
    assert not found or "rotation_overdue" in kinds or "alerts.rotation" in topics
    if kinds in ((), ("rotation_overdue",)) and topics == ("alerts.rotation",):
        assert found


def test_alerts_gather_then_go_each_or_counted() -> None:
    route = Route(channel="desk", storm=Storm(alerts=10, minutes=5), gather_seconds=30)
    second = timedelta(seconds=1)
    assert making(route, 3, 29 * second, Lately()) == "wait"
    assert making(route, 10, 30 * second, Lately()) == "each"
    assert making(route, 11, 30 * second, Lately()) == "digest"
    assert making(route, 3, 30 * second, Lately(alerts=7)) == "each"
    assert making(route, 3, 30 * second, Lately(alerts=8)) == "digest"
    assert making(route, 10_000, 300 * second, Lately(digest=True)) == "wait"
