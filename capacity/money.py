"""What a system costs by the month: products of a quantity and a price. Without either a product is unknown, never 0.

Nodes run all month: a plan has the nodes of its peak. Of those, the base load is what an ordinary hour keeps as busy
as the peak keeps all; it may be reserved. Traffic and calls are counted at the daily mean.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import msgspec

from capacity import pricing
from capacity.components.exchange import Arrivals
from capacity.results import Cost, CostItem, OneOff, PartCost, Reserving
from capacity.solve import solve
from capacity.traffic import solve_traffic
from models.availability import MONTH

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from capacity.pricing import Purchase
    from capacity.solve import Solution
    from capacity.system import Counts, System
    from capacity.traffic import Traffic

GB: Final = 1e9
"""Traffic is sold by this many bytes."""

_PURCHASES: Final[dict[str, Purchase]] = {"none": "on_demand", "1y": "reserved_1y", "3y": "reserved_3y"}

_WORDS: Final[dict[Purchase, str]] = {
    "on_demand": "",
    "reserved_1y": ", reserved 1y",
    "reserved_3y": ", reserved 3y",
    "spot": ", spot",
}


def cost(solution: Solution) -> Cost:
    """Return every product and their total; a price that is not known stays unknown in the total."""
    system = solution.system
    money = system.topology.money
    ordinary = _ordinary(solution)
    items = [*_nodes(system, solution.counts), *_charges(solution, ordinary), *_traffic(solution, ordinary)]
    items += _people(system, solution.counts)
    known = round(math.fsum(item.monthly for item in items if item.monthly is not None), 6)
    unknown = list(dict.fromkeys(item.tier or item.what for item in items if item.monthly is None))
    once = list(_once(system))
    paid_once = round(math.fsum(item.amount for item in once), 6)
    return Cost(
        currency=system.topology.currency,
        monthly=known,
        unknown=unknown,
        items=items,
        horizon_months=money.horizon,
        one_off=paid_once,
        over_horizon=round(known * money.horizon + paid_once, 6),
        reserving=list(_reserving(system, solution.counts)),
        prices_of=pricing.BOOK_DATE if _by_the_book(system) else None,
        once=once,
        not_counted=list(_not_counted(solution)),
    )


def _once(system: System) -> Iterator[OneOff]:
    """Yield what it takes to get to the shards of a file, where it says what that costs."""
    for name, tier in system.tiers.items():
        moving = tier.moving_cost() if tier.parts() > 1 else None
        if moving:
            yield OneOff(name, f"migration to {tier.parts()} shards", moving)


def node_cost(system: System, name: str, count: int) -> list[CostItem]:
    """Return the nodes of one tier by how they are bought: reserved, on the spot market, by the hour."""
    tier, machine = system.tiers[name], system.machines[name]
    nodes = tier.machines(count)
    if system.roots[name] != name or machine is None or nodes == 0 or tier.node is None:
        return []
    found = []
    for purchase, part in purchases(system, name, count):
        if part:
            hourly = pricing.hourly(machine, purchase)
            unit = None if hourly is None else round(hourly * pricing.HOURS_PER_MONTH, 6)
            monthly = None if unit is None else round(unit * part, 6)
            found.append(CostItem(name, f"{tier.node}{_WORDS[purchase]}", part, unit, monthly))
    return found


def purchases(system: System, name: str, count: int, commitment: str | None = None) -> list[tuple[Purchase, int]]:
    """Return how many nodes of a tier are bought in which way: as the file says, or with another commitment."""
    money, tier = system.topology.money, system.tiers[name]
    nodes = tier.machines(count)
    length = money.commitment if commitment is None else commitment
    reserved = math.floor(money.coverage * base_load(system, name, count) + 1e-9) if length != "none" else 0
    spot = math.floor(tier.spot_share() * (nodes - reserved) + 1e-9)
    return [(_PURCHASES[length], reserved), ("spot", spot), ("on_demand", nodes - reserved - spot)]


def base_load(system: System, name: str, count: int) -> int:
    """Return the nodes that the daily mean keeps as busy as the peak keeps all; all, where none can be spared."""
    tier = system.tiers[name]
    nodes = tier.machines(count)
    return math.ceil(nodes / float(system.topology.workload.peak_to_mean) - 1e-9) if tier.elastic() else nodes


def monthly(system: System, name: str, count: int) -> float | None:
    """Return what the nodes of one tier cost by the month, None where a price is unknown."""
    parts = [item.monthly for item in node_cost(system, name, count)]
    return None if any(part is None for part in parts) else math.fsum(part for part in parts if part is not None)


def running(system: System, name: str, count: int) -> float | None:
    """Return what one tier costs by the month with its count: nodes, people for them, what its nodes are billed for.

    None where a price is not known. What does not depend on the count, like traffic, is not in it.
    """
    nodes = monthly(system, name, count)
    if nodes is None:
        return None
    money, tier = system.topology.money, system.tiers[name]
    people = float(money.people_per_node or 0.0) * tier.machines(count)
    place = system.place(name, {**system.least(), name: count})
    charges = [c for c in tier.charges(place, Arrivals()) if c.quantity is not None]
    prices = [c.price if c.key is None else getattr(money, c.key) for c in charges]
    return nodes + people + math.fsum((c.quantity or 0.0) * (p or 0.0) for c, p in zip(charges, prices, strict=True))


def by_part(cost: Cost) -> list[PartCost]:
    """Return what each tier costs by the month, and what belongs to none by its name; the dearest first."""
    parts: dict[tuple[str | None, str], list[float | None]] = {}
    for item in cost.items:
        parts.setdefault((item.tier, "" if item.tier else item.what), []).append(item.monthly)
    found = []
    for (tier, what), prices in parts.items():
        known = math.fsum(price for price in prices if price is not None)
        share = known / cost.monthly if cost.monthly > 0 else None
        found.append(PartCost(tier, tier or what, known, share, any(price is None for price in prices)))
    return sorted(found, key=lambda part: -part.monthly)


def changes(before: Cost, after: Cost) -> dict[tuple[str | None, str], float | None]:
    """Return how much more each part costs by the month than before, None where either has a price that is unknown.

    Keys are a part's tier and name, as `by_part` has them; what is gone is among them. Nothing, in another currency.
    """
    if before.currency != after.currency:
        return {}
    then, now = ({(p.tier, p.name): p for p in by_part(cost)} for cost in (before, after))
    found: dict[tuple[str | None, str], float | None] = {}
    for key in (*now, *(key for key in then if key not in now)):
        parts = [parts[key] for parts in (then, now) if key in parts]
        more = (now[key].monthly if key in now else 0.0) - (then[key].monthly if key in then else 0.0)
        found[key] = None if any(part.unknown for part in parts) else round(more, 6)
    return found


def _nodes(system: System, counts: Counts) -> list[CostItem]:
    return [item for name in system.tiers for item in node_cost(system, name, counts.get(name, 0))]


def _ordinary(solution: Solution) -> Traffic:
    """Return the traffic of an ordinary hour, by which whatever is metered is paid; any, where nothing is."""
    system = solution.system
    topology = system.topology
    if topology.workload.peak_to_mean == 1 or not _is_metered(solution):
        return solution.traffic
    workload = msgspec.structs.replace(topology.workload, peak_to_mean=1.0)
    calm = replace(system, topology=msgspec.structs.replace(topology, workload=workload))
    if not any(call.retries or call.pool for tier in system.tiers.values() for call in tier.calls_made()):
        return solve_traffic(calm, calm.places(solution.counts), {})
    return solve(calm, solution.counts).traffic


def _is_metered(solution: Solution) -> bool:
    """Return whether anything that is used more or less has a price."""
    money, system = solution.system.topology.money, solution.system
    charges = [c for n, t in system.tiers.items() for c in t.charges(solution.places[n], solution.arrivals(n))]
    prices = [charge.price if charge.key is None else getattr(money, charge.key) for charge in charges]
    crossing = money.zone_traffic is not None and system.topology.resilience.zones > 1
    return crossing or any(price is not None for price in prices)


def _by_the_book(system: System) -> bool:
    """Return whether a price is one of the built-in book."""
    topology = system.topology
    nodes = {tier.node for tier in topology.components.values() if tier.node is not None}
    return topology.currency == pricing.BOOK_CURRENCY and bool(nodes - set(topology.node_types))


def _charges(solution: Solution, ordinary: Traffic) -> Iterator[CostItem]:
    """Yield what tiers are billed for by themselves, where the file has a price for it."""
    money = solution.system.topology.money
    for name, tier in solution.system.tiers.items():
        for charge in tier.charges(solution.places[name], ordinary.arrivals[name]):
            price = charge.price if charge.key is None else getattr(money, charge.key)
            if price is not None:
                yield _product(name, charge.what, charge.quantity, charge.unit, float(price))


def _traffic(solution: Solution, ordinary: Traffic) -> Iterator[CostItem]:
    """Yield what crosses zones, on both sides, and what goes out to users."""
    system = solution.system
    money, zones = system.topology.money, system.topology.resilience.zones
    if money.zone_traffic is not None and zones > 1:
        crossing = 2 * (1 - 1 / zones)
        moved, unknown = _between_tiers(solution, ordinary)
        yield from _sent("traffic between zones", crossing * moved, unknown, float(money.zone_traffic))
    if money.egress is not None:
        asked = [(float(c.rate), c.entry) for c in system.topology.workload.classes.values() if c.rate > 0]
        out = sum(rate * system.tiers[entry].payload()[1] for rate, entry in asked)
        unknown = {entry for _, entry in asked if system.tiers[entry].sizes()[1] is None}
        yield from _sent("traffic to users", out, unknown, float(money.egress))


def _sent(what: str, rate: float, unknown: AbstractSet[str], price: float) -> Iterator[CostItem]:
    """Yield what is known to be sent, at a rate in bytes/s, and whose requests or responses have no size."""
    if rate > 0 or not unknown:
        yield _product(None, what, rate * MONTH / GB, "GB", price)
    if unknown:
        yield CostItem(None, what, None, price, None, "GB", sorted(unknown))


def _between_tiers(solution: Solution, ordinary: Traffic) -> tuple[float, set[str]]:
    """Return the bytes per second between machines of different tiers, and between nodes that copy to each other.

    With them the tiers that neither a request to them nor its response has a size of, where any of that moves.
    """
    system, total, unknown = solution.system, 0.0, set[str]()
    for caller, flows in ordinary.flows.items():
        for flow in flows:
            tier, rate = system.tiers[flow.to], flow.reads + flow.writes
            if tier.is_partner or system.roots[caller] == system.roots[flow.to] or rate == 0:
                continue
            total += rate * sum(tier.payload())
            unknown |= {flow.to} if tier.sizes() == (None, None) else set()
    copied = sum(tier.copied(solution.places[n], ordinary.arrivals[n]) for n, tier in system.tiers.items())
    return total + copied, unknown


def _people(system: System, counts: Counts) -> Iterator[CostItem]:
    money = system.topology.money
    owned = [name for name in system.tiers if system.roots[name] == name]
    machines = {name: system.tiers[name].machines(counts.get(name, 0)) for name in owned}
    with_nodes = {name: nodes for name, nodes in machines.items() if nodes}
    if money.people_per_node is not None:
        nodes = float(sum(with_nodes.values()))
        yield _product(None, "people, per node", nodes, "nodes", float(money.people_per_node))
    if money.people_per_tier is not None:
        tiers = float(len(with_nodes))
        yield _product(None, "people, per tier", tiers, "tiers", float(money.people_per_tier))


def _product(tier: str | None, what: str, quantity: float | None, unit: str, price: float) -> CostItem:
    return CostItem(tier, what, quantity, price, None if quantity is None else round(quantity * price, 6), unit)


def _reserving(system: System, counts: Counts) -> Iterator[Reserving]:
    """Yield what reserving the base load of each tier would save that is bought by the hour, where prices are known."""
    if system.topology.money.commitment != "none":
        return
    for name in system.counted():
        machine, now = system.machines[name], monthly(system, name, counts[name])
        if machine is None or not machine.price or now is None:
            continue
        for commitment in ("1y", "3y"):
            then = purchases(system, name, counts[name], commitment)
            bill = [(pricing.hourly(machine, purchase), nodes) for purchase, nodes in then if nodes]
            reserved = pricing.hourly(machine, _PURCHASES[commitment])
            if reserved is not None and all(price is not None for price, _ in bill):
                after = math.fsum((price or 0.0) * nodes for price, nodes in bill) * pricing.HOURS_PER_MONTH
                if after >= now:
                    continue
                yield Reserving(name, commitment, then[0][1], reserved / machine.price, round(now - after, 6))


def _not_counted(solution: Solution) -> Iterator[str]:
    """Yield what usually costs money and of which the file gives no price or no amount."""
    system, tiers = solution.system, solution.system.tiers
    money = system.topology.money
    billed = {n: tier.charges(solution.places[n], solution.arrivals(n)) for n, tier in tiers.items()}
    partners = [n for n, tier in tiers.items() if tier.is_partner]
    free = [n for n in partners if not billed[n]]
    sold = {charge.key for charges in billed.values() for charge in charges}
    stored = {n for n, charges in billed.items() for charge in charges if charge.key == "storage"}
    unsold = any(tier.counted == "replicas" and n not in stored for n, tier in tiers.items())
    missing = [
        (money.zone_traffic is None and system.topology.resilience.zones > 1, "traffic between zones"),
        (money.egress is None, "traffic to users"),
        (unsold or (money.storage is None and "storage" in sold), "storage"),
        (money.iops is None and "iops" in sold, "IOPS"),
        (money.people_per_node is None and money.people_per_tier is None, "people"),
        (bool(free), "partners' bills" if len(free) == len(partners) else f"the bills of {', '.join(free)}"),
    ]
    return (what for absent, what in missing if absent)
