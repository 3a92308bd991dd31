"""How every figure of an answer about scaling came about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capacity.calculators.explainer import Explainer
from capacity.explanations import Numbers

if TYPE_CHECKING:
    from capacity.calculators.calculator import Answer, Given
    from capacity.explanations import Explanation

_LAW_KEYS = ["throughput_of_one_per_s", "contention", "coherency"]
_FIT = "least squares within bounds: sigma from 0 to 1, kappa at least 0"


def explained(given: Given, found: Answer) -> list[Explanation]:
    """Return how every figure came about: the formulas of the law, its peak, and what was asked."""
    told, fitted = Explainer(found), given.has("file")
    if fitted:
        source = "Gunther 2007, chapter 5; least squares"
        told.method(_LAW_KEYS, f"fitted: {_FIT}", source, "exact minimum; how sure, by the standard errors beside them")
        told.method(["residual_error_per_s"], "root of the squares left over the measurements beyond three",
                    source)  # fmt: skip
        told.method(["r_squared"], "1 less the squares left over those around the mean", source)
    told.method(_LAW_KEYS, "as given", "the options")
    here = _numbers(given, found)
    _peak(told, here)
    _asked(given, told, here)
    return told.told()


def _numbers(given: Given, found: Answer) -> Numbers:
    one, sigma, kappa = (found.figure(key) or 0.0 for key in _LAW_KEYS)
    return Numbers({"sigma": sigma, "kappa": kappa, "gamma": one, "N": given.maybe("nodes") or 1.0})


def _peak(told: Explainer, here: Numbers) -> None:
    from models.formulas import scaling  # noqa: PLC0415

    sigma, kappa, one = (here.given[name] for name in ("sigma", "kappa", "gamma"))
    if kappa and sigma < 1:
        told.formula("peak_nodes", scaling.USL_PEAK, here)
        peak = told.value("peak_nodes")
        if peak >= 1:
            told.formula("peak_throughput_per_s", scaling.THROUGHPUT, Numbers({**here.given, "N": peak}))
    note = "there is none: without coherency each node still brings something"
    told.method(["peak_nodes"], note if not kappa else "0: nodes that contend all the time bring nothing",
                "Gunther 2007, eq. 4.33")  # fmt: skip
    if sigma and not kappa:
        told.method(["peak_throughput_per_s"], f"one node over sigma, the limit: {one:.6g} / {sigma:.6g}",
                    "Amdahl 1967")  # fmt: skip
    told.method(["peak_throughput_per_s"], "that of one node, or no end", "Gunther 2007, eq. 4.31")


def _asked(given: Given, told: Explainer, here: Numbers) -> None:
    """Explain the throughput, the nodes and the users that were asked for."""
    from models.formulas import scaling  # noqa: PLC0415

    one, kappa = here.given["gamma"], here.given["kappa"]
    if given.has("nodes"):
        told.formula("throughput_per_s", scaling.THROUGHPUT, here)
        reached = Numbers({**here.given, "X": told.value("throughput_per_s")}, {"N": "nodes"})
        told.formula("efficiency", scaling.EFFICIENCY, reached)
        told.formula("response_s", scaling.USL_LATENCY, here)
        how = "throughput and Student's quantile times the deviation of one more measurement, by the fit's covariance"
        accuracy = "approximate: linear in the three numbers (delta method)"
        told.method(["throughput_low_per_s", "throughput_high_per_s"], how, "Seber and Wild 1989, chapter 5", accuracy)
    if told.has("nodes_not_rounded"):
        wanted = Numbers({**here.given, "X": given.number("throughput") / one})
        told.formula("nodes_not_rounded", scaling.USL_NODES, wanted)
    told.method(["nodes_for_throughput"], "the next whole number, if it does as much", "Gunther 2007, eq. 4.31")
    told.method(["nodes_not_rounded"], "as many as there are times one node's work: nothing is lost",
                "Gunther 2007, eq. 4.31")  # fmt: skip
    if told.has("users_for_latency"):
        inside = Numbers({**here.given, "R": given.number("latency")})
        if kappa:
            told.formula("users_for_latency", scaling.USL_CONCURRENCY, inside)
    told.method(
        ["users_for_latency"], "the law's response time solved for the requests inside", "Gunther 2007, eq. 4.31"
    )
    told.method(["throughput_at_latency_per_s"], "requests inside over their response time", "Little 1961")
