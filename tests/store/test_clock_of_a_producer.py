"""A producer whose clock is three days wrong: kept as told, recorded by our clock alone, and said of its source."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest
from keeping import NINE, act, catalogue, messages, source

from consumers.apply import apply
from consumers.ticker import tick_feeds
from workflow.messages import read

if TYPE_CHECKING:
    from workflow.store.store import Store

RULES = catalogue(sources={"gate": source("gate")})
NOW = NINE + timedelta(hours=1)


@pytest.mark.parametrize(("wrong_hours", "alerts"), [(72, ["clock_skew"]), (-72, [])])
def test_a_clock_three_days_wrong_never_turns_our_own_back(
    store: Store, wrong_hours: int, alerts: list[str]
) -> None:
    """Ahead is told of the source; behind cannot be told from a late report, which it is judged as."""
    right, wrong = act("receive", 0), act("note", 0.5 + wrong_hours)
    for number, fact in enumerate((right, wrong, act("note", 0.75))):
        apply(store, RULES, messages(fact), now=NOW + timedelta(seconds=number))
    tick_feeds(store, RULES, now=NOW)

    with store.reading() as reading:
        rows = list(reading.rows("SELECT occurred_at, recorded_at FROM facts ORDER BY recorded_at"))
        told = [one for _, content in reading.outbox(limit=100) for one in read(content)]
    kinds = [msgspec.json.decode(one.data)["alert"]["kind"] for one in told if one.topic == "alerts.feeds"]
    occurred = [row[0] for row in rows]
    recorded = [row[1] for row in rows]
    assert [kind for kind in kinds if kind == "clock_skew"] == alerts
    assert occurred[1] - occurred[0] == (wrong_hours * 3_600 + 1_800) * 1_000_000
    assert recorded == sorted(set(recorded))
    assert recorded[-1] - recorded[0] < 60 * 1_000_000
