"""The formulas of streams and replicas against the numeric functions, against sums written down again, and their slopes."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import mpmath
import pytest

from models.backlog import rebalancing, redelivery, time_to_loss
from models.failover import Loss
from models.formulas import Formula, streams
from models.quorum import versions_behind
from models.replica_lag import catch_up, replica_lag
from models.service_time import exponential
from models.windows import fixed_window_rejection

if TYPE_CHECKING:
    from collections.abc import Callable

Point = dict[str, Any]
mp = mpmath.mpf

RANDOM = random.Random(61)  # noqa: S311, points and no secrets


def point() -> Point:
    """Return inputs of every symbol used below at which all formulas have a value."""
    u = RANDOM.uniform
    rate, n = 10 ** u(0, 4), RANDOM.randint(3, 9)
    return {
        "lambda": rate, "mu": rate * u(0.1, 0.9), "k": u(1e4, 1e6), "g": u(0, 1e4), "p_r": u(0.1, 2), "x": u(30, 90), "r": u(0.01, 0.9),
        "m": RANDOM.randint(1, 9), "s": u(0.05, 0.6) / rate, "d": u(0, 0.1), "d_f": u(0.001, 0.1), "g_l": u(1, 1e4), "rho": u(0.05, 0.95),
        "N": n, "R": RANDOM.randint(1, n - 1), "W": 1, "L": RANDOM.randint(1, 60), "T_w": u(0.5, 1.5) * 30 / rate,
    }  # fmt: skip


def numeric_rebalancing(x: Point) -> float:
    found = rebalancing(x["lambda"], x["mu"], x["p_r"], x["x"])
    assert found is not None
    return found.mean_delay


def poisson_excess(x: Point) -> Any:
    a, total = mp(x["lambda"]) * mp(x["T_w"]), mp(0)
    for j in range(x["L"] + 1, x["L"] + 400):
        total += (j - x["L"]) * mpmath.exp(-a) * a**j / mpmath.factorial(j)
    return total / a


CASES: dict[str, tuple[Formula, Callable[[Point], float], Callable[[Point], Any], Point]] = {
    "retention": (
        streams.RETENTION,
        lambda x: time_to_loss(x["lambda"], x["mu"], x["k"], x["g"]) or 0.0,
        lambda x: mp(x["lambda"]) * (mp(x["k"]) - mp(x["g"])) / (mp(x["lambda"]) - mp(x["mu"])),
        {},
    ),
    "rebalancing": (
        streams.REBALANCING,
        numeric_rebalancing,
        lambda x: mp(x["p_r"]) ** 2 * mp(x["mu"]) / (2 * mp(x["x"]) * (mp(x["mu"]) - mp(x["lambda"]))),
        {"mu": 1.7},
    ),
    "redelivery": (
        streams.REDELIVERY,
        lambda x: redelivery(x["r"], x["m"]).deliveries,
        lambda x: mpmath.fsum(mp(x["r"]) ** i for i in range(x["m"])),
        {},
    ),
    "catch up": (
        streams.CATCH_UP,
        lambda x: catch_up(x["g_l"], 1000 * x["rho"], 1000.0) or 0.0,
        lambda x: mp(x["g_l"]) / (1 / mp(x["rho"]) - 1),
        {},
    ),
    "versions": (
        streams.VERSIONS_BEHIND,
        lambda x: versions_behind(x["N"], x["R"], x["W"], x["k"]),
        # Of the first R replicas none is the one that has the write.
        lambda x: (1 - mp(x["R"]) / mp(x["N"])) ** x["k"],
        {"k": 3},
    ),
    "fixed window": (
        streams.FIXED_WINDOW,
        lambda x: fixed_window_rejection(x["lambda"], x["L"], x["T_w"]),
        poisson_excess,
        {},
    ),
    "nothing lost": (
        streams.NOTHING_LOST,
        lambda x: Loss(x["lambda"], x["d"], x["d_f"]).none,
        lambda x: mpmath.quad(lambda v: mpmath.exp(-mp(x["lambda"]) * (mp(x["d"]) + v * mp(x["d_f"]))), [0, 1]),
        {},
    ),
}


def given(name: str) -> Point:
    x, more = point(), CASES[name][3]
    if "mu" in more:
        x["mu"] = x["lambda"] * more["mu"]
    if "k" in more:
        x["k"] = more["k"]
    if name == "nothing lost":
        x["lambda"] = min(x["lambda"], 200.0)
    return x


# Each formula is what is written down again by another road, to 30 digits.
@pytest.mark.parametrize("name", CASES)
def test_thirty_digits(name: str) -> None:
    formula, _, again, _ = CASES[name]
    for _ in range(6):
        x = given(name)
        with mpmath.workdps(60):
            wanted = again(x)
        assert abs(formula.value(x, 45) / wanted - 1) < mp(10) ** -30


# Each numeric function is its formula, as far as doubles go.
@pytest.mark.parametrize("name", CASES)
def test_the_numeric_function_is_the_formula(name: str) -> None:
    formula, numeric, _, _ = CASES[name]
    for _ in range(10):
        x = given(name)
        # A difference of doubles in a denominator loses at most a factor of ten here.
        assert float(formula.value(x, 45)) == pytest.approx(numeric(x), rel=1e-11)


# Every derivative is the slope of the formula itself.
@pytest.mark.parametrize("name", [n for n in CASES if n != "versions"])
def test_derivatives(name: str) -> None:
    formula = CASES[name][0]
    x = given(name)
    for difference in formula.differences(x):
        q = difference.input
        if q.whole:
            continue
        with mpmath.workdps(60):
            at = mp(x[q.name])
            step = at * mp(10) ** -15
            above, below = (formula.value({**x, q.name: at + sign * step}, 55) for sign in (1, -1))
            # The step leaves an error of its square.
            assert difference.slope == pytest.approx(float((above - below) / (2 * step)), rel=1e-10)


# Every inverse, put back in, gives the result that it was solved from.
@pytest.mark.parametrize("formula", [streams.RETENTION, streams.REBALANCING, streams.CATCH_UP, streams.FLUSHED_LAG], ids=lambda f: f.name)  # fmt: skip
def test_inverses(formula: Formula) -> None:
    x = point() | ({"mu": 1e5} if formula is streams.REBALANCING else {})
    result = formula.value(x)
    for wanted in formula.solvable:
        symbols = {q.symbol: mp(x[q.name]) for q in formula.inputs} | {formula.result.symbol: result}
        branches = [found.subs(symbols) for found in formula.solved_for(wanted)]
        assert any(abs(complex(b) - x[wanted]) <= 1e-9 * abs(x[wanted]) for b in branches)


# Where every flush is applied before the next, the mean lag is the formula.
def test_flushed_lag() -> None:
    lag = replica_lag(1000.0, exponential(2e-4), network_delay=0.003, flush_interval=2.0)
    x = {"lambda": 1000.0, "s": 2e-4, "d": 0.003, "d_f": 2.0}
    # At 20 % a flush of 2,000 writes is never late.
    assert float(streams.FLUSHED_LAG.value(x)) == pytest.approx(lag.applied.mean, rel=1e-9)
