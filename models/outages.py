"""How often and how long: outages of a redundant system, and what an error budget has left for them.

An unavailability tells the share of time; a pager cares how often, and a budget how much of it is gone. All *exact* for
independent nodes and zones that are up and down in turn, in the long run.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, overload

from models.availability import MONTH, fewer_than, fewer_than_by_zones, left_by_zones, node_unavailability, zones_lost
from models.elementwise import either, known, log10, numbers, require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from models.elementwise import Array

Lifetimes = tuple[int, float, float]
"""Nodes that are alike, the mean time between failures of each and until it is back, s."""


def outage_rate(
    needed: int, groups: Sequence[Lifetimes], zones: int = 1, zone: tuple[float, float] | None = None
) -> float:
    """Return how often per second a system falls below `needed` nodes up: outages begin (*exact*).

    A node brings the system down when it fails while exactly `needed` are up; a zone (mtbf, mttr) when too few are left
    without it. Whatever the distributions of the times up and down. Raises ValueError as `fewer_than`. Source: Kuo and
    Zuo 2003, Optimal Reliability Modeling, section 2.9; Ross 1996, theorem 3.4.4 for the rate of each part.
    """
    down = [node_unavailability(mtbf, mttr) for _, mtbf, mttr in groups]
    counts = [nodes for nodes, _, _ in groups]
    lost = zones_lost(zones, node_unavailability(*zone)) if zone is not None else [1.0]
    outcomes = left_by_zones(counts, zones) if zone is not None else [{tuple(counts): 1.0}]
    by_nodes = math.fsum(
        weight * chance * _first_too_few(needed, left, groups, down)
        for weight, outcome in zip(lost, outcomes, strict=False)
        for left, chance in outcome.items()
    )
    if zone is None:
        return by_nodes
    too_few = fewer_than_by_zones(needed, list(zip(counts, down, strict=True)), zones)
    by_zones = math.fsum(lost[m] * (zones - m) / zone[0] * max(too_few[m + 1] - too_few[m], 0.0) for m in range(zones))
    return by_nodes + by_zones


def _first_too_few(needed: int, left: Sequence[int], groups: Sequence[Lifetimes], down: Sequence[float]) -> float:
    """Return the rate at which the failure of one node leaves too few of those in the zones that are up."""
    rate = 0.0
    for i, (_, mtbf, mttr) in enumerate(groups):
        if left[i]:
            others = [(nodes - (i == j), down[j]) for j, nodes in enumerate(left)]
            rate += left[i] / (mtbf + mttr) * _exactly(needed - 1, others)
    return rate


def _exactly(count: int, groups: list[tuple[int, float]]) -> float:
    """Return the probability that just so many nodes are up, as a difference of the smaller tails."""
    fewer = fewer_than(count + 1, groups)
    if fewer <= 0.5:
        return max(fewer - fewer_than(count, groups), 0.0)
    # Up and down change places: what was next to 1 is then small and has its digits.
    nodes, turned = sum(n for n, _ in groups), [(n, 1 - u) for n, u in groups]
    return max(fewer_than(nodes - count + 1, turned) - fewer_than(nodes - count, turned), 0.0)


@overload
def outage_mean(unavailability: float, rate: float) -> float | None: ...
@overload
def outage_mean(unavailability: ArrayLike, rate: ArrayLike) -> Array | float | None: ...
def outage_mean(unavailability: Any, rate: Any) -> Any:
    """Return the mean duration of an outage, s: the share of time over how often; None where there are none."""
    unavailability, rate = numbers(unavailability, rate)
    return known(rate > 0, lambda: unavailability / rate)


@overload
def nines(unavailability: float) -> float: ...
@overload
def nines(unavailability: ArrayLike) -> Array | float: ...
def nines(unavailability: Any) -> Any:
    """Return the number of nines: 3 for 99.9 %, infinite for never down. -log10 of the unavailability (*exact*)."""
    (unavailability,) = numbers(unavailability)
    return either(unavailability > 0, lambda: -log10(unavailability), lambda: math.inf)


@overload
def error_budget(objective: float, period: float = MONTH) -> float: ...
@overload
def error_budget(objective: ArrayLike, period: ArrayLike = MONTH) -> Array | float: ...
def error_budget(objective: Any, period: Any = MONTH) -> Any:
    """Return the seconds that may fail in a period of `period` seconds under an objective like 0.9995 (*exact*)."""
    objective, period = numbers(objective, period)
    _check_objective(objective)
    return (1 - objective) * period


@overload
def budget_used(unavailability: float, objective: float) -> float: ...
@overload
def budget_used(unavailability: ArrayLike, objective: ArrayLike) -> Array | float: ...
def budget_used(unavailability: Any, objective: Any) -> Any:
    """Return which share of the error budget is used up: 1 is all of it, also known as the burn rate (*exact*).

    Source: Beyer et al. 2018, The Site Reliability Workbook, chapter 5.
    """
    unavailability, objective = numbers(unavailability, objective)
    _check_objective(objective)
    fine = (unavailability >= 0) & (unavailability <= 1)
    require(fine, "an unavailability lies in 0..1, not {!r}", unavailability)
    return unavailability / (1 - objective)


@overload
def burn_rate(share: float, window: float, period: float = MONTH) -> float: ...
@overload
def burn_rate(share: ArrayLike, window: ArrayLike, period: ArrayLike = MONTH) -> Array | float: ...
def burn_rate(share: Any, window: Any, period: Any = MONTH) -> Any:
    """Return how many times too fast the budget burns when `share` of it is gone within `window` seconds (*exact*).

    2 % in an hour of 30 days is 14.4, 5 % in six hours 6, 10 % in three days 1: the thresholds at which to page.
    Source: Beyer et al. 2018, chapter 5, table 5-2.
    """
    share, window, period = numbers(share, window, period)
    fine = (share >= 0) & (window > 0) & (period > 0)
    require(fine, "a share >= 0 and times > 0 are needed, not {!r}, {!r}, {!r}", share, window, period)
    return share * period / window


@overload
def until_spent(rate: float, left: float = 1.0, period: float = MONTH) -> float: ...
@overload
def until_spent(rate: ArrayLike, left: ArrayLike = 1.0, period: ArrayLike = MONTH) -> Array | float: ...
def until_spent(rate: Any, left: Any = 1.0, period: Any = MONTH) -> Any:
    """Return the seconds until the share of a budget that is left is spent at this burn rate, infinite at 0."""
    rate, left, period = numbers(rate, left, period)
    fine = (rate >= 0) & (left >= 0) & (period > 0)
    require(fine, "a rate and a share >= 0 and a period > 0 are needed, not {!r}, {!r}, {!r}", rate, left, period)
    return either(rate > 0, lambda: left * period / rate, lambda: math.inf)


def _check_objective(objective: Any) -> None:
    fine = (objective >= 0) & (objective < 1)
    require(fine, "an objective lies in [0, 1): 1 leaves no budget at all; found {!r}", objective)
