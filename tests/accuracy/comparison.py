"""One comparison of a law with what it is held against, and how it stands in the table."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

Measure = Callable[[], "float | Iterable[float]"]

ROUNDING: Final = 1e-8
"""Errors below are of rounding and of a last step of some search: they differ from machine to machine."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A law, what it is held against, where, how far off it may be, and how far off it is."""

    law: str
    against: str
    """What nobody here wrote: a published table, 50 digits, a simulation; with its source."""
    region: str
    measure: Measure
    bar: float | None = None
    """The worst error that is allowed; None where nobody has set one and the error is only told."""
    kind: str = "relative"
    """Of the errors: relative, absolute, or per cent points."""
    slow: bool = False
    note: str = ""

    @property
    def name(self) -> str:
        """What it is kept under."""
        return f"{self.law} | {self.against} | {self.region}"

    def worst(self) -> float:
        """Measure, and return the worst error; raises where that is no number."""
        found = self.measure()
        errors = [abs(float(error)) for error in (found if isinstance(found, Iterable) else [found])]
        if not errors or not all(map(math.isfinite, errors)):
            raise ArithmeticError(f"{self.name}: an error is no number, or nothing was compared")
        return max(errors)


@dataclass(frozen=True)
class Family:
    """Laws that stand in one table."""

    title: str
    order: int
    intro: str
    comparisons: tuple[Comparison, ...]


def error_shown(worst: float) -> str:
    """Return an error as it stands in the table: rounded up, to a power of ten where it is rounding."""
    if worst < ROUNDING:
        power = math.ceil(math.log10(max(worst, 1e-16)) - 1e-9)
        return f"< 1e{power}"
    digits = 10.0 ** (math.floor(math.log10(worst)) - 1)
    up = math.ceil(worst / digits - 1e-6) * digits
    return f"{float(format(up * 100, '.2g')):g} %" if up >= 1e-3 else f"{up:.1e}".replace("e-0", "e-")


def bar_shown(bar: float | None) -> str:
    """Return a bar as it stands in the table."""
    if bar is None:
        return "none set"
    return f"{bar * 100:.2g} %" if bar >= 1e-3 else f"{bar:.0e}".replace("e-0", "e-")


def row(comparison: Comparison, worst: float) -> str:
    """Return the row of the table."""
    met = "told" if comparison.bar is None else "yes" if worst <= comparison.bar else "**NO**"
    error = error_shown(worst) + (f" ({comparison.kind})" if comparison.kind != "relative" else "")
    where = comparison.region + (f" ({comparison.note})" if comparison.note else "")
    cells = (comparison.law, comparison.against, where, error, bar_shown(comparison.bar), met)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def relative(found: float, true: float) -> float:
    """Return the relative error of what was found; the absolute one where the truth is 0."""
    return abs(found / true - 1) if true else abs(found)
