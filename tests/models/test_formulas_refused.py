from __future__ import annotations

from random import Random
from typing import Any

import mpmath
import pytest

from models.attempts import retried
from models.blocking import blocking_ring
from models.formulas import refused
from models.impatience import impatient
from models.latency import Latency
from models.loss import population
from models.retries import metastable_from
from models.retry_budgets import with_retries
from models.service_time import ServiceTime, exponential
from models.windows import ShaperWait, concurrency_rejection, sliding_log_rejection
from tests.models.formula_checks import Law, check_law

POINTS: list[dict[str, Any]] = []
for r in map(Random, range(15)):
    servers, service, use = r.randrange(1, 12), 10 ** r.uniform(-3, 0), r.uniform(0.2, 0.95)
    POINTS.append({
        "c": servers, "S": service, "lambda": use * servers / service, "T_h": service, "mu": servers / service, "b": r.randrange(1, 7),
        "p": service * r.uniform(0.1, 3), "N": r.randrange(servers, 20), "Z": service * r.uniform(0.5, 20), "f": r.uniform(0.05, 0.9),
        "m": r.randrange(1, 6), "s_1": service, "s_2": service * r.uniform(0.3, 3), "K": r.randrange(2, 9),
    })  # fmt: skip


def precise_b(load: Any, servers: Any) -> Any:
    blocking = mpmath.mpf(1)
    for k in range(1, int(servers) + 1):
        blocking = load * blocking / (k + load * blocking)
    return blocking


def precise_shaper(x: Any) -> Any:
    """Return P(work of M/D/1 > b - 1 services) by Crommelin's sum, in the powers of its other form."""
    rho, n = x["lambda"] / x["mu"], int(x["b"]) - 1
    served = mpmath.fsum(
        mpmath.power(-rho * (n - k), k) * mpmath.exp(rho * (n - k)) / mpmath.factorial(k) for k in range(n + 1)
    )
    return 1 - (1 - rho) * served


def precise_timeouts(x: Any) -> Any:
    """Return the share that gives up by integrals over the wait of an arrival of endless patience."""
    load, drain = x["lambda"] * x["S"], x["c"] / x["S"]
    below = 1 / precise_b(load, x["c"] - 1)
    early = mpmath.quad(lambda v: x["lambda"] * mpmath.exp((x["lambda"] - drain) * v), [0, x["p"]])
    late = mpmath.quad(lambda v: x["lambda"] * mpmath.exp(x["lambda"] * x["p"] - drain * v), [x["p"], mpmath.inf])
    return late / (below + early + late)


def precise_population(x: Any) -> Any:
    weights = [mpmath.mpf(1)]
    for k in range(1, int(x["N"]) + 1):
        weights.append(weights[-1] * (x["N"] - k + 1) * x["S"] / (x["Z"] * min(k, int(x["c"]))))
    return 1 / mpmath.fsum(weights)


def ring(x: dict[str, Any]) -> float:
    """Return the throughput of two stations of which the second may hold K - 1 and one more that is blocked."""
    places = (x["K"] + 5, x["K"] - 1)
    return blocking_ring(x["K"] + 3, (x["s_1"], x["s_2"]), places).throughput


def precise_ring(x: Any) -> Any:
    r = x["s_2"] / x["s_1"]
    return (1 - (1 - r) / (1 - r ** (x["K"] + 1))) / x["s_2"]


LAWS = [
    Law(
        refused.IN_PROGRESS,
        lambda x: precise_b(x["lambda"] * x["T_h"], x["c"]),
        lambda x: concurrency_rejection(x["lambda"], x["T_h"], x["c"]),
    ),
    Law(refused.SHAPER, precise_shaper, lambda x: ShaperWait(x["lambda"], x["mu"], x["b"]).probability, 1e-10),
    Law(
        refused.TIMED_OUT,
        precise_timeouts,
        lambda x: impatient(x["lambda"], x["S"], x["c"], ServiceTime((), ((1.0, x["p"]),))).abandonment,
        1e-10,
    ),
    Law(
        refused.ALL_THINKING,
        precise_population,
        lambda x: float(population(x["N"], x["Z"], x["S"], x["c"])[0]),
        1e-10,
    ),
    Law(refused.TWO_STATIONS, precise_ring, ring, 1e-9),
    Law(
        refused.TRIED,
        lambda x: x["lambda"] * mpmath.fsum(x["f"] ** i for i in range(int(x["m"]))),
        lambda x: with_retries(x["lambda"], lambda _: x["f"], x["m"] - 1).tries,
    ),
    Law(
        refused.FAILED_FOR_GOOD,
        lambda x: mpmath.exp(x["m"] * mpmath.log(x["f"])),
        lambda x: with_retries(1.0, lambda _: x["f"], x["m"] - 1).failed,
    ),
    Law(
        refused.TRIED_WITH_PAUSES,
        lambda x: (
            x["S"] * mpmath.fsum(x["f"] ** i for i in range(int(x["m"])))
            + x["p"] * mpmath.fsum(x["f"] ** i for i in range(1, int(x["m"])))
        ),
        lambda x: retried(Latency.of(exponential(x["S"])), x["f"], [x["p"]] * (x["m"] - 1))[0].mean,
    ),
    Law(refused.METASTABLE, lambda x: 1 / (x["m"] / x["mu"]), lambda x: metastable_from(x["mu"], x["m"] - 1)),
]


# Each closed form equals what is written down again, by another road, to 30 digits, and the numeric function as far as
# doubles go; its derivatives are its slopes, its inverse leads back.
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_laws(law: Law) -> None:
    check_law(law, POINTS)


# What fails for good is also what attempts say; a sliding log is the limit of those in progress.
def test_other_names_of_the_same() -> None:
    for x in POINTS:
        lost = float(refused.FAILED_FOR_GOOD.value(x))
        assert retried(Latency.constant(1.0), x["f"], [0.0] * (x["m"] - 1))[1] == pytest.approx(lost, rel=1e-12)
        found = sliding_log_rejection(x["lambda"], x["c"], x["T_h"])
        assert found == pytest.approx(float(refused.IN_PROGRESS.value(x)), rel=1e-11)
