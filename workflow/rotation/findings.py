"""What feedback on an officer's conduct came to, told of the officer: a signed conclusion is a finding like any other.

A judgment over several subjects: the feedback's dossier says it, the officer's duties rest on it. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args, get_type_hints

from workflow.facts import Fact, OfficerConcluded

if TYPE_CHECKING:
    from workflow.model import Dossier
    from workflow.rules import Rules

SOURCE: Final = "feedback"
"""The source of such findings. No register or system tells facts under it."""
FINDINGS: Final = frozenset(get_args(get_type_hints(OfficerConcluded)["finding"]))


def finding(rules: Rules, dossier: Dossier) -> Fact | None:
    """The finding of a judged feedback, as of when its answer was signed; None where it names no officer, came to none
    of the conclusions, or is not signed: until then it is an allegation. Its complaint is the dossier's code.

    `rules`: any revision of its procedure.
    """
    own = rules.family[dossier.revision]
    told = dict(zip(own.layout.registers, dossier.registers, strict=True))
    officer, conclusion = told.get("officer"), told.get("conclusion")
    if own.revision.kind != "feedback" or dossier.issued_at is None:
        return None
    if not isinstance(officer, str) or not officer or conclusion not in FINDINGS:
        return None
    body = OfficerConcluded(
        complaint=dossier.subject,
        finding=conclusion,  # type: ignore[arg-type] # one of them, as was asked just now
        authority=dossier.unit or own.revision.procedure,
        document=dossier.subject,
    )
    return Fact(officer, SOURCE, dossier.subject, dossier.issued_at, body)
