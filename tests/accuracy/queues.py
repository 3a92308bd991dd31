"""Queues: stations of all kinds, networks, and what they are held against."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import mpmath

from models.correlated import correlated_arrivals
from models.deterministic import constant_service
from models.erlang import erlang_b, erlang_c, log_erlang_b, log_erlang_c
from models.impatience import impatient
from models.loss import finite_population, finite_room
from models.phases import phase_service
from models.polling import polling_waits
from models.priorities import queue_by_priority
from models.service_time import ServiceTime, exponential, from_moments
from models.sharing import processor_sharing
from models.size_based import size_based_mean
from models.staffing import load_for_blocking, load_for_wait, load_for_wait_mean, load_for_wait_percentile
from models.stations import ggc, mg1, mmc
from tests.accuracy.comparison import Comparison, Family, relative
from tests.cases import queue_case
from tests.models.test_polling import published as published_queues

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mpmath import mpf

    from models.steady import SteadyState

SERVERS = (1, 2, 5, 64, 512, 513, 10_000, 1_000_000)
USES = (1e-3, 0.3, 0.7, 0.95, 0.999, 1 - 1e-9)


def erlang(servers: int, load: float) -> tuple[mpf, mpf]:
    """Return Erlang B and C from the Poisson probability of c over that of at most c, with 50 digits.

    Above saturation, where that series does not end, by the recursion.
    """
    if load > servers:
        blocking = mpmath.mpf(1)
        for k in range(1, servers + 1):
            blocking = load * blocking / (k + load * blocking)
        return blocking, mpmath.mpf(1)
    a, term, above, n = mpmath.mpf(load), mpmath.mpf(1), mpmath.mpf(0), 1
    while term > above * mpmath.mpf(10) ** -45:
        term *= a / (servers + n)
        above += term
        n += 1
    probability = mpmath.exp(servers * mpmath.log(a) - a - mpmath.loggamma(servers + 1))
    blocking = probability / (1 - probability * above)
    return blocking, servers * blocking / ((servers - a) + a * blocking)


def erlangs() -> Iterator[float]:
    """Compare Erlang B and C, or their logarithms where they are too small for a double, with 50 digits."""
    for servers, use in product(SERVERS, USES):
        load = use * servers
        with mpmath.workdps(50):
            b, c = erlang(servers, load)
            for found, logarithm, true in (
                (erlang_b(servers, load), log_erlang_b(servers, load), b),
                (erlang_c(servers, load), log_erlang_c(servers, load), c),
            ):
                if true > 1e-290:
                    yield float(abs(found / true - 1))
                else:
                    yield float(abs(logarithm / mpmath.log(true) - 1))


def inverses() -> Iterator[float]:
    """Put the loads that are found for a target back into Erlang's formulas with 50 digits."""
    for servers, target in product((1, 10, 400, 3000), (0.3, 0.01, 1e-9)):
        for load, which in ((load_for_blocking(servers, target), 0), (load_for_wait(servers, target), 1)):
            with mpmath.workdps(50):
                high, low = (erlang(servers, load * (1 + sign * 1e-9))[which] for sign in (1, -1))
                # What is off in the load is what is off in the probability, over how sharply that follows the load.
                slope = (high - low) / (2e-9 * target)
                yield float(abs(erlang(servers, load)[which] / target - 1) / slope)
        for load, half in (
            (load_for_wait_mean(servers, target), False),
            (load_for_wait_percentile(servers, 0.5, target), True),
        ):
            with mpmath.workdps(50):
                high, low = (_late(servers, load * (1 + sign * 1e-9), half=half) for sign in (1, -1))
                slope = (high - low) / (2e-9 * target)
                yield float(abs(_late(servers, load, half=half) / target - 1) / slope)


def _late(servers: int, load: float, *, half: bool) -> mpf:
    """Return the mean wait in services, or the share that waits over half a service, with 50 digits."""
    spare = servers - mpmath.mpf(load)
    return erlang(servers, load)[1] * (mpmath.exp(-spare / 2) if half else 1 / spare)


def percentiles() -> Iterator[float]:
    """Compare wait and response percentiles of M/M/c with another program's."""
    for name in ("rq-mm3-percentiles", "rq-mm100-percentiles", "rq-mm10-percentiles"):
        case = queue_case(name)
        state = mmc(case["lambda"], 1 / case["mu"], case["c"])
        for metric, value in (
            ("W P50,P90,P95,P99,P99.9", state.response_percentile),
            ("Wq P50,P90,P95,P99,P99.9", state.wait_percentile),
        ):
            if metric in case["expected"]:
                wanted = case["expected"][metric]["value"]
                for fraction, true in zip((0.5, 0.9, 0.95, 0.99, 0.999), wanted, strict=True):
                    # The values were found by a root finder, to 1e-7 of a second.
                    yield max(abs(value(fraction) - true) - 1e-7, 0.0) / true if true else 0.0


def states(weights: list[mpf]) -> list[mpf]:
    """Return probabilities from what they are proportional to."""
    total = mpmath.fsum(weights)
    return [w / total for w in weights]


def finite() -> Iterator[float]:
    """Compare blocking and mean numbers of M/M/c/K and M/M/c//N with their chains in 50 digits."""
    for servers, places, use in product((1, 5, 100), (0, 3, 300), (0.1, 0.9, 1.5)):
        load, size = use * servers, servers + places
        with mpmath.workdps(50):
            weights = [mpmath.mpf(1)]
            for n in range(size):
                weights.append(weights[-1] * mpmath.mpf(load) / min(n + 1, servers))
            p = states(weights)
            number = mpmath.fsum(n * w for n, w in enumerate(p))
        state = finite_room(load, 1.0, servers, size)
        yield float(abs(state.number / number - 1))
        if p[-1] > 1e-290:
            yield float(abs(state.blocking / p[-1] - 1))
        with mpmath.workdps(50):
            weights = [mpmath.mpf(1)]
            for n in range(size):
                weights.append(weights[-1] * (size - n) / (10 / mpmath.mpf(use)) / min(n + 1, servers))
            p = states(weights)
            rate = mpmath.fsum((size - n) * w for n, w in enumerate(p)) / (10 / mpmath.mpf(use))
        yield float(abs(finite_population(size, 10 / use, 1.0, servers).throughput / rate - 1))


def abandoning() -> Iterator[float]:
    """Compare Erlang A with its chain in 50 digits."""
    for servers, use, patience in product((1, 10, 100), (0.5, 1.0, 2.0), (0.2, 1.0, 20.0)):
        load = use * servers
        with mpmath.workdps(50):
            weights, n = [mpmath.mpf(1)], 0
            while n < load or weights[-1] > mpmath.mpf(10) ** -25:
                out = min(n + 1, servers) + max(n + 1 - servers, 0) / mpmath.mpf(patience)
                weights.append(weights[-1] * mpmath.mpf(load) / out)
                n += 1
            p = states(weights)
            queue = mpmath.fsum(max(n - servers, 0) * w for n, w in enumerate(p))
        state = impatient(load, 1.0, servers, exponential(patience))
        yield float(abs(state.queue_length / queue - 1))
        yield float(abs(state.abandonment / (queue / mpmath.mpf(patience) / load) - 1))


def _figures(state: SteadyState) -> dict[str, float]:
    return {
        "Wq": state.wait_mean,
        "P(W>0)": state.wait_probability,
        "E[Wq^2]": state.wait.variance + state.wait_mean**2,
        "Wq P90": state.wait_percentile(0.9),
        "Wq P95": state.wait_percentile(0.95),
        "Wq P99": state.wait_percentile(0.99),
    }


def published(names: tuple[str, ...], solve: Callable[[dict[str, Any]], SteadyState]) -> Iterator[float]:
    """Compare all figures of queues with those of another exact solver."""
    for name in names:
        case = queue_case(f"exact-{name}")
        found = _figures(solve(case))
        for metric, entry in case["expected"].items():
            yield relative(found[metric], entry["value"])


def phase_type() -> Iterator[float]:
    """Compare M/PH/c."""
    names = (
        "M-E2-5-rho0.9", "M-H2(4)-1-rho0.8", "M-H2(4)-5-rho0.9", "M-H2(4)-20-rho0.8", "M-H2(9)-5-rho0.7",
        "M-H2(9)-10-rho0.7",
    )  # fmt: skip
    return published(names, lambda c: phase_service(c["rho"] * c["c"], from_moments(1.0, c["cs2"]), c["c"]))


def alike() -> Iterator[float]:
    """Compare M/PH/c whose two phases are alike with M/M/c, from light load on."""
    service = ServiceTime(((0.3, 1, 1.0), (0.7, 1, 1.0)))
    for servers, use in product((5, 33, 60), (0.05, 0.14, 0.3, 0.9, 0.99)):
        found = phase_service(use * servers, service, servers).wait_mean
        yield relative(found, mmc(use * servers, 1.0, servers).wait_mean)


def renewal_type() -> Iterator[float]:
    """Compare PH/PH/c."""
    names = ("E2-E2-5-rho0.8", "H2(2)-M-5-rho0.8", "H2(4)-M-5-rho0.9", "H2(2)-H2(2)-5-rho0.8", "H2(4)-H2(4)-2-rho0.8")
    return published(names, lambda c: ggc(c["rho"] * c["c"], c["ca2"], from_moments(1.0, c["cs2"]), c["c"]))


def deterministic() -> Iterator[float]:
    """Compare the mean wait of M/D/c with another program's chain."""
    for name in ("c1-rho0.8", "c2-rho0.5", "c2-rho0.9", "c10-rho0.9", "c25-rho0.8", "c50-rho0.9"):
        case = queue_case(f"exact-mdc-{name}")
        found = constant_service(case["lambda"], case["D"], case["c"]).wait_mean
        yield relative(found, case["expected"]["Wq"]["value"])


def one_server() -> Iterator[float]:
    """Compare percentiles of M/D/1 with Erlang's sum in 50 digits, as tails at them."""
    for use, fraction in product((0.3, 0.8, 0.95), (0.9, 0.99, 0.999)):
        state = mg1(use, from_moments(1.0, 0.0))
        x = state.wait_percentile(fraction)
        if x == 0:
            continue
        with mpmath.workdps(80):
            r, t = mpmath.mpf(use), mpmath.mpf(x)
            terms = [(-r * (t - k)) ** k / mpmath.factorial(k) * mpmath.exp(r * (t - k)) for k in range(int(x) + 1)]
            tail = 1 - (1 - r) * mpmath.fsum(terms)
            # The tail falls as exp(-decay x): an error of the percentile is that of the tail over decay times x.
            decay = mpmath.findroot(lambda s, r=r: s / r + 1 - mpmath.exp(s), 2 * (1 - r))
        yield float(abs(tail / (1 - fraction) - 1) / (decay * t))


def conserved() -> Iterator[float]:
    """Compare the waits of priority classes with the conservation law (Kleinrock 1965)."""
    for servers, rates in product((1, 4, 30), ((0.2, 0.3, 0.4), (0.7, 0.1, 0.15))):
        scaled = [rate * servers for rate in rates]
        classes = queue_by_priority(scaled, 1.0, servers)
        mean = sum(r * c.wait_mean for r, c in zip(scaled, classes, strict=True)) / sum(scaled)
        yield relative(mean, mmc(sum(scaled), 1.0, servers).wait_mean)


def shared() -> Iterator[float]:
    """Compare processor sharing with its published variance and its insensitive mean."""
    for use in (0.3, 0.8, 0.95):
        state = processor_sharing(use, 1.0, 1)
        yield relative(state.response_mean, 1 / (1 - use))
        # Coffman, Muntz and Trotter 1970.
        yield relative(state.response.variance, (2 + use) / (2 - use) / (1 - use) ** 2)


def published_classes() -> Iterator[float]:
    """Compare correlated arrivals of three classes with another program."""
    case = queue_case("butools-mmapph1-fcfs")
    services = [(case[f"service{k}"]["alpha"], case[f"service{k}"]["S"]) for k in (1, 2, 3)]
    one, two, three = correlated_arrivals(case["D0"], [case["D1"], case["D2"], case["D3"]], services)
    for order, true in enumerate(case["expected"]["sojourn moments class1"]["value"], 1):
        yield relative(one.moment(order), true)
    for found, name in ((two, "sojourn mean class2"), (three, "sojourn mean class3")):
        yield relative(found.mean, case["expected"][name]["value"])


def sizes() -> Iterator[float]:
    """Compare the shortest job first of M/M/1 with its integral in 20 digits."""
    for use in (0.3, 0.9, 0.99):
        with mpmath.workdps(20):
            spent = mpmath.quad(
                lambda x, r=use: r * mpmath.exp(-x) / (1 - r * (1 - mpmath.exp(-x) * (1 + x))) ** 2,
                [0, 1, 3, 6, 12, 30, 60],
            )
        yield float(abs(size_based_mean("sjf", use, exponential(1.0)) / (spent + 1) - 1))


def polled() -> Iterator[float]:
    """Compare polling with another program's means, beyond their last digit."""
    for visits in ("gated", "exhaustive"):
        wanted = queue_case("line-polling")["expected"][visits]["value"]
        found = polling_waits(visits, *published_queues())
        yield from (relative(x, true) for x, true in zip(found, wanted, strict=True))


FAMILY = Family(
    "Queues",
    10,
    "`models.erlang`, `models.stations` and its kin; [theory](theory/queues.md).",
    (
        Comparison(
            law="Erlang B and C, and their logarithms",
            against="Poisson probabilities in 50 digits",
            region="1 to 1,000,000 servers, utilization 0.001 to 1 - 1e-9",
            measure=erlangs,
            bar=1e-12,
        ),
        Comparison(
            law="load for a loss, a wait, a mean, a percentile",
            against="Erlang's formulas in 50 digits",
            region="1 to 3,000 servers, targets 0.3 to 1e-9",
            measure=inverses,
            bar=1e-12,
        ),
        Comparison(
            law="M/M/c: percentiles of wait and response",
            against="R's queueing 0.2.12, beyond its root finder's 1e-7",
            region="3, 10, 100 servers, p50 to p99.9",
            measure=percentiles,
            bar=1e-3,
        ),
        Comparison(
            law="M/M/c/K and M/M/c//N: blocking, numbers, throughput",
            against="chains in 50 digits",
            region="1 to 100 servers, utilization 0.1 to 1.5",
            measure=finite,
            bar=1e-12,
        ),
        Comparison(
            law="M/M/c with impatience (Erlang A)",
            against="chain in 50 digits",
            region="1 to 100 servers, utilization 0.5 to 2",
            measure=abandoning,
            bar=1e-11,
        ),
        Comparison(
            law="M/D/c: mean wait",
            against="line-solver 3.0.8 (Crommelin's chain)",
            region="1 to 50 servers, utilization 0.5 to 0.9",
            measure=deterministic,
            bar=1e-6,
        ),
        Comparison(
            law="M/D/1: percentiles of the wait",
            against="Erlang's sum in 80 digits",
            region="utilization 0.3 to 0.95, p90 to p99.9",
            measure=one_server,
            bar=1e-3,
        ),
        Comparison(
            law="M/PH/c: mean, variance, percentiles",
            against="line-solver 3.0.8 (MAP/PH/c)",
            region="1 to 20 servers, squared CV 0.5 to 9",
            measure=phase_type,
            bar=1e-6,
        ),
        Comparison(
            law="M/PH/c at light load",
            against="M/M/c, whose phases are alike",
            region="5 to 60 servers, utilization 0.05 to 0.99",
            measure=alike,
            bar=1e-9,
        ),
        Comparison(
            law="PH/PH/c: mean, variance, percentiles",
            against="line-solver 3.0.8 (MAP/PH/c)",
            region="2 and 5 servers, squared CV 0.5 to 4",
            measure=renewal_type,
            bar=1e-6,
        ),
        Comparison(
            law="M/M/c with priorities: waits",
            against="Kleinrock's conservation law",
            region="1 to 30 servers, three classes, utilization 0.9 and 0.95",
            measure=conserved,
            bar=1e-9,
        ),
        Comparison(
            law="correlated arrivals of three classes (MMAP/PH/1): moments",
            against="BuTools (documented output)",
            region="one server, the published case",
            measure=published_classes,
            bar=1e-8,
        ),
        Comparison(
            law="shortest job first: mean",
            against="its integral in 20 digits",
            region="M/M/1, utilization 0.3 to 0.99",
            measure=sizes,
            bar=1e-9,
        ),
        Comparison(
            law="polling, gated and exhaustive: means",
            against="line-solver (its test)",
            region="three queues, load 0.3",
            measure=polled,
            bar=1e-6,
        ),
        Comparison(
            law="processor sharing: mean and variance",
            against="Coffman, Muntz and Trotter 1970",
            region="one server, utilization 0.3 to 0.95",
            measure=shared,
            bar=1e-6,
        ),
    ),
)
