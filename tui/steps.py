"""The steps of a growing architecture under the load on the screen, as edits of the file that keeps its own load."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, NamedTuple

from capacity.document import scaled
from capacity.editing import edited
from capacity.next_steps import ranked

if TYPE_CHECKING:
    from collections.abc import Callable

    from capacity.document import Document
    from capacity.editing import Edited
    from capacity.next_steps import Outcome
    from capacity.steps.base import Proposal


def at_load(document: Document, load: float) -> Document:
    """Return a document under a multiple of its load: what applies, and what it brings, depends on that."""
    if load == 1:
        return document
    return dataclasses.replace(
        document, topology=scaled(document.topology, load), load_factor=document.load_factor * load
    )


class Step(NamedTuple):
    """A step that can be taken, and what the cheapest plan with it brings."""

    proposal: Proposal
    brings: str


def ranked_steps(document: Document, load: float, tick: Callable[[int], None]) -> list[Step]:
    """Return the steps that apply at a load, in the order of the view and of `capacity next`."""
    currency = document.topology.currency
    return [Step(proposal, _brings(outcome, currency)) for outcome, proposal in ranked(at_load(document, load), tick)]


def _brings(outcome: Outcome, currency: str) -> str:
    """Return what a step brings, and what that costs, where the difference is known."""
    if not outcome.feasible:
        return f"not enough: {outcome.fails[0]}" if outcome.fails else "not enough"
    found = ", ".join(outcome.brings) or "nothing now"
    if outcome.monthly_change is None:
        return found
    if round(outcome.monthly_change, 2) == 0:
        return f"{found}, at no more cost"
    return f"{found}, {outcome.monthly_change:+,.2f} {currency}/month"


def stepped_to(document: Document, proposal: Proposal) -> Edited:
    """Return a document with a step that was found for it, under whatever load: the file keeps the load it has.

    Raises DocumentError where the step is no valid file at that load.
    """
    return edited(document, proposal.document.values, f"{proposal.name}:{proposal.subject}")
