"""One delivery through a webhook and by mail, on real servers: what is sent, how it is signed, what answers mean."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import ssl
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import pytest
from receiving import HERE, SECRET, certificate, desk, post
from standardwebhooks import Webhook as TheirWebhook

from consumers.channels.mail import MailSender, Speech
from consumers.channels.webhook import WebhookSender, secret_of, signature
from consumers.channels.wording import Content, letter
from workflow.alerts.routes import Mail
from workflow.errors import ChannelAway, ChannelRefused
from workflow.messages import Alert, AlertSaid, encode
from workflow.store.notices import Counted, Delivery

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from receiving import Certificate, Desk, Post

NOW: Final = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
ZONE: Final = ZoneInfo("Asia/Ho_Chi_Minh")
OTHER: Final = "whsec_" + base64.b64encode(b"another secret of 32 characters!").decode()


def delivery(**more: Any) -> Delivery:
    plain: dict[str, Any] = {
        "number": 7,
        "id": "dh-0123456789abcdef",
        "channel": "c",
        "route": "late",
        "address": "head@office.example",
        "form": "unit",
        "unit": "land",
        "notices": 2,
        "made_at": NOW,
        "state": "waiting",
        "settled_at": None,
        "fault": None,
    }
    return Delivery(**{**plain, **more})


def said(subject: str, **more: Any) -> AlertSaid:
    alert = Alert(
        **{
            "id": f"dossier_late/{subject}/appointment",
            "kind": "dossier_late",
            "topic": "alerts.lateness",
            "subject": subject,
            "rule": "appointment",
            "due_at": NOW,
            "unit": "land",
            "officer": "cb-0101",
            "basis": "Decree 61/2018, art. 19",
            **more,
        }
    )
    return AlertSaid(alert=alert, change="raised", state="raised", n=1, said_at=NOW)


def whole(*subjects: str, **more: Any) -> Content:
    found = [encode(said(subject)) for subject in subjects or ("D1", "D2")]
    return Content(delivery(notices=len(found), **more), found, ())


COUNTED: Final = Content(
    delivery(form="digest", unit=None, notices=1203),
    (),
    (Counted("land", "dossier_late", "raised", 1200, NOW), Counted(None, "feed_silent", "resolved", 3, None)),
)


@pytest.fixture
def at_desk() -> Iterator[Desk]:
    with desk() as found:
        yield found


@pytest.fixture
def at_post() -> Iterator[Post]:
    with post() as found:
        yield found


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("tls"))


def key(text: str) -> bytes:
    found = secret_of(text)
    assert found is not None
    return found


def webhook(
    url: str, *secrets: str, context: ssl.SSLContext | None = None, timeout_s: float = 5
) -> WebhookSender:
    keys = [key(one) for one in secrets or (SECRET,)]
    return WebhookSender(url, keys, timeout_s=timeout_s, context=context or ssl.create_default_context())


def mail(port: int, password: str | None = None, authority: Path | None = None, **more: Any) -> MailSender:
    told = Mail(
        **{
            "host": HERE,
            "port": port,
            "security": "none",
            "sender": "dunghen@office.example",
            "user": None if password is None else "dunghen",
            "password": None if password is None else "file",
            "timeout_seconds": 5,
            **more,
        }
    )
    context = ssl.create_default_context(cafile=authority)
    return MailSender(told, password, context=context, speech=Speech(ZONE, "en"))


def test_a_webhook_is_one_that_standard_webhooks_takes(at_desk: Desk) -> None:
    webhook(at_desk.url)(whole())

    (got,) = at_desk.got
    assert got.path == "/alerts?from=dunghen"
    assert got.headers["content-type"] == "application/json"
    told = TheirWebhook(SECRET).verify(got.body, got.headers)
    assert told["type"] == "alerts.said.v1"
    assert datetime.fromisoformat(told["timestamp"]) == NOW
    assert [one["alert"]["subject"] for one in told["data"]["alerts"]] == ["D1", "D2"]
    assert told["data"] | {"alerts": ...} == {
        "delivery": 7,
        "route": "late",
        "count": 2,
        "unit": "land",
        "alerts": ...,
    }


def test_the_signature_is_the_one_of_the_standard() -> None:
    """Counted here by hand: HMAC-SHA256 of `id.timestamp.body` under the decoded secret, in base64."""
    raw = base64.b64decode(SECRET.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.digest(raw, b'msg-1.1614265330.{"a":1}', hashlib.sha256)).decode()
    assert signature([key(SECRET)], "msg-1", 1614265330, b'{"a":1}') == f"v1,{expected}"


def test_while_a_secret_is_exchanged_both_sign(at_desk: Desk) -> None:
    webhook(at_desk.url, OTHER, SECRET)(whole())

    (got,) = at_desk.got
    assert len(got.headers["webhook-signature"].split()) == 2
    for secret in (SECRET, OTHER):
        TheirWebhook(secret).verify(got.body, got.headers)


def test_sent_again_it_has_the_same_id_and_bytes(at_desk: Desk) -> None:
    sender = webhook(at_desk.url)
    sender(whole())
    sender(whole())

    first, second = at_desk.got
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == "dh-0123456789abcdef"


def test_a_digest_counts_and_names_the_command_that_lists(at_desk: Desk) -> None:
    webhook(at_desk.url)(COUNTED)

    told = json.loads(at_desk.got[0].body)
    assert told["type"] == "alerts.counted.v1"
    assert told["data"]["count"] == 1203
    assert [one["alerts"] for one in told["data"]["counts"]] == [1200, 3]
    assert told["data"]["listed_by"] == "dunghen channels show 7"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_is_of_the_moment_is_tried_again(at_desk: Desk, status: int) -> None:
    at_desk.answers, at_desk.headers = lambda _: status, {"Retry-After": "7"}
    with pytest.raises(ChannelAway) as away:
        webhook(at_desk.url)(whole())
    assert away.value.values["wait_s"] == 7


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 403, 404, 410, 413, 422])
def test_what_would_be_refused_again_is_not(at_desk: Desk, status: int) -> None:
    at_desk.answers, at_desk.headers = lambda _: status, {"Location": "/elsewhere"}
    with pytest.raises(ChannelRefused, match=f"it answered {status}"):
        webhook(at_desk.url)(whole())
    assert len(at_desk.got) == 1


@pytest.mark.parametrize("asked", ["soon", "-1", "Wed, 21 Oct 2026 07:28:00 GMT", "999999999"])
def test_a_wait_that_is_none_or_too_long_is_bounded(at_desk: Desk, asked: str) -> None:
    at_desk.answers, at_desk.headers = lambda _: 503, {"Retry-After": asked}
    with pytest.raises(ChannelAway) as away:
        webhook(at_desk.url)(whole())
    assert away.value.values["wait_s"] == (3600 if asked.isdigit() else 0)


def test_nobody_there_and_nobody_answering_are_away() -> None:
    with socket.create_server((HERE, 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(ChannelAway, match="timed out"):
            webhook(f"http://{HERE}:{port}/", timeout_s=0.2)(whole())
    with pytest.raises(ChannelAway, match="nothing listens at this address"):
        webhook(f"http://{HERE}:{port}/")(whole())


@contextmanager
def dripping(said: bytes) -> Iterator[int]:
    """A receiver that says this over and over, a little each twentieth of a second; its port."""
    over = Event()

    def drip(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection, suppress(OSError):
            while not over.wait(0.05):
                connection.sendall(said)

    with socket.create_server((HERE, 0)) as listening:
        thread = Thread(target=drip, args=(listening,))
        thread.start()
        yield listening.getsockname()[1]
        over.set()
        thread.join()


@pytest.mark.timeout(20)
@pytest.mark.parametrize("said", [b"H", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\nA"])
def test_a_desk_that_drips_is_away_when_the_time_of_the_whole_delivery_is_over(said: bytes) -> None:
    with dripping(said) as port, pytest.raises(ChannelAway, match=r"timed out after 0.3 s"):
        webhook(f"http://{HERE}:{port}/", timeout_s=0.3)(whole())


@pytest.mark.timeout(20)
@pytest.mark.parametrize("said", [b"2", b"220-one more line\r\n"])
@pytest.mark.parametrize("security", ["none", "starttls"])
def test_a_server_of_mail_that_drips_is_away_then_too(said: bytes, security: str) -> None:
    with dripping(said) as port, pytest.raises(ChannelAway, match="timed out after 1 s"):
        mail(port, security=security, timeout_seconds=1)(whole())


def test_a_certificate_is_looked_at(shown: Certificate) -> None:
    with desk(shown.context) as found:
        url = f"https://{HERE}:{found.port}/"
        webhook(url, context=ssl.create_default_context(cafile=shown.path))(whole())
        with pytest.raises(ChannelAway, match="its certificate is not trusted"):
            webhook(url)(whole())
    assert len(found.got) == 1


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_AAAA", "whsec_%%%", "A" * 44, "whsec_" + "A" * 100])
def test_what_is_no_secret_is_none(text: str) -> None:
    assert secret_of(text) is None


def test_a_mail_says_what_is_late_and_to_whom_it_goes(at_post: Post) -> None:
    sender = mail(at_post.port)
    sender(whole())
    sender(whole())

    first, second = at_post.mails
    assert at_post.to == ["head@office.example"] * 2
    assert first["Message-ID"] == second["Message-ID"] == "<dh-0123456789abcdef@office.example>"
    assert first.as_bytes() == second.as_bytes()
    assert first["From"] == "dunghen@office.example"
    assert first["Subject"] == "2 alerts of land"
    assert first["Auto-Submitted"] == "auto-generated"
    text = first.get_content()
    assert "dossier late · D1 · raised" in text
    assert "due: 2026-03-02 09:00" in text
    assert "alert: dossier_late/D2/appointment" in text
    assert "cb-0101" not in text


def test_mail_speaks_the_language_it_is_told() -> None:
    written = letter(whole("D1"), ZONE, "vi")
    assert written.subject == "hồ sơ trễ hẹn: D1"
    assert "dunghen alerts show" in written.text


def test_mail_cites_the_clause_in_its_language_where_it_is_told_in_both() -> None:
    both = Content(delivery(), [encode(said("D1", basis="Law, art. 24", basis_vi="Luật, Điều 24"))], ())
    assert "  rests on: Law, art. 24\n" in letter(both, ZONE, "en").text
    assert ": Luật, Điều 24\n" in letter(both, ZONE, "vi").text
    assert "Law" not in letter(both, ZONE, "vi").text
    assert "Decree 61/2018, art. 19" in letter(whole("D1"), ZONE, "vi").text


def test_a_mail_of_a_digest_is_short() -> None:
    written = letter(COUNTED, ZONE, "en")
    assert written.subject == "1203 alerts, counted"
    assert "   1200  land · dossier late · raised · earliest 2026-03-02 09:00" in written.text
    assert "dunghen channels show 7" in written.text
    assert len(written.text.splitlines()) < 10


def test_what_a_source_wrote_makes_no_header_and_no_line() -> None:
    hostile = said("D1", unit="land\r\nBcc: all@office.example", basis="a\nb\x1b[2J")
    content = Content(delivery(unit=hostile.alert.unit, notices=2), [encode(hostile)] * 2, ())
    written = letter(content, ZONE, "en")
    assert "\n" not in written.subject
    assert "\x1b" not in written.text
    assert not any(line.startswith(("Bcc", "b")) for line in written.text.splitlines())


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("550 no such box", ChannelRefused),
        ("554 refused as junk", ChannelRefused),
        ("450 try later", ChannelAway),
        ("452 no room", ChannelAway),
    ],
)
@pytest.mark.parametrize("of", ["head@office.example", "DATA"])
def test_what_a_server_says_for_good_is_told_from_what_it_says_now(
    at_post: Post, answer: str, kind: type[ChannelAway | ChannelRefused], of: str
) -> None:
    at_post.refuses = {of: answer}
    with pytest.raises(kind, match=answer[:3]):
        mail(at_post.port)(whole())
    assert at_post.mails == []
    at_post.refuses = {}
    mail(at_post.port)(whole())
    assert len(at_post.mails) == 1


def test_mail_goes_by_tls_with_a_password(shown: Certificate) -> None:
    with post(shown.context) as found:
        settings: dict[str, Any] = {"security": "starttls", "authority": shown.path}
        mail(found.port, "a long word", **settings)(whole())
        assert len(found.mails) == 1
        with pytest.raises(ChannelAway, match="535"):
            mail(found.port, "another", **settings)(whole())
        with pytest.raises(ChannelAway, match="its certificate is not trusted"):
            mail(found.port, "a long word", security="starttls")(whole())
    assert len(found.mails) == 1


def test_a_server_without_tls_gets_no_password(at_post: Post) -> None:
    with pytest.raises(ChannelAway, match="STARTTLS"):
        mail(at_post.port, "a long word", security="starttls")(whole())
    assert at_post.mails == []


def test_no_server_of_mail_is_away() -> None:
    with socket.create_server((HERE, 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(ChannelAway, match="timed out"):
            mail(port, timeout_seconds=1)(whole())
    with pytest.raises(ChannelAway, match="nothing listens at this address"):
        mail(port)(whole())
