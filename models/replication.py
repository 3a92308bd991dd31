"""Replication lag: network delay plus the time in the apply queue of a replica."""

from __future__ import annotations

from models.latency import Latency
from models.queues import mgc_wait
from models.service_time import ServiceTime, from_moments


def apply_lag(write_rate: float, apply_time: ServiceTime, core_wait: float, network_delay: float) -> Latency:
    """Return the distribution of the time from commit on the primary to visibility on one replica.

    `write_rate` in writes/s; `apply_time` in seconds of a core; `core_wait` the mean wait for a core of the replica,
    which each apply meets too; `network_delay` in seconds. One apply thread, M/G/1: *exact* where the cores are idle
    (core_wait 0), else *approximate* in that the wait is folded into the service by its mean.
    Raises UnstableQueueError when the replica cannot keep up: it diverges.
    """
    service = apply_time
    if core_wait > 0:
        whole = apply_time.mean + core_wait
        service = from_moments(whole, (apply_time.variance + core_wait**2) / whole**2)
    wait = mgc_wait(write_rate, service, 1)
    return Latency.constant(network_delay) + Latency.of(wait) + Latency.of(service)
