"""What a new tier is put before: never who calls it, and what is missing comes along or is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from capacity import rewiring
from capacity.document import Document, parse
from capacity.errors import DocumentError
from tests.tui.driving import play, press, shop, told
from tui.drawing.canvas import Key
from tui.opening import BEGINNING
from tui.screens.form import Form

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from tui.app import CapacityApp

SERVICES = f"""{BEGINNING}calls = [{{ to = "app" }}]

[components.app]
kind = "service"
node = "c6i.xlarge"
cpu_time = "1ms"
"""


def services() -> Document:
    return parse(SERVICES, "services.toml")


# A queue that no other service can read brings one along, in one step; what comes out has numbers.
def test_a_queue_brings_its_worker() -> None:
    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        before = app.session.now
        app.selected = Key("tier", "app")
        await press(app, pilot, "a", "q", "enter")
        tiers = app.session.now.document.values["components"]
        assert tiers["queue"] == {"kind": "queue", "consumers": "worker"}
        assert tiers["worker"] == {"kind": "service", "cpu_time": "5ms", "node": "c6i.xlarge"}
        assert tiers["app"]["calls"] == [{"to": "queue"}]
        assert app.session.now.label == "add queue and worker, the service behind it"
        assert "no numbers" not in told(app)
        await press(app, pilot, "u")
        assert app.session.now is before

    play(script, services())


# Who leads to a queue does not read it, however far above; another service does, and then nothing comes along.
def test_no_caller_consumes() -> None:
    for caller, expected in (("app", "worker"), ("web", "app")):
        found = rewiring.add_tier(services(), "jobs", "queue", caller).document.values["components"]
        assert found["jobs"]["consumers"] == expected
        assert ("worker" in found) == (expected == "worker")
    assert rewiring.add_tier(shop(), "jobs", "queue", "app").document.values["components"]["jobs"]["consumers"] == (
        "fulfilment"
    )


# A worker takes a name that is free, that of its queue aside.
def test_the_name_of_a_worker_is_free() -> None:
    found = rewiring.add_tier(services(), "worker", "queue", "app")
    assert found.document.values["components"]["worker"]["consumers"] == "worker-2"
    assert found.name == "add worker and worker-2, the service behind it"


# A cache stands before the database that its caller asks, not before another cache.
def test_a_cache_stands_before_a_database() -> None:
    found = rewiring.add_tier(shop(), "near", "cache", "app").document.values["components"]
    assert found["near"]["origin"] == "mysql"


# Where nothing can be its origin, that is said, and not that calls go in a circle.
def test_a_cache_before_nothing() -> None:
    with pytest.raises(DocumentError, match="a cache needs an origin: add the database that it stands before first"):
        rewiring.add_tier(services(), "near", "cache", "app")

    async def script(app: CapacityApp, pilot: Pilot[None]) -> None:
        app.selected = Key("tier", "app")
        await press(app, pilot, "a", "c", "enter")
        assert isinstance(app.screen, Form)
        assert "a cache needs an origin: add the database that it stands before first" in told(app)
        assert "circle" not in told(app)
        await press(app, pilot, "escape")
        assert not app.session.past

    play(script, services())
