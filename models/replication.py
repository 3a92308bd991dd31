"""Replication lag: network delay plus the time in the apply queue of a replica."""

from __future__ import annotations

from models.erlang import UnstableQueueError
from models.latency import Latency
from models.queues import Wait, mgc_wait
from models.remembered import remembered
from models.service_time import Residual, ServiceTime, exponential
from models.transforms import NEGLIGIBLE, GeometricSum, mixture, total


@remembered(128)
def apply_lag(write_rate: float, apply_time: ServiceTime, core_wait: float, network_delay: float) -> Latency:
    """Return the distribution of the time from commit on the primary to visibility on one replica.

    `write_rate` in writes/s; `apply_time` in seconds of a core; `core_wait` the mean wait for a core of the replica,
    which each apply meets too; `network_delay` in seconds. One apply thread, M/G/1, whose service is an exponential
    wait for a core followed by the apply: *exact* where the cores are idle (core_wait 0); else *approximate* in that
    waits for a core are exponential (they are nothing or longer) and independent of each other.
    Raises UnstableQueueError when the replica cannot keep up: it diverges.
    """
    way = Latency.constant(network_delay)
    if core_wait <= NEGLIGIBLE * apply_time.mean:
        return way + Latency.of(mgc_wait(write_rate, apply_time, 1)) + Latency.of(apply_time)
    core = exponential(core_wait)
    return way + Latency.of(_apply_wait(write_rate, core, apply_time)) + Latency.of(core) + Latency.of(apply_time)


def _apply_wait(write_rate: float, core: ServiceTime, apply_time: ServiceTime) -> Wait:
    """Return the wait of M/G/1 whose service is one duration after the other (*exact*: Pollaczek and Khinchine).

    Who looks at a service in progress finds it in either part, in proportion to their means.
    """
    busy = core.mean + apply_time.mean
    utilization = write_rate * busy
    if utilization >= 1:
        raise UnstableQueueError(1, utilization)
    parts = [total([Residual(core), apply_time]), Residual(apply_time)]
    left = mixture([core.mean / busy, apply_time.mean / busy], parts)
    return Wait(utilization, GeometricSum(left, left, 1 - utilization), exact=True)
