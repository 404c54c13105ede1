"""Why a message is refused: every reason code with its text. The codes are stable; texts may be bettered.

Each text says what was expected, what was found and what to do. `place` is set by `codec.decode`.
"""

from __future__ import annotations

from typing import Final

from workflow.errors import HostileInput, InputError

FOUND_CHARS_MAX: Final = 60
"""How much of a found value an error repeats: enough to know it again, too little to flood a log."""

REASONS: Final[dict[str, str]] = {
    # the bytes
    "empty_message": "{place}: at {path} expected one JSON object, found no bytes; send an event",
    "not_utf8": "{place}: at {path} expected UTF-8 text, found {found}; "
    "send JSON as UTF-8 (RFC 8259 section 8.1)",
    "not_json": "{place}: at {path} expected one JSON object, found {found}; send JSON (RFC 8259)",
    "not_finite": "{place}: at {path} expected a value JSON knows, found {found}; "
    "leave the field out where there is no value",
    "lone_surrogate": "{place}: at {path} expected text, found half of a surrogate pair {found}; "
    "send the whole character",
    "nul_character": "{place}: at {path} expected text, found U+0000 in {found}; remove it",
    "repeated_key": "{place}: at {path} expected each name once, found {found} again; send one value",
    "number_not_whole": "{place}: at {path} expected whole numbers, found {found}; send decimals as text",
    "number_too_large": "{place}: at {path} expected a whole number of at most {expected}, found {found}; "
    "send it as text",
    "not_an_object": "{place}: at {path} expected an object with the attributes of one event, found {found}; "
    "send events one by one",
    # the envelope
    "specversion": "{place}: at {path} expected CloudEvents {expected}, found {found}; set `specversion`",
    "unknown_type": "{place}: at {path} expected a type of the event contract, found {found}; "
    "see the list of types in docs/events.md",
    "unknown_version": "{place}: at {path} expected {expected}, found {found}; "
    "send this version or update the reader",
    "content_type": "{place}: at {path} expected {expected}, found {found}; send the data as JSON",
    "binary_data": "{place}: at {path} expected `data` as JSON, found `data_base64`; send the fields themselves",
    "key_differs": "{place}: at {path} expected the record's key to be the subject {expected}, found {found}; "
    "key by subject",
    "unprintable_identity": "{place}: at {path} expected printable characters, found {found}; "
    "remove control characters",
    "blanks_around": "{place}: at {path} expected a code with no blank before or after it, found {found}; "
    "trim it where it is written, or leave the field out where there is none",
    "sequence": "{place}: at {path} expected a whole number from 0 to {expected}, found {found}; "
    "send the source's own order",
    "revision": "{place}: at {path} expected a whole number from 0 to {expected}, found {found}; "
    "count the re-sendings of one record",
    # the fields
    "missing_field": "{place}: at {path} expected the field, found none; add it",
    "wrong_type": "{place}: at {path} expected {expected}, found {found}; correct the field",
    "not_in_list": "{place}: at {path} expected {expected}, found {found}; use a listed value",
    "empty_text": "{place}: at {path} expected at least one character, found none; "
    "give the value or leave the field out",
    # times and dates
    "time": "{place}: at {path} expected a time like {expected}, found {found}; write it as RFC 3339 does",
    "time_too_fine": "{place}: at {path} expected at most 6 decimals of a second, found {found}; "
    "cut it, it is not rounded here",
    "time_without_zone": "{place}: at {path} expected a time with its offset, found {found}; "
    "add the offset or declare the source's zone",
    "no_such_local_time": "{place}: at {path} expected a local time of {expected}, "
    "found {found}, which a clock change leaves out; correct it",
    "time_out_of_range": "{place}: at {path} expected a time or date {expected}, found {found}; "
    "correct it, or widen the limits",
    "date": "{place}: at {path} expected a date like {expected}, found {found}; correct it",
    # what the fields say together
    "part_of_total": "{place}: at {path} expected a part from 1 to its total, found {found}; "
    "correct `number` or `total`",
    "score": "{place}: at {path} expected a score of 0, 1 or 2, found {found}; see Decree 61/2018 art. 31",
    "paper_rating": "{place}: at {path} expected `keyed_by` and `rated_on` with a paper rating, found {found}; "
    "add them",
    "ends_before_start": "{place}: at {path} expected an end not before its start {expected}, found {found}; "
    "correct one of them",
    "linked_to_itself": "{place}: at {path} expected another dossier than the subject, found {found}; correct `other`",
    "subject_not_source": "{place}: at {path} expected the subject to be the source {expected}, found {found}; "
    "a source speaks of itself",
    "negative_count": "{place}: at {path} expected a count of 0 or more, found {found}; correct it",
    "codes_hash": "{place}: at {path} expected 64 hexadecimal digits in lower case, found {found}; "
    "send the SHA-256 of the codes",
}

LIMIT_REASONS: Final[dict[str, str]] = {
    "message_too_large": "{place}: at {path} expected at most {expected} bytes, found {found}; send less in one event",
    "too_deep": "{place}: at {path} expected at most {expected} levels of nesting, found more; send flat data",
    "text_too_long": "{place}: at {path} expected at most {expected} characters, found {found}; shorten the text",
    "list_too_long": "{place}: at {path} expected at most {expected} items, found {found}; send fewer",
    "too_many_fields": "{place}: at {path} expected at most {expected} fields, found {found}; send fewer",
}
"""Reasons of messages that pass a named limit: refused as hostile."""


def refusal(reason: str, path: str, *, expected: object = "", found: object = "") -> InputError:
    """The error of one reason at a JSON path: HostileInput where a limit was passed, else InputError."""
    values = {"place": "message", "path": path, "expected": expected, "found": found}
    if reason in LIMIT_REASONS:
        return HostileInput(LIMIT_REASONS[reason], reason=reason, **values)
    return InputError(REASONS[reason], reason=reason, **values)


def shown(value: object) -> str:
    """A found value as an error repeats it: short, what cannot be printed escaped."""
    text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    return text if len(text) <= FOUND_CHARS_MAX else text[:FOUND_CHARS_MAX] + "…"
