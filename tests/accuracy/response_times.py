"""Response times: sums, heavy tails, forks, repeated visits."""

from __future__ import annotations

from functools import reduce
from itertools import product
from operator import add
from typing import TYPE_CHECKING, Any, Final

import mpmath

from models.deterministic import constant_service
from models.fork_join import fork_join
from models.latency import Latency
from models.queues import mgc_wait
from models.service_time import erlang, exponential, from_moments
from tests.accuracy.comparison import Comparison, Family, relative
from tests.cases import latency_cases, queue_case
from tests.models.test_feedback import ROWS, in_a_row
from tests.models.test_fork_join import FORKS, branch
from tests.models.test_latency_shared import VISITS, visits
from tests.models.test_latency_simulated import CASES, MADE
from tests.models.test_revisits import REVISITS, fed_back, feedback_variance, revisited

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

FRACTIONS: Final = (0.5, 0.9, 0.95, 0.99, 0.999, 0.9999)
DRAWN: Final = "50 million draws, beyond their own error"
SIMULATED: Final = "simulation of the queues, beyond its own error"


def solved(latency: Latency, tail: Callable[[Any], Any]) -> Iterator[float]:
    """Compare percentiles with those of a tail that is known in 50 digits."""
    for fraction, found in zip(FRACTIONS, latency.percentiles(FRACTIONS), strict=True):
        with mpmath.workdps(50):
            log_left = mpmath.log(1 - mpmath.mpf(fraction))
            exact = mpmath.findroot(lambda t, wanted=log_left: mpmath.log(tail(t)) - wanted, mpmath.mpf(found))
        yield relative(found, float(exact))


def unlike_exponentials() -> Iterator[float]:
    """Compare sums of exponential parts, up to six orders of magnitude apart, with partial fractions."""
    for means in ((1.0, 2.0), (1.0, 1.1, 1.2, 5.0), (1e-6, 1e-4, 1e-2, 1.0), tuple(1.0 + i / 10 for i in range(12))):
        rates = [1 / mpmath.mpf(mean) for mean in means]

        def tail(t: Any, rates: Sequence[Any] = rates) -> Any:
            weights = [mpmath.fprod(b / (b - a) for b in rates if b is not a) for a in rates]
            return mpmath.fsum(w * mpmath.exp(-a * t) for w, a in zip(weights, rates, strict=True))

        yield from solved(reduce(add, [Latency.of(exponential(mean)) for mean in means]), tail)


def erlangs() -> Iterator[float]:
    """Compare sums of equal exponential parts with the incomplete gamma function."""
    for phases in (1, 3, 20, 100, 400):
        tail = lambda t, k=phases: mpmath.gammainc(k, k * t, regularized=True)  # noqa: E731
        yield from solved(Latency.of(erlang(phases, 1.0)), tail)


def mmc_responses() -> Iterator[float]:
    """Compare the response of M/M/c, with a constant before it, with its closed form."""
    for servers, load in ((1, 0.5), (1, 0.95), (4, 0.8), (16, 0.9), (100, 0.95)):
        wait = mgc_wait(servers * load, exponential(1.0), servers)
        rate, waits = mpmath.mpf(servers) * (1 - mpmath.mpf(load)), mpmath.mpf(wait.probability)

        def tail(t: Any, rate: Any = rate, waits: Any = waits) -> Any:
            t = t - mpmath.mpf(0.25)
            if abs(rate - 1) < mpmath.mpf(10) ** -12:
                return (1 + waits * t) * mpmath.exp(-t)
            share = waits / (1 - rate)
            return (1 - share) * mpmath.exp(-t) + share * mpmath.exp(-rate * t)

        yield from solved(Latency.constant(0.25) + Latency.waiting(wait) + Latency.of(exponential(1.0)), tail)


def constant_services(least: float, most: float) -> Callable[[], Iterator[float]]:
    """Return a measure of M/D/1 responses against the exact waiting time."""

    def errors() -> Iterator[float]:
        for load in (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95):
            if least <= load <= most:
                exact = constant_service(load, 1.0, 1)
                found = Latency.waiting(mgc_wait(load, from_moments(1.0, 0.0), 1)).percentiles(FRACTIONS)
                for fraction, time in zip(FRACTIONS, found, strict=True):
                    yield relative(1 + time, 1 + exact.wait_percentile(fraction))

    return errors


def constant_and_exponential() -> Iterator[float]:
    """Compare the response of M/D/1 and an exponential time after it with Erlang's sum, integrated term by term."""
    for load, mean in ((0.1, 0.02), (0.1, 0.3), (0.3, 0.1), (0.5, 0.03), (0.9, 0.1)):
        service = from_moments(1.0, 0.0)
        latency = Latency.waiting(mgc_wait(load, service, 1)) + Latency.of(service) + Latency.of(exponential(mean))

        def tail(t: Any, load: float = load, mean: float = mean) -> Any:
            with mpmath.workdps(700):  # the terms alternate, and are large
                rho, rate, within = mpmath.mpf(load), 1 / mpmath.mpf(mean), mpmath.mpf(0)
                both = rho + rate
                for k in range(int(t - 1) + 1):
                    left = t - 1 - k
                    powers = mpmath.fsum((-both * left) ** j / mpmath.factorial(j) for j in range(k + 1))
                    both_ends = mpmath.exp(-rate * left) - mpmath.exp(rho * left) * powers
                    within += rate * (-rho) ** k / (-both) ** (k + 1) * both_ends
                return 1 - (1 - rho) * within

        yield from solved(latency, tail)


def nearly_constant_services() -> Iterator[float]:
    """Compare the response of M/E_k/1 with the residues at the k + 1 poles of its transform."""
    for phases, load in product((10, 100, 400), (0.1, 0.3, 0.7, 0.9)):
        service = erlang(phases, 1.0)
        with mpmath.workdps(60):
            poles = _poles(phases, mpmath.mpf(load))

        def tail(t: Any, poles: Any = poles) -> Any:
            return mpmath.fsum(weight * mpmath.exp(pole * t) for pole, weight in poles).real

        yield from solved(Latency.waiting(mgc_wait(load, service, 1)) + Latency.of(service), tail)


def _poles(k: int, load: Any) -> list[tuple[Any, Any]]:
    """Return the poles of the response of M/E_k/1, service time 1, and what each weighs in the tail.

    With s = k (u - 1) and e = load / k they obey u**k (1 + e - u) = e, but for u = 1.
    """
    e, result = load / k, []
    for j in range(k):
        turn = mpmath.expjpi(mpmath.mpf(2 * j) / k)
        u = turn * mpmath.mpf("0.5") if j else mpmath.mpf(0)
        for _ in range(400):
            before, u = u, turn * (e / (1 + e - u)) ** (mpmath.mpf(1) / k)
            if abs(u - before) < mpmath.mpf(10) ** -55:
                break
        s = k * (u - 1)
        slope = u**k + (s - load) * u ** (k - 1)
        result.append((s, -(1 - load) / slope))
    return result


def beyond(found: Sequence[float], case: dict[str, Any]) -> Iterator[float]:
    """Compare mean and percentiles with simulated ones, less what those themselves may be off."""
    for have, want, noise in zip(found, [case["mean"], *case["percentiles"]], case["relative_error"], strict=True):
        yield max(abs(have / want - 1) - noise, 0.0)


def composites() -> Iterator[float]:
    """Compare sums, mixtures, maxima, minima and timeouts of heavy parts with draws."""
    for name, case in CASES.items():
        latency = MADE[name]()
        yield from beyond([latency.mean, *latency.percentiles(latency_cases()["fractions"])], case)


def forks(*prefixes: str, ends: tuple[str, ...] = ("",)) -> Callable[[], Iterator[float]]:
    """Return a measure of forks and joins against their simulations."""

    def errors() -> Iterator[float]:
        for name, case in FORKS.items():
            if name.startswith(prefixes) and name.endswith(ends):
                latency = fork_join([branch(case["arrival_rate"], *each) for each in case["branches"]])
                yield from beyond([latency.mean, *latency.percentiles(latency_cases()["fork_fractions"])], case)

    return errors


def two_queues() -> Iterator[float]:
    """Compare the mean of two M/M/1 in parallel with the exact one."""
    case = queue_case("flatto-hahn-fj2")
    exact = case["expected"]["mean=(12-rho)/8/(1-rho)"]["value"]
    for rho, value in zip(case["rho"], exact, strict=True):
        yield relative(fork_join([branch(rho)] * 2).mean, value)


def revisits() -> Iterator[float]:
    """Compare rows, turns, delays between visits and other work beside them with their simulations, to P99."""
    for name, case in REVISITS.items():
        found = revisited(name)
        yield from list(beyond([found.mean, *found.percentiles(latency_cases()["fork_fractions"])], case))[:5]


def rows() -> Iterator[float]:
    """Compare rows of visits with variable services with their simulations, to P99."""
    for name, case in ROWS.items():
        found = in_a_row(name)
        yield from list(beyond([found.mean, *found.percentiles(latency_cases()["fork_fractions"])], case))[:5]


def row_means() -> Iterator[float]:
    """Compare their means."""
    for name, case in ROWS.items():
        yield next(beyond([in_a_row(name).mean] * 6, case))


def feedback() -> Iterator[float]:
    """Compare the standard deviation of M/M/1 whose requests come back at once with the exact one."""
    for rho in (0.3, 0.6, 0.9):
        for again in (0.3, 0.5, 0.7):
            yield relative(fed_back(rho, again).variance ** 0.5, feedback_variance(rho, again) ** 0.5)


def visited(percentiles: slice, *, exponential_only: bool) -> Callable[[], Iterator[float]]:
    """Return a measure of repeated visits with shared waits against their simulations."""

    def errors() -> Iterator[float]:
        for name, case in VISITS.items():
            if exponential_only == ("cv2" not in name):
                yield from list(beyond(visits(name, shared=True), case))[percentiles]

    return errors


FAMILY = Family(
    "Response times",
    20,
    "`models.latency`, `models.heavy`, `models.fork_join`; [theory](theory/latency.md).",
    (
        Comparison(
            law="sums of exponential parts",
            against="partial fractions in 50 digits",
            region="2 to 12 parts, six orders of magnitude, p50 to p99.99",
            measure=unlike_exponentials,
            bar=1e-3,
        ),
        Comparison(
            law="sums of equal parts (Erlang)",
            against="incomplete gamma function in 50 digits",
            region="1 to 400 parts, p50 to p99.99",
            measure=erlangs,
            bar=1e-3,
        ),
        Comparison(
            law="constant and M/M/c response",
            against="closed form in 50 digits",
            region="1 to 100 servers, utilization 0.5 to 0.95, p50 to p99.99",
            measure=mmc_responses,
            bar=1e-3,
        ),
        Comparison(
            law="M/D/1 response, by the planner's inversion",
            against="exact waiting time (Franx 2001)",
            region="utilization 0.5 to 0.95, p50 to p99.99",
            measure=constant_services(0.5, 0.95),
            bar=1e-3,
        ),
        Comparison(
            law="M/D/1 response, by the planner's inversion, light load",
            against="exact waiting time (Franx 2001)",
            region="utilization 0.1 and 0.3, p50 to p99.99",
            measure=constant_services(0.0, 0.4),
            bar=1e-3,
        ),
        Comparison(
            law="M/G/1 response, nearly constant service",
            against="poles and residues in 50 digits",
            region="Erlang services of 10, 100 and 400 phases, utilization 0.1 to 0.9, p50 to p99.99",
            measure=nearly_constant_services,
            bar=1e-3,
        ),
        Comparison(
            law="M/D/1 response and an exponential time",
            against="Erlang's sum, integrated, in 700 digits",
            region="utilization 0.1 to 0.9, 0.02 to 0.3 services, p50 to p99.99",
            measure=constant_and_exponential,
            bar=1e-3,
        ),
        Comparison(
            law="log-normal and Pareto parts in sums, mixtures, maxima, minima, retries",
            against=DRAWN,
            region="8 composites, mean and p50 to p99.99",
            measure=composites,
            bar=1e-2,
        ),
        Comparison(
            law="fork and join of two M/M/1, mean",
            against="Flatto and Hahn 1984 (exact)",
            region="utilization 0.3 to 0.9",
            measure=two_queues,
            bar=1e-3,
        ),
        Comparison(
            law="fork and join of M/M/1",
            against=SIMULATED,
            region="2 to 16 branches, utilization 0.3 to 0.9, mean and p50 to p99.9",
            measure=forks("M/M/1", ends=("x2", "x4", "x16")),
            bar=1e-2,
        ),
        Comparison(
            law="fork and join of many M/M/1",
            against=SIMULATED,
            region="64 branches",
            measure=forks("M/M/1", ends=("x64",)),
            bar=1e-2,
        ),
        Comparison(
            law="fork and join of M/G/1 and M/M/c",
            against=SIMULATED,
            region="squared CV 0.1 to 9, 4 and 16 servers",
            measure=forks("M/G/1", "M/M/4", "M/M/16"),
            bar=1e-2,
        ),
        Comparison(
            law="fork and join of unlike branches",
            against=SIMULATED,
            region="2 to 9 branches",
            measure=forks("unlike"),
            bar=1e-2,
        ),
        Comparison(
            law="fork and join of other unlike branches",
            against=SIMULATED,
            region="2 to 17 branches, squared CV 0.25 to 4, 1 and 4 servers; seen when the weight was chosen",
            measure=forks("other"),
            bar=1e-2,
        ),
        Comparison(
            law="repeated visits in rows, by turns, with delays: mean and p50 to p99",
            against=SIMULATED,
            region="2 to 10 visits to M/M/c of 1 to 4 cores, utilization 0.3 to 0.8; none was used to think of the law",
            measure=revisits,
            bar=1e-2,
        ),
        Comparison(
            law="visits in a row with other services: mean",
            against=SIMULATED,
            region="2 to 4 visits, squared CV 0.25 and 4, 1 to 4 servers, utilization 0.4 to 0.8",
            measure=row_means,
            bar=3e-2,
        ),
        Comparison(
            law="visits in a row with other services: p50 to p99",
            against=SIMULATED,
            region="2 to 4 visits, squared CV 0.25 and 4, 1 to 4 servers",
            measure=rows,
            bar=1e-2,
        ),
        Comparison(
            law="feedback to M/M/1: standard deviation",
            against="recursion after Takacs 1963 (exact)",
            region="utilization 0.3 to 0.9, coming back with probability 0.3 to 0.7",
            measure=feedback,
            bar=5e-2,
        ),
        Comparison(
            law="repeated visits with shared waits: mean and p50 to p99",
            against=SIMULATED,
            region="7 visits to 3 tiers of M/M/c, utilization 0.5 to 0.9",
            measure=visited(slice(0, 5), exponential_only=True),
            bar=1e-2,
        ),
        Comparison(
            law="repeated visits with shared waits, other services: mean and p50 to p99",
            against=SIMULATED,
            region="squared CV 0.25 and 4, utilization 0.8",
            measure=visited(slice(0, 5), exponential_only=False),
            bar=1e-2,
        ),
    ),
)
