"""Queues whose customers give up: M/M/c with patience, known as Erlang A where the patience is exponential.

The wait that an arrival of endless patience would have has a density known up to a constant (Baccelli and Hebuterne
1981; Zeltyn and Mandelbaum 2005, section 3):

    v(x) = lambda p(c-1) exp(lambda H(x) - c mu x),   H(x) = integral over u < x of P(patience > u).

Its logarithm is concave, and every measure is an integral over it whose integrand is positive: nothing cancels, at
any load and with any number of servers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from models.arrays import in_parts
from models.elementwise import numbers, require, single
from models.erlang import erlang_b
from models.latency import Latency
from models.loss import check_queue
from models.quadrature import gauss_legendre
from models.states import SteadyStates, counted, steady_states
from models.steady import SteadyState
from models.transforms import Transform

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from models.service_time import ServiceTime
    from models.transforms import Floats

_NODES, _WEIGHTS = gauss_legendre(16)

_PANELS = 48

_WIDTH = 4000.0
"""Numbers that the density of one queue takes."""

_NEGLIGIBLE_EXPONENT = 45.0
"""exp(-45) of a peak is beyond the sixteenth digit of the area under it."""


@overload
def impatient(arrival_rate: float, service_time: float, servers: int, patience: ServiceTime) -> SteadyState: ...
@overload
def impatient(arrival_rate: ArrayLike, service_time: ArrayLike, servers: ArrayLike, patience: ServiceTime) -> Any: ...
def impatient(arrival_rate: Any, service_time: Any, servers: Any, patience: ServiceTime) -> SteadyState | SteadyStates:
    """Return the state of M/M/c + G: who has waited as long as their patience leaves (*exact*, relative error 1e-11).

    Rates in 1/s, times in seconds, numbers or arrays; `patience` is any mixture of Erlang times and constants, a
    client's timeout for one. Any load is stable. `wait` is the time in the queue of everybody, also of those who leave;
    `response` is that of whoever is served. Nobody leaves a server. Raises ValueError for input without a meaning.
    Source: Zeltyn and Mandelbaum 2005, "Call centers with impatient customers", section 3; for exponential patience
    Palm 1957.
    """
    arrival_rate, service_time, servers = numbers(arrival_rate, service_time, servers)
    check_queue(arrival_rate, service_time, servers)
    missing = "without arrivals there is nobody to be impatient: the arrival rate must be above 0"
    require(arrival_rate > 0, missing)
    if not single(arrival_rate):
        return _many(arrival_rate, service_time, servers, patience)
    rate, time, count = (np.array([float(part)]) for part in (arrival_rate, service_time, servers))
    offered = _Offered(rate, time, count, patience)
    waiting, served = _TimeInQueue(offered), _Served(offered, service_time)
    left = float(offered.abandonment[0])
    throughput = arrival_rate * (1 - left)
    return SteadyState(
        model=f"M/M/{servers}+G",
        arrival_rate=arrival_rate,
        throughput=throughput,
        utilization=min(throughput * service_time / servers, 1.0),
        wait_probability=float(offered.probability[0]),
        wait=Latency.of(waiting),
        response=Latency.of(served),
        queue_length=arrival_rate * waiting.mean,
        number=arrival_rate * waiting.mean + throughput * service_time,
        abandonment=left,
    )


def _many(arrival_rate: Floats, service_time: Floats, servers: Floats, patience: ServiceTime) -> SteadyStates:
    def figures(arrival_rate: Floats, service_time: Floats, servers: Floats) -> tuple[Floats, ...]:
        offered = _Offered(arrival_rate, service_time, servers, patience)
        return offered.abandonment, offered.probability, offered.time_in_queue, offered.wait_of_served

    flat = (part.ravel() for part in (arrival_rate, service_time, servers))
    found = in_parts(figures, np.full(arrival_rate.size, _WIDTH), *flat)
    left, probability, wait, served = (part.reshape(arrival_rate.shape) for part in found)
    given = (arrival_rate, service_time, counted(servers), patience)
    means = (arrival_rate, servers, service_time, served, probability)
    states = steady_states("M/M/c+G", impatient, given, *means, let_in=1 - left)
    queued = arrival_rate * wait
    number = queued + states.throughput * service_time
    return replace(states, wait_mean=wait, queue_length=queued, number=number, abandonment=left, blocking=0.0 * left)


@dataclass(frozen=True)
class _Patience:
    """The first integrals of a patience's tail, at an array of times."""

    time: ServiceTime

    def left(self, x: Floats) -> Floats:
        """Return P(patience > x)."""
        total = np.zeros_like(x)
        for weight, count, rate in self.time.phases:
            total += weight * (1 - _erlang_cdfs(rate * x, count)[-1] if count > 1 else np.exp(-rate * x))
        for weight, value in self.time.constants:
            total += weight * (x < value)
        return total

    def gone(self, x: Floats) -> Floats:
        """Return P(patience <= x), which keeps its digits where it is small."""
        total = np.zeros_like(x)
        for weight, count, rate in self.time.phases:
            total += weight * _erlang_cdfs(rate * x, count)[-1]
        for weight, value in self.time.constants:
            total += weight * (x >= value)
        return total

    def spent(self, x: Floats) -> Floats:
        """Return E[min(patience, x)]."""
        total = np.zeros_like(x)
        for weight, count, rate in self.time.phases:
            total += weight / rate * sum(_erlang_cdfs(rate * x, count))
        for weight, value in self.time.constants:
            total += weight * np.minimum(x, value)
        return total

    def spent_squared(self, x: Floats) -> Floats:
        """Return E[min(patience, x)**2]."""
        total = np.zeros_like(x)
        for weight, count, rate in self.time.phases:
            cdfs = _erlang_cdfs(rate * x, count + 1)[1:]
            total += weight * 2 / rate**2 * sum((i + 1) * cdf for i, cdf in enumerate(cdfs))
        for weight, value in self.time.constants:
            total += weight * np.minimum(x, value) ** 2
        return total

    def breaks(self) -> list[float]:
        """Return the times where the tail jumps or bends."""
        scales = [n / rate for _, n, rate in self.time.phases]
        return [value for _, value in self.time.constants] + [f * s for s in scales for f in (0.125, 0.5, 1, 2, 4, 8)]


class _Offered:
    """The waits of arrivals with endless patience, of one queue or many: the `probability` of one, and its density.

    Each queue is a row of times at which its density is looked at.
    """

    def __init__(self, arrival_rate: Floats, service_time: Floats, servers: Floats, patience: ServiceTime) -> None:
        self.patience = _Patience(patience)
        self._arrival_rate, self._drain = arrival_rate[:, None], (servers / service_time)[:, None]
        nothing = np.zeros_like(self._drain)
        peak = self._first(lambda x: self._arrival_rate * self.patience.left(x) <= self._drain, nothing)
        self._highest, self._scale = self._exponent(peak), np.ones_like(peak)
        negligible = self._highest - _NEGLIGIBLE_EXPONENT
        end = self._first(lambda x: self._exponent(x) < negligible, peak)

        def before(back: Floats) -> Any:
            return (back >= peak) | (self._exponent(np.maximum(peak - back, 0.0)) < negligible)

        start = np.maximum(peak - self._first(before, nothing), 0.0)
        even = start + (end - start) * np.linspace(0.0, 1.0, _PANELS)
        inner = np.clip(np.array([self.patience.breaks()]), start, end)
        self.edges = np.sort(np.concatenate([even, peak, inner], axis=-1), axis=-1)
        blocked = erlang_b(servers - 1, arrival_rate * service_time)[:, None]  # type: ignore[index]
        below = np.where(blocked > 0, np.exp(-self._highest) / np.where(blocked > 0, blocked, 1.0), math.inf)
        area = self._arrival_rate * self.integral(self.density, 0.0, math.inf)[:, None]
        self._scale = self._arrival_rate / (below + area)
        self.probability = (area / (below + area))[:, 0]
        self.abandonment = self.expected(self.patience.gone)

    @property
    def time_in_queue(self) -> Floats:
        """The mean of everybody's."""
        return self.expected(self.patience.spent)

    @property
    def wait_of_served(self) -> Floats:
        """The mean."""
        return self.expected(lambda x: self.patience.left(x) * x) / (1 - self.abandonment)

    def density(self, x: Floats) -> Floats:
        """Return the density of the offered wait at times > 0, a row for each queue."""
        exponent = self._arrival_rate * self.patience.spent(x) - self._drain * x - self._highest
        return np.asarray(self._scale * np.exp(exponent))

    def expected(self, function: Callable[[Floats], Floats]) -> Floats:
        """Return the mean of a function of the offered wait, where there is one."""
        x, weighted = self._whole
        return np.asarray((function(x) * weighted).sum(axis=-1))

    @cached_property
    def _whole(self) -> tuple[Floats, Floats]:
        """Where to look at the density, and its weight there."""
        x, weights = self.points(0.0, math.inf)
        return x, self.density(x) * weights

    def points(self, low: float, high: float) -> tuple[Floats, Floats]:
        """Return where to look between two times, and the weights there."""
        edges = np.clip(self.edges, low, high)
        widths = np.diff(edges)[..., None]
        rows = len(edges)
        return (edges[:, :-1, None] + widths * _NODES).reshape(rows, -1), (widths * _WEIGHTS).reshape(rows, -1)

    def integral(self, function: Callable[[Floats], Floats], low: float, high: float) -> Floats:
        """Return the integral of something that the density is a factor of."""
        x, weights = self.points(low, high)
        return np.asarray((function(x) * weights).sum(axis=-1))

    def _exponent(self, x: Floats) -> Floats:
        return np.asarray(self._arrival_rate * self.patience.spent(x) - self._drain * x)

    def _first(self, true: Callable[[Floats], Any], start: Floats) -> Floats:
        """Return about the first times from `start` on where something turns true for good."""
        at_once = true(start)
        if at_once.all():
            return start
        step, low, high = 1 / self._drain, start, start + 1 / self._drain
        while not (there := true(high) | at_once).all():
            step = np.where(there, step, 2 * step)
            low, high = np.where(there, low, high), np.where(there, high, start + step)
        width = high - low
        for _ in range(60):
            width = width / 2
            low = low + width * ~true(low + width)
        return np.where(at_once, start, low + width)


class _TimeInQueue(Transform):
    """The time in the queue of one: the least of the offered wait and the patience."""

    def __init__(self, offered: _Offered) -> None:
        self._offered = offered
        self.mean = float(offered.time_in_queue[0])
        second = float(offered.expected(offered.patience.spent_squared)[0])
        self.variance = max(second - self.mean**2, 0.0)

    def tail_at(self, times: Floats) -> tuple[Floats, Floats]:
        """Return P(offered > t) P(patience > t); the density, which steers a search only, by differences."""
        offered, patience = self._offered, self._offered.patience
        longer = np.array([offered.integral(offered.density, t, math.inf)[0] for t in times.tolist()])
        left = patience.left(times)
        leaving = (patience.left(times * (1 - 1e-6)) - patience.left(times * (1 + 1e-6))) / (2e-6 * times)
        return longer * left, offered.density(times[None, :])[0] * left + longer * leaving


class _Served(Transform):
    """The response time of whoever is served: the offered wait of those whose patience lasts, then the service."""

    def __init__(self, offered: _Offered, service_time: float) -> None:
        self._offered, self._service_time = offered, service_time
        self._share = 1 - float(offered.abandonment[0])
        wait = float(offered.wait_of_served[0])
        second = float(offered.integral(lambda x: self._waits(x) * x * x, 0.0, math.inf)[0])
        self.mean = wait + service_time
        self.variance = max(second - wait**2, 0.0) + service_time**2

    def tail_at(self, times: Floats) -> tuple[Floats, Floats]:
        """Return the wait's tail plus what the service still takes; the density is what ends just then."""
        tail, density = np.zeros_like(times), np.zeros_like(times)
        for i, t in enumerate(times.tolist()):
            waiting = float(self._offered.integral(self._waits, t, math.inf)[0])
            serving = (1 - float(self._offered.probability[0])) / self._share * math.exp(-t / self._service_time)
            serving += float(self._offered.integral(self._in_service(t), 0.0, t)[0])
            tail[i], density[i] = waiting + serving, serving / self._service_time
        return tail, density

    def _waits(self, x: Floats) -> Floats:
        """Return the density of the wait of the served."""
        return self._offered.density(x) * self._offered.patience.left(x) / self._share

    def _in_service(self, t: float) -> Callable[[Floats], Floats]:
        return lambda x: self._waits(x) * np.exp((x - t) / self._service_time)


def _erlang_cdfs(x: Floats, count: int) -> list[Floats]:
    """Return P(Erlang(k, 1) <= x) for k = 1 to `count`, by the series that does not cancel for small x."""
    small = x < 1.0
    result, term, inside = [], np.exp(-x), -np.expm1(-x)
    for k in range(1, count + 1):
        result.append(np.where(small, _small_erlang(x, k), inside) if k > 1 else inside)
        term = term * x / k
        inside = np.maximum(inside - term, 0.0)
    return result


def _small_erlang(x: Floats, count: int) -> Floats:
    """Return P(Erlang(k, 1) <= x) for x < 1: the Poisson probabilities of k and more."""
    below_one = np.minimum(x, 1.0)
    term = np.exp(-below_one) * below_one**count / math.factorial(count) if count < 150 else np.zeros_like(x)
    total = np.zeros_like(x)
    for n in range(count + 1, count + 20):
        total += term
        term = term * below_one / n
    return total
