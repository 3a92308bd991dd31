from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "examples").rglob("*.toml"))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program."""
    return subprocess.run(
        [sys.executable, "-m", "capacity", *arguments] if (ROOT / "capacity" / "__main__.py").exists()
        else [sys.executable, "-c", "from capacity.cli import main; main()", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


# Every example plans, its exported plan passes a check, and planning changes nothing more.
@pytest.mark.parametrize("example", EXAMPLES)
def test_example_plans(example: str, tmp_path: Path) -> None:
    target = tmp_path / "plan.toml"
    planned = run("plan", example, "-o", str(target))
    assert planned.returncode == 0, planned.stderr
    checked = run("check", str(target))
    assert checked.returncode == 0, checked.stdout
    assert checked.stdout.startswith("ok")


# There are examples to test: an empty folder would pass unnoticed.
def test_there_are_examples() -> None:
    assert "examples/shop.toml" in EXAMPLES
