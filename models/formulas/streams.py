"""Replication lag, backlogs and what they cost, time to drain, and money: products of a rate and a time or a price."""

from __future__ import annotations

from typing import Final

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
        Step(_QUEUE, _lambda * _SECOND.symbol / (2 * (1 - _rho))),
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
