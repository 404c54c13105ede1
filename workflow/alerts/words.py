"""The words people read for an alert: its kind, where it is in its life, and what is said of it."""

from __future__ import annotations

from typing import Final

ALERT_KINDS: Final = {
    "step_at_risk": "step at risk",
    "step_late": "step late",
    "dossier_at_risk": "dossier at risk",
    "dossier_late": "dossier late",
    "apology_due": "apology and new appointment due",
    "appointment_differs": "appointment differs",
    "pause_cap_exceeded": "pause cap exceeded",
    "result_not_collected": "result not collected",
    "budget_at_risk": "budget at risk",
    "budget_spent": "budget spent",
    "feedback_due": "feedback due",
    "feedback_late": "feedback late",
    "feedback_repeated": "repeated feedback",
    "feedback_drawn_out": "drawn-out feedback",
    "feedback_over_level": "over-level feedback",
    "rotation_due_verified": "rotation due, verified harassment",
    "rotation_due_term": "rotation due, term of post",
    "rotation_overdue": "rotation overdue",
    "acting_after_move": "acting after being moved",
    "evaluation_by_handler": "evaluation keyed by who handled the dossier",
    "refused_event": "refused event",
    "feed_silent": "feed silent",
    "feed_incomplete": "feed incomplete",
    "clock_skew": "clock skew",
    "id_conflict": "id conflict",
}
ALERT_STATES: Final = {
    "waiting": "waiting",
    "raised": "raised",
    "acknowledged": "acknowledged",
    "snoozed": "snoozed",
    "resolved": "resolved",
    "retracted": "retracted",
    "history": "history, not sent",
    "unsaid": "over before it was said",
}
ALERT_CHANGES: Final = {
    "raised": "raised",
    "changed": "changed",
    "escalated": "escalated",
    "acknowledged": "acknowledged",
    "snoozed": "snoozed",
    "resolved": "over",
    "retracted": "taken back, it was wrong",
}
