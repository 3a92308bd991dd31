from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from capacity.errors import UsageError
from tests.tui.driving import notices, play, press
from tui import preferences
from tui.screens.pick import Pick

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from tui.app import CapacityApp

KNOWN = {"plan.solve": "s", "find": "slash", "walk.left": "left,h", "load.more": "right_square_bracket"}


# A key is bound by the id of what it does, dotted or quoted, one or several, by name or character.
@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ('plan.solve = "S"', {"plan.solve": "S"}),
        ('"plan.solve" = "ctrl+r"', {"plan.solve": "ctrl+r"}),
        ('[plan]\nsolve = "f5"', {"plan.solve": "f5"}),
        ('walk.left = "left, b, ä"', {"walk.left": "left,b,ä"}),
        ('find = "full_stop"\nload.more = "."', {"find": "full_stop", "load.more": "."}),
    ],
)
def test_rebound(text: str, keys: dict[str, str]) -> None:
    assert preferences.rebound(text, KNOWN).keys == keys


# What makes no sense is told with the nearest that would; the rest holds.
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('plan.solv = "S"', "did you mean plan.solve?"),
        ('plan.solve = "ctrl+entr"', "is no key"),
        ('plan.solve = "pagedwn"', "did you mean pagedown?"),
        ("plan.solve = 3", "a key is a text"),
        ('plan.solve = ""', "is no key"),
        ('plan.solve = "/"', '"slash" does both plan.solve and find'),
        ("plan.solve = ", "is not TOML"),
    ],
)
def test_what_makes_no_sense(text: str, said: str) -> None:
    found = preferences.rebound(f'{text}\nwalk.left = "a"' if "TOML" not in said else text, KNOWN)
    assert any(said in problem for problem in found.problems)
    assert "TOML" in said or found.keys["walk.left"] == "a"


# A key from the file does what its id says, the old one no longer, and a wrong id is said at the start.
def test_keys_of_a_person() -> None:
    preferences.folder().mkdir(parents=True)
    (preferences.folder() / "keys.toml").write_text('find = "F"\nhistory.lst = "ctrl+h"\n')

    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        assert "did you mean history.list?" in notices(app)
        await press(app, pilot, "slash")
        assert len(app.screen_stack) == 1
        await press(app, pilot, "F")
        assert isinstance(app.screen, Pick)

    play(script)


# A theme is kept for the next time, with the comments of the file; one that there is not is told.
def test_theme() -> None:
    preferences.folder().mkdir(parents=True)
    path = preferences.folder() / "settings.toml"
    path.write_text('# mine\ntheme = "nrd"\n')

    async def script(app: CapacityApp, _: Pilot[None]) -> None:
        assert app.theme == "capacity"
        assert "did you mean nord?" in notices(app)
        app.action_theme("nord")

    play(script)
    assert path.read_text() == '# mine\ntheme = "nord"\n'

    async def again(app: CapacityApp, _: Pilot[None]) -> None:
        assert app.theme == "nord"

    play(again)


# A settings file that is not TOML is left as it is, and one that is missing is made.
def test_keeping_a_theme() -> None:
    preferences.keep_theme("nord")
    path = preferences.folder() / "settings.toml"
    assert tomllib.loads(path.read_text()) == {"theme": "nord"}
    path.write_text("theme = ")
    with pytest.raises(UsageError, match="left as it is"):
        preferences.keep_theme("dracula")
    assert path.read_text() == "theme = "


# Files that cannot be read are told, and the app starts all the same.
def test_unreadable() -> None:
    preferences.folder().mkdir(parents=True)
    (preferences.folder() / "keys.toml").write_bytes(b"\xff\xfe")
    (preferences.folder() / "settings.toml").mkdir()

    async def script(app: CapacityApp, _: Pilot[None]) -> None:
        assert "not UTF-8" in notices(app)
        assert "cannot be read" in notices(app)

    play(script)
