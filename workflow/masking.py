"""What a line of the log may say: fields that are listed, texts without persons or secrets.

In three steps: fields not listed below are left out and counted, a field of numbers takes only numbers, and in every
text what looks like a person or a secret is masked. The list is the wall; the masks stand behind it for what an error
or a library repeats of its input.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping
    from typing import Any

TEXT_CHARS_MAX: Final = 500
"""Longer texts are cut, with a mark that says how much is missing."""
LIST_ITEMS_MAX: Final = 20

NUMBERS: Final = frozenset(
    {
        *("partition", "position", "after", "epoch", "start", "end", "lag_events", "lag_s", "seq"),
        *("records", "facts", "duplicates", "dead", "dossiers", "refolded", "erased", "blocked", "alerts"),
        *(
            "messages",
            "batches",
            "attempt",
            "wait_s",
            "batch_ms",
            "late_s",
            "port",
            "pid",
            "revision",
            "dropped",
        ),
    }
)
"""Fields that are numbers, each in the unit its name ends with."""
TEXTS: Final = frozenset(
    {
        *(
            "event",
            "level",
            "at",
            "part",
            "stream",
            "topic",
            "group",
            "place",
            "source",
            "kind",
            "reason",
            "judgment",
            "path",
        ),
        *(
            "said",
            "store",
            "broker",
            "url",
            "version",
            "definition",
            "library",
            "cause",
            "shard",
            "log",
            "found",
        ),
    }
)
"""Fields that are texts: names of our own and of the machinery, and what errors say. None is a dossier or a person."""

_FAMILY_NAMES: Final = (
    "Nguyễn|Trần|Lê|Phạm|Hoàng|Huỳnh|Phan|Vũ|Võ|Đặng|Bùi|Đỗ|Hồ|Ngô|Dương|Lý|Đào|Đoàn|Vương|Trịnh|Trương|Đinh|Lâm|Phùng|"
    "Mai|Tô|Hà|Tạ|Cao|Lương|Châu|Thái|Lưu|Quách|Nghiêm|Kiều|Tống|Mạc|La|Triệu|"
    "Nguyen|Tran|Le|Pham|Hoang|Huynh|Vu|Vo|Dang|Bui|Do|Ho|Ngo|Duong|Ly|Dao|Doan|Vuong|Trinh|Truong|Dinh|Lam|Phung|"
    "To|Ha|Ta|Luong|Chau|Thai|Luu|Quach|Nghiem|Kieu|Tong|Mac|Trieu"
)
_NAMES: Final = "|".join(f"{name}|{name.upper()}" for name in dict.fromkeys(_FAMILY_NAMES.split("|")))
_PLACES: Final = (
    "số nhà|số|thôn|xóm|ấp|buôn|khu phố|tổ dân phố|ngõ|ngách|hẻm|kiệt|đường|phố|phường|xã|thị trấn|quận|huyện|"
    "so nha|thon|xom|khu pho|to dan pho|duong|phuong|thi tran|quan|huyen"
)
_MASKS: Final = (
    # What follows the mark is the server and its database: the next masks leave it.
    (re.compile(r"(?<=://)[^/\s@]+@"), "[secret]@"),
    (
        re.compile(
            r"""(?ix)\b(?!secret\]@)(pass(?:word|wd)?|pwd|secret|token|api[_-]?key|authorization|bearer)\b
            (["']?\s*[:=]?\s*["']?)(?:(?:basic|bearer)\s+)?[^\s"',;&]+"""
        ),
        r"\1\2[secret]",
    ),
    (re.compile(r"[^\s@<>\"'(,;]{1,64}(?<!\[secret\])@[^\s@<>\"'),;]{1,255}"), "[mail]"),
    (re.compile(r"(?<!\d)(?:\d{12}|\d{3}([ .-])\d{3}\1\d{3}\1\d{3})(?!\d)"), "[id]"),
    (re.compile(r"(?<![\d.-])(?:\+?84|0)(?:[ .-]?\d){8,10}(?![\d-])"), "[phone]"),
    (re.compile(rf"\b(?:{_NAMES})(?:\s+[^\W\d_a-zà-ỹ][^\W\d_]*){{1,5}}"), "[name]"),
    (re.compile(rf"(?i:\b(?:{_PLACES}))\s+(?=[\dA-ZĐÀ-Ỹ])[^,;\n\"']{{1,80}}"), "[address]"),
)
_CONTROL: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
"""What could break a line, steer a terminal, turn the direction of writing or hide."""
_secrets: set[str] = set()


def hide(*secrets: str) -> None:
    """Has these texts masked wherever they stand, from now on: each secret that was read from a file."""
    _secrets.update(secret for secret in secrets if secret)


def masked(_logger: object, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The fields that may be said, masked; the others are counted in `dropped`."""
    said: dict[str, Any] = {}
    dropped = 0
    for name, value in fields.items():
        if value is None:
            continue
        if name in NUMBERS and isinstance(value, int | float):
            said[name] = value
        elif name in TEXTS:
            said[name] = _listed(value) if isinstance(value, list | tuple | set | frozenset) else _text(value)
        else:
            dropped += 1
    if dropped:
        said["dropped"] = dropped
    return said


def plain(text: str) -> str:
    """A text with persons and secrets masked and control characters spelled out, however long it is."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, "[secret]")
    for mask, word in _MASKS:
        text = mask.sub(word, text)
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _text(value: object) -> str:
    # Masked before it is cut: half of an id would be known no more.
    text = plain(value if isinstance(value, str) else str(value))
    return text if len(text) <= TEXT_CHARS_MAX else f"{text[:TEXT_CHARS_MAX]}…[+{len(text) - TEXT_CHARS_MAX}]"


def _listed(values: Iterable[object]) -> list[str]:
    texts = [_text(value) for value in values]
    more = len(texts) - LIST_ITEMS_MAX
    return texts if more <= 0 else [*texts[:LIST_ITEMS_MAX], f"…[+{more}]"]
