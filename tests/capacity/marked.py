"""Files with a mark at each place that an error should point at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capacity.document import Document, parse
from capacity.errors import DocumentError, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MARK = "‸"
"""Stands before the character that an error points at; no file of ours contains it."""

WEB = 'kind = "service"\nnode = "c6i.large"\ncpu_time = "1ms"\n'
"""The fields of a smallest tier."""

SYSTEM = f"""[workload.classes.page]
rate = "10/s"
entry = "web"
[components.web]
{WEB}"""
"""The smallest topology, ending inside its only tier."""


def unmarked(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Return a text without its marks, and the line and column, in characters from 1, of each."""
    places = []
    while MARK in text:
        before, _, after = text.partition(MARK)
        places.append((before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1))
        text = before + after
    return text, places


def accepted(text: str, overrides: Sequence[str] = ()) -> Document:
    """Return the document of a text that is right."""
    return parse(text, "f.toml", overrides)


def problems(text: str, overrides: Sequence[str] = ()) -> tuple[Problem, ...]:
    """Return what is wrong with a text; an AssertionError when nothing is."""
    try:
        parse(text, "f.toml", overrides)
    except DocumentError as error:
        return error.problems
    raise AssertionError("this file was accepted")


def refused(folder: Path, content: bytes | str) -> Path:
    """Write a file and return its path."""
    path = folder / "bad.toml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path
