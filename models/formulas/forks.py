"""Several at once, in closed form: the first and the last of exponential times, fork and join of queues, timeouts."""

from __future__ import annotations

from typing import Final

from sympy import Integer, Rational, Sum, Symbol, exp, log, sqrt

from models.formulas.formula import Formula, Step, chained
from models.formulas.symbols import RESPONSE, SERVICE, USE, real, whole

BRANCHES: Final = whole("K", "branches that are waited for together")
RETRIES: Final = whole("r", "tries after the first")
TIMEOUT: Final = real("t_o", "timeout of a try", "s")
LAST: Final = real("M", "mean of the last of K services that start together", "s")
MEDIAN: Final = real("t_50", "median", "s")
SIGMA: Final = real("sigma_l", "standard deviation of the logarithm of the time")
LATE: Final = real("t_99", "p99", "s")
Z99: Final = real("z_99", "the standard normal variable that is exceeded once in a hundred times")

_s, _rho, _k, _r, _t = (q.symbol for q in (SERVICE, USE, BRANCHES, RETRIES, TIMEOUT))
_i = Symbol("i", integer=True, positive=True)

LAST_OF: Final = Formula(
    "mean of the last of K",
    (SERVICE, BRANCHES),
    (Step(LAST, Sum(_s / _i, (_i, 1, _k))),),
    "Feller 1971, An Introduction to Probability Theory II, chapter I",
    exact=True,
    accuracy="exact for independent exponential times of one mean",
)

FIRST_OF: Final = Formula(
    "mean of the first of K",
    (SERVICE, BRANCHES),
    (Step(RESPONSE, _s / _k),),
    "Feller 1971, An Introduction to Probability Theory II, chapter I",
    exact=True,
    accuracy="exact for independent exponential times of one mean",
    solvable=("S",),
)

FORK_OF_TWO: Final = Formula(
    "mean of a fork and join of two queues",
    (SERVICE, USE),
    (Step(RESPONSE, (12 - _rho) / 8 * _s / (1 - _rho)),),
    "Flatto and Hahn 1984; Nelson and Tantawi 1988",
    exact=True,
    accuracy="exact for two equal M/M/1 with the same arrivals",
    solvable=("S", "rho"),
)

_last: Final = Rational(2, 3) * LAST.symbol

FORK_JOIN: Final = chained(
    "mean of a fork and join of K queues",
    LAST_OF,
    Formula(
        "",
        (SERVICE, USE, LAST),
        (Step(RESPONSE, (_last + Rational(4, 11) * (_s - _last) * _rho) * (12 - _rho) / (1 - _rho) / 8),),
        "Nelson and Tantawi 1988, Approximate analysis of fork/join synchronization in parallel queues",
        exact=False,
        accuracy="equal M/M/1, at least two: within 1 % up to utilization 0.5, 2 to 5 % low at 0.8 to 0.95",
    ),
)

TRIED_AGAIN: Final = Formula(
    "mean of a call with timeout and retries",
    (SERVICE, TIMEOUT, RETRIES),
    (Step(RESPONSE, _s * (Integer(1) - exp(-(_r + 1) * _t / _s))),),
    "the time up to the last timeout of an exponential call, which does not remember how often it was tried",
    exact=True,
    accuracy="exact for independent tries that take exponential times",
)

LOG_NORMAL_MEAN: Final = Formula(
    "mean of a log-normal time",
    (MEDIAN, SIGMA),
    (Step(RESPONSE, MEDIAN.symbol * exp(SIGMA.symbol**2 / 2)),),
    "Johnson, Kotz and Balakrishnan 1994, Continuous Univariate Distributions 1, chapter 14",
    exact=True,
    accuracy="exact",
    solvable=("t_50",),
)

LOG_NORMAL_FIT: Final = Formula(
    "width of a log-normal time from its mean and p99",
    (RESPONSE, LATE, Z99),
    (Step(SIGMA, Z99.symbol - sqrt(Z99.symbol**2 - 2 * log(LATE.symbol / RESPONSE.symbol))),),
    "log(p99 / mean) = z sigma - sigma^2 / 2, its smaller root",
    exact=True,
    accuracy="exact up to a p99 of exp(z^2 / 2) = 15 times the mean, the most that a log-normal time has",
)
