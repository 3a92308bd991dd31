"""What + and - do to a field: the next value that makes sense, with the unit as written.

Up and then down returns to the same value: down looks for the value from which up leads here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Literal, get_args, get_origin

from capacity.fields import plain, words
from capacity.units import CEILING, FRACTION, GROWTH, Unit, UnitError, parse

Direction = Literal[1, -1]

_NUMBER: Final = re.compile(r"\s*([+-]?\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)(\s*)(.*?)\s*", re.DOTALL)

_SHARES: Final = (FRACTION, CEILING, GROWTH)

_BY_ONE: Final = 1000
"""Counts from which on one more is nothing that anybody would see."""

_MOST_DIGITS: Final = 6
"""A number with more is the outcome of a computation, not somebody's choice: it is rounded to three."""

_LADDER: Final = ((Decimal("1.5"), 1), (Decimal("3.5"), 2), (Decimal("7.5"), 5))


def stepped(value: Any, hint: Any, direction: Direction, *, big: bool = False) -> Any:
    """Return the next value of a field up (1) or down (-1), as the file would have it; the same where there is none.

    `hint` is the field's annotation (`capacity.fields.annotation`). Counts go by 1, from 1000 on and for `big` by
    about 5 and 10 %; quantities by about 5 % (big: 25 %) in steps of 1, 2 or 5; shares by the last digit that is
    written (big: ten times that); choices to the next one, booleans to the other. An interval moves with all its
    numbers. Nothing leaves the field's range: what does not fit as a big step is tried as a small one.
    """
    if isinstance(value, bool):
        return not value
    choices = words(hint)
    field = plain(hint)
    if isinstance(value, str) and value in choices and len(choices) > 1:
        return choices[(choices.index(value) + direction) % len(choices)]
    if get_origin(field) is None:
        return value
    base, meta = get_args(field)[:2]
    unit = (meta.extra or {}).get("unit")
    step = _quantity if isinstance(unit, Unit) else _count if base is int else None
    if step is None:
        return value
    limits = unit if isinstance(unit, Unit) else meta
    for size in (True, False) if big else (False,):
        found = step(value, limits, direction, size)
        if found is not None:
            return found
    return value


def _count(value: Any, meta: Any, direction: Direction, big: bool) -> int | None:  # noqa: FBT001
    if value is None or isinstance(value, str):
        return int(meta.ge) if direction == 1 else None
    if type(value) is not int:
        return None

    size = _Size(10, least=Decimal(1)) if big else _Size(20, ones_below=_BY_ONE)
    found = int(_up_or_down(Decimal(value), size, direction))
    return found if meta.ge <= found <= meta.le else None


def _quantity(value: Any, unit: Unit, direction: Direction, big: bool) -> Any:  # noqa: FBT001
    if isinstance(value, str):
        try:
            parts = value.split("..")
            moved = [_text(part, unit, direction, big) for part in parts]
            if len(set(moved)) < len(set(parts)):  # an interval keeps its width
                return None
            found: Any = "..".join(moved)
        except InvalidOperation:
            return None
    elif type(value) in (int, float):
        found = _bare(value, unit, direction, big)
    else:
        return None
    try:
        before, after = float(parse(value, unit)), float(parse(found, unit))
    except UnitError:
        return None
    # A step of an interval whose numbers have different units might turn it round.
    return found if (after > before) == (direction == 1) and after != before else None


def _text(text: str, unit: Unit, direction: Direction, big: bool) -> str:  # noqa: FBT001
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise InvalidOperation
    number, gap, suffix = Decimal(match[1].replace("_", "")), match[2], match[3]
    if unit in _SHARES:
        coarsest = 0 if suffix.startswith("%") else 2
        return _plain(_share(number, coarsest, direction, big), strip=False) + gap + suffix
    return _plain(_relative(number, direction, big)) + gap + suffix


def _bare(value: float, unit: Unit, direction: Direction, big: bool) -> int | float:  # noqa: FBT001
    number = Decimal(repr(value))
    if unit in _SHARES:
        return float(_share(number, 2, direction, big))
    if type(value) is int and not unit.suffixes and not big and abs(value) < _BY_ONE:
        return value + direction
    found = _relative(number, direction, big)
    return int(found) if type(value) is int and found == found.to_integral_value() else float(found)


def _share(number: Decimal, coarsest: int, direction: Direction, big: bool) -> Decimal:  # noqa: FBT001
    """Return the next share by its last digit, of which there are at least `coarsest` behind the point."""
    exponent = number.as_tuple().exponent
    places = max(coarsest, -exponent if isinstance(exponent, int) else 0)
    return number + direction * Decimal(1).scaleb(-places) * (10 if big else 1)


def _relative(number: Decimal, direction: Direction, big: bool) -> Decimal:  # noqa: FBT001
    if number == 0:
        return Decimal(1 if direction == 1 else -1)
    if len(number.normalize().as_tuple().digits) > _MOST_DIGITS:
        number = Decimal(f"{number:.3g}")
    size = _Size(4 if big else 20)
    if number < 0:
        return -_up_or_down(-number, size, -direction)
    return _up_or_down(number, size, direction)


def _up_or_down(number: Decimal, size: _Size, direction: int) -> Decimal:
    """Return the number one step on, or the one from which a step leads here, else where steps became larger."""
    if direction == 1:
        return number + size.of(number)
    grown = max(jump for jump in size.jumps(number) if jump <= number)
    for step in sorted({size.of(number), size.of(grown), size.of(grown * Decimal("0.999"))}, reverse=True):
        if number >= step and size.of(number - step) == step:
            return number - step
    return grown


@dataclass(frozen=True)
class _Size:
    """How large a step is: a share of the number, as 1, 2 or 5 times a power of ten."""

    per: int
    """The number over its step, about."""
    least: Decimal = Decimal(0)
    ones_below: int = 0
    """Steps are 1 below this."""

    def of(self, number: Decimal) -> Decimal:
        if number < self.ones_below:
            return Decimal(1)
        share = number / self.per
        power = Decimal(1).scaleb(share.adjusted()) if share else Decimal(0)
        step = power * next((step for most, step in _LADDER if share < most * power), 10)
        return max(self.least, step)

    def jumps(self, number: Decimal) -> list[Decimal]:
        """Return the numbers around one from which on steps are larger, and 0."""
        powers = [Decimal(1).scaleb((number / self.per).adjusted() + i) for i in (-1, 0, 1)] if number else []
        found = [most * power * self.per for power in powers for most, _ in _LADDER]
        return [Decimal(0), Decimal(self.ones_below), *(jump for jump in found if jump > self.ones_below)]


def _plain(number: Decimal, *, strip: bool = True) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if strip and "." in text else text
