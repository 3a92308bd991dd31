"""The Universal Scalability Law: what each added node brings when nodes contend and have to agree."""

from __future__ import annotations

import math


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
