"""What an answer about a queue stands on: the queue that the options describe, its law's source, how exact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capacity.calculators.queue_state import SEARCHED_STATES, SHOWN_STATES, Queue, check

if TYPE_CHECKING:
    from capacity.calculators.calculator import Given
    from models.steady import SteadyState


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
