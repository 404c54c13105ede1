"""Alerts on events that were refused: one for each, raised once its source had time to tell what was missing. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.alerts.lateness import alert_id
from workflow.messages import HOLDER, Alert
from workflow.procedure.language import both

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from workflow.alerts.life import Life
    from workflow.alerts.office import Office
    from workflow.facts import Fact
    from workflow.model import Dossier, Outcome
    from workflow.rules import Rules


def refusals(
    office: Office,
    rules: Rules,
    dossier: Dossier,
    refused: Iterable[tuple[Fact, Outcome]],
    earlier: Iterable[Life],
    now: datetime,
) -> list[Alert]:
    """The alerts on `refused` facts, and those of `earlier` ones that were not taken back."""
    kept = [one.alert for one in earlier if one.alert.kind == "refused_event" and one.state != "retracted"]
    return kept + [_refusal(office, rules, dossier, fact, outcome, now) for fact, outcome in refused]


def refusal_id(fact: Fact) -> str:
    """The id of the alert on a refused fact."""
    return alert_id(fact.subject, "refused_event", _rule(fact))


def _rule(fact: Fact) -> str:
    return f"{fact.source}/{fact.id}/{fact.revision}"


def _refusal(
    office: Office, rules: Rules, dossier: Dossier, fact: Fact, outcome: Outcome, now: datetime
) -> Alert:
    """The alert on a refused fact, its `cause` being the first rule it broke."""
    revision, source, at = rules.revision, fact.source, fact.occurred_at
    rule = _rule(fact)
    basis, basis_vi = both(revision.basis)
    return Alert(
        id=alert_id(fact.subject, "refused_event", rule),
        kind="refused_event",
        topic="alerts.conformance",
        subject=fact.subject,
        rule=rule,
        due_at=at,
        unit=dossier.unit,
        officer=dossier.officer,
        source=source,
        to=(HOLDER, *office.heads(dossier.unit, at)[:1]),
        procedure=revision.procedure,
        revision=revision.revision,
        basis=basis,
        basis_vi=basis_vi,
        cause=outcome.violations[0].rule,
        history=office.history(source, at),
        raise_at=office.speaking_at(at + office.delay(source), dossier.unit, now),
    )
