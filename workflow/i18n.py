"""Texts in Vietnamese and English. English templates are the keys; a missing translation shows the English.

The catalogue is `locale/vi.po`, compiled beside it to the `.mo` that the standard library reads. `use` also sets the
language of the command-line library's own messages, which go through the same catalogue.
"""

from __future__ import annotations

import gettext
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

from workflow.errors import Words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workflow.errors import DunghenError

Language: TypeAlias = Literal["vi", "en"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
LOCALE: Final = Path(__file__).parent / "locale"
_DOMAIN: Final = "dunghen"
_POSIX: Final = ("LC_ALL", "LC_MESSAGES", "LANG")
"""In the order in which POSIX lets one override the next."""


def default_language(environ: Mapping[str, str]) -> Language:
    """`vi` where the first POSIX locale variable that is set names Vietnamese, else `en`."""
    named = next((environ[name] for name in _POSIX if environ.get(name)), "")
    return "vi" if named.lower().startswith("vi") else "en"


def translator(language: str) -> Callable[[str], str]:
    """A function from an English text to that language's; a text without translation stays English."""
    found = gettext.translation(_DOMAIN, LOCALE, [language], fallback=True).gettext
    return lambda text: found(text) if text else text


def use(language: Language) -> None:
    """Makes `language` the one of `current`, and of the messages of the command-line library, in this process."""
    os.environ["LANGUAGE"] = language
    gettext.bindtextdomain(_DOMAIN, str(LOCALE))
    gettext.textdomain(_DOMAIN)


def current(text: str) -> str:
    """`text` in the language last given to `use`; the empty text stays empty."""
    return gettext.dgettext(_DOMAIN, text) if text else text


def message(error: DunghenError, translate: Callable[[str], str] = current) -> str:
    """An error's one readable line: its translated template, filled with its values."""
    return filled(error.template, error.values, translate)


def filled(template: str, values: Mapping[str, object], translate: Callable[[str], str] = current) -> str:
    """A template in the language of `translate`, filled with its values, of which `Words` are translated too."""
    said = {
        name: filled(one.template, one.values, translate) if isinstance(one, Words) else one
        for name, one in values.items()
    }
    return translate(template).format(**said)
