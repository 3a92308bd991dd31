"""Shards: a database is divided by key, so that each part has a primary of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capacity.steps.base import NOTICEABLE, Proposal, Told, path_of, with_keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.steps.base import Situation

NAME: Final = "shard"
TITLE: Final = "shards"

_DIVIDED: Final = ("primary cores", "apply thread", "disk")
"""What every shard has for itself."""


def proposals(situation: Situation) -> Iterator[Proposal]:
    """Yield each database with a machine of its own whose primary, or what applies its writes, is busy."""
    for name, tier in situation.databases():
        if situation.pressed(name, *_DIVIDED) < NOTICEABLE or not situation.concerned(name):
            continue
        shards = 2 * tier.shards
        known = tier.objects is not None
        assumes = ["every request carries the key that tells its shard"]
        assumes += [] if known else ["the shards are equally busy: objects and popularity would tell the busiest"]
        risks = ["each shard has to work: one more thing to fail", "what spans keys gets harder"]
        risks += [] if tier.migration_cost is not None else ["moving the data costs, and is in no total"]
        values = with_keys(situation.values, path_of(name), shards=shards)
        text = f"{name} in {shards} shards, not {tier.shards}"
        yield from situation.changed(NAME, name, values, Told(text, tuple(assumes), tuple(risks)))
