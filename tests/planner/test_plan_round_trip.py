from __future__ import annotations

import json
import math
import random
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
import tomli_w

from capacity.document import load, parse
from capacity.plan import as_given, plan, to_toml
from capacity.render import json as to_json
from capacity.results import to_builtins
from tests.planner.random_systems import random_system
from tests.planner.systems import document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.document import Document

CLASS_KEYS = {
    "arrival_rate_per_s",
    "mean_s",
    "p50_s",
    "p90_s",
    "p95_s",
    "p99_s",
    "p999_s",
    "availability",
    "exact",
    "slo",
}
TIER_KEYS = {
    "kind", "node", "nodes", "arrival_rate_per_s", "utilization", "headroom", "binding", "limits", "wait_mean_s",
    "response", "exact", "why", "monthly_cost",
}  # fmt: skip
KIND_KEYS = {
    "service": set(),
    "cache": {"hit_ratio", "characteristic_time_s"},
    "database": {"replicas", "shards", "lag"},
    "queue": {"backlog", "delay", "drain_s"},
    "external": {"threads_held", "rejected_fraction"},
}


def shop() -> Document:
    """Return the example with every kind of tier."""
    return load("examples/shop.toml")


def numbers(value: Any) -> Iterator[float]:
    """Yield every number in tables and lists."""
    if isinstance(value, dict):
        for part in value.values():
            yield from numbers(part)
    elif isinstance(value, list):
        for part in value:
            yield from numbers(part)
    elif isinstance(value, float):
        yield value


# An exported plan is a file again: with its counts it evaluates to the numbers that stand in it, and passes.
@pytest.mark.parametrize("seed", [None, *range(8)])
def test_exported_plan_evaluates_to_its_numbers(seed: int | None) -> None:
    read = shop() if seed is None else document(random_system(random.Random(seed)))  # noqa: S311, nothing is kept secret
    found = plan(read.topology)
    again = parse(tomli_w.dumps(to_toml(read, found)), "plan.toml")
    seen = as_given(again.topology)
    assert seen.counts == found.counts
    assert seen.evaluation.classes == found.evaluation.classes
    assert seen.evaluation.scenarios == found.evaluation.scenarios
    assert seen.evaluation.cost == found.evaluation.cost
    assert seen.feasible == found.feasible
    for name, tier in seen.evaluation.tiers.items():
        assert tier.limits == found.evaluation.tiers[name].limits
        assert tier.response == found.evaluation.tiers[name].response
    assert again.topology.plan is not None
    assert again.topology.plan["classes"]["browse" if seed is None else "page"]["p99_s"] == pytest.approx(
        next(iter(seen.evaluation.classes.values())).p99_s, rel=1e-12
    )


# A plan for twice the load carries that load, so that it evaluates alike without being told again.
def test_load_is_exported() -> None:
    read = load("examples/shop.toml", load_factor=1.5)
    found = plan(read.topology)
    again = parse(tomli_w.dumps(to_toml(read, found)), "plan.toml")
    assert as_given(again.topology).evaluation.classes == found.evaluation.classes


# The same file gives the same bytes, as TOML and as JSON; planning a plan gives the same plan.
def test_byte_identical() -> None:
    texts = {tomli_w.dumps(to_toml(read := shop(), plan(read.topology))) for _ in range(2)}
    assert len(texts) == 1
    assert len({to_json(to_builtins(plan(shop().topology).evaluation)) for _ in range(2)}) == 1
    again = parse(texts.pop(), "plan.toml")
    assert plan(again.topology).counts == plan(shop().topology).counts


# What scripts rely on is there: the keys of the design, JSON that any parser reads, no NaN, no infinity.
def test_json_has_the_promised_keys() -> None:
    text = to_json(to_builtins(plan(shop().topology).evaluation))
    values = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
    assert {"schema_version", "name", "feasible", "classes", "tiers", "scenarios", "cost", "warnings"} <= set(values)
    for part in values["classes"].values():
        assert set(part) >= CLASS_KEYS
        for slo in part["slo"]:
            assert set(slo) == {"name", "limit", "value", "met", "unknown"}
    for tier in values["tiers"].values():
        assert set(tier) >= TIER_KEYS | KIND_KEYS[tier["kind"]]
        assert set(tier["response"]) >= {"mean_s", "p50_s", "p95_s", "p99_s"}
        assert all(set(limit) >= {"resource", "used", "capacity", "unit", "utilization"} for limit in tier["limits"])
        assert all(set(why) >= {"constraint", "nodes"} for why in tier["why"])
    for scenario in values["scenarios"].values():
        assert set(scenario) >= {"passes", "violations", "classes"}
        assert all("p99_s" in part for part in scenario["classes"].values())
    assert set(values["cost"]) >= {"currency", "monthly", "unknown", "items"}
    assert all(set(i) >= {"tier", "what", "quantity", "unit_price", "monthly"} for i in values["cost"]["items"])
    assert all(set(warning) >= {"tier", "code", "message"} for warning in values["warnings"])


# Overloaded, idle and impossible systems have no number that is none.
@pytest.mark.parametrize("factor", [1e-9, 1.0, 40.0])
def test_every_number_is_finite(factor: float) -> None:
    read = load("examples/shop.toml", load_factor=factor)
    for found in (as_given(read.topology), plan(read.topology)):
        values = to_builtins(found.evaluation)
        assert all(math.isfinite(number) for number in numbers(values))
        assert all(math.isfinite(number) for number in numbers(tomllib.loads(tomli_w.dumps(to_toml(read, found)))))


# The total is the sum of its products, each quantity times price.
def test_cost_adds_up() -> None:
    cost = plan(shop().topology).evaluation.cost
    assert cost.unknown == []
    assert cost.monthly == pytest.approx(sum(item.monthly or 0.0 for item in cost.items))
    for item in cost.items:
        assert item.unit_price is not None
        assert item.quantity is not None
        assert item.monthly == pytest.approx(item.quantity * item.unit_price)
