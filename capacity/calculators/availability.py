"""`capacity availability`: how often enough of several nodes is up, and how many that takes."""

from __future__ import annotations

from typing import Final

from capacity.calculators.calculator import COUNT, TEXT, Calculator, Option

CALCULATOR: Final = Calculator(
    name="availability",
    about=(
        "Tell how often enough nodes are up: k of n, zones, repair crews, restarts, error budget.\n\n"
        "With --wanted, --nodes may be left out: it is solved for. Exit code 1: what is wanted is not met."
    ),
    examples=(
        "capacity availability --nodes 3 --needed 2 --mtbf 30d --mttr 1h",
        "capacity availability --needed 6 --mtbf 30d --mttr 1h --zones 3 --wanted 99.95%",
        "capacity availability --nodes 1..8 --needed 1 --mtbf 30d --mttr 1h --crews 1",
        "capacity availability --nodes 4 --needed 3 --mtbf 60d --mttr 10min --restarts 2 --restart-time 5min --explain",
        "capacity availability --nodes 2 --needed 3 --mtbf 90d --mttr 1h --others 4 --others-mtbf 2d --others-mttr 60",
        "capacity availability --nodes 2 --mtbf 90d --mttr 15min --depends 99.99%,99.95% --json",
    ),
    options=(
        Option("nodes", COUNT, "Equal nodes; left out, the fewest with which --wanted is met."),
        Option("needed", COUNT, "Nodes that have to be up.", "1"),
        Option("mtbf", "POSITIVE_SECONDS", "Mean time between failures of a node, like 30d."),
        Option("mttr", "SECONDS", "Mean time until it is back, like 1h."),
        Option("zones", COUNT, "Zones over which the nodes are spread; those of a zone share its fate."),
        Option("zone_mtbf", "POSITIVE_SECONDS", "Mean time between failures of a zone, where there are zones.", "730d"),
        Option("zone_mttr", "SECONDS", "Mean time until it is back.", "2h"),
        Option("crews", COUNT, "Nodes that can be repaired at a time; left out, all of them."),
        Option("restarts", "NUMBER", "Planned restarts of each node a month, one node at a time.", "0"),
        Option("restart_time", "SECONDS", "How long a planned restart takes.", "5min"),
        Option("failover", "SECONDS", "How long nobody serves when the one node that writes is lost, or restarts."),
        Option("others", COUNT, "More nodes, of another kind, like spot nodes."),
        Option("others_mtbf", "POSITIVE_SECONDS", "Their mean time between failures."),
        Option("others_mttr", "SECONDS", "Their mean time until they are back."),
        Option("depends", TEXT, "Parts that have to be up as well: their availabilities, like 99.95%,99.9%."),
        Option("wanted", "FRACTION", "Wanted: an availability like 99.95%; its error budget is told."),
        Option("period", "POSITIVE_SECONDS", "Over which downtime and error budget are told.", "730h"),
    ),
)
