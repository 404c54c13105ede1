"""What commands say to people at a desk: in their language, and that nothing was found where nothing was."""

from __future__ import annotations

import io
import json
import re
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any, Final

import pytest
from commands import dunghen
from places import ROOT

from workflow.cli.output import Column, print_note, print_rows
from workflow.i18n import use

if TYPE_CHECKING:
    from pathlib import Path

OFFICER: Final = "officer,post,unit,starts_on\ncb-1,receiver,one-stop-o-mon,2021-03-01\n"
MESSAGE: Final[dict[str, Any]] = {
    "specversion": "1.0",
    "type": "dossier.acted.v1",
    "source": "one-stop",
    "id": "H1/1",
    "subject": "H1",
    "sequence": "1",
    "data": {
        "occurred_at": "2025-03-03T01:00:00Z",
        "action": "receive",
        "procedure": "mortgage-registration",
        "actor": {"id": "c1", "role": "desk"},
        "unit": "branch-ninh-kieu",
        "appointment": {"at": "2025-03-04"},
    },
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("words")
    file = folder / "a.jsonl"
    file.write_text(json.dumps(MESSAGE) + "\n", encoding="utf-8")
    dunghen("import", file, "--source", "one-stop", "--store", folder / "a.db", "--as-of", "2025-03-03")
    return folder / "a.db"


def test_a_dossier_is_shown_in_words_of_either_language(store: Path) -> None:
    words = ("dossier", "show", "H1", "--store", store, "--at", "2025-03-06")
    english, vietnamese = (
        dict(line.strip().split("  ", 1) for line in dunghen(*words, "--lang", one).stdout.splitlines()[3:-1])
        for one in ("en", "vi")
    )

    assert {
        name: told.strip() for name, told in english.items() if name in ("Dossier", "Overdue", "Date")
    } == {
        "Dossier": "H1",
        "Overdue": "yes",
        "Date": "appointment on the slip",
    }
    assert vietnamese["Quá hạn"].strip() == "có"
    assert not [name for name in (*english, *vietnamese) if "_" in name]
    assert not set(english).intersection(vietnamese)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("dossier", "list", "--state", "nowhere"), "No dossier meets what is asked.\n"),
        (("rotation", "handover", "cb-9"), "No dossier meets what is asked.\n"),
        (("obligations", "list"), "No dossier meets what is asked.\n"),
        (("alerts", "list", "--unit", "nowhere"), "No alert meets what is asked.\n"),
        (("alerts", "list", "--unit", "nowhere", "--by", "kind"), "No alert meets what is asked.\n"),
        (("rotation", "list"), "No move is to be made.\n"),
        (("rotation", "acts"), "Nobody acted in a post after it was left.\n"),
        (("channels", "list"), "Nothing went through a channel yet.\n"),
        (("channels", "show"), "No delivery meets what is asked.\n"),
    ],
)
def test_where_nothing_is_found_it_is_said(store: Path, words: tuple[str, ...], said: str) -> None:
    table = dunghen(*words, "--store", store)
    listed = dunghen(*words, "--store", store, "--output", "json")

    assert (table.stdout, table.stderr) == ("", said)
    assert (listed.stdout, listed.stderr) == ("[]\n", "")


def test_what_is_judged_anew_is_said_in_words_and_then_that_nothing_is_left(tmp_path: Path) -> None:
    register = tmp_path / "terms.csv"
    register.write_text(OFFICER, encoding="utf-8")
    dunghen("import", register, "--source", "personnel", "--store", tmp_path / "b.db")

    first, again = (dunghen("judge", "--store", tmp_path / "b.db", "--lang", "vi") for _ in range(2))

    assert "quá hạn" in first.stdout
    assert "rotation_overdue" not in first.stdout
    assert (again.stdout, again.stderr) == ("", "Không còn gì phải báo mà chưa báo.\n")


def test_a_check_lists_what_is_not_taken_however_much_is(tmp_path: Path) -> None:
    file = tmp_path / "told.csv"
    rows = [f"H{n},1.004237,2,2026-03-02 08:15:00,1,u" for n in range(1_005)]
    file.write_text(
        "\n".join(["code,procedure,status,changed_at,version,unit", *rows, "HX,,2,x,1,u", ""]), "utf-8"
    )
    words = ("source", "check", file, "--source", "polled-status")

    done = dunghen(*words, status=1)
    vietnamese = dunghen(*words, "--lang", "vi", status=1).stdout

    assert "told.csv:1007" in done.stdout
    assert done.stderr == (
        "Shown are the first 50 of each outcome, 51 of 1006; all with --output jsonl or csv, those of certain lines "
        "with --lines.\n"
    )
    assert done.stdout.endswith("Of 1006 records 1005 facts of 1005 dossiers would be taken.\n")
    assert "không nhận" in vietnamese
    assert "refusals" not in vietnamese


def test_which_way_a_topic_goes_is_said_in_vietnamese() -> None:
    rows = dunghen("topics", "list", "--lang", "vi").stdout.splitlines()
    ways = {tuple(line.split()[1:2] + line.split()[4:5]) for line in rows if line.startswith("  dunghen.")}
    assert ways == {("vào", "xóa"), ("ra", "xóa")}


def test_a_note_is_broken_between_words_at_a_terminal_and_never_in_a_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    note = "counted " * 30

    with redirect_stdout(out := Terminal()):
        print_note(note)
    lines = out.getvalue().splitlines()
    assert len(lines) == 3
    assert {word for line in lines for word in line.split()} == {"counted"}
    with redirect_stdout(pipe := io.StringIO()):
        print_note(note)
    assert pipe.getvalue() == f"{note.rstrip()}\n"


class Terminal(io.StringIO):
    """What is written to a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_table_too_wide_for_its_terminal_leaves_out_what_says_nothing_before_it_folds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    columns = (
        Column("place", "Place"),
        Column("why", "Not taken because"),
        Column("note", "Accepted because"),
    )
    rows = [{"place": "x" * 30, "why": "y" * 40}, {"place": "z"}]

    def printed(columns_of_terminal: str) -> str:
        monkeypatch.setenv("COLUMNS", columns_of_terminal)
        monkeypatch.setenv("TERM", "xterm")
        out = Terminal()
        print_rows(rows, columns, "table", stream=out)
        return re.sub("\x1b\\[[0-9;]*m", "", out.getvalue())

    use("en")
    assert "Accepted because" in printed("120")
    assert "Accepted because" not in printed("80")
    assert "y" * 40 in printed("80")
    assert max(map(len, printed("60").splitlines())) <= 60
    print_rows(rows, columns, "table", stream=(pipe := io.StringIO()))
    assert "Accepted because" in pipe.getvalue()


def shown(rows: list[dict[str, Any]], columns_of_terminal: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """A table of counts by unit, at a terminal of this width."""
    monkeypatch.setenv("COLUMNS", str(columns_of_terminal))
    monkeypatch.setenv("TERM", "xterm")
    use("en")
    out = Terminal()
    counts = [Column(name, name.title(), "right") for name in ("released", "late", "overdue", "expected")]
    print_rows(rows, (Column("unit", "Unit", named="below"), *counts), "table", stream=out)
    return re.sub("\x1b\\[[0-9;]*m", "", out.getvalue())


def test_codes_have_their_names_beside_them_where_there_is_room_and_else_below(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = "Phòng Tài nguyên Khoáng sản, Nước, Khí tượng Thủy văn"
    figures: dict[str, Any] = {"released": 1, "late": 2, "overdue": 3, "expected": 4}
    rows: list[dict[str, Any]] = [
        {"unit": "minerals-water", "unit_name": name, **figures},
        {"unit": "minerals-water", "unit_name": name, **figures},
        {"unit": "elsewhere", "unit_name": None, **figures},
    ]

    wide, narrow = shown(rows, 140, monkeypatch), shown(rows, 80, monkeypatch)

    assert wide.count(f"{name} (minerals-water)") == 2
    assert "elsewhere  " in wide
    assert "None" not in wide + narrow
    assert narrow.count(f"minerals-water: {name}\n") == 1
    assert narrow.count("minerals-water   ") == 2
    assert max(map(len, narrow.splitlines())) <= 80


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (("dossier", "list"), "unit_name"),
        (("rates",), "group_name"),
        (("rates", "--budget"), "unit_name"),
        (("alerts", "list"), "unit_name"),
        (("status",), "called"),
    ],
)
def test_a_unit_is_named_in_the_language_of_the_reader_and_machines_keep_its_code(
    store: Path, words: tuple[str, ...], key: str
) -> None:
    asked = (*words, "--store", store, *(() if words[0] == "alerts" else ("--at", "2025-03-06")))
    for language, name in (("vi", "Chi nhánh Ninh Kiều"), ("en", "Ninh Kieu branch")):
        found = json.loads(dunghen(*asked, "--output", "json", "--lang", language).stdout)
        first = (found["units"] if words == ("status",) else found)[0]
        assert (first[key], "branch-ninh-kieu" in first.values()) == (name, True)
        assert f"{name} (branch-ninh-kieu)" in dunghen(*asked, "--lang", language).stdout


def test_where_no_broker_answers_all_that_the_store_knows_is_told_first(store: Path) -> None:
    asked = ("status", "--store", store, "--at", "2025-03-06", "--brokers", "127.0.0.1:1", "--lang", "vi")
    table, told = dunghen(*asked, status=3), dunghen(*asked, "--output", "json", status=3)
    assert "Chi nhánh Ninh Kiều (branch-ninh-kieu)" in table.stdout
    assert "127.0.0.1:1: không trả lời kịp" in table.stderr
    assert json.loads(told.stdout)["facts"] == 1


CITED: Final = {
    "vi": "Nghị định 43/2014/NĐ-CP, Điều 61, khoản 2",
    "en": "Decree 43/2014/NĐ-CP art. 61.2",
}
TRANSFER: Final = ROOT / "processes" / "can-tho" / "land" / "land-transfer.yaml"


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize(
    "command",
    [
        ("procedure", "show", TRANSFER, "--revision", "2021"),
        ("procedure", "show", TRANSFER, "--revision", "2021", "--output", "json"),
        ("procedure", "diagram", TRANSFER, "--revision", "2021"),
        ("deadline", TRANSFER, "--received", "2025-03-03"),
    ],
)
def test_a_legal_basis_is_cited_in_the_language_of_the_reader(
    command: tuple[str | Path, ...], language: str
) -> None:
    shown = dunghen(*command, "--lang", language).stdout
    other = CITED["en" if language == "vi" else "vi"]

    assert CITED[language] in shown
    assert other not in shown


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_story_of_a_dossier_and_its_alerts_cite_the_law_in_the_language_of_the_reader(
    tmp_path: Path, language: str
) -> None:
    file, store = tmp_path / "e.jsonl", tmp_path / "e.db"
    transfer = MESSAGE["data"] | {"procedure": "land-transfer"}
    refused = MESSAGE | {"id": "H1/2", "sequence": "2", "data": transfer | {"action": "sign"}}
    lines = [json.dumps(one) for one in (MESSAGE | {"data": transfer}, refused)]
    file.write_text("\n".join(lines), encoding="utf-8")
    dunghen("import", file, "--source", "one-stop", "--store", store)
    words = ("--store", store, "--lang", language)
    story = dunghen("dossier", "explain", "H1", *words, "--at", "2025-03-20").stdout

    assert CITED[language] in story
    assert CITED["en" if language == "vi" else "vi"] not in story
    for alert in ("refused_event/H1/one-stop/H1/2/0", "dossier_late/H1/appointment"):
        told = dunghen("alerts", "show", alert, *words).stdout
        assert ("Luật Đất đai 45/2013/QH13" in told) == (language == "vi")
        assert ("Land Law 45/2013/QH13" in told) == (language == "en")
