"""One Struct per message type: the CloudEvents 1.0 envelope around a body of `workflow.facts`.

The bodies say what a type means; `Attributes` what every message carries; `Times` what stands in `data` beside the
body. The Structs below are made of these three and nothing else, so a type cannot be said in two ways.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal, Union, cast, get_args

from msgspec import Meta, Struct, defstruct

from consumers.contract.limits import REVISION_MAX, WHOLE_MAX
from workflow import facts
from workflow.facts import Code

Word = Annotated[Code, Meta(min_length=1)]
SEQUENCE_DIGITS: Final = len(str(WHOLE_MAX))
"""Digits of a written sequence: CloudEvents compares sequences as text, so ours all have the same length."""
Digits = Annotated[
    str, Meta(extra_json_schema={"type": "string", "pattern": f"^[0-9]{{1,{SEQUENCE_DIGITS}}}$"})
]
"""A whole number as text. The codec holds it to its pattern, which costs less than a pattern of msgspec's."""


class Attributes(Struct, frozen=True, kw_only=True, tag_field="type"):
    """The CloudEvents attributes that are read. Others, `time` among them, are ignored.

    `subject`: the dossier's code; of `officer.*` the officer, of `source.*` the source itself. `source` and `id`:
    given by the sender, for ever. `data`: the body of the type, with `Times`. `sequence`: the source's own order, a
    number or its digits as text. `recordedtime`: when it was stored, in copies of stored facts. `revision`: counts
    re-sendings of a changed record.
    """

    specversion: Literal["1.0"]
    id: Word
    source: Word
    subject: Word
    datacontenttype: str | None = None
    dataschema: str | None = None
    sequence: Annotated[int, Meta(ge=0, le=WHOLE_MAX)] | Digits = 0
    recordedtime: datetime | None = None
    revision: Annotated[int, Meta(ge=0, le=REVISION_MAX)] = 0
    data: Any


class Times(Struct, frozen=True, kw_only=True):
    """The times in `data`. `occurred_at`: when it took place; `entered_at`: when the officer typed it."""

    occurred_at: datetime
    entered_at: datetime | None = None


BODIES: Final[dict[str, type[Struct]]] = {
    str(body.__struct_config__.tag): body for body in get_args(facts.Body)
}
"""The body of each message type."""


def _message(name: str, body: type[Struct]) -> type[Attributes]:
    message = defstruct(
        body.__name__ + "Message",
        [("data", body)],
        bases=(Attributes,),
        module=__name__,
        frozen=True,
        kw_only=True,
        tag=name,
        tag_field="type",
    )
    return cast("type[Attributes]", message)


MESSAGES: Final = {name: _message(name, body) for name, body in BODIES.items()}
"""The Struct of each message type."""

Message: Any = Union[tuple(MESSAGES.values())]  # noqa: UP007 - made of a list, no `|` can be written
"""The tagged union of all message types, told apart by `type`."""
