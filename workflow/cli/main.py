"""The command `dunghen`: its groups, and the one place where errors become lines and exit statuses.

Exit statuses: 0 fine, 1 a finding, 2 wrong use or unreadable input, 3 not reachable, 70 a fault of ours,
130 interrupted, 141 the reader of our output went away.
"""

from __future__ import annotations

import errno
import gc
import io
import os
import sys
import traceback
from importlib import metadata
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NoReturn

import click

from workflow.cli.lazy import Lazy
from workflow.cli.options import check_environment, language_option
from workflow.cli.output import visible
from workflow.errors import DunghenError, UsageError
from workflow.i18n import LANGUAGES, current, default_language, message, use

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workflow.i18n import Language

GROUPS: Final = (
    "procedure",
    "deadline",
    "dossier",
    "alerts",
    "audit",
    "source",
    "simulate",
    "import",
    "activate",
    "run",
    "worker",
    "ticker",
    "relay",
    "notify",
    "channels",
    "deadletters",
    "position",
    "topics",
    "status",
    "rates",
    "risk",
    "reference",
    "rotation",
    "evaluation",
    "judge",
    "obligations",
)
"""All groups and commands, in the order of the documentation."""
HOMES: Final = {name: name for name in GROUPS} | {"import": "imports"}
"""Their modules; a keyword cannot be the name of one."""
FAULT: Final = 70
"""EX_SOFTWARE of sysexits: an error of ours must not look like a finding."""
INTERRUPTED: Final = 130
PIPE_CLOSED: Final = 141
NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What standard output, which has no name, fails with where the disk below it is full."""
COLLECT_AFTER: Final = 100_000
"""New containers before Python looks for garbage cycles: judging makes none, and looking costs a tenth of the time."""


@click.group(
    cls=Lazy,
    homes=HOMES,
    context_settings={"auto_envvar_prefix": "DUNGHEN", "help_option_names": ["--help", "-h"]},
)
@language_option
@click.version_option(metadata.version("dunghen"), prog_name="dunghen", allow_from_autoenv=False)
def dunghen() -> None:
    """Dossiers handled on time and by the approved procedure."""


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Runs the command and ends the process with its exit status."""
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv: Sequence[str], command: click.Group = dunghen) -> int:
    """Runs `command`; its exit status. Data goes to standard output, every message to standard error."""
    gc.set_threshold(COLLECT_AFTER)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    use(_asked_language(argv, os.environ))
    try:
        check_environment(os.environ, command)
        status = _invoke(command, list(argv))
        sys.stdout.flush()
    except DunghenError as error:
        return _say(message(error), error.exit_status)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Exit as end:
        return end.exit_code
    except (KeyboardInterrupt, click.Abort):
        return _say(current("Interrupted."), INTERRUPTED)
    except BrokenPipeError:
        return _quiet()
    except Exception as fault:  # noqa: BLE001 - the top of an entry point: a fault of ours ends the process, in full
        if isinstance(fault, OSError) and fault.filename is None and fault.errno in NO_ROOM:
            _quiet()
            words = current("{file}: cannot be written ({cause}); choose another place")
            said = words.format(file=current("standard output"), cause=fault.strerror)
            return _say(said, UsageError.exit_status)
        traceback.print_exc()
        return _say(current("This is a fault of dunghen itself; please report the lines above."), FAULT)
    return status if isinstance(status, int) else 0


def _invoke(command: click.Group, argv: list[str]) -> object:
    """What the command returns. Not by the library's `main`, which gives a closed pipe the status of a finding."""
    with command.make_context("dunghen", argv) as context:
        return command.invoke(context)


def _asked_language(argv: Sequence[str], environ: Mapping[str, str]) -> Language:
    """The language to start in, wherever `--lang` stands: even the help and the errors of other options speak it."""
    after = [following for name, following in pairwise(argv) if name == "--lang"]
    asked = [*after, *(part[7:] for part in argv if part.startswith("--lang=")), environ.get("DUNGHEN_LANG")]
    for language in LANGUAGES:
        if language == next((one for one in asked if one), None):
            return language
    return default_language(environ)


def _say(text: str, status: int) -> int:
    sys.stderr.write(visible(text) + "\n")
    return status


def _quiet() -> int:
    """The reader of our output went away: nothing more can be said to it, not even while the process ends."""
    sys.stdout = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    return PIPE_CLOSED
