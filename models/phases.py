"""M/PH/c exactly: Poisson arrivals to equal servers whose service is a mixture of Erlang times.

The state is how many services are in which phase. With all servers busy, the chain repeats itself from one length of
the queue to the next: the first passage one level down has the phase matrix G (Neuts 1981), found by logarithmic
reduction (Latouche and Ramaswami 1993), and the levels below are eliminated one by one. As R = lambda (-U)^-1 with
U = A1 + lambda G, and the queue is what arrives during a wait (Keilson and Servi 1988), the wait is

    P(wait > t) = pi_c (I - R)^-1 exp((U + lambda I) t) 1,

whose matrix has no negative entries off its diagonal: it is a number of exponential stages, and nothing cancels.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from models.erlang import UnstableQueueError
from models.loss import check_queue
from models.stages import NO_STAGES, Stages, counted
from models.steady import SteadyState, steady
from models.transforms import INSTANT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.service_time import ServiceTime
    from models.transforms import Floats

    Spreads = NDArray[np.intp]

MOST_STATES = 400
"""So many ways to spread the busy servers over phases are solved exactly: 399 servers of two phases, 26 of three."""

LARGE: Final = 1e100
"""Above it the unit is made larger."""

NEVER: Final = 1e-290
"""Below this probability nobody waits: double precision ends a little further on."""

_FULL: Final = 1e-6
"""With less than this share of the servers to spare the chain has no digits left, and the limit has six."""


def nearly_full(arrival_rate: float, arrival_squared_cv: float, service: ServiceTime, servers: int) -> Stages | None:
    """Return the exponential wait of GI/G/c with next to nothing to spare, when everybody waits; None with more.

    *Approximate*: the limit in heavy traffic, off by a few times the share to spare (Kingman 1962, Kollerstrom 1974).
    """
    spare = 1 - arrival_rate * service.mean / servers
    if spare >= _FULL:
        return None
    mean = (arrival_squared_cv + service.squared_cv) / 2 * service.mean / (servers * spare)
    return Stages(1 / mean, np.ones(1))


def phase_states(service: ServiceTime, servers: int) -> float:
    """Return in how many ways all servers can be busy, which is what an exact solution costs; inf for constants."""
    if service.constants:
        return math.inf
    count = _phase_count(service)
    return math.comb(servers + count - 1, count - 1)


def phase_service(arrival_rate: float, service: ServiceTime, servers: int) -> SteadyState:
    """Return the state of M/PH/c (*exact*): arrival rate in 1/s, service in seconds without constants, servers >= 1.

    Means and shares hold 1e-9 relative up to utilization 0.999 (the reduction loses digits in proportion to the spare
    capacity), tails 1e-12 absolute. Time grows with the cube of `phase_states`: 7 ms for 20 servers of two phases,
    0.15 s for 100, some seconds for 399. Raises UnstableQueueError when the load reaches the servers, ValueError where
    there are more than MOST_STATES.
    """
    check_queue(arrival_rate, service.mean, servers)
    load = arrival_rate * service.mean
    if load >= servers:
        raise UnstableQueueError(servers, load)
    if (states := phase_states(service, servers)) > MOST_STATES:
        raise ValueError(f"{servers} servers of such phases have {states:g} states, more than {MOST_STATES}")
    wait, probability = _wait(arrival_rate, service, servers) if load else (INSTANT, 0.0)
    return steady(f"M/PH/{servers}", arrival_rate, servers, service, wait, probability)


def _wait(arrival_rate: float, service: ServiceTime, servers: int) -> tuple[Stages, float]:
    if (limit := nearly_full(arrival_rate, 1.0, service, servers)) is not None:
        return limit, 1.0
    chain = Phases(service)
    levels = [chain.level(n) for n in range(servers + 1)]
    # What is below all busy, eliminated upwards: `below` is its effect on the level, `mass` its probability, in such a
    # unit that it stays a number: next to nobody finds hundreds of idle servers busy.
    mass, below, unit = np.ones(1), np.zeros((1, 1)), 1.0
    for n in range(servers):
        entering = arrival_rate * chain.starts(levels[n], levels[n + 1])
        local = balanced(chain.local(levels[n]) + below, entering)
        solved = np.linalg.solve(-local, np.column_stack([entering, mass]))
        leaving = chain.ends(levels[n + 1], levels[n])
        carried = leaving @ solved
        below, mass = carried[:, :-1], unit + carried[:, -1]
        if (most := float(mass.max())) > LARGE:
            mass, unit = mass / most, unit / most
        if unit < NEVER:
            return NO_STAGES, 0.0
    size = len(levels[-1])
    down = chain.ends(levels[-1], levels[-2]) @ chain.starts(levels[-2], levels[-1])
    inside = chain.local(levels[-1]) - arrival_rate * np.eye(size)
    passage = passage_down(arrival_rate * np.eye(size), inside, down)
    censored = inside + arrival_rate * passage
    full = stationary(censored + below)
    # (I - R)^-1 = (U + lambda I)^-1 U, and row vectors are solved from the right.
    generator = censored + arrival_rate * np.eye(size)
    waiting = np.linalg.solve(generator.T, censored.T @ full)
    whole = float(unit * waiting.sum() + full @ mass - unit * full.sum())
    start = np.maximum(unit * waiting / whole, 0.0)
    if start.sum() < NEVER:
        return NO_STAGES, 0.0
    start /= max(1.0, float(start.sum()))
    return counted(start, generator), float(start.sum())


def balanced(local: Floats, entering: Floats) -> Floats:
    """Return a generator whose rows and those of what enters the next level sum to 0, by its diagonal.

    What goes down comes back: at light load nearly all of the diagonal cancels, and what rounding leaves of it would
    grow from level to level, by thirteen orders of magnitude on 33 servers.
    """
    held = local.copy()
    np.fill_diagonal(held, 0.0)
    np.fill_diagonal(held, -(held.sum(axis=1) + entering.sum(axis=1)))
    return held


def passage_down(up: Floats, inside: Floats, down: Floats) -> Floats:
    """Return G, the phases of the first passage one level down, by logarithmic reduction."""
    identity = np.eye(len(up))
    inverse = np.linalg.inv(-inside)
    rise, fall = inverse @ up, inverse @ down
    passage, product = fall.copy(), rise.copy()
    for _ in range(60):
        both = rise @ fall + fall @ rise
        inverse = np.linalg.inv(identity - both)
        rise, fall = inverse @ (rise @ rise), inverse @ (fall @ fall)
        passage += product @ fall
        product = product @ rise
        if np.abs(product).max() < 1e-15 or np.abs(1 - passage.sum(axis=1)).max() < 1e-15:
            break
    result: Floats = passage / passage.sum(axis=1, keepdims=True)
    return result


def stationary(generator: Floats) -> Floats:
    """Return the stationary vector of a generator without subtractions (Grassmann, Taksar and Heyman 1985)."""
    a = generator.copy()
    np.fill_diagonal(a, 0.0)
    a = np.maximum(a, 0.0)
    for n in range(len(a) - 1, 0, -1):
        a[:n, n] /= a[n, :n].sum()
        a[:n, :n] += np.outer(a[:n, n], a[n, :n])
    x = np.ones(len(a))
    for n in range(1, len(a)):
        x[n] = x[:n] @ a[:n, n]
    result: Floats = x / x.sum()
    return result


class Phases:
    """The phases of one service and what moves between them; a level is all ways to spread n services over them."""

    def __init__(self, service: ServiceTime) -> None:
        longest: dict[float, int] = {}
        for _, count, rate in service.phases:
            longest[rate] = max(longest.get(rate, 0), count)
        first: dict[float, int] = {}
        self.rates: list[float] = []
        self.following: list[int | None] = []
        for rate, count in longest.items():
            first[rate] = len(self.rates)
            self.rates += [rate] * count
            self.following += [first[rate] + i + 1 if i + 1 < count else None for i in range(count)]
        self.begin = np.zeros(len(self.rates))
        for weight, count, rate in service.phases:
            self.begin[first[rate] + longest[rate] - count] += weight

    def level(self, services: int) -> Spreads:
        """Return all spreads of n services over the phases, one a row, ascending."""
        return _spreads(services, len(self.rates))

    def local(self, level: Spreads) -> Floats:
        """Return the moves from phase to phase, and on the diagonal all that leaves, arrivals not counted."""
        matrix = np.diag(-(level @ np.array(self.rates)))
        for i, j in enumerate(self.following):
            if j is not None:
                rows = np.flatnonzero(level[:, i])
                matrix[rows, _places(_moved(level[rows], i, j))] += level[rows, i] * self.rates[i]
        return matrix

    def starts(self, level: Spreads, above: Spreads) -> Floats:
        """Return where one service more begins."""
        matrix = np.zeros((len(level), len(above)))
        for i in np.flatnonzero(self.begin).tolist():
            matrix[np.arange(len(level)), _places(_moved(level, None, i))] += self.begin[i]
        return matrix

    def ends(self, level: Spreads, under: Spreads) -> Floats:
        """Return the rates at which a service ends."""
        matrix = np.zeros((len(level), len(under)))
        for i, j in enumerate(self.following):
            if j is None:
                rows = np.flatnonzero(level[:, i])
                matrix[rows, _places(_moved(level[rows], i, None))] += level[rows, i] * self.rates[i]
        return matrix


def _spreads(services: int, phases: int) -> Spreads:
    if services == 0 or phases == 1:
        return np.full((1, phases), services)
    if phases == 2:
        first = np.arange(services + 1)
        return np.column_stack([first, services - first])
    parts = [_spreads(services - first, phases - 1) for first in range(services + 1)]
    heads = np.repeat(np.arange(services + 1), [len(part) for part in parts])
    return np.column_stack([heads, np.concatenate(parts)])


def _places(states: Spreads) -> Spreads:
    """Return where spreads, one a row, stand among all of as many services.

    Those that have less at a phase, and the same before it, are as many as spreads of R or fewer services over the k
    phases after it, less those of R - n or fewer: C(R + k, k) - C(R - n + k, k).
    """
    if not len(states):
        return np.zeros(0, dtype=np.intp)
    left = states.sum(axis=1)
    size, phases = int(left[0]) + 1, states.shape[1]
    counts = [np.ones(size)]
    for _ in range(1, phases):
        counts.append(np.cumsum(counts[-1]))
    places = np.zeros(len(states))
    for i in range(phases - 1):
        up_to = counts[phases - 1 - i]
        places += up_to[left]
        left = left - states[:, i]
        places -= up_to[left]
    return places.astype(np.intp)


def _moved(states: Spreads, source: int | None, target: int | None) -> Spreads:
    changed = states.copy()
    if source is not None:
        changed[:, source] -= 1
    if target is not None:
        changed[:, target] += 1
    return changed


def _phase_count(service: ServiceTime) -> int:
    longest: dict[float, int] = {}
    for _, count, rate in service.phases:
        longest[rate] = max(longest.get(rate, 0), count)
    return sum(longest.values())
