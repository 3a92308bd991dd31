"""The mean wait before many cores, built for a case: Erlang's where it is exact, else the planner's approximations.

Which case applies is known beforehand; what is left has no branch that depends on a value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final, Literal

from sympy import Expr, Integer, Rational, Sum, Symbol, binomial, exp, sqrt

from models.formulas.formula import Formula, Quantity, Step, chained
from models.formulas.symbols import CORES, LOAD, NODES, RATE, SERVERS, SERVICE, SQUARED_CV, USE, WAIT, WAITING, real
from models.formulas.waiting import BJORKLUND_ELLDIN, ERLANG_C
from models.formulas.work import HOT

_lambda, _a, _s, _cs, _rho, _c, _n, _m = (
    q.symbol for q in (RATE, LOAD, SERVICE, SQUARED_CV, USE, SERVERS, NODES, CORES)
)
_k = Symbol("k", integer=True, nonnegative=True)

SPARE: Final = real("epsilon", "of those who wait, the share that waits for the first free core only")
FIRST: Final = real("F", "mean time until the first of these cores is free", "s")
RESIDUAL: Final = real("R", "mean of what remains of a service in progress", "s")
GIVEN: Final = real("w", "mean wait of those who have to wait", "s")
BURSTS: Final = real("c_a", "squared coefficient of variation of the times between arrivals")
RATIO: Final = real("phi", "mean wait over that of Poisson arrivals")
_REGULARITY: Final = real("g", "wait over that of exponential service")
_SPREAD: Final = real("delta", "spread of the two phases of the service time")

MANY: Final = 60
"""Servers beyond which the time until the first is free is an expansion and not a sum."""

_ERROR: Final = (
    "mean within 1.8 % for squared CV up to 1; on 2 to 100 cores up to 21 % high at 2, 58 % at 4, 136 % at 9"
)


@dataclass(frozen=True)
class Queue:
    """A case: how work reaches the cores, the shape of its service time, and how many cores wait together.

    `shape` is exponential, regular (squared CV below 1) or variable. `one_core` and `many` (more than 60) are about
    the cores of one place: all of them where they share a queue, else those of a node.
    """

    balancing: Literal["shared_queue", "least_connections", "random", "round_robin"]
    shape: Literal["exponential", "regular", "variable"]
    one_core: bool = False
    many: bool = False
    bursty: Bursts | None = None

    @property
    def apart(self) -> bool:
        """Whether each node has a queue and a stream of its own."""
        return self.balancing in ("random", "round_robin")

    @property
    def servers(self) -> Quantity:
        """The cores of one place."""
        return SERVERS if self.balancing == "shared_queue" else CORES

    @property
    def exact(self) -> bool:
        """Whether the mean wait is exact for Poisson arrivals."""
        return self.balancing != "least_connections" and (self.shape == "exponential" or self.one_core)


@dataclass(frozen=True)
class Bursts:
    """In which region Whitt's formulas for other than Poisson arrivals apply: these are all that they distinguish."""

    more_than_service: bool
    """c_a at or above c_s."""
    variable: bool
    """(c_a + c_s) / 2 at or above 1."""
    capped: bool
    """Whether his gamma is cut at 0.24."""
    reduced: bool
    """Whether (phi_1 + phi_3) / 2 is below 1."""
    regular_service: bool
    """c_s at or below 1."""

    @staticmethod
    def of(use: float, burstiness: float, squared_cv: float, servers: int) -> Bursts:
        """Return the region of some numbers."""
        gamma = (1 - use) * (servers - 1) * (math.sqrt(4 + 5 * servers) - 2) / (16 * servers * use)
        cut = min(gamma, 0.24)
        sides = 1 + cut + (1 - 4 * cut) * math.exp(-2 * (1 - use) / (3 * use))
        return Bursts(burstiness >= squared_cv, burstiness + squared_cv >= 2, gamma > 0.24, sides < 2, squared_cv <= 1)


def pool_wait(queue: Queue) -> Formula:
    """Return the mean wait of an arrival at `n` nodes of `m` cores: the probability times the wait of those who do."""
    parts = [_load(queue), ERLANG_C, _conditional(queue)]
    product = WAITING.symbol * GIVEN.symbol
    if queue.bursty is None:
        parts.append(_part((Step(WAIT, product),), (WAITING, GIVEN)))
    else:
        ratio = _whitt(queue.bursty)
        parts += [ratio, _part((Step(WAIT, product * RATIO.symbol),), (WAITING, GIVEN, RATIO))]
    return chained("mean wait", *parts, exact=queue.exact and queue.bursty is None)


def _part(
    steps: tuple[Step, ...], inputs: tuple[Quantity, ...], source: str = "", accuracy: str = "", *, exact: bool = True
) -> Formula:
    return Formula("", inputs, steps, source, exact, accuracy)


def _load(queue: Queue) -> Formula:
    offered = _lambda * _s / (_n if queue.apart else 1)
    steps = (Step(LOAD, offered), Step(SERVERS, _m if queue.apart else _n * _m), Step(USE, _a / _c))
    return _part(steps, (RATE, SERVICE, NODES, CORES), "Little 1961")


def _conditional(queue: Queue) -> Formula:
    """Return the mean wait of those who wait: for the first free core, then for each of those ahead."""
    servers, e = queue.servers.symbol, SPARE.symbol
    near = queue.balancing == "least_connections"
    spare = Step(SPARE, 1 - _rho**_n if near else 1 - _rho)
    inputs = (USE, NODES, SERVICE, queue.servers) if near else (USE, SERVICE, queue.servers)
    plain = _s / (servers * e)
    spread = "least connections: the pool's backlog spread evenly over the nodes, measured p99 within 5 to 7 %"
    if queue.shape == "exponential":
        told = spread if near else "exact for Poisson arrivals and exponential service"
        source = "" if near else "Gross and Harris, section 2.3"
        return _part((spare, Step(GIVEN, plain)), inputs, source, told, exact=not near)
    if queue.shape == "regular" and not near and not queue.one_core:
        scaled = _part((spare, Step(GIVEN, _REGULARITY.symbol * plain)), (*inputs, _REGULARITY), "", "", exact=False)
        return chained("", BJORKLUND_ELLDIN, scaled)
    residual = Step(RESIDUAL, _s * (1 + _cs) / 2)
    first = [Step(FIRST, RESIDUAL.symbol)] if queue.one_core else _first_free(queue)
    each = RESIDUAL.symbol if queue.one_core else RESIDUAL.symbol / servers
    given = Step(GIVEN, FIRST.symbol + (1 - e) / e * each)
    told = "exact for Poisson arrivals to one core" if queue.exact else "; ".join([_ERROR, *([spread] if near else [])])
    source = "Pollaczek 1930, Khinchine 1932" if queue.exact else "Tijms, van Hoorn and Federgruen 1981"
    return _part((spare, residual, *first, given), (*inputs, SQUARED_CV), source, told, exact=queue.exact)


def _first_free(queue: Queue) -> list[Step]:
    """Return the mean time until the first core is free (Tijms 1994, eq. 9.6.24; above squared CV 1 by two phases)."""
    servers, d = queue.servers.symbol, _SPREAD.symbol
    if queue.shape == "regular":
        return [Step(FIRST, (1 - _cs) * _s / (servers + 1) + _cs * _s / servers)]
    spread = Step(_SPREAD, sqrt((_cs - 1) / (_cs + 1)))
    if queue.many:
        return [spread, Step(FIRST, _s / servers * (1 + d**2 / servers))]
    either: Expr = binomial(servers, _k) / (_k * (1 + d) + (servers - _k) * (1 - d))
    return [spread, Step(FIRST, _s * Sum(either, (_k, 0, servers)) / 2**servers)]


def _whitt(bursts: Bursts) -> Formula:
    """Return the mean wait of G/G/c over that of M/G/c, both after Whitt."""
    other, poisson = _whitt_mean(bursts, BURSTS.symbol, ""), _whitt_mean(_poisson(bursts), Integer(1), "_P")
    top, bottom = other.result.symbol, poisson.result.symbol
    told = "other than Poisson arrivals: means 1 to 5 % low, p99 within 6 %"
    ratio = _part((Step(RATIO, top / bottom),), (other.result, poisson.result), "", told, exact=False)
    return chained("", other, poisson, ratio)


def _poisson(bursts: Bursts) -> Bursts:
    """Return the region of Poisson arrivals with the same service: c_a = 1."""
    return replace(bursts, more_than_service=bursts.regular_service, variable=not bursts.regular_service)


def _whitt_mean(bursts: Bursts, ca: Expr, suffix: str) -> Formula:
    """Return the mean wait over that of M/M/c (Whitt 1993, eqs. 2.16 to 2.25)."""
    gamma, phi1 = real("gamma", "Whitt's correction"), real("phi_1", "for constant service")
    phi3, psi = real("phi_3", "for constant arrivals"), real("psi" + suffix, "between them")
    found = real("Phi" + suffix, "mean wait over that of M/M/c" + (", for Poisson arrivals" if suffix else ""))
    cap = Rational(24, 100)
    plain = (1 - _rho) * (_c - 1) * (sqrt(4 + 5 * _c) - 2) / (16 * _c * _rho)
    g = gamma.symbol
    middle = (ca + _cs) / 2
    steps = [
        Step(gamma, cap if bursts.capped else plain),
        Step(phi1, 1 + g),
        Step(phi3, (1 - 4 * g) * exp(-2 * (1 - _rho) / (3 * _rho))),
    ]
    reduced = ((phi1.symbol + phi3.symbol) / 2) ** (2 * (1 - middle))
    steps.append(Step(psi, Integer(1) if bursts.variable or not bursts.reduced else reduced))
    if bursts.more_than_service:
        scale = 4 * ca - 3 * _cs
        phi = (4 * (ca - _cs) * phi1.symbol + _cs * psi.symbol) / scale
    else:
        phi = ((_cs - ca) * phi3.symbol + (_cs + 3 * ca) * psi.symbol) / (2 * (ca + _cs))
    steps.append(Step(found, phi * middle))
    inputs = (USE, SERVERS, SQUARED_CV, *(() if ca == 1 else (BURSTS,)))
    return _part(tuple(steps), inputs, "Whitt 1993, eqs. 2.16 to 2.25", exact=False)


def hot_wait() -> Formula:
    """Return the mean wait before n nodes of one core where keys choose the node: the busiest and the others apart."""
    busiest, others = real("rho_h", "utilization of the busiest node"), real("rho_r", "utilization of each other node")
    first, rest = real("W_h", "mean wait at the busiest node", "s"), real("W_r", "mean wait at another node", "s")
    h, residual = HOT.symbol, RESIDUAL.symbol
    steps = (
        Step(RESIDUAL, _s * (1 + _cs) / 2),
        Step(busiest, h * _lambda * _s),
        Step(others, (1 - h) * _lambda * _s / (_n - 1)),
        Step(first, busiest.symbol / (1 - busiest.symbol) * residual),
        Step(rest, others.symbol / (1 - others.symbol) * residual),
        Step(WAIT, h * first.symbol + (1 - h) * rest.symbol),
    )
    told = "each node exact for Poisson arrivals; the others are taken as equally busy"
    inputs = (RATE, SERVICE, SQUARED_CV, HOT, NODES)
    return Formula("mean wait", inputs, steps, "Pollaczek 1930, Khinchine 1932", exact=False, accuracy=told)


def thread_wait() -> Formula:
    """Return the mean wait for a thread, from the numbers that flow equivalence leaves: there is no closed form."""
    taken, given = (
        real("P_t", "probability that all threads are taken"),
        real("w_t", "mean wait of those who wait", "s"),
    )
    step = Step(WAIT, taken.symbol * given.symbol)
    source = "flow equivalence: Chandy, Herzog and Woo 1975; Avi-Itzhak and Heyman 1973"
    told = "no closed form: the number inside is convolved; total mean within 5 % of simulation, p99 within 9 %"
    return Formula("mean wait for a thread", (taken, given), (step,), source, exact=False, accuracy=told)
