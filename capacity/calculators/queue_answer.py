"""What `capacity queue` answers: the state, what was solved for, whether wishes are met, the smallest mend."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from capacity import judging
from capacity.calculators.calculator import Answer, Row
from capacity.calculators.overload import SLOWLY, SPARE, all_or_more, counted, just_full, over, verdict
from capacity.calculators.queue_basis import accuracy, queue_of, source
from capacity.calculators.queue_state import (
    MOST_SERVERS,
    SEARCHED_STATES,
    WISHES,
    Queue,
    Wish,
    fewest_servers,
    largest,
    lost,
    state,
    unloaded,
)
from capacity.errors import UsageError
from capacity.units import digits, show_percent, show_seconds
from models.erlang import UnstableQueueError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.calculators.calculator import Given
    from models.steady import SteadyState

_PERCENTILES: Final = (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999))
_FREE: Final = ("rate", "service", "servers")

_WORDS: Final = {"servers": "number of servers", "rate": "rate", "service": "service time"}

_TIMES: Final = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))


def answered(given: Given) -> Answer:
    """Return the answer to what was given."""
    wishes = tuple(
        Wish(name, label, unit, given.number(name), value)
        for name, (label, unit, value) in WISHES.items()
        if given.has(name)
    )
    missing = [name for name in _FREE if not given.has(name)]
    if len(missing) > 1:
        raise UsageError(f"{' and '.join('--' + name for name in missing)} are missing: one of them can be solved for")
    if not missing:
        return _known(queue_of(given), wishes, given)
    if not wishes:
        raise UsageError(
            f"--{missing[0]} is left out: to solve for it, say what is wanted, like --p99 50ms or --utilization 70%"
        )
    return _solved(queue_of(given), wishes, missing[0], given)


def _known(queue: Queue, wishes: tuple[Wish, ...], given: Given) -> Answer:
    try:
        found = state(queue)
    except UnstableQueueError:
        return _overloaded(queue, wishes, given)
    missed = [wish for wish in wishes if wish.value(found) > wish.most * (1 + 1e-9)]
    headline = f"{found.model} at {show_percent(found.utilization)}"
    headline += f": {_verdict(wishes, missed, found)}" if wishes else f", response p99 {_p99(found)}"
    notes = list(_mends(replace(queue, exact_states=SEARCHED_STATES), wishes, given)) if missed and given.alone else []
    return _answer(queue, found, headline, wishes, notes, met=not missed if wishes else None)


def _solved(queue: Queue, wishes: tuple[Wish, ...], name: str, given: Given) -> Answer:
    hopeless = unloaded(queue, wishes) if name != "service" else []
    found: float | None = None
    if not hopeless:
        found = (
            fewest_servers(queue, wishes, given.tick) if name == "servers" else largest(queue, wishes, name, given.tick)
        )
    if found is None or math.isinf(found):
        return _unsolved(queue, wishes, name, hopeless, endless=found is not None)
    exact = {"servers": int(found)} if name == "servers" else {name: found}
    queue = replace(queue, **exact)
    reached = state(queue)
    binding = max(wishes, key=lambda wish: wish.value(reached) / wish.most)
    what = {
        "servers": "1 server is enough" if found == 1 else f"{int(found):,} servers are enough",
        "rate": f"up to {_at_most(found, '/s')} is possible",
        "service": f"services may take up to {_at_most(found, 's')}",
    }[name]
    headline = f"{what}: {_reached(binding, reached)}"
    return _answer(queue, reached, headline, wishes, [], met=True, solved=name)


def _unsolved(queue: Queue, wishes: tuple[Wish, ...], name: str, hopeless: list[Wish], *, endless: bool) -> Answer:
    if endless:
        headline, met = f"no {_WORDS[name]} is too much: what is wanted holds at any load", True
    else:
        blamed = " and ".join(f"{wish.label} {_wanted(wish)}" for wish in hopeless or wishes)
        most = f" up to {queue.limit or MOST_SERVERS:,}" if name == "servers" and not hopeless else ""
        headline, met = f"no {_WORDS[name]}{most} gives {blamed}", False
    notes = [f"the service alone, with nobody before it, misses {wish.label}" for wish in hopeless]
    if hopeless:
        notes.append("the mend is a shorter or more regular service, or less to be wanted")
    return Answer(headline=headline, rows=[], notes=notes, met=met, more={"solved_for": name})


def _overloaded(queue: Queue, wishes: tuple[Wish, ...], given: Given) -> Answer:
    """Return what there is to say of more work than the servers can do: by how much, and the smallest mends."""
    load, servers = queue.load, queue.servers
    full, short = just_full(load, servers), over(load, servers)
    rows = [
        Row("offered_load_erlangs", "offered load", load, "erlangs"),
        Row("utilization", "demand of the servers", load / servers, "share", all_or_more(load, servers), "Busy"),
        Row("short_servers", "short by", short, "servers", SPARE if full else ""),
        Row("backlog_growth_per_s", "backlog grows by", short / queue.service, "/s", SLOWLY if full else ""),
    ]
    of = f"{counted(load, 'erlang')} for {servers:,} server{'' if servers == 1 else 's'}"
    headline = f"{verdict(load, servers)}: {of}, the backlog grows without end"
    rate, service = digits(queue.servers / queue.service), show_seconds(queue.servers / queue.rate)
    mend = (
        f"the smallest mend: {math.floor(load) + 1:,} servers, or less than {rate}/s, or a service shorter than "
        f"{service}; each just keeps up, with long waits"
    )
    notes = [mend] if given.alone else []
    if wishes and given.alone:
        notes += _mends(replace(queue, exact_states=SEARCHED_STATES), wishes, given)
    more = {"overloaded": True, "solved_for": None, "inputs_used": _used(queue), "keeps_up_with": {
        "servers": math.floor(load) + 1,
        "rate_below_per_s": queue.servers / queue.service,
        "service_below_s": queue.servers / queue.rate,
    }}  # fmt: skip
    return Answer(headline=headline, rows=rows, notes=notes, met=False if wishes else None, more=more)


def _mends(queue: Queue, wishes: tuple[Wish, ...], given: Given) -> Iterator[str]:
    """Say what each of the three numbers would have to be, the others left as they are."""
    hopeless = unloaded(queue, wishes)
    servers = None if hopeless else fewest_servers(queue, wishes, given.tick)
    rate = None if hopeless else largest(queue, wishes, "rate", given.tick)
    service = largest(queue, wishes, "service", given.tick)
    ways = [f"{servers:,} servers"] if servers is not None else []
    ways += [f"at most {_at_most(rate, '/s')}"] if rate is not None and math.isfinite(rate) else []
    ways += [f"a service of at most {_at_most(service, 's')}"] if service is not None and service < math.inf else []
    if ways:
        yield f"to have what is wanted: {', or '.join(ways)}"
    for wish in hopeless:
        yield f"the service alone, with nobody before it, misses {wish.label}"


def _answer(
    queue: Queue,
    found: SteadyState,
    headline: str,
    wishes: tuple[Wish, ...],
    notes: list[str],
    *,
    met: bool | None,
    solved: str | None = None,
) -> Answer:
    return Answer(
        headline=headline,
        rows=[*_solved_rows(queue, solved), *_rows(queue, found, {wish.name: wish for wish in wishes})],
        model=found.model,
        source=source(queue, found),
        exact=found.exact,
        accuracy=accuracy(queue, found),
        notes=notes,
        met=met,
        more={"solved_for": solved, "overloaded": False, "inputs_used": _used(queue)},
    )


def _solved_rows(queue: Queue, solved: str | None) -> list[Row]:
    rows = {
        "servers": Row("servers", "servers", queue.servers, "", "solved for", "Servers"),
        "rate": Row(
            "rate_per_s", "rate", queue.rate, "/s", "solved for, the most", "Rate", _at_most(queue.rate, "/s")
        ),
        "service": Row(
            "service_s", "service time", queue.service, "s", "solved for, the longest", "Service",
            _at_most(queue.service, "s"),
        ),
    }  # fmt: skip
    return [rows[solved]] if solved is not None else []


def _rows(queue: Queue, found: SteadyState, wishes: dict[str, Wish]) -> Iterator[Row]:
    def note(name: str) -> str:
        wish = wishes.get(name)
        if wish is None:
            return ""
        value = wish.value(found)
        return judging.allowed(value <= wish.most * (1 + 1e-9), _wanted(wish), judging.over(value, wish.most))

    yield Row("offered_load_erlangs", "offered load", queue.load, "erlangs")
    yield Row("utilization", "utilization", found.utilization, "share", note("utilization"), "Busy")
    waits = found.wait_probability
    yield Row("wait_probability", "share that waits", waits, "share", note("wait_probability"), "Waits")
    yield Row("wait_mean_s", "mean wait", found.wait_mean, "s", note("wait_mean"), "Wait")
    for name, fraction in _PERCENTILES:
        value = found.wait_percentile(fraction)
        yield Row(f"wait_{name}_s", f"wait {_name(name)}", value, "s", note(f"wait_{name}"))
    yield Row("response_mean_s", "mean response", found.response_mean, "s", note("mean"), "Response")
    for name, fraction in _PERCENTILES:
        value = found.response_percentile(fraction)
        column = {"p50": "p50", "p99": "p99"}.get(name, "")
        yield Row(f"response_{name}_s", f"response {_name(name)}", value, "s", note(name), column)
    yield Row("queue_length", "waiting, mean", found.queue_length, "", "", "Queue" if queue.endless else "")
    yield Row("in_system", "waiting or in service, mean", found.number)
    if not queue.endless:
        yield Row("lost", "lost", lost(found), "share", note("lost"), "Lost")
        yield Row("blocking", "turned away at the door", found.blocking, "share")
        yield Row("abandonment", "giving up while waiting", found.abandonment, "share")
        yield Row("throughput_per_s", "served", found.throughput, "/s")


def _name(percentile: str) -> str:
    return "p99.9" if percentile == "p999" else percentile


def _used(queue: Queue) -> dict[str, float]:
    return {"rate_per_s": queue.rate, "service_s": queue.service, "servers": queue.servers}


def _verdict(wishes: tuple[Wish, ...], missed: list[Wish], found: SteadyState) -> str:
    told = missed or list(wishes)
    said = "; ".join(_reached(wish, found) for wish in told)
    return f"{judging.word(not missed)}: {said}"


def _reached(wish: Wish, found: SteadyState) -> str:
    value = wish.value(found)
    beyond = judging.over(value, wish.most) if value > wish.most * (1 + 1e-9) else ""
    return f"{wish.label} {_amount(wish, value)}, {_wanted(wish)} allowed{beyond}"


def _amount(wish: Wish, value: float) -> str:
    return show_seconds(value) if wish.unit == "s" else f"{value * 100:.3g}%"


def _wanted(wish: Wish) -> str:
    return _amount(wish, wish.most)


def _p99(found: SteadyState) -> str:
    return show_seconds(found.response_percentile(0.99))


def _at_most(value: float, unit: str) -> str:
    """Return a value rounded down to four digits, so that what is told can be done."""
    step = 10.0 ** (math.floor(math.log10(value)) - 3)
    value = math.floor(value / step * (1 + 1e-12)) * step
    if unit == "/s":
        return f"{value:,.10g}/s"
    worth, suffix = next((w, name) for w, name in _TIMES if value >= w or name == "ns")
    return f"{value / worth:,.10g} {suffix}"
