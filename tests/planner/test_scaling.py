"""Every node type for a tier: how many it takes, what they bring, and why one is out."""

from __future__ import annotations

import random
import tomllib
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from capacity.errors import UsageError
from capacity.scaling import scale
from tests.capacity.running import EXAMPLES
from tests.planner.brute_force import BruteForce
from tests.planner.random_systems import MOST, random_system
from tests.planner.scaled_systems import NODES, SYSTEMS, agrees, behind_web, check_options, small
from tests.planner.systems import changed, database, external, file, planned, service, topology
from tests.planner.tier_variants import FAMILY, in_family, judged, scaled_tier, standing_on

if TYPE_CHECKING:
    from tests.planner.systems import Values


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
