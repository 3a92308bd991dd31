"""`capacity lag`, `quorum`, `backlog` and `limit`: the models behind options, what is solved for, and overload."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import pytest

from models.backlog import drain_time, rebalancing, redelivery, time_to_loss
from models.failover import Loss
from models.limits import rate_limit_rejection
from models.partitions import Partitioned
from models.published_delays import DISK, YAMMER
from models.quorum import alike, far_apart
from models.replica_lag import replica_lag
from models.retry_budgets import with_retries
from models.service_time import exponential, from_moments
from models.windows import ShaperWait, concurrency_rejection, fixed_window_rejection, sliding_log_rejection
from tests.capacity.running import capacity

if TYPE_CHECKING:
    from collections.abc import Callable

LAG = ("--rate", "800/s", "--apply", "1ms", "--network", "2ms")
BACKLOG = ("--rate", "900/s", "--service", "10ms", "--consumers", "12")
BUCKET = ("--rate", "95/s", "--limit", "100/s", "--burst", "10")


def asked(*options: object, code: int = 0) -> Any:
    """Return the answer to options, as scripts get it."""
    ended = capacity(*options, "--json")
    assert ended.code == code, ended.err
    return ended.json


# The lag of the options is that of the model; flushes, batches and appliers too.
@pytest.mark.parametrize("more", [(), ("--flush", "50ms"), ("--appliers", "3"), ("--batch", "4"), ("--cv2", "3")])
def test_lag(more: tuple[str, ...]) -> None:
    found = asked("lag", *LAG, *more)["result"]
    given = dict(zip(more[::2], more[1::2], strict=True))
    lag = replica_lag(
        800.0,
        from_moments(1e-3, float(given.get("--cv2", 1))),
        network_delay=2e-3,
        flush_interval=0.05 if "--flush" in given else 0.0,
        appliers=int(given.get("--appliers", 1)),
        batch=float(given.get("--batch", 1)),
    )
    assert found["lag_mean_s"] == pytest.approx(lag.applied.mean, rel=1e-12)
    # Percentiles that are looked for together stop elsewhere, within their 1e-6.
    assert found["lag_p99_s"] == pytest.approx(lag.applied.percentile(0.99), rel=2e-6)
    loss = Loss(800.0, 2e-3, 0.05 if "--flush" in given else 0.0)
    assert found["nothing_lost"] == pytest.approx(loss.none, rel=1e-12)


# The rate, or the apply time, that just keeps what is wanted: M/M/1 has them in closed form.
def test_lag_solved() -> None:
    found = asked("lag", "--apply", "1ms", "--p99", "50ms")
    # P99 of an exponential of rate 1000 - lambda.
    assert found["result"]["rate_per_s"] == pytest.approx(1000 - math.log(100) / 0.05, rel=1e-5)
    assert found["met"] is True
    found = asked("lag", "--rate", "500/s", "--mean", "4ms")
    assert found["result"]["apply_s"] == pytest.approx(1 / 750, rel=1e-8)
    assert asked("lag", "--apply", "1ms", "--network", "60ms", "--p99", "50ms", code=1)["met"] is False
    assert "MISSED" in capacity("lag", *LAG, "--p99", "5ms").out


# Divergence is an answer: how fast, until when, and what mends it; with a wish it is missed.
def test_lag_diverges() -> None:
    found = asked("lag", "--rate", "1200/s", "--apply", "1ms", "--log-kept", "1d", "--behind", "1h")
    assert found["diverges"] is True
    assert found["result"]["lag_growth"] == pytest.approx(1 / 6)
    assert found["result"]["log_lost_s"] == pytest.approx(6 * 82_800)
    assert "2 appliers" in found["notes"][0]
    assert asked("lag", "--rate", "1200/s", "--apply", "1ms", "--p99", "1s", code=1)["met"] is False


# What readers see: one's own write, a stale key, a step back.
def test_lag_reads() -> None:
    found = asked("lag", "--rate", "500/s", "--apply", "1ms", "--read-after", "4ms", "--key-rate", "100/s")["result"]
    # The lag is exponential, of mean 2 ms.
    assert found["own_write_missed"] == pytest.approx(math.exp(-2), rel=1e-6)
    assert found["stale_reads"] == pytest.approx(0.2 / 1.2, rel=1e-6)
    assert found["backward_reads"] == pytest.approx(0.5 * 0.2 / 1.2 / 2, rel=1e-3)


# Published fits by their names, far places too; strict quorums are always fresh.
def test_quorum() -> None:
    found = asked("quorum", "--delays", "lnkd-disk", "--after", "10ms")["result"]
    assert found["consistent"] == pytest.approx(0.925, abs=0.002)
    assert found["visible_after_s"] == pytest.approx(alike(3, 1, 1, DISK).visible_after(0.999), rel=1e-9)
    wan = asked("quorum", "--delays", "lnkd-disk", "--distance", "75ms", "--reads", 2, "--visible", "50%")["result"]
    assert wan["consistent"] == pytest.approx(1 - far_apart(3, 2, 1, DISK, 0.075).stale(0.0), rel=1e-9)
    strict = asked("quorum", "--reads", 2, "--writes", 2)
    assert strict["strict"] is True
    assert strict["result"]["consistent"] == 1
    assert strict["result"]["writes_survive"] == 1


# The fewest answers that make reads fresh enough, and a wish that is missed.
def test_quorum_solved() -> None:
    options = ("--nodes", 5, "--writes", 2, "--delays", "ymmr", "--after", "100ms")
    found = asked("quorum", *options, "--consistent", "99.9%")
    reads = found["quorum"][1]
    assert 1 - alike(5, reads, 2, YAMMER).stale(0.1) >= 0.999
    assert 1 - alike(5, reads - 1, 2, YAMMER).stale(0.1) < 0.999
    assert asked("quorum", *options, "--reads", 1, "--consistent", "99.9%", code=1)["met"] is False
    assert asked("quorum", "--write-p99", "1ms", code=1)["met"] is False


# What no rate reaches is told as the lag of a replica with nothing to do, as of the figure that is wanted.
def test_lag_out_of_reach() -> None:
    options = ("--network", "17ms", "--apply", "1.2ms", "--cv2", 4, "--batch", 8)
    found = asked("lag", *options, "--p99", "60ms", code=1)["result"]
    idle = replica_lag(1e-6, from_moments(0.0012, 4.0), network_delay=0.017, batch=8.0).applied
    assert found["lag_mean_at_least_s"] == pytest.approx(idle.mean, rel=1e-6)
    assert found["lag_p99_at_least_s"] == pytest.approx(idle.percentile(0.99), rel=1e-6)
    assert found["lag_p99_at_least_s"] > 0.06
    assert asked("lag", *options, "--p99", "70ms")["met"] is True


# With neither given, the fewest together that are enough, those first that survive most; one fewer of either is not.
@pytest.mark.parametrize(
    "options",
    [
        ("--nodes", 3, "--delays", "ymmr", "--after", "50ms", "--consistent", "99.9%"),
        ("--nodes", 5, "--after", "10ms", "--consistent", "99.5%"),
        ("--nodes", 4, "--consistent", "100%"),
    ],
)
def test_quorum_both_solved(options: tuple[object, ...]) -> None:
    found = asked("quorum", *options)
    assert (found["met"], found["solved_for"]) == (True, "reads and writes")
    reads, writes = found["result"]["reads"], found["result"]["writes"]
    for r in range(1, reads + writes - 1):
        fewer = asked("quorum", *options, "--reads", r, "--writes", reads + writes - 1 - r, code=1)
        assert fewer["met"] is False
    for note in found["notes"][1:]:
        also = re.findall(r"R (\d) and W (\d)", note)
        assert all(int(r) + int(w) == reads + writes and max(int(r), int(w)) >= max(reads, writes) for r, w in also)


# Drain, rebalancing, redelivery and retention are those of the models.
def test_backlog() -> None:
    found = asked("backlog", *BACKLOG, "--partitions", 24, "--stop", "10min", "--retention", "3d", "--age", "1h")[
        "result"
    ]
    assert found["drain_s"] == pytest.approx(drain_time(900.0, 1200.0, 600.0))
    assert found["drain_p99_s"] > found["drain_s"]
    assert found["loss_when_stopped_s"] == pytest.approx(3 * 86_400 - 3600)
    assert found["delay_mean_s"] == pytest.approx(Partitioned(24, 12).delay(900.0, exponential(0.01)).mean, rel=1e-9)
    stops = rebalancing(900.0, 1200.0, 20.0, 3600.0, 5.0)
    assert stops is not None
    found = asked("backlog", *BACKLOG, "--pause", "20s", "--every", "1h", "--commit", "5s")["result"]
    assert found["rebalancing_mean_delay_s"] == pytest.approx(stops.mean_delay)
    assert found["repeated_per_s"] == pytest.approx(stops.repeated)
    found = asked("backlog", *BACKLOG, "--failed", "10%", "--deliveries", 3)["result"]
    assert found["deliveries"] == pytest.approx(redelivery(0.1, 3).deliveries)
    assert found["utilization"] == pytest.approx(0.75 * 1.11)


# The fewest consumers, as far as partitions let them; one fewer misses.
def test_backlog_solved() -> None:
    options = ("--rate", "900/s", "--service", "10ms", "--partitions", 48, "--stop", "10min", "--drain", "30min")
    consumers = asked("backlog", *options)["result"]["consumers"]
    assert asked("backlog", *options, "--consumers", consumers)["met"] is True
    assert asked("backlog", *options, "--consumers", consumers - 1, code=1)["met"] is False
    few = ("--rate", "900/s", "--service", "10ms", "--partitions", 8, "--utilization", "80%")
    assert asked("backlog", *few, code=1)["met"] is False


# Overload is an answer: growth, loss, and a mend that skips consumers who would change nothing.
def test_backlog_overloaded() -> None:
    options = ("--rate", "1500/s", "--service", "10ms", "--consumers", 12, "--partitions", 24, "--retention", "3d")
    found = asked("backlog", *options)
    assert found["overloaded"] is True
    assert found["result"]["backlog_growth_per_s"] == pytest.approx(300)
    assert found["result"]["loss_s"] == pytest.approx(time_to_loss(1500.0, 1200.0, 3 * 86_400.0))
    # 13 to 23 consumers leave some with two partitions of 24: no better than 12.
    assert "24 consumers" in found["notes"][0]
    full = asked("backlog", *BACKLOG, "--pause", "20min", "--every", "1h", "--commit", "10s", "--retention", "1d")
    assert full["overloaded"] is True
    # Two thirds of 1200/s, less what is done again: 900/s for 5 s in each hour.
    done = 800 - 900 * 5 / 3600
    assert full["result"]["backlog_growth_per_s"] == pytest.approx(900 - done)
    assert full["result"]["loss_s"] == pytest.approx(86_400 / (1 - done / 900))


# Only the consumers that get too much fall behind: those with time to spare do not help, and the rest is done.
def test_backlog_overloaded_in_part() -> None:
    options = ("--rate", "2200/s", "--service", "6ms", "--consumers", 12, "--partitions", 30, "--retention", "6h")
    answer = asked("backlog", *options)
    found = answer["result"]
    # Six consumers with three partitions of 2200/30 messages/s, six with two; each does 1000/6.
    assert found["consumers_behind"] == 6
    assert found["backlog_growth_per_s"] == pytest.approx(6 * (220 - 1000 / 6))
    assert found["loss_s"] == pytest.approx(6 * 3600 / (1 - (1000 / 6) / 220))
    assert answer["headline"] == "overloaded: the busiest of 12 consumers gets 220 messages/s and does 167/s"
    assert "messages lost unread after: 24.7 h" in capacity("backlog", *options, "--explain").out


# Each kind of limit is its law, with and without retries.
def test_limit() -> None:
    assert asked("limit", *BUCKET)["result"]["rejected"] == pytest.approx(rate_limit_rejection(95.0, 100.0, 10))
    windows = ("--rate", "80/s", "--limit", "100/s", "--window", "2s")
    sliding = asked("limit", "--kind", "sliding", *windows)["result"]
    fixed = asked("limit", "--kind", "fixed", *windows)["result"]
    assert sliding["rejected"] == pytest.approx(sliding_log_rejection(80.0, 200, 2.0), rel=1e-12)
    assert fixed["rejected"] == pytest.approx(fixed_window_rejection(80.0, 200, 2.0), rel=1e-12)
    held = asked("limit", "--kind", "concurrency", "--rate", "80/s", "--duration", "1s", "--places", 90)["result"]
    assert held["rejected"] == pytest.approx(concurrency_rejection(80.0, 1.0, 90), rel=1e-12)
    again = asked("limit", *BUCKET, "--retries", 3, "--budget", "1%")["result"]
    wanted = with_retries(95.0, lambda rate: rate_limit_rejection(rate, 100.0, 10), 3, 0.01)
    assert again["failed"] == pytest.approx(wanted.failed)
    assert again["retries_allowed"] == pytest.approx(wanted.allowed)
    shaper = asked("limit", "--kind", "shaper", *BUCKET)["result"]
    assert shaper["wait_mean_s"] == pytest.approx(ShaperWait(95.0, 100.0, 10).mean)


# Whatever is left out is solved for: put back in, it is just enough.
@pytest.mark.parametrize("missing", ["--rate", "--limit", "--burst"])
@pytest.mark.parametrize("kind", ["bucket", "shaper"])
def test_limit_solved(missing: str, kind: str) -> None:
    given = dict(zip(BUCKET[::2], BUCKET[1::2], strict=True))
    given.pop(missing)
    wish = ("--rejected", "1%") if kind == "bucket" else ("--wait-p99", "50ms")
    options = [word for pair in given.items() for word in pair]
    found = asked("limit", "--kind", kind, *options, *wish)
    assert found["met"] is True
    used = found["inputs_used"]
    name = missing[2:]
    worse = {**used, name: used[name] - 1 if name == "burst" else used[name] * (1.001 if name == "rate" else 0.999)}
    again = [
        word for key, value in worse.items() for word in (f"--{key}", str(int(value) if key == "burst" else value))
    ]
    assert asked("limit", "--kind", kind, *again, *wish, code=1)["met"] is False


# What is solved for holds with the retries that it brings about, and one less of it does not.
@pytest.mark.parametrize("retries", [("--retries", 1), ("--retries", 3, "--budget", "10%"), ("--retries", 5)])
@pytest.mark.parametrize(
    ("options", "less"),
    [
        (("--rate", "42/s", "--limit", "50/s", "--rejected", "0.5%"), {"burst": lambda n: n - 1}),
        (("--kind", "concurrency", "--rate", "95/s", "--duration", "1s", "--rejected", "2%"),
         {"places": lambda n: n - 1}),
        (("--kind", "fixed", "--rate", "95/s", "--rejected", "2%"), {"limit": lambda n: n - 1}),
        (("--kind", "sliding", "--rate", "95/s", "--rejected", "2%"), {"limit": lambda n: n - 1}),
        (("--rate", "95/s", "--burst", 9, "--rejected", "2%"), {"limit": lambda n: n * (1 - 1e-6)}),
        (("--kind", "concurrency", "--duration", "1s", "--places", 50, "--rejected", "2%"),
         {"rate": lambda n: n * (1 + 1e-6)}),
        (("--limit", "100/s", "--burst", 50, "--rejected", "1%"), {"rate": lambda n: n * (1 + 1e-6)}),
    ],
)  # fmt: skip
def test_limit_solved_with_retries(
    options: tuple[object, ...], less: dict[str, Callable[[float], float]], retries: tuple[object, ...]
) -> None:
    (name, worse), options = *less.items(), (*options, *retries)
    found = asked("limit", *options)
    assert found["solved_for"] == name
    assert found["met"] is True
    value = worse(found["inputs_used"][name])
    assert asked("limit", *options, f"--{name}", f"{value:.15g}", code=1)["met"] is False


# Places and windows that are enough, a limit that no burst mends, a shaper that is overloaded.
def test_limit_edges() -> None:
    held = asked("limit", "--kind", "concurrency", "--rate", "200/s", "--duration", "250ms", "--rejected", "0.01%")
    assert concurrency_rejection(200.0, 0.25, held["result"]["places"]) <= 1e-4
    window = asked("limit", "--kind", "fixed", "--rate", "95/s", "--window", "2s", "--rejected", "1%")
    assert fixed_window_rejection(95.0, round(2 * window["result"]["limit_per_s"]), 2.0) <= 0.01
    assert asked("limit", "--rate", "120/s", "--limit", "100/s", "--rejected", "10%", code=1)["met"] is False
    assert asked("limit", "--kind", "shaper", "--rate", "110/s", "--limit", "100/s")["overloaded"] is True


# What is wrong is named by its option, with what was found and what would be right.
@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("lag", "--rate", "1/s"), "--apply is left out: to solve for it, say what is wanted"),
        (("lag", "--p99", "1s"), "--rate and --apply are missing"),
        (("lag", *LAG, "--batch", "0.5"), "--batch: found"),
        (("quorum", "--reads", "4"), "--reads: found 4; allowed: at most the 3 nodes"),
        (("quorum", "--nodes", "13"), "--nodes: found 13; allowed: at most 12"),
        (("quorum", "--delays", "lnkd"), "--delays: found"),
        (("backlog", "--rate", "1/s", "--service", "1s"), "--consumers is left out"),
        (("backlog", *BACKLOG, "--pause", "1s"), "--pause and --every belong together"),
        (("backlog", *BACKLOG, "--pause", "2s", "--every", "1s"), "--pause: found 2 s; allowed: at most 1 s"),
        (("backlog", *BACKLOG, "--hottest", "1%"), "--hottest: found 1.0%; allowed: at least 8.3%"),
        (("backlog", *BACKLOG, "--failed", "100%"), "--failed: found 100%"),
        (("limit", "--rate", "1/s"), "--limit is left out"),
        (("limit", "--rate", "1/s", "--limit", "2/s", "--places", "3"), "--places: of no meaning for --kind bucket"),
        (("limit", *BUCKET, "--wait-p99", "1s"), "--wait-p99: a bucket has none"),
        (("limit", "--kind", "fixed", "--rate", "1/s", "--limit", "1.5/s"), "no whole number"),
        (("limit", "--kind", "concurrency", "--rate", "1/s", "--places", "3"), "--duration is needed"),
        (("limit", "--kind", "shaper", *BUCKET, "--retries", "1"), "--retries: a shaper turns nobody away"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_options_are_named(options: tuple[str, ...], told: str) -> None:
    ended = capacity(*options)
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err


# What is explained has the value that was answered.
@pytest.mark.parametrize(
    "options",
    [
        ("lag", *LAG),
        ("lag", "--rate", "500/s", "--apply", "0.4ms", "--flush", "200ms", "--network", "1ms", "--behind", "1h"),
        ("quorum", "--versions", 3),
        ("backlog", *BACKLOG, "--stop", "10min", "--failed", "5%", "--deliveries", 4),
        ("backlog", *BACKLOG, "--stop", "10min", "--failed", "100%", "--deliveries", 1),
        ("backlog", *BACKLOG, "--pause", "20s", "--every", "1h"),
        ("backlog", "--rate", "1500/s", "--service", "10ms", "--consumers", 12, "--retention", "3d"),
        ("limit", *BUCKET),
        ("limit", "--kind", "fixed", "--rate", "95/s", "--limit", "100/s"),
        ("limit", "--kind", "sliding", "--rate", "95/s", "--limit", "100/s"),
    ],
    ids=lambda value: " ".join(map(str, value)),
)
def test_explained(options: tuple[object, ...]) -> None:
    found = asked(*options, "--explain")
    formulas = [told for told in found["explained"] if told["lines"]]
    assert formulas
    for told in formulas:
        assert told["by_formula"] == pytest.approx(told["value"], rel=1e-6)


# A range in any number is a table: overloaded points are among it, and nothing that is no number.
@pytest.mark.parametrize(
    "options",
    [
        ("lag", "--rate", "100..1500/s", "--apply", "1ms", "--p99", "10ms"),
        ("quorum", "--after", "0..20ms", "--delays", "lnkd-disk"),
        ("backlog", *BACKLOG[:-2], "--consumers", "6..20", "--stop", "10min"),
        ("limit", "--rate", "50..150/s", "--limit", "100/s", "--burst", 20),
        ("limit", "--kind", "shaper", "--rate", "50..150/s", "--limit", "100/s"),
    ],
    ids=lambda value: value[0],
)
def test_ranges(options: tuple[object, ...]) -> None:
    found = capacity(*options, "--points", 5, "--format", "csv")
    assert found.code in (0, 1)
    assert len(found.out.splitlines()) == 6
    assert "nan" not in found.out
    assert "inf" not in found.out
