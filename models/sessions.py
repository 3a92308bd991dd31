"""What one user sees of replicas: own writes that are missing, and time that runs backwards between two reads."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from models.quadrature import gauss_legendre

if TYPE_CHECKING:
    from models.latency import Latency
    from models.transforms import Floats

_POINTS = 40


def own_write_missed(lag: Latency, after: float, window: float = 0.0) -> float:
    """Return P(a read `after` seconds after one's own write is answered without it).

    Reads within `window` seconds of a write go to the primary, which has it. P(lag > after), as exact as the tail of
    the lag.
    """
    return 0.0 if after < window else lag.exceeds(after)


def sent_to_primary(write_rate: float, window: float) -> float:
    """Return the share of a user's reads within `window` s of one of the user's writes, at `write_rate` in 1/s.

    1 - exp(-rate * window), *exact* for Poisson writes that reads do not depend on.
    """
    return -math.expm1(-write_rate * window)


def going_back(first: Latency, second: Latency, gap: float = 0.0) -> float:
    """Return P(a read `gap` seconds after another, on another replica, sees an earlier state of the database).

    P(second lag > first lag + gap). *Approximate* in that the lags are taken as independent: replicas that apply
    the same writes are late together, so that this is high, by 5 % at a utilization of 0.3 and 18 to 27 % at 0.6 to
    0.9 against simulation. By 40 points over the levels of the first lag, 4e-4 absolute.
    """
    times, weights = _levels(first)
    return float(weights @ second.tail(times + gap))


def going_back_on_key(first: Latency, second: Latency, write_rate: float, gap: float = 0.0) -> float:
    """Return P(the second read, on another replica, gives an older value of one key): a monotonic-read violation.

    `write_rate` in 1/s is that of the key. It is violated if the key was written within the states that the first
    replica has and the second lacks: E[1 - exp(-w (second - first - gap)+)]. *Approximate* as `going_back` is.
    """
    times, weights = _levels(first)
    if write_rate <= 0:
        return 0.0
    if second.variance == 0:
        return float(weights @ -np.expm1(-write_rate * np.maximum(second.mean - times - gap, 0.0)))
    # The age of the key's last write is exponential: it is missing if the second replica is behind by more than that.
    nodes, mass = gauss_legendre(_POINTS // 2)
    ages = -np.log1p(-nodes) / write_rate
    behind = second.tail((times[:, None] + gap + ages).ravel()).reshape(len(times), len(ages))
    return float(weights @ behind @ mass)


def on_another(replicas: int) -> float:
    """Return P(the next read goes to another replica), each read to one of them at random (*exact*)."""
    if replicas < 1:
        raise ValueError(f"reads go to at least one replica, not {replicas!r}")
    return 1 - 1 / replicas


def _levels(lag: Latency) -> tuple[Floats, Floats]:
    """Return percentiles of a lag and weights that average over them: denser at both ends."""
    nodes, weights = gauss_legendre(_POINTS // 5)
    edges = (0.0, 0.001, 0.03, 0.5, 0.97, 1.0)
    levels = np.concatenate([a + (b - a) * nodes for a, b in pairwise(edges)])
    mass = np.concatenate([(b - a) * weights for a, b in pairwise(edges)])
    if lag.variance == 0:
        return np.full_like(levels, lag.mean), mass
    return np.array(lag.percentiles(levels.tolist())), mass
