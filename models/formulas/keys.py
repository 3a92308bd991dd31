"""One key, and keys over nodes: presence under more policies, stampedes, lost nodes, rings."""

from __future__ import annotations

from typing import Final

from sympy import exp, sqrt

from models.formulas.caches import GONE, PRESENT, READS, TIME, TTL
from models.formulas.formula import Formula, Step
from models.formulas.symbols import NODES, real, whole

HITS: Final = real("H", "hit ratio before")
LAPS: Final = real("y", "laps in the queue times reads in each")
FETCH: Final = real("F", "time of a fetch", "s")
BETA: Final = real("beta", "how early reads fetch")
CAUSED: Final = real("k", "fetches that one expiry causes")
PROLONGED: Final = real("E", "how much later than the first the last fetch ends", "s")
CYCLE: Final = real("Z", "time from one expiry to the next", "s")
FETCHED: Final = real("f", "fetches", "/s")
AFTER: Final = real("H_1", "hit ratio just after")
MORE: Final = real("L", "what the origin receives, over what it received")
POINTS: Final = whole("V", "points of each node on the ring")
UNEVEN: Final = real("c_V", "coefficient of variation of the nodes' shares")

_r, _d, _w = READS.symbol, TTL.symbol, GONE.symbol
_RENEWAL: Final = "renewal theory; Fofack et al. 2014"

SLIDING_TTL: Final = Formula(
    "hit ratio of one object with a time to live from its last read",
    (READS, TTL),
    (Step(PRESENT, 1 - exp(-_r * _d)),),
    _RENEWAL,
    exact=True,
    accuracy="exact for Poisson reads and room for everything",
    solvable=("r", "D"),
)

INVALIDATED: Final = Formula(
    "hit ratio of one object that writes invalidate",
    (READS, GONE),
    (Step(PRESENT, _r / (_r + _w)),),
    "renewal theory",
    exact=True,
    accuracy="exact for Poisson reads and writes and room for everything",
    solvable=("r", "x"),
)

CLOCK: Final = Formula(
    "presence of one object under CLOCK",
    (READS, TIME),
    (
        Step(LAPS, _r * TIME.symbol * exp(_r * TIME.symbol)),
        Step(PRESENT, LAPS.symbol / (1 + LAPS.symbol)),
    ),
    "renewal theory: exp(r T) laps of T; the approximation of Fagin 1977 and Che et al. 2002",
    exact=False,
    accuracy="hit ratios within 3.5e-4 from 100 objects on; independent requests",
)

_busy = _r * FETCH.symbol
_unprotected = (
    Step(CAUSED, 1 + _busy),
    Step(PROLONGED, FETCH.symbol - (1 - exp(-_busy)) / _r),
    Step(CYCLE, _d + 1 / _r + FETCH.symbol + PROLONGED.symbol),
    Step(FETCHED, CAUSED.symbol / CYCLE.symbol),
)

STAMPEDE: Final = Formula(
    "fetches of a key without protection",
    (READS, TTL, FETCH),
    _unprotected,
    "renewal theory",
    exact=True,
    accuracy="exact for Poisson reads and a constant fetch time",
)

SINGLE_FLIGHT: Final = Formula(
    "fetches of a key, one at a time",
    (READS, TTL, FETCH),
    (Step(CYCLE, _d + 1 / _r + FETCH.symbol), Step(FETCHED, 1 / CYCLE.symbol)),
    "renewal theory; leases: Nishtala et al. 2013",
    exact=True,
    accuracy="exact for Poisson reads and a constant fetch time",
    solvable=("D", "F"),
)

EARLY: Final = Formula(
    "fetches that one expiry causes with XFetch",
    (BETA,),
    (Step(CAUSED, exp(1 / BETA.symbol)),),
    "Vattani, Chierichetti and Lowenstein 2015; renewal theory",
    exact=True,
    accuracy="exact for a key that is read many times during a fetch",
    solvable=("beta",),
)

_n, _h = NODES.symbol, HITS.symbol

NODE_LOST: Final = Formula(
    "load of the origin just after one of several nodes is lost, with consistent hashing",
    (HITS, NODES),
    (Step(AFTER, _h * (_n - 1) / _n), Step(MORE, (1 - AFTER.symbol) / (1 - _h))),
    "the hit ratio of the keys that are left",
    exact=True,
    accuracy="exact on average over which keys are lost",
)

NODE_LOST_MODULO: Final = Formula(
    "load of the origin just after one of several nodes is lost, with a hash modulo the nodes",
    (HITS, NODES),
    (Step(AFTER, _h / _n), Step(MORE, (1 - AFTER.symbol) / (1 - _h))),
    "one key in n has the same remainder for n and n - 1",
    exact=True,
    accuracy="exact on average over which keys are lost",
)

RING: Final = Formula(
    "how uneven the shares of nodes on a ring are",
    (NODES, POINTS),
    (Step(UNEVEN, sqrt((_n - 1) / (_n * POINTS.symbol + 1))),),
    "the variance of Dirichlet's shares; Karger et al. 1997 for the ring",
    exact=True,
    accuracy="exact for random points",
)
