"""YAML as plain text trees with the place of every node, and from there to typed definitions.

Nothing is typed by its look: every scalar is text until the definition's own type says otherwise, so an
unquoted `1.004220`, `NO` or `on` stays what was written. Anchors, aliases, tags and repeated keys are refused
at the first event that shows one, before anything could grow. `yamltyped` turns a tree into values.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeAlias, TypeVar

import yaml

from workflow.errors import DefinitionError
from workflow.yamltyped import Keys, Mark, Tree, typed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_BYTES: Final = 1024 * 1024
"""Largest file read. The longest procedure of the repository has under 40 KiB."""
MAX_DEPTH: Final = 40
"""Deepest nesting of mappings and lists. A predicate nested ten times needs about 30."""

T = TypeVar("T")
_Event: TypeAlias = Any
"""Events of PyYAML, whose classes say little to a type checker."""

_LOADER: Final = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FORBIDDEN_ESCAPED: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class Placed(NamedTuple, Generic[T]):
    """A definition and where its parts stand in its file."""

    value: T
    name: str
    mark: Mark

    def place(self, path: Keys = ()) -> str:
        """`file:line:column` of the part at `path` (keys and indexes), or of the nearest part above it."""
        return self.mark.along(path).place(self.name)


def read(path: Path, kind: type[T]) -> T:
    """The one definition in a YAML file.

    Raises `DefinitionError` with file:line:column, what was expected and what was found.
    """
    return parse(contents(path), str(path), kind)


def parse(data: bytes, name: str, kind: type[T]) -> T:
    """The one definition in these bytes; `name` stands for the file in errors, which are those of `read`."""
    return placed_one(data, name, kind).value


def parse_all(data: bytes, name: str, kind: type[T]) -> list[T]:
    """The definitions in these bytes, one for each YAML document; errors are those of `read`."""
    return [one.value for one in placed(data, name, kind)]


def placed(data: bytes, name: str, kind: type[T]) -> list[Placed[T]]:
    """Like `parse_all`, each definition with the places of its parts, for findings that come later."""
    documents = _documents(_text(data, name), name)
    return [Placed(typed(tree, mark, name, kind), name, mark) for tree, mark in documents]


def each_placed(data: bytes, name: str, kind: type[T]) -> Iterator[Placed[T] | DefinitionError]:
    """Like `placed`, but what a document has wrong stands in its place; text that is no YAML ends it there."""
    try:
        for tree, mark in _documents(_text(data, name), name):
            try:
                yield Placed(typed(tree, mark, name, kind), name, mark)
            except DefinitionError as error:
                yield error
    except DefinitionError as error:
        yield error


def placed_one(data: bytes, name: str, kind: type[T]) -> Placed[T]:
    """Like `parse`, with the places of its parts."""
    found = placed(data, name, kind)
    if len(found) != 1:
        raise DefinitionError(
            "{place}: expected one YAML document, found {found}; keep one in each file",
            place=f"{name}:1:1" if not found else found[1].place(),
            found=len(found),
            reason="documents",
        )
    return found[0]


def contents(path: Path) -> bytes:
    """The bytes of a definition's file, at most one more than is taken.

    Raises `DefinitionError` where it is missing or no file.
    """
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise DefinitionError(
            "{name}: expected a YAML file, found none that can be read ({why}); check the path",
            name=str(path),
            why=error.strerror,
            reason="unreadable",
        ) from error


def _text(data: bytes, name: str) -> str:
    if len(data) > MAX_BYTES:
        raise DefinitionError(
            "{place}: expected at most {limit} bytes, found more; split the file",
            place=f"{name}:1:1",
            limit=MAX_BYTES,
            reason="too_large",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        raise DefinitionError(
            "{place}: expected UTF-8, found the byte {found}; save the file as UTF-8",
            place=_place_after(before, name),
            found=f"0x{data[error.start]:02X}",
            reason="encoding",
        ) from error
    if wrong := _FORBIDDEN.search(text):
        raise _control(_place_after(text[: wrong.start()], name), wrong.group())
    return text


def _place_after(before: str, name: str) -> str:
    return f"{name}:{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


def _control(place: str, character: str) -> DefinitionError:
    return DefinitionError(
        "{place}: expected printable text, found the character {found}; remove it",
        place=place,
        found=f"U+{ord(character):04X}",
        reason="control_character",
    )


def _documents(text: str, name: str) -> Iterator[tuple[Tree, Mark]]:
    events = yaml.parse(text, Loader=_LOADER)
    try:
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                yield _node(events, next(events), name, 1)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if mark and "nesting depth" in (error.problem or ""):
            # The parser reads ahead and has a limit of its own, above ours.
            raise _too_deep(f"{name}:{mark.line + 1}:{mark.column + 1}") from error
        if mark and _indented_by_tab(text, mark.line, mark.column):
            raise DefinitionError(
                "{place}: expected a line indented with blanks, found a tab; put blanks in its place",
                place=f"{name}:{mark.line + 1}:{mark.column + 1}",
                reason="syntax",
            ) from error
        raise DefinitionError(
            "{place}: this is no YAML: {found}; check the indentation and the quotes around this place",
            place=f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else f"{name}:1:1",
            found=error.problem,
            reason="syntax",
        ) from error
    except yaml.YAMLError as error:
        raise DefinitionError(
            "{place}: this is no YAML: {found}", place=f"{name}:1:1", found=str(error), reason="syntax"
        ) from error


def _indented_by_tab(text: str, number: int, column: int) -> bool:
    before = next(iter(text.splitlines()[number : number + 1]), "")[: column + 1]
    return "\t" in before and before.isspace()


def _node(events: Iterator[_Event], event: _Event, name: str, depth: int) -> tuple[Tree, Mark]:
    mark = Mark(event.start_mark.line + 1, event.start_mark.column + 1)
    _refuse_markup(event, mark.place(name))
    if isinstance(event, yaml.ScalarEvent):
        return _scalar(event, mark.place(name)), mark
    if depth > MAX_DEPTH:
        raise _too_deep(mark.place(name))
    if isinstance(event, yaml.SequenceStartEvent):
        return _sequence(events, mark, name, depth)
    return _mapping(events, mark, name, depth)


def _too_deep(place: str) -> DefinitionError:
    return DefinitionError(
        "{place}: expected at most {limit} levels of nesting, found more; flatten the definition",
        place=place,
        limit=MAX_DEPTH,
        reason="too_deep",
    )


def _refuse_markup(event: _Event, place: str) -> None:
    if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
        raise DefinitionError(
            "{place}: expected a plain value, found the anchor or alias {found}; write the value out in full",
            place=place,
            found=event.anchor,
            reason="anchor",
        )
    if event.tag is not None:
        raise DefinitionError(
            "{place}: expected a plain value, found the tag {found}; remove it, types need no tags",
            place=place,
            found=event.tag,
            reason="tag",
        )


def _scalar(event: _Event, place: str) -> str:
    text: str = event.value
    if wrong := _FORBIDDEN_ESCAPED.search(text):
        raise _control(place, wrong.group())
    return text


def _sequence(events: Iterator[_Event], mark: Mark, name: str, depth: int) -> tuple[Tree, Mark]:
    items: list[Tree] = []
    for event in events:
        if isinstance(event, yaml.SequenceEndEvent):
            break
        item, item_mark = _node(events, event, name, depth + 1)
        mark.children[len(items)] = item_mark
        items.append(item)
    return items, mark


def _mapping(events: Iterator[_Event], mark: Mark, name: str, depth: int) -> tuple[Tree, Mark]:
    found: dict[str, Tree] = {}
    for event in events:
        if isinstance(event, yaml.MappingEndEvent):
            break
        key = _key(event, mark, name)
        found[key], mark.children[key] = _node(events, next(events), name, depth + 1)
    return found, mark


def _key(event: _Event, mark: Mark, name: str) -> str:
    here = Mark(event.start_mark.line + 1, event.start_mark.column + 1)
    _refuse_markup(event, here.place(name))
    if not isinstance(event, yaml.ScalarEvent) or "\n" in event.value:
        raise DefinitionError(
            "{place}: expected one line of text as a key, found something else; quote it if text was meant",
            place=here.place(name),
            reason="key",
        )
    key = _scalar(event, here.place(name))
    if key in mark.keys:
        raise DefinitionError(
            "{place}: expected each key once, found {key} again after line {first}; keep one of the two",
            place=here.place(name),
            key=key,
            first=mark.keys[key].line,
            reason="repeated_key",
        )
    mark.keys[key] = here
    return key
