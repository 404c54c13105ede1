"""Groups that find a command in its module when it is asked for: no command waits for what only others need."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from workflow.cli.options import Group

if TYPE_CHECKING:
    from collections.abc import Mapping

    import click


class Lazy(Group):
    """A group of commands in modules of this package.

    `homes`: the module of each, which has it under its own name; with an underscore behind where that is a keyword.
    """

    def __init__(self, *args: Any, homes: Mapping[str, str], **kwargs: Any) -> None:  # noqa: ANN401 - click's own
        """As any group of click."""
        super().__init__(*args, **kwargs)
        self._homes = homes

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """All commands, in the order of the documentation."""
        return list(self._homes)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """The command of that name, None where there is none."""
        home = self._homes.get(cmd_name)
        if home is None:
            return None
        module = import_module(f"workflow.cli.{home}")
        found: click.Command = getattr(module, cmd_name, None) or getattr(module, f"{cmd_name}_")
        return found
