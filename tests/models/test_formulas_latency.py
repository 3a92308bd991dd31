"""The formulas of `models.formulas.forks` against fifty digits, and against the numeric functions."""

from __future__ import annotations

import math
import random
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import mpmath
import pytest

from models.extremes import earliest, minimum
from models.fitting import from_mean
from models.fork_join import Branch, fork_join, nelson_tantawi
from models.formulas import forks
from models.heavy import LogNormal
from models.latency import Latency, with_timeout
from models.queues import mgc_wait
from models.service_time import exponential

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from models.formulas import Formula

Point = dict[str, Any]


def points(count: int = 6) -> Iterator[Point]:
    draws = random.Random(20_261_123)  # noqa: S311, points and no secrets
    for _ in range(count):
        u, mean = draws.uniform, 10 ** draws.uniform(-3, 1)
        yield {
            "S": mean, "K": draws.randint(2, 30), "rho": u(0.05, 0.95), "r": draws.randint(1, 4), "t_o": mean * u(0.3, 5),
            "t_50": mean, "sigma_l": u(0.1, 2.5), "T": mean, "t_99": mean * u(1.1, 14.5), "z_99": NormalDist().inv_cdf(0.99),
        }  # fmt: skip


def harmonic(k: int) -> Any:
    return mpmath.digamma(k + 1) + mpmath.euler


def mp(value: Any) -> Any:
    return mpmath.mpf(value)


PRECISE: dict[str, tuple[Formula, Callable[[Point], Any]]] = {
    "last": (forks.LAST_OF, lambda x: mp(x["S"]) * harmonic(x["K"])),
    "first": (forks.FIRST_OF, lambda x: mp(x["S"]) / x["K"]),
    "two": (forks.FORK_OF_TWO, lambda x: mp(x["S"]) / (1 - mp(x["rho"])) * (mp(3) / 2 - mp(x["rho"]) / 8)),
    "join": (forks.FORK_JOIN, lambda x: (
        (harmonic(x["K"]) * 2 / 3 * (1 - 4 * mp(x["rho"]) / 11) + 4 * mp(x["rho"]) / 11)
        * (mp(3) / 2 - mp(x["rho"]) / 8) * mp(x["S"]) / (1 - mp(x["rho"])))),
    "again": (forks.TRIED_AGAIN, lambda x: -mp(x["S"]) * mpmath.expm1(-(x["r"] + 1) * mp(x["t_o"]) / mp(x["S"]))),
    "log-normal": (forks.LOG_NORMAL_MEAN, lambda x: mpmath.exp(mpmath.log(mp(x["t_50"])) + mp(x["sigma_l"]) ** 2 / 2)),
    "fit": (forks.LOG_NORMAL_FIT, lambda x: (
        2 * mpmath.log(mp(x["t_99"]) / mp(x["T"]))
        / (mp(x["z_99"]) + mpmath.sqrt(mp(x["z_99"]) ** 2 - 2 * mpmath.log(mp(x["t_99"]) / mp(x["T"])))))),
}  # fmt: skip


# Each closed form equals what is written down again, by another road, to 30 digits.
@pytest.mark.parametrize("name", PRECISE)
def test_thirty_digits(name: str) -> None:
    formula, again = PRECISE[name]
    for x in points():
        with mpmath.workdps(50):
            wanted = again(x)
        assert abs(formula.value(x) / wanted - 1) < mpmath.mpf(10) ** -30


def queue(x: Point) -> Branch:
    service = exponential(x["S"])
    return Branch(mgc_wait(x["rho"] / x["S"], service, 1), service, x["rho"])


NUMERIC: dict[str, tuple[Formula, Callable[[Point], float], float]] = {
    # What is kept as a function has its mean to 1e-6.
    "last": (forks.LAST_OF, lambda x: earliest(x["K"], [Latency.of(exponential(x["S"]))] * x["K"]).mean, 1e-6),
    "first": (forks.FIRST_OF, lambda x: minimum([Latency.of(exponential(x["S"]))] * x["K"]).mean, 1e-6),
    # The table of two queues.
    "two": (forks.FORK_OF_TWO, lambda x: fork_join([queue(x)] * 2).mean, 1e-4),
    "join": (forks.FORK_JOIN, lambda x: nelson_tantawi(x["K"], x["rho"], x["S"]), 1e-13),
    "again": (forks.TRIED_AGAIN, lambda x: with_timeout(Latency.of(exponential(x["S"])), x["t_o"], x["r"])[0].mean, 1e-12),
    "log-normal": (forks.LOG_NORMAL_MEAN, lambda x: LogNormal(x["t_50"], x["sigma_l"]).mean, 1e-13),
    # Where p99 is near its largest, the root magnifies rounding.
    "fit": (forks.LOG_NORMAL_FIT, lambda x: from_mean(x["T"], x["t_99"]).parameters["sigma"], 1e-11),
}  # fmt: skip


# The numeric functions agree with the formulas, as far as each of them goes.
@pytest.mark.parametrize("name", NUMERIC)
def test_the_numeric_function_is_the_formula(name: str) -> None:
    formula, function, accuracy = NUMERIC[name]
    for x in points():
        assert function(x) == pytest.approx(float(formula.value(x)), rel=accuracy)


# Every derivative is the slope of the formula itself.
@pytest.mark.parametrize("name", PRECISE)
def test_derivatives(name: str) -> None:
    formula, _ = PRECISE[name]
    for x in points(3):
        found = {d.input.name: d.slope for d in formula.differences(x)}
        for q in formula.inputs:
            if q.whole:
                slope = formula.value({**x, q.name: x[q.name] + 1}) - formula.value(x)
            else:
                with mpmath.workdps(60):
                    step = mp(x[q.name]) * mpmath.mpf(10) ** -15
                    above, below = (formula.value({**x, q.name: mp(x[q.name]) + by}, 50) for by in (step, -step))
                    slope = (above - below) / (2 * step)
            assert found.get(q.name, 0.0) == pytest.approx(float(slope), rel=1e-10, abs=1e-250)


# An inverse, put back in, gives the result that it was solved from.
@pytest.mark.parametrize("formula", [forks.FIRST_OF, forks.FORK_OF_TWO, forks.LOG_NORMAL_MEAN], ids=lambda f: f.name)
def test_inverses(formula: Formula) -> None:
    x = next(points())
    known = {q.symbol: mp(x[q.name]) for q in formula.inputs} | {formula.result.symbol: formula.value(x)}
    for wanted in formula.solvable:
        branches = [complex(found.subs(known)) for found in formula.solved_for(wanted)]
        assert any(math.isclose(b.real, x[wanted], rel_tol=1e-9) and abs(b.imag) < 1e-12 for b in branches)
