"""What the names of styles look like in the theme that is on: resolved once, so that painting a line costs a look-up.

These are no component classes of a style sheet: each of those is matched anew for every widget that has it, whenever a
class of something above it changes, and the drawing alone would have thirty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from rich.style import Style
from textual.color import Color

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import App


class Look(NamedTuple):
    """A colour of the theme and how much of it, the rest being the background; bold, italic; what is behind it."""

    colour: str = ""
    share: float = 1.0
    bold: bool = False
    italic: bool = False
    behind: str = ""


_BOLD: Final = Look(bold=True)
_MUTED: Final = Look("text-muted")
_GOOD: Final = Look("success")
_WARN: Final = Look("warning")
_BAD: Final = Look("error")
_BAD_BOLD: Final = Look("error", bold=True)

LOOKS: Final[Mapping[str, Look]] = {
    "name": _BOLD,
    "selected": Look("primary-lighten-3", bold=True),
    "row": Look(bold=True, share=0.45, behind="primary"),
    "kind": _MUTED,
    "dim": _MUTED,
    "label": _MUTED,
    "heading": Look("text-muted", bold=True),
    "nodes": Look("foreground", 0.8),
    "box": Look("foreground", 0.55),
    "box.busy": _WARN,
    "box.over": _BAD,
    "box.overloaded": _BAD,
    "bottleneck": Look("warning", bold=True),
    "bar.calm": Look("success", bold=True),
    "bar.busy": Look("warning", bold=True),
    "bar.over": _BAD_BOLD,
    "bar.overloaded": _BAD_BOLD,
    "bar.empty": Look("foreground", 0.2),
    "bar.post": Look("foreground", 0.5),
    "load": _BOLD,
    "load.busy": Look("warning", bold=True),
    "load.over": _BAD_BOLD,
    "load.overloaded": _BAD_BOLD,
    "fact.over": _BAD,
    "fact.overloaded": _BAD,
    "edge": Look("foreground", 0.45),
    "edge.async": Look("primary-lighten-1"),
    "class": Look("primary-lighten-2"),
    "class.over": _BAD_BOLD,
    "change.better": Look("success", bold=True),
    "change.worse": _BAD_BOLD,
    "change.changed": Look("accent"),
    "dirty": Look("warning", bold=True),
    "changed": Look("accent", bold=True),
    "money": _BOLD,
    "strong": _BOLD,
    "better": _GOOD,
    "good": _GOOD,
    "worse": _BAD,
    "bad": _BAD_BOLD,
    "warn": _WARN,
    "field.value": _BOLD,
    "field.default": _MUTED,
    "field.plan": Look("accent", bold=True),
    "field.hint": _MUTED,
    "field.heading": Look("text-muted", italic=True),
    "field.marker": Look("accent", bold=True),
    "field.error": _BAD_BOLD,
    "field.was": Look("text-accent"),
}
"""The styles of every line that we paint; "box.excused" is a "box", since it has no look of its own."""


class Styles(dict[str, Style]):
    """What the names of styles look like over a background, each worked out when it is first asked for."""

    def __init__(self, variables: Mapping[str, str], base: Style, *, dim: bool) -> None:
        super().__init__()
        self._variables, self._base, self._dim = variables, base, dim

    def __missing__(self, name: str) -> Style:
        """Work a style out."""
        self[name] = found = self._base + _look(self._variables, name, dim=self._dim)
        return found


_KNOWN: Final[dict[tuple[int, Style, bool], Styles]] = {}
"""By the theme's variables, which are the same object for as long as they are here, and what else is asked."""

_MOST_KNOWN: Final = 64


def styles_over(app: App[object], base: Style, *, dim: bool = False) -> Styles:
    """Return what the names of styles look like over a background in the theme that is on."""
    variables = app.theme_variables
    asked = id(variables), base, dim
    found = _KNOWN.get(asked)
    if found is None:
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.clear()
        found = _KNOWN[asked] = Styles(variables, base, dim=dim)
    return found


def _look(variables: Mapping[str, str], name: str, *, dim: bool) -> Style:
    while name not in LOOKS and "." in name:
        name = name.rpartition(".")[0]
    look = LOOKS.get(name)
    if look is None:
        return Style(dim=dim or None)
    words = (variables.get(word, "") for word in (look.colour, look.behind, "background", "foreground"))
    colour, behind, background, foreground = words
    front, faint = _colour(colour, look.share, background, foreground)
    back, _ = _colour(behind, look.share, background, foreground)
    return Style(
        color=front.rich_color if front is not None else None,
        bgcolor=back.rich_color if back is not None else None,
        bold=look.bold or None,
        italic=look.italic or None,
        dim=dim or faint or None,
    )


def _colour(word: str, share: float, background: str, foreground: str) -> tuple[Color | None, bool]:
    """Return a colour of a theme over its background, and whether it has to be dimmed instead of mixed."""
    if not word:
        return None, False
    name, _, percent = word.replace("auto", foreground).partition(" ")
    colour, ground = Color.parse(name), Color.parse(background)
    share *= colour.a * (float(percent.removesuffix("%")) / 100 if percent else 1.0)
    if colour.ansi is not None or ground.ansi is not None:
        return colour, share < 1  # the colours of a terminal are its own: nothing is known to mix
    return ground.blend(colour.with_alpha(1.0), share), False
