from __future__ import annotations

from random import Random
from typing import Any

import mpmath
import pytest

from models.backlog import Rebalancing, backlog_drain, course, rebalancing, redelivery, time_to_full, time_to_loss
from models.backlog import Span as Spell
from models.formulas import backlogs
from models.partitions import Partitioned, hashed_cv, random_drain
from models.service_time import from_moments
from tests.models.formula_checks import Law, check_law

POINTS: list[dict[str, Any]] = []
for r in map(Random, range(12)):
    rate, pause = 10 ** r.uniform(1, 3), r.uniform(0.1, 2)
    POINTS.append({
        "lambda": rate, "mu": rate * r.uniform(1.3, 3), "B": r.uniform(100, 1e4), "t_s": r.uniform(10, 1000), "S": 1 / rate, "h": r.uniform(0.05, 0.5),
        "p_r": pause, "x": pause * r.uniform(40, 90), "t_c": pause * r.uniform(0.1, 4), "r": r.uniform(0.05, 0.9), "m": r.randrange(1, 9),
        "c_s": r.uniform(0.1, 4), "P": r.randrange(2, 60), "q_2": r.uniform(0.001, 0.2), "K": r.uniform(2e4, 1e6), "k": r.uniform(1e4, 1e6),
        "g": r.uniform(0, 1e4),
    })  # fmt: skip
for point in POINTS:
    point["lambda_r"] = point["lambda"] * point["t_c"] / 2 / point["x"]
OVERLOADED = [{**x, "mu": x["lambda"] ** 2 / x["mu"]} for x in POINTS]


def stops(x: dict[str, Any]) -> Rebalancing:
    commit_interval = 2 * x["lambda_r"] * x["x"] / x["lambda"]
    found: Rebalancing | None = rebalancing(x["lambda"], x["mu"], x["p_r"], x["x"], commit_interval)
    assert found is not None
    return found


def triangle(x: Any) -> Any:
    """Return the mean delay of a message by integrating the backlog over one interval."""
    peak = x["lambda"] * x["p_r"] + x["lambda_r"] * x["x"]
    end = peak / (x["mu"] - x["lambda"])
    rising = mpmath.quad(lambda t: x["lambda"] * t, [0, x["p_r"]])
    falling = mpmath.quad(lambda t: peak - (x["mu"] - x["lambda"]) * t, [0, end])
    return (rising + falling) / (x["lambda"] * x["x"])


LAWS = [
    Law(
        backlogs.BACKLOG_DRAIN,
        lambda x: x["B"] / x["mu"] / (1 - x["lambda"] / x["mu"]),
        lambda x: backlog_drain(x["B"], x["lambda"], x["mu"]),
    ),
    Law(
        backlogs.LEFT_BY_STOP,
        lambda x: x["t_s"] / (1 / x["lambda"]),
        lambda x: course([Spell(x["t_s"], x["lambda"], 0.0)]).peak,
    ),
    Law(
        backlogs.READER_CAPACITY,
        lambda x: mpmath.mpf(1) / x["S"] / x["h"],
        lambda x: Partitioned(40, 7, x["h"]).capacity(x["S"]) * Partitioned(40, 7, x["h"]).readers[0].share / x["h"],
    ),
    Law(
        backlogs.READER_USE,
        lambda x: x["lambda"] / (1 / (x["S"] * x["h"])),
        lambda x: x["lambda"] / Partitioned(40, 40, x["h"]).capacity(x["S"]),
    ),
    Law(
        backlogs.REPEATED_WORK,
        lambda x: x["t_c"] * x["lambda"] / x["x"] / 2,
        lambda x: rebalancing(x["lambda"], 9 * x["lambda"], 0.0, x["x"], x["t_c"]).repeated,
    ),
    Law(backlogs.REBALANCING_PEAK, lambda x: (x["lambda_r"] * x["x"] / x["lambda"] + x["p_r"]) * x["lambda"],
        lambda x: stops({**x, "mu": 9 * x["lambda"]}).peak),
    Law(backlogs.REBALANCING_DELAYED, lambda x: x["p_r"] / x["x"] + (x["lambda"] * x["p_r"] / x["x"] + x["lambda_r"]) / (x["mu"] - x["lambda"]),
        lambda x: stops(x).delayed),
    Law(backlogs.REBALANCING_DELAY, triangle, lambda x: stops(x).mean_delay),
    Law(
        backlogs.ENDLESS_REDELIVERY,
        lambda x: mpmath.nsum(lambda i: x["r"] ** i, [0, mpmath.inf]),
        lambda x: redelivery(x["r"]).deliveries,
    ),
    Law(
        backlogs.PUT_ASIDE,
        lambda x: mpmath.exp(x["m"] * mpmath.log(x["r"])),
        lambda x: redelivery(x["r"], x["m"]).dead,
    ),
    Law(
        backlogs.DRAIN_DEVIATION,
        # As many busy periods as messages, each with the variance of M/G/1.
        lambda x: mpmath.sqrt(
            x["B"] * (x["c_s"] / x["mu"] ** 2 / (1 - x["lambda"] / x["mu"]) ** 3
                      + x["lambda"] / x["mu"] ** 3 / (1 - x["lambda"] / x["mu"]) ** 3)
        ),
        lambda x: random_drain(x["B"], x["lambda"], from_moments(1 / x["mu"], x["c_s"]), 1).deviation,
    ),
    Law(
        backlogs.HASHED,
        # Each key is in a partition with 1 / P: the variance of its share, over the squared mean.
        lambda x: mpmath.sqrt(x["q_2"] * (1 / x["P"]) * (1 - 1 / x["P"])) * x["P"],
        lambda x: hashed_cv(x["q_2"], x["P"]),
    ),
    Law(backlogs.UNREAD, lambda x: x["k"] * (1 - x["g"] / x["k"]), lambda x: time_to_loss(1.0, 0.0, x["k"], x["g"])),
]  # fmt: skip

GROWING = [
    Law(
        backlogs.TIME_TO_FULL,
        lambda x: (x["B"] - x["K"]) / (x["mu"] - x["lambda"]),
        lambda x: time_to_full(x["lambda"], x["mu"], x["K"], x["B"]),
    ),
    Law(
        backlogs.GROWTH,
        lambda x: x["lambda"] * (1 - x["mu"] / x["lambda"]),
        lambda x: Partitioned(1, 1).behind(x["lambda"], 1 / x["mu"]).growth,
    ),
]


# Each closed form equals what is written down again, by another road, to 30 digits, and the numeric function as far as
# doubles go; its derivatives are its slopes, its inverse leads back.
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_laws(law: Law) -> None:
    check_law(law, POINTS)


# The same where more comes than is taken.
@pytest.mark.parametrize("law", GROWING, ids=lambda law: law.name)
def test_growing(law: Law) -> None:
    check_law(law, OVERLOADED)
