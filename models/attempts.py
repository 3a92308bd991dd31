"""Calls that fail now and then, whatever they take, and are made again: with pauses, and with a limit."""

from __future__ import annotations

import math
from itertools import accumulate
from typing import TYPE_CHECKING

from models.latency import Latency, mixed
from models.transforms import NEGLIGIBLE

if TYPE_CHECKING:
    from collections.abc import Sequence


def retried(latency: Latency, failing: float, pauses: Sequence[float]) -> tuple[Latency, float]:
    """Return the time of a call that fails with the probability `failing`, and P(it fails for good) (*exact*).

    It is made again after each of the `pauses` (s), as long as it fails; none means that it is tried once. Failures
    are told by an answer, independent of each other and of the time that it takes; waits that the call shares with its
    next try have in common what their queues keep during the pause. What is given up by a timeout is in
    `models.latency.with_timeout`. The mean number of tries, which is what load grows by, is
    (1 - failing^tries) / (1 - failing).
    """
    if not 0 <= failing <= 1 or any(not 0 <= pause < math.inf for pause in pauses):
        raise ValueError(
            f"a failure has a probability in [0, 1] and is paused after for a time >= 0, not {failing!r} and {pauses!r}"
        )
    tries = list(accumulate(pauses, lambda so_far, pause: so_far + Latency.constant(pause) + latency, initial=latency))
    weights = [failing**count * (1 - failing) for count in range(len(pauses))] + [failing ** len(pauses)]
    kept = [(weight, time) for weight, time in zip(weights, tries, strict=True) if weight > NEGLIGIBLE]
    scale = math.fsum(weight for weight, _ in kept)
    return mixed([weight / scale for weight, _ in kept], [time for _, time in kept]), failing ** len(tries)
