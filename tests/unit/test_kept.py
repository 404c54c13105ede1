"""What the store keeps of an error is told in the language of whoever reads it later."""

from __future__ import annotations

import json

import pytest

from consumers.channels.faults import why
from consumers.codec import RawRecord, decode
from workflow.errors import ChannelAway, InputError, Words
from workflow.i18n import translator
from workflow.kept import as_kept, english, retold

AWAY = ChannelAway(
    "{channel}: no answer ({found}); it is tried again",
    channel="https://desk.example",
    found=Words("timed out after {seconds} s", seconds="10"),
)


def test_an_error_is_told_again_in_either_language() -> None:
    said = as_kept(AWAY)
    assert (
        english(said)
        == str(AWAY)
        == "https://desk.example: no answer (timed out after 10 s); it is tried again"
    )
    assert retold(said, translator("vi")) == (
        "https://desk.example: không có trả lời (quá thời gian chờ 10 giây); sẽ thử lại"
    )


@pytest.mark.parametrize(
    "value", [b"", b"{", b"[]", b'{"specversion":"1.0","type":"x"}', b"{}", b'{"a":1,"a":2}']
)
def test_whatever_is_wrong_with_a_message_is_told_again_as_it_was(value: bytes) -> None:
    with pytest.raises(InputError) as found:
        decode(RawRecord(value, place="t/0/7"))
    said = as_kept(found.value)
    assert english(said) == str(found.value)
    assert retold(said, translator("vi")) != english(said)
    assert said == as_kept(found.value)


@pytest.mark.parametrize(
    "before", ["", "cut short", "t/0/2: at $ expected {one}", "{}", '{"said": 1}', "[1]"]
)
def test_what_older_stores_hold_is_told_as_it_stands(before: str) -> None:
    assert retold(before, translator("vi")) == before


def test_a_value_is_never_a_template() -> None:
    found = InputError("{place}: found {found}", place="a", found="{place} {0} {")
    assert english(as_kept(found)) == "a: found {place} {0} {"


def test_a_nul_is_kept_as_text_a_database_takes() -> None:
    said = as_kept(InputError("{found}", found="a\0b"))
    assert "\0" not in said
    assert json.loads(said)["values"] == {"found": "a\0b"}


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "không có gì lắng nghe ở địa chỉ này"),
        (ConnectionResetError(104, "Connection reset by peer"), "phía kia đóng kết nối"),
        (TimeoutError(), "quá thời gian chờ"),
        (OSError("something else"), "something else"),
    ],
)
def test_known_faults_of_the_network_are_told_in_words_of_ours(fault: OSError, said: str) -> None:
    away = ChannelAway("{found}", found=why(fault))
    assert retold(as_kept(away), translator("vi")) == said
