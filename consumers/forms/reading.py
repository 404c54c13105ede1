"""A form compiled: from one decoded message to the facts it tells and the parts that cannot be taken.

Persons stop here: a column about them is never read, or is replaced by a keyed hash before anything reads it; what
an error repeats of a value is cut down to codes and times.
"""

from __future__ import annotations

import hmac
import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from unicodedata import normalize

from msgspec.json import encode
from msgspec.structs import replace

from consumers.files import values
from consumers.files.bodies import Bodies
from consumers.files.mapping import columned, named_fields
from consumers.files.values import LISTED
from consumers.forms.language import columns_of
from consumers.forms.versions import version_of
from workflow.errors import InputError, Words
from workflow.facts import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from consumers.files.limits import FileLimits
    from consumers.files.mapping import Column
    from consumers.forms.language import Form, Told
    from workflow.sources import SourceDefinition

HASH_CHARS: Final = 32
"""Half of a SHA-256 in hex: 128 bits, so that no two ids or parties ever meet by chance."""

_ROW_FIELDS: Final = ("subject", "occurred_at", "entered_at", "sequence")
_SHOWABLE: Final = re.compile(r"'?[A-Za-z]{0,4}[0-9][0-9A-Za-z.:/+_\-]*(?: [0-9:.]+)?'?", re.ASCII)
"""What an error may repeat of a value: a number, a code or a time, never words."""
_SHAPES: Final = (
    re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)?)", re.ASCII),
    re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)", re.ASCII),
)
_NATIONAL: Final = re.compile(r"(\d\.\d{6})(?:\.\d{2,3}){3}\.H\d{2}", re.ASCII)


class Part(NamedTuple):
    """One thing a message tells: a fact, or why it cannot be taken; neither where it says nothing. `place` is
    file:line, record and kind; `uncoded` the values its code lists do not have."""

    place: str
    fact: Fact | None
    error: InputError | None = None
    uncoded: tuple[tuple[str, str], ...] = ()


class FormReader:
    """The messages of one source through its form. Holds no state between messages."""

    def __init__(
        self, form: Form, source: SourceDefinition, limits: FileLimits, secret: bytes | None = None
    ) -> None:
        """`secret` keys the hashes of persons; without it nobody is told."""
        self.form = form
        self._secret = secret
        self._keyed = frozenset(form.keyed)
        self._mixed = frozenset(form.mixed_times)
        self._version = None if form.version is None else version_of(form.version, source, limits)
        # Two ways of saying one kind have one number, or a change of the way would look like a change of the fact.
        order = list(dict.fromkeys(told.kind for told in form.facts))
        self._kinds = [_Kind(told, order.index(told.kind) + 1, form, source, limits) for told in form.facts]
        listed = [columned(told.fields.procedure) for told in form.facts if told.fields.procedure is not None]
        self._national = {
            name: source.codes.procedures if column.codes is None else {}
            for column in listed
            for name in values.column_names(column)
        }

    def records(self, message: dict[str, Any], place: str) -> Iterator[tuple[str, list[Part]]]:
        """Each record of a message by its place, with what it tells: nothing where its columns say nothing.

        Raises InputError (`no_records`) where the message has no list of records.
        """
        if self.form.records is None:
            yield place, self._parts([message], place)
            return
        found = _at(message, self.form.records)
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise InputError(
                "expected a list of objects at {expected}, found none; send the records there",
                reason="no_records",
                expected=self.form.records,
                found=Words("none"),
            )
        for index, record in enumerate(found):
            where = f"{place} {self.form.records}[{index}]"
            yield where, self._parts([record, message], where)

    def _parts(self, levels: list[dict[str, Any]], place: str) -> list[Part]:
        parts: list[Part] = []
        for kind in self._kinds:
            for inner, where in _entries(kind.told.each, levels, place):
                named = f"{where} {kind.told.kind}"
                part = (
                    Part(named, None, inner)
                    if isinstance(inner, InputError)
                    else self._part(kind, inner, named)
                )
                if part is not None:
                    parts.append(part)
        return parts

    def _part(self, kind: _Kind, levels: list[dict[str, Any]], place: str) -> Part | None:
        try:
            if not self._is_told(kind.told, levels):
                return None
            cells = [self._cell(levels, name) for name in kind.columns]
            key = [self._cell(levels, name) for name in kind.key]
            fact, uncoded = kind.fact(cells, key, self._revision(levels))
        except InputError as error:
            return Part(place, None, _masked(error))
        return Part(place, fact, None, uncoded)

    def _revision(self, levels: list[dict[str, Any]]) -> int:
        if self._version is None or self.form.version is None:
            return 0
        return self._version(self._cell(levels, self.form.version))

    def _is_told(self, told: Told, levels: list[dict[str, Any]]) -> bool:
        if any(self._cell(levels, name) is None for name in told.needs):
            return False
        if any(self._cell(levels, name) is not None for name in told.unless):
            return False
        return all(self._cell(levels, name) in taken for name, taken in told.when.items())

    def _cell(self, levels: Sequence[dict[str, Any]], name: str) -> str | None:
        """The value of a column as text: in the entry, else in the record, else in the message."""
        found = next((value for level in levels if (value := _at(level, name)) not in (None, "")), None)
        text = _as_text(found, name)
        if text is None:
            return None
        if name in self._keyed:
            return self._hashed(text)
        if name in self._national:
            # One that no list has is no mistake: the generic procedure judges it, and is said to.
            return self._national[name].get(code := national_code(text), code)
        return _in_one_shape(text) if name in self._mixed else text

    def _hashed(self, text: str) -> str | None:
        if self._secret is None:
            return None
        told = normalize("NFC", " ".join(text.split())).encode()
        return hmac.new(self._secret, told, sha256).hexdigest()[:HASH_CHARS]


class _Kind:
    """One kind of fact, compiled."""

    def __init__(
        self, told: Told, number: int, form: Form, source: SourceDefinition, limits: FileLimits
    ) -> None:
        self.told = told
        self.key = (*form.key, *told.key)
        self._number = number
        self._source = source.source
        fields = {name: _coded(name, column, source) for name, column in named_fields(told.fields)}
        row = {name: fields.pop(name) for name in _ROW_FIELDS if name in fields}
        data = {name: columned(field) for name, field in told.fields.data.items()}
        read = [column for _, column in columns_of(told)]
        self.columns = tuple(dict.fromkeys(name for one in read for name in values.column_names(one)))
        places = {name: place for place, name in enumerate(self.columns)}
        context = values.Context(places, source.timezone, limits)
        self._subject = values.identity("subject", row["subject"], context)
        at = row["occurred_at"]
        self._occurred_at = values.needed_time(at, context, values.times(at, context))
        self._entered_at = values.time(row["entered_at"], context) if "entered_at" in row else None
        self._sequence = values.whole("sequence", row["sequence"], context) if "sequence" in row else None
        self._ordered_by = values.label(row["sequence"]) if "sequence" in row else ""
        self._body = Bodies(fields, data, {}, context).of

    def fact(
        self, cells: list[str | None], key: list[str | None], revision: int
    ) -> tuple[Fact, tuple[tuple[str, str], ...]]:
        """The fact of these cells. The place of its kind in the form orders what has one instant.

        Without a value in a column of its key, or in its sequence, it could not be told from another: it is refused.
        """
        subject, occurred_at = self._subject(cells), self._occurred_at(cells)
        for name, value in zip(self.key, key, strict=True):
            if value is None:
                raise _nothing(name, "key_missing", "a value that tells one record from another")
        built = self._body(cells)
        assert built is not None  # noqa: S101 - no filter was given
        sequence = self._sequence(cells) if self._sequence else self._number
        if sequence is None:
            raise _nothing(self._ordered_by, "sequence_missing", "the whole number that orders the record")
        fact = Fact(
            subject,
            self._source,
            derived_id(self._source, self.told.kind, key),
            occurred_at,
            built.body,
            sequence,
            revision,
            self._entered_at(cells) if self._entered_at else None,
        )
        return fact, built.uncoded


def derived_id(source: str, kind: str, key: Sequence[str | None]) -> str:
    """The id of what a record tells: 32 hex digits of SHA-256 over source, kind and the key's values."""
    return sha256(encode([source, kind, *key])).hexdigest()[:HASH_CHARS]


def _nothing(column: str, reason: str, expected: str) -> InputError:
    return InputError(
        "{column}: expected {expected}, found {found}; fill the column, or send the record when it is known",
        reason=reason,
        column=column,
        expected=expected,
        found="nothing",
    )


def national_code(code: str) -> str:
    """A national procedure code without the agency a province puts behind it: `1.004237.000.00.00.H38` is 1.004237."""
    found = _NATIONAL.fullmatch(code)
    return found[1] if found else code


def _coded(name: str, column: Column, source: SourceDefinition) -> Column:
    """A field with the source's list of statuses, where it has none of its own."""
    if column.codes is not None or column.constant is not None:
        return column
    if name == "action" and source.codes.statuses:
        return replace(column, codes=dict(source.codes.statuses))
    return column


def _entries(
    each: str | None, levels: list[dict[str, Any]], place: str
) -> Iterator[tuple[list[dict[str, Any]] | InputError, str]]:
    """Each object of a list inside a record, or why it is none. No list, null and an empty text hold none."""
    if each is None:
        yield levels, place
        return
    found = _at(levels[0], each)
    if found in (None, ""):
        return
    if not isinstance(found, list):
        yield _no_objects(each), f"{place}.{each}"
        return
    for index, entry in enumerate(found):
        inner = [entry, *levels] if isinstance(entry, dict) else _no_objects(each)
        yield inner, f"{place}.{each}[{index}]"


def _no_objects(each: str) -> InputError:
    return InputError(
        "expected a list of objects at {expected}, found {found}; send the records there",
        reason="no_records",
        expected=each,
        found=Words("something else"),
    )


def _at(tree: dict[str, Any], path: str) -> Any:  # noqa: ANN401 - JSON, not yet typed
    """The value at a key, or else at a dotted path whose numbers are places in lists."""
    if path in tree or "." not in path:
        return tree.get(path)
    value: Any = tree
    for key in path.split("."):
        if isinstance(value, list) and key.isdigit():
            value = value[int(key)] if int(key) < len(value) else None
        else:
            value = value.get(key) if isinstance(value, dict) else None
    return value


def _as_text(value: object, name: str) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case str():
            return value.strip() or None
        case list() if all(isinstance(one, str) for one in value):
            return LISTED + LISTED.join(value) if value else None
    raise InputError(
        "expected {expected}, found {found}; name the path of the value inside",
        reason="not_a_value",
        column=name,
        expected=Words("text, a number, true, false or a list of texts"),
        found=Words("an object or a list of other things"),
    )


def _in_one_shape(text: str) -> str:
    """A time in RFC 3339, from any of the three shapes one message set mixes; anything else stays as it is."""
    spaced, packed = (shape.fullmatch(text) for shape in _SHAPES)
    if spaced:
        return f"{spaced[1]}T{spaced[2]}"
    if packed:
        return "{}-{}-{}T{}:{}:{}".format(*packed.groups())
    return text


def _masked(error: InputError) -> InputError:
    """The error without words of the source: only codes and times are repeated."""
    found = str(error.values.get("found", ""))
    shown = found == "nothing" or _SHOWABLE.fullmatch(found)
    if error.code not in ("not_a_value", "no_records") and not shown:
        error.values["found"] = Words("a text of {count} characters", count=len(found.strip("'")))
    return error
