from __future__ import annotations

import math
from functools import cache
from itertools import pairwise
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.messages import Message, exponential_message, mixed_message, pareto_message
from models.published_delays import DISK as DISK_SECONDS
from models.published_delays import SSD as SSD_SECONDS
from models.published_delays import YAMMER
from models.quorum import Quorum, Replica, alike, backwards, far_apart, versions_behind
from tests.cases import replication_cases

property_test = settings(max_examples=15)

# The fits of table 3 of Bailis et al. 2012, in ms. With W_YAMMER the authors' simulator draws; the paper prints 3.35.
SSD = mixed_message([0.9122, 0.0878], [pareto_message(0.235, 10), exponential_message(1 / 1.66)])
DISK = mixed_message([0.38, 0.62], [pareto_message(1.05, 1.51), exponential_message(1 / 0.183)])
W_PRINTED = mixed_message([0.939, 0.061], [pareto_message(3, 3.35), exponential_message(1 / 0.0028)])
W_YAMMER = mixed_message([0.939, 0.061], [pareto_message(3, 3.5), exponential_message(1 / 0.0028)])
A_YAMMER = mixed_message([0.982, 0.018], [pareto_message(1.5, 3.8), exponential_message(1 / 0.0217)])

REPLICAS = {
    "LNKD-SSD": Replica(SSD, SSD, SSD, SSD),
    "LNKD-DISK": Replica(DISK, SSD, SSD, SSD),
    "YMMR": Replica(W_YAMMER, A_YAMMER, A_YAMMER, A_YAMMER),
}

PBS = replication_cases("pbs")


@cache
def quorum(model: str, nodes: int, reads: int, writes: int) -> Quorum:
    if model == "WAN":
        return far_apart(nodes, reads, writes, REPLICAS["LNKD-DISK"], 75.0)
    return alike(nodes, reads, writes, REPLICAS[model])


def case_id(case: dict[str, Any]) -> str:
    return f"{case['model']}-{case['R']}-{case['W']}"


def sampled(message: Message, draws: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Return delays drawn by the definition of the parts, which shares nothing with the quadrature."""
    kinds = draws.choice(len(message.parts), p=[p.weight for p in message.parts], size=shape)
    times = np.zeros(shape)
    for i, part in enumerate(message.parts):
        if part.shape:
            drawn = part.least * draws.random(shape) ** (-1 / part.shape)
        else:
            drawn = part.least + draws.exponential(part.mean, shape)
        times = np.where(kinds == i, drawn, times)
    return times + message.shift


def simulated(replicas: list[Replica], reads: int, writes: int, after: float, *, trials: int, seed: int) -> float:
    """Return the share of stale reads, the protocol played out trial by trial."""
    draws = np.random.default_rng(seed)
    columns = [[sampled(m, draws, (trials,)) for m in replica] for replica in replicas]
    w, a, r, s = (np.array([column[i] for column in columns]).T for i in range(4))
    done = np.sort(w + a, axis=1)[:, writes - 1]
    first = np.argsort(r + s, axis=1)[:, :reads]
    late = np.take_along_axis(w, first, 1) > (done + after)[:, None] + np.take_along_axis(r, first, 1)
    return float(late.all(axis=1).mean())


def exact_exponential(
    means: tuple[float, float, float, float], nodes: int, reads: int, writes: int, after: float
) -> float:
    """Return P(stale) for four exponential delays with 50 digits: R independent delays of the write outlast `after`."""
    with mpmath.workdps(50):
        return float(mpmath.exp(-reads / mpmath.mpf(means[0]) * after) * exact_at_once(means, nodes, reads, writes))


@cache
def exact_at_once(means: tuple[float, float, float, float], nodes: int, reads: int, writes: int) -> Any:
    """Return P(stale) right after the write: both expectations are integrals of elementary functions."""
    with mpmath.workdps(50):
        lw, la, lr, ls = (1 / mpmath.mpf(m) for m in means)

        def within(x: Any, a: Any, b: Any) -> Any:
            if a == b:
                return 1 - mpmath.exp(-a * x) * (1 + a * x)
            return 1 - (b * mpmath.exp(-a * x) - a * mpmath.exp(-b * x)) / (b - a)

        def through(x: Any) -> Any:
            """P(fewer than W acknowledgements of the others by x)."""
            others, f = nodes - reads, within(x, lw, la)
            return mpmath.fsum(mpmath.binomial(others, j) * f**j * (1 - f) ** (others - j) for j in range(writes))

        rate, edges = reads * lw, [0, 1, 4, 16, 64, 256, 2000]
        scale = max(means)
        points = [scale * e for e in edges]
        # E[exp(-rate X)] = 1 - rate * integral of exp(-rate x) P(X > x).
        done = 1 - rate * mpmath.quad(lambda x: mpmath.exp(-rate * x) * through(x), points)

        def answered(y: Any) -> Any:
            """E[exp(-lw R); R + S <= y]."""
            total = lr + lw
            head = lr * (1 - mpmath.exp(-total * y)) / total
            gap = total - ls
            tail = lr * mpmath.exp(-ls * y) * (y if gap == 0 else (1 - mpmath.exp(-gap * y)) / gap)
            return head - tail

        def slope(y: Any) -> Any:
            """Return the derivative of `answered`: the mass of exp(-lw R) at R + S = y."""
            gap = lr + lw - ls
            return lr * ls * mpmath.exp(-ls * y) * (y if gap == 0 else (1 - mpmath.exp(-gap * y)) / gap)

        first = mpmath.quad(
            lambda y: reads * answered(y) ** (reads - 1) * slope(y) * (1 - within(y, lr, ls)) ** (nodes - reads), points
        )
        return mpmath.binomial(nodes, reads) * done * first


# With exponential delays the share of stale reads is the one with 50 digits, for any quorum.
@pytest.mark.parametrize(("nodes", "reads", "writes"), [(2, 1, 1), (3, 1, 1), (3, 1, 2), (3, 2, 1), (5, 2, 2), (5, 1, 4), (9, 3, 2)])  # fmt: skip
@pytest.mark.parametrize("means", [(1.0, 1.0, 1.0, 1.0), (10.0, 1.0, 1.0, 1.0), (0.25, 1.0, 1.0, 1.0), (5.0, 2.0, 1.0, 0.5)])  # fmt: skip
def test_exponential_delays(means: tuple[float, float, float, float], nodes: int, reads: int, writes: int) -> None:
    found = alike(nodes, reads, writes, Replica(*(exponential_message(m) for m in means)))
    for after in (0.0, 0.7, 6.0):
        # Measured: the quadrature is at most 2.1e-5 off.
        assert found.stale(after) == pytest.approx(exact_exponential(means, nodes, reads, writes, after), abs=3e-5)


# P(consistent) at 0, 5 and 10 ms is that of two million simulated trials, for every row of the published table.
@pytest.mark.parametrize("case", PBS["table"], ids=case_id)
def test_simulated_table(case: dict[str, Any]) -> None:
    model = case["model"]
    found = quorum(model, case["N"], case["R"], case["W"])
    if model == "YMMR":
        replica = Replica(W_PRINTED, A_YAMMER, A_YAMMER, A_YAMMER)
        found = alike(case["N"], case["R"], case["W"], replica)
    for name, after in (("p_t0", 0.0), ("p_t5", 5.0), ("p_t10", 10.0)):
        wanted = case["simulated"][name]
        error = math.sqrt(max(wanted * (1 - wanted), 1e-6) / 2e6)
        # Four standard errors of the simulation and 1e-4 of the quadrature.
        assert 1 - found.stale(after) == pytest.approx(wanted, abs=4 * error + 1e-4)


# The published read and write latencies: P99.9 of a million draws has 1 % of noise, of heavy-tailed writes 3 %.
@pytest.mark.parametrize("case", PBS["table"], ids=case_id)
def test_published_latencies(case: dict[str, Any]) -> None:
    found = quorum(case["model"], case["N"], case["R"], case["W"])
    published = case["published"]
    assert found.read_percentile(0.999) == pytest.approx(published["read_p999_ms"], rel=0.015)
    assert found.write_percentile(0.999) == pytest.approx(published["write_p999_ms"], rel=0.03)


# The published t-visibility is early, as a search for the first estimate above 99.9 % must be: by 2 to 13 %.
@pytest.mark.parametrize("case", PBS["table"], ids=case_id)
def test_published_visibility(case: dict[str, Any]) -> None:
    found = quorum(case["model"], case["N"], case["R"], case["W"]).visible_after(0.999)
    published = case["published"]["visible_p999_ms"]
    if published == 0:
        assert found == 0
    else:
        assert 0.86 * found < published < found
    if case["simulated"]["t_999"] and case["model"] != "YMMR":
        # Two million trials put P99.9 of a heavy tail within 2 %.
        assert found == pytest.approx(case["simulated"]["t_999"], rel=0.02)


# Walking up a grid of times until one estimate of 50,000 trials reaches 99.9 % stops where the paper stopped.
@pytest.mark.parametrize(
    ("model", "step", "reads", "writes", "published"),
    [("LNKD-SSD", 0.01, 1, 1, 1.85), ("LNKD-DISK", 0.1, 1, 1, 45.5), ("YMMR", 1.0, 1, 1, 1364.0), ("YMMR", 1.0, 1, 2, 1352.0)],
)  # fmt: skip
def test_why_it_is_early(model: str, step: float, reads: int, writes: int, published: float) -> None:
    found = quorum(model, 3, reads, writes)
    exact = found.visible_after(0.999)
    knots = np.linspace(0.6 * exact, 1.1 * exact, 12)
    times = np.arange(knots[0], knots[-1], step)
    stale = np.exp(np.interp(times, knots, np.log([found.stale(float(t)) for t in knots])))
    estimates = np.random.default_rng(5).binomial(50_000, stale, (1000, len(times)))
    first = times[np.argmax(estimates <= 50, axis=1)]
    # Within two standard deviations of where such a search stops, and that is below the exact time.
    assert abs(published - first.mean()) < 2 * first.std()
    assert first.mean() < 0.97 * exact


# Published points: consistency at commit for other sizes of quorum, to the three digits that are printed.
def test_published_points() -> None:
    points = PBS["published_points"]
    for model, name, nodes, after in (
        ("LNKD-SSD", "p_t0", 3, 0.0),
        ("LNKD-DISK", "p_t0", 3, 0.0),
        ("LNKD-DISK", "p_t10", 3, 10.0),
        ("LNKD-DISK", "p_t0_N2", 2, 0.0),
        ("LNKD-DISK", "p_t0_N10", 10, 0.0),
        ("YMMR", "p_t0", 3, 0.0),
        ("WAN", "p_t0", 3, 0.0),
    ):
        # 50,000 trials have a standard error of 0.0022 at worst; WAN is printed to two digits.
        tolerance = 0.004
        assert 1 - quorum(model, nodes, 1, 1).stale(after) == pytest.approx(points[model][name], abs=tolerance)


# The fit that the paper prints for Yammer is not the one it was computed with: 3.5 gives its numbers, 3.35 does not.
def test_the_printed_fit() -> None:
    printed = alike(3, 1, 1, Replica(W_PRINTED, A_YAMMER, A_YAMMER, A_YAMMER))
    published = PBS["published_points"]["YMMR"]["p_t0"]
    # Printed to three digits, from trials with a standard error of 0.0014.
    assert abs(1 - quorum("YMMR", 3, 1, 1).stale(0.0) - published) < 0.0005
    assert abs(1 - printed.stale(0.0) - published) > 0.005


# Larger quorums and exponential delays as simulated with two million trials.
@pytest.mark.parametrize("case", PBS["others"], ids=lambda c: f"{c['model']}-{c['N']}-{c.get('lambda_W', '')}")
def test_other_simulations(case: dict[str, Any]) -> None:
    if case["model"] == "EXP":
        one = exponential_message(1 / case["lambda_ARS"])
        found = alike(3, 1, 1, Replica(exponential_message(1 / case["lambda_W"]), one, one, one))
        assert 1 - found.stale(1.0) == pytest.approx(case["p_t1"], abs=0.0012)
    else:
        found = quorum(case["model"], case["N"], 1, 1)
    # Four standard errors; P99.9 has 4 % of noise.
    assert 1 - found.stale(0.0) == pytest.approx(case["p_t0"], abs=0.0016)
    assert found.visible_after(0.999) == pytest.approx(case["t_999"], rel=0.04)


# Replicas that differ, one of them far away: the sum over sets of answerers is what trials give.
@pytest.mark.parametrize(("reads", "writes"), [(1, 1), (1, 2), (2, 1), (2, 2)])
def test_replicas_that_differ(reads: int, writes: int) -> None:
    e = exponential_message
    slow = Replica(e(10.0), e(1.0), e(1.0), e(1.0))
    replicas = [
        REPLICAS["LNKD-DISK"],
        REPLICAS["LNKD-SSD"],
        slow,
        Replica(*(m.farther(2.0) for m in REPLICAS["LNKD-SSD"])),
    ]
    found = Quorum(((1.0, tuple(replicas)),), reads, writes)
    for after in (0.0, 1.5):
        wanted = simulated(replicas, reads, writes, after, trials=400_000, seed=8)
        # Four standard errors and the quadrature.
        assert found.stale(after) == pytest.approx(wanted, abs=4 * math.sqrt(wanted / 4e5) + 1e-4)


# A read never becomes staler with time, with a larger quorum, or with faster writes; a strict quorum is never stale.
@property_test
@given(
    st.sampled_from([(3, 1, 1), (3, 1, 2), (5, 2, 2), (4, 1, 1)]),
    st.floats(0.1, 20),
    st.floats(0.0, 10),
    st.floats(1.05, 3),
)
def test_monotone(sizes: tuple[int, int, int], mean: float, after: float, more: float) -> None:
    nodes, reads, writes = sizes
    one = exponential_message(1.0)
    base = alike(nodes, reads, writes, Replica(exponential_message(mean), one, one, one)).stale(after)
    rounding = 1e-5
    slower = alike(nodes, reads, writes, Replica(exponential_message(mean * more), one, one, one)).stale(after)
    assert slower >= base - rounding
    later = alike(nodes, reads, writes, Replica(exponential_message(mean), one, one, one)).stale(after + more)
    assert later <= base + rounding
    wider = alike(nodes, reads + 1, writes, Replica(exponential_message(mean), one, one, one)).stale(after)
    assert wider <= base + rounding
    assert alike(nodes, nodes - writes + 1, writes, Replica(one, one, one, one)).stale(after) == 0


# Units do not matter: delays in seconds give the same shares and a thousandth of the times.
def test_units() -> None:
    seconds = Replica(*(m.slowed(1e-3) for m in REPLICAS["LNKD-DISK"]))
    ms, s = quorum("LNKD-DISK", 3, 1, 1), alike(3, 1, 1, seconds)
    assert s.stale(0.005) == pytest.approx(ms.stale(5.0), rel=1e-6)
    assert s.visible_after(0.999) * 1e3 == pytest.approx(ms.visible_after(0.999), rel=1e-4)
    assert s.read_percentile(0.99) * 1e3 == pytest.approx(ms.read_percentile(0.99), rel=1e-4)


# Versions behind: the paper's N 3, R = W = 1 within 5 versions 0.868 of reads, and quorums that overlap never.
def test_versions_behind() -> None:
    assert 1 - versions_behind(3, 1, 1, 5) == pytest.approx(1 - (2 / 3) ** 5, rel=1e-15)
    assert 1 - versions_behind(3, 1, 2, 2) == pytest.approx(1 - 1 / 9, rel=1e-15)
    assert versions_behind(3, 2, 2, 1) == 0
    assert backwards(3, 1, 1, 0.0) == pytest.approx(versions_behind(3, 1, 1, 1))
    assert backwards(3, 1, 1, 4.0) == pytest.approx(versions_behind(3, 1, 1, 5))
    for few, many in pairwise(range(1, 9)):
        assert versions_behind(5, 2, 2, many) < versions_behind(5, 2, 2, few)


# What cannot be waited for, or is no delay, says so.
def test_bad_input() -> None:
    with pytest.raises(ValueError, match="1 to 3"):
        alike(3, 4, 1, REPLICAS["LNKD-SSD"])
    with pytest.raises(ValueError, match="1 to 3"):
        alike(3, 1, 0, REPLICAS["LNKD-SSD"])
    with pytest.raises(ValueError, match="least < mean"):
        exponential_message(1.0, 2.0)
    with pytest.raises(ValueError, match="Pareto"):
        pareto_message(0.0, 2.0)
    with pytest.raises(ValueError, match="share of reads"):
        quorum("LNKD-SSD", 3, 1, 1).visible_after(1.0)


# The delays that are offered by name are those of the paper, in seconds.
def test_published_delays() -> None:
    for found, model in ((SSD_SECONDS, "LNKD-SSD"), (DISK_SECONDS, "LNKD-DISK"), (YAMMER, "YMMR")):
        for message, wanted in zip(found, REPLICAS[model], strict=True):
            assert message.mean * 1e3 == pytest.approx(wanted.mean, rel=1e-12)
            times = np.array([0.2, 0.5, 3.0, 40.0])
            assert message.tail(times * 1e-3) == pytest.approx(wanted.tail(times), rel=1e-9)
            assert message.within(times * 1e-3) == pytest.approx(1 - wanted.tail(times), abs=1e-12)
