"""The text of every version: that of the version before it, changed as little as possible.

Text follows from the history alone, so that undoing everything gives back the bytes that the file had.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from capacity.document import Document
    from tui.session import Session

_MOST_REMEMBERED: Final = 200
"""Texts that are kept to be changed further; older ones are made again when somebody goes back to them."""


class Texts:
    """Remembers texts; asked by the screen and by threads that save."""

    def __init__(self) -> None:
        self._given: dict[int, tuple[Document, str]] = {}
        self._made: dict[int, tuple[Document, str]] = {}
        self._lock = Lock()

    def give(self, document: Document, text: str) -> None:
        """Say what the text of a document is: it was read from a file."""
        with self._lock:
            self._given[id(document)] = (document, text)

    def of(self, session: Session) -> str:
        """Return the text of what a session shows now; raises RuntimeError, a bug of ours, where there is none."""
        with self._lock:
            history = [version.document for version in (*session.past, session.now)]
            start = next((i for i in range(len(history) - 1, -1, -1) if self._known(history[i]) is not None), None)
            from capacity.rewriting import rewritten

            text = "" if start is None else self._known(history[start]) or ""
            for document in history[0 if start is None else start + 1 :]:
                text = rewritten(text, document.values)
                self._made[id(document)] = (document, text)
            for old in list(self._made)[:-_MOST_REMEMBERED]:
                del self._made[old]
            return text

    def _known(self, document: Document) -> str | None:
        found = self._given.get(id(document)) or self._made.get(id(document))
        return None if found is None else found[1]
