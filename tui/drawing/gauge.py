"""How much of something is used, as a bar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tui.drawing.canvas import Span

_EIGHTHS: Final = " ▏▎▍▌▋▊▉"


def gauge(used: float, ceiling: float, severity: str, cells: int) -> tuple[Span, ...]:
    """Return a share as a bar of so many cells between two posts; in the empty part a mark at the ceiling."""
    eighths = round(min(max(used, 0.0), 1.0) * cells * 8)
    full = "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")
    rest = "░" * (cells - len(full))
    place = int(ceiling * cells) - len(full)
    if 0 <= place < len(rest) and ceiling < 1:
        rest = rest[:place] + "┊" + rest[place + 1 :]
    return ("▕", "bar.post"), (full, f"bar.{severity}"), (rest, "bar.empty"), ("▏", "bar.post")
