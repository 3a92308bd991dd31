"""The laws as formulas in SymPy: shown, differentiated, solved; never on the way to a plan.

One module per family. A `Formula` is a chain of named steps; every step and every input has a meaning and a unit.
Symbols are made here and nowhere else: nothing that a user writes is ever parsed.
"""

from __future__ import annotations

from models.formulas.formula import Difference, Formula, Quantity, Step, chained

__all__ = ["Difference", "Formula", "Quantity", "Step", "chained"]
