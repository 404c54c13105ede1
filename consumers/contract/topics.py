"""Every topic of ours: what it carries, and how it is made, with the reasons. The prefix is the installation's."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from msgspec import Struct

from consumers.contract.messages import MESSAGES

Direction: TypeAlias = Literal["in", "out"]
Cleanup: TypeAlias = Literal["delete", "compact"]

PREFIX: Final = "dunghen."
DAY_MS: Final = 86_400_000
MESSAGE_BYTES_MAX: Final = 1 << 20
"""Kafka's own default, and the limit of one event of ours (`consumers.contract.limits`)."""

CARRIES: Final = {
    "dossiers": "What sources tell: every event of a dossier, of officers, and of the sources themselves.",
    "decisions": "What became of each event: applied or refused, and by which rules.",
    "alerts.lateness": "Steps and dossiers at risk or late, pauses past their cap, results not collected, the budget.",
    "alerts.rotation": "Officers due to be moved, or acting after a move.",
    "alerts.feedback": "Feedback that is due, late, repeated or over its level.",
    "alerts.conformance": "Events that broke a rule of their procedure.",
    "alerts.feeds": "Sources that are silent, incomplete, contradict themselves, or whose clocks are wrong.",
    "deadletters": "Messages that could not be taken: key, value and headers as they came, and why in headers of ours.",
}
"""What each topic carries, by its name without the prefix."""
WHY: Final = {
    "dossiers": (
        "Keyed by dossier, so that all events of one lie in one partition and are judged by one worker. "
        "Partitions are counted for the peak, since adding some later would break the order of a key: 12 "
        "let twelve workers share a country. A year is kept: the facts are in the store, but a store that "
        "is lost can be filled again from here. Not compacted: each event is a fact, not the newest state "
        "of its key."
    ),
    "decisions": (
        "Keyed by dossier. Kept for 30 days, so that a consumer may be down over the longest holiday; "
        "whoever comes later asks the store. Not compacted: a decision is about one event, the newest of "
        "a dossier does not replace the others."
    ),
    "alerts": (
        "Keyed by what the alert is about. Kept for 90 days: a quarter is reported at its end. Not "
        "compacted: of one dossier several alerts may stand. Three partitions: alerts are few beside "
        "events, and so are their readers."
    ),
    "deadletters": (
        "Keyed as the message came. Kept for 90 days, as long as the store keeps dead letters: time to "
        "correct the sender and send again. Not compacted: two bad messages of one key are two."
    ),
}
"""Why a topic is made as it is; one reason for all topics of alerts."""


class Topic(Struct, frozen=True, kw_only=True):
    """A topic: its name without the prefix, which way it goes, the types it carries, how it is made, and under which
    word of WHY the reasons stand."""

    name: str
    direction: Direction
    kinds: tuple[str, ...]
    partitions: int
    retention_days: int
    reasons: str
    cleanup: Cleanup = "delete"

    @property
    def settings(self) -> dict[str, str]:
        """Its settings as Kafka names them; only the value of a choice of ours, all else is the broker's."""
        return {
            "cleanup.policy": self.cleanup,
            "retention.ms": str(self.retention_days * DAY_MS),
            "max.message.bytes": str(MESSAGE_BYTES_MAX + ENVELOPE_BYTES),
            "message.timestamp.type": "CreateTime",
        }


ENVELOPE_BYTES: Final = 64 * 1024
"""Room for key and headers beside a value of the greatest size: a dead letter adds ours to those it came with."""

DOSSIERS: Final = Topic(
    name="dossiers",
    direction="in",
    kinds=tuple(MESSAGES),
    partitions=12,
    retention_days=365,
    reasons="dossiers",
)
DECISIONS: Final = Topic(
    name="decisions",
    direction="out",
    kinds=("decision.made.v1",),
    partitions=12,
    retention_days=30,
    reasons="decisions",
)
ALERTS: Final = tuple(
    Topic(
        name=name,
        direction="out",
        kinds=("alert.said.v1",),
        partitions=3,
        retention_days=90,
        reasons="alerts",
    )
    for name in CARRIES
    if name.startswith("alerts.")
)
DEAD_LETTERS: Final = Topic(
    name="deadletters",
    direction="out",
    kinds=(),
    partitions=3,
    retention_days=90,
    reasons="deadletters",
)
TOPICS: Final = (DOSSIERS, DECISIONS, *ALERTS, DEAD_LETTERS)
"""All topics, in the order of the way of an event."""

LETTER_HEADERS: Final = {
    "__connect.errors.topic": "The topic it came from; absent where it came from a file.",
    "__connect.errors.partition": "Its partition there.",
    "__connect.errors.offset": "Its offset there.",
    "__connect.errors.exception.message": "What was expected, what was found, what to do.",
    "dunghen.reason": "The reason code: one of docs/events.md, or `id_conflict`, `too_many_facts`, `unstorable`.",
    "dunghen.place": "Where it lay: topic/partition/offset, or file:line.",
    "dunghen.first-seen": "When it was recorded (RFC 3339, UTC).",
}
"""Headers a dead letter has behind its own, by the names of Kafka Connect and ours."""
LETTER_ALWAYS: Final = (
    "__connect.errors.exception.message",
    "dunghen.reason",
    "dunghen.place",
    "dunghen.first-seen",
)
"""Those that every dead letter has, wherever it came from."""
