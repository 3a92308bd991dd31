"""Rows of visits with variable services: against a closed form, conservation of work, and simulation."""

from __future__ import annotations

import math

import pytest

from models.feedback import row_squared_cv
from models.latency import Latency
from models.queues import mgc_wait
from models.service_time import from_moments
from tests.cases import latency_cases

ROWS = latency_cases()["rows"]


# One visit feels the services as they are, many as if they were exponential; the series is its closed form.
@pytest.mark.parametrize("squared_cv", [0.0, 0.25, 1.0, 4.0])
@pytest.mark.parametrize("n", [1, 2, 3, 7, 40])
def test_closed_form(n: int, squared_cv: float) -> None:
    f = (1 - math.comb(2 * n, n) / 4**n) / n
    assert row_squared_cv(squared_cv, [(1.0, n)]) == pytest.approx(1 + 2 * f * (squared_cv - 1), rel=1e-12)
    assert row_squared_cv(squared_cv, [(0.3, n), (0.7, n)]) == pytest.approx(1 + 2 * f * (squared_cv - 1), rel=1e-12)
    assert row_squared_cv(squared_cv, [(1.0, 1)]) == pytest.approx(squared_cv, abs=1e-12)


# Work is conserved on one server: were all visits of a row to wait equally long, the mean would follow exactly. They do
# not quite, the later ones less; the law lies within 6 % of that wait.
@pytest.mark.parametrize("squared_cv", [0.25, 4.0])
@pytest.mark.parametrize("n", [2, 3, 5, 10])
def test_conserved_work(n: int, squared_cv: float) -> None:
    conserved = (n + squared_cv) / (n + 1)
    assert (1 + row_squared_cv(squared_cv, [(1.0, n)])) / 2 == pytest.approx(conserved, rel=0.06)


# Single visits of others lie between, the more of them the closer to the services as they are.
def test_mixed_rows() -> None:
    felt = [row_squared_cv(4.0, [(1 - alone, 5), (alone, 1)]) for alone in (0.0, 0.3, 0.6, 0.9, 1.0)]
    assert felt == sorted(felt)
    assert felt[-1] == pytest.approx(4.0, rel=1e-12)
    assert row_squared_cv(4.0, [(1.0, 10_000)]) == pytest.approx(1.0, abs=0.06)


def in_a_row(name: str) -> Latency:
    """Return the time of all visits of one row."""
    case = ROWS[name]
    n, (mean, squared_cv, servers) = len(case["order"]), case["tiers"][0]
    wait = mgc_wait(case["arrival_rate"] * n, from_moments(mean, row_squared_cv(squared_cv, [(1.0, n)])), servers)
    return (Latency.waiting(wait) + Latency.of(from_moments(mean, squared_cv))).times(n)


# Mean within 3 %, P90 to P99.9 within 8 %; the median, where nobody waits or one long service passes, within 11 %.
@pytest.mark.parametrize("name", ROWS)
def test_simulated(name: str) -> None:
    case, found = ROWS[name], in_a_row(name)
    values = [found.mean, *found.percentiles(latency_cases()["fork_fractions"])]
    claimed = [0.03, 0.11, 0.05, 0.05, 0.075, 0.08]
    wanted = [case["mean"], *case["percentiles"]]
    for have, want, claim, noise in zip(values, wanted, claimed, case["relative_error"], strict=True):
        assert have == pytest.approx(want, rel=claim + noise)
