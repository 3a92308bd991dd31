"""A ring of stations with little room: who finds the next one full keeps its server until there is a place.

A pipeline with bounded queues between its stages and a fixed number of items in flight; "blocking after service".
Exact, by its Markov chain: exponential services, one server each.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from models.phases import stationary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST_STATES: Final = 3000
"""A chain of so many states takes some seconds."""

State = tuple[tuple[int, ...], tuple[bool, ...]]
"""How many are at each station, and which servers hold somebody who is done and cannot go on."""


@dataclass(frozen=True)
class RingState:
    """What a ring does in the long run: a rate in 1/s, times in s, numbers and shares by station."""

    throughput: float
    numbers: tuple[float, ...]
    residence: tuple[float, ...]
    """Mean time at each station in one round: waiting, service and being blocked."""
    utilization: tuple[float, ...]
    """Share of time a server works."""
    blocked: tuple[float, ...]
    """Share of time a server holds somebody who cannot go on."""


def blocking_ring(population: int, service_times: Sequence[float], places: Sequence[int]) -> RingState:
    """Return the state of a ring of single servers with bounded room, blocking after service (*exact*, 1e-10).

    `population` items go round; mean service times in s; `places` at each station, the one in service included. Fewer
    items than places in all, else all may block each other for good: ValueError, as for other input without a meaning
    and for more than MOST_STATES states. Source: Perros 1994, Queueing Networks with Blocking; solved without
    subtractions (Grassmann, Taksar and Heyman 1985).
    """
    n = len(service_times)
    if not n == len(places) > 1 or min(places) < 1 or not all(0 < s < math.inf for s in service_times):
        raise ValueError("two stations or more are needed, each with a service time > 0 and a place")
    if not 0 < population < sum(places):
        raise ValueError(f"{population} items in {sum(places)} places: between 1 and one less than all are needed")
    states = _reached(_first(population, places), places)
    generator = np.zeros((len(states), len(states)))
    for state, row in states.items():
        for station, following in _moves(state, places):
            generator[row, states[following]] += 1 / service_times[station]
    shares = stationary(generator)
    numbers = np.array([state[0] for state in states])
    held = np.array([state[1] for state in states])
    working = (numbers > 0) & ~held
    busy, present = shares @ working, shares @ numbers
    throughput = float(busy[0]) / service_times[0]
    return RingState(
        throughput,
        tuple(present.tolist()),
        tuple((present / throughput).tolist()),
        tuple(busy.tolist()),
        tuple((shares @ held).tolist()),
    )


def _first(population: int, places: Sequence[int]) -> State:
    """Return a state to begin with: the stations filled one after the other, nobody blocked."""
    numbers: list[int] = []
    for room in places:
        numbers.append(min(room, population - sum(numbers)))
    return tuple(numbers), (False,) * len(places)


def _reached(first: State, places: Sequence[int]) -> dict[State, int]:
    """Return the states that are reached, each with its number."""
    found, open_ones = {first: 0}, deque([first])
    while open_ones:
        for _, state in _moves(open_ones.popleft(), places):
            if state not in found:
                found[state] = len(found)
                open_ones.append(state)
                if len(found) > MOST_STATES:
                    raise ValueError(f"the ring has more than {MOST_STATES} states")
    return found


def _moves(state: State, places: Sequence[int]) -> Iterator[tuple[int, State]]:
    """Return for each server that works the state after its service ends."""
    numbers, held = state
    n = len(numbers)
    for station in range(n):
        if numbers[station] == 0 or held[station]:
            continue
        count, waits = list(numbers), list(held)
        if numbers[(station + 1) % n] >= places[(station + 1) % n]:
            waits[station] = True
        else:
            count[station] -= 1
            count[(station + 1) % n] += 1
            # The place that is free now lets on whoever was held before it, and so on, against the ring's direction.
            freed = station
            while waits[(freed - 1) % n]:
                freed = (freed - 1) % n
                waits[freed] = False
                count[freed] -= 1
                count[(freed + 1) % n] += 1
        yield station, (tuple(count), tuple(waits))
