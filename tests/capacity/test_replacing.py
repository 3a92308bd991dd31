from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.capacity.running import EXAMPLES, capacity

if TYPE_CHECKING:
    from pathlib import Path

STARTER = EXAMPLES / "starter.toml"


# A result replaces an older result of the same kind, as a script in version control needs it.
@pytest.mark.parametrize("name", ["plan.toml", "plan.json", "plan.csv"])
def test_a_result_is_replaced(tmp_path: Path, name: str) -> None:
    assert capacity("plan", STARTER, "-o", tmp_path / name).code == 0
    assert capacity("plan", STARTER, "--load", "2x", "-o", tmp_path / name).code == 0


# What somebody wrote or edited is not replaced without --force, whatever its name ends in.
@pytest.mark.parametrize("name", ["notes.md", "notes.txt", "notes.json", "notes.csv", "notes.toml"])
def test_what_somebody_wrote_stays(tmp_path: Path, name: str) -> None:
    target = tmp_path / name
    target.write_text("my = 'notes'\n")
    ended = capacity("plan", STARTER, "-o", target)
    assert ended.code == 2
    assert "--force" in ended.err
    assert target.read_text() == "my = 'notes'\n"
    assert capacity("plan", STARTER, "-o", target, "--force").code == 0


# A plan that was edited after its export is somebody's work: its digest does not fit any more.
def test_an_edited_plan_stays(tmp_path: Path) -> None:
    target = tmp_path / "plan.toml"
    capacity("plan", STARTER, "-o", target)
    target.write_text(target.read_text().replace("nodes = 3", "nodes = 9", 1))
    edited = target.read_text()
    assert capacity("plan", STARTER, "-o", target).code == 2
    assert target.read_text() == edited


# A plan that nobody has edited is replaced by the next one, also where the file has tables before plain values.
def test_an_own_plan_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "plan.toml"
    for _ in range(2):
        assert capacity("plan", EXAMPLES / "shop.toml", "-o", target).code == 0
