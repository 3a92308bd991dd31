"""How much each input matters: by how many per cent a number moves when an input moves by one. What to measure better.

An elasticity is d ln(output) / d ln(input), by a central difference of one per cent either way: *exact* but for the
curvature over that step, and for the models' own steps (a maximum that changes hands).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, get_args

import msgspec

from capacity.decode import hints_of
from capacity.errors import show_path
from capacity.evaluate import describe
from capacity.fields import options
from capacity.results import SCHEMA_VERSION
from capacity.search import Search
from capacity.sizing import size
from capacity.system import resolve
from capacity.units import Uncertain, Unit, symbol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from capacity.errors import KeyPath
    from capacity.system import Counts
    from capacity.topology import Topology

STEP: Final = 0.01
"""Relative: small against what anybody knows an input to, large against the error of an inversion."""

SMOOTH: Final = 100
"""Whole numbers from here on are varied as if they were not: below, one more is too large a step."""

_LEFT_OUT: Final = frozenset(
    {"plan", "node_types", "forecast", "alerts", "slo", "nodes", "replicas", "min_nodes", "max_nodes"}
)
"""What is no property of the system: goals, machines that nobody chose, the future, and what a plan decides."""


class Effect(msgspec.Struct, frozen=True):
    """What one input does to one output."""

    elasticity: float | None
    """Per cent per per cent; None where the output has no value on either side."""
    span: tuple[float | None, float | None] | None = None
    """The output at both ends of an interval of the file."""


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """One number of the file, and what the outputs make of it."""

    key: str
    value: float
    """In base units."""
    unit: str
    """s, B, /s, B/s, or nothing for a plain number."""
    low: float | None
    """Both ends of its range, where the file gives one."""
    high: float | None
    effects: dict[str, Effect]
    weight: float
    """By how much, relatively, an output moves at most: over its range, or where it has none, for a change of 1."""


class Sensitivity(msgspec.Struct, frozen=True, kw_only=True):
    """Every input of a file with what it does, what matters most first."""

    schema_version: int = SCHEMA_VERSION
    name: str
    currency: str
    outputs: dict[str, float | None]
    """The p99 of each class in s; `cost in use`, what the busy share of the nodes costs a month;
    `tightest use`, how much is used of what may be used of the resource that is nearest to it: 1 minus the headroom."""
    inputs: list[Input]
    without_effect: list[str]


def sensitivity(
    topology: Topology, tick: Callable[[int], None] = lambda _: None, today: Counts | None = None
) -> Sensitivity:
    """Return the elasticity of every p99, of the cost in use and of the tightest use to every number of the file.

    The nodes are those of the file, and where it leaves them out `today`'s, or without these those of its plan: an
    input changes what users see at once. The cost in use is that of the nodes times the busy share of what may be
    busy: what a plan would buy, were nodes divisible.
    """
    system = resolve(topology)
    counts = {**(size(Search.of(system)).counts if today is None else today), **system.given()}
    base = outputs(topology, counts)
    found = []
    for done, (path, value, unit) in enumerate(numbers(topology), 1):
        below, above = _within(value * (1 - STEP), unit), _within(value * (1 + STEP), unit)
        sides = [outputs(replaced(topology, path, side), counts) for side in (below, above)]
        effects = {n: Effect(_elasticity(sides[0][n], sides[1][n], below, above)) for n in base}
        if isinstance(value, Uncertain):
            ends = [outputs(replaced(topology, path, end), counts) for end in (value.low, value.high)]
            effects = {n: Effect(e.elasticity, (ends[0][n], ends[1][n])) for n, e in effects.items()}
        found.append(_input(path, value, unit, effects, base))
        tick(done)
    telling = [one for one in found if one.weight > 1e-6]
    return Sensitivity(
        name=topology.name,
        currency=topology.currency,
        outputs=base,
        inputs=sorted(telling, key=lambda one: (-one.weight, one.key)),
        without_effect=[one.key for one in found if one.weight <= 1e-6],
    )


def outputs(topology: Topology, counts: Counts) -> dict[str, float | None]:
    """Return what is looked at, for some counts."""
    search = Search.of(resolve(topology))
    evaluation = describe(search.at(counts))
    ceiling = evaluation.utilization_ceiling
    used, found = 0.0, {f"p99 of {name}": c.p99_s for name, c in evaluation.classes.items()}
    tightest = 0.0
    for name, tier in evaluation.tiers.items():
        partner = search.system.tiers[name].is_partner
        tightest = max(tightest, (tier.utilization or 0.0) / (1.0 if partner else ceiling))
        used += (tier.monthly_cost or 0.0) * (tier.utilization or 0.0) / ceiling
    return {**found, "cost in use": used, "tightest use": tightest}


def numbers(value: object, path: KeyPath = (), hint: Any = None) -> Iterator[tuple[KeyPath, float, Unit | None]]:
    """Yield every number of a topology that can be varied, with its key path and its unit."""
    if isinstance(value, msgspec.Struct):
        hints = hints_of(type(value))
        for name in value.__struct_fields__:
            if name not in _LEFT_OUT:
                yield from numbers(getattr(value, name), (*path, name), hints[name])
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from numbers(part, (*path, name), _part(hint, dict))
    elif isinstance(value, list):
        for i, part in enumerate(value):
            yield from numbers(part, (*path, i), _part(hint, list))
    elif isinstance(value, float) and value != 0:
        yield path, value, _unit(hint)
    elif isinstance(value, int) and not isinstance(value, bool) and value >= SMOOTH:
        yield path, value, None


def _part(hint: Any, kind: type) -> Any:
    found = (option for option in options(hint) if getattr(option, "__origin__", None) is kind)
    return next((get_args(option)[-1] for option in found), None)


def _unit(hint: Any) -> Unit | None:
    for option in options(hint):
        arguments = get_args(option)
        unit = (getattr(arguments[1], "extra", None) or {}).get("unit") if len(arguments) == 2 else None
        if isinstance(unit, Unit):
            return unit
    return None


def _within(value: float, unit: Unit | None) -> float:
    return value if unit is None else min(max(value, unit.least), unit.most)


def replaced(value: Any, path: KeyPath, number: float) -> Any:
    """Return a topology with one number changed; a whole one is rounded."""
    if not path:
        return round(number) if isinstance(value, int) else number
    key, rest = path[0], path[1:]
    if isinstance(value, dict):
        return {**value, key: replaced(value[key], rest, number)}
    if isinstance(value, list):
        return [replaced(part, rest, number) if i == key else part for i, part in enumerate(value)]
    return msgspec.structs.replace(value, **{str(key): replaced(getattr(value, str(key)), rest, number)})


def _elasticity(below: float | None, above: float | None, low: float, high: float) -> float | None:
    if below is None or above is None or below <= 0 or above <= 0 or high <= low:
        return None
    return math.log(above / below) / math.log(high / low)


def _input(
    path: KeyPath, value: float, unit: Unit | None, effects: dict[str, Effect], base: dict[str, float | None]
) -> Input:
    weight = 0.0
    for name, effect in effects.items():
        before, span = base[name], effect.span
        if span is not None and before and span[0] is not None and span[1] is not None:
            weight = max(weight, abs(span[1] - span[0]) / before)
        else:
            weight = max(weight, abs(effect.elasticity or 0.0))
    ranged = isinstance(value, Uncertain)
    return Input(
        key=show_path(path),
        value=float(value),
        unit=symbol(unit),
        low=value.low if isinstance(value, Uncertain) else None,
        high=value.high if ranged and isinstance(value, Uncertain) else None,
        effects=effects,
        weight=weight,
    )
