"""Escape with another key right behind it is both, whatever that key is.

A terminal sends Escape and then + as it would send Alt with +. The library waits a moment after an escape, and takes
what comes meanwhile for one key: the + alone, or what Alt with a digit writes on some keyboards. Nothing here is bound
to those, while Escape in haste is common. A letter is Alt with that letter until it is known whether that is bound
(`tui.in_turn`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._xterm_parser import XTermParser
from textual.events import Key

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

_ESCAPE: Final = "\x1b"

_BEGIN: Final = frozenset("[]OPX^_\\")
"""What begins something longer that terminals send: only when nothing follows was it a key."""

_MEANT: Final = frozenset("\t\x7f\x1b")
"""What with Alt is a key of its own: Tab back, and a word erased."""


class BothKeys(XTermParser):
    """Reads what a terminal sends."""

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[Key]:  # noqa: FBT001, FBT002, the library's own
        last = sequence[-1:]
        at_once = len(sequence) == 2 and sequence[0] == _ESCAPE and last not in _BEGIN
        late = alt and len(sequence) == 1
        if (at_once or late) and not last.isalpha() and last not in _MEANT:
            yield Key("escape", _ESCAPE)
            yield from super()._sequence_to_key_events(last)
        elif at_once and last.isalpha() and sequence not in ANSI_SEQUENCES_KEYS:
            yield from super()._sequence_to_key_events(last, alt=True)
        else:
            yield from super()._sequence_to_key_events(sequence, alt)


def read_both(driver: ModuleType) -> None:
    """Have the module of a driver read keys so; one that reads otherwise stays as it is."""
    if getattr(driver, "XTermParser", None) is XTermParser:
        driver.XTermParser = BothKeys  # type: ignore[attr-defined]
