"""How many requests go from which tier to which: the traffic of every class added up for each pair of tiers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capacity.results import CallRate

if TYPE_CHECKING:
    from capacity.traffic import Traffic


def call_rates(traffic: Traffic) -> list[CallRate]:
    """Return the rate from each caller to each callee, 1/s, reads and writes and every try; in the order of calls.

    *Exact* for the traffic equations: what reaches a tier is the sum of these and of the users who enter there.
    """
    rates: dict[tuple[str, str], float] = {}
    for caller, flows in traffic.flows.items():
        for flow in flows:
            between = caller, flow.to
            rates[between] = rates.get(between, 0.0) + flow.reads + flow.writes
    return [CallRate(caller, callee, rate) for (caller, callee), rate in rates.items()]
