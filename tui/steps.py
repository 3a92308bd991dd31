"""The steps of a growing architecture under the load on the screen, as edits of the file that keeps its own load."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from capacity.document import scaled
from capacity.editing import edited

if TYPE_CHECKING:
    from capacity.document import Document
    from capacity.editing import Edited
    from capacity.steps.base import Proposal


def at_load(document: Document, load: float) -> Document:
    """Return a document under a multiple of its load: what applies, and what it brings, depends on that."""
    if load == 1:
        return document
    return dataclasses.replace(
        document, topology=scaled(document.topology, load), load_factor=document.load_factor * load
    )


def stepped_to(document: Document, proposal: Proposal) -> Edited:
    """Return a document with a step that was found for it, under whatever load: the file keeps the load it has.

    Raises DocumentError where the step is no valid file at that load.
    """
    return edited(document, proposal.document.values, f"{proposal.name}:{proposal.subject}")
