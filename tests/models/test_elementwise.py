from __future__ import annotations

import dataclasses
import math
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import availability, backlog, outages, repair, replica_lag, scalability, sharding, stampede, windows
from models.batches import batch_wait_mean
from models.elementwise import either, known, numbers, require, summed
from models.limits import rate_limit_rejection
from models.service_time import from_moments
from models.staleness import writes_at_risk

if TYPE_CHECKING:
    from collections.abc import Callable

share = st.floats(0, 1)
below_one = st.floats(0, 0.999)
rate = st.just(0.0) | st.floats(0.01, 1000)
positive = st.floats(0.01, 1000)
chance = st.floats(0.001, 1)
few = st.integers(1, 12)
some = st.integers(0, 12)

Law = tuple["Callable[..., Any]", tuple[st.SearchStrategy[Any], ...]]

LAWS: dict[str, Law] = {
    "drain time": (backlog.drain_time, (rate, rate, rate)),
    "storage": (backlog.storage, (rate, rate, rate, rate)),
    "backlog drain": (backlog.backlog_drain, (rate, rate, rate)),
    "time to loss": (backlog.time_to_loss, (rate, rate, positive, rate)),
    "time to full": (backlog.time_to_full, (rate, rate, rate, rate)),
    "rebalancing": (lambda a, c, p, e, i: backlog.rebalancing(a, c, p, p + e, i), (rate, rate, rate, positive, rate)),
    "unavailability": (availability.node_unavailability, (positive, rate)),
    "in series": (lambda *parts: availability.in_series(parts), (share, share, share)),
    "in parallel": (lambda *parts: availability.in_parallel(parts), (share, share, share)),
    "failovers": (availability.failovers, (positive, some, rate)),
    "maintenance": (availability.maintenance, (rate, rate)),
    "downtime": (availability.downtime, (share,)),
    "outage mean": (outages.outage_mean, (share, rate)),
    "nines": (outages.nines, (share,)),
    "error budget": (outages.error_budget, (below_one, positive)),
    "budget used": (outages.budget_used, (share, below_one)),
    "burn rate": (outages.burn_rate, (share, positive, positive)),
    "until spent": (outages.until_spent, (rate, share, positive)),
    "crewed": (repair.crewed, (some, some, few, positive, rate)),
    "crewed outages": (repair.crewed_outage_rate, (some, some, few, positive, rate)),
    "token bucket": (rate_limit_rejection, (rate, positive, few | st.integers(13, 500))),
    "sliding log": (windows.sliding_log_rejection, (rate, few, positive)),
    "concurrency": (windows.concurrency_rejection, (rate, positive, few)),
    "places": (windows.concurrency_for, (rate, positive, chance)),
    "catching up": (replica_lag.catch_up, (rate, rate, positive)),
    "lag growth": (replica_lag.lag_growth, (rate, positive)),
    "writes at risk": (writes_at_risk, (rate, rate)),
    "node loss": (sharding.node_loss, (share, few)),
    "modulo": (lambda hit, nodes: sharding.node_loss(hit, nodes, hashing="modulo"), (share, few)),
    "stampede": (stampede.stampede, (positive, positive, positive)),
    "single flight": (
        lambda *given: stampede.stampede(*given, protection="single-flight"),
        (positive, positive, positive),
    ),
    "xfetch": (lambda *given: stampede.stampede(*given, protection="xfetch"), (positive, positive, positive)),
    "batches": (
        lambda use, size, cv2: batch_wait_mean(numbers(use, 1)[0] / size, size, cv2, from_moments(1.0, 2.0)),
        (below_one, st.floats(1, 50), rate),
    ),
    "peak": (scalability.peak_nodes, (share, share | st.just(0.0))),
    "peak capacity": (scalability.peak_capacity, (share | st.just(0.0), share | st.just(0.0))),
    "concurrency for latency": (scalability.concurrency_for_latency, (positive, share, share | st.just(0.0))),
}


def figures(answer: Any) -> tuple[Any, ...]:
    """Return the numbers of an answer, of which there may be one."""
    if dataclasses.is_dataclass(answer) and not isinstance(answer, type):
        return tuple(getattr(answer, field.name) for field in dataclasses.fields(answer))
    return answer if isinstance(answer, tuple) else (answer,)


# A law that takes arrays gives each element what it gives a number; what is None alone is NaN.
@pytest.mark.parametrize(("law", "parts"), LAWS.values(), ids=LAWS)
def test_arrays_are_many_single_numbers(law: Callable[..., Any], parts: tuple[st.SearchStrategy[Any], ...]) -> None:
    @settings(max_examples=40)
    @given(st.lists(st.tuples(*parts), min_size=1, max_size=6))
    def check(several: list[tuple[Any, ...]]) -> None:
        many = figures(law(*(np.array(column) for column in zip(*several, strict=True))))
        for i, one in enumerate(several):
            alone = law(*one)
            expected = (None,) * len(many) if alone is None else figures(alone)
            assert all(isinstance(x, bool | int | float | None) for x in expected)
            for found, figure in zip(many, expected, strict=True):
                assert found.shape == (len(several),)
                if figure is None:
                    assert math.isnan(found[i])
                else:
                    # Sums of a few tokens cancel to about 1e-12; all else agrees to its last digits.
                    assert found[i] == pytest.approx(figure, rel=1e-11, abs=2e-12)

    check()


# With as many crews as nodes, repair is k of n: the way to have that of many tiers at once.
@given(some, few, st.lists(st.floats(1e-9, 0.999), min_size=1, max_size=5))
def test_k_of_n_on_arrays(needed: int, nodes: int, downs: list[float]) -> None:
    u = np.array(downs)
    found = repair.crewed(needed, nodes, nodes, 1 - u, u)
    expected = [availability.fewer_than(needed, [(nodes, down)]) for down in downs]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


# Shapes are broadcast, lists are arrays, and arrays without axes are numbers, for every law alike.
@pytest.mark.parametrize(("law", "parts"), LAWS.values(), ids=LAWS)
def test_shapes(law: Callable[..., Any], parts: tuple[st.SearchStrategy[Any], ...]) -> None:
    rest = [{few: 3, some: 2, share: 0.5, chance: 0.5, below_one: 0.25}.get(part, 2) for part in parts[1:]]
    first = np.array([0.5, 0.75]) if parts[0] in (share, below_one) else np.array([2.0, 3.0])
    if rest:
        for figure in figures(law(first[:, None], np.full(3, rest[0]), *rest[1:])):
            assert figure.shape == (2, 3)
    alone = law(first[0].item(), *rest)
    for i, figure in enumerate(figures(law(first.tolist(), *rest))):
        assert figure.shape == (2,)
        number = None if alone is None else figures(alone)[i]
        assert math.isnan(figure[0]) if number is None else figure[0] == pytest.approx(number, rel=1e-12)
    for figure in figures(law(np.array(first[0]), *rest)):
        assert figure is None or isinstance(figure, float | int)


# The first element without a meaning is named with its numbers and its place.
def test_the_first_wrong_element_is_named() -> None:
    with pytest.raises(
        ValueError, match=r"mtbf 0\.0 must be > 0 and mttr 2\.0 .* \(element \[1\], the first of 2 of 3\)"
    ):
        availability.node_unavailability([1.0, 0.0, -1.0], 2.0)
    with pytest.raises(ValueError, match=r"found 1\.0 \(element \[0, 1\], the first of 1 of 2\)"):
        outages.error_budget([[0.5, 1.0]])
    with pytest.raises(ValueError, match=r"not -1, 3 and 2\.0$"):
        windows.concurrency_rejection(-1, 2.0, 3)


# A decision is made once for a number, for which only what is taken is worked out, and for each element of an array.
def test_decisions() -> None:
    assert either(True, lambda: 1.0, lambda: 1 / 0) == 1.0  # noqa: FBT003
    assert known(False, lambda: 1 / 0) is None  # noqa: FBT003
    x: Any = np.array([0.0, 2.0])
    assert either(x > 0, lambda: 1 / x, lambda: 7.0).tolist() == [7.0, 0.5]
    assert known(x > 0, lambda: (1 / x, x))[1].tolist()[1] == 2.0
    assert numbers(1, 2.5) == (1, 2.5)
    assert numbers(np.array(3), 2.5) == (3, 2.5)
    assert type(numbers(np.array(3), 2.5)[0]) is int
    require(x >= 0, "never said")
    with pytest.raises(ValueError, match="shape mismatch"):
        numbers([1, 2], [1, 2, 3])


# Terms that cancel are summed as if they were rounded once.
@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=12))
def test_sums_that_cancel(terms: list[float]) -> None:
    assert summed(terms) == math.fsum(terms)
    found = summed([np.array([term]) for term in terms])[0]
    assert found == pytest.approx(math.fsum(terms), rel=1e-15, abs=1e-30 * sum(map(abs, terms)))


# Single numbers need no arrays: laws that never needed NumPy do not import it.
@pytest.mark.parametrize(
    "asked",
    [
        "from models.backlog import drain_time, rebalancing; drain_time(1.0, 2.0, 3.0); rebalancing(1.0, 3.0, 1.0, 9.0)",
        "from models.scalability import peak_nodes, concurrency_for_latency; peak_nodes(0.1, 0.01)",
        "import models",
    ],
)
def test_single_numbers_import_no_arrays(asked: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", f"import sys; {asked}; raise SystemExit('numpy' in sys.modules)"],
        check=False,
        timeout=60,
    )
    assert run.returncode == 0
