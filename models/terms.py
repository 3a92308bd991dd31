"""The paths that a response time is a mixture of: what each takes, and how paths that are alike are made one."""

from __future__ import annotations

import math
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from models.revisits import Marks, Span, forgetting, shared_waits
from models.transforms import INSTANT, Delay, Transform, flat, mixture, summed, total

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

MOST_TERMS = 64
"""Beyond this many distinct terms the lightest are folded: marks become independent, shifts become transforms."""

_KEPT = MOST_TERMS - 2
"""Of too many terms, those that stay as they are; the others become one term of each sign."""


class Term(NamedTuple):
    """One path of a mixture: with probability `weight`, `shift` seconds plus `smooth` plus what is marked.

    A negative weight takes away again what a timeout cuts off; the weights of a latency sum to 1. There is a span for
    each mark, which tells when on the path its queue is visited.
    """

    weight: float
    shift: float
    smooth: Transform
    marks: Marks
    spans: tuple[Span, ...] = ()

    @property
    def mean(self) -> float:
        """Seconds (*exact*)."""
        mean = self.shift + self.smooth.mean
        for wait, n in self.marks:
            mean += n * wait.mean
        return mean

    @property
    def waits(self) -> tuple[Transform, ...]:
        """The wait at each queue, all visits together."""
        return shared_waits(self.marks, self.spans, forgetting(self.marks, self.smooth.variance))

    def whole(self) -> Transform:
        """Return the part after the shift as one transform; equal marks are visits to one queue."""
        smooth, waits = self.smooth, self.waits
        if not waits:
            return smooth
        return summed(waits if smooth is INSTANT else (smooth, *waits))

    def weighted(self, factor: float) -> Term:
        """Return this path, `factor` times as probable."""
        return Term(self.weight * factor, self.shift, self.smooth, self.marks, self.spans)

    def exchanged(self, replaced: Mapping[Transform, Transform]) -> Term:
        """Return this path with other waits in place of some: everything after them begins as much earlier or later."""
        marks = tuple((replaced.get(wait, wait), n) for wait, n in self.marks)
        changes = [
            (span, old.mean - new.mean)
            for (old, _), (new, _), span in zip(self.marks, marks, self.spans, strict=True)
            if new is not old
        ]
        spans = tuple(
            span._replace(
                first=span.first - sum(earlier * each.before(span.first) for each, earlier in changes),
                last=span.last - sum(earlier * each.before(span.last) for each, earlier in changes),
            )
            for span in self.spans
        )
        return self._replace(marks=marks, spans=spans)

    def scaled(self, factor: float) -> tuple[Span, ...]:
        """Return the spans of a path on which everything takes `factor` times as long."""
        return tuple(Span(span.first * factor, span.last * factor, span.visits) for span in self.spans)


def followed(first: Term, others: Iterable[Term]) -> list[Term]:
    """Return a path followed by one or another."""
    later, own, begun = first.mean, {wait for wait, _ in first.marks}, first.smooth
    found = []
    for other in others:
        marks, spans = first.marks, first.spans
        if other.marks:
            after = [Span(later + begin, later + end, visits) for begin, end, visits in other.spans]
            if own.isdisjoint(map(_WAIT, other.marks)):
                marks, spans = marks + other.marks, (*spans, *after)
            else:
                marks, spans = _joined(first, other.marks, after)
        smooth = other.smooth
        if begun is not INSTANT:
            smooth = begun if smooth is INSTANT else summed((begun, smooth))
        found.append(Term(first.weight * other.weight, first.shift + other.shift, smooth, marks, spans))
    return found


_WAIT: Final = itemgetter(0)
"""Of a mark, what is waited."""


def _joined(path: Term, marks: Marks, later: Sequence[Span]) -> tuple[Marks, tuple[Span, ...]]:
    """Return the visits of a path and of what follows it, some of them to the same queues."""
    counts = dict(path.marks)
    spans = {wait: span for (wait, _), span in zip(path.marks, path.spans, strict=True)}
    for (wait, n), span in zip(marks, later, strict=True):
        before = spans.get(wait)
        counts[wait] = counts.get(wait, 0) + n
        spans[wait] = span if before is None else Span(before.first, span.last, before.visits + span.visits)
    return tuple(counts.items()), tuple(spans.values())


def alternatives(weights: Sequence[float], wholes: Sequence[Transform]) -> Transform:
    """Return what one or another path takes, with these weights, which sum to 1.

    What all of them have in common is a factor of the transform, and is multiplied once.
    """
    if len(wholes) == 1:
        return wholes[0]
    parts = [flat(whole) for whole in wholes]
    common = set(parts[0]).intersection(*parts[1:])
    if not common:
        return mixture(weights, wholes)
    others = [total(_without(some, common)) for some in parts]
    return total([*(part for part in dict.fromkeys(parts[0]) if part in common), mixture(weights, others)])


def _without(parts: Sequence[Transform], taken: set[Transform]) -> list[Transform]:
    """Return the parts without one of each that is taken."""
    left, found = set(taken), []
    for part in parts:
        if part in left:
            left.remove(part)
        else:
            found.append(part)
    return found


def merged(terms: Iterable[Term]) -> tuple[Term, ...]:
    """Return the terms with those of equal shift and marks made one, and folded where they are too many."""
    listed = tuple(terms)
    if len(listed) == 1:
        return listed
    found = _grouped(listed, lambda t: (t.shift, t.weight > 0, frozenset(t.marks)))
    return tuple(found if len(found) <= MOST_TERMS else _folded(found))


def _folded(terms: list[Term]) -> list[Term]:
    """Return the heaviest terms as they are, and the others as one of each sign: moments are kept."""
    ordered = sorted(terms, key=lambda t: -abs(t.weight))
    light = ordered[_KEPT:]
    base = min(t.shift for t in light)
    smooth = [Term(t.weight, base, total([t.whole(), Delay(t.shift - base)]), ()) for t in light]
    return ordered[:_KEPT] + _grouped(smooth, lambda t: t.weight > 0)


def _grouped(terms: Iterable[Term], key: Callable[[Term], object]) -> list[Term]:
    groups: dict[object, list[Term]] = {}
    for term in terms:
        if term.weight != 0:
            groups.setdefault(key(term), []).append(term)
    result = []
    for group in groups.values():
        if len(group) == 1:
            result.append(group[0])
            continue
        weight = math.fsum(t.weight for t in group)
        smooth = mixture([t.weight / weight for t in group], [t.smooth for t in group])
        result.append(group[0]._replace(weight=weight, smooth=smooth, spans=_averaged(group, weight)))
    return result


def _averaged(group: list[Term], weight: float) -> tuple[Span, ...]:
    """Return when the queues that all of these paths visit are visited on average."""
    if all(term.spans == group[0].spans for term in group):
        return group[0].spans
    found = []
    for wait, _ in group[0].marks:
        mine = [
            (t.weight / weight, next(s for (w, _), s in zip(t.marks, t.spans, strict=True) if w is wait)) for t in group
        ]
        first, last = (math.fsum(share * span[i] for share, span in mine) for i in (0, 1))
        found.append(Span(first, last, mine[0][1].visits))
    return tuple(found)
