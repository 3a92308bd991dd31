"""From what was typed to numbers in base units; a range becomes the values along it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from capacity import units
from capacity.calculators.calculator import COUNT, FILE, FLAG, TEXT
from capacity.decode import nearest
from capacity.errors import UsageError, ascii_quoted
from capacity.units import Unit, UnitError, parse, parse_range

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from capacity.calculators.calculator import Calculator, Option, Value

MOST_POINTS: Final = 10_000
MOST_COUNTED: Final = 1e12


def unit_of(option: Option) -> Unit:
    """Return the unit of an option that is a number."""
    if option.unit == COUNT:
        return Unit("a whole number", "16", {}, least=option.least, most=MOST_COUNTED)
    found: Unit = getattr(units, option.unit)
    return found


def read(
    calculator: Calculator, typed: Mapping[str, object], points: int, *, log: bool
) -> tuple[Option | None, list[dict[str, Value]]]:
    """Return the option with a range, if there is one, and what is given at each of its points.

    Raises UsageError for what is no value, out of range, or a second range.
    """
    values: dict[str, Value] = {}
    axis: tuple[Option, list[float]] | None = None
    for option in calculator.options:
        text = typed.get(option.name)
        text = option.default if text is None else text
        if isinstance(text, str) and option.ranges and ".." in text:
            if axis is not None:
                raise UsageError(f"{option.flag}: {axis[0].flag} has a range already; only one option may")
            axis = option, _along(option, text, points, log=log)
            text = None
        values[option.name] = _one(option, text)
    if axis is None:
        return None, [values]
    return axis[0], [{**values, axis[0].name: value} for value in axis[1]]


def _one(option: Option, text: object) -> Value:
    if option.unit == FLAG:
        return bool(text)
    if text is None:
        return None
    typed = str(text)
    if option.unit in (TEXT, FILE):
        return _word(option, typed)
    try:
        value = parse(_bare(typed), unit_of(option))
    except UnitError as error:
        raise _wrong(option, typed, error.allowed) from error
    if option.unit != COUNT:
        return value
    if value != math.floor(value):
        raise _wrong(option, typed, f"a whole number, at least {option.least}")
    return int(value)


def _word(option: Option, typed: str) -> str:
    if option.choices and typed not in option.choices:
        near = nearest(typed, option.choices)
        hint = f"; did you mean {near}?" if near else ""
        raise UsageError(f"{option.flag}: found {ascii_quoted(typed)}; allowed: {', '.join(option.choices)}{hint}")
    return typed


def _bare(typed: str) -> float | str:
    """Return a number without a unit as such: it is in base units, as in a file."""
    try:
        return float(typed.replace("_", ""))
    except ValueError:
        return typed


def _along(option: Option, typed: str, points: int, *, log: bool) -> list[float]:
    if not 2 <= points <= MOST_POINTS:
        raise UsageError(f"--points {points}: at least 2, at most {MOST_POINTS}")
    try:
        low, high = parse_range(typed, unit_of(option))
    except UnitError as error:
        raise _wrong(option, typed, error.allowed) from error
    if log and low <= 0:
        raise UsageError(f"{option.flag}: found {ascii_quoted(typed)}; with --log a range starts above 0")
    values = spread(low, high, points, log=log)
    return [*dict.fromkeys(round(value) for value in values)] if option.unit == COUNT else [*values]


def spread(low: float, high: float, points: int, *, log: bool) -> Sequence[float]:
    """Return values from low to high in equal steps, or with `log` in equal ratios."""
    shares = [i / (points - 1) for i in range(points)]
    if log:
        return [float(f"{math.exp(math.log(low) * (1 - s) + math.log(high) * s):.12g}") for s in shares]
    return [float(f"{low + (high - low) * s:.12g}") for s in shares]


def _wrong(option: Option, typed: str, allowed: str) -> UsageError:
    return UsageError(f"{option.flag}: found {ascii_quoted(typed)}; allowed: {allowed}")
