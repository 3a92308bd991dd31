"""How variable services look to a queue that requests visit several times in a row.

What comes back brings the same request again, so that arrivals are not Poisson, and the mean wait is not that of M/G/1.
The numbers at the stages of a row follow, to second order, a linear law: each stage drains into the next at the rate at
which the queue forgets (`models.revisits`), and a busy queue ends services with the variability of a service, each the
service of one of its stages at random. What the Lyapunov equation of that law says of the variance of their sum is held
against that with exponential services, where the product form is exact.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST: Final = 100
"""A longer row feels like one of so many visits: as good as exponential services."""


def row_squared_cv(squared_cv: float, rows: Sequence[tuple[float, int]]) -> float:
    """Return the squared CV that a queue feels whose requests visit it several times in a row.

    `rows` are (share of the visits, visits in a row), shares summing to 1. *Approximate*: n visits in a row feel
    1 + 2 f (c2 - 1) with f = (1 - binomial(2n, n) / 4**n) / n, which is c2 for one visit, and 1 for many: a request of
    many short services is served as in a round robin. Mean times within 3 % of simulation for squared CV 0.25 and 4 on
    1 and 4 servers (with the squared CV as it is 5 to 38 % off), 8 % where most visits are single ones of others (27).
    """
    whole = [(share / min(n, _LONGEST), min(n, _LONGEST)) for share, n in rows]
    felt = math.fsum(a * b * _both_last(n, m) for a, n in whole for b, m in whole)
    return 1 + 2 * felt * (squared_cv - 1)


def _both_last(n: int, m: int) -> float:
    """Return how long two sums of n and of m exponential times of mean 1 both last, on average."""
    return math.fsum(math.comb(i + j, i) / 2.0 ** (i + j + 1) for i in range(n) for j in range(m))
