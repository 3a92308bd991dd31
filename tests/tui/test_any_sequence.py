"""Whatever is done to the structure, in whatever order, what is left is a valid file and undo leads back exactly."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from capacity import rewiring
from capacity.components import kinds
from capacity.document import from_values
from capacity.errors import DocumentError
from capacity.naming import free
from capacity.traffic import EndlessTrafficError
from tests.tui.driving import counts_of, odd, play, press, shop, told
from tui.drawing.canvas import Key
from tui.scene import scene
from tui.session import Session, opened
from tui.structuring import removal
from tui.wires import wires

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from capacity.editing import Edited
    from tui.app import CapacityApp

NAMES = ("a", "[red]b[/]", "데이터", "two words", 'q"uote', "x.y", "😀", "app", "")


def change(chance: Random, session: Session) -> Edited:
    """Return a change that one of the actions might make; raises DocumentError where it cannot be made."""
    document = session.now.document
    tier = chance.choice(list(document.topology.components))
    other = chance.choice(list(document.topology.components))
    a_class = chance.choice(list(document.topology.workload.classes))
    name = chance.choice(NAMES)
    wire = chance.choice([*wires(document, Key("tier", tier)), *wires(document, Key("class", a_class))])
    possible: list[Any] = [
        partial(
            rewiring.add_tier,
            document,
            name,
            chance.choice(list(kinds())),
            chance.choice([None, other]),
        ),
        partial(rewiring.add_class, document, name, "3/s", other),
        partial(rewiring.copy_tier, document, tier, free(name or "copy", document.topology.components)),
        partial(rewiring.copy_class, document, a_class, name),
        partial(rewiring.rename_tier, document, tier, name),
        partial(rewiring.rename_class, document, a_class, name),
        partial(rewiring.rewire, document, wire.path, other),
        partial(rewiring.add_call, document, tier, other),
        partial(rewiring.remove_call, document, wire.owner.name, wire.call or 0),
        partial(rewiring.move_tier, document, tier, chance.choice([None, other])),
        lambda: removal(document, Key("tier", tier))[0],
        lambda: removal(document, Key("class", a_class))[0],
    ]
    made: Edited = chance.choice(possible)()
    return made


# Every change is refused with a reason or leaves a file that is valid and can be evaluated; undo gives back each version.
@pytest.mark.parametrize("seed", range(25))
def test_any_sequence(seed: int) -> None:
    chance = Random(seed)  # noqa: S311, no secret
    document = chance.choice([shop(), odd()])
    session = opened(document, counts_of(document))
    versions = [session.now]
    for _ in range(chance.randint(1, 10)):
        try:
            made = change(chance, session)
        except DocumentError as error:
            assert error.problems  # noqa: PT017, either outcome is right
            continue
        session = session.edited(made.document, made.name)
        versions.append(session.now)
        again = from_values(made.document.values, "again.toml")
        assert again.topology == made.document.topology
    try:
        scene(session.question)
    except EndlessTrafficError as error:
        assert "multiplies" in str(error)  # noqa: PT017, a valid file may have no answer, but says why
    for version in reversed(versions):
        assert session.now is version
        session = session.undone()
    assert session.now is versions[0]


# What has no numbers keeps the last good ones and says why; the edit that leads out of it is still there.
def test_endless_traffic() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        app.edit(rewiring.add_call(app.session.now.document, "fulfilment", "orders"))
        await press(app, pilot)
        assert "multiplies" in told(app)
        assert app.scene is not None
        await press(app, pilot, "s", "u")
        assert app.scene.question.version is app.session.now

    play(script)


# The same with keys: whatever they lead to, the file stays valid, and undo gives back the very first version.
def test_any_keys() -> None:
    sequences = [
        "c enter",
        "a c enter",
        "r x enter",
        "d y",
        "w enter enter",
        "p",
        "A enter",
        "w end enter enter",
        "X",
        "d y",
    ]

    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        first = app.session.now
        for step, keys in enumerate(sequences):
            tiers = list(app.session.now.document.topology.components)
            app.go(Key("tier", tiers[(step * 3) % len(tiers)]))
            await press(app, pilot, *keys.split())
            while len(app.screen_stack) > 1:
                await press(app, pilot, "escape")
            from_values(app.session.now.document.values, "again.toml")
        assert len(app.session.past) >= 6
        await press(app, pilot, *["u"] * len(app.session.past))
        assert app.session.now is first
        assert app.session.now.document is shop()

    play(script)
