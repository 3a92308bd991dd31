"""A sweep and the sensitivity of a file as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capacity.errors import printable
from capacity.section import Section
from capacity.units import digits, show_amount, show_percent, show_seconds

if TYPE_CHECKING:
    from capacity.sensitivity import Effect, Input, Sensitivity
    from capacity.sweep import Axis, Point, Sweep

MOST_SHOWN = 4
"""Classes or tiers that have a column each."""

FELT: Final = 0.005
"""The least effect that is shown as a number."""

_HEADINGS: Final = {"cost in use": "in use", "tightest use": "tightest"}


def swept(found: Sweep) -> list[Section]:
    """Return a row for every point."""
    classes = list(found.points[0].p99_s) if found.points else []
    shown = classes if len(classes) <= MOST_SHOWN else []
    axes = [printable(axis.key.rpartition(".")[2]) for axis in found.axes]
    money = [f"{found.currency}/month"] if found.planned else []
    rows: list[tuple[str, ...]] = [(*axes, "Verdict", "Busiest", *(f"{printable(c)} p99" for c in shown), *money)]
    for point in found.points:
        times = ["never" if point.p99_s[c] is None else show_seconds(point.p99_s[c] or 0.0) for c in shown]
        cost = [f"{point.monthly:,.2f}"] if found.planned else []
        at = (written_at(axis, value) for axis, value in zip(found.axes, point.at, strict=True))
        rows.append((*at, "ok" if point.feasible else "FAILS", _busiest(point), *times, *cost))
    notes = [basis(found), *_turns(found)]
    keys = " and ".join(printable(axis.key) for axis in found.axes)
    numbers = {i for i, axis in enumerate(found.axes) if not isinstance(axis.values[0], str)}
    right = numbers | set(range(len(axes) + 2, len(rows[0])))
    return [Section(f"{printable(found.name)} over {keys}", rows, frozenset(right), notes)]


def basis(found: Sweep) -> str:
    """Return which nodes there are at each point, and what has to be met."""
    if found.planned:
        return "every point has its own cheapest plan, with all that has to be survived"
    return "normal operation, with the nodes of the file, or where it leaves them out of its plan; --plan: one each"


def sweep_rows(found: Sweep) -> list[list[object]]:
    """Return a row for every point, for CSV: the axes, then every number."""
    classes = list(found.points[0].p99_s) if found.points else []
    tiers = list(found.points[0].utilization) if found.points else []
    head: list[object] = [axis.key for axis in found.axes]
    head += [
        "feasible",
        *(f"p99_s.{c}" for c in classes),
        *(f"utilization.{t}" for t in tiers),
        "bottleneck",
        "monthly",
    ]
    head += [f"nodes.{name}" for name in (found.points[0].nodes if found.points else ())]
    return [head, *(_row(point, classes, tiers) for point in found.points)]


def _row(p: Point, classes: list[str], tiers: list[str]) -> list[object]:
    times, used = [p.p99_s[c] for c in classes], [p.utilization[t] for t in tiers]
    return [*p.at, p.feasible, *times, *used, p.bottleneck, p.monthly, *p.nodes.values()]


def _turns(found: Sweep) -> list[str]:
    """Return between which points of one axis the verdict changes."""
    if len(found.axes) != 1:
        return []
    axis, pairs = found.axes[0], zip(found.points, found.points[1:], strict=False)
    turns = [(a, b) for a, b in pairs if a.feasible != b.feasible]
    return [
        f"{'fails' if a.feasible else 'passes'} from somewhere between {written_at(axis, a.at[0])}"
        f" and {written_at(axis, b.at[0])}"
        for a, b in turns
    ]


def written_at(axis: Axis, value: float | str) -> str:
    """Return where on an axis a point is, with the axis's unit."""
    if isinstance(value, str):
        return printable(value)
    return show_amount(float(value), axis.unit) if axis.unit else digits(value)


def _busiest(point: Point) -> str:
    used = None if point.bottleneck is None else point.utilization[point.bottleneck]
    return "-" if used is None else f"{show_percent(used)} {printable(point.bottleneck or '')}"


def sensitive(found: Sensitivity) -> list[Section]:
    """Return the inputs, what matters most first."""
    names = list(found.outputs)
    shown = names if len(names) <= MOST_SHOWN + 2 else ["cost in use", "tightest use"]
    rows: list[tuple[str, ...]] = [("Input", "Value", *(printable(heading(name)) for name in shown))]
    rows += [
        (short(one.key), written(one), *(elasticity(one.effects[n]) for n in shown))
        for one in found.inputs
        if one.weight >= FELT
    ]
    notes = [
        "per cent that the output moves for one per cent of the input",
        "in use: what the busy share of the nodes costs; tightest: use of the resource that is nearest to its end",
    ]
    notes += [printable(line) for one in found.inputs for line in _over_range(one)]
    notes += [f"now: {name} {output(name, value)}" for name, value in found.outputs.items()]
    faint = [short(one.key) for one in found.inputs if one.weight < FELT]
    notes += [f"less than {FELT:g}%: {', '.join(faint)}"] if faint else []
    notes += [f"no effect: {', '.join(map(short, found.without_effect))}"] if found.without_effect else []
    title = f"{printable(found.name)}: what to measure better"
    return [Section(title, rows, frozenset(range(1, len(rows[0]))), notes)]


def short(key: str) -> str:
    """Return a key without what goes without saying."""
    return printable(key.removeprefix("components.").removeprefix("workload."))


def heading(name: str) -> str:
    """Return an output as the title of a column."""
    return f"{name.removeprefix('p99 of ')} p99" if name.startswith("p99 of ") else _HEADINGS.get(name, name)


def _over_range(one: Input) -> list[str]:
    """Return what the outputs become at both ends of a range of the file."""
    moved = [
        f"{heading(name)} {output(name, effect.span[0])}..{output(name, effect.span[1])}"
        for name, effect in one.effects.items()
        if effect.span is not None and effect.span[0] != effect.span[1]
    ]
    return [f"{short(one.key)} is {written(one)}: {', '.join(moved) or 'no effect'}"] if one.low is not None else []


def written(one: Input) -> str:
    """Return what the file says of an input: its range where it has one, else its value."""
    if one.low is not None and one.high is not None:
        return f"{_amount(one.low, one.unit)}..{_amount(one.high, one.unit)}"
    return _amount(one.value, one.unit)


def _amount(value: float, unit: str) -> str:
    return show_amount(value, unit) if unit else digits(value)


def elasticity(effect: Effect) -> str:
    """Return an elasticity with its sign; what is not felt is 0."""
    if effect.elasticity is None:
        return "-"
    return "0" if abs(effect.elasticity) < 0.005 else f"{effect.elasticity:+.2f}"


def output(name: str, value: float | None) -> str:
    """Return an output in its unit."""
    if value is None:
        return "never"
    return (
        show_seconds(value)
        if name.startswith("p99")
        else show_percent(value)
        if "use" in name and value < 2
        else digits(value)
    )
