"""What goes through channels, as the store keeps it: laid out once, put together once, nothing lost on the way."""

from __future__ import annotations

import contextlib
import itertools
import json
import sqlite3
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pytest
from keeping import NOW

from consumers.channels.making import content_of, lay_out, make
from consumers.channels.wording import payload
from workflow.alerts.life import Act, Life
from workflow.alerts.routes import Mail, Route, Routes, Storm, Webhook
from workflow.errors import StoreError, VersionConflict
from workflow.messages import Alert, AlertSaid, Decision, encode
from workflow.store import notices
from workflow.store.alerts import row
from workflow.store.looking import Channel, channels
from workflow.store.opening import open_store
from workflow.store.rows import to_us

if TYPE_CHECKING:
    from workflow.messages import Change, State
    from workflow.store.notices import Delivery
    from workflow.store.store import Store

pytestmark = pytest.mark.tampers  # what is said here is of no alert that is kept
SECOND: Final = timedelta(seconds=1)
STORM: Final = Storm(alerts=5, minutes=10)
ROUTES: Final = Routes(
    zone="UTC",
    webhooks={"desk": Webhook(url="https://desk.example", secrets=("s",))},
    mail={
        "heads": Mail(
            host="h",
            port=25,
            security="none",
            sender="a@b.example",
            addresses={"head@land": "land@x.example", "head@water": "water@x.example"},
        )
    },
    routes={
        "all": Route(channel="desk", gather_seconds=0, storm=STORM),
        "late": Route(channel="heads", gather_seconds=0, storm=STORM, address="monitor@x.example"),
    },
)


def said(subject: str, unit: str = "land", change: Change = "raised", n: int = 1) -> AlertSaid:
    alert = Alert(
        id=f"dossier_late/{subject}/appointment",
        kind="dossier_late",
        topic="alerts.lateness",
        subject=subject,
        rule="appointment",
        unit=unit,
        due_at=NOW,
        to=(f"head@{unit}",),
    )
    state: State = "snoozed" if change == "snoozed" else "raised"
    return AlertSaid(alert=alert, change=change, state=state, n=n, said_at=NOW)


def tell(store: Store, *told: Any, at: datetime = NOW) -> None:
    with store.writing() as writing:
        writing.say(to_us(at), len(told), encode(list(told)))


def begun(store: Store, routes: Routes = ROUTES, at: datetime = NOW) -> dict[str, datetime]:
    with store.writing() as writing:
        return notices.begin(writing, routes.channels, at)


def laid(store: Store, now: datetime = NOW) -> int:
    return lay_out(store, ROUTES, begun(store, at=now), now).notices


def open_deliveries(store: Store) -> list[Delivery]:
    """Those that wait, the oldest first."""
    with store.reading() as reading:
        return notices.deliveries(reading, ["waiting"], 1000)[::-1]


def subjects(store: Store, one: Delivery) -> list[str]:
    with store.reading() as reading:
        return [json.loads(content)["alert"]["subject"] for content in notices.contents_of(reading, one.id)]


def settled(store: Store, one: Delivery, *, fault: str | None = None, at: datetime = NOW) -> None:
    with store.writing() as writing:
        notices.settle(writing, one, "sent" if fault is None else "parked", at, fault)


def stand(store: Store) -> dict[str, Channel]:
    return {one.name: one for one in channels(store, NOW + 60 * SECOND)}


def test_what_is_said_goes_once_to_each_channel_by_unit(store: Store) -> None:
    begun(store)
    tell(store, said("D1"), Decision("D1", "gate", "e", 0, 1), said("D2", "water"), said("D3"))
    assert laid(store) == 6
    assert laid(store) == 0

    assert [make(store, ROUTES, name, NOW) for name in ("desk", "heads", "desk")] == [2, 2, 0]
    found = open_deliveries(store)
    assert [(one.channel, one.address, one.unit, one.notices) for one in found] == [
        ("desk", "", "land", 2),
        ("desk", "", "water", 1),
        ("heads", "land@x.example", "land", 2),
        ("heads", "water@x.example", "water", 1),
    ]
    assert [subjects(store, one) for one in found] == [["D1", "D3"], ["D2"]] * 2
    assert len({one.id for one in found}) == 4


def test_a_channel_gets_what_is_said_from_when_it_was_first_named(store: Store) -> None:
    tell(store, said("D1"), at=NOW - SECOND)
    assert laid(store) == 0
    tell(store, said("D2"), at=NOW)
    assert laid(store) == 2
    with store.writing() as writing:
        since = notices.begin(writing, ["later"], NOW + SECOND)
    assert since == {"desk": NOW, "heads": NOW, "later": NOW + SECOND}


def test_what_commits_after_a_higher_number_was_laid_out_is_laid_out_too(where: str) -> None:
    if "://" not in where:
        pytest.skip("SQLite has one writer: no lower number commits later")
    slow, quick = open_store(where), open_store(where)
    since = begun(quick)
    with slow.writing() as writing:
        writing.say(to_us(NOW), 1, encode([said("D1")]))
        tell(quick, said("D2"))
        assert lay_out(quick, ROUTES, since, NOW).notices == 2
    assert lay_out(quick, ROUTES, since, NOW).notices == 2
    make(quick, ROUTES, "desk", NOW)
    assert [subjects(quick, one) for one in open_deliveries(quick)] == [["D2", "D1"]]
    slow.close()
    quick.close()


def test_two_that_lay_out_at_once_do_it_once(where: str) -> None:
    if "://" not in where:
        pytest.skip("SQLite has one writer")
    quick = open_store(where)
    since = begun(quick)
    tell(quick, said("D1"))

    def between(statement: str) -> None:
        if statement.startswith("UPDATE outbox SET routed_at"):
            lay_out(quick, ROUTES, since, NOW)

    slow = open_store(where, watch=between)
    with pytest.raises(VersionConflict):
        lay_out(slow, ROUTES, since, NOW)
    assert lay_out(quick, ROUTES, since, NOW).notices == 0
    assert stand(quick)["desk"].waiting == 1
    slow.close()
    quick.close()


def test_a_fault_at_any_call_loses_nothing_and_makes_nothing_twice(store: Store, where: str) -> None:
    """Laid out, put together and settled, the n-th call of the database failing, for every n."""
    since, left = begun(store), [0]
    calm = msgspec.structs.replace(ROUTES, routes={"all": Route(channel="desk", gather_seconds=0)})

    def failing(_: str) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise sqlite3.OperationalError("disk I/O error, said by a test")

    def work(over: Store, now: datetime) -> None:
        lay_out(over, calm, since, now)
        make(over, calm, "desk", now)
        with over.reading() as reading:
            found = notices.next_delivery(reading, "desk")
        if found is not None:
            settled(over, found)

    faulty = open_store(where, watch=failing)
    told: list[str] = []
    for number in itertools.count(1):
        now = NOW + number * timedelta(hours=1)
        told += [f"D{number}", f"E{number}"]
        tell(store, said(told[-2]), said(told[-1], "water"), at=now)
        left[0] = number
        with contextlib.suppress(StoreError):
            work(faulty, now)
        for _ in range(3):
            work(store, now)
        if left[0] > 0:
            break
    faulty.close()

    assert number > 10
    with store.reading() as reading:
        sent = notices.deliveries(reading, ["sent"], 10_000)
        assert notices.deliveries(reading, ["waiting", "parked", "quiet"], 10) == []
    assert {one.notices for one in sent} == {1}
    assert sorted(subject for one in sent for subject in subjects(store, one)) == sorted(told)


def test_a_storm_becomes_one_digest_then_silence_for_the_window(store: Store) -> None:
    begun(store)
    tell(store, *(said(f"D{number}") for number in range(3)))
    laid(store)
    assert make(store, ROUTES, "desk", NOW) == 1
    tell(store, *(said(f"E{number}", "land" if number % 2 else "water") for number in range(2000)))
    later = NOW + 60 * SECOND
    while laid(store, later):
        pass
    assert make(store, ROUTES, "desk", later) == 1

    told, digest = open_deliveries(store)
    assert (told.form, told.notices, digest.form, digest.notices) == ("unit", 3, "digest", 2000)
    with store.reading() as reading:
        content = content_of(reading, digest)
        assert [(one.unit, one.alerts) for one in content.counted] == [("land", 1000), ("water", 1000)]
        assert payload(content) == payload(content_of(reading, digest))
        assert len(notices.contents_of(reading, digest.id)) == 2000

    tell(store, said("F1"))
    laid(store, later)
    assert make(store, ROUTES, "desk", later + timedelta(minutes=9)) == 0
    assert make(store, ROUTES, "desk", later + timedelta(minutes=11)) == 1
    assert open_deliveries(store)[-1].form == "unit"


def test_each_address_has_a_storm_of_its_own(store: Store) -> None:
    begun(store)
    tell(store, said("D1", "water"), *(said(f"E{number}") for number in range(6)))
    laid(store)
    assert make(store, ROUTES, "heads", NOW) == 2
    assert {one.address: one.form for one in open_deliveries(store)} == {
        "water@x.example": "unit",
        "land@x.example": "digest",
    }


def test_what_was_snoozed_before_it_went_out_is_not_sent_and_not_lost(store: Store) -> None:
    begun(store)
    quiet = said("D1")
    tell(store, quiet, said("D2"))
    laid(store)
    act = Act("snoozed", "o7", (NOW, "desk", "1", 0), NOW + timedelta(days=1))
    with store.writing() as writing:
        writing.keep_alerts([row(Life(quiet.alert, "snoozed", 2, NOW, act))])
    tell(store, said("D1", change="snoozed", n=2))
    laid(store)
    make(store, ROUTES, "desk", NOW)

    assert [subjects(store, one) for one in open_deliveries(store)] == [["D2"]]
    with store.reading() as reading:
        (aside,) = notices.deliveries(reading, ["quiet"], 10)
    assert subjects(store, aside) == ["D1"]

    with store.writing() as writing:
        writing.keep_alerts([row(Life(quiet.alert, "raised", 3, NOW, act))])
    tell(store, said("D1", n=3))
    laid(store)
    make(store, ROUTES, "desk", NOW + SECOND)
    assert [subjects(store, one) for one in open_deliveries(store)] == [["D2"], ["D1"]]


def test_a_delivery_is_sent_once_parked_or_again_under_its_id(store: Store) -> None:
    begun(store)
    tell(store, said("D1"), said("D2", "water"))
    laid(store)
    make(store, ROUTES, "desk", NOW)
    first, second = open_deliveries(store)
    with store.reading() as reading:
        assert notices.next_delivery(reading, "desk") == first
        assert notices.next_delivery(reading, "heads") is None
    settled(store, first, fault="it answered 400")
    with store.reading() as reading:
        assert notices.next_delivery(reading, "desk") == second
        assert notices.parked(reading) == (first.number,)
    settled(store, second)
    assert open_deliveries(store) == []

    with store.writing() as writing:
        assert notices.send_again(writing, first.number)
        assert not notices.send_again(writing, second.number)
    again = open_deliveries(store)
    assert [(one.id, one.number) for one in again] == [(first.id, first.number)]


def test_how_a_channel_stands_is_told(store: Store) -> None:
    begun(store)
    tell(store, said("D1"), said("D2"), said("D3", "water"))
    laid(store)
    make(store, ROUTES, "desk", NOW)
    first = open_deliveries(store)[0]
    with store.writing() as writing:
        notices.failed(writing, "desk", NOW, "no answer")
        notices.failed(writing, "desk", NOW + SECOND, "still none")
    desk = stand(store)["desk"]
    assert (desk.waiting, desk.oldest_s, desk.failures, desk.fault) == (3, 60, 2, "still none")
    assert (desk.delivered_at, desk.failed_at, desk.parked) == (None, NOW + SECOND, 0)

    settled(store, first, at=NOW + 2 * SECOND)
    desk, heads = stand(store)["desk"], stand(store)["heads"]
    assert (desk.waiting, desk.failures, desk.delivered_at) == (1, 0, NOW + 2 * SECOND)
    assert desk.fault == "still none"
    assert (heads.waiting, heads.oldest_s, heads.since) == (3, 60, NOW)
    settled(store, open_deliveries(store)[0], fault="it answered 400")
    assert (stand(store)["desk"].parked, stand(store)["desk"].failures) == (1, 1)


def test_a_route_that_was_taken_out_still_sends_what_waits_on_it(store: Store) -> None:
    begun(store)
    tell(store, said("D1"))
    laid(store)
    renamed = Routes(zone="UTC", webhooks=ROUTES.webhooks, routes={"other": Route(channel="desk")})
    assert make(store, renamed, "desk", NOW) == 0
    assert make(store, renamed, "desk", NOW + 31 * SECOND) == 1


def test_shadow_sends_nothing(where: str) -> None:
    shadow = open_store(where, shadow=True)
    begun(shadow)
    tell(shadow, said("D1"))
    assert laid(shadow) == 0
    shadow.close()


def test_what_was_sent_long_ago_is_forgotten_and_what_was_refused_is_not(store: Store) -> None:
    begun(store)
    tell(store, said("D1"), said("D2", "water"), said("D3", "air"))
    laid(store)
    make(store, ROUTES, "desk", NOW)
    first, second, third = open_deliveries(store)
    settled(store, first)
    settled(store, second, fault="it answered 400")
    with store.writing() as writing:
        assert notices.forget(writing, NOW - SECOND) == 0
        assert notices.forget(writing, NOW) == 1
    assert [subjects(store, one) for one in (first, second, third)] == [[], ["D2"], ["D3"]]
    with store.reading() as reading:
        kept = notices.deliveries(reading, ["waiting", "parked", "sent"], 10)
    assert {one.id for one in kept} == {second.id, third.id}
