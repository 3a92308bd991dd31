"""The same system over a range of one input, or of two: what every number becomes along the way."""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING, Any, Final, get_args

import msgspec

from capacity.document import from_values, key_path
from capacity.editing import placed_at, read_value
from capacity.errors import DocumentError, UsageError, ascii_quoted
from capacity.evaluate import describe
from capacity.fields import annotation, plain
from capacity.results import SCHEMA_VERSION
from capacity.search import Search
from capacity.sizing import size
from capacity.system import resolve
from capacity.units import Unit, UnitError, parse_range, symbol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from capacity.document import Document
    from capacity.errors import KeyPath
    from capacity.results import Evaluation
    from capacity.system import Counts

MOST_AXES: Final = 2
MOST_POINTS: Final = 10_000


class Axis(msgspec.Struct, frozen=True):
    """One input and the values that it takes, as numbers in base units or as words."""

    key: str
    values: list[float | int | str]
    unit: str = ""
    """Of the numbers, as `show_amount` takes it."""
    log: bool = False
    """Whether they are spread in equal ratios."""


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """What the system is like with one value of each axis."""

    at: list[float | int | str]
    feasible: bool
    """Whether normal operation meets everything; of a plan: everything that has to be survived."""
    p99_s: dict[str, float | None]
    """By class; None where it is not answered."""
    utilization: dict[str, float | None]
    """By tier: of its busiest resource."""
    bottleneck: str | None
    monthly: float
    nodes: dict[str, int]
    missed: list[str] = []
    """What is not met, as tier or class and constraint."""


class Sweep(msgspec.Struct, frozen=True, kw_only=True):
    """A system over a range."""

    schema_version: int = SCHEMA_VERSION
    name: str
    currency: str
    planned: bool
    """Whether every point has a plan of its own; else all have the same nodes."""
    axes: list[Axis]
    points: list[Point]
    objectives: dict[str, float] = {}
    """The p99 that the file allows a class, in seconds, where it gives one."""
    ceiling: float = 1.0
    """What share of a resource of ours may be used."""


def axis(document: Document, text: str, points: int, *, log: bool = False) -> tuple[KeyPath, Axis]:
    """Return the axis that KEY=LOW..HIGH or KEY=ONE,TWO,THREE stands for; raises UsageError for what is none.

    Numbers are spread evenly, or with `log` in equal ratios; whole ones are rounded, and each stands there once.
    """
    key, equals, given = text.partition("=")
    if not equals:
        raise UsageError(f"--set {ascii_quoted(text)}: write KEY.PATH=LOW..HIGH or KEY.PATH=ONE,TWO")
    path = key_path(document.values, key.strip(), "--set")
    if "," in given:
        return path, Axis(key.strip(), [part.strip() for part in given.split(",") if part.strip()])
    hint = plain(annotation(document.values, path))
    arguments = get_args(hint)
    extra = (arguments[1].extra or {}).get("unit") if len(arguments) == 2 else None
    unit = extra if isinstance(extra, Unit) else None
    try:
        low, high = parse_range(given, unit)
    except UnitError as error:
        raise UsageError(f"--set {ascii_quoted(text)}: {error}") from error
    if points < 2 or points > MOST_POINTS:
        raise UsageError(f"--points {points}: at least 2, at most {MOST_POINTS}")
    if log and low <= 0:
        raise UsageError(f"--set {ascii_quoted(text)}: equal ratios start above 0")
    spread = list(_spread(low, high, points, log=log))
    values: list[float | int | str] = [*spread]
    if bool(arguments) and arguments[0] is int:
        values = [*dict.fromkeys(round(value) for value in spread)]
    return path, Axis(key.strip(), values, symbol(unit), log)


def is_range(text: str) -> bool:
    """Whether KEY=VALUE gives several values: a range, or words with commas between them, but no list."""
    value = text.partition("=")[2].strip()
    return value[:1] not in ("[", "{", '"', "'") and ("," in value or value.count("..") == 1)


def _spread(low: float, high: float, points: int, *, log: bool) -> Iterator[float]:
    for i in range(points):
        share = i / (points - 1)
        value = math.exp(math.log(low) * (1 - share) + math.log(high) * share) if log else low + (high - low) * share
        yield float(f"{value:.12g}")


def sweep(
    document: Document,
    axes: Sequence[tuple[KeyPath, Axis]],
    *,
    planned: bool = False,
    tick: Callable[[int], None] = lambda _: None,
) -> Sweep:
    """Return what becomes of a system over one or two axes.

    With `planned` each point has its own cheapest plan. Else all have the nodes of the file, and where it leaves them
    out those of its plan, so that one sees what breaks.
    """
    system = resolve(document.topology)
    free = [name for name in system.counted() if name not in system.given()]
    counts = size(Search.of(system)).counts if free and not planned else {}
    found = []
    for values in product(*(a.values for _, a in axes)):
        changed = document.values
        for (path, _), value in zip(axes, values, strict=True):
            changed = placed_at(changed, path, read_value(changed, path, value) if isinstance(value, str) else value)
        found.append(_point(document, changed, list(values), counts, planned=planned))
        tick(len(found))
    return Sweep(
        name=document.topology.name,
        currency=document.topology.currency,
        planned=planned,
        axes=[a for _, a in axes],
        points=found,
        objectives={name: float(g.p99) for name, g in document.topology.slo.latency.items() if g.p99 is not None},
        ceiling=float(document.topology.slo.utilization),
    )


def _point(
    document: Document, values: dict[str, Any], at: list[float | int | str], counts: Counts, *, planned: bool
) -> Point:
    try:
        topology = from_values(values, document.source, document.load_factor, document.book, document.parts).topology
    except DocumentError as error:
        raise UsageError(f"--set: at {', '.join(map(str, at))}: {error}") from error
    system = resolve(topology)
    search = Search.of(system)
    if planned:
        sizing = size(search)
        evaluation, nodes = describe(search.at(sizing.counts)), sizing.counts
        conflicts = [*sizing.hopeless, *([] if sizing.conflict is None else [sizing.conflict])]
        missed = [f"{c.violation.name} {c.violation.constraint}" for c in conflicts]
        return _told(evaluation, at, nodes, list(dict.fromkeys(missed)))
    nodes = {**system.least(), **{n: c for n, c in counts.items() if n not in system.given()}}
    evaluation = describe(search.at(nodes))
    return _told(evaluation, at, nodes, [f"{v.name} {v.constraint}" for v in evaluation.scenarios["normal"].violations])


def _told(evaluation: Evaluation, at: list[float | int | str], nodes: Counts, missed: list[str]) -> Point:
    used = {name: tier.utilization for name, tier in evaluation.tiers.items()}
    known = {name: value for name, value in used.items() if value is not None}
    return Point(
        at=at,
        feasible=not missed,
        p99_s={name: c.p99_s for name, c in evaluation.classes.items()},
        utilization=used,
        bottleneck=max(known, key=lambda name: known[name], default=None),
        monthly=evaluation.cost.monthly,
        nodes=nodes,
        missed=missed,
    )
