"""What an answer about a queue stands on: the queue that the options describe, its law's source, its formulas."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from capacity.calculators.queue_state import SEARCHED_STATES, SHOWN_STATES, Queue, check

if TYPE_CHECKING:
    from capacity.calculators.calculator import Answer, Given
    from capacity.explanations import Explanation
    from models.steady import SteadyState

_MOST_SUMMED: Final = 2000
"""Servers up to which the sum in Erlang's formula is written out with numbers in a moment."""


def queue_of(given: Given) -> Queue:
    """Return the queue of the options; what is missing is 1, to be solved for."""
    servers = given.maybe_count("servers")
    limit = given.maybe_count("limit")
    queue = Queue(
        rate=given.maybe("rate") or 1.0,
        service=given.maybe("service") or 1.0,
        servers=servers if servers is not None else 1,
        cv2=given.number("cv2"),
        arrival_cv2=given.number("arrival_cv2"),
        limit=limit,
        patience=given.maybe("patience"),
        patience_cv2=given.number("patience_cv2"),
        sharing=given.word("order") == "sharing",
        exact_states=SHOWN_STATES if given.has("rate") and given.has("service") and servers else SEARCHED_STATES,
    )
    check(queue)
    return queue


_LOSS: Final = "Erlang 1917, Sevastyanov 1957"
_PLACES: Final = "Gross, Shortle, Thompson and Harris 2008, section 2.5"
_PATIENCE: Final = "Palm 1957; Baccelli and Hebuterne 1981; Zeltyn and Mandelbaum 2005, section 3"
_FEWER: Final = "exact chains of fewer servers (Neuts 1981), carried on after Halfin and Whitt 1981"
_SHARING: Final = "Sakata, Noguchi and Oizumi 1971; Kelly 1979; percentiles by a tagged request's chain"


def source(queue: Queue, found: SteadyState) -> str:
    """Return who found the law that answered."""
    if queue.limit is not None:
        return _LOSS if queue.limit == queue.servers else _PLACES
    if not queue.endless or queue.sharing:
        return _SHARING if queue.sharing else _PATIENCE
    if queue.arrival_cv2 != 1:
        return _independent(queue, found)
    return _poisson(queue, found)


def _independent(queue: Queue, found: SteadyState) -> str:
    if queue.cv2 == 1:
        return "Takacs 1962; Gross, Shortle, Thompson and Harris 2008, section 5.3"
    if found.exact:
        return "matrix-analytic (Neuts 1981, Sengupta 1989)"
    return _FEWER if "exact chains" in found.error else "Whitt 1993"


def _poisson(queue: Queue, found: SteadyState) -> str:
    if queue.cv2 == 1:
        return "Erlang 1917; Gross, Shortle, Thompson and Harris 2008, section 2.3"
    if queue.servers == 1:
        return "Pollaczek 1930, Khinchine 1932"
    if found.model.startswith("M/D"):
        return "Crommelin 1932, Franx 2001"
    if found.exact:
        return "matrix-analytic (Neuts 1981; Latouche and Ramaswami 1993)"
    return _FEWER if "exact chains" in found.error else "Bjorklund and Elldin 1964; Kimura 1986; Tijms et al. 1981"


def accuracy(queue: Queue, found: SteadyState) -> str:
    """Return what the answer is exact for, or how far off it was measured to be."""
    if not found.exact:
        return f"approximate: {found.error}"
    if queue.sharing and queue.cv2 != 1:
        return "exact: means for any service, percentiles for exponential service"
    shaped = queue.cv2 not in (0.0, 1.0) or queue.arrival_cv2 not in (0.0, 1.0)
    if shaped:
        return "exact for the conventional shape with this squared CV; two moments leave the shape open"
    return f"exact for {'Poisson' if queue.arrival_cv2 else 'evenly spaced'} arrivals" + (
        " and exponential service" if queue.cv2 == 1 else ""
    )


def explained(given: Given, found: Answer) -> list[Explanation]:
    """Return the closed forms behind the answer: utilization, and the wait or the loss where they have one."""
    from capacity.explanations import Numbers, explanation  # noqa: PLC0415
    from models.formulas import waiting  # noqa: PLC0415

    used = found.more.get("inputs_used")
    if not isinstance(used, dict):
        return []
    queue = replace(queue_of(given), rate=used["rate_per_s"], service=used["service_s"], servers=int(used["servers"]))
    known = found.figure
    here = Numbers({"lambda": queue.rate, "S": queue.service, "c": queue.servers, "c_s": queue.cv2})

    if not queue.endless:
        told = [explanation("load", "offered load", waiting.OFFERED, here, known("offered_load_erlangs"), "erlangs")]
    else:
        told = [explanation("utilization", "utilization", waiting.UTILIZATION, here, known("utilization"), "share")]
    if found.more.get("overloaded"):
        return told
    simple = queue.arrival_cv2 == 1 and queue.patience is None and not queue.sharing
    if simple and queue.endless and queue.servers == 1:
        told.append(explanation("wait", "mean wait", waiting.MG1_WAIT, here, known("wait_mean_s"), "s"))
    elif simple and queue.servers <= _MOST_SUMMED and queue.endless and queue.cv2 == 1:
        told.append(explanation("wait", "mean wait", waiting.MMC_WAIT, here, known("wait_mean_s"), "s"))
    elif simple and queue.limit is not None and queue.limit <= _MOST_SUMMED:
        here.given["K"] = queue.limit
        told.append(explanation("lost", "turned away", waiting.MMCK_BLOCKING, here, known("blocking"), "share"))
    return told
