"""A timeout around a call to a partner: what hangs is given up before it holds every thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capacity.components.external import External
from capacity.steps.base import Proposal, Told, path_of, with_keys
from capacity.units import show_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.steps.base import Situation

NAME: Final = "call-timeout"
TITLE: Final = "a timeout around a call"

_TIMEOUTS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""What people write; s."""

_CUT_OFF: Final = 1e-3
"""The share of calls that a timeout may cut off on an ordinary day."""


def proposals(situation: Situation) -> Iterator[Proposal]:
    """Yield each partner that is waited for without a timeout, and that answers on an ordinary day."""
    for partner, tier in situation.tiers.items():
        calls = [(n, i) for n, i, call in situation.waited_calls(partner) if call.timeout is None]
        usual = [situation.solution.latency(partner, name, "read") for name in situation.system.classes[partner]]
        if not isinstance(tier, External) or not calls or any(latency is None for latency in usual):
            continue
        enough = [t for t in _TIMEOUTS if all(u is not None and u.exceeds(t) <= _CUT_OFF for u in usual)]
        if not enough:
            continue
        written, values = show_seconds(enough[0]).replace(" ", ""), situation.values
        for caller, index in calls:
            values = with_keys(values, path_of(caller, "calls", index), timeout=written)
        text = f"calls to {partner} are given up after {written}"
        assumes = ("whoever asked can be told that the answer did not come",)
        risks = (f"answers of {partner} that take longer are lost, and the call may have had its effect",)
        yield from situation.changed(NAME, partner, values, Told(text, assumes, risks))
