"""The examples that `capacity init` starts from: files beside the program, or inside it once it is installed."""

from __future__ import annotations

from pathlib import Path

from capacity.decode import nearest
from capacity.errors import UsageError, ascii_quoted


def folder() -> Path:
    """Return where the examples are."""
    here = Path(__file__).parent
    installed = here / "examples"
    return installed if installed.is_dir() else here.parent / "examples"


def names() -> list[str]:
    """Return the name of every example."""
    root = folder()
    return sorted(path.relative_to(root).with_suffix("").as_posix() for path in root.rglob("*.toml"))


def text(name: str) -> str:
    """Return an example's text."""
    wanted = name.removesuffix(".toml")
    known = names()
    short = {known_name.rpartition("/")[2]: known_name for known_name in known}
    found = wanted if wanted in known else short.get(wanted)
    if found is None:
        near = nearest(wanted, [*known, *short])
        hint = f"; did you mean {near}?" if near else ""
        raise UsageError(f"--example {ascii_quoted(name)}: there are {', '.join(known)}{hint}")
    return (folder() / f"{found}.toml").read_text(encoding="utf-8")


def listed() -> list[tuple[str, str]]:
    """Return each example's name and its first comment line."""
    return [(name, text(name).splitlines()[0].lstrip("# ")) for name in names()]
