"""A text tree as typed values: `msgspec` does the typing, this module says where and what was wrong.

`msgspec` names the path of an error but not the key inside a mapping, and without strictness it reads `null`,
`1`, `1e1` or `TRUE` as nothing, a flag or a number. Both are mended here: the key is found again, and every
value must be spelled as it would be written back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import reduce
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

import msgspec
from msgspec import inspect

from workflow.errors import DefinitionError, Words

if TYPE_CHECKING:
    from collections.abc import Iterator

Tree: TypeAlias = "str | list[Tree] | dict[str, Tree]"
Keys: TypeAlias = tuple[str | int, ...]
T = TypeVar("T")

_UNKNOWN_KEY: Final = "..."
_STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")
_PATH: Final = re.compile(r" - at (`key` in )?`\$(.*)`$", re.DOTALL)
_NAMED: Final = re.compile(r"Object (contains unknown|missing required) field `(.*)`$", re.DOTALL)
_SHOWN_MAX: Final = 60
"""Characters of a wrong value that a message repeats."""


@dataclass(slots=True)
class Mark:
    """Where a node starts (lines and columns from 1), its children's marks, and where its keys stand."""

    line: int
    column: int
    children: dict[str | int, Mark] = field(default_factory=dict)
    keys: dict[str, Mark] = field(default_factory=dict)

    def place(self, name: str) -> str:
        """`name:line:column`."""
        return f"{name}:{self.line}:{self.column}"

    def along(self, path: Keys) -> Mark:
        """The mark of the part at `path`, or of the nearest part above it.

        It is that of the key where the part is a mapping's entry, since that is what people look for.
        """
        here, found = self, self
        for key in path:
            if key not in here.children:
                break
            found = here.keys[key] if isinstance(key, str) else here.children[key]
            here = here.children[key]
        return found


def typed(tree: Tree, mark: Mark, name: str, kind: type[T]) -> T:
    """The tree as a `kind`. Raises `DefinitionError` with place, path, what was expected and found."""
    try:
        value = msgspec.convert(tree, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _placed(str(error), tree, mark, name, kind) from None
    for path in _misspelled(tree, value, ()):
        raise _mismatch(path, tree, mark, name, kind)
    return value


def _misspelled(tree: Tree, value: object, path: Keys) -> Iterator[Keys]:
    """The paths whose text is not how their value is written."""
    if isinstance(value, msgspec.Struct):
        names = dict(zip(value.__struct_encode_fields__, value.__struct_fields__, strict=True))
        for key, part in tree.items() if isinstance(tree, dict) else ():
            if key in names:
                yield from _misspelled(part, getattr(value, names[key]), (*path, key))
    elif isinstance(value, dict) and isinstance(tree, dict):
        for (key, part), one in zip(tree.items(), value.values(), strict=True):
            yield from _misspelled(part, one, (*path, key))
    elif isinstance(value, tuple | list) and isinstance(tree, list):
        for index, (part, one) in enumerate(zip(tree, value, strict=True)):
            yield from _misspelled(part, one, (*path, index))
    elif not _spelled(value, tree):
        yield path


def _spelled(value: object, text: Tree) -> bool:
    match value:
        case None:
            return False
        case bool():
            return text == str(value).lower()
        case int():
            return text == str(value)
        case datetime():
            return True
        case date():
            return text == value.isoformat()
        case _:
            return True


def _placed(message: str, tree: Tree, mark: Mark, name: str, kind: type[object]) -> DefinitionError:
    at = _PATH.search(message)
    about_key, steps = (bool(at.group(1)), at.group(2)) if at else (False, "")
    raw = tuple(_step(match) for match in _STEP.finditer(steps))
    if about_key:
        raw = (*raw, _UNKNOWN_KEY)
    path = _with_keys(raw, tree, message, kind)
    if named := _NAMED.match(message[: at.start()] if at else message):
        if named.group(1) == "missing required":
            return _missing(named.group(2), path, mark, name)
        return _unknown(named.group(2), path, _type_at(inspect.type_info(kind), tree, path), mark, name)
    if about_key:
        return DefinitionError(
            "{place}: {path}: expected a name of letters a-z, digits, _ and -, beginning with a letter, "
            "found {found}; words for people stand in `name`",
            place=mark.along(path).place(name),
            path=_shown_path(path),
            found=_shown(str(path[-1])),
            reason="identifier",
        )
    return _mismatch(path, tree, mark, name, kind)


def _step(match: re.Match[str]) -> str | int:
    name, index = match.groups()
    if name is not None:
        return str(name)
    return str(index) if index == _UNKNOWN_KEY else int(index)


def _with_keys(raw: Keys, tree: Tree, message: str, kind: type[object]) -> Keys:
    """The path with each unknown key found: the first entry without which the same error no longer comes.

    Entries are converted in their order: the culprit is the last of the shortest beginning that still fails.
    """
    path: Keys = ()
    for step in raw:
        if step != _UNKNOWN_KEY:
            path = (*path, step)
            continue
        here = at_path(tree, path)
        keys = list(here) if isinstance(here, dict) else []
        low, high = 1, len(keys)
        while low < high:
            middle = (low + high) // 2
            if _fails_alike(_cut(tree, path, keys[:middle]), message, kind):
                high = middle
            else:
                low = middle + 1
        path = (*path, *keys[low - 1 : low])
    return path


def _fails_alike(tree: Tree, message: str, kind: type[object]) -> bool:
    try:
        msgspec.convert(tree, kind, strict=False)
    except msgspec.ValidationError as error:
        return str(error) == message
    return False


def _cut(tree: Tree, path: Keys, keep: list[str]) -> Tree:
    """The tree with only these keys left in the mapping at `path`."""
    if not path:
        return {key: tree[key] for key in keep} if isinstance(tree, dict) else tree
    if isinstance(tree, dict):
        return {key: _cut(part, path[1:], keep) if key == path[0] else part for key, part in tree.items()}
    return [_cut(part, path[1:], keep) if i == path[0] else part for i, part in enumerate(tree)]


def at_path(tree: Tree, path: Keys) -> Tree:
    """The part of a tree at a path; the part above it where the path leads nowhere."""
    for key in path:
        match tree, key:
            case dict(), str() if key in tree:
                tree = tree[key]
            case list(), int() if key < len(tree):
                tree = tree[key]
            case _:
                return tree
    return tree


def _missing(word: str, path: Keys, mark: Mark, name: str) -> DefinitionError:
    return DefinitionError(
        "{place}: {path}: expected the word {word}, found none; add it",
        place=mark.along(path).place(name),
        path=_shown_path(path),
        word=word,
        reason="missing",
    )


def _unknown(word: str, path: Keys, kind: inspect.Type, mark: Mark, name: str) -> DefinitionError:
    known = [f.encode_name for o in _options(kind) if isinstance(o, inspect.StructType) for f in o.fields]
    return DefinitionError(
        "{place}: {path}: expected one of {known}, found {word}; correct or remove it",
        place=mark.along((*path, word)).place(name),
        path=_shown_path(path),
        known=", ".join(known),
        word=_shown(word),
        reason="unknown_word",
    )


def _mismatch(path: Keys, tree: Tree, mark: Mark, name: str, kind: type[object]) -> DefinitionError:
    expected = _described(_type_at(inspect.type_info(kind), tree, path))
    here = mark
    for key in path:
        here = here.children.get(key, here)
    return DefinitionError(
        "{place}: {path}: expected {expected}, found {found}; correct it",
        place=here.place(name),
        path=_shown_path(path),
        expected=expected,
        found=_shown(at_path(tree, path)),
        reason="mistyped",
    )


def _shown_path(path: Keys) -> str:
    return ".".join(str(key) for key in path) or Words("the whole document")


def _shown(found: Tree) -> str:
    match found:
        case dict():
            return Words("a mapping")
        case list():
            return Words("a list of {count}", count=len(found))
        case "":
            return Words("nothing")
        case _:
            return f"`{found}`" if len(found) <= _SHOWN_MAX else f"`{found[:_SHOWN_MAX]}`..."


def _type_at(kind: inspect.Type, tree: Tree, path: Keys) -> inspect.Type:
    """The type the definition gives to the part at a path."""
    if not path:
        return kind
    step, below = path[0], at_path(tree, path[:1])
    for option in _options(kind):
        inner = _inside(option, tree, step)
        if inner is not None:
            return _type_at(inner, below, path[1:])
    return kind


def _inside(kind: inspect.Type, tree: Tree, step: str | int) -> inspect.Type | None:
    """The type of one part of a part; None where its own type has no such part."""
    match kind:
        case inspect.StructType() if isinstance(tree, dict):
            return next((each.type for each in kind.fields if each.encode_name == step), None)
        case inspect.DictType() if isinstance(tree, dict):
            return kind.value_type
        case inspect.TupleType() if isinstance(step, int) and step < len(kind.item_types):
            return kind.item_types[step]
        case inspect.VarTupleType() | inspect.ListType() if isinstance(step, int):
            return kind.item_type
        case _:
            return None


def _options(kind: inspect.Type) -> tuple[inspect.Type, ...]:
    return kind.types if isinstance(kind, inspect.UnionType) else (kind,)


def _described(kind: inspect.Type) -> str:
    match kind:
        case inspect.UnionType():
            shown = {_described(part) for part in kind.types if not isinstance(part, inspect.NoneType)}
            return reduce(lambda one, other: Words("{one} or {other}", one=one, other=other), sorted(shown))
        case inspect.Metadata():
            said = (kind.extra or {}).get("says")
            return said if isinstance(said, Words) else _described(kind.type)
        case inspect.LiteralType():
            known = ", ".join(str(value) for value in kind.values)
            return (
                Words("one of {known}", known=known)
                if len(kind.values) > 1
                else Words("the word {word}", word=known)
            )
        case inspect.BoolType():
            return Words("true or false")
        case inspect.IntType():
            return _whole(kind.ge, kind.le)
        case inspect.StrType():
            return _text(kind)
        case inspect.DateType():
            return Words("a date such as 2025-12-31")
        case inspect.DateTimeType():
            return Words("a time such as 2025-12-31T17:00:00+07:00")
        case _:
            return _collection(kind)


def _whole(low: int | None, high: int | None) -> Words:
    if low is None and high is None:
        return Words("a whole number")
    if high is None:
        return Words("a whole number from {low}", low=low)
    return Words("a whole number from {low} to {high}", low=low, high=high)


def _text(kind: inspect.StrType) -> Words:
    if kind.pattern is not None:
        return Words("text of the form {pattern}", pattern=kind.pattern)
    if kind.min_length is None and kind.max_length is None:
        return Words("text")
    if kind.max_length is None:
        return Words("text of at least {least} characters", least=kind.min_length)
    return Words("text of {least} to {most} characters", least=kind.min_length or 0, most=kind.max_length)


def _collection(kind: inspect.Type) -> str:
    match kind:
        case inspect.StructType():
            return Words("a mapping of {known}", known=", ".join(each.encode_name for each in kind.fields))
        case inspect.DictType():
            return Words("a mapping")
        case inspect.TupleType():
            return Words("a list of {count}", count=len(kind.item_types))
        case inspect.VarTupleType() | inspect.ListType() if kind.min_length:
            return Words("a list of at least {count}", count=kind.min_length)
        case inspect.VarTupleType() | inspect.ListType():
            return Words("a list")
        case _:
            return type(kind).__name__.removesuffix("Type").lower()
