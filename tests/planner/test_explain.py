"""Explanations: the formula with the numbers gives the evaluation's number, and its derivatives are the evaluation's."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from capacity.document import load
from capacity.evaluate import evaluate
from capacity.explaining import METRICS, explain
from capacity.plan import plan
from capacity.sensitivity import replaced
from capacity.system import resolve
from tests.capacity.running import EXAMPLES, capacity, columns
from tests.planner.random_systems import random_system
from tests.planner.systems import cache, changed, database, evaluated, external, file, planned, service, topology

if TYPE_CHECKING:
    from pathlib import Path

    from capacity.explanations import Explained, Explanation
    from tests.planner.systems import Values

LAST_DIGIT = 1e-12
"""Relative: one and the same closed form, by another road in doubles."""


def two(**fields: Any) -> Values:
    """Two classes with unlike work at one service."""
    web = service({"a": 0.004, "b": 0.02}, **fields)
    return file({"web": web}, {"a": 60.0, "b": 12.0}, peak_to_mean=1.5)


SYSTEMS: dict[str, tuple[Values, str]] = {
    "M/M/1": (file({"web": service(0.008)}), "web"),
    "M/M/c": (file({"web": service(0.03, nodes=1, node="n4")}), "web"),
    "M/G/1, constant": (file({"web": service(0.008, variability=0.0)}), "web"),
    "M/G/c, regular": (file({"web": service(0.03, node="n4", variability=0.4)}), "web"),
    "M/G/c, variable": (file({"web": service(0.03, node="n4", variability=3.0)}), "web"),
    "mixture": (two(nodes=2, variability={"a": 0.3, "b": 2.0}), "web"),
    "least connections": (two(nodes=3, balancing="least_connections"), "web"),
    "round robin": (two(nodes=3, balancing="round_robin", variability=0.5), "web"),
    "random": (two(nodes=3, balancing="random"), "web"),
    "scalability": (two(nodes=4, contention=0.05, coherency=0.001), "web"),
    "bursts": (changed(two(nodes=2), "workload.classes.a.burstiness", 4.0), "web"),
    "regular arrivals": (changed(two(nodes=2), "workload.classes.a.burstiness", 0.2), "web"),
    "threads unfelt": (file({"web": service(0.008, threads=4000)}), "web"),
    "threads felt": (file({"web": service(0.002, threads=4, calls=[{"to": "p"}]), "p": external(0.02)}), "web"),
    "partner that queues": (file({"web": service(0.001, calls=[{"to": "p"}]), "p": external(0.2, concurrency_limit=30, rate_limit=140, variability=2.0)}), "p"),
    "partner that rejects": (file({"web": service(0.001, calls=[{"to": "p"}]), "p": external(0.2, concurrency_limit=20, rate_limit=90, burst=5, overflow="reject")}), "p"),
    "hosted": (file({"web": service(0.004, nodes=2, calls=[{"to": "app"}]), "app": {"kind": "service", "host": "web", "cpu_time": 0.005}}), "app"),
    "local cache": (file({"web": service(0.004, nodes=2, calls=[{"to": "c"}]), "c": cache("db", 0.001, host="web", memory=2e5), "db": database(0.002, node="n4")}), "c"),
    "global cache": (file({"web": service(0.001, calls=[{"to": "c"}]), "c": cache("db", 0.004, nodes=3, memory=1e5), "db": database(0.002, node="n4")}), "c"),
    "cache with ttl": (file({"web": service(0.001, calls=[{"to": "c", "writes": 0.1}]), "c": cache("db", 0.001, eviction="fifo", memory=1e5, ttl=2.0), "db": database(0.002, 0.002, node="n4")}), "c"),
    "database": (file({"web": service(0.001, calls=[{"to": "db", "writes": 0.3}]), "db": database(0.01, 0.012, replicas=2, read_from="any", replication={"apply_time": 0.004, "network_delay": 0.001})}), "db"),
    "semi-synchronous": (file({"web": service(0.001, calls=[{"to": "db", "writes": 0.3}]), "db": database(0.004, 0.012, replicas=2, shards=2, replication={"mode": "semi_sync", "apply_time": 0.004, "network_delay": 0.001})}), "db"),
    "quorum": (file({"web": service(0.001, calls=[{"to": "db", "writes": 0.3}]), "db": database(0.01, 0.012, replicas=2, node="n2", replication={"mode": "quorum", "apply_time": 0.004, "network_delay": 0.001})}), "db"),
    "queue": (file({"q": {"kind": "queue", "consumers": "w", "partitions": 3}, "w": service(0.015, nodes=5)}), "q"),
    "overloaded": (file({"web": service(0.02)}), "web"),
}  # fmt: skip


def told(values: Values, tier: str, metric: str | None = None, scenario: str | None = None) -> Explained:
    return explain(topology(values), tier, metric, scenario)


def agree(one: Explanation) -> bool:
    """Whether formula and evaluation are one number: relative to it, or where nobody waits to a double's rounding."""
    if one.value is None or one.by_formula is None:
        return True
    if one.value == 0:
        return abs(one.by_formula) < LAST_DIGIT
    return math.isclose(one.value, one.by_formula, rel_tol=LAST_DIGIT)


# To the last digit: every metric of every kind of tier, in every case of its formulas.
@pytest.mark.parametrize("name", SYSTEMS)
def test_the_formula_gives_the_evaluations_number(name: str) -> None:
    values, tier = SYSTEMS[name]
    result, found = evaluated(values).tiers[tier], {m.metric: m for m in told(values, tier).metrics}
    assert all(agree(one) for one in found.values()), {m: (e.value, e.by_formula) for m, e in found.items()}
    assert found["utilization"].value == result.utilization if "utilization" in found else result.utilization is None
    seen = {
        "wait": result.wait_mean_s,
        "mean": result.response.mean_s,
        "total": result.total_mean_s,
        "headroom": result.headroom,
    }
    for metric, wanted in seen.items():
        assert metric not in found or found[metric].value == wanted
    assert all(
        one.by_formula is not None
        for m, one in found.items()
        if m in ("utilization", "mean", "wait") and one.value is not None
    )


# The same for the plan of the shop, tier by tier, availability and cost included.
def test_every_number_of_the_shop() -> None:
    found, shop = {}, load(str(EXAMPLES / "shop.toml"), (), 1.0, None).topology
    counts = planned_counts()
    for path, count in counts.items():
        shop = replaced_count(shop, path, count)
    for tier in shop.components:
        found[tier] = explain(shop, tier)
    assert all(agree(one) for tier in found.values() for one in tier.metrics)
    assert {m.metric for tier in found.values() for m in tier.metrics} == set(METRICS) - {"rejected"}


def planned_counts() -> dict[tuple[str, str, str], int]:
    """Return the counts of the shop's plan, so that it is looked for once."""
    document = load(str(EXAMPLES / "shop.toml"), (), 1.0, None)
    system = resolve(document.topology)
    found = plan(document.topology).counts
    return {("components", name, system.tiers[name].counted or ""): count for name, count in found.items()}


def replaced_count(shop: Any, path: tuple[str, str, str], count: int) -> Any:
    tier = msgspec.structs.replace(shop.components[path[1]], **{path[2]: count})
    return msgspec.structs.replace(shop, components={**shop.components, path[1]: tier})


SLOPES = [
    "M/M/1",
    "M/M/c",
    "M/G/c, regular",
    "M/G/c, variable",
    "mixture",
    "least connections",
    "scalability",
    "round robin",
]


# A derivative by a number of the file is what the evaluation does when that number changes.
@pytest.mark.parametrize("name", SLOPES)
@pytest.mark.parametrize("metric", ["utilization", "wait", "mean"])
def test_derivatives_are_the_evaluations(name: str, metric: str) -> None:
    values, tier = SYSTEMS[name]
    one, system = told(values, tier, metric).metrics[0], topology(values)
    keyed = [e for e in one.effects if e.key is not None]
    assert keyed
    for effect in keyed:
        path = tuple(str(effect.key).split("."))
        before: Any = system
        for key in path:
            before = before[key] if isinstance(before, dict) else getattr(before, key)
        sides = []
        for factor in (1 - 1e-4, 1 + 1e-4):
            result = evaluate(replaced(system, path, before * factor)).tiers[tier]
            sides.append(
                {"utilization": result.utilization, "wait": result.wait_mean_s, "mean": result.response.mean_s}[metric]
            )
        below, above = sides
        assert below is not None
        assert above is not None
        # A central difference over 1e-4 either way: its square times a curvature of some hundreds, and for the shape of
        # Erlang mixtures nothing else, since their mean and squared CV are exact.
        assert effect.relative == pytest.approx(
            math.log(above / below) / math.log((1 + 1e-4) / (1 - 1e-4)), rel=1e-4, abs=1e-6
        )


# The same for whatever a file may hold: random systems with random counts, overloaded ones among them.
@pytest.mark.parametrize("seed", range(12))
def test_random_systems(seed: int) -> None:
    draws = random.Random(seed)  # noqa: S311, files and no secrets
    values = random_system(draws)
    for tier in values["components"].values():
        if tier["kind"] == "database":
            tier["replicas"] = draws.randint(0, 4)
        elif tier["kind"] in ("service", "cache") and "host" not in tier:
            tier["nodes"] = draws.randint(1, 6)
    for name in values["components"]:
        found = told(values, name).metrics
        assert all(agree(one) for one in found), {m.metric: (m.value, m.by_formula) for m in found}


# Nothing is claimed to be exact that the evaluation says is not.
@pytest.mark.parametrize("name", ["M/M/1", "M/M/c", "M/G/c, regular", "least connections", "bursts"])
def test_exact_where_the_evaluation_is(name: str) -> None:
    values, tier = SYSTEMS[name]
    assert told(values, tier, "wait").metrics[0].exact == evaluated(values).tiers[tier].exact


# An overload has no wait: it says by how much, with the arithmetic of its load.
def test_an_overload() -> None:
    values, tier = SYSTEMS["overloaded"]
    one = told(values, tier, "wait").metrics[0]
    assert one.value is None
    assert "200.0%" in one.notes[0]
    assert one.lines[-1].value == pytest.approx(2.0)


# Limits that are felt have no closed form, and that is said.
def test_threads_that_are_felt() -> None:
    values, tier = SYSTEMS["threads felt"]
    assert "no closed form" in told(values, tier, "threads").metrics[0].notes[0]
    wait = told(values, tier, "wait").metrics[0]
    assert not wait.exact
    assert "flow equivalence" in wait.source


# A percentile shows the transform that it is inverted from, and leaves one per cent.
def test_a_percentile() -> None:
    one = told(*SYSTEMS["M/G/c, variable"], "p99").metrics[0]
    assert one.by_formula is None
    assert "Abate and Whitt 2006" in one.source
    assert any("leaves 1.00000" in note or "leaves 0.99999" in note for note in one.notes)


# What there is not, with the nearest name and the list; exit 2.
def test_wrong_names(tmp_path: Path) -> None:
    sized = tmp_path / "plan.toml"
    assert capacity("plan", EXAMPLES / "starter.toml", "-o", sized).code == 0
    wrong = capacity("explain", sized, "wbe")
    assert wrong.code == 2
    assert "did you mean web?" in wrong.err
    wrong = capacity("explain", sized, "web", "waits")
    assert wrong.code == 2
    assert "did you mean wait?" in wrong.err
    assert "headroom" in wrong.err
    wrong = capacity("explain", sized, "web", "lag")
    assert wrong.code == 2
    assert "it has utilization" in wrong.err


# Every format: 80 columns as a table, JSON without NaN, LaTeX that is one aligned block.
def test_formats(tmp_path: Path) -> None:
    sized = tmp_path / "plan.toml"
    assert capacity("plan", EXAMPLES / "starter.toml", "-o", sized).code == 0
    short, whole = capacity("explain", sized, "app"), capacity("explain", sized, "app", "wait")
    assert short.code == whole.code == 0
    assert all(columns(line) <= 80 for line in (short.out + whole.out).splitlines())
    assert capacity("explain", sized, "app", "--json").json["metrics"][0]["metric"] == "utilization"
    tex = capacity("explain", sized, "app", "wait", "--latex")
    assert tex.code == 0
    assert tex.out.count(r"\begin{align*}") == tex.out.count(r"\end{align*}") == 1
    assert capacity("explain", sized, "app", "--latex", "--json").code == 2


# A scenario changes the numbers: what is explained is the worst case of it.
def test_in_a_scenario() -> None:
    values = changed(two(nodes=3), "resilience.survive", ["node"])
    normal, lost = told(values, "web", "utilization"), told(values, "web", "utilization", "node")
    assert lost.when == "without a node of web"
    assert (lost.metrics[0].value or 0) == pytest.approx(1.5 * (normal.metrics[0].value or 0))
    assert agree(lost.metrics[0])


# Names of the user's are words beside a formula, never part of one: no symbol is made of them.
def test_names_are_no_mathematics() -> None:
    evil = "__import__('os').system('x')"
    values = file({"web": service({evil: 0.004, r"\input{x}": 0.02})}, {evil: 60.0, r"\input{x}": 12.0})
    found = told(values, "web")
    assert all(i.name.replace("_", "").isalnum() and i.name.isascii() for m in found.metrics for i in m.inputs)
    assert not any("import" in line.latex or "input" in line.latex for m in found.metrics for line in m.lines)


# Why as many nodes: what each constraint asks for is that of the plan.
def test_why_as_many() -> None:
    values = changed(two(nodes=None), "slo.utilization", 0.5)
    why = planned(values).evaluation.tiers["web"].why
    notes = told(values, "web", "nodes").metrics[0].notes
    assert all(f"{w.constraint}: {w.nodes}" in notes for w in why)
