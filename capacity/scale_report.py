"""Scale up against scale out as people read it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from capacity.errors import printable
from capacity.report import Section
from capacity.units import digits, show_percent, show_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.crossing import Crossing, Region, Side
    from capacity.differing import Mended
    from capacity.scaling import Option, Scaling, TierScaling

MOST_EXCEPTIONS = 3
"""Short stretches of load that are told one by one."""

_WAYS = {"one": "one machine", "up": "up: few and large", "out": "out: more of them"}


def sections(scaling: Scaling) -> list[Section]:
    """Return the whole comparison, tier by tier."""
    verdict = "" if scaling.feasible else ": NO PLAN IS FEASIBLE"
    head = Section(
        f"{printable(scaling.name)}: scale up or scale out{verdict}",
        notes=[
            "each tier on other node types, all other tiers as planned; every option passes what is to be survived",
            *(f"left aside, since no plan meets it: {printable(what)}" for what in scaling.aside),
            "p99: of one visit, at the tier itself. Down: a month. Lost: of its capacity, with one node",
            "=: as in the file. *: nothing is better in cost, p99 or downtime without being worse in another of them",
        ],
    )
    return [head, *(section for name, tier in scaling.tiers.items() for section in _tier(name, tier, scaling.currency))]


def _tier(name: str, tier: TierScaling, currency: str) -> Iterator[Section]:
    rows: list[tuple[str, ...]] = [("Node type", "Nodes", f"{currency}/month", "p99", "Down", "Lost", "Busiest", "")]
    notes = []
    for option in tier.options:
        if option.out is None:
            rows.append(_row(option))
        else:
            notes.append(f"{printable(option.node)} is out: {printable(option.out)}")
    best = tier.recommendation
    if best is not None:
        shards = f" ({best.shards} shards)" if best.shards and best.shards > 1 else ""
        notes.append(f"take {best.nodes} x {printable(best.node)}{shards}: {printable(best.reason)}")
    elif not any(option.out is None for option in tier.options):
        notes.append("no node type passes: `capacity plan` tells what is in the way")
    title = f"{printable(name)} at {digits(tier.arrival_rate_per_s)}/s"
    yield Section(title, rows if len(rows) > 1 else (), frozenset(range(1, 6)), [*notes, *_moves(tier)])
    yield from _classes(tier)
    if tier.crossing is not None:
        yield _sides(tier.crossing, currency)
    differing = [line for found in tier.differences for line in _difference(found.what, found.share, found.lasting_s)]
    mends = [f"  mend: {_mend(mend)}" for found in tier.differences for mend in found.mends]
    if differing:
        yield Section("What scaling out breaks", notes=[*differing, *mends])


def _row(option: Option) -> tuple[str, ...]:
    used = "-" if option.headroom is None else f"{show_percent(1 - option.headroom)} {option.binding}"
    nodes = f"{option.nodes}"
    if option.shards is not None:
        nodes = f"{option.shards}x(1+{option.count})" if option.shards > 1 else f"1+{option.count}"
    marks = ("*" if option.front else "") + ("=" if option.planned else "")
    lost = "-" if option.lost_share is None else show_percent(option.lost_share)
    return (
        printable(option.node),
        nodes,
        money(option.monthly),
        _time(option.p99_s),
        _time(option.downtime_s_per_month),
        lost,
        used,
        marks,
    )


def money(value: float | None) -> str:
    """Return an amount, or that it is unknown."""
    return "unknown" if value is None else f"{value:,.2f}"


def _time(value: float | None) -> str:
    return "unknown" if value is None else "0" if value < 1e-3 and value < 5e-10 else show_seconds(value)


def _moves(tier: TierScaling) -> list[str]:
    """Return what it costs to get to other shards."""
    moved = [option for option in tier.options if option.one_off != 0.0]
    if not moved:
        return []
    once = {money(option.one_off) for option in moved}
    return [f"going to more shards costs {', '.join(sorted(once))} once (migration_cost)"]


def _classes(tier: TierScaling) -> Iterator[Section]:
    """Yield the p99 of the classes that come through, where the options differ in it."""
    able = [option for option in tier.options if option.out is None and option.classes]
    if not able:
        return
    notes = []
    for name in able[0].classes:
        values = [(value, option) for option in able if (value := option.classes.get(name)) is not None]
        if values:
            low, high = min(values, key=lambda v: v[0]), max(values, key=lambda v: v[0])
            text = printable(f"{show_seconds(low[0])} ({low[1].node}) to {show_seconds(high[0])} ({high[1].node})")
            same = show_seconds(low[0]) == show_seconds(high[0])
            notes.append(f"{printable(name)} p99: {show_seconds(low[0]) + ' with each of them' if same else text}")
    yield Section("", notes=notes)


def _sides(crossing: Crossing, currency: str) -> Section:
    """Return the classic table as numbers, and where the ways end and cross."""
    rows = [("", *(_WAYS[side.way] for side in crossing.sides))]
    rows.append(("to run and balance over", *(f"{side.nodes} x {printable(side.node)}" for side in crossing.sides)))
    rows.append((f"{currency} a month", *(money(side.monthly) for side in crossing.sides)))
    rows.append(("room to grow: ends at", *(_end(side) for side in crossing.sides)))
    rows.append(("  with", *(printable(side.ends_with) for side in crossing.sides)))
    rows.append(("down a month", *(_time(side.downtime_s_per_month) for side in crossing.sides)))
    rows.append(("lost with one node", *(show_percent(side.lost_share) for side in crossing.sides)))
    return Section("", rows, frozenset(range(1, len(crossing.sides) + 1)), [sentence(crossing, currency)])


def _end(side: Side) -> str:
    return "no end found" if side.ends_at_per_s is None else f"{digits(side.ends_at_per_s)}/s"


def _difference(what: str, share: float | None, lasting: float | None) -> Iterator[str]:
    of = (
        "a share of requests that is not known (objects?)"
        if share is None
        else f"{show_percent(share)} of its requests"
    )
    until = "until something is done" if lasting is None else f"for up to {show_seconds(lasting)}"
    yield f"{what}: {of} may see another answer, {until}"


def _mend(mend: Mended) -> str:
    if mend.fails is not None:
        return f"{mend.text}; does not pass: {mend.fails}"
    if mend.nodes is None:
        return mend.text
    more = "unknown" if mend.more_monthly is None else f"{mend.more_monthly:+,.2f} a month"
    return f"{mend.text}; takes {mend.nodes} nodes ({more})"


def sentence(crossing: Crossing, currency: str) -> str:
    """Return where up and out end and cross, in one sentence."""
    regions = crossing.regions
    if not regions:
        return "where one becomes cheaper than the other is not known: a price is not"
    up = next((side for side in crossing.sides if side.way == "up"), None)
    ends = "" if up is None or up.ends_at_per_s is None else f"; up ends at {digits(up.ends_at_per_s)}/s"
    if len({region.way for region in regions}) == 1:
        return f"{regions[0].way} is the cheaper way at every load{_limit(regions[-1])}{ends}"
    text = f"{_named(regions[0].way)} is cheaper until {_until(regions[0], currency)}; {regions[1].way} from there"
    later = [(a, b) for a, b in pairwise(regions) if b.way == regions[0].way]
    if 0 < len(later) <= MOST_EXCEPTIONS:
        between = [f"{_load(a)} to {_load(b)}" for a, b in later]
        text += f" (but {regions[0].way} again from {', '.join(between)})"
    elif later:
        text += f" (but {regions[0].way} again in {len(later)} stretches up to {_load(later[-1][1])})"
    return text + ends + ("" if regions[-1].way == "up" else f"; out ends at {_load(regions[-1])}")


def _named(way: str) -> str:
    return {"up": "up (few nodes)", "out": "out"}[way]


def _load(region: Region) -> str:
    return "any load" if region.until_per_s is None else f"{digits(region.until_per_s)}/s"


def _until(region: Region, currency: str) -> str:
    return f"{_load(region)} ({money(region.monthly)} {currency}/month)"


def _limit(region: Region) -> str:
    return "" if region.until_per_s is None else f" up to {_load(region)}"
