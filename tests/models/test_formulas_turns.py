from __future__ import annotations

from random import Random
from typing import Any

import mpmath
import pytest

from models.batches import batch_wait_mean
from models.formulas import Formula, polling, turns
from models.polling import polling_conserved, polling_waits
from models.priorities import BusyPeriod, general_priority, interrupt_by_priority, queue_by_priority
from models.service_time import from_moments
from models.sharing import sharing_response_of_size
from models.size_based import size_based_of_size
from tests.models.formula_checks import Law, check_law

POINTS: list[dict[str, Any]] = []
for r in map(Random, range(12)):
    service, use, servers, batch = 10 ** r.uniform(-3, 0), r.uniform(0.1, 0.9), r.randrange(1, 9), r.uniform(1, 9)
    parts = [r.uniform(0.1, 1) for _ in range(3)]
    urgent, own, later = (use * servers / service * part / sum(parts) for part in parts)
    POINTS.append({
        "S": service, "lambda": use / service, "mu": 1 / service, "c": servers, "c_s": r.uniform(0.1, 4), "x": service * r.uniform(0.1, 6),
        "lambda_b": use / service / batch, "m": batch, "c_m": r.uniform(0.1, 3), "lambda_u": urgent, "lambda_o": own, "lambda_l": later,
        "n": r.randrange(2, 6), "r_1": service * r.uniform(0.1, 1), "d_1": r.uniform(0.1, 2),
    })  # fmt: skip


def precise_c(load: Any, servers: Any) -> Any:
    inverse = mpmath.mpf(1)
    for k in range(1, int(servers) + 1):
        inverse = 1 + inverse * k / load
    return 1 / (1 + (1 - load / servers) * (inverse - 1))


def by_priority(x: Any) -> Any:
    rates = x["lambda_u"], x["lambda_o"], x["lambda_l"]
    drain = x["c"] / x["S"]
    return precise_c(sum(rates) * x["S"], x["c"]) * drain / ((drain - rates[0]) * (drain - rates[0] - rates[1]))


def integral(x: Any, up_to: Any, *, least: bool) -> Any:
    """Return E[size^k; size <= x], or of min(size, x), for k = 1, 2."""
    rate = 1 / x["S"]
    cut = mpmath.exp(-rate * x["x"]) * x["x"] ** up_to if least else 0
    return mpmath.quad(lambda t: t**up_to * rate * mpmath.exp(-rate * t), mpmath.linspace(0, x["x"], 9)) + cut


def ordered(x: Any, order: str) -> Any:
    least = order == "las"
    spare = 1 - x["lambda"] * integral(x, 1, least=least)
    second = 2 * x["S"] ** 2 if order == "sjf" else integral(x, 2, least=least)
    return x["lambda"] * second / 2 / spare**2 + (x["x"] if order == "sjf" else x["x"] / spare)


def of_size(order: str) -> Any:
    return lambda x: size_based_of_size(order, x["lambda"], from_moments(x["S"], 1.0), x["x"])


LAWS = [
    Law(
        turns.BATCH_WAIT,
        # The wait of the first of a batch as a request of M/G/1, and of those before it in its batch.
        lambda x: (
            (
                x["lambda_b"]
                * x["m"]
                * x["S"] ** 2
                * (x["c_s"] + (1 + x["c_m"]) * x["m"])
                / (1 - x["lambda_b"] * x["m"] * x["S"])
                + x["S"] * ((1 + x["c_m"]) * x["m"] - 1)
            )
            / 2
        ),
        lambda x: batch_wait_mean(x["lambda_b"], x["m"], x["c_m"], from_moments(x["S"], x["c_s"])),
        1e-10,
    ),
    Law(
        turns.SHARED,
        lambda x: x["x"] / x["S"] / (1 / x["S"] - x["lambda"]),
        lambda x: sharing_response_of_size(x["lambda"], x["S"], x["x"]),
    ),
    Law(
        turns.BUSY_PERIOD,
        # One service, and a busy period for each who comes meanwhile.
        lambda x: mpmath.nsum(lambda k: (x["lambda"] / x["mu"]) ** k / x["mu"], [0, mpmath.inf]),
        lambda x: BusyPeriod(x["lambda"], x["mu"]).mean,
    ),
    Law(
        turns.BUSY_PERIOD_VARIANCE,
        lambda x: (x["mu"] + x["lambda"]) / (x["mu"] - x["lambda"]) ** 3,
        lambda x: BusyPeriod(x["lambda"], x["mu"]).variance,
    ),
    Law(
        turns.QUEUED_BY_PRIORITY,
        by_priority,
        lambda x: queue_by_priority([x["lambda_u"], x["lambda_o"], x["lambda_l"]], x["S"], x["c"])[1].wait_mean,
        1e-10,
    ),
    Law(turns.SHORTEST_FIRST, lambda x: ordered(x, "sjf"), of_size("sjf"), 1e-10),
    Law(turns.SHORTEST_INTERRUPTS, lambda x: ordered(x, "psjf"), of_size("psjf"), 1e-9),
    Law(turns.LEAST_SERVED_FIRST, lambda x: ordered(x, "las"), of_size("las"), 1e-9),
]


BESIDE = [turns.INTERRUPTED_BY_PRIORITY]


# Each closed form equals what is written down again, by another road, to 30 digits, and the numeric function as far as
# doubles go; its derivatives are its slopes, its inverse leads back.
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_laws(law: Law) -> None:
    check_law(law, POINTS)


# The urgent interrupt: each class is an M/M/1 of those up to it, less that of those before it.
def test_interrupted() -> None:
    def again(x: Any) -> Any:
        before, until = x["lambda_u"], x["lambda_u"] + x["lambda_o"]
        inside = [rate * x["S"] / (1 - rate * x["S"]) for rate in (before, until)]
        return (inside[1] - inside[0]) / x["lambda_o"]

    points = [{**x, **{k: x[k] / x["c"] for k in ("lambda_u", "lambda_o")}} for x in POINTS]
    check_law(
        Law(
            turns.INTERRUPTED_BY_PRIORITY,
            again,
            lambda x: interrupt_by_priority([x["lambda_u"], x["lambda_o"]], x["S"], 1)[1].response_mean,
            1e-9,
        ),
        points,
    )


# One server and classes with services of their own: the mean wait after Cobham, most urgent, in between and last.
@pytest.mark.parametrize("number", [0, 1, 2])
def test_cobham(number: int) -> None:
    points = []
    for x in POINTS:
        rates = [x["lambda_u"] / x["c"], x["lambda_o"] / x["c"], x["lambda_l"] / x["c"]]
        times = [x["S"] * f for f in (0.5, 1.0, 1.05)]
        points.append(
            {f"{k}_{i + 1}": v for i in range(3) for k, v in (("lambda", rates[i]), ("S", times[i]), ("c", (i + 1) * x["c_s"]))}
        )  # fmt: skip

    def again(x: Any) -> Any:
        used = [x[f"lambda_{i}"] * x[f"S_{i}"] for i in (1, 2, 3)]
        residual = mpmath.fsum(u * x[f"S_{i}"] * (1 + x[f"c_{i}"]) / 2 for i, u in zip((1, 2, 3), used, strict=True))
        return residual / (1 - mpmath.fsum(used[:number])) / (1 - mpmath.fsum(used[: number + 1]))

    def numeric(x: Any) -> float:
        services = [from_moments(x[f"S_{i}"], x[f"c_{i}"]) for i in (1, 2, 3)]
        return general_priority([x[f"lambda_{i}"] for i in (1, 2, 3)], services, 1)[number].wait_mean

    check_law(Law(turns.cobham(3, number), again, numeric, 1e-9), points)


def queues(x: dict[str, Any]) -> tuple[list[float], list[Any], list[Any]]:
    """Return rates, services and switches of three queues."""
    rates = [x[f"lambda_{i}"] for i in (1, 2, 3)]
    services = [from_moments(x[f"S_{i}"], x[f"c_{i}"]) for i in (1, 2, 3)]
    return rates, services, [from_moments(x[f"r_{i}"], x[f"d_{i}"]) for i in (1, 2, 3)]


def three_queues() -> list[dict[str, Any]]:
    points = []
    for r in map(Random, range(8)):
        x: dict[str, Any] = {}
        for i in (1, 2, 3):
            x |= {f"lambda_{i}": r.uniform(0.2, 1.5), f"S_{i}": r.uniform(0.05, 0.15), f"c_{i}": r.uniform(0.1, 3)}
            x |= {f"r_{i}": r.uniform(0.01, 0.05), f"d_{i}": r.uniform(0.1, 2)}
        points.append(x)
    return points


def precise_law(visits: str, x: Any) -> Any:
    used = [x[f"lambda_{i}"] * x[f"S_{i}"] for i in (1, 2, 3)]
    load, between = mpmath.fsum(used), mpmath.fsum(x[f"r_{i}"] for i in (1, 2, 3))
    waits = load * mpmath.fsum(u * x[f"S_{i}"] * (1 + x[f"c_{i}"]) for i, u in zip((1, 2, 3), used, strict=True))
    spread = mpmath.fsum(x[f"r_{i}"] ** 2 * x[f"d_{i}"] for i in (1, 2, 3)) + between**2
    others = load**2 - mpmath.fsum(u * u for u in used)
    own = 0 if visits == "exhaustive" else 2 * mpmath.fsum(u * u for u in used)
    return (waits + between * (others + own)) / (2 * (1 - load)) + load * spread / (2 * between)


# The law that waits in turn obey, for every kind of visit.
@pytest.mark.parametrize("visits", ["exhaustive", "gated", "limited"])
def test_the_law_of_polling(visits: Any) -> None:
    law = Law(
        polling.polling_law(visits, 3),
        lambda x: precise_law(visits, x),
        lambda x: polling_conserved(visits, *queues(x)),
        1e-9,
    )
    check_law(law, three_queues())


# One a visit: the first of three queues, after Boxma and Meister.
def test_polling_limited() -> None:
    def again(x: Any) -> Any:
        used = {i: x[f"lambda_{i}"] * x[f"S_{i}"] for i in (1, 2, 3)}
        load, between = mpmath.fsum(used.values()), mpmath.fsum(x[f"r_{i}"] for i in (1, 2, 3))
        apart = {i: (1 - load + used[i]) / (1 - load - x[f"lambda_{i}"] * between) for i in used}
        whole = mpmath.fsum(used[i] * (1 - x[f"lambda_{i}"] * between / (1 - load)) * apart[i] for i in used)
        return precise_law("limited", x) * apart[1] / whole

    law = Law(polling.polling_limited(3), again, lambda x: polling_waits("limited", *queues(x))[0], 1e-9)
    check_law(law, three_queues())


# Queues that are all alike: every one waits as long as the law says.
@pytest.mark.parametrize("visits", ["exhaustive", "gated", "limited"])
def test_polling_alike(visits: Any) -> None:
    formula: Formula = polling.polling_alike(visits)

    def numeric(x: dict[str, Any]) -> float:
        service, switch = from_moments(x["S"], x["c_s"]), from_moments(x["r_1"], x["d_1"])
        return polling_waits(visits, [x["lambda"]] * x["n"], [service] * x["n"], [switch] * x["n"])[-1]

    def again(x: Any) -> Any:
        alike = {f"{k}_{i}": v for i in (1, 2, 3) for k, v in (("lambda", x["lambda"]), ("S", x["S"]), ("c", x["c_s"]))}
        alike |= {f"{k}_{i}": x[f"{k}_1"] for i in (1, 2, 3) for k in ("r", "d")}
        load, between = 3 * x["lambda"] * x["S"], 3 * x["r_1"]
        left = 1 - x["lambda"] * between / (1 - load) if visits == "limited" else 1
        return precise_law(visits, alike) / load / left

    points = [{**x, "n": 3, "lambda": x["lambda"] / 9} for x in POINTS]
    check_law(Law(formula, again, numeric, 1e-9), points)
    other = {**POINTS[0], "n": 5, "lambda": POINTS[0]["lambda"] / 20}
    assert float(formula.value(other)) == pytest.approx(numeric(other), rel=1e-9)
