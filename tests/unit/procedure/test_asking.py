"""What guards ask, in the words a person reads."""

from __future__ import annotations

import pytest
from drawing import procedure

from workflow.i18n import translator
from workflow.procedure.asking import asked_in_words


@pytest.mark.parametrize(
    ("requires", "english", "vietnamese"),
    [
        ("{role: [head, deputy]}", "whoever acts is head or deputy", "người thực hiện là head hoặc deputy"),
        (
            "{four_eyes: [assign, sign]}",
            "“Assign” and “sign” are done by different persons",
            "“Giao” và “sign” do những người khác nhau thực hiện",
        ),
        ("{documents: [a, b, c]}", "the documents a, b and c are there", "có giấy tờ a, b và c"),
        (
            "{times: {action: assign, fewer_than: 1}}",
            "“Assign” never took place before",
            "chưa từng có “Giao”",
        ),
        (
            "{times: {action: assign, fewer_than: 3}}",
            "“Assign” took place fewer than 3 times before",
            "trước đó “Giao” chưa đến 3 lần",
        ),
        ("{after_state: [drafted]}", "it was in “drafted” before", "trước đó đã ở “drafted”"),
        ("{before_state: [drafted]}", "it was never in “drafted” before", "chưa từng ở “drafted”"),
        ("{present: {register: fee}}", "fee is known", "đã biết fee"),
        ("{equals: [{register: fee}, '5']}", "fee is “5”", "fee là “5”"),
        (
            "{at_least: [{data: paid}, {register: fee}]}",
            "paid of the event is at least fee",
            "paid của sự kiện",
        ),
        ("{at_most: [{sum: [fee, fine]}, '5']}", "fee + fine is at most “5”", "nhiều nhất bằng “5”"),
        ("{less_than: [{sum: all}, '5']}", "all is less than “5”", "nhỏ hơn “5”"),
        ("{one_of: {value: {data: kind}, in: [a, b]}}", "kind of the event is “a” or “b”", "là “a” hoặc “b”"),
        (
            "{not: {within: {number: 3, counts: days, after: receive}}}",
            "not: at most 3 working days after the first “receive”",
            "không phải: chậm nhất 3 ngày làm việc sau “receive” đầu tiên",
        ),
        ("{limit_passed: committed}", "the limit committed has passed", "đã quá thời hạn committed"),
        (
            "{all: [{role: [head]}, {any: [{limit_passed: committed}, {not: {present: {register: fee}}}]}]}",
            "whoever acts is head and (the limit committed has passed or (not: fee is known))",
            "người thực hiện là head và (đã quá thời hạn committed hoặc (không phải: đã biết fee))",
        ),
    ],
)
def test_every_predicate_has_its_words(requires: str, english: str, vietnamese: str) -> None:
    revision = procedure(guards=f"guards: {{rule: {{requires: {requires}}}}}", actions=ACTIONS)
    predicate = revision.guards["rule"].requires
    assert asked_in_words(predicate, revision, "en", str) == english
    assert vietnamese in asked_in_words(predicate, revision, "vi", translator("vi"))


ACTIONS = """
    actions:
      receive: {milestone: received, role: [desk], moves: [{from: [submitted], to: checked}]}
      assign: {name: {vi: Giao, en: Assign}, role: [head], moves: [{from: [checked], to: drafted}]}
      sign: {milestone: issued, role: [head], moves: [{from: [drafted], to: signed}]}
    """
