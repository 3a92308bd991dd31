"""What readers see of replicas, and what is lost with a primary: M/M/1 appliers, whose lag is exponential."""

from __future__ import annotations

from typing import Final

from sympy import Integer, binomial, exp, log

from models.formulas.formula import Formula, Step
from models.formulas.streams import VERSIONS_BEHIND
from models.formulas.symbols import RATE, USE, real, whole

_lambda, _rho = RATE.symbol, USE.symbol
APPLY: Final = real("s", "mean time to apply one write", "s")
DELAY: Final = real("d", "network delay", "s")
FLUSH: Final = real("d_f", "time from one flush to the next", "s")
SPARE: Final = real("nu", "writes that could be applied besides", "/s")
AFTER: Final = real("t", "time from the write to the read", "s")
LATER: Final = real("q", "share that takes longer")
KEY: Final = real("w", "writes to the key", "/s")
GAP: Final = real("g", "time between two reads", "s")
REPLICAS: Final = whole("n", "replicas")
_nu = SPARE.symbol

_spare: Final = Step(SPARE, 1 / APPLY.symbol - _lambda)
_SOURCE: Final = "M/M/1: Gross and Harris, Fundamentals of Queueing Theory, section 2.2"
_EXACT: Final = "exact for Poisson writes, exponential applies, one applier and no flushes"

LAG_PERCENTILE: Final = Formula(
    "percentile of the replication lag",
    (RATE, APPLY, DELAY, LATER),
    (_spare, Step(real("L_q", "lag that a share q exceeds", "s"), DELAY.symbol + log(1 / LATER.symbol) / _nu)),
    _SOURCE,
    exact=True,
    accuracy=_EXACT,
    solvable=("lambda", "s", "d", "q"),
)

OWN_WRITE: Final = Formula(
    "own write not seen",
    (RATE, APPLY, DELAY, AFTER),
    (_spare, Step(real("P", "share of such reads that miss the write"), exp(-_nu * (AFTER.symbol - DELAY.symbol)))),
    _SOURCE,
    exact=True,
    accuracy=_EXACT + ", later than the network delay",
    solvable=("d", "t"),
)

STALE_READ: Final = Formula(
    "stale reads of a key",
    (RATE, APPLY, DELAY, KEY),
    (
        _spare,
        Step(
            real("P", "share of reads that are stale"), 1 - exp(-KEY.symbol * DELAY.symbol) * _nu / (_nu + KEY.symbol)
        ),
    ),
    "P(a write within the lag), the lag's Laplace transform at the rate of writes",
    exact=True,
    accuracy=_EXACT,
    solvable=("d",),
)

BACKWARD_READ: Final = Formula(
    "reads older than the read before",
    (RATE, APPLY, KEY, GAP, REPLICAS),
    (
        _spare,
        Step(
            real("P", "share of reads that go back"),
            (1 - 1 / REPLICAS.symbol) * exp(-_nu * GAP.symbol) / 2 * KEY.symbol / (KEY.symbol + _nu),
        ),
    ),
    "the difference of two exponential lags, and a write within it",
    exact=False,
    accuracy="an upper bound: lags taken as independent, by 5 % at a utilization of 0.3, by 18 to 27 % at 0.6 to 0.9",
    solvable=("g",),
)

ANOTHER: Final = Formula(
    "the next read on another replica",
    (REPLICAS,),
    (
        Step(
            real("o", "share of reads that go to another replica than the one before"), 1 - Integer(1) / REPLICAS.symbol
        ),
    ),
    "definition",
    exact=True,
    accuracy="exact for reads that go to a replica at random",
)

WINDOW: Final = real("t_w", "time after a write in which its user reads from the primary", "s")
USER: Final = real("w_u", "writes of one user", "/s")

TO_PRIMARY: Final = Formula(
    "reads sent to the primary",
    (USER, WINDOW),
    (Step(real("o", "share of a user's reads that go to the primary"), 1 - exp(-USER.symbol * WINDOW.symbol)),),
    "P(a Poisson write within a time)",
    exact=True,
    accuracy="exact for Poisson writes that reads do not depend on",
    solvable=("w_u", "t_w"),
)

LOST: Final = Formula(
    "writes lost at failover",
    (RATE, DELAY, FLUSH),
    (Step(real("M", "mean number of writes that no replica has"), _lambda * (DELAY.symbol + FLUSH.symbol / 2)),),
    "Little 1961; the age of a flush is uniform",
    exact=True,
    accuracy="exact",
    solvable=("lambda", "d", "d_f"),
)

LOST_SPAN: Final = Formula(
    "the longest time lost at failover",
    (DELAY, FLUSH),
    (Step(real("D", "time whose writes may be lost", "s"), DELAY.symbol + FLUSH.symbol),),
    "definition",
    exact=True,
    accuracy="exact",
    solvable=("d", "d_f"),
)

NOTICED: Final = real("t_n", "time until the loss is noticed", "s")
BACKLOG: Final = real("B", "writes received and not yet applied")
APPLIED: Final = real("mu", "writes that are applied with nothing new coming", "/s")
PROMOTED: Final = real("t_p", "time of the promotion itself", "s")

TAKEOVER: Final = Formula(
    "time without a primary",
    (NOTICED, BACKLOG, APPLIED, PROMOTED),
    (
        Step(
            real("D", "time without a primary", "s"), NOTICED.symbol + BACKLOG.symbol / APPLIED.symbol + PROMOTED.symbol
        ),
    ),
    "fluid queue",
    exact=True,
    accuracy="exact for the fluid",
    solvable=("t_n", "B", "mu", "t_p"),
)

HUGE: Final = real("T_h", "time to apply a huge transaction", "s")

HUGE_RECOVERY: Final = Formula(
    "recovery from a huge transaction",
    (HUGE, USE),
    (Step(real("D", "time until the lag is as before", "s"), HUGE.symbol / (1 - _rho)),),
    "busy period: Takacs 1962, chapter 1",
    exact=True,
    accuracy="exact in the mean, where writes are made visible in order",
    solvable=("T_h", "rho"),
)

MISSING: Final = real("e", "load that the other appliers cannot take, of one of them")
APPLIERS: Final = whole("k", "appliers")

HUGE_UNORDERED: Final = Formula(
    "recovery from a huge transaction that others need not wait for",
    (HUGE, USE, APPLIERS),
    (
        Step(MISSING, _rho - (APPLIERS.symbol - 1) / APPLIERS.symbol),
        Step(real("D", "time until the lag is as before", "s"), HUGE.symbol * (1 + MISSING.symbol / (1 - _rho))),
    ),
    "fluid queue",
    exact=True,
    accuracy="exact for the fluid, where the other appliers are not enough",
)

LAG_GROWTH: Final = Formula(
    "growth of the lag",
    (RATE, APPLIED),
    (Step(real("e", "seconds by which the lag grows each second"), 1 - APPLIED.symbol / _lambda),),
    "fluid queue",
    exact=True,
    accuracy="exact for the fluid, where more is written than applied",
    solvable=("lambda", "mu"),
)

_ALL, _READ, _WRITTEN = VERSIONS_BEHIND.inputs[:3]
WRITES_PER_READ: Final = real("v", "writes of the key for each read of this client")

BACKWARD_QUORUM: Final = Formula(
    "a read older than the same client's read before, by quorums",
    (_ALL, _READ, _WRITTEN, WRITES_PER_READ),
    (
        Step(
            real("p_b", "probability that a read goes back"),
            (binomial(_ALL.symbol - _WRITTEN.symbol, _READ.symbol) / binomial(_ALL.symbol, _READ.symbol))
            ** (1 + WRITES_PER_READ.symbol),
        ),
    ),
    "Bailis et al. 2012, equation 3",
    exact=True,
    accuracy="exact for quorums drawn at random that never grow, with so many writes between two reads",
    solvable=("v",),
)
