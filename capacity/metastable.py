"""Loads that are stable before an outage and not after it: retries of what timed out keep a tier full by themselves.

The tries per call are a fixed point. From below the least one is found: nearly every try is answered. From above, with
every try of every call that may be tried again, the greatest: where a tier is overloaded in it and not in the other,
both states keep themselves up, and an outage leads from one to the other (Bronson et al. 2021).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from capacity.document import scaled
from capacity.errors import show_path
from capacity.results import Warning as Notice
from capacity.solve import solve
from capacity.system import resolve
from capacity.units import show_percent, show_seconds
from models.retries import tipping_outage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.components.base import Call
    from capacity.solve import Solution
    from capacity.system import Counts, System
    from capacity.traffic import Attempts

_STEPS = 12
"""Halvings of the load; the threshold is told in whole per cent."""


@dataclass(frozen=True, eq=False)
class Retried:
    """A call that is tried again: who makes it, at which position."""

    caller: str
    index: int
    call: Call


def metastable(solution: Solution) -> Iterator[Notice]:
    """Yield a warning for each tier that an outage would leave overloaded, with the load from which on it does."""
    system, counts = solution.system, solution.counts
    retried = list(_retried(system))
    if not retried:
        return
    stuck = _stuck(system, counts, retried, solution)
    for name, retries in stuck.items():
        threshold = _threshold(system, counts, name)
        outage = _tipping(solution, name, retries)
        after = "a long outage" if outage is None else f"an outage of {show_seconds(outage)} or more"
        calls = ", ".join(show_path(("components", r.caller, "calls", r.index)) for r in retries)
        text = (
            f"metastable above {show_percent(threshold)} load: after {after} the retries alone keep it down ({calls})"
        )
        yield Notice(name, "metastable", text)


def _retried(system: System) -> Iterator[Retried]:
    for caller, tier in system.tiers.items():
        for index, call in enumerate(tier.calls_made()):
            if call.retries and call.timeout is not None and call.count > 0 and not system.decouples(call.to):
                yield Retried(caller, index, call)


def _stuck(system: System, counts: Counts, retried: list[Retried], before: Solution) -> dict[str, list[Retried]]:
    """Return the tiers that stay overloaded once every try has timed out, with the calls that together keep them so."""
    start: Attempts = {
        (r.caller, r.index, request_class): r.call.retries + 1.0
        for r in retried
        for request_class in system.classes[r.caller]
    }
    after = solve(system, counts, start=start)
    storms: dict[str, list[Retried]] = {}
    for r in retried:
        storms.setdefault(r.call.to, []).append(r)
    return {
        name: calls
        for name, calls in storms.items()
        if _overloaded(after, name) and not _overloaded(before, name) and _kept_up(before, name, calls)
    }


def _overloaded(solution: Solution, name: str) -> bool:
    return any(solution.latency(name, c, "read") is None for c in solution.system.classes[name])


def _kept_up(before: Solution, name: str, retries: list[Retried]) -> bool:
    """Return whether all calls to a tier together can make as many tries as keep it full."""
    capacity = before.capacity_of(name)
    if capacity is None:
        return False
    first, others = _rates(before, name, retries)
    return sum(_tries(before, first, caller) for caller in {r.caller for r in retries}) + others > capacity


def _tries(before: Solution, first: dict[Retried, float], caller: str) -> float:
    """Return the tries per second that a caller can make while all of them time out: each holds a thread so long."""
    tries = {r: rate * (r.call.retries + 1) for r, rate in first.items() if r.caller == caller}
    held, threads = (
        sum(rate * float(r.call.timeout or 0.0) for r, rate in tries.items()),
        before.thread_pools.get(caller),
    )
    return sum(tries.values()) * (1.0 if threads is None or held == 0 else min(1.0, threads.threads / held))


def _rates(before: Solution, name: str, retries: list[Retried]) -> tuple[dict[Retried, float], float]:
    """Return the first tries per second of each call to a tier, and what else arrives there."""
    first = {}
    for r in retries:
        arrivals = before.arrivals(r.caller)
        calling = [c for c in before.places[r.caller].classes if r.call.classes is None or c in r.call.classes]
        first[r] = sum(arrivals.of(c) for c in calling) * r.call.count
    return first, max(0.0, before.arrivals(name).rate - sum(first.values()))


def _threshold(system: System, counts: Counts, name: str) -> float:
    """Return the share of the load above which a tier does not recover, to a whole per cent."""

    def stays(load: float) -> bool:
        other = resolve(scaled(system.topology, load))
        return name in _stuck(other, counts, list(_retried(other)), solve(other, counts))

    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if stays(middle) else (middle, high)
    return round(high, 2)


def _tipping(before: Solution, name: str, retries: list[Retried]) -> float | None:
    """Return the shortest outage that tips a tier over; None where it could not be told, as calls are not alike."""
    capacity, alike = before.capacity_of(name), {(r.call.timeout, r.call.retries) for r in retries}
    timeout, times = next(iter(alike))
    if capacity is None or timeout is None or len(alike) > 1:
        return None
    first, others = _rates(before, name, retries)
    return tipping_outage(sum(first.values()), capacity - others, float(timeout), times)
