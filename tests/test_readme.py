"""The README shows what the program really prints."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parent.parent


def _readme() -> Any:
    spec = importlib.util.spec_from_file_location("readme", ROOT / "docs" / "readme.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_block_of_the_readme_is_what_the_program_prints(tmp_path: Path) -> None:
    readme = _readme()
    readme.prepare(tmp_path)
    text = readme.README.read_text(encoding="utf-8")
    assert len(readme.BLOCK.findall(text)) >= 5
    assert readme.refreshed(text, tmp_path) == text


def test_a_stale_block_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readme = _readme()
    monkeypatch.setattr(readme, "run", lambda *_: "something else\n")
    assert readme.refreshed("```\n$ capacity nodes\nold\n```", tmp_path) == "```\n$ capacity nodes\nsomething else\n```"
