"""Hit ratios by the characteristic time: an implicit equation over all objects, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import mpmath
from sympy import Integer, exp

from models.formulas.formula import DIGITS, Difference, Formula, Quantity, Step
from models.formulas.symbols import RATE, real

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SHARE: Final = real("p", "share of the requests that ask for one object")
READS: Final = real("r", "reads of the object", "/s")
WRITTEN: Final = real("omega", "writes to all objects", "/s")
GONE: Final = real("x", "writes to the object, which make it invalid", "/s")
TIME: Final = real("T", "characteristic time: how long an object stays unless it is asked for", "s")
TTL: Final = real("D", "time to live", "s")
STAY: Final = real("M", "mean time that the object stays", "s")
PRESENT: Final = real("h", "share of time that the object is there")
ROOM: Final = real("K", "objects that there is room for")

_CHE: Final = "Fagin 1977; Che, Tung and Wang 2002; Martina, Garetto and Leonardi 2014"
_ERROR: Final = "LRU within 1e-4 from 100 objects on, FIFO and RANDOM from 1000 on; independent requests"


@dataclass(frozen=True)
class HitRatio:
    """The hit ratio H = sum of p h over all objects, where sum of h = K determines T if `bounded`.

    `one` is the formula of one object. *Approximate* as `models.cache` says, *exact* where only a TTL ends a stay.
    """

    one: Formula
    bounded: bool

    def value(self, given: Mapping[str, Any], shares: Sequence[float], counts: Sequence[float]) -> tuple[float, float]:
        """Return the hit ratio and the objects held, for `counts` objects of each of `shares`, T among the inputs."""
        held = [_values(self.one, given, share)[PRESENT.name] for share in shares]
        with mpmath.workdps(DIGITS):
            ratio = mpmath.fsum(n * p * h for n, p, h in zip(counts, shares, held, strict=True))
            return float(ratio), float(mpmath.fsum(n * h for n, h in zip(counts, held, strict=True)))

    def differences(
        self, given: Mapping[str, Any], shares: Sequence[float], counts: Sequence[float]
    ) -> list[Difference]:
        """Return what each input does to the hit ratio; T moves so that the objects held stay K (implicit function)."""
        by = [q for q in self.one.inputs if q not in (SHARE, TIME)] + ([TIME] if self.bounded else [])
        ratio, held = self.value(given, shares, counts)
        slopes = {q: (mpmath.mpf(0), mpmath.mpf(0)) for q in by}
        for share, count in zip(shares, counts, strict=True):
            known = _values(self.one, given, share)
            for q in by:
                slope = count * self.one._slope(q, known, DIGITS)  # noqa: SLF001, the same family
                slopes[q] = (slopes[q][0] + share * slope, slopes[q][1] + slope)
        found = []
        if self.bounded:
            of_time = slopes.pop(TIME)
            gain = of_time[0] / of_time[1]
            slopes = {q: (s - gain * objects, objects) for q, (s, objects) in slopes.items()}
            found = [Difference(ROOM, float(gain), float(gain * held / ratio) if ratio else None)]
        for q, (slope, _) in slopes.items():
            if slope:
                found.append(Difference(q, float(slope), float(slope * given[q.name] / ratio) if ratio else None))
        return found


def _values(one: Formula, given: Mapping[str, Any], share: float) -> dict[str, Any]:
    return one.values({**given, SHARE.name: share})


def hit_ratio(eviction: str, *, ttl: bool, writes: bool, bounded: bool) -> HitRatio | None:
    """Return the law of a cache; None where there is no closed form: LFU, and LRU with a TTL beyond T.

    `ttl` is whether a TTL ends stays before, or beside, the characteristic time; `bounded` whether capacity evicts.
    """
    if eviction == "lfu" or not (ttl or bounded or writes):
        return None
    read = Step(READS, SHARE.symbol * RATE.symbol)
    inputs: list[Quantity] = [SHARE, RATE]
    steps = [read]
    gone = Integer(0)
    if writes:
        inputs.append(WRITTEN)
        steps.append(Step(GONE, SHARE.symbol * WRITTEN.symbol))
        gone = GONE.symbol
    r, t, d, m = READS.symbol, TIME.symbol, TTL.symbol, STAY.symbol
    if eviction == "lru" and bounded:
        if ttl:
            return None
        inputs.append(TIME)
        steps.append(Step(PRESENT, r / (r + gone) * (1 - exp(-(r + gone) * t))))
        return HitRatio(_law(inputs, steps, exact=False), bounded)
    if eviction == "random" and bounded:
        inputs += [TIME, *([TTL] if ttl else [])]
        ends = gone + 1 / t
        stay = (1 - exp(-ends * d)) / ends if ttl else 1 / ends
    else:
        end = t if bounded else d
        inputs += [TIME] if bounded else [TTL] if ttl else []
        stay = 1 / gone if not (bounded or ttl) else (1 - exp(-gone * end)) / gone if writes else end
    steps += [Step(STAY, stay), Step(PRESENT, r * m / (1 + r * m))]
    return HitRatio(_law(inputs, steps, exact=not bounded), bounded)


def _law(inputs: list[Quantity], steps: list[Step], *, exact: bool) -> Formula:
    told = "exact for independent requests: only time ends a stay" if exact else _ERROR
    return Formula("hit ratio", tuple(inputs), tuple(steps), _CHE, exact, told)


TTL_HITS: Final = Formula(
    "hit ratio of one object with a time to live",
    (READS, TTL),
    (Step(PRESENT, READS.symbol * TTL.symbol / (1 + READS.symbol * TTL.symbol)),),
    "renewal theory; Fofack et al. 2014",
    exact=True,
    accuracy="exact for Poisson requests, a TTL from insertion and room for everything",
    solvable=("r", "D"),
)

__all__ = ["PRESENT", "ROOM", "SHARE", "TIME", "TTL", "TTL_HITS", "HitRatio", "hit_ratio"]
