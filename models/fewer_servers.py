"""Many servers, from exact chains of fewer: for GI/G/c beyond the reach of a chain.

Where many servers have the same probability that somebody waits, they look alike: in the limit (Halfin and Whitt 1981)
the wait over that of exponential service depends on that probability, the gaps and the service, and no longer on c. The
difference from the limit falls as 1 / sqrt(c). So chains of N, N/2 and N/4 servers, each at the load at which as many
requests would wait for exponential service as do here, give three ratios, whose logarithms are carried on along
1 / sqrt(c) to the c that is asked for. What they are ratios to, GI/M/c, is known exactly for any c.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from models.independent_gaps import exponential_service_wait
from models.renewal import renewal_wait
from models.service_time import from_moments
from models.transforms import INSTANT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.service_time import ServiceTime
    from models.stages import Stages
    from models.transforms import Instant

REGULAR: Final = 0.1
"""Below this squared CV gaps have too many phases for a chain, or none."""

_NOBODY: Final = 1e-100
"""A wait probability below which nobody waits, whatever the service, of Poisson arrivals."""

_UNTOLD: Final = 1e-12
"""The same of other arrivals, whose chains tell no less."""


def wait_from_fewer(
    arrival_rate: float, arrival_squared_cv: float, service: ServiceTime, servers: int, most: int
) -> tuple[Stages | Instant, float]:
    """Return the wait of GI/G/c and its probability, from exact chains of up to `most` >= 1 servers.

    Gaps of this squared CV are of the conventional distribution; below REGULAR what exponential service makes of them
    is exact, and the ratios are carried on from more irregular gaps. *Approximate*: see `models.stations`.
    """
    wait = exponential_service_wait(from_moments(1 / arrival_rate, arrival_squared_cv), service.mean, servers)
    if wait.probability < (_NOBODY if arrival_squared_cv == 1 else _UNTOLD):
        return INSTANT, 0.0
    counts = [servers] if most >= servers else sorted({max(1, most // 4), max(1, most // 2), most})
    kinds = [arrival_squared_cv] if arrival_squared_cv >= REGULAR else [2 * REGULAR, REGULAR]
    more_waits = longer = 0.0
    for kind in kinds:
        found = [_at_equal_wait(kind, service, count, wait.probability) for count in counts]
        weight = math.prod((arrival_squared_cv - other) / (kind - other) for other in kinds if other != kind)
        more_waits += weight * _carried(servers, counts, [f[0] for f in found])
        longer += weight * _carried(servers, counts, [f[1] for f in found])
    probability, mean = min(wait.probability * math.exp(more_waits), 1.0), wait.mean * math.exp(longer)
    shape = found[-1][2]
    if shape.mean == 0:
        return INSTANT, 0.0
    return shape.scaled(probability, mean / shape.mean * float(shape.beyond[0]) / probability), probability


def _at_equal_wait(
    arrival_squared_cv: float, service: ServiceTime, servers: int, probability: float
) -> tuple[float, float, Stages]:
    """Return log ratios of wait probability and mean wait to those of exponential service, and the exact wait.

    At the load at which a given share waits for exponential service, found by halving.
    """
    low, high = 0.0, float(servers)
    for _ in range(50):
        load = (low + high) / 2
        gaps = from_moments(service.mean / load, arrival_squared_cv)
        alike = exponential_service_wait(gaps, service.mean, servers)
        low, high = (low, load) if alike.probability > probability else (load, high)
    found = renewal_wait(gaps, service, servers)
    if found.mean == 0:
        return 0.0, 0.0, found
    return math.log(float(found.beyond[0]) / alike.probability), math.log(found.mean / alike.mean), found


def _carried(servers: int, counts: Sequence[int], logarithms: Sequence[float]) -> float:
    """Return what is known at some numbers of servers at another, by the polynomial in 1 / sqrt(c)."""
    x, places = 1 / math.sqrt(servers), [1 / math.sqrt(count) for count in counts]
    return math.fsum(
        y * math.prod((x - other) / (place - other) for other in places if other != place)
        for place, y in zip(places, logarithms, strict=True)
    )
