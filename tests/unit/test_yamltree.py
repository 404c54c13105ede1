"""Reading YAML: nothing is typed by its look, hostile files are refused at once, every error has a place."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal

import pytest
from effort import counted
from msgspec import Meta, Struct, field

from workflow import yamltree
from workflow.clocks.calendar import CalendarDefinition
from workflow.errors import DefinitionError
from workflow.procedure.language import Revision

if TYPE_CHECKING:
    from pathlib import Path

Word = Annotated[str, Meta(pattern=r"^[a-z]+$")]


class Part(Struct, forbid_unknown_fields=True):
    text: str | None = None
    number: Annotated[int, Meta(ge=0, le=100)] | None = None
    flag: bool = False
    on: date | None = None
    choice: Literal["early", "late"] | None = None
    sources: tuple[Word, ...] | Literal["any"] | None = field(name="from", default=None)
    negated: Part | None = field(name="not", default=None)
    pair: tuple[str, str] | None = None
    numbers: dict[Word, Annotated[int, Meta(ge=0)]] = {}


class Whole(Struct, forbid_unknown_fields=True):
    code: str
    parts: dict[Word, Part] = {}


def refusal(text: str | bytes, kind: type = Whole) -> tuple[str, str]:
    data = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(DefinitionError) as caught:
        yamltree.parse(data, "p.yaml", kind)
    return caught.value.code, str(caught.value)


@pytest.mark.parametrize(
    "text", ["1.004220", "NO", "on", "null", "~", "true", "0x1F", "1e3", "2025-01-01", ".inf"]
)
def test_unquoted_text_stays_what_was_written(text: str) -> None:
    assert yamltree.parse(f"text: {text}".encode(), "p.yaml", Part) == Part(text=text)


def test_types_come_from_the_definition() -> None:
    text = b"{number: 7, flag: true, on: 2025-02-28, from: [a, b], not: {from: any}, numbers: {a: 1}}"
    expected = Part(
        number=7,
        flag=True,
        on=date(2025, 2, 28),
        sources=("a", "b"),
        negated=Part(sources="any"),
        numbers={"a": 1},
    )
    assert yamltree.parse(text, "p.yaml", Part) == expected


def test_vietnamese_and_a_byte_order_mark_are_read() -> None:
    assert yamltree.parse("\ufeffcode: Đúng hẹn".encode(), "p.yaml", Whole) == Whole("Đúng hẹn")


@pytest.mark.parametrize(
    ("entry", "place", "expected"),
    [
        ("number: null", "2:21", "a whole number from 0 to 100, found `null`"),
        ("number: 1e1", "2:21", "a whole number from 0 to 100, found `1e1`"),
        ("number: 5.0", "2:21", "a whole number from 0 to 100, found `5.0`"),
        ("number: 101", "2:21", "a whole number from 0 to 100, found `101`"),
        ("number: ''", "2:21", "a whole number from 0 to 100, found nothing"),
        ("flag: yes", "2:19", "true or false, found `yes`"),
        ("flag: 1", "2:19", "true or false, found `1`"),
        ("flag: TRUE", "2:19", "true or false, found `TRUE`"),
        ("on: 20250228", "2:17", "a date such as 2025-12-31, found `20250228`"),
        ("on: 2025-02-30", "2:17", "a date such as 2025-12-31, found `2025-02-30`"),
        ("on: null", "2:17", "a date such as 2025-12-31, found `null`"),
        ("choice: never", "2:21", "one of early, late, found `never`"),
        ("from: some", "2:19", "a list or the word any, found `some`"),
        ("from: [a, {b: c}]", "2:23", "text of the form ^[a-z]+$, found a mapping"),
        ("not: {from: [a, 1]}", "2:29", "text of the form ^[a-z]+$, found `1`"),
        ("pair: [a]", "2:19", "a list of 2, found a list of 1"),
        ("numbers: {a: 1, b: -1, c: x}", "2:32", "a whole number from 0, found `-1`"),
    ],
)
def test_a_mistyped_value_is_refused_with_its_place(entry: str, place: str, expected: str) -> None:
    code, message = refusal(f"code: a\nparts: {{p: {{{entry}}}}}")
    assert code == "mistyped"
    assert message.startswith(f"p.yaml:{place}: parts.p.")
    assert expected in message


def test_an_unknown_word_names_the_known_ones() -> None:
    code, message = refusal("code: a\nparts:\n  one: {}\n  two:\n    not: {sources: [a]}\n")
    assert code == "unknown_word"
    assert message == (
        "p.yaml:5:11: parts.two.not: expected one of text, number, flag, on, choice, from, not, pair, numbers, "
        "found `sources`; correct or remove it"
    )


def test_a_missing_word_is_named_at_its_mapping() -> None:
    assert refusal("parts: {}") == (
        "missing",
        "p.yaml:1:1: the whole document: expected the word code, found none; add it",
    )


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_indented_by_a_tab_says_so(end: str) -> None:
    assert refusal(f"code: a{end}parts:{end}  one: {{}}{end}\ttwo: {{}}{end}") == (
        "syntax",
        "p.yaml:4:1: expected a line indented with blanks, found a tab; put blanks in its place",
    )
    assert "this is no YAML" in refusal("code: [a,\tb")[1]


def test_a_form_of_text_is_told_in_words() -> None:
    def told(part: str) -> str:
        with pytest.raises(DefinitionError) as caught:
            yamltree.parse(part.encode(), "p.yaml", CalendarDefinition)
        return str(caught.value)

    assert "expected hours such as 07:00-11:00, found `7h-11h`" in told(
        "name: a\nzone: UTC\ncovers: {from: 2026-01-01, to: 2026-12-31}\nhours: {week: {mon: [7h-11h]}}\n"
    )
    assert (
        "name: expected a name of letters a-z, digits, _ and -, beginning with a letter, found `Lịch`"
        in told("name: Lịch\nzone: UTC\ncovers: {from: 2026-01-01, to: 2026-12-31}\nhours: {week: {}}\n")
    )


def test_a_wrong_key_is_found_among_many() -> None:
    many = "".join(f"  {chr(97 + i)}: {{}}\n" for i in range(20))
    code, message = refusal(f"code: a\nparts:\n{many}  Wrong: {{}}\n  z: {{}}\n")
    assert code == "identifier"
    assert message.startswith("p.yaml:23:3: parts.Wrong: ")


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("a: &x [1]\nb: *x\n", "anchor", "1:4"),
        ("code: *x\n", "anchor", "1:7"),
        ("&k code: a\n", "anchor", "1:1"),
        ("code: !!python/object/apply:os.system [ls]\n", "tag", "1:7"),
        ("code: !!str a\n", "tag", "1:7"),
        ("code: a\nparts: {}\ncode: b\n", "repeated_key", "3:1"),
        ("code: a\n? [b]\n: c\n", "key", "2:3"),
        ('"a\\nb": c\n', "key", "1:1"),
        ("code: b: c\n", "syntax", "1:8"),
        ("code: 'a\n", "syntax", "2:1"),
        ('code: "\\ud800"\n', "syntax", "1:10"),
        ('code: "\\0"\n', "control_character", "1:7"),
        (b"code: a\n# \xed\xa0\x80\n", "encoding", "2:3"),
        (b"code: \0\n", "control_character", "1:7"),
        (b"code: \x1b[31m\n", "control_character", "1:7"),
        ("code: a".encode("utf-16"), "encoding", "1:1"),
        ("[" * 1_000, "too_deep", "1:41"),
        ("[" * 10_000, "too_deep", "1:1001"),
        ("- " * 10_000, "too_deep", "1:81"),
        ("".join(" " * i + "a:\n" for i in range(1_000)), "too_deep", "41:41"),
        (b"code: " + b"x" * 5_000_000, "too_large", "1:1"),
        (b"code: a\n---\ncode: b\n", "documents", "3:1"),
        (b"", "documents", "1:1"),
    ],
)
def test_hostile_or_broken_yaml_is_refused_at_once_with_its_place(
    text: str | bytes, code: str, place: str
) -> None:
    with counted() as effort:
        found, message = refusal(text)
    assert (found, message.split(": ")[0]) == (code, f"p.yaml:{place}")
    assert effort.calls < 3_000


def test_an_alias_bomb_never_grows() -> None:
    bomb = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{f'*a{i - 1},' * 9}]\n" for i in range(1, 30))
    assert refusal(bomb)[0] == "anchor"


def test_several_documents_are_read_in_their_order() -> None:
    assert yamltree.parse_all(b"code: a\n---\ncode: b\n", "p.yaml", Whole) == [Whole("a"), Whole("b")]


def test_findings_can_point_at_any_part() -> None:
    placed = yamltree.placed(b"code: a\nparts:\n  p:\n    from: [a, b]\n", "p.yaml", Whole)[0]
    assert placed.place(("parts", "p", "from")) == "p.yaml:4:5"
    assert placed.place(("parts", "p", "from", 1)) == "p.yaml:4:15"
    assert placed.place(("parts", "absent")) == "p.yaml:2:1"


def test_a_missing_file_is_no_yaml_file(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="No such file") as caught:
        yamltree.read(tmp_path / "absent.yaml", Whole)
    assert caught.value.code == "unreadable"
    with pytest.raises(DefinitionError, match="Is a directory"):
        yamltree.read(tmp_path, Whole)


def test_a_file_is_read_with_its_path_in_errors(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("code: Hồ sơ\n", "utf-8")
    assert yamltree.read(file, Whole) == Whole("Hồ sơ")
    file.write_text("cod: x\n", "utf-8")
    with pytest.raises(DefinitionError) as caught:
        yamltree.read(file, Whole)
    assert str(caught.value).startswith(f"{file}:1:1: ")


def test_the_largest_error_of_a_whole_procedure_is_fast() -> None:
    states = "".join(f"  s{i}: {{role: desk}}\n" for i in range(2_000))
    with counted() as effort:
        code, message = refusal(f"procedure: a\nstates:\n{states}  last: {{final: on}}\n", Revision)
    assert (code, message.split(": ")[:2]) == ("mistyped", ["p.yaml:2003:17", "states.last.final"])
    assert effort.calls < 100 * 2_000
