"""Keys and colours as somebody wants them, from files, and kept there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.binding import Binding

from capacity.errors import UsageError
from tui.drawing.text import clean
from tui.finding import Finding
from tui.greys import in_greys
from tui.themes import FEW_COLOURS, THEMES, USUAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.filter import LineFilter

    from tui.session import Session


class Preferring(Finding):
    """What differs from one person to another."""

    def __init__(self, session: Session | None) -> None:
        super().__init__(session)
        for each in THEMES:
            self.register_theme(each)
        self.theme = self._wanted_theme()

    def on_mount(self) -> None:
        """Take a theme that this terminal can show."""
        if self.theme == USUAL and not self.is_headless and self.console.color_system in ("standard", "windows"):
            self.theme = FEW_COLOURS

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what every painted line goes through: without colours, greys that any theme can be told in."""
        filters = super().get_line_filters()
        return in_greys(filters) if self.no_color else filters

    def complete(self) -> None:
        """Bind the keys of the views, and those that a file names otherwise; every widget with keys is there now."""
        from tui import preferences
        from tui.bound import bound_views, view_binding
        from tui.views import views

        super().complete()
        for view in views():
            self._bindings.key_to_bindings.setdefault(view.key, []).append(
                Binding(view.key, f"view('{view.id}')", view.title, show=False, id=view_binding(view.id))
            )
        known = {one.id: ",".join(one.keys) for one in [*self.bound(), *bound_views({})]}
        try:
            bound = preferences.rebound(preferences.read("keys.toml"), known)
        except UsageError as error:
            bound = preferences.Rebound({}, [str(error)])
        self.rebound = bound.keys
        self.set_keymap(bound.keys)
        self._complain("keys.toml", bound.problems)

    def action_theme(self, name: str) -> None:
        """Take another theme, and keep it."""
        from tui import preferences

        self.theme = name
        try:
            preferences.keep_theme(name)
        except UsageError as error:
            self.notify(clean(str(error)), title="The theme is not kept", severity="warning", markup=False)

    def _wanted_theme(self) -> str:
        from tui import preferences

        try:
            wanted, problems = preferences.theme(preferences.read("settings.toml"), self.available_themes)
        except UsageError as error:
            wanted, problems = None, [str(error)]
        self.call_later(self._complain, "settings.toml", problems)
        return wanted or USUAL

    def _complain(self, name: str, problems: Sequence[str]) -> None:
        from tui import preferences

        if problems:
            told = "\n".join(clean(problem) for problem in problems)
            title = str(preferences.folder() / name)
            self.notify(told, title=clean(title), severity="warning", timeout=15, markup=False)
