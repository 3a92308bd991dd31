"""`capacity usl`: what more nodes bring, by the Universal Scalability Law fitted to a load test, or given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capacity.calculators.calculator import COUNT, FILE, FLAG, Answer, Calculator, Given, Option

if TYPE_CHECKING:
    from capacity.explanations import Explanation


def answer(given: Given) -> Answer:
    """Return the law, its peak, and what was asked of it."""
    from capacity.calculators.usl_answer import answered  # noqa: PLC0415

    return answered(given)


def explain(given: Given, found: Answer) -> list[Explanation]:
    """Return the formulas of what was asked."""
    from capacity.calculators.usl_answer import explained  # noqa: PLC0415

    return explained(given, found)


CALCULATOR: Final = Calculator(
    name="usl",
    about=(
        "Tell what more nodes, or more users, bring: the Universal Scalability Law.\n\n"
        "It is fitted to a CSV file of two columns, nodes (or users at once) and throughput per second; or its three "
        "numbers are given. Exit code 1: no number of nodes does what is wanted."
    ),
    examples=(
        "capacity usl load-test.csv --plot",
        "capacity usl load-test.csv --nodes 128",
        "capacity usl load-test.csv --throughput 1800/s --json",
        "capacity usl --one 995/s --contention 0.027 --coherency 0.00077 --nodes 1..64 --points 8",
        "capacity usl --one 995/s --contention 0.027 --coherency 0.00077 --throughput 12000/s --explain",
    ),
    options=(
        Option(
            "file",
            FILE,
            "Measurements: nodes,throughput in each line, or as a first line names them; - reads standard input.",
        ),
        Option("one", "POSITIVE_RATE", "What one node does, without a file."),
        Option("contention", "NUMBER", "Share for which nodes queue (sigma); with a file: hold it there."),
        Option("coherency", "NUMBER", "What each pair loses in agreeing (kappa); 0 is Amdahl's law."),
        Option("nodes", COUNT, "Wanted: the throughput of so many nodes."),
        Option("throughput", "POSITIVE_RATE", "Wanted: how many nodes do this much."),
        Option("latency", "POSITIVE_SECONDS", "Wanted: how many users at once are answered in this time, by Little."),
        Option("level", "CEILING", "How sure the intervals are.", "95%"),
        Option("plot", FLAG, "Draw the law and the measurements."),
    ),
    answer=answer,
    explain=explain,
)
