"""What `capacity quorum` answers: freshness of reads, latencies, and what losses are survived."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from capacity import judging
from capacity.calculators.calculator import Answer, Row
from capacity.errors import UsageError
from capacity.fewest import fewest
from capacity.units import show_availability, show_seconds
from models.messages import exponential_message
from models.published_delays import DISK, SSD, YAMMER
from models.quorum import MOST_NODES, Quorum, Replica, alike, far_apart, versions_behind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.calculators.calculator import Given

_FITS = {"lnkd-ssd": SSD, "lnkd-disk": DISK, "ymmr": YAMMER}
_ROUNDING = 1e-9
_TOLD = 3
"""Other quorums that are named."""


def answered(given: Given) -> Answer:
    """Return the answer to what was given."""
    nodes, wanted = given.count("nodes"), given.maybe("consistent")
    if nodes > MOST_NODES:
        raise UsageError(f"--nodes: found {nodes}; allowed: at most {MOST_NODES}")
    for name in ("reads", "writes"):
        if given.has(name) and given.count(name) > nodes:
            raise UsageError(f"--{name}: found {given.count(name)}; allowed: at most the {nodes} nodes")
    reads, writes = given.maybe_count("reads"), given.maybe_count("writes")
    solved = None
    if wanted is not None and (reads is None) != (writes is None):
        solved = "reads" if reads is None else "writes"
        fixed = reads or writes or 1

        def enough(count: int) -> bool:
            trial = _quorum(given, count, fixed) if solved == "reads" else _quorum(given, fixed, count)
            return _fresh(trial, given) >= wanted - _ROUNDING

        found = fewest(enough, 1, nodes) or nodes
        reads, writes = (found, fixed) if solved == "reads" else (fixed, found)
    if wanted is not None and reads is None and writes is None:
        (reads, writes), *others = _enough(given, wanted)
        told = _answer(given, _quorum(given, reads, writes), "reads and writes")
        note = f"enough as well: {', or '.join(f'R {r} and W {w}' for r, w in others[:_TOLD])}"
        return replace(told, notes=[*told.notes, note]) if others and given.alone else told
    return _answer(given, _quorum(given, reads or 1, writes or 1), solved)


def _enough(given: Given, wanted: float) -> list[tuple[int, int]]:
    """Return the pairs of reads and writes with the smallest sum that are enough, those that survive most losses first.

    More than all nodes together always are: then every read meets every write.
    """
    nodes = given.count("nodes")
    for together in range(2, nodes + 2):
        pairs = [(reads, together - reads) for reads in range(1, together) if max(reads, together - reads) <= nodes]
        enough = [pair for pair in pairs if _fresh(_quorum(given, *pair), given) >= wanted - _ROUNDING]
        if enough:
            break
    return sorted(enough, key=max)


def _quorum(given: Given, reads: int, writes: int) -> Quorum:
    replica = _FITS.get(given.word("delays") or "")
    if replica is None:
        other = exponential_message(given.number("delay"))
        replica = Replica(exponential_message(given.number("write_delay")), other, other, other)
    nodes, distance = given.count("nodes"), given.number("distance")
    if distance > 0:
        return far_apart(nodes, reads, writes, replica, distance)
    return alike(nodes, reads, writes, replica)


def _fresh(quorum: Quorum, given: Given) -> float:
    return 1 - quorum.stale(given.number("after"))


_WISHED = {"consistent": "fresh reads", "read_p99": "read p99", "write_p99": "write p99"}


def _judged(name: str, reached: float, limit: float, *, met: bool) -> str:
    if name == "consistent":
        return judging.wanted(met, show_availability(limit))
    return judging.allowed(met, show_seconds(limit), judging.over(-reached, limit))


def _answer(given: Given, quorum: Quorum, solved: str | None) -> Answer:
    fresh = _fresh(quorum, given)
    reached = {
        "consistent": fresh,
        "read_p99": -quorum.read_percentile(0.99),
        "write_p99": -quorum.write_percentile(0.99),
    }
    wishes = [name for name in reached if given.has(name)]
    missed = [n for n in wishes if _short(reached[n], given.number(n))]
    noted = {name: _judged(name, reached[name], given.number(name), met=name not in missed) for name in wishes}
    rows = [
        Row(name, f"{name}, at least", getattr(quorum, name), "", "solved for", name[0].upper())
        for name in (solved.split(" and ") if solved else [])
    ]
    name = f"N {quorum.nodes}, R {quorum.reads}, W {quorum.writes}"
    share = f"{show_availability(fresh)} of reads fresh {_after(given.number('after'))}"
    headline = f"{name}: {'every read meets every write' if quorum.is_strict else share}"
    headline += judging.ending((_WISHED[name] for name in missed), judged=bool(wishes))
    return Answer(
        headline=headline,
        rows=[*rows, *_freshness(given, quorum, fresh, noted), *_times(given, quorum, noted)],
        model="WARS",
        source="Bailis, Venkataraman, Franklin, Hellerstein and Stoica 2012; integrated here, not simulated",
        exact=False,
        accuracy="shares within 1e-4, times within 0.1% of 50 digits and of two million simulated trials",
        notes=["no read repair, no anti-entropy, no failures; with overlapping writes reads are fresher"],
        met=None if not wishes else not missed,
        more={"solved_for": solved, "strict": quorum.is_strict, "quorum": [quorum.nodes, quorum.reads, quorum.writes]},
    )


def _short(reached: float, wanted: float) -> bool:
    """Return whether a share is too small, or a time (negative) too long, by more than rounding."""
    return reached < math.copysign(wanted, reached) - _ROUNDING * wanted


def _freshness(given: Given, quorum: Quorum, fresh: float, noted: dict[str, str]) -> Iterator[Row]:
    about = f"fresh reads, {_after(given.number('after'))}"
    yield Row("consistent", about, fresh, "availability", noted.get("consistent", ""), "Fresh")
    yield Row("stale", "  stale ones", 1 - fresh, "share")
    share = given.number("visible")
    if share < 1:
        seen = quorum.visible_after(share)
        yield Row("visible_after_s", f"seen by {show_availability(share)} after", seen, "s", "", "Visible")


def _times(given: Given, quorum: Quorum, noted: dict[str, str]) -> Iterator[Row]:
    for name, percentile in (("read", quorum.read_percentile), ("write", quorum.write_percentile)):
        yield Row(f"{name}_p50_s", f"{name}, 50% within", percentile(0.5), "s")
        note = noted.get(f"{name}_p99", "")
        yield Row(f"{name}_p99_s", "  99%", percentile(0.99), "s", note, f"{name.capitalize()} P99")
        yield Row(f"{name}_p999_s", "  99.9%", percentile(0.999), "s")
    versions = given.count("versions")
    behind = versions_behind(quorum.nodes, quorum.reads, quorum.writes, versions)
    note = "as if writes ended there" if behind else ""
    yield Row("versions_behind", f"{versions} or more versions behind, at most", behind, "share", note)
    yield Row("reads_survive", "lost replicas that reads survive", quorum.nodes - quorum.reads, "")
    yield Row("writes_survive", "  that writes survive", quorum.nodes - quorum.writes, "")


def _after(seconds: float) -> str:
    return f"{show_seconds(seconds)} after a write" if seconds else "right after a write"
