"""One queue: which model answers for it, and the number that makes all that is wanted true."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from capacity.errors import UsageError
from models.erlang import erlang_c
from models.impatience import impatient
from models.latency import Latency
from models.loss import finite_room, loss_system
from models.service_time import from_moments
from models.sharing import processor_sharing
from models.stations import ggc, mgc

if TYPE_CHECKING:
    from collections.abc import Callable

    from models.steady import SteadyState

SEARCHED_STATES: Final = 150
"""The exact chain takes a tenth of a second up to here: as long as a search may take for each step."""

SHOWN_STATES: Final = 250
"""The exact chain takes a few seconds up to here: as long as one answer may take."""

_NOBODY: Final = 1e-12
"""Where so few wait, the approximation is exact to all digits that are shown, and the chain has none to add."""

MOST_SERVERS: Final = 1_000_000
_ROUNDING: Final = 1e-9
"""100/s for 9 ms keep one server 90% busy: what is met but for the last digits is met."""
_MOST_TIMES: Final = 1e6
"""A load of so many times the servers breaks whatever can be broken."""


@dataclass(frozen=True, kw_only=True)
class Queue:
    """What is known of a queue: 1/s, s, servers; `limit` and `patience` None: endless."""

    rate: float
    service: float
    servers: int
    cv2: float = 1.0
    arrival_cv2: float = 1.0
    limit: int | None = None
    patience: float | None = None
    patience_cv2: float = 1.0
    sharing: bool = False
    exact_states: int = SHOWN_STATES

    @property
    def load(self) -> float:
        """Erlangs offered."""
        return self.rate * self.service

    @property
    def endless(self) -> bool:
        """Whether nobody is turned away and nobody gives up: it can then be overloaded."""
        return self.limit is None and self.patience is None


def check(queue: Queue) -> None:
    """Raise UsageError where no model of ours answers for what was given together."""
    plain = queue.cv2 == 1 and queue.arrival_cv2 == 1
    if queue.limit is not None and queue.patience is not None:
        raise UsageError("--limit and --patience: no model has both; leave out one")
    if queue.patience is not None and not plain:
        raise UsageError(
            "--patience: known for Poisson arrivals and exponential service; leave out --cv2, --arrival-cv2"
        )
    if queue.sharing and not (queue.endless and queue.arrival_cv2 == 1):
        raise UsageError("--order sharing: known for Poisson arrivals without --limit and --patience")
    if queue.limit is not None:
        if queue.limit < queue.servers:
            raise UsageError(f"--limit: found {queue.limit}; allowed: at least the {queue.servers} servers")
        if queue.arrival_cv2 != 1 or (queue.cv2 != 1 and queue.limit > queue.servers):
            raise UsageError(
                "--limit: known for Poisson arrivals and exponential service (any service where the limit is the "
                "servers); leave out --cv2 and --arrival-cv2"
            )


def state(queue: Queue) -> SteadyState:
    """Return the state of a queue; raises UnstableQueueError where there is none."""
    if queue.patience is not None:
        return impatient(queue.rate, queue.service, queue.servers, from_moments(queue.patience, queue.patience_cv2))
    service = from_moments(queue.service, queue.cv2)
    if queue.limit is not None:
        if queue.limit == queue.servers:
            return loss_system(queue.rate, service, queue.servers)
        return finite_room(queue.rate, queue.service, queue.servers, queue.limit)
    if queue.sharing:
        return processor_sharing(queue.rate, queue.service, queue.servers)
    if queue.arrival_cv2 == 1:
        return mgc(queue.rate, service, queue.servers, queue.exact_states)
    return ggc(queue.rate, queue.arrival_cv2, service, queue.servers, queue.exact_states)


@dataclass(frozen=True)
class Wish:
    """One thing that is wanted: by its option, and what it is in a state."""

    name: str
    label: str
    unit: str
    most: float
    value: Callable[[SteadyState], float]


def _response(fraction: float) -> Callable[[SteadyState], float]:
    return lambda s: s.response_percentile(fraction)


def lost(found: SteadyState) -> float:
    """Return the share of what arrives that is turned away or gives up."""
    return found.blocking + (1 - found.blocking) * found.abandonment


WISHES: Final[dict[str, tuple[str, str, Callable[[SteadyState], float]]]] = {
    "p50": ("response p50", "s", _response(0.5)),
    "p90": ("response p90", "s", _response(0.9)),
    "p95": ("response p95", "s", _response(0.95)),
    "p99": ("response p99", "s", _response(0.99)),
    "p999": ("response p99.9", "s", _response(0.999)),
    "mean": ("mean response", "s", lambda s: s.response_mean),
    "wait_mean": ("mean wait", "s", lambda s: s.wait_mean),
    "wait_p99": ("wait p99", "s", lambda s: s.wait_percentile(0.99)),
    "wait_probability": ("share that waits", "share", lambda s: s.wait_probability),
    "utilization": ("utilization", "share", lambda s: s.utilization),
    "lost": ("lost", "share", lost),
}
"""What may be wanted: its name for people, its unit, and what it is."""


def excess(queue: Queue, wishes: tuple[Wish, ...]) -> float:
    """Return by how much the worst wish is missed, as a logarithm: 0 or less is met, infinite without a state."""
    try:
        if queue.endless and not queue.sharing and erlang_c(queue.servers, queue.load) < _NOBODY:
            queue = replace(queue, exact_states=1)
        found = state(queue)
        return max(_over(wish.value(found), wish.most) for wish in wishes)
    except ValueError:
        # Overloaded, or so close to it that no model follows.
        return math.inf


def _over(value: float, most: float) -> float:
    return math.log(value / most) if value > 0 else -50.0


def unloaded(queue: Queue, wishes: tuple[Wish, ...]) -> list[Wish]:
    """Return the wishes that even an idle queue misses: the service alone takes longer."""
    service = Latency.of(from_moments(queue.service, queue.cv2))
    fractions = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}
    alone = {"mean": service.mean, **{name: service.percentile(f) for name, f in fractions.items()}}
    return [wish for wish in wishes if wish.name in alone and alone[wish.name] > wish.most * (1 - 1e-9)]


def fewest_servers(queue: Queue, wishes: tuple[Wish, ...], tick: Callable[[int], None]) -> int | None:
    """Return the fewest servers with which every wish is met; None where no number is enough.

    A search with the approximation first: the exact chain is then asked for a few neighbours only.
    """
    most = MOST_SERVERS if queue.limit is None else queue.limit
    least = min(math.floor(queue.load) + 1, most) if queue.endless else 1
    asked = 0

    def enough(servers: int, states: int) -> bool:
        nonlocal asked
        asked += 1
        tick(asked)
        return excess(replace(queue, servers=servers, exact_states=states), wishes) <= _ROUNDING

    rough = _first(lambda c: enough(c, 1), least, least, most)
    return _first(lambda c: enough(c, queue.exact_states), least, rough or least, most)


def _first(enough: Callable[[int], bool], least: int, start: int, most: int) -> int | None:
    """Return the first count that is enough, by steps that double from `start` on, down or up, and then halve."""
    step = 1
    if enough(start):
        low, high = start, start
        while low > least:
            low = max(high - step, least)
            if not enough(low):
                break
            high, step = low, step * 2
        else:
            return high
    else:
        low, high = start, start
        while True:
            if high >= most:
                return None
            low, high = high, min(high + step, most)
            if enough(high):
                break
            step *= 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def largest(queue: Queue, wishes: tuple[Wish, ...], name: str, tick: Callable[[int], None]) -> float | None:
    """Return the largest rate or service with which every wish is met, to 1e-8; None where none is.

    Infinite where no load breaks a wish, as where whoever finds the places taken is turned away. The approximation is
    searched first: the exact chain is then asked next to what it found.
    """
    whole = queue.servers / (queue.service if name == "rate" else queue.rate)
    asked = 0

    def over(value: float, states: int) -> float:
        nonlocal asked
        asked += 1
        tick(asked)
        changed = replace(queue, rate=value) if name == "rate" else replace(queue, service=value)
        return excess(replace(changed, exact_states=states), wishes)

    low, high = whole * 1e-9, whole * (1 if queue.endless else _MOST_TIMES)
    if over(low, 1) > 0:
        return None
    if not queue.endless and over(high, 1) <= 0:
        return math.inf
    rough = _crossing(lambda value: over(value, 1), low, high)
    near, far = rough * 0.97, min(rough * 1.03, high)
    low = near if over(near, queue.exact_states) <= 0 else low
    high = far if low == near and over(far, queue.exact_states) > 0 else high if low == near else near
    return _crossing(lambda value: over(value, queue.exact_states), low, high)


def _crossing(over: Callable[[float], float], low: float, high: float) -> float:
    """Return the last value with over <= 0: halving while the upper end has no state, then Illinois' false position."""
    at_low, at_high, raised = over(low), over(high), 0
    for _ in range(200):
        if high - low <= 1e-8 * high:
            break
        if math.isfinite(at_high) and high < 2 * low:
            value = (low * at_high - high * at_low) / (at_high - at_low)
            value = min(max(value, low + 2e-9 * high), high - 2e-9 * high)
        else:
            value = math.sqrt(low * high) if high > 4 * low else (low + high) / 2
        found = over(value)
        if found <= 0:
            low, at_low, at_high = value, found, at_high / 2 if raised > 0 else at_high
            raised = 1
        else:
            high, at_high, at_low = value, found, at_low / 2 if raised < 0 else at_low
            raised = -1
    return low
