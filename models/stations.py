"""One queue before equal servers, first come first served: from rate, service and servers to everything about it.

These are the doors to the models of a station; each answers with a `SteadyState`. Loads at or above the servers raise
UnstableQueueError, which says by how much; input without a meaning raises ValueError.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from models import markov
from models.deterministic import constant_service
from models.elementwise import alone, numbers, single
from models.erlang import UnstableQueueError
from models.fewer_servers import REGULAR, wait_from_fewer
from models.independent_gaps import exponential_service, exponential_service_wait
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


FEWER_STATES = 200
"""Chains of fewer servers than asked for have at most so many states: three of them take a few tenths of a second."""

_FEWER = (
    (25, "mean wait within 7 %, P99 within 3 % of exact values"),
    (2, "mean wait 1 to 5 % off on average, up to 14 %"),
    (1, "mean wait 3 to 20 % off on average, up to 32 %"),
)
"""How far off what chains of up to so many servers tell was measured to be."""

_BASE_STATES = 60
"""M/G/c is known from chains of so many states at least, where a closed form starts from it."""

FEWEST = (1, 10)
"""From so many servers on chains of fewer tell more than closed forms: for other than Poisson arrivals, for those."""


class _ExponentialResponse(Sum):
    """An exponential wait or none, and exponential service, whose sum is known without an inversion."""

    def __init__(self, wait: Wait, service_time: float) -> None:
        super().__init__((wait, exponential(service_time)))
        self.waiting = wait.probability, 1 / wait.conditional.mean

    def tail_at(self, times: Floats) -> tuple[Floats, Floats]:
        """Return the closed form; the density is what waits no longer, times the rate of service."""
        waits, spare = self.waiting
        service = self.parts[1].mean
        tail = np.array([markov.response_tail(waits, spare, service, t) for t in times.tolist()])
        return tail, np.maximum(tail - waits * np.exp(-spare * times), 0.0) / service


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
    return state if arrival_rate == 0 else state.responding(_ExponentialResponse(wait, service_time))


def gimc(gaps: ServiceTime, service_time: float, servers: int) -> SteadyState:
    """Return the state of GI/M/c (*exact*, as `models.independent_gaps` says): independent gaps, mean service in s.

    Any gaps that are mixtures of Erlang and constant times, constant ones too (D/M/c), and any number of servers.
    Source: Takacs 1962; Gross, Shortle, Thompson and Harris 2008, section 5.3.
    """
    alone(service_time=service_time, servers=servers)
    state = exponential_service(gaps, service_time, servers)
    if state.wait_probability == 0:
        return state
    wait = exponential_service_wait(gaps, service_time, servers)
    return state.responding(_ExponentialResponse(wait, service_time))


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
    1/3 to 1/2. Else *approximate*, from exact chains of fewer servers (`models.fewer_servers`) wherever ten servers
    have a chain of at most FEWER_STATES: from a quarter of 40 to 200 servers, squared CV 2 to 25, utilization 0.5 to
    0.97, the mean is 0.5 | 4.9 % off (mean of errors | worst), P99 of the wait 1.7 | 7.6 %, P(wait) 0.3 %; from 49 of
    100 servers the mean 0.07 %, P99 1.1 %. Else, for squared CV below 1/3 or where no states are allowed, the mean
    between M/M/c and the exact M/D/c (Bjorklund and Elldin 1964), above squared CV 1 by Kimura 1986; the shape after
    Tijms, van Hoorn and Federgruen 1981: on 2 to 100 servers at utilization 0.5 to 0.95 the mean 0.4 | 1.7 % off for
    squared CV 0.25 to 0.75, 1.9 | 5.3 % for 4, 13 | 24 % low for 9; P99 of the wait 1.5 | 4.4 %, 4 | 26 %, 14 | 51 %.
    """
    alone(arrival_rate=arrival_rate, servers=servers)
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
    if (most := _reach(1.0, service, exact_states)) >= FEWEST[1]:
        return _from_fewer(arrival_rate, 1.0, service, servers, most)
    wait = _approximate_wait(arrival_rate, service, servers)
    state = steady(f"M/G/{servers}", arrival_rate, servers, service, wait, wait.probability)
    return state if wait.exact else approximate(state, _error(service.squared_cv))


def ggc(
    arrival_rate: float,
    arrival_squared_cv: float,
    service: ServiceTime,
    servers: int,
    exact_states: int = MOST_STATES,
) -> SteadyState:
    """Return the state of G/G/c: independent gaps between arrivals of this squared CV >= 0, service in s.

    The gaps are of the conventional distribution (`from_moments`). *Exact* for exponential service (`gimc`), and where
    gaps and services have at most `exact_states` states together (`models.renewal`): 199 servers of two phases if the
    gaps have two. Else *approximate*, from exact chains of fewer servers (`models.fewer_servers`). From a
    quarter of 8 to 40 servers, squared CV of service 0.25 to 4 (mean of errors | worst): at utilization 0.8 to 0.95 the
    mean is 0.7 | 4.7 % off for gaps of squared CV 0.25 and 0.5 and 1.6 | 7.5 % for 2 and 4, P99 of the wait 1.0 | 6 %
    and 1.1 | 4.7 %; at 0.5 and 0.7 the mean 3.4 | 8 % and 5.1 | 14 %, P99 3.2 | 6.4 % and 3.6 | 16 %. Constant
    gaps were simulated on 1 to 20 servers: no deviation beyond 2 to 10 % of noise.

    For constant and nearly constant service, which has no chain, `mgc` times the ratios of Whitt 1993: at utilization
    0.8 to 0.95 the mean is 3 to 5 % off on average, up to 37 %, P99 up to 38 %; at 0.5 and 0.7 it is 20 to 50 % off on
    average, up to threefold.
    """
    alone(arrival_rate=arrival_rate, arrival_squared_cv=arrival_squared_cv, servers=servers)
    check_queue(arrival_rate, service.mean, servers)
    if not 0 <= arrival_squared_cv < math.inf:
        raise ValueError(f"a squared coefficient of variation is >= 0, not {arrival_squared_cv!r}")
    if abs(arrival_squared_cv - 1) < 1e-9 or arrival_rate == 0:
        return mgc(arrival_rate, service, servers, exact_states)
    gaps = from_moments(1 / arrival_rate, arrival_squared_cv)
    if service.is_exponential:
        return gimc(gaps, service.mean, servers)
    if arrival_rate * service.mean >= servers:
        raise UnstableQueueError(servers, arrival_rate * service.mean)
    if renewal_states(gaps, service, servers) <= exact_states:
        return renewal_service(gaps, service, servers)
    if (most := _reach(arrival_squared_cv, service, exact_states)) >= FEWEST[0]:
        return _from_fewer(arrival_rate, arrival_squared_cv, service, servers, most)
    return _by_ratios(arrival_rate, arrival_squared_cv, service, servers, exact_states)


def _reach(arrival_squared_cv: float, service: ServiceTime, exact_states: int) -> int:
    """Return how many servers a small chain can have, 0 if none."""
    gaps = from_moments(1.0, max(arrival_squared_cv, REGULAR))
    count, most = 0, min(exact_states, FEWER_STATES)
    while renewal_states(gaps, service, count + 1) <= most:
        count += 1
    return count


def _from_fewer(
    arrival_rate: float, arrival_squared_cv: float, service: ServiceTime, servers: int, most: int
) -> SteadyState:
    wait, probability = wait_from_fewer(arrival_rate, arrival_squared_cv, service, servers, most)
    letter = "M" if arrival_squared_cv == 1 else "G"
    state = steady(f"{letter}/G/{servers}", arrival_rate, servers, service, wait, probability)
    error = next(told for least, told in _FEWER if most >= least)
    return approximate(state, f"{error}; from exact chains of up to {most} servers")


def _by_ratios(
    arrival_rate: float, arrival_squared_cv: float, service: ServiceTime, servers: int, exact_states: int
) -> SteadyState:
    """Return G/G/c as `mgc` times the ratios of Whitt 1993."""
    poisson = mgc(arrival_rate, service, servers, max(exact_states, _BASE_STATES))
    plain, other = (mgc_wait(arrival_rate, service, servers, cv2) for cv2 in (1.0, arrival_squared_cv))
    if poisson.wait_mean == 0 or plain.mean == 0 or plain.probability == 0:
        return poisson
    if other.mean == 0:
        # Constant gaps and constant service: nobody ever waits.
        return steady(f"D/D/{servers}", arrival_rate, servers, service, INSTANT, 0.0)
    probability = min(other.probability * (poisson.wait_probability / plain.probability), 1.0)
    if probability == 0:
        return steady(f"G/G/{servers}", arrival_rate, servers, service, INSTANT, 0.0)
    wait = _with_mean(other, probability, other.mean * poisson.wait_mean / plain.mean)
    state = steady(f"G/G/{servers}", arrival_rate, servers, service, wait, wait.probability)
    busy = "mean wait 3 to 5 % off on average, up to 37 %; P99 up to 38 %"
    return approximate(
        state, busy if state.utilization >= 0.8 else "mean wait 20 to 50 % off on average, up to threefold"
    )


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
