"""Write docs/theory/formulas.md: which numeric function has which formula, and why one has none.

PYTHONPATH=. python docs/formulas.py           # rewrite the page
PYTHONPATH=. python docs/formulas.py --check   # exit 1 when it is out of date
"""

from __future__ import annotations

import sys
from importlib import import_module
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from models.formulas import Formula
from models.formulas.twins import NUMERICAL, PLANNER, TWINS

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parent / "theory" / "formulas.md"

HEAD = """\
# Formulas

Each closed form of `models` stands once more in SymPy, in `models.formulas`: with names, units, source and accuracy,
as text, Unicode and LaTeX, differentiated, and inverted where it can be. Nothing on the way to a plan imports it; it is
what `capacity explain`, the editor's view of formulas and `--explain` of the calculators show. Tests hold every formula
to thirty digits against the same law written down by another road, to its numeric function as far as doubles go, its
derivatives to finite differences, and its inverse to the way back; and this page to be complete. It is made by
`docs/formulas.py` from `models/formulas/twins.py`: do not edit it.
"""


def page() -> str:
    """Return the page as it should be."""
    return "\n".join([HEAD, *_twins(), "", *_planner(), "", *_numerical(), ""])


def _shown(name: str) -> str:
    """Return a formula by its last line; of what builds formulas its name alone."""
    module, _, law = name.partition(".")
    found = getattr(import_module(f"models.formulas.{module}"), law)
    if not isinstance(found, Formula):
        return f"`{name}`, written out for a case"
    return f"`{name}`: {found.unicode()[-1]}"


def _module(name: str) -> str:
    return name.partition(".")[0]


def _twins() -> Iterator[str]:
    yield "## Functions that have a formula\n"
    for module, names in groupby(sorted(TWINS), _module):
        yield f"- `models.{module}`"
        for name in names:
            told = "; ".join(_shown(twin) for twin in TWINS[name])
            yield f"  - `{name.partition('.')[2]}`: {told}"


def _planner() -> Iterator[str]:
    yield "## Formulas of the planner itself\n"
    for name, told in sorted(PLANNER.items()):
        yield f"- {_shown(name)} ({told})"


def _numerical() -> Iterator[str]:
    yield "## What has no closed form\n"
    yield "By function, class or module: the others of the same module are above.\n"
    for name, reason in sorted(NUMERICAL.items()):
        yield f"- `models.{name}`: {reason}"


def main() -> int:
    """Write the page, or tell whether it is out of date."""
    if "--check" in sys.argv:
        return int(PAGE.read_text(encoding="utf-8") != page())
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
