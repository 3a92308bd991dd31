"""One queue before equal servers, first come first served: from rate, service and servers to everything about it.

These are the doors to the models of a station; each answers with a `SteadyState`. Loads at or above the servers raise
UnstableQueueError, which says by how much; input without a meaning raises ValueError.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from models.deterministic import constant_service
from models.elementwise import numbers, single
from models.erlang import UnstableQueueError
from models.loss import check_queue
from models.markov import MMcArray, mg1_wait_mean
from models.phases import MOST_STATES, phase_service, phase_states
from models.queues import MMc, Wait, mgc_wait
from models.renewal import renewal_service, renewal_states
from models.service_time import exponential, from_moments
from models.states import SteadyStates, counted, steady_states
from models.steady import SteadyState, approximate, steady
from models.transforms import INSTANT, Sum

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from models.service_time import ServiceTime
    from models.transforms import Floats


MOST_LEVELS = 1000
"""Beyond so many servers even the smallest chain takes seconds."""


class _ExponentialResponse(Sum):
    """Wait and service of M/M/c, whose sum is known without an inversion."""

    def __init__(self, queue: MMc, wait: Wait) -> None:
        super().__init__((wait, exponential(queue.service_time)))
        object.__setattr__(self, "queue", queue)

    def tail_at(self, times: Floats) -> tuple[Floats, Floats]:
        """Return the closed form; the density is what waits no longer, times the rate of service."""
        queue: MMc = self.queue  # type: ignore[attr-defined]
        tail = np.array([queue.response_tail(t) for t in times.tolist()])
        waiting = np.array([queue.wait_tail(t) for t in times.tolist()])
        return tail, np.maximum(tail - waiting, 0.0) / queue.service_time


@dataclass(frozen=True, eq=False)
class _ExponentialStates(SteadyStates):
    """Many M/M/c, whose distributions are known for all at once."""

    queues: MMcArray

    def wait_tail(self, seconds: ArrayLike) -> Floats:
        return self.queues.wait_tail(seconds)

    def response_tail(self, seconds: ArrayLike) -> Floats:
        return self.queues.response_tail(seconds)

    def wait_percentile(self, fraction: ArrayLike) -> Floats:
        return self.queues.wait_percentile(fraction)

    def response_percentile(self, fraction: ArrayLike) -> Floats:
        return self.queues.response_percentile(fraction)


@overload
def mmc(arrival_rate: float, service_time: float, servers: int) -> SteadyState: ...
@overload
def mmc(arrival_rate: ArrayLike, service_time: ArrayLike, servers: ArrayLike) -> Any: ...
def mmc(arrival_rate: Any, service_time: Any, servers: Any) -> SteadyState | SteadyStates:
    """Return the state of M/M/c (*exact*, 1e-12; percentiles 1e-8): rate in 1/s, mean service time in s, servers >= 1.

    Of arrays, broadcast together, `models.states.SteadyStates`, distributions included at array speed. Source: Erlang
    1917; Gross, Shortle, Thompson and Harris 2008, section 2.3.
    """
    arrival_rate, service_time, servers = numbers(arrival_rate, service_time, servers)
    check_queue(arrival_rate, service_time, servers)
    if not single(arrival_rate):
        return _many_exponential(arrival_rate, service_time, servers)
    queue = MMc(arrival_rate, service_time, servers)
    service = exponential(service_time)
    wait = mgc_wait(arrival_rate, service, servers)
    state = steady(f"M/M/{servers}", arrival_rate, servers, service, wait, queue.wait_probability)
    return state if arrival_rate == 0 else state.responding(_ExponentialResponse(queue, wait))


def _many_exponential(arrival_rate: Floats, service_time: Floats, servers: Floats) -> SteadyStates:
    queues = MMcArray(arrival_rate, service_time, servers)
    given = (arrival_rate, service_time, counted(servers))
    found = steady_states(
        "M/M/c", mmc, given, arrival_rate, servers, service_time, queues.wait_mean, queues.wait_probability
    )
    return _ExponentialStates(**vars(found), queues=queues)


@overload
def mg1(arrival_rate: float, service: ServiceTime) -> SteadyState: ...
@overload
def mg1(arrival_rate: ArrayLike, service: ServiceTime) -> Any: ...
def mg1(arrival_rate: Any, service: ServiceTime) -> SteadyState | SteadyStates:
    """Return the state of M/G/1 (*exact*): rate in 1/s, service in s.

    Means and variances are closed forms, distributions inverted transforms (percentiles 1e-6, next to a jump of the
    service 0.1 %). Of an array of rates `models.states.SteadyStates`. Source: Pollaczek 1930, Khinchine 1932.
    """
    (arrival_rate,) = numbers(arrival_rate)
    if single(arrival_rate):
        return mgc(arrival_rate, service, 1)
    check_queue(arrival_rate, service.mean, 1)
    mean = mg1_wait_mean(arrival_rate, service.mean, service.squared_cv)
    load = arrival_rate * service.mean
    return steady_states("M/G/1", mg1, (arrival_rate, service), arrival_rate, 1, service.mean, mean, load)


def mgc(arrival_rate: float, service: ServiceTime, servers: int, exact_states: int = MOST_STATES) -> SteadyState:
    """Return the state of M/G/c: rate in 1/s, service in s, servers >= 1.

    *Exact* for one server, exponential and constant service, and as M/PH/c where all servers can be busy in at most
    `exact_states` ways (`models.phases` says what that costs): 399 servers of squared CV above 1, 26 of squared CV
    1/3 to 1/2. Else *approximate*: the mean between M/M/c and the exact M/D/c below squared CV 1 (Bjorklund and
    Elldin 1964), by Kimura 1986 above; the shape after Tijms, van Hoorn and Federgruen 1981. Measured against exact
    values on 2 to 100 servers at utilization 0.5 to 0.95 (mean of errors | worst): the mean 0.4 | 1.7 % for squared CV
    0.25 to 0.75, 0.9 | 2.7 % up to 2, 1.9 | 5.3 % for 4, 13 | 24 % low for 9; P99 of the wait 1.5 | 4.4 %, 2.3 | 9 %,
    4 | 26 % and 14 | 51 %; P(wait), Erlang C, 1.6 | 4 %, 1.7 | 3.5 %, 3.5 | 7 % and 5 | 10 %.
    """
    check_queue(arrival_rate, service.mean, servers)
    if service.is_exponential:
        return mmc(arrival_rate, service.mean, servers)
    if not service.phases and len(service.constants) == 1:
        return constant_service(arrival_rate, service.mean, servers)
    if servers == 1:
        wait = mgc_wait(arrival_rate, service, 1)
        return steady("M/G/1", arrival_rate, 1, service, wait, wait.probability)
    if phase_states(service, servers) <= exact_states:
        return phase_service(arrival_rate, service, servers)
    wait = _approximate_wait(arrival_rate, service, servers)
    state = steady(f"M/G/{servers}", arrival_rate, servers, service, wait, wait.probability)
    return state if wait.exact else approximate(state, _error(service.squared_cv))


def ggc(
    arrival_rate: float, arrival_squared_cv: float, service: ServiceTime, servers: int, exact_states: int = 70
) -> SteadyState:
    """Return the state of G/G/c: independent gaps between arrivals of this squared CV >= 0, service in s.

    *Exact* for the conventional distribution of the gaps (`from_moments`) where it and the services have at most
    `exact_states` states together, fewer from utilization 0.965 on (`models.renewal`): 34 servers of two-phase
    service, a thousand of exponential service. Else *approximate*: `mgc` times the ratios of Whitt 1993 in mean and
    wait probability. Measured against the exact chain on 1 to 20 servers, squared CV of gaps 0.25 to 4 and of
    service 0.5 to 4, where at least one in a hundred waits (mean of errors | worst): at utilization 0.8 to 0.95 the
    mean 2.7 | 17 % for regular and 5.2 | 37 % for irregular gaps, P99 of the wait 4 | 29 % and 5.6 | 38 %, P(wait)
    2.8 | 19 % and 1.4 | 8 %; at 0.5 and 0.7 the mean 20 | 102 % and 22 | 86 %: then it tells no more than the order
    of magnitude.
    """
    check_queue(arrival_rate, service.mean, servers)
    if not 0 <= arrival_squared_cv < math.inf:
        raise ValueError(f"a squared coefficient of variation is >= 0, not {arrival_squared_cv!r}")
    poisson = mgc(arrival_rate, service, servers)
    if abs(arrival_squared_cv - 1) < 1e-9 or poisson.wait_mean == 0:
        return poisson
    gaps = from_moments(1 / arrival_rate, arrival_squared_cv)
    # Close to saturation queues are long and slow to follow, and the approximation is at its best.
    affordable = min(exact_states, 2000 * (1 - poisson.utilization))
    if servers <= MOST_LEVELS and renewal_states(gaps, service, servers) <= affordable:
        return renewal_service(gaps, service, servers)
    plain, other = (mgc_wait(arrival_rate, service, servers, cv2) for cv2 in (1.0, arrival_squared_cv))
    if other.mean == 0:
        # Constant gaps and constant service: nobody ever waits.
        return steady(f"D/D/{servers}", arrival_rate, servers, service, INSTANT, 0.0)
    probability = min(other.probability * poisson.wait_probability / plain.probability, 1.0)
    wait = _with_mean(other, probability, other.mean * poisson.wait_mean / plain.mean)
    state = steady(f"G/G/{servers}", arrival_rate, servers, service, wait, wait.probability)
    busy = "mean wait 3 to 5 % off on average, up to 37 %; P99 up to 38 %"
    return approximate(state, busy if state.utilization >= 0.8 else "mean wait 20 % off on average, up to twofold")


def _approximate_wait(arrival_rate: float, service: ServiceTime, servers: int) -> Wait:
    shape = mgc_wait(arrival_rate, service, servers)
    if shape.mean == 0:
        return shape
    markov, cs2 = MMc(arrival_rate, service.mean, servers).wait_mean, service.squared_cv
    regular = constant_service(arrival_rate, service.mean, servers).wait_mean
    mean = cs2 * markov + (1 - cs2) * regular if cs2 < 1 else (1 + cs2) / (2 * cs2 / markov + (1 - cs2) / regular)
    return _with_mean(shape, shape.probability, mean)


def _with_mean(wait: Wait, probability: float, mean: float) -> Wait:
    """Return the same shape with another probability and mean."""
    if wait.mean == 0:
        return wait
    stretched = wait.stretched(mean / probability / wait.conditional.mean)
    return Wait(probability, stretched.conditional, exact=False)


def _error(squared_cv: float) -> str:
    if squared_cv < 1:
        return "mean wait within 1.7 %, P99 within 5 % of exact values"
    if squared_cv <= 2:
        return "mean wait within 3 %, P99 within 9 % of exact values"
    if squared_cv <= 4:
        return "mean wait within 5 %, P99 within 26 % of exact values"
    return "mean wait 13 % low on average, up to 24 % at squared CV 9 and more beyond"


__all__ = ["UnstableQueueError", "ggc", "mg1", "mgc", "mmc"]
