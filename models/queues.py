"""How long work waits for a server: M/M/c exactly, M/G/c, G/G/c and several balanced nodes by named approximations.

The wait of M/G/c is that of Tijms, van Hoorn and Federgruen 1981: whoever finds all servers busy waits until the
first of them is free, and then for a geometric number of services, each served c times as fast. It is exact for
exponential service, for one server, and in light traffic, and is a proper distribution with a transform.

The doors to the models of a single queue, each in a module of its own, are here as well: `queues.mmc`, `queues.mgc`,
`queues.finite_room` and the others of `DOORS`. A module is imported when its door is first asked for.
"""

from __future__ import annotations

import importlib
import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from models import markov
from models.elementwise import larger
from models.erlang import UnstableQueueError, erlang_c
from models.service_time import Residual, ServiceTime, exponential
from models.transforms import INSTANT, NEGLIGIBLE, GeometricSum, Stretched, Transform

if TYPE_CHECKING:
    from models.transforms import Complexes, Floats, Points

DOORS: Final = {
    "batches": ("batch_arrivals", "batch_wait_mean"),
    "deterministic": ("constant_service",),
    "erlang": ("erlang_b", "log_erlang_b", "log_erlang_c"),
    "impatience": ("impatient",),
    "loss": ("finite_population", "finite_room", "infinite_servers", "loss_system"),
    "polling": ("polling_waits",),
    "priorities": ("general_priority", "interrupt_by_priority", "queue_by_priority"),
    "sharing": ("processor_sharing", "sharing_response_mean", "sharing_response_of_size"),
    "size_based": ("size_based_mean", "size_based_of_size"),
    "staffing": (
        *(f"servers_for_{wish}" for wish in ("blocking", "wait", "utilization", "wait_mean", "wait_percentile")),
        *(f"load_for_{wish}" for wish in ("blocking", "wait", "utilization", "wait_mean", "wait_percentile")),
    ),
    "stations": ("ggc", "gimc", "mg1", "mgc", "mmc"),
}
"""The functions that can be asked for here, by the module of `models` in which they are."""


def __getattr__(name: str) -> Any:
    module = next((module for module, names in DOORS.items() if name in names), None)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"models.{module}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *(name for names in DOORS.values() for name in names)})


class Memory(NamedTuple):
    """What tells how soon a queue forgets, for those who visit it again.

    `same` is the probability that two visits meet the same queue: 1 unless nodes with queues of their own are drawn.
    """

    utilization: float
    service_time: float
    same: float = 1.0


@dataclass(frozen=True, eq=False)
class Wait(Transform):
    """A waiting time: with `probability` it is `conditional`, else nothing. `exact` for its model or not.

    Without `memory` every visit of one request waits equally long.
    """

    probability: float
    conditional: Transform
    exact: bool
    memory: Memory | None = None

    mean: float = field(init=False)
    variance: float = field(init=False)

    def __post_init__(self) -> None:
        waiting = self.conditional.mean
        mean = self.probability * waiting
        object.__setattr__(self, "mean", mean)
        second = self.conditional.variance + waiting**2
        object.__setattr__(self, "variance", larger(self.probability * second - mean**2, 0.0))

    def at(self, points: Points) -> Complexes:
        """Return (1 - p) + p times the conditional transform."""
        return 1 - self.probability * (1 - points.value(self.conditional))

    def tail_at(self, times: Floats) -> tuple[Floats, Floats] | None:
        """Return the conditional ones, times the probability."""
        known = self.conditional.tail_at(times)
        return known and (self.probability * known[0], self.probability * known[1])

    @property
    def is_negligible(self) -> bool:
        """Whether practically nobody waits."""
        return self.probability <= NEGLIGIBLE

    def stretched(self, factor: float) -> Wait:
        """Return the same wait with every duration multiplied by a factor (*approximation* of another queue)."""
        memory = self.memory and self.memory._replace(service_time=self.memory.service_time * factor)
        return Wait(self.probability, Stretched(self.conditional, factor), exact=False, memory=memory)


NO_WAIT = Wait(0.0, INSTANT, exact=True)
"""Nobody waits: no load, or servers without number."""


@dataclass(frozen=True)
class MMc:
    """M/M/c, first come first served (*exact*): rate in 1/s, mean service time in s, integer servers >= 1.

    Raises UnstableQueueError when the load reaches the servers. Source: Gross and Harris, Fundamentals of Queueing
    Theory, section 2.3.
    """

    arrival_rate: float
    service_time: float
    servers: int

    def __post_init__(self) -> None:
        if self.offered_load >= self.servers:
            raise UnstableQueueError(self.servers, self.offered_load)

    @property
    def offered_load(self) -> float:
        """Erlangs."""
        return self.arrival_rate * self.service_time

    @property
    def utilization(self) -> float:
        """Busy share of a server."""
        return self.offered_load / self.servers

    @property
    def spare_rate(self) -> float:
        """Return c*mu - lambda, 1/s: from (c - a), which is exact where 1 - rho loses digits."""
        return markov.spare_rate(self.servers, self.offered_load, self.service_time)

    @cached_property
    def wait_probability(self) -> float:
        """Erlang C."""
        return erlang_c(self.servers, self.offered_load)

    @property
    def wait_mean(self) -> float:
        """Seconds."""
        return self.wait_probability / self.spare_rate

    @property
    def response_mean(self) -> float:
        """Seconds."""
        return self.wait_mean + self.service_time

    @property
    def queue_length(self) -> float:
        """Mean number waiting."""
        return self.arrival_rate * self.wait_mean

    def wait_tail(self, t: float) -> float:
        """Return P(wait > t)."""
        return markov.wait_tail(self.wait_probability, self.spare_rate, t)

    def response_tail(self, t: float) -> float:
        """Return P(wait + service > t), also where the two exponential rates meet."""
        return markov.response_tail(self.wait_probability, self.spare_rate, self.service_time, t)

    def wait_percentile(self, fraction: float) -> float:
        """Return the time within which this fraction of arrivals starts service."""
        return markov.wait_percentile(self.wait_probability, self.spare_rate, 1 - fraction)

    def response_percentile(self, fraction: float) -> float:
        """Return the time within which this fraction of arrivals is served, to the last digits."""
        waits, spare, late = self.wait_probability, self.spare_rate, 1 - fraction
        low, high = 0.0, self.response_mean
        while markov.response_tail(waits, spare, self.service_time, high) > late:
            low, high = high, 2 * high
        while high - low > 4e-16 * high:
            middle = (low + high) / 2
            if middle in (low, high):
                break
            beyond = markov.response_tail(waits, spare, self.service_time, middle) > late
            low, high = (middle, high) if beyond else (low, middle)
        return high


def mgc_wait(arrival_rate: float, service: ServiceTime, servers: int, arrival_squared_cv: float = 1.0) -> Wait:
    """Return the waiting time in one queue before `servers` equal servers.

    *Exact* for Poisson arrivals with exponential service or one server. Else *approximate*, measured against exact
    values: M/G/c after Tijms, van Hoorn and Federgruen 1981, its mean for squared CV below 1 after Bjorklund and
    Elldin (mean within 1.8 %, p99 within 5 %); above it is high, which is the safe side, the more so the more servers:
    on 2 to 100 servers at utilization 0.5 to 0.95 up to 21 % (p99 21 %) for squared CV 2, 58 % (52 %) for 4 and 136 %
    (102 %) for 9. `models.stations.mgc` has better ones, which take longer. Other arrivals: times the ratio of
    Whitt 1993, by which means are 1 to 5 % low and p99 is within 6 % at utilization 0.8 and 0.9; his P(wait) is within
    0.03 on 4 servers, and 20 % low for constant arrivals to 20 exponential servers at utilization 0.9.
    Raises UnstableQueueError when the load reaches the servers.
    """
    return balanced_wait(arrival_rate, service, 1, servers, arrival_squared_cv=arrival_squared_cv)


def balanced_wait(  # noqa: PLR0917, a queue has as many parameters as it has
    arrival_rate: float,
    service: ServiceTime,
    nodes: int,
    servers: int,
    balancing: str = "shared_queue",
    arrival_squared_cv: float = 1.0,
) -> Wait:
    """Return the waiting time on `nodes` equal nodes of `servers` servers each, at `arrival_rate` in all.

    `balancing`: "shared_queue" pools all servers; "random" splits the stream, *exact* wherever one node is;
    "round_robin" splits it and makes each part more regular (squared CV / nodes + nothing else: *approximate*);
    "least_connections" joins the node with the fewest requests. That is *approximate*: an arrival that finds all
    servers busy finds the backlog spread evenly, so that it waits behind floor(Q / nodes) others on its own node; as
    the pool's backlog Q is geometric with ratio rho, theirs is geometric with ratio rho**nodes. It meets the pool in
    heavy traffic and one node exactly. The waits in each queue are as far off as in `mgc_wait`.
    """
    offered = arrival_rate * service.mean
    total = nodes * servers
    if offered >= total:
        raise UnstableQueueError(total, offered)
    if offered == 0:
        return NO_WAIT
    if balancing == "shared_queue" or nodes == 1:
        return _node_wait(service, total, (total - offered) / total, offered, total, ca2=arrival_squared_cv)
    if balancing == "least_connections":
        idle = (total - offered) / total
        remaining = -math.expm1(nodes * math.log1p(-idle)) if idle < 1 else 1.0  # next to no load rounds to none
        return _node_wait(service, servers, remaining, offered, total, ca2=arrival_squared_cv)
    share = arrival_squared_cv / nodes
    split = share if balancing == "round_robin" else share + 1 - 1 / nodes
    part = offered / nodes
    return _node_wait(service, servers, (total - offered) / total, part, servers, ca2=split, same=1 / nodes)


_LONGEST: Final = 100.0
"""Times the wait of Poisson arrivals that a wait of other arrivals may last on average, if there is one."""


def _node_wait(
    service: ServiceTime,
    servers: int,
    remaining: float,
    pool_load: float,
    pool: int,
    *,
    ca2: float,
    same: float = 1.0,
) -> Wait:
    """Return the wait at `servers` servers, entered when all `pool` servers with `pool_load` are busy."""
    probability = erlang_c(pool, pool_load)
    pooled = pool == servers
    poisson = abs(ca2 - 1) < 1e-9
    if service.is_exponential:
        conditional: Transform = exponential(service.mean / (servers * remaining))
    else:
        further = Stretched(Residual(service), 1 / servers)
        first = Residual(service) if servers == 1 else exponential(_first_free(service, servers))
        conditional = GeometricSum(first, further, remaining)
    cs2, rho = service.squared_cv, pool_load / pool
    memory = Memory(rho, service.mean, same)
    if pooled and servers > 1 and cs2 < 1:
        regular = _bjorklund_elldin(rho, cs2, servers) * service.mean / (servers * remaining)
        conditional = Stretched(conditional, regular / conditional.mean)
    if poisson:
        exact = pooled and (service.is_exponential or servers == 1)
        return Wait(probability, conditional, exact=exact, memory=memory)
    factor = _whitt_mean(rho, ca2, cs2, pool) / _whitt_mean(rho, 1.0, cs2, pool)
    # Where arrivals are regular and few, the two approximations part: the mean is kept, and no wait made endless.
    least = factor * probability / _LONGEST
    waits = min(max(_whitt_probability(rho, ca2, cs2, pool, probability), least), 1.0)
    if waits < 1e-300:
        return NO_WAIT
    return Wait(waits, Stretched(conditional, factor * probability / waits), exact=False, memory=memory)


def _first_free(service: ServiceTime, servers: int) -> float:
    """Return the mean time until the first of `servers` services in progress ends: the least of their residuals.

    For squared CV up to 1 interpolated between constant and exponential service (Tijms 1994, eq. 9.6.24); above, by
    the two exponential phases with balanced means, which each make half of the residual.
    """
    mean, cs2 = service.mean, service.squared_cv
    if cs2 <= 1:
        return (1 - cs2) * mean / (servers + 1) + cs2 * mean / servers
    spread = math.sqrt((cs2 - 1) / (cs2 + 1))
    slow, fast = (1 - spread) / mean, (1 + spread) / mean
    if servers > 60:
        return mean / servers * (1 + spread**2 / servers)
    return sum(math.comb(servers, k) / (k * fast + (servers - k) * slow) for k in range(servers + 1)) / 2.0**servers


def _bjorklund_elldin(rho: float, cs2: float, m: int) -> float:
    """Return the mean wait of M/G/m, cs2 < 1, over that of M/M/m: between M/D/m after Cosmetatos 1975 and M/M/m."""
    correction = (1 - rho) * (m - 1) * (math.sqrt(4 + 5 * m) - 2) / (16 * m * rho)
    return cs2 + (1 - cs2) * (1 + correction) / 2


def _whitt_mean(rho: float, ca2: float, cs2: float, m: int) -> float:
    """Return the mean wait of G/G/m over that of M/M/m (Whitt 1993, eqs. 2.16 to 2.25)."""
    gamma = min(0.24, (1 - rho) * (m - 1) * (math.sqrt(4 + 5 * m) - 2) / (16 * m * rho))
    phi1 = 1 + gamma
    phi3 = (1 - 4 * gamma) * math.exp(-2 * (1 - rho) / (3 * rho))
    middle = (ca2 + cs2) / 2
    psi = 1.0 if middle >= 1 else min(1.0, (phi1 + phi3) / 2) ** (2 * (1 - middle))
    if ca2 >= cs2:
        scale = 4 * ca2 - 3 * cs2
        phi = (4 * (ca2 - cs2) * phi1 + cs2 * psi) / scale if scale > 0 else phi1
    else:
        phi = ((cs2 - ca2) * phi3 + (cs2 + 3 * ca2) * psi) / (2 * (ca2 + cs2))
    return phi * middle


def _whitt_probability(rho: float, ca2: float, cs2: float, m: int, erlang: float) -> float:
    """Return P(wait > 0) of G/G/m (Whitt 1993, eqs. 3.2 to 3.10); equals Erlang C at ca2 = 1."""
    root = math.sqrt(m)
    z = (ca2 + cs2) / (1 + cs2)
    reference = _above((1 - rho) * root)
    pi4 = min(1.0, _above((1 - rho) * root / z) * erlang / reference) if z > 0 and reference > 0 else 0.0
    pi5 = min(1.0, _above(2 * (1 - rho) * root / (1 + ca2)) * erlang / reference) if reference > 0 else 0.0
    pi1 = rho**2 * pi4 + (1 - rho**2) * pi5
    gamma = (m - m * rho - 0.5) / math.sqrt(m * rho * z) if z > 0 else math.inf
    if m <= 6 or gamma <= 0.5 or ca2 >= 1:
        return pi1
    pi2 = ca2 * pi1 + (1 - ca2) * _above(gamma)
    if gamma >= 1:
        return pi2
    weight = 2 * (1 - ca2) * (gamma - 0.5)
    return weight * pi2 + (1 - weight) * pi1


def _above(x: float) -> float:
    """Return the normal distribution's upper tail, which keeps its digits."""
    return 0.5 * math.erfc(x / math.sqrt(2))
