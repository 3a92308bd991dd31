from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from models.queues import MMc
from tests.planner.network_simulation import Place, Visit, exponential, simulate
from tests.planner.systems import Values, cache, database, evaluated, external, file, service

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

FRACTIONS = {"p50_s": 0.5, "p95_s": 0.95, "p99_s": 0.99}

Errors = dict[str, float]
"""How far the planner is above the simulation, relative, by measure."""


def errors(values: Values, places: dict[str, Place], rate: float, requests: int, seed: int = 1) -> Errors:
    """Return how far what the planner says of the only class is off."""
    page = evaluated(values).classes["page"]
    observed = simulate(places, next(iter(values["components"])), rate, requests, seed)
    seen = observed[next(iter(values["components"]))]
    found = {"mean_s": (page.mean_s or 0.0) / seen.mean - 1}
    return found | {key: getattr(page, key) / seen.percentile(fraction) - 1 for key, fraction in FRACTIONS.items()}


def within(found: Errors, **bounds: float) -> bool:
    """Whether the mean and every percentile are as close as stated, 2 % where nothing is."""
    return all(abs(error) <= bounds.get(key.removesuffix("_s"), 0.02) for key, error in found.items())


# The simulation itself: one tier is M/M/c, to what this many requests can tell.
def test_simulation_is_mmc() -> None:
    seen = simulate({"app": Place(exponential(0.01), cores=4)}, "app", 280.0, 150_000, seed=3)["app"]
    queue = MMc(280, 0.01, 4)
    assert seen.mean == pytest.approx(queue.response_mean, rel=0.015)
    assert seen.percentile(0.99) == pytest.approx(queue.response_percentile(0.99), rel=0.03)


# A whole system: a web tier, an application, two asks of a cache, a call of a database as well, a partner. Measured
# with 200,000 requests: the mean 0.1 % off, P50 to P99.9 within 0.5 %; this shorter run sees its own noise.
def test_web_application() -> None:
    calls = [{"to": "redis", "count": 2}, {"to": "db"}, {"to": "pay"}]
    tiers = {
        "web": service(0.002, 2, "n2", calls=[{"to": "app"}]),
        "app": service(0.01, 2, "n4", calls=calls),
        "redis": cache("db", 0.0005, memory=100_000.0),
        "pay": external(0.03),
        "db": database(0.002, node="n4"),
    }
    values = file(tiers, 500)
    places = {
        "web": Place(exponential(0.002), 4, groups=[[Visit("app")]]),
        "app": Place(exponential(0.01), 8, groups=[[Visit("redis", 2)], [Visit("db")], [Visit("pay")]]),
        "redis": Place(
            exponential(0.0005), 1, groups=[[Visit("db")]], hit=evaluated(values).tiers["redis"].details["hit_ratio"]
        ),
        "pay": Place(exponential(0.03)),
        "db": Place(exponential(0.002), 4),
    }
    assert within(errors(values, places, 500, 60_000), mean=0.015, p50=0.02, p95=0.025, p99=0.03)


# Several visits to one tier share what its queue keeps between them. Measured: P50 within 1.4 %, P95 within 1.5 %, P99
# within 3.4 %, which is what 300,000 requests cannot tell either.
@pytest.mark.slow
@pytest.mark.parametrize(("cores", "load", "count"), [(1, 0.5, 3), (1, 0.8, 3), (4, 0.8, 3), (4, 0.8, 10)])
def test_shared_waits(cores: int, load: float, count: int) -> None:
    rate = load * cores / 0.01 / count
    app = service(0.0001, node="n8", calls=[{"to": "db", "count": count}])
    values = file({"app": app, "db": database(0.01, node=f"n{cores}")}, rate)
    places = {
        "app": Place(exponential(0.0001), 8, groups=[[Visit("db", count)]]),
        "db": Place(exponential(0.01), cores),
    }
    found = errors(values, places, rate, 300_000)
    assert within(found, p50=0.02, p95=0.035, p99=0.06)


def uneven(mean: float) -> Callable[[random.Random], float]:
    """Return draws of squared CV 4: two exponential phases that bring half of the mean each."""
    often = (1 + math.sqrt(3 / 5)) / 2
    return lambda draws: draws.expovariate(2 * (often if draws.random() < often else 1 - often) / mean)


# Visits in a row average variable services: three of squared CV 4 wait as long as of 2.4. Measured: means within 2.4 %
# (38 % and 12 % high before that was counted), P99 within 7 %.
@pytest.mark.slow
@pytest.mark.parametrize("cores", [1, 4])
def test_rows_of_variable_services(cores: int) -> None:
    rate = 0.7 * cores / 0.01 / 3
    app = service(0.0001, node="n8", calls=[{"to": "db", "count": 3}])
    values = file({"app": app, "db": database(0.01, node=f"n{cores}", variability=4.0)}, rate)
    places = {
        "app": Place(exponential(0.0001), 8, groups=[[Visit("db", 3)]]),
        "db": Place(uneven(0.01), cores),
    }
    assert within(errors(values, places, rate, 300_000), mean=0.04, p50=0.13, p95=0.07, p99=0.09)


# A group of calls to different tiers, then one more. Both branches start together and are taken as independent, which
# is the safe side for the mean (3 % high) and close at p99 (1 %).
def test_parallel_calls() -> None:
    calls = [{"to": "a", "parallel": "both"}, {"to": "b", "parallel": "both"}, {"to": "c"}]
    tiers = {
        "app": service(0.001, node="n4", calls=calls),
        "a": service(0.01, node="n2"),
        "b": service(0.02, node="n4"),
        "c": service(0.003),
    }
    places = {
        "app": Place(exponential(0.001), 4, groups=[[Visit("a"), Visit("b")], [Visit("c")]]),
        "a": Place(exponential(0.01), 2),
        "b": Place(exponential(0.02), 4),
        "c": Place(exponential(0.003), 1),
    }
    assert within(errors(file(tiers, 120), places, 120, 80_000), mean=0.05, p50=0.06, p95=0.04, p99=0.04)


# A group of calls to one tier arrives as a batch, which waits longer than two calls one by one (17 to 24 % at p99).
# Counting it as burstiness leaves p99 7 % low at 30 % load, and closer above: docs/theory.md says so.
@pytest.mark.slow
@pytest.mark.parametrize("load", [0.3, 0.7])
def test_parallel_calls_to_one_tier(load: float) -> None:
    rate = load * 2 / 0.01 / 2
    app = service(0.0001, node="n8", calls=[{"to": "a", "parallel": "both"}] * 2)
    places = {
        "app": Place(exponential(0.0001), 8, groups=[[Visit("a"), Visit("a")]]),
        "a": Place(exponential(0.01), 2),
    }
    found = errors(file({"app": app, "a": service(0.01, node="n2")}, rate), places, rate, 400_000)
    assert min(found.values()) > -0.08


# Threads above a tight tier: measured with 1.5 million requests at 300/s, 8 and 12 threads within 1 % (mean) and 2.5 %
# (p99), 6 threads 5 % and 9 % high.
@pytest.mark.slow
@pytest.mark.parametrize(("threads", "low", "high"), [(6, -0.04, 0.15), (8, -0.05, 0.05), (12, -0.05, 0.05)])
def test_threads_above_a_tight_tier(threads: int, low: float, high: float) -> None:
    app = service(0.005, node="n4", threads=threads, calls=[{"to": "db"}])
    places = {
        "app": Place(exponential(0.005), 4, threads, groups=[[Visit("db")]]),
        "db": Place(exponential(0.01), 4),
    }
    found = errors(file({"app": app, "db": database(0.01, node="n4")}, 300), places, 300, 500_000, seed=7)
    assert all(low < error < high for error in found.values())


# A slow partner that takes most of the threads while the cores idle.
def test_slow_partner_takes_the_threads() -> None:
    app = service(0.005, node="n4", threads=40, calls=[{"to": "partner"}])
    places = {
        "app": Place(exponential(0.005), 4, 40, groups=[[Visit("partner")]]),
        "partner": Place(exponential(0.2)),
    }
    found = errors(file({"app": app, "partner": external(0.2)}, 150), places, 150, 80_000)
    assert within(found, mean=0.02, p50=0.02, p95=0.03, p99=0.04)


# Behind a queue nobody waits: the users see their own tier only, and messages take the consumers' time, of which no
# more work than there are partitions. Three runs of 200,000 differed by 6 % at p99 and lay on both sides of the model.
@pytest.mark.parametrize(("nodes", "partitions", "rate"), [(4, 8, 130.0), (4, 2, 60.0)])
def test_consumers(nodes: int, partitions: int, rate: float) -> None:
    tiers = {
        "app": service(0.005, node="n4", calls=[{"to": "jobs"}]),
        "jobs": {"kind": "queue", "consumers": "worker", "partitions": partitions},
        "worker": service(0.02, nodes, calls=[{"to": "db"}]),
        "db": database(0.004),
    }
    places = {
        "app": Place(exponential(0.005), 4, groups=[[Visit("worker", waited=False)]]),
        "worker": Place(exponential(0.02), min(nodes, partitions), groups=[[Visit("db")]]),
        "db": Place(exponential(0.004), 1),
    }
    values = file(tiers, rate)
    seen, delay = simulate(places, "app", rate, 150_000, seed=2), evaluated(values).tiers["jobs"].details["delay"]
    assert evaluated(values).classes["page"].p99_s == pytest.approx(
        MMc(rate, 0.005, 4).response_percentile(0.99), rel=1e-5
    )
    assert delay["mean_s"] == pytest.approx(seen["worker"].mean, rel=0.02)
    assert delay["p99_s"] == pytest.approx(seen["worker"].percentile(0.99), rel=0.05)
