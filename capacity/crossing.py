"""Where scaling up and scaling out end, and at which load one becomes cheaper than the other: solved, not stepped.

Up is as few nodes as what has to be survived allows, of ever larger types. Out is more and more nodes of the file's
own type. All load grows together; other tiers are taken to keep up (nothing waits there), so that the ends are this
tier's own. Each end is a root: the load at which the first limit or objective of the tier gives way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from capacity.ends import HARDLY, MOST_LOAD, PRECISION
from capacity.fewest import fewest, fewest_near
from capacity.money import running
from capacity.traffic import solve_traffic
from capacity.uptime import Uptime
from capacity.variants import PRICE_UNKNOWN, reason
from models.availability import downtime

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capacity.ends import Ends
    from capacity.scaling import Option
    from capacity.system import System
    from capacity.traffic import Traffic


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One way to run a tier at today's load, in the three rows of the classic table."""

    way: str
    """`one` machine, `up` (as few as may be, larger) or `out` (more of the file's own)."""
    node: str
    nodes: int
    """To run and balance over."""
    monthly: float | None
    ends_at_per_s: float | None
    """The arrivals at which even the largest type, or the largest useful count, ends; None without an end."""
    ends_with: str
    ends_by: str | None = None
    """What ends it, as "cores of app" or "p99 of browse"; None without an end."""
    kept: str | None = None
    """What ends it although most cores idle, since it is the same on every type, as "threads = 18"."""
    downtime_s_per_month: float | None
    lost_share: float
    """Of its capacity, while one node is down or patched."""
    out: str | None = None
    """Why it does not carry today's load; None where it does."""
    shards: int | None = None
    """Where it takes more than the file has: its numbers, also where it ends, are of the tier cut into so many."""


class Region(msgspec.Struct, frozen=True):
    """A stretch of load in which one way is the cheaper one; `until_per_s` None: no end was found."""

    way: str
    """`up`, also where out costs as much with more nodes; `out`; `same` where both are the same nodes."""
    until_per_s: float | None
    monthly: float | None
    """What it costs at the end of the stretch."""
    from_per_s: float | None = 0.0
    """Where it begins: where the one before ends."""


class Crossing(msgspec.Struct, frozen=True):
    """Up against out for one tier."""

    sides: list[Side]
    regions: list[Region]
    fewest: int = 1
    """The nodes that up has at any load: as few as what has to be survived allows."""
    fewest_end_at_per_s: float | None = None
    """The arrivals at which so few nodes end, whatever their type; None without an end."""


def crossing(ends: Ends, types: Sequence[str], options: Sequence[Option]) -> Crossing | None:
    """Return where a tier's ways end and cross; `types` are the file's own and those larger, the smallest first.

    What each way takes today is that of the options, which the whole plan was evaluated for. None where the tier
    cannot be one machine nor many, as its count is given by something else, and where nothing arrives in normal
    operation: a load has no arrivals to be told in then.
    """
    own = ends.topology.components[ends.name].node or ""
    least = ends.least(own)
    if least is None or arrivals(ends, 1.0) == 0:
        return None
    most = ends.useful(own, least)
    able = [o for o in options if o.nodes is not None and o.out in (None, PRICE_UNKNOWN)]
    regions = _regions(ends, own, types, least, most)
    up, out = _up(ends, types, able), _out(ends, own, options)
    sides = [*_one(ends, types, least), up, out]
    few = ends.end(_largest(ends, types, least), least)
    machines = ends.topology.components[ends.name].machines(least)
    return Crossing(sides, regions, machines, None if few is None else arrivals(ends, few))


def _one(ends: Ends, types: Sequence[str], least: int) -> list[Side]:
    """Return one machine with nothing to be survived; nothing, where one machine survives everything."""
    single = ends.topology.components[ends.name].least_count()
    if single == least:
        return []
    failing = {node: _failing_alone(ends, node, single) for node in types}
    fitting = [node for node in types if failing[node] is None]
    largest = _largest(ends, types, single, alone=True)
    node = min(fitting, key=lambda n: price_of(ends, n, single) or math.inf, default=largest)
    search = ends.search(node, 1.0, alone=True)
    uptime = Uptime(search, {**ends.counts, ends.name: single}).tier(ends.name)
    down = None if uptime is None or uptime.unavailability is None else downtime(uptime.unavailability)
    today = Today(node, single, running(search.system, ends.name, single), down, failing[node])
    return [_side(ends, "one", today, (largest, single), types[-1], alone=True)]


def _failing_alone(ends: Ends, node: str, count: int) -> str | None:
    """Return why one machine does not carry today's load, all others as planned; None where it does."""
    search = ends.search(node, 1.0, alone=True)
    conflict = next(search.conflicts({**ends.counts, ends.name: count}), None)
    return None if conflict is None else reason(conflict)


def _up(ends: Ends, types: Sequence[str], able: Sequence[Option]) -> Side:
    """Return the fewest machines that pass today; where none do, the largest type with as few as may be."""
    least = _least(ends)
    parts = ends.topology.components[ends.name].parts()
    larger = [o for o in able if o.node in types]
    best = min(larger, key=lambda o: ((o.shards or parts) > parts, o.nodes, _dear(o.monthly)), default=None)
    if best is None or best.count is None:
        largest = _largest(ends, types, least)
        today = Today(largest, least, price_of(ends, largest, least), None, "no node type passes")
        return _side(ends, "up", today, (largest, least), types[-1])
    cut = ends.sharded(best.shards)
    count = max(_least(cut), best.count)
    return _side(cut, "up", _today(best, parts), (_largest(cut, types, count), count), types[-1])


def _out(ends: Ends, own: str, options: Sequence[Option]) -> Side:
    """Return the file's own type with its own count, the plan's where the file gives none, or what shards it takes."""
    mine = [o for o in options if o.node == own]
    taken = next((o for planned in (True, False) for o in mine if o.planned == planned and o.count is not None), None)
    count, failing = ends.counts[ends.name], next((o.out for o in mine), None)
    parts = ends.topology.components[ends.name].parts()
    today = Today(own, count, price_of(ends, own, count), None, failing) if taken is None else _today(taken, parts)
    cut = ends.sharded(today.shards)
    return _side(cut, "out", today, (own, cut.useful(own, _least(cut))), own, more=True)


def _least(ends: Ends) -> int:
    """Return the fewest nodes of the file's own type that anything is left of."""
    own = ends.topology.components[ends.name].node or ""
    return ends.least(own) or ends.topology.components[ends.name].least_count()


def _largest(ends: Ends, types: Sequence[str], count: int, *, alone: bool = False) -> str:
    """Return the smallest type that reaches, within the precision, the highest load that so many of any type do."""
    best = types[-1]
    end = ends.end(best, count, alone=alone)
    for node in reversed(types[:-1]):
        if end is not None and ends.carries(node, count, max(end * (1 + 2 * PRECISION), HARDLY), alone=alone):
            best, end = node, ends.end(node, count, alone=alone)
    load = MOST_LOAD if end is None else end * (1 - PRECISION)
    return next((node for node in types if ends.carries(node, count, load, alone=alone)), best)


@dataclass(frozen=True)
class Today:
    """What a way takes at today's load: a count of a type, what it costs and how often it is down."""

    node: str
    count: int
    monthly: float | None
    downtime: float | None
    """Seconds a month."""
    failing: str | None
    """Why it does not carry today's load."""
    shards: int | None = None
    """Where they are not those of the file."""


def _today(option: Option, parts: int) -> Today:
    failing = None if option.out == PRICE_UNKNOWN else option.out
    shards = None if option.shards == parts else option.shards
    return Today(option.node, option.count or 0, option.monthly, option.downtime_s_per_month, failing, shards)


def _dear(price: float | None) -> float:
    return math.inf if price is None else price


def _side(
    ends: Ends,
    way: str,
    today: Today,
    last: tuple[str, int],
    hindered: str,
    *,
    alone: bool = False,
    more: bool = False,
) -> Side:
    """Return one way; `ends` are those of the tier with the shards that it takes today."""
    tier = ends.topology.components[ends.name]
    end, nodes = ends.end(*last, alone=alone), tier.machines(today.count)
    return Side(
        way=way,
        node=today.node,
        nodes=nodes,
        monthly=today.monthly,
        ends_at_per_s=None if end is None else arrivals(ends, end),
        ends_with=f"{tier.machines(last[1])} x {last[0]}",
        ends_by=ends.ends_by(hindered, last[1], end, more=more, alone=alone),
        kept=None if more else ends.kept(hindered, last[1], end, alone=alone),
        downtime_s_per_month=today.downtime,
        lost_share=1 / max(nodes // tier.parts(), 1),
        out=today.failing,
        shards=today.shards,
    )


def visits(system: System, name: str, traffic: Traffic) -> float:
    """Return the arrivals of a tier; of a machine that only hosts, those of what lives on it."""
    own = traffic.arrivals[name].rate
    return own or sum(traffic.arrivals[resident].rate for resident in system.residents[name])


def arrivals(ends: Ends, load: float) -> float:
    """Return the arrivals of the tier at a multiple of today's load."""
    if load <= 0:
        return 0.0
    system = ends.search(ends.topology.components[ends.name].node or "", load).system
    # First tries only: what retries add depends on who waits where.
    return visits(system, ends.name, solve_traffic(system, system.places(ends.counts), {}))


def _regions(ends: Ends, own: str, types: Sequence[str], least: int, most: int) -> list[Region]:
    """Return the stretches of load in which up or out is cheaper; nothing, where a price is not known.

    Up costs the same until its type ends and the next is needed; out can be had for less than that as long as the most
    nodes that cost less carry the load. So each step of up brings at most one crossing, and each is a root.
    """
    each = price_of(ends, own, most)
    if each is None:
        return []
    found: list[_Stretch] = []
    reached: float | None = 0.0
    priced = {node: cost for node in types if (cost := price_of(ends, node, least)) is not None}
    for node, cost in sorted(priced.items(), key=lambda item: item[1]):
        if reached is None or not ends.carries(node, least, max(reached * (1 + 2 * PRECISION), HARDLY)):
            continue
        end = ends.end(node, least)
        if end is not None and end <= reached:
            continue
        affordable = _affordable(ends, own, cost, least, most)
        out_end = _out_end(ends, own, affordable, reached, end)
        if out_end is None or out_end > reached:
            until = end if out_end is None else out_end if end is None else min(end, out_end)
            found.append(_Stretch("out", until, affordable or most, None))
        if out_end is not None and (end is None or end > max(out_end, reached)):
            found.append(_Stretch("same" if node == own else "up", end, least, cost))
        reached = end
    last = ends.end(own, most)
    if reached is not None and (last is None or last > reached):
        found.append(_Stretch("out", last, most, each))
    merged = _merged(ends, found)
    starts = [0.0, *(until for _, until in merged)]
    return [_region(ends, own, *part, start) for part, start in zip(merged, starts, strict=False)]


class _Stretch(NamedTuple):
    """A stretch of load: its way, its end as a multiple of today's load, nodes that carry it, what it costs there."""

    way: str
    until: float | None
    nodes: int
    cost: float | None
    """None for what is still to be found: the fewest of the nodes that carry its end."""


def _out_end(ends: Ends, own: str, affordable: int | None, low: float, high: float | None) -> float | None:
    """Return where so many of the file's own end, of which only what is between two loads matters; None beyond."""
    if affordable is None or (low > 0 and not ends.carries(own, affordable, low)):
        return 0.0
    if high is not None and ends.carries(own, affordable, high * (1 + PRECISION)):
        return None
    return ends.end(own, affordable)


def _needed(ends: Ends, own: str, until: float | None, most: int) -> int:
    """Return the fewest nodes of the file's own type that carry a load which `most` of them carry."""
    if until is None:
        return most
    load, least = until * (1 - 2 * PRECISION), ends.topology.components[ends.name].least_count()
    guess = math.ceil(most * min(1.0, load / (ends.guess(own, most) or load)))
    return fewest_near(lambda count: ends.carries(own, count, load), guess, min(least, most), most) or most


def price_of(ends: Ends, node: str, count: int) -> float | None:
    """Return what a count of a type costs by the month, None where a price is not known."""
    return running(ends.search(node, 1.0).system, ends.name, count)


def _affordable(ends: Ends, own: str, cost: float, least: int, most: int) -> int | None:
    """Return the most nodes of the file's own type that cost less than this (prices grow with the count)."""

    def dear(count: int) -> bool:
        price = price_of(ends, own, count)
        return price is None or price >= cost - 1e-9

    first = fewest(dear, least, most)
    return most if first is None else first - 1 if first > least else None


def _region(ends: Ends, own: str, stretch: _Stretch, until: float | None, start: float | None) -> Region:
    cost = stretch.cost
    if cost is None:
        cost = price_of(ends, own, _needed(ends, own, stretch.until, stretch.nodes))
    return Region(stretch.way, until, cost, start)


def _merged(ends: Ends, stretches: Sequence[_Stretch]) -> list[tuple[_Stretch, float | None]]:
    """Return neighbours of the same way as one, without those shorter than a hundredth of their load, and arrivals."""
    found: list[tuple[_Stretch, float | None]] = []
    for stretch in stretches:
        start = found[-1][1] if found else 0.0
        until = None if stretch.until is None else arrivals(ends, stretch.until)
        if until is not None and start is not None and until < start * 1.01:
            continue
        if found and found[-1][0].way == stretch.way:
            found[-1] = stretch, until
        else:
            found.append((stretch, until))
    return found
