"""A file on the way to the screen: its text, its values, the counts that it leaves to the plan."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from capacity.document import parse
from capacity.errors import UsageError
from capacity.reading import STDIN, read
from capacity.saving import fingerprint
from tui.scene import solved_counts
from tui.session import Session, counts_for, opened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capacity.books import Book
    from capacity.document import Document
    from capacity.system import Counts

PATIENCE: Final = 0.5
"""Seconds that the first numbers wait for a plan; a longer search goes on beside the screen."""


BEGINNING: Final = """\
name = "new system"

[workload.classes.page]
rate = "100/s"
entry = "web"

[components.web]
kind = "service"
node = "c6i.large"
cpu_time = "5ms"
"""
"""What a file that is empty, or not there yet, begins with; it is written when it is saved."""


@dataclass(frozen=True)
class OpenedFile:
    """A file as it is on disk, as far as is known."""

    path: str
    text: str
    fingerprint: str | None
    prices: str | None = None
    """The price book that it is read with."""


@dataclass(frozen=True)
class Opening:
    """What opening a file gives."""

    session: Session
    file: OpenedFile
    on_disk: Document
    solved: bool
    """Whether the counts that the file leaves out are those of the plan, or there are none."""


class TooSlowError(Exception):
    """The plan takes longer than anybody wants to look at an empty screen."""


def open_file(
    path: str,
    overrides: Sequence[str] = (),
    load: float = 1.0,
    *,
    book: Book | None = None,
    prices: str | None = None,
    patience: float = PATIENCE,
) -> Opening:
    """Return a file ready to be shown; overrides are its first edit, so that nothing is saved that was not seen.

    Raises DocumentError with all problems of the file, or UsageError for what cannot be opened.
    """
    if path == STDIN:
        raise UsageError("-: standard input is where keys come from, so no file can; name a file")
    if not Path(path).exists() and not Path(path).absolute().parent.is_dir():
        raise UsageError(f"{path}: there is no folder of this name to write it to")
    # The fingerprint first: a change in between is then noticed, not taken for what was read.
    known = fingerprint(path)
    written = read(path) if Path(path).exists() else ""
    text = written if written.strip() else BEGINNING
    on_disk = parse(text, path, (), 1.0, book)
    now = parse(text, path, overrides, 1.0, book) if overrides else on_disk
    counts = quick_counts(now, load, patience)
    session = opened(on_disk, counts or {})
    if not written.strip():
        session = replace(session, saved=None)  # nothing of it is on disk yet
    if overrides:
        session = session.edited(now, f"--set {', '.join(overrides)}")
        session = replace(session, now=replace(session.now, counts=counts_for(now, counts or {})))
    file = OpenedFile(path, text, known, prices)
    return Opening(replace(session, load=load), file, on_disk, counts is not None)


def quick_counts(document: Document, load: float, patience: float) -> Counts | None:
    """Return the counts of the cheapest plan, or None where finding them takes longer than `patience` seconds."""
    if not counts_for(document, {}):
        return {}
    end = time.monotonic() + patience

    def tick(_: int) -> None:
        if time.monotonic() > end:
            raise TooSlowError

    try:
        return solved_counts(document, load, tick)[0]
    except TooSlowError:
        return None
