"""Options that every command shares, and commands whose help speaks the chosen language."""

from __future__ import annotations

import copy
import os
import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_args

import click
from click.core import ParameterSource

from consumers.files.limits import DEFAULT_LIMITS, FileLimits
from consumers.kafkasettings import DEFAULT, PREFIX, KafkaSettings
from consumers.patience import DEFAULT as RETRIES
from consumers.patience import PREFIX as RETRY
from consumers.patience import RetrySettings
from workflow.cli.output import Form
from workflow.cli.writing import spare_inputs
from workflow.i18n import LANGUAGES, current, use
from workflow.settings import LIMIT, in_order, keys_of, refuse_unknown, settings_from, unknown_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from workflow.i18n import Language

F = TypeVar("F", bound="Callable[..., Any]")


class Command(click.Command):
    """A command that knows `--lang`, writes over no file it reads, and whose help texts are translated when shown."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - whatever the command returns
        """Runs the command, unless it would write over what it is about to read."""
        spare_inputs(ctx)
        return super().invoke(ctx)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The command's own parameters, then `--lang` unless it declares that itself, then `--help`."""
        shown = copy.copy(self)
        shown.params = with_language(self.params)
        return click.Command.get_params(shown, ctx)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the help in the chosen language."""
        click.Command.format_help(_translated(self), ctx, formatter)

    def get_short_help_str(self, limit: int = 45) -> str:
        """The one line a list of commands shows, in the chosen language."""
        return click.Command.get_short_help_str(_translated(self), limit)


class Group(Command, click.Group):
    """A group of commands whose help texts are translated when they are shown."""

    command_class = Command


Group.group_class = Group


def output_option(*forms: Form, default: Form = "table") -> Callable[[F], F]:
    """`--output`, with all forms unless some are named; the command receives it as `output`."""
    allowed = forms or get_args(Form)
    return click.option(
        "--output",
        "-o",
        type=click.Choice(allowed),
        default=default,
        show_default=True,
        envvar="DUNGHEN_OUTPUT",
        help="How results are printed on standard output.",
    )


def language_option(command: F) -> F:
    """`--lang`; it has taken effect before the command runs and is not handed to it."""
    option: Callable[[F], F] = click.option("--lang", cls=_language)  # type: ignore[arg-type]  # any callable will do
    return option(command)


def with_language(parameters: Iterable[click.Parameter]) -> list[click.Parameter]:
    """These parameters, and `--lang` last where it is not among them."""
    found = list(parameters)
    return found if any(one.name == "lang" for one in found) else [*found, _LANG]


def file_limits(environ: Mapping[str, str] = os.environ) -> FileLimits:
    """The limits of the file readers, as the environment sets them. Raises `UsageError` for a malformed one."""
    found = settings_from(environ, DEFAULT_LIMITS)
    in_order((f"{LIMIT}EARLIEST", found.earliest), (f"{LIMIT}LATEST", found.latest))
    return found


def kafka_settings(environ: Mapping[str, str] = os.environ) -> KafkaSettings:
    """How Kafka is reached and read, as the environment sets it. Raises `UsageError` for a malformed setting."""
    return settings_from(environ, DEFAULT, PREFIX)


def retry_settings(environ: Mapping[str, str] = os.environ) -> RetrySettings:
    """How long to wait between attempts, as the environment sets it. Raises `UsageError` for a malformed setting."""
    found = settings_from(environ, RETRIES, RETRY)
    in_order((f"{RETRY}WAIT_LEAST_MS", found.wait_least_ms), (f"{RETRY}WAIT_MOST_MS", found.wait_most_ms))
    return found


def check_environment(environ: Mapping[str, str], top: click.Group) -> None:
    """Raises `UsageError` for a `DUNGHEN_` key that nothing reads, or a setting that is malformed."""
    file_limits(environ)
    kafka_settings(environ)
    retry_settings(environ)
    cheap = (
        *("DUNGHEN_OUTPUT", "DUNGHEN_LANG", *keys_of(FileLimits), *keys_of(KafkaSettings, PREFIX)),
        *keys_of(RetrySettings, RETRY),
    )
    if unknown_keys(environ, cheap):
        refuse_unknown(environ, (*cheap, *environment_twins(top, "DUNGHEN")))


def environment_twins(command: click.Command, prefix: str) -> Iterator[str]:
    """The environment keys of a command's options and of those of the commands below it."""
    for option in command.params:
        if isinstance(option, click.Option) and option.name and (option.envvar or option.allow_from_autoenv):
            yield str(option.envvar or f"{prefix}_{option.name.upper()}")
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None:
                yield from environment_twins(found, f"{prefix}_{name.upper().replace('-', '_')}")


def _use(ctx: click.Context, param: click.Parameter, value: Language | None) -> None:
    # What the environment says was heard at the start: a command below must not set it over a --lang given above.
    if value is not None and ctx.get_parameter_source(param.name or "") is not ParameterSource.ENVIRONMENT:
        use(value)


_language: Final = partial(
    click.Option,
    type=click.Choice(LANGUAGES),
    envvar="DUNGHEN_LANG",
    expose_value=False,
    is_eager=True,
    callback=_use,
    help="Language of tables and messages. By default that of the locale: vi for a Vietnamese one, else en.",
)
_LANG: Final = _language(["--lang"])
"""One object for all commands: the parser tells options apart by identity."""

_C = TypeVar("_C", bound=click.Command)


def _translated(command: _C) -> _C:
    """A copy to be shown, never run: its texts are translated, its parameters too."""
    shown = copy.copy(command)
    shown.help = current(unwrapped(command.help)) if command.help else command.help
    shown.short_help = current(command.short_help) if command.short_help else command.short_help
    shown.epilog = current(unwrapped(command.epilog)) if command.epilog else command.epilog
    shown.params = [_translated_parameter(parameter) for parameter in with_language(command.params)]
    return shown


def _translated_parameter(parameter: click.Parameter) -> click.Parameter:
    text = getattr(parameter, "help", None)
    if not text:
        return parameter
    shown = copy.copy(parameter)
    setattr(shown, "help", current(text))  # noqa: B010 - only some parameters have a help to set
    return shown


def unwrapped(text: str) -> str:
    """A help text with each paragraph on one line: the form in which it stands in the catalogue."""
    return "\n\n".join(" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip()))
