"""Waiting for a thread: a tier that has only so many of them, and what that does to the waits inside."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from capacity.components.exchange import Answer, Pool, Station
from capacity.waits import pooled_threads, shortened, wait_at
from models.latency import Latency
from models.layered import Inside, ThreadPool
from models.queues import NO_WAIT, Wait

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from capacity.components.exchange import Operation
    from capacity.solve import Solution
    from models.layered import Bulkhead
    from models.transforms import Transform


def with_threads(
    solution: Solution, name: str, threads: int, inner: dict[tuple[str, Operation], Answer]
) -> dict[tuple[str, Operation], Answer]:
    """Return the answers of a tier with the wait for one of its threads before them."""
    arrivals = solution.arrivals(name)
    totals = [(arrivals.of(c), inner[c, "read"].total) for c in arrivals.classes]
    known = [(rate, total) for rate, total in totals if total is not None]
    if len(known) < len(totals):
        # Requests that are never answered hold their threads for ever, until there are none for the others.
        solution.blocked.add(name)
        solution.thread_pools[name] = ThreadPool(threads, None, float(threads), 1.0)
        return dict.fromkeys(inner, Answer(None, None))
    bulkheads = [b for (caller, _), b in solution.bulkheads.items() if caller == name]
    places = tuple(_inside(solution, known, bulkheads))
    pool = pooled_threads(threads, arrivals.rate, places, _hold_squared_cv(known, bulkheads))
    if name in solution.wait_free:
        pool = ThreadPool(threads, NO_WAIT, pool.in_use, 1.0)
    solution.thread_pools[name] = pool
    if pool.wait is None:
        return dict.fromkeys(inner, Answer(None, None))
    if pool.wait is NO_WAIT:
        return inner
    wait = wait_at((name, "threads"), pool.wait)
    solution.thread_pools[name] = replace(pool, wait=wait)
    solution.station_of[wait] = _thread_station(pool, wait, arrivals.rate)
    first = Latency.waiting(wait)
    shrunk = shrunk_waits(solution, name, inner.values(), pool.inner_waits)
    return {
        key: Answer(*(None if part is None else first + part.with_waits(shrunk) for part in (answer.own, answer.total)))
        for key, answer in inner.items()
    }


def _thread_station(pool: ThreadPool, wait: Wait, rate: float) -> Station:
    """Return a pool of threads as those above see it: a place where one only waits."""
    threads = Pool("threads", 1, pool.threads, "shared_queue")
    return Station(threads, rate, 0.0, 0.0, pool.ratio, wait)


def shrunk_waits(solution: Solution, name: str, answers: Iterable[Answer], factor: float) -> dict[Transform, Transform]:
    """Return, for every wait for cores in the answers of a tier, it shortened: who waits outside does not inside."""
    shrunk: dict[Transform, Transform] = {}
    for part in (part for answer in answers for part in (answer.own, answer.total) if part is not None):
        for wait in (wait for term in part.terms for wait, _ in term.marks):
            station = solution.station_of.get(wait)
            if isinstance(wait, Wait) and station is not None and wait not in shrunk:
                shorter = wait_at((name, "inside"), shortened(wait, max(factor, 1e-9)))
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
