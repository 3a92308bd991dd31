"""Files of one tier whose ways up and out end where a law says, and what is asked of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tests.planner.systems import changed, database, file, service
from tests.planner.tier_variants import in_family, scaled_tier

if TYPE_CHECKING:
    from capacity.crossing import Crossing, Side
    from tests.planner.systems import Values

CEILING = 0.75

MOST = 20
"""Nodes at most."""

CORES = {"n1": 1, "n2": 2, "n4": 4, "n8": 8}

LOST = {"": 0, "node": 1, "zone": 1}
"""Nodes that are lost of two or three."""


def alone(survive: str = "", rate: float = 100.0, goal: Values | None = None, **app: Any) -> Values:
    """Return a file of one service of 10 ms in three zones."""
    tiers = {"app": service(0.01, None, max_nodes=MOST) | app}
    values = file(tiers, rate, survive=(survive,) if survive else (), utilization=CEILING, latency=goal)
    return in_family(changed(values, "resilience.zones", 3))


def behind(tier: Values, survive: str = "", goal: Values | None = None, **call: Any) -> Values:
    """Return a file of a tier behind an app that is large enough for any load and takes next to nothing."""
    app = service(1e-7, 50, "n8", calls=[{"to": "below"} | call])
    survived = (survive,) if survive else ()
    tiers = {"app": app, "below": tier}
    return in_family(file(tiers, 100, survive=survived, utilization=CEILING, latency=goal))


def stored(rate: float, writes: float, **db: Any) -> Values:
    """Return a file of a database behind an app that is large enough for any load."""
    app = service(1e-7, 50, "n8", calls=[{"to": "db", "writes": writes}])
    return in_family(file({"app": app, "db": database(0.001, 0.001, "auto") | db}, rate, utilization=CEILING))


def crossing(values: Values, tier: str, family: str | None = None) -> Crossing:
    """Return where up and out end and cross."""
    found = scaled_tier(values, tier, family).crossing
    assert found is not None
    return found


def sides(values: Values, tier: str) -> dict[str, Side]:
    """Return the ways to run a tier by their names."""
    return {side.way: side for side in crossing(values, tier).sides}


def ends(values: Values, tier: str) -> dict[str, float]:
    """Return the load at which each way ends."""
    return {way: side.ends_at_per_s or math.inf for way, side in sides(values, tier).items()}


def lost(survive: str, count: int) -> int:
    """Return the nodes that are gone in what has to be survived: of three zones, the fullest."""
    return math.ceil(count / 3) if survive == "zone" else LOST[survive]


def loaded(values: Values, factor: float) -> Values:
    """Return the file with every rate multiplied."""
    for name, declared in values["workload"]["classes"].items():
        values = changed(values, f"workload.classes.{name}.rate", declared["rate"] * factor)
    return values


def priced(values: Values, **prices: float) -> Values:
    """Return the file with other prices."""
    for name, price in prices.items():
        values = changed(values, f"node_types.{name}.price", price)
    return values
