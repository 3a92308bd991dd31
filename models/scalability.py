"""The Universal Scalability Law: what each added node brings when nodes contend and have to agree.

N nodes do N / (1 + sigma (N - 1) + kappa N (N - 1)) times the work of one: sigma is the share of the work for which
they queue, kappa what each pair loses in agreeing. Without kappa it is Amdahl's law; without both it is linear. The
same law holds for one machine and N users who ask again at once: N / X(N) is then the response time (Little 1961).
Every function takes numbers or arrays, broadcast together. Fitting it to measurements is in `models.scalability_fit`.
"""

from __future__ import annotations

import math
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, overload

from models.elementwise import Number, either, known, larger, numbers, require, sqrt

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]


def relative_capacity(nodes: Number, contention: float, coherency: float) -> Number:
    """Return the capacity of `nodes` nodes in units of one node (*exact* for the law).

    `contention` (sigma) and `coherency` (kappa) are >= 0. Source: Gunther 2007, Guerrilla Capacity Planning, eq. 4.31.
    """
    return nodes / (1 + contention * (nodes - 1) + coherency * nodes * (nodes - 1))


def amdahl(nodes: Number, serial: float) -> Number:
    """Return how much faster `nodes` nodes do the same work, of which a share `serial` cannot be divided (*exact*).

    The law above without coherency. Source: Amdahl 1967; Gunther 2007, section 4.4.
    """
    return relative_capacity(nodes, serial, 0.0)


def gustafson(nodes: Number, serial: float) -> Number:
    """Return how much more work `nodes` nodes do in the same time, of which a share `serial` is serial (*exact*).

    It is Amdahl's law for work that grows with the nodes: there the serial share is serial / gustafson(N). Source:
    Gustafson 1988, "Reevaluating Amdahl's law".
    """
    return serial + (1 - serial) * nodes


def latency(concurrency: Number, contention: float, coherency: float, throughput_of_one: float = 1.0) -> Number:
    """Return the mean response time, s, with so many requests inside: N / X(N) by Little's law (*exact* for the law).

    `throughput_of_one` in 1/s is that of a single request inside, and 1 over its time.
    """
    return (1 + contention * (concurrency - 1) + coherency * concurrency * (concurrency - 1)) / throughput_of_one


@overload
def peak_nodes(contention: float, coherency: float) -> float: ...
@overload
def peak_nodes(contention: ArrayLike, coherency: ArrayLike) -> Array | float: ...
def peak_nodes(contention: Any, coherency: Any) -> Any:
    """Return the number of nodes at which capacity peaks, infinite without coherency (*exact* for the law).

    Source: Gunther 2007, eq. 4.33.
    """
    contention, coherency = numbers(contention, coherency)
    return either(coherency == 0, lambda: math.inf, lambda: sqrt(larger(1 - contention, 0.0) / coherency))


@overload
def peak_capacity(contention: float, coherency: float) -> float: ...
@overload
def peak_capacity(contention: ArrayLike, coherency: ArrayLike) -> Array | float: ...
def peak_capacity(contention: Any, coherency: Any) -> Any:
    """Return the most that any number of nodes does, in units of one node (*exact* for the law).

    Nodes are taken as divisible. Without coherency it is 1/sigma, which is never reached; without both infinite.
    """
    contention, coherency = numbers(contention, coherency)
    peak = peak_nodes(contention, coherency)
    endless = partial(either, contention > 0, lambda: 1 / contention, lambda: math.inf)
    # Half a node does half of one's work: only from one node on there is anything to agree on.
    return either(peak == math.inf, endless, lambda: relative_capacity(larger(peak, 1.0), contention, coherency))


@overload
def nodes_for(relative: float, contention: float, coherency: float) -> float | None: ...
@overload
def nodes_for(relative: ArrayLike, contention: ArrayLike, coherency: ArrayLike) -> Array | float | None: ...
def nodes_for(relative: ArrayLike, contention: ArrayLike, coherency: ArrayLike) -> Array | float | None:
    """Return how many nodes have `relative` times the capacity of one, not rounded (*exact* for the law).

    None (in arrays NaN) where no number of nodes has as much: above the peak, at or above 1/sigma without coherency,
    and where nodes that contend all the time (sigma >= 1) bring nothing. Of the two numbers with equal capacity the one
    before the peak: the smaller root of the quadratic that eq. 4.31 is in N, as 2c / (-b + sqrt(D)), in which nothing
    cancels. Raises ValueError for a capacity below 0.
    """
    if isinstance(relative, float | int) and isinstance(contention, float | int) and isinstance(coherency, float | int):
        _check_capacity(relative, relative >= 0)
        if contention >= 1:
            return None
        linear, cut, rounding = _quadratic(relative, contention, coherency, math.sqrt)
        if linear <= 0 or linear - cut < -rounding:
            return None
        return _smaller_root(relative, contention, linear, cut, math.sqrt, max(linear - cut, 0.0))
    import numpy as np  # noqa: PLC0415 - single numbers need no arrays

    wanted, sigma, kappa = (np.asarray(x, dtype=float) for x in np.broadcast_arrays(relative, contention, coherency))
    _check_capacity(relative, bool(np.all(wanted >= 0)))
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        linear, cut, rounding = _quadratic(wanted, sigma, kappa, lambda x: np.sqrt(np.maximum(x, 0.0)))
        found = _smaller_root(wanted, sigma, linear, cut, np.sqrt, np.maximum(linear - cut, 0.0))
        none = (sigma >= 1) | (linear <= 0) | (linear - cut < -rounding)
    return np.where(none, np.nan, found)


def _check_capacity(given: object, fine: bool) -> None:  # noqa: FBT001, what was found out
    if not fine:
        raise ValueError(f"capacity is at least 0, not {given!r}")


def _quadratic(
    relative: Number, contention: Number, coherency: Number, root: Callable[[Number], Number]
) -> tuple[Number, Number, Number]:
    """Return -b of the quadratic, the part of the discriminant to take from it, and how far both may be rounded."""
    linear, cut = 1 + relative * (coherency - contention), relative * (2 * root(coherency * (1 - contention)))
    # Both are equal at the peak; a capacity that was computed there may be off by its rounding.
    rounding = 4 * sys.float_info.epsilon * (1 + relative * (coherency + contention))
    return linear, cut, rounding


def _smaller_root(  # noqa: PLR0917, a quadratic has as many parts
    relative: Number,
    contention: Number,
    linear: Number,
    cut: Number,
    root: Callable[[Number], Number],
    apart: Number,
) -> Number:
    discriminant = root(apart) * root(linear + cut)
    return relative * ((1 - contention) / ((linear + discriminant) / 2))


@overload
def concurrency_for_latency(
    seconds: float, contention: float, coherency: float, throughput_of_one: float = 1.0
) -> float | None: ...
@overload
def concurrency_for_latency(
    seconds: ArrayLike, contention: ArrayLike, coherency: ArrayLike, throughput_of_one: ArrayLike = 1.0
) -> Array | float | None: ...
def concurrency_for_latency(seconds: Any, contention: Any, coherency: Any, throughput_of_one: Any = 1.0) -> Any:
    """Return how many requests inside have this mean response time, not rounded (*exact* for the law).

    None where none has it, the time being too short even for less than one, or where every number has the same, as
    without contention and coherency. The throughput at that latency is the answer / `seconds`. The positive root of
    kappa N^2 + (sigma - kappa) N = throughput_of_one * seconds - 1 + sigma, in the form in which nothing cancels.
    """
    given = numbers(seconds, contention, coherency, throughput_of_one)
    seconds, contention, coherency, throughput_of_one = given
    fine = (seconds > 0) & (seconds < math.inf) & (throughput_of_one > 0)
    require(fine, "a response time and a throughput are above 0, not {!r} and {!r}", seconds, throughput_of_one)
    slope, rest = contention - coherency, throughput_of_one * seconds - 1 + contention
    enough = (rest >= -4 * sys.float_info.epsilon) & ((slope > 0) | (coherency > 0))
    rest = larger(rest, 0.0)
    discriminant = sqrt(slope * slope + 4 * coherency * rest)
    falling = partial(either, slope > 0, lambda: 2 * rest / (slope + discriminant))
    return known(enough, lambda: falling(lambda: (discriminant - slope) / (2 * coherency)))
