"""Replication lag, backlogs and what they cost, time to drain, and money: products of a rate and a time or a price."""

from __future__ import annotations

from typing import Final

from sympy import Sum, Symbol, binomial, exp, factorial

from models.formulas.formula import Formula, Step
from models.formulas.symbols import NODES, RATE, USE, real, whole

_lambda, _rho = RATE.symbol, USE.symbol
_APPLY = real("s", "mean time of a core to apply one write", "s")
_CORE = real("w", "mean wait for a core of the replica", "s")
_DELAY = real("d", "network delay", "s")
_BUSY = real("b", "mean time that one write occupies the apply thread", "s")
_SECOND = real("b_2", "mean square of that time", "s^2")
_QUEUE = real("Q", "mean wait for the apply thread", "s")

APPLY_LAG: Final = Formula(
    "mean replication lag",
    (RATE, _APPLY, _CORE, _DELAY),
    (
        Step(_BUSY, _CORE.symbol + _APPLY.symbol),
        Step(_SECOND, 2 * (_CORE.symbol**2 + _CORE.symbol * _APPLY.symbol + _APPLY.symbol**2)),
        Step(USE, _lambda * _BUSY.symbol),
        Step(_QUEUE, _lambda * _SECOND.symbol / (1 - _rho) / 2),
        Step(real("L", "mean replication lag", "s"), _DELAY.symbol + _QUEUE.symbol + _BUSY.symbol),
    ),
    "M/G/1: Pollaczek 1930, Khinchine 1932",
    exact=True,
    accuracy="exact for one apply thread where cores are idle; waits for a core are taken as exponential",
    solvable=("d",),
)

_CAPACITY = real("mu", "messages per second that the consumers could take", "/s")
_STOP = real("t_s", "length of the stop", "s")

DRAIN: Final = Formula(
    "time to drain",
    (RATE, _CAPACITY, _STOP),
    (
        Step(
            real("D", "time after the stop until the backlog is gone", "s"),
            _STOP.symbol * _lambda / (_CAPACITY.symbol - _lambda),
        ),
    ),
    "fluid queue",
    exact=True,
    accuracy="exact for the fluid; the queue that randomness makes comes on top",
    solvable=("lambda", "mu", "t_s"),
)

_LEFT = real("B", "backlog at the end of a stop")

_SIZE = real("z", "size of a message", "B")
_KEPT = real("k", "retention", "s")
_COPIES = whole("f", "copies of each message")

STORAGE: Final = Formula(
    "storage of a queue",
    (RATE, _SIZE, _KEPT, _COPIES),
    (Step(real("G", "bytes on all brokers together", "B"), _lambda * _SIZE.symbol * _KEPT.symbol * _COPIES.symbol),),
    "Little 1961",
    exact=True,
    accuracy="exact",
    solvable=("lambda", "z", "k"),
)

_AT_RISK = real("M", "mean number of writes that no replica has received")

WRITES_AT_RISK: Final = Formula(
    "writes at risk",
    (RATE, _DELAY),
    (Step(_AT_RISK, _lambda * _DELAY.symbol),),
    "Little 1961",
    exact=True,
    accuracy="exact",
    solvable=("lambda", "d"),
)

_AGE = real("g", "age of the next message to be read", "s")

RETENTION: Final = Formula(
    "time to data loss",
    (RATE, _CAPACITY, _KEPT, _AGE),
    (
        Step(
            real("D", "time until messages are deleted unread", "s"),
            (_KEPT.symbol - _AGE.symbol) / (1 - _CAPACITY.symbol / _lambda),
        ),
    ),
    "fluid queue",
    exact=True,
    accuracy="exact for the fluid at steady rates, where more comes than is taken",
    solvable=("lambda", "mu", "k", "g"),
)

_PAUSE = real("p_r", "length of a stop of all consumers", "s")
_EVERY = real("x", "time from one stop to the next", "s")

REBALANCING: Final = Formula(
    "mean delay by rebalancing",
    (RATE, _CAPACITY, _PAUSE, _EVERY),
    (
        Step(_LEFT, _lambda * _PAUSE.symbol),
        Step(
            real("D", "mean delay that stops add to a message", "s"),
            _LEFT.symbol
            * _PAUSE.symbol
            * _CAPACITY.symbol
            / ((_CAPACITY.symbol - _lambda) * _EVERY.symbol * _lambda * 2),
        ),
    ),
    "fluid queue",
    exact=True,
    accuracy="exact for the fluid where the backlog of a stop is gone before the next",
    solvable=("mu", "p_r", "x"),
)

_FAILED = real("r", "share of deliveries that fail")
_MOST = whole("m", "deliveries before a message is put aside")

REDELIVERY: Final = Formula(
    "deliveries of a message",
    (_FAILED, _MOST),
    (Step(real("E", "mean deliveries of a message"), (1 - _FAILED.symbol**_MOST.symbol) / (1 - _FAILED.symbol)),),
    "geometric series",
    exact=True,
    accuracy="exact for failures that are independent of each other",
)

_FLUSH = real("d_f", "time from one flush to the next", "s")

FLUSHED_LAG: Final = Formula(
    "mean lag behind flushes, without what earlier flushes leave",
    (RATE, _APPLY, _DELAY, _FLUSH),
    (
        Step(USE, _lambda * _APPLY.symbol),
        Step(
            real("L", "mean replication lag", "s"),
            _DELAY.symbol + _FLUSH.symbol / 2 * (1 + _rho) + _APPLY.symbol,
        ),
    ),
    "renewal argument",
    exact=True,
    accuracy="exact where every flush is applied before the next; above, Spitzer's sum comes on top",
    solvable=("lambda", "d", "d_f"),
)

_BEHIND = real("g_l", "how far the replica is behind", "s")

CATCH_UP: Final = Formula(
    "time to catch up",
    (_BEHIND, USE),
    (Step(real("D", "time until the replica is up to date", "s"), _BEHIND.symbol * _rho / (1 - _rho)),),
    "fluid queue",
    exact=True,
    accuracy="exact for the fluid; rho is the busy share of the appliers",
    solvable=("g_l", "rho"),
)

_COPIES_ALL = whole("N", "replicas of each object")
_COPIES_READ = whole("R", "answers that a read waits for")
_COPIES_WRITTEN = whole("W", "acknowledgements that a write waits for")
_VERSIONS = whole("k", "versions")

VERSIONS_BEHIND: Final = Formula(
    "k versions behind",
    (_COPIES_ALL, _COPIES_READ, _COPIES_WRITTEN, _VERSIONS),
    (
        Step(
            real("p_k", "probability that a read is k or more versions behind"),
            (
                binomial(_COPIES_ALL.symbol - _COPIES_WRITTEN.symbol, _COPIES_READ.symbol)
                / binomial(_COPIES_ALL.symbol, _COPIES_READ.symbol)
            )
            ** _VERSIONS.symbol,
        ),
    ),
    "Bailis et al. 2012, equation 2",
    exact=True,
    accuracy="exact for quorums drawn at random that never grow; else an upper bound",
)

_LIMIT = whole("L", "requests that each window lets pass")
_WINDOW = real("T_w", "length of a window", "s")
_COME = real("a", "mean number that comes in a window")
_j = Symbol("j", integer=True, nonnegative=True)

FIXED_WINDOW: Final = Formula(
    "rejection by a fixed window",
    (RATE, _LIMIT, _WINDOW),
    (
        Step(_COME, _lambda * _WINDOW.symbol),
        Step(
            real("r_w", "share of the requests turned away"),
            (
                _COME.symbol
                - _LIMIT.symbol
                + Sum(
                    (_LIMIT.symbol - _j) * _COME.symbol**_j / factorial(_j) * exp(-_COME.symbol),
                    (_j, 0, _LIMIT.symbol - 1),
                )
            )
            / _COME.symbol,
        ),
    ),
    "E[(X - L)+] / E[X], X Poisson",
    exact=True,
    accuracy="exact for Poisson arrivals",
)

_AGE_LOST = real("n_0", "probability that nothing is lost")

NOTHING_LOST: Final = Formula(
    "nothing lost at failover",
    (RATE, _DELAY, _FLUSH),
    (
        Step(
            _AGE_LOST,
            exp(-_lambda * _DELAY.symbol) * (1 - exp(-_lambda * _FLUSH.symbol)) / (_lambda * _FLUSH.symbol),
        ),
    ),
    "Poisson number of a uniform age",
    exact=True,
    accuracy="exact for Poisson writes",
)

_PRICE = real("p", "price of a node", "an hour")
_HOURS = real("h", "hours of a month", "h")
MONTHLY = real("M", "cost", "a month")

NODE_COST: Final = Formula(
    "cost of nodes",
    (NODES, _PRICE, _HOURS),
    (Step(MONTHLY, NODES.symbol * _PRICE.symbol * _HOURS.symbol),),
    "definition",
    exact=True,
    accuracy="exact, rounded to a millionth",
    solvable=("p", "h"),
)

_RESERVED = real("p_r", "price of a reserved node, for every hour", "an hour")

BREAK_EVEN: Final = Formula(
    "break-even of a reservation",
    (_PRICE, _RESERVED),
    (
        Step(
            real("x", "share of the hours that a node has to run for its reservation to pay"),
            _RESERVED.symbol / _PRICE.symbol,
        ),
    ),
    "definition",
    exact=True,
    accuracy="exact",
    solvable=("p", "p_r"),
)
