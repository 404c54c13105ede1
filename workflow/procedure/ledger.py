"""The ledger of approved revisions: what was approved, by which decision, and the fingerprint it was approved with.

A text file, one line for each approved revision, its fields separated by ` | `:
fingerprint | procedure | revision | document | decision | date of the decision. `#` begins a comment line.
A line is appended by a person who has the decision in hand; no command writes it.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from msgspec import Struct

from workflow.errors import LedgerError
from workflow.procedure.reader import fingerprint
from workflow.yamltree import contents

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from workflow.procedure.language import Revision

NAME: Final = "APPROVED"
"""What the ledger is called in a folder of definitions."""
_SEPARATOR: Final = " | "
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{64}")
_FIELDS: Final = ("fingerprint", "procedure", "revision", "document", "decision", "decided_on")


class Entry(NamedTuple):
    """One approved revision."""

    fingerprint: str
    procedure: str
    revision: str
    document: str
    decision: str
    decided_on: date

    @property
    def line(self) -> str:
        """The entry as its line of the ledger."""
        return _SEPARATOR.join((*self[:5], self.decided_on.isoformat()))


class Ledger(Struct, frozen=True):
    """The approvals there are, in the order of procedures and revisions, as a store archives them."""

    entries: tuple[Entry, ...] = ()


Listed: TypeAlias = "Mapping[tuple[str, str], Entry]"
"""The entries by procedure and revision."""


def read_ledger(path: Path) -> tuple[Entry, ...]:
    """The entries of a ledger file.

    Raises `LedgerError` with file:line where a line is malformed or an approved revision is listed twice.
    """
    entries: dict[tuple[str, str], Entry] = {}
    lines = contents(path).decode("utf-8", "replace").splitlines()
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        entry = _entry(line, f"{path}:{number}")
        if (entry.procedure, entry.revision) in entries:
            raise LedgerError(
                "{place}: procedure {procedure} revision {revision} is listed a second time; "
                "an approved revision never changes, give the new text a new revision",
                place=f"{path}:{number}",
                procedure=entry.procedure,
                revision=entry.revision,
                reason="ledger_repeated",
            )
        entries[entry.procedure, entry.revision] = entry
    return tuple(entries.values())


def _entry(line: str, place: str) -> Entry:
    fields = [field.strip() for field in line.split(_SEPARATOR)]
    try:
        print_, procedure, revision, document, decision, decided_on = fields
        entry = Entry(print_, procedure, revision, document, decision, date.fromisoformat(decided_on))
    except ValueError as error:
        raise _malformed(place, line) from error
    if not _FINGERPRINT.fullmatch(entry.fingerprint) or not all(fields):
        raise _malformed(place, line)
    return entry


def _malformed(place: str, line: str) -> LedgerError:
    return LedgerError(
        "{place}: expected {expected}, found {found}; write the line as `dunghen procedure check` prints it",
        place=place,
        expected=_SEPARATOR.join(_FIELDS),
        found=line[:300],
        reason="ledger_line",
    )


def new_entry(revision: Revision) -> Entry:
    """The entry a person may append once the decision on this revision is signed.

    Raises `LedgerError` for a revision whose figures are not approved, or that names no approval.
    """
    approval = revision.approval
    if revision.figures != "approved" or approval is None:
        raise LedgerError(
            "procedure {procedure} revision {revision}: expected approved figures with an approval, "
            "found {figures}; only approved revisions are listed",
            procedure=revision.procedure,
            revision=revision.revision,
            figures=revision.figures,
            reason="ledger_not_approved",
        )
    return Entry(
        fingerprint(revision),
        revision.procedure,
        revision.revision,
        approval.document,
        approval.decision,
        approval.decided_on,
    )


def verify_ledger(revisions: Iterable[Revision], ledger: Iterable[Entry]) -> None:
    """Holds every approved revision to the fingerprint it was approved with.

    Revisions with sample or statutory figures need no entry. Raises `LedgerError` where an approved revision is
    not listed, was changed after its approval, or names another document, decision or date than its line.
    """
    listed = by_revision(ledger)
    for revision in revisions:
        if (fault := ledger_fault(revision, listed)) is not None:
            raise fault


def ledger_of(folder: Path, revisions: Iterable[Revision]) -> Ledger:
    """The ledger of a folder of definitions, empty where it has none.

    Raises `LedgerError` where it lists one of these revisions otherwise than it stands there, or a line is malformed.
    That an approved revision is not listed is no error: it may be judged by, as one that is not approved.
    """
    path = folder / NAME
    entries = read_ledger(path) if path.is_file() else ()
    listed = by_revision(entries)
    for revision in revisions:
        fault = ledger_fault(revision, listed)
        if fault is not None and (revision.procedure, revision.revision) in listed:
            raise fault
    return Ledger(tuple(sorted(entries, key=lambda entry: entry[1:3])))


def unlisted(revisions: Iterable[Revision], ledger: Ledger) -> tuple[Revision, ...]:
    """The revisions that call themselves approved and whose fingerprint the ledger does not list: they are not."""
    listed = {entry[:3] for entry in ledger.entries}
    return tuple(
        one
        for one in revisions
        if one.figures == "approved" and (fingerprint(one), one.procedure, one.revision) not in listed
    )


def by_revision(ledger: Iterable[Entry]) -> Listed:
    """The entries by procedure and revision."""
    return {(entry.procedure, entry.revision): entry for entry in ledger}


def ledger_fault(revision: Revision, listed: Listed) -> LedgerError | None:
    """What is wrong between one revision and the entries of a ledger, as `verify_ledger` would raise it."""
    entry = listed.get((revision.procedure, revision.revision))
    if entry is None:
        carries = revision.figures == "approved" and revision.approval is not None
        return _absent(revision) if carries else None
    if entry.fingerprint != fingerprint(revision):
        return _edited(revision, entry)
    return None if entry == (told := new_entry(revision)) else _misquoted(told, entry)


def _absent(revision: Revision) -> LedgerError:
    return LedgerError(
        "procedure {procedure} revision {revision}: expected its fingerprint in the ledger, found none; "
        "once the decision is signed append the line: {line}",
        procedure=revision.procedure,
        revision=revision.revision,
        line=new_entry(revision).line,
        reason="ledger_absent",
    )


def _misquoted(told: Entry, entry: Entry) -> LedgerError:
    return LedgerError(
        "procedure {procedure} revision {revision}: expected the line {expected} as the revision names its approval, "
        "found {found} in the ledger; correct the one that is not as signed",
        procedure=told.procedure,
        revision=told.revision,
        expected=told.line,
        found=entry.line,
        reason="ledger_misquoted",
    )


def _edited(revision: Revision, entry: Entry) -> LedgerError:
    return LedgerError(
        "procedure {procedure} revision {revision}: expected the fingerprint {expected} it was approved with by "
        "{decision}, found {found}; undo the edit, or give the new text a new revision",
        procedure=revision.procedure,
        revision=revision.revision,
        expected=entry.fingerprint,
        decision=entry.decision,
        found=fingerprint(revision),
        reason="ledger_edited",
    )
