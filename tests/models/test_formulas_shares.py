from __future__ import annotations

import math
from random import Random
from typing import Any

import mpmath
import numpy as np
import pytest

from models.formulas import shares
from models.popularity import Popularity, busiest_shard, zipf
from models.sharding import useful_shards
from models.staleness import stale_hits
from tests.models.formula_checks import Law, check_law

POINTS: list[dict[str, Any]] = []
for r in map(Random, range(12)):
    objects = r.randrange(2, 400)
    POINTS.append({
        "N": objects, "s": r.uniform(0.1, 1.6), "k": r.randrange(1, objects), "p_1": r.uniform(0.01, 0.5), "n": r.randrange(2, 40),
        "r": 10 ** r.uniform(-2, 1), "w": 10 ** r.uniform(-2, 1), "D": r.uniform(0.1, 9), "lambda": r.uniform(10, 1e4), "H": r.uniform(0.1, 0.95),
    })  # fmt: skip

ONE = Popularity(np.ones(1), np.ones(1))


def two(share: float) -> Popularity:
    """Return keys of which one is the busiest, with this share."""
    return Popularity(np.array([share, (1 - share) / 1e6]), np.array([1.0, 1e6]))


def precise_stale(x: Any) -> Any:
    """Return the stale hits of a stay by integrating over the age at which they come, over the length of a cycle."""
    late = mpmath.quad(lambda u: x["r"] * -mpmath.expm1(-x["w"] * u), [0, x["D"]])
    return late / (1 + x["r"] * x["D"])


LAWS = [
    Law(
        shares.ZIPF,
        lambda x: (
            mpmath.fsum(mpmath.exp(-x["s"] * mpmath.log(i)) for i in range(1, int(x["k"]) + 1))
            / (mpmath.zeta(x["s"]) - mpmath.zeta(x["s"], x["N"] + 1))
        ),
        lambda x: zipf(x["N"], x["s"]).top(x["k"]),
        1e-9,
    ),
    Law(
        shares.BUSIEST_SHARD,
        lambda x: 1 - (1 - x["p_1"]) * (x["n"] - 1) / x["n"],
        lambda x: busiest_shard(two(x["p_1"]), x["n"]),
    ),
    Law(shares.USEFUL_SHARDS, lambda x: mpmath.exp(-mpmath.log(x["p_1"])), lambda x: useful_shards(two(x["p_1"]))),
    Law(shares.MISSES, lambda x: x["lambda"] - x["lambda"] * x["H"], lambda x: x["lambda"] * (1 - x["H"])),
    Law(shares.STALE_HIT, precise_stale, lambda x: stale_hits(ONE, x["r"], x["w"], math.inf, ttl=x["D"]), 1e-10),
]


# Each closed form equals what is written down again, by another road, to 30 digits, and the numeric function as far as
# doubles go; its derivatives are its slopes, its inverse leads back.
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_laws(law: Law) -> None:
    check_law(law, POINTS)
