"""Where waits and response times of a tier come from."""

from __future__ import annotations

import string
from dataclasses import replace as replaced
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from capacity.explaining_work import about, stream_parts, utilization
from capacity.explanations import Explanation, Numbers, explanation, symbol_of
from models.queues import Wait

if TYPE_CHECKING:
    from capacity.components.exchange import Station
    from capacity.explaining_work import Asked
    from models.formulas import Formula, Quantity
    from models.latency import Latency
    from models.transforms import Transform

_SAME = 1e-13
"""Relative: two numbers that are one but for the order in which they were added."""

TILL_DONE = "from enqueue to done"


def wait(asked: Asked) -> Explanation | None:
    """Explain the mean wait of one visit: for a core, a thread, or at a partner's limit."""
    what = "mean wait of one visit"
    if not asked.visits():
        return None
    if asked.result.wait_mean_s is None:
        return _overloaded(asked, "wait", what)
    numbers = Numbers()
    found = _wait_formula(asked, numbers)
    if found is None:
        return None
    formula, notes = found
    return explanation("wait", what, formula, numbers, asked.result.wait_mean_s, "s", notes)


def mean(asked: Asked) -> Explanation | None:
    """Explain the mean response time of one visit at the tier itself."""
    from models.formulas import chained  # noqa: PLC0415

    what = "mean response time of one visit, without the calls it makes"
    if not asked.visits() or asked.result.response.mean_s == 0:
        return None
    if asked.result.response.mean_s is None:
        return _overloaded(asked, "mean", what)
    numbers = Numbers()
    formula, notes = _own_mean(asked, numbers)
    whole = chained("mean response time", formula)
    return explanation("mean", what, whole, numbers, asked.result.response.mean_s, "s", notes)


def total(asked: Asked) -> Explanation | None:
    """Explain the mean time of one visit with the calls that it waits for."""
    from models.formulas import Formula, Step, chained  # noqa: PLC0415
    from models.formulas.symbols import RESPONSE, real  # noqa: PLC0415

    visits, value = asked.visits(), asked.result.total_mean_s
    known = [(label, rate, a.own, a.total) for label, rate, a in visits if a.own is not None and a.total is not None]
    below = [(label, rate, own, all_) for label, rate, own, all_ in known if all_ is not own]
    if value is None or len(known) < len(visits) or not below:
        return None
    numbers = Numbers()
    formula, notes = _own_mean(asked, numbers)
    rate = sum(r for _, r, _ in visits)
    result, value_of = real("T_all", "mean time of one visit with the calls it waits for", "s"), RESPONSE.symbol
    inputs = [RESPONSE]
    for i, (label, r, own, all_) in enumerate(below, 1):
        share, time = real(f"x_{i}", ""), real(f"Z_{i}", "", "s")
        numbers.put(share, r / rate, f"share of visits that are {label}")
        numbers.put(time, all_.mean - own.mean, f"mean time that {label} waits for its calls")
        value_of, inputs = value_of + share.symbol * time.symbol, [*inputs, share, time]
    last = Formula("", tuple(inputs), (Step(result, value_of),), "linearity of the mean", exact=True, accuracy="")
    told = "the mean of a sum is the sum of the means, dependent or not"
    return explanation("total", result.meaning, chained("", formula, last), numbers, value, "s", [*notes, told])


def p99(asked: Asked) -> Explanation | None:
    """Show the transform that the p99 of a tier is inverted from."""
    from models.formulas.inverting import transform  # noqa: PLC0415

    latency, value, what = _distribution(asked)
    if latency is None:
        return _overloaded(asked, "p99", what) if asked.visits() and value is None else None
    found = transform(latency)
    numbers = Numbers({**found.values, "s": 1 / latency.mean})
    left = 1 - latency.exceeds(value or 0.0)
    how = "a percentile has no formula of its own: the time t for which 1 % is left is found by Newton's method on "
    notes = [
        f"{how}P(T > t), which is inverted from the transform below",
        f"at t = {value!r} s the inversion leaves {1 - left:.6%}",
        "the values shown are those at s = 1 / mean",
    ]
    notes += [] if found.closed else ["a part G is kept on a grid: it has no formula"]
    if not found.closed:
        numbers.given |= dict.fromkeys((q.name for q in found.formula.inputs if q.name.startswith("G_")), 1.0)
    shown = explanation("p99", what, found.formula, numbers, value, "s", notes=notes, effects=[])
    return msgspec.structs.replace(shown, by_formula=None)


def _distribution(asked: Asked) -> tuple[Latency | None, float | None, str]:
    """Return what a p99 is taken of, and the evaluation's number."""
    consumers = getattr(asked.tier, "consumers", None)
    if consumers is not None:
        classes = asked.solution.arrivals(asked.name).classes
        found = [asked.solution.latency(consumers, c, "read") for c in classes]
        slowest = max((x for x in found if x is not None), key=lambda x: x.mean, default=None)
        return slowest, asked.result.details["delay"]["p99_s"], f"p99 {TILL_DONE}"
    latency = asked.own()
    value = asked.result.response.p99_s
    return (latency if latency is not None and value else None), value, "p99 of the response time of one visit"


def _overloaded(asked: Asked, metric: str, what: str) -> Explanation:
    """Explain that there is no number: by how much what is asked exceeds what there is."""
    found = utilization(asked)
    if found is not None and found.value is not None and found.value >= 1:
        told = f"no steady state: {found.value:.1%} of {found.what.removeprefix('use of ')} are asked for, so that the "
        told += "queue grows without end"
    else:
        told = "no steady state: something that it waits for is overloaded, or holds all of its threads"
    base = Explanation(
        metric=metric,
        what=what,
        value=None,
        by_formula=None,
        unit="s",
        shown="none",
        exact=True,
        source="",
        accuracy="",
    )
    if found is not None:
        base = msgspec.structs.replace(base, inputs=found.inputs, lines=found.lines, source=found.source)
    return msgspec.structs.replace(base, notes=[told])


def _own_mean(asked: Asked, numbers: Numbers) -> tuple[Formula, list[str]]:
    """Return the mean response time of one visit as `T`: the wait and the time at work."""
    from models.formulas import Formula, Step, chained  # noqa: PLC0415
    from models.formulas.symbols import RESPONSE, SERVICE, WAIT, real  # noqa: PLC0415

    found = _wait_formula(asked, numbers)
    formula, notes = found or (None, [])
    visits = [(label, rate, a.own) for label, rate, a in asked.visits() if a.own is not None]
    busy = [(label, rate, own.mean - _waiting(own)) for label, rate, own in visits]
    at_work = real("E", "mean time at work of one visit", "s")
    rate = sum(r for _, r, _ in busy)
    parts = [formula] if formula is not None else []
    known = numbers.given if formula is None else formula.values(numbers.given)
    average = sum(r * time for _, r, time in busy) / rate
    if "S" in known and abs(float(known["S"]) - average) <= _SAME * average:
        at_work = SERVICE
    else:
        pairs = [(real(f"nu_{i}", "", "/s"), real(f"E_{i}", "", "s")) for i in range(1, len(busy) + 1)]
        for (q, t), (label, r, time) in zip(pairs, busy, strict=True):
            numbers.put(q, r, f"visits of {label}")
            numbers.put(t, time, f"mean time at work of {label}")
        above = sum(q.symbol * t.symbol for q, t in pairs) / sum(q.symbol for q, _ in pairs)
        inputs = tuple(one for pair in pairs for one in pair)
        parts.append(Formula("", inputs, (Step(at_work, above),), "", exact=True, accuracy=""))
    value = at_work.symbol if formula is None else WAIT.symbol + at_work.symbol
    needed = (at_work,) if formula is None else (WAIT, at_work)
    parts.append(Formula("", needed, (Step(RESPONSE, value),), "", exact=True, accuracy=""))
    return chained("mean response time", *parts), notes


def _waiting(latency: Latency) -> float:
    return sum(term.weight * n * w.mean for term in latency.terms for w, n in term.marks)


def _wait_formula(asked: Asked, numbers: Numbers) -> tuple[Formula, list[str]] | None:
    """Return the mean wait of one visit as `W`; None where nothing is waited for."""
    from models.formulas import Formula, Step, chained  # noqa: PLC0415
    from models.formulas.symbols import WAIT, real  # noqa: PLC0415

    visits = [(rate, a.own) for _, rate, a in asked.visits() if a.own is not None]
    rate, weights = sum(r for r, _ in visits), dict[Wait, float]()
    for r, own in visits:
        for term in own.terms:
            for mark, n in term.marks:
                if isinstance(mark, Wait):
                    weights[mark] = weights.get(mark, 0.0) + r / rate * term.weight * n
    if not weights:
        return _unfelt(asked, numbers)
    parts = [_one_wait(asked, mark) for mark in weights]
    if len(parts) == 1 and abs(next(iter(weights.values())) - 1) < _SAME and parts[0][3] == 1:
        formula, here, notes, _ = parts[0]
        numbers.take(here)
        return formula, notes
    value: Any = 0
    inputs: list[Quantity] = []
    chain: list[Formula] = []
    told: list[str] = []
    for letter, weight, (formula, here, notes, shorter) in zip(
        string.ascii_lowercase, weights.values(), parts, strict=False
    ):
        suffix = f"_{letter}"
        chain.append(formula.renamed(suffix))
        numbers.take(here, suffix)
        share, factor = real("chi" + suffix, "waits of this kind in one visit"), real("theta" + suffix, "")
        numbers.put(share, weight)
        one = chain[-1].result.symbol * share.symbol
        inputs += [chain[-1].result, share]
        if shorter != 1:
            numbers.put(
                factor, shorter, "by what this wait differs: threads keep requests outside, visits follow each other"
            )
            one, inputs = one * factor.symbol, [*inputs, factor]
        value += one
        told += [f"{symbol_of(chain[-1])}: {formula.name}", *notes]
    last = Formula("", tuple(inputs), (Step(WAIT, value),), "", exact=True, accuracy="")
    return chained("mean wait", *chain, last), told


Part = tuple["Formula", Numbers, list[str], float]
"""A wait with its numbers, what else is to be told, and by what factor it is shorter than its formula."""


def _one_wait(asked: Asked, mark: Transform) -> Part:
    from models.formulas import pooling, waiting  # noqa: PLC0415
    from models.formulas.symbols import CORES, NODES, RATE, SERVICE, SQUARED_CV  # noqa: PLC0415

    solution, own = asked.solution, Numbers()
    pool = solution.thread_pools.get(asked.name)
    station = solution.station_of.get(mark)
    if isinstance(mark, Wait) and pool is not None and pool.wait is mark:
        taken, given = pooling.thread_wait().inputs
        own.put(taken, mark.probability)
        own.put(given, mark.conditional.mean)
        return replaced(pooling.thread_wait(), name="wait for a thread"), own, [], 1.0
    if station is not None and station.wait is not None:
        formula, notes = _cores(asked, station, own)
        shorter = mark.mean / station.wait.mean * station.by_rows if mark is not station.wait else station.by_rows
        return replaced(formula, name=f"wait for {station.pool.name}"), own, notes, shorter
    arrivals, tier = solution.arrivals(asked.name), asked.tier
    if isinstance(mark, Wait) and tier.counted == "replicas":
        return _slowest(asked, mark, own)
    own.put(RATE, arrivals.rate, "calls to the partner")
    if isinstance(mark, Wait) and solution.limiter_waits(asked.name).get(mark) == "rate":
        own.put(waiting.LIMIT, float(tier.rate_limit), "", ("components", asked.name, "rate_limit"))
        return waiting.MD1_WAIT, own, [], 1.0
    service, limit = tier.service_time(), int(tier.concurrency_limit)
    own.put(SERVICE, service.mean, "the partner's own time", ("components", asked.name, "latency"))
    own.put(
        SQUARED_CV, _shape(service.is_exponential, service.squared_cv), "", ("components", asked.name, "variability")
    )
    own.put(NODES, 1, "one pool")
    own.put(CORES, limit, "requests that the partner works on at once")
    queue = pooling.Queue("shared_queue", _word(own.given["c_s"]), limit == 1, limit > pooling.MANY)
    return pooling.pool_wait(queue), own, [], 1.0


def _slowest(asked: Asked, mark: Wait, own: Numbers) -> Part:
    """Return what waiting adds to a read that several members are asked for: this has no closed form."""
    from models.formulas import Formula, Step  # noqa: PLC0415
    from models.formulas.symbols import WAIT, real  # noqa: PLC0415

    nodes, reads, _ = asked.tier.replication.members(asked.solution.places[asked.name])
    any_waits = real("p_R", f"share of reads of which one of the {reads} members asked has to wait")
    longer = real("w_R", "by how much its slowest answer is later then", "s")
    own.put(any_waits, mark.probability)
    own.put(longer, mark.conditional.mean)
    formula = Formula(
        name=f"wait for the slowest of {reads} of {nodes} members",
        inputs=(any_waits, longer),
        steps=(Step(WAIT, any_waits.symbol * longer.symbol),),
        source="the distribution functions of independent answers multiply",
        exact=False,
        accuracy="the waits of members are taken as independent: the mean is up to 9 % high, p99 within 4 %",
    )
    told = "the slowest answer with and without waiting, each the product of distribution functions on a grid, and what"
    return formula, own, [f"{told} is between their means"], 1.0


def _unfelt(asked: Asked, numbers: Numbers) -> tuple[Formula, list[str]] | None:
    """Return the formula of a wait that hardly anybody meets, and that therefore counts as none."""
    root = asked.solution.places[asked.name].root
    station = next((s for s in asked.solution.stations.get(root, {}).values() if s.rate > 0 and s.wait), None)
    if station is None or station.wait is None or not station.wait.is_negligible:
        return None
    formula, notes = _cores(asked, station, numbers)
    told = "the evaluation counts as 0 what fewer than one in 1e12 wait for"
    return formula, [*notes, told]


def _cores(asked: Asked, station: Station, numbers: Numbers) -> tuple[Formula, list[str]]:
    """Return the wait for the cores of a pool, from the classes' own times on."""
    from models.formulas import chained, pooling, work  # noqa: PLC0415

    solution, pool = asked.solution, station.pool
    owner = next(root for root, pools in solution.stations.items() if station in pools.values())
    streams = chained("", *stream_parts(solution, owner, station, numbers))
    if pool.hot_share is not None:
        numbers.put(work.HOT, pool.hot_share)
        return chained("mean wait", streams, pooling.hot_wait()), about(solution, owner, station)
    known = streams.values(numbers.given)
    alone = pool.nodes == 1 or pool.balancing == "shared_queue"
    balancing = "shared_queue" if alone else pool.balancing
    squared_cv = float(known["c_s"])
    exponential = abs(squared_cv - 1) < 1e-9 and len({float(known[k]) for k in known if k.startswith("S_")}) == 1
    each = pool.servers * (pool.nodes if alone else 1)
    burstiness, bursts = solution.arrivals(owner).squared_cv, None
    if balancing in ("random", "round_robin"):
        burstiness = burstiness / pool.nodes + (1 - 1 / pool.nodes if balancing == "random" else 0.0)
    notes = about(solution, owner, station)
    if abs(burstiness - 1) >= 1e-9:
        together = pool.servers if balancing in ("random", "round_robin") else pool.servers * pool.nodes
        bursts = pooling.Bursts.of(station.offered / (pool.nodes * pool.servers), burstiness, squared_cv, together)
        numbers.put(pooling.BURSTS, burstiness)
    shape = "exponential" if exponential else _word(squared_cv)
    queue = pooling.Queue(balancing, shape, each == 1, each > pooling.MANY, bursts)  # type: ignore[arg-type]
    return chained("mean wait", streams, pooling.pool_wait(queue)), notes


def _shape(exponential: bool, squared_cv: float) -> float:  # noqa: FBT001
    return 1.0 if exponential else squared_cv


def _word(squared_cv: float) -> Literal["exponential", "regular", "variable"]:
    return "exponential" if squared_cv == 1 else "regular" if squared_cv < 1 else "variable"
