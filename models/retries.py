"""Retry storms: what a station is sent while tries time out, and whether it ever gets out of that again.

Callers send first tries at a rate to a station that serves `capacity` tries per second, first come first served. A try
that is not answered within `timeout` seconds is given up and made again at once, at most `retries` times; what was
given up is still worked off, as servers do not learn of it. Below capacity there are then two states that keep
themselves up: one in which nearly every try is answered, and one in which every try waits longer than the timeout, so
that all the work is for nobody. An outage takes the station from one to the other.

Sources: Bronson, Aghayev, Charapko and Zhu 2021, "Metastable failures in distributed systems"; Huang et al. 2022,
"Metastable failures in the wild".
"""

from __future__ import annotations

import math
from collections import deque


def metastable_from(capacity: float, retries: int) -> float:
    """Return the rate of first tries (1/s) above which a station full of abandoned tries stays so.

    Every try times out there, so that each request is `retries` + 1 tries; `capacity` in tries/s. *Exact* for the
    fluid. Callers of limited concurrency N make at most N / timeout tries per second, and stay out of it below
    `capacity` of those.
    """
    return capacity / (1 + retries)


def tipping_outage(rate: float, capacity: float, timeout: float, retries: int) -> float | None:
    """Return the shortest outage (s) after which retries alone keep a station down that was idle enough before.

    In the outage nothing is answered, and tries pile up in the queue. `rate` (first tries) and `capacity` in 1/s,
    `timeout` in s. None where the station recovers from any outage, 0 where it cannot carry its load to begin with.

    *Exact* for the fluid, to 1e-12: its answer is never shorter than the timeout. *Approximate* for a station with a
    queue before the outage and service times of its own, both of which bring tries closer to the timeout.
    """
    if rate >= capacity:
        return 0.0
    if rate <= metastable_from(capacity, retries):
        return None
    load = rate / capacity
    growing = min(retries, math.ceil(capacity / rate) - 1)
    # A wait that never falls below the timeout is lowest when so many retries have set in that the backlog grows.
    low, high = 1.0, 1 + growing - load * growing * (growing + 1) / 2
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if _stays_down(middle, load, retries, growing) else (middle, high)
    return high * timeout


def _stays_down(outage: float, load: float, retries: int, growing: int) -> bool:
    """Return whether an outage of so many timeouts is never recovered from; `growing` retries make the backlog grow.

    A try that comes when the outage begins waits for its end, and every later one for the tries in between as well,
    but shorter by its delay: outage and recovery are one line, from `outage` with the slope (tries / capacity) - 1.
    As tries of one moment share their fate, how many retries come is settled one timeout before. The wait is followed
    from bend to bend; a longer outage makes no wait shorter, which is what allows to search for the shortest.
    """
    wait = outage
    # What is settled of the next timeout: for how long, and how many retries come with each first try.
    ahead = deque([(1.0, 0)])
    while True:
        length, again = ahead.popleft()
        slope = load * (1 + again) - 1
        crossing = (1 - wait) / slope if slope else math.inf
        for part in (crossing, length - crossing) if 0 < crossing < length else (length,):
            late = wait + slope * part / 2 >= 1
            wait += slope * part
            _extend(ahead, part, min(retries, again + 1) if late else 0)
        if all(n == 0 for _, n in ahead):
            return False
        if wait >= 1 and all(n >= growing for _, n in ahead):
            return True


def _extend(stretches: deque[tuple[float, int]], length: float, count: int) -> None:
    """Append a stretch, or make the last one longer where it is of the same count."""
    if stretches and stretches[-1][1] == count:
        length += stretches.pop()[0]
    stretches.append((length, count))
