"""Writes what the documentation takes from the product: `commands.md` and the picture of the example procedure.

`python docs/generate.py` writes them; a test compares them with what is committed.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from consumers.files.limits import FileLimits
from consumers.kafkasettings import PREFIX, KafkaSettings
from consumers.patience import PREFIX as RETRY
from consumers.patience import RetrySettings
from workflow.cli.main import dunghen
from workflow.cli.options import unwrapped, with_language
from workflow.i18n import translator
from workflow.procedure.diagram import svg
from workflow.procedure.reader import read_procedures
from workflow.settings import LIMIT, keys_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgspec import Struct

DOCS: Final = Path(__file__).resolve().parent
HEAD: Final = """# Commands

Written by `docs/generate.py` from the commands themselves; `make docs` writes it anew.

Data goes to standard output, messages to standard error. Exit statuses: 0 fine, 1 a finding, 2 wrong use or unreadable
input, 3 not reachable, 70 a fault of dunghen itself, 130 interrupted, 141 the reader of the output went away.
Each option may be set by the environment variable beside it; the command line wins. A `DUNGHEN_` variable that nothing
reads stops the start.
"""


def commands() -> str:
    """The text of `commands.md`."""
    return "\n".join([HEAD, *_pages(dunghen, "dunghen", "DUNGHEN"), *_settings()])


def _pages(command: click.Command, name: str, prefix: str) -> Iterator[str]:
    context = click.Context(command, info_name=name)
    arguments = [one.make_metavar(context) for one in command.params if isinstance(one, click.Argument)]
    yield f"## `{' '.join([name, *arguments])}`\n\n{unwrapped(command.help or '')}\n"
    options = [one for one in with_language(command.params) if isinstance(one, click.Option)]
    if options:
        yield "| option | environment | |\n|---|---|---|"
        yield from (_line(one, prefix) for one in options)
        yield ""
    if isinstance(command, click.Group):
        for word in command.list_commands(context):
            below = command.get_command(context, word)
            if below is not None:
                yield from _pages(below, f"{name} {word}", f"{prefix}_{word.upper().replace('-', '_')}")


def _line(option: click.Option, prefix: str) -> str:
    words = ", ".join(f"`{one}`" for one in sorted(option.opts, key=len, reverse=True))
    if isinstance(option.type, click.Choice):
        words += " " + "\\|".join(option.type.choices)
    twin = option.envvar or (f"{prefix}_{(option.name or '').upper()}" if option.allow_from_autoenv else "")
    needed = " Required." if option.required else ""
    return f"| {words} | {twin and f'`{twin}`'} | {unwrapped(option.help or '')}{needed} |"


def _settings() -> Iterator[str]:
    yield "## Limits of files\n\nEach has a default that its reason stands beside, in `consumers/files/limits.py`.\n"
    yield from _keys(FileLimits(), LIMIT)
    yield "## Kafka\n\nWhat each says stands beside it, in `consumers/kafkasettings.py`.\n"
    yield from _keys(KafkaSettings(), PREFIX)
    yield from _keys(RetrySettings(), RETRY)


def _keys(defaults: Struct, prefix: str) -> Iterator[str]:
    yield "| environment | default |\n|---|---|"
    for key, name in zip(keys_of(type(defaults), prefix), type(defaults).__struct_fields__, strict=True):
        value = getattr(defaults, name)
        yield f"| `{key}` | {str(value).lower() if isinstance(value, bool) else value} |"
    yield ""


def write(folder: Path) -> None:
    """Writes every generated file into `folder`."""
    (folder / "commands.md").write_text(commands(), encoding="utf-8")
    (revision,) = read_procedures(DOCS.parent / "examples" / "first_history" / "procedure.yaml")
    (folder / "first-procedure.svg").write_text(svg(revision, "en", translator("en")), encoding="utf-8")


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--to", type=Path, default=DOCS, help="another folder")
    write(asked.parse_args().to)
