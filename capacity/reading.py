"""Reading any file of the user's: its text, its TOML, and the place of whatever is wrong with it."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from capacity.errors import DocumentError, Problem, ascii_quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_BYTES: Final = 8 * 1024 * 1024
"""A topology of a thousand tiers is a tenth of this."""

STDIN: Final = "-"


def read(source: str, what: str = "a topology", form: str = "a TOML file") -> str:
    """Return the text of a path or of standard input; raises DocumentError where there is none."""
    try:
        data = _bytes(source)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DocumentError([Problem((), f"cannot be read: {reason}", source=source)]) from error
    except ValueError as error:
        raise DocumentError([Problem((), f"cannot be read: {error}", source=ascii_quoted(source))]) from error
    if len(data) > MOST_BYTES:
        allowed = f"at most {MOST_BYTES // 1024**2} MiB"
        raise DocumentError([Problem((), f"is too large for {what}", f"{len(data):,} bytes", allowed, source=source)])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problem = Problem((), "is not text in UTF-8", f"byte 0x{data[error.start]:02x}", form, source=source)
        raise DocumentError([problem.placed(source, line, None)]) from error


def _bytes(source: str) -> bytes:
    if source == STDIN:
        return sys.stdin.buffer.read(MOST_BYTES + 1)
    with Path(source).open("rb") as file:
        return file.read(MOST_BYTES + 1)


def toml(text: str, source: str) -> dict[str, Any]:
    """Return the values of a TOML text; raises DocumentError where it is none."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DocumentError([_syntax_problem(str(error), source, text)]) from error
    except (RecursionError, ValueError) as error:
        raise DocumentError([Problem((), f"is not TOML: {type(error).__name__}", source=source)]) from error


def literal(text: str) -> Any:
    """Return a TOML value; what is none is a string, so that 12ms needs no quotes."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _syntax_problem(message: str, source: str, text: str) -> Problem:
    match = re.search(r"^(.*) \(at line (\d+), column (\d+)\)$", message, re.DOTALL)
    if match is None:
        return Problem((), f"is not TOML: {message[:200]}", source=source)
    what, line, column = " ".join(match[1].split())[:200], int(match[2]), int(match[3])
    if "overwrite" not in what and "twice" not in what:
        return Problem((), f"is not TOML: {what}").placed(source, line, column)
    written = text.splitlines()[line - 1] if line <= len(text.splitlines()) else ""
    key = written.partition("=")[0].strip()
    place = len(written) - len(written.lstrip()) + 1
    return Problem((), "duplicate key", ascii_quoted(key), "each key once").placed(source, line, place)


def placed(
    problems: Sequence[Problem], text: str, source: str, overrides: Mapping[tuple[str, ...], str]
) -> list[Problem]:
    """Return the problems of a TOML text with their places: line and column, or the override that caused them."""
    from capacity.positions import Positions  # noqa: PLC0415 - only errors pay for the parser

    try:
        positions = Positions(text)
    except RecursionError:
        return [problem.placed(source, None, None) for problem in problems]
    found = []
    for problem in problems:
        path = tuple(str(key) for key in problem.path)
        override = next((o for start, o in overrides.items() if path[: len(start)] == start), None)
        if override is not None:
            found.append(problem.placed(f"--set {override}", None, None))
            continue
        line, column = positions.of(problem.path, key=problem.at_key) or (None, None)
        found.append(problem.placed(source, line, column))
    return sorted(found, key=lambda p: (p.line or 0, p.column or 0))
