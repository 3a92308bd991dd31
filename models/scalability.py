"""The Universal Scalability Law: what each added node brings when nodes contend and have to agree."""

from __future__ import annotations

import math
import sys


def relative_capacity(nodes: float, contention: float, coherency: float) -> float:
    """Return the capacity of `nodes` nodes in units of one node (*exact* for the law).

    `contention` (sigma) and `coherency` (kappa) are >= 0. Source: Gunther 2007, Guerrilla Capacity Planning, eq. 4.31.
    """
    return nodes / (1 + contention * (nodes - 1) + coherency * nodes * (nodes - 1))


def peak_nodes(contention: float, coherency: float) -> float:
    """Return the number of nodes at which capacity peaks, infinite without coherency (*exact* for the law).

    Source: Gunther 2007, eq. 4.33.
    """
    if coherency == 0:
        return math.inf
    return math.sqrt(max(1 - contention, 0.0) / coherency)


def nodes_for(relative: float, contention: float, coherency: float) -> float | None:
    """Return how many nodes have `relative` times the capacity of one, not rounded (*exact* for the law).

    None where no number of nodes has as much: above the peak, at or above 1/sigma without coherency, and where nodes
    that contend all the time (sigma >= 1) bring nothing. Of the two numbers with equal capacity the one before the
    peak: the smaller root of the quadratic that eq. 4.31 is in N, as 2c / (-b + sqrt(D)), in which nothing cancels.
    """
    if relative < 0:
        raise ValueError(f"capacity is at least 0, not {relative!r}")
    if contention >= 1:
        return None
    linear, cut = 1 + relative * (coherency - contention), relative * (2 * math.sqrt(coherency * (1 - contention)))
    # Both are equal at the peak; a capacity that was computed there may be off by its rounding.
    rounding = 4 * sys.float_info.epsilon * (1 + relative * (coherency + contention))
    if linear <= 0 or linear - cut < -rounding:
        return None
    root = math.sqrt(max(linear - cut, 0.0)) * math.sqrt(linear + cut)
    return relative * ((1 - contention) / ((linear + root) / 2))
