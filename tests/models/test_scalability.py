from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.scalability import peak_nodes, relative_capacity

property_test = settings(max_examples=100, deadline=None)

# The SPEC SDM91 benchmark as R's usl package fits it.
SDM91 = (0.0277285, 1.043655e-4, 89.99520)
# A Cisco benchmark as usl4j's tests fit it (data of Schwartz, Practical Scalability Analysis).
CISCO = (0.0267160, 7.690928e-4, 995.6491)


# The published fits have the published peaks and throughputs; tolerances are half the last printed digit
# (12,341 is cut, not rounded).
def test_published_peaks() -> None:
    sigma, kappa, one = SDM91
    assert peak_nodes(sigma, kappa) == pytest.approx(96.51956, rel=1e-6)
    assert one * relative_capacity(96.51956, sigma, kappa) == pytest.approx(1884, abs=0.5)
    assert peak_nodes(sigma, 5e-5) == pytest.approx(139.447, abs=5e-4)
    sigma, kappa, one = CISCO
    assert peak_nodes(sigma, kappa) == pytest.approx(35.57, abs=5e-3)
    assert one * relative_capacity(math.floor(peak_nodes(sigma, kappa)), sigma, kappa) == pytest.approx(12_341, abs=1)
    assert one * relative_capacity(20, sigma, kappa) == pytest.approx(11_063.63, rel=1e-6)


# The fitted throughputs of SDM91 at the measured loads, as printed.
@pytest.mark.parametrize(
    ("nodes", "throughput"), [(1, 90), (18, 1078), (36, 1541), (72, 1850), (108, 1879), (144, 1822), (216, 1646)]
)
def test_published_throughputs(nodes: int, throughput: float) -> None:
    sigma, kappa, one = SDM91
    assert one * relative_capacity(nodes, sigma, kappa) == pytest.approx(throughput, abs=0.5)


# The synthetic case with contention and coherency 0.02 gives its five published digits.
@pytest.mark.parametrize(
    ("nodes", "capacity"), [(1, 1), (2, 1.8868), (4, 3.0769), (6, 3.5294), (8, 3.5398), (10, 3.3557)]
)
def test_published_synthetic(nodes: int, capacity: float) -> None:
    assert relative_capacity(nodes, 0.02, 0.02) == pytest.approx(capacity, abs=5e-5)


# Capacity rises up to the peak and falls after it; one node is one; no law beats perfect scaling.
@property_test
@given(st.floats(0, 0.9), st.floats(1e-9, 0.1), st.floats(1.01, 100))
def test_peak(sigma: float, kappa: float, factor: float) -> None:
    peak = peak_nodes(sigma, kappa)
    top = relative_capacity(peak, sigma, kappa)
    assert relative_capacity(peak / factor, sigma, kappa) < top
    assert relative_capacity(peak * factor, sigma, kappa) < top
    assert relative_capacity(1, sigma, kappa) == 1
    assert relative_capacity(factor, sigma, kappa) <= factor


# Without coherency capacity has no peak; without contention either it is perfect.
def test_limits() -> None:
    assert peak_nodes(0.1, 0.0) == math.inf
    assert relative_capacity(1e12, 0.1, 0.0) == pytest.approx(10, rel=1e-9)
    assert relative_capacity(50, 0.0, 0.0) == 50
    assert peak_nodes(1.5, 0.01) == 0
