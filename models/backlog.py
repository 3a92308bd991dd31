"""Message queues that are drained later: what a stop leaves behind, and how long it takes to catch up."""

from __future__ import annotations


def drain_time(arrival_rate: float, capacity: float, stop: float) -> float | None:
    """Return the seconds after a stop of `stop` seconds until its backlog is gone; None when it never is.

    Rates in messages/s. *Exact* for the fluid; the queue that randomness makes comes on top.
    """
    if capacity <= arrival_rate:
        return None
    return stop * arrival_rate / (capacity - arrival_rate)


def storage(arrival_rate: float, message_size: float, retention: float, replication_factor: float) -> float:
    """Return the bytes that `retention` seconds of messages take on all brokers together (*exact*)."""
    return arrival_rate * message_size * retention * replication_factor
