"""`python -m tests.accuracy` writes docs/accuracy.md; with `--slow` the long runs are measured again first."""

from __future__ import annotations

import json
import sys
import time

from tests.accuracy.page import KEPT, PAGE, families, measured, page


def _measure_slow(only: str) -> None:
    """Measure the slow comparisons whose name holds a text, and keep the results; others are kept as they are."""
    slow = [one for family in families() for one in family.comparisons if one.slow]
    known: dict[str, float] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    known = {one.name: known[one.name] for one in slow if one.name in known}
    for one in slow:
        if only in one.name:
            start = time.monotonic()
            known[one.name] = float(f"{one.worst():.4g}")
            sys.stderr.write(f"{one.name}: {known[one.name]:.3g} in {time.monotonic() - start:.1f} s\n")
            KEPT.write_text(json.dumps(dict(sorted(known.items())), indent=1, ensure_ascii=False) + "\n")


def main(arguments: list[str]) -> None:
    """Write the page."""
    if arguments[:1] == ["--slow"]:
        _measure_slow(arguments[1] if len(arguments) > 1 else "")
    PAGE.write_text(page(families(), measured()))
    sys.stderr.write(f"wrote {PAGE}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
