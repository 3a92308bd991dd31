"""Text in columns: what a terminal shows two columns wide, none wide, or should never be sent."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

_ODD: Final = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories that are commands, or that no font has: controls, halves of pairs, private use."""

_MARKS: Final = frozenset({"Mn", "Me", "Mc"})
"""Categories of what is written onto the character before it and takes no column of its own."""

_MOST_MARKS: Final = 2
"""More marks on one character than any language has would only soil the lines above and below."""

_DISPUTED: Final = (
    ("\u1160", "\u11ff"), ("\ud7b0", "\ud7ff"), ("\u3164", "\u3164"), ("\uffa0", "\uffa0"),  # parts of Hangul syllables
    ("\u2630", "\u2637"), ("\u268a", "\u268f"), ("\u4dc0", "\u4dff"),  # trigrams, hexagrams
    ("\U0001d15e", "\U0001d166"), ("\U0001d16d", "\U0001d172"), ("\U0001d1bb", "\U0001d1c0"),  # notes
    ("\U0001d300", "\U0001d376"), ("\U0001f1e6", "\U0001f1ff"), ("\U0001f3fb", "\U0001f3ff"),  # symbols, flags, skins
)  # fmt: skip
"""Ranges whose width depends on the version of Unicode or on what stands beside them."""

_REPLACEMENT: Final = "·"


@lru_cache(maxsize=4096)
def clean(text: str) -> str:
    """Return text as it is drawn: composed, without joiners and directions, controls replaced by a dot."""
    found: list[str] = []
    marks = _MOST_MARKS  # none may come first
    for c in unicodedata.normalize("NFC", text):
        category = unicodedata.category(c)
        if category == "Cf" or "\ufe00" <= c <= "\ufe0f":
            continue
        if category in _MARKS:
            marks += 1
            found += [c] if marks <= _MOST_MARKS else []
            continue
        marks = 0
        odd = category in _ODD or any(low <= c <= high for low, high in _DISPUTED)
        found.append(_REPLACEMENT if odd else " " if c.isspace() else c)
    return "".join(found)


def columns(text: str) -> int:
    """Return the columns of clean text: none for marks, two for what East Asia writes wide, else one."""
    return len(text) if text.isascii() else _wide(text)


def is_narrow(text: str) -> bool:
    """Return whether each character of clean text takes one column."""
    return text.isascii() or _is_narrow(text)


@lru_cache(maxsize=4096)
def _wide(text: str) -> int:
    return sum(_columns(c) for c in text)


@lru_cache(maxsize=4096)
def _is_narrow(text: str) -> bool:
    return all(_columns(c) == 1 for c in text)


@lru_cache(maxsize=4096)
def _columns(c: str) -> int:
    if unicodedata.category(c) in _MARKS:
        return 0
    return 2 if unicodedata.east_asian_width(c) in "WF" else 1


def cut(text: str, width: int) -> str:
    """Return clean text of at most `width` columns; what is longer ends in an ellipsis."""
    if columns(text) <= width:
        return text
    if width <= 0:
        return ""
    kept, room = [], width - 1
    for c in text:
        room -= _columns(c)
        if room < 0:
            break
        kept.append(c)
    return "".join(kept) + "…"


def left(text: str, width: int) -> str:
    """Return clean text of exactly `width` columns, cut or filled with spaces on its right."""
    found = cut(text, width)
    return found + " " * (width - columns(found))


def right(text: str, width: int) -> str:
    """Return clean text of exactly `width` columns, cut or filled with spaces on its left."""
    found = cut(text, width)
    return " " * (width - columns(found)) + found
