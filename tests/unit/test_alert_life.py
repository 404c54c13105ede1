"""What is said about alerts: the difference between what was said and what stands, and nothing twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from workflow.alerts.life import Act, Life, acts_in, say
from workflow.facts import Actor, AlertActed, Fact
from workflow.messages import Alert, AlertSaid, Decision, encode, read

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def alert(**more: Any) -> Alert:
    return Alert(
        **{
            "id": "dossier_late/D1/appointment",
            "kind": "dossier_late",
            "topic": "alerts.lateness",
            "subject": "D1",
            "rule": "appointment",
            "due_at": NOW,
            **more,
        }
    )


def acted(act: str, hour: float = 0, **more: Any) -> Act:
    return Act(act, "o7", (NOW + hour * HOUR, "desk", f"{act}-{hour}", 0), **more)


class Story:
    """Says one thing after the other, and keeps what was said."""

    def __init__(self) -> None:
        self.lives: dict[str, Life] = {}
        self.said: list[AlertSaid] = []

    def tell(
        self, *standing: Alert, hour: float = 0, act: Act | None = None, all_acts: bool = False
    ) -> list[str]:
        acts = None if act is None else {alert().id: act}
        spoken = say(self.lives, standing, NOW + hour * HOUR, acts=acts, all_acts=all_acts)
        self.lives |= {life.alert.id: life for life in spoken.lives}
        self.said += spoken.said
        return [one.change for one in spoken.said]


def test_an_alert_is_raised_once_and_saying_it_again_says_nothing() -> None:
    story = Story()
    assert story.tell(alert()) == ["raised"]
    assert story.tell(alert(), hour=1) == []


def test_raising_retracting_and_raising_again_are_three_messages() -> None:
    story = Story()
    assert [story.tell(alert()), story.tell(), story.tell(), story.tell(alert())] == [
        ["raised"],
        ["retracted"],
        [],
        ["raised"],
    ]
    assert [one.id for one in read(encode(story.said))] == [f"{alert().id}/{n}" for n in (1, 2, 3)]


def test_what_was_taken_back_and_is_true_again_waits_for_its_moment() -> None:
    story = Story()
    story.tell(alert())
    story.tell(hour=1)
    waits = alert(raise_at=NOW + 5 * HOUR)
    assert [story.tell(waits, hour=2), story.tell(waits, hour=3)] == [[], []]
    assert (story.lives[alert().id].state, story.lives[alert().id].n) == ("waiting", 2)
    assert story.tell(waits, hour=5) == ["raised"]
    assert story.said[-1].n == 3


def test_what_is_over_while_it_waits_to_be_said_again_is_not_taken_back_twice() -> None:
    story = Story()
    story.tell(alert())
    story.tell(hour=1)
    story.tell(alert(raise_at=NOW + 5 * HOUR), hour=2)
    assert story.tell(hour=3) == []
    assert story.lives[alert().id].shown == "retracted"


def test_a_lateness_that_is_over_is_resolved_and_not_retracted() -> None:
    story = Story()
    story.tell(alert())
    assert story.tell(alert(ended_at=NOW + HOUR), hour=2) == ["resolved"]
    assert story.tell(alert(ended_at=NOW + HOUR), hour=3) == []
    assert story.tell(hour=4) == ["retracted"]


def test_a_warning_that_no_longer_stands_is_over_and_was_not_wrong() -> None:
    story = Story()
    story.tell(alert(kind="dossier_at_risk"))
    assert story.tell() == ["resolved"]
    assert story.tell() == []


def test_another_moment_is_a_change_and_another_sum_is_none() -> None:
    story = Story()
    story.tell(alert())
    assert story.tell(alert(due_at=NOW + HOUR)) == ["changed"]
    assert story.tell(alert(due_at=NOW + HOUR, calendar="vn@2026#1", feed_silent=True)) == []


def test_each_rung_is_said_once() -> None:
    story = Story()
    story.tell(alert())
    assert story.tell(alert(rung=1, to=("head@u",))) == ["escalated"]
    assert story.tell(alert(rung=1, to=("head@u",))) == []


def test_an_acknowledgement_says_who_and_does_not_stop_the_rungs() -> None:
    story = Story()
    story.tell(alert())
    assert story.tell(alert(), act=acted("acknowledged")) == ["acknowledged"]
    assert (story.said[-1].by, story.said[-1].state) == ("o7", "acknowledged")
    assert story.tell(alert(rung=1)) == ["escalated"]
    assert story.said[-1].state == "acknowledged"


def test_a_snooze_holds_its_rungs_back_until_it_is_over() -> None:
    story = Story()
    story.tell(alert())
    assert story.tell(alert(), act=acted("snoozed", until=NOW + 5 * HOUR)) == ["snoozed"]
    assert story.tell(alert(rung=1), hour=2) == []
    assert story.tell(alert(rung=1), hour=5) == ["raised"]
    assert story.said[-1].alert.rung == 1
    assert story.tell(alert(rung=1), hour=6) == []


def test_what_a_person_resolved_stays_quiet_until_facts_end_it() -> None:
    story = Story()
    story.tell(alert())
    assert story.tell(alert(), act=acted("resolved")) == ["resolved"]
    assert story.tell(alert(rung=2), hour=2) == []
    assert story.tell(hour=3) == ["retracted"]


def test_of_several_acts_the_last_counts_in_whatever_order_they_come() -> None:
    story = Story()
    story.tell(alert())
    story.tell(alert(), act=acted("resolved", hour=3))
    assert story.tell(alert(), act=acted("acknowledged", hour=1)) == []
    assert story.lives[alert().id].state == "resolved"


def test_an_act_that_was_corrected_is_undone() -> None:
    for act in ("acknowledged", "snoozed", "resolved"):
        story = Story()
        story.tell(alert())
        story.tell(alert(), act=acted(act))
        assert story.tell(alert(), hour=1) == []
        assert story.tell(alert(), hour=2, all_acts=True) == ["raised"]
        assert (story.said[-1].state, story.said[-1].by) == ("raised", None)
        assert story.tell(alert(), hour=3, all_acts=True) == []


def test_where_the_last_of_two_acts_was_corrected_the_earlier_counts_again() -> None:
    story = Story()
    story.tell(alert())
    story.tell(alert(), act=acted("acknowledged", hour=1))
    story.tell(alert(), act=acted("snoozed", hour=2, until=NOW + 9 * HOUR))
    assert story.tell(alert(), hour=3, act=acted("acknowledged", hour=1), all_acts=True) == ["acknowledged"]


def test_history_of_which_somebody_said_something_stays_unsent() -> None:
    story = Story()
    story.tell(alert(history=True))
    assert story.tell(alert(history=True), act=acted("snoozed", until=NOW + 9 * HOUR)) == []
    assert story.tell(alert(history=True), hour=10) == []
    assert story.lives[alert().id].state == "history"


def test_an_act_on_an_alert_never_said_has_no_effect() -> None:
    assert Story().tell(act=acted("resolved")) == []


def test_history_is_kept_and_never_sent() -> None:
    story = Story()
    assert story.tell(alert(history=True)) == []
    assert (story.lives[alert().id].state, story.lives[alert().id].n) == ("history", 0)
    assert story.tell(alert()) == ["raised"]
    assert story.said[0].n == 1


def test_acts_are_read_from_facts_the_last_of_each_alert() -> None:
    def fact(identifier: str, hour: float, act: Any) -> Fact:
        body = AlertActed(alert_id="a", act=act, by=Actor(id="o7"))
        return Fact("D1", "desk", identifier, NOW + hour * HOUR, body)

    found = acts_in([fact("1", 2, "snoozed"), fact("2", 1, "acknowledged")])
    assert {name: act.act for name, act in found.items()} == {"a": "snoozed"}


def test_a_row_of_the_outbox_reads_as_messages_with_topic_id_and_key() -> None:
    story = Story()
    story.tell(alert())
    decision = Decision("D1", "gate", "e1", 0, 3)

    first, second = read(encode([decision, *story.said]))

    assert first[:3] == ("decisions", "D1/gate/e1/0/3", "D1")
    assert second[:3] == ("alerts.lateness", "dossier_late/D1/appointment/1", "D1")
    assert second.data == encode(story.said[0])


STANDING = st.lists(
    st.one_of(
        st.none(),
        st.builds(
            lambda due, ended, rung: alert(
                due_at=NOW + due * HOUR, ended_at=None if ended is None else NOW + ended * HOUR, rung=rung
            ),
            st.integers(0, 2),
            st.one_of(st.none(), st.integers(3, 5)),
            st.integers(0, 2),
        ),
    ),
    max_size=12,
)


@given(STANDING)
def test_whatever_stood_the_last_message_says_what_stands_and_nothing_is_said_twice(
    found: list[Alert | None],
) -> None:
    story = Story()
    for hour, one in enumerate(found):
        standing = [] if one is None else [one]
        story.tell(*standing, hour=hour)
        before = len(story.said)
        story.tell(*standing, hour=hour)
        assert len(story.said) == before
        assert [said.n for said in story.said] == list(range(1, len(story.said) + 1))
        if story.said:
            last = story.said[-1]
            assert (last.state == "retracted") == (one is None)
            assert one is None or replace(last.alert) == one
