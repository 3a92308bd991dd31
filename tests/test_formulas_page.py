"""The page of formulas is made of the tables that a test keeps complete."""

from __future__ import annotations

import importlib.util
from pathlib import Path

PAGES = Path(__file__).parent.parent / "docs"


# docs/theory/formulas.md is what docs/formulas.py would write today.
def test_the_page_of_formulas_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("formulas_page", PAGES / "formulas.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (PAGES / "theory" / "formulas.md").read_text(encoding="utf-8") == module.page()
