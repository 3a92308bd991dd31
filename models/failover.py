"""What is lost when a replica takes over, and how long that takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np

from models.quadrature import gauss_legendre
from models.stages import poisson_weights

_MANY: Final = 1e6


@dataclass(frozen=True)
class Loss:
    """The committed writes that no replica has when the primary dies at a random moment.

    Poisson writes at `write_rate` in 1/s; they leave with the next of flushes `flush_interval` s apart and arrive
    `network_delay` s later: what is missing is a Poisson number of mean rate * (network delay + age of the flush)
    (*exact*). With several replicas that take over as the newest, theirs is the shortest delay.
    """

    write_rate: float
    network_delay: float
    flush_interval: float = 0.0

    def __post_init__(self) -> None:
        if not (self.write_rate >= 0 and self.network_delay >= 0 and self.flush_interval >= 0):
            raise ValueError(f"rates, delays and intervals are not negative: {self!r}")

    @property
    def mean(self) -> float:
        """Writes."""
        return self.write_rate * (self.network_delay + self.flush_interval / 2)

    @property
    def seconds(self) -> float:
        """The longest stretch of time that can be missing: all writes of the last network delay and flush."""
        return self.network_delay + self.flush_interval

    @property
    def none(self) -> float:
        """P(nothing is lost)."""
        over = self.write_rate * self.flush_interval
        age = -math.expm1(-over) / over if over else 1.0
        return math.exp(-self.write_rate * self.network_delay) * age

    def percentile(self, fraction: float) -> int:
        """Return the least number of writes that is exceeded with at most probability 1 - `fraction`.

        Beyond a million writes within 0.1 %: as uniform over the flush, or normal.
        """
        if not 0 < fraction < 1:
            raise ValueError(f"percentiles are asked for as fractions between 0 and 1, not {fraction!r}")
        nodes, weights = gauss_legendre(48 if self.flush_interval else 1)
        means = self.write_rate * (self.network_delay + self.flush_interval * nodes)
        top = self.write_rate * self.seconds
        if top > _MANY:
            return self._of_many(fraction)
        size = int(top + 12 * math.sqrt(top) + 40)
        within = np.zeros(size)
        for mean, weight in zip(means.tolist(), weights.tolist(), strict=True):
            first, probabilities = poisson_weights(mean)
            count = np.zeros(size)
            count[first : first + len(probabilities)] = probabilities[: size - first]
            within += weight * np.cumsum(count)
        return int(np.searchsorted(within, fraction - 1e-12))

    def _of_many(self, fraction: float) -> int:
        over, spread = self.write_rate * self.flush_interval, math.sqrt(self.write_rate * self.seconds)
        if over > 30 * spread:
            return math.ceil(self.write_rate * self.network_delay + over * fraction)
        return math.ceil(NormalDist(self.mean, math.hypot(spread, over / math.sqrt(12))).inv_cdf(fraction))


def takeover_time(detection: float, backlog: float, apply_rate: float, promotion: float = 0.0) -> float:
    """Return the seconds without a primary: until noticed, until what was received is applied, until promoted.

    `backlog` in writes waiting to be applied, `apply_rate` in 1/s with nothing new coming (*exact*, fluid).
    """
    if not (detection >= 0 and backlog >= 0 and apply_rate > 0 and promotion >= 0):
        raise ValueError(
            f"times and a backlog >= 0 and a rate > 0 are needed, not {(detection, backlog, apply_rate)!r}"
        )
    return detection + backlog / apply_rate + promotion
