"""Those who are turned away, give up or try again: rooms, patience, retries, shapers, and few who come back."""

from __future__ import annotations

from typing import Final

from sympy import Max, Min, Sum, Symbol, binomial, exp, factorial

from models.formulas.formula import Formula, Step, chained
from models.formulas.symbols import LOAD, RATE, SERVERS, SERVICE, USE, real, whole
from models.formulas.waiting import ERLANG_B, LIMIT, OFFERED, TOKEN_BUCKET

_lambda, _s, _a, _c, _rho = (q.symbol for q in (RATE, SERVICE, LOAD, SERVERS, USE))
_j = Symbol("j", integer=True, nonnegative=True)
_k = Symbol("k", integer=True, nonnegative=True)

HELD_FOR: Final = real("T_h", "mean time that one holds its place", "s")

IN_PROGRESS: Final = chained(
    "rejection by a limit of those in progress",
    Formula("", (RATE, HELD_FOR), (Step(LOAD, _lambda * HELD_FOR.symbol),), "Little 1961", exact=True, accuracy=""),
    ERLANG_B,
)

WAITING: Final = real("P", "share of requests that wait for a token")
_WORK, _BURST = TOKEN_BUCKET.steps[1].quantity, TOKEN_BUCKET.inputs[2]

SHAPER: Final = Formula(
    "share that waits for a token",
    (RATE, LIMIT, _BURST),
    (*TOKEN_BUCKET.steps[:2], Step(WAITING, 1 - (1 - _rho) * _WORK.symbol)),
    "M/D/1: Erlang 1909; Tijms 2003, section 9.4.2",
    exact=True,
    accuracy="exact for Poisson arrivals",
)

PATIENCE: Final = real("p", "time after which who still waits gives up", "s")
_LESS: Final = real("B_1", "Erlang B of one server less")
_GROWTH: Final = real("g", "arrivals less services while all servers are busy", "/s")
_AREA: Final = real("A", "weight of waiting, over that of c - 1 busy servers")
_LEFT: Final = real("Q", "weight of waiting longer than the patience")
GIVEN_UP: Final = real("P_a", "share that gives up")

TIMED_OUT: Final = chained(
    "share that gives up after a time",
    OFFERED,
    Formula(
        "",
        (RATE, SERVICE, LOAD, SERVERS, PATIENCE),
        (
            Step(_LESS, _a ** (_c - 1) / factorial(_c - 1) / Sum(_a**_k / factorial(_k), (_k, 0, _c - 1))),
            Step(_GROWTH, _lambda - _c / _s),
            Step(_LEFT, exp(_GROWTH.symbol * PATIENCE.symbol) * _a / _c),
            Step(_AREA, _lambda * (exp(_GROWTH.symbol * PATIENCE.symbol) - 1) / _GROWTH.symbol + _LEFT.symbol),
            Step(GIVEN_UP, _LEFT.symbol / (1 / _LESS.symbol + _AREA.symbol)),
        ),
        "Baccelli and Hebuterne 1981; Zeltyn and Mandelbaum 2005, section 3",
        exact=True,
        accuracy="exact for M/M/c with a constant patience, but where arrivals and services are equal, its limit",
    ),
)

SOURCES: Final = whole("N", "those who think, ask, and think again")
THINK: Final = real("Z", "mean time that one thinks", "s")
_RATIO: Final = real("q", "service time over think time")
_WAYS: Final = real("G", "sum of the weights of 0 to N at the servers")
ALL_THINK: Final = real("p_0", "probability that all think")
_r, _n = _RATIO.symbol, SOURCES.symbol

ALL_THINKING: Final = Formula(
    "idle time of M/M/c//N",
    (SOURCES, THINK, SERVICE, SERVERS),
    (
        Step(_RATIO, _s / THINK.symbol),
        Step(
            _WAYS,
            Sum(
                binomial(_n, _k) * _r**_k * factorial(Max(_k, _c)) / factorial(_c) * _c ** (Min(_k, _c) - _k),
                (_k, 0, _n),
            ),
        ),
        Step(ALL_THINK, 1 / _WAYS.symbol),
    ),
    "Gross, Shortle, Thompson and Harris 2008, section 2.7; think times of any distribution: Bunday and Scraton 1980",
    exact=True,
    accuracy="exact for exponential service",
)

_UP: Final = real("s_1", "mean service time of the first station", "s")
_DOWN: Final = real("s_2", "mean service time of the second", "s")
_ROOM: Final = whole("K", "states of the second station, from the fewest to the most there, less one")
_TIMES: Final = real("r", "second over first service time")
PASSING: Final = real("X", "throughput", "/s")

TWO_STATIONS: Final = Formula(
    "throughput of two stations with little room",
    (_UP, _DOWN, _ROOM),
    (
        Step(_TIMES, _DOWN.symbol / _UP.symbol),
        Step(
            PASSING,
            Sum(_TIMES.symbol**_j, (_j, 1, _ROOM.symbol))
            / Sum(_TIMES.symbol**_j, (_j, 0, _ROOM.symbol))
            / _DOWN.symbol,
        ),
    ),
    "Perros 1994, Queueing Networks with Blocking: who is blocked counts as one more at the station behind",
    exact=True,
    accuracy="exact for exponential services and blocking after service; of more stations by their chain",
)

FAILED: Final = real("f", "share of the tries that fail")
TRIES: Final = whole("m", "tries, the first one included")
PER_REQUEST: Final = real("E", "mean tries of a request")
_COME: Final = real("lambda_t", "tries", "/s")
_f, _m = FAILED.symbol, TRIES.symbol
_SERIES: Final = "geometric series"
_INDEPENDENT: Final = "exact for failures that are independent of each other"

TRIED: Final = Formula(
    "tries with retries",
    (RATE, FAILED, TRIES),
    (Step(PER_REQUEST, (1 - _f**_m) / (1 - _f)), Step(_COME, _lambda * PER_REQUEST.symbol)),
    _SERIES,
    exact=True,
    accuracy=_INDEPENDENT,
    solvable=("lambda",),
)

FAILED_FOR_GOOD: Final = Formula(
    "share that fails all its tries",
    (FAILED, TRIES),
    (Step(real("F", "share of the requests that never pass"), _f**_m),),
    _SERIES,
    exact=True,
    accuracy=_INDEPENDENT,
    solvable=("f",),
)

PAUSE: Final = real("p", "pause before a try", "s")

TRIED_WITH_PAUSES: Final = Formula(
    "mean time of a call that is tried again",
    (SERVICE, FAILED, TRIES, PAUSE),
    (
        Step(PER_REQUEST, (1 - _f**_m) / (1 - _f)),
        Step(real("T", "mean response time", "s"), PER_REQUEST.symbol * _s + (PER_REQUEST.symbol - 1) * PAUSE.symbol),
    ),
    _SERIES,
    exact=True,
    accuracy=_INDEPENDENT,
    solvable=("S", "p"),
)

CAPACITY: Final = real("mu", "tries that the station serves", "/s")

METASTABLE: Final = Formula(
    "rate above which abandoned tries keep a station full",
    (CAPACITY, TRIES),
    (Step(real("lambda_m", "first tries", "/s"), CAPACITY.symbol / _m),),
    "Bronson, Aghayev, Charapko and Zhu 2021, Metastable failures in distributed systems",
    exact=True,
    accuracy="exact for the fluid",
    solvable=("mu",),
)
