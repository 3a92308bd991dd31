"""Edits, undos, redos, saves and reloads in any order: what was written is never lost, and undoing gives it all back."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any, Final

import pytest

from capacity.document import parse
from capacity.editing import value_at, with_value, without_value
from capacity.errors import DocumentError
from capacity.examples import names
from capacity.examples import text as example_text
from capacity.fields import annotation
from capacity.saving import save
from capacity.stepping import stepped
from tests.tui.driving import ODD
from tests.tui.test_any_sequence import change
from tui.session import Session, opened
from tui.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from capacity.editing import Edited
    from capacity.errors import KeyPath
    from capacity.stepping import Direction

ODD_LAYOUT = ODD.replace("\n", "\r\n") + '# the end, without a line end: "]'
"""Line ends of another system, a comment with a quote in it, and no last line end."""

TYPED = ("7", "0", "12ms", "3.5GiB", "40%", "900/s", "[red]x[/]", '"quoted"', "{ a = 1 }", "", "데이터")


UP_OR_DOWN: Final[tuple[Direction, ...]] = (1, -1)
BIG_STEP: Final = 4


def leaves(values: Mapping[str, Any], path: KeyPath = ()) -> Iterator[KeyPath]:
    """Yield the path of everything in a file that is no table."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key)


def edit(chance: Random, session: Session) -> Edited:
    """Return an edit of the structure or of a value: a step, something typed, a key taken away."""
    document = session.now.document
    path = chance.choice(list(leaves(document.values)))
    kind = chance.randint(0, BIG_STEP)
    if kind == 0:
        return change(chance, session)
    if kind == 1:
        return without_value(document, path)
    if kind == 2:
        return with_value(document, path, chance.choice(TYPED))
    old = value_at(document.values, path)
    hint = annotation(document.values, path)
    return with_value(document, path, stepped(old, hint, chance.choice(UP_OR_DOWN), big=kind == BIG_STEP))


class Desk:
    """A session on a file, as the program holds it, with the file itself."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.texts = Texts()
        document = parse(self.on_disk, str(path))
        self.texts.give(document, self.on_disk)
        self.session = opened(document, {})
        self.first = self.session.now

    @property
    def on_disk(self) -> str:
        """What the file says."""
        return self.path.read_bytes().decode()

    @property
    def text(self) -> str:
        """What the program would write."""
        return self.texts.of(self.session)

    def save(self) -> None:
        """Write the file."""
        save(str(self.path), self.text)
        self.session = replace(self.session, saved=self.session.now)

    def reload(self) -> None:
        """Go on with what is on disk."""
        document = parse(self.on_disk, str(self.path))
        self.texts.give(document, self.on_disk)
        self.session = self.session.edited(document, "reload from disk")

    def do(self, chance: Random) -> None:
        """Do one thing that somebody might do, in the program or beside it."""
        deed = chance.choice(["edit"] * 5 + ["undo", "undo", "redo", "save", "reload", "somebody else"])
        if deed == "edit":
            try:
                made = edit(chance, self.session)
            except DocumentError as error:
                assert error.problems  # noqa: PT017, either outcome is right
            else:
                self.session = self.session.edited(made.document, made.name)
        elif deed == "save":
            self.save()
        elif deed == "reload":
            self.reload()
        elif deed == "somebody else":
            self.path.write_bytes(f"# not mine\n{self.on_disk}".encode())
            self.reload()
        else:
            self.session = self.session.undone() if deed == "undo" else self.session.redone()


# Whatever is done, the text always says what the session shows; undoing everything and saving gives back the file byte
# for byte, and redoing everything the last text.
@pytest.mark.parametrize("name", [*names(), "odd"])
@pytest.mark.parametrize("seed", range(3))
def test_undoing_everything_gives_back_the_bytes(tmp_path: Path, name: str, seed: int) -> None:
    chance = Random(f"{name} {seed}")  # noqa: S311, no secret
    path = tmp_path / "system.toml"
    first = (ODD_LAYOUT if name == "odd" else example_text(name)).encode()
    path.write_bytes(first)
    desk = Desk(path)
    for _ in range(25):
        desk.do(chance)
        assert parse(desk.text, "again.toml").values == desk.session.now.document.values
    while desk.session.future:
        desk.session = desk.session.redone()
    last = desk.text
    while desk.session.past:
        desk.session = desk.session.undone()
        assert parse(desk.text, "again.toml").values == desk.session.now.document.values
    assert desk.session.now is desk.first
    desk.save()
    assert path.read_bytes() == first
    while desk.session.future:
        desk.session = desk.session.redone()
    assert desk.text == last
