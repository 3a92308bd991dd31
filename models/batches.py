"""Requests that arrive together: M^X/M/c, and the mean of M^X/G/1."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from models.elementwise import alone, numbers, require
from models.erlang import UnstableQueueError, require_stable
from models.loss import check_queue
from models.service_time import exponential
from models.stages import Stages
from models.steady import SteadyState, steady

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from models.elementwise import Array
    from models.service_time import ServiceTime
    from models.transforms import Floats

MOST_STATES = 200_000
"""A queue that reaches further than this is too close to saturation to be added up state by state."""

_UNSEEN = 1e-15


def batch_arrivals(batch_rate: float, sizes: Sequence[float], service_time: float, servers: int) -> SteadyState:
    """Return the state of M^X/M/c, seen by a request: batches come at `batch_rate` in 1/s (*exact*).

    `sizes[i]` is the probability of a batch of i + 1 requests, summing to 1; mean service time in s, servers >= 1. A
    request waits for those that it finds and for those of its own batch before it. Shares and means 1e-11, the tail of
    the wait 1e-13 absolute. Time grows with states times sizes. Raises UnstableQueueError when the load reaches the
    servers, ValueError for sizes that are no distribution or a queue of more than MOST_STATES.
    Source: Chaudhry and Templeton 1983, chapter 3; the states by the flow across each level, every term positive.
    """
    alone(batch_rate=batch_rate, service_time=service_time, servers=servers)
    batch = _checked(sizes)
    mean_size = float(batch @ np.arange(1, len(batch) + 1))
    check_queue(batch_rate, service_time, servers)
    load = batch_rate * mean_size * service_time
    if load >= servers:
        raise UnstableQueueError(servers, load)
    model, rate = f"M[X]/M/{servers}", batch_rate * mean_size
    states = _states(batch_rate * service_time, batch, servers)
    # Of the requests, a share P(X >= i) / E[X] is the i-th of its batch.
    place = np.cumsum(batch[::-1])[::-1] / mean_size
    ahead = np.convolve(states, place)
    waiting = ahead[servers:]
    beyond = np.cumsum(waiting[::-1])[::-1]
    wait = Stages(servers / service_time, beyond)
    return steady(model, rate, servers, exponential(service_time), wait, float(beyond[0]))


@overload
def batch_wait_mean(batch_rate: float, size_mean: float, size_squared_cv: float, service: ServiceTime) -> float: ...
@overload
def batch_wait_mean(
    batch_rate: ArrayLike, size_mean: ArrayLike, size_squared_cv: ArrayLike, service: ServiceTime
) -> Array | float: ...
def batch_wait_mean(batch_rate: Any, size_mean: Any, size_squared_cv: Any, service: ServiceTime) -> Any:
    """Return the mean wait, s, of a request in M^X/G/1 (*exact*).

    Batches at `batch_rate` in 1/s of `size_mean` >= 1 requests with this squared CV, numbers or arrays. The first of a
    batch waits as in M/G/1 of whole batches, a request besides for those of its batch before it. Source: Burke 1975,
    "Delays in single-server queues with batch input". Raises UnstableQueueError when the load reaches 1.
    """
    batch_rate, size_mean, size_squared_cv = numbers(batch_rate, size_mean, size_squared_cv)
    check_queue(batch_rate, service.mean, 1)
    fine = (size_mean >= 1) & (size_squared_cv >= 0)
    wanted = "a batch has at least 1 request and a squared CV >= 0, not {!r} and {!r}"
    require(fine, wanted, size_mean, size_squared_cv)
    load = batch_rate * size_mean * service.mean
    require_stable(1, load)
    size_second = (size_squared_cv + 1) * size_mean**2
    second = size_mean * service.variance + size_second * service.mean**2
    whole_batches = batch_rate * second / (2 * (1 - load))
    return whole_batches + service.mean * (size_second / size_mean - 1) / 2


def _states(batch_load: float, batch: Floats, servers: int) -> Floats:
    """Return the probabilities of 0, 1, ... requests: what crosses level n upwards crosses it downwards.

    min(n + 1, c) p(n+1) = batch_load * sum over i of p(n - i) P(X > i); scaled down where it would overflow.
    """
    above = np.cumsum(batch[::-1])[::-1]
    states, total, n = [1.0], 1.0, 0
    reach = above[::-1]
    while True:
        known = states[-len(above) :]
        value = batch_load * float(np.dot(known, reach[-len(known) :])) / min(n + 1, servers)
        states.append(value)
        total += value
        n += 1
        if n > servers and max(states[-len(above) - 1 :]) * _slowness(states) < _UNSEEN * total:
            break
        if n > MOST_STATES:
            raise ValueError(f"more than {MOST_STATES} states matter so close to saturation: too many to add up")
        if value > 1e250:
            states = [state * 1e-250 for state in states]
            total *= 1e-250
    probabilities: Floats = np.array(states) / math.fsum(states)
    return probabilities


def _slowness(states: list[float]) -> float:
    """Return about how many states as likely as the last are still to come."""
    ratio = states[-1] / states[-2] if states[-2] > 0 else 0.0
    return 1 / (1 - ratio) if ratio < 1 else math.inf


def _checked(sizes: Sequence[float]) -> Floats:
    batch = np.asarray(sizes, dtype=float)
    if batch.ndim != 1 or not len(batch) or not (batch >= 0).all() or abs(batch.sum() - 1) > 1e-9:
        raise ValueError(f"batch sizes are probabilities that sum to 1, not {batch.tolist()!r}")
    normal: Floats = batch / batch.sum()
    return normal
