"""`dunghen rotation` as a user meets it: registers in, moves out, in both languages."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
from test_cli import dunghen

if TYPE_CHECKING:
    from pathlib import Path

AT = ("--at", "2021-06-16T12:00")
pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rotation") / "store.db"
    for name in ("terms", "events"):
        done = dunghen(
            "import", f"examples/officers/{name}.csv", "--source", "personnel", "--store", str(path)
        )
        assert done.returncode == 0, done.stderr
    return path


def rows(store: Path, *asked: str) -> list[dict[str, str]]:
    done = dunghen("rotation", *asked, "--store", str(store), "-o", "json")
    assert done.returncode in (0, 1), done.stderr
    found: list[dict[str, str]] = json.loads(done.stdout)
    return found


def test_lists_verified_findings_first_and_nothing_of_those_that_were_not(store: Path) -> None:
    found = rows(store, "list", *AT)
    assert [(one["officer"], one["kind"], one["state"]) for one in found] == [
        ("cb-0101", "finding", "overdue"),
        ("cb-0105", "finding", "due"),
        ("cb-0105", "term", "overdue"),
    ]
    assert found[0]["to"] == "land-registration-director"


def test_posts_and_units_that_no_file_names_are_told_and_a_table_has_room(tmp_path: Path) -> None:
    register, path = tmp_path / "terms.csv", tmp_path / "store.db"
    register.write_text(
        "officer,post,unit,starts_on\ncb-1,certificate-isuer,branch-o-mon,2017-01-03\n"
        "cb-2,certificate-issuer,branch-o-mno,2017-01-03\ncb-3,branch-director,branch-o-mon,2017-01-03\n",
        encoding="utf-8",
    )
    assert dunghen("import", str(register), "--source", "personnel", "--store", str(path)).returncode == 0
    told = dunghen("rotation", "list", "--store", str(path), *AT).stdout.splitlines()
    assert told[-2].endswith("no term of theirs ends: certificate-isuer")
    assert told[-1] == "Units that the organisation does not name: branch-o-mno"
    assert max(map(len, told)) <= 150
    assert dunghen("rotation", "list", "--store", str(path), "--at", "2016-01-01").stdout == ""


def test_a_reader_sees_only_what_is_for_that_post(store: Path) -> None:
    seen = {
        post: len(rows(store, "list", "--reader", post, *AT))
        for post in ("chief-inspector", "land-registration-director", "branch-director")
    }
    assert seen == {"chief-inspector": 3, "land-registration-director": 1, "branch-director": 0}


def test_a_reversed_finding_is_gone_and_stays_visible_as_of_before(store: Path) -> None:
    later = rows(store, "list", "--at", "2021-07-01")
    assert [one["officer"] for one in later if one["kind"] == "finding"] == ["cb-0101"]


def test_show_explains_that_a_deferral_does_not_hold_up_a_verified_finding(store: Path) -> None:
    english = dunghen("rotation", "show", "cb-0101", "--store", str(store), *AT, "--lang", "en").stdout
    assert "holds up the periodic rotation only" in english
    assert "deferred" in english
    vietnamese = dunghen("rotation", "show", "cb-0101", "--store", str(store), *AT, "--lang", "vi").stdout
    assert "chỉ hoãn chuyển đổi định kỳ" in vietnamese
    assert ("Circular 21/2022/TT-BTNMT" in english, "Law" in vietnamese) == (True, False)
    assert "Thông tư 21/2022/TT-BTNMT, từ đủ 2 đến 5 năm" in vietnamese


def test_an_alert_cites_the_law_in_the_language_it_is_shown_in(store: Path, tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    shutil.copy(store, path)
    where = ("--store", str(path))
    assert dunghen("judge", *where).returncode == 0
    listed = json.loads(dunghen("alerts", "list", *where, "-o", "json").stdout)
    name = next(one["id"] for one in listed if one["kind"] == "rotation_due_verified")

    english = dunghen("alerts", "show", name, *where, "--lang", "en").stdout
    vietnamese = dunghen("alerts", "show", name, *where, "--lang", "vi").stdout
    alert = json.loads(dunghen("alerts", "show", name, *where, "-o", "json").stdout)["alert"]

    assert ("Notice of the city" in english, "Thông báo ngày 20/05/2021" in english) == (True, False)
    assert ("Notice of the city" in vietnamese, "Thông báo ngày 20/05/2021" in vietnamese) == (False, True)
    assert alert["basis"].startswith("Notice of the city")
    assert alert["basis_vi"].startswith("Thông báo ngày 20/05/2021")


def test_an_officer_or_reader_nobody_knows_is_said(store: Path) -> None:
    for asked in (("show", "cb-9999"), ("list", "--reader", "nobody")):
        done = dunghen("rotation", *asked, "--store", str(store))
        assert done.returncode == 2
        assert asked[-1] in done.stderr


def test_a_store_without_officers_says_what_to_do(tmp_path: Path) -> None:
    log = tmp_path / "none.jsonl"
    log.write_text("{}\n", encoding="utf-8")
    dunghen("import", str(log), "--source", "one-stop", "--store", str(tmp_path / "s.db"))
    done = dunghen("rotation", "list", "--store", str(tmp_path / "s.db"), "--lang", "en")
    assert (done.returncode, "--source personnel" in done.stderr) == (2, True)


def test_handover_lists_the_open_dossiers_the_officer_holds(tmp_path: Path) -> None:
    def told(number: int, dossier: str, action: str, officer: str) -> str:
        data = {
            "occurred_at": f"2021-06-0{number}T08:00:00+07:00",
            "action": action,
            "procedure": "regulation-feedback",
            "actor": {"id": "cb-1", "role": "focal"},
            "unit": "can-tho-department",
            "to": {"officer": officer},
        }
        head = {
            "specversion": "1.0",
            "type": "dossier.acted.v1",
            "source": "one-stop",
            "id": f"{dossier}-{number}",
        }
        return json.dumps({**head, "subject": dossier, "sequence": number, "data": data})

    acts = [(1, "D-1", "receive", "cb-1"), (2, "D-1", "assign", "cb-2"), (1, "D-2", "receive", "cb-1")]
    acts += [(2, "D-2", "assign", "cb-2"), (3, "D-2", "withdraw", "cb-2"), (1, "D-3", "receive", "cb-1")]
    log, where = tmp_path / "log.jsonl", str(tmp_path / "s.db")
    log.write_text("".join(told(*act) + "\n" for act in acts), encoding="utf-8")
    done = dunghen("import", str(log), "--source", "one-stop", "--store", where)
    assert done.returncode == 0, done.stderr
    found = dunghen("rotation", "handover", "cb-2", "--store", where, "-o", "json")
    assert [one["subject"] for one in json.loads(found.stdout)] == ["D-1"]
    before = dunghen(
        "rotation", "handover", "cb-2", "--store", where, "-o", "json", "--at", "2021-06-02T09:00"
    )
    assert [one["subject"] for one in json.loads(before.stdout)] == ["D-1", "D-2"]


def test_an_officer_is_no_dossier_whatever_is_asked_and_as_of_when(store: Path) -> None:
    for moments in ((), AT, ("--known-at", "2027-01-01")):
        found = dunghen("dossier", "list", "--store", str(store), "-o", "json", *moments)
        counted = dunghen("status", "--store", str(store), "-o", "json", *moments)
        assert json.loads(found.stdout) == []
        assert json.loads(counted.stdout)["whole"]["dossiers"] == 0
        for command in ("show", "explain", "allowed"):
            asked = dunghen("dossier", command, "cb-0101", "--store", str(store), *moments)
            assert (asked.returncode, asked.stdout) == (2, "")
            assert "no dossier cb-0101" in asked.stderr
