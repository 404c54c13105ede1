"""What the log says, and what it never says."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow import log, masking

CITIZEN = "079185001234"
SECRET = "s3cr3t-0f-the-d4tab4se"  # noqa: S105 - a secret of the test
PERSONS = (
    CITIZEN,
    "079 185 001 234",
    "079.185.001.234",
    "0912345678",
    "+84 912 345 678",
    "an.nguyen@example.org",
    "Nguyễn Thị Ánh Tuyết",
    "TRẦN VĂN BÌNH",
    "Le Van Tam",
    "số 12 đường Lê Lợi",
    "thôn Đông Hạ",
    "password=hunter2",
    "postgresql://dunghen:hunter2@db/dunghen",
    "Authorization: Bearer abc.def.ghi",
)
FIELDS = sorted((masking.NUMBERS | masking.TEXTS | {"name", "subject", "value", "whatever"}) - {"event"})


def said(**fields: object) -> dict[str, object]:
    out = io.StringIO()
    log.start(out, "json")
    log.warning("tested", **fields)
    (line,) = out.getvalue().splitlines()
    found: dict[str, object] = json.loads(line)
    return found


@pytest.fixture(autouse=True)
def _hidden() -> None:
    masking.hide(SECRET)


def test_a_line_is_one_json_object_with_time_level_and_event() -> None:
    found = said(stream="dunghen.dossiers", partition=2, batch_ms=1.5)

    assert list(found) == ["at", "level", "event", "stream", "partition", "batch_ms"]
    assert found["level"] == "warning"
    assert found["event"] == "tested"
    assert str(found["at"]).endswith("+00:00")


@pytest.mark.parametrize("person", PERSONS)
def test_persons_and_secrets_are_masked_inside_a_text(person: str) -> None:
    found = str(said(said=f"expected a time, found '{person}'; correct it")["said"])

    assert "[" in found
    for part in (
        "hunter2",
        "abc.def",
        CITIZEN[4:],
        "912",
        "345",
        "Tuyết",
        "BÌNH",
        "Tam",
        "Lợi",
        "Hạ",
        "an.nguyen",
    ):
        assert part not in found
    assert found.startswith("expected a time, found '")
    assert found.endswith("; correct it")


@pytest.mark.parametrize(
    "text",
    [
        "dunghen.dossiers/2/104857",
        "1.004237.000.00.00.H38",
        "2024-06-01T03:00:00.000000Z",
        "gate: expected position 12345678 of claim 3, found another; another worker reads on",
        "connection refused by 127.0.0.1:9092",
        "Broken: No such file or directory",
    ],
)
def test_what_names_no_person_stays_as_it_is(text: str) -> None:
    assert said(said=text)["said"] == text


@pytest.mark.parametrize("account", ["dunghen:hunter2", "dunghen", f"dunghen:{SECRET}"])
def test_an_address_without_its_account_still_names_the_server(account: str) -> None:
    found = said(said=f"postgresql+psycopg://{account}@db.example:5432/dunghen does not answer")["said"]

    assert found == "postgresql+psycopg://[secret]@db.example:5432/dunghen does not answer"


@pytest.mark.parametrize("field", FIELDS)
def test_no_field_lets_a_secret_or_a_citizen_through(field: str) -> None:
    for value in (SECRET, CITIZEN, [CITIZEN, SECRET], {SECRET: CITIZEN}, f"x{SECRET}y {CITIZEN}."):
        line = json.dumps(said(**{field: value}))

        assert SECRET not in line
        assert CITIZEN not in line


def test_what_a_library_says_again_and_again_is_said_once() -> None:
    out = io.StringIO()
    log.start(out, "json")
    for _ in range(5):
        logging.getLogger("kafka.cluster").error("Topic %s not found", "t")
        logging.getLogger("kafka.cluster").error("Topic %s not found", "u")

    assert [json.loads(line)["said"] for line in out.getvalue().splitlines()] == [
        "Topic t not found",
        "Topic u not found",
    ]


def test_a_field_that_is_not_listed_is_left_out_and_counted() -> None:
    found = said(subject="H13-1", place="t/0/1", partition="not a number")

    assert "subject" not in found
    assert found["dropped"] == 2
    assert found["place"] == "t/0/1"


@given(
    field=st.sampled_from(sorted(masking.TEXTS - {"at", "level"})),
    before=st.text(max_size=20),
    after=st.text(max_size=20),
    person=st.sampled_from((CITIZEN, SECRET)),
)
def test_whatever_stands_around_them_ids_and_secrets_never_appear(
    field: str, before: str, after: str, person: str
) -> None:
    masking.hide(SECRET)
    # A digit beside it would make it another number, of which nobody is told.
    around = f"{before.rstrip('0123456789')}|{person}|{after}"
    out = io.StringIO()
    log.start(out, "json")
    log.info("tested", **({field: around} if field != "event" else {"said": around}))

    assert person not in out.getvalue()


@given(text=st.text(st.characters(), max_size=200), form=st.sampled_from(("json", "console")))
def test_a_line_stays_one_line_and_steers_no_terminal(text: str, form: log.Form) -> None:
    out = io.StringIO()
    log.start(out, form)
    log.error("tested", said=text, place=text)
    written = out.getvalue()

    assert written.endswith("\n")
    assert len(written.splitlines()) == 1
    assert written[:-1].isprintable() or not any(ord(one) < 32 or one == "\x1b" for one in written[:-1])


def test_escape_sequences_and_line_breaks_are_spelled_out() -> None:
    assert said(said="a\nb\x1b[31mc\u2028d\u202ee")["said"] == "a\\u000ab\\u001b[31mc\\u2028d\\u202ee"


def test_a_long_text_is_cut_with_a_mark_after_it_was_masked() -> None:
    found = str(said(said="x" * (masking.TEXT_CHARS_MAX - 6) + CITIZEN + "y" * 1_000_000)["said"])

    assert len(found) < masking.TEXT_CHARS_MAX + 20
    assert found.endswith("]")
    assert "…[+" in found
    assert not any(digit in found.partition("…")[0] for digit in "0123456789")


def test_a_long_list_is_cut_with_a_mark() -> None:
    found = said(source=[f"s{number}" for number in range(100)])["source"]

    assert isinstance(found, list)
    assert len(found) == masking.LIST_ITEMS_MAX + 1
    assert found[-1] == "…[+80]"


def test_what_a_library_warns_of_goes_the_same_way() -> None:
    out = io.StringIO()
    log.start(out, "json")
    logging.getLogger("kafka.conn").warning("cannot reach %s", f"broker of {CITIZEN}")
    logging.getLogger("kafka.conn").info("all is well")
    (line,) = out.getvalue().splitlines()

    assert json.loads(line)["library"] == "kafka.conn"
    assert json.loads(line)["said"] == "cannot reach broker of [id]"


def test_a_terminal_gets_a_line_for_people_and_a_pipe_json() -> None:
    out = io.StringIO()
    log.start(out, "console")
    log.info("batch", facts=3, stream="t")

    assert out.getvalue()[8:] == " info    batch facts=3 stream=t\n"
    piped = subprocess.run(
        [sys.executable, "-c", "from workflow import log; log.start(); log.info('batch', facts=3)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert piped.stdout == ""
    assert json.loads(piped.stderr)["facts"] == 3
