"""How far replicas are behind: the distribution of the lag, what it means to readers, and when they never catch up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from capacity.components.database import Database
from capacity.components.replication import Members
from capacity.document import scaled
from capacity.solve import solve
from capacity.system import resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from capacity.solve import Solution
    from capacity.system import System

SAMPLES: Final = 24
"""Times along the distribution."""

RAREST: Final = 1e-3
"""The share of writes at which the distribution ends."""

AFTER: Final = (0.0, 0.001, 0.01, 0.1, 1.0)
"""Seconds after which somebody looks for what he has just written."""

PRECISION: Final = 1e-4
"""Relative, of the load at which replicas begin to fall behind for ever."""

MOST_LOAD: Final = 1e6
"""Times today's load, beyond which nobody looks."""


class Lagging(msgspec.Struct, frozen=True, kw_only=True):
    """The replicas of one database. Where they fall behind for ever there is no time, and nothing is visible."""

    mode: str
    quorum: Members | None
    """Whom reads ask and writes wait for in mode quorum; else None."""
    replicas: int
    shards: int
    diverges: bool
    exact: bool
    """For its model: whether nobody waits for a core; else waits for one are taken as exponential."""
    mean_s: float | None
    p99_s: float | None
    stale_read_fraction: float | None
    """None where the number of keys is not known."""
    unseen: list[tuple[float, float]]
    """Seconds after a write was answered, and the share of writers whose replica, or quorum, does not show it yet."""
    not_visible: list[tuple[float, float]]
    """Seconds since a write on the primary, and the share of writes that a replica does not show yet."""
    apply_utilization: float | None
    """Of the thread that applies writes on a replica; None where applying takes no time."""
    diverges_at: float | None
    """Times this load, at which replicas begin to fall behind for ever; None where they never do."""
    failover_s: float
    writes_held: float
    writes_at_risk: float


def databases(system: System) -> dict[str, Database]:
    """Return the databases of a system by name."""
    return {name: tier for name, tier in system.tiers.items() if isinstance(tier, Database)}


def lagging(solution: Solution, name: str, tick: Callable[[int], None] = lambda _: None) -> Lagging | None:
    """Return what is to be told of a database's replicas; None where it has none, or nothing is known of their lag."""
    tier, place, arrivals = solution.system.tiers[name], solution.places[name], solution.arrivals(name)
    details = tier.details(place, arrivals, solution)
    if not isinstance(tier, Database) or "lag" not in details:
        return None
    lag = tier.lag(place, arrivals, solution)
    station, applying = solution.station(place, "replica cores"), tier.replication.apply_time > 0
    thread = next((x for x in tier.limits(place, arrivals, solution) if x.resource == "apply thread"), None)
    switched = tier.failover(place, arrivals)
    times = []
    if lag is not None and lag.percentile(1 - RAREST) > 0:
        low, high = lag.percentile(0.01), lag.percentile(1 - RAREST)
        low = max(min(low, high / 2), high * 1e-6)
        times = [low * (high / low) ** (i / (SAMPLES - 1)) for i in range(SAMPLES)]
    return Lagging(
        mode=tier.replication.mode,
        quorum=tier.replication.members(place) if tier.replication.by_quorum else None,
        replicas=place.count,
        shards=tier.shards,
        diverges=lag is None,
        exact=not applying or station is None or station.wait is None or station.wait.is_negligible,
        mean_s=None if lag is None else lag.mean,
        p99_s=None if lag is None else lag.percentile(0.99),
        stale_read_fraction=tier.stale(place, arrivals, lag),
        unseen=[(after, tier.own_unseen(place, lag, after)) for after in AFTER],
        not_visible=[] if lag is None else [(t, lag.exceeds(t)) for t in times],
        apply_utilization=None if thread is None else thread.utilization,
        diverges_at=_diverging(solution, name, tick),
        **switched,
    )


def _diverging(solution: Solution, name: str, tick: Callable[[int], None]) -> float | None:
    """Return the load, times this one, at which replicas begin to fall behind for ever; other tiers keep up."""
    system, solved = solution.system, 0
    others = frozenset(n for n, tier in system.tiers.items() if tier.counted is not None and n != name)

    def falls_behind(load: float) -> bool:
        nonlocal solved
        solved += 1
        tick(solved)
        found = solve(resolve(scaled(system.topology, load)), solution.counts, others)
        tier = found.system.tiers[name]
        return isinstance(tier, Database) and tier.lag(found.places[name], found.arrivals(name), found) is None

    low, high = 0.0, 1.0
    while not falls_behind(high):
        low, high = high, high * 4
        if high > MOST_LOAD:
            return None
    while high - low > PRECISION * high:
        middle = (low + high) / 2
        low, high = (low, middle) if falls_behind(middle) else (middle, high)
        if high < 1 / MOST_LOAD:
            return 0.0
    return (low + high) / 2
