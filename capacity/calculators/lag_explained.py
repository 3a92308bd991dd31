"""How every figure of an answer about a replica came about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capacity.calculators.explainer import INVERSION, INVERTED_BY, Explainer
from capacity.explanations import Numbers

if TYPE_CHECKING:
    from capacity.calculators.calculator import Answer, Given
    from capacity.explanations import Explanation

_HIGH: Final = "approximate: lags taken as independent, 5 % high at a utilization of 0.3, 18 to 27 % at 0.6 to 0.9"


def explained(given: Given, found: Answer) -> list[Explanation]:
    """Return how every figure came about: closed forms where there are any, else the method."""
    told, used = Explainer(found), found.more.get("inputs_used")
    if isinstance(used, dict):
        here = _numbers(given, used["rate_per_s"], used["apply_s"], found)
        _solved_for(given, told)
        _lag(given, found, told, here)
        _reads(given, found, told, here)
        _risk(given, told, here)
        _recovery(told, here)
    elif found.more.get("diverges"):
        _diverging(given, told)
    else:
        how = "the lag of a replica with nothing to do: flush, network, one apply, or the rest of its batch"
        told.method(["lag_mean_at_least_s", "lag_p99_at_least_s"], how, "definition", "exact; p99 to 1e-6")
    return told.told()


def _numbers(given: Given, rate: float, apply_time: float, found: Answer) -> Numbers:
    known = {
        "lambda": rate, "s": apply_time, "S": apply_time, "d": given.number("network"), "d_f": given.number("flush"),
        "w": given.maybe("key_rate") or 0.0, "rho": found.figure("utilization") or 0.0, "q": 0.01,
        "g_l": given.maybe("behind"), "c": given.count("appliers"), "t": given.maybe("read_after"),
        "g": given.number("gap"), "n": given.count("replicas"), "T_h": given.maybe("huge"),
    }  # fmt: skip
    return Numbers(known)


def _is_markov(given: Given) -> bool:
    """Whether the lag is the response time of M/M/1, behind the network."""
    alone = given.count("appliers") == 1 and given.number("batch") == 1
    return alone and given.number("cv2") == 1 and given.number("flush") == 0


def _solved_for(given: Given, told: Explainer) -> None:
    wished = " and ".join(f"--{name}" for name in ("mean", "p99") if given.has(name))
    how = f"the most with which {wished} holds: the lag below, searched by doubling and halving"
    told.method(["rate_per_s", "apply_s"], how, "the model of the lag below", "exact to 1e-9 of itself")


def _lag(given: Given, found: Answer, told: Explainer, here: Numbers) -> None:
    """Explain the lag's mean and percentiles."""
    from models.formulas import readers, streams, waiting  # noqa: PLC0415

    told.formula("utilization", waiting.UTILIZATION, here)
    percentiles = ["lag_p50_s", "lag_p99_s", "lag_p999_s"]
    flush = given.number("flush")
    plain = given.count("appliers") == 1 and given.number("batch") == 1
    apart = float(streams.FLUSHED_LAG.value(here.given)) if plain and flush > 0 else 0.0
    if _is_markov(given):
        alone = Numbers({**here.given, "w": 0.0}, {"w": "mean wait for a core of the replica: cores are idle"})
        told.formula("lag_mean_s", streams.APPLY_LAG, alone)
        note = "the others with 50 and 0.1 % in the place of q"
        told.formula("lag_p99_s", readers.LAG_PERCENTILE, here, percentiles, [note])
    elif plain and flush > 0 and abs(apart - told.value("lag_mean_s")) < 1e-3 * apart:
        told.formula("lag_mean_s", streams.FLUSHED_LAG, here)
    accuracy = found.accuracy if found.exact else f"approximate: {found.accuracy}"
    parts = "network, wait and apply" if flush == 0 else "flush, network, wait and apply"
    told.method(["lag_mean_s"], f"{parts}: means add", found.source, accuracy)
    how = f"{parts} as one time, {INVERSION}"
    told.method(percentiles, how, f"{found.source}; {INVERTED_BY}", accuracy)
    told.method(["received_mean_s"], "network and half a flush: the age of a flush is uniform", "definition")


def _reads(given: Given, found: Answer, told: Explainer, here: Numbers) -> None:
    """Explain what readers see of the lag."""
    from models.formulas import readers  # noqa: PLC0415

    after, markov = given.maybe("read_after"), _is_markov(given)
    if after is not None and after < given.number("window"):
        told.method(["own_write_missed"], "none: such reads go to the primary", "definition")
    elif markov and after is not None and after > given.number("network"):
        told.formula("own_write_missed", readers.OWN_WRITE, here)
    accuracy = found.accuracy if found.exact else f"approximate: {found.accuracy}"
    how = f"P(lag > time from the write to the read), {INVERSION}"
    told.method(["own_write_missed"], how, f"{found.source}; {INVERTED_BY}", accuracy)
    if markov and here.given["w"] > 0:
        told.formula("stale_reads", readers.STALE_READ, here)
    how = "P(a write within the lag): the lag's Laplace transform at the rate of writes to the key"
    told.method(["stale_reads"], how, found.source, accuracy)
    how = "a write between what the first replica has and what the second lacks, by 40 points of the lag"
    law = "integrated by Gauss and Legendre"
    if given.count("replicas") == 1:
        told.method(["backward_reads"], "none: the next read goes to the same replica", "definition")
    told.method(["backward_reads"], how, law, f"{_HIGH}; the integral to 4e-4")


def _risk(given: Given, told: Explainer, here: Numbers) -> None:
    """Explain what is lost with the primary."""
    from models.formulas import readers, streams  # noqa: PLC0415

    if given.number("flush") > 0:
        told.formula("at_risk_mean_writes", readers.LOST, here)
        told.formula("nothing_lost", streams.NOTHING_LOST, here)
    else:
        told.formula("at_risk_mean_writes", streams.WRITES_AT_RISK, here)
        told.method(["nothing_lost"], "exp(-lambda d): no Poisson write within the network delay", "Poisson process")
    how = "a Poisson number of the writes of network delay and flush, its age uniform; summed up to 99 %"
    told.method(["at_risk_p99_writes"], how, "Poisson process", "exact; beyond a million writes within 0.1 %")


def _recovery(told: Explainer, here: Numbers) -> None:
    """Explain what a huge transaction and an outage do."""
    from models.formulas import readers, streams  # noqa: PLC0415

    how = "everything waits for it: the lag jumps by the time that it takes"
    told.method(["huge_peak_s"], how, "fluid queue", "exact for the fluid")
    told.formula("huge_recovery_s", readers.HUGE_RECOVERY, here)
    if told.has("catch_up_s") and told.value("catch_up_s") > 0:
        told.formula("catch_up_s", streams.CATCH_UP, here)
    told.method(["catch_up_s"], "nothing to catch up with", "fluid queue", "exact for the fluid")


def _diverging(given: Given, told: Explainer) -> None:
    """Explain by how much too much there is to apply."""
    from models.formulas import backlogs, readers, streams, waiting  # noqa: PLC0415

    rate, most = given.number("rate"), given.count("appliers") / given.number("apply")
    here = Numbers(
        {"lambda": rate, "mu": most, "S": given.number("apply"), "c": given.count("appliers"),
         "k": given.maybe("log_kept"), "g": given.maybe("behind") or 0.0},
        {"mu": "what all appliers together can do"},
    )  # fmt: skip
    told.formula("utilization", waiting.UTILIZATION, here)
    told.method(["short_appliers"], "writes times the time of one, less the appliers", "Little 1961")
    told.formula("lag_growth", readers.LAG_GROWTH, here)
    told.formula("backlog_growth_per_s", backlogs.GROWTH, here)
    if told.has("log_lost_s") and told.value("log_lost_s") > 0:
        told.formula("log_lost_s", streams.RETENTION, here)
    told.method(["log_lost_s"], "what is to be read next is deleted already", "fluid queue", "exact for the fluid")
