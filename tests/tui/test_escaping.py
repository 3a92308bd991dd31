from __future__ import annotations

import time
from types import ModuleType

import pytest
from textual import constants
from textual._xterm_parser import XTermParser
from textual.drivers import linux_driver
from textual.events import Key, MouseDown, Paste

from tui.app import CapacityApp
from tui.escaping import BothKeys, read_both


def read(*sent: str) -> list[str]:
    """Return the keys, and the names of other events, of what a terminal sends; then it is quiet for a moment."""
    parser, found = BothKeys(), []
    for part in sent:
        found += list(parser.feed(part))
    time.sleep(constants.ESCAPE_DELAY * 1.1)
    found += list(parser.tick())
    return [event.key if isinstance(event, Key) else type(event).__name__ for event in found]


# Symbols, digits, space, Enter and control keys right behind Escape come as what they are, and Escape before them.
@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ("+", "plus"),
        ("-", "minus"),
        ("=", "equals_sign"),
        ("/", "slash"),
        ("?", "question_mark"),
        ("[", "left_square_bracket"),
        ("]", "right_square_bracket"),
        ("\\", "backslash"),
        ("1", "1"),
        ("0", "0"),
        (" ", "space"),
        ("\r", "enter"),
        ("\x13", "ctrl+s"),
    ],
)
def test_escape_and_another_key(sent: str, key: str) -> None:
    assert read(f"\x1b{sent}") == ["escape", key]
    assert read("\x1b", sent) == ["escape", key]


# What terminals send for one key stays one key, whatever it begins with; a letter is told apart later.
def test_keys_that_begin_with_escape() -> None:
    assert read("\x1b") == ["escape"]
    assert read("\x1b\x1b") == ["escape", "escape"]
    assert read("\x1bj\x1bk\x1b") == ["alt+j", "alt+k", "escape"]
    assert read("\x1b[A", "\x1bOP", "\x1b[15~", "\x1b[1;5C") == ["up", "f1", "f5", "ctrl+right"]
    assert read("\x1b[27u", "\x1b[43;3u") == ["escape", "alt+plus"]
    assert read("\x1b\t", "\x1b\x7f", "\x1bj", "\x1bJ") == ["shift+tab", "ctrl+w", "alt+j", "alt+shift+j"]
    assert read("\x1b[<0;5;5M") == [MouseDown.__name__]
    assert read("\x1b[200~a+\x1b[201~") == [Paste.__name__]


# An app in a terminal reads so; a driver that has no such reader is left alone.
def test_the_app_reads_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linux_driver, "XTermParser", XTermParser)
    CapacityApp(None).get_driver_class()
    assert vars(linux_driver)["XTermParser"] is BothKeys
    other = ModuleType("other")
    read_both(other)
    assert not hasattr(other, "XTermParser")
