"""What there is to draw, with every number as text: a box for each tier and request class, an edge for each call."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from capacity.telling import none_left
from capacity.units import digits, show_percent, show_seconds
from tui.drawing.canvas import Key
from tui.drawing.changes import NONE, Change, counted, differing, shared, timed, used
from tui.drawing.text import clean

if TYPE_CHECKING:
    from capacity.components.base import Tier
    from capacity.results import ClassResult, Evaluation, TierResult
    from capacity.topology import Topology

NEAR: Final = 0.8
"""The share of its ceiling from which a tier counts as busy."""

WORDS: Final = {"external": "partner"}
"""How a kind is called in the drawing, where not by its name in the file."""


class Fact(NamedTuple):
    """A number with what it is of, and how it differs from the baseline."""

    text: str
    change: Change = NONE


@dataclass(frozen=True)
class Box:
    """A tier or a request class as it is told."""

    key: Key
    name: str
    word: str
    """The kind as a word: service, cache, database, queue, partner; users for a request class."""
    kind: str
    where: Fact
    """Its nodes, or what it lives on."""
    utilization: float | None
    load: Fact
    """Its utilisation in per cent."""
    resource: str
    ceiling: float
    severity: str
    """"calm", "busy" (near its ceiling), "over" (its ceiling), "overloaded" or "excused" (waits for what is down)."""
    bottleneck: bool
    facts: tuple[Fact, ...]
    """The response time first, then what fits."""
    rate: Fact

    def __hash__(self) -> int:
        """Return a hash of what tells most boxes apart: dozens are looked up at every key."""
        return hash((self.name, self.utilization, self.facts[0].text, self.rate.text))


@dataclass(frozen=True)
class Edge:
    """Requests from one box to another: a call that is waited for, or not (async), a miss of a cache, messages."""

    start: Key
    end: Key
    kind: str
    """"call", "async", "miss" or "consumes"."""
    rate: float | None
    """In 1/s; None where the evaluation does not tell it."""
    change: Change = NONE

    def __hash__(self) -> int:
        """Return a hash of what tells most edges apart."""
        return hash((self.start, self.end, self.rate))

    @property
    def waited_for(self) -> bool:
        """Whether whoever is at its start waits for its end."""
        return self.kind in ("call", "miss")


@dataclass(frozen=True)
class Picture:
    """Everything to be drawn, in the order of the file. Between two boxes there is one edge at most."""

    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]
    compared: bool = False
    """Whether there is a baseline: then there is room for differences, so that nothing moves when there is one."""


def picture(topology: Topology, evaluation: Evaluation, baseline: Evaluation | None = None) -> Picture:
    """Return what there is to draw of a topology and its evaluation; with a baseline, what changed since."""
    excused = {
        name
        for scenario in evaluation.scenarios.values()
        for case in scenario.cases
        if evaluation.during is not None and case.when == evaluation.during.when
        for name in case.excused
    }
    tightest = bottleneck(topology, evaluation)
    boxes = [
        _class_box(name, result, baseline.classes.get(name) if baseline else None, excused=name in excused)
        for name, result in evaluation.classes.items()
    ]
    for name, result in evaluation.tiers.items():
        ceiling = ceiling_of(topology.components[name], evaluation)
        boxes.append(
            Box(
                key=Key("tier", name),
                name=clean(name),
                word=clean(WORDS.get(result.kind, result.kind)),
                kind=result.kind,
                utilization=result.utilization,
                resource=result.binding or "",
                ceiling=ceiling,
                severity="excused" if name in excused else severity(result, ceiling),
                bottleneck=name == tightest,
                **_told(
                    topology.components[name],
                    result,
                    baseline.tiers.get(name) if baseline else None,
                    excused=name in excused,
                ),
            )
        )
    return Picture(tuple(boxes), _edges(topology, evaluation, baseline), baseline is not None)


def severity(result: TierResult, ceiling: float) -> str:
    """Return how near a tier is to its end, in one word."""
    if result.arrival_rate_per_s == 0:
        return "calm"
    return "overloaded" if _p99(result) is None else nearness(result.utilization or 0.0, ceiling)


def nearness(used: float, ceiling: float) -> str:
    """Return how near a share is to its ceiling, in one word."""
    if used >= 1:
        return "overloaded"
    return "over" if used > ceiling else "busy" if used > NEAR * ceiling else "calm"


def bottleneck(topology: Topology, evaluation: Evaluation) -> str | None:
    """Return the tier with the resource that is nearest to what may be used of it, so the first to break.

    What is overloaded comes before what is only above its ceiling. Threads that are taken because something below is
    overloaded are no cause: that is below.
    """
    worst, found = (False, 0.0), None
    for name, result in evaluation.tiers.items():
        tier = topology.components[name]
        own = [
            limit.utilization
            for limit in result.limits
            if limit.resource != "threads" or not _blocked(tier, evaluation)
        ]
        used = max(own, default=0.0)
        near = used >= 1, used / ceiling_of(tier, evaluation)
        if result.arrival_rate_per_s > 0 and near > worst:
            worst, found = near, name
    return found


def _blocked(tier: Tier, evaluation: Evaluation) -> bool:
    """Return whether what a tier waits for is overloaded."""
    below = [evaluation.tiers[to] for to, _, waited in tier.outgoing() if waited]
    return any(one.kind != "queue" and _p99(one) is None for one in below)


def ceiling_of(tier: Tier, evaluation: Evaluation) -> float:
    """Return the share of its resources that may be used; of a partner's, all."""
    return 1.0 if tier.is_partner else evaluation.utilization_ceiling


def _class_box(name: str, result: ClassResult, before: ClassResult | None, *, excused: bool) -> Box:
    missed = [goal for goal in result.slo if goal.met is False]
    unjudged = [goal for goal in result.slo if goal.met is None]
    verdict = (
        f"{missed[0].name} MISSED"
        if missed
        else "no objective"
        if not result.slo
        else f"{unjudged[0].name} ?"
        if unjudged
        else "all met"
    )
    p99 = "no answer" if result.p99_s is None else f"p99 {show_seconds(result.p99_s)}"
    return Box(
        key=Key("class", name),
        name=clean(name),
        word="users",
        kind="class",
        where=Fact(""),
        utilization=None,
        load=Fact(""),
        resource="",
        ceiling=1.0,
        severity="excused" if excused else "over" if missed else "calm",
        bottleneck=False,
        facts=(Fact(p99, timed(before.p99_s, result.p99_s) if before else NONE), Fact(verdict)),
        rate=Fact(
            rate(result.arrival_rate_per_s),
            paced(before.arrival_rate_per_s, result.arrival_rate_per_s) if before else NONE,
        ),
    )


def paced(before: float | None, after: float | None) -> Change:
    """Return how requests per second changed, which is neither good nor bad."""
    if before is None or after is None:
        return NONE
    return differing(before, after, rate(abs(after - before), short=True))


def rate(value: float | None, *, short: bool = False) -> str:
    """Return requests per second as the drawing shows them; `short` ones have at most seven characters."""
    if value is None:
        return ""
    if short:
        for worth, suffix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
            if value >= 0.9995 * worth:
                return f"{digits(float(f'{value:.3g}') / worth)}{suffix}/s"
        return f"{value:.3g}/s"
    return f"{digits(value)}/s"


def _told(tier: Tier, result: TierResult, before: TierResult | None, *, excused: bool) -> dict[str, Any]:
    """Return the numbers of a tier as text."""
    idle = result.arrival_rate_per_s == 0
    p99, then = _p99(result), _p99(before) if before else None
    word = "idle" if idle else "overloaded" if p99 is None else f"p99 {show_seconds(p99)}"
    word = word if result.serves else none_left(result.nodes_needed or 1)
    facts = [Fact(word, timed(then, p99) if before and not idle else NONE)]
    if "hit_ratio" in result.details and not idle:
        hits, were = result.details["hit_ratio"], before.details.get("hit_ratio") if before else None
        facts.append(Fact(f"hits {show_percent(hits)}", shared(were, hits) if were is not None else NONE))
    if result.wait_mean_s is not None and result.kind != "queue" and not idle:
        text = f"wait {show_seconds(result.wait_mean_s) if result.wait_mean_s >= 5e-10 else '0'}"
        facts.append(Fact(text, timed(before.wait_mean_s, result.wait_mean_s) if before else NONE))
    facts += [Fact("not judged")] if excused else []
    load = "" if result.utilization is None else show_percent(result.utilization)
    return {
        "where": Fact(_where(tier, result), counted(before.nodes, result.nodes) if before else NONE),
        "load": Fact(load, used(before.utilization, result.utilization) if before else NONE),
        "facts": tuple(facts),
        "rate": Fact(
            rate(result.arrival_rate_per_s),
            paced(before.arrival_rate_per_s, result.arrival_rate_per_s) if before else NONE,
        ),
    }


def _p99(result: TierResult) -> float | None:
    """Return the time of one visit; of a queue, from enqueue to done."""
    found = result.details["delay"]["p99_s"] if result.kind == "queue" else result.response.p99_s
    return None if found is None else float(found)


def _where(tier: Tier, result: TierResult) -> str:
    """Return the nodes of a tier and their type, or what it lives on, or what else tells its size."""
    if result.host is not None:
        return clean(f"on {result.host}")
    if result.node is None:
        partitions = tier.consumer_limit()
        return "" if partitions is None else f"{partitions} partition{'s' if partitions != 1 else ''}"
    count = str(result.nodes)
    if result.counted == "replicas" and result.nodes > 0:
        shards = tier.parts()
        count = f"1+{result.count}" if shards == 1 else f"{shards}×(1+{result.count})"
    return clean(f"{count}×{result.node}")


def _edges(topology: Topology, evaluation: Evaluation, baseline: Evaluation | None) -> tuple[Edge, ...]:
    rates = {(call.caller, call.callee): call.rate_per_s for call in evaluation.calls}
    before = {(call.caller, call.callee): call.rate_per_s for call in baseline.calls} if baseline else {}
    found: dict[tuple[Key, Key], tuple[str, float | None, Change]] = {}
    for name, declared in topology.workload.classes.items():
        now = evaluation.classes[name].arrival_rate_per_s
        was = baseline.classes.get(name) if baseline else None
        change = paced(was.arrival_rate_per_s if was else None, now)
        found[Key("class", name), Key("tier", declared.entry)] = "call", now, change
    for name, tier in topology.components.items():
        for to, _, waited in tier.outgoing():
            decoupled = topology.components[to].consumer_limit() is not None
            kind = "consumes" if not waited else "async" if decoupled else "call"
            if evaluation.tiers[name].kind == "cache":
                kind = "miss"
            known = rates.get((name, to), 0.0) if evaluation.calls else None
            if name != to:
                ends = Key("tier", name), Key("tier", to)
                found.setdefault(ends, (kind, known, paced(before.get((name, to)), known)))
    return _made(tuple(found.items()))


@lru_cache(maxsize=64)
def _made(edges: tuple[tuple[tuple[Key, Key], tuple[str, float | None, Change]], ...]) -> tuple[Edge, ...]:
    """Return edges, the same objects for the same: what is drawn of them is remembered."""
    return tuple(Edge(*ends, kind, known, change) for ends, (kind, known, change) in edges)
