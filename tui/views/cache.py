"""What a cache brings: hit ratio over its size and over its time to live, and how it fills from empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capacity.axes import Axis
from capacity.cache_curves import SMALLEST, caches, over_size, over_ttl, room, warm_up
from capacity.components.cache import NEARLY
from capacity.evaluate import tier_result
from capacity.units import digits, show_bytes, show_percent, show_seconds
from tui.blocks import UNKNOWN, name, percent, share, table
from tui.content import Cell, Chart, Content, Mark, Note, Series
from tui.views import View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from capacity.cache_curves import HitCurve
    from capacity.solve import Solution
    from tui.content import Block
    from tui.views import Asked

HERE = "you are here"

_MENDS = (
    "No tier is a cache. One is worth it where reads repeat: add a tier of kind cache whose origin is the tier that now"
    " answers, and let the callers call it instead. With node it is global (shared, one more hop, one more thing to"
    " fail); with host it is local, in the memory of every node of that tier."
)


def answer(asked: Asked, tick: Callable[[int], None]) -> Content:
    """Return the curves of the selected cache, or of every cache as tables; in normal operation."""
    solution = asked.scene.solution
    known = caches(solution.system)
    if not known:
        return Content((Note(_MENDS),))
    chosen = [asked.tier] if asked.tier in known else list(known)
    blocks: list[Block] = []
    for cache in chosen:
        blocks += _of_cache(solution, cache, tick, charts=asked.tier in known or len(known) == 1)
    return Content(tuple(blocks))


def _of_cache(solution: Solution, cache: str, tick: Callable[[int], None], *, charts: bool) -> Iterator[Block]:
    place, arrivals = solution.places[cache], solution.arrivals(cache)
    yield from _summary(solution, cache)
    if place.nodes == 0:
        yield Note(f"{name(cache)} has no node: everything misses.", "bad")
        return
    if arrivals.read_rate == 0:
        yield Note(f"Nothing is read through {name(cache)}: there is no hit ratio to tell.", "warn")
        return
    copy = "each local copy" if place.hosted else "all nodes together"
    for curve, title, across in (
        (
            over_size(solution, cache, tick),
            "hit ratio over size",
            Axis(f"memory of {copy}", show_bytes, log=True, binary=True),
        ),
        (over_ttl(solution, cache, tick), "hit ratio over TTL", Axis("time to live", show_seconds, log=True)),
        (warm_up(solution, cache), "filling from empty", Axis("since it was empty", show_seconds, log=True)),
    ):
        if curve is not None:
            mark = HERE if title != "filling from empty" else f"{show_percent(NEARLY)} of steady"
            chart = _chart(f"{name(cache)}: {title}", across, curve, mark)
            yield chart if charts else chart.twin()
    yield from _how_exact(solution, cache)


def _chart(title: str, across: Axis, curve: HitCurve, mark: str) -> Chart:
    lines = [Series("hit ratio", tuple(curve.points))]
    if curve.without is not None:
        lines.append(Series("without a TTL", tuple((x, curve.without) for x, _ in curve.points)))
    marks = () if curve.here is None else (Mark(curve.here, mark),)
    return Chart(title, across, Axis("reads that hit", percent), tuple(lines), marks)


def _summary(solution: Solution, cache: str) -> Iterator[Block]:
    """Yield what the evaluation says of a cache, and the memory of its nodes."""
    result, tier = tier_result(solution, cache), caches(solution.system)[cache]
    details, place, held = result.details, solution.places[cache], room(solution, cache)
    characteristic = details["characteristic_time_s"]
    kind = f"local, {place.nodes} copies on {name(place.root)}" if place.hosted else f"global, {place.count} nodes"
    eviction = Cell("nothing is evicted", "dim") if characteristic is None else Cell(show_seconds(characteristic))
    ttl = "without a TTL" if tier.ttl is None else f"TTL {show_seconds(float(tier.ttl))}"
    rows: list[Sequence[Cell | str]] = [
        ("hit ratio of reads", Cell(percent(details["hit_ratio"]), "strong")),
        ("objects held", f"{digits(details['objects_held'])} of {digits(float(tier.objects))} that are asked for"),
        ("stays unless asked again", eviction),
        ("busiest key, of all reads", share(details["busiest_key_share"])),
    ]
    if not place.hosted:
        rows.append(("busiest node, of all reads", share(details["busiest_node_share"])))
    if held is not None:
        rows.append(("memory used on each node", show_bytes(held.used)))
        rows.append(("  available", UNKNOWN if held.available is None else show_bytes(held.available)))
    for found in tier.differs(place, solution.arrivals(cache), solution):
        until = "until something is done" if found.lasting is None else f"for up to {show_seconds(found.lasting)}"
        rows.append((f"old answers ({until})", share(found.share)))
    yield table(f"{name(cache)}: {kind}, {tier.eviction}, {ttl}", ("", ""), rows, left=(0,))


def _how_exact(solution: Solution, cache: str) -> Iterator[Note]:
    tier, place = caches(solution.system)[cache], solution.places[cache]
    yield Note(
        "Hit ratios are approximate (characteristic time): within 1e-3 of simulation from 100 objects of room on; real"
        " traffic with locality hits more often. Each point is the same cache with one field changed; the size axis"
        f" begins with room for {percent(SMALLEST)} of all objects.",
        "dim",
    )
    filling = "exact for many objects" if tier.ttl is None and tier.eviction in ("lru", "lfu") else ""
    falls = "approximate once it is full: what was fetched together expires together, so it dips for a moment after"
    yield Note(f"Filling from empty is {filling or falls}.", "dim")
    if place.hosted and tier.ttl is not None:
        yield Note("Local: every node sees its share of the reads only, so each node more lowers the hit ratio.", "dim")


VIEW = View(
    "cache",
    "5",
    "Cache",
    "How much would more memory or a longer TTL bring, and how long is it cold?",
    answer,
    of_tier=True,
    of_scenario=False,
    work="hit ratios over size and time to live",
)
