"""The README shows what the program really prints."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
QUOTED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
"""Blocks and their language: without one they are what is printed, TOML is what somebody writes."""


@pytest.fixture(scope="module")
def readme() -> Any:
    """Return the script, which runs a command of several blocks once."""
    spec = importlib.util.spec_from_file_location("readme", ROOT / "docs" / "readme.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def folder(readme: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the files that the blocks use."""
    made = tmp_path_factory.mktemp("readme")
    readme.prepare(made)
    return made


# Every block of the README and of what looks ahead is what the program prints today.
@pytest.mark.parametrize("page", ["README.md", "docs/ahead.md"])
def test_every_block_is_what_the_program_prints(readme: Any, folder: Path, page: str) -> None:
    assert ROOT / page in readme.PAGES
    text = (ROOT / page).read_text(encoding="utf-8")
    assert len(readme.BLOCK.findall(text)) >= 5
    assert readme.refreshed(text, folder) == text


def test_a_stale_block_is_noticed(readme: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readme, "run", lambda *_: "something else\n")
    assert readme.refreshed("```\n$ capacity nodes\nold\n```", tmp_path) == "```\n$ capacity nodes\nsomething else\n```"


# What docs/scaling.md and docs/cost.md quote of the example's tables and notes is what the program prints today: each line
# of a quoted block, with its order kept.
@pytest.mark.parametrize(
    ("page", "command", "blocks"),
    [("scaling", "capacity scale shop.toml app", 2), ("cost", "capacity plan shop.toml", 2)],
)
def test_pages_quote_what_the_program_prints(readme: Any, folder: Path, page: str, command: str, blocks: int) -> None:
    printed = [line.strip() for line in readme.run(command, folder).splitlines()]
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    quoted = [block for language, block in QUOTED.findall(text) if not language and not block.startswith("capacity ")]
    assert len(quoted) == blocks
    for block in quoted:
        rest = iter(printed)
        lines = [line.strip() for line in block.splitlines() if line.strip()]
        assert len(lines) >= 2
        assert [line for line in lines if line not in rest] == []
