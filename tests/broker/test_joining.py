"""Joining a group: whoever asks often and waits little still gets what is its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from working import Office, until

from consumers.kafkareader import Raw, Reader
from consumers.kafkasettings import KafkaSettings
from consumers.streams import Polled

if TYPE_CHECKING:
    from servers.finding import Servers

pytestmark = pytest.mark.timeout(120)


def undecoded(raw: Raw) -> Polled:
    return Polled(raw.stream, [], [], raw.since, raw.after, raw.end)


def test_polls_too_short_for_a_round_of_the_group_do_not_keep_a_member_from_its_partitions(
    servers: Servers, office: Office, name: str
) -> None:
    """The library forgets a joining that a poll cut short: without our help half of these get nothing, for ever."""
    for number in range(8):
        settings = KafkaSettings(group=f"{name}-{number}", poll_timeout_ms=3)
        reader = Reader(servers.bootstrap, [office.topic], settings, undecoded)

        def given(reader: Reader = reader) -> bool:
            reader.poll()
            return len(reader.assigned()) == 3

        until(given, f"the partitions of member {number}", within_s=30)
        reader.close()
