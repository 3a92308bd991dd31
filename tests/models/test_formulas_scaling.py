from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import mpmath
import pytest

from models import scalability
from models.formulas import scaling
from tests.models.formula_checks import (
    check_documented,
    check_inverses,
    check_numeric,
    check_slopes,
    check_thirty_digits,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from models.formulas import Formula

POINTS = [
    {
        "N": r.uniform(1.5, 500),
        "sigma": r.uniform(0.001, 0.5),
        "kappa": 10 ** r.uniform(-6, -2),
        "s": r.uniform(0.001, 0.9),
        "gamma": 10 ** r.uniform(-1, 4),
        "wait": r.uniform(1.1, 30),
        "X": r.uniform(1, 1e4),
    }
    for r in map(Random, range(20))
]
for point in POINTS:
    # A response time that is reached with more than one inside.
    point["R"] = point["wait"] / point["gamma"]


def again_concurrency(x: Mapping[str, Any]) -> Any:
    a, b = x["kappa"], x["sigma"] - x["kappa"]
    return max(mpmath.polyroots([a, b, 1 - x["sigma"] - x["gamma"] * x["R"]], extraprec=200), key=mpmath.re)


LAWS: list[tuple[Formula, Callable[[Mapping[str, Any]], Any], Callable[[dict[str, Any]], float | None]]] = [
    (scaling.AMDAHL, lambda x: 1 / (x["s"] + (1 - x["s"]) / x["N"]), lambda x: scalability.amdahl(x["N"], x["s"])),
    (scaling.GUSTAFSON, lambda x: x["N"] - x["s"] * (x["N"] - 1), lambda x: scalability.gustafson(x["N"], x["s"])),
    (
        scaling.USL_PEAK_CAPACITY,
        # The value that the quadratic in N has one root for.
        lambda x: 1 / (x["sigma"] - x["kappa"] + 2 * mpmath.sqrt(x["kappa"] * (1 - x["sigma"]))),
        lambda x: scalability.peak_capacity(x["sigma"], x["kappa"]),
    ),
    (
        scaling.USL_LIMIT,
        lambda x: mpmath.exp(-mpmath.log(x["sigma"])),
        lambda x: scalability.peak_capacity(x["sigma"], 0.0),
    ),
    (
        scaling.THROUGHPUT,
        lambda x: x["gamma"] / ((1 - x["sigma"]) / x["N"] + x["sigma"] + x["kappa"] * (x["N"] - 1)),
        lambda x: x["gamma"] * scalability.relative_capacity(x["N"], x["sigma"], x["kappa"]),
    ),
    (
        scaling.EFFICIENCY,
        lambda x: x["X"] / x["gamma"] / x["N"],
        lambda x: x["X"] / (x["N"] * x["gamma"]),
    ),
    (
        scaling.USL_LATENCY,
        lambda x: x["N"] / (x["gamma"] * x["N"] / (1 + (x["N"] - 1) * (x["sigma"] + x["kappa"] * x["N"]))),
        lambda x: scalability.latency(x["N"], x["sigma"], x["kappa"], x["gamma"]),
    ),
    (
        scaling.USL_CONCURRENCY,
        again_concurrency,
        lambda x: scalability.concurrency_for_latency(x["R"], x["sigma"], x["kappa"], x["gamma"]),
    ),
]


# Each closed form equals what is written down again, by another road, to 30 digits, and the numeric function to 1e-12;
# its derivatives are its slopes, its inverse leads back, and it says where it is from.
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law[0].name)
def test_laws(law: tuple[Any, Any, Any]) -> None:
    formula, again, function = law
    names = [q.name for q in formula.inputs]
    points = [{name: x[name] for name in names} for x in POINTS]
    check_thirty_digits(formula, again, points)
    check_numeric(formula, function, points)
    check_slopes(formula, points[:3])
    check_inverses(formula, points[0])
    check_documented(formula)
