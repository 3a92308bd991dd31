from __future__ import annotations

from random import Random
from typing import Any

import mpmath
import pytest

from models.availability import downtime, failovers, in_parallel, maintenance, node_unavailability, zones_lost
from models.formulas import outages
from models.outages import burn_rate, error_budget, nines, outage_mean, until_spent
from models.repair import crewed_outage_rate
from tests.models.formula_checks import Law, check_law

POINTS: list[dict[str, Any]] = []
for r in map(Random, range(12)):
    zones = r.randrange(1, 7)
    POINTS.append({
        "U": 10 ** r.uniform(-7, -1), "P": 10 ** r.uniform(4, 7), "w": 10 ** r.uniform(-9, -4), "A_w": 1 - 10 ** r.uniform(-5, -1),
        "b_s": r.uniform(0.01, 0.9), "t_w": 10 ** r.uniform(3, 5), "b": r.uniform(0.1, 20), "b_l": r.uniform(0.1, 1), "n": r.randrange(1, 9),
        "o": r.uniform(1, 60), "f": 10 ** r.uniform(5, 8), "r": 10 ** r.uniform(2, 5), "i": r.uniform(0.1, 9), "r_p": r.uniform(1, 600),
        "M": 2.6e6, "z": zones, "l": r.randrange(0, zones + 1), "q": 10 ** r.uniform(-4, -0.3), "u_1": 10 ** r.uniform(-6, -1),
        "u_2": 10 ** r.uniform(-6, -1), "u_3": 10 ** r.uniform(-6, -1),
    })  # fmt: skip


def again_zones(x: Any) -> Any:
    """Return the probability by adding zone after zone, each down or not."""
    chances = [mpmath.mpf(1)]
    for _ in range(int(x["z"])):
        chances = [
            (chances[i] if i < len(chances) else 0) * (1 - x["q"]) + (chances[i - 1] * x["q"] if i else 0)
            for i in range(len(chances) + 1)
        ]
    return chances[int(x["l"])]


LAWS = [
    Law(outages.AVAILABLE, lambda x: x["U"] * (1 / x["U"] - 1), lambda x: 1 - x["U"]),
    Law(outages.DOWN_IN, lambda x: x["P"] / (1 / x["U"]), lambda x: downtime(x["U"], x["P"])),
    Law(outages.NODE_UP, lambda x: 1 / (1 + x["r"] / x["f"]), lambda x: 1 - node_unavailability(x["f"], x["r"])),
    Law(outages.NINES, lambda x: mpmath.log(1 / x["U"], 10), lambda x: nines(x["U"])),
    Law(outages.OUTAGE_MEAN, lambda x: 1 / (x["w"] / x["U"]), lambda x: outage_mean(x["U"], x["w"])),
    Law(outages.ERROR_BUDGET, lambda x: x["P"] - x["A_w"] * x["P"], lambda x: error_budget(x["A_w"], x["P"])),
    Law(
        outages.BURN_RATE,
        lambda x: x["b_s"] / (x["t_w"] / x["P"]),
        lambda x: burn_rate(x["b_s"], x["t_w"], x["P"]),
    ),
    Law(
        outages.UNTIL_SPENT, lambda x: x["b_l"] / (x["b"] / x["P"]), lambda x: until_spent(x["b"], x["b_l"], x["P"])
    ),
    Law(
        outages.FAILOVERS, lambda x: x["o"] * (x["n"] / x["f"]), lambda x: failovers(x["f"], x["n"], x["o"])
    ),
    Law(
        outages.MAINTENANCE, lambda x: x["i"] / (x["M"] / x["r_p"]), lambda x: maintenance(x["i"], x["r_p"], x["M"])
    ),
    Law(outages.ZONES_LOST, again_zones, lambda x: zones_lost(x["z"], x["q"])[x["l"]]),
    Law(
        outages.in_parallel(3),
        lambda x: mpmath.exp(mpmath.fsum(mpmath.log(x[f"u_{i}"]) for i in (1, 2, 3))),
        lambda x: in_parallel([x["u_1"], x["u_2"], x["u_3"]]),
    ),
]  # fmt: skip


# Each closed form equals what is written down again, by another road, to 30 digits, and the numeric function as far as
# doubles go; its derivatives are its slopes, its inverse leads back.
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_laws(law: Law) -> None:
    check_law(law, POINTS)


# Outages of nodes that wait for a crew, state by state.
@pytest.mark.parametrize(("nodes", "needed", "crews"), [(3, 2, 1), (6, 3, 2), (4, 4, 4), (5, 1, 3)])
def test_crews(nodes: int, needed: int, crews: int) -> None:
    def again(x: Any) -> Any:
        weights = [mpmath.mpf(1)]
        for down in range(nodes):
            weights.append(weights[-1] * (nodes - down) / x["f"] * x["r"] / min(down + 1, crews))
        return weights[nodes - needed] / mpmath.fsum(weights) * needed / x["f"]

    law = Law(
        outages.crewed_outages(nodes, needed, crews),
        again,
        lambda x: crewed_outage_rate(needed, nodes, crews, x["f"], x["r"]),
    )
    check_law(law, POINTS)
    yearly = outages.in_a_year(law.formula)
    year = 365.25 * 86400.0
    found = float(yearly.value({**POINTS[0], "Y": year}))
    assert found == pytest.approx(year * float(law.formula.value(POINTS[0])), rel=1e-14)
