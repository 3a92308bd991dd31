"""Processor sharing: all requests are served at once, each more slowly the more there are."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast, overload

import numpy as np

from models.elementwise import numbers, require, single
from models.erlang import UnstableQueueError, require_stable
from models.latency import Latency
from models.loss import check_queue
from models.markov import MMcArray, spare_rate
from models.queues import MMc
from models.stages import absorbed
from models.states import SteadyStates, counted, steady_states
from models.steady import SteadyState
from models.transforms import INSTANT, Transform

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from models.service_time import ServiceTime
    from models.transforms import Floats

MOST_STATES = 5_000
"""A chain of more states takes long to follow: one server is followed up to a utilization of about 0.993."""

_UNSEEN = 1e-14
"""What a distribution of states leaves out at its top."""


@overload
def processor_sharing(arrival_rate: float, service_time: float, servers: int) -> SteadyState: ...
@overload
def processor_sharing(arrival_rate: ArrayLike, service_time: ArrayLike, servers: ArrayLike) -> Any: ...
def processor_sharing(arrival_rate: Any, service_time: Any, servers: Any) -> SteadyState | SteadyStates:
    """Return the state of M/M/c under processor sharing: n requests are served at min(n, c)/n of a server each.

    *Exact*: rate in 1/s, mean service time in s. The mean response is that of any service distribution (Sakata,
    Noguchi and Oizumi 1971; Kelly 1979), the percentiles are for exponential service: a tagged request sees a
    birth-death chain that ends when it leaves. Nobody waits; a response holds at least one service. Time grows with
    servers / (1 - utilization): a second for 1,000 servers. Raises UnstableQueueError when the load reaches them, and
    ValueError next to saturation, where more than MOST_STATES matter. Of arrays the figures are in closed form, and the
    chains are followed when percentiles are asked for.
    """
    arrival_rate, service_time, servers = numbers(arrival_rate, service_time, servers)
    check_queue(arrival_rate, service_time, servers)
    if not single(arrival_rate):
        return _many(arrival_rate, service_time, servers)
    queue = MMc(arrival_rate, service_time, servers)
    others = states_of(queue)
    n = np.arange(len(others))
    share = np.minimum(1.0, servers / (n + 1)) / service_time
    response = absorbed(np.full(len(n), arrival_rate), n * share, share, others)
    return SteadyState(
        model=f"M/M/{servers}-PS",
        arrival_rate=arrival_rate,
        throughput=arrival_rate,
        utilization=queue.utilization,
        wait_probability=0.0,
        wait=Latency.of(INSTANT),
        response=Latency.of(_Known(response, queue.response_mean)),
        queue_length=0.0,
        number=arrival_rate * queue.response_mean,
    )


def _many(arrival_rate: Floats, service_time: Floats, servers: Floats) -> SteadyStates:
    nobody, given = np.zeros_like(arrival_rate), (arrival_rate, service_time, counted(servers))
    found = steady_states("M/M/c-PS", processor_sharing, given, arrival_rate, servers, service_time, nobody, nobody)
    response = MMcArray(arrival_rate, service_time, servers).response_mean
    return replace(found, response_mean=response, number=arrival_rate * response)


@overload
def sharing_response_mean(arrival_rate: float, service: ServiceTime, servers: int) -> float: ...
@overload
def sharing_response_mean(arrival_rate: ArrayLike, service: ServiceTime, servers: ArrayLike) -> Floats | float: ...
def sharing_response_mean(arrival_rate: Any, service: ServiceTime, servers: Any) -> Floats | float:
    """Return the mean response, s, under processor sharing for any service distribution (*exact*: insensitive).

    Rates and servers are numbers or arrays.
    """
    arrival_rate, servers = numbers(arrival_rate, servers)
    check_queue(arrival_rate, service.mean, servers)
    queues = MMc if single(arrival_rate) else MMcArray
    return queues(arrival_rate, service.mean, servers).response_mean


@overload
def sharing_response_of_size(arrival_rate: float, service_time: float, size: float) -> float: ...
@overload
def sharing_response_of_size(arrival_rate: ArrayLike, service_time: ArrayLike, size: ArrayLike) -> Floats | float: ...
def sharing_response_of_size(arrival_rate: Any, service_time: Any, size: Any) -> Floats | float:
    """Return the mean response, s, of a request that alone would take `size` seconds, on one shared server (*exact*).

    It is size / (1 - rho) for any service distribution (Kleinrock 1967): the slowdown is the same for all sizes.
    Numbers or arrays.
    """
    arrival_rate, service_time, size = numbers(arrival_rate, service_time, size)
    check_queue(arrival_rate, service_time, 1)
    require((size >= 0) & (size < math.inf), "a size is a finite number of seconds >= 0, not {!r}", size)
    load = arrival_rate * service_time
    require_stable(1, load)
    return cast("Floats | float", size / (spare_rate(1, load, service_time) * service_time))


def states_of(queue: MMc) -> Floats:
    """Return the probabilities of 0, 1, ... requests in an M/M/c, up to where next to nothing is left out.

    From the likeliest state outwards, so that neither end overflows. Raises ValueError where more than MOST_STATES
    matter.
    """
    load, servers = queue.offered_load, queue.servers
    if load == 0:
        return np.ones(1)
    waiting = queue.wait_probability
    log_ratio = math.log1p((load - servers) / servers) if load > servers / 2 else math.log(load / servers)
    further = math.ceil(math.log(_UNSEEN / waiting) / log_ratio) if waiting > _UNSEEN else 0
    last = min(servers, int(load + 9 * math.sqrt(load) + 40)) + further
    if last > MOST_STATES:
        raise ValueError(f"{last} states matter at utilization {queue.utilization:g}: too many to look at one by one")
    mode = int(load)
    above = np.cumprod(load / np.minimum(np.arange(mode + 1, last + 1), servers))
    below = np.cumprod(np.minimum(np.arange(mode, 0, -1), servers) / load)[::-1]
    states = np.concatenate([below, [1.0], above])
    probabilities: Floats = states / states.sum()
    return probabilities


class _Known(Transform):
    """A duration whose mean is known better than from its stages."""

    def __init__(self, part: Transform, mean: float) -> None:
        self._part, self.mean, self.variance = part, mean, part.variance
        self.at, self.tail_at = part.at, part.tail_at  # type: ignore[method-assign]


__all__ = ["UnstableQueueError", "processor_sharing", "sharing_response_mean", "sharing_response_of_size", "states_of"]
