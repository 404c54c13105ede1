"""Going on after a fault that retrying may cure: said, measured, and waited for, the same for every loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow import log

if TYPE_CHECKING:
    from consumers.health import Health
    from consumers.metrics import Metrics
    from consumers.patience import Patience
    from workflow.errors import DunghenError


def again(part: str, fault: DunghenError, patience: Patience, health: Health, metrics: Metrics) -> float:
    """The seconds a part waits before it goes on after a fault. Raises the fault that retrying does not cure."""
    if not fault.retriable:
        raise fault
    wait_s = patience.wait_s()
    log.warning("retry", part=part, reason=fault.code, said=str(fault), wait_s=round(wait_s, 1))
    metrics.retried(fault.code)
    health.beat(part, fault.code)
    return wait_s
