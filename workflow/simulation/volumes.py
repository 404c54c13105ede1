"""How much a simulated department has of what. Every share is an assumption (`sample`) but where a source stands."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

SHARES: Final[dict[str, float]] = {
    "mortgage-registration": 24.0,
    "land-transfer": 22.0,
    "certificate-exchange": 10.0,
    "parcel-split-merge": 6.0,
    "first-registration": 5.0,
    "land-use-change": 5.0,
    "certificate-from-developer": 4.0,
    "attached-assets": 3.0,
    "1.004237": 3.0,
    "certificate-reissue-lost": 2.0,
    "1.010727": 1.2,
    "groundwater-licence": 1.0,
    "petition": 1.0,
    "first-complaint": 0.6,
    "land-allocation": 0.5,
    "eia-appraisal": 0.3,
    "environmental-change": 0.2,
    "mineral-exploration": 0.2,
    "mineral-exploitation": 0.2,
    "denunciation": 0.2,
    "hydromet-forecast-licence": 0.1,
    "1.000943": 0.1,
    # Petitions are 0.087 % of a province's dossiers, those about staff 0.016 % (portal, January to October 2026).
    "regulation-feedback": 0.063,
    "harassment-feedback": 0.016,
}
"""Weights of the procedures among arrivals: land registration is the bulk. Sample, but for feedback."""

OTHERWISE: Final = 1.0
"""Weight of a procedure that is not listed."""

HOURS: Final = (1.2, 1.6, 1.4, 0.9, 1.1, 1.2, 0.9, 0.4)
"""Arrivals by working hour of a day, from its opening; later ones are like the last. Sample."""

CHANNELS: Final = (("direct", 0.6), ("online", 0.35), ("post", 0.05))
"""How dossiers are filed. Sample."""

DETOURS: Final[dict[str, float]] = {
    "ask_to_complete": 0.04,
    "refuse_receipt": 0.02,
    "reassign": 0.03,
    "request_supplement": 0.15,
    "request_payment": 0.30,
    "refer_breach": 0.01,
    "request_assessment": 0.02,
    "await_clearance": 0.05,
    "send_back": 0.06,
    "apologise": 0.0,
    "extend": 0.02,
    "recall_opinion": 0.0,
    "route": 0.10,
    "withdraw": 0.004,
    "stop_processing": 0.002,
}
"""How often an action that does not lead to the result is taken where it may be, once a stay. Sample."""

PAUSED_DAYS_MEAN: Final = 6.0
"""Mean wait for the citizen, in days, exponential. Sample."""

OFFICERS: Final = 6
"""Officers of each role in a unit. Sample."""


class Rates(Struct, frozen=True, kw_only=True):
    """Shares of dossiers. `late`: made late on purpose, by default the portal's figure for Cần Thơ in 2026 (71,692 of
    434,590). The rest is how often each damage is done; all sample."""

    late: float = 0.165
    duplicate: float = 0.06
    late_report: float = 0.05
    out_of_order: float = 0.05
    void: float = 0.02
    revision: float = 0.02
    lost: float = 0.02
    illegal: float = 0.02
    skew: float = 0.02
    slip: float = 0.03


UNDAMAGED: Final = Rates(
    duplicate=0, late_report=0, out_of_order=0, void=0, revision=0, lost=0, illegal=0, skew=0, slip=0
)
"""A stream as it was meant."""
