from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.availability import fewer_than, in_parallel, node_unavailability, zoned
from models.outages import budget_used, burn_rate, error_budget, nines, outage_mean, outage_rate, until_spent

HOUR, DAY = 3600.0, 86400.0
property_test = settings(max_examples=60)


# A single node fails once every mtbf + mttr and is down for its mttr; two in series fail twice as often.
def test_one_node() -> None:
    rate = outage_rate(1, [(1, 1000.0, 10.0)])
    assert rate == pytest.approx(1 / 1010, rel=1e-14)
    assert outage_mean(node_unavailability(1000.0, 10.0), rate) == pytest.approx(10, rel=1e-13)
    both = outage_rate(2, [(2, 1e6, 1.0)])
    assert both == pytest.approx(2e-6, rel=1e-5)


# An outage of any redundant system ends when one of its broken nodes is back: of n - k + 1 alike, mttr / (n - k + 1)
# (Birolini 2017, Reliability Engineering, section 6.6, exponential repair by independent crews, outages rare).
@pytest.mark.parametrize(("needed", "nodes"), [(1, 1), (1, 2), (2, 3), (3, 5)])
def test_mean_outage(needed: int, nodes: int) -> None:
    mtbf, mttr = 1e7, 600.0
    down = fewer_than(needed, [(nodes, node_unavailability(mtbf, mttr))])
    mean = outage_mean(down, outage_rate(needed, [(nodes, mtbf, mttr)]))
    # Outages with one more node down are as rare as mttr / mtbf.
    assert mean == pytest.approx(mttr / (nodes - needed + 1), rel=nodes * mttr / mtbf)


# Up and down in turn: rate times mean time down is the unavailability, also with kinds of nodes and zones, simulated.
def test_rates_by_simulation() -> None:
    noise = np.random.default_rng(11)
    groups, zone, needed = [(2, 50.0, 5.0), (2, 20.0, 4.0)], (100.0, 6.0), 2
    nodes = [(50.0, 5.0)] * 2 + [(20.0, 4.0)] * 2
    # Two zones; the groups go round them one after the other.
    place, horizon = [0, 1, 0, 1], 400_000.0
    events: list[tuple[float, int]] = []
    for i, (mtbf, mttr) in enumerate([*nodes, zone, zone]):
        clock, up = 0.0, True
        while clock < horizon:
            # Times up are exponential, times down constant: the law needs neither.
            clock += noise.exponential(mtbf) if up else mttr
            up = not up
            events.append((clock, i))
    state, outages, lost, last, down = [True] * 6, 0, 0.0, 0.0, False
    for clock, i in sorted(events):
        lost += (clock - last) * down
        state[i], last = not state[i], clock
        few = sum(state[j] and state[4 + place[j]] for j in range(4)) < needed
        outages, down = outages + (few and not down), few
    wanted = outage_rate(needed, groups, 2, zone)
    pairs = [(2, node_unavailability(50.0, 5.0)), (2, node_unavailability(20.0, 4.0))]
    # Some 5,000 outages: 1.5 % is one standard error.
    assert outages > 3000
    assert outages / last == pytest.approx(wanted, rel=0.05)
    assert lost / last == pytest.approx(zoned(needed, pairs, 2, node_unavailability(*zone)), rel=0.06)


# Better nodes or fewer needed never make the share of time longer; nothing needed never fails.
@property_test
@given(st.integers(1, 8), st.floats(1e3, 1e7), st.floats(1.0, 1e4))
def test_rate_times_duration(nodes: int, mtbf: float, mttr: float) -> None:
    for needed in range(1, nodes + 1):
        down = fewer_than(needed, [(nodes, node_unavailability(mtbf, mttr))])
        mean = outage_mean(down, outage_rate(needed, [(nodes, mtbf, mttr)]))
        assert mean is not None
        assert mttr / (nodes + 1) <= mean
    assert outage_rate(0, [(nodes, mtbf, mttr)]) == 0
    assert outage_mean(0.0, 0.0) is None


# Parts in parallel are all down together: two of 99 % make 99.99 %.
def test_in_parallel() -> None:
    assert in_parallel([0.01, 0.01]) == pytest.approx(1e-4, rel=1e-15)
    assert in_parallel([]) == 1
    assert in_parallel([0.3, 0.0]) == 0


# Published budgets: 99.9 % of 30 days leave 43.2 minutes, 99.99 % of a year of 365 days 52.56 (Beyer et al. 2016,
# Site Reliability Engineering, appendix A).
def test_published_budgets() -> None:
    assert error_budget(0.999, 30 * DAY) == pytest.approx(43.2 * 60, rel=1e-12)
    assert error_budget(0.9999, 365 * DAY) == pytest.approx(52.56 * 60, rel=1e-11)
    assert error_budget(0.95, 365 * DAY) == pytest.approx(18.25 * DAY, rel=1e-12)


# Published thresholds at which to page (Beyer et al. 2018, table 5-2), and how long a budget lasts at them.
@pytest.mark.parametrize(("share", "window", "rate"), [(0.02, HOUR, 14.4), (0.05, 6 * HOUR, 6), (0.1, 3 * DAY, 1)])
def test_published_burn_rates(share: float, window: float, rate: float) -> None:
    assert burn_rate(share, window, 30 * DAY) == pytest.approx(rate, rel=1e-12)
    assert until_spent(rate, share, 30 * DAY) == pytest.approx(window, rel=1e-12)


# A system as bad as its objective uses the whole budget; nines count what is left of 1.
def test_budget_used() -> None:
    assert budget_used(0.001, 0.999) == pytest.approx(1, rel=1e-12)
    assert budget_used(0.0, 0.999) == 0
    assert nines(0.001) == pytest.approx(3, rel=1e-14)
    assert nines(0.0) == math.inf
    assert until_spent(0.0) == math.inf


# An objective of 100 % leaves nothing to budget, and times are above 0.
def test_senseless_input() -> None:
    for wrong in (1.0, -0.1, math.nan):
        with pytest.raises(ValueError, match="objective"):
            error_budget(wrong)
    with pytest.raises(ValueError, match="unavailability"):
        budget_used(1.5, 0.9)
    with pytest.raises(ValueError, match="times"):
        burn_rate(0.1, 0.0)
    with pytest.raises(ValueError, match="period"):
        until_spent(1.0, 1.0, 0.0)
