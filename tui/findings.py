"""What the numbers say of what is selected: of a tier, of a request class, of the whole system."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capacity.advice import show
from capacity.units import digits, show_availability, show_percent
from tui.drawing.gauge import gauge
from tui.drawing.picture import nearness, paced
from tui.drawing.text import clean, columns, left, right
from tui.flowing import LONGEST_BAR, SHORTEST_BAR, Line, changed, cut_line, flowed, goal_lines, notice, priced, timing
from tui.telling import distances
from tui.tier_findings import tier_findings

if TYPE_CHECKING:
    from capacity.results import ClassResult, Evaluation
    from tui.because import Because
    from tui.drawing.canvas import Key
    from tui.scene import Scene

PERCENTILES: Final = ("mean", "p50", "p90", "p95", "p99", "p999")

_LONGEST_NAME: Final = 24


def findings(scene: Scene, selected: Key | None, baseline: Scene | None, width: int, why: Because) -> list[Line]:
    """Return what there is to say, in lines of at most `width` columns; of the whole system for nothing selected."""
    now, before = scene.evaluation, baseline.evaluation if baseline else None
    if selected is None:
        return _system(now, before, width)
    if selected.scope == "tier":
        return tier_findings(scene, selected, baseline, width, why)
    found = now.classes.get(selected.name)
    then = before.classes.get(selected.name) if before else None
    return [] if found is None else _class(found, then, width)


def _class(found: ClassResult, before: ClassResult | None, width: int) -> list[Line]:
    times = [
        timing(name, getattr(found, f"{name}_s"), getattr(before, f"{name}_s", None), compared=before is not None)
        for name in PERCENTILES
    ]
    if found.mean_s is None:
        times = [(("overloaded: no latency", "bad"),)]
    then = None if before is None else before.arrival_rate_per_s
    rate: Line = (
        (f"{digits(found.arrival_rate_per_s)}/s", "strong"),
        *changed(paced(then, found.arrival_rate_per_s)),
        (" at its peak and the load shown", "dim"),
    )
    lines = [*flowed("rate", [rate], width), *flowed("latency", times, width)]
    lines += [line for goal in found.slo for line in goal_lines(goal, width)]
    if not found.slo:
        lines += flowed("objectives", [(("none in the file", "dim"),)], width)
    if found.failed_fraction > 0:
        lines += flowed("fails", [((f"{show_percent(found.failed_fraction)} of its requests", "bad"),)], width)
    judged = any(goal.name == "availability" for goal in found.slo)
    if found.availability is not None:
        by = f", limited by {clean(found.availability_limited_by)}" if found.availability_limited_by else ""
        parts: Line = (
            ("", "") if judged else (show_availability(found.availability), ""),
            (by.lstrip(", ") if judged else by, "dim"),
        )
        lines += flowed("" if judged else "availability", [parts], width) if by or not judged else []
    elif found.availability_unknown:
        names = ", ".join(map(clean, found.availability_unknown))
        lines += [] if judged else flowed("availability", [((f"not known: nothing is said of {names}", "dim"),)], width)
    return [*lines, *flowed("model", [(("exact" if found.exact else "approximation", "dim"),)], width)]


def _system(now: Evaluation, before: Evaluation | None, width: int) -> list[Line]:
    cost = now.cost
    least = "≥ " if cost.unknown else ""
    money: Line = ((f"{least}{digits(round(cost.monthly, 2))} {clean(cost.currency)}/month", "strong"),)
    if before is not None:
        money += priced(cost.monthly - before.cost.monthly, cost.currency)
    ahead = f"{digits(round(cost.over_horizon, 2))} over {cost.horizon_months} months"
    lines = flowed("cost", [money, ((ahead, "dim"),)], width)
    known = sorted(distances(now), key=lambda near: -near.share)
    longest = min(max((columns(clean(near.name)) for near in known), default=0) + 1, _LONGEST_NAME)
    cells = min(max(width - longest - 30, SHORTEST_BAR), LONGEST_BAR)
    for near in known:
        bar = gauge(near.share, 1.0, nearness(near.share, 1.0), cells)
        told = ((right(show_percent(near.share), 6), ""), (f"  {near.value} of {near.limit}", "dim"))
        lines.append(cut_line(((left(clean(near.name), longest), ""), *bar, *told), width))
    for failure in now.failures:
        value = "no answer" if failure.value is None else show(failure.value, failure.unit)
        text = clean(f"{failure.name} {failure.constraint} {value} {failure.when}".strip())
        lines += flowed("not met", [((text, "bad"),)], width)
    return [*lines, *(line for told in now.warnings if told.tier is None for line in notice(told.message, width))]
