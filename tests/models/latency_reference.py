"""Simulated response times that have no closed form, kept in `tests/data/latency_cases.json`.

Made by `python -m tests.models.latency_reference` in a quarter of an hour.

Draws and queues are made with NumPy alone and share nothing with the models. Every value has the half width of its 95 %
confidence interval, from the spread of the replications, relative to the value.
"""

from __future__ import annotations

import heapq
import json
import math
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.simulation import Clock, Station

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Draw = Callable[[np.random.Generator, int], Floats]

FRACTIONS = [0.5, 0.9, 0.95, 0.99, 0.999, 0.9999]
FORK_FRACTIONS = FRACTIONS[:-1]
"""A run holds too few busy periods for P99.99 of a queue, and replications of it too few to tell their own error."""

FILE = Path(__file__).parent.parent / "data" / "latency_cases.json"


def gamma(mean: float, squared_cv: float) -> Draw:
    """Erlang services below a squared CV of 1, exponential at 1, two phases with balanced means above."""
    if squared_cv <= 1:
        return lambda random, n: random.gamma(1 / squared_cv, mean * squared_cv, n)
    p = (1 + math.sqrt((squared_cv - 1) / (squared_cv + 1))) / 2
    return lambda random, n: (
        random.exponential(1.0, n) * np.where(random.random(n) < p, mean / (2 * p), mean / (2 * (1 - p)))
    )


def log_normal(median: float, sigma: float) -> Draw:
    return lambda random, n: median * np.exp(sigma * random.standard_normal(n))


def pareto(least: float, index: float) -> Draw:
    return lambda random, n: least * (1 + random.pareto(index, n))


def together(*parts: Draw) -> Draw:
    return lambda random, n: np.sum([part(random, n) for part in parts], axis=0)


def either(share: float, first: Draw, second: Draw) -> Draw:
    return lambda random, n: np.where(random.random(n) < share, first(random, n), second(random, n))


def first_of(*parts: Draw) -> Draw:
    return lambda random, n: np.min([part(random, n) for part in parts], axis=0)


def last_of(*parts: Draw) -> Draw:
    return lambda random, n: np.max([part(random, n) for part in parts], axis=0)


def given_up(once: Draw, timeout: float, retries: int) -> Draw:
    def draw(random: np.random.Generator, n: int) -> Floats:
        total, trying = np.zeros(n), np.ones(n, dtype=bool)
        for _ in range(retries + 1):
            time = once(random, n)
            total += np.where(trying, np.minimum(time, timeout), 0.0)
            trying &= time > timeout
        return total

    return draw


COMPOSITES: dict[str, Draw] = {
    "log-normal and exponential": together(log_normal(1.0, 1.0), gamma(2.0, 1.0)),
    "pareto, log-normal, exponential": together(pareto(1.0, 1.5), log_normal(1.0, 1.5), gamma(1.0, 1.0)),
    "five log-normal": together(*[log_normal(0.2 * i, 0.5 + 0.1 * i) for i in range(1, 6)]),
    "six orders of magnitude": together(log_normal(1e-6, 1.0), gamma(1e-3, 4.0), pareto(0.1, 2.5), gamma(1.0, 0.25)),
    "hit or miss": together(gamma(0.1, 1.0), either(0.9, gamma(0.2, 1.0), log_normal(5.0, 0.8))),
    "last of two heavy, and more": together(last_of(pareto(1.0, 2.2), log_normal(2.0, 1.0)), gamma(1.0, 1.0)),
    "first of three, and more": together(first_of(log_normal(2.0, 1.0), gamma(3.0, 4.0), pareto(1.0, 1.5)), gamma(0.5, 1.0)),
    "log-normal given up and retried": together(given_up(log_normal(1.0, 1.0), 3.0, 2), gamma(0.3, 1.0)),
}  # fmt: skip


def fork(
    arrival_rate: float, branches: Sequence[tuple[float, float, int]]
) -> Callable[[np.random.Generator, int], Floats]:
    """Branches are (mean service, squared CV, servers), each first come first served, all sent every arrival."""

    def draw(random: np.random.Generator, n: int) -> Floats:
        gaps, last = random.exponential(1 / arrival_rate, n), np.zeros(n)
        for mean, squared_cv, servers in branches:
            services = gamma(mean, squared_cv)(random, n)
            np.maximum(last, _responses(gaps, services, servers), out=last)
        return last[n // 20 :]

    return draw


def _responses(gaps: Floats, services: Floats, servers: int) -> Floats:
    if servers == 1:
        steps = np.concatenate([[0.0], np.cumsum(services[:-1] - gaps[1:])])
        return steps - np.minimum.accumulate(np.minimum(steps, 0.0)) + services
    free, found = [0.0] * servers, np.empty(len(gaps))
    for i, (time, service) in enumerate(zip(np.cumsum(gaps).tolist(), services.tolist(), strict=True)):
        start = max(time, free[0])
        heapq.heapreplace(free, start + service)
        found[i] = start + service - time
    return found


def equal(
    rho: float, number: int, squared_cv: float = 1.0, servers: int = 1
) -> tuple[float, list[tuple[float, float, int]]]:
    return rho * servers, [(1.0, squared_cv, servers)] * number


FORKS: dict[str, tuple[tuple[float, list[tuple[float, float, int]]], int, int]] = {
    **{f"M/M/1 {rho} x{k}": (equal(rho, k), n, 8)
       for rho, n in ((0.3, 500_000), (0.5, 800_000), (0.8, 1_500_000), (0.9, 2_500_000)) for k in (2, 4, 16)},
    "M/M/1 0.5 x64": (equal(0.5, 64), 600_000, 5),
    "M/M/1 0.8 x64": (equal(0.8, 64), 1_000_000, 5),
    **{f"M/G/1 {rho} cv2={cv} x{k}": (equal(rho, k, cv), 1_000_000, 6)
       for cv, rho in ((4.0, 0.5), (4.0, 0.8), (0.25, 0.5), (0.25, 0.8), (9.0, 0.7), (0.1, 0.7)) for k in (4, 16)},
    "M/M/4 0.8 x4": (equal(0.8, 4, servers=4), 500_000, 5),
    "M/M/16 0.8 x4": (equal(0.8, 4, servers=16), 400_000, 4),
    "unlike 0.8, 0.6": ((0.8, [(1.0, 1.0, 1), (0.75, 1.0, 1)]), 1_500_000, 6),
    "unlike 0.8, 0.8, 0.4, 0.4": ((0.8, [(1.0, 1.0, 1)] * 2 + [(0.5, 1.0, 1)] * 2), 1_500_000, 6),
    "unlike 0.9, eight of 0.7": ((0.9, [(1.0, 1.0, 1)] + [(0.7 / 0.9, 1.0, 1)] * 8), 1_500_000, 6),
    "unlike cv2 4 and 0.25": ((0.7, [(1.0, 4.0, 1), (1.0, 0.25, 1)]), 1_500_000, 6),
}  # fmt: skip


def visits(
    arrival_rate: float, tiers: Sequence[tuple[float, float, int]], order: Sequence[int]
) -> Callable[[np.random.Generator, int], Floats]:
    """Return a draw of requests that go from tier to tier in this order, and meet the same queues again."""

    def draw(random: np.random.Generator, n: int) -> Floats:
        clock = Clock()
        stations = [Station(clock, servers) for _, _, servers in tiers]
        services = [gamma(*tiers[tier][:2])(random, n).tolist() for tier in order]
        born, found = np.cumsum(random.exponential(1 / arrival_rate, n)).tolist(), np.empty(n)

        def visit(i: int, stage: int) -> None:
            if stage == len(order):
                found[i] = clock.now - born[i]
            else:
                stations[order[stage]].serve(services[stage][i], lambda: visit(i, stage + 1))

        def arrive(i: int) -> None:
            if i + 1 < n:
                clock.after(born[i + 1] - clock.now, lambda: arrive(i + 1))
            visit(i, 0)

        clock.after(born[0], lambda: arrive(0))
        clock.run()
        return found[n // 20 :]

    return draw


def network(rho: float, squared_cv: float = 1.0) -> tuple[float, list[tuple[float, float, int]], list[int]]:
    return rho / 2, [(1.0, squared_cv, 1), (2.0, squared_cv, 3), (2.0, squared_cv, 2)], [0, 1, 2, 1, 0, 1, 2]


VISITS: dict[str, tuple[float, list[tuple[float, float, int]], list[int]]] = {
    "2, 3 and 2 visits, rho 0.5": network(0.5),
    "2, 3 and 2 visits, rho 0.8": network(0.8),
    "2, 3 and 2 visits, rho 0.9": network(0.9),
    "2, 3 and 2 visits, rho 0.8, cv2 0.25": network(0.8, 0.25),
    "2, 3 and 2 visits, rho 0.8, cv2 4": network(0.8, 4.0),
    "three in a row, four servers, rho 0.8": (0.8 * 4 / 3, [(1.0, 1.0, 4)], [0, 0, 0]),
    "three by turns with another, rho 0.8": (0.8 * 4 / 3, [(1.0, 1.0, 4), (1.0, 1.0, 3)], [0, 1, 0, 1, 0]),
}


@dataclass
class Paths:
    """Requests over stations of (servers, mean), 0 servers for a delay, while others visit the first station once."""

    random: np.random.Generator
    stations: Sequence[tuple[int, float]]
    order: Sequence[int]
    clock: Clock = field(default_factory=Clock)
    found: list[float] = field(default_factory=list)
    drawn: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.queues = [Station(self.clock, servers) for servers, _ in self.stations]

    def draw(self, mean: float) -> float:
        """Return an exponential time."""
        if not self.drawn:
            self.drawn = self.random.exponential(1.0, 10_000).tolist()
        return mean * self.drawn.pop()

    def arrive(self, rate: float, order: Sequence[int], left: int) -> None:
        """Let one request in, and the others after it."""
        if left > 1:
            self.clock.after(self.draw(1 / rate), lambda: self.arrive(rate, order, left - 1))
        self.visit(self.clock.now, order, 0)

    def visit(self, born: float, order: Sequence[int], stage: int) -> None:
        """Go through one station, then through the next."""
        if stage == len(order):
            if order is self.order:
                self.found.append(self.clock.now - born)
            return
        servers, mean = self.stations[order[stage]]
        serve = self.queues[order[stage]].serve if servers else self.clock.after
        serve(self.draw(mean), lambda: self.visit(born, order, stage + 1))


def path(
    stations: Sequence[tuple[int, float]], order: Sequence[int], rate: float, other_rate: float
) -> Callable[[np.random.Generator, int], Floats]:
    def draw(random: np.random.Generator, n: int) -> Floats:
        paths = Paths(random, stations, order)
        paths.clock.after(0.0, lambda: paths.arrive(rate, order, n))
        if other_rate:
            paths.clock.after(0.0, lambda: paths.arrive(other_rate, [0], int(n * other_rate / rate)))
        paths.clock.run()
        return np.array(paths.found[n // 20 :])

    return draw


REVISITS: dict[str, tuple[list[tuple[int, float]], list[int], float, float]] = {
    "two in a row, rho 0.5": ([(1, 1.0)], [0, 0], 0.25, 0.0),
    "ten in a row, rho 0.5": ([(1, 1.0)], [0] * 10, 0.05, 0.0),
    "five in a row, two servers, rho 0.3": ([(2, 1.0)], [0] * 5, 0.12, 0.0),
    "ten in a row, four servers, rho 0.8": ([(4, 1.0)], [0] * 10, 0.32, 0.0),
    "three in a row beside other work, rho 0.7": ([(1, 1.0)], [0, 0, 0], 0.1, 0.4),
    "three in a row beside other work, four servers, rho 0.7": ([(4, 1.0)], [0, 0, 0], 0.4, 1.6),
    "twice with a delay between, rho 0.7": ([(1, 1.0), (0, 3.0)], [0, 1, 0], 0.35, 0.0),
    "five with delays, two servers, rho 0.8": ([(2, 1.0), (0, 4.0)], [0, 1, 0, 1, 0, 1, 0, 1, 0], 0.32, 0.0),
    "two by turns, rho 0.6": ([(1, 1.0), (1, 1.0)], [0, 1, 0, 1], 0.3, 0.0),
    "two and two, rho 0.6": ([(1, 1.0), (1, 1.0)], [0, 0, 1, 1], 0.3, 0.0),
    "one, then three, then two, rho 0.7": ([(1, 1.0), (3, 1.0), (2, 1.0)], [0, 1, 1, 1, 2, 2], 0.7, 0.0),
}


ROWS: dict[str, tuple[float, list[tuple[float, float, int]], list[int]]] = {
    f"{n} in a row, {c} servers, rho {rho}, cv2 {cv}": (rho * c / n, [(1.0, cv, c)], [0] * n)
    for n, c, rho in ((3, 1, 0.7), (3, 4, 0.7), (4, 1, 0.4), (2, 2, 0.8))
    for cv in (0.25, 4.0)
}


def measured(draw: Draw, fractions: list[float], size: int, replications: int, seed: int) -> dict[str, Any]:
    rows = []
    for i in range(replications):
        times = draw(np.random.default_rng([seed, i]), size)
        rows.append([float(times.mean()), *np.quantile(times, fractions).tolist()])
    values, spread = np.mean(rows, axis=0), np.std(rows, axis=0, ddof=1)
    error = 2.4 * spread / math.sqrt(replications) / values
    return {
        "mean": float(f"{values[0]:.6g}"),
        "percentiles": [float(f"{v:.6g}") for v in values[1:]],
        "relative_error": [float(f"{e:.2g}") for e in error],
    }


def main() -> None:
    cases: dict[str, Any] = {
        "about": __doc__,
        "fractions": FRACTIONS,
        "fork_fractions": FORK_FRACTIONS,
        "composites": {},
        "forks": {},
    }
    for seed, (name, draw) in enumerate(COMPOSITES.items()):
        cases["composites"][name] = measured(draw, FRACTIONS, 5_000_000, 10, seed)
        sys.stderr.write(name + "\n")
    for seed, (name, ((rate, branches), size, replications)) in enumerate(FORKS.items()):
        found = measured(fork(rate, branches), FORK_FRACTIONS, size, replications, 1000 + seed)
        cases["forks"][name] = {"arrival_rate": rate, "branches": branches} | found
        sys.stderr.write(name + "\n")
    cases["visits"] = {}
    for seed, (name, (rate, tiers, order)) in enumerate(VISITS.items()):
        found = measured(visits(rate, tiers, order), FORK_FRACTIONS, 300_000, 5, 2000 + seed)
        cases["visits"][name] = {"arrival_rate": rate, "tiers": tiers, "order": order} | found
        sys.stderr.write(name + "\n")
    cases["revisits"] = {}
    for seed, (name, (stations, order, rate, other)) in enumerate(REVISITS.items()):
        found = measured(path(stations, order, rate, other), FORK_FRACTIONS, 300_000, 5, 3000 + seed)
        known = {"arrival_rate": rate, "other_rate": other, "stations": stations, "order": order}
        cases["revisits"][name] = known | found
        sys.stderr.write(name + "\n")
    cases["rows"] = {}
    for seed, (name, (rate, tiers, order)) in enumerate(ROWS.items()):
        found = measured(visits(rate, tiers, order), FORK_FRACTIONS, 300_000, 5, 4000 + seed)
        cases["rows"][name] = {"arrival_rate": rate, "tiers": tiers, "order": order} | found
        sys.stderr.write(name + "\n")
    rows = [f" {json.dumps(key)}: {_rows(value)}" for key, value in cases.items()]
    FILE.write_text("{\n" + ",\n".join(rows) + "\n}\n")


def _rows(value: Any) -> str:
    """Return JSON with a line for each case."""
    if not isinstance(value, dict):
        return json.dumps(value)
    return "{\n" + ",\n".join(f"  {json.dumps(name)}: {json.dumps(case)}" for name, case in value.items()) + "\n }"


if __name__ == "__main__":
    main()
