"""Files into a store and looking at what is there, on SQLite."""

from __future__ import annotations

import csv
import json
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
from commands import dunghen, said, shown

COMMAND: Final = Path(sys.executable).with_name("dunghen")
MONTH: Final = ("--month", "2025-03", "--until", "2025-04-01", "--seed", "5")
END: Final = "2025-03-31"
KEPT: Final = {
    "facts": "subject, source, id, revision, type, occurred_at, entered_at, sequence, told, received, digest",
    "dossiers": "subject, code, procedure, revision, fingerprint, state, unit, officer, received_at, released_at, "
    "ended_at, deviated, blocked, facts, judgment",
    "definitions": "kind, name, revision, fingerprint, content",
    "positions": "stream, partition, position, log",
}
"""What a store says but when and in how many batches it was written."""


def brought(store: Path, file: Path, *more: str | Path, status: int = 0) -> dict[str, Any]:
    """What the import of one file says of it."""
    (one,) = said("import", file, "--source", "one-stop", "--store", store, *more, status=status)["files"]
    return dict(one)


def rows(store: Path) -> dict[str, list[tuple[Any, ...]]]:
    with closing(sqlite3.connect(store)) as connection:
        return {
            table: connection.execute(f"SELECT {columns} FROM {table} ORDER BY 1, 2, 3, 4").fetchall()
            for table, columns in KEPT.items()
        }


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A damaged month of three hundred dossiers."""
    path = tmp_path_factory.mktemp("month") / "messages.jsonl"
    dunghen("simulate", *MONTH, "--dossiers", "300", "--out", path)
    return path


@pytest.fixture(scope="module")
def store(messages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The month in a store."""
    path = tmp_path_factory.mktemp("store") / "month.db"
    brought(path, messages)
    return path


def test_every_line_of_a_file_is_a_fact_or_was_there_already(messages: Path, store: Path) -> None:
    lines = {
        tuple(json.loads(line)[key] for key in ("subject", "id"))
        for line in messages.read_bytes().splitlines()
    }
    facts = rows(store)["facts"]

    assert {(fact[0], fact[2]) for fact in facts} == lines


def test_importing_a_file_again_adds_nothing_and_says_so(messages: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    first = brought(path, messages)
    before = rows(path)

    again = dunghen("import", messages, "--source", "one-stop", "--store", path)

    assert first["appended"] > 2_000
    assert rows(path) == before
    assert "nothing was added" in again.stderr


def test_a_copy_of_a_file_with_one_line_more_adds_that_line_alone(messages: Path, tmp_path: Path) -> None:
    path, copy = tmp_path / "a.db", tmp_path / "copy.jsonl"
    lines = messages.read_bytes().splitlines(keepends=True)
    short = tmp_path / "short.jsonl"
    short.write_bytes(b"".join(lines[:-1]))
    copy.write_bytes(b"".join(lines))
    first, second = brought(path, short), brought(path, copy)

    assert second["appended"] <= 1
    assert second["known"] + second["appended"] == len(lines)
    assert first["appended"] + second["appended"] == len(rows(path)["facts"])


def test_an_import_killed_in_the_middle_goes_on_to_the_same_store(
    messages: Path, store: Path, tmp_path: Path
) -> None:
    path = tmp_path / "killed.db"
    begun = subprocess.Popen(
        [COMMAND, "import", messages, "--source", "one-stop", "--store", path],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _wait_for_a_batch(path, begun)
    begun.send_signal(signal.SIGKILL)
    begun.wait()

    rest = brought(path, messages)

    assert rest["went_on_after"] >= 1_000
    assert rows(path) == rows(store)


def _wait_for_a_batch(path: Path, begun: subprocess.Popen[bytes]) -> None:
    """Returns as soon as the first thousand facts are kept; asked again and again, since nothing tells us."""
    ends = time.monotonic() + 50
    while time.monotonic() < ends and begun.poll() is None:
        if path.exists() and _facts(path):
            return
    assert begun.poll() is None, "the import ended before it could be killed"


def _facts(path: Path) -> int:
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM facts").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def test_a_line_that_cannot_be_taken_is_named_and_the_rest_is_taken(messages: Path, tmp_path: Path) -> None:
    lines = messages.read_bytes().splitlines(keepends=True)[:50]
    broken = tmp_path / "broken.jsonl"
    broken.write_bytes(b"".join([*lines[:10], b'{"specversion": "1.0"}\n', *lines[10:]]))

    found = dunghen("import", broken, "--source", "one-stop", "--store", tmp_path / "a.db", status=1)

    assert f"{broken}:11: " in found.stderr
    assert len(rows(tmp_path / "a.db")["facts"]) == len(set(lines))


def test_a_dry_run_stores_nothing(messages: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.db"

    found = brought(path, messages, "--dry-run")

    assert found["appended"] > 2_000
    assert not path.exists()


def test_alerts_are_looked_for_as_of_the_day_asked_and_judgments_do_not_hang_on_it(
    messages: Path, store: Path, tmp_path: Path
) -> None:
    asked = tmp_path / "asked.db"
    brought(asked, messages, "--as-of", END)
    kinds = {one["kind"] for one in said("alerts", "list", "--store", asked, "--by", "kind")}
    assert {"dossier_at_risk", "step_at_risk", "step_late"} <= kinds
    assert not {"dossier_at_risk", "step_at_risk"} & {
        one["kind"] for one in said("alerts", "list", "--store", store, "--by", "kind")
    }
    assert rows(asked) == rows(store)


def test_what_waits_is_counted_from_when_it_was_written_and_not_from_the_day_asked(
    messages: Path, tmp_path: Path
) -> None:
    path = tmp_path / "asked.db"
    brought(path, messages, "--as-of", END)

    waiting = said("status", "--store", path)["waiting"]
    told = dunghen("status", "--store", path).stdout

    assert waiting["messages"] > 0
    assert waiting["oldest_s"] < 3_600
    assert "0 d 0 h" in told
    assert "Oldest waits for" in told


def test_a_status_says_of_every_dossier_whether_it_is_open_and_names_a_file_by_a_few_digits(
    store: Path,
) -> None:
    counted = said("status", "--store", store)
    told = dunghen("status", "--store", store).stdout
    whole, stream = counted["whole"], counted["positions"][0]["stream"]

    numbers = [int(one) for one in told.splitlines()[4].split()]

    assert whole["open_released"] > 0
    assert numbers[:4] == [
        whole["dossiers"],
        whole["dossiers"] - whole["open"],
        whole["open"],
        whole["open_released"],
    ]
    assert f"a file, SHA-256 {stream.removeprefix('file/')[:12]}…" in told
    assert stream not in told
    assert stream not in dunghen("position", "list", "--store", store).stdout


def test_an_unknown_source_is_wrong_use(messages: Path, tmp_path: Path) -> None:
    words = ("import", messages, "--source", "nobody", "--store", tmp_path / "a.db")

    assert "one-stop" in dunghen(*words, status=2).stderr


def test_an_unmodelled_code_is_judged_by_the_generic_procedure_and_counted(tmp_path: Path) -> None:
    file = tmp_path / "polled.csv"
    file.write_text(
        "code,status,changed_at,version,procedure,unit\n"
        "H13-1,2,2025-03-03 09:00:00,1,9.999999,branch-o-mon\n"
        "H13-1,9,2025-03-05 09:00:00,2,9.999999,branch-o-mon\n",
        encoding="utf-8",
    )
    path = tmp_path / "a.db"

    found = said("import", file, "--source", "polled-status", "--store", path)
    status = said("status", "--store", path)

    assert found["unmodelled"] == [{"code": "9.999999", "dossiers": 1}]
    assert [(one["name"], one["count"]["released"]) for one in status["procedures"]] == [("generic", 1)]
    for asked in ("9.999999", "generic"):
        (listed,) = said("dossier", "list", "--store", path, "--procedure", asked)
        assert (listed["procedure"], listed["code"]) == ("generic", "9.999999")
    assert not said("dossier", "list", "--store", path, "--procedure", "land-transfer")


def test_units_the_organisation_has_not_are_told_with_their_dossiers(tmp_path: Path) -> None:
    file, path = tmp_path / "polled.csv", tmp_path / "a.db"
    rows = [("H13-1", "branch-o-mon"), ("H13-2", "brnch-o-mon"), ("H13-3", "brnch-o-mon"), ("H13-4", "")]
    file.write_text(
        "code,status,changed_at,version,procedure,unit\n"
        + "".join(f"{code},2,2025-03-03 09:00:00,1,1.004237,{unit}\n" for code, unit in rows),
        encoding="utf-8",
    )
    strange = [{"unit": "brnch-o-mon", "dossiers": 2, "dossier": "H13-2"}]

    assert said("import", file, "--source", "polled-status", "--store", path)["strange_units"] == strange
    assert said("status", "--store", path)["strange_units"] == strange
    table = dunghen("status", "--store", path, "--lang", "vi").stdout
    assert "Đơn vị không có trong tổ chức" in table
    assert "branch-o-mon" in table.split("Đơn vị không có trong tổ chức")[0]
    assert "brnch-o-mon" in table.split("Đơn vị không có trong tổ chức")[1]


def test_a_dossier_that_is_already_running_begins_with_its_opening_balance(tmp_path: Path) -> None:
    told = {
        "specversion": "1.0",
        "type": "dossier.opened.v1",
        "source": "one-stop",
        "id": "o1",
        "subject": "H13-7",
        "data": {
            "occurred_at": "2025-03-10T08:00:00+07:00",
            "procedure": "land-transfer",
            "state": "appraising",
            "received_at": "2025-03-03T09:00:00+07:00",
        },
    }
    file = tmp_path / "opened.jsonl"
    file.write_text(json.dumps(told) + "\n", encoding="utf-8")
    path = tmp_path / "a.db"

    brought(path, file)
    shown = said("dossier", "show", "H13-7", "--store", path, "--at", END)

    assert (shown["state"], shown["due_at"], shown["overdue"]) == ("appraising", "2025-03-17T10:00:00Z", True)


def test_status_counts_every_dossier_and_fact(store: Path) -> None:
    found, kept = said("status", "--store", store, "--at", END), rows(store)

    assert found["whole"]["dossiers"] == len(kept["dossiers"])
    assert found["facts"] == len(kept["facts"]) == sum(one["facts"] for one in found["sources"])
    assert len(found["definitions"]) == len(kept["definitions"])


def test_status_tells_how_long_each_source_is_silent_by_its_working_hours(store: Path) -> None:
    found = said("status", "--store", store)

    assert [one["source"] for one in found["sources"]] == ["one-stop"]
    assert all(one["past"] == (one["silent"] > one["cadence"] > 0) for one in found["sources"])
    assert found["waiting"]["messages"] > 0
    assert "What waits" in dunghen("status", "--store", store, "--lang", "en").stdout


def test_a_list_filters_sorts_and_says_when_it_cuts(store: Path) -> None:
    words = ("dossier", "list", "--store", store, "--at", END, "--open", "--sort", "due")
    whole = said(*words, "--limit", "1000")
    cut = dunghen(*words, "--limit", "3", "--output", "jsonl")

    assert {one["open"] for one in whole} == {True}
    assert [one["due_at"] for one in whole if one["due_at"]] == sorted(
        o["due_at"] for o in whole if o["due_at"]
    )
    assert [json.loads(line) for line in cut.stdout.splitlines()] == whole[:3]
    assert f"3 of {len(whole)} dossiers" in cut.stderr


def test_a_dossier_is_folded_as_of_an_earlier_moment(store: Path) -> None:
    code = said("dossier", "list", "--store", store, "--state", "returned", "--limit", "1")[0]["subject"]
    told = said("dossier", "explain", code, "--store", store)["happenings"]
    second = told[1]["occurred_at"]

    then = said("dossier", "explain", code, "--store", store, "--at", second)

    assert len([one for one in then["happenings"] if one.get("at")]) < len(told)
    assert max(one["at"] for one in then["happenings"] if one.get("at")) <= second
    assert said("dossier", "show", code, "--store", store, "--at", second)["state"] != "returned"


def test_nothing_is_known_of_a_dossier_before_it_was_recorded(store: Path) -> None:
    code = said("dossier", "list", "--store", store, "--limit", "1")[0]["subject"]

    found = dunghen("dossier", "show", code, "--store", store, "--known-at", "2020-01-01", status=2)

    assert "ask about a later moment" in found.stderr
    assert said("dossier", "list", "--store", store, "--known-at", "2020-01-01") == []


def test_how_many_facts_were_known_is_counted_as_of_then(tmp_path: Path) -> None:
    act = {"procedure": "land-transfer", "actor": {"id": "d", "role": "desk"}, "unit": "branch-o-mon"}
    event = {"specversion": "1.0", "type": "dossier.acted.v1", "source": "one-stop", "subject": "H13-1"}
    words = ("dossier", "show", "H13-1", "--store", tmp_path / "s.db")
    seen = []
    for number, action in enumerate(("submit", "receive"), 1):
        data = act | {"action": action, "occurred_at": f"2025-03-03T0{number}:00:00Z"}
        file = tmp_path / f"{number}.jsonl"
        file.write_text(
            json.dumps(event | {"id": action, "sequence": number, "data": data}), encoding="utf-8"
        )
        dunghen("import", file, "--source", "one-stop", "--store", tmp_path / "s.db")
        seen.append(said(*words))

    then = said(*words, "--known-at", seen[0]["last_recorded_at"])

    assert [one["facts"] for one in (*seen, then)] == [1, 2, 1]
    assert then["last_recorded_at"] == seen[0]["last_recorded_at"] < seen[1]["last_recorded_at"]
    assert then["version"] is None, "it is that of the row as it is kept now"


def test_status_of_another_day_tells_dossiers_of_then_and_all_else_of_now(store: Path) -> None:
    told = dunghen("status", "--store", store, "--at", "2020-01-01").stdout

    assert "Sources, now" in told
    assert "dossiers as of end of 2020-01-01" in told
    assert "False" not in told, "a table speaks in words"


def test_a_period_that_ends_before_it_begins_is_told_in_the_days_that_were_asked_for(store: Path) -> None:
    found = dunghen("rates", "--store", store, "--from", "2025-04-01", "--to", "2025-03-01", status=2)

    assert "--from 2025-04-01 00:00 lies after --to end of 2025-03-01" in found.stderr


@pytest.mark.parametrize(
    "asked",
    [
        ("--budget", "--plot", "late.svg"),
        ("--budget", "--by", "month"),
        ("--budget", "--from", "2025-03-01"),
        ("--plot", "late.svg", "--index", "766"),
        ("--plot", "late.svg", "--to", "2025-03-01"),
        ("--index", "766", "--by", "unit"),
    ],
)
def test_no_option_of_the_rates_is_passed_over_in_silence(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    options = [one for one in asked if one.startswith("--")]

    told = dunghen("rates", "--store", store, *asked, status=2).stderr

    assert told.startswith(f"{options[0]}: shows a figure of its own, which {options[1]} says nothing about")
    assert list(tmp_path.iterdir()) == []


def test_a_store_is_made_in_no_folder_that_is_not_there(messages: Path, tmp_path: Path) -> None:
    place = tmp_path / "none" / "s.db"
    found = dunghen("import", messages, "--source", "one-stop", "--store", place, status=2)

    assert f"there is no folder {place.parent} to make it in" in found.stderr


def test_what_may_come_next_is_told_from_the_store(store: Path) -> None:
    code = said("dossier", "list", "--store", store, "--state", "appraising", "--limit", "1")[0]["subject"]

    found = said("dossier", "allowed", code, "--store", store)

    assert found["state"] == "appraising"
    assert any(one["allowed"] for one in found["actions"])


def test_of_a_dossier_before_anything_was_known_of_it_all_pages_say_so(store: Path) -> None:
    code = said("dossier", "list", "--store", store, "--limit", "1")[0]["subject"]
    before = (
        *((page, "--known-at") for page in ("show", "explain", "allowed")),
        *((page, "--at") for page in ("show", "explain", "allowed")),
    )

    for page, moment in before:
        told = dunghen("dossier", page, code, moment, "2001-01-01", "--store", store, status=2)
        assert f"nothing of the dossier {code} was known or had taken place by then" in told.stderr
        assert not told.stdout


def test_of_an_ended_dossier_it_is_said_that_no_action_is_expected(store: Path) -> None:
    ended = (one for one in said("dossier", "list", "--store", store, "--limit", "1000") if one["ended_at"])
    code = next(ended)["subject"]

    shown = dunghen("dossier", "allowed", code, "--store", store).stdout

    assert not any(one["allowed"] for one in said("dossier", "allowed", code, "--store", store)["actions"])
    assert "no further action is expected" in shown


def test_the_list_folded_at_its_end_is_the_list_as_it_is_kept(store: Path) -> None:
    words = ("dossier", "list", "--store", store, "--limit", "1000")
    kept, folded = said(*words), said(*words, "--known-at", "2027-01-01", "--at", "2027-01-01")
    same = ("subject", "state", "revision", "received_at", "released_at", "deviated", "unit")

    assert [[one[key] for key in same] for one in kept] == [[one[key] for key in same] for one in folded]


def test_the_rates_of_the_units_add_up_to_the_whole(store: Path) -> None:
    words = ("rates", "--store", store, "--at", END, "--from", "2025-03-01", "--to", END)
    *units, whole = said(*words, "--by", "unit")

    for name in ("late_appointment", "late_or_overdue", "followed", "both", "approved"):
        assert sum(one[name]["denominator"] for one in units) == whole[name]["denominator"] > 0
        assert sum(one[name]["numerator"] for one in units) == whole[name]["numerator"]
    assert whole["approved"]["numerator"] == 0


def test_the_rates_fit_a_terminal_of_120_columns_and_say_why_nothing_is_known_of_the_feeds(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("rates", "--store", store, "--at", END, "--from", "2025-03-01", "--to", END, "--by", "procedure")
    english, vietnamese = (shown(monkeypatch, 120, *words, "--lang", one) for one in ("en", "vi"))

    assert max(map(len, english + vietnamese)) <= 120
    assert sum(line.startswith("  Procedure") for line in english) == 3
    assert any("no source told how many" in line for line in english)


def test_of_a_period_without_dossiers_there_is_no_rate(store: Path) -> None:
    words = ("--store", store, "--from", "2019-01-01", "--to", "2019-01-31", "--output", "csv")
    (row,) = csv.DictReader(dunghen("rates", *words).stdout.splitlines())
    percents = {name: value for name, value in row.items() if name.endswith("_percent")}

    assert (row["late_appointment_numerator"], row["late_appointment_denominator"]) == ("0", "0")
    assert percents.pop("opencps_on_time_percent") == "100", "as OpenCPS reckons, and shown as theirs"
    assert set(percents.values()) == {""}


def test_duplicates_are_left_out_of_the_rates(store: Path, tmp_path: Path) -> None:
    codes = [one["subject"] for one in said("dossier", "list", "--store", store, "--state", "returned")][:2]
    link = {
        "specversion": "1.0",
        "type": "dossier.linked.v1",
        "source": "one-stop",
        "id": "l1",
        "sequence": 99,
        "subject": codes[0],
        "data": {"occurred_at": "2025-03-31T16:00:00+07:00", "kind": "duplicate_of", "other": codes[1]},
    }
    file, path = tmp_path / "link.jsonl", tmp_path / "copy.db"
    file.write_text(json.dumps(link) + "\n", encoding="utf-8")
    path.write_bytes(store.read_bytes())
    words = ("rates", "--by", "all", "--from", "2025-03-01", "--to", END, "--at", END, "--store", path)
    (before,) = said(*words)
    brought(path, file)
    (after,) = said(*words)

    assert after["followed"]["denominator"] == before["followed"]["denominator"] - 1
    assert "1 duplicates are left out." in dunghen(*words).stdout


def test_a_store_that_is_not_there_is_said_so_and_not_made(tmp_path: Path) -> None:
    found = dunghen("status", "--store", tmp_path / "none.db", status=2)

    assert "dunghen import" in found.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_password_in_a_url_is_refused() -> None:
    found = dunghen("status", "--store", "postgresql://me:secret@nowhere/name", status=2)

    assert "--store-password" in found.stderr
    assert "secret" not in found.stderr


def test_a_file_in_place_of_a_store_needs_its_procedure(messages: Path) -> None:
    found = dunghen("dossier", "explain", messages, "H13-1", status=2)

    assert "--procedure" in found.stderr


def test_three_words_are_wrong_use() -> None:
    assert "FILE DOSSIER" in dunghen("dossier", "explain", "a", "b", "c", status=2).stderr


def test_a_day_is_the_whole_day_in_whichever_form_it_is_written(store: Path) -> None:
    period = ("--from", "2025-03-03", "--to", "2025-03-14", "--by", "all")
    assert said("rates", "--store", store, *period) == said(
        "rates", "--store", store, "--from", "20250303", "--to", "2025-W11-5", "--by", "all"
    )
    for day in ("20250314", "2025-W11-5", "2025W115"):
        told = dunghen("status", "--store", store, "--at", day).stdout
        assert "dossiers as of end of 2025-03-14" in told
