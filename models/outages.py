"""How often and how long: outages of a redundant system, and what an error budget has left for them.

An unavailability tells the share of time; a pager cares how often, and a budget how much of it is gone. All *exact* for
independent nodes and zones that are up and down in turn, in the long run.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from models.availability import MONTH, fewer_than, fewer_than_by_zones, left_by_zones, node_unavailability, zones_lost

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def outage_mean(unavailability: float, rate: float) -> float | None:
    """Return the mean duration of an outage, s: the share of time over how often; None where there are none."""
    return unavailability / rate if rate > 0 else None


def nines(unavailability: float) -> float:
    """Return the number of nines: 3 for 99.9 %, infinite for never down. -log10 of the unavailability (*exact*)."""
    return -math.log10(unavailability) if unavailability > 0 else math.inf


def error_budget(objective: float, period: float = MONTH) -> float:
    """Return the seconds that may fail in a period of `period` seconds under an objective like 0.9995 (*exact*)."""
    _check_objective(objective)
    return (1 - objective) * period


def budget_used(unavailability: float, objective: float) -> float:
    """Return which share of the error budget is used up: 1 is all of it, also known as the burn rate (*exact*).

    Source: Beyer et al. 2018, The Site Reliability Workbook, chapter 5.
    """
    _check_objective(objective)
    if not 0 <= unavailability <= 1:
        raise ValueError(f"an unavailability lies in 0..1, not {unavailability!r}")
    return unavailability / (1 - objective)


def burn_rate(share: float, window: float, period: float = MONTH) -> float:
    """Return how many times too fast the budget burns when `share` of it is gone within `window` seconds (*exact*).

    2 % in an hour of 30 days is 14.4, 5 % in six hours 6, 10 % in three days 1: the thresholds at which to page.
    Source: Beyer et al. 2018, chapter 5, table 5-2.
    """
    if not (share >= 0 and window > 0 and period > 0):
        raise ValueError(f"a share >= 0 and times > 0 are needed, not {share!r}, {window!r}, {period!r}")
    return share * period / window


def until_spent(rate: float, left: float = 1.0, period: float = MONTH) -> float:
    """Return the seconds until the share of a budget that is left is spent at this burn rate, infinite at 0."""
    if not (rate >= 0 and left >= 0 and period > 0):
        raise ValueError(f"a rate and a share >= 0 and a period > 0 are needed, not {rate!r}, {left!r}, {period!r}")
    return left * period / rate if rate > 0 else math.inf


def _check_objective(objective: float) -> None:
    if not 0 <= objective < 1:
        raise ValueError(f"an objective lies in [0, 1): 1 leaves no budget at all; found {objective!r}")
