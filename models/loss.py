"""Queues with little or no room: M/M/c/K, the loss system M/G/c/c, servers without number, and a finite population."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from models.arrays import in_parts
from models.elementwise import Number, either, log, log1p, numbers, require, single
from models.erlang import erlang_b
from models.service_time import exponential
from models.stages import Stages
from models.states import SteadyStates, counted, steady_states
from models.steady import SteadyState, steady
from models.transforms import INSTANT

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from models.service_time import ServiceTime
    from models.transforms import Floats

MOST_STATES = 2_000_000
"""More places than this are not looked at one by one; a queue so long is better taken as endless."""


@overload
def infinite_servers(arrival_rate: float, service: ServiceTime) -> SteadyState: ...
@overload
def infinite_servers(arrival_rate: ArrayLike, service: ServiceTime) -> Any: ...
def infinite_servers(arrival_rate: Any, service: ServiceTime) -> SteadyState | SteadyStates:
    """Return the state of M/G/infinity: nobody waits, and the number inside is Poisson with mean a (*exact*).

    `arrival_rate` >= 0 in 1/s, a number or an array; service in seconds. Source: Riordan 1951; insensitive to the
    service distribution.
    """
    (arrival_rate,) = numbers(arrival_rate)
    _check_rate(arrival_rate)
    if single(arrival_rate):
        return replace(steady("M/G/inf", arrival_rate, 1, service, INSTANT, 0.0), utilization=0.0)
    given = (arrival_rate, service)
    found = steady_states("M/G/inf", infinite_servers, given, arrival_rate, 1, service.mean, 0.0, 0.0)
    return replace(found, utilization=np.zeros_like(arrival_rate))


@overload
def loss_system(arrival_rate: float, service: ServiceTime, servers: int) -> SteadyState: ...
@overload
def loss_system(arrival_rate: ArrayLike, service: ServiceTime, servers: ArrayLike) -> Any: ...
def loss_system(arrival_rate: Any, service: ServiceTime, servers: Any) -> SteadyState | SteadyStates:
    """Return the state of M/G/c/c: whoever finds all servers busy is turned away (*exact*, relative error 1e-12).

    Blocking is Erlang B; rates in 1/s, times in seconds, `servers` >= 1; rates and servers are numbers or arrays. Any
    load is stable. Source: Erlang 1917, Sevastyanov 1957.
    """
    arrival_rate, servers = numbers(arrival_rate, servers)
    check_queue(arrival_rate, service.mean, servers)
    load = arrival_rate * service.mean
    let_in = servers / (servers + load * erlang_b(servers - 1, load))
    blocking = erlang_b(servers, load)
    if single(load):
        model = f"M/G/{servers}/{servers}"
        return steady(model, arrival_rate, servers, service, INSTANT, 0.0, blocking=blocking, let_in=let_in)
    given, model = (arrival_rate, service, counted(servers)), "M/G/c/c"
    rest = (arrival_rate, servers, service.mean, 0.0, 0.0)
    return steady_states(model, loss_system, given, *rest, blocking=blocking, let_in=let_in)


@overload
def finite_room(arrival_rate: float, service_time: float, servers: int, places: int) -> SteadyState: ...
@overload
def finite_room(arrival_rate: ArrayLike, service_time: ArrayLike, servers: ArrayLike, places: ArrayLike) -> Any: ...
def finite_room(arrival_rate: Any, service_time: Any, servers: Any, places: Any) -> SteadyState | SteadyStates:
    """Return the state of M/M/c/K: `places` = K >= c in all, whoever finds them full is turned away (*exact*).

    Rates in 1/s, times in seconds; numbers or arrays. Any load is stable. Wait probability and wait are of those let
    in. Relative error of shares and means below 1e-12; the tail of the wait 1e-13 absolute. Raises ValueError for
    senseless input. Source: Gross, Shortle, Thompson and Harris 2008, section 2.5; evaluated from Erlang B, every term
    positive.
    """
    arrival_rate, service_time, servers, places = numbers(arrival_rate, service_time, servers, places)
    check_queue(arrival_rate, service_time, servers)
    room = "room for {} cannot be less than the {} servers nor over " + str(MOST_STATES)
    require((servers <= places) & (places <= MOST_STATES), room, places, servers)
    load = arrival_rate * service_time
    full = erlang_b(servers, load)
    if not single(load):
        return _many_rooms(arrival_rate, service_time, servers, places, full)
    model, service = f"M/M/{servers}/{places}", exponential(service_time)
    if full == 0:
        return steady(model, arrival_rate, servers, service, INSTANT, 0.0)
    below, waiting, let_in, last = _room(load, servers, places, full)
    beyond = np.minimum(np.cumsum(waiting[:-1][::-1])[::-1] / let_in, 1.0)
    counts = np.append(below, waiting[:-1]) / let_in
    wait = Stages(servers / service_time, beyond, counts=counts) if len(beyond) else INSTANT
    probability = float(beyond[0]) if len(beyond) else 0.0
    blocking, share = float(last / (let_in + last)), float(let_in / (let_in + last))
    return steady(model, arrival_rate, servers, service, wait, probability, blocking=blocking, let_in=share)


def _room(load: Any, servers: Any, places: Any, full: Any) -> tuple[Floats, Floats, Floats, Floats]:
    """Return how likely the states are of M/M/c/K, with `full` = Erlang B > 0: free servers, 0, 1, ... waiting.

    Relative to all servers busy and nobody waiting, where the states below sum to 1/B - 1; scaled to the likeliest.
    Then the sum of those in which somebody is let in, and the one that is full. Numbers, or arrays with the states
    along a further axis at the end, beyond the last of each queue 0.
    """
    parts = (_log_ratio(load, servers), servers, places, full)
    ratio, servers, places, full = (np.asarray(part)[..., None] for part in parts)
    states = np.arange(int(np.max(places - servers)) + 1)
    logarithms = np.where(states <= places - servers, states * ratio, -math.inf)
    highest = logarithms.max(axis=-1, keepdims=True)
    waiting = np.exp(logarithms - highest)
    below = ((1 / full - 1) * np.exp(-highest))[..., 0]
    let_in = below + np.where(states < places - servers, waiting, 0.0).sum(axis=-1)
    return below, waiting, let_in, np.where(states == places - servers, waiting, 0.0).sum(axis=-1)


def _many_rooms(rate: Floats, service: Floats, servers: Floats, places: Floats, full: Floats) -> SteadyStates:
    def figures(load: Floats, servers: Floats, places: Floats, full: Floats) -> tuple[Floats, ...]:
        # So many servers that nobody ever waits: as if all states were below.
        some = full > 0
        _, waiting, let_in, last = _room(np.where(some, load, servers), servers, places, np.where(some, full, 0.5))
        behind = np.arange(1, waiting.shape[-1] + 1)
        queued = np.where(behind <= (places - servers)[:, None], waiting, 0.0)
        shares = (queued.sum(axis=-1) / let_in, (queued @ behind) / let_in, last / (let_in + last))
        return *(np.where(some, share, 0.0) for share in shares), np.where(some, let_in / (let_in + last), 1.0)

    flat = (part.ravel() for part in (rate * service, servers, places, full))
    found = in_parts(figures, (places - servers + 1).ravel(), *flat)
    probability, stages, blocking, let_in = (part.reshape(rate.shape) for part in found)
    given = (rate, service, counted(servers), counted(places))
    means = (rate, servers, service, stages * service / servers, probability)
    return steady_states("M/M/c/K", finite_room, given, *means, blocking=blocking, let_in=let_in)


@overload
def finite_population(sources: int, think_time: float, service_time: float, servers: int) -> SteadyState: ...
@overload
def finite_population(
    sources: ArrayLike, think_time: ArrayLike, service_time: ArrayLike, servers: ArrayLike
) -> Any: ...
def finite_population(sources: Any, think_time: Any, service_time: Any, servers: Any) -> SteadyState | SteadyStates:
    """Return the state of M/M/c//N: each of `sources` thinks, asks, waits for its answer, and thinks again (*exact*).

    Exponential service; the mean `think_time` >= 0 is enough, its distribution does not matter (Bunday and Scraton
    1980). Times in seconds; numbers or arrays. `arrival_rate` in the result is what the sources ask for. An arrival
    sees the queue as the other N - 1 would leave it (Sevcik and Mitrani 1981; Lavenberg and Reiser 1980). Always
    stable.
    """
    sources, think_time, service_time, servers = numbers(sources, think_time, service_time, servers)
    check_queue(0.0, service_time, servers)
    fine = (sources >= 1) & (sources <= MOST_STATES) & (think_time >= 0) & (think_time < math.inf)
    wanted = "{} sources that think for {} s: 1 to " + str(MOST_STATES) + " and a finite time are needed"
    require(fine, wanted, sources, think_time)
    if not single(sources):
        return _many_populations(sources, think_time, service_time, servers)
    seen = population(sources - 1, think_time, service_time, servers)
    service = exponential(service_time)
    waiting = seen[servers:]
    beyond = np.minimum(np.cumsum(waiting[::-1])[::-1], 1.0)
    counts = np.append(seen[:servers].sum(), waiting)
    wait = Stages(servers / service_time, beyond, counts=counts) if len(beyond) else INSTANT
    rate = sources / (think_time + wait.mean + service_time)
    probability = float(beyond[0]) if len(beyond) else 0.0
    return steady(f"M/M/{servers}//{sources}", rate, servers, service, wait, probability)


def _many_populations(sources: Floats, think_time: Floats, service_time: Floats, servers: Floats) -> SteadyStates:
    def figures(sources: Floats, think_time: Floats, service_time: Floats, servers: Floats) -> tuple[Floats, ...]:
        seen = population(sources - 1, think_time, service_time, servers)
        behind = np.maximum(np.arange(seen.shape[-1]) - servers[:, None] + 1, 0.0)
        return np.where(behind > 0, seen, 0.0).sum(axis=-1), (seen * behind).sum(axis=-1)

    flat = (part.ravel() for part in (sources, think_time, service_time, servers))
    probability, stages = (part.reshape(sources.shape) for part in in_parts(figures, sources.ravel(), *flat))
    wait = stages * service_time / servers
    rate = sources / (think_time + wait + service_time)
    given = (counted(sources), think_time, service_time, counted(servers))
    return steady_states("M/M/c//N", finite_population, given, rate, servers, service_time, wait, probability)


def population(sources: Any, think_time: Any, service_time: Any, servers: Any) -> Floats:
    """Return the probabilities of 0 to `sources` requests at the servers (*exact*, 1e-12 each), of all times.

    The same law as that of nodes that fail (think) and are repaired (served). By products from the likeliest outwards.
    Of arrays of one shape, along a further axis at the end, up to the largest number of sources.
    """
    parts = (sources, think_time, service_time, servers)
    sources, think_time, service_time, servers = (np.asarray(part, dtype=float)[..., None] for part in parts)
    n = np.arange(1, int(sources.max(initial=0)) + 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = (sources - n + 1) * service_time / (think_time * np.minimum(n, servers))
        growth = np.where(n <= sources, growth, 0.0)
    # The ratios fall, so that the likeliest state is where they pass 1; from there everything shrinks.
    rising = growth > 1
    one = np.ones((*growth.shape[:-1], 1))
    above = np.cumprod(np.where(rising, 1.0, growth), axis=-1)
    below = np.cumprod(np.where(rising, 1 / np.where(rising, growth, 1.0), 1.0)[..., ::-1], axis=-1)[..., ::-1]
    states = np.concatenate([below, one], axis=-1) * np.concatenate([one, above], axis=-1)
    probabilities: Floats = states / states.sum(axis=-1, keepdims=True)
    return probabilities


def _log_ratio(load: Number, servers: Number) -> Number:
    return either(load > servers / 2, lambda: log1p((load - servers) / servers), lambda: log(load / servers))


def check_queue(arrival_rate: Any, service_time: Any, servers: Any) -> None:
    """Raise ValueError for a rate, a mean service time or a number of servers that has no meaning, of any element."""
    _check_rate(arrival_rate)
    fine = (service_time > 0) & (service_time < math.inf)
    require(fine, "a service time is finite and > 0 seconds, not {!r}", service_time)
    fine = (servers >= 1) & (servers % 1 == 0)
    require(fine, "a queue needs a whole number of servers, at least one, not {!r}", servers)


def _check_rate(arrival_rate: Any) -> None:
    fine = (arrival_rate >= 0) & (arrival_rate < math.inf)
    require(fine, "an arrival rate is finite and >= 0 per second, not {!r}", arrival_rate)
