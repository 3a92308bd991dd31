"""Backlogs and partitions: draining, growing, full, dealt out over consumers, blurred by chance."""

from __future__ import annotations

from typing import Final

from sympy import sqrt

from models.formulas.formula import Formula, Step
from models.formulas.symbols import RATE, SERVICE, SQUARED_CV, USE, real, whole

_lambda, _s, _cs, _rho = RATE.symbol, SERVICE.symbol, SQUARED_CV.symbol, USE.symbol
CAPACITY: Final = real("mu", "messages per second that the consumers could take", "/s")
BACKLOG: Final = real("B", "messages of the backlog")
ROOM: Final = real("K", "messages that there is room for")
_mu, _b = CAPACITY.symbol, BACKLOG.symbol
_FLUID: Final = "exact for the fluid; the queue that randomness makes comes on top"

BACKLOG_DRAIN: Final = Formula(
    "time until a backlog is gone",
    (BACKLOG, RATE, CAPACITY),
    (Step(real("D", "time until the backlog is gone", "s"), _b / (_mu - _lambda)),),
    "fluid queue",
    exact=True,
    accuracy=_FLUID,
    solvable=("B", "lambda", "mu"),
)

STOP: Final = real("t_s", "length of a stop", "s")

LEFT_BY_STOP: Final = Formula(
    "backlog of a stop",
    (RATE, STOP),
    (Step(BACKLOG, _lambda * STOP.symbol),),
    "fluid queue",
    exact=True,
    accuracy="exact for the fluid",
    solvable=("lambda", "t_s"),
)

TIME_TO_FULL: Final = Formula(
    "time until a queue is full",
    (BACKLOG, RATE, CAPACITY, ROOM),
    (Step(real("D", "time until the queue is full", "s"), (ROOM.symbol - _b) / (_lambda - _mu)),),
    "fluid queue",
    exact=True,
    accuracy="exact for the fluid, where more comes than is taken",
    solvable=("B", "lambda", "mu", "K"),
)

GROWTH: Final = Formula(
    "growth of a backlog",
    (RATE, CAPACITY),
    (Step(real("e", "growth of the backlog", "/s"), _lambda - _mu),),
    "fluid queue",
    exact=True,
    accuracy="exact for the fluid, where more comes than is taken",
    solvable=("lambda", "mu"),
)

SHARE: Final = real("h", "share of the messages that the busiest consumer reads")

READER_CAPACITY: Final = Formula(
    "messages at which the busiest consumer is full",
    (SERVICE, SHARE),
    (Step(CAPACITY, 1 / (_s * SHARE.symbol)),),
    "Little 1961",
    exact=True,
    accuracy="exact",
    solvable=("S", "h"),
)

READER_USE: Final = Formula(
    "utilization of the busiest consumer",
    (RATE, SERVICE, SHARE),
    (Step(USE, _lambda * _s * SHARE.symbol),),
    "Little 1961",
    exact=True,
    accuracy="exact",
    solvable=("lambda", "S", "h"),
)

PAUSE: Final = real("p_r", "length of a stop of all consumers", "s")
EVERY: Final = real("x", "time from one stop to the next", "s")
REPEATED: Final = real("lambda_r", "messages that are done a second time", "/s")
COMMIT: Final = real("t_c", "time from one commit of positions to the next", "s")
_PEAK: Final = real("B", "messages of the backlog after each stop")

REPEATED_WORK: Final = Formula(
    "messages done a second time",
    (RATE, COMMIT, EVERY),
    (Step(REPEATED, _lambda * COMMIT.symbol / (2 * EVERY.symbol)),),
    "half of what came since the last commit is done again after each stop",
    exact=True,
    accuracy="exact for the fluid, where all is done between two stops",
    solvable=("lambda", "t_c", "x"),
)

_left: Final = Step(_PEAK, _lambda * PAUSE.symbol + REPEATED.symbol * EVERY.symbol)

REBALANCING_PEAK: Final = Formula(
    "backlog after each rebalancing",
    (RATE, PAUSE, REPEATED, EVERY),
    (_left,),
    "fluid queue",
    exact=True,
    accuracy="exact for the fluid",
    solvable=("lambda", "p_r", "x"),
)

REBALANCING_DELAYED: Final = Formula(
    "messages that rebalancing delays",
    (RATE, CAPACITY, PAUSE, REPEATED, EVERY),
    (
        _left,
        Step(
            real("f", "share of the messages that meet a backlog"),
            (PAUSE.symbol + _PEAK.symbol / (_mu - _lambda)) / EVERY.symbol,
        ),
    ),
    "fluid queue",
    exact=True,
    accuracy="exact for the fluid where the backlog of a stop is gone before the next",
    solvable=("mu", "p_r"),
)

REBALANCING_DELAY: Final = Formula(
    "mean delay by rebalancing with work done again",
    (RATE, CAPACITY, PAUSE, REPEATED, EVERY),
    (
        _left,
        Step(
            real("D", "mean delay that stops add to a message", "s"),
            (_lambda * PAUSE.symbol**2 + _PEAK.symbol**2 / (_mu - _lambda)) / (2 * _lambda * EVERY.symbol),
        ),
    ),
    "fluid queue",
    exact=True,
    accuracy="exact for the fluid where the backlog of a stop is gone before the next",
    solvable=("mu",),
)

FAILED: Final = real("r", "share of deliveries that fail")
MOST: Final = whole("m", "deliveries before a message is put aside")

ENDLESS_REDELIVERY: Final = Formula(
    "deliveries of a message without end",
    (FAILED,),
    (Step(real("E", "mean deliveries of a message"), 1 / (1 - FAILED.symbol)),),
    "geometric series",
    exact=True,
    accuracy="exact for failures that are independent of each other",
    solvable=("r",),
)

PUT_ASIDE: Final = Formula(
    "messages put aside",
    (FAILED, MOST),
    (Step(real("F", "share of the messages that are put aside"), FAILED.symbol**MOST.symbol),),
    "geometric series",
    exact=True,
    accuracy="exact for failures that are independent of each other",
    solvable=("r",),
)

_SPARE: Final = real("nu", "messages per second beyond what comes", "/s")

DRAIN_DEVIATION: Final = Formula(
    "deviation of the time until a backlog is gone",
    (BACKLOG, RATE, CAPACITY, SQUARED_CV),
    (
        Step(_SPARE, _mu - _lambda),
        Step(
            real("sigma_D", "standard deviation of the time until it is gone", "s"),
            sqrt(_b * (_lambda + _mu * _cs) / _SPARE.symbol**3),
        ),
    ),
    "Takacs 1962: as many busy periods as messages",
    exact=True,
    accuracy="exact for one consumer and Poisson arrivals; several, from 100 messages on within 5 %",
    solvable=("B", "c_s"),
)

PARTITIONS: Final = whole("P", "partitions, or nodes")
SQUARES: Final = real("q_2", "sum of the squared shares of the keys")

HASHED: Final = Formula(
    "how uneven hashed keys are",
    (PARTITIONS, SQUARES),
    (
        Step(
            real("c_P", "coefficient of variation of the share of one"), sqrt((PARTITIONS.symbol - 1) * SQUARES.symbol)
        ),
    ),
    "variance of a sum of independent choices",
    exact=True,
    accuracy="exact for a hash that puts each key anywhere with equal probability",
    solvable=("q_2",),
)

UNREAD: Final = Formula(
    "time until messages are lost in a stop",
    (KEPT := real("k", "retention", "s"), AGE := real("g", "age of the next message to be read", "s")),
    (Step(real("D", "time until messages are deleted unread", "s"), KEPT.symbol - AGE.symbol),),
    "fluid queue",
    exact=True,
    accuracy="exact where nothing is read",
    solvable=("k", "g"),
)
