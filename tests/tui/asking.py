"""Views of the examples, asked as the screen asks them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from capacity.document import load
from tui.content import Chart, Note, Table
from tui.scene import scene, solved_counts
from tui.session import Question, opened
from tui.views import Asked, View, views

if TYPE_CHECKING:
    from tui.content import Content
    from tui.scene import Scene

EXAMPLES = Path(__file__).parents[2] / "examples"
SHOP = "shop.toml"
LADDER = sorted(f"ladder/{path.name}" for path in (EXAMPLES / "ladder").glob("*.toml"))


@cache
def seen(example: str, load_factor: float = 1.0, scenario: str | None = None) -> Scene:
    """Return an example with the counts of its plan."""
    document = load(str(EXAMPLES / example))
    counts, _ = solved_counts(document, 1.0)
    return scene(Question(opened(document, counts).now, load_factor, scenario))


def view(name: str) -> View:
    """Return a view by its id."""
    return next(view for view in views() if view.id == name)


def answered(name: str, shown: Scene, request_class: str | None = None, baseline: Scene | None = None) -> Content:
    """Return what a view answers."""
    return view(name).answer(Asked(shown, None, request_class, baseline), lambda _: None)


def table(content: Content, title: str) -> Table:
    """Return the one table whose title begins like this."""
    (found,) = [b for b in content.blocks if isinstance(b, Table) and b.title.startswith(title)]
    return found


def texts(found: Table) -> list[list[str]]:
    """Return the texts of the rows."""
    return [[cell.text for cell in row] for row in found.rows]


def notes(content: Content) -> list[str]:
    """Return the texts of all paragraphs."""
    return [block.text for block in content.blocks if isinstance(block, Note)]


def charts(content: Content) -> list[Chart]:
    """Return all charts."""
    return [block for block in content.blocks if isinstance(block, Chart)]
