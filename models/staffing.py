"""Erlang's formulas the other way round: servers, or load, for a wanted loss, wait or utilization.

Servers are the fewest that meet the wish, found by doubling and halving: a few dozen evaluations at any size. Loads
are the largest that meet it, to 1e-12 relative wherever the wanted value fixes them that well, by Newton's method on
the logarithms inside a bracket. Comparisons are made on logarithms, so that a wish for 1e-400 is understood as
well. Every function takes numbers or arrays, broadcast together, of which the first that has no meaning is named:
`models.searching` finds those of an array together.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, overload

from models.elementwise import larger, log, numbers, require, single, whole
from models.erlang import blocking_and_logarithm, log_erlang_c, log_waits

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]
    Counts = NDArray[np.int64]

_SMALLEST_LOAD = 1e-300


@overload
def servers_for_blocking(offered_load: float, blocking: float) -> int: ...
@overload
def servers_for_blocking(offered_load: ArrayLike, blocking: ArrayLike) -> Counts | int: ...
def servers_for_blocking(offered_load: Any, blocking: Any) -> Any:
    """Return the fewest servers whose `erlang_b` is at most `blocking`, which lies in (0, 1]."""
    load, blocking = numbers(offered_load, blocking)
    target = _log(blocking, "blocking")
    _check_load(load)
    return _servers(_blocked, 0, load, target)


@overload
def servers_for_wait(offered_load: float, probability: float) -> int: ...
@overload
def servers_for_wait(offered_load: ArrayLike, probability: ArrayLike) -> Counts | int: ...
def servers_for_wait(offered_load: Any, probability: Any) -> Any:
    """Return the fewest servers whose `erlang_c` is at most `probability`, which lies in (0, 1]."""
    load, probability = numbers(offered_load, probability)
    target = _log(probability, "wait")
    _check_load(load)
    return _servers(_waiting, 1, load, target)


@overload
def servers_for_utilization(offered_load: float, utilization: float) -> int: ...
@overload
def servers_for_utilization(offered_load: ArrayLike, utilization: ArrayLike) -> Counts | int: ...
def servers_for_utilization(offered_load: Any, utilization: Any) -> Any:
    """Return the fewest servers that are busy at most this share of the time, which lies in (0, 1)."""
    load, share = numbers(offered_load, utilization)
    _check_share(share)
    _check_load(load)
    if single(load):
        return _fewest(lambda servers: load <= share * servers, max(1, math.ceil(load / share) - 1))
    from models.searching import counted  # noqa: PLC0415, for arrays only

    # A division may be a server off by its rounding.
    servers = larger(-(-load // share) - 1, 1.0)
    for _ in range(2):
        servers = servers + (load > share * servers)
    return counted(servers)


@overload
def servers_for_wait_mean(offered_load: float, wait: float) -> int: ...
@overload
def servers_for_wait_mean(offered_load: ArrayLike, wait: ArrayLike) -> Counts | int: ...
def servers_for_wait_mean(offered_load: Any, wait: Any) -> Any:
    """Return the fewest servers of an M/M/c whose mean wait is at most `wait` *service times*, > 0."""
    load, wait = numbers(offered_load, wait)
    _check_positive(wait, "a mean wait")
    _check_load(load)
    return _servers(_waiting_long, 1, load, log(wait))


@overload
def servers_for_wait_percentile(offered_load: float, wait: float, late: float) -> int: ...
@overload
def servers_for_wait_percentile(offered_load: ArrayLike, wait: ArrayLike, late: ArrayLike) -> Counts | int: ...
def servers_for_wait_percentile(offered_load: Any, wait: Any, late: Any) -> Any:
    """Return the fewest servers of an M/M/c where at most a share `late` of arrivals waits over `wait` *service times*.

    `late` lies in (0, 1]: 0.01 for the 99th percentile; `wait` >= 0.
    """
    load, wait, late = numbers(offered_load, wait, late)
    target = _log(late, "late")
    _check_load(load)
    _check_not_negative(wait, "a wait")
    return _servers(_waiting_over, 1, load, wait, target)


@overload
def load_for_blocking(servers: int, blocking: float) -> float: ...
@overload
def load_for_blocking(servers: ArrayLike, blocking: ArrayLike) -> Array | float: ...
def load_for_blocking(servers: Any, blocking: Any) -> Any:
    """Return the largest load, erlangs, whose `erlang_b` at `servers` >= 1 is at most `blocking`, in (0, 1).

    To 1e-12 relative while `blocking` is at most a half; above, the target itself fixes the load less and less well.
    """
    servers, blocking = numbers(servers, blocking)
    target = _log(blocking, "blocking")
    servers = _check_servers(servers)
    require(target != 0, "every load is blocked with a probability of at most 1")
    if single(target):
        high = float(servers)
        while _load_blocked(high, servers, target)[0] < 0:
            high *= 2
        return _largest(lambda load: _load_blocked(load, servers, target), high)
    from models.searching import above, largest  # noqa: PLC0415, for arrays only

    flat = (servers.ravel(), target.ravel())
    return largest(_load_blocked, above(_load_blocked, flat), _SMALLEST_LOAD, flat).reshape(target.shape)


@overload
def load_for_wait(servers: int, probability: float) -> float: ...
@overload
def load_for_wait(servers: ArrayLike, probability: ArrayLike) -> Array | float: ...
def load_for_wait(servers: Any, probability: Any) -> Any:
    """Return the largest load, erlangs, whose `erlang_c` at `servers` >= 1 is at most `probability`, in (0, 1)."""
    servers, probability = numbers(servers, probability)
    target = _log(probability, "wait")
    require(target != 0, "every load waits with a probability of at most 1")
    return _load_of_queue(_load_waiting, servers, target)


@overload
def load_for_utilization(servers: int, utilization: float) -> float: ...
@overload
def load_for_utilization(servers: ArrayLike, utilization: ArrayLike) -> Array | float: ...
def load_for_utilization(servers: Any, utilization: Any) -> Any:
    """Return the load, erlangs, that keeps `servers` busy this share of the time, in (0, 1)."""
    servers, share = numbers(servers, utilization)
    servers = _check_servers(servers)
    _check_share(share)
    return servers * share


@overload
def load_for_wait_mean(servers: int, wait: float) -> float: ...
@overload
def load_for_wait_mean(servers: ArrayLike, wait: ArrayLike) -> Array | float: ...
def load_for_wait_mean(servers: Any, wait: Any) -> Any:
    """Return the largest load, erlangs, of an M/M/c whose mean wait is at most `wait` *service times*, > 0."""
    servers, wait = numbers(servers, wait)
    _check_positive(wait, "a mean wait")
    return _load_of_queue(_load_waiting_long, servers, log(wait))


@overload
def load_for_wait_percentile(servers: int, wait: float, late: float) -> float: ...
@overload
def load_for_wait_percentile(servers: ArrayLike, wait: ArrayLike, late: ArrayLike) -> Array | float: ...
def load_for_wait_percentile(servers: Any, wait: Any, late: Any) -> Any:
    """Return the largest load, erlangs, at which at most a share `late` waits over `wait` *service times*.

    `late` lies in (0, 1); `wait` >= 0.
    """
    servers, wait, late = numbers(servers, wait, late)
    _check_not_negative(wait, "a wait")
    target = _log(late, "late")
    require((target != 0) | (wait != 0), "every load waits with a probability of at most 1")
    return _load_of_queue(_load_waiting_over, servers, wait, target)


def _blocked(servers: Any, load: Any, target: Any) -> Any:
    """Return by how much ln B exceeds its target."""
    if single(load) and load == 0:
        return (-math.inf if servers else 0.0) - target
    return blocking_and_logarithm(servers, load)[1] - target


def _log_c(servers: Any, load: Any) -> Any:
    return -math.inf if single(load) and load == 0 else log_erlang_c(servers, load)


def _waiting(servers: Any, load: Any, target: Any) -> Any:
    """Return by how much ln C exceeds its target."""
    return _log_c(servers, load) - target


def _waiting_long(servers: Any, load: Any, target: Any) -> Any:
    """Return by how much the logarithm of the mean wait, in service times, exceeds its target."""
    return _log_c(servers, load) - log(servers - load) - target


def _waiting_over(servers: Any, load: Any, wait: Any, target: Any) -> Any:
    """Return by how much the logarithm of P(wait longer), `wait` in service times, exceeds its target."""
    return _log_c(servers, load) - (servers - load) * wait - target


def _load_blocked(load: Any, servers: Any, target: Any) -> tuple[Any, Any]:
    """Return by how much ln B exceeds its target, and the slope of that in the load."""
    blocking, logarithm = blocking_and_logarithm(servers, load)
    return logarithm - target, servers / load - 1 + blocking


def _load_waiting(load: Any, servers: Any, target: Any) -> tuple[Any, Any]:
    """Return by how much ln C exceeds its target, and the slope of that in the load."""
    spare = servers - load
    blocking, logarithm = blocking_and_logarithm(servers, load)
    growth = servers / load - 1 + blocking
    slope = growth + (1 - blocking - load * blocking * growth) / (spare + load * blocking)
    return log_waits(servers, load, blocking, logarithm) - target, slope


def _load_waiting_long(load: Any, servers: Any, target: Any) -> tuple[Any, Any]:
    """Return the same of the mean wait, in service times."""
    value, slope = _load_waiting(load, servers, target)
    return value - log(servers - load), slope + 1 / (servers - load)


def _load_waiting_over(load: Any, servers: Any, wait: Any, target: Any) -> tuple[Any, Any]:
    """Return the same of P(wait longer), `wait` in service times."""
    value, slope = _load_waiting(load, servers, target)
    return value - (servers - load) * wait, slope + wait


def _servers(rule: Callable[..., Any], least: int, load: Any, *wish: Any) -> Any:
    """Return the fewest servers, at least `least` and, of a queue, more than the load, at which a rule is met."""
    if single(load):
        start = int(load) + 1 if least else 0
        return _fewest(lambda servers: rule(servers, load, *wish) <= 0, start)
    from models.searching import fewest  # noqa: PLC0415, for arrays only

    return fewest(rule, least, (load, *wish), lambda *given: _servers(rule, least, *given))


def _load_of_queue(rule: Callable[..., Any], servers: Any, *wish: Any) -> Any:
    """Return the largest load at which a rule of a queue is met."""
    servers = _check_servers(servers)
    if single(servers):
        return _largest(lambda load: rule(load, servers, *wish), math.nextafter(servers, 0))
    import numpy as np  # noqa: PLC0415

    from models.searching import largest  # noqa: PLC0415, for arrays only

    flat = tuple(part.ravel() for part in (servers, *wish))
    return largest(rule, np.nextafter(flat[0], 0), _SMALLEST_LOAD, flat).reshape(servers.shape)


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
        # Close to the end a step may leave the bracket by its rounding, which is no reason to halve it.
        if abs(step - load) <= 1e-15 * load:
            return step
        if not low < step < high or high - low < 4e-16 * high:
            step = math.sqrt(low) * math.sqrt(high) if high > 4 * low else low + (high - low) / 2
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


def _log(probability: Any, what: str) -> Any:
    require((probability > 0) & (probability <= 1), f"a {what} probability lies in (0, 1], not {{!r}}", probability)
    return log(probability)


def _check_load(load: Any) -> None:
    fine = (load >= 0) & (load < math.inf)
    require(fine, "the offered load must be a finite number of erlangs >= 0, not {!r}", load)


def _check_servers(servers: Any) -> Any:
    """Return servers that are as many as a queue needs, as whole numbers."""
    wanted = "a queue needs a whole number of servers, at least one, not {!r}"
    require(servers >= 1, wanted, servers)
    return whole(servers, wanted)


def _check_share(utilization: Any) -> None:
    fine = (utilization > 0) & (utilization < 1)
    require(fine, "a utilization to stay within lies in (0, 1), not {!r}", utilization)


def _check_positive(value: Any, what: str) -> None:
    fine = (value > 0) & (value < math.inf)
    require(fine, f"{what} must be a finite number of service times > 0, not {{!r}}", value)


def _check_not_negative(value: Any, what: str) -> None:
    fine = (value >= 0) & (value < math.inf)
    require(fine, f"{what} must be a finite number of service times >= 0, not {{!r}}", value)
