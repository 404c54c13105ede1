"""Definitions kept by their bytes when first used, so that what was known then includes the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workflow.catalogue import Archived
    from workflow.store.transaction import Transaction


def archive(writer: Transaction, used: Iterable[Archived], recorded_at: int) -> None:
    """Keeps those definitions that are not kept yet.

    Raises LedgerError (`edited_definition`) where a revision is kept with another fingerprint.
    """
    known = writer.archived()
    kept = dict(known)
    new = {}
    for one in used:
        key = one.kind, one.name, one.revision
        if kept.setdefault(key, one.fingerprint) != one.fingerprint:
            raise LedgerError(
                "{kind} {name} revision {revision}: expected the fingerprint {expected} it was first used with, found "
                "{found}; undo the edit, or give the new text a new revision",
                kind=one.kind,
                name=one.name,
                revision=one.revision,
                expected=kept[key],
                found=one.fingerprint,
                reason="edited_definition",
            )
        new[key] = one
    writer.archive(
        [{**one._asdict(), "recorded_at": recorded_at} for key, one in new.items() if key not in known]
    )
