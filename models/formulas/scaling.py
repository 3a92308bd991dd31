"""The Universal Scalability Law: capacity, peak, nodes for a capacity, latency; Amdahl and Gustafson as its edges."""

from __future__ import annotations

from typing import Final

from sympy import Symbol, sqrt

from models.formulas.formula import Formula, Quantity, Step
from models.formulas.symbols import real
from models.formulas.work import COHERENCY, CONTENTION

_sigma, _kappa = CONTENTION.symbol, COHERENCY.symbol
_SIZE: Final = Quantity(Symbol("N", positive=True), "nodes, also between whole ones")
_n = _SIZE.symbol
CAPACITY: Final = real("X", "capacity in units of one node")
_x = CAPACITY.symbol
_LINEAR: Final = Quantity(Symbol("beta", real=True), "linear coefficient of the quadratic")

USL: Final = Formula(
    "Universal Scalability Law",
    (_SIZE, CONTENTION, COHERENCY),
    (Step(CAPACITY, _n / (1 + _sigma * (_n - 1) + _kappa * _n * (_n - 1))),),
    "Gunther 2007, Guerrilla Capacity Planning, eq. 4.31",
    exact=True,
    accuracy="exact for the law",
    solvable=("N", "sigma", "kappa"),
)

USL_PEAK: Final = Formula(
    "nodes at the peak",
    (CONTENTION, COHERENCY),
    (Step(real("N_p", "nodes at which capacity peaks"), sqrt((1 - _sigma) / _kappa)),),
    "Gunther 2007, eq. 4.33",
    exact=True,
    accuracy="exact for the law; sigma below 1",
    solvable=("sigma", "kappa"),
)

_PEAK: Final = USL_PEAK.result

USL_PEAK_CAPACITY: Final = Formula(
    "capacity at the peak",
    (CONTENTION, COHERENCY),
    (
        *USL_PEAK.steps,
        Step(
            real("X_p", "the most that any number of nodes does, in units of one node"),
            _PEAK.symbol / (1 + _sigma * (_PEAK.symbol - 1) + _kappa * _PEAK.symbol * (_PEAK.symbol - 1)),
        ),
    ),
    "Gunther 2007, eq. 4.31 and 4.33",
    exact=True,
    accuracy="exact for the law, from one node on; nodes are taken as divisible",
)

USL_LIMIT: Final = Formula(
    "capacity that is never reached",
    (CONTENTION,),
    (Step(real("X_p", "the most that any number of nodes does, in units of one node"), 1 / _sigma),),
    "Amdahl 1967; Gunther 2007, section 4.4",
    exact=True,
    accuracy="exact for the law without coherency",
    solvable=("sigma",),
)

USL_NODES: Final = Formula(
    "nodes for a capacity",
    (CAPACITY, CONTENTION, COHERENCY),
    (
        Step(_LINEAR, 1 + _x * (_kappa - _sigma)),
        Step(
            real("N_x", "nodes, not rounded, before the peak"),
            2 * _x * (1 - _sigma) / (_LINEAR.symbol + sqrt(_LINEAR.symbol**2 - 4 * _kappa * _x**2 * (1 - _sigma))),
        ),
    ),
    "Gunther 2007, eq. 4.31 solved for N, its smaller root",
    exact=True,
    accuracy="exact for the law, up to its peak",
)

_SERIAL: Final = real("s", "share of the work that cannot be divided")
_s = _SERIAL.symbol

AMDAHL: Final = Formula(
    "Amdahl's law",
    (_SIZE, _SERIAL),
    (Step(CAPACITY, _n / (1 + _s * (_n - 1))),),
    "Amdahl 1967; Gunther 2007, section 4.4",
    exact=True,
    accuracy="exact for the law",
    solvable=("N", "s"),
)

GUSTAFSON: Final = Formula(
    "Gustafson's law",
    (_SIZE, _SERIAL),
    (Step(CAPACITY, _s + (1 - _s) * _n),),
    "Gustafson 1988",
    exact=True,
    accuracy="exact for the law",
    solvable=("N", "s"),
)

_INSIDE: Final = Quantity(Symbol("N", positive=True), "requests inside")
ONE: Final = real("gamma", "throughput with one request inside", "/s")
_LATENCY: Final = real("R", "mean response time", "s")

USL_LATENCY: Final = Formula(
    "response time by the Universal Scalability Law",
    (_INSIDE, CONTENTION, COHERENCY, ONE),
    (Step(_LATENCY, (1 + _sigma * (_n - 1) + _kappa * _n * (_n - 1)) / ONE.symbol),),
    "Gunther 2007, eq. 4.31; Little 1961",
    exact=True,
    accuracy="exact for the law",
    solvable=("sigma", "kappa", "gamma"),
)

_OVER: Final = Quantity(Symbol("delta", real=True), "contention less coherency")

USL_CONCURRENCY: Final = Formula(
    "requests inside at a response time",
    (_LATENCY, CONTENTION, COHERENCY, ONE),
    (
        Step(_OVER, _sigma - _kappa),
        Step(
            real("N_R", "requests inside, not rounded"),
            (sqrt(_OVER.symbol**2 + 4 * _kappa * (ONE.symbol * _LATENCY.symbol - 1 + _sigma)) - _OVER.symbol)
            / (2 * _kappa),
        ),
    ),
    "Gunther 2007, eq. 4.31 and Little 1961, solved for N",
    exact=True,
    accuracy="exact for the law",
)

_REACHED: Final = real("X", "throughput of so many", "/s")

EFFICIENCY: Final = Formula(
    "share of perfect scaling",
    (_REACHED, _SIZE, ONE),
    (Step(real("e", "share of perfect scaling"), _REACHED.symbol / (_n * ONE.symbol)),),
    "definition",
    exact=True,
    accuracy="exact",
    solvable=("X", "N", "gamma"),
)

THROUGHPUT: Final = Formula(
    "throughput by the Universal Scalability Law",
    (_SIZE, CONTENTION, COHERENCY, ONE),
    (*USL.steps, Step(real("Y", "throughput", "/s"), ONE.symbol * _x)),
    "Gunther 2007, Guerrilla Capacity Planning, eq. 4.31",
    exact=True,
    accuracy="exact for the law",
    solvable=("gamma",),
)
