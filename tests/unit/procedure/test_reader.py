from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from drawing import procedure, read, text

from workflow.errors import DefinitionError
from workflow.procedure.language import Names, Revision
from workflow.procedure.reader import canonical, fingerprint, read_procedures

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_of_several_documents_gives_its_revisions_in_order(tmp_path: Path) -> None:
    file = tmp_path / "1.004220.yaml"
    second = text().replace('revision: "1"', 'revision: "2"')
    file.write_text(f"{text()}\n---\n{second}", "utf-8")
    assert [r.revision for r in read_procedures(file)] == ["1", "2"]


def test_a_folder_gives_every_procedure_below_it_and_no_other_definition(tmp_path: Path) -> None:
    for name in ("b/land/2.yaml", "a/1.yaml"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text().replace("1.004220", name), "utf-8")
    for name in ("calendars/vn.yaml", "sources/one.yaml", "b/land/mapping.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("no: procedure", "utf-8")
    assert [r.procedure for r in read_procedures(tmp_path)] == ["a/1.yaml", "b/land/2.yaml"]


def test_a_folder_without_procedures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="expected a procedure, found none") as caught:
        read_procedures(tmp_path)
    assert caught.value.code == "no_procedure"


def test_an_unquoted_code_stays_a_code() -> None:
    assert read(text().replace('"1.004220"', "1.004220")).procedure == "1.004220"


@pytest.mark.parametrize(
    "word", ["conditions", "unless", "before", "after", "prepare", "on_enter", "on_exit"]
)
def test_callbacks_of_the_machine_library_are_no_words_of_the_language(word: str) -> None:
    actions = f"actions: {{receive: {{{word}: os_system, moves: []}}}}"
    with pytest.raises(DefinitionError, match=f"found `{word}`") as caught:
        procedure(actions=actions)
    assert caught.value.code == "unknown_word"


PLAIN = "9acc0047527b5c406a7de2279b35562d4a7bd5df1c57f3c4eed29b1c6b236987"


def test_a_legal_basis_is_one_text_as_it_always_was_or_the_law_in_both_languages() -> None:
    once = procedure(basis="basis: Land Law art. 5")
    twice = procedure(basis="basis: {vi: 'Luật Đất đai, Điều 5', en: Land Law art. 5}")

    assert once.basis == "Land Law art. 5"
    assert twice.basis == Names(vi="Luật Đất đai, Điều 5", en="Land Law art. 5")
    assert msgspec.json.decode(msgspec.json.encode(once), type=Revision) == once
    assert msgspec.json.decode(msgspec.json.encode(twice), type=Revision) == twice
    # What was approved or archived while a basis was one text alone keeps its fingerprint.
    assert fingerprint(once) == PLAIN
    assert fingerprint(twice) != fingerprint(once)


def test_a_legal_basis_in_one_language_of_two_is_refused() -> None:
    with pytest.raises(DefinitionError, match="expected the word en, found none"):
        procedure(basis="basis: {vi: 'Luật Đất đai, Điều 5'}")


SAME = {
    "a comment": text().replace("states:", "# who holds it\nstates:"),
    "the order of keys": text().replace(
        "role: desk, limit: {within: 2, counts: days}", "limit: {counts: days, within: 2}, role: desk"
    ),
    "a default spelled out": text().replace("checked: {", "checked: {final: false, guards: [], "),
    "block style": text().replace("returned: {final: true}", "returned:\n    final: 'true'"),
}


@pytest.mark.parametrize("other", SAME.values(), ids=SAME)
def test_the_fingerprint_does_not_depend_on(other: str) -> None:
    assert other != text()
    assert fingerprint(read(other)) == fingerprint(procedure())


OTHER = {
    "a number": text().replace("within: 10", "within: 9"),
    "a state": text().replace("returned: {final: true}", "returned: {final: true}\n  spare: {}"),
    "a name": text().replace("Đăng ký", "Đăng kí"),
    "an approval": text(approval="approval: {document: QT-01, decision: 1/QĐ, decided_on: 2025-01-01}"),
}


@pytest.mark.parametrize("other", OTHER.values(), ids=OTHER)
def test_the_fingerprint_depends_on(other: str) -> None:
    assert fingerprint(read(other)) != fingerprint(procedure())


def test_the_order_of_phases_is_part_of_the_fingerprint() -> None:
    one = procedure(phases="phases: {check: {starts: [receive]}, supply: {starts: [assign]}}")
    two = procedure(phases="phases: {supply: {starts: [assign]}, check: {starts: [receive]}}")
    assert fingerprint(one) != fingerprint(two)


def test_the_canonical_form_is_fixed() -> None:
    """A change here changes every fingerprint in every ledger: give the form a new number first."""
    assert canonical(
        procedure(counting="", limits="", actions="actions: {}", states="states: {submitted: {}}")
    ) == (
        b'{"canonical":1,"revision":{"actions":{},"calendar":"office","figures":"sample","initial":"submitted",'
        b'"name":{"en":"Registration of a change","vi":"\xc4\x90\xc4\x83ng k\xc3\xbd bi\xe1\xba\xbfn '
        b'\xc4\x91\xe1\xbb\x99ng"},"procedure":"1.004220","revision":"1","states":{"submitted":{}},'
        b'"zone":"Asia/Ho_Chi_Minh"}}'
    )
