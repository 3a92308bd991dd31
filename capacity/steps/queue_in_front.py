"""A queue in front of a partner or of slow writes: taken now, done later by threads that have nothing else to do."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from capacity.components.external import External
from capacity.steps.base import Proposal, Told, plain, with_calls, with_new
from capacity.units import show_seconds
from capacity.verdict import class_latency

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capacity.components.base import Call
    from capacity.steps.base import Situation, Values

NAME: Final = "queue-in-front"
TITLE: Final = "a queue in front of a partner or of slow writes"

_CPU: Final = "5ms"
_THREADS: Final = 32
_DELAY: Final = 30.0
_ROOM: Final = 4
"""Times the messages that are worked on at once on average: the partitions."""

_SLOW: Final = 0.2
"""The share of a request's time that its writes take, from which on they are slow."""

_RISKS: Final = (
    '"taken" is no longer "done": whoever asked has to be told if it fails later',
    "a message may come twice, or out of order",
    "a queue shifts work, it does none: above the rate that is taken out it only grows",
)


def proposals(situation: Situation) -> Iterator[Proposal]:
    """Yield each partner that requests wait for, and each database whose writes they wait long for."""
    for name, tier in situation.tiers.items():
        calls = situation.waited_calls(name)
        if isinstance(tier, External) and calls:
            later = "the answer may come later: nobody needs it to be answered"
            yield from _queued(situation, name, calls, f"a queue takes what waits for {name}", later)
    for name, _ in situation.databases():
        writes = [found for found in situation.waited_calls(name) if found[2].writes > 0]
        if writes and _slow(situation, name, writes):
            later = "nobody needs what was written to be answered, nor reads it at once"
            yield from _queued(situation, name, writes, f"a queue takes the writes to {name}", later)


def _slow(situation: Situation, name: str, calls: Sequence[tuple[str, int, Call]]) -> bool:
    """Return whether writes take a good part of the time that a class waits."""
    for request_class in situation.system.classes[name]:
        whole = class_latency(situation.solution, request_class)
        each = situation.solution.latency(name, request_class, "write")
        if whole is None or each is None:
            continue
        made = [c for _, _, c in calls if c.classes is None or request_class in c.classes]
        if each.mean * sum(float(c.count) * float(c.writes) for c in made) >= _SLOW * whole.mean:
            return True
    return False


def _queued(
    situation: Situation, name: str, calls: Sequence[tuple[str, int, Call]], text: str, later: str
) -> Iterator[Proposal]:
    queue, worker = situation.fresh(f"{name}-queue"), situation.fresh(f"{name}-worker")
    values = situation.values
    for caller in dict.fromkeys(caller for caller, _, _ in calls):
        there = values["components"][caller]["calls"]
        mine = {i: _split(there[i], call, queue) for c, i, call in calls if c == caller}
        values = with_calls(values, caller, mine)
    held = sum(situation.visits(caller, call) * (float(call.writes) or 1.0) for caller, _, call in calls)
    partitions = max(12, math.ceil(_ROOM * held * _usual(situation, name)))
    delay = max(_DELAY, 10 * _usual(situation, name))
    node = situation.cheapest(calls[0][0])
    tiers: dict[str, Values] = {
        queue: {"kind": "queue", "consumers": worker, "partitions": partitions, "delay": f"{delay:g}s"},
        worker: {
            "kind": "service",
            "node": node,
            "cpu_time": _CPU,
            "threads": _THREADS,
            "calls": [_last(_written(situation, calls[0]), calls[0][2], name)],
        },
    }
    values = with_new(values, calls[0][0], tiers)
    assumes = (
        later,
        f"{worker} on {node} takes {_CPU} of a core for a message, with {_THREADS} threads a node",
        f"done within {show_seconds(delay)} (p99) is soon enough; {partitions} partitions",
        "the brokers are not priced: give the queue a node for that",
    )
    yield from situation.changed(NAME, name, values, Told(f"{text}; {worker} passes them on", assumes, _RISKS))


def _written(situation: Situation, found: tuple[str, int, Call]) -> Values:
    """Return a call as the user wrote it."""
    caller, index, _ = found
    call: Values = situation.values["components"][caller]["calls"][index]
    return call


def _split(written: Values, call: Call, queue: str) -> list[Values]:
    """Return what a caller does instead: a message for each call, or for each write, and its reads as before."""
    kept = {key: written[key] for key in ("classes",) if key in written}
    if not 0 < call.writes < 1:
        return [{"to": queue, **({"count": written["count"]} if "count" in written else {}), **kept}]
    count, writes = float(call.count), float(call.writes)
    reading = {key: value for key, value in written.items() if key != "writes"}
    reads = {**reading, "count": plain(count * (1 - writes))}
    return [reads, {"to": queue, "count": plain(count * writes), **kept}]


def _last(written: Values, call: Call, name: str) -> Values:
    """Return the call that a worker makes for one message, guarded as it was."""
    kept: Values = {key: written[key] for key in ("timeout", "retries") if key in written}
    writes: Values = {"writes": "100%"} if call.writes > 0 else {}
    return {"to": name, **writes, **kept}


def _usual(situation: Situation, name: str) -> float:
    """Return how long one message holds a thread: the time of the partner itself, or of a write; s."""
    tier = situation.tiers[name]
    if isinstance(tier, External):
        return float(tier.latency)
    return float(getattr(tier, "write_time", 0.0))
