from __future__ import annotations

from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.erlang import UnstableQueueError
from models.polling import VISITS, polling_conserved, polling_waits
from models.service_time import ServiceTime, erlang, exponential, from_moments
from models.stations import mg1
from tests.cases import expected

property_test = settings(max_examples=60)
shapes = st.builds(from_moments, st.floats(0.05, 1.0), st.sampled_from([0.0, 0.3, 1.0, 4.0]))


def published() -> tuple[list[float], list[ServiceTime], list[ServiceTime]]:
    """Return the published three queues: rates 1/s, services of 0.1 s and different shapes, switches of 0.2 s."""
    skewed = two_phase(0.1, 2.0, 0.99)
    return [1.0] * 3, [erlang(2, 0.1), erlang(3, 0.1), skewed], [erlang(2, 0.2)] * 3


def two_phase(mean: float, squared_cv: float, p: float) -> ServiceTime:
    """Return the hyperexponential with this weight p of its first phase."""
    apart = np.sqrt((squared_cv - 1) / 2 * (1 - p) / p)
    first = mean * (1 - apart)
    return ServiceTime(((p, 1, 1 / first), (1 - p, 1, 1 / ((mean - p * first) / (1 - p)))))


# Gated and exhaustive visits to three queues: the means of another program, to its 1e-6. Its arrivals count as Poisson.
@pytest.mark.parametrize("visits", ["gated", "exhaustive"])
def test_published(visits: str) -> None:
    found = polling_waits(visits, *published())
    assert found == pytest.approx(expected("line-polling", visits), abs=1e-6)


# Its mean for visits limited to one, 1.74, is wrong: it takes one of the three switches for all of them in one term. The
# law of conservation asks for 3.94 in each of three queues that are alike in all that it knows, and so does a simulation.
def test_a_published_mean_is_wrong() -> None:
    rates, services, switches = published()
    wrong = expected("line-polling", "1-limited")
    found = polling_waits("limited", rates, services, switches)
    conserved = polling_conserved("limited", rates, services, switches)
    weight = 0.1 * (1 - 0.6 / 0.7)
    assert weight * sum(found) == pytest.approx(conserved, rel=1e-12)
    assert weight * sum(wrong) < 0.45 * conserved
    assert found == pytest.approx([3.9417] * 3, abs=1e-4)
    drawn = simulated("limited", rates, services, switches, 400_000, 3)
    # Three tenths of a server's time at 86 % of what a cycle can carry: 3 % is two standard errors.
    assert float(np.mean(drawn)) == pytest.approx(3.9417, rel=0.06)


def drawn_from(service: ServiceTime, noise: np.random.Generator, count: int) -> list[float]:
    """Return times drawn from a distribution."""
    parts = [(w, k, 1 / r) for w, k, r in service.phases] + [(w, 0, v) for w, v in service.constants]
    chosen = noise.choice(len(parts), count, p=[w for w, _, _ in parts])
    found = np.zeros(count)
    for i, (_, k, scale) in enumerate(parts):
        here = chosen == i
        found[here] = noise.gamma(k, scale, int(here.sum())) if k else scale
    return list(found.tolist())


def simulated(  # noqa: PLR0917, a simulation has as many parameters
    visits: str, rates: list[float], services: list[ServiceTime], switches: list[ServiceTime], count: int, seed: int
) -> list[float]:
    """Return the mean waits of a simulated server that goes round."""
    noise, n = np.random.default_rng(seed), len(rates)
    coming = [deque(np.cumsum(noise.exponential(1 / r, int(count * r / sum(rates)))).tolist()) for r in rates]
    work = [deque(drawn_from(s, noise, len(c))) for s, c in zip(services, coming, strict=True)]
    ways = [deque(drawn_from(s, noise, count)) for s in switches]
    end, clock, at = min(c[-1] for c in coming), 0.0, 0
    waits: list[list[float]] = [[] for _ in rates]
    while clock < end and all(ways):
        queue, gate, served = coming[at], clock, 0
        while (
            queue and queue[0] <= (clock if visits == "exhaustive" else gate) and not (visits == "limited" and served)
        ):
            waits[at].append(clock - queue.popleft())
            clock += work[at].popleft()
            served += 1
        clock += ways[at].popleft()
        at = (at + 1) % n
    return [float(np.mean(w[len(w) // 20 :])) for w in waits]


# Queues of different rates, services and switches, simulated: each mean within the noise.
@pytest.mark.parametrize("visits", ["gated", "exhaustive"])
def test_by_simulation(visits: str) -> None:
    rates = [0.5, 0.1, 1.2]
    services = [exponential(0.4), from_moments(1.5, 4.0), erlang(3, 0.3)]
    switches = [exponential(0.3), erlang(2, 0.1), from_moments(0.6, 0.0)]
    drawn = simulated(visits, rates, services, switches, 300_000, 17)
    # At 71 % load some 3 % for the rarest queue, by ten seeds.
    assert drawn == pytest.approx(polling_waits(visits, rates, services, switches), rel=0.05)


# The waits obey the law of conservation, which another derivation gives, for any number of queues of any kind.
@property_test
@given(st.lists(st.tuples(st.floats(0.01, 1.0), shapes, shapes), min_size=1, max_size=7), st.floats(0.1, 0.95))
def test_conservation(queues: list[tuple[float, ServiceTime, ServiceTime]], load: float) -> None:
    services, switches = [s for _, s, _ in queues], [s for _, _, s in queues]
    scale = load / sum(rate * s.mean for rate, s, _ in queues)
    rates = [rate * scale for rate, _, _ in queues]
    for visits in VISITS:
        weights = [r * s.mean for r, s in zip(rates, services, strict=True)]
        if visits == "limited":
            cycle = sum(s.mean for s in switches) / (1 - load)
            if max(rates) * cycle > 0.99:
                continue
            weights = [w * (1 - r * cycle) for w, r in zip(weights, rates, strict=True)]
        found = polling_waits(visits, rates, services, switches)
        total = sum(w * x for w, x in zip(weights, found, strict=True))
        assert total == pytest.approx(polling_conserved(visits, rates, services, switches), rel=1e-10)
        assert min(found) > 0


# One queue with short pauses is M/G/1, and with pauses M/G/1 with vacations: its wait and half a pause more
# (Fuhrmann and Cooper 1985).
def test_one_queue() -> None:
    service, pause = from_moments(0.5, 3.0), exponential(0.2)
    plain = mg1(1.4, service).wait_mean
    vacation = (pause.variance + pause.mean**2) / (2 * pause.mean)
    assert polling_waits("exhaustive", [1.4], [service], [pause]) == pytest.approx([plain + vacation], rel=1e-12)
    short = exponential(1e-9)
    assert polling_waits("gated", [1.4], [service], [short]) == pytest.approx([plain], rel=1e-6)


# Overload, also of one request a cycle, and input without a meaning are refused.
def test_senseless_input() -> None:
    service, way = exponential(0.5), exponential(0.4)
    with pytest.raises(UnstableQueueError):
        polling_waits("gated", [2.0], [service], [way])
    with pytest.raises(UnstableQueueError):
        polling_waits("limited", [1.2], [service], [way])
    with pytest.raises(ValueError, match="one of exhaustive"):
        polling_waits("all", [1.0], [service], [way])
    with pytest.raises(ValueError, match="as many"):
        polling_waits("gated", [1.0, 1.0], [service], [way])
    with pytest.raises(ValueError, match="no time"):
        polling_waits("gated", [1.0], [service], [ServiceTime((), ((1.0, 0.0),))])
