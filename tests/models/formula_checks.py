"""What every closed form has to stand: 30 digits against another road, the numeric function, its own slopes, its inverse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import mpmath
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from models.formulas import Formula

Point = dict[str, Any]


def check_thirty_digits(formula: Formula, again: Callable[[Mapping[str, Any]], Any], points: Iterable[Point]) -> None:
    """Hold a formula to what is written down again in mpmath, which gets its inputs as mpmath numbers."""
    for x in points:
        with mpmath.workdps(50):
            wanted = again({name: mpmath.mpf(value) for name, value in x.items()})
        assert abs(formula.value(x) / wanted - 1) < mpmath.mpf(10) ** -30


def check_numeric(
    formula: Formula, function: Callable[[Point], float | None], points: Iterable[Point], rel: float = 1e-12
) -> None:
    """Hold a numeric function to its formula, to `rel`, wherever it has an answer; most points must have one."""
    asked = compared = 0
    for x in points:
        asked += 1
        found = function(x)
        if found is not None:
            compared += 1
            assert float(formula.value(x)) == pytest.approx(found, rel=rel)
    assert compared > asked / 2


def check_slopes(formula: Formula, points: Iterable[Point]) -> None:
    """Hold every derivative to a finite difference; a count's to what one more of it does."""
    for x in points:
        found = {d.input.name: d.slope for d in formula.differences(x)}
        with mpmath.workdps(60):
            for q in formula.inputs:
                at = mpmath.mpf(x[q.name])
                if q.whole:
                    try:
                        slope = formula.value({**x, q.name: x[q.name] + 1}) - formula.value(x)
                    except ValueError:
                        # One more leads out of the formula's range.
                        assert q.name not in found
                        continue
                else:
                    step = at * mpmath.mpf(10) ** -15
                    high, low = (formula.value({**x, q.name: at + sign * step}, 50) for sign in (1, -1))
                    slope = (high - low) / (2 * step)
                # The step leaves an error of its square, 1e-30, and the values have 50 digits.
                assert found.get(q.name, 0.0) == pytest.approx(float(slope), rel=1e-10, abs=1e-250)


def check_inverses(formula: Formula, x: Point) -> None:
    """Put each closed inverse back in: one of its branches gives the input that the result was made from."""
    result = formula.value(x)
    for wanted in formula.solvable:
        symbols = {q.symbol: mpmath.mpf(x[q.name]) for q in formula.inputs} | {formula.result.symbol: result}
        branches = [found.subs(symbols) for found in formula.solved_for(wanted)]
        assert any(abs(complex(b) - x[wanted]) <= 1e-9 * abs(x[wanted]) for b in branches)


def check_documented(formula: Formula) -> None:
    """Hold a formula to a source, an accuracy, a meaning for every symbol, and letters that every terminal has."""
    assert formula.source
    assert formula.accuracy
    assert all(q.meaning for q in formula.quantities)
    assert formula.expression.free_symbols <= {q.symbol for q in formula.inputs}
    assert all(line.isascii() for line in [*formula.text(), *formula.latex()])


class Law(NamedTuple):
    """A formula, the same written down again by another road, and the numeric function that it is the twin of."""

    formula: Formula
    again: Callable[[Any], Any]
    numeric: Callable[[Any], float | None]
    rel: float = 1e-11

    @property
    def name(self) -> str:
        """How a test of it is called."""
        return self.formula.name


def check_law(law: Law, points: Iterable[Point]) -> None:
    """Hold a formula to everything: 30 digits, the numeric function, slopes, inverses, documentation."""
    names = [q.name for q in law.formula.inputs]
    kept = [{name: x[name] for name in names} for x in points]
    check_thirty_digits(law.formula, law.again, kept)
    check_numeric(law.formula, law.numeric, kept, rel=law.rel)
    check_slopes(law.formula, kept[:3])
    check_inverses(law.formula, kept[0])
    check_documented(law.formula)
