"""One-way delays of messages as published fits give them: mixtures of exponential and Pareto tails from a least delay.

Heavy tails have no transform that could be inverted, so that these are values of their own, with tails on arrays and
integrals over one of them against functions that are smooth from its least delay on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from models.quadrature import gauss_legendre

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.transforms import Floats

_NODES: Final = 24
_REACH: Final = 23.0
"""A part is integrated up to where exp(-23) = 1e-10 of it is left."""


@dataclass(frozen=True)
class Part:
    """A delay of at least `least` seconds: exponential beyond it, of mean `mean`, or Pareto of index `shape`.

    One of the two is 0. The tail is exp(-z) with z = (t - least) / mean, or z = shape ln(t / least).
    """

    weight: float
    least: float
    mean: float = 0.0
    shape: float = 0.0

    def depth(self, times: Floats) -> Floats:
        """Return z, the negative logarithm of the tail, 0 up to the least delay."""
        if self.shape:
            return self.shape * np.log(np.maximum(times / self.least, 1.0))
        return np.maximum(times - self.least, 0.0) / self.mean

    def time(self, depth: Floats) -> Floats:
        """Return the time at which the tail is exp(-z)."""
        if self.shape:
            return self.least * np.exp(depth / self.shape)
        return self.least + self.mean * depth


@dataclass(frozen=True)
class Message:
    """A one-way delay in seconds: a mixture of parts whose weights sum to 1."""

    parts: tuple[Part, ...]
    shift: float = 0.0
    """A constant distance on top."""

    def tail(self, times: Floats) -> Floats:
        """Return P(delay > t) for an array of times in seconds (*exact*)."""
        result = np.zeros(np.shape(times))
        for part in self.parts:
            result += part.weight * np.exp(-part.depth(times - self.shift))
        return result

    def within(self, times: Floats) -> Floats:
        """Return P(delay <= t) with its own digits, for an array of times in seconds (*exact*)."""
        result = np.zeros(np.shape(times))
        for part in self.parts:
            result -= part.weight * np.expm1(-part.depth(times - self.shift))
        return result

    @property
    def mean(self) -> float:
        """Seconds; infinite for a Pareto index up to 1."""
        total = self.shift
        for part in self.parts:
            if not part.shape:
                total += part.weight * (part.least + part.mean)
            elif part.shape <= 1:
                return math.inf
            else:
                total += part.weight * part.least * part.shape / (part.shape - 1)
        return total

    def farther(self, distance: float) -> Message:
        """Return the same delay, a constant number of seconds longer."""
        return Message(self.parts, self.shift + distance)

    def slowed(self, factor: float) -> Message:
        """Return `factor` > 0 times this delay."""
        parts = tuple(Part(p.weight, p.least * factor, p.mean * factor, p.shape) for p in self.parts)
        return Message(parts, self.shift * factor)


def exponential_message(mean: float, least: float = 0.0) -> Message:
    """Return a delay of at least `least` seconds with an exponential rest; `mean` > `least` is of the whole."""
    if not 0 <= least < mean < math.inf:
        raise ValueError(f"a delay needs 0 <= least < mean, finite, not least {least!r} and mean {mean!r}")
    return Message((Part(1.0, least, mean - least),))


def pareto_message(least: float, shape: float) -> Message:
    """Return the Pareto delay with P(delay > t) = (least / t)**shape, t >= least > 0 in seconds."""
    if not (0 < least < math.inf and 0 < shape < math.inf):
        raise ValueError(f"a Pareto delay needs least > 0 and shape > 0, not {least!r} and {shape!r}")
    return Message((Part(1.0, least, shape=shape),))


def mixed_message(weights: Sequence[float], messages: Sequence[Message]) -> Message:
    """Return one delay or another, with probabilities in proportion to `weights`; none may have a shift."""
    whole = math.fsum(weights)
    if any(m.shift for m in messages):
        raise ValueError("delays are mixed before they are shifted")
    return Message(
        tuple(
            Part(p.weight * w / whole, p.least, p.mean, p.shape)
            for w, m in zip(weights, messages, strict=True)
            for p in m.parts
        )
    )


def both_within(first: Message, second: Message, times: Floats) -> Floats:
    """Return P(first + second <= t) for an array of times in seconds (*approximate*: quadrature, 1e-7 absolute)."""
    result = np.zeros(np.shape(times))
    total = times - first.shift - second.shift
    for a in first.parts:
        for b in second.parts:
            depth, weights = _up_to(a, total - b.least)
            rest = -np.expm1(-b.depth(total[..., None] - a.time(depth)))
            result += a.weight * b.weight * (weights * rest).sum(axis=-1)
    return result


def late_write(write: Message, read: Message, response: Message, written: Floats, until: Floats) -> Floats:
    """Return P(read + response <= until, write > written + read), `written` along rows and `until` along columns.

    The chance that a replica answers in time, and with an old value. *Approximate*: quadrature, 1e-7 absolute.
    """
    total = until - read.shift - response.shift
    since = written + read.shift - write.shift
    result = np.zeros((len(written), len(until)))
    for a in read.parts:
        for b in response.parts:
            if (total <= a.least + b.least).all():
                continue
            depth, weights = _up_to(a, total - b.least)
            arrival = a.time(depth)
            answered = -weights * np.expm1(-b.depth(total[:, None] - arrival))
            for c in write.parts:
                # A write's tail bends where it begins: what is before that bend is integrated apart from the rest.
                bend = a.depth(c.least - since)
                whole, weight = bend == 0, a.weight * b.weight * c.weight
                missing = np.exp(-c.depth(since[whole, None, None] + arrival))
                result[whole] += weight * (answered * missing).sum(axis=-1)
                if not whole.all():
                    result[~whole] += weight * _around((a, b, c), total, since[~whole], bend[~whole])
    return result


def _around(parts: tuple[Part, Part, Part], total: Floats, since: Floats, bend: Floats) -> Floats:
    """Return the integral of `late_write` for one part of each message, in two pieces that meet at `bend`."""
    a, b, c = parts
    end = np.minimum(a.depth(total - b.least), _REACH)[None, :]
    middle = np.minimum(bend[:, None], end)
    result = np.zeros(np.broadcast_shapes(middle.shape, end.shape))
    nodes, weights = _squared()
    for low, high in ((np.zeros_like(middle), middle), (middle, np.broadcast_to(end, middle.shape))):
        if (high <= low).all():
            continue
        depth = low[..., None] + (high - low)[..., None] * nodes
        arrival = a.time(depth)
        answered = -np.expm1(-b.depth(total[None, :, None] - arrival))
        missing = np.exp(-c.depth(since[:, None, None] + arrival) - depth)
        result += (high - low) * (weights * answered * missing).sum(axis=-1)
    return result


def _up_to(part: Part, end: Floats) -> tuple[Floats, Floats]:
    """Return depths from the part's least delay up to a time, and weights that integrate over its distribution."""
    reach = np.minimum(part.depth(end), _REACH)[..., None]
    nodes, weights = _squared()
    depth = reach * nodes
    return depth, reach * weights * np.exp(-depth)


def _squared() -> tuple[Floats, Floats]:
    """Return nodes on [0, 1] that are closer together at 0, where most of a delay lies."""
    nodes, weights = gauss_legendre(_NODES)
    return nodes**2, 2 * nodes * weights
