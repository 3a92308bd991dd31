"""The formulas that plans are explained with, each once more by another road: queues, replicas, caches, money."""

from __future__ import annotations

from random import Random
from typing import Any

import mpmath
import numpy as np
import pytest

from models.availability import MONTH, downtime
from models.backlog import drain_time, storage
from models.cache import hits
from models.formulas import caches, pooling, scaling, streams, uptime, waiting, work
from models.limits import rate_limit_rejection, rate_limit_wait
from models.loss import infinite_servers
from models.markov import mg1_wait_mean
from models.outages import budget_used, outage_rate
from models.popularity import Popularity
from models.queues import MMc, mgc_wait
from models.replica_lag import replica_lag
from models.replication import apply_lag
from models.scalability import nodes_for
from models.service_time import exponential, from_moments
from models.staleness import writes_at_risk
from tests.models.formula_checks import Law, check_law

ONE = Popularity(np.ones(1), np.ones(1))
POINTS: list[dict[str, Any]] = []
for r in map(Random, range(12)):
    service, use, servers, nodes = 10 ** r.uniform(-3, 0), r.uniform(0.1, 0.9), r.randrange(1, 20), r.randrange(2, 12)
    applied, waited = service * r.uniform(0.1, 0.5), service * r.uniform(0.1, 0.4)
    POINTS.append({
        "S": service, "lambda": use / service, "c": servers, "c_s": r.uniform(0.05, 0.95), "mu": 1 / service, "a": use * servers, "rho": use,
        "b": r.randrange(1, 7), "sigma": r.uniform(0.001, 0.1), "kappa": 10 ** r.uniform(-6, -4), "X": r.uniform(1.1, 5), "r": r.uniform(0.01, 9),
        "D": r.uniform(0.1, 9), "s": applied, "w": waited, "d": r.uniform(0.001, 0.1), "d_f": r.uniform(0.01, 0.1), "z": r.uniform(10, 1e4),
        "k": r.randrange(1, nodes), "f": r.randrange(1, 5), "n": nodes, "p": r.uniform(0.01, 2), "h": 730.0, "p_r": r.uniform(0.01, 1), "U": r.uniform(0.1, 9),
        "K": r.uniform(9, 30), "u": 10 ** r.uniform(-5, -1), "A_w": 1 - 10 ** r.uniform(-5, -1), "M": MONTH, "t_s": r.uniform(10, 1e3),
    })  # fmt: skip


def polynomial_wait(x: Any) -> Any:
    """Return the wait of M/G/1 in its Laplace transform: minus the derivative at 0 by a small step, cubic in it."""
    load, second = x["lambda"] * x["S"], (1 + x["c_s"]) * x["S"] ** 2
    return x["lambda"] * second / 2 / (1 - load)


def crommelin(x: Any) -> Any:
    """Return the share that a bucket turns away by Crommelin's probabilities: M/D/1 cut, its load carried."""
    rho, n = x["lambda"] / x["mu"], int(x["b"]) - 1
    q = mpmath.fsum(
        mpmath.power(-rho * (n - k), k) * mpmath.exp(rho * (n - k)) / mpmath.factorial(k) for k in range(n + 1)
    )
    # Carried traffic is rho (1 - r), and idle time 1 - that: idle = 1 / (1 + rho Q).
    return 1 - (1 - 1 / (1 + rho * q)) / rho


def precise_lag(x: Any) -> Any:
    """Return wait and service of M/G/1 whose service is one exponential time after another."""
    rate, one, two = x["lambda"], x["w"], x["s"]
    variance, mean = one**2 + two**2, one + two
    return x["d"] + rate * (variance + mean**2) / 2 / (1 - rate * mean) + mean


def more_nodes(x: Any) -> Any:
    """Return the smaller root of the quadratic that the law is in N."""
    a, b = x["kappa"] * x["X"], x["X"] * (x["sigma"] - x["kappa"]) - 1
    roots = mpmath.polyroots([a, b, x["X"] * (1 - x["sigma"])], extraprec=300, maxsteps=500)
    return min(mpmath.re(root) for root in roots)


def regular(x: Any) -> Any:
    correction = (1 - x["rho"]) * (x["c"] - 1) * (mpmath.sqrt(4 + 5 * x["c"]) - 2) / (16 * x["c"] * x["rho"])
    return (1 + x["c_s"]) / 2 + (1 - x["c_s"]) * correction / 2


def over_exponential(x: dict[str, Any]) -> float:
    """Return the wait of regular service over that of exponential service, from the two waits."""
    rate = x["rho"] * x["c"]
    return mgc_wait(rate, from_moments(1.0, x["c_s"]), x["c"]).mean / mgc_wait(rate, exponential(1.0), x["c"]).mean


def renewals(x: Any) -> Any:
    """Return how often an outage begins: a node fails while just enough are up, that being one of so many ways."""
    up = mpmath.fsum(mpmath.log(1 - x["u"]) for _ in range(int(x["k"])))
    ways = mpmath.gamma(x["n"] + 1) / mpmath.gamma(x["k"]) / mpmath.gamma(x["n"] - x["k"] + 1)
    return ways * mpmath.exp(up + (x["n"] - x["k"]) * mpmath.log(x["u"])) / x["f"]


LAWS = [
    Law(waiting.OFFERED, lambda x: x["S"] / (1 / x["lambda"]), lambda x: infinite_servers(x["lambda"], exponential(x["S"])).number),
    Law(waiting.UTILIZATION, lambda x: x["lambda"] / (x["c"] / x["S"]), lambda x: MMc(x["lambda"], x["S"], x["c"]).utilization),
    Law(waiting.MM1_RESPONSE, lambda x: 1 / (1 / x["S"] - x["lambda"]), lambda x: MMc(x["lambda"], x["S"], 1).response_mean),
    Law(waiting.MG1_WAIT, polynomial_wait, lambda x: mg1_wait_mean(x["lambda"], x["S"], x["c_s"])),
    Law(waiting.MD1_WAIT, lambda x: 1 / x["mu"] / 2 / (x["mu"] / x["lambda"] - 1), lambda x: rate_limit_wait(x["lambda"], x["mu"]).mean),
    Law(waiting.TOKEN_BUCKET, crommelin, lambda x: rate_limit_rejection(x["lambda"], x["mu"], x["b"]), 2e-7),
    Law(waiting.BJORKLUND_ELLDIN, regular, lambda x: over_exponential(x) if x["c"] > 1 else None, 1e-9),
    Law(scaling.USL_NODES, more_nodes, lambda x: nodes_for(x["X"], x["sigma"], x["kappa"])),
    Law(caches.TTL_HITS, lambda x: 1 / (1 + 1 / (x["r"] * x["D"])), lambda x: hits(ONE, x["r"], 9.0, ttl=x["D"]).hit_ratio),
    Law(streams.APPLY_LAG, precise_lag, lambda x: apply_lag(x["lambda"], exponential(x["s"]), x["w"], x["d"]).mean),
    Law(streams.DRAIN, lambda x: x["t_s"] / (x["mu"] / x["lambda"] - 1), lambda x: drain_time(x["lambda"], x["mu"], x["t_s"])),
    Law(streams.STORAGE, lambda x: x["f"] * x["k"] * x["z"] / (1 / x["lambda"]), lambda x: storage(x["lambda"], x["z"], x["k"], x["f"])),
    Law(streams.WRITES_AT_RISK, lambda x: x["d"] / (1 / x["lambda"]), lambda x: writes_at_risk(x["lambda"], x["d"])),
    Law(streams.NODE_COST, lambda x: x["h"] / (1 / (x["p"] * x["n"])), lambda x: x["n"] * x["p"] * x["h"]),
    Law(streams.BREAK_EVEN, lambda x: mpmath.exp(mpmath.log(x["p_r"]) - mpmath.log(x["p"])), lambda x: x["p_r"] / x["p"]),
    Law(work.SHARE, lambda x: mpmath.exp(mpmath.log(x["U"]) - mpmath.log(x["K"])), lambda x: x["U"] / x["K"]),
    Law(work.HEADROOM, lambda x: x["rho"] * (1 / x["rho"] - 1), lambda x: 1 - x["rho"]),
    Law(uptime.BUDGET, lambda x: 1 / ((1 - x["A_w"]) / x["U"]), lambda x: budget_used(x["U"] / 10, x["A_w"]) * 10),
    Law(pooling.thread_wait(), lambda x: x["P_t"] / (1 / x["w_t"]), lambda x: x["P_t"] * x["w_t"]),
]  # fmt: skip
for number, point in enumerate(POINTS):
    point |= {"P_t": 0.05 + number / 20, "w_t": 0.1 + number / 7}

LARGE = [{**x, "U": x["U"] / 100, "k": float(x["k"]) * 1e4} for x in POINTS]
"""Where an unavailability and a retention have the same letters."""

BESIDE = [uptime.OUTAGES, uptime.DOWNTIME, streams.FLUSHED_LAG]


# Each closed form equals what is written down again, by another road, to 30 digits, and the numeric function as far as
# doubles go; its derivatives are its slopes, its inverse leads back.
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_laws(law: Law) -> None:
    check_law(law, LARGE if law.formula in (uptime.BUDGET, streams.STORAGE) else POINTS)


# Outages, of nodes whose mean times fit how often they are down; and downtime, of which a month is the unit.
def test_outages() -> None:
    points = [{**x, "f": 1e6 * x["f"]} for x in POINTS if x["k"] < x["n"]]

    def rate(x: dict[str, Any]) -> float:
        return outage_rate(x["k"], [(x["n"], x["f"], x["f"] * x["u"] / (1 - x["u"]))])

    check_law(Law(uptime.OUTAGES, renewals, rate, 1e-9), points)
    check_law(Law(uptime.DOWNTIME, lambda x: x["M"] / (1 / x["U"]), lambda x: downtime(x["U"], x["M"])), LARGE)


# The lag behind flushes that are all applied before the next one comes: half of a flush, and those before oneself.
def test_flushes() -> None:
    points = [{**x, "lambda": 0.2 / x["s"], "d_f": 2000 * x["s"]} for x in POINTS]

    def again(x: Any) -> Any:
        ahead = mpmath.quad(lambda u: x["d_f"] * u + x["lambda"] * x["d_f"] * (1 - u) * x["s"], [0, 1])
        return x["d"] + ahead + x["s"]

    def numeric(x: dict[str, Any]) -> float:
        found = replica_lag(x["lambda"], exponential(x["s"]), network_delay=x["d"], flush_interval=x["d_f"])
        return found.applied.mean

    check_law(Law(streams.FLUSHED_LAG, again, numeric, 1e-9), points)
