from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.fitting import FitError, ImpossibleError, UnreachableError, from_mean, from_percentiles
from models.measured import from_histogram, from_samples

if TYPE_CHECKING:
    from collections.abc import Callable

MET = 2e-5
"""Relative: what is given is met in probability; the search for a percentile stops at steps of 1e-5."""


# A mean and a p99 are met, whatever they are, up to 36 times the mean; beyond that the error says what would help.
@settings(max_examples=60)
@given(st.floats(-6, 3), st.floats(1.0001, 36.0))
def test_mean_and_percentile(magnitude: float, ratio: float) -> None:
    mean = 10**magnitude
    fit = from_mean(mean, ratio * mean)
    assert fit.latency.mean == pytest.approx(mean, rel=1e-9)
    assert fit.latency.percentile(0.99) == pytest.approx(ratio * mean, rel=MET)
    assert fit.gap < 1e-9
    # exp(z^2 / 2) for z of p99: the largest ratio of a log-normal time.
    assert fit.family == ("log-normal" if ratio < 14.97 else "two speeds") or 14.96 < ratio < 14.98


# Other percentiles than p99 are met as well; a mean that is its own percentile never varies.
def test_other_fractions() -> None:
    for fraction in (0.6, 0.9, 0.999):
        fit = from_mean(1.0, 1.02, fraction)
        assert fit.latency.mean == pytest.approx(1.0, rel=1e-9)
        assert fit.latency.percentile(fraction) == pytest.approx(1.02, rel=MET)
    assert from_mean(2.0, 2.0).latency.percentiles([0.01, 0.99]) == [2, 2]


# A log-normal time is found again from its own mean and p99, and from its own percentiles with any constant before it.
@settings(max_examples=60)
@given(st.floats(0.05, 2.2), st.floats(0, 5))
def test_found_again(sigma: float, shift: float) -> None:
    z99, z95 = 2.3263478740408408, 1.6448536269514722
    fit = from_mean(0.3 * math.exp(sigma**2 / 2), 0.3 * math.exp(z99 * sigma))
    assert fit.parameters["sigma"] == pytest.approx(sigma, rel=1e-6)
    three = from_percentiles({0.5: shift + 1, 0.95: shift + math.exp(z95 * sigma), 0.99: shift + math.exp(z99 * sigma)})
    if shift > 0.01:
        # How far the bend of three percentiles tells the constant from the width: worse the narrower.
        assert three.family == "log-normal after a constant"
        assert three.parameters["shift"] == pytest.approx(shift, abs=1e-6 * (1 + shift) / sigma**2)


# Any percentiles that rise are met exactly, by one shape or by pieces; the answer says which, and what it does not know.
@settings(max_examples=40)
@given(st.lists(st.floats(0.001, 3.0), min_size=3, max_size=3), st.floats(-6, 3))
def test_any_three_percentiles(steps: list[float], magnitude: float) -> None:
    times = (np.cumsum(steps) * 10**magnitude).tolist()
    fit = from_percentiles(dict(zip((0.5, 0.95, 0.99), times, strict=True)))
    # Pieces have kinks at what is given, where the search for a percentile may stop a step of 1e-4 before it.
    met = 1e-4 if fit.family == "straight pieces" else MET
    assert fit.latency.percentiles([0.5, 0.95, 0.99]) == pytest.approx(times, rel=met)
    assert max(abs(error) for _, error in fit.off) < met
    assert fit.gap < 1e-9
    assert "p99" in fit.told
    assert fit.latency.percentile(0.999) > times[-1]


# Two percentiles make a log-normal time, five make pieces: nothing that is given is missed.
def test_fewer_and_more_percentiles() -> None:
    assert from_percentiles({0.5: 1.0, 0.99: 4.0}).family == "log-normal"
    many = {0.1: 1.0, 0.5: 2.0, 0.9: 2.5, 0.99: 9.0, 0.999: 10.0}
    fit = from_percentiles(many)
    assert fit.family == "straight pieces"
    assert fit.latency.percentiles(list(many)) == pytest.approx(list(many.values()), rel=1e-4)
    assert fit.gap < 1e-12
    assert fit.latency.percentile(0.9999) > 10


# What cannot be is told apart from what is not reached, and either says why.
@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: from_mean(1.0, 101.0), ImpossibleError, "at least 1.01 s"),
        (lambda: from_mean(1.0, 60.0), UnreachableError, "60 times as long"),
        (lambda: from_mean(1.0, 0.5), UnreachableError, "most of the time"),
        (lambda: from_mean(0.0, 1.0), FitError, "mean is a finite time > 0"),
        (lambda: from_mean(1.0, math.nan), FitError, "percentile is a finite time > 0"),
        (lambda: from_mean(1.0, 2.0, 99.0), FitError, "between 0 and 1"),
        (lambda: from_percentiles({0.5: 2.0, 0.99: 1.0}), ImpossibleError, "p99 of 1 s must be longer than the p50"),
        (lambda: from_percentiles({0.5: 2.0, 0.99: 2.0}), ImpossibleError, "longer"),
        (lambda: from_percentiles({0.5: 2.0}), FitError, "two percentiles"),
        (lambda: from_percentiles({0.5: -2.0, 0.9: 1.0}), FitError, "p50 is a finite time"),
        (lambda: from_samples([1.0] * 19), FitError, "from 20 samples"),
        (lambda: from_samples([0.0] + [1.0] * 30), FitError, "finite times > 0"),
        (lambda: from_samples([math.inf] + [1.0] * 30), FitError, "finite times > 0"),
        (lambda: from_histogram([1.0, 2.0], [3.0]), FitError, "a count for every bound"),
        (lambda: from_histogram([2.0, 1.0], [3.0, 1.0]), FitError, "ascend"),
        (lambda: from_histogram([1.0, 2.0], [3.0, -1.0]), FitError, "none is negative"),
        (lambda: from_histogram([1.0, 2.0], [3.0, 1.0], cumulative=True), FitError, "never fall"),
        (lambda: from_histogram([1.0, math.inf], [1.0, 3.0]), FitError, "0.75 of all lie in the open bucket"),
        (lambda: from_histogram([1.0, 2.0], [0.0, 0.0]), FitError, "one is > 0"),
    ],
)
def test_refused(make: Callable[[], Any], error: type[FitError], says: str) -> None:
    with pytest.raises(error, match=says):
        make()


RANDOM = np.random.default_rng(20_261_123)
N = 20_000


# Samples of a shape are fitted by that shape, or one that the samples cannot tell from it; P99 within 5 % of theirs.
@pytest.mark.parametrize(
    ("samples", "families"),
    [
        pytest.param(RANDOM.exponential(1.0, N), {"two moments"}, id="exponential"),
        pytest.param(RANDOM.gamma(4.0, 0.25, N), {"two moments"}, id="Erlang"),
        pytest.param(np.exp(0.8 * RANDOM.standard_normal(N)), {"log-normal"}, id="log-normal"),
        pytest.param(2 + np.exp(0.8 * RANDOM.standard_normal(N)), {"log-normal after a constant"}, id="shifted"),
        pytest.param(1 + RANDOM.pareto(2.5, N), {"Pareto"}, id="Pareto"),
        pytest.param(
            np.where(RANDOM.random(N) < 0.9, RANDOM.gamma(20, 0.05, N), RANDOM.gamma(20, 0.5, N)),
            {"own quantiles"},
            id="two humps",
        ),
        pytest.param(np.round(RANDOM.exponential(1.0, N), 1) + 0.1, {"own quantiles"}, id="rounded"),
        pytest.param(
            np.where(RANDOM.random(N) < 0.7, 1.0, 1 + RANDOM.exponential(1.0, N)), {"own quantiles"}, id="atom"
        ),
    ],
)
def test_samples(samples: Any, families: set[str]) -> None:
    fit = from_samples(samples)
    assert fit.family in families or (fit.family.startswith("log-normal") and "log-normal" in families)
    # The distance at the 1 % level; pieces between 160 quantiles are closer than their spacing.
    assert fit.gap < max(1.63 / math.sqrt(N), 0.01)
    # P99 has 200 samples beyond: 5 to 7 % of the tail, a few per cent in time for these tails.
    known = dict(fit.off)
    assert set(known) == {0.5, 0.9, 0.95, 0.99, 0.999}
    assert abs(known[0.99]) < 0.05
    for fraction in (0.9, 0.95, 0.99):
        assert fit.latency.percentile(fraction) == pytest.approx(np.quantile(samples, fraction), rel=0.06)


# Samples that are all equal are a constant; few samples do not claim high percentiles.
def test_few_and_equal_samples() -> None:
    assert from_samples([3.0] * 50).latency.percentile(0.99) == 3
    fit = from_samples(RANDOM.exponential(1.0, 100))
    assert [fraction for fraction, _ in fit.off] == [0.5, 0.9]
    assert "0.1 of all" in fit.told


BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, math.inf]


# A histogram is met at every bound; a log-normal one is recognised, and its percentiles are found between bounds.
def test_histogram() -> None:
    times = 0.05 * np.exp(0.8 * RANDOM.standard_normal(N))
    below = [int((times <= bound).sum()) for bound in BOUNDS]
    fit = from_histogram(BOUNDS, below, cumulative=True)
    assert fit.family == "log-normal"
    assert fit.parameters["sigma"] == pytest.approx(0.8, rel=0.02)
    assert fit.latency.percentile(0.99) == pytest.approx(0.05 * math.exp(0.8 * 2.3263), rel=0.03)
    humps = np.where(RANDOM.random(N) < 0.9, RANDOM.gamma(20, 0.001, N), RANDOM.gamma(20, 0.05, N))
    counts = np.diff([0, *[int((humps <= bound).sum()) for bound in BOUNDS]])
    kept = from_histogram(BOUNDS, counts.tolist())
    assert kept.family == "straight pieces"
    assert kept.gap < 1e-6
    # Where in a bucket a time lies is not known: no percentile leaves its bucket.
    for fraction in (0.5, 0.85, 0.95, 0.99):
        bucket = int(np.searchsorted(BOUNDS, np.quantile(humps, fraction)))
        low = BOUNDS[bucket - 1] if bucket else 0.0
        assert low * (1 - 1e-6) <= kept.latency.percentile(fraction) <= BOUNDS[bucket] * (1 + 1e-6)


# What lies in the open bucket is said, as it is a guess.
def test_open_bucket() -> None:
    fit = from_histogram([1.0, 2.0, math.inf], [60.0, 30.0, 10.0])
    assert "0.1 in the open bucket" in fit.told
    assert fit.latency.exceeds(2.0) == pytest.approx(0.1, abs=1e-3 + fit.gap)
    assert fit.latency.percentile(0.99) > 2


# A fit is a latency like any other: it can be added, and keeps its mean.
def test_a_fit_is_a_latency() -> None:
    fit = from_percentiles({0.5: 0.01, 0.95: 0.2, 0.99: 0.25})
    both = fit.latency + from_mean(0.02, 0.1).latency
    assert both.mean == pytest.approx(fit.latency.mean + 0.02, rel=1e-12)
    assert both.percentile(0.99) > 0.25
