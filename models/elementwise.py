"""One formula for single numbers and for arrays: what `math` and NumPy do differently, and what a decision becomes.

A law that takes both begins with `numbers`, which leaves single numbers as they are, plain Python, and broadcasts all
else to arrays of floats. NumPy is imported for arrays only: a single number is ten times as fast without it. Where a
single number has None for an answer that does not exist, an array has NaN. The first element that has no meaning
stops them all, with the message that it would have alone, and where it is.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Number = TypeVar("Number", float, "Array")
"""One number or an array of them."""

Truth: TypeAlias = "bool | NDArray[np.bool_]"
"""A decision, or one for each element."""

_SINGLE: Final = (float, int)
"""Made once: a union that is written where it is asked for is made anew each time."""


def single(*values: object) -> bool:
    """Return whether all are single numbers of plain Python, or of NumPy's floats, which are that too."""
    for value in values:  # noqa: SIM110, a loop takes a third of the time
        if not isinstance(value, _SINGLE):
            return False
    return True


def numbers(*values: Any) -> tuple[Any, ...]:
    """Return single numbers as they are, all else as arrays of floats of one shape; an array of no axes is single.

    Raises ValueError where the shapes do not go together.
    """
    if single(*values):
        return values
    import numpy as np  # noqa: PLC0415, single numbers need no arrays

    arrays = np.broadcast_arrays(*(np.asarray(value, dtype=float) for value in values))
    return tuple(arrays) if arrays[0].ndim else tuple(np.asarray(value).item() for value in values)


def alone(*several: tuple[str, Any], **values: Any) -> None:
    """Raise TypeError for an array or a list: what is made for one point at a time says how it is run over many.

    Each value by the name of its argument; `several` are the elements of an argument that is a sequence.
    """
    for name, value in (*several, *values.items()):
        if getattr(value, "ndim", 0) or isinstance(value, list | tuple):
            what = f"{name}: found {'an array' if hasattr(value, 'ndim') else f'a {type(value).__name__}'}"
            cure = "models.arrays.over runs it over NumPy arrays"
            raise TypeError(f"{what}; this is made for one point at a time: {cure}")


def whole(values: Any, wanted: str) -> Any:
    """Return numbers that count something, single ones as integers; raises ValueError, `wanted`, for others."""
    require(values % 1 == 0, wanted, values)
    return int(values) if single(values) else values


def require(fine: Truth, message: str, *values: Any) -> None:
    """Raise ValueError unless it is fine: `message`, formatted with the values that were found, of the first element.

    Comparisons with NaN are false: ask for what is fine, not for what is wrong.
    """
    if fine is True:
        return
    if _one(fine):
        if not fine:
            raise ValueError(message.format(*(value.item() if hasattr(value, "item") else value for value in values)))
        return
    wrong = ~cast("NDArray[np.bool_]", fine)
    if wrong.any():
        place = first(wrong)
        found = (value if isinstance(value, _SINGLE) else value.flat[place].item() for value in values)
        raise ValueError(message.format(*found) + where(wrong))


def first(wrong: NDArray[np.bool_]) -> int:
    """Return the flat place of the first element that is true."""
    return int(wrong.argmax())


def where(wrong: NDArray[np.bool_]) -> str:
    """Return in words where the first element is that is true, and how many there are."""
    place, at = first(wrong), []
    for length in reversed(wrong.shape):
        place, rest = divmod(place, length)
        at.append(rest)
    index = ", ".join(map(str, reversed(at)))
    return f" (element [{index}], the first of {int(wrong.sum())} of {wrong.size})"


def either(condition: Truth, then: Callable[[], Number], otherwise: Callable[[], Number]) -> Number:
    """Return one or the other; of arrays both are computed, and what one says where it does not hold is dropped."""
    if condition is True:
        return then()
    if _one(condition):
        return then() if condition else otherwise()
    import numpy as np  # noqa: PLC0415

    with np.errstate(all="ignore"):
        return cast("Number", np.where(condition, then(), otherwise()))


def known(condition: Truth, value: Callable[[], Any]) -> Any:
    """Return a value where there is one, else None; in arrays NaN, also for each figure of a tuple."""
    if condition is True:
        return value()
    if _one(condition):
        return value() if condition else None
    import numpy as np  # noqa: PLC0415

    with np.errstate(all="ignore"):
        found = value()
        if not isinstance(found, tuple):
            return np.where(condition, found, math.nan)
        # A named tuple is made of its figures one by one.
        figures = (np.where(condition, figure, math.nan) for figure in found)
        return type(found)(*figures) if hasattr(found, "_fields") else tuple(figures)


def exp(x: Number) -> Number:
    """Return e^x, by the standard library for single numbers, which is ten times as fast there."""
    return math.exp(x) if isinstance(x, _SINGLE) else cast("Number", _numpy("exp", x))


def expm1(x: Number) -> Number:
    """Return e^x - 1."""
    return math.expm1(x) if isinstance(x, _SINGLE) else cast("Number", _numpy("expm1", x))


def log(x: Number) -> Number:
    """Return the natural logarithm."""
    return math.log(x) if isinstance(x, _SINGLE) else cast("Number", _numpy("log", x))


def log1p(x: Number) -> Number:
    """Return ln(1 + x)."""
    return math.log1p(x) if isinstance(x, _SINGLE) else cast("Number", _numpy("log1p", x))


def log10(x: Number) -> Number:
    """Return the logarithm to the base of 10."""
    return math.log10(x) if isinstance(x, _SINGLE) else cast("Number", _numpy("log10", x))


def sqrt(x: Number) -> Number:
    """Return the square root."""
    return math.sqrt(x) if isinstance(x, _SINGLE) else cast("Number", _numpy("sqrt", x))


def atanh(x: Number) -> Number:
    """Return the inverse hyperbolic tangent."""
    return math.atanh(x) if isinstance(x, _SINGLE) else cast("Number", _numpy("arctanh", x))


def every(condition: Truth) -> bool:
    """Return whether it holds, or holds for every element."""
    return condition if isinstance(condition, bool) else bool(condition.all())


def summed(terms: Sequence[Any]) -> Any:
    """Return the sum of terms that may cancel: rounded once, of arrays nearly so (Neumaier 1974)."""
    if all(isinstance(term, _SINGLE) for term in terms):
        return math.fsum(terms)
    total, missed = terms[0], 0.0 * terms[0]
    for term in terms[1:]:
        updated = total + term
        larger_first = abs(total) >= abs(term)
        missed = missed + either(larger_first, lambda: (total - updated) + term, lambda: (term - updated) + total)  # noqa: B023
        total = updated
    return total + missed


def larger(x: Number, y: Number | float) -> Number:
    """Return the larger of both."""
    return max(x, y) if isinstance(x, _SINGLE) and isinstance(y, _SINGLE) else cast("Number", _numpy("maximum", x, y))


def smaller(x: Number, y: Number | float) -> Number:
    """Return the smaller of both."""
    return min(x, y) if isinstance(x, _SINGLE) and isinstance(y, _SINGLE) else cast("Number", _numpy("minimum", x, y))


def _numpy(name: str, *values: Any) -> Any:
    import numpy as np  # noqa: PLC0415

    return getattr(np, name)(*values)


def _one(condition: Truth) -> bool:
    return condition is False or getattr(condition, "ndim", 0) == 0
