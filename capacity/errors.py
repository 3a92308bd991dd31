"""What can go wrong, and what each is for.

CapacityError               everything that we raise on purpose
├── DocumentError           a file is no topology or price book: catch it to show its problems; exit 2
└── UsageError              an argument makes no sense: exit 2
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

KeyPath = tuple[str | int, ...]


class CapacityError(Exception):
    """Everything that we raise on purpose."""


class UsageError(CapacityError):
    """An argument that makes no sense."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a file: where, what was found, what is allowed, what was probably meant."""

    path: KeyPath
    message: str
    found: str | None = None
    allowed: str | None = None
    nearest: str | None = None
    at_key: bool = False
    """Whether the key itself is wrong and not its value."""
    source: str = ""
    line: int | None = None
    column: int | None = None

    def placed(self, source: str, line: int | None, column: int | None) -> Problem:
        """Return the same problem with its place in a file."""
        return replace(self, source=source, line=line, column=column)

    def text(self) -> str:
        """Return file:line:column: key: what is wrong, found, allowed, nearest; one line."""
        place = ":".join(str(part) for part in (self.source, self.line, self.column) if part not in (None, ""))
        parts = [self.message]
        if self.found is not None:
            parts.append(f"found {self.found}")
        if self.allowed is not None:
            parts.append(f"allowed: {self.allowed}")
        if self.nearest is not None:
            parts.append(f"did you mean {self.nearest}?")
        return printable(": ".join(part for part in (place, show_path(self.path), "; ".join(parts)) if part))


class DocumentError(CapacityError):
    """A file that is no topology or no price book, with every problem that was found in it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problem.text() for problem in self.problems))


def show_path(path: KeyPath) -> str:
    """Return a key path as TOML would write it, with positions in brackets."""
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
        else:
            bare = key.replace("_", "a").replace("-", "a").isalnum() and key.isascii()
            text += ("." if text else "") + (key if bare else ascii_quoted(key))
    return text


def printable(text: str) -> str:
    """Return text in which nothing is a command to a terminal."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def shortened(text: str, most: int = 60) -> str:
    """Return no more than `most` characters of a text, with control characters shown."""
    return printable(text if len(text) <= most else text[: most - 1] + "…")


def ascii_quoted(value: object, most: int = 60) -> str:
    """Return a value as TOML would write it, with control characters shown and no more than `most` characters."""
    shown = {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
    shown = shortened(shown, most)
    return f'"{shown}"' if isinstance(value, str) else shown
