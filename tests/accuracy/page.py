"""The page of measured accuracy: every family's table, made from the comparisons and the kept results of slow ones."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Final

from tests import accuracy
from tests.accuracy.comparison import Comparison, Family, row

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "accuracy.md"
KEPT: Final = ROOT / "tests" / "data" / "accuracy.json"

_OURS: Final = {"__main__", "comparison", "page"}

_HEAD: Final = """# Measured accuracy

Made by `python -m tests.accuracy`, from comparisons that the tests run as well: do not edit. Rows from long runs are
measured by `python -m tests.accuracy --slow` and kept in `tests/data/accuracy.json`. Each law is held against something
that shares nothing with it: a published table, arithmetic with 50 digits, another program, an independent simulation;
approximations of M/G/c and G/G/c also against our own exact chain, which is itself held against another program. *Worst
error* is the largest of all comparisons in the region, rounded up, relative unless it says otherwise; the *bar* is what
was asked for, or what the law's documentation promises. What the laws assume, and when not to use them, is in
[theory](theory.md).
"""


def families() -> list[Family]:
    """Return every family, in the order of the page."""
    names = [module.name for module in iter_modules(accuracy.__path__) if module.name not in _OURS]
    found = [import_module(f"tests.accuracy.{name}").FAMILY for name in names]
    return sorted(found, key=lambda family: (family.order, family.title))


def kept() -> dict[str, float]:
    """Return the worst errors of slow comparisons, as they were measured last."""
    known: dict[str, float] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    return known


def worst(comparison: Comparison, known: dict[str, float]) -> float:
    """Return the worst error of a comparison: measured now, or as it was kept."""
    if not comparison.slow:
        return comparison.worst()
    if comparison.name not in known:
        raise KeyError(f"{comparison.name}: not measured yet; run python -m tests.accuracy --slow")
    return known[comparison.name]


def page(found: list[Family], errors: dict[str, float]) -> str:
    """Return the page from the worst error of every comparison, by name."""
    parts, missed, judged = [_HEAD], [], 0
    for family in found:
        rows = [row(one, errors[one.name]) for one in family.comparisons]
        judged += sum(one.bar is not None for one in family.comparisons)
        missed += [one for one in family.comparisons if one.bar is not None and errors[one.name] > one.bar]
        head = "| Law | Against | Region | Worst error | Bar | Met |\n|---|---|---|---|---|---|\n"
        parts.append(f"## {family.title}\n\n{family.intro}\n\n{head}" + "\n".join(rows) + "\n")
    told = [f"- {one.law}: {one.region}." for one in missed]
    summary = f"{judged - len(missed)} of {judged} bars are met."
    parts.insert(1, "\n".join([summary + (" Missed:\n" if missed else ""), *told]).strip() + "\n")
    return "\n".join(parts)


def measured() -> dict[str, float]:
    """Return the worst error of every comparison."""
    known = kept()
    return {one.name: worst(one, known) for family in families() for one in family.comparisons}
