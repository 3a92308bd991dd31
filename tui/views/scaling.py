"""Up against out: what each node type would mean for the selected tier, and both ways over load."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capacity import scale_report
from capacity.axes import Axis
from capacity.curve import curve
from capacity.scaling import scale
from capacity.units import show_percent, show_seconds
from capacity.variants import PRICE_UNKNOWN
from tui.blocks import UNKNOWN, money, name, of_section, per_second, percent, table, whole_money
from tui.content import Cell, Chart, Content, Mark, Note, Series, Style
from tui.views import View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from capacity.curve import Sample, Way
    from capacity.scaling import Option, TierScaling
    from capacity.system import System
    from tui.content import Block, Table
    from tui.scene import Scene
    from tui.views import Asked

HERE: Final = "you are here"

_COLUMNS: Final = ("p99", "Down/month", "Lost with one", "Headroom", "Busiest", "", "Why out")


def answer(asked: Asked, tick: Callable[[int], None]) -> Content:
    """Return the comparison of `capacity scale` for the selected tier, at the load and with the file on the screen."""
    scene, system = asked.scene, asked.scene.search.system
    if asked.tier is None or asked.tier not in system.tiers:
        return Content((Note("Select a tier: scaling up or out is a question of one tier.", "warn"),))
    tier, blocks = system.roots[asked.tier], list[Note]()
    if tier != asked.tier:
        blocks.append(Note(f"{name(asked.tier)} lives on the nodes of {name(tier)}: they scale together."))
    nothing = _nothing_to_scale(system, tier)
    if nothing is not None:
        return Content((*blocks, Note(nothing, "warn")))
    found = scale(scene.topology, tier, tick=tick)
    compared = found.tiers[tier]
    aside = (Note(f"Left aside, since no plan meets it: {name(what)}", "warn") for what in found.aside)
    return Content((*blocks, *aside, *_compared(scene, compared, found.currency, tick)))


def _nothing_to_scale(system: System, tier: str) -> str | None:
    """Return why a tier has nothing to scale; None where it has."""
    declared = system.tiers[tier]
    if declared.is_partner:
        return (
            f"{name(tier)} is a partner: its nodes are not ours, there is nothing to scale. What helps is a higher"
            " limit from them, fewer calls (a cache in front), or a queue that smooths them."
        )
    if declared.counted is None:
        return (
            f"{name(tier)} is a queue without nodes of its own: there is nothing to scale here. Its consumers scale, up"
            " to one for each partition: select them."
        )
    if not any(system.classes[resident] for resident in system.residents[tier]):
        return f"No request reaches {name(tier)}: any size carries nothing. Is a call to it missing?"
    return None


def _compared(scene: Scene, tier: TierScaling, currency: str, tick: Callable[[int], None]) -> Iterator[Block]:
    first, *rest = scale_report.of_tier(tier.tier, tier, currency)
    best = tier.recommendation
    if best is not None:
        shards = f" ({best.shards} shards)" if best.shards and best.shards > 1 else ""
        yield Note(f"Take {best.nodes} x {name(best.node)}{shards}: {name(best.reason)}.", "good")
    elif not any(option.out in (None, PRICE_UNKNOWN) for option in tier.options):
        yield Note("No node type passes: the plan tells what is in the way.", "bad")
    yield from _as_planned(scene, tier)
    yield _options(tier, first.title, currency)
    yield Note(
        "Every option passes what is to be survived, all other tiers as a plan for this load has them. p99: of one"
        " visit, at the tier itself. Down: computed from node and zone lifetimes. *: nothing is better in cost, p99 or"
        " downtime without being worse in another of them.",
        "dim",
    )
    for section in rest:
        yield from of_section(section)
    if tier.crossing is not None:
        yield from _charts(tier, curve(scene.topology, tier.tier, tier.crossing, tick), currency)


def _as_planned(scene: Scene, tier: TierScaling) -> Iterator[Note]:
    """Yield that what is on the screen has another count than the comparison, where it has."""
    planned = next((option for option in tier.options if option.planned and option.count is not None), None)
    shown = scene.counts[tier.tier]
    if planned is not None and planned.count != shown:
        words = f"{shown} {tier.counted}, a plan for this load takes {planned.count}: that is what is compared"
        yield Note(f"The screen shows {words}.", "warn")


def _options(tier: TierScaling, title: str, currency: str) -> Table:
    best = tier.recommendation
    taken = None if best is None else (best.node, best.nodes, best.shards)
    rows = [_row(option, best=(option.node, option.nodes, option.shards) == taken) for option in tier.options]
    return table(title, ("Node type", "Nodes", f"{currency}/month", *_COLUMNS), rows, left=(0, 7, 8, 9))


def _row(option: Option, *, best: bool) -> Sequence[Cell]:
    style: Style = "strong" if best else ""
    marks = [word for word, known in (("take this", best), ("as planned", option.planned)) if known]
    marks += ["*"] if option.front else []
    out = Cell("" if option.out is None else name(option.out), "warn" if option.out == PRICE_UNKNOWN else "bad")
    if option.nodes is None:
        return (Cell(name(option.node), "dim"), *[Cell("-", "dim")] * 7, Cell(", ".join(marks)), out)
    headroom = Cell("-", "dim") if option.headroom is None else Cell(show_percent(option.headroom))
    lost = Cell("-", "dim") if option.lost_share is None else Cell(show_percent(option.lost_share))
    return (
        Cell(name(option.node), style),
        Cell(scale_report.count(option), style),
        money(option.monthly),
        _seconds(option.p99_s),
        _seconds(option.downtime_s_per_month),
        lost,
        headroom,
        Cell(option.binding or "-"),
        Cell(", ".join(marks), "good" if best else ""),
        out,
    )


def _seconds(value: float | None) -> Cell:
    return UNKNOWN if value is None else Cell(scale_report.duration(value))


def _charts(tier: TierScaling, samples: Sequence[Sample], currency: str) -> Iterator[Block]:
    if not samples:
        return
    across = Axis(f"arrivals of {name(tier.tier)}", per_second, log=True)
    here = next((s.arrival_rate_per_s for s in samples if s.load == 1), tier.arrival_rate_per_s)
    ends = [(s.arrival_rate_per_s, s.ends) for s in samples if s.ends is not None]
    changes = (Mark(x, f"{way} → {then}" if then else f"{way} ends") for x, (way, then) in ends)
    marks = (Mark(here, HERE), *changes)
    cost, times = _lines(samples, "monthly"), _lines(samples, "p99_s")
    if cost:
        up = Axis(f"{currency} a month", whole_money)
        yield Chart(f"{name(tier.tier)}: monthly cost over load", across, up, cost, marks)
    if times:
        up = Axis("p99 of one visit", show_seconds, log=_wide(times))
        yield Chart(f"{name(tier.tier)}: p99 over load", across, up, times, marks)
    ways = (f"{way}: {taken.nodes} x {name(taken.node)}" for way, taken in _ways(samples[-1]) if taken is not None)
    yield Note(
        "Up: as few nodes as what is to be survived allows, of the cheapest type that carries the load. Out: the fewest"
        " of the file's own type. A line ends where its way does. Other tiers are taken to keep up: the ends are"
        f" this tier's own, approximate in that nothing waits elsewhere. At the right end, {'; '.join(ways)}."
        f" Ends and crossings are solved to {percent(1e-4)}.",
        "dim",
    )


def _ways(sample: Sample) -> tuple[tuple[str, Way | None], tuple[str, Way | None]]:
    return ("up", sample.up), ("out", sample.out)


def _lines(samples: Sequence[Sample], field: str) -> tuple[Series, ...]:
    """Return a line for each way, of the loads that it carries and what is known there."""
    lines: dict[str, list[tuple[float, float]]] = {"up": [], "out": []}
    for sample in samples:
        for way, taken in _ways(sample):
            value = None if taken is None else getattr(taken, field)
            if value is not None:
                lines[way].append((sample.arrival_rate_per_s, value))
    return tuple(Series(way, tuple(points)) for way, points in lines.items() if points)


def _wide(lines: Sequence[Series]) -> bool:
    values = [y for line in lines for _, y in line.points]
    return min(values) > 0 and max(values) > 10 * min(values)


VIEW = View(
    "scaling",
    "2",
    "Scaling",
    "Is it cheaper, faster, safer to scale this tier up or out, and where does each end?",
    answer,
    of_tier=True,
    of_scenario=False,
    work="every node type for this tier under every load, and where each way ends",
)
