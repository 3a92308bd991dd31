from __future__ import annotations

from random import Random
from typing import Any

import mpmath
import pytest

from models.erlang import erlang_b
from models.formulas import tails
from models.layered import bulkhead
from models.markov import mg1_wait_mean
from models.networks import Center, open_network
from models.queues import MMc
from models.staffing import load_for_utilization, servers_for_utilization
from tests.models.formula_checks import Law, check_law

POINTS: list[dict[str, Any]] = []
for r in map(Random, range(20)):
    servers, use, service = r.randrange(1, 50), r.uniform(0.3, 0.95), 10 ** r.uniform(-4, 1)
    POINTS.append({
        "c": servers, "S": service, "lambda": use * servers / service, "a": use * servers, "rho": use, "c_s": r.uniform(0.1, 5),
        "t": service * r.uniform(0.01, 3), "q": 0.5 ** r.randrange(12, 40), "W": r.uniform(0, 3), "T": r.uniform(0, 3), "D": service,
    })  # fmt: skip


def erlang_c(load: Any, servers: Any) -> Any:
    """Return Erlang C by the inverse of B as a product, from below."""
    inverse = mpmath.mpf(1)
    for k in range(1, int(servers) + 1):
        inverse = 1 + inverse * k / load
    return 1 / (1 + (1 - load / servers) * (inverse - 1))


def queue(x: Any) -> MMc:
    return MMc(x["lambda"], x["S"], x["c"])


def precise_wait(x: Any) -> Any:
    load = x["lambda"] * x["S"]
    return erlang_c(load, x["c"]) / (x["c"] / x["S"] - x["lambda"])


def precise_tail(x: Any) -> Any:
    """Return P(wait + service > t): no wait, or the two exponential times one after the other, by integration."""
    mu, spare = 1 / x["S"], x["c"] / x["S"] - x["lambda"]
    waits = erlang_c(x["lambda"] * x["S"], x["c"])
    both = mpmath.quad(lambda u: spare * mpmath.exp(-spare * u) * mpmath.exp(-mu * (x["t"] - u)), [0, x["t"]])
    return (1 - waits) * mpmath.exp(-mu * x["t"]) + waits * (mpmath.exp(-spare * x["t"]) + both)


def alone(x: Any) -> dict[str, Any]:
    """Return the inputs of one server."""
    return x if "c" not in x else {**x, "lambda": x["lambda"] / x["c"]}


def servers_needed(x: Any) -> float | None:
    needed = x["a"] / x["rho"]
    return needed if servers_for_utilization(x["a"], x["rho"]) - needed < 1 else 0.0


LAWS = [
    Law(tails.QUEUE_LENGTH, lambda x: x["W"] / (1 / x["lambda"]), lambda x: x["lambda"] * x["W"]),
    Law(tails.NUMBER_INSIDE, lambda x: x["T"] / (1 / x["lambda"]), lambda x: x["lambda"] * x["T"]),
    Law(tails.WAIT_AND_SERVICE, lambda x: x["S"] + x["W"], lambda x: x["W"] + x["S"]),
    Law(tails.MMC_RESPONSE, lambda x: precise_wait(x) + x["S"], lambda x: queue(x).response_mean),
    Law(tails.MMC_LENGTH, lambda x: precise_wait(x) * x["lambda"], lambda x: queue(x).queue_length),
    Law(
        tails.MMC_WAIT_TAIL,
        lambda x: erlang_c(x["lambda"] * x["S"], x["c"]) * mpmath.exp(x["t"] * (x["lambda"] - x["c"] / x["S"])),
        lambda x: queue(x).wait_tail(x["t"]),
    ),
    Law(
        tails.MMC_WAIT_PERCENTILE,
        lambda x: -mpmath.log(x["q"] / erlang_c(x["lambda"] * x["S"], x["c"])) / (x["c"] / x["S"] - x["lambda"]),
        lambda x: queue(x).wait_percentile(1 - x["q"]) or None,
        1e-10,
    ),
    Law(tails.MMC_RESPONSE_TAIL, precise_tail, lambda x: queue(x).response_tail(x["t"])),
    Law(tails.SERVERS_FOR_UTILIZATION, lambda x: 1 / (x["rho"] / x["a"]), servers_needed),
    Law(
        tails.LOAD_FOR_UTILIZATION, lambda x: x["c"] / (1 / x["rho"]), lambda x: load_for_utilization(x["c"], x["rho"])
    ),
    Law(
        tails.OPEN_STATION,
        lambda x: x["D"] * (1 + erlang_c(x["lambda"] * x["D"], x["c"]) / (x["c"] - x["lambda"] * x["D"])),
        lambda x: open_network([x["lambda"]], [Center((x["D"],), x["c"])]).response[0],
    ),
]

ONE_SERVER = [
    Law(
        tails.MG1_RESPONSE,
        lambda x: x["S"] * (1 + x["lambda"] * x["S"] * (1 + x["c_s"]) / (2 - 2 * x["lambda"] * x["S"])),
        lambda x: mg1_wait_mean(x["lambda"], x["S"], x["c_s"]) + x["S"],
    ),
    Law(
        tails.MM1_RESPONSE_PERCENTILE,
        lambda x: mpmath.log(1 / x["q"]) / (1 / x["S"] - x["lambda"]),
        lambda x: MMc(x["lambda"], x["S"], 1).response_percentile(1 - x["q"]),
        1e-10,
    ),
]


BESIDE = [tails.HELD]


# Each closed form equals what is written down again, by another road, to 30 digits, and the numeric function as far as
# doubles go; its derivatives are its slopes, its inverse leads back.
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_laws(law: Law) -> None:
    check_law(law, POINTS)


# The same with one server.
@pytest.mark.parametrize("law", ONE_SERVER, ids=lambda law: law.name)
def test_one_server(law: Law) -> None:
    check_law(law, [alone(x) for x in POINTS])


def precise_peakedness(x: Any) -> Any:
    """Return variance over mean of the number in a loss system, state by state."""
    weights = [x["a"] ** k / mpmath.factorial(k) for k in range(int(x["c"]) + 1)]
    total = mpmath.fsum(weights)
    mean = mpmath.fsum(k * w for k, w in enumerate(weights)) / total
    return mpmath.fsum(k * k * w for k, w in enumerate(weights)) / total / mean - mean


# What a bulkhead holds is the state of Erlang's loss system: its mean, and how peaked it is.
def test_held() -> None:
    points = [x for x in POINTS if x["c"] > 1]
    law = Law(tails.HELD, precise_peakedness, lambda x: bulkhead(x["c"], 1, x["a"], 1.0).peakedness, 1e-10)
    check_law(law, points)
    for x in points:
        held = tails.HELD.values(x)["h"]
        assert float(held) == pytest.approx(x["a"] * (1 - erlang_b(x["c"], x["a"])), rel=1e-12)
