"""Two files side by side: what was changed, key by key, and what that does, number by number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from capacity.errors import show_path
from capacity.merging import ABSENT, same
from capacity.plan import plan
from capacity.results import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from capacity.document import Document
    from capacity.errors import KeyPath
    from capacity.results import Evaluation


class FieldChange(msgspec.Struct, frozen=True):
    """A key that the files give differently; None: not given, or given as nothing."""

    key: str
    before: Any
    after: Any
    kind: str
    """`added`, `removed` or `changed`."""


class NumberChange(msgspec.Struct, frozen=True):
    """A number of the results that differs."""

    scope: str
    """`class`, `tier` or `plan`."""
    name: str
    metric: str
    before: float | None
    after: float | None
    unit: str


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two files: what differs in them, and in what follows from them."""

    schema_version: int = SCHEMA_VERSION
    before: str
    after: str
    feasible: tuple[bool, bool]
    fields: list[FieldChange]
    numbers: list[NumberChange]

    @property
    def differ(self) -> bool:
        """Whether anything differs."""
        return bool(self.fields or self.numbers)


def compare(before: Document, after: Document, tick: Callable[[int], None] = lambda _: None) -> Comparison:
    """Return what differs between two files, and between the plans that they lead to.

    Counts that a file gives, as every exported plan does, are taken as given. What an exported plan says about itself
    in its [plan] table is no input: its numbers are computed again.
    """
    one, other = (plan(document.topology, tick).evaluation for document in (before, after))
    left, right = ({k: v for k, v in document.values.items() if k != "plan"} for document in (before, after))
    return Comparison(
        before=before.source,
        after=after.source,
        feasible=(one.feasible, other.feasible),
        fields=list(_fields(left, right)),
        numbers=list(_numbers(one, other)),
    )


def _fields(before: Any, after: Any, path: KeyPath = ()) -> Iterator[FieldChange]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from _fields(before.get(key, ABSENT), after.get(key, ABSENT), (*path, key))
    elif isinstance(before, list) and isinstance(after, list) and any(isinstance(x, dict) for x in (*before, *after)):
        for i in range(max(len(before), len(after))):
            left, right = (part[i] if i < len(part) else ABSENT for part in (before, after))
            yield from _fields(left, right, (*path, i))
    elif not same(before, after):
        kind = "added" if before is ABSENT else "removed" if after is ABSENT else "changed"
        left, right = (None if part is ABSENT else part for part in (before, after))
        yield FieldChange(show_path(path), left, right, kind)


def _numbers(before: Evaluation, after: Evaluation) -> Iterator[NumberChange]:
    yield from _changed("plan", "total", {"cost": (before.cost.monthly, after.cost.monthly, "money")})
    for name in dict.fromkeys((*before.classes, *after.classes)):
        sides = before.classes.get(name), after.classes.get(name)
        yield from _changed("class", name, {
            metric: (getattr(sides[0], field, None), getattr(sides[1], field, None), unit)
            for metric, field, unit in _OF_CLASS
        })  # fmt: skip
    for name in dict.fromkeys((*before.tiers, *after.tiers)):
        tiers = before.tiers.get(name), after.tiers.get(name)
        told = {m: (getattr(tiers[0], f, None), getattr(tiers[1], f, None), unit) for m, f, unit in _OF_TIER}
        first, second = (None if tier is None else tier.response.p99_s for tier in tiers)
        yield from _changed("tier", name, {**told, "p99": (first, second, "s")})


_OF_CLASS = (
    ("rate", "arrival_rate_per_s", "/s"),
    ("mean", "mean_s", "s"),
    ("p50", "p50_s", "s"),
    ("p95", "p95_s", "s"),
    ("p99", "p99_s", "s"),
    ("failed", "failed_fraction", "share"),
    ("availability", "availability", "availability"),
)

_OF_TIER = (
    ("nodes", "nodes", ""),
    ("rate", "arrival_rate_per_s", "/s"),
    ("utilization", "utilization", "share"),
    ("cost", "monthly_cost", "money"),
)


def _changed(
    scope: str, name: str, metrics: dict[str, tuple[float | None, float | None, str]]
) -> Iterator[NumberChange]:
    for metric, (before, after, unit) in metrics.items():
        if before is None and after is None:
            continue
        # What is the same to ten digits is the same: only the way to it differed.
        if before is None or after is None or abs(after - before) > 1e-10 * max(abs(before), abs(after)):
            yield NumberChange(scope, name, metric, before, after, unit)
