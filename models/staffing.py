"""Erlang's formulas the other way round: servers, or load, for a wanted loss, wait or utilization.

Servers are the fewest that meet the wish, found by doubling and halving: a few dozen evaluations at any size. Loads
are the largest that meet it, to 1e-12 relative wherever the wanted value fixes them that well, by Newton's method on
the logarithms inside a bracket. Comparisons are made on logarithms, so that a wish for 1e-400 is understood as
well.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from models.erlang import erlang_b, log_erlang_b, log_erlang_c

if TYPE_CHECKING:
    from collections.abc import Callable

_SMALLEST_LOAD = 1e-300


def servers_for_blocking(offered_load: float, blocking: float) -> int:
    """Return the fewest servers whose `erlang_b` is at most `blocking`, which lies in (0, 1]."""
    target = _log(blocking, "blocking")
    _check_load(offered_load)
    return _fewest(lambda servers: _log_b(servers, offered_load) <= target, 0)


def servers_for_wait(offered_load: float, probability: float) -> int:
    """Return the fewest servers whose `erlang_c` is at most `probability`, which lies in (0, 1]."""
    target = _log(probability, "wait")
    _check_load(offered_load)
    return _fewest(lambda servers: _log_c(servers, offered_load) <= target, _stable(offered_load))


def servers_for_utilization(offered_load: float, utilization: float) -> int:
    """Return the fewest servers that are busy at most this share of the time, which lies in (0, 1)."""
    if not 0 < utilization < 1:
        raise ValueError(f"a utilization to stay within lies in (0, 1), not {utilization!r}")
    _check_load(offered_load)
    guess = max(1, math.ceil(offered_load / utilization) - 1)
    return _fewest(lambda servers: offered_load <= utilization * servers, guess)


def servers_for_wait_mean(offered_load: float, wait: float) -> int:
    """Return the fewest servers of an M/M/c whose mean wait is at most `wait` *service times*, > 0."""
    _check_positive(wait, "a mean wait")
    _check_load(offered_load)
    target = math.log(wait)
    return _fewest(lambda c: _log_c(c, offered_load) - math.log(c - offered_load) <= target, _stable(offered_load))


def servers_for_wait_percentile(offered_load: float, wait: float, late: float) -> int:
    """Return the fewest servers of an M/M/c where at most a share `late` of arrivals waits over `wait` *service times*.

    `late` lies in (0, 1]: 0.01 for the 99th percentile; `wait` >= 0.
    """
    target = _log(late, "late")
    _check_load(offered_load)
    _check_not_negative(wait, "a wait")
    return _fewest(
        lambda c: _log_c(c, offered_load) - (c - offered_load) * wait <= target,
        _stable(offered_load),
    )


def load_for_blocking(servers: int, blocking: float) -> float:
    """Return the largest load, erlangs, whose `erlang_b` at `servers` >= 1 is at most `blocking`, in (0, 1).

    To 1e-12 relative while `blocking` is at most a half; above, the target itself fixes the load less and less well.
    """
    target = _log(blocking, "blocking")
    _check_servers(servers)
    if target == 0:
        raise ValueError("every load is blocked with a probability of at most 1")

    def excess(load: float) -> tuple[float, float]:
        return log_erlang_b(servers, load) - target, servers / load - 1 + erlang_b(servers, load)

    high = float(servers)
    while excess(high)[0] < 0:
        high *= 2
    return _largest(excess, high)


def load_for_wait(servers: int, probability: float) -> float:
    """Return the largest load, erlangs, whose `erlang_c` at `servers` >= 1 is at most `probability`, in (0, 1)."""
    return _load_of_queue(servers, _log(probability, "wait"), lambda _: (0.0, 0.0))


def load_for_utilization(servers: int, utilization: float) -> float:
    """Return the load, erlangs, that keeps `servers` busy this share of the time, in (0, 1)."""
    _check_servers(servers)
    if not 0 < utilization < 1:
        raise ValueError(f"a utilization to stay within lies in (0, 1), not {utilization!r}")
    return servers * utilization


def load_for_wait_mean(servers: int, wait: float) -> float:
    """Return the largest load, erlangs, of an M/M/c whose mean wait is at most `wait` *service times*, > 0."""
    _check_positive(wait, "a mean wait")
    return _load_of_queue(servers, math.log(wait), lambda spare: (-math.log(spare), 1 / spare))


def load_for_wait_percentile(servers: int, wait: float, late: float) -> float:
    """Return the largest load, erlangs, at which at most a share `late` waits over `wait` *service times*.

    `late` lies in (0, 1); `wait` >= 0.
    """
    _check_not_negative(wait, "a wait")
    return _load_of_queue(servers, _log(late, "late"), lambda spare: (-spare * wait, wait))


def _load_of_queue(servers: int, target: float, further: Callable[[float], tuple[float, float]]) -> float:
    """Return the largest load with log C + further(c - a) <= target; `further` gives value and slope in the load."""
    _check_servers(servers)
    if target == 0 and further(1.0) == (0.0, 0.0):
        raise ValueError("every load waits with a probability of at most 1")

    def excess(load: float) -> tuple[float, float]:
        spare = servers - load
        blocking = erlang_b(servers, load)
        growth = servers / load - 1 + blocking
        slope = growth + (1 - blocking - load * blocking * growth) / (spare + load * blocking)
        more, steeper = further(spare)
        return log_erlang_c(servers, load) + more - target, slope + steeper

    return _largest(excess, math.nextafter(servers, 0))


def _largest(excess: Callable[[float], tuple[float, float]], high: float) -> float:
    """Return where an increasing function of the load crosses 0: Newton in the logarithm of the load, kept inside."""
    low, load = _SMALLEST_LOAD, high / 2
    if excess(high)[0] <= 0:
        return high
    for _ in range(200):
        value, slope = excess(load)
        low, high = (load, high) if value <= 0 else (low, load)
        if math.nextafter(low, high) >= high:
            break
        step = load * math.exp(max(min(-value / (load * slope), 700.0), -700.0)) if slope > 0 else 0.0
        if not low < step < high or high - low < 4e-16 * high:
            step = math.sqrt(low) * math.sqrt(high) if high > 4 * low else low + (high - low) / 2
        if abs(step - load) <= 1e-15 * load:
            return step
        load = step
    return low


def _fewest(enough: Callable[[int], bool], least: int) -> int:
    """Return the smallest count >= least that is enough: gallop up, then halve the interval."""
    if enough(least):
        return least
    step = 1
    while not enough(least + step):
        step *= 2
    low, high = least + step // 2, least + step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _log_b(servers: int, offered_load: float) -> float:
    return log_erlang_b(servers, offered_load) if offered_load else (-math.inf if servers else 0.0)


def _log_c(servers: int, offered_load: float) -> float:
    return log_erlang_c(servers, offered_load) if offered_load else -math.inf


def _stable(offered_load: float) -> int:
    return int(offered_load) + 1


def _log(probability: float, what: str) -> float:
    if not 0 < probability <= 1:
        raise ValueError(f"a {what} probability lies in (0, 1], not {probability!r}")
    return math.log(probability)


def _check_load(offered_load: float) -> None:
    if not 0 <= offered_load < math.inf:
        raise ValueError(f"the offered load must be a finite number of erlangs >= 0, not {offered_load!r}")


def _check_servers(servers: int) -> None:
    if not (servers >= 1 and servers == int(servers)):
        raise ValueError(f"a queue needs a whole number of servers, at least one, not {servers!r}")


def _check_positive(value: float, what: str) -> None:
    if not 0 < value < math.inf:
        raise ValueError(f"{what} must be a finite number of service times > 0, not {value!r}")


def _check_not_negative(value: float, what: str) -> None:
    if not 0 <= value < math.inf:
        raise ValueError(f"{what} must be a finite number of service times >= 0, not {value!r}")
