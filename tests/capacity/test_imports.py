from __future__ import annotations

import subprocess
import sys

import pytest

from tests.capacity.running import EXAMPLES

DRAWS_OR_SOLVES = {"sympy", "textual", "rich", "pydantic", "scipy"}
"""What costs more to import than a whole plan."""

RUN = """
import sys
from capacity.cli import app
try:
    app()
except SystemExit as ended:
    code = ended.code
sys.stderr.write(" ".join(sorted({name.partition(".")[0] for name in sys.modules})))
raise SystemExit(code)
"""


def imported(*arguments: str, code: int = 0) -> set[str]:
    """Return the top-level modules that one command has imported by its end, in a process of its own."""
    run = subprocess.run(
        [sys.executable, "-c", RUN, *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    assert run.returncode == code, run.stderr
    modules = set(run.stderr.rpartition("\n")[2].split())
    assert {"capacity", "typer"} <= modules, "the list of modules is not what was read"
    return modules


# Asking for help costs neither arithmetic nor drawing: no import that is only needed for a plan.
@pytest.mark.parametrize(
    "command", [(), ("plan",), ("init",), ("nodes",), ("queue",)], ids=lambda c: " ".join(c) or "-"
)
def test_help_imports_next_to_nothing(command: tuple[str, ...]) -> None:
    heavy = {*DRAWS_OR_SOLVES, "numpy", "msgspec", "tree_sitter", "tomli_w"}
    assert not imported(*command, "--help") & heavy


# A plan imports neither algebra nor drawing, nor the parser that only a wrong file needs.
@pytest.mark.parametrize("form", ["table", "json", "csv", "markdown", "toml"])
def test_a_plan_imports_no_more_than_it_needs(form: str) -> None:
    modules = imported("plan", str(EXAMPLES / "shop.toml"), "--format", form)
    assert not modules & {*DRAWS_OR_SOLVES, "tree_sitter", "tree_sitter_toml"}
    assert ("tomli_w" in modules) == (form == "toml")


# The other commands on a file keep the same diet.
@pytest.mark.parametrize("command", ["evaluate", "check"])
def test_other_commands_import_no_more_than_they_need(command: str) -> None:
    modules = imported(command, str(EXAMPLES / "shop.toml"), code=1 if command == "check" else 0)
    assert not modules & {*DRAWS_OR_SOLVES, "tree_sitter", "tree_sitter_toml", "tomli_w"}


# Commands without a file do no arithmetic.
@pytest.mark.parametrize("command", [("init", "-"), ("nodes",)], ids=lambda c: c[0])
def test_commands_without_a_file_import_no_arithmetic(command: tuple[str, ...]) -> None:
    assert not imported(*command) & {*DRAWS_OR_SOLVES, "tree_sitter"}


# A calculator imports neither algebra nor drawing, but for the formulas when these are asked for.
def test_a_calculator_imports_no_more_than_it_needs() -> None:
    options = ("queue", "--rate", "1200/s", "--service", "9ms", "--servers", "16")
    assert not imported(*options) & {*DRAWS_OR_SOLVES, "tree_sitter", "tomli_w"}
    assert "sympy" in imported(*options, "--explain")


# Other commands do not load the calculators.
def test_other_commands_do_not_wait_for_calculators() -> None:
    run = RUN.replace('{name.partition(".")[0] for name in sys.modules}', "{name for name in sys.modules}")
    ended = subprocess.run(
        [sys.executable, "-c", run, "nodes"], capture_output=True, text=True, check=False, timeout=60
    )
    loaded = {name for name in ended.stderr.split() if name.startswith("capacity.calculators")}
    assert loaded == {"capacity.calculators", "capacity.calculators.registry"}
