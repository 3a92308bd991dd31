from __future__ import annotations

import math
import random
import tomllib
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.errors import UsageError
from capacity.recommending import recommended, with_front
from capacity.scaling import Option, scale
from capacity.units import rounded_downtime
from tests.capacity.running import EXAMPLES
from tests.planner.brute_force import BruteForce
from tests.planner.random_systems import MOST, random_system
from tests.planner.systems import cache, changed, database, external, file, planned, service, topology
from tests.planner.tier_variants import FAMILY, failing, in_family, judged, scaled_tier, standing_on

if TYPE_CHECKING:
    from capacity.results import Evaluation
    from tests.planner.systems import Values

property_test = settings(max_examples=200)

NODES = {"n1": 1, "n2": 2, "n4": 4, "n8": 8}
"""The cores of the machines of the tests; each costs 73 USD a month for a core."""


def small(survive: tuple[str, ...] = ("node",), rate: float = 150.0, **app: Any) -> Values:
    """Return a file of one service of 10 ms."""
    return in_family(file({"app": service(0.01, None) | app}, rate, survive=survive, utilization=0.75))


def behind_web(**app: Any) -> Values:
    """Return a file of the same service behind a web server that takes next to nothing."""
    tiers = {"web": service(0.00001, 3, "n8", calls=[{"to": "app"}]), "app": service(0.01, None) | app}
    return in_family(file(tiers, 150, survive=("node",), utilization=0.75))


def stored(rate: float, writes: float, survive: tuple[str, ...] = (), **db: Any) -> Values:
    """Return a file of a database behind an app that takes next to nothing."""
    app = service(0.00001, None, "n8", calls=[{"to": "db", "writes": writes}])
    db = database(0.01, 0.01, "auto") | db
    return in_family(file({"app": app, "db": db}, rate, survive=survive, utilization=0.75))


def with_zones(values: Values) -> Values:
    """Return the file in three zones, one of which may be lost."""
    return changed(changed(values, "resilience.zones", 3), "resilience.survive", ["zone", "deploy"])


def reserved(values: Values) -> Values:
    """Return the file with its base load reserved for a year, and the rest of its nodes by the hour."""
    for node in values["node_types"].values():
        node["reserved_1y"] = node["price"] * 0.6
    return values | {"money": {"commitment": "1y", "coverage": 0.7}}


LOCAL = {
    "app": service(0.004, None, "n2", max_nodes=MOST, calls=[{"to": "near", "count": 2, "writes": 0.1}]),
    "near": cache("db", 0.0001, host="app", memory=200e3, popularity=0.8),
    "db": database(0.003, 0.004, "auto", max_nodes=MOST),
}
QUEUED = {
    "app": service(0.001, None, max_nodes=MOST, calls=[{"to": "jobs"}, {"to": "p", "timeout": 0.5, "retries": 1}]),
    "jobs": {"kind": "queue", "consumers": "worker", "partitions": 5, "delay": 2.0},
    "worker": service(0.02, None, "n2", max_nodes=MOST),
    "p": external(0.05, variability=1.0, rate_limit=200.0),
}
LAGGING = {"mode": "sync", "apply_time": 0.001, "network_delay": 0.001}
WRITING = service(0.002, None, max_nodes=MOST, calls=[{"to": "db", "count": 2, "writes": 0.3}])
SYSTEMS = {
    "one tier": small(max_nodes=9),
    "zones and deploys": with_zones(small(max_nodes=9, threads=40)),
    "reserved": reserved(small(max_nodes=9, stateful=True)),
    "availability": changed(behind_web(max_nodes=9), "slo.availability", 0.9996),
    "local cache": in_family(file(LOCAL, 150, survive=("node",), utilization=0.8, latency={"page": {"p99": 0.06}})),
    "queue": in_family(file(QUEUED, 80, survive=("node",), utilization=0.8, latency={"page": {"p99": 0.4}})),
    "sync replicas": in_family(
        file(
            {"app": WRITING, "db": database(0.004, 0.004, "auto", max_nodes=MOST, replication=LAGGING)},
            120,
            survive=("node", "primary"),
            utilization=0.7,
            latency={"page": {"p99": 0.2}},
        )
    ),
}


def agrees(option: Option, tier: str, found: Evaluation) -> None:
    """Check everything that an option says against the evaluation of the file that it stands for."""
    result = found.tiers[tier]
    costs = [item.monthly for item in found.cost.items if item.tier == tier]
    monthly = None if None in costs else math.fsum(cost for cost in costs if cost is not None)
    same = {
        "monthly": (option.monthly, monthly),
        "p99": (option.p99_s, result.response.p99_s),
        "availability": (option.availability, result.availability),
        "downtime": (option.downtime_s_per_month, result.downtime_s_per_month),
        "headroom": (option.headroom, result.headroom),
    } | {name: (p99, found.classes[name].p99_s) for name, p99 in option.classes.items()}
    for what, (told, true) in same.items():
        same_value = told is true if None in (told, true) else told == pytest.approx(true, rel=1e-9, abs=1e-12)
        assert same_value, f"{option.node}: {what}"
    assert (option.nodes, option.count, option.binding) == (result.nodes, result.count, result.binding)


def check_options(values: Values, tier: str, most: int | None = None) -> int:
    """Check every option of a tier from scratch, by trying every count up to `most` nodes; return how many are out."""
    counts, found = planned(values).counts, scaled_tier(values, tier)
    is_database = values["components"][tier]["kind"] == "database"
    least = 0 if is_database else 1
    for option in found.options:
        if option.out is None:
            assert option.count is not None
            made = standing_on(values, {**counts, tier: option.count}, tier, option.node, option.shards)
            agrees(option, tier, evaluation := judged(made))
            assert evaluation.feasible, option.node
            if option.count > least:
                fewer = standing_on(values, {**counts, tier: option.count - 1}, tier, option.node, option.shards)
                assert not judged(fewer).feasible, option.node
        tried = range(least, least + most if most is not None and option.out is not None else least)
        for count in tried:
            assert not judged(standing_on(values, {**counts, tier: count}, tier, option.node)).feasible, option
        if option.out is not None and most is not None:
            names = failing(standing_on(values, {**counts, tier: least + most - 1}, tier, option.node))
            assert any(option.out.startswith(name) for name in names), f"{option.out}: {names}"
    return sum(option.out is not None for option in found.options)


# Each option is a system of its own: written down and evaluated from scratch it passes everything and has the very
# numbers that the option shows, and with one node less it does not pass. What is out passes with no count.
@pytest.mark.parametrize("name", SYSTEMS)
def test_options_are_evaluations(name: str) -> None:
    values = SYSTEMS[name]
    for tier, declared in values["components"].items():
        if "max_nodes" in declared:
            check_options(values, tier, declared["max_nodes"])


# The same for random systems: caches that miss more as nodes go, threads, replicas that lag, contention, timeouts.
# For these every count below an option's is tried too, since in these more nodes may be worse.
@pytest.mark.parametrize("seed", [1, 4, 10])
def test_options_of_random_systems(seed: int) -> None:
    values = in_family(random_system(random.Random(seed), hard=seed % 2 == 0))  # noqa: S311, nothing is kept secret
    counts, found = planned(values).counts, scale(topology(values))
    assert found.feasible
    for tier, scaling in found.tiers.items():
        check_options(values, tier, MOST)
        for option in scaling.options:
            if option.out is None and option.shards in (None, 1):
                by_force = BruteForce(standing_on(values, counts, tier, option.node), MOST)
                passing = [c[tier] for c in vectors(by_force, counts, tier) if by_force.passes(c)]
                assert option.count == min(passing), f"seed {seed}: {tier} on {option.node}: {passing}"


def vectors(by_force: BruteForce, counts: dict[str, int], tier: str) -> list[dict[str, int]]:
    """Return the planned counts with every number of nodes of one tier."""
    least = 0 if by_force.fields[tier] == "replicas" else 1
    return [{**counts, tier: count} for count in range(least, least + MOST)]


# The same for examples: the shop, where many small nodes would hold too many connections, and a database with replicas.
# Checked without trying all thousand counts.
@pytest.mark.parametrize(("name", "tier", "out"), [("shop", "app", 1), ("ladder/5-read-replicas", "db", 0)])
def test_options_of_examples(name: str, tier: str, out: int) -> None:
    values = tomllib.loads((EXAMPLES / f"{name}.toml").read_text(encoding="utf-8"))
    assert check_options(values, tier) == out


slowed = changed(small(max_nodes=4, node="n2"), "node_types.n1.speed", 0.5)

often_down = behind_web(max_nodes=3, node="n4", mtbf="19d", mttr="1d")


# A type is out for what really fails with as many nodes as there may be, and only where no count passes.
@pytest.mark.parametrize(
    ("values", "node", "reason"),
    [
        (in_family(small(max_nodes=5, memory=3e9), n1={"vcpus": 1, "memory": 2e9}), "n1", "app memory at most "),
        (small(max_nodes=5, rate=800), "n1", "app cores at most "),
        (changed(slowed, "slo.latency", {"page": {"p99": 0.05}}), "n1", "page p99 within 50 ms"),
        (slowed, "n1", "app cores at most "),
        (in_family(small(response_size=1e6, max_nodes=6), n2={"vcpus": 2, "network": 1e7}), "n2", "app network at "),
        (small(max_nodes=1, rate=10), "n8", "nothing is left without a node of app"),
        (changed(often_down, "slo.availability", 0.995), "n1", "page availability "),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_reasons(values: Values, node: str, reason: str) -> None:
    option = next(option for option in scaled_tier(values, "app").options if option.node == node)
    assert option.out is not None
    assert option.out.startswith(reason)
    if "nothing" not in reason:
        check_options(values, "app", values["components"]["app"]["max_nodes"])
    assert [option.nodes, option.monthly, option.p99_s, option.headroom] == [None] * 4


# Replicas follow reads: as many as carry them below the ceiling, one more where one may be lost, whatever the type.
# Where no replica is left, the primary takes the reads.
@pytest.mark.parametrize("survive", [(), ("node",)])
def test_replicas_follow_reads(survive: tuple[str, ...]) -> None:
    for rate in (100.0, 500.0, 1100.0):
        for option in scaled_tier(stored(rate, 0.0, survive), "db").options:
            busy = rate * 0.01 / 0.75 / NODES[option.node]
            replicas = (math.ceil(busy - 1e-9) if busy > 1 else 0) + len(survive)
            assert (option.count, option.nodes, option.shards) == (replicas, replicas + 1, 1)


# Each replica applies every write: reads are carried by the cores that this leaves, and where it leaves none by none.
def test_replicas_apply_every_write() -> None:
    values = stored(600, 0.25, replication={"apply_time": 0.004})
    values["components"]["db"] |= {"write_time": 0.004}
    for option in scaled_tier(values, "db").options:
        left = 0.75 * NODES[option.node] - 150 * 0.004
        alone = NODES[option.node] * 0.75 >= 450 * 0.01 + 150 * 0.004
        assert option.count == (0 if alone else math.ceil(450 * 0.01 / left - 1e-9))
    busier = changed(values, "components.db.replication.apply_time", 0.0051)
    shards = {option.node: option.shards for option in scaled_tier(busier, "db").options if option.node != "n8"}
    assert shards == {"n1": 2, "n2": 2, "n4": 2}, "one thread applies them, on any type that needs replicas"


# Writes that one primary cannot take need shards: by doubling, the fewest that bring each primary below the ceiling.
# They cost operations by the month for each beyond the first, and the migration once.
@pytest.mark.parametrize(("shards", "rate"), [(1, 500.0), (1, 4000.0), (3, 3000.0)])
def test_writes_need_shards(shards: int, rate: float) -> None:
    values = stored(rate, 1.0, shards=shards, migration_cost=9000, operations_cost=250)
    sharded = 0
    for option in scaled_tier(values, "db").options:
        cores = NODES[option.node]
        needed = max(0, math.ceil(math.log2(rate * 0.01 / 0.75 / cores / shards) - 1e-9))
        wanted = shards * 2**needed
        sharded += needed > 0
        assert (option.shards, option.nodes, option.out) == (wanted, wanted, None)
        assert option.monthly == pytest.approx(wanted * 73 * cores + 250 * (wanted - 1))
        assert option.one_off == (9000 if needed else 0)
        assert option.lost_share == 1
        counts = planned(values).counts
        made = standing_on(values, {**counts, "db": option.count or 0}, "db", option.node, wanted)
        agrees(option, "db", judged(made))
    assert sharded >= 2


# What a migration costs is unknown where the file does not say; a node's price too: never 0.
def test_unknown_costs_of_shards() -> None:
    values = in_family(stored(500, 1.0), n2={"vcpus": 2})
    options = {option.node: option for option in scaled_tier(values, "db").options}
    assert [options[n].shards for n in ("n1", "n2", "n4", "n8")] == [8, 4, 2, 1]
    assert [options[n].one_off for n in ("n1", "n2", "n4", "n8")] == [None, None, None, 0.0]
    assert options["n2"].monthly is None
    assert not options["n2"].front


# The hottest shard decides: the one with the most popular key, which no number of shards divides.
def test_hottest_shard() -> None:
    values = stored(500, 1.0, objects=1000, popularity=1.0)
    hottest = 1 / math.fsum(1 / i for i in range(1, 1001))
    for option in scaled_tier(values, "db").options:
        if option.shards is not None and option.shards > 1:
            assert option.busiest_shard_share == pytest.approx(hottest + (1 - hottest) / option.shards, rel=0.02)
        taken = [2**k for k in range(7) if 500 * 0.01 * (hottest + (1 - hottest) / 2**k) <= 0.75 * NODES[option.node]]
        taken = taken if NODES[option.node] > 1 or 500 * 0.01 <= 0.75 else [s for s in taken if s > 1]
        assert option.shards == (min(taken) if taken else None)
    even = {option.node: option.shards for option in scaled_tier(stored(500, 1.0), "db").options}
    hot = {
        o.node: (o.shards, o.out) for o in scaled_tier(stored(1200, 1.0, objects=1000, popularity=1.0), "db").options
    }
    assert even["n1"] == 8
    assert hot["n1"][0] is None
    assert str(hot["n1"][1]).startswith("db primary cores at most ")


# Shards do not help against connections, which every shard's primary has to hold: no option is shown with any.
def test_shards_do_not_mend_connections() -> None:
    values = stored(50, 0.5, max_connections=10)
    values["components"]["app"]["calls"][0]["pool"] = 20
    found = scale(topology(values), "db")
    assert not found.feasible
    assert [what.split(" at most ")[0] for what in found.aside] == ["db connections"]
    assert {option.shards for option in found.tiers["db"].options} <= {1, None}


def shown(option: Option) -> tuple[float, ...]:
    """Return cost, p99 and downtime as people read them: in cents, to three digits, "under 1 s"."""
    assert option.monthly is not None
    down = rounded_downtime(option.downtime_s_per_month or 0.0)
    return round(option.monthly, 2), float(f"{option.p99_s or 0.0:.3g}"), down


def brute_front(options: list[Option]) -> set[str]:
    """Return the options that no other beats in cost, p99 and downtime without being worse in one of them."""
    known = {o.node: shown(o) for o in options if None not in (o.monthly, o.p99_s)}
    numbers: dict[str, Any] = {n: m for n, m in known.items() if all(o.out is None for o in options if o.node == n)}
    return {
        name
        for name, mine in numbers.items()
        if not any(all(a <= b for a, b in zip(o, mine, strict=True)) and o != mine for o in numbers.values())
    }


amounts = st.one_of(st.none(), st.sampled_from([1.0, 2.0, 3.0]), st.floats(0, 100))
some_options = st.lists(
    st.tuples(amounts, st.sampled_from([0.1, 0.2, 0.3]), st.sampled_from([0.0, 5.0, 9.0]), st.booleans()), max_size=8
)


# The front is what brute force finds; the recommendation is the cheapest that passes and of which the price is known.
@property_test
@given(some_options, st.integers(0, 7))
def test_front_and_recommendation(drawn: list[tuple[float | None, float, float, bool]], planned_at: int) -> None:
    options = [
        Option(node=f"n{i}", family=None, nodes=1, monthly=None if out else cost, p99_s=None if out else p99,
               downtime_s_per_month=None if out else down, out="no" if out else None, planned=i == planned_at)
        for i, (cost, p99, down, out) in enumerate(drawn)
    ]  # fmt: skip
    marked = with_front(options)
    assert {option.node for option in marked if option.front} == brute_front(options)
    assert [msgspec.structs.replace(option, front=False) for option in marked] == options
    best = recommended(marked)
    costs = {option.node: option.monthly for option in options if option.monthly is not None}
    assert (best is None) == (not costs)
    if best is not None:
        assert round(costs[best.node], 2) == round(min(costs.values()), 2)


# On real systems too, and the recommended one says why it is taken.
@pytest.mark.parametrize("name", ["one tier", "reserved", "zones and deploys"])
def test_front_of_systems(name: str) -> None:
    values = SYSTEMS[name]
    found = scaled_tier(values, "app")
    assert {option.node for option in found.options if option.front} == brute_front(found.options)
    best = found.recommendation
    assert best is not None
    costs = {option.node: option.monthly for option in found.options if option.monthly is not None}
    assert costs[best.node] == min(costs.values())
    assert best.reason.startswith("the file's own" if best.node == "n1" else "the cheapest that passes everything")


# An option without a price is shown as it is, and is neither on the front nor recommended: unknown is not 0.
def test_unknown_price() -> None:
    values = in_family(small(), n2={"vcpus": 2}, n3={"vcpus": 3, "price": 0.01})
    options = {option.node: option for option in scaled_tier(values, "app").options}
    assert options["n2"].monthly is None
    assert options["n2"].nodes == 2
    assert options["n2"].p99_s is not None
    assert options["n2"].out == "price unknown"
    assert not options["n2"].front
    best = scaled_tier(values, "app").recommendation
    assert best is not None
    assert best.node == "n3"
    own = scaled_tier(in_family(small(), n1={"vcpus": 1}), "app").recommendation
    assert own is not None
    assert own.reason.startswith("the cheapest of known price that passes everything; what the file's own costs is")
    foreign = small() | {"currency": "EUR"}
    book = [option for option in scaled_tier(foreign, "app", "all").options if option.family != FAMILY]
    assert book
    assert all(option.monthly is None and not option.front for option in book)


# Which types are compared: those of the tier's own family, the smallest first; another family by its name with the
# tier's own type beside it; or all of them. What the file calls a type wins over the book.
def test_families() -> None:
    values = in_family(small(), x9={"vcpus": 3, "speed": 0.5, "price": 1.0}, other={"vcpus": 2, "family": "o"})
    assert [option.node for option in scaled_tier(values, "app").options] == ["n1", "x9", "n2", "n4", "n8"]
    assert {option.node for option in scaled_tier(values, "app", "o").options} == {"n1", "other"}
    everything = scaled_tier(values, "app", "all").options
    assert {"n1", "other", "c6i.large", "r7i.48xlarge"} <= {option.node for option in everything}
    sizes = [NODES.get(option.node, 1.5) for option in everything if option.family == FAMILY]
    assert all(a <= b for a, b in pairwise(sizes))
    assert [option.node for option in everything if option.planned] == ["n1"]
    with pytest.raises(UsageError, match=r'--family "zz": there are all, c6i.*, n, o, r6i'):
        scale(topology(values), "app", "zz")


# A tier whose count the file gives is compared by what it would need: the count is no reason to keep one. The file's own
# option has the file's count, with the numbers of that, and is out where that does not pass.
@pytest.mark.parametrize("nodes", [1, 3, 8])
def test_given_count_does_not_bind_options(nodes: int) -> None:
    values = small(nodes=nodes)
    free, found = scaled_tier(small(), "app"), scaled_tier(values, "app")
    needed = [(o.node, o.nodes, o.monthly) for o in free.options]
    assert [(o.node, o.nodes, o.monthly) for o in found.options if not o.planned or o.nodes == 3] == needed
    (own,) = [option for option in found.options if option.planned]
    assert (own.node, own.nodes) == ("n1", nodes)
    agrees(own, "app", judged(values))
    assert (own.out is None) == judged(values).feasible
    assert scale(topology(values), "app").feasible == (nodes > 1)
    best = found.recommendation
    assert best is not None
    assert (best.node, best.nodes) == ("n1", 3)
    told = {1: "the file's own does not", 3: "the file's own, and", 8: "365.00 less a month than the file's 8 x n1"}
    assert told[nodes] in best.reason


# A guess that fails for what no node relieves hides no smaller count: 2 x n1 open 20 connections of the 75 allowed.
def test_a_guess_hides_no_smaller_count() -> None:
    app = service(0.001, None, "n8", threads=10, calls=[{"to": "db"}])
    db = database(0.0001, 0, 1, "n8", max_connections=100, read_from="any")
    values = in_family(file({"app": app, "db": db}, 10, survive=("node",), utilization=0.75))
    assert [option.nodes for option in scaled_tier(values, "app").options] == [2, 2, 2, 2]


# The same for the thread that applies writes: without any replica n8 carries all, and needs no shards.
def test_a_guess_hides_no_primary_alone() -> None:
    values = stored(600, 0.25, replication={"apply_time": 0.0051}, write_time=0.004)
    option = next(option for option in scaled_tier(values, "db").options if option.node == "n8")
    assert (option.shards, option.count) == (1, 0)


# More shards than the file has are not the file's own, which does not pass.
def test_more_shards_are_not_the_files_own() -> None:
    values = stored(700, 1.0, node="n8", migration_cost=10, operations_cost=1)
    best = scaled_tier(values, "db").recommendation
    assert best is not None
    assert best.shards == 2
    assert not best.reason.startswith("the file's own, and the cheapest")


# A machine that nobody calls itself, and on which others live, is a tier to scale, by what arrives at those.
def test_a_host_that_nobody_calls() -> None:
    tiers = {"web": {"kind": "service", "host": "box", "cpu_time": 0.01}, "box": service(0.0, None)}
    found = scale(topology(in_family(file(tiers, 200, utilization=0.75)))).tiers
    assert list(found) == ["box"]
    assert found["box"].arrival_rate_per_s == pytest.approx(200)
    assert [option.nodes for option in found["box"].options] == [3, 2, 1, 1]
    assert found["box"].recommendation is not None
    assert found["box"].crossing is not None
    assert [side.ends_at_per_s for side in found["box"].crossing.sides] == pytest.approx([600, 75_000], rel=1e-3)


# The numbers of an option do not depend on the systems that were solved before, where tries of a call feed themselves.
def test_retries_do_not_depend_on_the_way() -> None:
    values = in_family(random_system(random.Random(12)))  # noqa: S311, nothing is kept secret
    counts = planned(values).counts
    for option in scaled_tier(values, "db").options:
        made = judged(standing_on(values, {**counts, "db": option.count or 0}, "db", option.node))
        assert option.classes["page"] == pytest.approx(made.classes["page"].p99_s, rel=1e-9)


# Where the plan itself fails elsewhere, for what no count of any tier mends, that is said once and held against no
# option: they are those of a partner without its limit.
def test_infeasible_plan() -> None:
    calls = [{"to": "p"}]
    tiers = {"app": service(0.01, None, calls=calls), "p": external(0.05, rate_limit=100.0)}
    found = scale(topology(small() | {"components": tiers}), "app")
    free = scale(topology(small() | {"components": tiers | {"p": external(0.05)}}), "app")
    assert (found.feasible, found.aside) == (False, ["p rate at most 100/s"])
    assert (free.feasible, free.aside) == (True, [])
    shown, true = ([(o.node, o.nodes, o.monthly, o.out) for o in x.tiers["app"].options] for x in (found, free))
    assert shown == true


# What the tier itself is to blame for is held against its options, also where no plan meets it: a small type is out for
# memory, and a larger one is recommended.
def test_plan_infeasible_by_the_tier_itself() -> None:
    values = in_family(small(memory=3e9), n1={"vcpus": 1, "memory": 2e9, "price": 0.01})
    found = scale(topology(values), "app")
    assert not found.feasible
    options = {option.node: option for option in found.tiers["app"].options}
    assert str(options["n1"].out).startswith("app memory at most ")
    best = found.tiers["app"].recommendation
    assert best is not None
    assert best.node == "n2"
    assert "the file's own does not" in best.reason


# The work is counted, and told as it is done: three tiers on all types of their families take fewer than 1,000 systems.
def test_work() -> None:
    values = tomllib.loads((EXAMPLES / "ladder/4-load-balanced.toml").read_text(encoding="utf-8"))
    solved: list[int] = []
    scale(topology(values), tick=solved.append)
    assert solved == list(range(1, len(solved) + 1))
    assert len(solved) < 1000


# A downtime that is not known is not 0: nothing is beaten by a type with spot nodes that nobody knows the fate of.
def test_unknown_downtime() -> None:
    values = small((), 150.0, spot=0.5)
    for node in values["node_types"].values():
        node["spot"] = node["price"] * 0.9
    options = {option.node: option for option in scaled_tier(values, "app").options}
    assert options["n1"].downtime_s_per_month is None
    assert options["n2"].downtime_s_per_month is not None
    assert options["n2"].front


# What is hopeless for a class is held against no node type of a tier, also where the two have one name.
@pytest.mark.parametrize("tier", ["app", "page"])
def test_class_and_tier_of_one_name(tier: str) -> None:
    calls = [{"to": "p", "timeout": 1.0}]
    found = scale(
        topology(
            file(
                {tier: service(0.005, None, calls=calls), "p": external(0.02)},
                survive=("partner",),
                latency={"page": {"p99": 0.1}},
            )
        )
    )
    assert found.aside == ["page p99 within 100 ms with p slow"]
    assert [option.out for option in found.tiers[tier].options if option.out] == []
    assert found.tiers[tier].recommendation is not None
