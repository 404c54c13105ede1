"""What counts as approved: what the ledger lists, told where a revision calls itself so and is not listed."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, NamedTuple

import pytest
from commands import dunghen, said
from places import ROOT

from workflow.procedure.ledger import new_entry
from workflow.procedure.reader import read_procedures

if TYPE_CHECKING:
    from pathlib import Path

LAND = "can-tho/land/land-transfer.yaml"
APPROVAL = "approval: {document: QT-VPDK-01, decision: 1593/QĐ-UBND, decided_on: 2020-12-10}"
TOLD = "land-transfer revision 2021 calls itself approved, but the ledger APPROVED does not list it"


class Office(NamedTuple):
    """A folder of definitions with one approved procedure, and a store."""

    folder: Path
    store: Path

    def sign(self, *revisions: str) -> None:
        """The ledger lists these revisions of land transfer."""
        lines = [new_entry(one).line for one in read_procedures(self.folder / LAND)]
        signed = [line for line in lines if line.split(" | ")[2] in revisions]
        (self.folder / "APPROVED").write_text("\n".join(signed), encoding="utf-8")

    def approved(self, *more: str) -> int:
        """How many dossiers `rates` counts as judged by an approved procedure."""
        (whole,) = said("rates", "--store", self.store, "--by", "all", *YEAR, *more)
        return int(whole["approved"]["numerator"])

    def activate(self, status: int = 0) -> str:
        return dunghen(
            *("activate", "--store", self.store, "--procedures", self.folder), status=status
        ).stderr


YEAR = ("--from", "2025-01-01", "--to", "2025-12-31", "--at", "2025-04-30")


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """A month judged by a procedure whose approval the ledger lists."""
    folder = tmp_path_factory.mktemp("office")
    office = Office(folder / "processes", folder / "m.db")
    shutil.copytree(ROOT / "processes", office.folder)
    path = office.folder / LAND
    text = re.sub(r"(,|\n +) ?figures: sample", "", path.read_text(encoding="utf-8"))
    assert text.count("\nfigures: sample") == 2
    path.write_text(text.replace("\nfigures: sample", f"\nfigures: approved\n{APPROVAL}"), encoding="utf-8")
    office.sign("2021", "2025")
    dunghen(
        *("simulate", "--month", "2025-03", "--until", "2025-04-30", "--seed", "5", "--dossiers", "60"),
        *("--out", folder / "m.jsonl"),
    )
    told = dunghen(
        *("import", folder / "m.jsonl", "--source", "one-stop", "--store", office.store),
        *("--procedures", office.folder),
    )
    assert "approved" not in told.stderr
    return office


@pytest.fixture
def office(month: Office, tmp_path: Path) -> Office:
    one = Office(tmp_path / "processes", tmp_path / "m.db")
    shutil.copytree(month.folder, one.folder)
    shutil.copy(month.store, one.store)
    return one


def test_a_line_taken_out_of_the_ledger_is_told_and_counts_no_more(office: Office) -> None:
    before = office.approved()
    assert before > 0

    office.sign("2025")
    told = office.activate()

    assert TOLD in told
    assert "1593/QĐ-UBND | 2020-12-10" in told
    assert office.approved() == 0
    assert TOLD in dunghen("rates", "--store", office.store, *YEAR).stderr


def test_what_was_known_before_a_withdrawal_stays_known_and_a_line_that_comes_back_counts_again(
    office: Office,
) -> None:
    before = office.approved()
    for signed, count in (((), 0), (("2021", "2025"), before), (("2025",), 0), (("2021", "2025"), before)):
        office.sign(*signed)
        office.activate()
        assert office.approved() == count
    kept = [one for one in said("status", "--store", office.store)["definitions"] if one["kind"] == "ledger"]
    assert len(kept) == 5
    withdrawn, again = kept[1]["recorded_at"], kept[2]["recorded_at"]
    assert office.approved("--known-at", withdrawn) == 0
    assert office.approved("--known-at", again) == before


def test_without_a_ledger_nothing_is_approved(office: Office) -> None:
    (office.folder / "APPROVED").unlink()
    assert TOLD in office.activate()
    assert office.approved() == 0


def test_an_import_tells_it_too(month: Office, office: Office, tmp_path: Path) -> None:
    office.sign()
    told = dunghen(
        *("import", month.store.with_name("m.jsonl"), "--source", "one-stop", "--store", tmp_path / "new.db"),
        *("--procedures", office.folder),
    )
    assert TOLD in told.stderr
    assert Office(office.folder, tmp_path / "new.db").approved() == 0


def test_a_revision_that_is_not_as_it_was_approved_is_not_taken(office: Office) -> None:
    path = office.folder / LAND
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("within: 5,", "within: 4,", 1), encoding="utf-8")
    assert "expected the fingerprint" in office.activate(status=1)
    path.write_text(text, encoding="utf-8")
    ledger = office.folder / "APPROVED"
    ledger.write_text(ledger.read_text("utf-8").replace("1593/QĐ", "1594/QĐ", 1), encoding="utf-8")
    assert "correct the one that is not as signed" in office.activate(status=1)
