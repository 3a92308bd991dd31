"""A curve and points as lines of text: for a look, not for reading numbers off."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from capacity.units import digits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WIDTH: Final = 64
HEIGHT: Final = 16


def plotted(
    curve: Callable[[float], float],
    points: Sequence[tuple[float, float]],
    last: float,
    shown: Callable[[float], str] = digits,
) -> list[str]:
    """Return a curve from 0 to `last` as dots, measured points as o, with the axes' ends written out."""
    values = [curve(last * (i + 0.5) / WIDTH) for i in range(WIDTH)]
    top = max([*values, *(y for _, y in points)]) or 1.0
    grid = [[" "] * WIDTH for _ in range(HEIGHT)]
    for i, value in enumerate(values):
        grid[_row(value, top)][i] = "·"
    for x, y in points:
        if x <= last:
            grid[_row(y, top)][min(int(x / last * WIDTH), WIDTH - 1)] = "o"
    label = shown(top)
    margin = max(len(label), 1)
    lines = [
        f"{label if i == 0 else '0' if i == HEIGHT - 1 else '':>{margin}} │{''.join(row)}" for i, row in enumerate(grid)
    ]
    lines.append(f"{'':>{margin}} └{'─' * WIDTH}")
    lines.append(f"{'':>{margin}}  0{digits(last):>{WIDTH - 1}}")
    return [line.rstrip() for line in lines]


def _row(value: float, top: float) -> int:
    share = min(max(value / top, 0.0), 1.0)
    return HEIGHT - 1 - min(math.floor(share * HEIGHT), HEIGHT - 1)
