"""Queues of many servers, and of other than Poisson arrivals."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import mpmath

from models.erlang import erlang_c
from models.phases import phase_states
from models.queues import mgc_wait
from models.renewal import renewal_states
from models.service_time import from_moments
from models.stations import ggc, gimc, mgc
from models.steady import steady
from tests.accuracy.comparison import Comparison, Family, relative

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from models.steady import SteadyState


def approximate(squared_cvs: tuple[float, ...], figure: Callable[[SteadyState], float]) -> Iterator[float]:
    """Compare M/G/c without the exact chain with the chain, where at least one in a thousand waits; P99: in twenty."""
    for squared_cv, servers, use in product(squared_cvs, (2, 5, 10, 20, 50), (0.5, 0.7, 0.9)):
        service, load = from_moments(1.0, squared_cv), use * servers
        least = 1e-3 if figure is _wait else 0.05
        if phase_states(service, servers) > 300 or erlang_c(servers, load) < least:
            continue
        yield relative(figure(mgc(load, service, servers, exact_states=1)), figure(mgc(load, service, servers)))


def planned(squared_cvs: tuple[float, ...], figure: Callable[[SteadyState], float]) -> Iterator[float]:
    """Compare the wait that plans are made with, as `approximate` does."""
    for squared_cv, servers, use in product(squared_cvs, (2, 5, 10, 20, 50), (0.5, 0.7, 0.9)):
        service, load = from_moments(1.0, squared_cv), use * servers
        least = 1e-3 if figure is _wait else 0.05
        if phase_states(service, servers) > 300 or erlang_c(servers, load) < least:
            continue
        wait = mgc_wait(load, service, servers)
        state = steady("M/G/c", load, servers, service, wait, wait.probability)
        yield relative(figure(state), figure(mgc(load, service, servers)))


def from_fewer(squared_cvs: tuple[float, ...], figure: Callable[[SteadyState], float]) -> Iterator[float]:
    """Compare M/G/c from chains of at most a quarter of the servers with the whole chain, as `approximate` does."""
    for squared_cv, servers, use in product(squared_cvs, (40, 100, 200), (0.5, 0.7, 0.8, 0.9, 0.97)):
        service, load = from_moments(1.0, squared_cv), use * servers
        least = 1e-3 if figure is _wait else 0.05
        if erlang_c(servers, load) < least:
            continue
        fewer = int(phase_states(service, servers // 4))
        yield relative(figure(mgc(load, service, servers, fewer)), figure(mgc(load, service, servers)))


def irregular(
    arrivals: tuple[float, ...], uses: tuple[float, ...], figure: Callable[[SteadyState], float]
) -> Iterator[float]:
    """Compare G/G/c from chains of at most a quarter of the servers with the whole chain; P99 where one in 20 waits."""
    for arrival, squared_cv, servers, use in product(arrivals, (0.25, 0.5, 4.0), (8, 20, 40), uses):
        service, load = from_moments(1.0, squared_cv), use * servers
        gaps = from_moments(1 / load, arrival)
        least = 0.01 if figure is _wait else 0.05
        if renewal_states(gaps, service, servers) > 400 or erlang_c(servers, load) < least:
            continue
        fewer = int(renewal_states(gaps, service, servers // 4))
        yield relative(
            figure(ggc(load, arrival, service, servers, fewer)), figure(ggc(load, arrival, service, servers))
        )


def constant_gaps() -> Iterator[float]:
    """Compare D/M/c with the chain of what its arrivals find, in 30 digits."""
    for servers, use in product((1, 2, 5, 12), (0.1, 0.5, 0.9, 0.99)):
        with mpmath.workdps(30):
            sigma, waits = _found_by_arrivals(servers, mpmath.mpf(servers) * mpmath.mpf(use))
        state = gimc(from_moments(1 / (servers * use), 0.0), 1.0, servers)
        yield float(abs(state.wait_probability / waits - 1))
        yield float(abs(state.wait_mean * servers * (1 - sigma) / waits - 1))
        late = mpmath.mpf("0.2")
        tail = waits * mpmath.exp(-servers * (1 - sigma) * late)
        yield float(abs(state.wait_tail(0.2) / tail - 1))


def _found_by_arrivals(servers: int, load: Any) -> tuple[Any, Any]:
    """Return sigma and P(wait > 0) of D/M/c: q_j = sum of q_i p_ij, downwards from all busy, where q is geometric."""
    gap, sigma, before = 1 / load, mpmath.mpf(0), mpmath.mpf(-1)
    while sigma - before > mpmath.mpf(10) ** -28 * sigma:
        before, sigma = sigma, mpmath.exp(-servers * gap * (1 - sigma))

    def left(n: int, j: int, time: Any) -> Any:
        return mpmath.binomial(n, j) * mpmath.exp(-j * time) * (1 - mpmath.exp(-time)) ** (n - j)

    q = {servers - 1: mpmath.mpf(1)}
    for j in range(servers - 1, 0, -1):
        # Whoever waited, in sum an exponential time, left all busy for the rest of the gap.
        queued = mpmath.quad(
            lambda v, j=j: sigma * servers * mpmath.exp(-servers * (1 - sigma) * v) * left(servers, j, gap - v),
            [0, gap],
        )
        moved = queued + mpmath.fsum(q[i] * left(i + 1, j, gap) for i in range(j, servers))
        q[j - 1] = (q[j] - moved) / left(j, j, gap)
    waiting = sigma / (1 - sigma)
    return sigma, waiting / (waiting + mpmath.fsum(q.values()))


def _wait(state: SteadyState) -> float:
    return state.wait_mean


def _tail(state: SteadyState) -> float:
    return state.wait_percentile(0.99)


FAMILY = Family(
    "Queues: many servers, other arrivals",
    11,
    "`models.stations`, where the chain of all servers is too large, and `models.independent_gaps`; "
    "[theory](theory/queues.md).",
    (
        *(
            Comparison(
                law=f"M/G/c without the chain: {name} of the wait",
                against="our exact chain",
                region=f"2 to 50 servers, utilization 0.5 to 0.9, squared CV {where}",
                measure=lambda c=cvs, f=figure: approximate(c, f),  # type: ignore[misc]
                bar=bar,
                slow=True,
            )
            for where, cvs, bars in (("0.25 to 0.75", (0.25, 0.5, 0.75), (0.018, 0.05)),)
            for name, figure, bar in (("mean", _wait, bars[0]), ("P99", _tail, bars[1]))
        ),
        *(
            Comparison(
                law=f"M/G/c {law}: {name} of the wait",
                against="our exact chain",
                region=f"2 to 50 servers, utilization 0.5 to 0.9, squared CV {where}",
                measure=lambda m=measure, c=cvs, f=figure: m(c, f),  # type: ignore[misc]
                slow=True,
                note=note,
            )
            for law, measure, note in (
                ("without any chain", approximate, "Kimura 1986: a calculator's first rough search only"),
                ("in plans", planned, "`models.queues.mgc_wait`: Tijms et al. 1981, high"),
            )
            for where, cvs in (("1.5 and 2", (1.5, 2.0)), ("4", (4.0,)), ("9", (9.0,)))
            for name, figure in (("mean", _wait), ("P99", _tail))
        ),
        *(
            Comparison(
                law=f"M/G/c from chains of a quarter of the servers: {name} of the wait",
                against="our exact chain",
                region=f"40 to 200 servers, utilization 0.5 to 0.97, squared CV {where}",
                measure=lambda c=cvs, f=figure: from_fewer(c, f),  # type: ignore[misc]
                bar=bar,
                slow=True,
            )
            for where, cvs in (("2 and 4", (2.0, 4.0)), ("9", (9.0,)), ("25", (25.0,)))
            for name, figure, bar in (("mean", _wait, 0.23), ("P99", _tail, None))
        ),
        *(
            Comparison(
                law=f"G/G/c from chains of a quarter of the servers: {name} of the wait",
                against="our exact chain",
                region=f"8 to 40 servers, utilization {told}, squared CV of gaps {where}, of service 0.25 to 4",
                measure=lambda a=arrivals, u=uses, f=figure: irregular(a, u, f),  # type: ignore[misc]
                slow=True,
            )
            for where, arrivals in (("0.25 and 0.5", (0.25, 0.5)), ("2 and 4", (2.0, 4.0)))
            for told, uses in (("0.8 to 0.95", (0.8, 0.9, 0.95)), ("0.5 and 0.7", (0.5, 0.7)))
            for name, figure in (("mean", _wait), ("P99", _tail))
        ),
        Comparison(
            law="D/M/c: wait probability, mean, tail",
            against="chain of what arrivals find, in 30 digits",
            region="1 to 12 servers, utilization 0.1 to 0.99",
            measure=constant_gaps,
            bar=1e-9,
        ),
    ),
)
