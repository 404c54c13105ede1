from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from consumers.files.limits import FileLimits
from workflow.errors import InputError
from workflow.facts import Acted, Actor, Opened

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.files.conftest import Read

    Reading = Callable[..., Read]

MAPPING = """
format: xes
source: log
fields: {actor: "org:resource", role: "org:role"}
case: {ended_at: enddate, data: {deadline: deadline}}
"""
GLOBAL = """<global scope="trace"><date key="enddate" value="1970-01-01T00:00:00+01:00"/></global>
<global scope="event"><string key="org:resource" value="UNKNOWN"/></global>
"""


def event(action: str, at: str = "2011-10-11T13:45:40.276+02:00", more: str = "") -> str:
    name = f'<string key="concept:name" value="{action}"/>'
    return f'<event>{name}<date key="time:timestamp" value="{at}"/>{more}</event>\n'


def trace(name: str, *parts: str) -> str:
    return f'<trace>\n<string key="concept:name" value="{name}"/>\n{"".join(parts)}</trace>\n'


def log(*traces: str) -> str:
    return (
        f'<?xml version="1.0"?>\n<log xmlns="http://www.xes-standard.org/">\n{GLOBAL}{"".join(traces)}</log>'
    )


def actions(found: Read, subject: str) -> list[str]:
    return [fact.body.action for fact in found.dossiers[subject] if isinstance(fact.body, Acted)]


def test_global_defaults_are_never_data(read: Reading) -> None:
    ended = '<date key="enddate" value="2011-10-12T00:00:00+02:00"/>'
    found = read(log(trace("open", event("a")), trace("ended", ended, event("a"))), MAPPING)
    bodies = [facts[0].body for facts in found.dossiers.values()]
    assert [body.ended_at for body in bodies if isinstance(body, Opened)] == [
        None,
        datetime(2011, 10, 11, 22, tzinfo=UTC),
    ]
    (_, fact) = found.dossiers["open"]
    assert isinstance(fact.body, Acted)
    assert fact.body.actor is None


def test_events_keep_their_row_line_and_order(read: Reading) -> None:
    later, earlier = "2011-10-11T13:45:40+02:00", "2011-10-11T12:00:00+01:00"
    found = read(
        log(trace("A", event("a", later), event("b", earlier), event("c", "soon"), event("d", later))),
        MAPPING,
    )
    assert actions(found, "A") == ["a", "b", "d"]
    assert [fact.sequence for fact in found.dossiers["A"]] == [0, 1, 2, 4]
    assert found.dossiers["A"][0].occurred_at == datetime(2011, 10, 11, 11, tzinfo=UTC)
    assert (found.reasons, found.places) == ({"time": 1}, ["9"])


def test_mixed_offsets_become_utc(read: Reading) -> None:
    found = read(
        log(trace("A", event("a", "2011-10-30T02:30:00+02:00"), event("b", "2011-10-30T02:30:00+01:00"))),
        MAPPING,
    )
    assert [fact.occurred_at.hour for fact in found.dossiers["A"][1:]] == [0, 1]


def test_start_and_complete_of_one_step_count_once_where_the_mapping_says_so(read: Reading) -> None:
    state = '<string key="lifecycle:transition" value="{}"/>'
    steps = [event(name, more=state.format(kind)) for name in "ab" for kind in ("start", "complete")]
    found = read(log(trace("A", *steps)), MAPPING + 'only: {"lifecycle:transition": complete}\n')
    assert (actions(found, "A"), found.file.filtered, found.file.taken) == (["a", "b"], 2, 2)


def test_attributes_inside_attributes_say_nothing_of_the_event(read: Reading) -> None:
    more = (
        '<string key="note" value="n"><string key="org:resource" value="inner"/></string>'
        '<list key="l"><values><string key="org:role" value="inner"/></values></list>'
        '<string key="org:resource" value="outer"/>'
    )
    (_, fact) = read(log(trace("A", event("a", more=more))), MAPPING).dossiers["A"]
    assert isinstance(fact.body, Acted)
    assert fact.body.actor == Actor(id="outer")


def test_a_repeated_attribute_refuses_its_event(read: Reading) -> None:
    twice = '<string key="org:resource" value="x"/>' * 2
    found = read(log(trace("A", event("a", more=twice), event("b"))), MAPPING)
    assert (found.reasons, actions(found, "A")) == ({"repeated_attribute": 1}, ["b"])


def test_a_trace_whose_own_values_cannot_be_read_is_refused_whole(read: Reading) -> None:
    bad = '<date key="enddate" value="31/12/2011"/>'
    found = read(log(trace("A", bad, event("a"), event("b")), trace("B", event("a"))), MAPPING)
    assert (list(found.dossiers), found.reasons, found.places) == (["B"], {"time": 2}, ["7", "8"])


def test_a_trace_without_events_or_name_is_refused(read: Reading) -> None:
    found = read(log(trace("A"), f"<trace>{event('a')}</trace>"), MAPPING)
    assert (found.dossiers, found.reasons) == ({}, {"no_events": 1, "subject_missing": 1})


def test_a_trace_of_one_name_that_comes_twice_is_sorted_together(read: Reading) -> None:
    twice = log(trace("A", event("a")), trace("B", event("b")), trace("A", event("c")))
    found = read(twice, MAPPING + "grouped: false\n")
    assert (actions(found, "A"), found.file.sorted_externally) == (["a", "c"], True)


def test_logs_without_a_namespace_and_packed_ones_are_read(read: Reading) -> None:
    plain = log(trace("A", event("a"))).replace(' xmlns="http://www.xes-standard.org/"', "")
    assert actions(read(plain, MAPPING, pack=True, name="log.xes"), "A") == ["a"]


def test_events_of_a_trace_beyond_the_limit_are_refused(read: Reading) -> None:
    found = read(log(trace("A", *[event("a")] * 5)), MAPPING, FileLimits(dossier_facts_max=3))
    assert (len(actions(found, "A")), found.reasons) == (3, {"too_many_facts": 2})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<log><trace>", "xml"),
        ("no xml at all", "xml"),
        ("<html/>", "not_xes"),
        (log(trace("A", event("a")))[:-8], "xml"),
    ],
)
def test_what_is_no_xes_log_is_refused_with_its_line(read: Reading, text: str, reason: str) -> None:
    with pytest.raises(InputError, match=r"log:\d+: ") as error:
        read(text, MAPPING)
    assert error.value.code == reason
