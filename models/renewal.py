"""PH/PH/c exactly: independent gaps between arrivals, and service, both mixtures of Erlang times.

As in `models.phases`, with the phase of the next arrival beside those of the services. The wait is read off the age of
whoever began last: it grows while all are busy, and falls back by a gap at each completion. Its density is
y exp(T t), y being the rate at which the last free server is taken (Sengupta 1989), where T = S + Q D: services go on
(S), or one ends (D), and Q is their phases from one arrival to the next, per request more that waits. With V the rate
at which whoever has waited begins,

    P(wait > t) = y (-T)^-1 exp(T t) V / lambda,   V = Q D 1,

whose matrix has no negative entries off its diagonal, and no phases of arrivals: as many as `models.phases` has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from models.erlang import UnstableQueueError
from models.loss import check_queue
from models.phases import LARGE, NEVER, Phases, balanced, nearly_full, passage_down, phase_states, stationary
from models.stages import NO_STAGES, counted
from models.steady import SteadyState, steady

if TYPE_CHECKING:
    from models.service_time import ServiceTime
    from models.stages import Stages
    from models.transforms import Floats

MOST_STATES = 400
"""So many combinations of the arrival's phase and the services' phases are solved exactly."""

_LIGHTEST: Final = 1e-9
"""Below so many erlangs nobody is taken to wait: about one in 1e9 would, and the chain loses all digits."""


def renewal_states(gaps: ServiceTime, service: ServiceTime, servers: int) -> float:
    """Return in how many ways the next arrival and all busy servers can be; inf for constants."""
    return phase_states(gaps, 1) * phase_states(service, servers)


def renewal_service(gaps: ServiceTime, service: ServiceTime, servers: int) -> SteadyState:
    """Return the state of PH/PH/c (*exact*): gaps between arrivals and service in seconds, without constants.

    Shares and means hold 1e-9 up to utilization 0.99, tails 1e-12 absolute. 5 ms for 5 servers, some seconds for
    MOST_STATES. Raises UnstableQueueError when the load reaches the servers, ValueError where there are more states.
    Source: Neuts 1981, chapters 3 and 4; Sengupta 1989, "Markov processes whose steady state distribution is
    matrix-exponential with an application to the GI/PH/1 queue".
    """
    arrival_rate = 1 / gaps.mean
    check_queue(arrival_rate, service.mean, servers)
    load = arrival_rate * service.mean
    if load >= servers:
        raise UnstableQueueError(servers, load)
    if (states := renewal_states(gaps, service, servers)) > MOST_STATES:
        raise ValueError(f"{servers} servers of such phases have {states:g} states, more than {MOST_STATES}")
    wait = renewal_wait(gaps, service, servers)
    return steady(f"PH/PH/{servers}", arrival_rate, servers, service, wait, min(float(wait.beyond[0]), 1.0))


def renewal_wait(gaps: ServiceTime, service: ServiceTime, servers: int) -> Stages:
    """Return the wait alone; of a queue that is stable and has at most MOST_STATES states.

    Where from some level of busy servers on the chain rises less often than once in 1e16 visits, its matrix cannot be
    told from a singular one, and nobody waits.
    """
    if (limit := nearly_full(1 / gaps.mean, gaps.squared_cv, service, servers)) is not None:
        return limit
    try:
        with np.errstate(all="ignore"):
            return _solved(gaps, service, servers)
    except np.linalg.LinAlgError:
        if service.mean > gaps.mean * servers / 2:
            raise
        return NO_STAGES


def _solved(gaps: ServiceTime, service: ServiceTime, servers: int) -> Stages:
    clock, chain = Phases(gaps), Phases(service)
    one, none = clock.level(1), clock.level(0)
    quiet, beside = clock.local(one), np.eye(len(one))
    arriving, begin = clock.ends(one, none), clock.starts(none, one)
    if service.mean < _LIGHTEST * gaps.mean:
        return NO_STAGES
    mass, below, unit = _under(quiet, arriving @ begin, chain, servers)
    if unit < NEVER:
        return NO_STAGES
    full_level, last = chain.level(servers), chain.level(servers - 1)
    ending, working = chain.ends(full_level, last) @ chain.starts(last, full_level), chain.local(full_level)
    busy = np.eye(len(full_level))
    inside = np.kron(quiet, busy) + np.kron(beside, working)
    up, down = _kron(arriving @ begin, busy), _kron(beside, ending)
    censored = inside + up @ passage_down(up, inside, down)
    full = stationary(censored + below)
    growth = up @ np.linalg.inv(-censored)
    above = np.linalg.solve((np.eye(len(growth)) - growth).T, full).sum() - full.sum()
    whole = float(full @ mass + unit * above)
    freed = _kron(begin, busy) @ np.linalg.solve(-censored, _kron(arriving, busy)) @ ending
    taken = (full @ below).reshape(len(one), len(busy)).sum(axis=0) * unit / whole
    waiting, arrives = np.maximum(np.linalg.solve(-(working + freed).T, taken) * gaps.mean, 0.0), freed.sum(axis=1)
    waits = float(waiting @ arrives)
    if not waits >= NEVER:  # what is no number either, from a chain that rises next to never
        return NO_STAGES
    return counted(waiting / max(1.0, waits), working + freed, arrives)


def _under(quiet: Floats, comes: Floats, chain: Phases, servers: int) -> tuple[Floats, Floats, float]:
    """Return what the levels below all busy weigh, their effect on it, eliminated upwards, and what it weighs itself.

    In a unit in which all are numbers: next to nobody finds hundreds of idle servers busy.
    """
    phases = len(quiet)
    beside, mass, below, unit = np.eye(phases), np.ones(phases), np.zeros((phases, phases)), 1.0
    here = chain.level(0)
    for n in range(servers):
        above = chain.level(n + 1)
        entering = _kron(comes, chain.starts(here, above))
        local = balanced(_kron(quiet, np.eye(len(here))) + _kron(beside, chain.local(here)) + below, entering)
        solved = np.linalg.solve(-local, np.column_stack([entering, mass]))
        carried = _kron(beside, chain.ends(above, here)) @ solved
        below, mass, here = carried[:, :-1], unit + carried[:, -1], above
        if (most := float(mass.max())) > LARGE:
            mass, unit = mass / most, unit / most
        if unit < NEVER:
            break
    return mass, below, unit


def _kron(a: Floats, b: Floats) -> Floats:
    return np.asarray(np.kron(a, b), dtype=np.float64)
