"""Where the numbers of a tier come from: formulas, with this tier's numbers, checked against the evaluation.

The formulas are imported when somebody asks: nothing on the way to a plan knows them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capacity import explaining_class, explaining_plan, explaining_state, explaining_time, explaining_work
from capacity.decode import nearest
from capacity.errors import UsageError, ascii_quoted
from capacity.evaluate import describe, tier_result
from capacity.explaining_class import OfClass
from capacity.explaining_plan import Planned
from capacity.explanations import Explained
from capacity.outcomes import asked_event
from capacity.scenarios import phrase
from capacity.search import Search
from capacity.sizing import size
from capacity.system import resolve
from capacity.telling import left_over

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from capacity.explanations import Explanation
    from capacity.scenarios import Event
    from capacity.solve import Solution
    from capacity.topology import Topology

METRICS: Final[dict[str, Callable[[Planned], Explanation | None]]] = {
    "utilization": explaining_work.utilization,
    "headroom": lambda asked: explaining_work.utilization(asked, "headroom"),
    "wait": explaining_time.wait,
    "mean": explaining_time.mean,
    "total": explaining_time.total,
    "p99": explaining_time.p99,
    "hit_ratio": explaining_state.hit_ratio,
    "lag": explaining_state.lag,
    "backlog": explaining_state.backlog,
    "drain": explaining_state.drain,
    "threads": explaining_state.threads,
    "rejected": explaining_state.rejected,
    "nodes": explaining_plan.nodes,
    "availability": explaining_plan.availability,
    "cost": explaining_plan.cost,
}
"""What can be asked about, each with what explains it; None where a tier has no such number."""

_USUAL: Final = frozenset({"nodes", "availability", "cost"})
"""What is told of a plan, and not of one event."""


def explain(
    topology: Topology,
    tier: str,
    metric: str | None = None,
    scenario: str | None = None,
    tick: Callable[[int], None] = lambda _: None,
) -> Explained:
    """Return where the numbers of a tier, or of a request class, come from; all of them, or one metric.

    The nodes are those of the file, and where it leaves them out those of its plan; `scenario` as `capacity evaluate`
    takes it. Of a tier and a class of one name, the tier is meant. Raises UsageError for a tier, metric or scenario
    that there is not, with the nearest name and the list.
    """
    if tier in topology.workload.classes and tier not in topology.components:
        return explain_class(topology, tier, metric, scenario, tick)
    _known("tier", tier, topology.components, f"; or a request class: {', '.join(topology.workload.classes)}")
    if metric is not None:
        _known("metric", metric, METRICS)
    search, counts, event, solution = _solved(topology, scenario, tick)
    if event is not None:
        state = event.state(counts)
        for name, (left, least) in zip(state.gone, state.left, strict=True):
            if tier == name:
                when = phrase(event.scenario, event.subject)
                raise UsageError(f"TIER {ascii_quoted(tier)} {when}: {left_over(left, least)}")
    result = tier_result(solution, tier)
    asked = Planned(solution, tier, result, search)
    askable = {name: ask for name, ask in METRICS.items() if event is None or name not in _USUAL}
    found = {n: told for n, ask in askable.items() if metric in (None, n) and (told := ask(asked)) is not None}
    if metric is not None and not found:
        has = [name for name, ask in askable.items() if name != metric and ask(asked) is not None]
        there = ", ".join(has) or "nothing: no request reaches it"
        raise UsageError(f"METRIC {metric}: {ascii_quoted(tier)} has no such number; it has {there}")
    return Explained(name=topology.name, tier=tier, kind=result.kind, when=_when(event), metrics=list(found.values()))


def explain_class(
    topology: Topology,
    name: str,
    metric: str | None = None,
    scenario: str | None = None,
    tick: Callable[[int], None] = lambda _: None,
) -> Explained:
    """Return where the numbers of a request class come from, as `explain` does; also of one named like a tier."""
    _known("class", name, topology.workload.classes)
    if metric is not None:
        _known("metric", metric, explaining_class.METRICS)
    search, _, event, solution = _solved(topology, scenario, tick)
    seen = OfClass(solution, name, describe(solution).classes[name], search)
    metrics = _of_class(seen, metric, usual=event is None)
    return Explained(name=topology.name, tier=name, kind="request class", when=_when(event), metrics=metrics)


def _solved(
    topology: Topology, scenario: str | None, tick: Callable[[int], None]
) -> tuple[Search, dict[str, int], Event | None, Solution]:
    """Return the system at its counts, or those of its plan, as usual or in a scenario."""
    system = resolve(topology)
    search = Search.of(system, tick)
    free = set(system.counted()) - set(system.given())
    counts = {**(size(search).counts if free else system.least()), **system.given()}
    search.aside = frozenset()
    event = None if scenario is None else asked_event(search, counts, scenario)
    return search, counts, event, search.at(counts) if event is None else search.solved(event.state(counts))


def _when(event: Event | None) -> str:
    return "" if event is None else phrase(event.scenario, event.subject)


def _of_class(asked: OfClass, metric: str | None, *, usual: bool) -> list[Explanation]:
    """Return the numbers of a class that are asked for; what is told of a plan alone, not in an event."""
    names = [n for n in explaining_class.METRICS if metric in (None, n) and (usual or n not in _USUAL)]
    found = [explaining_class.METRICS[name](asked) for name in names]
    if metric is not None and not any(found):
        raise UsageError(f"METRIC {metric}: {ascii_quoted(asked.name)} has no such number here")
    return [one for one in found if one is not None]


def _known(what: str, name: str, known: Iterable[str], more: str = "") -> None:
    names = list(known)
    if name not in names:
        near = nearest(name, names)
        hint = f"; did you mean {near}?" if near else ""
        raise UsageError(f"{what.upper()} {ascii_quoted(name)}: there are {', '.join(names)}{more}{hint}")


__all__ = ["METRICS", "explain"]
