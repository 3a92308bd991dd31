"""The lag of a replica put together: flushes, network, batches, one applier or several, one huge transaction.

A write leaves the primary with the next flush, takes the network delay, and waits for an applier behind whatever has
come before it. `models.replication.apply_lag` is the part of it that plans are made with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, overload

from models.backlog import backlog_drain
from models.elementwise import either, larger, numbers, require
from models.erlang import UnstableQueueError
from models.flush_chain import MOST_PLACES, Flushes
from models.flushed_lag import FlushedLag
from models.flushes import Batch, behind_flush, excess_at_ticks, idle_places
from models.latency import Latency, mixed
from models.phases import MOST_STATES
from models.queues import Wait
from models.service_time import Residual, exponential
from models.stations import mgc
from models.transforms import GeometricSum, total

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from models.elementwise import Array
    from models.service_time import ServiceTime

_FLUSHED: Final = "mean within 0.5 %, P99 within 3 % of simulation"
_FLUID: Final = "mean within 1 %, P99 within 2 % of exact values"
_FLUID_MANY: Final = "mean up to 11 % and P99 up to 20 % low against simulation"
_FLUID_OTHER: Final = "mean within 3 %, P99 up to 18 % low against simulation"
_PARALLEL: Final = "mean within 3.5 %, P99 within 12 % of simulation"
_PARALLEL_BATCHES: Final = "mean within 6 %, P99 within 16 % of simulation"

_LARGE: Final = 1e250

_SOME_STATES: Final = 70
"""Of a chain that is followed for an approximation, which need not be exact itself."""

_MANY: Final = 32
"""From so many appliers on it matters how many of them are idle even behind thousands of writes."""

_MOST_INVERTED: Final = 1 << 12
"""Numbers of writes that are told apart where the lag must be inverted from its transform, which takes longer."""


@dataclass(frozen=True)
class ReplicaLag:
    """From commit to arrival at the replica, and to visibility there; seconds."""

    received: Latency
    applied: Latency
    utilization: float
    """Busy share of an applier."""
    exact: bool
    error: str = ""
    """How far off it was measured to be, where it is not exact."""


def replica_lag(
    write_rate: float,
    apply_time: ServiceTime,
    *,
    network_delay: float = 0.0,
    flush_interval: float = 0.0,
    appliers: int = 1,
    batch: float = 1.0,
    exact_states: int = MOST_STATES,
) -> ReplicaLag:
    """Return the lag of one replica: writes at `write_rate` in 1/s, each taking an applier `apply_time`.

    `flush_interval` in s: what was written leaves every so often. `batch` >= 1: writes are committed in batches of a
    geometric size of that mean. `appliers` take the oldest write each; where dependencies keep some of them from
    working, they are as many as do work. A write is visible as soon as it is applied. `exact_states` as in
    `models.stations.mgc`: fewer are faster where many lags are asked for.

    *Exact* without flushes for one applier, with several for single writes as `models.stations.mgc` is, and for batches
    of exponential applies; behind flushes for exponential applies, of some thousand writes a flush and 128 appliers at
    most. Else *approximate*; `error` says how far off. Raises UnstableQueueError when the replica cannot keep up: it
    diverges.
    """
    if not (write_rate >= 0 and network_delay >= 0 and flush_interval >= 0 and appliers >= 1 and batch >= 1):
        raise ValueError(
            "rates, delays and intervals are not negative, appliers and batches at least 1, not "
            f"{(write_rate, network_delay, flush_interval, appliers, batch)!r}"
        )
    load = write_rate * apply_time.mean
    if load >= appliers:
        raise UnstableQueueError(appliers, load)
    way = Latency.constant(network_delay)
    if flush_interval == 0:
        wait, own, exact, error = _wait(write_rate, apply_time, appliers, batch, exact_states)
        return ReplicaLag(way, way + wait + own + Latency.of(apply_time), load / appliers, exact, error)
    flushes = Flushes(flush_interval, write_rate / batch, batch, apply_time.mean, appliers)
    received = way + behind_flush(flush_interval, 0.0, apply_time)
    behind, exact, error = _behind_flushes(flushes, apply_time)
    return ReplicaLag(received, way + behind, load / appliers, exact, error)


def _behind_flushes(flushes: Flushes, apply_time: ServiceTime) -> tuple[Latency, bool, str]:
    """Return the lag that begins with waiting for the next flush, without the way; whether exact, and the error."""
    markov, batches, several = apply_time.is_exponential, flushes.size > 1, flushes.appliers > 1
    if (markov or several) and flushes.is_within(MOST_PLACES if markov else _MOST_INVERTED):
        error = "" if markov else _PARALLEL_BATCHES if batches else _PARALLEL
        return Latency.of(FlushedLag(flushes, apply_time)), markov, error
    if not several:
        error = _FLUSHED
    elif batches and not markov:
        error = _PARALLEL_BATCHES
    elif flushes.appliers > _MANY:
        error = _FLUID_MANY
    else:
        error = _FLUID if markov else _FLUID_OTHER
    return _behind_fluid(flushes, apply_time), False, error


def _behind_fluid(flushes: Flushes, apply_time: ServiceTime) -> Latency:
    """Return the lag behind flushes whose writes several appliers work off like a fluid, one as they come."""
    appliers, part = flushes.appliers, apply_time.slowed(1 / flushes.appliers)
    together = Batch(part, flushes.size) if flushes.size > 1 else part
    write_rate = flushes.batch_rate * flushes.size
    wait, own, _, _ = _wait(write_rate, apply_time, appliers, flushes.size, _SOME_STATES)
    left = excess_at_ticks(flushes.batch_rate, together, flushes.interval)
    queue = behind_flush(flushes.interval, flushes.batch_rate, together)
    return queue + _thinned(wait, left) + own + _serving(apply_time, part, flushes.writes, appliers)


def _wait(
    write_rate: float, apply_time: ServiceTime, appliers: int, batch: float, exact_states: int
) -> tuple[Latency, Latency, bool, str]:
    """Return the wait behind earlier batches and behind those before in one's own; whether exact, and the error."""
    none = Latency.constant(0.0)
    if write_rate == 0:
        return none, none, True, ""
    if batch == 1:
        state = mgc(write_rate, apply_time, appliers, exact_states)
        return state.wait, none, state.exact, state.error
    if appliers == 1:
        return *_batch_wait(write_rate, apply_time, batch), True, ""
    wait = _parallel_batch_wait(write_rate * apply_time.mean, apply_time.mean, appliers, batch)
    error = "" if apply_time.is_exponential else "batches before several appliers: applies taken as exponential"
    return Latency.of(wait), none, apply_time.is_exponential, error


def _parallel_batch_wait(load: float, apply_time: float, appliers: int, batch: float) -> Wait:
    """Return the wait of a write in M^X/M/c with geometric batches, its own batch counted (*exact*).

    What crosses level n upwards, a share T(n) = p(n) + (1 - 1/b) T(n - 1) of the batches, crosses it downwards; and a
    write finds n before it with probability T(n) / b, geometric from c - 1 on.
    """
    keep, crossed, total = 1 - 1 / batch, 1.0, 1.0
    for n in range(1, appliers):
        crossed *= load / batch / n + keep
        total += crossed
        if crossed > _LARGE:
            crossed, total = crossed / _LARGE, total / _LARGE
    remaining = (1 - load / appliers) / batch
    waiting = crossed * (1 - remaining) / remaining
    return Wait(waiting / (total + waiting), exponential(apply_time / (appliers * remaining)), exact=True)


def _batch_wait(write_rate: float, apply_time: ServiceTime, batch: float) -> tuple[Latency, Latency]:
    """Return the waits of M^X/G/1 with geometric batches: behind earlier batches, and behind those of the own one.

    What is left of a batch in progress is what is left of one apply, and a geometric number of further ones.
    """
    load = write_rate * apply_time.mean
    own = Wait(1 - 1 / batch, GeometricSum(apply_time, apply_time, 1 / batch), exact=True)
    left = total([Residual(apply_time), own])
    return Latency.of(Wait(load, GeometricSum(left, left, 1 - load), exact=True)), Latency.of(own)


def _thinned(wait: Latency, share: float) -> Latency:
    """Return the same wait for a share of the writes, and none for the others."""
    terms = [t._replace(weight=t.weight * share) for t in wait.terms]
    return Latency([*terms, *(t._replace(weight=t.weight * (1 - share)) for t in Latency.constant(0.0).terms)])


def _serving(apply_time: ServiceTime, part: ServiceTime, arrivals: float, appliers: int) -> Latency:
    """Return what an apply adds to those ahead of it in its flush, which k appliers work off k times as fast.

    Behind N others that is a k-th of an apply, and a whole one for who is first: E[(k - 1 - N)+] / (k - 1) of them.
    """
    if appliers == 1 or arrivals == 0:
        return Latency.of(apply_time)
    first = idle_places(arrivals, appliers - 1) / (appliers - 1)
    return mixed([first, 1 - first], [Latency.of(apply_time), Latency.of(part)])


class Episode(NamedTuple):
    """What one huge transaction does to a replica; fluid."""

    peak: float
    """The longest lag it adds, seconds."""
    recovery: float
    """Seconds from when it begins to be applied until the lag is as before."""
    mean_added: float
    """Seconds that it adds on average over the recovery."""


def huge_transaction(apply_time: float, utilization: float, appliers: int = 1, *, in_order: bool = True) -> Episode:
    """Return what a transaction that takes `apply_time` seconds to apply does to writes behind it.

    `utilization` in [0, 1) is the busy share of an applier without it. With one applier, and with several that
    commit in order, everything waits for it: the lag jumps by its time and falls by 1 - utilization per second; the
    mean recovery T / (1 - rho) is *exact* with chance too (a busy period), the peak and the shape are fluid. Several
    that need not keep the order do without the one: others are late only where utilization exceeds (k - 1) / k.
    """
    if not (apply_time >= 0 and 0 <= utilization < 1 and appliers >= 1):
        raise ValueError(f"a time >= 0 and a utilization in [0, 1) are needed, not {apply_time!r} and {utilization!r}")
    if in_order or appliers == 1:
        return Episode(apply_time, apply_time / (1 - utilization), apply_time / 2)
    missing = utilization - (appliers - 1) / appliers
    if missing <= 0:
        return Episode(0.0, 0.0, 0.0)
    left = missing * apply_time
    recovery = apply_time + left / (1 - utilization)
    return Episode(left, recovery, left / 2)


@overload
def catch_up(lag: float, write_rate: float, apply_rate: float) -> float | None: ...
@overload
def catch_up(lag: ArrayLike, write_rate: ArrayLike, apply_rate: ArrayLike) -> Array | float | None: ...
def catch_up(lag: Any, write_rate: Any, apply_rate: Any) -> Any:
    """Return the seconds until a replica that is `lag` seconds behind is up to date; None when it never is.

    Rates in writes/s, `apply_rate` what it could apply at most. *Exact* for the fluid: lag * rho / (1 - rho).
    """
    lag, write_rate, apply_rate = numbers(lag, write_rate, apply_rate)
    fine = (lag >= 0) & (write_rate >= 0) & (apply_rate > 0)
    require(fine, "a lag >= 0 and a rate of applying > 0 are needed, not {!r} and {!r}", lag, apply_rate)
    return backlog_drain(lag * write_rate, write_rate, apply_rate)


@overload
def lag_growth(write_rate: float, apply_rate: float) -> float: ...
@overload
def lag_growth(write_rate: ArrayLike, apply_rate: ArrayLike) -> Array | float: ...
def lag_growth(write_rate: Any, apply_rate: Any) -> Any:
    """Return by how many seconds per second a replica falls behind: 0 if it keeps up (*exact*, fluid)."""
    write_rate, apply_rate = numbers(write_rate, apply_rate)
    return either(write_rate > 0, lambda: larger(1 - apply_rate / write_rate, 0.0), lambda: 0.0)
