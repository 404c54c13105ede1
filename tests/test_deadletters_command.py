"""`dunghen deadletters` as a command: what is listed, shown and taken again, in both languages."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Final

import pytest

from consumers.apply import Beside, apply, letter
from consumers.streams import Unreadable
from workflow.catalogue import load
from workflow.store.opening import open_store

pytestmark = pytest.mark.timeout(240)
GOOD: Final = (Path(__file__).parent / "contract_examples" / "dossier.acted.v1" / "good.json").read_bytes()


KEY: Final = json.loads(GOOD)["subject"].encode()


@pytest.fixture
def where(tmp_path: Path) -> str:
    """A store with two letters: one that can be read today, and one that cannot."""
    path = str(tmp_path / "store.db")
    store = open_store(path)
    now = datetime.now(UTC)
    with resources.as_file(resources.files("processes")) as folder:
        catalogue = load(folder)
    bad = [
        Unreadable(GOOD, "t/0/1", KEY, (("h", b"v"),), "unknown_type", "not known then"),
        Unreadable(b"{\x1b[2J", "t/0/2", None, (), "not_json", "cut short"),
    ]
    apply(store, catalogue, [], now=now, beside=Beside(letters=[letter(one, now) for one in bad]))
    store.close()
    return path


def dunghen(where: str, *words: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("DUNGHEN_")}
    return subprocess.run(
        [sys.executable, "-c", "from workflow.cli.main import main; main()", "deadletters", *words],
        env=kept | {"DUNGHEN_STORE": where, "DUNGHEN_LANG": "en"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_list_of_nothing_says_that_there_is_nothing(where: str) -> None:
    listed = dunghen(where, "list", "--reason", "id_conflict")
    assert (listed.stdout, listed.returncode) == ("", 0)
    assert "No such message" in listed.stderr


def test_letters_are_listed_shown_and_taken_again_once(where: str) -> None:
    listed = json.loads(dunghen(where, "list", "-o", "json").stdout)
    assert [(one["place"], one["reason"], one["bytes"]) for one in listed] == [
        ("t/0/1", "unknown_type", len(GOOD)),
        ("t/0/2", "not_json", 5),
    ]
    number = str(listed[0]["number"])
    shown = json.loads(dunghen(where, "show", number, "-o", "json").stdout)
    assert base64.b64decode(shown["value"]) == GOOD
    assert (base64.b64decode(shown["key"]), shown["headers"]) == (KEY, [["h", "dg=="]])

    dry = dunghen(where, "redrive", "--dry-run", "-o", "json")
    done = dunghen(where, "redrive", "-o", "json")
    assert (dry.returncode, done.returncode) == (1, 1)
    assert json.loads(dry.stdout) == json.loads(done.stdout)
    assert [one["outcome"] for one in json.loads(done.stdout)] == ["taken", "stays"]
    assert done.stderr == "1 taken, 1 stay.\n"
    assert json.loads(dunghen(where, "redrive", number, "-o", "json").stdout)[0]["outcome"] == "nothing"
    assert [one["place"] for one in json.loads(dunghen(where, "list", "-o", "json").stdout)] == ["t/0/2"]
    assert len(json.loads(dunghen(where, "list", "--all", "-o", "json").stdout)) == 2


def test_a_letter_shown_steers_no_terminal(where: str) -> None:
    shown = dunghen(where, "show", "2")
    assert "\x1b" not in shown.stdout
    assert "cut short" in shown.stdout


def test_tables_speak_vietnamese(where: str) -> None:
    assert "Đã nhận 1, 1 nằm lại." in dunghen(where, "redrive", "--lang", "vi").stderr


def test_why_a_letter_lies_there_is_told_in_the_language_of_the_reader(where: str) -> None:
    assert dunghen(where, "redrive", "2").returncode == 1
    table = dunghen(where, "list", "--lang", "vi").stdout
    assert "t/0/2" in table
    assert "cần một đối tượng JSON" in table
    assert "not known then" in table  # a row of a store that was written before
    (found,) = json.loads(dunghen(where, "redrive", "2", "-o", "json", "--lang", "vi").stdout)
    assert (found["reason"], found["detail"].count("cần")) == ("not_json", 1)
    (found,) = json.loads(dunghen(where, "redrive", "2", "-o", "json").stdout)
    assert "expected one JSON object" in found["detail"]


def test_a_number_that_is_not_there_is_an_error_with_the_way_out(where: str) -> None:
    found = dunghen(where, "show", "99")
    assert found.returncode == 2
    assert "dunghen deadletters list --all" in found.stderr


def test_a_table_names_the_place_of_a_letter_once(where: str) -> None:
    assert dunghen(where, "redrive", "2").stdout.count("t/0/2") == 1
    assert dunghen(where, "list").stdout.count("t/0/2") == 1
    (kept,) = json.loads(dunghen(where, "list", "-o", "json").stdout)[1:]
    assert kept["detail"].startswith("t/0/2: ")
