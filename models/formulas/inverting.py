"""The Laplace transform that a percentile is inverted from, as a formula: read off the distribution itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sympy import Expr, Integer, exp

from models.formulas.formula import Formula, Quantity, Step
from models.formulas.symbols import real
from models.queues import Wait
from models.service_time import Residual, ServiceTime
from models.transforms import Delay, GeometricSum, Instant, Mixture, Repeated, Stretched, Sum

if TYPE_CHECKING:
    from models.latency import Latency
    from models.transforms import Transform

POINT: Final = real("s", "where the transform is taken, E[exp(-s X)]", "/s")

INVERSION: Final = "inverted by the Euler method: Abate and Whitt 2006, section 5"


@dataclass
class _Reading:
    """Steps and parameters in the order in which they are met; a part that is shared is one step."""

    steps: list[Step] = field(default_factory=list)
    inputs: list[Quantity] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    known: dict[tuple[Transform, float], Expr] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    opaque: bool = False

    def parameter(self, letter: str, value: float, meaning: str, unit: str = "") -> Expr:
        quantity = self._named(letter, meaning, unit)
        self.inputs.append(quantity)
        self.values[quantity.name] = value
        return quantity.symbol

    def step(self, letter: str, expression: Expr, meaning: str) -> Expr:
        quantity = self._named(letter, meaning)
        self.steps.append(Step(quantity, expression))
        return quantity.symbol

    def _named(self, letter: str, meaning: str, unit: str = "") -> Quantity:
        number = self.numbers[letter] = self.numbers.get(letter, 0) + 1
        return real(f"{letter}_{number}", meaning, unit)

    def of(self, part: Transform, factor: float = 1.0) -> Expr:
        """Return the transform of a part at `factor` times s."""
        key = part, factor
        if key not in self.known:
            self.known[key] = self._made(part, factor)
        return self.known[key]

    def _at(self, factor: float) -> Expr:
        if factor == 1:
            return POINT.symbol
        known = next((q for q in self.inputs if q.meaning == "stretch" and self.values[q.name] == factor), None)
        return (known.symbol if known else self.parameter("k", factor, "stretch")) * POINT.symbol

    def _made(self, part: Transform, factor: float) -> Expr:  # noqa: PLR0911, one for each kind of part
        if isinstance(part, Instant):
            return Integer(1)
        if isinstance(part, Stretched):
            return self.of(part.part, factor * part.factor)
        if isinstance(part, Delay):
            return exp(-self._at(factor) * self.parameter("d", part.mean, "constant time", "s"))
        if isinstance(part, Sum):
            product: Expr = Integer(1)
            for one in part.parts:
                product *= self.of(one, factor)
            return product
        if isinstance(part, Repeated):
            return self.of(part.part, factor) ** part.times
        if isinstance(part, Mixture):
            return self._mixture(part, factor)
        return self._piece(part, factor)

    def _mixture(self, part: Mixture, factor: float) -> Expr:
        parts = [
            (self.parameter("q", w, "share"), self.of(x, factor)) for w, x in zip(part.weights, part.parts, strict=True)
        ]
        return self.step("X", sum((w * x for w, x in parts), Integer(0)), "one or another")

    def _piece(self, part: Transform, factor: float) -> Expr:
        stretched = "" if factor == 1 else f", {factor:.4g} times"
        if isinstance(part, Wait):
            p = self.parameter("P", part.probability, "probability of having to wait")
            return self.step("W", 1 - p + p * self.of(part.conditional, factor), "wait" + stretched)
        if isinstance(part, GeometricSum):
            e = self.parameter("epsilon", part.remaining, "share that nobody else is ahead of")
            first, further = self.of(part.first, factor), self.of(part.further, factor)
            return self.step("A", e * first / (1 - (1 - e) * further), "wait of those who wait" + stretched)
        if isinstance(part, Residual):
            mean = self.parameter("m", part.whole.mean, "mean service time", "s")
            left = (1 - self.of(part.whole, factor)) / (self._at(factor) * mean)
            return self.step("R", left, "what remains of a service in progress" + stretched)
        if isinstance(part, ServiceTime):
            return self.step("S", self._phases(part, factor), "service time" + stretched)
        self.opaque = True
        quantity = self._named("G", "kept on a grid: a maximum, or what a timeout leaves")
        self.inputs.append(quantity)
        return quantity.symbol

    def _phases(self, part: ServiceTime, factor: float) -> Expr:
        found, s = Integer(0), self._at(factor)
        alone = len(part.phases) + len(part.constants) == 1
        for weight, count, rate in part.phases:
            mu = self.parameter("mu", rate, "rate of a phase", "/s")
            share = Integer(1) if alone else self.parameter("q", weight, "share")
            found += share * (mu / (mu + s)) ** count
        for weight, seconds in part.constants:
            share = Integer(1) if alone else self.parameter("q", weight, "share")
            found += share * exp(-s * self.parameter("d", seconds, "constant time", "s"))
        return found


@dataclass(frozen=True)
class Inverted:
    """The transform of a response time, its parameters' values, and whether it is closed: no part kept on a grid."""

    formula: Formula
    values: dict[str, Any]
    closed: bool


def transform(latency: Latency) -> Inverted:
    """Return the Laplace transform of a response time, term by term (*exact* for the distribution)."""
    reading = _Reading()
    whole: Expr = Integer(0)
    for term in latency.terms:
        product: Expr = Integer(1)
        if len(latency.terms) > 1:
            product *= reading.parameter("q", term.weight, "share of this path")
        if term.shift:
            product *= exp(-POINT.symbol * reading.parameter("d", term.shift, "constant time", "s"))
        product *= reading.of(term.smooth)
        for waits in term.waits:
            product *= reading.of(waits)
        whole += product
    reading.steps.append(Step(real("T", "response time"), whole))
    told = "the transform is that of the model; percentiles by inversion within 1e-6 up to p99.9 for smooth ones"
    formula = Formula(
        "response time", (POINT, *reading.inputs), tuple(reading.steps), INVERSION, exact=False, accuracy=told
    )
    return Inverted(formula, reading.values, not reading.opaque)
