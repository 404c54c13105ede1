"""What changed between two revisions, part by part, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Struct

from workflow.procedure.describe import asked_text
from workflow.procedure.moves import edges
from workflow.procedure.reader import fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from workflow.procedure.describe import Translate
    from workflow.procedure.language import Revision

Kind: TypeAlias = Literal["added", "removed", "changed"]

SECTIONS: Final = {
    "states": "state",
    "actions": "action",
    "guards": "guard",
    "limits": "limit",
    "counting": "way of counting",
    "pauses": "pause",
    "registers": "register",
    "sums": "sum",
    "phases": "phase",
    "ends": "end",
    "accepts": "accepted finding",
}
"""The sections of a revision that hold parts by name, and what one such part is called."""
TEXTS: Final[dict[Kind, str]] = {
    "added": "{part} added: {after}",
    "removed": "{part} removed: {before}",
    "changed": "{part} changed from {before} to {after}",
}


FIELDS: Final = {
    "procedure": "procedure",
    "revision": "revision",
    "name.vi": "Vietnamese name",
    "name.en": "English name",
    "figures": "figures",
    "zone": "time zone",
    "calendar": "calendar",
    "initial": "initial state",
    "basis": "legal basis",
    "basis.vi": "legal basis in Vietnamese",
    "basis.en": "legal basis in English",
    "phases": "phases",
    "fingerprint": "fingerprint",
}
"""The fields of the revision itself in words; others keep the word of the language."""


class Change(Struct, frozen=True):
    """One difference. `section` and `name` say which part (both empty: the revision itself), `field` what of it.

    `before` and `after` are in the words of the language; empty where there was or is nothing.
    """

    kind: Kind
    section: str
    name: str
    field: str
    before: str
    after: str


def changes(before: Revision, after: Revision) -> tuple[Change, ...]:
    """Every difference in meaning between two revisions, in the order of the language's sections.

    None exactly where the fingerprints are equal; where only the grouping of moves differs, the fingerprint is named.
    """
    old, new = _parts(before), _parts(after)
    found = list(_fields("", "", _own(before), _own(after)))
    for section in SECTIONS:
        for name in dict.fromkeys((*old[section], *new[section])):
            found += _part(section, name, old[section].get(name), new[section].get(name))
    if list(before.phases) != list(after.phases) and set(before.phases) == set(after.phases):
        found.append(_change("", "", "phases", ", ".join(before.phases), ", ".join(after.phases)))
    if not found and fingerprint(before) != fingerprint(after):
        found.append(_change("", "", "fingerprint", fingerprint(before), fingerprint(after)))
    return tuple(found)


def worded(change: Change, translate: Translate) -> str:
    """A change in one line."""
    part = translate(FIELDS[change.field]) if change.field in FIELDS else change.field
    if change.section:
        words = [translate(SECTIONS[change.section]), change.name, *([change.field] if change.field else [])]
        part = " ".join(words)
    return translate(TEXTS[change.kind]).format(part=part, before=change.before, after=change.after)


def _parts(revision: Revision) -> dict[str, dict[str, dict[str, str]]]:
    """Section, name, and each field said of that part with its value in words."""
    tree = msgspec.to_builtins(revision)
    found = {section: {n: _flat(p) for n, p in tree.get(section, {}).items()} for section in SECTIONS}
    for name, guard in revision.guards.items():
        asked = {key: value for key, value in found["guards"][name].items() if not key.startswith("requires")}
        found["guards"][name] = {"requires": asked_text(guard.requires), **asked}
    for name, action in revision.actions.items():
        moves = found["actions"][name]
        del moves["moves"]
        for edge in (edge for edge in edges(revision) if edge.action == name):
            guards = action.moves[edge.move].guards
            target = f" → {edge.target}" if not edge.stays else ""
            moves[f"move from {edge.source}"] = f"{edge.source}{target}" + (
                f" ({', '.join(guards)})" if guards else ""
            )
    return found


def _own(revision: Revision) -> dict[str, str]:
    """The fields of the revision itself."""
    return _flat({key: value for key, value in msgspec.to_builtins(revision).items() if key not in SECTIONS})


def _flat(part: Any) -> dict[str, str]:  # noqa: ANN401 - whatever a definition holds
    """The fields of a part with dots between their levels, lists as one value."""
    if not isinstance(part, dict):
        return {"": _shown(part)}
    found: dict[str, str] = {}
    for key, value in part.items():
        for field, shown in _flat(value).items():
            found[f"{key}.{field}" if field else key] = shown
        if value == {}:
            found[key] = "{}"
    return found


def _shown(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, list | tuple):
        return ", ".join(_shown(one) for one in value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_shown(one)}" for key, one in value.items()) + "}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _part(
    section: str, name: str, old: dict[str, str] | None, new: dict[str, str] | None
) -> Iterator[Change]:
    if old is None or new is None:
        yield _change(
            section, name, "", None if old is None else _summary(old), None if new is None else _summary(new)
        )
        return
    yield from _fields(section, name, old, new)


def _fields(section: str, name: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Change]:
    for field in dict.fromkeys((*old, *new)):
        if old.get(field) != new.get(field):
            yield _change(section, name, field, old.get(field), new.get(field))


def _change(section: str, name: str, field: str, old: str | None, new: str | None) -> Change:
    kind: Kind = "added" if old is None else "removed" if new is None else "changed"
    return Change(kind, section, name, field, old or "", new or "")


def _summary(fields: Mapping[str, str]) -> str:
    said = [f"{field}: {value}" if field else value for field, value in fields.items()]
    return "; ".join(said) or "{}"
