"""Expressions on one line, in ASCII or Unicode, with names or with numbers in the place of symbols."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sympy import E, Integer, Rational, Sum
from sympy.printing.precedence import precedence
from sympy.printing.pretty.pretty_symbology import pretty_symbol, pretty_use_unicode
from sympy.printing.str import StrPrinter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sympy import Expr, Symbol

_SUPERSCRIPTS: Final = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_MUL, _POW = 50, 60


def one_line(expression: Expr, names: Mapping[Symbol, str], order: Mapping[Symbol, int], *, ascii_only: bool) -> str:
    """Return an expression as one line of text.

    `names` says what stands for a symbol (its own name where it is left out), `order` in which order factors come.
    """
    return str(_OneLine(names, order, ascii_only=ascii_only).doprint(expression))


def _is_negative(exponent: Expr) -> bool:
    """Return whether a power stands below a line: of differences like n - j nobody knows."""
    return not exponent.is_Add and exponent.could_extract_minus_sign()


def _unicode(name: str) -> str:
    """Return a name in Greek and with subscripts: lambda_1 as λ₁.

    SymPy would ask standard output whether it can, which inside the editor is no terminal: what a formula is does not
    depend on that.
    """
    pretty_use_unicode(flag=True)
    return str(pretty_symbol(name))


class _OneLine(StrPrinter):  # type: ignore[misc]
    """SymPy's printer with one way to write each thing, whatever stands for the symbols."""

    def __init__(self, names: Mapping[Symbol, str], order: Mapping[Symbol, int], *, ascii_only: bool) -> None:
        super().__init__()
        self.names, self.ranks, self.ascii_only = names, order, ascii_only
        spaced = any(" " in name or "/" in name for name in names.values())
        self.times = "*" if ascii_only else " · " if spaced else "·"
        self.over = " / " if spaced else "/"
        self.minus = "-" if ascii_only else "−"

    def _print_Symbol(self, expr: Symbol) -> str:
        own = expr.name if self.ascii_only else _unicode(expr.name)
        return str(self.names.get(expr, own))

    def _place(self, expr: Expr) -> tuple[bool, bool, int]:
        known = [self.ranks.get(s, len(self.ranks)) for s in expr.free_symbols]
        return not expr.is_Number, expr.has(Sum), max(known, default=-1)

    def _factor(self, expr: Expr) -> str:
        text = self._print(expr)
        return f"({text})" if expr.is_Add or str(text).startswith(self.minus) else str(text)

    def _below(self, expr: Expr) -> str:
        """Return a factor below a line: 120/s there is one thing."""
        text = self._factor(expr)
        return f"({text})" if expr.is_Symbol and "/" in text else text

    def _print_Mul(self, expr: Expr) -> str:
        coefficient, _ = expr.as_coeff_Mul()
        if coefficient.is_negative:
            return self.minus + self._factor(-expr)
        top, bottom = [], []
        for factor in expr.as_ordered_factors():
            base, exponent = factor.as_base_exp()
            if factor.is_Rational:
                top += [Integer(factor.p)] if factor.p != 1 else []
                bottom += [Integer(factor.q)] if factor.q != 1 else []
            elif base is not E and _is_negative(exponent):
                bottom.append(base**-exponent)
            else:
                top.append(factor)
        top = top or [Integer(1)]
        text = self.times.join(self._factor(f) for f in sorted(top, key=self._place))
        if not bottom:
            return text
        under = self.times.join(self._below(f) for f in sorted(bottom, key=self._place))
        return f"{text}{self.over}({under})" if len(bottom) > 1 else f"{text}{self.over}{under}"

    def _print_Add(self, expr: Expr, order: Any = None) -> str:
        terms = sorted(expr.args, key=self._place)
        first = next((t for t in terms if not t.could_extract_minus_sign()), terms[0])
        terms = [first, *(t for t in terms if t is not first)]
        text = str(self._print(terms[0]))
        for term in terms[1:]:
            sign = self.minus if term.could_extract_minus_sign() else "+"
            part = -term if term.could_extract_minus_sign() else term
            shown = self._print(part)
            text += f" {sign} ({shown})" if part.is_Add else f" {sign} {shown}"
        return text

    def _print_Rational(self, expr: Rational) -> str:
        return str(expr).replace("-", self.minus)

    def _print_Integer(self, expr: Integer) -> str:
        return str(expr).replace("-", self.minus)

    def _print_Pow(self, expr: Expr, rational: bool = False) -> str:  # noqa: FBT001, FBT002, the printer's own call
        base, exponent = expr.as_base_exp()
        if _is_negative(exponent):
            return f"1{self.over}{self._below(base**-exponent)}"
        if exponent == Rational(1, 2):
            return f"{'sqrt' if self.ascii_only else '√'}({self._print(base)})"
        text = str(self._print(base))
        plain = base.is_Symbol and " " not in text and "/" not in text and "," not in text
        text = text if plain or (base.is_Integer and base.is_nonnegative) or base.is_Function else f"({text})"
        if exponent.is_Integer and not self.ascii_only:
            return text + str(exponent).translate(_SUPERSCRIPTS)
        shown = str(self._print(exponent))
        return f"{text}^{shown}" if precedence(exponent) > _POW and " " not in shown else f"{text}^({shown})"

    def _print_exp(self, expr: Expr) -> str:
        return f"exp({self._print(expr.args[0])})"

    def _print_log(self, expr: Expr) -> str:
        return f"ln({self._print(expr.args[0])})"

    def _print_factorial(self, expr: Expr) -> str:
        text = str(self._print(expr.args[0]))
        return f"{text}!" if expr.args[0].is_Atom and " " not in text else f"({text})!"

    def _print_binomial(self, expr: Expr) -> str:
        return f"binomial({self._print(expr.args[0])}, {self._print(expr.args[1])})"

    def _print_Sum(self, expr: Any) -> str:
        (index, low, high), *_ = expr.limits
        sigma = "sum" if self.ascii_only else "Σ"
        return f"{sigma}[{index}={self._print(low)}..{self._print(high)}] ({self._print(expr.function)})"

    def _print_Function(self, expr: Any) -> str:
        inside = ", ".join(str(self._print(a)) for a in expr.args)
        name = str(expr.func)
        return f"{name if self.ascii_only else _unicode(name)}({inside})"
