"""Who is served next: batches, processor sharing, priorities, sizes. Means of one server, or of c alike."""

from __future__ import annotations

from typing import Final

from sympy import Expr, Integer, exp

from models.formulas.formula import Formula, Step, chained
from models.formulas.symbols import LOAD, RATE, RESPONSE, SERVERS, SERVICE, SQUARED_CV, USE, WAIT, WAITING, real
from models.formulas.waiting import ERLANG_C
from models.formulas.work import stream

_lambda, _s, _cs, _rho, _a, _c = (q.symbol for q in (RATE, SERVICE, SQUARED_CV, USE, LOAD, SERVERS))

BATCHES: Final = real("lambda_b", "batches", "/s")
BATCH: Final = real("m", "mean requests of a batch")
BATCH_CV: Final = real("c_m", "squared coefficient of variation of the requests of a batch")
_SECOND: Final = real("m_2", "mean square of the requests of a batch")
_WORK: Final = real("b_2", "mean square of the service of a whole batch", "s^2")
_m, _m2 = BATCH.symbol, _SECOND.symbol

BATCH_WAIT: Final = Formula(
    "mean wait of M^X/G/1",
    (BATCHES, BATCH, BATCH_CV, SERVICE, SQUARED_CV),
    (
        Step(USE, BATCHES.symbol * _m * _s),
        Step(_SECOND, (1 + BATCH_CV.symbol) * _m**2),
        Step(_WORK, _s**2 * (_m * _cs + _m2)),
        Step(WAIT, BATCHES.symbol * _WORK.symbol / (1 - _rho) / 2 + _s * (_m2 / _m - 1) / 2),
    ),
    "Burke 1975, Delays in single-server queues with batch input",
    exact=True,
    accuracy="exact for Poisson batches",
    solvable=("lambda_b", "c_s"),
)

SIZE: Final = real("x", "time that it would take alone", "s")
_x = SIZE.symbol

SHARED: Final = Formula(
    "mean response of a request of one size under processor sharing",
    (SIZE, RATE, SERVICE),
    (Step(USE, _lambda * _s), Step(RESPONSE, _x / (1 - _rho))),
    "Kleinrock 1967",
    exact=True,
    accuracy="exact for Poisson arrivals and any service distribution, one server",
    solvable=("x", "lambda", "S"),
)

_SERVED: Final = real("mu", "services", "/s")
_PERIOD: Final = real("g", "mean busy period", "s")

BUSY_PERIOD: Final = Formula(
    "mean busy period of M/M/1",
    (RATE, _SERVED),
    (Step(_PERIOD, 1 / (_SERVED.symbol - _lambda)),),
    "Takacs 1962, Introduction to the Theory of Queues, chapter 1",
    exact=True,
    accuracy="exact; the mean for any service distribution",
    solvable=("lambda", "mu"),
)

BUSY_PERIOD_VARIANCE: Final = Formula(
    "variance of the busy period of M/M/1",
    (RATE, _SERVED),
    (
        Step(_PERIOD, 1 / (_SERVED.symbol - _lambda)),
        Step(
            real("g_2", "variance of the busy period", "s^2"),
            _PERIOD.symbol**2 * (2 * _SERVED.symbol * _PERIOD.symbol - 1),
        ),
    ),
    "Takacs 1962, Introduction to the Theory of Queues, chapter 1",
    exact=True,
    accuracy="exact for exponential service",
)

URGENT: Final = real("lambda_u", "arrivals of those before it", "/s")
OWN: Final = real("lambda_o", "its own arrivals", "/s")
LATER: Final = real("lambda_l", "arrivals of those after it", "/s")
_AHEAD: Final = real("sigma_u", "load of those before it, of all servers")
_UNTIL: Final = real("sigma_o", "the same with its own")
_COBHAM: Final = "Cobham 1954; Kella and Yechiali 1985"

QUEUED_BY_PRIORITY: Final = chained(
    "mean wait of one class of M/M/c where the most urgent is next",
    Formula(
        "",
        (URGENT, OWN, LATER, SERVICE),
        (Step(LOAD, (URGENT.symbol + OWN.symbol + LATER.symbol) * _s),),
        "Little 1961",
        exact=True,
        accuracy="",
    ),
    ERLANG_C,
    Formula(
        "",
        (URGENT, OWN, SERVICE, SERVERS, WAITING),
        (
            Step(_AHEAD, URGENT.symbol * _s / _c),
            Step(_UNTIL, (URGENT.symbol + OWN.symbol) * _s / _c),
            Step(WAIT, WAITING.symbol * _s / (_c * (1 - _AHEAD.symbol) * (1 - _UNTIL.symbol))),
        ),
        _COBHAM,
        exact=True,
        accuracy="exact for M/M/c with one mean service time, nobody interrupted",
    ),
)

INTERRUPTED_BY_PRIORITY: Final = Formula(
    "mean response of one class of M/M/1 where the urgent interrupt",
    (URGENT, OWN, SERVICE),
    (
        Step(_AHEAD, URGENT.symbol * _s),
        Step(_UNTIL, (URGENT.symbol + OWN.symbol) * _s),
        Step(RESPONSE, _s / ((1 - _AHEAD.symbol) * (1 - _UNTIL.symbol))),
    ),
    "White and Christie 1958",
    exact=True,
    accuracy="exact for M/M/1 with one mean service time, resumed where it was interrupted",
    solvable=("lambda_o",),
)


def cobham(classes: int, number: int) -> Formula:
    """Return the mean wait of class `number`, from 0, of M/G/1 where the most urgent is next (*exact*)."""
    parts = [stream(i + 1) for i in range(classes)]
    left = real("R", "mean time until the server is free next", "s")

    def load(until: int) -> Expr:
        return sum((r.symbol * s.symbol for r, s, _ in parts[:until]), Integer(0))

    second = sum((r.symbol * s.symbol**2 * (1 + c.symbol) for r, s, c in parts), Integer(0))
    steps = (
        Step(left, second / 2),
        Step(WAIT, left.symbol / ((1 - load(number)) * (1 - load(number + 1)))),
    )
    inputs = tuple(q for part in parts for q in part)
    told = "exact for Poisson arrivals to one server, nobody interrupted"
    return Formula("mean wait of a class", inputs, steps, "Cobham 1954", exact=True, accuracy=told)


_SMALLER: Final = real("rho_x", "load of those that are not larger")
_SQUARE: Final = real("b_x", "mean square of those sizes", "s^2")
_AGE: Final = real("y", "size over the mean size")
_y = _AGE.symbol
_HARCHOL: Final = "Harchol-Balter 2013, Performance Modeling and Design of Computer Systems, chapters 31 to 33"


def _of_size(name: str, smaller: Expr, square: Expr, serving: Expr) -> Formula:
    """Return the mean response of one size among exponential ones."""
    steps = (
        Step(_AGE, _x / _s),
        Step(_SMALLER, _lambda * _s * smaller),
        Step(_SQUARE, _s**2 * square),
        Step(RESPONSE, _lambda * _SQUARE.symbol / (2 * (1 - _SMALLER.symbol) ** 2) + serving),
    )
    told = "exact for Poisson arrivals and exponential sizes; of other sizes by integrals"
    return Formula(name, (SIZE, RATE, SERVICE), steps, _HARCHOL, exact=True, accuracy=told)


_up_to: Final = 1 - (1 + _y) * exp(-_y)
SHORTEST_FIRST: Final = _of_size("mean response of one size, the shortest first", _up_to, Integer(2), _x)
SHORTEST_INTERRUPTS: Final = _of_size(
    "mean response of one size, the shortest first with interruption",
    _up_to,
    2 - (_y**2 + 2 * _y + 2) * exp(-_y),
    _x / (1 - _SMALLER.symbol),
)
LEAST_SERVED_FIRST: Final = _of_size(
    "mean response of one size, the least served first", 1 - exp(-_y), 2 * _up_to, _x / (1 - _SMALLER.symbol)
)
