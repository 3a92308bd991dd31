"""M/M/c beyond its mean wait: numbers waiting and inside, tails and percentiles, and what a utilization asks for."""

from __future__ import annotations

from typing import Final

from sympy import Integer, exp, log

from models.formulas.formula import Formula, Step, chained
from models.formulas.symbols import (
    LOAD,
    LOSS,
    RATE,
    RESPONSE,
    SERVERS,
    SERVICE,
    USE,
    WAIT,
    WAITING,
    real,
)
from models.formulas.waiting import ERLANG_B, ERLANG_C, MG1_WAIT, MMC_WAIT, OFFERED

TIME: Final = real("t", "time", "s")
LATER: Final = real("q", "share that takes longer")
BEYOND: Final = real("P", "share that takes longer than t")
LENGTH: Final = real("L_q", "mean number waiting")
INSIDE: Final = real("N", "mean number waiting or in service")
PERCENTILE: Final = real("t_q", "time that a share q takes longer than", "s")

_lambda, _s, _a, _c, _rho = (q.symbol for q in (RATE, SERVICE, LOAD, SERVERS, USE))
_t, _q, _C, _W = TIME.symbol, LATER.symbol, WAITING.symbol, WAIT.symbol
_GROSS: Final = "Gross and Harris, Fundamentals of Queueing Theory, section 2.3"
_MMC: Final = "exact for M/M/c"
_LITTLE: Final = "exact, whatever the distributions"


QUEUE_LENGTH: Final = Formula(
    "mean number waiting",
    (RATE, WAIT),
    (Step(LENGTH, _lambda * _W),),
    "Little 1961",
    exact=True,
    accuracy=_LITTLE,
    solvable=("lambda", "W"),
)

NUMBER_INSIDE: Final = Formula(
    "mean number inside",
    (RATE, RESPONSE),
    (Step(INSIDE, _lambda * RESPONSE.symbol),),
    "Little 1961",
    exact=True,
    accuracy=_LITTLE,
    solvable=("lambda", "T"),
)

WAIT_AND_SERVICE: Final = Formula(
    "mean response time",
    (WAIT, SERVICE),
    (Step(RESPONSE, _W + _s),),
    "the mean of a sum is the sum of the means",
    exact=True,
    accuracy=_LITTLE,
    solvable=("W", "S"),
)

MMC_RESPONSE: Final = chained("mean response time of M/M/c", MMC_WAIT, WAIT_AND_SERVICE)

MMC_LENGTH: Final = chained("mean number waiting in M/M/c", MMC_WAIT, QUEUE_LENGTH)

MG1_RESPONSE: Final = chained("mean response time of M/G/1", MG1_WAIT, WAIT_AND_SERVICE)

MMC_WAIT_TAIL: Final = chained(
    "tail of the wait of M/M/c",
    OFFERED,
    ERLANG_C,
    Formula(
        "",
        (LOAD, SERVICE, SERVERS, WAITING, TIME),
        (Step(BEYOND, _C * exp(-(_c - _a) * _t / _s)),),
        _GROSS,
        exact=True,
        accuracy=_MMC,
    ),
)

MMC_WAIT_PERCENTILE: Final = chained(
    "percentile of the wait of M/M/c",
    OFFERED,
    ERLANG_C,
    Formula(
        "",
        (LOAD, SERVICE, SERVERS, WAITING, LATER),
        (Step(PERCENTILE, _s * log(_C / _q) / (_c - _a)),),
        _GROSS,
        exact=True,
        accuracy="exact for M/M/c where more than q have to wait; else 0",
    ),
)

MMC_RESPONSE_TAIL: Final = chained(
    "tail of the response time of M/M/c",
    OFFERED,
    ERLANG_C,
    Formula(
        "",
        (LOAD, SERVICE, SERVERS, WAITING, TIME),
        (Step(BEYOND, exp(-_t / _s) + _C * (exp(-(_c - _a) * _t / _s) - exp(-_t / _s)) / (1 - (_c - _a))),),
        _GROSS,
        exact=True,
        accuracy="exact for M/M/c; where c - a is 1, its limit",
    ),
)

MM1_RESPONSE_PERCENTILE: Final = Formula(
    "percentile of the response time of M/M/1",
    (RATE, SERVICE, LATER),
    (Step(USE, _lambda * _s), Step(PERCENTILE, _s * log(1 / _q) / (1 - _rho))),
    "Gross and Harris, Fundamentals of Queueing Theory, section 2.2",
    exact=True,
    accuracy="exact for M/M/1",
    solvable=("lambda", "S", "q"),
)

SERVERS_FOR_UTILIZATION: Final = Formula(
    "servers for a utilization",
    (LOAD, USE),
    (Step(real("c_u", "servers, not rounded"), _a / _rho),),
    "Little 1961",
    exact=True,
    accuracy="exact; the next whole number is enough",
    solvable=("a", "rho"),
)

LOAD_FOR_UTILIZATION: Final = Formula(
    "load for a utilization",
    (SERVERS, USE),
    (Step(LOAD, _c * _rho),),
    "Little 1961",
    exact=True,
    accuracy="exact",
    solvable=("rho",),
)

_PEAKED: Final = real("z", "peakedness: variance of the number held over its mean")
_HELD: Final = real("h", "mean number held")

HELD: Final = chained(
    "mean number held in a loss system",
    ERLANG_B,
    Formula(
        "",
        (LOAD, SERVERS, LOSS),
        (
            Step(_HELD, _a * (1 - LOSS.symbol)),
            Step(_PEAKED, Integer(1) - (_a / _HELD.symbol - 1) * (_c - _HELD.symbol)),
        ),
        "Riordan 1956; Wilkinson 1956",
        exact=True,
        accuracy="exact for Poisson arrivals",
    ),
)

_STATION: Final = real("D", "seconds of service that one request asks of the station, all visits together", "s")

OPEN_STATION: Final = chained(
    "time at a station of an open network",
    Formula("", (RATE, _STATION), (Step(LOAD, _lambda * _STATION.symbol),), "Little 1961", exact=True, accuracy=""),
    ERLANG_C,
    Formula(
        "",
        (_STATION, LOAD, SERVERS, WAITING),
        (Step(RESPONSE, _STATION.symbol * (1 + _C / (_c - _a))),),
        "Jackson 1963; Baskett, Chandy, Muntz and Palacios 1975",
        exact=True,
        accuracy="exact for product form",
    ),
)
