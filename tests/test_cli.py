"""The command line's frame: languages, output forms, settings, exit statuses."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.files.limits import DEFAULT_LIMITS, FileLimits
from workflow.cli import main as entry
from workflow.cli.options import check_environment, environment_twins, file_limits
from workflow.cli.output import Column, csv_cell, print_json, print_rows, visible
from workflow.cli.progress import watched
from workflow.errors import UsageError
from workflow.i18n import use

COMMAND: Final = Path(sys.executable).with_name("dunghen")
COLUMNS: Final = (Column("rule", "Rule"), Column("dossiers", "Dossiers", "right"))
ROWS: Final = [{"rule": "send-fine", "dossiers": 12}, {"rule": "=1+1", "dossiers": 3}]


def dunghen(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """The real command in an environment of its own."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "SYSTEMROOT"}}
    return subprocess.run(
        [COMMAND, *arguments],
        env=kept | {"LANG": "C.UTF-8"} | environ,
        capture_output=True,
        text=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        check=False,
    )


def printed(form: str, rows: list[dict[str, object]] = ROWS) -> str:
    out = io.StringIO()
    print_rows(rows, COLUMNS, form, stream=out)  # type: ignore[arg-type]
    return out.getvalue()


def test_says_its_version() -> None:
    assert dunghen("--version").stdout == "dunghen, version 0.1.0\n"


def test_help_speaks_vietnamese_when_asked() -> None:
    assert "Cách dùng:" in dunghen("--help", "--lang", "vi").stdout


def test_help_speaks_vietnamese_in_a_vietnamese_locale() -> None:
    assert "Cách dùng:" in dunghen("--help", LANG="vi_VN.UTF-8").stdout


def test_the_environment_twin_chooses_the_language() -> None:
    assert "Cách dùng:" in dunghen("--help", DUNGHEN_LANG="vi").stdout


def test_the_option_wins_over_its_environment_twin() -> None:
    assert "Usage:" in dunghen("--lang=en", "--help", DUNGHEN_LANG="vi").stdout


def test_the_language_asked_for_above_a_command_goes_before_that_of_the_environment() -> None:
    said = dunghen("--lang", "en", "source", "list", DUNGHEN_LANG="vi").stdout
    assert "Reports" in said


def test_an_unknown_language_is_wrong_use() -> None:
    found = dunghen("--lang", "fr", "procedure")
    assert (found.returncode, found.stdout) == (2, "")
    assert "fr" in found.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_below_standard_output_is_told_and_no_fault_of_ours() -> None:
    for asked in (("source", "list", "-o", "json"), ("--help",)):
        with Path("/dev/full").open("w") as full:
            found = subprocess.run(
                [COMMAND, *asked], check=False, stdout=full, stderr=subprocess.PIPE, text=True
            )
        assert found.returncode == 2
        assert found.stderr.startswith("standard output: cannot be written (")
        assert found.stderr.count("\n") == 1


def test_an_unknown_command_is_wrong_use_and_says_so_on_standard_error() -> None:
    found = dunghen("proceed")
    assert (found.returncode, found.stdout) == (2, "")
    assert "proceed" in found.stderr


def test_an_unknown_setting_stops_the_start_with_key_and_value() -> None:
    found = dunghen("--version", DUNGHEN_OUTPTU="json")
    assert found.returncode == 2
    assert found.stderr.startswith("DUNGHEN_OUTPTU=json: nothing reads this setting")


def test_a_malformed_limit_stops_the_start_with_key_and_value() -> None:
    found = dunghen("--version", DUNGHEN_LIMIT_DEPTH_MAX="many")
    assert found.returncode == 2
    assert found.stderr.startswith("DUNGHEN_LIMIT_DEPTH_MAX=many: expected a whole number from 1 to ")


def test_a_missing_file_is_one_readable_line() -> None:
    found = dunghen("procedure", "check", "nowhere.yaml")
    assert found.returncode == 2
    assert "nowhere.yaml" in found.stderr
    assert "Traceback" not in found.stderr


def test_an_interruption_ends_with_130(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.run([], raising(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err == "Interrupted.\n"


def test_a_fault_of_ours_is_no_finding(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.run([], raising(ZeroDivisionError("a fault"))) == 70
    assert "a fault of dunghen itself" in capsys.readouterr().err


def raising(error: BaseException) -> click.Group:
    """A command that always fails with `error`."""

    @click.group(invoke_without_command=True)
    def failing() -> None:
        """Fail."""
        raise error

    return failing


def test_a_reader_that_goes_away_ends_quietly() -> None:
    begun = subprocess.Popen([COMMAND, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert begun.stdout is not None
    begun.stdout.close()
    _, said = begun.communicate(timeout=30)
    assert (begun.returncode, said) == (141, b"")


def test_every_option_has_an_environment_twin() -> None:
    twins = list(environment_twins(entry.dunghen, "DUNGHEN"))
    assert "DUNGHEN_OUTPUT" in twins
    assert "DUNGHEN_LANG" in twins
    assert all(twin.startswith("DUNGHEN_") for twin in twins)


def test_known_settings_are_accepted() -> None:
    known = {"DUNGHEN_OUTPUT": "json", "DUNGHEN_LIMIT_DEPTH_MAX": "8", "DUNGHEN_TEST_DATA": "x", "HOME": "y"}
    check_environment(known, entry.dunghen)


def test_a_limit_of_the_environment_replaces_the_default() -> None:
    found = file_limits({"DUNGHEN_LIMIT_DEPTH_MAX": "8", "DUNGHEN_LIMIT_LATEST": "2050-01-01T00:00:00Z"})
    assert (found.depth_max, found.latest) == (8, datetime(2050, 1, 1, tzinfo=UTC))
    assert found.columns_max == DEFAULT_LIMITS.columns_max


def test_without_settings_the_limits_are_the_defaults() -> None:
    assert file_limits({}) == FileLimits()


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "", "ten"])
def test_a_limit_that_is_no_positive_whole_number_is_refused(value: str) -> None:
    with pytest.raises(UsageError) as found:
        file_limits({"DUNGHEN_LIMIT_DEPTH_MAX": value})
    assert found.value.code == "malformed_setting"
    assert f"DUNGHEN_LIMIT_DEPTH_MAX={value}" in str(found.value)


def test_json_is_a_list_of_the_rows() -> None:
    assert json.loads(printed("json")) == ROWS


def test_json_lines_are_one_row_each() -> None:
    assert [json.loads(line) for line in printed("jsonl").splitlines()] == ROWS


def test_json_of_one_value_is_indented_and_keeps_its_order() -> None:
    out = io.StringIO()
    print_json({"z": 1, "a": "hạn"}, stream=out)
    assert out.getvalue() == '{\n  "z": 1,\n  "a": "hạn"\n}\n'


def test_a_table_has_titles_and_no_colour_when_it_goes_to_a_file() -> None:
    use("en")
    shown = printed("table")
    assert shown.splitlines()[1].split() == ["Rule", "Dossiers"]
    assert "\x1b" not in shown


def test_a_table_in_a_file_is_not_folded() -> None:
    long = "x" * 500
    assert long in printed("table", [{"rule": long, "dossiers": 1}])


def test_data_cannot_steer_a_terminal() -> None:
    shown = printed("table", [{"rule": "\x1b[2Jgone\u202eback\n", "dossiers": 1}])
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "\\x1b[2Jgone\\x202eback\\x0a" in shown


def test_data_is_not_taken_for_markup() -> None:
    assert "[bold]x[/bold]" in printed("table", [{"rule": "[bold]x[/bold]", "dossiers": 1}])


def test_printable_vietnamese_is_left_as_it_is() -> None:
    assert visible("Đăng ký biến động đất đai") == "Đăng ký biến động đất đai"


def test_a_table_of_no_rows_is_not_printed() -> None:
    assert printed("table", []) == ""


def test_every_command_takes_a_language() -> None:
    assert dunghen("audit", "conform", "--lang", "vi", "--help").stdout.startswith("Cách dùng:")


def test_csv_cells_that_begin_like_a_formula_get_an_apostrophe() -> None:
    assert printed("csv") == '"rule","dossiers"\n"send-fine",12\n"\'=1+1",3\n'


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\tx", "\rx", "'=1", "''@"])
def test_no_text_cell_begins_like_a_formula(text: str) -> None:
    assert csv_cell(text) == f"'{text}"


def test_negative_numbers_stay_numbers_in_csv() -> None:
    assert csv_cell(-5) == -5


@given(st.text(st.sampled_from("=+-@'\t\rab"), max_size=6))
def test_taking_the_apostrophe_away_gives_every_text_back(text: str) -> None:
    written = str(csv_cell(text))
    without = written[1:]
    back = without if written.startswith("'") and csv_cell(without) == written else written
    assert back == text


@given(st.lists(st.text(), min_size=1, max_size=3))
def test_csv_reads_back_as_it_was_written(cells: list[str]) -> None:
    out = io.StringIO()
    columns = [Column(str(number), "n") for number in range(len(cells))]
    row: dict[str, object] = {column.key: cell for column, cell in zip(columns, cells, strict=True)}
    print_rows([row], columns, "csv", stream=out)
    read = list(csv.reader(io.StringIO(out.getvalue(), newline="")))
    assert read[1] == [csv_cell(cell) for cell in cells]


def test_times_and_lists_are_printed_as_text() -> None:
    at = datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert printed("csv", [{"rule": at, "dossiers": None}]).splitlines()[1] == '"2026-03-02T08:00:00Z",""'
    assert "a, b" in printed("table", [{"rule": ["a", "b"], "dossiers": 1}])


def test_without_a_terminal_no_bar_is_drawn() -> None:
    items = [1, 2, 3]
    assert watched(items, lambda: (0, 0), "Interrupted.", terminal=False) is items


def test_at_a_terminal_a_bar_follows_the_position(capsys: pytest.CaptureFixture[str]) -> None:
    done = iter(range(10))
    taken = list(watched(range(600), lambda: (next(done), 2), "Interrupted.", terminal=True))
    assert taken == list(range(600))
    assert next(done) == 2
    assert capsys.readouterr().out == ""
