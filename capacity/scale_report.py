"""Scale up against scale out as people read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capacity.errors import printable
from capacity.report import key_skew, rounded_availability
from capacity.section import Section
from capacity.units import digits, show_downtime, show_percent, show_seconds
from capacity.variants import PRICE_UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capacity.crossing import Crossing, Region, Side
    from capacity.differing import Mended
    from capacity.scaling import Option, Scaling, TierScaling

MOST_CLASSES = 2
"""Classes with a column of their own."""

MOST_EXCEPTIONS = 3
"""Short stretches of load that are told one by one."""

_NAMED = {"up": "up (few nodes)", "out": "out"}
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
    summary = [_summary(scaling)] if len(scaling.tiers) > 1 else []
    return [
        head,
        *summary,
        *(section for name, tier in scaling.tiers.items() for section in of_tier(name, tier, scaling.currency)),
    ]


def _summary(scaling: Scaling) -> Section:
    """Return what to take for each tier, in place of what, and why."""
    rows: list[tuple[str, ...]] = [("Tier", "Take", f"{scaling.currency}/month", "Instead of", "Why")]
    for name, tier in scaling.tiers.items():
        best = tier.recommendation
        own = next((option for option in tier.options if option.planned), None)
        if best is None:
            rows.append((printable(name), "-", "-", "-", "none can be recommended: see below"))
            continue
        taken = next(o for o in tier.options if (o.node, o.nodes, o.shards) == (best.node, best.nodes, best.shards))
        instead = "as it is" if own is None or taken.planned else _which(own)
        rows.append((printable(name), _which(taken), money(taken.monthly), instead, _why(taken, own)))
    return Section("What to take", rows, frozenset({2}), ["each tier alone, all others as planned; more of each below"])


def _which(option: Option) -> str:
    shards = f", {option.shards} shards" if option.shards is not None and option.shards > 1 else ""
    return printable(option.node if option.nodes is None else f"{option.nodes} x {option.node}{shards}")


def _why(taken: Option, own: Option | None) -> str:
    """Return in a few words why an option is taken, against the file's own."""
    if own is None or taken.planned:
        return "the cheapest"
    if own.out not in (None, PRICE_UNKNOWN):
        return "that does not pass"
    if own.monthly is None or taken.monthly is None:
        return "its price is unknown"
    return f"{money(own.monthly - taken.monthly)} less"


def of_tier(name: str, tier: TierScaling, currency: str) -> Iterator[Section]:
    """Yield the comparison of one tier, the table of its options first."""
    rows: list[tuple[str, ...]] = [("Node type", "Nodes", f"{currency}/month", "p99", "Down", "Busiest", "")]
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
    else:
        notes.append(_undecided(tier))
    title = f"{printable(name)} at {digits(tier.arrival_rate_per_s)}/s"
    yield Section(
        title, rows if len(rows) > 1 else (), frozenset(range(1, 5)), [*notes, *_skewed(tier.options), *_moves(tier)]
    )
    yield from _reached(tier)
    if tier.crossing is not None:
        yield _sides(tier.crossing, currency)
    elif tier.arrival_rate_per_s == 0:
        yield Section("", notes=["nothing arrives in normal operation: where up and out end is not told"])
    differing = [line for found in tier.differences for line in _difference(found.what, found.share, found.lasting_s)]
    mends = [f"  mend: {_mend(mend)}" for found in tier.differences for mend in found.mends]
    if differing:
        yield Section("What scaling out breaks", notes=[*differing, *mends])


def _undecided(tier: TierScaling) -> str:
    """Return why none of the options that pass is recommended."""
    passing = [option for option in tier.options if option.out in (None, PRICE_UNKNOWN)]
    if all(option.monthly is None for option in passing):
        return "none is recommended: no price is known"
    if any(option.one_off is None for option in passing):
        return "none is recommended: what going to more shards costs is not known (migration_cost)"
    return "none is recommended: nothing comes through, so that there is no p99 to compare"


def _fewer(options: Sequence[Option]) -> Iterator[str]:
    """Yield what the plan would take in place of a count that the file gives."""
    own = next((option for option in options if option.planned and option.nodes is not None), None)
    other = next((o for o in options if own is not None and o.node == own.node and not o.planned), None)
    if own is not None and other is not None and other.nodes is not None:
        shards = f" ({other.shards} shards)" if other.shards and other.shards > 1 else ""
        yield printable(f"the file gives {own.nodes} x {own.node}; {other.nodes}{shards} are the fewest that pass")


def _row(option: Option) -> tuple[str, ...]:
    used = "-" if option.headroom is None else f"{show_percent(1 - option.headroom)} {option.binding}"
    marks = ("*" if option.front else "") + ("=" if option.planned else "")
    return (
        printable(option.node),
        count(option),
        "?" if option.monthly is None else money(option.monthly),
        duration(option.p99_s),
        show_downtime(option.downtime_s_per_month),
        used,
        marks,
    )


def count(option: Option) -> str:
    """Return the nodes of an option; of a database its primary and replicas, of each shard."""
    if option.shards is None:
        return f"{option.nodes}"
    return f"{option.shards}x(1+{option.count})" if option.shards > 1 else f"1+{option.count}"


def money(value: float | None) -> str:
    """Return an amount, or that it is unknown."""
    return "unknown" if value is None else f"{value:,.2f}"


def duration(value: float | None) -> str:
    """Return a time, or that it is unknown."""
    return "unknown" if value is None else "0" if value < 1e-3 and value < 5e-10 else show_seconds(value)


def _skewed(options: Sequence[Option]) -> list[str]:
    """Return how unevenly the shards of options are asked, which decides how many there are."""
    found = {o.shards: o.busiest_shard_share for o in options if o.shards is not None and o.shards > 1}
    told = [(n, share) for n, share in sorted(found.items()) if share is not None]
    more = "".join(f", of {n} {show_percent(share)}" for n, share in told[1:])
    return [f"{key_skew(*told[0])}{more}"] if told else []


def _moves(tier: TierScaling) -> list[str]:
    """Return what it costs to get to other shards."""
    moved = [option for option in tier.options if option.one_off != 0.0]
    if not moved:
        return []
    once = {money(option.one_off) for option in moved}
    return [f"going to more shards costs {', '.join(sorted(once))} once (migration_cost)"]


def _reached(tier: TierScaling) -> Iterator[Section]:
    """Yield what each option reaches: the p99 of the classes that come through, availability and headroom."""
    able = [option for option in tier.options if option.out in (None, PRICE_UNKNOWN)]
    if not able:
        return
    names = list(dict.fromkeys(name for option in able for name in option.classes))
    few = len(names) <= MOST_CLASSES
    shown = [f"{printable(name)} p99" for name in names] if few else ["p99 of its classes"]
    rows: list[tuple[str, ...]] = [("Node type", "Nodes", *shown, "Availability", "Lost", "Headroom")]
    for option in able:
        each = [duration(option.classes.get(name)) for name in names] if few else [_range(option)]
        available = "unknown" if option.availability is None else rounded_availability(option.availability)
        lost = "-" if option.lost_share is None else show_percent(option.lost_share)
        headroom = "-" if option.headroom is None else show_percent(option.headroom)
        rows.append((printable(option.node), count(option), *each, available, lost, headroom))
    yield Section("", rows, frozenset(range(1, len(rows[0]))), [] if few else [*_varying(able, names)])


def _range(option: Option) -> str:
    """Return the fastest and the slowest of many classes."""
    values = option.classes.values()
    return f"{duration(min(values))} to {duration(max(values))}" if values else "-"


def _varying(able: Sequence[Option], names: Sequence[str]) -> Iterator[str]:
    """Yield between which types the p99 of each of many classes varies."""
    for name in names:
        values = [(value, option) for option in able if (value := option.classes.get(name)) is not None]
        low, high = min(values, key=lambda v: v[0]), max(values, key=lambda v: v[0])
        text = printable(f"{show_seconds(low[0])} ({low[1].node}) to {show_seconds(high[0])} ({high[1].node})")
        same = show_seconds(low[0]) == show_seconds(high[0])
        yield f"{printable(name)} p99: {show_seconds(low[0]) + ' with each of them' if same else text}"


def _sides(crossing: Crossing, currency: str) -> Section:
    """Return the classic table as numbers, and where the ways end and cross."""
    rows = [("", *(_way(side) for side in crossing.sides))]
    rows.append(("to run and balance over", *(f"{side.nodes} x {printable(side.node)}" for side in crossing.sides)))
    if any(side.shards for side in crossing.sides):
        rows.append(("  in shards", *("-" if side.shards is None else f"{side.shards}" for side in crossing.sides)))
    rows.append((f"{currency} a month", *(money(side.monthly) for side in crossing.sides)))
    failing = [side for side in crossing.sides if side.out is not None]
    if failing:
        rows.append(("carries today's load", *("no" if side.out else "yes" for side in crossing.sides)))
    rows.append(("room to grow: ends at", *(_end(side) for side in crossing.sides)))
    rows.append(("  with", *(printable(side.ends_with) for side in crossing.sides)))
    rows.append(("down a month", *(show_downtime(side.downtime_s_per_month) for side in crossing.sides)))
    rows.append(("lost with one node", *(show_percent(side.lost_share) for side in crossing.sides)))
    notes = [*_ended(crossing.sides), *_kept(crossing.sides), *_failing(crossing.sides), sentence(crossing, currency)]
    return Section("", rows, frozenset(range(1, len(crossing.sides) + 1)), notes)


def _way(side: Side) -> str:
    """Return the name of a way; one machine is one for each shard, or as few as the file allows."""
    if side.way == "one" and side.nodes > 1:
        return "one per shard" if side.lost_share == 1 else "as few as may be"
    return _WAYS[side.way]


def _kept(sides: Sequence[Side]) -> Iterator[str]:
    """Yield what is the same on every type, and ends them while their cores idle."""
    for kept in dict.fromkeys(side.kept for side in sides if side.kept is not None):
        names = ", ".join(_way(side).split(":")[0] for side in sides if side.kept == kept)
        yield f"{kept} is kept on every type, and most cores idle there ({names}): raise it with the node type"


def _ended(sides: Sequence[Side]) -> Iterator[str]:
    """Yield what ends each way, those together that end by the same."""
    ways: dict[str, list[str]] = {}
    for side in sides:
        if side.ends_by is not None:
            ways.setdefault(side.ends_by, []).append(_way(side).split(":")[0])
    if ways:
        yield "ended by: " + "; ".join(printable(f"{by} ({', '.join(names)})") for by, names in ways.items())


def _failing(sides: Sequence[Side]) -> Iterator[str]:
    """Yield why a way does not carry today's load, and what would."""
    surviving = [side for side in sides if side.out is None and side.way != "one"]
    able = min(surviving, key=lambda side: side.nodes, default=None)
    takes = "" if able is None else f"; it takes {able.nodes} x {able.node}"
    for side in sides:
        if side.out is not None:
            alone = "no one machine per shard" if side.nodes > 1 else "no one machine"
            which = f"{side.nodes} x {side.node}" if side.way != "one" else alone
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
    border = regions[-1].until_per_s
    if border is not None and any(side.shards for side in crossing.sides):
        ends += f"; beyond {digits(border)}/s it takes more shards"
    last = "" if len(regions) == 1 or regions[-1].way == "up" else f"; out ends at {_load(regions[-1])}"
    return f"{_first(regions, currency)}{_again(regions, currency)}{ends}{last}"


def _first(regions: Sequence[Region], currency: str) -> str:
    """Return which way is the cheaper one first, and which is from its end on."""
    first = regions[0]
    if len(regions) == 1:
        every = f"at every load{_limit(first)}"
        return f"up and out are the same {every}" if first.way == "same" else f"{first.way} is the cheaper way {every}"
    if first.way == "same":
        return f"up and out are the same until {_until(first, currency)}; {regions[1].way} is cheaper from there"
    return f"{_NAMED[first.way]} is cheaper until {_until(first, currency)}; {regions[1].way} from there"


def _again(regions: Sequence[Region], currency: str) -> str:
    """Return the later stretches in which the other way is cheaper: one by one, or the first and the last of many."""
    later = [region for region in regions[2:] if region.way != regions[1].way]
    if not later:
        return ""
    way = f"{later[0].way} again" if later[0].way == regions[0].way else later[0].way
    between = [f"{digits(region.from_per_s or 0.0)}/s to {_load(region)}" for region in later]
    if len(between) <= MOST_EXCEPTIONS:
        return f" (but {way} from {', '.join(between)})"
    first, last = (f"{between[i]} ({money(later[i].monthly)} {currency}/month)" for i in (0, -1))
    return f" (but {way} in {len(later)} stretches, first {first}, last {last})"


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
