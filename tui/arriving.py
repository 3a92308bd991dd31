"""The first moments: what a glance at the file shows is painted, and then the file is read and worked out beside it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual import events

from capacity.errors import CapacityError
from tui.drawing.text import clean
from tui.filed import Filed
from tui.widgets.lines import Lines
from tui.widgets.topology import TopologyView

if TYPE_CHECKING:
    from tui.glance import Reading
    from tui.opening import Opening
    from tui.scene import Scene
    from tui.session import Session


class Arriving(Filed):
    """Paints before anything heavy is loaded; keys that are pressed meanwhile wait."""

    def __init__(
        self, session: Session | None, opening: Opening | None = None, *, reading: Reading | None = None
    ) -> None:
        super().__init__(session, opening)
        self.reading = reading
        self.refused: CapacityError | None = None
        """What is wrong with the file, so that there is nothing to show."""
        self._held: list[events.Key | events.Paste] = []

    @property
    def ready(self) -> bool:
        """Whether there is a session."""
        return hasattr(self, "session")

    def on_mount(self) -> None:
        """Begin, or show what is known already and begin when the rest is."""
        if self.reading is None:
            from tui.scene import scene

            self.begin(scene(self.session.question))
            self.complete()
            return
        glance = self.reading.glance
        self.query_one("#status", Lines).show([[(clean(glance.name), "name"), (" │ ", "dim"), ("reading…", "changed")]])
        self.query_one("#objectives", Lines).show([[("… ", "dim"), ("numbers follow", "dim")]])
        self.query_one(TopologyView).show(glance.picture, None)
        read = partial(self.run_worker, self._read, group="read", description="read", thread=True)
        self.call_after_refresh(read)

    async def on_event(self, event: events.Event) -> None:
        """Hold keys back until there is something that they can change."""
        if isinstance(event, events.Key | events.Paste) and self.reading is not None:
            self._held.append(event)
        else:
            await super().on_event(event)

    def _read(self) -> None:
        """Open the file and work its numbers out, which loads what that takes; then load what else there is."""
        from tui.scene import scene
        from tui.views import views

        if self.reading is None:
            return
        try:
            opening = self.reading.open()
            found = scene(opening.session.question)
        except CapacityError as error:
            self.call_from_thread(self._refuse, error)
            return
        self.call_from_thread(self.call_later, self._begin, opening, found)
        views()
        self.call_from_thread(self.call_later, self._complete)

    def _refuse(self, error: CapacityError) -> None:
        self.refused = error
        self.exit()

    async def _begin(self, opening: Opening, found: Scene) -> None:
        self.take_in(opening)
        with self.batch_update():
            await self.furnish()
            self.begin(found)

    def _complete(self) -> None:
        self.complete()
        self.reading = None
        held, self._held = self._held, []
        for event in held:
            self.post_message(event)

    async def furnish(self) -> None:
        """Add the widgets that the first paint did without."""
