"""`capacity quorum`: how fresh reads of R replicas are when writes wait for W of N, and how long both take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capacity.calculators.calculator import COUNT, TEXT, Answer, Calculator, Given, Option

if TYPE_CHECKING:
    from capacity.explanations import Explanation

DELAYS: Final = ("exponential", "lnkd-ssd", "lnkd-disk", "ymmr")


def answer(given: Given) -> Answer:
    """Return consistency at and after commit, the time until reads see a write, latencies, losses that are survived."""
    from capacity.calculators.quorum_answer import answered  # noqa: PLC0415

    return answered(given)


def explain(given: Given, found: Answer) -> list[Explanation]:
    """Return the closed form for versions behind."""
    from capacity.calculators.quorum_answer import explained  # noqa: PLC0415

    return explained(given, found)


CALCULATOR: Final = Calculator(
    name="quorum",
    about=(
        "Tell how fresh reads of R of N replicas are when writes wait for W: probabilistically bounded staleness.\n\n"
        "With --consistent, --reads, --writes or both may be left out: the fewest that are enough are found. "
        "Exit code 1: what is wanted is not met."
    ),
    examples=(
        "capacity quorum --nodes 3 --reads 1 --writes 1 --delays lnkd-disk --after 10ms",
        "capacity quorum --nodes 3 --reads 2 --writes 2",
        "capacity quorum --nodes 5 --writes 2 --write-delay 10ms --delay 1ms --after 5ms --consistent 99.9%",
        "capacity quorum --nodes 3 --reads 1 --writes 1 --delays lnkd-ssd --distance 75ms --json",
        "capacity quorum --nodes 3 --reads 1 --writes 1 --delays ymmr --after 0..500ms --points 6",
        "capacity quorum --nodes 3 --reads 1 --writes 1 --versions 3 --explain",
    ),
    options=(
        Option("nodes", COUNT, "Replicas of each object, at most 12.", "3", also="n"),
        Option("reads", COUNT, "Answers that a read waits for; left out: 1, or the fewest that are enough.", also="r"),
        Option("writes", COUNT, "Acknowledgements that a write waits for; left out: the same.", also="w"),
        Option("delays", TEXT, "One-way delays: exponential, or as fitted to LinkedIn or Yammer.", DELAYS[0], DELAYS),
        Option("write_delay", "POSITIVE_SECONDS", "Exponential: mean time until a write is on a replica.", "5ms"),
        Option("delay", "POSITIVE_SECONDS", "Exponential: mean of each other message.", "1ms"),
        Option("distance", "SECONDS", "One-way time between places, each of which has one replica.", "0s"),
        Option("after", "SECONDS", "How long after the write is done a read begins.", "0s"),
        Option("visible", "CEILING", "Of which share of reads to tell when they see a write.", "99.9%"),
        Option("versions", COUNT, "How many writes behind to tell of.", "1"),
        Option("consistent", "CEILING", "Wanted: at least this share of reads sees the write, --after so long."),
        Option("read_p99", "POSITIVE_SECONDS", "Wanted: 99% of reads answered within this."),
        Option("write_p99", "POSITIVE_SECONDS", "Wanted: 99% of writes done within this."),
    ),
    answer=answer,
    explain=explain,
)
