"""Availability in closed form: up and down in turn, k of n, zones as shared fate, parts in series."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from sympy import Integer, Rational, Sum, Symbol, binomial

from models.availability import left_by_zones
from models.formulas.formula import Formula, Quantity, Step, chained
from models.formulas.symbols import NODES, real, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sympy import Expr

_j = Symbol("j", integer=True, nonnegative=True)
MTBF: Final = real("f", "mean time between failures of a node", "s")
MTTR: Final = real("r", "mean time until it is replaced", "s")
DOWN: Final = real("u", "share of time a node is down")
NEEDED: Final = whole("k", "nodes that are needed")
UNAVAILABLE: Final = real("U", "share of time with fewer than k nodes up")

NODE_DOWN: Final = Formula(
    "unavailability of a node",
    (MTBF, MTTR),
    (Step(DOWN, MTTR.symbol / (MTBF.symbol + MTTR.symbol)),),
    "Ross 1996, Stochastic Processes, theorem 3.4.4",
    exact=True,
    accuracy="exact for any distributions of the two times",
    solvable=("f", "r"),
)


def too_few(nodes: Expr, needed: Expr, down: Expr) -> Expr:
    """Return the probability that fewer than `needed` of `nodes` are up."""
    return Sum(binomial(nodes, _j) * (1 - down) ** _j * down ** (nodes - _j), (_j, 0, needed - 1))


K_OF_N: Final = Formula(
    "k of n",
    (NODES, NEEDED, DOWN),
    (Step(UNAVAILABLE, too_few(NODES.symbol, NEEDED.symbol, DOWN.symbol)),),
    "Kuo and Zuo 2003, Optimal Reliability Modeling, chapter 7",
    exact=True,
    accuracy="exact for independent failures",
)


def in_series(parts: int) -> Formula:
    """Return the unavailability of several parts that all have to be up (*exact* for independent ones)."""
    downs = [real(f"u_{i + 1}", "unavailability of a part") for i in range(parts)]
    up: Expr = Integer(1)
    for q in downs:
        up *= 1 - q.symbol
    step = Step(real("U", "unavailability of all of them"), 1 - up)
    return Formula("in series", tuple(downs), (step,), "definition", exact=True, accuracy="exact", solvable=("u_1",))


CREWS: Final = whole("c", "nodes that can be repaired at a time")


def repaired(nodes: int, needed: int, crews: int) -> Formula:
    """Return the unavailability of nodes that wait for a repair crew (*exact*): the states are counted out.

    Relative to no node down, j of them weigh as many ways, over the repairs that were possible on the way there.
    """
    ratio = real("r_f", "repair time over time between failures")
    weights: list[Expr] = [Integer(1)]
    for j in range(nodes):
        weights.append(weights[-1] * Rational(nodes - j, min(j + 1, crews)) * ratio.symbol)
    few = sum(weights[nodes - needed + 1 :], Integer(0))
    steps = (Step(ratio, MTTR.symbol / MTBF.symbol), Step(UNAVAILABLE, few / sum(weights, Integer(0))))
    return Formula(
        "k of n with repair crews",
        (MTBF, MTTR),
        steps,
        "Taylor and Jackson 1954; Gross, Shortle, Thompson and Harris 2008, section 2.7",
        exact=True,
        accuracy="exact for exponential repairs and any times between failures",
    )


OUTAGES: Final = Formula(
    "how often too few are up",
    (NODES, NEEDED, DOWN, MTBF),
    (
        Step(
            real("w", "outages that begin in a second", "/s"),
            NEEDED.symbol
            * binomial(NODES.symbol, NEEDED.symbol)
            * (1 - DOWN.symbol) ** NEEDED.symbol
            * DOWN.symbol ** (NODES.symbol - NEEDED.symbol)
            / MTBF.symbol,
        ),
    ),
    "Kuo and Zuo 2003, Optimal Reliability Modeling, section 2.9",
    exact=True,
    accuracy="exact for independent failures",
)

BUDGET: Final = Formula(
    "share of an error budget that is used",
    (UNAVAILABLE, OBJECTIVE := real("A_w", "availability that is wanted")),
    (Step(real("b", "share of the error budget that is used"), UNAVAILABLE.symbol / (1 - OBJECTIVE.symbol)),),
    "Beyer et al. 2018, The Site Reliability Workbook, chapter 5",
    exact=True,
    accuracy="exact",
    solvable=("U", "A_w"),
)

ZONE_MTBF: Final = real("f_z", "mean time between failures of a zone", "s")
ZONE_MTTR: Final = real("r_z", "mean time until it is back", "s")
ZONE_DOWN: Final = real("q", "share of time a zone is down")
RESTARTS: Final = real("i", "planned restarts of a node in a month")
RESTART: Final = real("r_p", "time of a planned restart", "s")
MONTH: Final = real("M", "seconds of a month", "s")
RESTARTING: Final = real("x", "share of time in which some node of a part restarts")
SWITCH: Final = real("o", "time until another node takes writes", "s")
SWITCHING: Final = real("y", "share of time in which nobody takes writes")
PARTS: Final = whole("g", "parts that all have to be up")


def zoned(
    nodes: int, zones: int, needed: int, *, parts: int = 1, restarts: bool = True, switches: bool = False
) -> Formula:
    """Return the unavailability of a tier whose nodes stand in zones, share their fate and restart in turn (*exact*).

    `needed` of `nodes` nodes are, in each of `parts` parts. How many are left of them when so many zones are lost does
    not depend on any value and is counted out here: a step for each number of zones lost.
    """
    steps = [*NODE_DOWN.steps, Step(ZONE_DOWN, ZONE_MTTR.symbol / (ZONE_MTBF.symbol + ZONE_MTTR.symbol))]
    inputs: list[Quantity] = [MTBF, MTTR, ZONE_MTBF, ZONE_MTTR]
    outcomes, fewer = left_by_zones([nodes], zones), left_by_zones([max(nodes - 1, 0)], zones)
    if restarts:
        inputs += [RESTARTS, RESTART, MONTH]
        steps.append(Step(RESTARTING, RESTARTS.symbol * RESTART.symbol / MONTH.symbol * nodes))
    total: Expr = Integer(0)
    for lost in range(zones + 1):
        quantity = real(f"U_{lost}", f"share of too few nodes while {lost} zones are down")
        found = _left(outcomes[lost], zones, lost, needed)
        if restarts:
            x = RESTARTING.symbol
            found = (1 - x) * found + x * _left(fewer[lost], zones, lost, needed)
        steps.append(Step(quantity, found if parts == 1 else 1 - (1 - found) ** parts))
        q = ZONE_DOWN.symbol
        total += math.comb(zones, lost) * q**lost * (1 - q) ** (zones - lost) * quantity.symbol
    steps.append(Step(UNAVAILABLE, total))
    if switches:
        inputs += [SWITCH]
        rate = 1 / MTBF.symbol + (RESTARTS.symbol / MONTH.symbol if restarts else 0)
        steps.append(Step(SWITCHING, parts * SWITCH.symbol * rate))
        down = real("D", "share of time it is down")
        steps.append(Step(down, 1 - (1 - UNAVAILABLE.symbol) * (1 - SWITCHING.symbol)))
    source = "Kuo and Zuo 2003, chapter 7; Ross 1996, theorem 3.4.4"
    told = "exact for nodes and zones that fail independently, one restart at a time"
    return Formula("availability of a tier", tuple(inputs), tuple(steps), source, exact=True, accuracy=told)


def _left(outcome: Mapping[tuple[int, ...], float], zones: int, lost: int, needed: int) -> Expr:
    """Return the probability of too few nodes, over how many are left; the probabilities as fractions."""
    ways = math.comb(zones, lost)
    return sum((Rational(round(p * ways), ways) * _fewer(left, needed) for (left,), p in outcome.items()), Integer(0))


def _fewer(left: int, needed: int) -> Expr:
    if left < needed:
        return Integer(1)
    return Integer(0) if needed <= 0 else too_few(Integer(left), Integer(needed), DOWN.symbol)


MOST_NODES: Final = 200
"""Nodes up to which the sums are written out."""

DOWNTIME: Final = chained(
    "downtime",
    Formula(
        "",
        (UNAVAILABLE, MONTH),
        (Step(real("t_d", "seconds of downtime in a month", "s"), UNAVAILABLE.symbol * MONTH.symbol),),
        "definition",
        exact=True,
        accuracy="exact",
    ),
)
