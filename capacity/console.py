"""The one place that writes to standard output and standard error: always UTF-8, never a command to the terminal."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from capacity.errors import printable


class OutputClosedError(Exception):
    """Whoever read our output has seen enough."""


class OutputFailedError(Exception):
    """Standard output cannot be written: the disk is full, or it is closed."""


def prepare() -> None:
    """Make both streams UTF-8, whatever the locale says, and give the process streams where it has none."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - lives as long as we do
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def say(text: str) -> None:
    """Write a result to standard output, whole or with an error of its own."""
    _write(sys.stdout, text)


def tell(line: str) -> None:
    """Write one line for people to standard error."""
    _write(sys.stderr, printable(line) + "\n")


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError as error:
        raise OutputClosedError from error
    except OSError as error:
        raise OutputFailedError(error.strerror or str(error)) from error
