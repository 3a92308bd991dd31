"""What the numbers say of a tier: its limits as bars, its latency, its cost, and why it has so many nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from capacity.telling import left_over
from capacity.units import digits, show_amount, show_bytes, show_percent, show_seconds
from tui.because import asks_why
from tui.drawing.changes import NONE, counted, differing, shared, used
from tui.drawing.gauge import gauge
from tui.drawing.picture import ceiling_of, nearness, paced
from tui.drawing.text import clean, columns, left, right
from tui.flowing import (
    LABEL,
    LONGEST_BAR,
    SHORTEST_BAR,
    Line,
    changed,
    cut_line,
    flowed,
    goal_lines,
    notice,
    priced,
    timing,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from capacity.results import LimitResult, TierResult, Why
    from tui.because import Because
    from tui.drawing.canvas import Key
    from tui.scene import Scene

_MOVED: Final = 10
"""Columns of how a utilisation differs from the baseline."""

_TIMES_FROM: Final = 10.0
"""The utilisation from which per cents only tell that it is absurd."""

_TIMES: Final = ("mean", "p50", "p95", "p99")


def tier_findings(scene: Scene, selected: Key, baseline: Scene | None, width: int, why: Because) -> list[Line]:
    """Return what there is to say of a tier, in lines of at most `width` columns."""
    now, before = scene.evaluation, baseline.evaluation if baseline else None
    if selected.name not in now.tiers:
        return []
    tier, told = now.tiers[selected.name], before.tiers.get(selected.name) if before else None
    ceiling = ceiling_of(scene.topology.components[selected.name], now)
    lines = [
        *_limits(tier, told, ceiling, width),
        *_times(tier, told, width),
        *(line for goal in tier.slo for line in goal_lines(goal, width)),
        *_details(tier, told, width),
        *_nodes(scene, selected, tier, told, why, width=width),
        *_money(tier, told, now.cost.currency, width),
        *flowed("model", [(("exact" if tier.exact else f"approximation: {clean(tier.method)}", "dim"),)], width),
    ]
    notices = [warning.message for warning in now.warnings if warning.tier == selected.name]
    return [*lines, *(line for text in notices for line in notice(text, width))]


def _limits(tier: TierResult, before: TierResult | None, ceiling: float, width: int) -> list[Line]:
    """Return the limits, each a bar with its mark at the ceiling; the tightest is strong."""
    then = {limit.resource: limit.utilization for limit in before.limits} if before else {}
    widest = max((columns(_amount(limit)) for limit in tier.limits), default=0)
    moved = _MOVED if before else 0
    cells = min(max(width - LABEL - 2 - 6 - 2 - widest - moved, SHORTEST_BAR), LONGEST_BAR)
    lines = []
    for limit in tier.limits:
        severity = nearness(limit.utilization, ceiling)
        change = used(then.get(limit.resource), limit.utilization)
        share = f"{_share(limit.utilization)}{'!' if severity in ('over', 'overloaded') else ''}"
        told = change.text if columns(change.text) < moved else change.text[:1]
        line = (
            (left(clean(limit.resource), LABEL), "strong" if limit.resource == tier.binding else ""),
            *gauge(limit.utilization, ceiling, severity, cells),
            (right(share, 6), f"load.{severity}"),
            (left(f" {told}" if told else "", moved), f"change.{change.trend}"),
            (f"  {_amount(limit)}", "dim"),
        )
        lines.append(cut_line(line, width))
    return lines


def _share(used_up: float) -> str:
    return show_percent(used_up) if used_up < _TIMES_FROM else f"{digits(round(used_up))}×"


def _amount(limit: LimitResult) -> str:
    return clean(f"{_bare(limit.used, limit.unit)} of {show_amount(limit.capacity, limit.unit)}")


def _bare(value: float, unit: str) -> str:
    text = show_amount(value, unit)
    return text if unit in ("s", "B", "B/s") else text.removesuffix(f" {unit}").removesuffix(unit)


def _times(tier: TierResult, before: TierResult | None, width: int) -> list[Line]:
    if tier.arrival_rate_per_s == 0:
        return flowed("latency", [(("idle: nothing arrives", "dim"),)], width)
    compared = before is not None
    response, then = tier.response, before.response if before else None
    if tier.kind == "queue":
        delay, was = tier.details["delay"], before.details.get("delay", {}) if before else {}
        keys = [name for name in _TIMES if f"{name}_s" in delay]
        parts = [timing(n, delay[f"{n}_s"], was.get(f"{n}_s"), compared=compared) for n in keys]
        return flowed("delay", parts, width)
    parts = [
        timing(name, getattr(response, f"{name}_s"), getattr(then, f"{name}_s", None), compared=compared)
        for name in _TIMES
    ]
    if response.mean_s is None:
        parts = [(("overloaded: no latency", "bad"),)]
    lines = flowed("own latency", parts, width)
    if response.mean_s is not None:
        wait = timing("wait", tier.wait_mean_s, before.wait_mean_s if before else None, compared=compared)
        total = timing("with its calls", tier.total_mean_s, before.total_mean_s if before else None, compared=compared)
        more = changed(paced(before.arrival_rate_per_s if before else None, tier.arrival_rate_per_s))
        rate = (("gets ", "dim"), (f"{digits(tier.arrival_rate_per_s)}/s", ""), *more)
        lines += flowed("", [wait, total, rate], width)
    return lines


_TOLD: Final[dict[str, tuple[str, Callable[[Any], str]]]] = {
    "hit_ratio": ("hits", show_percent),
    "characteristic_time_s": ("stays", show_seconds),
    "busiest_key_share": ("hottest key", show_percent),
    "stale_fraction": ("stale", show_percent),
    "backlog": ("backlog", digits),
    "drain_s": ("drained after", show_seconds),
    "storage_bytes": ("storage", show_bytes),
    "threads_held": ("threads held", digits),
    "rejected_fraction": ("rejected", show_percent),
    "busiest_shard_share": ("busiest shard", show_percent),
}
"""Findings that only one kind of tier has: how each is called and written."""


def _details(tier: TierResult, before: TierResult | None, width: int) -> list[Line]:
    parts: list[Line] = []
    for key, (name, told) in _TOLD.items():
        value = tier.details.get(key)
        if isinstance(value, int | float) and not (key == "busiest_shard_share" and value == 1):
            was = before.details.get(key) if before else None
            change = NONE
            if isinstance(was, int | float) and told(was) != told(value):
                size = abs(value - was)
                change = shared(was, value) if told is show_percent else differing(was, value, told(size))
            parts.append(((f"{name} ", "dim"), (told(value), ""), *changed(change)))
    lines = flowed("", parts, width) if parts else []
    quorum = tier.details.get("quorum")
    if quorum is not None:
        lines += flowed("quorum", _quorum(quorum), width)
    lag = tier.details.get("lag")
    if lag is not None:
        if lag["diverges"]:
            return [*lines, *flowed("replicas", [(("never catch up: the lag grows without end", "bad"),)], width)]
        was = (before.details.get("lag") or {}) if before else {}
        times = [timing(n, lag[f"{n}_s"], was.get(f"{n}_s"), compared=bool(was)) for n in ("mean", "p99")]
        lines += flowed("replica lag", times, width)
    return lines


def _quorum(quorum: Mapping[str, Any]) -> list[Line]:
    nodes, reads, writes = quorum["nodes"], quorum["reads"], quorum["writes"]
    if max(reads, writes) > nodes:
        return [((f"reads ask {reads}, writes wait for {writes}", ""),), ((f"{nodes or 'none'} left", "bad"),)]
    fresh: Line = (("always fresh", "good"),) if quorum["strict"] else (("may miss the newest write", "warn"),)
    return [((f"reads ask {reads} of {nodes}, writes wait for {writes}", ""),), fresh]


def _nodes(
    scene: Scene, selected: Key, tier: TierResult, before: TierResult | None, why: Because, *, width: int
) -> list[Line]:
    if tier.host is not None:
        return flowed("nodes", [((f"those of {clean(tier.host)}", ""),)], width)
    if not scene.search.system.takes_nodes(selected.name):
        return []
    more = changed(counted(before.nodes, tier.nodes)) if before else ()
    head: Line = ((f"{tier.nodes}", "strong"), *more, (f" × {clean(tier.node or '')}", "dim"))
    if not tier.serves:
        return flowed("nodes", [head, ((left_over(tier.left, tier.nodes_needed or 1), "bad"),)], width)
    return _asked_for(scene, selected, tier, why, head=head, width=width)


def _asked_for(scene: Scene, selected: Key, tier: TierResult, why: Because, *, head: Line, width: int) -> list[Line]:
    """Return how many nodes there are, and what asks for them as far as that is known."""
    binds: Line = ((f"tightest now: {clean(tier.binding or '')} at {_share(tier.utilization or 0.0)}", ""),)
    if asks_why(scene, selected) is None:
        return flowed("why so many", [head, (("fixed in the file (p: left to the plan)", "dim"),), binds], width)
    if why.whys is None:
        return flowed("why so many", [head, (("…", "dim"),)], width)
    if not why.met:
        return flowed("why so many", [head, (("not enough for everything; s solves", "bad"),), binds], width)
    return [*flowed("why so many", [head], width), *_reasons(why.whys, tier.nodes, width)]


def _reasons(whys: Sequence[Why], nodes: int, width: int) -> list[Line]:
    """Return what each constraint asks for, the one that decides first."""
    most = max((why.nodes for why in whys), default=0)
    lines: list[Line] = []
    for why in whys:
        decides = why.nodes == most
        mark: Line = ((" ← decides" if most >= nodes else " ← most", "strong"),) if decides and not lines else ()
        number = (right(str(why.nodes), 4) + "  ", "strong" if decides else "")
        lines += flowed("", [(number, (clean(why.constraint), "" if decides else "dim"), *mark)], width)
    if most < nodes:
        lines += flowed("", [((f"{nodes - most} more than anything asks for; s solves", "change.changed"),)], width)
    return lines


def _money(tier: TierResult, before: TierResult | None, currency: str, width: int) -> list[Line]:
    if tier.node is None or tier.host is not None:
        return []
    if tier.monthly_cost is None:
        return flowed("cost", [(("not known: its node type has no price", "dim"),)], width)
    part: Line = ((f"{digits(round(tier.monthly_cost, 2))} {clean(currency)}/month", ""),)
    if before is not None and before.monthly_cost is not None:
        part += priced(tier.monthly_cost - before.monthly_cost, currency)
    return flowed("cost", [part], width)
