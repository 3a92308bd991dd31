"""Right-angled lines through the gap between two layers: each wire gets a column of its own for its upright part.

A wire comes in at a row on the left and branches to rows on the right. No two lines ever share a cell but where one
crosses the other straight, and a branching of one wire never has four arms: a cross is always a crossing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

LEFT: Final = -1
"""The column before the first: where lines come in."""

Source = int
Targets = tuple[int, ...]


@dataclass(frozen=True)
class Level:
    """A level piece of a wire; `stop` None leads on to the right end of the gap."""

    wire: int
    row: int
    start: int
    stop: int | None


@dataclass(frozen=True)
class Upright:
    """An upright piece of a wire, between two of its rows."""

    wire: int
    column: int
    top: int
    bottom: int


@dataclass(frozen=True)
class Gap:
    """All lines of one gap."""

    columns: int
    levels: tuple[Level, ...]
    uprights: tuple[Upright, ...]


@dataclass(frozen=True, eq=False)
class _Part:
    """An upright to be placed: it comes in at a row, from the left end or from another part, and goes out at rows."""

    wire: int
    comes: int
    goes: tuple[int, ...]
    after: _Part | None = None

    @property
    def top(self) -> int:
        return min(self.comes, *self.goes)

    @property
    def bottom(self) -> int:
        return max(self.comes, *self.goes)

    def inside(self, row: int) -> bool:
        return self.top < row < self.bottom

    def touches(self, other: _Part) -> bool:
        return self.top <= other.bottom + 1 and other.top <= self.bottom + 1

    def before(self, other: _Part) -> bool:
        """Whether this one's line on the left would run into the other's on the right."""
        return other.after is self or (self.wire != other.wire and self.after is None and self.comes in other.goes)


def route(wires: Sequence[tuple[Source, Targets]]) -> Gap:
    """Return the lines of wires, each from a row on the left to rows on the right; no row is used twice on a side."""
    used = {row for source, targets in wires for row in (source, *targets)}
    parts = [part for i, (source, targets) in enumerate(wires) for part in _parts(i, source, targets)]
    column: dict[_Part, int] = {}
    for part in _ordered(parts, used):
        free = [at + 1 for other, at in column.items() if other.touches(part)]
        column[part] = max(free, default=0)
    levels = []
    for i, (source, targets) in enumerate(wires):
        here = [at for part, at in column.items() if part.wire == i and part.after is None]
        levels.append(Level(i, source, LEFT, None if source in targets else max(here)))
    for part, at in column.items():
        nexts = [other for other in column if other.after is part]
        levels += [Level(part.wire, row, at, column[nexts[0]] if nexts else None) for row in part.goes]
    uprights = tuple(Upright(part.wire, at, part.top, part.bottom) for part, at in column.items())
    return Gap(max(column.values(), default=-1) + 1, tuple(levels), uprights)


def _parts(wire: int, source: Source, targets: Targets) -> list[_Part]:
    """Return the uprights of a wire: one, but two where it goes straight on as well as up and down."""
    up = tuple(row for row in targets if row < source)
    down = tuple(row for row in targets if row > source)
    groups = [up, down] if source in targets else [up + down]
    return [_Part(wire, source, group) for group in groups if group]


def _ordered(parts: list[_Part], used: set[int]) -> list[_Part]:
    """Return the parts from left to right, with few crossings; where they block each other in a circle, one is bent."""
    waiting, found = list(parts), []
    cost = {
        (id(a), id(b)): sum(b.inside(row) for row in a.goes) + a.inside(b.comes) for a in parts for b in parts if a != b
    }
    while waiting:
        free = [part for part in waiting if not any(other.before(part) for other in waiting if other is not part)]
        if not free:
            bent = min((p for p in waiting if p.after is None), key=lambda p: (len(p.goes), p.wire))
            row = _free_row(bent.comes, used)
            first = _Part(bent.wire, bent.comes, (row,))
            second = _Part(bent.wire, row, bent.goes, after=first)
            used.add(row)
            waiting = [part for part in waiting if part is not bent] + [first, second]
            continue
        best = min(
            free,
            key=lambda part: sum(
                cost.get((id(part), id(other)), 0) - cost.get((id(other), id(part)), 0) for other in waiting
            ),
        )
        waiting.remove(best)
        found.append(best)
    return found


def _free_row(near: int, used: set[int]) -> int:
    away = 1
    while True:
        for row in (near + away, near - away):
            if row >= 0 and row not in used:
                return row
        away += 1
