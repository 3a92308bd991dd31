from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity import saving
from capacity.errors import UsageError
from capacity.merging import merged, same
from tests.capacity.test_rewriting import TABLES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


# A saved file keeps its mode, its link and its line ends, and leaves no temporary file behind.
def test_save(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    target, link = folder / "a.toml", folder / "link.toml"
    target.write_bytes(b"x = 1\r\n")
    target.chmod(0o640)
    link.symlink_to(target)
    known = saving.save(str(link), "x = 2\r\n")
    assert target.read_bytes() == b"x = 2\r\n"
    assert link.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert known == saving.fingerprint(str(target))
    assert sorted(path.name for path in folder.iterdir()) == ["a.toml", "link.toml"]


# The mark before the first line that some editors write stays where it was.
def test_save_keeps_the_byte_order_mark(tmp_path: Path) -> None:
    target = tmp_path / "a.toml"
    target.write_bytes(b"\xef\xbb\xbfx = 1\n")
    saving.save(str(target), "x = 2\n")
    assert target.read_bytes() == b"\xef\xbb\xbfx = 2\n"


# When the disk fails in the middle, the old file is still there whole, and nothing beside it.
def test_a_failed_save_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.toml"
    target.write_text("x = 1\n")

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(UsageError, match="No space left"):
        saving.save(str(target), "x = 2\n")
    assert target.read_text() == "x = 1\n"
    assert [path.name for path in tmp_path.iterdir()] == ["a.toml"]


# Another content, and no file at all, are changes; a new time stamp is none.
def test_changed_on_disk(tmp_path: Path) -> None:
    target = tmp_path / "a.toml"
    assert not saving.changed_on_disk(str(target), None)
    known = saving.save(str(target), "x = 1\n")
    os.utime(target, (1, 1))
    assert not saving.changed_on_disk(str(target), known)
    target.write_text("x = 2\n")
    assert saving.changed_on_disk(str(target), known)
    target.unlink()
    assert saving.changed_on_disk(str(target), known)


# Unsaved work is found again, for its user only, tells whether the file moved on, and is gone when discarded.
def test_recovery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.toml"
    known = saving.save(str(target), "x = 1\n")
    assert saving.recoverable(str(target)) is None
    saving.keep(str(target), "x = 2\r\n# ü\n", known)
    kept = saving.recovery_file(str(target))
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    monkeypatch.chdir(tmp_path)
    found = saving.recoverable("a.toml")
    assert found is not None
    assert (found.text, found.base, found.base_changed) == ("x = 2\r\n# ü\n", known, False)
    target.write_text("x = 3\n")
    again = saving.recoverable(str(target))
    assert again is not None
    assert again.base_changed
    saving.discard(str(target))
    saving.discard(str(target))
    assert saving.recoverable(str(target)) is None


# Work that was saved after all is nothing to recover; nor is a file that is damaged.
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"text": 1, "base": null}', b"\xff", b'{"text": "x"}'])
def test_nothing_to_recover(tmp_path: Path, content: bytes) -> None:
    target = str(tmp_path / "a.toml")
    saving.save(target, "x = 1\n")
    saving.keep(target, "x = 1\n", None)
    assert saving.recoverable(target) is None
    saving.recovery_file(target).write_bytes(content)
    assert saving.recoverable(target) is None


# A state directory that cannot be written is said, not a crash.
def test_no_place_for_recovery(tmp_path: Path, state: Path) -> None:
    state.write_text("a file")
    with pytest.raises(UsageError, match="cannot be made"):
        saving.keep(str(tmp_path / "a.toml"), "x = 1\n", None)
    assert saving.recoverable(str(tmp_path / "a.toml")) is None


# Whoever changed nothing gets what the other made of it; equal changes are no conflict.
@given(TABLES, TABLES)
def test_one_sided_merges(base: dict[str, Any], changed: dict[str, Any]) -> None:
    for mine, theirs in ((base, changed), (changed, base), (changed, changed)):
        found, conflicts = merged(base, mine, theirs)
        assert same(found, changed)
        assert conflicts == ()


# Both sides see the same conflicts; without any the outcome is the same whoever merges.
@given(TABLES, TABLES, TABLES)
def test_merges_are_symmetric(base: dict[str, Any], one: dict[str, Any], other: dict[str, Any]) -> None:
    (first, here), (second, there) = merged(base, one, other), merged(base, other, one)
    assert {c.path for c in here} == {c.path for c in there}
    if not here:
        assert same(first, second)


# Changes of different keys are both kept, down to calls in a list; the same key in two ways is named.
def test_merge() -> None:
    base = {"a": {"n": 1, "calls": [{"to": "x", "count": 1}]}, "gone": 1, "list": [1]}
    mine = {"a": {"n": 2, "calls": [{"to": "y", "count": 1}]}, "gone": 1, "list": [2], "new": 1}
    theirs = {"a": {"n": 3, "calls": [{"to": "x", "count": 5}]}, "list": [3]}
    found, conflicts = merged(base, mine, theirs)
    assert found == {"a": {"n": 2, "calls": [{"to": "y", "count": 5}]}, "list": [2], "new": 1}
    assert [(c.path, c.base, c.mine, c.theirs) for c in conflicts] == [
        (("a", "n"), 1, 2, 3),
        (("list",), [1], [2], [3]),
    ]


# A table that one side removed and the other changed is a conflict of the table.
@given(st.booleans())
def test_removed_and_changed(mine_removed: bool) -> None:  # noqa: FBT001
    base, changed = {"a": {"n": 1}}, {"a": {"n": 2}}
    mine, theirs = ({}, changed) if mine_removed else (changed, {})
    found, conflicts = merged(base, mine, theirs)
    assert found == mine
    assert [c.path for c in conflicts] == [("a",)]


# A file that its owner made read-only stays as it is, although its folder would let it be replaced.
def test_a_read_only_file_is_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "a.toml"
    target.write_text("x = 1\n")
    target.chmod(0o444)
    with pytest.raises(UsageError, match="read-only"):
        saving.save(str(target), "x = 2\n")
    assert target.read_text() == "x = 1\n"


# What the work was made from is kept with it, so that both can be merged; older kept work has none.
def test_the_base_is_kept_with_the_work(tmp_path: Path) -> None:
    target = tmp_path / "a.toml"
    target.write_text("x = 1\n")
    for base_text in ("x = 0\n", None):
        saving.keep(str(target), "x = 2\n", "some other", base_text)
        found = saving.recoverable(str(target))
        assert found is not None
        assert (found.text, found.base_text, found.base_changed) == ("x = 2\n", base_text, True)
