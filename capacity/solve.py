"""Waits and response times of a whole system for given counts: what evaluating and sizing both stand on.

Traffic first, then the pools of cores, then the tiers from the last callee up, each asked for its response. Retries
change traffic, so the three are repeated until the tries per call stand still.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capacity.components.exchange import Answer, Pool, Station, Surroundings
from capacity.connections import connections
from capacity.drain import most_visits
from capacity.system import USUAL
from capacity.traffic import Attempts, Traffic, solve_traffic
from models.erlang import UnstableQueueError
from models.latency import ZERO, Latency, mixed, with_timeout
from models.layered import Bulkhead, Inside, ThreadPool, bulkhead, thread_pool
from models.queues import NO_WAIT, Wait, balanced_wait
from models.service_time import from_moments
from models.service_time import mixed as mixed_service
from models.transforms import mixture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from capacity.components.base import Call
    from capacity.components.exchange import Arrivals, Operation, Place, Work
    from capacity.system import Conditions, Counts, System
    from models.service_time import ServiceTime
    from models.transforms import Transform

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
    stations: dict[tuple[str, str], Station] = field(default_factory=dict)
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

    def arrivals(self, tier: str) -> Arrivals:
        """Return what a tier receives."""
        return self.traffic.arrivals[tier]

    def station(self, place: Place, pool: str) -> Station | None:
        """Return a pool of the machine that a place is on."""
        return self.stations.get((place.root, pool))

    def once(self, key: tuple[str, str], make: Callable[[], Wait]) -> Wait:
        """Return the one waiting time of a place."""
        if key[0] in self.wait_free:
            return NO_WAIT
        if key not in self._waits:
            self._waits[key] = make()
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

    def timed_out_share(self, callee: str) -> float:
        """Return the largest share of tries to call a tier that end in a timeout, over its callers and classes."""
        shares = [
            share
            for (caller, index, _), share in self.timed_out.items()
            if self.system.tiers[caller].calls_made()[index].to == callee
        ]
        return max(shares, default=0.0)

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
        solution = Solution(system, counts, solve_traffic(system, places, attempts), wait_free, places, conditions)
        _fill_stations(solution)
        for name in system.callees_first:
            _fill_answers(solution, name)
        keys = {*attempts, *solution.attempts}
        change = max((abs(attempts.get(k, 1.0) - solution.attempts.get(k, 1.0)) for k in keys), default=0.0)
        if change < 1e-9 or (brackets and all(high - low < 1e-9 for low, high in brackets.values())):
            break
        attempts = _next(attempts, solution.attempts, brackets) if round_ >= _PLAIN else solution.attempts
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
            station = _station(pool, [w for w in work if w.pool == pool.name], squared_cv, root in solution.wait_free)
            solution.stations[root, pool.name] = station
            if station.wait is not None:
                solution.station_of[station.wait] = station


def _station(pool: Pool, work: list[Work], squared_cv: float, wait_free: bool) -> Station:  # noqa: FBT001
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
    if wait_free:
        wait = Wait(0.0, NO_WAIT.conditional, exact=True)
    elif offered * busiest < cores:
        wait = _pool_wait(pool, rate, service, squared_cv)
    return Station(pool, rate, service.mean, offered, offered * busiest / cores, wait)


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
        inner = _with_threads(solution, name, threads, inner)
    for (request_class, operation), answer in inner.items():
        solution.answers[name, request_class, operation] = answer


def _with_threads(
    solution: Solution, name: str, threads: int, inner: dict[tuple[str, Operation], Answer]
) -> dict[tuple[str, Operation], Answer]:
    arrivals = solution.arrivals(name)
    totals = [(arrivals.of(c), inner[c, "read"].total) for c in arrivals.classes]
    known = [(rate, total) for rate, total in totals if total is not None]
    if len(known) < len(totals):
        # Requests that are never answered hold their threads for ever, until there are none for the others.
        solution.blocked.add(name)
        solution.thread_pools[name] = ThreadPool(threads, None, float(threads), 1.0)
        return dict.fromkeys(inner, Answer(None, None))
    bulkheads = [b for (caller, _), b in solution.bulkheads.items() if caller == name]
    pool = thread_pool(threads, arrivals.rate, _inside(solution, known, bulkheads), _hold_squared_cv(known, bulkheads))
    if name in solution.wait_free:
        pool = ThreadPool(threads, NO_WAIT, pool.in_use, 1.0)
    solution.thread_pools[name] = pool
    if pool.wait is None:
        return dict.fromkeys(inner, Answer(None, None))
    if pool.wait is NO_WAIT:
        return inner
    solution.station_of[pool.wait] = _thread_station(pool, arrivals.rate)
    first = Latency.waiting(pool.wait)
    shrunk = shrunk_waits(solution, inner.values(), pool.inner_waits)
    return {
        key: Answer(*(None if part is None else first + part.with_waits(shrunk) for part in (answer.own, answer.total)))
        for key, answer in inner.items()
    }


def _thread_station(pool: ThreadPool, rate: float) -> Station:
    """Return a pool of threads as those above see it: a place where one only waits."""
    threads = Pool("threads", 1, pool.threads, "shared_queue")
    return Station(threads, rate, 0.0, 0.0, pool.ratio, pool.wait)


def shrunk_waits(solution: Solution, answers: Iterable[Answer], factor: float) -> dict[Transform, Transform]:
    """Return, for every wait for cores in these answers, the same wait shortened: who waits outside does not inside."""
    shrunk: dict[Transform, Transform] = {}
    for part in (part for answer in answers for part in (answer.own, answer.total) if part is not None):
        for wait in (wait for term in part.terms for wait, _ in term.marks):
            station = solution.station_of.get(wait)
            if isinstance(wait, Wait) and station is not None and wait not in shrunk:
                shorter = wait.stretched(max(factor, 1e-9))
                solution.station_of[shorter] = station
                shrunk[wait] = shorter
    return shrunk


def _hold_squared_cv(totals: list[tuple[float, Latency]], bulkheads: Sequence[Bulkhead]) -> float:
    """Return how unequal the times are for which threads are held, as far as they make the number held swing."""
    rate, held = sum(rate for rate, _ in totals), sum(rate * total.mean for rate, total in totals)
    second = sum(rate * (total.variance + total.mean**2) for rate, total in totals)
    steady = sum((1 - b.peakedness) * b.second_moment for b in bulkheads)
    return max(0.0, rate * (second - steady) / held**2 - 1) if held > 0 else 1.0


def _inside(solution: Solution, totals: list[tuple[float, Latency]], bulkheads: Sequence[Bulkhead]) -> list[Inside]:
    """Return where requests spend their time while they hold a thread: each queue that they share, and the rest."""
    visits: dict[Transform, float] = {}
    for rate, total in totals:
        for term in total.terms:
            for wait, n in term.marks:
                if wait in solution.station_of:
                    visits[wait] = visits.get(wait, 0.0) + rate * term.weight * n
    places, spent = [], 0.0
    for wait, rate in visits.items():
        if not isinstance(wait, Wait):
            continue
        station = solution.station_of[wait]
        each = rate / station.pool.copies
        servers = station.pool.nodes * station.pool.servers
        others = max(0.0, 1 - each / station.rate) if each < station.rate * (1 - 1e-9) else 0.0
        busy = each * station.mean_service
        place = Inside(each, busy, wait, station.utilization, servers, others, only_waits=station.mean_service == 0)
        places += [place] * station.pool.copies
        spent += (busy + each * wait.mean) * station.pool.copies
    population, all_rates = sum(rate * total.mean for rate, total in totals), sum(rate for rate, _ in totals)
    delayed = max(0.0, population - spent)
    for one in bulkheads:
        # What waits for a queue below is told there already.
        cut_off = min(one.held, delayed)
        if one.peakedness < 1 - 1e-6 and cut_off > 0:
            places.append(Inside(all_rates, cut_off, peakedness=one.peakedness))
            delayed -= cut_off
    return [*places, Inside(all_rates, delayed)]
