"""Queues in closed form: Erlang B and C, M/M/1, M/M/c, M/M/c/K, M/G/1, M/D/1."""

from __future__ import annotations

from typing import Final

from sympy import Rational, Sum, Symbol, exp, factorial

from models.formulas.formula import Formula, Step, chained
from models.formulas.symbols import (
    LOAD,
    LOSS,
    RATE,
    RESPONSE,
    SERVERS,
    SERVICE,
    SQUARED_CV,
    USE,
    WAIT,
    WAITING,
    real,
    whole,
)

_lambda, _s, _cs, _a, _rho, _c = (q.symbol for q in (RATE, SERVICE, SQUARED_CV, LOAD, USE, SERVERS))
_k = Symbol("k", integer=True, nonnegative=True)

OFFERED: Final = Formula(
    "offered load", (RATE, SERVICE), (Step(LOAD, _lambda * _s),), "Little 1961", exact=True, accuracy="exact"
)

UTILIZATION: Final = chained(
    "utilization of c servers",
    OFFERED,
    Formula("", (LOAD, SERVERS), (Step(USE, _a / _c),), "Little 1961", exact=True, accuracy="exact"),
)

ERLANG_B: Final = Formula(
    "Erlang B",
    (LOAD, SERVERS),
    (Step(LOSS, _a**_c / factorial(_c) / Sum(_a**_k / factorial(_k), (_k, 0, _c))),),
    "Erlang 1917; any service distribution: Sevastyanov 1957",
    exact=True,
    accuracy="exact for Poisson arrivals",
)

ERLANG_C: Final = chained(
    "Erlang C",
    ERLANG_B,
    Formula(
        "",
        (LOAD, SERVERS, LOSS),
        (Step(WAITING, _c * LOSS.symbol / (_c - _a + _a * LOSS.symbol)),),
        "Erlang 1917",
        exact=True,
        accuracy="exact for M/M/c",
    ),
)

MMC_WAIT: Final = chained(
    "mean wait of M/M/c",
    OFFERED,
    ERLANG_C,
    Formula(
        "",
        (LOAD, SERVICE, SERVERS, WAITING),
        (Step(WAIT, WAITING.symbol * _s / (_c - _a)),),
        "Gross and Harris, Fundamentals of Queueing Theory, section 2.3",
        exact=True,
        accuracy="exact for M/M/c",
    ),
)

MM1_RESPONSE: Final = Formula(
    "mean response time of M/M/1",
    (RATE, SERVICE),
    (Step(RESPONSE, _s / (1 - _lambda * _s)),),
    "Gross and Harris, Fundamentals of Queueing Theory, section 2.2",
    exact=True,
    accuracy="exact for M/M/1",
    solvable=("lambda", "S"),
)

MG1_WAIT: Final = Formula(
    "mean wait of M/G/1",
    (RATE, SERVICE, SQUARED_CV),
    (
        Step(USE, _lambda * _s),
        Step(WAIT, _rho / (1 - _rho) * _s * (1 + _cs) / 2),
    ),
    "Pollaczek 1930, Khinchine 1932",
    exact=True,
    accuracy="exact for Poisson arrivals to one server",
    solvable=("lambda", "S", "c_s"),
)

MD1_WAIT: Final = Formula(
    "mean wait of M/D/1",
    (RATE, LIMIT := real("mu", "requests that pass in a second", "/s")),
    (
        Step(USE, _lambda / LIMIT.symbol),
        Step(WAIT, _rho / (2 * LIMIT.symbol * (1 - _rho))),
    ),
    "Pollaczek 1930, Khinchine 1932",
    exact=True,
    accuracy="exact for Poisson arrivals",
    solvable=("lambda", "mu"),
)

_K = whole("K", "places, those in service included")
_P0 = real("p_0", "probability that nobody is there")
_BLOCKED = real("p_K", "probability of being turned away")

MMCK_BLOCKING: Final = chained(
    "blocking of M/M/c/K",
    OFFERED,
    Formula(
        "",
        (LOAD, SERVERS, _K),
        (
            Step(
                _P0,
                1
                / (
                    Sum(_a**_k / factorial(_k), (_k, 0, _c))
                    + _a**_c / factorial(_c) * Sum((_a / _c) ** _k, (_k, 1, _K.symbol - _c))
                ),
            ),
            Step(_BLOCKED, _a**_c / factorial(_c) * (_a / _c) ** (_K.symbol - _c) * _P0.symbol),
        ),
        "Gross and Harris, Fundamentals of Queueing Theory, section 2.5",
        exact=True,
        accuracy="exact for M/M/c/K, K >= c",
    ),
)

_BURST = whole("b", "tokens of the bucket")
_WORK = real("Q", "work that an empty bucket of b tokens lets pass")
_REJECTED = real("r", "share of requests turned away")

TOKEN_BUCKET: Final = Formula(
    "rejection by a token bucket",
    (RATE, LIMIT, _BURST),
    (
        Step(USE, _lambda / LIMIT.symbol),
        Step(
            _WORK,
            Sum(
                (_rho * (_k - _BURST.symbol + 1)) ** _k / factorial(_k) * exp(_rho * (_BURST.symbol - 1 - _k)),
                (_k, 0, _BURST.symbol - 1),
            ),
        ),
        Step(_REJECTED, (1 - (1 - _rho) * _WORK.symbol) / (1 + _rho * _WORK.symbol)),
    ),
    "Tijms 2003, section 9.4.2: M/D/1 cut at b",
    exact=True,
    accuracy="exact for Poisson arrivals",
)

_REGULAR = real("x", "correction by Cosmetatos 1975")

BJORKLUND_ELLDIN: Final = Formula(
    "wait of regular service over that of exponential service",
    (USE, SERVERS, SQUARED_CV),
    (
        Step(_REGULAR, (1 - _rho) * (_c - 1) * ((4 + 5 * _c) ** Rational(1, 2) - 2) / (16 * _c * _rho)),
        Step(
            real("g", "wait over that of exponential service"),
            _cs + (1 - _cs) * (1 + _REGULAR.symbol) / 2,
        ),
    ),
    "Bjorklund and Elldin; Cosmetatos 1975",
    exact=False,
    accuracy="for squared CV below 1: mean within 1 %",
)
