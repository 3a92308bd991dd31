"""Which box is the next one in a direction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tui.drawing.canvas import Drawing, Key, Region

Direction = Literal["left", "right", "up", "down"]


def neighbour(drawing: Drawing, selected: Key | None, direction: Direction) -> Key | None:
    """Return the nearest box in a direction, None at the edge; the first box where none is selected.

    Along edges first: to the right are those that it calls. In a tree, up and down follow its lines, and left and right
    go to who calls and to who is called.
    """
    here = drawing.regions.get(selected) if selected is not None else None
    if here is None or selected is None:
        return next(iter(drawing.regions), None)
    if drawing.form == "tree" and direction in ("up", "down"):
        ordered = sorted(drawing.regions, key=lambda key: drawing.regions[key].y)
        place = ordered.index(selected) + (1 if direction == "down" else -1)
        return ordered[place] if 0 <= place < len(ordered) else None
    joined = []
    if direction == "right":
        joined = [edge.end for edge in drawing.edges if edge.start == selected]
    elif direction == "left":
        joined = [edge.start for edge in drawing.edges if edge.end == selected]
    if drawing.form == "tree":
        return next((key for key in joined if key in drawing.regions), None)
    ahead = [key for key in joined if key in drawing.regions and _off(here, drawing.regions[key], direction)]
    others = [key for key, region in drawing.regions.items() if key != selected and _off(here, region, direction)]
    candidates = ahead or others
    return min(candidates, key=lambda key: _off(here, drawing.regions[key], direction) or 0.0, default=None)


def _off(here: Region, there: Region, direction: Direction) -> float | None:
    """Return how far off a region is in a direction, None where it is not that way. Sideways counts more."""
    across = (there.x + there.width / 2) - (here.x + here.width / 2)
    # A cell is twice as high as it is wide.
    down = 2 * ((there.y + there.height / 2) - (here.y + here.height / 2))
    along, beside = {
        "right": (across, down), "left": (-across, down), "down": (down, across), "up": (-down, across),
    }[direction]  # fmt: skip
    return None if along <= 1 else along + 3 * abs(beside)
