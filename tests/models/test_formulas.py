"""The formulas in SymPy against the numeric functions: another way to the same number, to 30 digits where both can."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import mpmath
import pytest
from sympy.printing.pretty.pretty_symbology import pretty_use_unicode

from models import availability, scalability
from models.backlog import drain_time, storage
from models.cache import hits
from models.erlang import erlang_b, erlang_c
from models.formulas import Formula, caches, chained, pooling, scaling, streams, uptime, waiting, work
from models.formulas.formula import function_of
from models.formulas.inverting import transform
from models.formulas.symbols import real
from models.latency import Latency
from models.limits import rate_limit_rejection, rate_limit_wait
from models.popularity import zipf
from models.queues import MMc, balanced_wait, mgc_wait
from models.replication import apply_lag
from models.service_time import exponential, from_moments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RANDOM = random.Random(20_260_801)  # noqa: S311, points and no secrets

DOUBLE = 1e-12
"""Relative: what the numeric functions promise, in doubles."""

Point = dict[str, Any]


def points(count: int = 8) -> Iterator[Point]:
    """Random inputs of every symbol that is used below, in ranges where all formulas have a value."""
    for _ in range(count):
        u, c = RANDOM.uniform, RANDOM.randint(1, 60)
        rho, service = u(0.05, 0.95), 10 ** u(-4, 1)
        yield {
            "lambda": rho * c / service, "S": service, "c": c, "a": rho * c, "rho": rho, "c_s": u(0.01, 5), "mu": c / service,
            "K": c + RANDOM.randint(0, 20), "b": RANDOM.randint(1, 8), "N": u(1, 40), "sigma": u(0, 0.9), "kappa": 10 ** u(-6, -2),
            "s": u(1e-4, 1e-2), "d": u(0, 0.1), "w": u(1e-4, 1e-2), "t_s": u(1, 1000), "z": u(1, 1e6), "k": RANDOM.randint(1, 5),
            "n": RANDOM.randint(5, 40), "u": 10 ** u(-6, -0.3), "f": 10 ** u(4, 8), "r": 10 ** u(1, 5), "p": u(0.01, 9), "h": 730.0,
            "p_r": u(0.01, 9), "U": u(1, 100), "U_0": u(0, 1), "D": u(1, 1000), "X": u(0.1, 1.0), "M": 2.6e6,
        }  # fmt: skip


# Independent of SymPy and of our recursions: sums and recursions written down again in mpmath with 50 digits.
def precise_b(load: Any, servers: int) -> Any:
    blocking = mpmath.mpf(1)
    for k in range(1, servers + 1):
        blocking = load * blocking / (k + load * blocking)
    return blocking


def precise_c(load: Any, servers: int) -> Any:
    b = precise_b(load, servers)
    return servers * b / (servers - load * (1 - b))


def precise_mmck(load: Any, servers: int, places: int) -> Any:
    weights = [mpmath.mpf(1)]
    for n in range(1, places + 1):
        weights.append(weights[-1] * load / min(n, servers))
    return weights[-1] / mpmath.fsum(weights)


def mp(value: Any) -> Any:
    return mpmath.mpf(value)


def offered(x: Point) -> Any:
    return mp(x["lambda"]) * mp(x["S"])


PRECISE: dict[str, tuple[Formula, Callable[[Point], Any]]] = {
    "erlang b": (waiting.ERLANG_B, lambda x: precise_b(mp(x["a"]), x["c"])),
    "erlang c": (waiting.ERLANG_C, lambda x: precise_c(mp(x["a"]), x["c"])),
    "mmc": (waiting.MMC_WAIT, lambda x: precise_c(offered(x), x["c"]) / (x["c"] / mp(x["S"]) - mp(x["lambda"]))),
    "mmck": (waiting.MMCK_BLOCKING, lambda x: precise_mmck(offered(x), x["c"], x["K"])),
    "usl": (scaling.USL, lambda x: mp(x["N"]) / (1 + mp(x["sigma"]) * (mp(x["N"]) - 1) + mp(x["kappa"]) * mp(x["N"]) * (mp(x["N"]) - 1))),
    "peak": (scaling.USL_PEAK, lambda x: mpmath.sqrt((1 - mp(x["sigma"])) / mp(x["kappa"]))),
    "k of n": (uptime.K_OF_N, lambda x: mpmath.fsum(mpmath.binomial(x["n"], j) * (1 - mp(x["u"])) ** j * mp(x["u"]) ** (x["n"] - j) for j in range(x["k"]))),
    "down": (uptime.NODE_DOWN, lambda x: mp(x["r"]) / (mp(x["f"]) + mp(x["r"]))),
}  # fmt: skip


# Each closed form equals what is written down again, by another road, to 30 digits.
@pytest.mark.parametrize("name", PRECISE)
def test_thirty_digits(name: str) -> None:
    formula, again = PRECISE[name]
    for x in points():
        with mpmath.workdps(50):
            wanted = again(x)
        assert abs(formula.value(x) / wanted - 1) < mpmath.mpf(10) ** -30


NUMERIC: dict[str, tuple[Formula, Callable[[Point], float | None]]] = {
    "erlang b": (waiting.ERLANG_B, lambda x: float(erlang_b(x["c"], x["a"]))),
    "erlang c": (waiting.ERLANG_C, lambda x: float(erlang_c(x["c"], x["a"]))),
    "mmc": (waiting.MMC_WAIT, lambda x: MMc(x["lambda"], x["S"], x["c"]).wait_mean),
    "mm1": (waiting.MM1_RESPONSE, lambda x: MMc(x["lambda"] / x["c"], x["S"], 1).response_mean),
    "mg1": (waiting.MG1_WAIT, lambda x: mgc_wait(x["lambda"] / x["c"], from_moments(x["S"], x["c_s"]), 1).mean),
    "md1": (waiting.MD1_WAIT, lambda x: rate_limit_wait(x["lambda"], x["mu"]).mean),
    "bucket": (waiting.TOKEN_BUCKET, lambda x: rate_limit_rejection(x["lambda"], x["mu"], x["b"])),
    "usl": (scaling.USL, lambda x: scalability.relative_capacity(x["N"], x["sigma"], x["kappa"])),
    "usl inverse": (scaling.USL_NODES, lambda x: scalability.nodes_for(x["X"], x["sigma"], x["kappa"])),
    "peak": (scaling.USL_PEAK, lambda x: scalability.peak_nodes(x["sigma"], x["kappa"])),
    "k of n": (uptime.K_OF_N, lambda x: availability.fewer_than(x["k"], [(x["n"], x["u"])])),
    "drain": (streams.DRAIN, lambda x: drain_time(x["lambda"], x["mu"], x["t_s"])),
    "storage": (streams.STORAGE, lambda x: storage(x["lambda"], x["z"], x["k"], x["f"])),
}
ONE_SERVER = {"mm1", "mg1"}
"""Formulas of one server: what c servers were offered is divided by c."""

LOSSY = {"bucket": 2e-7}
"""What the numeric function promises where its alternating sum cancels."""


# The numeric functions that plans are made with agree with the formulas as far as doubles go.
@pytest.mark.parametrize("name", NUMERIC)
def test_the_numeric_function_is_the_formula(name: str) -> None:
    formula, function = NUMERIC[name]
    compared = 0
    for x in points(20):
        given = {**x, "lambda": x["lambda"] / x["c"]} if name in ONE_SERVER else x
        if name == "storage":
            given = {**x, "f": 3}
        wanted = function({**x, "f": given["f"]})
        if wanted is None:
            continue
        compared += 1
        # 1 / (1 - rho) magnifies the rounding of a load by at most 20 here.
        assert float(formula.value(given)) == pytest.approx(
            wanted, rel=LOSSY.get(name, DOUBLE), abs=1e-12 * (name in LOSSY)
        )
    assert compared > 5


# A wait as the planner computes it, for every way to balance, every shape of service and every burstiness.
@pytest.mark.parametrize("balancing", ["shared_queue", "least_connections", "random", "round_robin"])
@pytest.mark.parametrize("squared_cv", [0.0, 0.3, 1.0, 2.5])
@pytest.mark.parametrize("burstiness", [1.0, 0.4, 3.0])
def test_the_wait_before_many_cores(balancing: Any, squared_cv: float, burstiness: float) -> None:
    for nodes, cores in ((1, 1), (1, 4), (3, 1), (3, 4), (2, 70)):
        use, service = RANDOM.uniform(0.3, 0.95), 0.01
        alone: Any = "shared_queue" if nodes == 1 else balancing
        place = nodes * cores if alone == "shared_queue" else cores
        apart = alone in ("random", "round_robin")
        split = burstiness / nodes + (1 - 1 / nodes) * (alone == "random") if apart else burstiness
        pool = cores if apart else nodes * cores
        bursts = None if abs(split - 1) < 1e-9 else pooling.Bursts.of(use, split, squared_cv, pool)
        shape: Any = "exponential" if squared_cv == 1 else "regular" if squared_cv < 1 else "variable"
        formula = pooling.pool_wait(pooling.Queue(alone, shape, place == 1, place > pooling.MANY, bursts))
        given = {
            "lambda": use * nodes * cores / service,
            "S": service,
            "n": nodes,
            "m": cores,
            "c_s": squared_cv,
            "c_a": split,
        }
        wait = balanced_wait(given["lambda"], from_moments(service, squared_cv), nodes, cores, balancing, burstiness)
        # 1 - rho is a difference of doubles in the numeric road: up to 20 times its rounding.
        assert float(formula.value(given)) == pytest.approx(wait.mean, rel=1e-12)
        assert formula.exact == wait.exact


ALL = [f for f, _ in [*PRECISE.values(), *NUMERIC.values()]] + [
    streams.APPLY_LAG, streams.WRITES_AT_RISK, streams.NODE_COST, streams.BREAK_EVEN, work.SHARE, work.HEADROOM, caches.TTL_HITS,
    pooling.pool_wait(pooling.Queue("least_connections", "variable")), pooling.hot_wait(), uptime.zoned(5, 3, 3, switches=True),
]  # fmt: skip


def inside(formula: Formula, x: Point) -> Point:
    """Return inputs at which a formula is not overloaded: its own servers, or one."""
    known = {"h": 0.3, "m": 4, "f_z": 2e6, "r_z": 7e3, "i": 1.0, "r_p": 300.0, "o": 30.0} if formula.quantities else {}
    given = {**x, **{k: v for k, v in known.items() if k not in x or k == "h"}}
    servers = 4 * given["n"] if "m" in [q.name for q in formula.inputs] else 1
    uses_c = any(q.name in ("c", "mu") for q in formula.inputs)
    if not uses_c and any(q.name == "S" for q in formula.inputs):
        given["lambda"] = x["rho"] * servers / x["S"]
    if formula.name == "storage of a queue":
        given["f"] = 3
    if formula.name == "mean wait":
        given["c_s"] = 1 + x["c_s"]  # variable service
    if formula.name == "mean replication lag":
        given["lambda"] = x["rho"] / (x["s"] + x["w"])
    return given


# Every derivative, both as numbers along the chain and as an expression, is the slope of the formula itself.
@pytest.mark.parametrize("formula", ALL, ids=lambda f: f.name)
def test_derivatives_against_finite_differences(formula: Formula) -> None:
    for x in points(3):
        given = inside(formula, x)
        if formula.name == "nodes for a capacity" and scalability.nodes_for(x["X"], x["sigma"], x["kappa"]) is None:
            continue
        found = {d.input.name: d.slope for d in formula.differences(given)}
        with mpmath.workdps(60):
            for q in formula.inputs:
                at = mp(given[q.name])
                if q.whole:
                    slope = formula.value({**given, q.name: given[q.name] + 1}) - formula.value(given)
                else:
                    step = at * mpmath.mpf(10) ** -15
                    slope = (
                        formula.value({**given, q.name: at + step}, 50)
                        - formula.value({**given, q.name: at - step}, 50)
                    ) / (2 * step)
                # The step leaves an error of its square, 1e-30, and the values have 50 digits.
                assert found.get(q.name, 0.0) == pytest.approx(float(slope), rel=1e-10, abs=1e-250)


# The derivative as an expression has the value of the derivative as a number.
def test_the_derivative_as_an_expression() -> None:
    x = next(points(1))
    known = waiting.MG1_WAIT.values({**x, "lambda": x["rho"] / x["S"]})
    shown = waiting.MG1_WAIT.derivative("lambda")
    symbols = {q.symbol: known[q.name] for q in waiting.MG1_WAIT.quantities}
    wanted = {d.input.name: d.slope for d in waiting.MG1_WAIT.differences({**x, "lambda": x["rho"] / x["S"]})}
    assert float(shown.subs(symbols)) == pytest.approx(wanted["lambda"], rel=1e-12)
    with pytest.raises(ValueError, match="counts something"):
        waiting.ERLANG_B.derivative("c")


SOLVABLE = {f.name: f for f in [*ALL, work.cores_in_use(), work.present(2), uptime.in_series(3)] if f.solvable}


# An inverse, put back in, gives the result that it was solved from: one of its branches does.
@pytest.mark.parametrize("name", SOLVABLE)
def test_inverses(name: str) -> None:
    formula = SOLVABLE[name]
    x = (
        next(points(1))
        | {f"{k}_{i}": v for i in range(1, 5) for k, v in (("lambda", 3.0), ("T", 0.2), ("u", 0.01))}
        | {"m": 4}
    )
    given = inside(formula, x)
    result = formula.value(given)
    for wanted in formula.solvable:
        symbols = {q.symbol: mp(given[q.name]) for q in formula.inputs} | {formula.result.symbol: result}
        branches = [found.subs(symbols) for found in formula.solved_for(wanted)]
        assert any(abs(complex(b) - given[wanted]) <= 1e-9 * abs(given[wanted]) for b in branches)


# One symbol never stands for two things: formulas that would mix them up are refused.
def test_one_symbol_one_meaning() -> None:
    other = Formula("", (real("a", "apples"),), (), "", exact=True, accuracy="")
    with pytest.raises(ValueError, match="a means two things"):
        chained("mixed up", waiting.OFFERED, other)
    with pytest.raises(ValueError, match="rho is two things"):
        chained("mixed up", waiting.MG1_WAIT, work.SHARE)


# What has no closed inverse says so, and names what has.
def test_no_inverse() -> None:
    with pytest.raises(ValueError, match="no closed inverse for a"):
        waiting.ERLANG_B.solved_for("a")


# The mean lag is the mean of the distribution that plans are made with.
def test_replication_lag() -> None:
    for x in points():
        rate = x["rho"] / (x["s"] + x["w"])
        lag = apply_lag(rate, exponential(x["s"]), x["w"], x["d"])
        assert float(streams.APPLY_LAG.value({**x, "lambda": rate})) == pytest.approx(lag.mean, rel=DOUBLE)


# Zones, restarts, shards: the sums that are written out are those that are computed.
@pytest.mark.parametrize(
    ("nodes", "zones", "needed", "parts"), [(1, 1, 1, 1), (5, 3, 3, 1), (7, 3, 5, 2), (2, 3, 1, 4)]
)
def test_availability_by_zones(nodes: int, zones: int, needed: int, parts: int) -> None:
    given = {"f": 1e7, "r": 3e3, "f_z": 2e6, "r_z": 7e3, "i": 1.0, "r_p": 300.0, "M": availability.MONTH}
    down, zone = availability.node_unavailability(1e7, 3e3), availability.node_unavailability(2e6, 7e3)
    x = min(availability.maintenance(1.0, 300.0) * nodes, 1.0)
    plain = availability.fewer_than_by_zones(needed, [(nodes, down)], zones)
    fewer = availability.fewer_than_by_zones(needed, [(nodes - 1, down)], zones)
    each = [availability.in_series([(1 - x) * u + x * v] * parts) for u, v in zip(plain, fewer, strict=True)]
    wanted = sum(p * u for p, u in zip(availability.zones_lost(zones, zone), each, strict=True))
    assert float(uptime.zoned(nodes, zones, needed, parts=parts).value(given)) == pytest.approx(wanted, rel=DOUBLE)


CACHES = [
    ("lru", None, 0.0, 500.0), ("lru", None, 50.0, 500.0), ("fifo", None, 0.0, 500.0), ("fifo", 900.0, 20.0, 500.0),
    ("random", None, 0.0, 500.0), ("random", 5.0, 20.0, 500.0), ("lru", 1.0, 0.0, 1e9), ("lru", 1.0, 30.0, 1e9), ("fifo", None, 30.0, 1e9),
]  # fmt: skip


# A hit ratio is the formula of one object, summed; what moves it is what a finite difference says.
@pytest.mark.parametrize(("eviction", "ttl", "writes", "room"), CACHES)
def test_hit_ratios(eviction: Any, ttl: float | None, writes: float, room: float) -> None:
    keys = zipf(5000, 0.8)
    found = hits(keys, 1000.0, room, eviction=eviction, ttl=ttl, write_rate=writes)
    time = found.characteristic_time
    law = caches.hit_ratio(
        eviction,
        ttl=ttl is not None and (eviction == "random" or time is None),
        writes=writes > 0,
        bounded=time is not None,
    )
    assert law is not None
    given = {"lambda": 1000.0, "omega": writes, "T": time or 1.0, "D": ttl or 1.0, "p": 0.1}
    shares, counts = keys.share.tolist(), keys.count.tolist()
    ratio, held = law.value(given, shares, counts)
    assert ratio == pytest.approx(found.hit_ratio, rel=DOUBLE)
    assert held == pytest.approx(found.objects, rel=DOUBLE)
    slopes = {d.input.name: d.slope for d in law.differences(given, shares, counts)}
    near = [hits(keys, r, room, eviction=eviction, ttl=ttl, write_rate=writes).hit_ratio for r in (999.0, 1001.0)]
    # The characteristic time is solved to 1e-13, over a step of 2e-3: 1e-10, and the curvature as much.
    assert slopes["lambda"] == pytest.approx((near[1] - near[0]) / 2, rel=1e-5)
    if time is not None:
        assert held == pytest.approx(room, rel=1e-10)
        near = [
            hits(keys, 1000.0, k, eviction=eviction, ttl=ttl, write_rate=writes).hit_ratio for k in (room - 1, room + 1)
        ]
        # The curvature over a step of 0.2 % of the room.
        assert slopes["K"] == pytest.approx((near[1] - near[0]) / 2, rel=1e-4)


# No law is claimed where there is no closed form.
def test_caches_without_a_closed_form() -> None:
    assert caches.hit_ratio("lfu", ttl=False, writes=False, bounded=True) is None
    assert caches.hit_ratio("lru", ttl=True, writes=False, bounded=True) is None


# The transform that is shown is the one that is inverted: mpmath, which shares nothing with ours, finds the same tail.
@pytest.mark.parametrize("squared_cv", [0.5, 1.0, 3.0])
def test_the_transform_of_a_response_time(squared_cv: float) -> None:
    service = from_moments(0.01, squared_cv)
    latency = Latency.waiting(mgc_wait(300.0, service, 4)) + Latency.of(service) + Latency.constant(0.002)
    found, p99 = transform(latency), latency.percentile(0.99)
    assert found.closed
    with mpmath.workdps(30):
        tail = mpmath.invertlaplace(
            lambda s: (1 - complex_value(found.formula, {**found.values, "s": s}) * mpmath.exp(s * 0.002)) / s,
            p99 - 0.002,
            method="talbot",
        )
    assert float(tail) == pytest.approx(
        0.01, rel=1e-5
    )  # relative error of our percentiles below 1e-6, times the hazard


def complex_value(formula: Formula, given: Point) -> Any:
    known = {q.name: given[q.name] for q in formula.inputs}
    for step in formula.steps:
        names, function = function_of(step.expression)
        known[step.quantity.name] = function(*(known[n] for n in names))
    return known[formula.result.name]


# Text, Unicode and LaTeX say the same in their own letters; numbers take the place of symbols.
def test_how_formulas_are_shown() -> None:
    assert waiting.MMC_WAIT.text()[2] == "C = c*B/(c - a + a*B)"
    assert waiting.MMC_WAIT.unicode()[0] == "a = λ·S"
    assert waiting.MMC_WAIT.unicode({"lambda": "30/s", "S": "9 ms"})[0] == "a = 30/s · 9 ms"
    assert waiting.ERLANG_B.unicode() == ["B = a^c/(c!·Σ[k=0..c] (a^k/k!))"]
    assert waiting.MG1_WAIT.latex()[0] == r"\rho = S \lambda"
    assert all(line.isascii() for formula in ALL for line in [*formula.text(), *formula.latex()])


# What a formula looks like does not depend on what standard output can show: inside the editor that is no terminal.
def test_unicode_wherever_it_is_made() -> None:
    before = pretty_use_unicode(flag=False)
    try:
        assert work.present(2).unicode() == ["N = λ₁·T₁ + λ₂·T₂"]
    finally:
        pretty_use_unicode(flag=before)


# Every quantity has a meaning, every formula a source: nothing is shown that nobody could look up.
@pytest.mark.parametrize("formula", ALL, ids=lambda f: f.name)
def test_formulas_are_documented(formula: Formula) -> None:
    assert formula.source
    assert formula.accuracy
    assert all(q.meaning for q in formula.quantities)
    assert formula.expression.free_symbols <= {q.symbol for q in formula.inputs}
