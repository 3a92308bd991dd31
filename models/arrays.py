"""Any law over arrays: one call for each point, the answers put together under the names that they have.

Laws in closed form take arrays themselves, at array speed; `docs/theory.md` lists which. A chain, a transform to invert
or a simulation is made for one point at a time: `over` is the loop around it, and costs what the points cost.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_NUMBERS: Final = (int, float, np.number)

_AT_ONCE: Final = 1 << 20
"""Numbers in memory at a time, where each element of an array needs many."""


def over(
    function: Callable[..., Any], skip: type[ValueError] | tuple[type[ValueError], ...] = ()
) -> Callable[..., Any]:
    """Return the function that takes NumPy arrays wherever this one takes a number, or anything else, of one point.

    Arrays with axes are broadcast together, and the function is called for each point in their order, with plain Python
    numbers; all else, lists and tuples too, is handed on whole. Points that are alike are worked out once. Numbers come
    back as an array, None as NaN; tuples and lists of one length as a tuple of such; values with figures, as
    `models.steady.SteadyState`, as `Many` of them. Without arrays it is the function itself.

    An error of the function stops it, and tells where: `skip` names errors, such as UnstableQueueError, that leave NaN
    instead. *A loop*: 2 microseconds a point and what the function takes.
    """

    def called(*args: Any, **kwargs: Any) -> Any:
        given: dict[Any, Any] = {name: _plain(value) for name, value in (*enumerate(args), *kwargs.items())}
        names = [name for name, value in given.items() if isinstance(value, np.ndarray) and value.ndim]
        first, rest = [given[i] for i in range(len(args))], {name: given[name] for name in kwargs}
        if not names:
            return function(*first, **rest)
        arrays = np.broadcast_arrays(*(given[name] for name in names))
        points = list(zip(*(array.ravel().tolist() for array in arrays), strict=True))
        alike = all(array.dtype != object or all(isinstance(x, Hashable) for x in array.flat) for array in arrays)
        seen, found = dict[Any, Any](), list[Any]()
        for place, point in enumerate(points):
            key = point if alike else place
            if key not in seen:
                for name, value in zip(names, point, strict=True):
                    (first if isinstance(name, int) else rest)[name] = value
                try:
                    seen[key] = function(*first, **rest)
                except skip:
                    seen[key] = None
                except ValueError as error:
                    index = ", ".join(str(int(i)) for i in np.unravel_index(place, arrays[0].shape))
                    error.args = (f"{error} (element [{index}])", *error.args[1:])
                    raise
            found.append(seen[key])
        return gathered(found, arrays[0].shape)

    return called


def _plain(value: Any) -> Any:
    """Return a number of NumPy's as one of Python's."""
    return (
        value.item() if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and not value.ndim) else value
    )


def gathered(answers: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """Return the answers of many points, in their order, as arrays: see `over`."""
    known = [answer for answer in answers if answer is not None]
    if all(isinstance(answer, _NUMBERS) for answer in known):
        plain = known and len(known) == len(answers)
        kinds = {type(answer) for answer in known}
        kind = kinds.pop() if plain and len(kinds) == 1 else float
        return np.array([math.nan if a is None else a for a in answers], dtype=kind).reshape(shape)
    if all(type(answer) in (tuple, list) and len(answer) == len(known[0]) for answer in known):
        empty = (None,) * len(known[0])
        columns = zip(*(empty if answer is None else answer for answer in answers), strict=True)
        return tuple(gathered(column, shape) for column in columns)
    each = np.empty(len(answers), dtype=object)
    each[:] = answers
    each = each.reshape(shape)
    return each if all(isinstance(answer, str) for answer in known) else Many(each)


@dataclass(frozen=True, eq=False)
class Many:
    """Many values of one kind, asked together: each attribute is an array of theirs, each method asks every one.

    What a method is given is broadcast with them: `states.response_tail(times[:, None])` has a row for each time.
    `states[i]` is one of them, or some.
    """

    each: NDArray[np.object_]

    @property
    def shape(self) -> tuple[int, ...]:
        """That of the points."""
        return self.each.shape

    def __len__(self) -> int:
        return len(self.each)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self.each)))

    def __getitem__(self, index: Any) -> Any:
        part = self.each[index]
        return Many(part) if isinstance(part, np.ndarray) else part

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        first = next((one for one in self.each.flat if one is not None), None)
        if first is None:
            return np.full(self.shape, math.nan)
        if callable(getattr(first, name)):

            def ask(one: Any, *args: Any, **kwargs: Any) -> Any:
                return None if one is None else getattr(one, name)(*args, **kwargs)

            return partial(over(ask), self.each)
        return gathered([None if one is None else getattr(one, name) for one in self.each.flat], self.shape)


def in_parts(function: Callable[..., tuple[Any, ...]], width: Array, *flat: Array) -> tuple[Array, ...]:
    """Return what a function says of flat arrays, asked of so many elements at a time that their rows fit in memory.

    `width` is how many numbers each element needs; those of similar width go together. The function returns arrays,
    one number for each element.
    """
    order = np.argsort(width, kind="stable")
    found: list[Array] = []
    start = 0
    while start < len(order):
        most = 1 + int(_AT_ONCE / max(1.0, width[order[start]]))
        sizes = width[order[start : start + most]]
        sizes = sizes * np.arange(1, len(sizes) + 1)
        stop = start + max(1, int(np.searchsorted(sizes, _AT_ONCE)))
        part = order[start:stop]
        for i, column in enumerate(function(*(values[part] for values in flat))):
            if i == len(found):
                found.append(np.empty(len(order)))
            found[i][part] = column
        start = stop
    return tuple(found)
