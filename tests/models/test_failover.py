from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.failover import Loss, takeover_time

property_test = settings(max_examples=60)

rates = st.floats(-2, 4).map(lambda power: 10**power)


def exact_none(loss: Loss) -> float:
    """Return P(nothing is lost) with 50 digits, as the mean of exp(-rate * (delay + age)) over the age of the flush."""
    with mpmath.workdps(50):
        rate, delay, flush = (mpmath.mpf(x) for x in (loss.write_rate, loss.network_delay, loss.flush_interval))
        if not flush:
            return float(mpmath.exp(-rate * delay))
        return float(mpmath.exp(-rate * delay) * (1 - mpmath.exp(-rate * flush)) / (rate * flush))


# P(nothing is lost) to all digits.
@property_test
@given(rates, st.floats(0, 0.05), st.one_of(st.just(0.0), st.floats(1e-6, 1)))
def test_nothing_lost(rate: float, delay: float, flush: float) -> None:
    loss = Loss(rate, delay, flush)
    # The exponent is rounded, and up to 500 here.
    assert loss.none == pytest.approx(exact_none(loss), rel=1e-12)


# Percentiles are those of drawn losses: Poisson, mixed over the age of the flush.
@pytest.mark.parametrize(("rate", "delay", "flush"), [(5.0, 0.1, 0.0), (1000.0, 0.002, 0.2), (20.0, 0.05, 1.0), (1e5, 0.001, 0.0)])  # fmt: skip
def test_percentiles(rate: float, delay: float, flush: float) -> None:
    loss, draws = Loss(rate, delay, flush), np.random.default_rng(3)
    lost = draws.poisson(rate * (delay + flush * draws.random(400_000)))
    assert loss.mean == pytest.approx(lost.mean(), rel=0.01)
    for fraction in (0.5, 0.9, 0.99):
        wanted = float(np.quantile(lost, fraction))
        # One in a count, or 1 % of a large one, is the noise of 400,000 draws.
        assert loss.percentile(fraction) == pytest.approx(wanted, abs=max(1.0, 0.01 * wanted))
    assert (lost == 0).mean() == pytest.approx(loss.none, abs=0.004)


# More writes, a longer way or a longer flush lose more; no number is exceeded more often than it says.
@property_test
@given(rates, st.floats(0, 0.05), st.floats(0, 1), st.floats(1.1, 3))
def test_monotone(rate: float, delay: float, flush: float, more: float) -> None:
    base = Loss(rate, delay, flush)
    for worse in (Loss(rate * more, delay, flush), Loss(rate, delay + 0.01, flush), Loss(rate, delay, flush + 0.1)):
        assert worse.mean >= base.mean
        assert worse.none <= base.none
        assert worse.percentile(0.99) >= base.percentile(0.99)
    assert base.percentile(0.99) >= base.percentile(0.5)


# A replica that has everything loses nothing.
def test_nothing_at_risk() -> None:
    none = Loss(1000.0, 0.0)
    assert (none.mean, none.none, none.percentile(0.999), none.seconds) == (0, 1, 0, 0)
    with pytest.raises(ValueError, match="not negative"):
        Loss(-1.0, 0.0)
    with pytest.raises(ValueError, match="fractions"):
        none.percentile(1.0)
    assert math.isclose(Loss(10.0, 0.1, 0.3).seconds, 0.4)


# Taking over: noticed, caught up, promoted.
def test_takeover() -> None:
    assert takeover_time(10.0, 5000.0, 1000.0, 2.0) == pytest.approx(17.0)
    with pytest.raises(ValueError, match="rate > 0"):
        takeover_time(1.0, 1.0, 0.0)


# A million writes and more: as drawn, within a thousandth.
@pytest.mark.parametrize(("rate", "delay", "flush"), [(1e5, 30.0, 0.0), (1e5, 10.0, 20.0), (1e6, 3.0, 0.001)])
def test_many(rate: float, delay: float, flush: float) -> None:
    draws = np.random.default_rng(3)
    lost = draws.poisson(rate * (delay + flush * draws.random(400_000)))
    for fraction in (0.5, 0.99):
        assert Loss(rate, delay, flush).percentile(fraction) == pytest.approx(
            float(np.quantile(lost, fraction)), rel=1e-3
        )
