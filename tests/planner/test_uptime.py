"""Availability of whole systems: against every state of their nodes and zones, against brute force, and by hand."""

from __future__ import annotations

import math
import random
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from capacity.plan import as_given
from capacity.report import sections
from capacity.search import Search
from capacity.system import resolve
from capacity.uptime import Uptime
from tests.planner.brute_force import BruteForce
from tests.planner.random_systems import random_system
from tests.planner.systems import (
    Values,
    cache,
    changed,
    database,
    evaluated,
    external,
    file,
    service,
    topology,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from capacity.results import ClassResult, Evaluation

MONTH = 2_628_000.0
"""Seconds in 730 hours."""

NODE = 1800 / (180 * 86400 + 1800)
"""A node is down for 30 minutes every 180 days, unless the file says otherwise."""

ZONE = 7200 / (730 * 86400 + 7200)
"""A zone is down for two hours every two years."""

RESTART = 300 / MONTH
"""A node restarts once a month, for five minutes."""

FRAGILE: Values = {"node_mtbf": "9d", "node_mttr": "1d", "zone_mtbf": "19d", "zone_mttr": "1d", "restarts": 0}
"""Nodes that are down a tenth of the time and zones that are a twentieth: what is small elsewhere is seen."""


def resilient(values: Values, **resilience: Any) -> Values:
    """Return a file with other lifetimes or zones."""
    return values | {"resilience": values["resilience"] | resilience}


def given(values: Values) -> Evaluation:
    """Return the whole evaluation of the counts that a file gives."""
    return as_given(topology(values)).evaluation


def down(found: Evaluation, tier: str | None = None) -> float:
    """Return the unavailability of a tier, or of the first class, by its minutes a month."""
    seconds = (next(iter(found.classes.values())) if tier is None else found.tiers[tier]).downtime_s_per_month
    assert seconds is not None
    return seconds / MONTH


def serves(values: Values) -> bool:
    """Return whether a file as it stands answers everything and exceeds no limit of its own machines."""
    found = evaluated(values)
    answered = all(c.mean_s is not None for c in found.classes.values())
    answered &= all(t.total_mean_s is not None for t in found.tiers.values() if t.arrival_rate_per_s > 0)
    own = [x for t in found.tiers.values() if t.kind != "external" for x in t.limits]
    return answered and all(x.used <= x.capacity * (1 + 1e-9) for x in own)


def served_by(values: Values) -> Callable[[Mapping[str, int]], bool]:
    """Return a function that tells whether a file serves with so many nodes up, each combination evaluated once."""
    everything, seen = BruteForce(values, 99), dict[tuple[int, ...], bool]()

    def served(up: Mapping[str, int]) -> bool:
        counts = {name: n - (everything.fields[name] == "replicas") for name, n in up.items()}
        key = tuple(counts.values())
        if key not in seen:
            kinds = {name: values["components"][name]["kind"] for name in counts}
            enough = all(n >= (1 if kinds[name] == "service" else 0) for name, n in counts.items())
            seen[key] = enough and serves(everything.file(counts))
        return seen[key]

    return served


def share_down(
    nodes: Mapping[str, int],
    zones: int,
    served: Callable[[Mapping[str, int]], bool],
    start: Mapping[str, int] | None = None,
) -> float:
    """Return the probability of all states of fragile nodes and zones that do not serve.

    Nodes go round the zones, those of each tier from the zone on where it starts.
    """
    starts = dict.fromkeys(nodes, 0) | dict(start or {})
    total = 0.0
    states = {name: [(sum(s), s) for s in product((0, 1), repeat=n)] for name, n in nodes.items()}
    for alive in product((0, 1), repeat=zones):
        of_zones = math.prod(0.95 if up else 0.05 for up in alive)
        by_count: list[dict[int, float]] = []
        for name, n in nodes.items():
            found = dict[int, float]()
            for up, state in states[name]:
                left = sum(bit & alive[(i + starts[name]) % zones] for i, bit in enumerate(state))
                found[left] = found.get(left, 0.0) + 0.9**up * 0.1 ** (n - up)
            by_count.append(found)
        for counts in product(*by_count):
            if not served(dict(zip(nodes, counts, strict=True))):
                total += of_zones * math.prod(part[c] for part, c in zip(by_count, counts, strict=True))
    return total


# The nodes that a tier needs are the fewest with which everything is answered and no limit is exceeded, all others
# being there: told by whole files, every count tried.
@pytest.mark.parametrize("seed", range(40))
def test_nodes_needed_by_brute_force(seed: int) -> None:
    draws = random.Random(seed)  # noqa: S311, nothing is kept secret
    values = changed(random_system(draws), "components.db.max_connections", None)
    everything = BruteForce(values, 6)
    counts = {name: draws.randint(1, 6) for name in everything.fields}
    uptime, served = Uptime(Search.of(resolve(topology(values))), counts), served_by(values)
    up = {name: count + (everything.fields[name] == "replicas") for name, count in counts.items()}
    for name, most in up.items():
        found = uptime.tier(name)
        if not served(up):
            assert found is None
            continue
        assert found is not None
        assert found.nodes == most
        assert found.needed == next(n for n in range(most + 1) if served({**up, name: n})), name


def two_tiers(app: int, db: int, zones: int, rate: float = 150) -> Values:
    """Return web servers before a database, of which the one needs two nodes and the other one for each 100/s."""
    stored = database(0.006, 0, db - 1, read_from="any", replication={"failover_time": 0})
    tiers = {"app": service(0.01, app, calls=[{"to": "db"}]), "db": stored}
    return resilient(file(tiers, rate), zones=zones, **FRAGILE)


# In all states of all nodes and zones a class is up as often as it is told, and so is each tier, the other one being
# there. Tiers that share zones fall with them: together they are up more often than if they failed on their own.
@pytest.mark.parametrize(("app", "db", "zones"), [(4, 2, 2), (6, 3, 3), (3, 3, 3), (4, 4, 1), (2, 2, 2)])
def test_every_state_of_nodes_and_zones(app: int, db: int, zones: int) -> None:
    values = two_tiers(app, db, zones)
    found, served, nodes = given(values), served_by(values), {"app": app, "db": db}
    alone = {}
    for name, count in nodes.items():
        alone[name] = share_down({name: count}, zones, lambda up: served({**nodes, **up}))
        assert down(found, name) == pytest.approx(alone[name], rel=1e-9)
    together = share_down(nodes, zones, served)
    assert down(found) == pytest.approx(together, rel=1e-9)
    assert together * 1.01 < 1 - (1 - alone["app"]) * (1 - alone["db"])
    assert found.classes["page"].availability == pytest.approx(1 - together, rel=1e-12)


# Where zones do not divide the nodes, each tier has its odd nodes in any of the zones, whatever the other tier does: the
# average over all ways to place the two.
@pytest.mark.parametrize(("app", "db", "zones"), [(1, 1, 2), (1, 1, 3), (5, 2, 3), (4, 3, 2)])
def test_uneven_zones(app: int, db: int, zones: int) -> None:
    values = two_tiers(app, db, zones, rate=60)
    nodes, served = {"app": app, "db": db}, served_by(values)
    each = [share_down(nodes, zones, served, {"db": start}) for start in range(zones)]
    assert down(given(values)) == pytest.approx(sum(each) / zones, rel=1e-9)


# A node in one of many zones is down with its own zone, and with no other.
@pytest.mark.parametrize("zones", [1, 3, 7])
def test_one_node_has_one_zone(zones: int) -> None:
    values = resilient(file({"app": service(0.001, 1)}, 10), zones=zones, restarts=0)
    assert down(given(values)) == pytest.approx(1 - (1 - ZONE) * (1 - NODE), rel=1e-9)


# One big machine has no k of n: it is down while it fails, while its zone does, and while it is restarted.
@pytest.mark.parametrize("restarts", [0, 1, 4])
def test_one_machine(restarts: int) -> None:
    values = resilient(file({"app": service(0.001, 1, "n8")}, 10), restarts=restarts)
    found = given(values)
    expected = 1 - (1 - ZONE) * (1 - NODE) * (1 - restarts * RESTART)
    assert found.tiers["app"].nodes_needed == 1
    assert down(found) == pytest.approx(expected, rel=1e-9)
    assert down(found, "app") == pytest.approx(expected, rel=1e-9)
    assert found.tiers["app"].downtime_s_per_month == pytest.approx(
        1800 * 730 / 4320 + 7200 * 730 / 17520 + 300 * restarts, rel=1e-3
    )


# Planned restarts take one node after another while the others may fail as ever, however nodes are bought.
@pytest.mark.parametrize(("nodes", "needed"), [(1, 1), (2, 1), (2, 2), (3, 2)])
@pytest.mark.parametrize("spot", [0.0, 1.0])
def test_restarts_of_several_nodes(nodes: int, needed: int, spot: float) -> None:
    values = file({"app": service(0.01, nodes, spot=spot)}, 100 * needed - 50)
    values = resilient(values | {"money": {"spot_interruptions": 0}}, zone_mttr=0, restarts=20, restart_time=3600)

    def fewer(n: int) -> float:
        return sum(math.comb(n, up) * (1 - NODE) ** up * NODE ** (n - up) for up in range(min(needed, n + 1)))

    restarting = nodes * 20 * 3600 / MONTH
    found = given(values)
    assert found.tiers["app"].nodes_needed == needed
    assert down(found) == pytest.approx((1 - restarting) * fewer(nodes) + restarting * fewer(nodes - 1), rel=1e-9)


def stored(replicas: int, shards: int = 1, **fields: Any) -> Values:
    """Return two classes before one database, of which one only reads, with half a node of load for each shard."""
    fields = {"replication": {"failover_time": "2min"}} | fields
    tiers = {
        "app": service(0.0001, 3, mttr=0, calls=[{"to": "db", "writes": 0.5, "classes": ["write"]}, {"to": "db"}]),
        "db": database(0.001, 0.001, replicas, shards=shards, **fields),
    }
    return resilient(file(tiers, {"read": 100, "write": 100}), zone_mttr=0, restarts=2)


# A database with replicas is also without a writer while another node takes over: two minutes for each failure of a
# primary and for each of its planned restarts, for each shard. Who only reads does not wait for that. The nodes of
# each shard fail as any others; without a replica there is nothing to switch to.
@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("replicas", [0, 1, 2])
def test_failover(replicas: int, shards: int) -> None:
    found, n = given(stored(replicas, shards)), replicas + 1
    restarting = n * 2 * RESTART
    of_shard = (1 - restarting) * NODE**n + restarting * NODE**replicas
    reading = 1 - (1 - of_shard) ** shards
    switching = shards * (120 / (180 * 86400) + 2 * 120 / MONTH) if replicas else 0.0
    assert found.tiers["db"].nodes_needed == 1
    assert 1 - (found.classes["read"].availability or 0) == pytest.approx(reading, rel=1e-6, abs=1e-15)
    assert 1 - (found.classes["write"].availability or 0) == pytest.approx(reading + switching, rel=1e-3)
    assert down(found, "db") == pytest.approx(1 - (1 - reading) * (1 - switching), rel=1e-9)


# Who reads from the primary waits for another one as well.
def test_reads_of_the_primary_wait_for_a_failover() -> None:
    found = given(stored(2, read_from="primary"))
    assert found.classes["read"].availability == found.classes["write"].availability


# A tier's own lifetimes take the place of those of all, one by one.
@pytest.mark.parametrize(
    ("own", "unavailability"),
    [({"mtbf": "9d"}, 1800 / (9 * 86400 + 1800)), ({"mttr": "1d"}, 1 / 181), ({"mtbf": "9d", "mttr": "1d"}, 0.1)],
)
def test_lifetimes_of_one_tier(own: Values, unavailability: float) -> None:
    tiers = {"app": service(0.001, 1, calls=[{"to": "db"}], **own), "db": database(0.001)}
    found = given(resilient(file(tiers, 10), zone_mttr=0, restarts=0))
    assert down(found, "app") == pytest.approx(unavailability)
    assert down(found, "db") == pytest.approx(NODE)


def needing(*calls: str, **tiers: Values) -> ClassResult:
    """Return the class of an app on two nodes that calls some tiers."""
    app = service(0.0001, 2, calls=[{"to": to} for to in calls])
    return given(file({"app": app} | tiers, 10)).classes["page"]


# Partners are in series with everything else. Without its promise, how often one is down is unknown, and so is the
# availability: at most what is known, and never taken for 100 %.
def test_partners() -> None:
    one, other = external(0.01, availability=0.999), external(0.01, availability="99%")
    alone = needing().availability
    assert alone is not None
    assert needing("p", "q", p=one, q=other).availability == pytest.approx(alone * 0.999 * 0.99, rel=1e-12)
    assert needing("p", "q", p=one, q=other).availability_limited_by == "q"
    found = needing("p", "q", p=one, q=external(0.01))
    assert found.availability is None
    assert found.availability_unknown == ["q"]
    assert found.availability_at_most == pytest.approx(alone * 0.999, rel=1e-12)
    assert found.downtime_s_per_month == pytest.approx((1 - alone * 0.999) * MONTH)


# The report says "at most" where a partner is unknown, and whose figure is missing.
def test_unknown_partners_are_told() -> None:
    tiers = {"app": service(0.001, 2, calls=[{"to": "p"}]), "p": external(0.01)}
    lines = [line for s in sections(given(file(tiers, 10))) for line in (*map(" | ".join, s.rows), *s.notes)]
    (row,) = [line for line in lines if line.startswith("page | most by")]
    assert "at most 99.98" in row
    assert "not known, and not counted: how often p is down" in lines


# A class needs what its own requests wait for: not the calls of others, nor what is behind a queue.
def test_only_what_is_waited_for() -> None:
    hopeless = {"mtbf": "1d", "mttr": "1d"}
    alone, jobs = needing().availability, {"kind": "queue", "consumers": "worker", "availability": 1}
    assert needing("jobs", jobs=jobs, worker=service(0.001, 1, **hopeless)).availability == alone
    calls = [{"to": "p", "classes": ["buy"]}, {"to": "jobs"}]
    tiers = {"app": service(0.0001, 2, calls=calls), "jobs": jobs, "worker": service(0.001, 1, calls=[{"to": "p"}])}
    found = given(file(tiers | {"p": external(0.01, availability=0.9)}, {"page": 10, "buy": 10}))
    assert found.classes["page"].availability == alone
    assert found.classes["buy"].availability == pytest.approx((alone or 0) * 0.9)


# A cache without which its origin bears the load is not needed, however often it fails; one whose origin does not, is.
@pytest.mark.parametrize(("rate", "needed"), [(100, 0), (450, 1)])
def test_caches(rate: float, needed: int) -> None:
    tiers = {
        "app": service(0.0001, 2, calls=[{"to": "near"}]),
        "near": cache("db", 0.0001, 2, mtbf="1d", mttr="1d"),
        "db": database(0.005, 0, 1, read_from="any"),
    }
    found = given(resilient(file(tiers, rate), zones=2, zone_mttr=0, restarts=0))
    assert found.tiers["near"].nodes_needed == needed
    assert down(found, "near") == pytest.approx(0.25 * needed)
    assert (found.classes["page"].availability_limited_by == "near") == bool(needed)
    assert down(found) == pytest.approx(0.25 * needed, abs=1e-4)


# An overload says nothing about those who do not wait for it.
def test_an_overload_elsewhere() -> None:
    values = file({"app": service(0.001, 2), "other": service(0.02, 1)}, {"page": 10, "busy": 100})
    values = changed(values, "workload.classes.busy.entry", "other")
    found = given(changed(values, "slo.availability", 0.9))
    alone = needing().availability
    assert found.classes["busy"].availability is None
    assert found.tiers["other"].availability is None
    assert found.classes["page"].availability == alone
    assert found.classes["page"].slo[-1].met


# Spot nodes are also taken away: of one that is and one that is not, one has to be there. How often must be known.
@pytest.mark.parametrize("per_month", [0, 1, 30])
def test_spot_nodes(per_month: float) -> None:
    values = resilient(file({"app": service(0.001, 2, spot=0.5)}, 10), zone_mttr=0, restarts=0)
    taken = per_month * 1800 / (MONTH + per_month * 1800)
    found = given(values | {"money": {"spot_interruptions": per_month}})
    assert down(found) == pytest.approx(NODE * (1 - (1 - NODE) * (1 - taken)), rel=1e-9)
    unknown = given(values)
    page, tier = unknown.classes["page"], unknown.tiers["app"]
    assert (page.availability, page.availability_unknown) == (None, ["app"])
    assert (tier.availability, tier.downtime_s_per_month) == (None, None)
    assert page.availability_at_most == pytest.approx(1 - NODE**2, rel=1e-12)
    assert given(changed(values, "components.app.spot", 0.4)).classes["page"].availability is not None
