"""Ways to go somewhere and to find out what can be done: find, jump, help, the list of changes, the commands."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from textual.widget import Widget

from tui.base import SessionApp
from tui.drawing.canvas import Key
from tui.widgets.topology import TopologyView

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from textual.command import Provider

    from tui.bound import Bound
    from tui.screens.jump import Target

NAMES = {"topology": "The drawing", "inspector": "The fields", "view": "The view"}
"""What the panes are called, by their ids."""


def _commands() -> type[Provider]:
    """Return the commands, which know the app, once they are asked for."""
    from tui.commands import Commands

    return Commands


class Finding(SessionApp):
    """How one gets about."""

    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_commands}

    rebound: Mapping[str, str] = {}
    """Keys that were bound to other ids, by id."""

    def scenarios(self) -> list[str | None]:
        """Return the scenarios that this system can meet; None is normal operation."""
        from capacity.scenarios import SCENARIOS, events

        if self.scene is None:
            return [None]
        system = self.scene.search.system
        return [None, *(name for name in SCENARIOS if name != "normal" and any(True for _ in events(system, name)))]

    def bound(self) -> list[Bound]:
        """Return everything that has a key in the main screen."""
        from tui.bound import bound_in, bound_views

        nodes = [self, *self.screen_stack[0].walk_children(Widget)]
        found = {one.id: one for node in nodes for one in bound_in(node, self.rebound)}
        return [*found.values(), *bound_views(self.rebound)]

    def go(self, key: Key) -> None:
        """Select a tier or a class in the drawing, and go there."""
        drawing = self.screen_stack[0].query_one(TopologyView)
        drawing.select(key)
        drawing.focus()

    def become_under(self, **conditions: Any) -> None:
        """Go on under another load or in another scenario."""
        self.become(replace(self.session, **conditions))

    def open_view(self, name: str) -> None:
        """Open a view."""

    def action_command_palette(self) -> None:
        """Open the commands, but not over a dialog: they are about what is beneath it."""
        if len(self.screen_stack) == 1:
            super().action_command_palette()

    def action_find(self) -> None:
        """Narrow the tiers and classes down by typing, and go to one."""
        from tui.screens.pick import Choice, Pick

        document = self.session.now.document
        tiers = [
            Choice(name, str(tier["kind"]), Key("tier", name)) for name, tier in document.values["components"].items()
        ]
        classes = [Choice(name, "request class", Key("class", name)) for name in document.topology.workload.classes]
        every = [*tiers, *classes]
        here = next((i for i, choice in enumerate(every) if choice.value == self.selected), 0)

        def chosen(key: Key | None) -> None:
            if key is not None:
                self.go(key)

        self.push_screen(Pick("Find a tier or a class", every, start=here), chosen)

    def action_list_views(self) -> None:
        """List the views, each with the key that opens it."""
        from tui.bound import bound_views
        from tui.screens.pick import Choice, Pick

        choices = [Choice(f"{one.keys[0]}  {one.title}", one.told, one.id) for one in bound_views(self.rebound)]

        def chosen(found: str | None) -> None:
            if found is not None:
                self.open_view(found.removeprefix("view."))

        self.push_screen(Pick("Which view?", choices, hint="↑↓ or its key · Enter open · Esc back"), chosen)

    def action_history(self) -> None:
        """List every change; going to one undoes what came after it, or makes again what came before."""
        from tui.screens.pick import Choice, Pick

        here = len(self.session.past)
        choices = [
            Choice(f"{i:>3}  {version.label}", "← now" if i == here else "to be made again" if i > here else "", i)
            for i, version in enumerate(self.session.versions)
        ]

        def chosen(position: int | None) -> None:
            if position is not None and position != here:
                self.become(self.session.at(position))

        hint = "Enter goes there: later changes are undone, and kept · Esc back"
        self.push_screen(Pick("History", choices, start=here, hint=hint), chosen)

    def action_jump(self) -> None:
        """Put a letter over every box and pane; its key goes there."""
        from tui.screens.jump import Jump

        def chosen(found: Key | str | None) -> None:
            if isinstance(found, Key):
                self.go(found)
            elif found is not None:
                self._enter(self.query_one(f"#{found}"))

        self.push_screen(Jump(self._targets()), chosen)

    def action_help(self) -> None:
        """Say what can be done with what has the focus, and everywhere."""
        from tui.bound import bound_in, bound_views
        from tui.preferences import folder
        from tui.screens.help import Help, Section

        sections, seen = [], set[str]()
        for node in self.focused.ancestors_with_self if self.focused is not None else ():
            here = tuple(one for one in bound_in(node, self.rebound) if one.id not in seen) if node is not self else ()
            seen.update(one.id for one in here)
            if here:
                sections.append(Section(f"Here: {_pane(node)}", here))
        sections += [Section("Everywhere", tuple(bound_in(self, self.rebound)))]
        opened = tuple(bound_views(self.rebound))
        if opened:
            sections.append(Section("Views: the same key closes one", opened))
        path = folder() / "keys.toml"
        notes = [
            f'Write ID = "KEY" into {path}, one line each:',
            "",
            '    plan.solve = "S"',
            '    walk.left = "left,h,b"',
            "",
            "The ids are those in grey above; keys are as in ctrl+s, f5, space, or a character.",
        ]
        self.push_screen(Help(sections, notes))

    def _targets(self) -> list[Target[Key | str]]:
        from tui.screens.jump import Target

        drawing = self.screen_stack[0].query_one(TopologyView)
        found: list[Target[Key | str]] = []
        if drawing.drawing is not None and drawing.display:
            inside = drawing.scrollable_content_region
            across, down = drawing.scroll_offset
            for key, region in drawing.drawing.regions.items():
                x, y = inside.x + region.x - across, inside.y + region.y - down
                if inside.contains(x, y):
                    found.append(Target(x, y, key))
        panes = [pane for name in NAMES for pane in self.query(f"#{name}") if pane.region.area and pane.display]
        found += [Target(pane.region.right - 4, pane.region.y, str(pane.id)) for pane in panes]
        return found

    def _enter(self, pane: Widget) -> None:
        first = next((widget for widget in (*pane.walk_children(Widget), pane) if widget.focusable), None)
        if first is not None:
            first.focus()


def _pane(node: object) -> str:
    for one in getattr(node, "ancestors_with_self", ()):
        if one.id in NAMES:
            return NAMES[one.id].lower()
    return "what has the focus"
