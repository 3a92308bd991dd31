"""Queues with little or no room: M/M/c/K, the loss system M/G/c/c, servers without number, and a finite population."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from models.erlang import erlang_b
from models.service_time import exponential
from models.stages import Stages
from models.steady import SteadyState, steady
from models.transforms import INSTANT

if TYPE_CHECKING:
    from models.service_time import ServiceTime
    from models.transforms import Floats

MOST_STATES = 2_000_000
"""More places than this are not looked at one by one; a queue so long is better taken as endless."""


def infinite_servers(arrival_rate: float, service: ServiceTime) -> SteadyState:
    """Return the state of M/G/infinity: nobody waits, and the number inside is Poisson with mean a (*exact*).

    `arrival_rate` >= 0 in 1/s, service in seconds. Source: Riordan 1951; insensitive to the service distribution.
    """
    _check_rate(arrival_rate)
    return replace(steady("M/G/inf", arrival_rate, 1, service, INSTANT, 0.0), utilization=0.0)


def loss_system(arrival_rate: float, service: ServiceTime, servers: int) -> SteadyState:
    """Return the state of M/G/c/c: whoever finds all servers busy is turned away (*exact*, relative error 1e-12).

    Blocking is Erlang B; rates in 1/s, times in seconds, `servers` >= 1. Any load is stable. Source: Erlang 1917,
    Sevastyanov 1957.
    """
    check_queue(arrival_rate, service.mean, servers)
    load = arrival_rate * service.mean
    let_in = servers / (servers + load * erlang_b(servers - 1, load))
    model, blocking = f"M/G/{servers}/{servers}", erlang_b(servers, load)
    return steady(model, arrival_rate, servers, service, INSTANT, 0.0, blocking=blocking, let_in=let_in)


def finite_room(arrival_rate: float, service_time: float, servers: int, places: int) -> SteadyState:
    """Return the state of M/M/c/K: `places` = K >= c in all, whoever finds them full is turned away (*exact*).

    Rates in 1/s, times in seconds. Any load is stable. Wait probability and wait are of those let in. Relative error
    of shares and means below 1e-12; the tail of the wait 1e-13 absolute. Raises ValueError for senseless input.
    Source: Gross, Shortle, Thompson and Harris 2008, section 2.5; evaluated from Erlang B, every term positive.
    """
    check_queue(arrival_rate, service_time, servers)
    if not servers <= places <= MOST_STATES:
        raise ValueError(f"room for {places} cannot be less than the {servers} servers nor over {MOST_STATES}")
    model = f"M/M/{servers}/{places}"
    service = exponential(service_time)
    load = arrival_rate * service_time
    if load == 0:
        return steady(model, 0.0, servers, service, INSTANT, 0.0)
    full = erlang_b(servers, load)
    if full == 0:
        return steady(model, arrival_rate, servers, service, INSTANT, 0.0)
    # Relative to all servers busy and nobody waiting, where the states below sum to 1/B - 1; scaled to the likeliest.
    logarithms = np.arange(places - servers + 1) * _log_ratio(load, servers)
    highest = float(logarithms.max())
    waiting = np.exp(logarithms - highest)
    below = (1 / full - 1) * math.exp(-highest)
    let_in = below + float(waiting[:-1].sum())
    whole = let_in + float(waiting[-1])
    beyond = np.minimum(np.cumsum(waiting[:-1][::-1])[::-1] / let_in, 1.0)
    counts = np.append(below, waiting[:-1]) / let_in
    wait = Stages(servers / service_time, beyond, counts=counts) if len(beyond) else INSTANT
    probability = float(beyond[0]) if len(beyond) else 0.0
    blocking, share = float(waiting[-1]) / whole, let_in / whole
    return steady(model, arrival_rate, servers, service, wait, probability, blocking=blocking, let_in=share)


def finite_population(sources: int, think_time: float, service_time: float, servers: int) -> SteadyState:
    """Return the state of M/M/c//N: each of `sources` thinks, asks, waits for its answer, and thinks again (*exact*).

    Exponential service; the mean `think_time` >= 0 is enough, its distribution does not matter (Bunday and Scraton
    1980). Times in seconds. `arrival_rate` in the result is what the sources ask for. An arrival sees the queue as
    the other N - 1 would leave it (Sevcik and Mitrani 1981; Lavenberg and Reiser 1980). Always stable.
    """
    check_queue(0.0, service_time, servers)
    if not 1 <= sources <= MOST_STATES or not 0 <= think_time < math.inf:
        raise ValueError(
            f"{sources} sources that think for {think_time} s: 1 to {MOST_STATES} and a finite time are needed"
        )
    seen = population(sources - 1, think_time, service_time, servers)
    service = exponential(service_time)
    waiting = seen[servers:]
    beyond = np.minimum(np.cumsum(waiting[::-1])[::-1], 1.0)
    counts = np.append(seen[:servers].sum(), waiting)
    wait = Stages(servers / service_time, beyond, counts=counts) if len(beyond) else INSTANT
    rate = sources / (think_time + wait.mean + service_time)
    probability = float(beyond[0]) if len(beyond) else 0.0
    return steady(f"M/M/{servers}//{sources}", rate, servers, service, wait, probability)


def population(sources: int, think_time: float, service_time: float, servers: int) -> Floats:
    """Return the probabilities of 0 to `sources` requests at the servers (*exact*, 1e-12 each), of all times.

    The same law as that of nodes that fail (think) and are repaired (served). By products from the likeliest outwards.
    """
    if think_time == 0:
        states = np.zeros(sources + 1)
        states[-1] = 1.0
        return states
    n = np.arange(1, sources + 1)
    growth = (sources - n + 1) * service_time / (think_time * np.minimum(n, servers))
    # The ratios fall, so that the likeliest state is where they pass 1; from there everything shrinks.
    mode = int(np.count_nonzero(growth > 1))
    above = np.cumprod(growth[mode:])
    below = np.cumprod(1 / growth[:mode][::-1])[::-1]
    states = np.concatenate([below, [1.0], above])
    probabilities: Floats = states / states.sum()
    return probabilities


def _log_ratio(load: float, servers: int) -> float:
    return math.log1p((load - servers) / servers) if load > servers / 2 else math.log(load / servers)


def check_queue(arrival_rate: float, service_time: float, servers: int) -> None:
    """Raise ValueError for a rate, a mean service time or a number of servers that has no meaning."""
    _check_rate(arrival_rate)
    if not 0 < service_time < math.inf:
        raise ValueError(f"a service time is finite and > 0 seconds, not {service_time!r}")
    if not (servers >= 1 and servers == int(servers)):
        raise ValueError(f"a queue needs a whole number of servers, at least one, not {servers!r}")


def _check_rate(arrival_rate: float) -> None:
    if not 0 <= arrival_rate < math.inf:
        raise ValueError(f"an arrival rate is finite and >= 0 per second, not {arrival_rate!r}")
