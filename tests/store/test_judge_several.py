"""All judgments over several subjects on one store: each says its own, once, and leaves the others' alerts alone."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from keeping import messages
from msgspec.structs import replace
from places import ROOT
from rotating import appointed, at, concluded

from consumers.apply import apply
from consumers.several import judge_several
from consumers.ticker import tick
from workflow.catalogue import Catalogue, load
from workflow.facts import Acted, Actor, Fact, Voided
from workflow.store.alerts import lives

if TYPE_CHECKING:
    from workflow.store.store import Store


@cache
def department() -> Catalogue:
    return load(ROOT / "processes")


def act(dossier: str, number: int, action: str, on: str, **more: Any) -> Fact:
    body = Acted(
        action=action,
        procedure="regulation-feedback",
        actor=Actor(id="cb-5", role="focal"),
        unit="can-tho-department",
        **more,
    )
    return Fact(dossier, "one-stop", f"{dossier}-{number}", at(on), body, sequence=number)


def received(dossier: str, on: str, about: str = "rule-7") -> Fact:
    return act(dossier, 1, "receive", on, party="p-1", data={"about": about})


def said(store: Store, on: str) -> list[tuple[str, str]]:
    done = judge_several(store, department(), now=at(on))
    return [(f"{one.alert.kind}/{one.alert.rule}", one.change) for one in done]


def tell(store: Store, *facts: Fact) -> None:
    apply(store, department(), messages(*facts), now=at("2021-08-01"))


def test_each_says_its_own_once(store: Store) -> None:
    tell(store, received("F-1", "2021-05-03"), received("F-2", "2021-05-20"), appointed("2021-03-01"))
    tell(store, concluded("2021-06-01"))
    first = said(store, "2021-06-02")
    assert [name.partition("/")[0] for name, _ in first] == ["rotation_due_verified", "feedback_repeated"]
    assert said(store, "2021-06-02") == []
    second = said(store, "2021-06-16")
    assert [name.partition("/")[0] for name, _ in second] == ["rotation_overdue", "feedback_drawn_out"]
    assert said(store, "2021-06-16") == []


def test_a_feedback_told_in_error_takes_its_repetition_back(store: Store) -> None:
    tell(store, received("F-1", "2021-05-03"), received("F-2", "2021-05-20"))
    assert said(store, "2021-05-21") == [("feedback_repeated/F-2", "raised")]
    gone = Fact(
        "F-1", "one-stop", "v", at("2021-05-22"), Voided(target_id="F-1-1", reason="of another"), sequence=2
    )
    tell(store, gone)
    assert said(store, "2021-05-23") == [("feedback_repeated/F-2", "retracted")]


def test_an_answer_resolves_it(store: Store) -> None:
    tell(store, received("F-1", "2021-05-03"), received("F-2", "2021-05-20"))
    said(store, "2021-05-21")
    tell(store, act("F-2", 2, "withdraw", "2021-05-24"))
    assert said(store, "2021-05-25") == [("feedback_repeated/F-2", "resolved")]


def test_a_matter_that_no_petition_names_any_more_is_taken_back(store: Store) -> None:
    tell(store, received("F-1", "2021-05-03"), received("F-2", "2021-05-20"))
    said(store, "2021-05-21")
    for name in ("F-1", "F-2"):
        first = received(name, "2021-05-03" if name == "F-1" else "2021-05-20", about=f"rule-{name}")
        tell(store, replace(first, revision=1))
    assert said(store, "2021-05-23") == [("feedback_repeated/F-2", "retracted")]
    for name, day in (("F-1", "2021-05-03"), ("F-2", "2021-05-20")):
        tell(store, replace(received(name, day, about="rule-9"), revision=2))
    assert said(store, "2021-05-24") == [("feedback_repeated/F-2", "raised")]
    with store.reading() as reading:
        states = {row.subject: row.state for row in reading.alerts() if row.kind == "feedback_repeated"}
    assert states == {"matter/p-1/rule-7": "retracted", "matter/p-1/rule-9": "raised"}


def test_alerts_of_one_dossier_and_of_several_leave_each_other_alone(store: Store) -> None:
    over = act("F-1", 1, "receive", "2021-05-03", data={"over_level": True})
    tell(store, over)
    assert said(store, "2021-05-04") == [("feedback_over_level/F-1", "raised")]
    tell(store, act("F-1", 2, "assign", "2021-05-04"))
    tick(store, department(), now=at("2021-12-01"))
    assert said(store, "2021-12-01") == []
    with store.reading() as reading:
        states = {row.kind: row.state for row in reading.alerts()}
    assert states["feedback_over_level"] == "raised"
    assert "feedback_late" in states


def test_feedback_that_is_late_goes_to_its_focal_officer_too(store: Store) -> None:
    tell(store, received("F-1", "2021-05-03"))
    tick(store, department(), now=at("2021-12-01"))
    with store.reading() as reading:
        found = [
            life.alert
            for life in lives(reading.alerts(["F-1"])).values()
            if life.alert.kind == "feedback_late"
        ]
    assert [alert.to[-1] for alert in found] == ["focal-officer@can-tho-department"]
