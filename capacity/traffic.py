"""Who receives how much: the traffic equations, solved once for all classes."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from capacity.components.exchange import Arrivals
from capacity.errors import CapacityError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from capacity.components.exchange import Flow, Place
    from capacity.system import System

Attempts = dict[tuple[str, int, str], float]
"""Tries per call, by caller, position of the call and class; 1 where nothing is retried."""

_ROUNDS: Final = 5000
_MOST: Final = 1e15


@dataclass(frozen=True)
class Traffic:
    """Arrivals of every tier, and what flows along every call, in 1/s at the load that is planned for."""

    arrivals: Mapping[str, Arrivals]
    flows: Mapping[str, list[Flow]]


class EndlessTrafficError(CapacityError):
    """Work that comes back through a queue multiplies instead of fading."""


def solve_traffic(system: System, places: Mapping[str, Place], attempts: Attempts) -> Traffic:
    """Return the traffic for these places: callers before callees, repeated while work leads back through queues."""
    back: dict[str, list[Flow]] = {}
    for _ in range(_ROUNDS):
        arrivals, flows = _pass(system, places, attempts, back)
        if not system.leads_back:
            return Traffic(arrivals, flows)
        total = sum(a.rate for a in arrivals.values())
        before = sum(f.reads + f.writes for fs in back.values() for f in fs)
        now = sum(f.reads + f.writes for fs in flows.values() for f in fs)
        if total > _MOST:
            break
        back = flows
        if abs(now - before) <= 1e-11 * now:
            return Traffic(arrivals, flows)
    around = [name for name in system.tiers if any(name in system.below(to) for to, _, _ in _edges(system, name))]
    raise EndlessTrafficError(
        f"components.{', components.'.join(around)}: work that comes back through a queue multiplies; "
        "let each message cause less than one new one"
    )


def networks(system: System, traffic: Traffic) -> dict[str, tuple[float, float]]:
    """Return the bytes per second into and out of all machines of each tier, without what stays inside them."""
    found = dict.fromkeys(system.residents, (0.0, 0.0))

    def add(root: str, into: float, out: float) -> None:
        before = found[root]
        found[root] = before[0] + into, before[1] + out

    for caller, flows in traffic.flows.items():
        for flow in flows:
            here, there = system.roots[caller], system.roots[flow.to]
            if here != there:
                request, response = system.tiers[flow.to].payload()
                rate = flow.reads + flow.writes
                add(here, rate * response, rate * request)
                add(there, rate * request, rate * response)
    for declared in system.topology.workload.classes.values():
        request, response = system.tiers[declared.entry].payload()
        rate = declared.rate * system.topology.workload.peak_to_mean
        add(system.roots[declared.entry], rate * request, rate * response)
    return found


def _edges(system: System, name: str) -> Sequence[tuple[str, tuple[str | int, ...], bool]]:
    return system.tiers[name].outgoing()


def _pass(
    system: System, places: Mapping[str, Place], attempts: Attempts, back: Mapping[str, list[Flow]]
) -> tuple[dict[str, Arrivals], dict[str, list[Flow]]]:
    """Return one sweep over the tiers; flows along edges that lead back are those of the sweep before."""
    topology = system.topology
    received: dict[str, list[Flow]] = {name: [] for name in system.tiers}
    seen: set[str] = set()
    arrivals: dict[str, Arrivals] = {}
    flows: dict[str, list[Flow]] = {}
    entering = {name: [c for c, r in topology.workload.classes.items() if r.entry == name] for name in system.tiers}
    for name in system.order:
        seen.add(name)
        returned = [f for caller, fs in back.items() if caller not in seen for f in fs if f.to == name]
        if name in {f.to for f in back.get(name, ())}:
            returned += [f for f in back[name] if f.to == name]
        arrivals[name] = _arrivals(system, name, entering[name], [*received[name], *returned])
        flows[name] = [
            _multiplied(flow, attempts.get((name, flow.index, flow.request_class), 1.0))
            for flow in system.tiers[name].flows(places[name], arrivals[name])
        ]
        for flow in flows[name]:
            if flow.to not in seen:
                received[flow.to].append(flow)
    return arrivals, flows


def _multiplied(flow: Flow, factor: float) -> Flow:
    if factor == 1:
        return flow
    return replace(flow, reads=flow.reads * factor, writes=flow.writes * factor)


def _arrivals(system: System, name: str, entering: list[str], received: list[Flow]) -> Arrivals:
    workload = system.topology.workload
    reads = dict.fromkeys(system.classes[name], 0.0)
    writes = dict.fromkeys(system.classes[name], 0.0)
    for request_class in entering:
        reads[request_class] += workload.classes[request_class].rate * workload.peak_to_mean
    for flow in received:
        reads[flow.request_class] += flow.reads
        writes[flow.request_class] += flow.writes
    streams = {id(flow.asked): flow.asked for flow in received if flow.reads > 0}
    asked = next(iter(streams.values())) if len(streams) == 1 and not entering else None
    squared_cv = _squared_cv(system, name, reads, writes) + _batches(received)
    return Arrivals(reads, writes, squared_cv, asked, _rows(system, name, reads, writes, received))


def _batches(received: list[Flow]) -> float:
    """Return what calls that arrive together add to the burstiness: batches of B have a dispersion of B."""
    total = sum(flow.reads + flow.writes for flow in received)
    return sum((flow.reads + flow.writes) / total * (flow.batch - 1) for flow in received) if total > 0 else 0.0


def _rows(
    system: System, name: str, reads: dict[str, float], writes: dict[str, float], received: list[Flow]
) -> tuple[tuple[float, int], ...]:
    """Return which shares of the visits follow each other at once, and how many do: calls made again and again.

    Only to a tier that answers by itself: where it asks others first, there is time between the visits.
    """
    if all(flow.row <= 1 for flow in received) or any(waited for _, _, waited in system.tiers[name].outgoing()):
        return ()
    total = sum(reads.values()) + sum(writes.values())
    if total == 0:
        return ()
    rates: dict[int, float] = {}
    for flow in received:
        whole = max(math.floor(flow.row), 1)
        more = max(flow.row - whole, 0.0) * (whole + 1)
        share = more / (more + (1 - max(flow.row - whole, 0.0)) * whole)
        rate = flow.reads + flow.writes
        rates[whole] = rates.get(whole, 0.0) + rate * (1 - share)
        rates[whole + 1] = rates.get(whole + 1, 0.0) + rate * share
    in_rows = {n: round(rate / total, 12) for n, rate in rates.items() if n > 1 and rate > 0}
    return ((1 - sum(in_rows.values()), 1), *((share, n) for n, share in in_rows.items()))


def _squared_cv(system: System, name: str, reads: dict[str, float], writes: dict[str, float]) -> float:
    """Return the burstiness of a tier's arrivals: classes in proportion, thinned where not every request comes here.

    A queue ends it. What a tier in front smooths is not counted, which is the safe side for burstiness above 1.
    Source: Whitt 1983, The Queueing Network Analyzer, for splitting and (asymptotically) superposing streams.
    """
    workload = system.topology.workload
    total = sum(reads.values()) + sum(writes.values())
    if name in system.behind_queue or total == 0 or all(c.burstiness == 1 for c in workload.classes.values()):
        return 1.0
    excess = 0.0
    for request_class, rate in reads.items():
        visits = rate + writes[request_class]
        declared = workload.classes[request_class]
        made = declared.rate * workload.peak_to_mean
        if made > 0:
            excess += visits / total * (declared.burstiness - 1) * min(1.0, visits / made)
    return 1.0 + excess
