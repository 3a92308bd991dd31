from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING, Any

import mpmath
import numpy as np
import pytest

from models.cache import hits
from models.formulas import keys
from models.policies import list_hits
from models.popularity import Popularity, zipf
from models.sharding import node_loss, ring
from models.stampede import stampede
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
        "r": 10 ** r.uniform(-2, 2),
        "x": 10 ** r.uniform(-2, 2),
        "D": r.uniform(1, 100),
        "T": r.uniform(0.01, 3),
        "F": r.uniform(0.01, 0.9),
        "beta": r.uniform(0.3, 5),
        "H": r.uniform(0.01, 0.99),
        "n": r.randrange(2, 60),
        "V": r.randrange(1, 300),
    }
    for r in map(Random, range(20))
]
for point in POINTS:
    # Reads that are not all hits: else 1 - h has no 30 digits left.
    point["D"] = min(point["D"], 5 / point["r"])
    point["T"] = min(point["T"], 5 / point["r"])

ONE = Popularity(np.array([1.0]), np.array([1.0]))


def again_stampede(x: Mapping[str, Any]) -> Any:
    # The end of the last fetch, as an integral over the chance that none starts after a moment.
    late = mpmath.quad(lambda s: 1 - mpmath.exp(-x["r"] * (x["F"] - s)), [0, x["F"]])
    return (1 + x["r"] * x["F"]) / (x["D"] + 1 / x["r"] + x["F"] + late)


def lost(hashing: str) -> Callable[[dict[str, Any]], float | None]:
    return lambda x: node_loss(x["H"], x["n"], hashing="modulo" if hashing == "modulo" else "consistent").load


LAWS: list[tuple[Formula, Callable[[Mapping[str, Any]], Any], Callable[[dict[str, Any]], float | None]]] = [
    (
        keys.SLIDING_TTL,
        lambda x: -mpmath.expm1(-x["r"] * x["D"]),
        lambda x: hits(ONE, x["r"], math.inf, ttl=x["D"], sliding=True).hit_ratio,
    ),
    (
        keys.INVALIDATED,
        lambda x: 1 / (1 + x["x"] / x["r"]),
        lambda x: hits(ONE, x["r"], math.inf, write_rate=x["x"]).hit_ratio,
    ),
    (
        keys.CLOCK,
        lambda x: 1 / (1 + mpmath.exp(-x["r"] * x["T"]) / (x["r"] * x["T"])),
        lambda x: clock(x["r"] * x["T"]),
    ),
    (keys.STAMPEDE, again_stampede, lambda x: stampede(x["r"], x["D"], x["F"]).fetch_rate),
    (
        keys.SINGLE_FLIGHT,
        lambda x: x["r"] / (1 + x["r"] * (x["D"] + x["F"])),
        lambda x: stampede(x["r"], x["D"], x["F"], protection="single-flight").fetch_rate,
    ),
    (
        keys.EARLY,
        lambda x: mpmath.nsum(lambda k: x["beta"] ** -k / mpmath.factorial(k), [0, mpmath.inf]),
        lambda x: stampede(1e7, 100.0, 1.0, protection="xfetch", beta=x["beta"]).per_expiry,
    ),
    (keys.NODE_LOST, lambda x: 1 + x["H"] / (x["n"] * (1 - x["H"])), lost("consistent")),
    (keys.NODE_LOST_MODULO, lambda x: (x["n"] - x["H"]) / (x["n"] * (1 - x["H"])), lost("modulo")),
    (
        keys.RING,
        # The moments of a Dirichlet share: a = V of the sum A = n V.
        lambda x: mpmath.sqrt(x["n"] * (x["V"] + 1) / (x["n"] * x["V"] + 1) - 1),
        lambda x: ring(x["n"], x["V"]).cv,
    ),
]


def clock(reads: float) -> float:
    """Return how likely an object with so many reads in a lap is there, from a cache of objects that are all alike."""
    present = reads * math.exp(reads) / (1 + reads * math.exp(reads))
    found = list_hits("clock", zipf(10**6, 0.0), 1e6, 1e6 * present)
    assert found.characteristic_time == pytest.approx(reads, rel=1e-9)
    return found.hit_ratio


# Each closed form equals what is written down again, by another road, to 30 digits, and the numeric function to 1e-12
# (the search for the time of CLOCK to 1e-11); its derivatives are its slopes, its inverse leads back.
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law[0].name)
def test_laws(law: tuple[Any, Any, Any]) -> None:
    formula, again, function = law
    names = [q.name for q in formula.inputs]
    points = [{name: x[name] for name in names} for x in POINTS]
    check_thirty_digits(formula, again, points)
    check_numeric(formula, function, points, rel=1e-11)
    check_slopes(formula, points[:3])
    check_inverses(formula, points[0])
    check_documented(formula)
