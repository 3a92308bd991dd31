from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from capacity.document import load
from capacity.evaluate import evaluate
from tests.planner.random_systems import random_system
from tests.planner.systems import evaluated, external, file, service, topology

if TYPE_CHECKING:
    from capacity.results import Evaluation
    from capacity.topology import Topology

ROOT = Path(__file__).parents[2]


def adds_up(declared: Topology, found: Evaluation) -> None:
    for name, tier in found.tiers.items():
        entering = sum(
            found.classes[c].arrival_rate_per_s for c, made in declared.workload.classes.items() if made.entry == name
        )
        called = sum(call.rate_per_s for call in found.calls if call.callee == name)
        # Work that comes back through a queue is repeated until it changes by less than 1e-11 of it.
        assert entering + called == pytest.approx(tier.arrival_rate_per_s, rel=1e-9), name


# What every example's callers send, and the users who enter, is what each tier receives.
@pytest.mark.parametrize("path", sorted((ROOT / "examples").rglob("*.toml")), ids=lambda path: path.stem)
def test_rates_between_tiers_add_up_in_the_examples(path: Path) -> None:
    declared = load(str(path)).topology
    adds_up(declared, evaluate(declared))


# The same holds with retries, caches, write shares and connection pools of any mix.
@pytest.mark.parametrize("seed", range(30))
def test_rates_between_tiers_add_up(seed: int) -> None:
    values = random_system(random.Random(seed))  # noqa: S311 - not for cryptography
    adds_up(topology(values), evaluated(values))


# Two calls to the same tier are one rate, retries are part of it, and work that leads back through a queue is too.
def test_rates_count_every_call_and_try() -> None:
    calls = [{"to": "partner", "timeout": 0.05, "retries": 1}, {"to": "partner", "count": 2}, {"to": "later"}]
    tiers = {
        "app": service(0.001, node="n8", calls=calls),
        "later": {"kind": "queue", "consumers": "worker"},
        "worker": service(0.001, node="n8", calls=[{"to": "later", "count": 0.5}]),
        "partner": external(0.05),
    }
    rates = {(call.caller, call.callee): call.rate_per_s for call in evaluated(file(tiers, 10)).calls}
    assert set(rates) == {("app", "partner"), ("app", "later"), ("later", "worker"), ("worker", "later")}
    assert 30 < rates["app", "partner"] < 40
    assert rates["app", "later"] == pytest.approx(10)
    assert rates["later", "worker"] == pytest.approx(20)
