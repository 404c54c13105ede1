"""Bytes to facts and back: what is taken, what is refused, and that nothing else can happen."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from unicodedata import normalize
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict, replace
from searching import examples
from strategies_messages import any_facts, composed_texts, fields, written

from consumers.codec import RawRecord, decode, encode
from consumers.contract.limits import DEFAULT_LIMITS, Limits
from consumers.contract.reasons import LIMIT_REASONS, REASONS
from workflow.canonical import canonical
from workflow.errors import HostileInput, InputError
from workflow.facts import Acted, Appointment, Fact

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

EXAMPLES: Final = Path(__file__).parent.parent / "contract_examples"
GOOD: Final = (EXAMPLES / "dossier.acted.v1" / "good.json").read_bytes()
SAIGON: Final = ZoneInfo("Asia/Ho_Chi_Minh")
BERLIN: Final = ZoneInfo("Europe/Berlin")
STRUCTURED: Final = (("content-type", b"application/cloudevents+json; charset=UTF-8"),)
FACTS: Final = any_facts(composed_texts())
FEW: Final = settings(max_examples=examples(30))
"""Facts of sixteen types are dear to draw; each run draws others."""


def _event(change: Callable[[dict[str, Any]], object] | None = None, **data: Any) -> dict[str, Any]:
    """A small event, its data and attributes changed."""
    event: dict[str, Any] = {
        "specversion": "1.0",
        "type": "dossier.acted.v1",
        "source": "/s",
        "id": "e1",
        "subject": "d1",
        "data": {"occurred_at": "2026-11-23T08:15:30+07:00", "action": "receive"} | data,
    }
    if change:
        change(event)
    return event


def _bytes(event: object) -> bytes:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _taken(event: object, **how: Any) -> Fact:
    return decode(RawRecord(_bytes(event)), **how)


def _acted(fact: Fact) -> Acted:
    assert isinstance(fact.body, Acted)
    return fact.body


def _refused(value: bytes, **how: Any) -> tuple[str, str]:
    with pytest.raises(InputError) as refused:
        decode(RawRecord(value, **{name: how.pop(name) for name in ("key", "headers") if name in how}), **how)
    error = refused.value
    assert isinstance(error, HostileInput) == (error.code in LIMIT_REASONS)
    return error.code, str(error.values["path"])


# -- there and back


@FEW
@given(FACTS)
def test_a_fact_comes_back_from_its_message(fact: Fact) -> None:
    message = encode(fact)

    assert decode(RawRecord(message, key=fact.subject.encode(), headers=STRUCTURED)) == fact
    assert encode(decode(RawRecord(message))) == message


@FEW
@given(FACTS, st.randoms(use_true_random=False))
def test_white_space_escapes_and_unknown_fields_change_nothing(fact: Fact, rng: Random) -> None:
    event = json.loads(encode(fact))
    event |= {"time": "whenever", "traceparent": '00-":":', "xother": None}
    event["data"] |= {"unheard_of": [{"deep": '":'}], "type": "dossier.danced.v9"}

    assert decode(RawRecord(written(event, rng).encode())) == fact


@FEW
@given(FACTS, st.randoms(use_true_random=False), st.data())
def test_a_repeated_name_is_found_however_it_is_written(fact: Fact, rng: Random, data: st.DataObject) -> None:
    event = json.loads(encode(fact))
    event["data"]["unheard_of"] = {"deep": [{"inner": '":'}]}
    message = written(event, rng, repeat=data.draw(st.integers(0, fields(event) - 1)))

    assert _refused(message.encode())[0] == "repeated_key"


@FEW
@given(FACTS)
def test_binary_and_structured_mode_tell_the_same_fact(fact: Fact) -> None:
    event = json.loads(encode(fact))
    data = _bytes(event.pop("data"))
    headers = [("content-type", event.pop("datacontenttype").encode())]
    headers += [(f"ce_{name}", str(value).encode()) for name, value in event.items()]

    assert decode(RawRecord(data, headers=tuple(headers))) == fact


@given(st.binary(max_size=60), st.integers(0, len(GOOD)), st.integers(0, 40))
def test_no_bytes_raise_anything_but_a_refusal(noise: bytes, at: int, cut: int) -> None:
    for value in (noise, GOOD[:at] + noise + GOOD[at + cut :]):
        try:
            fact = decode(RawRecord(value))
        except InputError as error:
            assert error.code in REASONS | LIMIT_REASONS  # noqa: PT017 - either way is right
            assert str(error).startswith("message: at $")  # noqa: PT017
        else:
            assert canonical(fact)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    ),
    st.sampled_from(["id", "sequence", "revision", "recordedtime", "datacontenttype", "subject"]),
    st.sampled_from(
        ["action", "actor", "appointment", "documents", "part", "data", "entered_at", "occurred_at"]
    ),
)
def test_no_value_anywhere_raises_anything_but_a_refusal(value: Any, attribute: str, field: str) -> None:
    for event in (_event(lambda event: event.update({attribute: value})), _event(**{field: value})):
        try:
            fact = _taken(event)
        except InputError as error:
            assert error.code in REASONS | LIMIT_REASONS  # noqa: PT017 - either way is right
        else:
            assert decode(RawRecord(encode(fact))) == fact


def test_a_message_is_written_as_it_always_was() -> None:
    body = Acted(action="receive", appointment=Appointment(at=date(2026, 12, 7)), data={"fee": "12.00"})
    at = datetime(2026, 11, 23, 8, 15, 30, tzinfo=SAIGON)

    assert encode(
        Fact("d1", "/s", "e1", at, body, sequence=12, revision=1, entered_at=at, recorded_at=at)
    ) == (
        b'{"specversion":"1.0","type":"dossier.acted.v1","source":"/s","id":"e1","subject":"d1",'
        b'"datacontenttype":"application/json","sequence":"0000000000000012","revision":1,'
        b'"recordedtime":"2026-11-23T01:15:30.000000Z","data":{"occurred_at":"2026-11-23T01:15:30.000000Z",'
        b'"entered_at":"2026-11-23T01:15:30.000000Z","action":"receive","appointment":{"at":"2026-12-07"},'
        b'"data":{"fee":"12.00"}}}'
    )


# -- the envelope


def test_the_sending_time_of_the_envelope_is_not_when_it_occurred() -> None:
    fact = _taken(_event(lambda event: event.update(time="2031-01-01T00:00:00Z")))

    assert fact.occurred_at == datetime(2026, 11, 23, 1, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "sequence", ["", "-1", "+1", "1 ", "1.0", "1_0", "\u0661", "00000000000000001", -1, 2**53, None, True]
)
def test_a_sequence_is_nothing_else(sequence: object) -> None:
    with pytest.raises(InputError) as refused:
        _taken(_event(lambda event: event.update(sequence=sequence)))

    assert refused.value.values["path"] == "$.sequence"


@pytest.mark.parametrize("sequence", [12, "12", "0000000000000012"])
def test_a_sequence_is_a_number_or_its_digits(sequence: object) -> None:
    assert _taken(_event(lambda event: event.update(sequence=sequence))).sequence == 12


@pytest.mark.parametrize(
    "content", ["application/json", "application/json; charset=utf-8", "application/vnd.x+json"]
)
def test_data_of_every_json_type_is_taken(content: str) -> None:
    assert _taken(_event(lambda event: event.update(datacontenttype=content))).id == "e1"


def test_the_key_is_the_subject_in_either_unicode_form() -> None:
    event = _event(lambda event: event.update(subject="hồ-1"))
    for key in ("hồ-1", normalize("NFD", "hồ-1")):
        assert decode(RawRecord(_bytes(event), key=key.encode())).subject == "hồ-1"


def test_headers_of_a_structured_message_are_not_read() -> None:
    headers = (*STRUCTURED, ("ce_id", b"other"), ("ce_specversion", b"0.3"))

    assert decode(RawRecord(_bytes(_event()), headers=headers)).id == "e1"


def test_texts_come_out_composed() -> None:
    event = _event(
        lambda event: event.update(subject=normalize("NFD", "hồ-1")), data={normalize("NFD", "phí"): "1"}
    )
    fact = _taken(event)

    assert fact.subject == normalize("NFC", "hồ-1")
    assert _acted(fact).data == {"phí": "1"}


def test_a_byte_order_mark_in_front_is_dropped() -> None:
    assert decode(RawRecord(b"\xef\xbb\xbf" + GOOD)) == decode(RawRecord(GOOD))


# -- times


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23T08:15:30+07:00", datetime(2026, 11, 23, 1, 15, 30, tzinfo=UTC)),
        ("2026-11-23t01:15:30z", datetime(2026, 11, 23, 1, 15, 30, tzinfo=UTC)),
        ("2026-11-22T20:45:30.5-04:30", datetime(2026, 11, 23, 1, 15, 30, 500_000, tzinfo=UTC)),
        ("2026-11-23T01:15:30.000001-00:00", datetime(2026, 11, 23, 1, 15, 30, 1, tzinfo=UTC)),
        ("1990-01-01T00:00:00Z", datetime(1990, 1, 1, tzinfo=UTC)),
        ("2100-12-31T23:59:59.999999Z", datetime(2100, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_to_the_microsecond_into_utc(text: str, expected: datetime) -> None:
    found = _taken(_event(occurred_at=text)).occurred_at

    assert (found, found.tzinfo) == (expected, UTC)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2026-11-23 08:15:30Z", "time"),
        ("2026-11-23T08:15:30+0700", "time"),
        ("2026-11-23T08:15:30+07", "time"),
        ("2026-11-23T08:15Z", "time"),
        ("2026-11-23T08:15:60Z", "time"),
        ("2026-11-23T24:00:00Z", "time"),
        ("2026-11-31T08:15:30Z", "time"),
        ("2026-11-23T08:15:30+24:00", "time"),
        ("2026-11-23T08:15:30+07:60", "time"),
        ("2026-11-23T08:15:30,5Z", "time"),
        ("2026-W48-1T08:15:30Z", "time"),
        ("20261123T081530Z", "time"),
        ("2026-11-23", "time"),
        ("٢٠٢٦-11-23T08:15:30Z", "time"),
        ("2026-11-23T08:15:30Z\n", "time"),
        ("0001-01-01T00:00:00+07:00", "time"),
        ("", "time"),
        ("2026-11-23T08:15:30.1234560Z", "time_too_fine"),
        ("2026-11-23t08:15:30.1234567z", "time_too_fine"),
        ("2026-11-23T08:15:30", "time_without_zone"),
        ("1989-12-31T23:59:59Z", "time_out_of_range"),
        ("1990-01-01T06:59:59+07:00", "time_out_of_range"),
        ("2101-01-01T00:00:00Z", "time_out_of_range"),
    ],
)
def test_a_time_that_is_not_rfc_3339_or_not_believed_is_refused(text: str, reason: str) -> None:
    assert _refused(_bytes(_event(occurred_at=text))) == (reason, "$.data.occurred_at")
    assert _refused(_bytes(_event(submitted_at=text))) == (reason, "$.data.submitted_at")
    assert _refused(_bytes(_event(lambda event: event.update(recordedtime=text)))) == (
        reason,
        "$.recordedtime",
    )


def test_a_time_without_offset_is_local_where_its_source_has_a_zone() -> None:
    event = _event(occurred_at="2026-11-23T08:15:30", appointment={"at": "2026-12-07T17:00:00"})
    fact = _taken(event, zone=SAIGON)

    assert fact.occurred_at == datetime(2026, 11, 23, 1, 15, 30, tzinfo=UTC)
    assert _acted(fact).appointment == Appointment(at=datetime(2026, 12, 7, 10, tzinfo=UTC))


def test_an_offset_goes_before_the_zone_of_the_source() -> None:
    assert _taken(_event(), zone=BERLIN).occurred_at == datetime(2026, 11, 23, 1, 15, 30, tzinfo=UTC)


def test_a_local_time_that_comes_twice_is_the_earlier() -> None:
    fact = _taken(_event(occurred_at="2026-10-25T02:30:00"), zone=BERLIN)

    assert fact.occurred_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_local_time_that_a_clock_change_leaves_out_is_refused() -> None:
    event = _event(occurred_at="2026-03-29T02:30:00")

    assert _refused(_bytes(event), zone=BERLIN) == ("no_such_local_time", "$.data.occurred_at")


@pytest.mark.parametrize(
    ("text", "reason"),
    [("2026-13-01", "date"), ("2026-1-1", "date"), ("20261207", "date"), ("1989-12-31", "time_out_of_range")],
)
def test_the_date_of_a_slip_is_a_day_of_the_calendar(text: str, reason: str) -> None:
    assert _refused(_bytes(_event(appointment={"at": text}))) == (reason, "$.data.appointment.at")


def test_a_slip_with_a_day_only_keeps_the_day() -> None:
    body = _acted(_taken(_event(appointment={"at": "2026-12-07"})))

    assert body.appointment == Appointment(at=date(2026, 12, 7))


# -- what is refused, beside the examples of each type

DEEP: Final = b'{"a":' * 9_999 + b"{}" + b"}" * 9_999
BYTES: Final[dict[str, tuple[bytes, str, str]]] = {
    "nothing": (b"", "empty_message", "$"),
    "a byte order mark alone": (b"\xef\xbb\xbf", "empty_message", "$"),
    "UTF-16": (GOOD.decode().encode("utf-16"), "not_utf8", "$"),
    "Latin-1": (GOOD.replace(b"receive", b"re\xe7u"), "not_utf8", "$"),
    "half a pair as bytes": (GOOD.replace(b"receive", b"\xed\xa0\x80"), "not_utf8", "$"),
    "half a pair": (GOOD.replace(b"receive", rb"\ud83d"), "lone_surrogate", "$.data.action"),
    "half a pair in a name": (GOOD.replace(b'"fee"', rb'"\ude00"'), "lone_surrogate", "$.data.data"),
    "U+0000": (GOOD.replace(b"receive", rb"re\u0000"), "nul_character", "$.data.action"),
    "U+0000 in an unknown field": (GOOD.replace(b'"unit":', rb'"x": "\u0000", "unit":'), "nul_character", "$.data.x"),
    "U+0000 in a compact message": (_bytes(_event(action="\0")), "nul_character", "$.data.action"),
    "a control character": (GOOD.replace(b"receive", b"re\x01"), "not_json", "$"),
    "half a message": (GOOD[:100], "not_json", "$"),
    "two messages": (GOOD + GOOD, "not_json", "$"),
    "a list of events": (b"[" + GOOD + b"]", "not_an_object", "$"),
    "a text": (b'"receive"', "not_an_object", "$"),
    "infinity": (GOOD.replace(b'"plots": 2', b'"plots": -Infinity'), "not_finite", "$.data.data.plots"),
    "an exponent": (GOOD.replace(b'"plots": 2', b'"plots": 2e0'), "number_not_whole", "$.data.data.plots"),
    "a fraction in an unknown field": (_bytes(_event(x=[0.5])), "number_not_whole", "$.data.x[0]"),
    "5,000 digits": (_bytes(_event(x=1)).replace(b":1}", b":" + b"9" * 5_000 + b"}"), "number_too_large", "$.data.x"),
    "a large number after a blank": (GOOD.replace(b": 2,", b": -9007199254740992,"), "number_too_large",
                                     "$.data.data.plots"),
    "a large number in a list": (_bytes(_event(x=[1, 2**53])), "number_too_large", "$.data.x[1]"),
    "a sequence too large": (_bytes(_event(lambda event: event.update(sequence="9007199254740992"))), "sequence",
                             "$.sequence"),
    "a repeated attribute": (GOOD.replace(b'"id"', b'"id": "x", "id"'), "repeated_key", "$.id"),
    "a name repeated by an escape": (GOOD.replace(b'"fee"', rb'"f\u0065e": "", "fee"'), "repeated_key",
                                     "$.data.data.fee"),
    "a name repeated in the other Unicode form": (_bytes(_event(data={"é": "1", "e\u0301": "2"})), "repeated_key",
                                                  "$.data.data['\\xe9']"),
    "a repeat hidden behind a blank": (_bytes(_event()).replace(b'"id":', b'"id" :').replace(
        b'"action":', b'"action":"x","action":'), "repeated_key", "$.data.action"),
    "a repeat hidden behind an escape": (_bytes(_event(reason="??:")).replace(b"??", rb"\u0022").replace(
        b'"action":', b'"action":"x","action":'), "repeated_key", "$.data.action"),
    "10,000 levels": (DEEP, "too_deep", "$"),
    "33 levels": (_bytes(_event(x=json.loads("[" * 31 + "]" * 31))), "too_deep", "$"),
    "a large message": (b'{"a":"' + b"x" * (1 << 20) + b'"}', "message_too_large", "$"),
    "a long text": (_bytes(_event(reason="x" * 10_001)), "text_too_long", "$.data.reason"),
    "a long name": (_bytes(_event(data={"x" * 10_001: "1"})), "text_too_long", "$.data.data"),
    "a long subject": (_bytes(_event(lambda event: event.update(subject="x" * 201))), "text_too_long", "$.subject"),
    "a long list": (_bytes(_event(documents=["x"] * 1_001)), "list_too_long", "$.data.documents"),
    "many fields": (_bytes(_event(data={str(n): n for n in range(501)})), "too_many_fields", "$.data.data"),
    "a list for the event's data": (_bytes(_event(lambda event: event.update(data=[]))), "wrong_type", "$.data"),
    "a list under an empty name": (_bytes(_event(data={"": []})), "wrong_type", "$.data.data['']"),
    "no type": (_bytes(_event(lambda event: event.pop("type"))), "missing_field", "$.type"),
    "a number for a type": (_bytes(_event(lambda event: event.update(type=1))), "unknown_type", "$.type"),
    "no specversion": (_bytes(_event(lambda event: event.pop("specversion"))), "specversion", "$.specversion"),
    "no time": (_bytes(_event(occurred_at=None)), "missing_field", "$.data.occurred_at"),
    "a number for a time": (_bytes(_event(entered_at=1)), "wrong_type", "$.data.entered_at"),
    "a flag for a number": (_bytes(_event(part={"number": True, "total": 2})), "wrong_type", "$.data.part.number"),
}  # fmt: skip


@pytest.mark.parametrize("name", BYTES)
def test_refuses_what_readers_may_understand_differently(name: str) -> None:
    value, reason, path = BYTES[name]

    assert _refused(value) == (reason, path)


def test_what_just_keeps_a_limit_is_taken() -> None:
    event = _event(
        lambda event: event.update(subject="x" * 200),
        x=json.loads("[" * 30 + "]" * 30),
        reason="x" * 10_000,
        documents=["x"] * 1_000,
        data={str(n): n for n in range(500)} | {"0": 2**53 - 1, "1": 1 - 2**53},
    )

    assert _acted(_taken(event)).data["0"] == 2**53 - 1


def test_brackets_in_a_text_are_no_depth() -> None:
    assert _acted(_taken(_event(reason='\\"' + "[{" * 99))).reason == '\\"' + "[{" * 99


@pytest.mark.parametrize(
    ("limits", "reason", "path"),
    [
        (Limits(message_bytes_max=99), "message_too_large", "$"),
        (Limits(depth_max=1), "too_deep", "$"),
        (Limits(text_chars_max=24), "text_too_long", "$.data.occurred_at"),
        (Limits(identity_chars_max=1), "text_too_long", "$.subject"),
        (Limits(list_items_max=1), "list_too_long", "$.data.documents"),
        (Limits(data_fields_max=5), "too_many_fields", "$"),
        (Limits(latest=datetime(2026, 11, 23, tzinfo=UTC)), "time_out_of_range", "$.data.occurred_at"),
        (Limits(earliest=datetime(2026, 11, 24, tzinfo=UTC)), "time_out_of_range", "$.data.occurred_at"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_every_limit_is_a_setting(limits: Limits, reason: str, path: str) -> None:
    event = _event(documents=["a", "b"])
    _taken(event)

    assert _refused(_bytes(event), limits=limits) == (reason, path)


def test_every_limit_has_a_test_of_its_setting() -> None:
    assert set(asdict(DEFAULT_LIMITS)) == {
        "message_bytes_max",
        "depth_max",
        "text_chars_max",
        "identity_chars_max",
        "list_items_max",
        "data_fields_max",
        "earliest",
        "latest",
    }


RECORDS: Final[dict[str, tuple[RawRecord, str, str]]] = {
    "the key of another dossier": (RawRecord(_bytes(_event()), key=b"d2"), "key_differs", "$.subject"),
    "a key that is no text": (RawRecord(_bytes(_event()), key=b"\xff"), "key_differs", "$.subject"),
}
HEADERS: Final[tuple[tuple[str, bytes], ...]] = (
    ("ce_specversion", b"1.0"),
    ("ce_type", b"source.heartbeat.v1"),
    ("ce_source", b"/s"),
    ("ce_id", b"e1"),
    ("ce_subject", b"/s"),
)
BEAT: Final = b'{"occurred_at":"2026-11-23T08:15:30+07:00"}'
BINARY: Final[dict[str, tuple[tuple[tuple[str, bytes], ...], bytes, str, str]]] = {
    "a repeated header": ((("CE_id", b"e2"),), BEAT, "repeated_key", "$.id"),
    "a header that is not UTF-8": ((("ce_sequence", b"\xff"),), BEAT, "not_utf8", "$.sequence"),
    "U+0000 in a header": ((("ce_dataschema", b"\0"),), BEAT, "nul_character", "$.dataschema"),
    "a long header": ((("ce_dataschema", b"x" * 10_001),), BEAT, "text_too_long", "$.dataschema"),
    "a revision that is no number": ((("ce_revision", b"one"),), BEAT, "revision", "$.revision"),
    "a revision too large": ((("ce_revision", b"2147483648"),), BEAT, "revision", "$.revision"),
    "data that is no JSON": ((), b"<beat/>", "not_json", "$.data"),
    "data of another type": ((("content-type", b"text/xml"),), BEAT, "content_type", "$.datacontenttype"),
    "a repeated name in the data": ((), b'{"a":1,"a":2}', "repeated_key", "$.data.a"),
    "data that is a list": ((), b"[]", "not_an_object", "$.data"),
}


@pytest.mark.parametrize("name", RECORDS)
def test_refuses_a_key_that_is_not_the_subject(name: str) -> None:
    record, reason, path = RECORDS[name]

    assert _refused(record.value, key=record.key) == (reason, path)


@pytest.mark.parametrize("name", BINARY)
def test_refuses_bad_headers_and_data_in_binary_mode(name: str) -> None:
    more, value, reason, path = BINARY[name]
    assert decode(RawRecord(BEAT, headers=HEADERS)).source == "/s"

    assert _refused(value, headers=HEADERS + more) == (reason, path)


def test_every_reason_has_an_example_or_a_test() -> None:
    expected = [json.loads(path.read_text()) for path in EXAMPLES.glob("*/expect.json")]
    shown = {bad["reason"] for bads in expected for bad in bads.values()}
    tested = {case[-2] for table in (BYTES, RECORDS, BINARY) for case in table.values()}

    assert shown | tested | {"no_such_local_time"} == set(REASONS | LIMIT_REASONS)


def test_a_refusal_says_where_what_was_expected_what_was_found_and_what_to_do() -> None:
    with pytest.raises(InputError) as refused:
        decode(RawRecord(_bytes(_event(part={"number": "1", "total": 2})), place="dossiers/3/1041"))

    assert str(refused.value) == (
        "dossiers/3/1041: at $.data.part.number expected int, found '1'; correct the field"
    )


def test_a_refusal_never_repeats_more_than_a_little_of_what_it_found() -> None:
    with pytest.raises(InputError) as refused:
        _taken(_event(occurred_at="9" * 9_000))

    assert len(str(refused.value)) < 250


@FEW
@given(FACTS, st.timedeltas(timedelta(microseconds=1), timedelta(days=1)))
def test_what_is_decoded_has_a_canonical_form_that_its_envelope_does_not_touch(
    fact: Fact, later: timedelta
) -> None:
    assume(fact.recorded_at is None or fact.recorded_at.year < 2100)
    moved = replace(fact, recorded_at=(fact.recorded_at or datetime(2026, 1, 1, tzinfo=UTC)) + later)

    assert canonical(decode(RawRecord(encode(moved)))) == canonical(fact)
