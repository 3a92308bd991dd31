"""What `capacity lag` answers: the lag, what readers see of it, what is at risk, how it recovers or diverges."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from capacity import judging
from capacity.calculators.calculator import Answer, Row
from capacity.calculators.overload import SLOWLY, SPARE, all_or_more, just_full, over
from capacity.calculators.searching import largest
from capacity.errors import UsageError
from capacity.units import digits, show_percent, show_seconds
from models.backlog import time_to_loss
from models.erlang import UnstableQueueError
from models.failover import Loss
from models.phases import MOST_STATES
from models.popularity import Popularity
from models.replica_lag import ReplicaLag, catch_up, huge_transaction, lag_growth, replica_lag
from models.service_time import from_moments
from models.sessions import going_back_on_key, on_another, own_write_missed
from models.staleness import stale_replica_reads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.calculators.calculator import Given

_BELONGING: Final = (("window", 0.0, "read_after"), ("gap", 0.0, "key_rate"), ("replicas", 2.0, "key_rate"))
"""Options that say something only with another one, what they are when left out, and that one."""

_IDLE: Final = 1e-9
"""Utilization at which a replica has nothing to do."""
_SOLVING: Final = 70
"""States of a chain of several appliers that some tens of lags are asked of: larger ones are approximated."""
_ONE: Final = Popularity(np.ones(1), np.ones(1))
_SOURCE: Final = "Pollaczek 1930, Khinchine 1932; flushes by Spitzer 1956; batches by Burke 1975"


def answered(given: Given) -> Answer:
    """Return the answer to what was given."""
    wishes = [(name, given.number(name)) for name in ("mean", "p99") if given.has(name)]
    for name, usual, needed in _BELONGING:
        if given.number(name) != usual and not given.has(needed):
            raise UsageError(f"--{name} says nothing alone: it belongs to --{needed.replace('_', '-')}")
    missing = [name for name in ("rate", "apply") if not given.has(name)]
    if len(missing) == 2:
        raise UsageError("--rate and --apply are missing: one of them can be solved for")
    if not missing:
        return _known(given, given.number("rate"), given.number("apply"), wishes, None)
    if not wishes:
        raise UsageError(f"--{missing[0]} is left out: to solve for it, say what is wanted, like --p99 50ms")
    return _solved(given, wishes, missing[0])


def _solved(given: Given, wishes: list[tuple[str, float]], name: str) -> Answer:
    appliers = given.count("appliers")

    def inputs(value: float) -> tuple[float, float]:
        return (value, given.number("apply")) if name == "rate" else (given.number("rate"), value)

    def good(value: float) -> bool:
        try:
            found = _lag(given, *inputs(value), exact_states=_SOLVING)
        except UnstableQueueError:
            return False
        return not _missed(found, wishes)

    known = given.number("apply") if name == "rate" else given.number("rate")
    value = largest(good, 0.5 * appliers / known)
    if value is None or math.isinf(value):
        idle = _lag(given, *inputs(_IDLE * appliers / known), exact_states=_SOLVING).applied
        return Answer(
            headline="no rate is low enough" if name == "rate" else "no apply time is short enough",
            rows=[
                Row("lag_mean_at_least_s", "lag of a replica with nothing to do, mean", idle.mean, "s"),
                Row("lag_p99_at_least_s", "  99%", idle.percentile(0.99), "s"),
            ],
            notes=["what is wanted is less than flush, network and one apply take, or one --batch of them"],
            met=False,
            more={"solved_for": name},
        )
    return _known(given, *inputs(value), wishes, name)


def _lag(given: Given, rate: float, apply_time: float, exact_states: int) -> ReplicaLag:
    return replica_lag(
        rate,
        from_moments(apply_time, given.number("cv2")),
        network_delay=given.number("network"),
        flush_interval=given.number("flush"),
        appliers=given.count("appliers"),
        batch=given.number("batch"),
        exact_states=exact_states,
    )


def _missed(found: ReplicaLag, wishes: list[tuple[str, float]]) -> list[str]:
    # Whether 99 % are within a time takes one look at the tail, the time within which they are takes many.
    return [
        name
        for name, most in wishes
        if (
            found.applied.mean > most * (1 + 1e-9)
            if name == "mean"
            else found.applied.exceeds(most * (1 + 1e-9)) > 0.01
        )
    ]


def _known(given: Given, rate: float, apply_time: float, wishes: list[tuple[str, float]], solved: str | None) -> Answer:
    try:
        found = _lag(given, rate, apply_time, MOST_STATES if solved is None else _SOLVING)
    except UnstableQueueError:
        return _diverging(given, rate, apply_time, wanted=bool(wishes))
    missed = _missed(found, wishes)
    p50, p99, p999 = found.applied.percentiles([0.5, 0.99, 0.999])
    rows = []
    if solved == "rate":
        rows.append(Row("rate_per_s", "writes, at most", rate, "/s", "solved for", "Rate"))
    elif solved == "apply":
        rows.append(Row("apply_s", "apply time, at most", apply_time, "s", "solved for", "Apply"))
    reached = {"mean": found.applied.mean, "p99": p99}
    noted = {
        name: judging.allowed(name not in missed, show_seconds(most), judging.over(reached[name], most))
        for name, most in wishes
    }
    rows += [
        Row("utilization", "appliers busy", found.utilization, "share", "", "Busy"),
        Row("lag_mean_s", "lag, mean", found.applied.mean, "s", noted.get("mean", ""), "Mean"),
        Row("lag_p50_s", "  50%", p50, "s"),
        Row("lag_p99_s", "  99%", p99, "s", noted.get("p99", ""), "P99"),
        Row("lag_p999_s", "  99.9%", p999, "s", "", "P99.9"),
        Row("received_mean_s", "received by the replica, mean", found.received.mean, "s"),
        *_reads(given, found),
        *_risk(given, rate),
        *_recovery(given, rate, apply_time, found),
    ]
    headline = f"replica at {show_percent(found.utilization)}: lag {show_seconds(found.applied.mean)}"
    headline += f", 99% within {show_seconds(p99)}"
    headline += judging.ending((f"lag {name}" for name in missed), judged=bool(wishes))
    return Answer(
        headline=headline,
        rows=rows,
        model=_model(given),
        source=_SOURCE,
        exact=found.exact,
        accuracy="for Poisson writes, percentiles to 1e-6, next to a jump to 1e-3" if found.exact else found.error,
        met=None if not wishes else not missed,
        more={"solved_for": solved, "diverges": False, "inputs_used": {"rate_per_s": rate, "apply_s": apply_time}},
    )


def _model(given: Given) -> str:
    appliers = given.count("appliers")
    batches = "[X]" if given.number("batch") > 1 else ""
    flushed = " behind flushes" if given.number("flush") > 0 else ""
    return f"M{batches}/{'M' if given.number('cv2') == 1 else 'G'}/{appliers}{flushed}"


def _reads(given: Given, found: ReplicaLag) -> Iterator[Row]:
    if given.has("read_after"):
        missed = own_write_missed(found.applied, given.number("read_after"), given.number("window"))
        yield Row("own_write_missed", "own write not seen", missed, "share", "", "Own missed")
    if given.has("key_rate"):
        rate, replicas = given.number("key_rate"), given.count("replicas")
        stale = stale_replica_reads(_ONE, rate, found.applied)
        back = going_back_on_key(found.applied, found.applied, rate, given.number("gap")) * on_another(replicas)
        yield Row("stale_reads", "reads of the key that are stale", stale, "share", "", "Stale")
        note = "an upper bound" if replicas > 1 else ""
        yield Row("backward_reads", "  older than the read before", back, "share", note, "Backward")


def _risk(given: Given, rate: float) -> Iterator[Row]:
    loss = Loss(rate, given.number("network"), given.number("flush"))
    if loss.seconds == 0:
        return
    yield Row("at_risk_mean_writes", "lost at failover, mean", loss.mean, "writes")
    yield Row("at_risk_p99_writes", "  99%", loss.percentile(0.99), "writes", "", "At risk P99")
    yield Row("nothing_lost", "  nothing lost", loss.none, "share")


def _recovery(given: Given, rate: float, apply_time: float, found: ReplicaLag) -> Iterator[Row]:
    if given.has("huge"):
        episode = huge_transaction(given.number("huge"), found.utilization, given.count("appliers"))
        yield Row("huge_peak_s", "huge transaction: lag up by", episode.peak, "s")
        yield Row("huge_recovery_s", "  over after", episode.recovery, "s", "fluid, and in the mean exact", "Recovery")
    if given.has("behind"):
        time = catch_up(given.number("behind"), rate, given.count("appliers") / apply_time)
        yield Row("catch_up_s", "time to catch up", time, "s", "fluid", "Catch-up")


def _diverging(given: Given, rate: float, apply_time: float, *, wanted: bool) -> Answer:
    """Return what there is to say of a replica that falls behind for ever: how fast, until when, and what mends it."""
    appliers = given.count("appliers")
    most = appliers / apply_time
    full, growth = just_full(rate, most), over(rate, most)
    rows = [
        Row("utilization", "demand of the appliers", rate / most, "share", all_or_more(rate, most), "Busy"),
        Row("short_appliers", "short by", growth * apply_time, "appliers", SPARE if full else ""),
        Row("lag_growth", "lag grows by", lag_growth(rate, most), "s/s", SLOWLY if full else "", "Growth"),
        Row("backlog_growth_per_s", "  by", growth, "writes/s"),
    ]
    if given.has("log_kept"):
        left = time_to_loss(rate, most, given.number("log_kept"), given.maybe("behind") or 0.0)
        rows.append(Row("log_lost_s", "log deleted before it is read after", left, "s"))
    mends = [f"{math.floor(rate * apply_time) + 1} appliers", f"less than {digits(most)} writes/s"]
    mends.append(f"an apply shorter than {show_seconds(appliers / rate)}")
    return Answer(
        headline=f"diverges: {digits(rate)} writes/s for appliers that do {digits(most)}/s",
        rows=rows,
        notes=[f"the smallest mend: {', or '.join(mends)}; each just keeps up"],
        met=False if wanted else None,
        more={"solved_for": None, "diverges": True},
    )
