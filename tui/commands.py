"""Everything that can be done, by name: for the command palette."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from textual.command import DiscoveryHit, Hit, Provider
from textual.content import Content
from textual.fuzzy import FuzzySearch
from textual.markup import escape

from capacity.scenarios import TITLES
from tui.bound import shown_keys
from tui.drawing.canvas import Key
from tui.drawing.text import clean
from tui.session import LOADS
from tui.structuring import WORDS
from tui.views import views

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual.command import Hits


class Command(NamedTuple):
    """One thing to do; its name is plain text, whatever is in it."""

    name: str
    told: str
    run: Callable[[], Any]


class Commands(Provider):
    """Offers every action, view, tier, class, scenario, load and theme."""

    async def discover(self) -> Hits:
        """Yield what can be done, before anything has been typed."""
        for command in self._every():
            yield DiscoveryHit(Content(command.name), command.run, text=command.name, help=_plain(command.told))

    async def search(self, query: str) -> Hits:
        """Yield what fits what has been typed."""
        search = FuzzySearch()
        for command in self._every():
            score, places = search.match(query, command.name)
            if score > 0:
                shown = Content(command.name)
                for place in places:
                    shown = shown.stylize(self.match_style or "bold", place, place + 1)
                yield Hit(score, shown, command.run, text=command.name, help=_plain(command.told))

    def _every(self) -> Iterator[Command]:
        from tui.app import CapacityApp

        app = self.app
        if not isinstance(app, CapacityApp):
            return
        for one in app.bound():
            # Going one box on, and what lists these commands, are no use by name.
            if one.title and one.id != "commands" and not one.id.startswith(("walk.", "view.")):
                told = f"{shown_keys(one.keys)} · {one.id}"
                name = f"{one.title}: {one.told[0].lower()}{one.told[1:]}" if one.told else one.title
                yield Command(name, told, partial(app.run_action, one.action, one.node))
        for view in views():
            yield Command(f"{view.title}: {view.question}", f"view · {view.key}", partial(app.open_view, view.id))
        topology = app.session.now.document.topology
        for scope, names in (("tier", topology.components), ("class", topology.workload.classes)):
            for name in names:
                yield Command(f"Go to {clean(name)}", WORDS[scope], partial(app.go, Key(scope, name)))
        for scenario in app.scenarios():
            title = TITLES[scenario or "normal"]
            yield Command(f"Scenario: {title}", "", partial(app.become_under, scenario=scenario))
        for load in LOADS:
            yield Command(f"Load ×{load:g}", "", partial(app.become_under, load=load))
        for theme in sorted(app.available_themes):
            yield Command(f"Theme: {theme}", "kept for the next time", partial(app.action_theme, theme))


def _plain(text: str) -> str | None:
    """Return a text whose brackets are no markup."""
    return escape(clean(text)) if text else None
