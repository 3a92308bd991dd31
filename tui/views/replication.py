"""How far replicas are behind, what readers see of it, and what is lost when the primary is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capacity.axes import Axis
from capacity.lagging import RAREST, databases, lagging
from capacity.units import digits, show_percent, show_seconds
from tui.blocks import name, percent, seconds, share, table
from tui.content import Cell, Chart, Content, Note, Series, Style
from tui.views import View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from capacity.components.database import Database
    from capacity.lagging import Lagging
    from capacity.solve import Solution
    from tui.content import Block
    from tui.views import Asked

_MODES = {
    "async": "a write waits for no replica: one that has not arrived when the primary is lost is lost with it",
    "semi_sync": "a write waits until a replica has received it: none that was acknowledged is lost",
    "sync": "a write waits until all replicas have applied it: who has written it will read it, and none is lost",
    "quorum": "a write waits until so many members have applied it, a read asks so many at once and takes the newest",
}


def answer(asked: Asked, tick: Callable[[int], None]) -> Content:
    """Return the lag of the selected database's replicas, or of all databases; in normal operation."""
    solution = asked.scene.solution
    known = databases(solution.system)
    chosen = [asked.tier] if asked.tier in known else list(known)
    blocks: list[Block] = []
    for database in chosen:
        blocks += _of_database(solution, database, known[database], tick)
    if not known:
        blocks.append(Note("No tier is a database: there is nothing to replicate, and nothing that lags."))
    return Content(tuple(blocks))


def _of_database(solution: Solution, database: str, tier: Database, tick: Callable[[int], None]) -> Iterator[Block]:
    place, shown = solution.places[database], name(database)
    if place.count == 0 or place.hosted:
        yield Note(
            f"{shown} has no replicas: nothing lags, and reads are never old. Nothing takes over either when its node"
            " is lost. Replicas take reads off the primary: give it replicas = 1 or more, on a node of its own."
        )
        return
    found = lagging(solution, database, tick)
    if found is None:
        yield Note(
            f"{shown} has {place.count} replicas, but nothing is known of their lag: give replication.apply_time (of a"
            " core, for a write) and replication.network_delay.",
            "warn",
        )
        return
    if found.diverges:
        yield Note(
            f"{shown}: replicas fall behind for ever at this load. What mends it: where reads fill their cores, more"
            " replicas; where the apply thread is full, shards, fewer writes or a shorter apply_time; a faster node.",
            "bad",
        )
    yield _lag(shown, found)
    yield from _chart(shown, found)
    yield _own_writes(shown, found)
    yield _failover(shown, found, tier)
    yield from _how_exact(found)


def _lag(shown: str, found: Lagging) -> Block:
    replicas = f"{found.replicas} replica{'s' if found.replicas > 1 else ''}"
    each = f"{replicas} of each of {found.shards} shards" if found.shards > 1 else replicas
    thread = Cell("takes no time", "dim")
    if found.apply_utilization is not None:
        thread = Cell(show_percent(found.apply_utilization), "bad" if found.apply_utilization >= 1 else "")
    strict = found.quorum is not None and found.quorum.is_strict
    stale = share(found.stale_read_fraction) if strict or not found.diverges else Cell("more and more", "bad")
    rows: list[Sequence[Cell | str]] = [
        ("mean lag", seconds(found.mean_s)),
        ("p99 lag", seconds(found.p99_s)),
        ("reads that get an old value", stale),
        ("apply thread of a replica, used", thread),
        ("falls behind for ever from", _diverging(found)),
    ]
    if found.quorum is not None:
        nodes, reads, writes = found.quorum
        fresh = (
            Cell("every read meets every write", "good")
            if found.quorum.is_strict
            else Cell("a read may miss it", "warn")
        )
        rows += [
            ("members that a read asks", f"{reads} of {nodes}"),
            ("members that a write waits for", f"{writes} of {nodes}"),
            ("the newest write", fresh),
        ]
    return table(f"{shown}: {each}, {found.mode}", ("", ""), rows)


def _diverging(found: Lagging) -> Cell:
    if found.diverges_at is None:
        return Cell("no load that was found", "dim")
    style: Style = "bad" if found.diverges_at <= 1 else "warn" if found.diverges_at < 2 else ""
    return Cell(f"{digits(found.diverges_at)} x this load", style)


def _chart(shown: str, found: Lagging) -> Iterator[Block]:
    if found.not_visible:
        across = Axis("after the write", show_seconds, log=True)
        up = Axis("writes not yet visible", percent)
        line = Series("not yet visible on a replica", tuple(found.not_visible))
        yield Chart(f"{shown}: writes that a replica does not show yet", across, up, (line,))


def _own_writes(shown: str, found: Lagging) -> Block:
    rows = [("at once" if after == 0 else f"after {show_seconds(after)}", share(s)) for after, s in found.unseen]
    columns = ("Reads what he wrote", "Does not find it")
    asked = "a replica" if found.quorum is None else "a quorum"
    return table(f"{shown}: own writes not yet visible, of reads from {asked}", columns, rows)


def _failover(shown: str, found: Lagging, tier: Database) -> Block:
    lost = Cell(digits(found.writes_at_risk), "warn") if found.writes_at_risk else Cell("none", "good")
    rows: list[Sequence[Cell | str]] = [
        ("no write is taken for", show_seconds(found.failover_s)),
        ("writes that wait meanwhile", digits(found.writes_held)),
        ("acknowledged writes that may be lost", lost),
    ]
    busiest = ", of the busiest shard" if tier.shards > 1 else ""
    return table(f"{shown}: when the primary is lost{busiest}", ("", ""), rows)


def _how_exact(found: Lagging) -> Iterator[Note]:
    yield Note(f"{found.mode}: {_MODES[found.mode]}.")
    if found.stale_read_fraction is None:
        yield Note("How many reads are old is not known: give the database objects, how many keys there are.", "warn")
    if found.quorum is not None and not found.quorum.is_strict:
        yield Note("What a quorum misses takes the lags of replicas as independent: approximate.", "dim")
    model = "exact for its model (M/G/1 for the one thread that applies, cores idle)"
    busy = "approximate: each apply also waits for a core that reads use, taken as exponential and independent"
    yield Note(
        f"Lag is network delay plus the apply queue; {model if found.exact else busy}. The curve ends where"
        f" {percent(RAREST)} of writes are left. The load at which replicas fall behind, by their one apply thread or"
        " their cores, is solved with other tiers keeping up.",
        "dim",
    )


VIEW = View(
    "replication",
    "6",
    "Replication",
    "How old are the answers of replicas, and what is lost with the primary?",
    answer,
    of_tier=True,
    of_scenario=False,
    work="how far replicas are behind, and who reads what is stale",
)
