"""Every public function of the models has its formula, or says why not; every formula is held to thirty digits."""

from __future__ import annotations

import ast
import inspect
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import models
from models.formulas import Formula
from models.formulas.twins import NUMERICAL, PLANNER, TWINS
from tests.models import test_formulas, test_formulas_latency, test_stream_formulas

if TYPE_CHECKING:
    from collections.abc import Iterator

MODELS = Path(models.__file__).parent
FORMULAS = [path.stem for path in sorted((MODELS / "formulas").glob("*.py"))]
LAWS_OF = {"formula", "inverting", "printing", "symbols", "twins", "__init__"}
"""Modules of formulas that hold none of their own."""


def public() -> Iterator[str]:
    """Yield every public function, and every public method of every public class, of the numeric models."""
    for path in sorted(MODELS.glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                yield f"{path.stem}.{node.name}"
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                yield f"{path.stem}.{node.name}"
                methods = [n.name for n in node.body if isinstance(n, ast.FunctionDef) and not n.name.startswith("_")]
                yield from (f"{path.stem}.{node.name}.{name}" for name in methods)


PUBLIC = sorted(set(public()))


def answered(name: str) -> bool:
    """Whether a name, or the class or module that it is in, is in one of the tables; a class also by its methods."""
    parts = name.split(".")
    known = [".".join(parts[: i + 1]) for i in range(len(parts))]
    return any(k in TWINS or k in NUMERICAL for k in known) or any(k.startswith(name + ".") for k in TWINS)


# Nothing public is left out: each has a twin, or a reason why not.
def test_nothing_is_left_out() -> None:
    assert [name for name in PUBLIC if not answered(name)] == []


# The tables name what there is: functions, classes and modules, and formulas.
def test_the_tables_name_what_there_is() -> None:
    modules = {path.stem for path in MODELS.glob("*.py")}
    assert [name for name in {*TWINS, *NUMERICAL} if name not in PUBLIC and name not in modules] == []
    assert sorted(set(TWINS) & set(NUMERICAL)) == []
    for name in {twin for twins in TWINS.values() for twin in twins} | set(PLANNER):
        module, _, law = name.partition(".")
        assert hasattr(import_module(f"models.formulas.{module}"), law), name
    assert all(NUMERICAL.values())


def formulas() -> Iterator[tuple[str, object]]:
    """Yield every formula, and every function that builds some, by its name."""
    for module in FORMULAS:
        if module in LAWS_OF:
            continue
        for name, value in vars(import_module(f"models.formulas.{module}")).items():
            builds = inspect.isfunction(value) and value.__module__ == f"models.formulas.{module}"
            if not name.startswith("_") and (isinstance(value, Formula) or builds):
                yield f"{module}.{name}", value


ALL = dict(formulas())


# No formula stands there for nothing: each is the twin of a function, or of what the planner computes.
def test_no_formula_is_nobodys() -> None:
    known = {twin for twins in TWINS.values() for twin in twins} | set(PLANNER)
    shown = {id(ALL[name]) for name in known if name in ALL}
    assert [name for name, value in ALL.items() if name not in known and id(value) not in shown] == []


@lru_cache
def held() -> frozenset[int]:
    """Return the formulas that some test holds to thirty digits, by their identity.

    By the tables of the tests beside this one; BESIDE are those that have a test of their own.
    """
    found = {id(f) for f, _ in [*test_formulas.PRECISE.values(), *test_formulas_latency.PRECISE.values()]}
    found |= {id(case[0]) for case in test_stream_formulas.CASES.values()}
    for path in Path(__file__).parent.glob("test_formulas_*.py"):
        module = vars(import_module(f"tests.models.{path.stem}"))
        found |= {id(law[0]) for name in ("LAWS", "ONE_SERVER", "GROWING") for law in module.get(name, ())}
        found |= {id(formula) for formula in module.get("BESIDE", ())}
    return frozenset(found)


# Every formula that is a value is held to thirty digits by one of the tests beside this one.
def test_thirty_digits_are_asked_of_all() -> None:
    assert [name for name, value in ALL.items() if isinstance(value, Formula) and id(value) not in held()] == []
