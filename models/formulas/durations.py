"""Durations in closed form: the conventional shapes of two and three moments, heavy tails, the k-th of n."""

from __future__ import annotations

from typing import Final

from sympy import Rational, Sum, Symbol, exp, log, sqrt

from models.formulas.formula import Formula, Step
from models.formulas.symbols import RESPONSE, SERVICE, SQUARED_CV, real, whole

_s, _cs = SERVICE.symbol, SQUARED_CV.symbol
_i = Symbol("i", integer=True, positive=True)

SHARE: Final = real("p", "share of the first kind")
FASTER: Final = real("mu_1", "rate of the first kind", "/s")
_SLOWER: Final = real("mu_2", "rate of the second kind", "/s")

BALANCED_PHASES: Final = Formula(
    "rate of the first of two exponential phases with balanced means",
    (SERVICE, SQUARED_CV),
    (Step(SHARE, (1 + sqrt((_cs - 1) / (_cs + 1))) / 2), Step(FASTER, 2 * SHARE.symbol / _s)),
    "Morse 1955",
    exact=True,
    accuracy="exact in both moments; squared CV above 1",
    solvable=("S",),
)

PHASES: Final = whole("k", "phases: the next whole number from 1 / c_s on")
_k = PHASES.symbol

ERLANG_MIXTURE: Final = Formula(
    "rate of a mixture of Erlang times of k - 1 and k phases",
    (SERVICE, SQUARED_CV, PHASES),
    (
        Step(SHARE, (_k * _cs - sqrt(_k * (1 + _cs) - _k**2 * _cs)) / (1 + _cs)),
        Step(FASTER, (_k - SHARE.symbol) / _s),
    ),
    "Tijms 1994, Stochastic Models, eq. A.13",
    exact=True,
    accuracy="exact in both moments; squared CV below 1",
)

THIRD: Final = real("m_3", "mean cube of the time", "s^3")
_TWO: Final = real("b", "half the mean square over the squared mean")
_THREE: Final = real("d", "a sixth of the mean cube over the cubed mean")
_TOTAL: Final = real("g", "sum of the two means, in means of the whole")
_PRODUCT: Final = real("h", "their product")

THREE_MOMENTS: Final = Formula(
    "rate of the slower of two exponential phases with three moments",
    (SERVICE, SQUARED_CV, THIRD),
    (
        Step(_TWO, (1 + _cs) / 2),
        Step(_THREE, THIRD.symbol / (6 * _s**3)),
        Step(_TOTAL, (_THREE.symbol - _TWO.symbol) / (_TWO.symbol - 1)),
        Step(_PRODUCT, (_THREE.symbol - _TWO.symbol**2) / (_TWO.symbol - 1)),
        Step(_SLOWER, 2 / ((_TOTAL.symbol + sqrt(_TOTAL.symbol**2 - 4 * _PRODUCT.symbol)) * _s)),
    ),
    "Whitt 1982, Approximating a point process by a renewal process, section 3",
    exact=True,
    accuracy="exact in all three moments, where there is such a time",
)

LEFT: Final = real("R", "mean of what remains of a service in progress", "s")

RESIDUAL: Final = Formula(
    "what remains of a service in progress",
    (SERVICE, SQUARED_CV),
    (Step(LEFT, _s * (1 + _cs) / 2),),
    "Ross 1996, Stochastic Processes, section 3.4",
    exact=True,
    accuracy="exact for a random observer",
    solvable=("S", "c_s"),
)

COUNT: Final = real("m", "mean number of parts, of geometric distribution")
_PART_SECOND: Final = real("b_2", "mean square of a part", "s^2")

GEOMETRIC_SUM: Final = Formula(
    "mean square of a geometric number of parts",
    (COUNT, SERVICE, SQUARED_CV),
    (
        Step(_PART_SECOND, _s**2 * (1 + _cs)),
        Step(
            real("X_2", "mean square of all parts together", "s^2"),
            COUNT.symbol * _PART_SECOND.symbol + 2 * COUNT.symbol * (COUNT.symbol - 1) * _s**2,
        ),
    ),
    "factorial moments of a geometric number",
    exact=True,
    accuracy="exact",
    solvable=("c_s",),
)

LEAST: Final = real("x_m", "least time", "s")
INDEX: Final = real("alpha", "index: how fast the tail falls")
TIME: Final = real("t", "time", "s")
LATER: Final = real("q", "share that takes longer")
_alpha = INDEX.symbol
_PARETO: Final = "Johnson, Kotz and Balakrishnan 1994, Continuous Univariate Distributions 1, chapter 20"

PARETO_MEAN: Final = Formula(
    "mean of a Pareto time",
    (LEAST, INDEX),
    (Step(RESPONSE, LEAST.symbol * _alpha / (_alpha - 1)),),
    _PARETO,
    exact=True,
    accuracy="exact; index above 1",
    solvable=("x_m", "alpha"),
)

PARETO_PERCENTILE: Final = Formula(
    "percentile of a Pareto time",
    (LEAST, INDEX, LATER),
    (Step(TIME, LEAST.symbol * LATER.symbol ** (-1 / _alpha)),),
    _PARETO,
    exact=True,
    accuracy="exact",
    solvable=("x_m", "alpha", "q"),
)

LOMAX_VARIANCE: Final = Formula(
    "variance of a Pareto time from 0 on",
    (SERVICE, INDEX),
    (Step(real("v", "variance", "s^2"), _s**2 * _alpha / (_alpha - 2)),),
    _PARETO,
    exact=True,
    accuracy="exact; index above 2",
    solvable=("S", "alpha"),
)

LOG_NORMAL_WIDTH: Final = Formula(
    "width of a log-normal time from its squared coefficient of variation",
    (SQUARED_CV,),
    (Step(real("sigma_l", "standard deviation of the logarithm of the time"), sqrt(log(1 + _cs))),),
    "Johnson, Kotz and Balakrishnan 1994, Continuous Univariate Distributions 1, chapter 14",
    exact=True,
    accuracy="exact",
    solvable=("c_s",),
)

RUNNING: Final = whole("n", "that start together")
NEEDED: Final = whole("k", "of them that are waited for")

EARLIEST: Final = Formula(
    "mean of the k-th of n",
    (SERVICE, RUNNING, NEEDED),
    (Step(RESPONSE, Sum(_s / _i, (_i, RUNNING.symbol - NEEDED.symbol + 1, RUNNING.symbol))),),
    "Renyi 1953; Feller 1971, chapter I",
    exact=True,
    accuracy="exact for independent exponential times of one mean",
)

AFTER: Final = real("t_h", "time after which a spare try is sent", "s")

HEDGED: Final = Formula(
    "mean of a call with a spare try",
    (SERVICE, AFTER),
    (Step(RESPONSE, _s * (1 - Rational(1, 2) * exp(-AFTER.symbol / _s))),),
    "Dean and Barroso 2013, The tail at scale; the first of two exponential times",
    exact=True,
    accuracy="exact for independent exponential times",
    solvable=("t_h",),
)
