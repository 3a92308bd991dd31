from __future__ import annotations

import math
from random import Random
from typing import Any

import mpmath
import pytest

from models.extremes import earliest, hedged
from models.flushes import Batch
from models.formulas import durations
from models.heavy import Lomax, log_normal, pareto
from models.latency import Latency
from models.service_time import Residual, exponential, from_moments, from_three_moments
from tests.models.formula_checks import Law, check_law

POINTS: list[dict[str, Any]] = []
for r in map(Random, range(12)):
    mean, squared_cv = 10 ** r.uniform(-3, 1), r.uniform(1.1, 6)
    second = (1 + squared_cv) * mean**2
    POINTS.append({
        "S": mean, "c_s": squared_cv, "m_3": 1.5 * second**2 / mean * r.uniform(1.1, 3), "m": r.uniform(1.5, 9), "x_m": mean,
        "alpha": r.uniform(2.2, 6), "q": 0.5 ** r.randrange(3, 12), "n": r.randrange(3, 9), "k": r.randrange(1, 4), "t_h": mean * r.uniform(0.2, 3),
    })  # fmt: skip

REGULAR: list[dict[str, Any]] = []
for r in map(Random, range(12)):
    squared_cv = r.uniform(0.05, 0.95)
    REGULAR.append({"S": 10 ** r.uniform(-3, 1), "c_s": squared_cv, "k": math.ceil(1 / squared_cv)})


def regular_share(x: Any) -> Any:
    """Return p such that a mixture of k - 1 and k phases of one rate has this squared CV: a root of its quadratic."""
    k, c = x["k"], x["c_s"]
    # (p (k-1) k + (1-p) k (k+1)) / (k - p)^2 = 1 + c
    roots = mpmath.polyroots([1 + c, -2 * k * (1 + c) + 2 * k, k * k * (1 + c) - k * (k + 1)], extraprec=300)
    return min(roots, key=lambda p: abs(mpmath.im(p)) + (0 if 0 <= mpmath.re(p) <= 1 else 9))


def slow_rate(x: Any) -> Any:
    """Return the slower rate by the moments of the two phases: a polynomial whose roots are their means."""
    one, two, three = x["S"], (1 + x["c_s"]) * x["S"] ** 2 / 2, x["m_3"] / 6
    middle = (one * two - three) / (two - one * one)
    last = (one * three - two * two) / (two - one * one)
    return 1 / max(mpmath.re(root) for root in mpmath.polyroots([1, middle, last], extraprec=300, maxsteps=500))


def tail_mean(x: Any) -> Any:
    """Return the mean of the k-th of n exponential times from the tail, integrated."""
    n, k = int(x["n"]), int(x["k"])

    def late(t: Any) -> Any:
        gone = -mpmath.expm1(-t / x["S"])
        return mpmath.fsum(mpmath.binomial(n, j) * gone**j * (1 - gone) ** (n - j) for j in range(k))

    return mpmath.quad(late, [x["S"] * f for f in (0, 0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256)])


LAWS = [
    Law(
        durations.BALANCED_PHASES,
        # Each phase makes half of the mean: 1 / mu_1 and 1 / mu_2 are the roots that the second moment leaves.
        lambda x: 2 * max(mpmath.polyroots([1, -1, mpmath.mpf(1) / (2 * (1 + x["c_s"]))], extraprec=200)) / x["S"],
        lambda x: max(rate for _, _, rate in from_moments(x["S"], x["c_s"]).phases),
    ),
    Law(
        durations.THREE_MOMENTS,
        slow_rate,
        lambda x: min(rate for _, _, rate in from_three_moments(x["S"], x["c_s"], x["m_3"]).phases),
        1e-10,
    ),
    Law(
        durations.RESIDUAL,
        lambda x: (x["S"] ** 2 + x["c_s"] * x["S"] ** 2) / (2 * x["S"]),
        lambda x: Residual(from_moments(x["S"], x["c_s"])).mean,
    ),
    Law(
        durations.GEOMETRIC_SUM,
        # Mean and variance of a random sum, Wald's.
        lambda x: x["m"] * x["c_s"] * x["S"] ** 2 + (x["m"] * (x["m"] - 1) + x["m"] ** 2) * x["S"] ** 2,
        lambda x: Batch(from_moments(x["S"], x["c_s"]), x["m"]).moment(2),
    ),
    Law(
        durations.PARETO_MEAN,
        lambda x: x["x_m"] + mpmath.quad(lambda u: x["x_m"] * u ** (x["alpha"] - 2), [0, 1]),
        lambda x: pareto(x["x_m"], x["alpha"]).mean,
    ),
    Law(
        durations.PARETO_PERCENTILE,
        lambda x: x["x_m"] * mpmath.exp(-mpmath.log(x["q"]) / x["alpha"]),
        lambda x: pareto(x["x_m"], x["alpha"]).percentile(1 - x["q"]),
        1e-6,
    ),
    Law(
        durations.LOMAX_VARIANCE,
        lambda x: 2 * x["S"] ** 2 * (x["alpha"] - 1) / (x["alpha"] - 2) - x["S"] ** 2,
        lambda x: Lomax(x["S"] * (x["alpha"] - 1), x["alpha"]).variance,
    ),
    Law(
        durations.LOG_NORMAL_WIDTH,
        lambda x: mpmath.sqrt(mpmath.log1p(x["c_s"])),
        lambda x: log_normal(1.0, x["c_s"]).sigma,
    ),
    Law(
        durations.EARLIEST,
        tail_mean,
        lambda x: earliest(x["k"], [Latency.of(exponential(x["S"]))] * x["n"]).mean,
        1e-6,
    ),
    Law(
        durations.HEDGED,
        # Until the spare try starts, and if it does, half a service.
        lambda x: (
            mpmath.quad(lambda t: mpmath.exp(-t / x["S"]), [0, x["t_h"]]) + mpmath.exp(-x["t_h"] / x["S"]) * x["S"] / 2
        ),
        lambda x: hedged(Latency.of(exponential(x["S"])), x["t_h"]).mean,
        1e-5,
    ),
]


BESIDE = [durations.ERLANG_MIXTURE]


# Each closed form equals what is written down again, by another road, to 30 digits, and the numeric function as far as
# doubles or its grid go; its derivatives are its slopes, its inverse leads back.
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_laws(law: Law) -> None:
    check_law(law, POINTS)


# Below a squared CV of 1: the rate of the phases.
def test_regular_services() -> None:
    law = Law(
        durations.ERLANG_MIXTURE,
        lambda x: (x["k"] - mpmath.re(regular_share(x))) / x["S"],
        lambda x: from_moments(x["S"], x["c_s"]).phases[0][2],
    )
    check_law(law, REGULAR)
