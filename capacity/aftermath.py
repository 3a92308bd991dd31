"""What only some events have to tell: how long until threads are full or a cache is warm, and what is at risk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from capacity.units import digits, show_percent, show_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.components.base import Call
    from capacity.results import Case
    from capacity.scenarios import Event
    from capacity.search import Search
    from capacity.solve import Solution
    from capacity.system import Counts


def facts(search: Search, event: Event, counts: Counts) -> dict[str, Any]:
    """Return what one event has to tell beside limits and latencies, by tier; times in s."""
    before = search.at(counts)
    found: dict[str, Any] = {}
    for name, warm in event.state(counts).conditions.warm:
        found[name] = search.system.tiers[name].refilled(before.places[name], before.arrivals(name), 1 - warm)
    lost = event.subject or ""
    if event.scenario == "primary":
        switched = search.system.tiers[lost].failover(before.places[lost], before.arrivals(lost))
        full = filled(before, lost, switched.get("failover_s", 0.0), writes=True)
        found[lost] = switched | {"threads_full_s": full}
    if event.scenario == "partner_down":
        outage = float(search.system.topology.resilience.outage)
        found[lost] = {"outage_s": outage, "threads_full_s": filled(before, lost, outage, writes=False)}
    return found


def filled(before: Solution, callee: str, outage: float, *, writes: bool) -> dict[str, float | None]:
    """Return for every tier with threads that waits for a callee when they are all taken, once it hangs.

    Seconds from the start of the outage, None where timeouts or pools of calls hold fewer than there are. *Exact* for
    the fluid: every request that comes and waits for the callee takes a thread and gives none back.
    """
    found: dict[str, float | None] = {}
    for name, pool in before.thread_pools.items():
        rate, bound = 0.0, 0.0
        for request_class in before.arrivals(name).classes:
            calls = list(_leading(before, name, callee, request_class, writes=writes))
            if not calls:
                continue
            each = before.arrivals(name).of(request_class)
            rate += each
            bound += sum(_most_held(before, name, call, each, outage) for call in calls)
        if rate > 0:
            free = pool.threads - pool.in_use
            found[name] = free / rate if bound >= free and free / rate < outage else None
    return found


def _leading(before: Solution, name: str, callee: str, request_class: str, *, writes: bool) -> Iterator[Call]:
    """Yield the calls of a class by which a tier waits for a callee, or only those that write to it."""
    system = before.system
    for call in system.tiers[name].calls_made():
        concerned = call.count > 0 and (call.classes is None or request_class in call.classes)
        reaches = not system.decouples(call.to) and callee in system.waited_for(call.to, request_class)
        if not concerned or not reaches:
            continue
        # What a cache or a database is asked to write it passes on; a service writes by its own calls.
        made = system.tiers[call.to].calls_made() and call.to != callee
        own = any(_leading(before, call.to, callee, request_class, writes=True)) if made else call.writes > 0
        if own or not writes:
            yield call


def _most_held(before: Solution, name: str, call: Call, rate: float, outage: float) -> float:
    """Return how many threads one call holds at most while its callee hangs."""
    lasting = outage if call.timeout is None else min(outage, call.timeout * (call.retries + 1))
    held = rate * max(call.count, 1.0) * lasting
    return held if call.pool is None else min(held, float(call.pool * before.places[name].nodes))


def told(case: Case) -> list[str]:
    """Return these facts in words."""
    lines = [line for name, found in case.facts.items() for line in _told(name, found)]
    if case.excused:
        are = "is" if len(case.excused) == 1 else "are"
        lines.append(f"{', '.join(case.excused)} {are} not judged {case.when}: nothing of ours could help")
    return lines


def _told(name: str, found: dict[str, Any]) -> Iterator[str]:
    if "recovery_s" in found and found["cold"] == 1:
        back = show_seconds(found["recovery_s"])
        yield f"{name} hits {show_percent(found['steady_hit_ratio'])} again (nearly) after {back}"
    if "failover_s" in found:
        held, lost = digits(found["writes_held"]), found["writes_at_risk"]
        risk = f"; {digits(lost)} writes may be lost" if lost else "; no acknowledged write is lost"
        yield f"{name} takes no write for {show_seconds(found['failover_s'])}: {held} wait{risk}"
    for tier, seconds in found.get("threads_full_s", {}).items():
        if seconds is not None:
            yield f"the threads of {tier} are all taken {show_seconds(seconds)} after {name} stops answering"
        elif "outage_s" in found:
            yield f"timeouts or a pool keep the threads of {tier} from being all taken with {name} down"
