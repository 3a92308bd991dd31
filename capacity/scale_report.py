"""Scale up against scale out as people read it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from capacity.errors import printable
from capacity.report import Section
from capacity.units import digits, show_percent, show_seconds
from capacity.variants import PRICE_UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capacity.crossing import Crossing, Region, Side
    from capacity.differing import Mended
    from capacity.scaling import Option, Scaling, TierScaling

MOST_EXCEPTIONS = 3
"""Short stretches of load that are told one by one."""

_WAYS = {"one": "one machine", "up": "up: few and large", "out": "out: more of them"}


def sections(scaling: Scaling) -> list[Section]:
    """Return the whole comparison, tier by tier."""
    verdict = "" if scaling.feasible else ": NO PLAN IS FEASIBLE"
    nothing = [] if scaling.tiers else ["no tier has nodes of its own: there is nothing to scale"]
    head = Section(
        f"{printable(scaling.name)}: scale up or scale out{verdict}",
        notes=nothing
        or [
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
        if option.out in (None, PRICE_UNKNOWN):
            rows.append(_row(option))
        if option.out is not None:
            which = f"the file's {option.nodes} x {option.node}" if option.planned and option.nodes else option.node
            notes.append(printable(f"{which} is out: {option.out}"))
    notes += _fewer(tier.options)
    best = tier.recommendation
    if best is not None:
        shards = f" ({best.shards} shards)" if best.shards and best.shards > 1 else ""
        notes.append(f"take {best.nodes} x {printable(best.node)}{shards}: {printable(best.reason)}")
    elif not any(option.out in (None, PRICE_UNKNOWN) for option in tier.options):
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


def _fewer(options: Sequence[Option]) -> Iterator[str]:
    """Yield what the plan would take in place of a count that the file gives."""
    own = next((option for option in options if option.planned and option.nodes is not None), None)
    other = next((o for o in options if own is not None and o.node == own.node and not o.planned), None)
    if own is not None and other is not None and other.nodes is not None:
        shards = f" ({other.shards} shards)" if other.shards and other.shards > 1 else ""
        yield printable(f"the file gives {own.nodes} x {own.node}; {other.nodes}{shards} are the fewest that pass")


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
        "?" if option.monthly is None else money(option.monthly),
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
    able = [option for option in tier.options if option.out in (None, PRICE_UNKNOWN) and option.classes]
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
    failing = [side for side in crossing.sides if side.out is not None]
    if failing:
        rows.append(("carries today's load", *("no" if side.out else "yes" for side in crossing.sides)))
    rows.append(("room to grow: ends at", *(_end(side) for side in crossing.sides)))
    rows.append(("  with", *(printable(side.ends_with) for side in crossing.sides)))
    rows.append(("down a month", *(_time(side.downtime_s_per_month) for side in crossing.sides)))
    rows.append(("lost with one node", *(show_percent(side.lost_share) for side in crossing.sides)))
    notes = [*_ended(crossing.sides), *_failing(crossing.sides), sentence(crossing, currency)]
    return Section("", rows, frozenset(range(1, len(crossing.sides) + 1)), notes)


def _ended(sides: Sequence[Side]) -> Iterator[str]:
    """Yield what ends each way, those together that end by the same."""
    ways: dict[str, list[str]] = {}
    for side in sides:
        if side.ends_by is not None:
            ways.setdefault(side.ends_by, []).append(_WAYS[side.way].split(":")[0])
    if ways:
        yield "ended by: " + "; ".join(printable(f"{by} ({', '.join(names)})") for by, names in ways.items())


def _failing(sides: Sequence[Side]) -> Iterator[str]:
    """Yield why a way does not carry today's load, and what would."""
    surviving = [side for side in sides if side.out is None and side.way != "one"]
    able = min(surviving, key=lambda side: side.nodes, default=None)
    takes = "" if able is None else f"; it takes {able.nodes} x {able.node}"
    for side in sides:
        if side.out is not None:
            which = f"{side.nodes} x {side.node}" if side.way != "one" else "no one machine"
            does = "does not carry" if side.way != "one" else "carries"
            yield printable(f"{which} {does} today's load ({side.out}){takes}")


def _end(side: Side) -> str:
    return "no end found" if side.ends_at_per_s is None else f"{digits(side.ends_at_per_s)}/s"


def _difference(what: str, share: float | None, lasting: float | None) -> Iterator[str]:
    of = (
        "a share of requests that is not known (objects?)"
        if share is None
        else f"{show_percent(share)} of its requests"
    )
    until = "until something is done" if lasting is None else f"for up to {show_seconds(lasting)}"
    yield what if share == 0 else f"{what}: {of} may see another answer, {until}"


def _mend(mend: Mended) -> str:
    if mend.fails is not None:
        return f"{mend.text}; does not pass: {mend.fails}"
    if mend.nodes is None:
        return mend.text
    more = "unknown" if mend.more_monthly is None else f"{mend.more_monthly:+,.2f} a month"
    more = "at no more cost" if mend.more_monthly is not None and abs(mend.more_monthly) < 0.005 else more
    return f"{mend.text}; takes {mend.nodes} nodes ({more})"


def sentence(crossing: Crossing, currency: str) -> str:
    """Return where up and out end and cross, in one sentence."""
    regions = crossing.regions
    if not regions:
        return "where one becomes cheaper than the other is not known: a price is not"
    up, few = next((side for side in crossing.sides if side.way == "up"), None), crossing.fewest_end_at_per_s
    fewer = up is not None and crossing.fewest < up.nodes
    named = f"up with {crossing.fewest} node{'s' if crossing.fewest > 1 else ''}" if fewer else "up"
    ends = "" if few is None else f"; {named} ends at {digits(few)}/s"
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


CSV_COLUMNS: Final = (
    "tier", "node", "family", "nodes", "count", "shards", "monthly", "one_off", "p99_s", "availability",
    "downtime_s_per_month", "lost_share", "headroom", "binding", "planned", "front", "recommended", "out",
)  # fmt: skip
"""The columns of CSV, by the keys of JSON."""


def csv_table(scaling: Scaling) -> list[tuple[object, ...]]:
    """Return one row for each option, below the names of the columns."""
    rows: list[tuple[object, ...]] = [CSV_COLUMNS]
    for name, tier in scaling.tiers.items():
        best = tier.recommendation
        taken = None if best is None else (best.node, best.nodes, best.shards)
        for option in tier.options:
            own = {"tier": name, "recommended": (option.node, option.nodes, option.shards) == taken}
            cells = (own[key] if key in own else getattr(option, key) for key in CSV_COLUMNS)
            rows.append(tuple("" if cell is None else cell for cell in cells))
    return rows
