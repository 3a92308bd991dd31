"""Keep the output shown in README.md and docs/ahead.md real: run their `$ capacity …` blocks again, write or compare.

    python docs/readme.py           # rewrite the blocks
    python docs/readme.py --check   # exit 1 when one of them is out of date

A block that ends in a line with … shows the beginning only. The commands run in a folder with the shop example as
shop.toml, its plan as plan.toml, a step of the ladder as replicas.toml, and a copy with three typing errors as
typo.toml.
"""

from __future__ import annotations

import functools
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = (README, ROOT / "docs" / "ahead.md")
BLOCK = re.compile(r"^```\n\$ (?P<command>capacity [^\n]*)\n(?P<output>.*?)^```$", re.MULTILINE | re.DOTALL)
TYPOS = (('to = "redis"', 'to = "rediss"'), ('cpu_time = "0.8ms"', 'cpu_tiem = "0.8ms"'), ('"60us"', '"60 parsecs"'))


@functools.cache
def run(command: str, folder: Path) -> str:
    """Return what a command line prints, errors included; `; echo $?` adds the exit code. No block writes a file."""
    line, _, echo = command.partition(";")
    arguments = [sys.executable, "-m", "capacity", *shlex.split(line)[1:]]
    ended = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False)
    return ended.stdout + ended.stderr + (f"{ended.returncode}\n" if echo else "")


def prepare(folder: Path) -> None:
    """Make the files that the blocks use."""
    run("capacity init shop.toml --example shop", folder)
    run("capacity plan shop.toml -o plan.toml", folder)
    run("capacity init replicas.toml --example ladder/5-read-replicas", folder)
    text = (folder / "shop.toml").read_text(encoding="utf-8")
    for right, wrong in TYPOS:
        text = text.replace(right, wrong)
    (folder / "typo.toml").write_text(text, encoding="utf-8")


def refreshed(text: str, folder: Path) -> str:
    """Return a page with the output of every block as it is now."""

    def replace(match: re.Match[str]) -> str:
        shown, fresh = match["output"].splitlines(), run(match["command"], folder).splitlines()
        if "…" in shown:
            cut = shown.index("…")
            fresh = (
                [*fresh[:cut], "…", *fresh[len(fresh) - len(shown[cut + 1 :]) :]]
                if shown[cut + 1 :]
                else [*fresh[:cut], "…"]
            )
        return "\n".join(["```", f"$ {match['command']}", *fresh, "```"])

    return BLOCK.sub(replace, text)


def main() -> int:
    """Refresh or check."""
    stale = False
    with tempfile.TemporaryDirectory() as name:
        prepare(Path(name))
        for page in PAGES:
            text = page.read_text(encoding="utf-8")
            fresh = refreshed(text, Path(name))
            stale = stale or fresh != text
            if "--check" not in sys.argv:
                page.write_text(fresh, encoding="utf-8")
    return int(stale and "--check" in sys.argv)


if __name__ == "__main__":
    raise SystemExit(main())
