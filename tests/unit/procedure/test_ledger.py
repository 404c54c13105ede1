from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from drawing import procedure, read, text

from workflow.errors import LedgerError
from workflow.procedure.ledger import new_entry, read_ledger, verify_ledger
from workflow.procedure.reader import fingerprint, read_procedures

if TYPE_CHECKING:
    from workflow.procedure.language import Revision

APPROVAL = "approval: {document: QT-VP-01, decision: 1593/QĐ-UBND, decided_on: 2023-07-10}"


def approved(**changes: str) -> Revision:
    source = text(approval=APPROVAL).replace("figures: sample", "figures: approved")
    for old, new in changes.items():
        source = source.replace(old, new)
    return read(source)


def ledger(tmp_path: Path, *lines: str) -> Path:
    file = tmp_path / "APPROVED"
    file.write_text("# fingerprint | procedure | ...\n\n" + "\n".join(lines) + "\n", "utf-8")
    return file


def test_an_approved_revision_passes_with_the_line_computed_for_it(tmp_path: Path) -> None:
    line = new_entry(approved()).line
    assert line == f"{fingerprint(approved())} | 1.004220 | 1 | QT-VP-01 | 1593/QĐ-UBND | 2023-07-10"
    verify_ledger([approved()], read_ledger(ledger(tmp_path, line)))


def test_an_approved_revision_that_is_not_listed_is_refused_with_the_line_to_append() -> None:
    with pytest.raises(LedgerError, match="found none") as caught:
        verify_ledger([approved()], ())
    assert caught.value.code == "ledger_absent"
    assert new_entry(approved()).line in str(caught.value)


def test_an_edit_after_approval_is_found(tmp_path: Path) -> None:
    entries = read_ledger(ledger(tmp_path, new_entry(approved()).line))
    with pytest.raises(LedgerError, match="undo the edit") as caught:
        verify_ledger([approved(assign="hand_over")], entries)
    assert caught.value.code == "ledger_edited"


def test_a_line_that_names_another_decision_than_its_revision_is_found(tmp_path: Path) -> None:
    line = new_entry(approved()).line.replace("1593/QĐ", "1594/QĐ")
    with pytest.raises(LedgerError, match=r"1593/QĐ-UBND.* found .*1594/QĐ-UBND") as caught:
        verify_ledger([approved()], read_ledger(ledger(tmp_path, line)))
    assert caught.value.code == "ledger_misquoted"


def test_an_approved_revision_cannot_be_passed_off_as_a_sample(tmp_path: Path) -> None:
    entries = read_ledger(ledger(tmp_path, new_entry(approved()).line))
    with pytest.raises(LedgerError) as caught:
        verify_ledger([procedure()], entries)
    assert caught.value.code == "ledger_edited"


def test_sample_figures_need_no_line() -> None:
    verify_ledger([procedure()], ())


def test_no_line_is_computed_for_sample_figures() -> None:
    with pytest.raises(LedgerError, match="expected approved figures") as caught:
        new_entry(procedure())
    assert caught.value.code == "ledger_not_approved"


@pytest.mark.parametrize(
    "line", ["abc", "a | b | c | d | e | 2025-01-01", "0" * 64 + " | a | b | c | d | soon"]
)
def test_a_malformed_line_is_refused_with_its_place(tmp_path: Path, line: str) -> None:
    with pytest.raises(LedgerError, match="APPROVED:3: expected fingerprint") as caught:
        read_ledger(ledger(tmp_path, line))
    assert caught.value.code == "ledger_line"


def test_a_revision_is_listed_once(tmp_path: Path) -> None:
    line = new_entry(approved()).line
    with pytest.raises(LedgerError, match=r"APPROVED:4: .* a second time") as caught:
        read_ledger(ledger(tmp_path, line, line))
    assert caught.value.code == "ledger_repeated"


PROCESSES = Path(__file__).parents[3] / "processes"


def test_the_procedures_of_the_repository_stand_as_they_were_approved() -> None:
    verify_ledger(read_procedures(PROCESSES), read_ledger(PROCESSES / "APPROVED"))
