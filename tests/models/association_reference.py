"""How two M/M/1 queues that get the same arrivals are associated: exact, from the chain of both queue lengths.

`python -m tests.models.association_reference` prints the table of `models.fork_join`, fitted to this, in seconds.
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

import numpy as np
from numpy.polynomial import chebyshev

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

NEAR, FAR = 0.05, 20.0


def joint_lengths(rho: float, most: int) -> Floats:
    """Return P(n in one queue, m in the other), the second cut off at `most`: levels and phases, and the matrix R.

    Source: logarithmic reduction, Latouche and Ramaswami 1993.
    """
    one = np.eye(most + 1)
    up = rho * np.eye(most + 1, k=1)
    up[most, most] += rho
    served = np.eye(most + 1, k=-1)
    served -= np.diag(served.sum(axis=1))
    local = served - (1 + rho) * one
    inverse = np.linalg.inv(-local)
    high, low = inverse @ up, inverse
    first, passed = low.copy(), high.copy()
    while abs(1 - first.sum(axis=1)).max() > 1e-12:
        left = np.linalg.inv(one - high @ low - low @ high)
        high, low = left @ high @ high, left @ low @ low
        first += passed @ low
        passed = passed @ high
    ratio = up @ np.linalg.inv(-(local + up @ first))
    start = np.linalg.svd((served - rho * one + ratio).T)[2][-1]
    start /= (start @ np.linalg.inv(one - ratio)).sum()
    levels = [start]
    while levels[-1].sum() > 1e-13:
        levels.append(levels[-1] @ ratio)
    return np.array(levels)


def exact_association(x: Floats, rho: float) -> Floats:
    """Return the correlation of both being within t, where each takes longer with probability e^-x."""
    lengths = joint_lengths(rho, math.ceil(-26 / math.log(rho)) + 5)
    t = x / (1 - rho)
    # Whoever finds n ahead takes n + 1 exponential services: Erlang tails, as Poisson sums.
    number = max(lengths.shape)
    terms = np.exp(
        -t + np.arange(number)[:, None] * np.log(t) - np.array([[math.lgamma(n + 1)] for n in range(number)])
    )
    longer = np.cumsum(terms, axis=0)
    both = np.einsum("it,it->t", longer[: len(lengths)], lengths @ longer[: lengths.shape[1]])
    tail = np.exp(-x)
    found: Floats = (both - tail * tail) / (tail * (1 - tail))
    return found


def table() -> Floats:
    """Return Chebyshev coefficients of log(association / rho), in rho and in log x."""
    x, rhos = np.geomspace(NEAR, FAR, 100), (0.02, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95)
    known = np.array([exact_association(x, rho) for rho in rhos])
    place, row = 2 * np.log(x / NEAR) / math.log(FAR / NEAR) - 1, 2 * np.array(rhos) - 1
    basis = chebyshev.chebvander2d(np.repeat(row, len(x)), np.tile(place, len(rhos)), [4, 8])
    weight = known.ravel() + 1e-4
    wanted = np.log(known / np.array(rhos)[:, None]).ravel()
    found: Floats = np.linalg.lstsq(basis * weight[:, None], wanted * weight, rcond=None)[0].reshape(5, 9)
    return found


if __name__ == "__main__":
    for coefficients in table().tolist():
        sys.stdout.write("(" + ", ".join(f"{c:.5f}" for c in coefficients) + "),\n")
