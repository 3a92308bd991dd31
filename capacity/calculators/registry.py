"""The calculators by name, made into commands when they are asked for: the other commands do not wait for them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from typer.core import TyperGroup

if TYPE_CHECKING:
    from capacity.calculators.calculator import Calculator

NAMES: Final = (
    "queue",
    "cache",
    "usl",
    "lag",
    "quorum",
    "backlog",
    "limit",
    "availability",
)
"""In the order in which help lists them."""


def calculator(name: str) -> Calculator:
    """Return a calculator by its name."""
    found: Calculator = import_module(f"capacity.calculators.{name}").CALCULATOR
    return found


class Commands(TyperGroup):
    """The commands of the program, with the calculators after them."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all commands."""
        known = super().list_commands(ctx)
        return [*known, *(name for name in NAMES if name not in known)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command, made now if it is a calculator."""
        if cmd_name in NAMES and cmd_name not in self.commands:
            from capacity.calculators.command import command  # noqa: PLC0415

            self.add_command(command(calculator(cmd_name)))
        return super().get_command(ctx, cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that arguments ask for; a name that is wrong is compared with the calculators' too."""
        if args and args[0] not in self.list_commands(ctx):
            for name in NAMES:
                self.get_command(ctx, name)
        return super().resolve_command(ctx, args)
