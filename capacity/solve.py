"""Waits and response times of a whole system for given counts: what evaluating and sizing both stand on.

Traffic first, then the pools of cores, then the tiers from the last callee up, each asked for its response. Retries
change traffic, so the three are repeated until the tries per call stand still.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final, ParamSpec

from capacity.components.exchange import Answer, Pool, Station, Surroundings
from capacity.connections import connections
from capacity.drain import most_visits
from capacity.system import USUAL
from capacity.threads import with_threads
from capacity.traffic import Attempts, Traffic, networks, solve_traffic
from capacity.waits import wait_at, wait_of
from models.erlang import UnstableQueueError
from models.feedback import row_squared_cv
from models.latency import ZERO, Latency, mixed, with_timeout
from models.layered import bulkhead
from models.queues import NO_WAIT, Wait, balanced_wait
from models.remembered import remembered
from models.service_time import from_moments
from models.service_time import mixed as mixed_service
from models.transforms import mixture

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from capacity.components.base import Call
    from capacity.components.exchange import Arrivals, Limit, Operation, Place, Work
    from capacity.system import Conditions, Counts, System
    from models.layered import Bulkhead, ThreadPool
    from models.service_time import ServiceTime
    from models.transforms import Transform

P = ParamSpec("P")

_PLAIN: Final = 6
"""Sweeps that follow the tries as they come; what swings longer than that is bracketed."""

_ROUNDS: Final = 300
"""Sweeps until tries per call stand still. From below they only grow, to the least solution or into an overload."""


@dataclass(eq=False)
class Solution(Surroundings):
    """A solved system. Filled once by `solve`, then only read."""

    system: System
    counts: Counts
    traffic: Traffic
    wait_free: frozenset[str]
    places: Mapping[str, Place]
    conditions: Conditions = USUAL
    attempts: Attempts = field(default_factory=dict)
    failing: dict[tuple[str, str], float] = field(default_factory=dict)
    """The share of visits that fail, by tier and class."""
    stations: dict[str, dict[str, Station]] = field(default_factory=dict)
    """The pools of each tier that has machines, by name."""
    answers: dict[tuple[str, str, Operation], Answer] = field(default_factory=dict)
    thread_pools: dict[str, ThreadPool] = field(default_factory=dict)
    timed_out: dict[tuple[str, int, str], float] = field(default_factory=dict)
    failures: dict[tuple[str, int, str], float] = field(default_factory=dict)
    """The share of calls that fail after all their tries, by caller, position and class."""
    blocked: set[str] = field(default_factory=set)
    """Tiers whose threads all wait for ever for something below that is overloaded."""
    _waits: dict[tuple[str, str], Wait] = field(default_factory=dict)
    _tries: dict[tuple[str, int, str], tuple[Latency | None, float]] = field(default_factory=dict)
    bulkheads: dict[tuple[str, int], Bulkhead] = field(default_factory=dict)
    """For calls with a pool of threads of their own, by caller and position."""
    station_of: dict[Transform, Station] = field(default_factory=dict)
    limits: dict[str, list[Limit]] = field(default_factory=dict, init=False)
    """Of every tier that was asked for them since."""

    def arrivals(self, tier: str) -> Arrivals:
        """Return what a tier receives."""
        return self.traffic.arrivals[tier]

    def station(self, place: Place, pool: str) -> Station | None:
        """Return a pool of the machine that a place is on."""
        return self.stations.get(place.root, {}).get(pool)

    def once(self, key: tuple[str, str], make: Callable[P, Wait], *arguments: P.args, **named: P.kwargs) -> Wait:
        """Return the one waiting time of a place."""
        if key[0] in self.wait_free:
            return NO_WAIT
        if key not in self._waits:
            self._waits[key] = wait_at(key, wait_of(make, *arguments, **named))
        return self._waits[key]

    def limiter_waits(self, tier: str) -> dict[Wait, str]:
        """Return the waits at a partner's limits, with what is limited."""
        return {wait: limit for (name, limit), wait in self._waits.items() if name == tier}

    def written(self, tier: str) -> float:
        """Return the writes that a tier receives, or what is behind it where it is a cache."""
        own, origin = self.arrivals(tier).write_rate, getattr(self.system.tiers[tier], "origin", None)
        return own if origin is None else max(own, self.written(origin))

    def connections(self, tier: str) -> float:
        """Return the connections that all callers keep open to each node of a tier."""
        return connections(self, tier)

    def latency(self, tier: str, request_class: str, operation: Operation) -> Latency | None:
        """Return the response time of a tier to one visit."""
        return self.answers[tier, request_class, operation].total

    def called(self, place: Place, index: int, call: Call, request_class: str) -> Latency | None:
        """Return the time of a call: reads and writes mixed, cut by the timeout, tried again, counted.

        A pool of its own turns away at once what finds it full, so that no more than that is ever held by this call.
        """
        if self.system.decouples(call.to):
            return ZERO
        one, failed = self._tried(place, index, call, request_class)
        rejected = self._turned_away(place, index, call)
        key = place.name, index, request_class
        # A bound for sizing: as many nodes as it takes would turn nobody away, and hold no more than now.
        counted = 0.0 if place.name in self.wait_free else rejected
        self.timed_out[key] = failed if call.timeout is not None else 0.0
        failed = 1 - (1 - failed) * (1 - self.system.tiers[call.to].rejected(self.arrivals(call.to)))
        if one is None and call.timeout is None:
            # Who waits for an overloaded tier waits for ever; a full pool lets nobody wait.
            self.failures[key] = counted
            if call.pool is not None and call.to not in self.thread_pools:
                self.attempts[key] = 0.0
            return None if call.pool is None else ZERO
        self.failures[key] = counted + (1 - counted) * failed ** (call.retries + 1)
        made = sum(failed**i for i in range(call.retries + 1)) * (1 - rejected)
        if abs(made - 1) > 1e-12:
            self.attempts[key] = made
        if one is None:
            return None
        waited = one if rejected == 0 else mixed([1 - rejected, rejected], [one, ZERO])
        return waited.times(call.count)

    def _tried(self, place: Place, index: int, call: Call, request_class: str) -> tuple[Latency | None, float]:
        """Return the time of a call with all its tries, None where it has no end, and the share of tries that fail."""
        key = place.name, index, request_class
        if key in self._tries:
            return self._tries[key]
        parts: list[tuple[float, Latency | None]] = []
        if call.writes < 1:
            parts.append((1 - call.writes, self.latency(call.to, request_class, "read")))
        if call.writes > 0:
            parts.append((call.writes, self.latency(call.to, request_class, "write")))
        latencies = [latency for _, latency in parts if latency is not None]
        found: tuple[Latency | None, float]
        if len(latencies) < len(parts):
            # Whoever calls an overloaded tier uses up every try, which keeps it overloaded.
            ended = None if call.timeout is None else Latency.constant(call.timeout * (call.retries + 1))
            found = ended, 1.0
        else:
            one = latencies[0] if len(parts) == 1 else mixed([w for w, _ in parts], latencies)
            found = (one, 0.0) if call.timeout is None else with_timeout(one, call.timeout, call.retries)
        self._tries[key] = found
        return found

    def _turned_away(self, place: Place, index: int, call: Call) -> float:
        """Return the share of calls that find their pool full."""
        threads = self.system.tiers[place.name].thread_limit(place)
        if call.pool is None or place.nodes == 0 or (threads is not None and threads <= call.pool * place.nodes):
            return 0.0
        key = place.name, index
        if key not in self.bulkheads:
            held, second = 0.0, 0.0
            for request_class in self.arrivals(place.name).classes:
                if call.classes is None or request_class in call.classes:
                    one, _ = self._tried(place, index, call, request_class)
                    rate = self.arrivals(place.name).of(request_class) * call.count
                    held = math.inf if one is None else held + rate * one.mean
                    second += 0.0 if one is None else rate * (one.variance + one.mean**2)
            self.bulkheads[key] = bulkhead(call.pool, place.nodes, held, second)
        return self.bulkheads[key].turned_away

    def failed(self, tier: str, request_class: str) -> float:
        """Return the share of visits of a class to a tier that fail."""
        return self.failing.get((tier, request_class), 0.0)

    def call_failed(self, place: Place, index: int, request_class: str) -> float:
        """Return the share of one call that fails after all its tries, or below a callee that answered in time."""
        callee = self.system.tiers[place.name].calls_made()[index].to
        last = self.failures.get((place.name, index, request_class))
        if last is None:
            return 0.0
        # A leaf's own failures are in the tries already.
        below = self.failed(callee, request_class) if self.system.tiers[callee].outgoing() else 0.0
        return 1 - (1 - last) * (1 - below)

    @property
    def peak_to_mean(self) -> float:
        """The load that is planned for over the daily mean."""
        return float(self.system.topology.workload.peak_to_mean)

    @cached_property
    def timed_out_shares(self) -> dict[str, float]:
        """The largest share of tries to call a tier that end in a timeout, over its callers and classes."""
        shares: dict[str, float] = {}
        for (caller, index, _), share in self.timed_out.items():
            if share > 0:
                callee = self.system.tiers[caller].calls_made()[index].to
                shares[callee] = max(share, shares.get(callee, 0.0))
        return shares

    @cached_property
    def networks(self) -> dict[str, tuple[float, float]]:
        """The bytes per second into and out of all machines of each tier."""
        return networks(self.system, self.traffic)

    def capacity_of(self, tier: str) -> float | None:
        """Return the visits per second at which a resource of a tier, or of one that it calls, is full."""
        return most_visits(self, tier)


def solve(
    system: System,
    counts: Counts,
    wait_free: frozenset[str] = frozenset(),
    start: Attempts | None = None,
    conditions: Conditions = USUAL,
) -> Solution:
    """Return the solved system. In `wait_free` tiers nothing waits, whatever their load: a bound for sizing.

    `start` are the tries per call of a similar system; from there the sweeps end sooner, at the same place.
    """
    attempts: Attempts = start or {}
    places = system.places(counts, conditions)
    brackets: dict[tuple[str, int, str], tuple[float, float]] = {}
    for round_ in range(_ROUNDS):
        traffic = solve_traffic(system, places, attempts)
        solution = _swept(Solution(system, counts, traffic, wait_free, places, conditions))
        keys = {*attempts, *solution.attempts}
        change = max((abs(attempts.get(k, 1.0) - solution.attempts.get(k, 1.0)) for k in keys), default=0.0)
        if change < 1e-9 or (brackets and all(high - low < 1e-9 for low, high in brackets.values())):
            break
        attempts = _next(attempts, solution.attempts, brackets) if round_ >= _PLAIN else solution.attempts
    return solution


def solved_alike(system: System, counts: Counts, near: Solution) -> Solution | None:
    """Return the solved system in one sweep from the tries of a similar one; None where a digit of them changed.

    Where none did, solving it from nothing ends at the same tries, sweeps later.
    """
    places = system.places(counts)
    found = _swept(Solution(system, counts, solve_traffic(system, places, near.attempts), frozenset(), places))
    return found if found.attempts == near.attempts else None


def _swept(solution: Solution) -> Solution:
    """Return the system of known rates with its queues, and the answers of its tiers from the callees up."""
    _fill_stations(solution)
    for name in solution.system.callees_first:
        _fill_answers(solution, name)
    return solution


def _next(before: Attempts, after: Attempts, brackets: dict[tuple[str, int, str], tuple[float, float]]) -> Attempts:
    """Return the tries to go on with. What a pool lets pass falls as more passes: it is bracketed and halved."""
    found = dict(after)
    for key in {**before, **after}:
        tried, made = before.get(key, 1.0), after.get(key, 1.0)
        if made < 1 or tried < 1:
            low, high = brackets.get(key, (0.0, 1.0))
            low, high = (max(low, tried), high) if made > tried else (low, min(high, tried))
            brackets[key] = (low, high) if low < high else (0.0, 1.0)
            found[key] = sum(brackets[key]) / 2
    return found


def _fill_stations(solution: Solution) -> None:
    system = solution.system
    for root in system.tiers:
        if system.roots[root] != root:
            continue
        residents = system.residents[root]
        work = [
            w for name in residents for w in system.tiers[name].work(solution.places[name], solution.arrivals(name))
        ]
        for pool in system.tiers[root].pools(solution.places[root], solution.arrivals(root)):
            squared_cv = solution.arrivals(root).squared_cv
            here = tuple(w for w in work if w.pool == pool.name)
            rows = _rows_at(pool, here, solution.arrivals(root)) if len(residents) == 1 else ()
            station = _at_place((root, pool.name), _station(pool, here, squared_cv, root in solution.wait_free, rows))
            if station.wait is not None:
                solution.station_of[station.wait] = station
            solution.stations.setdefault(root, {})[pool.name] = station


@remembered(512)
def _at_place(place: tuple[str, str], station: Station) -> Station:
    """Return the station with the wait of one place, which is another than that of an equal place."""
    return station if station.wait is None else replace(station, wait=wait_at(place, station.wait))


def _rows_at(pool: Pool, work: tuple[Work, ...], arrivals: Arrivals) -> tuple[tuple[float, int], ...]:
    """Return which shares of the visits to one queue of a pool follow each other there, and how many do."""
    if not arrivals.rows or arrivals.rate == 0 or pool.hot_share is not None:
        return ()
    queues = pool.nodes if pool.balancing in {"random", "round_robin"} else 1
    met = min(sum(w.rate for w in work if not w.inside) / arrivals.rate, 1.0) / max(queues, 1)
    met = round(met, 12)
    rows = [(share * met, n) for share, n in arrivals.rows if n > 1]
    return ((1 - sum(share for share, _ in rows), 1), *rows)


@remembered(512)
def _station(
    pool: Pool,
    work: tuple[Work, ...],
    squared_cv: float,
    wait_free: bool,  # noqa: FBT001
    rows: tuple[tuple[float, int], ...],
) -> Station:
    bursts = [w for w in work if not w.inside] or work
    rate = sum(w.rate for w in bursts)
    if rate == 0 or pool.nodes == 0:
        return Station(pool, rate, 0.0, 0.0, 0.0, None if rate > 0 and not wait_free else NO_WAIT)
    service = mixed_service([w.rate for w in bursts], [w.service for w in bursts])
    inside = [w for w in work if w.inside] if len(bursts) < len(work) else []
    if inside:
        mean = service.mean + sum(w.rate / rate * w.service.mean for w in inside)
        variance = service.variance + sum(w.rate / rate * w.service.variance for w in inside)
        service = from_moments(mean, variance / mean**2)
    offered, cores = rate * service.mean, pool.nodes * pool.servers
    busiest = pool.hot_share * pool.nodes if pool.hot_share is not None else 1.0
    wait: Wait | None = None
    by_rows = 1.0
    if wait_free:
        wait = Wait(0.0, NO_WAIT.conditional, exact=True)
    elif offered * busiest < cores:
        wait = _pool_wait(pool, rate, service, squared_cv)
        felt = _felt(service, bursts, rows)
        if wait is not None and felt is not service:
            alone, wait = wait, _pool_wait(pool, rate, felt, squared_cv)
            by_rows = wait.mean / alone.mean if wait is not None and alone.mean > 0 else 1.0
            wait = wait and replace(wait, exact=False)
    return Station(pool, rate, service.mean, offered, offered * busiest / cores, wait, by_rows)


def _felt(service: ServiceTime, bursts: Sequence[Work], rows: tuple[tuple[float, int], ...]) -> ServiceTime:
    """Return services as variable as a queue feels them where visits follow each other; what sets classes apart stays.

    A request of a slow class is slow at every visit: only the rest of the variability is averaged over a row.
    """
    rate = sum(w.rate for w in bursts)
    own = sum(w.rate * w.service.mean**2 * (w.service.squared_cv - 1) for w in bursts) / rate / service.mean**2
    if not rows or abs(own) < 1e-9:
        return service
    return from_moments(service.mean, max(service.squared_cv + row_squared_cv(own + 1, rows) - 1 - own, 0.0))


def _pool_wait(pool: Pool, rate: float, service: ServiceTime, squared_cv: float) -> Wait | None:
    """Return the wait in a pool; where keys choose the node, the busiest one apart from the others."""
    try:
        if pool.hot_share is None:
            return balanced_wait(rate, service, pool.nodes, pool.servers, pool.balancing, squared_cv)
        hot = balanced_wait(rate * pool.hot_share, service, 1, pool.servers)
        rest = balanced_wait(rate * (1 - pool.hot_share), service, pool.nodes - 1, pool.servers, "random")
    except UnstableQueueError:
        return None
    weights = [pool.hot_share * hot.probability, (1 - pool.hot_share) * rest.probability]
    waits = sum(weights)
    if waits == 0:
        return Wait(0.0, NO_WAIT.conditional, exact=True)
    return Wait(waits, mixture([w / waits for w in weights], [hot.conditional, rest.conditional]), exact=False)


def _fill_answers(solution: Solution, name: str) -> None:
    """Ask one tier for its response to every class and operation, and put the wait for a thread before it."""
    system, place, arrivals = solution.system, solution.places[name], solution.arrivals(name)
    tier = system.tiers[name]
    inner: dict[tuple[str, Operation], Answer] = {}
    for request_class in place.classes:
        inner[request_class, "read"] = read = tier.answer(place, arrivals, request_class, "read", solution)
        written = arrivals.writes.get(request_class, 0.0) > 0
        inner[request_class, "write"] = (
            tier.answer(place, arrivals, request_class, "write", solution) if written else read
        )
        solution.failing[name, request_class] = tier.failing(place, arrivals, request_class, solution)
    threads = tier.thread_limit(place)
    if threads is not None:
        inner = with_threads(solution, name, threads, inner)
    for (request_class, operation), answer in inner.items():
        solution.answers[name, request_class, operation] = answer
