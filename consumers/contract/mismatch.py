"""A message whose fields have other types than the contract's: msgspec's complaint as a reason, a path and a find."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from consumers.contract.limits import REVISION_MAX, WHOLE_MAX
from consumers.contract.reasons import refusal, shown
from consumers.contract.strict import step
from workflow.errors import Words

if TYPE_CHECKING:
    from msgspec import ValidationError

    from workflow.errors import InputError

_COMPLAINT: Final = re.compile(r"(?P<text>.*?)(?: - at `(?P<path>\$.*)`)?", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(.+)`")
_EXPECTED: Final = re.compile(r"Expected `(.+?)`(?:, got `(.+)`| (.+))")
_STEPS: Final = re.compile(r"\.([A-Za-z0-9_]+)|\[(\d+|\.\.\.)\]")
_KINDS: Final[dict[str, type]] = {
    "array": list, "object": dict, "float": float, "str": str, "int": int, "bool": bool, "null": type(None),
}  # fmt: skip
_DATE_CHARS: Final = len("2026-03-02")
_COUNTED: Final = {"$.sequence": ("sequence", WHOLE_MAX), "$.revision": ("revision", REVISION_MAX)}


def mismatch(error: ValidationError, tree: dict[str, Any]) -> InputError:
    """The refusal that says what msgspec found wrong with a message read into `tree`."""
    complaint = _COMPLAINT.fullmatch(str(error))
    text, path = (complaint["text"], complaint["path"] or "$") if complaint else (str(error), "$")
    expected = _EXPECTED.fullmatch(text)
    path, found = _find(tree, path, expected[2] if expected else None)
    if path in _COUNTED:
        reason, most = _COUNTED[path]
        return refusal(reason, path, expected=most, found=shown(found))
    missing = _MISSING.fullmatch(text)
    if missing:
        return refusal("missing_field", step(path, missing[1]))
    if text.startswith("Invalid enum value"):
        return refusal(
            "not_in_list", path, expected=Words("a value of the contract's list"), found=shown(found)
        )
    if expected and expected[3] == "of length >= 1":
        return refusal("empty_text", path)
    wanted = expected[1] if expected else text
    if path == "$.data.appointment" and isinstance(found, str):
        # The commonest first try: the date alone.
        wanted = f'an object such as {{"at": "{found[:_DATE_CHARS]}"}}'
    return refusal("wrong_type", path, expected=wanted, found=shown(found))


def _find(tree: Any, path: str, kind: str | None) -> tuple[str, Any]:  # noqa: ANN401 - JSON, wrongly typed
    """The full path and the value msgspec means: it leaves out the names of a map, so the first of that kind."""
    found, full = tree, "$"
    for name, index in _STEPS.findall(path):
        if index.isdigit():
            full = f"{full}[{index}]"
            found = found[int(index)]
        else:
            named = _named(found, kind) if index else name
            full = step(full, named)
            found = found.get(named)
    return full, found


def _named(values: dict[str, Any], kind: str | None) -> str:
    return next((name for name, value in values.items() if type(value) is _KINDS.get(kind or "")), "*")
