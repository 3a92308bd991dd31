"""Popularity and hashing: the busiest key, the busiest shard, how old local answers are."""

from __future__ import annotations

from typing import Final

from sympy import Integer, Sum, Symbol, exp

from models.formulas.formula import Formula, Step
from models.formulas.symbols import NODES, real, whole

_i = Symbol("i", integer=True, positive=True)
OBJECTS: Final = whole("N", "objects")
EXPONENT: Final = real("s", "exponent of Zipf's law")
BUSIEST: Final = real("p_1", "share of the most popular object")
RANK: Final = whole("k", "most popular objects")
_n, _p = NODES.symbol, BUSIEST.symbol
_ZIPF: Final = "Zipf 1949"

_harmonic: Final = Step(real("H", "sum of all weights"), Sum(_i ** (-EXPONENT.symbol), (_i, 1, OBJECTS.symbol)))

ZIPF: Final = Formula(
    "share of the most popular objects by Zipf's law",
    (OBJECTS, EXPONENT, RANK),
    (
        _harmonic,
        Step(
            real("p_k", "share of the k most popular objects"),
            Sum(_i ** (-EXPONENT.symbol), (_i, 1, RANK.symbol)) / _harmonic.quantity.symbol,
        ),
    ),
    _ZIPF,
    exact=True,
    accuracy="exact for the law; beyond rank 512 the sum is taken as an integral, to 1e-8",
)

BUSIEST_SHARD: Final = Formula(
    "share of the busiest shard",
    (BUSIEST, NODES),
    (Step(real("h", "share of the shard with the most popular object"), _p + (1 - _p) / _n),),
    "the most popular object and an even part of the others",
    exact=False,
    accuracy="within 3 % of simulated hashing up to 64 shards and exponents from 0.6 to 1.2",
    solvable=("p_1",),
)

USEFUL_SHARDS: Final = Formula(
    "shards beyond which the busiest key decides",
    (BUSIEST,),
    (Step(real("n_s", "shards"), 1 / _p),),
    "an even share is as large as the key's",
    exact=True,
    accuracy="exact",
    solvable=("p_1",),
)

RATE: Final = real("lambda", "reads of all objects", "/s")
MISSES: Final = Formula(
    "misses",
    (RATE, HITS := real("H", "hit ratio")),
    (Step(real("e", "misses, which the origin answers", "/s"), RATE.symbol * (1 - HITS.symbol)),),
    "definition",
    exact=True,
    accuracy="as exact as the hit ratio",
    solvable=("lambda", "H"),
)

READS: Final = real("r", "reads of the object", "/s")
WRITES: Final = real("w", "writes of the object that the cache is not told of", "/s")
TTL: Final = real("D", "time to live", "s")
_FRESH: Final = real("M", "mean time of a stay until a write", "s")

STALE_HIT: Final = Formula(
    "stale answers of a local cache",
    (READS, WRITES, TTL),
    (
        Step(_FRESH, (1 - exp(-WRITES.symbol * TTL.symbol)) / WRITES.symbol),
        Step(
            real("e", "share of all reads that is answered with an old value"),
            READS.symbol * (TTL.symbol - _FRESH.symbol) / (Integer(1) + READS.symbol * TTL.symbol),
        ),
    ),
    "renewal theory",
    exact=True,
    accuracy="exact for Poisson reads and writes, a TTL from insertion and room for everything",
    solvable=("r",),
)
