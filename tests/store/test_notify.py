"""`dunghen notify` as a process, on every database, with real receivers: killed, held up, refused, and run twice."""

from __future__ import annotations

import json
import os
import signal
import urllib.request
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from commands import dunghen
from commands import said as said_by
from receiving import HERE, SECRET, desk, post
from standardwebhooks import Webhook as TheirWebhook
from working import Worker, until

from consumers.apply import Told, apply
from consumers.codec import encode as encoded
from consumers.ticker import tick
from workflow.catalogue import load
from workflow.facts import Acted, Appointment, Fact
from workflow.kept import english
from workflow.messages import Alert, AlertSaid, encode
from workflow.store import notices
from workflow.store.looking import channels
from workflow.store.opening import open_store
from workflow.store.rows import to_us

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from receiving import Desk, Got, Post

pytestmark = pytest.mark.timeout(240)
RECEIVED: Final = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
CODE: Final = "H13-260302-0001"
LATE: Final = f"dossier_late/{CODE}/appointment"


class Notice:
    """A store with a file of routes to a desk and a server of mail, and the processes that serve them."""

    def __init__(self, where: str, folder: Path, at_desk: Desk, at_post: Post) -> None:
        self.where, self.desk, self.post = where, at_desk, at_post
        self._folder = folder
        self._running: list[Worker] = []
        (folder / "secret").write_text(SECRET)
        self.routes = folder / "routes.yaml"
        self.write()

    def write(self, storm: str = "{alerts: 50, minutes: 15}") -> None:
        self.routes.write_text(
            f"""
zone: Asia/Ho_Chi_Minh
webhooks: {{desk: {{url: '{self.desk.url}', secrets: [secret], timeout_seconds: 5}}}}
mail:
  heads:
    host: {HERE}
    port: {self.post.port}
    security: none
    from: dunghen@office.example
    lang: en
    timeout_seconds: 5
    addresses: {{it-centre-director@it-centre: it@office.example}}
routes:
  all: {{channel: desk, gather_seconds: 0, storm: {storm}}}
  late: {{channel: heads, gather_seconds: 0, kinds: [dossier_late], address: monitor@office.example}}
"""
        )

    def begin(self, at: datetime) -> None:
        """Both channels get what is said from then on."""
        store = open_store(self.where)
        with store.writing() as writing:
            notices.begin(writing, ("desk", "heads"), at)
        store.close()

    def tell(self, *subjects: str) -> None:
        """Says that these dossiers are late, in one batch."""
        now = datetime.now(UTC)
        told = [
            AlertSaid(
                alert=Alert(
                    id=f"dossier_late/{subject}/appointment",
                    kind="dossier_late",
                    topic="alerts.lateness",
                    subject=subject,
                    rule="appointment",
                    unit="it-centre",
                    to=("it-centre-director@it-centre",),
                ),
                change="raised",
                state="raised",
                n=1,
                said_at=now,
            )
            for subject in subjects
        ]
        store = open_store(self.where)
        with store.writing() as writing:
            writing.say(to_us(now), len(told), encode(told))
        store.close()

    def start(self) -> Worker:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("DUNGHEN_")}
        named = {"STORE": self.where, "ROUTES": str(self.routes), "HEALTH_PORT": "0"}
        environ = kept | {f"DUNGHEN_{key}": value for key, value in named.items()}
        log = self._folder / f"notify-{len(self._running)}.log"
        self._running.append(Worker(environ, log, "notify"))
        return self._running[-1]

    def channel(self, name: str) -> Any:
        store = open_store(self.where)
        found = {one.name: one for one in channels(store, datetime.now(UTC))}[name]
        store.close()
        return found

    def close(self) -> None:
        for process in self._running:
            process.end(signal.SIGKILL)


@pytest.fixture
def notice(where: str, tmp_path: Path) -> Iterator[Notice]:
    with desk() as at_desk, post() as at_post:
        found = Notice(where, tmp_path, at_desk, at_post)
        found.begin(datetime.now(UTC) - timedelta(minutes=1))
        yield found
        found.close()


def subjects(got: Got) -> list[str]:
    told: dict[str, Any] = TheirWebhook(SECRET).verify(got.body, got.headers)
    return [one["alert"]["subject"] for one in told["data"]["alerts"]]


def came(count: int) -> Callable[[list[Got]], bool]:
    return lambda got: len(got) >= count


def test_killed_before_it_is_marked_it_is_sent_again_under_its_id(notice: Notice) -> None:
    notice.tell("D1", "D2")
    process = notice.start()

    def killing(_: Got) -> int:
        process.process.kill()
        process.process.wait()
        return 200

    notice.desk.answers = killing
    notice.desk.wait(came(1))
    assert process.process.wait(60) == -signal.SIGKILL
    notice.desk.answers = lambda _: 200
    again = notice.start()
    first, second = notice.desk.wait(came(2))[:2]
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert subjects(second) == ["D1", "D2"]

    until(lambda: notice.channel("desk").waiting == notice.channel("heads").waiting == 0, "all delivered")
    assert again.end() == 0
    notice.tell("D3")
    last = notice.start()
    assert [subjects(one) for one in notice.desk.wait(came(3))[2:]] == [["D3"]]
    # The mail goes by a loop of its own, which the end of the process would not wait for.
    until(lambda: notice.channel("desk").waiting == notice.channel("heads").waiting == 0, "all delivered")
    assert last.end() == 0
    assert notice.post.to.count("it@office.example") >= 2
    assert len({one["Message-ID"] for one in notice.post.mails}) == 2


def test_a_channel_that_is_away_holds_up_no_other_and_loses_nothing(notice: Notice) -> None:
    notice.desk.answers = lambda _: 503
    notice.tell("D1")
    process = notice.start()
    port = process.said("started")["port"]
    until(lambda: len(notice.post.mails) == 1, "the mail came")
    notice.desk.wait(came(2))
    notice.tell("D2")
    until(lambda: len(notice.post.mails) == 2, "the second mail came")

    with urllib.request.urlopen(f"http://{HERE}:{port}/readyz") as answer:
        assert answer.status == 200
    desk_stands = until(lambda: (one := notice.channel("desk")).failures > 1 and one, "it failed again")
    assert desk_stands.waiting == 2
    assert "it answered 503" in english(desk_stands.fault)
    waits = [one["wait_s"] for one in process.lines("channel_away")]
    assert waits[0] <= 1
    assert waits[1] > waits[0] / 2

    def measured() -> str:
        with urllib.request.urlopen(f"http://{HERE}:{port}/metrics") as answer:
            found: str = answer.read().decode()
        return found

    assert 'dunghen_channel_waiting{channel="desk"}' in measured()
    # The mail is there before the process that sent it has counted it.
    sent = 'dunghen_channel_alerts_total{channel="heads",state="sent"} 2.0'
    until(lambda: sent in measured(), "both mails are counted")

    notice.desk.answers = lambda _: 200
    until(lambda: notice.channel("desk").waiting == 0, "the desk has it all")
    told = [one for one in notice.desk.got if "webhook-id" in one.headers]
    assert len({one.headers["webhook-id"] for one in told}) == 2
    assert [subjects(one) for one in told[-2:]] == [["D1"], ["D2"]]
    assert process.end() == 0
    assert not process.lines("parked")


def test_what_is_refused_for_good_is_kept_shown_and_sent_again_when_asked(notice: Notice) -> None:
    notice.desk.answers = lambda got: 400 if b"D1" in got.body else 200
    notice.tell("D1")
    process = notice.start()
    process.said("parked")
    notice.tell("D2")
    until(lambda: notice.channel("desk").delivered_at, "what came after it was delivered")
    store = ("--store", notice.where)
    (stands,) = [one for one in said_by("channels", "list", *store) if one["name"] == "desk"]
    assert (stands["parked"], stands["waiting"]) == (1, 0)
    (kept,) = said_by("channels", "show", *store)
    assert (kept["state"], kept["notices"]) == ("parked", 1)
    assert "it answered 400" in kept["fault"]
    (alert,) = said_by("channels", "show", str(kept["number"]), *store)
    assert (alert["subject"], alert["kind"]) == ("D1", "dossier_late")
    shown = said_by("status", *store)["waiting"]["channels"]
    assert {one["name"]: one["parked"] for one in shown} == {"desk": 1, "heads": 0}
    assert "it answered 400" in dunghen("status", *store).stdout

    notice.desk.answers = lambda _: 200
    assert "1 wait to be sent again" in dunghen("channels", "resend", "--all", *store).stdout
    got = notice.desk.wait(came(3))
    assert subjects(got[2]) == ["D1"]
    assert got[2].headers["webhook-id"] == got[0].headers["webhook-id"] == kept["id"]
    until(lambda: not notice.channel("desk").parked, "nothing is parked")
    refused = dunghen("channels", "resend", str(kept["number"]), *store, status=2)
    assert "there is no such delivery" in refused.stderr
    assert process.end() == 0


def test_a_storm_is_one_digest(notice: Notice) -> None:
    notice.write(storm="{alerts: 10, minutes: 5}")
    notice.tell(*(f"D{number}" for number in range(300)))
    process = notice.start()
    (got,) = notice.desk.wait(came(1))
    told = json.loads(got.body)
    assert (told["type"], told["data"]["count"]) == ("alerts.counted.v1", 300)
    listed = said_by("channels", "show", str(told["data"]["delivery"]), "--store", notice.where)
    assert {one["subject"] for one in listed} == {f"D{number}" for number in range(300)}
    assert process.end() == 0


def test_of_two_processes_one_serves_a_channel(notice: Notice) -> None:
    processes = [notice.start(), notice.start()]
    for number in range(20):
        notice.tell(f"D{number}")
    until(lambda: len({name for one in notice.desk.got for name in subjects(one)}) == 20, "all came")
    until(lambda: notice.channel("desk").waiting == notice.channel("heads").waiting == 0, "all marked")
    assert Counter(name for one in notice.desk.got for name in subjects(one)).most_common(1)[0][1] == 1
    for one in processes:
        one.said("started")  # the other may have done all the work before this one listens to signals
    assert [one.end() for one in processes] == [0, 0]


def test_an_alert_through_its_life(notice: Notice, root: Path) -> None:
    """Raised, acknowledged, snoozed until a moment, raised again after it, and over when the result is there."""
    catalogue = load(root / "processes")
    notice.begin(RECEIVED)
    store = open_store(notice.where)
    with store.writing() as writing:
        writing.run("UPDATE channels SET since = %s", (to_us(RECEIVED),))

    def tell(number: int, hours: float, now: datetime, **more: Any) -> None:
        fact = Fact(CODE, "one-stop", f"e{number}", RECEIVED + timedelta(hours=hours), Acted(**more), number)
        apply(store, catalogue, [Told(fact, encoded(fact))], now=now)

    slip = Appointment(at=(RECEIVED + timedelta(days=1)).date())
    tell(1, 0, RECEIVED, action="receive", procedure="1.004237", unit="it-centre", appointment=slip)
    late = RECEIVED + timedelta(days=9)
    tick(store, catalogue, now=late)
    process = notice.start()

    def states() -> list[tuple[str, str]]:
        return [
            (one["change"], one["state"])
            for got in notice.desk.got
            for one in json.loads(got.body)["data"]["alerts"]
            if one["alert"]["id"] == LATE
        ]

    until(lambda: states() == [("raised", "raised")], "raised")
    acting = ("--by", "cb-1", "--store", notice.where)
    dunghen("alerts", "ack", LATE, *acting)
    hour = timedelta(hours=1)
    dunghen("alerts", "snooze", LATE, "--until", (datetime.now(UTC) + hour).isoformat(), *acting)
    tick(store, catalogue, now=datetime.now(UTC) + hour / 2)
    assert said_by("alerts", "show", LATE, "--store", notice.where)["state"] == "snoozed"
    tick(store, catalogue, now=datetime.now(UTC) + 2 * hour)
    until(lambda: states() == [("raised", "raised")] * 2, "raised again")
    dunghen("alerts", "resolve", LATE, "--reason", "returned", *acting)
    until(lambda: states()[-1] == ("resolved", "resolved"), "over")
    assert states() == [("raised", "raised"), ("raised", "raised"), ("resolved", "resolved")]
    until(lambda: notice.channel("heads").waiting == 0, "mail went too")
    assert any(
        "dossier late" in mail["Subject"] or "alerts of" in mail["Subject"] for mail in notice.post.mails
    )
    store.close()
    assert process.end() == 0


def test_a_file_of_routes_is_checked_before_anything_starts(notice: Notice) -> None:
    shown = said_by("channels", "check", "--routes", notice.routes)
    assert [one["route"] for one in shown] == ["all", "late"]
    notice.routes.write_text(notice.routes.read_text().replace("channel: heads", "channel: haeds"))
    for words in (
        ("channels", "check"),
        ("notify", "--store", notice.where),
        ("run", "--store", notice.where),
    ):
        done = dunghen(*words, "--routes", notice.routes, status=2)
        assert f"{notice.routes}:15:10: routes.late.channel: expected one of: desk, heads" in done.stderr
