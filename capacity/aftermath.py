"""What only some events have to tell: how long until threads are full or a cache is warm, and what is at risk."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from capacity.units import digits, show_percent, show_seconds
from capacity.verdict import limits

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
    state = event.state(counts)
    # Whoever is deployed is soon back; who lost nodes fills with what is left.
    places = before.places if event.scenario == "deploy" else search.system.places(state.counts)
    for name, warm in state.conditions.warm:
        left = places[name].nodes if search.system.roots[name] not in state.gone else 0
        place = places[name] if left else before.places[name]
        tier, at_once = search.system.tiers[name], search.solved(state)
        seen = tier.details(at_once.places[name], at_once.arrivals(name), at_once)
        filling = tier.refilled(place, before.arrivals(name), 1 - warm)
        found[name] = filling | {"hit_ratio": seen["hit_ratio"], "replaced": not left}
    lost = event.subject or ""
    if event.scenario == "primary":
        found[lost] = _without_primary(before, lost, down=lost in state.gone)
    if event.scenario == "partner_down":
        hang = Hang(before, lost, float(search.system.topology.resilience.outage), writes=False)
        full = filled(hang)
        kept = sorted(name for name, seconds in full.items() if seconds is None and _bounded(hang, name))
        found[lost] = {"outage_s": hang.outage, "threads_full_s": full, "threads_kept": kept}
    if event.scenario == "deploy":
        found |= _over_the_ceiling(search, event, counts)
    return found


def _without_primary(before: Solution, lost: str, *, down: bool) -> dict[str, Any]:
    """Return how long a database takes no writes: until a replica is promoted, or without one until it is repaired.

    Where those that are left are no quorum (`down`), that is until it is repaired too.
    """
    place, tier = before.places[lost], before.system.tiers[lost]
    switched = tier.failover(place, before.arrivals(lost))
    if tier.machines(place.count) > tier.parts() and not down:
        return switched | {"threads_full_s": filled(Hang(before, lost, switched.get("failover_s", 0.0), writes=True))}
    repair = float(before.system.topology.resilience.node_mttr if tier.mttr is None else tier.mttr)
    held = switched["writes_held"] / switched["failover_s"] * repair if switched["failover_s"] else None
    full = filled(Hang(before, lost, repair, writes=False))
    gone = {"failover_s": None, "repair_s": repair, "writes_held": held, "writes_at_risk": None}
    gone |= {"quorum_lost": down and place.count > 0}
    return switched | gone | {"threads_full_s": full}


def _over_the_ceiling(search: Search, event: Event, counts: Counts) -> dict[str, Any]:
    """Return the connections of tiers that a deploy brings over the ceiling, which it may go over."""
    solution, ceiling = search.solved(event.state(counts)), float(search.system.topology.slo.utilization)
    return {
        name: {"in_deploy": limit.utilization, "resource": limit.resource, "ceiling": ceiling}
        for name in search.system.tiers
        for limit in limits(solution, name)
        if limit.foreseen and ceiling < limit.utilization <= 1
    }


def _bounded(hang: Hang, name: str) -> bool:
    """Return whether a timeout or a pool is on the way from a tier to what hangs."""
    before = hang.before
    for request_class in before.arrivals(name).classes:
        for call in _leading(before, name, hang.callee, request_class):
            if (
                call.timeout is not None
                or call.pool is not None
                or (call.to != hang.callee and _bounded(hang, call.to))
            ):
                return True
    return False


class Hang(NamedTuple):
    """Something that does not answer for `outage` seconds, or (`writes`) takes no writes."""

    before: Solution
    callee: str
    outage: float
    writes: bool


class Held(NamedTuple):
    """Threads that one call takes while what it waits for hangs: from `start`, `rate` a second, each for `lasting`."""

    start: float
    rate: float
    lasting: float
    most: float
    """What a pool of the call allows."""

    def at(self, seconds: float) -> float:
        """Return how many are held so long after the outage began."""
        return min(self.rate * min(max(seconds - self.start, 0.0), self.lasting), self.most)


def filled(hang: Hang) -> dict[str, float | None]:
    """Return for every tier with threads that waits for a callee when they are all taken, once it hangs.

    Seconds from the start of the outage, None where timeouts or pools of calls hold fewer than there are, or where it
    ends before. A tier whose threads are all taken hangs like the callee, and whoever calls it waits too. *Exact* for
    the fluid in which requests come evenly and what does not hang takes no longer than before.
    """
    before, found = hang.before, dict[str, float | None]()
    for name in before.system.callees_first:
        sources = [
            held
            for request_class in before.arrivals(name).classes
            for held in _sources(hang, name, request_class, found)
        ]
        pool = before.thread_pools.get(name)
        if sources and pool is not None:
            found[name] = _first_full(sources, pool.threads - pool.in_use, hang.outage)
    return found


def _first_full(sources: Sequence[Held], free: float, outage: float) -> float | None:
    """Return when the threads that are free are all held: the sum grows in straight pieces from bend to bend.

    At once, where none is free before.
    """
    if free <= 0:
        return 0.0
    bends = sorted(
        {t for s in sources for t in (s.start, s.start + s.lasting, s.start + s.most / s.rate) if t < outage}
    )
    earlier = 0.0
    for bend in [*bends, outage]:
        held = [sum(source.at(t) for source in sources) for t in (earlier, bend)]
        if held[1] >= free and held[1] > held[0]:
            return earlier + max(0.0, free - held[0]) / (held[1] - held[0]) * (bend - earlier)
        earlier = bend
    return None


def _sources(hang: Hang, name: str, request_class: str, full: dict[str, float | None]) -> Iterator[Held]:
    """Yield what the calls of one class hold of a tier's threads."""
    before, callee = hang.before, hang.callee
    rate = before.arrivals(name).of(request_class)
    reaching = list(_leading(before, name, callee, request_class))
    for call in before.system.tiers[name].calls_made():
        if call.count == 0 or (call.classes is not None and request_class not in call.classes):
            continue
        lasting, met = _met(hang, call, request_class) if call in reaching else (0.0, 0.0)
        most = math.inf if call.pool is None else float(call.pool * before.places[name].nodes)
        if met > 0:
            yield Held(0.0, rate * min(1.0, call.count * met), _limited(call, lasting), most)
        start = full.get(call.to)
        if start is not None and call.to != callee:
            rest = rate * max(0.0, min(1.0, call.count) - min(1.0, call.count * met))
            if rest > 0:
                yield Held(start, rest, _limited(call, hang.outage), most)


def _leading(before: Solution, name: str, callee: str, request_class: str) -> Iterator[Call]:
    """Yield the calls of a class by which a tier waits for a callee."""
    system = before.system
    for call in system.tiers[name].calls_made():
        concerned = call.count > 0 and (call.classes is None or request_class in call.classes)
        if concerned and not system.decouples(call.to) and callee in system.waited_for(call.to, request_class):
            yield call


def _met(hang: Hang, call: Call, request_class: str) -> tuple[float, float]:
    """Return how long a call hangs that meets what is down, and the share of its calls that do."""
    before, callee, outage, writes = hang
    tier = before.system.tiers[call.to]
    if call.to == callee:
        return outage, call.writes if writes else 1.0
    inner = list(_leading(before, call.to, callee, request_class))
    if not inner:
        # A cache asks its origin: for its misses, and to write.
        flows = [f for f in before.traffic.flows[call.to] if f.request_class == request_class]
        asked = before.arrivals(call.to).of(request_class)
        passed = sum(f.writes if writes else f.reads + f.writes for f in flows)
        return outage, min(1.0, passed / asked) if asked > 0 and tier.outgoing() else 0.0
    lasting, missed = 0.0, 1.0
    for made in inner:
        longest, met = _met(hang, made, request_class)
        if met > 0:
            lasting, missed = lasting + _limited(made, longest), missed * (1 - min(1.0, made.count * met))
    return min(lasting, outage), 1 - missed


def _limited(call: Call, lasting: float) -> float:
    """Return how long a call holds its thread at most."""
    return lasting if call.timeout is None else min(lasting, float(call.timeout) * (call.retries + 1))


def told(case: Case) -> list[str]:
    """Return these facts in words."""
    lines = [line for name, found in case.facts.items() for line in _told(name, found)]
    if case.excused:
        are = "is" if len(case.excused) == 1 else "are"
        lines.append(f"{', '.join(case.excused)} {are} not judged {case.when}: nothing of ours could help")
    return lines


def _told(name: str, found: dict[str, Any]) -> Iterator[str]:
    if found.get("recovery_s", 0.0) > 0:
        shares = [
            f"{show_percent(max(now['hit_ratio'], found['hit_ratio']))} after {show_seconds(now['s'])}"
            for now in found["recovering"][1:]
        ]
        at_first = f"{'once replaced, ' if found['replaced'] else ''}{name} hits {show_percent(found['hit_ratio'])}"
        yield f"{at_first} at first, {', '.join(shares)}; {show_percent(found['steady_hit_ratio'])} in the end"
    if "repair_s" in found:
        why = "no quorum left" if found["quorum_lost"] else "no replica"
        yield f"{name} has {why}: it is down until its node is replaced, {show_seconds(found['repair_s'])}"
    elif "failover_s" in found:
        held, lost = digits(found["writes_held"]), found["writes_at_risk"]
        risk = f"; {digits(lost)} writes may be lost" if lost else "; no acknowledged write is lost"
        yield f"{name} takes no write for {show_seconds(found['failover_s'])}: {held} wait{risk}"
    for tier, seconds in found.get("threads_full_s", {}).items():
        if seconds == 0:
            yield f"the threads of {tier} are all taken already before {name} is gone"
        elif seconds is not None:
            what = "takes no writes" if found.get("failover_s") else "stops answering"
            then = "; whoever comes then waits for its end, which no verdict judges" if "failover_s" in found else ""
            yield f"the threads of {tier} are all taken {show_seconds(seconds)} after {name} {what}{then}"
        elif tier in found.get("threads_kept", ()):
            yield f"timeouts or a pool keep the threads of {tier} from being all taken with {name} down"
        elif "outage_s" in found:
            yield f"{tier} has threads for all who wait {show_seconds(found['outage_s'])} for {name}"
    if "in_deploy" in found:
        used, most = show_percent(found["in_deploy"]), show_percent(found["ceiling"])
        yield f"{name} uses {used} of its {found['resource']} meanwhile: a deploy may go over the ceiling of {most}"
