"""What an explanation is: a formula, its lines with this tier's numbers, its result, and what each input does to it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from capacity.errors import show_path
from capacity.results import SCHEMA_VERSION
from capacity.units import show_amount, show_availability

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from capacity.errors import KeyPath
    from models.formulas import Difference, Formula, Quantity


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """A symbol of a formula with its value here; `key` is the number of the file that it is, where it is one."""

    symbol: str
    name: str
    meaning: str
    value: float
    unit: str
    shown: str
    key: str | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One step: in symbols, with numbers, and what comes out."""

    symbols: str
    numbers: str
    latex: str
    meaning: str
    value: float | None
    shown: str


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """What an input does to the result: its derivative, and per cent per per cent (of a count: for one more)."""

    symbol: str
    meaning: str
    derivative: float
    relative: float | None
    counts: bool
    formula: str | None = None
    """The derivative in symbols, where it is short enough to be read."""
    key: str | None = None


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Where one number comes from. `value` is the evaluation's (None: there is none); `by_formula` the formula's."""

    metric: str
    what: str
    value: float | None
    by_formula: float | None
    unit: str
    shown: str
    exact: bool
    source: str
    accuracy: str
    inputs: list[Input] = []
    lines: list[Line] = []
    moved: str = ""
    """The symbol of what the effects are on."""
    effects: list[Effect] = []
    notes: list[str] = []
    figures: list[str] = []
    """The figures of a calculator's answer that it tells of, by their keys; the first is `metric`'s own."""


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of one tier, explained."""

    schema_version: int = SCHEMA_VERSION
    name: str
    tier: str
    kind: str
    when: str
    metrics: list[Explanation]


@dataclass
class Numbers:
    """The values of a formula's inputs, with words and file keys for some of them."""

    given: dict[str, Any] = field(default_factory=dict)
    meanings: dict[str, str] = field(default_factory=dict)
    keys: dict[str, KeyPath] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    """Units that are others than the formula's, such as reads where a read is the unit of time."""

    def unit(self, quantity: Quantity) -> str:
        """Return the unit of a quantity here."""
        return self.units.get(quantity.name, quantity.unit)

    def put(self, quantity: Quantity, value: float, meaning: str = "", key: KeyPath | None = None) -> None:
        """Give an input its value."""
        self.given[quantity.name] = value
        if meaning:
            self.meanings[quantity.name] = meaning
        if key is not None:
            self.keys[quantity.name] = key

    def take(self, others: Numbers, suffix: str = "") -> None:
        """Take over other numbers, their names with a suffix."""
        self.given |= {name + suffix: value for name, value in others.given.items()}
        self.meanings |= {name + suffix: value for name, value in others.meanings.items()}
        self.keys |= {name + suffix: value for name, value in others.keys.items()}
        self.units |= {name + suffix: value for name, value in others.units.items()}


MOST_READ = 40
"""Characters of a derivative that can still be read on one line."""


def shown(value: float, unit: str) -> str:
    """Return a number as reports write it; a plain one with five digits, so that it can be followed."""
    if unit in ("s", "B", "B/s", "/s"):
        return show_amount(value, unit) if value or unit != "s" else "0 s"
    if unit == "share":
        return show_availability(value) if 0.999 < value < 1 else f"{value * 100:{',.0f' if value >= 10 else '.4g'}}%"
    if len(unit) == 3 and unit.isupper():
        return f"{value:,.2f} {unit}"
    if unit:
        return f"{shown(value, '')} {unit}"
    if value != 0 and not 1e-6 <= abs(value) < 1e15:
        return f"{value:.4e}"
    text = f"{value:,.{max(0, 4 - math.floor(math.log10(abs(value))))}f}" if value else "0"
    return text.rstrip("0").rstrip(".") if "." in text else text


def explanation(  # noqa: PLR0917, a number has as many sides as it has
    metric: str,
    what: str,
    formula: Formula,
    numbers: Numbers,
    value: float | None,
    unit: str,
    notes: Iterable[str] = (),
    effects: Iterable[Difference] | None = None,
    moved: str | None = None,
) -> Explanation:
    """Return the explanation of a number by a formula whose inputs have these values.

    `effects` are those on `moved`, where that is not the formula's own result.
    """
    formula, numbers = _merged(formula, numbers)
    known = formula.values(numbers.given)
    texts = {q.name: shown(float(known[q.name]), numbers.unit(q)) for q in formula.quantities}
    differences = formula.differences(numbers.given) if effects is None else effects
    return Explanation(
        metric=metric,
        what=what,
        value=value,
        by_formula=float(known[formula.result.name]),
        unit=unit,
        shown="none" if value is None else shown(value, unit),
        exact=formula.exact,
        source=formula.source,
        accuracy=formula.accuracy,
        inputs=_inputs(formula, numbers, known, texts),
        lines=_lines(formula, numbers, known, texts),
        moved=symbol_of(formula) if moved is None else moved,
        effects=[_effect(formula, d, numbers, short=effects is None) for d in differences],
        notes=list(notes),
    )


def _inputs(formula: Formula, numbers: Numbers, known: Mapping[str, Any], texts: Mapping[str, str]) -> list[Input]:
    return [
        Input(
            symbol=formula.shown(q.symbol),
            name=q.name,
            meaning=numbers.meanings.get(q.name, q.meaning),
            value=float(known[q.name]),
            unit=numbers.unit(q),
            shown=texts[q.name],
            key=show_path(numbers.keys[q.name]) if q.name in numbers.keys else None,
        )
        for q in formula.inputs
    ]


def _lines(formula: Formula, numbers: Numbers, known: Mapping[str, Any], texts: dict[str, str]) -> list[Line]:
    written = zip(formula.steps, formula.unicode(), formula.unicode(texts), formula.latex(), strict=True)
    return [
        Line(
            symbols=symbols,
            numbers=filled.partition(" = ")[2],
            latex=tex,
            meaning=numbers.meanings.get(q.name, q.meaning),
            value=float(known[q.name]),
            shown=texts[q.name],
        )
        for (q, _), symbols, filled, tex in written
    ]


def _merged(formula: Formula, numbers: Numbers) -> tuple[Formula, Numbers]:
    """Return the formula in which a number of the file that stands in several places is one input."""
    first: dict[KeyPath, str] = {}
    same = {}
    for q in formula.inputs:
        path = numbers.keys.get(q.name)
        if path is not None and first.setdefault(path, q.name) != q.name:
            same[q.name] = first[path]
    if not same:
        return formula, numbers
    words = {name: f"{numbers.meanings.get(name, name)}, and of the others" for name in set(same.values())}
    return formula.merged(same), Numbers(numbers.given, numbers.meanings | words, numbers.keys, numbers.units)


def _effect(formula: Formula, d: Difference, numbers: Numbers, *, short: bool) -> Effect:
    name, text = d.input.name, None
    if short and not d.input.whole:
        slope = formula.derivative(name)
        text = formula.shown(slope) if slope.count_ops() <= MOST_READ else None
    return Effect(
        symbol=formula.shown(d.input.symbol),
        meaning=numbers.meanings.get(name, d.input.meaning),
        derivative=d.slope,
        relative=d.relative,
        counts=d.input.whole,
        formula=text if text is not None and len(text) <= MOST_READ else None,
        key=show_path(numbers.keys[name]) if name in numbers.keys else None,
    )


def symbol_of(formula: Formula) -> str:
    """Return the symbol of a formula's result as it is shown."""
    return formula.shown(formula.result.symbol)
