"""How every figure of an answer came about: by a formula with its numbers, or by a method that has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from capacity.calculators.answers import cell
from capacity.explanations import Explanation, explanation

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from capacity.calculators.calculator import Answer, Row
    from capacity.explanations import Numbers
    from models.formulas import Difference, Formula

INVERSION = "inverted from its Laplace transform by the Euler method"
INVERTED_BY = "Abate and Whitt 2006, section 5"


class Explainer:
    """Collects what explains the figures of an answer; what the answer does not hold is left out."""

    def __init__(self, answer: Answer) -> None:
        self._rows: dict[str, Row] = {row.key: row for row in answer.rows}
        self._names = dict(zip(self._rows, _full_labels(answer.rows), strict=True))
        self._told: list[Explanation] = []

    def has(self, key: str) -> bool:
        """Whether the answer has such a figure, with a value."""
        return key in self._rows and self._rows[key].value is not None

    def value(self, key: str) -> float:
        """Return a figure that is there."""
        return float(self._rows[key].value or 0.0)

    def formula(  # noqa: PLR0917, a figure has as many sides as it has
        self,
        key: str,
        formula: Formula,
        numbers: Numbers,
        also: Sequence[str] = (),
        notes: Iterable[str] = (),
        effects: Iterable[Difference] | None = None,
        moved: str | None = None,
    ) -> None:
        """Explain a figure by a formula; `also` are those that are steps or inputs of it, or come the same way."""
        if not self.has(key):
            return
        row = self._rows[key]
        unit = "share" if row.unit == "availability" else "s" if row.unit == "downtime" else row.unit
        told = explanation(key, self._names[key], formula, numbers, self.value(key), unit, notes, effects, moved)
        self._add(msgspec.structs.replace(told, shown=cell(row)), [key, *also])

    def last(self, **changed: object) -> None:
        """Change what the latest explanation says."""
        self._told[-1] = msgspec.structs.replace(self._told[-1], **changed)

    def solved(self, key: str, formula: Formula, numbers: Numbers, how: str, also: Sequence[str] = ()) -> None:
        """Explain a figure that a formula is solved for in numbers: it is an input there, and `how` says the way."""
        self.formula(key, formula, numbers, also, [how])
        if self.has(key):
            self.last(by_formula=None)

    def method(
        self, keys: Sequence[str], how: str, source: str, accuracy: str = "exact", notes: Iterable[str] = ()
    ) -> None:
        """Explain figures that have no closed form: how they are computed, by whom, and how accurate they are."""
        there = [key for key in keys if key in self._rows]
        if not there:
            return
        first = self._rows[there[0]]
        cells = ", ".join(cell(self._rows[key]) for key in there)
        exact = not accuracy.startswith("approximate")
        told = Explanation(
            metric=there[0],
            what=_listed([self._names[key] for key in there]),
            value=None if first.value is None or isinstance(first.value, str) else float(first.value),
            by_formula=None,
            unit=first.unit,
            shown=cells,
            exact=exact,
            source=source,
            accuracy=accuracy,
            notes=[how, *notes],
        )
        self._add(told, there)

    def told(self) -> list[Explanation]:
        """Return all explanations in the order of the figures, each figure in the first that tells of it."""
        order = list(self._rows)
        return sorted(self._told, key=lambda one: order.index(one.figures[0]))

    def left(self) -> list[str]:
        """Return the figures that nothing explains yet."""
        known = {key for one in self._told for key in one.figures}
        return [key for key in self._rows if key not in known]

    def _add(self, told: Explanation, keys: Sequence[str]) -> None:
        known = {key for one in self._told for key in one.figures}
        there = [key for key in dict.fromkeys(keys) if key in self._rows and key not in known]
        others = [f"{self._names[key]} {cell(self._rows[key])}" for key in there[1:]]
        notes = [*told.notes, f"also here: {', '.join(others)}"] if others and told.lines else told.notes
        if there:
            self._told.append(msgspec.structs.replace(told, figures=there, notes=notes))


def _full_labels(rows: Sequence[Row]) -> list[str]:
    """Return what rows are called where nothing stands above them: "  99%" below "lag, mean" is "lag, 99%"."""
    names, above = [], ""
    for row in rows:
        own = row.label.strip()
        if row.label == own or not above:
            names.append(own)
            above = own
        else:
            names.append(f"{above.partition(',')[0]}, {own}")
    return names


def _listed(names: Sequence[str]) -> str:
    """Return names one after the other, what they begin with told once."""
    first = names[0].split(" ")
    for count in range(len(first) - 1, 0, -1):
        start = " ".join(first[:count]) + " "
        if len(names) > 1 and all(name.startswith(start) for name in names):
            return start + ", ".join(name.removeprefix(start) for name in names)
    return ("; " if any("," in name for name in names) else ", ").join(names)
