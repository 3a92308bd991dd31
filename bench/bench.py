"""Measure what a user feels: one evaluation, one plan, a cold start. Everything is compared within this one run."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from capacity.document import load
from capacity.evaluate import describe
from capacity.plan import plan
from capacity.solve import solve
from capacity.system import resolve
from capacity.verdict import violations

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SHOP = str(Path(__file__).parent.parent / "examples" / "shop.toml")


def timed(action: Callable[[], object], rounds: int) -> list[float]:
    """Return the milliseconds of each of several rounds after one that is not counted."""
    action()
    found = []
    for _ in range(rounds):
        started = time.perf_counter()
        action()
        found.append((time.perf_counter() - started) * 1e3)
    return found


def shown(what: str, milliseconds: Sequence[float]) -> None:
    """Print the median and the spread."""
    low, high = min(milliseconds), max(milliseconds)
    print(f"{what:58}{statistics.median(milliseconds):9.2f} ms  (min {low:.2f}, max {high:.2f})")


def process(*arguments: str) -> Callable[[], object]:
    """Return an action that runs Python from cold."""
    return lambda: subprocess.run([sys.executable, *arguments], check=True, capture_output=True)


def main() -> None:
    """Print everything."""
    topology = load(SHOP).topology
    system, counts = resolve(topology), plan(topology).counts
    shown("solve examples/shop.toml: waits, responses, verdict", timed(lambda: violations(solve(system, counts)), 200))
    shown("evaluate it with all percentiles of classes and tiers", timed(lambda: describe(solve(system, counts)), 100))
    shown("plan it: search, reasons, scenarios", timed(lambda: plan(topology), 15))
    run = "import sys; sys.argv = ['capacity', *sys.argv[1:]]; from capacity.cli import main; main()"
    rounds: list[tuple[str, Callable[[], object]]] = [
        ("cold start: python -c pass", process("-c", "pass")),
        ("cold start: python -c 'import numpy'", process("-c", "import numpy")),
        ("cold start: capacity --help", process("-c", run, "--help")),
        ("cold start: capacity plan examples/shop.toml", process("-c", run, "plan", SHOP)),
    ]
    cold = {what: timed(action, 9) for what, action in rounds}
    for what, milliseconds in cold.items():
        shown(what, milliseconds)
    bare, numpy, helped, planned = (statistics.median(milliseconds) for milliseconds in cold.values())
    print(f"capacity --help takes {helped / bare:.1f} x bare Python, {helped / numpy:.2f} x importing NumPy")
    print(f"capacity plan takes {planned / numpy:.1f} x importing NumPy")


if __name__ == "__main__":
    main()
