"""Both languages say everything, and the compiled catalogue is the one people edit."""

from __future__ import annotations

import ast
import string
import unicodedata
from pathlib import Path
from typing import Any, Final

import pytest
from babel.messages.pofile import read_po
from templates import Text, texts

from workflow.cli.main import run
from workflow.i18n import default_language, translator
from workflow.locale import compiled, mo_path, po_path

ROOT: Final = Path(__file__).resolve().parent.parent
WRITTEN: Final = texts(
    (path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8")))
    for folder in ("workflow", "consumers", "servers")
    for path in sorted((ROOT / folder).rglob("*.py"))
)


def _many(texts: Any) -> str:  # babel: a text, or those for one and many
    return str(texts if isinstance(texts, str) else texts[-1])


with po_path().open("rb") as _file:
    CATALOGUE: Final = {_many(one.id): _many(one.string) for one in read_po(_file) if one.id}


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_the_sources_hold_texts() -> None:
    assert len(WRITTEN) > 50


def test_finds_a_text_that_is_handed_on() -> None:
    source = """
TEXT = {"a": "first {x}", "b": "second"}
def fail(place, template, **values):
    raise InputError(template, place=place, **values)
def main():
    fail("here", "third" if more else "fourth")
    raise InputError(TEXT[key])
    raise InputError("put " + together)
"""
    found = texts([("workflow/some.py", ast.parse(source))])
    assert sorted(str(one.text) for one in found) == ["None", "first {x}", "fourth", "second", "third"]


def test_no_text_is_put_together_at_run_time() -> None:
    loose = [one.place for one in WRITTEN if one.text is None]
    assert not loose, "\n".join(loose)


def test_every_text_has_a_vietnamese_translation() -> None:
    missing = [Text(*one) for one in WRITTEN if one.text and not CATALOGUE.get(one.text)]
    assert not missing, "\n".join(f"{place}: {text}" for place, text in missing)


def test_a_translation_names_the_same_values() -> None:
    differing = [
        f"{text}: {sorted(_placeholders(text) ^ _placeholders(vi))}"
        for text, vi in CATALOGUE.items()
        if "{" in text + vi and not _placeholders(vi) <= _placeholders(text)
    ]
    assert not differing, "\n".join(differing)


def test_no_translation_has_lost_its_source() -> None:
    said = {one.text for one in WRITTEN}
    left = [text for text in CATALOGUE if text not in said and text not in CLICK]
    assert not left, "\n".join(left)


def test_translations_are_composed_vietnamese() -> None:
    loose = [vi for vi in CATALOGUE.values() if unicodedata.normalize("NFC", vi) != vi]
    assert not loose, "\n".join(loose)


def test_the_compiled_catalogue_is_up_to_date() -> None:
    """`make locale` writes it anew."""
    assert mo_path().read_bytes() == compiled()


def test_a_text_without_translation_stays_english() -> None:
    assert translator("vi")("never translated") == "never translated"


def test_the_empty_text_stays_empty() -> None:
    assert translator("vi")("") == ""


def test_english_needs_no_catalogue() -> None:
    assert translator("en")("Interrupted.") == "Interrupted."


def test_vietnamese_comes_from_the_catalogue() -> None:
    assert translator("vi")("Interrupted.") == "Đã ngắt."


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("deadletters show abc", "'abc' không phải là số hợp lệ."),
        ("worker --health-port 70000", "70000 không nằm trong khoảng 0<=x<=65535."),
        ("rates --by color", "'color' không thuộc 'all', 'unit', 'procedure', 'officer-unit', 'month'."),
        ("alerts lst", "Không có lệnh 'lst'. (Có phải ý bạn là: 'list'?)"),
        ("status --at", "Tùy chọn '--at' cần một giá trị."),
        ("status extra", "Thừa đối số (extra)"),
    ],
)
def test_a_wrong_use_is_told_in_vietnamese_to_its_end(
    words: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--lang", "vi", *words.split()]) == 2
    assert capsys.readouterr().err.endswith(f"{said}\n")


def test_the_locale_chooses_the_language() -> None:
    assert default_language({"LANG": "vi_VN.UTF-8"}) == "vi"
    assert default_language({"LANG": "vi_VN.UTF-8", "LC_ALL": "C.UTF-8"}) == "en"
    assert default_language({"LANG": "it_IT.UTF-8", "LC_MESSAGES": "vi_VN"}) == "vi"
    assert default_language({}) == "en"


CLICK: Final = {
    "Usage:",
    "Options",
    "Commands",
    "Error: {message}",
    "Aborted!",
    "Try '{command} {option}' for help.",
    "Show this message and exit.",
    "Show the version and exit.",
    "%(prog)s, version %(version)s",
    "Missing command.",
    "Missing argument",
    "Missing option",
    "Missing parameter",
    "No such command {name!r}.",
    "No such option {name!r}.",
    "Invalid value: {message}",
    "Invalid value for {param_hint}: {message}",
    "Choose from:\n\t{choices}",
    "default: {default}",
    "env var: {var}",
    "file",
    "path",
    "directory",
    "{name} {filename!r} does not exist.",
    "{name} {filename!r} is a directory.",
    "{name} {filename!r} is a file.",
    "{name} {filename!r} is not readable.",
    "Option {name!r} does not take a value.",
    "Could not open file {filename!r}: {message}",
    "{value!r} is not a valid {number_type}.",
    "{value} is not in the range {range}.",
    "{value!r} is not a valid boolean. Recognized values: {states}",
    "{name} {filename!r} is not writable.",
    "{value!r} is not one of {choices}.",
    "(Did you mean one of: {possibilities}?)",
    "Option {name!r} requires {nargs} arguments.",
    "Got unexpected extra arguments ({args})",
}
"""Texts of the command-line library, which reads the same catalogue."""
