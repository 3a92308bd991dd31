"""The `[plan]` table of an exported plan: numbers of the topology as it was, which an edit leaves behind.

Nothing in it is taken away, since comments may stand there that somebody wrote: it says itself that it is out of date.
"""

from __future__ import annotations

from typing import Any, Final

from capacity.plan import digest
from capacity.rewriting import rewritten

MARK: Final = "out_of_date"
"""The key in `[plan]` that says so."""

TOLD: Final = "the topology was edited since: `capacity plan` makes a new one"


def out_of_date(values: dict[str, Any]) -> bool:
    """Return whether a file carries the numbers of a plan that its topology is no longer."""
    plan = values.get("plan")
    return isinstance(plan, dict) and "digest" in plan and plan["digest"] != digest(values)


def marked(text: str, values: dict[str, Any]) -> str:
    """Return the text of `values` with its plan marked as out of date, or no longer marked; else as it is."""
    plan = values.get("plan")
    if not isinstance(plan, dict) or "digest" not in plan:
        return text
    kept = {key: value for key, value in plan.items() if key != MARK}
    wanted = {MARK: TOLD, **kept} if out_of_date(values) else kept
    return text if wanted == plan else rewritten(text, {**values, "plan": wanted})
