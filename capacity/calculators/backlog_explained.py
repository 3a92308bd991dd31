"""How every figure of an answer about a backlog came about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capacity.calculators.explainer import INVERSION, INVERTED_BY, Explainer
from capacity.explanations import Numbers

if TYPE_CHECKING:
    from capacity.calculators.calculator import Answer, Given
    from capacity.explanations import Explanation


def explained(given: Given, found: Answer) -> list[Explanation]:
    """Return how every figure came about: closed forms where there are any, else the method."""
    from models.formulas import backlogs  # noqa: PLC0415

    told = Explainer(found)
    if "deliveries_per_s" not in found.more:
        how = "what the busiest consumer can do, its share of the messages told by its partitions"
        told.method(["capacity_at_most_per_s"], how, "Little 1961")
        return told.told()
    here = _numbers(given, found)
    _solved_for(given, told)
    told.formula("capacity_per_s", backlogs.READER_CAPACITY, here)
    told.formula("utilization", backlogs.READER_USE, here)
    told.method(["busiest_share"], "partitions dealt out by number, as assignors do, the hottest to a full hand",
                "division with remainder")  # fmt: skip
    _redelivered(given, told, here)
    _delay(found, told)
    _rebalancing(given, told, here)
    _drained(given, told, here)
    _lost(given, told, here)
    return told.told()


def _numbers(given: Given, found: Answer) -> Numbers:
    most = found.more["sustained_per_s"] if found.more["overloaded"] else found.figure("capacity_per_s")
    messages = given.maybe("backlog") or 0.0
    known = {
        "lambda": found.more["deliveries_per_s"], "mu": most, "t_s": given.maybe("stop"), "S": given.number("service"),
        "h": found.figure("busiest_share"), "p_r": given.maybe("pause"), "x": given.maybe("every"),
        "t_c": given.number("commit"), "lambda_r": found.figure("repeated_per_s"), "r": given.maybe("failed"),
        "m": given.maybe_count("deliveries"), "k": given.maybe("retention"), "g": given.number("age"),
        "z": given.maybe("message_size"), "f": given.count("copies"), "B": messages,
    }  # fmt: skip
    again = " and those delivered again" if given.number("failed") > 0 else ""
    return Numbers(known, {"lambda": f"messages{again}"})


def _solved_for(given: Given, told: Explainer) -> None:
    wished = " and ".join(f"--{name}" for name in ("drain", "p99", "utilization") if given.has(name))
    how = f"the fewest with which {wished} holds, by doubling and halving" if not given.has("consumers") else "as given"
    told.method(["consumers"], how, "the figures below")


def _redelivered(given: Given, told: Explainer, here: Numbers) -> None:
    from models.formulas import backlogs, streams  # noqa: PLC0415

    if given.has("deliveries") and 0 < given.number("failed") < 1:
        told.formula("deliveries", streams.REDELIVERY, here)
        told.formula("put_aside", backlogs.PUT_ASIDE, here)
    elif 0 < given.number("failed") < 1:
        told.formula("deliveries", backlogs.ENDLESS_REDELIVERY, here)
    told.method(["deliveries"], "as many as there may be: all of them fail", "definition")
    told.method(["put_aside"], "none: messages are delivered until they succeed" if not given.has("deliveries")
                else "all of them", "definition")  # fmt: skip


def _delay(found: Answer, told: Explainer) -> None:
    how = "each consumer is M/G/1, its mean by Pollaczek and Khinchine; messages mixed by who reads them"
    told.method(["delay_mean_s"], how, "Pollaczek 1930, Khinchine 1932", f"exact {found.accuracy.partition(';')[0]}")
    source = f"Pollaczek 1930, Khinchine 1932; {INVERTED_BY}"
    told.method(["delay_p99_s"], f"the same time, {INVERSION}", source, "exact for Poisson messages; to 1e-6")


def _rebalancing(given: Given, told: Explainer, here: Numbers) -> None:
    from models.formulas import backlogs, streams  # noqa: PLC0415

    if not given.has("pause"):
        return
    again = told.has("repeated_per_s") and told.value("repeated_per_s") > 0
    whole = given.number("commit") / 2 <= given.number("every") - given.number("pause")
    if again and whole:
        told.formula("repeated_per_s", backlogs.REPEATED_WORK, here)
    told.method(["repeated_per_s"], "none without --commit" if not again else "all that is done between two stops",
                "definition")  # fmt: skip
    told.formula("rebalancing_mean_delay_s", backlogs.REBALANCING_DELAY if again else streams.REBALANCING, here)
    told.formula("rebalancing_peak", backlogs.REBALANCING_PEAK, here)
    told.formula("rebalancing_delayed", backlogs.REBALANCING_DELAYED, here)


def _drained(given: Given, told: Explainer, here: Numbers) -> None:
    """Explain the backlog to be drained, and how long it takes."""
    from models.formulas import backlogs, streams  # noqa: PLC0415

    stop, waiting = given.maybe("stop") or 0.0, given.maybe("backlog") or 0.0
    if told.has("backlog"):
        whole = Numbers({**here.given, "B": told.value("backlog")}, here.meanings)
        if stop > 0 and waiting == 0:
            told.formula("backlog", backlogs.LEFT_BY_STOP, here)
            told.formula("drain_s", streams.DRAIN, here)
        elif waiting > 0:
            told.formula("drain_s", backlogs.BACKLOG_DRAIN, whole)
    told.method(["backlog"], "what was there, and what comes during the stop", "definition")
    told.method(["drain_s"], "backlog over what is done beyond what comes", "fluid queue", "exact for the fluid")
    how = "its mean and deviation as of so many busy periods, its percentile by the inverse Gaussian distribution"
    several = "exact moments for one consumer; of several, within 5 % of simulation from 100 messages on"
    told.method(["drain_p99_s"], how, "Takacs 1962", f"approximate: {several}")


def _lost(given: Given, told: Explainer, here: Numbers) -> None:
    """Explain how a backlog grows, what is deleted unread, and what is kept."""
    from models.formulas import backlogs, streams  # noqa: PLC0415

    how = "over consumers that get more than they can do, rebalancings counted: what is short of each"
    told.method(["consumers_behind", "backlog_growth_per_s"], how, "fluid queue", "exact for the fluid")
    if told.has("loss_s") and told.value("loss_s") > 0:
        told.formula("loss_s", streams.RETENTION, here)
    lost = "deleted already" if given.number("age") >= (given.maybe("retention") or 0.0) else "never: it keeps up"
    told.method(["loss_s"], lost, "fluid queue", "exact for the fluid")
    if told.has("loss_when_stopped_s") and told.value("loss_when_stopped_s") > 0:
        told.formula("loss_when_stopped_s", backlogs.UNREAD, here)
    told.method(["loss_when_stopped_s"], lost, "fluid queue", "exact for the fluid")
    messages = Numbers({**here.given, "lambda": given.number("rate")})
    if told.has("storage_bytes"):
        told.formula("storage_bytes", streams.STORAGE, messages)
