"""How fast each class of requests is answered, where the time goes, and how the slow ones are spread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from capacity.axes import Axis
from capacity.contributions import contributions
from capacity.outcomes import solved_during
from capacity.telling import left_over
from capacity.units import digits, show_percent, show_seconds
from capacity.verdict import class_latency
from tui.content import Cell, Chart, Content, Mark, Note, Series, Table
from tui.drawing.changes import timed
from tui.views import View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from capacity.results import ClassResult, Evaluation, Slo
    from capacity.solve import Solution
    from tui.content import Block, Style
    from tui.scene import Scene
    from tui.views import Asked

TIMES: Final = {"mean": "mean_s", "p50": "p50_s", "p90": "p90_s", "p95": "p95_s", "p99": "p99_s", "p99.9": "p999_s"}
"""Columns, and the numbers of a class that they show."""

_POINTS: Final = 120
_SHORTEST: Final = 1e-4
"""Of the longest time that is drawn: what is faster is all the same beside it."""

_RAREST: Final = 0.0005
"""The share of requests down to which the distribution is drawn: beyond P99.9, short of where nobody looks."""

_BAR: Final = 24

_PARTS: Final = (
    "At p99: by how much it grows when everything at that tier takes longer, in proportion; these parts add up to it. "
    "It is the time spent there by the requests that are as slow as that. Waiting for a core or a thread counts where "
    "one waits, time until a timeout for who gave up."
)
_TREND: Final[dict[str, Style]] = {"better": "good", "worse": "bad", "changed": "dim"}


def answer(asked: Asked, tick: Callable[[int], None]) -> Content:
    """Return percentiles, contributions and distributions."""
    evaluation = asked.scene.evaluation
    before = None if asked.baseline is None else asked.baseline.evaluation
    blocks: list[Block] = [_percentiles(evaluation, before), *_unanswered(asked.scene), *_objectives(evaluation)]
    solution = solved_during(asked.scene.search, asked.scene.counts, evaluation.during)
    tick(0)
    chosen = _chosen(evaluation, asked.request_class)
    if chosen is not None:
        blocks += _contributions(solution, evaluation, chosen, tick)
    blocks += _distribution(solution, evaluation)
    return Content(tuple(blocks))


def _percentiles(evaluation: Evaluation, before: Evaluation | None) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, result in evaluation.classes.items():
        missed = {key for key, goal in _goals(result) if not goal.met}
        rows.append((Cell(name, "strong"), *(_time(result, key, missed) for key in TIMES)))
        if before is not None:
            changes = _changes(result, before.classes.get(name))
            rows += [(Cell("  to baseline", "dim"), *changes)] if any(cell.text for cell in changes) else []
    return Table("Percentiles", ("Request class", *TIMES), tuple(rows))


def _time(result: ClassResult, key: str, missed: set[str]) -> Cell:
    value = getattr(result, TIMES[key])
    return Cell("never" if value is None else show_seconds(value), "bad" if value is None or key in missed else "")


def _changes(after: ClassResult, before: ClassResult | None) -> list[Cell]:
    if before is None:
        return [Cell("new", "dim"), *([Cell("")] * (len(TIMES) - 1))]
    changes = [timed(getattr(before, field), getattr(after, field)) for field in TIMES.values()]
    return [Cell(change.text, _TREND[change.trend]) for change in changes]


def _goals(result: ClassResult) -> list[tuple[str, Slo]]:
    """Return the objectives for times, each with its column."""
    keys = {field.removesuffix("_s"): column for column, field in TIMES.items()}
    return [(keys[goal.name], goal) for goal in result.slo if goal.name in keys]


def _objectives(evaluation: Evaluation) -> Iterator[Block]:
    """Yield how far every class is from its limits."""
    rows = []
    for name, result in evaluation.classes.items():
        for key, goal in _goals(result):
            reached = "never" if goal.value is None else show_seconds(goal.value)
            share = "-" if goal.value is None else show_percent(goal.value / goal.limit)
            verdict = Cell("ok", "good") if goal.met else Cell("MISSED", "bad")
            rows.append((Cell(f"{name} {key}"), Cell(show_seconds(goal.limit)), Cell(reached), Cell(share), verdict))
    if rows:
        columns = ("Objective", "limit", "reached", "of limit", "")
        yield Table("Objectives", columns, tuple(rows), frozenset({0, 4}))
    failing = {name: c.failed_fraction for name, c in evaluation.classes.items() if 0 < c.failed_fraction < 1}
    if failing:
        shares = ", ".join(f"{'< 0.01%' if x < 1e-4 else _share(x)} of {name}" for name, x in failing.items())
        yield Note(f"Fails, within these times: {shares}. An objective counts that as too slow.", "dim")


def _unanswered(scene: Scene) -> Iterator[Note]:
    """Yield why a class has no response time."""
    evaluation, system = scene.evaluation, scene.search.system
    classes = scene.topology.workload.classes
    for name, result in evaluation.classes.items():
        if result.mean_s is not None:
            continue
        waited_for = system.waited_for(classes[name].entry, name)
        tiers = {
            n: tier
            for n, tier in evaluation.tiers.items()
            if n in {*waited_for, *(system.roots[w] for w in waited_for)}
        }
        reasons = [
            f"{n} is overloaded by {show_percent(limit.utilization - 1)} ({limit.resource})"
            for n, tier in tiers.items()
            for limit in tier.limits
            if limit.utilization > 1 + 1e-5
        ]
        reasons += [
            f"{n}: {left_over(tier.left, tier.nodes_needed or 1)}"
            for n, tier in tiers.items()
            if tier.node is not None and (tier.nodes == 0 or not tier.serves)
        ]
        because = ", ".join(reasons) or "what it waits for never answers"
        yield Note(f"{name}: no answer: {because}", "bad")


def _chosen(evaluation: Evaluation, selected: str | None) -> str | None:
    """Return the class that is selected, else the one that is nearest to its limit, or farthest beyond."""
    if selected in evaluation.classes:
        return selected
    answered = {name: result for name, result in evaluation.classes.items() if result.p99_s is not None}
    shares = {
        n: [g.value / g.limit for g in c.slo if g.value is not None and g.name != "availability"]
        for n, c in answered.items()
    }
    return max(answered, key=lambda name: max(shares[name], default=0.0), default=None)


def _contributions(
    solution: Solution, evaluation: Evaluation, name: str, tick: Callable[[int], None]
) -> Iterator[Block]:
    result = evaluation.classes[name]
    if result.mean_s is None or result.p99_s is None or result.mean_s == 0:
        return
    rows: list[tuple[Cell, ...]] = []
    for part in sorted(contributions(solution, name, 0.99, tick), key=lambda part: -part.percentile):
        if part.mean == 0:
            continue
        mean, slow = part.mean / result.mean_s, part.percentile / result.p99_s
        bar = "█" * round(slow * _BAR)
        times = show_seconds(part.mean), show_percent(mean), show_seconds(part.percentile), show_percent(slow)
        rows.append((Cell(part.tier, "strong" if not rows else ""), *map(Cell, times), Cell(bar)))
    total = show_seconds(result.mean_s), "100%", show_seconds(result.p99_s), "100%", ""
    rows.append((Cell("all of it", "dim"), *(Cell(text, "dim") for text in total)))
    columns = ("Tier", "mean", "share", "at p99", "share", "")
    yield Table(f"What contributes to {name}", columns, tuple(rows), frozenset({0, 5}))
    more = " Select a class to see its own." if len(evaluation.classes) > 1 else ""
    yield Note(_PARTS + more, "dim")


def _distribution(solution: Solution, evaluation: Evaluation) -> Iterator[Block]:
    """Yield the share of requests that are slower, over the time, at the same times for all classes."""
    found = {name: class_latency(solution, name) for name, c in evaluation.classes.items() if c.p99_s is not None}
    known = {name: latency for name, latency in found.items() if latency is not None and latency.mean > 0}
    if not known:
        return
    ends = [latency.percentiles([0.01, 1 - _RAREST]) for latency in known.values()]
    longest = max(high for _, high in ends)
    times = np.geomspace(max(min(low for low, _ in ends), longest * _SHORTEST) * 0.999, longest * 1.001, _POINTS)
    series = [
        Series(
            name,
            tuple((float(t), float(p)) for t, p in zip(times, latency.tail(times), strict=True) if p > _RAREST / 2),
        )
        for name, latency in known.items()
    ]
    # A limit of the mean says nothing about how many may be slower.
    goals = [(name, key, goal.limit) for name in known for key, goal in _goals(evaluation.classes[name])]
    marks = tuple(Mark(limit, f"{name} {key} limit") for name, key, limit in goals if key != "mean")
    across, up = Axis("time", show_seconds, log=True), Axis("share of requests that are slower", _share, log=True)
    yield Chart("How many requests take longer", across, up, tuple(series), marks, 16)


def _share(fraction: float) -> str:
    return f"{digits(fraction * 100)}%"


VIEW: Final = View(
    "latency",
    "1",
    "Latency",
    "How fast is it, and who takes the time?",
    answer,
    of_class=True,
    work="percentiles, and what each tier brings to them",
)
