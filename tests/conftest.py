"""What every test shares: where the repository is, and how properties are searched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from official import ABSENT
from places import LOGS_ABSENT, ROOT
from searching import PROFILE, examples

if TYPE_CHECKING:
    from pathlib import Path

settings.register_profile(PROFILE, deadline=None, print_blob=True, max_examples=examples(100))
settings.load_profile(PROFILE)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says which servers were used, and what could not be held to things from outside: a quiet skip would pass for a
    success.

    It reads the reports, since the tests themselves run in other processes.
    """
    _tell_servers(terminalreporter)
    reasons = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    absent = [reason for reason in reasons if LOGS_ABSENT in reason]
    if absent:
        terminalreporter.section("PUBLIC LOGS ABSENT", sep="!", red=True, bold=True)
        terminalreporter.line(f"{len(absent)} tests of known results were NOT run: {LOGS_ABSENT}")
        terminalreporter.line(absent[0].partition(LOGS_ABSENT)[2].strip(" '\")"))
        terminalreporter.line("Put the files there, or name their folder in DUNGHEN_TEST_DATA.")
    if unheld := [reason for reason in reasons if ABSENT in reason]:
        terminalreporter.section("ASYNCAPI SCHEMA ABSENT", sep="!", red=True, bold=True)
        terminalreporter.line(
            f"asyncapi.yaml was held only to our own checks: {unheld[0].partition('Skipped: ')[2]}"
        )


def _tell_servers(terminalreporter: pytest.TerminalReporter) -> None:
    done = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    used = {value for report in done for name, value in report.user_properties if name == "servers"}
    for value in sorted(used):
        terminalreporter.line(f"servers: {value}")
