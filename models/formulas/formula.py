"""A formula as a value: named steps from inputs to a result, each with its meaning and its unit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import mpmath
from sympy import Expr, Integer, Sum, Symbol, diff, lambdify, latex, preorder_traversal, simplify, solve

from models.formulas.printing import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DIGITS = 40
"""Decimal digits that are computed with: what is shown is right to the last digit of a double."""


class Quantity(NamedTuple):
    """A symbol with what it means and its unit: s, /s, B, or nothing for a plain number."""

    symbol: Symbol
    meaning: str
    unit: str = ""

    @property
    def name(self) -> str:
        """The symbol's name, in ASCII."""
        return str(self.symbol.name)

    @property
    def whole(self) -> bool:
        """Whether it counts something."""
        return bool(self.symbol.is_integer)


class Step(NamedTuple):
    """One line: a quantity and what it equals, in inputs and in the steps before."""

    quantity: Quantity
    expression: Expr


class Difference(NamedTuple):
    """What an input does to the result: dy/dx, and per cent per per cent. For a count: what one more brings."""

    input: Quantity
    slope: float
    relative: float | None
    """(dy/y) / (dx/x); for a count the relative change of the result; None where the result is 0."""


@dataclass(frozen=True)
class Formula:
    """Steps from inputs to the last step, which is the result.

    `accuracy` says what it is exact for, or how far off it was measured to be; `solvable` names the inputs for which
    it has a closed inverse.
    """

    name: str
    inputs: tuple[Quantity, ...]
    steps: tuple[Step, ...]
    source: str
    exact: bool
    accuracy: str
    solvable: tuple[str, ...] = ()

    @property
    def result(self) -> Quantity:
        """What the formula is for."""
        return self.steps[-1].quantity

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """Inputs first, then every step."""
        return (*self.inputs, *(step.quantity for step in self.steps))

    def quantity(self, name: str) -> Quantity:
        """Return an input or step by its name; raises KeyError with the names that there are."""
        for found in self.quantities:
            if found.name == name:
                return found
        raise KeyError(f"{self.name} has no {name}; there are {', '.join(q.name for q in self.quantities)}")

    @cached_property
    def expression(self) -> Expr:
        """The result in inputs alone."""
        whole: dict[Symbol, Expr] = {}
        for step in self.steps:
            whole[step.quantity.symbol] = step.expression.xreplace(whole)
        return whole[self.result.symbol]

    def values(self, given: Mapping[str, Any], digits: int = DIGITS) -> dict[str, Any]:
        """Return every input and step as a number of `digits` decimal digits, from all inputs by name.

        Raises KeyError for an input that is missing.
        """
        with mpmath.workdps(digits + 10):
            known = {q.name: int(given[q.name]) if q.whole else mpmath.mpf(given[q.name]) for q in self.inputs}
            for step in self.steps:
                found = _evaluated(step.expression, known)
                known[step.quantity.name] = int(mpmath.nint(found)) if step.quantity.whole else found
        return known

    def value(self, given: Mapping[str, Any], digits: int = DIGITS) -> Any:
        """Return the result as a number of `digits` decimal digits."""
        return self.values(given, digits)[self.result.name]

    def derivative(self, name: str) -> Expr:
        """Return the derivative of the result by an input, in inputs and steps (the chain rule, step by step).

        Raises ValueError for a count, which has none: see `differences`.
        """
        by = self.quantity(name)
        if by.whole:
            raise ValueError(f"{name} counts something: it has no derivative")
        slopes: dict[Symbol, Expr] = {by.symbol: Integer(1)}
        for step in self.steps:
            slopes[step.quantity.symbol] = sum(
                (diff(step.expression, s) * slope for s, slope in slopes.items() if step.expression.has(s)), Integer(0)
            )
        return slopes[self.result.symbol]

    def differences(self, given: Mapping[str, Any], digits: int = DIGITS) -> list[Difference]:
        """Return what each input does to the result at these inputs: the derivative, or what one more of it does.

        What leads out of the formula's range (an overload, more nodes needed than there are) or has no slope there is
        left out, as is what has no effect.
        """
        known, found = self.values(given, digits), []
        y = known[self.result.name]
        for q in self.inputs:
            try:
                if q.whole:
                    slope = self.value({**given, q.name: int(given[q.name]) + 1}, digits) - y
                else:
                    slope = self._slope(q, known, digits)
            except (ValueError, ZeroDivisionError):
                # mpmath's words for a factorial of less than nothing, and for a power of 0 that stands below a line.
                continue
            if not slope or not mpmath.isfinite(slope):
                continue
            scale = 1 if q.whole else known[q.name]
            found.append(Difference(q, float(slope), float(slope * scale / y) if y else None))
        return found

    def _slope(self, by: Quantity, known: Mapping[str, Any], digits: int) -> Any:
        slopes: dict[Symbol, Any] = {by.symbol: mpmath.mpf(1)}
        with mpmath.workdps(digits + 10):
            for step in self.steps:
                slopes[step.quantity.symbol] = mpmath.fsum(
                    _evaluated(_partial(step.expression, s), known) * slope
                    for s, slope in slopes.items()
                    if slope and not s.is_integer and step.expression.has(s)
                )
        return slopes[self.result.symbol]

    def solved_for(self, name: str) -> list[Expr]:
        """Return the inverse: what an input is, in the other inputs and the result; all branches.

        Raises ValueError where there is no closed one (see `solvable`).
        """
        if name not in self.solvable:
            raise ValueError(f"{self.name} has no closed inverse for {name}; it has for {', '.join(self.solvable)}")
        by = self.quantity(name).symbol
        return [simplify(found) for found in solve(self.expression - self.result.symbol, by)]

    def unicode(self, names: Mapping[str, str] | None = None) -> list[str]:
        """Return a line for each step, in Unicode; with `names`, these stand for the symbols to the right."""
        return [f"{left} = {right}" for left, right in self._lines(names or {}, ascii_only=False)]

    def text(self, names: Mapping[str, str] | None = None) -> list[str]:
        """Return a line for each step, in ASCII."""
        return [f"{left} = {right}" for left, right in self._lines(names or {}, ascii_only=True)]

    def shown(self, expression: Expr, names: Mapping[str, str] | None = None, *, ascii_only: bool = False) -> str:
        """Return an expression in this formula's symbols on one line."""
        return one_line(expression, self._by_symbol(names or {}), self._order, ascii_only=ascii_only)

    def latex(self, names: Mapping[str, str] | None = None) -> list[str]:
        """Return a line of LaTeX for each step, without dollars; `names` are LaTeX too."""
        by = self._by_symbol(names or {})
        return [f"{latex(q.symbol)} = {latex(e, symbol_names=by) if by else latex(e)}" for q, e in self.steps]

    def renamed(self, suffix: str, kept: Sequence[str] = ()) -> Formula:
        """Return the same formula with a suffix to every symbol that is not `kept`, to be used beside itself."""
        new = {
            q.symbol: Symbol(q.name + suffix, **q.symbol.assumptions0) for q in self.quantities if q.name not in kept
        }
        inputs = tuple(q._replace(symbol=new.get(q.symbol, q.symbol)) for q in self.inputs)
        steps = tuple(Step(q._replace(symbol=new.get(q.symbol, q.symbol)), e.xreplace(new)) for q, e in self.steps)
        return replace(self, inputs=inputs, steps=steps)

    def merged(self, same: Mapping[str, str]) -> Formula:
        """Return the formula with some inputs, the keys, made one with others, the values: one number, many places."""
        new = {self.quantity(a).symbol: self.quantity(b).symbol for a, b in same.items()}
        steps = tuple(Step(q, e.xreplace(new)) for q, e in self.steps)
        return replace(self, inputs=tuple(q for q in self.inputs if q.symbol not in new), steps=steps)

    def _by_symbol(self, names: Mapping[str, str]) -> dict[Symbol, str]:
        return {q.symbol: names[q.name] for q in self.quantities if q.name in names}

    @cached_property
    def _order(self) -> dict[Symbol, int]:
        return {q.symbol: i for i, q in enumerate(self.quantities)}

    def _lines(self, names: Mapping[str, str], *, ascii_only: bool) -> list[tuple[str, str]]:
        return [
            (self.shown(q.symbol, ascii_only=ascii_only), self.shown(e, names, ascii_only=ascii_only))
            for q, e in self.steps
        ]


def chained(name: str, *parts: Formula, exact: bool | None = None, accuracy: str = "", source: str = "") -> Formula:
    """Return one formula whose steps are those of all parts: what one part defines is no input of those after it.

    Exact where all parts are, unless said otherwise; sources and accuracies are joined. Raises ValueError where one
    symbol would stand for two things.
    """
    inputs: dict[Symbol, Quantity] = {}
    steps: dict[Symbol, Step] = {}
    for part in parts:
        for q in part.inputs:
            before = steps[q.symbol].quantity if q.symbol in steps else inputs.setdefault(q.symbol, q)
            if q.meaning and before.meaning and q.meaning != before.meaning:
                raise ValueError(f"{q.name} means two things: {before.meaning}; {q.meaning}")
        for step in part.steps:
            known_step = steps.setdefault(step.quantity.symbol, step)
            if known_step.expression != step.expression:
                raise ValueError(f"{step.quantity.name} is two things: {known_step.expression}; {step.expression}")
            inputs.pop(step.quantity.symbol, None)
    whole = all(p.exact for p in parts) if exact is None else exact
    sources = source or "; ".join(dict.fromkeys(one for p in parts if p.source for one in p.source.split("; ")))
    # Of an approximation, how far off it is; of what is exact, what for: the last part knows best.
    known = [p.accuracy for p in parts if p.accuracy and p.accuracy != "exact" and p.exact == whole]
    told = accuracy or ("; ".join(dict.fromkeys(known)) if not whole else "".join(known[-1:]) or "exact")
    return Formula(name, tuple(inputs.values()), tuple(steps.values()), sources, whole, told)


@lru_cache(maxsize=4096)
def _partial(expression: Expr, by: Symbol) -> Expr:
    return diff(expression, by)


@lru_cache(maxsize=4096)
def function_of(expression: Expr) -> tuple[tuple[str, ...], Any]:
    """Return an expression as a function of mpmath numbers, complex ones too, and the names of its arguments.

    Counts are mpmath numbers as well, so that one divided by another keeps its digits: only where a sum begins and ends
    they are whole numbers of Python.
    """
    bound = {v for part in preorder_traversal(expression) for v in getattr(part, "variables", ())}
    symbols = sorted(expression.free_symbols - bound, key=lambda s: str(s.name))
    ends = {s: Symbol(f"{s.name}_counted", integer=True) for s in symbols if s.is_integer}
    apart = (
        expression.replace(lambda part: isinstance(part, Sum), lambda part: _ending(part, ends)) if ends else expression
    )
    compiled = lambdify([*symbols, *ends.values()], apart, modules="mpmath")

    def function(*values: Any) -> Any:
        counts = [int(value) for s, value in zip(symbols, values, strict=True) if s in ends]
        return compiled(*(mpmath.mpf(v) if isinstance(v, int) else v for v in values), *counts)

    return tuple(str(s.name) for s in symbols), function


def _ending(part: Expr, ends: Mapping[Symbol, Symbol]) -> Expr:
    """Return a sum with other symbols for where it begins and ends."""
    limits = [(index, low.xreplace(ends), high.xreplace(ends)) for index, low, high in part.limits]
    return Sum(part.function, *limits)


def _evaluated(expression: Expr, known: Mapping[str, Any]) -> Any:
    names, function = function_of(expression)
    found = function(*(known[name] for name in names))
    if mpmath.im(found):
        raise ValueError(f"{expression} has no real value here")
    return mpmath.mpf(mpmath.re(found))
