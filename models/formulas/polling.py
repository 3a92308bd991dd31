"""One server that goes round several queues: the law that their waits obey, and the waits where queues are alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from sympy import Expr, Integer

from models.formulas.formula import Formula, Quantity, Step, chained
from models.formulas.symbols import RATE, SERVICE, SQUARED_CV, USE, WAIT, real, whole
from models.formulas.work import stream

Visits = Literal["exhaustive", "gated", "limited"]

_rho = USE.symbol
SWITCHING: Final = real("R", "mean time of a round that is spent between queues", "s")
SPREAD: Final = real("R_2", "its mean square", "s^2")
SUM: Final = real("V", "sum of the waits, each times its weight", "s")
COMMON: Final = real("V_0", "what a server without switching would leave waiting, and half of a round", "s")
_r = SWITCHING.symbol
_LAW: Final = "Boxma and Groenendijk 1987, Pseudo-conservation laws in cyclic-service systems"


@dataclass(frozen=True)
class _Queue:
    """The symbols of one queue."""

    rate: Quantity
    service: Quantity
    squared_cv: Quantity
    switch: Quantity
    spread: Quantity

    @property
    def used(self) -> Expr:
        """Its load."""
        return self.rate.symbol * self.service.symbol

    @property
    def inputs(self) -> tuple[Quantity, ...]:
        """All symbols."""
        return (self.rate, self.service, self.squared_cv, self.switch, self.spread)


def _queue(index: int) -> _Queue:
    rate, service, squared_cv = stream(index)
    switch = real(f"r_{index}", "mean time to the next queue", "s")
    return _Queue(rate, service, squared_cv, switch, real(f"d_{index}", "squared coefficient of variation of it"))


def polling_law(visits: Visits, queues: int) -> Formula:
    """Return the sum of the waits, weighted by loads ("limited": less what one visit a round leaves) (*exact*)."""
    parts = [_queue(i + 1) for i in range(queues)]
    switching = sum((p.switch.symbol for p in parts), Integer(0))
    variance = sum((p.switch.symbol**2 * p.spread.symbol for p in parts), Integer(0))
    work = sum((p.rate.symbol * p.service.symbol**2 * (1 + p.squared_cv.symbol) for p in parts), Integer(0))
    own = sum((p.used**2 for p in parts), Integer(0))
    sign = -1 if visits == "exhaustive" else 1
    steps = (
        Step(USE, sum((p.used for p in parts), Integer(0))),
        Step(SWITCHING, switching),
        Step(SPREAD, _r**2 + variance),
        Step(COMMON, _rho * work / (1 - _rho) / 2 + _rho * SPREAD.symbol / (2 * _r)),
        Step(SUM, COMMON.symbol + _r * (_rho**2 + sign * own) / (1 - _rho) / 2),
    )
    inputs = tuple(q for p in parts for q in p.inputs)
    return Formula("law of waits in turn", inputs, steps, _LAW, exact=True, accuracy="exact for Poisson arrivals")


def polling_limited(queues: int) -> Formula:
    """Return the mean wait of the first of several queues of which a visit serves one (*approximate*)."""
    parts = [_queue(i + 1) for i in range(queues)]
    shares, weights = [], []
    for p in parts:
        apart = (1 - _rho + p.used) / (1 - _rho - p.rate.symbol * _r)
        shares.append(apart)
        weights.append(p.used * (1 - p.rate.symbol * _r / (1 - _rho)) * apart)
    inputs = (*(q for p in parts for q in p.inputs), USE, SWITCHING, SUM)
    step = Step(WAIT, SUM.symbol * shares[0] / sum(weights[1:], weights[0]))
    told = "exact for queues that are all alike; else in proportion after Boxma and Meister, such that the law holds"
    last = Formula("", inputs, (step,), "Boxma and Meister 1987", exact=False, accuracy=told)
    return chained("mean wait, one a visit", polling_law("limited", queues), last)


_QUEUES: Final = whole("n", "queues")
_ONE: Final = real("r_1", "mean time to the next queue", "s")
_VARIED: Final = real("d_1", "squared coefficient of variation of it")
_lambda, _s, _cs, _n = RATE.symbol, SERVICE.symbol, SQUARED_CV.symbol, _QUEUES.symbol


def polling_alike(visits: Visits) -> Formula:
    """Return the mean wait of n queues that are all alike (*exact*)."""
    sign = -1 if visits == "exhaustive" else 1
    work = _n * _lambda * _s**2 * (1 + _cs) / (1 - _rho) / 2
    away = _ONE.symbol * (_n + _VARIED.symbol) / 2 + _ONE.symbol * _rho * (_n + sign) / (1 - _rho) / 2
    left = 1 - _n * _lambda * _ONE.symbol / (1 - _rho) if visits == "limited" else Integer(1)
    wait = (work + away) / left
    steps = (Step(USE, _n * _lambda * _s), Step(WAIT, wait))
    inputs = (_QUEUES, RATE, SERVICE, SQUARED_CV, _ONE, _VARIED)
    told = "exact for Poisson arrivals; the rate is that of one queue"
    return Formula("mean wait of queues in turn", inputs, steps, _LAW, exact=True, accuracy=told)
