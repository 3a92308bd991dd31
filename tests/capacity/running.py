"""Running the program: in this process where that is enough, as a process of its own where it must be seen whole."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import unicodedata
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from typer.main import get_command

from capacity.cli import app
from capacity.examples import folder
from capacity.guard import guarded

EXAMPLES = folder()
"""Where the examples are."""

PROGRAM = str(Path(sys.executable).with_name("capacity"))
"""The installed command."""

COMMAND = get_command(app)
"""The command line put together once, which a program does each time that it starts."""

WIDTH = 80
"""Columns that every terminal has."""

MINIMAL = """
[workload.classes.page]
rate = "10/s"
entry = "web"
[components.web]
kind = "service"
node = "c6i.large"
cpu_time = "1ms"
"""
"""The smallest topology."""


@dataclass(frozen=True)
class Ended:
    """What a run left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return standard output as JSON, in which NaN and Infinity are no numbers."""
        return strict_json(self.out)


def strict_json(text: str) -> Any:
    """Return JSON; raises for the NaN and Infinity that Python would read."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    return json.loads(text, parse_constant=refuse)


def capacity(*arguments: object, stdin: bytes = b"") -> Ended:
    """Run the command line in this process."""
    out, err = io.StringIO(), io.StringIO()
    source = io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")
    with redirect_stdout(out), redirect_stderr(err), patch("sys.stdin", source):
        code = guarded(lambda: COMMAND([str(a) for a in arguments]))
    return Ended(code, out.getvalue(), err.getvalue())


def process(*arguments: object, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run the installed command as a process of its own, its output in pipes."""
    return subprocess.run([PROGRAM, *map(str, arguments)], input=stdin, capture_output=True, check=False, timeout=60)


def columns(line: str) -> int:
    """Return the columns that a terminal needs for a line."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in line)
    return len(line) + wide - sum(bool(unicodedata.combining(c)) for c in line)
