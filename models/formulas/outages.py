"""Outages and budgets: how often, how long, what is left of an error budget, and parts beside and after each other."""

from __future__ import annotations

import math
from typing import Final

from sympy import Integer, Rational, binomial, log

from models.formulas.formula import Formula, Quantity, Step, chained
from models.formulas.symbols import NODES, real, whole
from models.formulas.uptime import DOWN, MTBF, MTTR, NODE_DOWN, OBJECTIVE, RESTART, RESTARTS, UNAVAILABLE, repaired

_DEFINITION: Final = "definition"
PERIOD: Final = real("P", "length of the period", "s")
OFTEN: Final = real("w", "outages that begin in a second", "/s")
BURN: Final = real("b", "how many times too fast the budget burns")
_u = UNAVAILABLE.symbol

AVAILABLE: Final = Formula(
    "availability",
    (UNAVAILABLE,),
    (Step(real("A", "share of time it is up"), 1 - _u),),
    _DEFINITION,
    exact=True,
    accuracy="exact",
    solvable=("U",),
)

NODE_UP: Final = chained(
    "availability of a node",
    NODE_DOWN,
    Formula(
        "",
        (DOWN,),
        (Step(real("A_1", "share of time a node is up"), 1 - DOWN.symbol),),
        _DEFINITION,
        exact=True,
        accuracy=NODE_DOWN.accuracy,
    ),
)

DOWN_IN: Final = Formula(
    "downtime in a period",
    (UNAVAILABLE, PERIOD),
    (Step(real("t_d", "downtime in the period", "s"), _u * PERIOD.symbol),),
    _DEFINITION,
    exact=True,
    accuracy="exact",
    solvable=("U", "P"),
)

NINES: Final = Formula(
    "number of nines",
    (UNAVAILABLE,),
    (Step(real("N_9", "nines of the availability"), -log(_u) / log(Integer(10))),),
    _DEFINITION,
    exact=True,
    accuracy="exact",
    solvable=("U",),
)

OUTAGE_MEAN: Final = Formula(
    "mean duration of an outage",
    (UNAVAILABLE, OFTEN),
    (Step(real("t_o", "mean duration of an outage", "s"), _u / OFTEN.symbol),),
    "Ross 1996, Stochastic Processes, theorem 3.4.4",
    exact=True,
    accuracy="exact",
    solvable=("U", "w"),
)

ERROR_BUDGET: Final = Formula(
    "error budget",
    (OBJECTIVE, PERIOD),
    (Step(real("t_b", "time that may fail in the period", "s"), (1 - OBJECTIVE.symbol) * PERIOD.symbol),),
    "Beyer et al. 2018, The Site Reliability Workbook, chapter 5",
    exact=True,
    accuracy="exact",
    solvable=("A_w", "P"),
)

SPENT: Final = real("b_s", "share of the budget that is spent in the window")
WINDOW: Final = real("t_w", "length of the window", "s")

BURN_RATE: Final = Formula(
    "burn rate",
    (SPENT, WINDOW, PERIOD),
    (Step(BURN, SPENT.symbol * PERIOD.symbol / WINDOW.symbol),),
    "Beyer et al. 2018, The Site Reliability Workbook, chapter 5, table 5-2",
    exact=True,
    accuracy="exact",
    solvable=("b_s", "t_w", "P"),
)

REMAINING: Final = real("b_l", "share of the budget that is left")

UNTIL_SPENT: Final = Formula(
    "time until the budget is spent",
    (BURN, REMAINING, PERIOD),
    (Step(real("D", "time until the budget is spent", "s"), REMAINING.symbol * PERIOD.symbol / BURN.symbol),),
    "Beyer et al. 2018, The Site Reliability Workbook, chapter 5",
    exact=True,
    accuracy="exact",
    solvable=("b", "b_l", "P"),
)

SWITCH: Final = real("o", "time until another node takes writes", "s")
FAILOVERS: Final = Formula(
    "time lost by failovers",
    (NODES, SWITCH, MTBF),
    (Step(real("y", "share of time in which nobody takes writes"), NODES.symbol * SWITCH.symbol / MTBF.symbol),),
    "renewal theory",
    exact=True,
    accuracy="exact for failovers that are short against the time between them",
    solvable=("o", "f"),
)

MAINTENANCE: Final = Formula(
    "time lost by planned restarts",
    (RESTARTS, RESTART, MONTH := real("M", "seconds of a month", "s")),
    (Step(real("x", "share of time in which a node restarts"), RESTARTS.symbol * RESTART.symbol / MONTH.symbol),),
    _DEFINITION,
    exact=True,
    accuracy="exact",
    solvable=("i", "r_p", "M"),
)

ZONES: Final = whole("z", "zones")
LOST: Final = whole("l", "of them that are down")
ZONE_DOWN: Final = real("q", "share of time a zone is down")

ZONES_LOST: Final = Formula(
    "so many zones down",
    (ZONES, LOST, ZONE_DOWN),
    (
        Step(
            real("p_l", "probability that just so many zones are down"),
            binomial(ZONES.symbol, LOST.symbol)
            * ZONE_DOWN.symbol**LOST.symbol
            * (1 - ZONE_DOWN.symbol) ** (ZONES.symbol - LOST.symbol),
        ),
    ),
    "binomial distribution",
    exact=True,
    accuracy="exact for independent zones",
)


def in_parallel(parts: int) -> Formula:
    """Return the unavailability of several parts of which one is enough (*exact* for independent ones)."""
    downs: list[Quantity] = [real(f"u_{i + 1}", "unavailability of a part") for i in range(parts)]
    product = math.prod((q.symbol for q in downs), start=Integer(1))
    step = Step(real("U", "share of time all of them are down"), product)
    return Formula("in parallel", tuple(downs), (step,), _DEFINITION, exact=True, accuracy="exact", solvable=("u_1",))


def crewed_outages(nodes: int, needed: int, crews: int) -> Formula:
    """Return how often nodes that wait for a repair crew fall below what is needed (*exact*, exponential times up)."""
    states = repaired(nodes, needed, crews)
    ratio = states.steps[0].quantity.symbol
    weights = [Integer(1)]
    for j in range(nodes):
        weights.append(weights[-1] * Rational(nodes - j, min(j + 1, crews)) * ratio)
    step = Step(OFTEN, weights[nodes - needed] / sum(weights, Integer(0)) * needed / MTBF.symbol)
    told = "exact for exponential times between failures and exponential repairs"
    return Formula(
        "how often too few are up", (MTBF, MTTR), (states.steps[0], step), states.source, exact=True, accuracy=told
    )


def in_a_year(law: Formula) -> Formula:
    """Return how many outages begin in a year, from the law of how many begin in a second (*exact*)."""
    year = real("Y", "seconds of a year", "s")
    step = Step(real("w_Y", "outages that begin in a year"), OFTEN.symbol * year.symbol)
    last = Formula("", (OFTEN, year), (step,), _DEFINITION, exact=True, accuracy=law.accuracy)
    return chained("outages in a year", law, last)
