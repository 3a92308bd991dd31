"""PH/PH/c exactly: independent gaps between arrivals, and service, both mixtures of Erlang times.

As in `models.phases`, with the phase of the next arrival beside those of the services. What an arrival finds is known
level by level; its wait is then followed tick by tick, completions and phases together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from models.erlang import UnstableQueueError
from models.loss import check_queue
from models.phases import Phases, balanced, passage_down, phase_states, stationary
from models.stages import Stages
from models.steady import SteadyState, steady

if TYPE_CHECKING:
    from models.service_time import ServiceTime
    from models.transforms import Floats

MOST_STATES = 150
"""So many combinations of the arrival's phase and the services' phases are solved exactly."""

MOST_WAITING = 20_000
"""A queue that reaches further than this is too close to saturation to be followed request by request."""

_UNSEEN = 1e-14


def renewal_states(gaps: ServiceTime, service: ServiceTime, servers: int) -> float:
    """Return in how many ways the next arrival and all busy servers can be; inf for constants."""
    return phase_states(gaps, 1) * phase_states(service, servers)


def renewal_service(gaps: ServiceTime, service: ServiceTime, servers: int) -> SteadyState:
    """Return the state of PH/PH/c (*exact*): gaps between arrivals and service in seconds, without constants.

    Shares and means hold 1e-9 up to utilization 0.99, tails 1e-12 absolute. 20 ms for 5 servers, some seconds for
    MOST_STATES or close to saturation. Raises UnstableQueueError when the load reaches the servers, ValueError where
    there are more states or the queue reaches further than MOST_WAITING. Source: Neuts 1981, chapters 3 and 4.
    """
    arrival_rate = 1 / gaps.mean
    check_queue(arrival_rate, service.mean, servers)
    load = arrival_rate * service.mean
    if load >= servers:
        raise UnstableQueueError(servers, load)
    if (states := renewal_states(gaps, service, servers)) > MOST_STATES:
        raise ValueError(f"{servers} servers of such phases have {states:g} states, more than {MOST_STATES}")
    wait = _wait(gaps, service, servers)
    return steady(f"PH/PH/{servers}", arrival_rate, servers, service, wait, float(wait.beyond[0]))


def _wait(gaps: ServiceTime, service: ServiceTime, servers: int) -> Stages:
    clock, chain = Phases(gaps), Phases(service)
    one, none = clock.level(1), clock.level(0)
    quiet, comes = clock.local(one), clock.ends(one, none) @ clock.starts(none, one)
    levels = [chain.level(n) for n in range(servers + 1)]
    beside = np.eye(len(one))
    mass, below = np.ones(len(one)), np.zeros((len(one), len(one)))
    for n in range(servers):
        entering = np.kron(comes, chain.starts(levels[n], levels[n + 1]))
        local = np.kron(quiet, np.eye(len(levels[n]))) + np.kron(beside, chain.local(levels[n])) + below
        local = balanced(local, np.asarray(entering, dtype=np.float64))
        carried = np.kron(beside, chain.ends(levels[n + 1], levels[n])) @ np.linalg.solve(
            -local, np.column_stack([entering, mass])
        )
        below, mass = carried[:, :-1], 1 + carried[:, -1]
    busy = len(levels[-1])
    ending = chain.ends(levels[-1], levels[-2]) @ chain.starts(levels[-2], levels[-1])
    working = chain.local(levels[-1])
    inside = np.kron(quiet, np.eye(busy)) + np.kron(beside, working)
    up = np.asarray(np.kron(comes, np.eye(busy)), dtype=np.float64)
    down = np.asarray(np.kron(beside, ending), dtype=np.float64)
    arrival = np.kron(comes.sum(axis=1)[:, None], np.eye(busy)) * gaps.mean
    censored = inside + up @ passage_down(up, inside, down)
    growth = up @ np.linalg.inv(-censored)
    full = stationary(censored + below)
    whole = float(full @ mass - full.sum() + np.linalg.solve((np.eye(len(growth)) - growth).T, full).sum())
    found = _found(full / whole, growth, arrival)
    return _followed(found, working, ending)


def _found(full: Floats, growth: Floats, arrival: Floats) -> Floats:
    """Return, for each number of requests waiting, the chances that an arrival finds it with each spread of phases."""
    rows, level, total = [], full, 0.0
    while True:
        # Rounding leaves less than nothing of what hardly ever happens.
        rows.append(np.maximum(level @ arrival, 0.0))
        total += float(rows[-1].sum())
        if len(rows) > MOST_WAITING:
            raise ValueError(f"queues of more than {MOST_WAITING} matter so close to saturation: too many to follow")
        level = level @ growth
        if level.sum() < _UNSEEN * total:
            return np.array(rows)


def _followed(found: Floats, working: Floats, ending: Floats) -> Stages:
    """Return how long it takes until those found ahead, and one service more, have ended."""
    rate = float(-np.diagonal(working).min())
    stay, leave = working / rate + np.eye(len(working)), ending / rate
    state, left, steadily, ratio = found, [float(found.sum())], 0, 0.0
    while left[-1] > _UNSEEN * left[0] and steadily < 20:
        following = state @ stay
        following[:-1] += state[1:] @ leave
        state = following
        left.append(float(state.sum()))
        known, ratio = ratio, left[-1] / left[-2]
        steadily = steadily + 1 if abs(ratio - known) < 1e-15 else 0
    return Stages(rate, np.array(left), min(ratio, 1 - 1e-15))
