"""What `capacity backlog` answers: capacity by partitions, delay, drain, rebalancing, redelivery, data loss."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from capacity import judging
from capacity.calculators.calculator import Answer, Row
from capacity.calculators.overload import SLOWLY, just_full, verdict
from capacity.errors import UsageError
from capacity.fewest import fewest
from capacity.units import digits, show_percent, show_seconds
from models.backlog import Rebalancing, backlog_drain, drain_time, rebalancing, redelivery, storage, time_to_loss
from models.partitions import Partitioned, random_drain
from models.service_time import ServiceTime, from_moments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.calculators.calculator import Given
    from models.latency import Latency

_MOST_CONSUMERS: Final = 1_000_000


@dataclass(frozen=True)
class Group:
    """Consumers of a topic and what they have to do: rates in messages/s."""

    topic: Partitioned
    service: ServiceTime
    rate: float
    """Deliveries: messages, and again those that failed."""
    stops: Rebalancing | None
    """What rebalancing costs; None without, or if it leaves too little time."""
    full: bool
    """Whether there is no time left."""
    stopped: float = 0.0
    """Share of the time in which all stand still for a rebalancing."""
    repeated: float = 0.0
    """Share of the time whose work is done again after one."""

    @property
    def capacity(self) -> float:
        """Deliveries/s at which the busiest consumer is full."""
        return self.topic.capacity(self.service.mean)

    @property
    def sustained(self) -> float:
        """Deliveries/s that the busiest consumer brings about in the long run, rebalancings included."""
        return self.capacity * (1 - self.stopped) - self.repeated * min(self.rate, self.capacity)

    @property
    def draining(self) -> float:
        """Deliveries/s that the busiest consumer brings about while it has a backlog, rebalancings included."""
        return self.capacity * (1 - self.stopped - self.repeated)

    @property
    def keeps_up(self) -> bool:
        """Whether a backlog ever goes."""
        return self.rate < self.capacity and not self.full

    def delay(self) -> Latency:
        """Return how long messages take when nothing stops."""
        return self.topic.delay(self.rate, self.service)


def answered(given: Given) -> Answer:
    """Return the answer to what was given."""
    if not given.has("consumers"):
        if not any(given.has(name) for name in ("drain", "p99", "utilization")):
            raise UsageError("--consumers is left out: to solve for it, say what is wanted, like --drain 30min")
        most = given.maybe_count("partitions") or _MOST_CONSUMERS
        found = fewest(lambda consumers: _good(given, consumers), 1, most)
        if found is None:
            return _hopeless(given, most)
        return _answer(given, _group(given, found), solved=True)
    return _answer(given, _group(given, given.count("consumers")), solved=False)


def _group(given: Given, consumers: int) -> Group:
    if given.has("pause") != given.has("every"):
        raise UsageError("--pause and --every belong together: how long, and how often")
    partitions = given.maybe_count("partitions") or consumers
    hottest = given.maybe("hottest")
    if hottest is not None and hottest < 1 / partitions * (1 - 1e-9):
        least = show_percent(1 / partitions)
        raise UsageError(f"--hottest: found {show_percent(hottest)}; allowed: at least {least}, an equal share")
    if given.number("failed") == 1 and not given.has("deliveries"):
        raise UsageError("--failed: found 100%; allowed: less, or a number of --deliveries")
    topic = Partitioned(partitions, consumers, hottest)
    service = from_moments(given.number("service"), given.number("cv2"))
    rate = given.number("rate") * redelivery(given.number("failed"), given.maybe_count("deliveries")).deliveries
    stops, full, stopped, repeated = None, False, 0.0, 0.0
    if given.has("pause"):
        pause, every = given.number("pause"), given.number("every")
        if pause > every:
            raise UsageError(f"--pause: found {show_seconds(pause)}; allowed: at most {show_seconds(every)}, --every")
        stops = rebalancing(rate, topic.capacity(service.mean), pause, every, given.number("commit"))
        full = stops is None
        stopped, repeated = pause / every, min(given.number("commit") / 2, every - pause) / every
    return Group(topic, service, rate, stops, full, stopped, repeated)


def _drain(given: Given, group: Group) -> float | None:
    """Return the seconds until the backlog that there is, and that of the stop, is gone; None for never."""
    if not group.keeps_up:
        return None
    stopped = drain_time(group.rate, group.draining, given.maybe("stop") or 0.0)
    waiting = backlog_drain(given.maybe("backlog") or 0.0, group.rate, group.draining)
    return None if stopped is None or waiting is None else stopped + waiting


def _missed(given: Given, group: Group) -> list[str]:
    """Return the names of the wishes that are not met."""
    missed = []
    if given.has("drain"):
        drain = _drain(given, group)
        missed += ["drain"] if drain is None or drain > given.number("drain") * (1 + 1e-9) else []
    if given.has("p99"):
        late = not group.keeps_up or group.delay().percentile(0.99) > given.number("p99") * (1 + 1e-9)
        missed += ["p99"] if late else []
    if given.has("utilization"):
        missed += ["utilization"] if group.rate / group.capacity > given.number("utilization") * (1 + 1e-9) else []
    return missed


def _good(given: Given, consumers: int) -> bool:
    given.tick(consumers)
    hottest, partitions = given.maybe("hottest"), given.maybe_count("partitions")
    if hottest is not None and partitions is None and hottest < 1 / consumers:
        return False
    group = _group(given, consumers)
    return group.keeps_up and not _missed(given, group)


def _hopeless(given: Given, most: int) -> Answer:
    group = _group(given, most if given.has("partitions") else 1)
    partitions = group.topic.partitions
    rows = [Row("capacity_at_most_per_s", "keeps up with at most", group.capacity, "/s")]
    note = "more partitions, or a shorter service; a hot partition is read by one consumer however many there are"
    headline = f"no number of consumers is enough for {partitions:,} partitions"
    return Answer(headline=headline, rows=rows, notes=[note], met=False, more={"solved_for": "consumers"})


def _answer(given: Given, group: Group, *, solved: bool) -> Answer:
    missed = _missed(given, group)
    wishes = [name for name in ("drain", "p99", "utilization") if given.has(name)]
    noted = {name: judging.allowed(name not in missed, _limit(given, name)) for name in wishes}
    topic, busy = group.topic, group.rate / group.capacity
    idle = f"{topic.idle:,} of them without a partition" if topic.idle else ""
    rows = [Row("consumers", "consumers", topic.consumers, "", "solved for" if solved else idle, "Consumers")]
    rows += [
        Row("capacity_per_s", "keeps up with at most", group.capacity, "/s", "", "Capacity"),
        Row("utilization", "busiest consumer", busy, "share", noted.get("utilization", ""), "Busy"),
        Row("busiest_share", "  its share of the messages", topic.readers[0].share, "share"),
    ]
    if given.number("failed") > 0:
        again = redelivery(given.number("failed"), given.maybe_count("deliveries"))
        rows.append(Row("deliveries", "deliveries of a message", again.deliveries, ""))
        rows.append(Row("put_aside", "  put aside in the end", again.dead, "share"))
    if group.keeps_up:
        rows += _steady(given, group, noted)
        drain = _drain(given, group)
        headline = f"busiest of {topic.consumers:,} consumers at {show_percent(busy)}"
        headline += f", backlog gone after {show_seconds(drain)}" if drain else ""
    else:
        rows += _growing(given, group)
        headline = (
            f"{verdict(group.rate, group.capacity)}: the busiest of {topic.consumers:,} consumers gets "
            f"{digits(group.rate * topic.readers[0].share)} messages/s and does {digits(1 / group.service.mean)}/s"
            if group.rate >= group.capacity
            else "overloaded: the next rebalancing comes before the backlog of the last is gone"
        )
    headline += judging.ending((_WISHED[name] for name in missed), judged=bool(wishes))
    return Answer(
        headline=headline,
        rows=rows + list(_kept(given, group)),
        model="fluid, and M/G/1 for each consumer",
        source="fluid queue; Pollaczek 1930, Khinchine 1932; drains by Takacs 1962",
        accuracy="for steady rates and Poisson messages; with several consumers the spread of a drain within 5%",
        notes=_mends(group) if not group.keeps_up and given.alone else [],
        met=None if not wishes else not missed,
        more={"solved_for": "consumers" if solved else None, "overloaded": not group.keeps_up,
              "deliveries_per_s": group.rate, "sustained_per_s": group.sustained},
    )  # fmt: skip


_WISHED: Final = {"drain": "drain", "p99": "delay p99", "utilization": "utilization"}


def _limit(given: Given, name: str) -> str:
    value = given.number(name)
    return show_percent(value) if name == "utilization" else show_seconds(value)


def _steady(given: Given, group: Group, noted: dict[str, str]) -> Iterator[Row]:
    delay = group.delay()
    yield Row("delay_mean_s", "delay when nothing stops, mean", delay.mean, "s", "", "Delay")
    yield Row("delay_p99_s", "  99%", delay.percentile(0.99), "s", noted.get("p99", ""), "P99")
    if group.stops is not None:
        yield Row("rebalancing_mean_delay_s", "rebalancing adds, mean", group.stops.mean_delay, "s", "fluid")
        yield Row("rebalancing_delayed", "  messages that it delays", group.stops.delayed, "share")
        yield Row("rebalancing_peak", "  backlog after each", group.stops.peak, "messages")
        yield Row("repeated_per_s", "  done a second time", group.stops.repeated, "/s")
    drain = _drain(given, group)
    if drain is None or not (given.has("stop") or given.has("backlog")):
        return
    left = (given.maybe("stop") or 0.0) * group.rate + (given.maybe("backlog") or 0.0)
    yield Row("backlog", "backlog to be drained", left, "messages", "", "Backlog")
    yield Row("drain_s", "gone after", drain, "s", noted.get("drain", ""), "Drain")
    if group.topic.hottest is None and left >= 1:
        spread = random_drain(left, group.rate, group.service, min(group.topic.consumers, group.topic.partitions))
        yield Row("drain_p99_s", "  with chance, 99% within", max(spread.percentile(0.99), drain), "s")


def _growing(given: Given, group: Group) -> Iterator[Row]:
    behind = group.topic.behind(group.rate, group.service.mean, group.stopped, group.repeated)
    yield Row("consumers_behind", "  that fall behind", behind.consumers)
    full = just_full(group.rate + behind.growth, group.rate)
    yield Row("backlog_growth_per_s", "backlog grows by", 0.0 if full else behind.growth, "/s", SLOWLY if full else "")
    if given.has("retention"):
        left = time_to_loss(group.rate, group.sustained, given.number("retention"), given.number("age"))
        yield Row("loss_s", "messages lost unread after", left, "s", "", "Loss")


def _kept(given: Given, group: Group) -> Iterator[Row]:
    if not given.has("retention"):
        return
    stopped = time_to_loss(group.rate, 0.0, given.number("retention"), given.number("age"))
    yield Row("loss_when_stopped_s", "messages lost after a stop of", stopped, "s")
    if given.has("message_size"):
        rate, size = given.number("rate"), given.number("message_size")
        yield Row(
            "storage_bytes",
            "retention takes",
            storage(rate, size, given.number("retention"), given.count("copies")),
            "B",
        )


def _mends(group: Group) -> list[str]:
    if group.full and group.rate < group.capacity:
        return ["the smallest mend: fewer or shorter rebalancings, or more consumers"]
    enough = group.topic.consumers_for(group.rate, group.service.mean)
    ways = [f"{enough:,} consumers"] if enough is not None else []
    if enough is None and group.topic.hottest is None:
        ways.append(f"{math.floor(group.rate * group.service.mean) + 1:,} partitions and as many consumers")
    ways.append(f"less than {digits(group.capacity)} messages/s")
    ways.append(f"a service shorter than {show_seconds(group.service.mean * group.capacity / group.rate)}")
    return [f"the smallest mend: {', or '.join(ways)}; each just keeps up"]
