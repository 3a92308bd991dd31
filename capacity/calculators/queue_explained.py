"""How every figure of an answer about a queue came about."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from capacity.calculators.explainer import INVERSION, INVERTED_BY, Explainer
from capacity.calculators.overload import just_full
from capacity.calculators.queue_basis import queue_of
from capacity.calculators.queue_state import WISHES, Queue
from capacity.explanations import Numbers

if TYPE_CHECKING:
    from capacity.calculators.calculator import Answer, Given
    from capacity.explanations import Explanation

_MOST_SUMMED: Final = 2000
"""Servers up to which the sum in Erlang's formula is written out with numbers in a moment."""

_NEARLY_ONE: Final = 1e-6
"""Where two rates are so close, a formula with their difference below a line tells nothing."""


def explained(given: Given, found: Answer) -> list[Explanation]:
    """Return how every figure came about: closed forms where there are any, else the method."""
    used, told = found.more.get("inputs_used"), Explainer(found)
    if not isinstance(used, dict):
        return []
    queue = replace(queue_of(given), rate=used["rate_per_s"], service=used["service_s"], servers=int(used["servers"]))
    _load(queue, told)
    if found.more.get("overloaded"):
        _growing(queue, told)
    else:
        _solved_for(given, queue, told)
        _mean(queue, found, told)
        _percentiles(queue, found, told)
        _numbers_inside(queue, found, told)
        _lost(queue, found, told)
    return told.told()


def _numbers(queue: Queue) -> Numbers:
    given = {"lambda": queue.rate, "S": queue.service, "c": queue.servers, "c_s": queue.cv2}
    return Numbers({**given, "a": queue.load, "N": queue.servers})


def _load(queue: Queue, told: Explainer) -> None:
    from models.formulas import waiting  # noqa: PLC0415

    here = _numbers(queue)
    if queue.endless:
        told.formula("utilization", waiting.UTILIZATION, here, ["offered_load_erlangs"])
    else:
        told.formula("offered_load_erlangs", waiting.OFFERED, here)


def _growing(queue: Queue, told: Explainer) -> None:
    """Explain by how much too few servers there are."""
    from models.formulas import backlogs  # noqa: PLC0415

    here = _numbers(queue)
    most = queue.servers / queue.service
    here.given["mu"] = queue.rate if just_full(queue.rate, most) else most
    here.meanings["mu"] = "c / S, what all servers together can do"
    told.formula("backlog_growth_per_s", backlogs.GROWTH, here)
    told.method(["short_servers"], "offered load less servers: a - c", "Little 1961")


def _solved_for(given: Given, queue: Queue, told: Explainer) -> None:
    keys = {"servers": "servers", "rate": "rate_per_s", "service": "service_s"}
    wished = " and ".join("--" + name.replace("_", "-") for name in WISHES if given.has(name))
    for name, key in keys.items():
        law = "the fewest" if name == "servers" else "the most"
        how = f"{law} with which {wished} holds: the model below, searched by doubling and halving"
        accuracy = "exact" if name == "servers" else "exact to 1e-8 of itself, then rounded down to four digits"
        told.method([key], how, "the model of the wait and the response below", accuracy)
    assert queue.servers >= 1  # noqa: S101 - what was solved for is there


def _is_markov(queue: Queue) -> bool:
    """Whether the closed forms of M/M/c hold."""
    plain = queue.endless and not queue.sharing and queue.arrival_cv2 == 1 and queue.cv2 == 1
    return plain and queue.servers <= _MOST_SUMMED


def _mean(queue: Queue, found: Answer, told: Explainer) -> None:
    """Explain the mean wait and the share that waits."""
    from models.formulas import tails, turns, waiting  # noqa: PLC0415

    here = _numbers(queue)
    simple = queue.arrival_cv2 == 1 and queue.patience is None and not queue.sharing
    if _is_markov(queue):
        told.formula("wait_mean_s", waiting.MMC_WAIT, here, ["wait_probability"])
    elif simple and queue.endless and queue.servers == 1:
        told.formula("wait_mean_s", waiting.MG1_WAIT, here, ["wait_probability"], ["who waits finds the server busy"])
    if queue.sharing:
        told.method(
            ["wait_probability", "wait_mean_s", "wait_p50_s", "wait_p90_s", "wait_p95_s", "wait_p99_s", "wait_p999_s"],
            "nobody waits: all are served at once, each more slowly", "definition of processor sharing",
        )  # fmt: skip
        law = turns.SHARED if queue.servers == 1 else tails.MMC_RESPONSE
        here.given["x"] = queue.service
        told.formula("response_mean_s", law, here, notes=["for any service: of the mean size, all sizes slowed alike"])
    told.method(["wait_probability", "wait_mean_s"], _how(queue, found, "the probabilities of all states, summed up"),
                found.source, found.accuracy)  # fmt: skip
    if told.has("wait_mean_s"):
        here.given |= {"W": told.value("wait_mean_s"), "T": told.value("response_mean_s")}
    if queue.endless:
        told.formula("response_mean_s", tails.WAIT_AND_SERVICE, here)
    elif told.has("response_mean_s"):
        how = "wait of whoever is served, and service" if queue.patience is not None else "wait and service"
        told.method(["response_mean_s"], f"{how}: means add", found.source, found.accuracy)


_PERCENTILES: Final = ("p50", "p90", "p95", "p99", "p999")


def _percentiles(queue: Queue, found: Answer, told: Explainer) -> None:
    """Explain the percentiles, those at 99 % by a formula where there is one."""
    from models.formulas import tails  # noqa: PLC0415

    here = _numbers(queue)
    here.given |= {"q": 0.01, "t": told.value("response_p99_s")}
    waits, responses = ([f"{what}_{p}_s" for p in _PERCENTILES] for what in ("wait", "response"))
    wait_p99, response_p99 = "wait_p99_s", "response_p99_s"
    if _is_markov(queue):
        if told.value(wait_p99) > 0:
            note = "the others with 50, 10, 5 and 0.1 % in the place of q; 0 where fewer have to wait"
            told.formula(wait_p99, tails.MMC_WAIT_PERCENTILE, here, waits, [note])
        else:
            told.method(waits, "0 where fewer have to wait; ln(C/q) S/(c - a) beyond", found.source)
        if queue.servers == 1:
            note = "the others with 50, 10, 5 and 0.1 % in the place of q"
            told.formula(response_p99, tails.MM1_RESPONSE_PERCENTILE, here, responses, [note])
        elif abs(queue.servers - queue.load - 1) > _NEARLY_ONE:
            how = (
                "the time t at which this tail is 1 %, found by halving to 16 digits; the others at 50, 10, 5 and 0.1 %"
            )
            told.solved(response_p99, tails.MMC_RESPONSE_TAIL, here, how, responses)
    inverted = found.accuracy + ("; percentiles to 1e-6, next to a jump 1e-3" if found.exact else "")
    how = _how(queue, found, INVERSION)
    both = how if queue.sharing or queue.patience is not None else f"wait and service as one time, {INVERSION}"
    for keys, method in ((waits, how), (responses, both)):
        by_euler = INVERSION in method
        source = f"{found.source}; {INVERTED_BY}" if by_euler else found.source
        told.method(keys, method, source, inverted if by_euler else found.accuracy)


def _numbers_inside(queue: Queue, found: Answer, told: Explainer) -> None:
    from models.formulas import tails  # noqa: PLC0415

    here = _numbers(queue)
    if queue.endless:
        here.given |= {"W": told.value("wait_mean_s"), "T": told.value("response_mean_s")}
        told.formula("queue_length", tails.QUEUE_LENGTH, here)
        told.formula("in_system", tails.NUMBER_INSIDE, here)
    how = "Little's law: rate of those let in times their mean wait, and of those served times their service"
    told.method(["queue_length", "in_system"], how, "Little 1961", found.accuracy)


def _lost(queue: Queue, found: Answer, told: Explainer) -> None:
    """Explain what is turned away or gives up, and what is left of the rest."""
    from models.formulas import refused, waiting  # noqa: PLC0415

    if queue.endless:
        return
    here = _numbers(queue)
    if queue.limit is not None and queue.limit <= _MOST_SUMMED:
        here.given["K"] = queue.limit
        told.formula("lost", waiting.MMCK_BLOCKING, here, ["blocking"])
    elif queue.patience is not None and queue.patience_cv2 == 0 and queue.servers <= _MOST_SUMMED:
        here.given["p"] = queue.patience
        if abs(queue.servers - queue.load) > _NEARLY_ONE:
            told.formula("lost", refused.TIMED_OUT, here, ["abandonment"])
    nobody = ("abandonment", "gives up") if queue.patience is None else ("blocking", "is turned away at the door")
    told.method([nobody[0]], f"none: nobody {nobody[1]}", "definition")
    how = _how(queue, found, "the probabilities of all states, summed up")
    told.method(["lost", "blocking", "abandonment"], how, found.source, found.accuracy)
    told.method(["throughput_per_s"], "arrivals less what is lost", "definition", found.accuracy)
    told.method(["utilization"], "what is served, times its service, over all servers", "Little 1961", found.accuracy)


def _how(queue: Queue, found: Answer, exact: str) -> str:
    """Return the method in words."""
    if queue.patience is not None:
        return "integrals over the wait that an arrival of endless patience would have, whose density is known"
    if queue.sharing:
        return "the chain of those served beside a request until it leaves, by uniformization"
    if queue.limit is not None:
        return "sums over the states of the birth-death chain; percentiles by Poisson probabilities, all positive"
    if found.model.startswith(("M/PH", "PH")):
        return "the chain of all servers' phases, solved level by level; percentiles by Poisson probabilities"
    if found.model.startswith("M/D"):
        return "Crommelin's and Franx' sums over what is served meanwhile"
    return exact
