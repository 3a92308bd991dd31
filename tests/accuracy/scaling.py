"""Scaling: the Universal Scalability Law and its fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mpmath
import numpy as np

from models.scalability import nodes_for, peak_nodes, relative_capacity
from models.scalability_fit import NAMES, fit, student_quantile
from tests.accuracy.comparison import Comparison, Family, relative
from tests.cases import scalability_cases

if TYPE_CHECKING:
    from collections.abc import Iterator


def inverse() -> Iterator[float]:
    """Compare nodes for a capacity with the textbook formula in 50 digits."""
    for sigma in (0.0, 0.01, 0.1, 0.5):
        for kappa in (1e-12, 1e-6, 1e-4, 1e-2):
            for share in (0.01, 0.3, 0.6, 0.9):
                wanted = share * relative_capacity(peak_nodes(sigma, kappa), sigma, kappa)
                with mpmath.workdps(50):
                    r, s, k = (mpmath.mpf(x) for x in (wanted, sigma, kappa))
                    b = r * (k - s) + 1
                    true = (b - mpmath.sqrt(b * b - 4 * r * k * r * (1 - s))) / (2 * r * k)
                    found = nodes_for(wanted, sigma, kappa)
                    yield float(abs(found / true - 1)) if found is not None else 1.0


def published() -> Iterator[float]:
    """Compare our fits with published ones, in units of what their printing leaves open."""
    for case in scalability_cases():
        found = fit(case["nodes"], case["throughputs"])
        for i, name in enumerate(NAMES):
            value, half_a_digit = case["fitted"][name]
            yield max(abs(getattr(found, name) - value) - half_a_digit, 0.0) / (value or 1.0)
            if name in case["errors"]:
                value, half_a_digit = case["errors"][name]
                yield max(abs((found.errors[i] or 0.0) - value) - half_a_digit, 0.0) / value


def planted() -> Iterator[float]:
    """Compare fits of exact throughputs with the numbers that made them."""
    nodes = [1, 2, 4, 8, 16, 32, 64, 128]
    for sigma in (0.001, 0.03, 0.5):
        for kappa in (1e-6, 1e-4, 1e-2):
            found = fit(nodes, [100 * relative_capacity(float(n), sigma, kappa) for n in nodes])
            yield relative(found.contention, sigma)
            yield relative(found.coherency, kappa)


def coverage() -> float:
    """Tell by how much the share of new measurements inside a 95 % interval is off 95 %."""
    case = next(case for case in scalability_cases() if case["id"] == "specsdm91")
    law, noise, inside, runs = fit(case["nodes"], case["throughputs"]), np.random.default_rng(1), 0, 2000
    truth = [law.throughput(n) for n in case["nodes"]]
    for _ in range(runs):
        drawn = noise.normal(size=8)
        again = fit(case["nodes"], [max(x + 82.8 * e, 1.0) for x, e in zip(truth, drawn[:7], strict=True)])
        low, high = again.interval(96) or (0.0, 0.0)
        inside += low <= law.throughput(96) + 82.8 * drawn[7] <= high
    return inside / runs - 0.95


def student() -> Iterator[float]:
    """Compare quantiles of Student's t with published ones to their last digit."""
    table = {1: 12.706, 2: 4.303, 4: 2.776, 5: 2.571, 10: 2.228, 30: 2.042, 120: 1.980}
    for freedom, value in table.items():
        yield max(abs(student_quantile(0.975, freedom) - value) - 5e-4, 0.0)


FAMILY = Family(
    "Scaling",
    60,
    "`models.scalability`, `models.scalability_fit`; [theory](theory/scaling.md).",
    (
        Comparison(
            law="nodes for a capacity, with coherency",
            against="the quadratic in 50 digits",
            region="contention 0 to 0.5, coherency 1e-12 to 1e-2, up to 90 % of the peak",
            measure=inverse,
            bar=1e-12,
        ),
        Comparison(
            law="fit within bounds: numbers and standard errors",
            against="R's usl (SDM91, ray tracer), Schwartz 2015 (Cisco)",
            region="4 data sets, 6 to 32 points, beyond the published digits",
            measure=published,
            bar=1e-12,
        ),
        Comparison(
            law="fit of exact throughputs",
            against="the planted numbers",
            region="contention 0.001 to 0.5, coherency 1e-6 to 1e-2, 8 points",
            measure=planted,
            bar=1e-5,
        ),
        Comparison(
            law="95 % prediction interval",
            against="2,000 simulated load tests like SDM91",
            region="7 points, at the peak",
            measure=coverage,
            bar=0.01,
            kind="points of coverage",
            slow=True,
        ),
        Comparison(
            law="Student's quantile",
            against="published table, 97.5 %",
            region="1 to 120 degrees of freedom, beyond the published digits",
            measure=student,
            bar=1e-12,
            kind="absolute",
        ),
    ),
)
