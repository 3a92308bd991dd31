"""How a number differs from the baseline: a text with an arrow and a sign, and whether that is better or worse."""

from __future__ import annotations

from typing import NamedTuple

from capacity.units import digits, show_seconds


class Change(NamedTuple):
    """A difference as text, empty for none; `trend` is "better", "worse" or "changed"."""

    text: str
    trend: str


NONE = Change("", "changed")


def timed(before: float | None, after: float | None) -> Change:
    """Return how a time changed; None is no answer at all."""
    if before is None or after is None:
        return NONE if before is after else Change("▲ lost", "worse") if after is None else Change("▼ back", "better")
    return _change(before, after, show_seconds(abs(after - before)))


def used(before: float | None, after: float | None) -> Change:
    """Return how a utilisation changed, in percentage points (pp)."""
    if before is None or after is None:
        return NONE
    points = abs(after - before) * 100
    return _change(before, after, f"{digits(round(points, 1))}pp") if points >= 0.05 else NONE


def shared(before: float, after: float) -> Change:
    """Return how a share changed, in percentage points (pp): whether that is good depends on of what it is."""
    return Change(used(before, after).text, "changed")


def differing(before: float, after: float, difference: str) -> Change:
    """Return how a number changed that is neither good nor bad; `difference` is its size with its unit."""
    return Change(_change(before, after, difference).text, "changed")


def counted(before: int, after: int) -> Change:
    """Return how a count changed, which is neither good nor bad."""
    change = _change(before, after, str(abs(after - before)))
    return Change(change.text, "changed")


def _change(before: float, after: float, difference: str) -> Change:
    if abs(after - before) <= 1e-3 * abs(before):
        return NONE
    return Change(f"▲+{difference}", "worse") if after > before else Change(f"▼-{difference}", "better")
