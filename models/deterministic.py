"""M/D/c exactly: Poisson arrivals to equal servers whose service always takes the same time D.

One service time later the queue Q is what was there, plus a Poisson number of arrivals, less c, or 0 (Crommelin 1932):
the maximum of a random walk. Its generating function is exp(sum over k of h_k (z^k - 1)), where h_k is the sum over
n of P(Poisson(n a) = n c + k) / n (Spitzer 1956). Where few n matter they are added up, all positive; else h_k comes
from a Fourier transform of the logarithm of 1 minus the walk's generating function, from which the zeros at 1 and at
1/sigma, the queue's rate of decay, are divided out first, so that a few thousand points do up to the edge of
saturation. The wait follows by a finite Poisson sum (Franx 2001).
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from models.elementwise import alone
from models.erlang import UnstableQueueError, log_poisson
from models.loss import check_queue
from models.quadrature import gauss_legendre
from models.service_time import ServiceTime
from models.stages import poisson_weights
from models.steady import SteadyState, steady
from models.transforms import INSTANT, Transform

if TYPE_CHECKING:
    from models.transforms import Complexes, Floats, Points

_FEW = 200
"""So many terms of Spitzer's sums are added up; more are taken from a Fourier transform."""

_NODES, _WEIGHTS = gauss_legendre(16)


def constant_service(arrival_rate: float, service_time: float, servers: int) -> SteadyState:
    """Return the state of M/D/c (*exact*): arrival rate in 1/s, service time in s, servers >= 1.

    Means and shares hold 1e-11 relative, tails 1e-12 absolute. Raises UnstableQueueError when the load reaches the
    servers. Source: Crommelin 1932; Franx 2001, "A simple solution for the M/D/c waiting time distribution".
    """
    alone(arrival_rate=arrival_rate, service_time=service_time, servers=servers)
    check_queue(arrival_rate, service_time, servers)
    service = ServiceTime((), ((1.0, service_time),))
    model = f"M/D/{servers}"
    if arrival_rate * service_time >= servers:
        raise UnstableQueueError(servers, arrival_rate * service_time)
    wait = ConstantServiceWait(arrival_rate, service_time, servers)
    if arrival_rate == 0 or wait.probability == 0:
        return steady(model, arrival_rate, servers, service, INSTANT, 0.0)
    return steady(model, arrival_rate, servers, service, wait, wait.probability)


class ConstantServiceWait(Transform):
    """The waiting time of M/D/c; `probability` is that of waiting at all."""

    def __init__(self, arrival_rate: float, service_time: float, servers: int) -> None:
        self._arrival_rate, self._service_time, self._servers = arrival_rate, service_time, servers
        load = arrival_rate * service_time
        self._growth = _decay_exponent(load, servers)
        self._beyond, length, pairs = np.zeros(1), 0.0, 0.0
        if load > 0:
            chernoff = load - servers - servers * math.log(load / servers)
            spitzer = _queue_by_sums if _FEW * chernoff > 45 else _queue_by_transform
            self._beyond, length, pairs = spitzer(load, servers, self._growth)
        self.mean = length / arrival_rate if load else 0.0
        self.variance = (pairs + length**2) / arrival_rate**2 - self.mean**2 if load else 0.0
        self.probability = self._exceeds(0.0)[0] if load else 0.0

    def tail_at(self, times: Floats) -> tuple[Floats, Floats]:
        """Return Franx' sums: P(Q plus the arrivals of a while exceed what k services take away)."""
        pairs = [self._exceeds(t) for t in times.tolist()]
        return np.array([tail for tail, _ in pairs]), np.array([density for _, density in pairs])

    def at(self, points: Points) -> Complexes:
        """Return 1 - s times the transform of the tail, by quadrature between the kinks."""
        times, weighted = self._quadrature
        result: Complexes = 1 - points.s * (np.exp(-points.s[..., None] * times) @ weighted)
        return result

    @cached_property
    def _quadrature(self) -> tuple[Floats, Floats]:
        """Where to look at the tail, and the tail there times the weight of the place."""
        deviation = math.sqrt(self.variance)
        end = self.mean + deviation
        while self._exceeds(end)[0] > 1e-13:
            end *= 1.3
        kinks = np.arange(1, min(40, int(end / self._service_time)) + 1) * self._service_time
        edges = np.unique(np.concatenate([np.linspace(0, end, 40), kinks]))
        widths = np.diff(edges)
        times = (edges[:-1, None] + widths[:, None] * _NODES).ravel()
        return times, (widths[:, None] * _WEIGHTS).ravel() * self.tail_at(times)[0]

    def _exceeds(self, seconds: float) -> tuple[float, float]:
        """Return P(wait > t) and the density there."""
        services = int(seconds / self._service_time) + 1
        mean = self._arrival_rate * (services * self._service_time - seconds)
        first, weights = poisson_weights(mean, mean * math.exp(self._growth))
        most = services * self._servers - 1 - first
        longer = self._longer(most, len(weights) + 1)
        return float(weights @ longer[:-1]), self._arrival_rate * float(weights @ (longer[1:] - longer[:-1]))

    def _longer(self, most: int, number: int) -> Floats:
        """Return P(Q > m) for m = most, most - 1, ... : 1 below 0, geometric above what is kept."""
        m = most - np.arange(number)
        last = len(self._beyond) - 1
        known = np.where(m < 0, 1.0, self._beyond[np.clip(m, 0, last)])
        further: Floats = known * np.exp(-self._growth * np.maximum(m - last, 0))
        return further


def _decay_exponent(load: float, servers: int) -> float:
    """Return eta > 0 with a (exp(eta) - 1) = c eta: a queue longer by one is exp(-eta) times as likely."""
    if load == 0:
        return 700.0
    spare = servers - load
    # Newton from above on a convex function; its terms are small where the load is close to the servers.
    eta = 2 * math.log(servers / load) + 2 * spare / servers
    for _ in range(200):
        value = load * _excess(eta) - spare * eta
        step = value / (load * math.expm1(eta) - spare)
        eta -= step
        if abs(step) <= 1e-16 * eta:
            break
    return eta


def _excess(x: float) -> float:
    """Return exp(x) - 1 - x."""
    if x > 0.1:
        return math.expm1(x) - x
    total, term, k = 0.0, x * x / 2, 2
    while term > 1e-18 * total:
        total, k = total + term, k + 1
        term *= x / k
    return total


def _queue_by_sums(load: float, servers: int, growth: float) -> tuple[Floats, float, float]:
    """Return P(Q > k), E[Q] and the variance of Q less E[Q], from Spitzer's sums."""
    size = int(45 / growth) + 40
    k = np.arange(1, size + 1, dtype=float)
    h, n = np.zeros(size), 0
    while True:
        n += 1
        start = _log_poisson(n * servers, n * load)
        term = math.exp(max(start, -745.0)) * np.cumprod(n * load / (n * servers + k)) / n
        h += term
        if (k * k * term).max() <= 1e-17 * (k * k * h).max():
            break
    weighted = k * h
    q = np.zeros(size + 1)
    q[0] = math.exp(-h.sum())
    for m in range(1, size + 1):
        q[m] = weighted[:m] @ q[m - 1 :: -1][:m] / m
    rest = q[-1] * math.exp(-growth) / -math.expm1(-growth)
    beyond = np.cumsum(q[::-1])[::-1][1:] + rest
    return beyond, float(weighted.sum()), float(((k - 1) * weighted).sum())


def _log_poisson(count: int, mean: float) -> float:
    """Return the logarithm of a Poisson probability; Stirling's series is not good for few."""
    if count > 30:
        return log_poisson(count, mean)
    return count * math.log(mean) - mean - math.lgamma(count + 1)


def _queue_by_transform(load: float, servers: int, growth: float) -> tuple[Floats, float, float]:
    """Return the same where the walk is so close to staying that its sums would never end."""
    size = 1 << max(12, math.ceil(math.log2(200 * math.sqrt(servers))))
    decay, spare = math.exp(-growth), -math.expm1(-growth)
    theta = 2 * math.pi * np.arange(1, size // 2 + 1) / size
    missing = 2 * np.sin(theta / 2) ** 2 - 1j * np.sin(theta)
    step = -load * missing.real + 1j * ((load - servers) * theta - load * _sine_deficit(theta))
    ratio = -np.expm1(step) / (missing.conj() * (spare + decay * missing))
    ratio = np.concatenate([[(servers - load) / spare], ratio])
    logarithm = np.log(np.abs(ratio)) + 1j * np.unwrap(np.angle(ratio))
    half = size // 2
    smooth = -np.fft.irfft(logarithm.conj())[1:half]
    # What follows the last true coefficient is rounding, which the weight k of a mean would make large.
    smooth[int(np.flatnonzero(np.abs(smooth) > 1e-15).max(initial=0)) + 1 :] = 0.0
    k = np.arange(1, half)
    padded = np.concatenate([[-smooth.sum()], smooth, np.zeros(size - half)])
    # A signed measure: what the geometric part has too much.
    u = np.fft.irfft(np.exp(np.fft.rfft(padded)))[:half]
    beyond, geometric, further = np.empty(half), 0.0, float(u.sum())
    for i, part in enumerate(u.tolist()):
        geometric, further = decay * (geometric + part), further - part
        beyond[i] = geometric + further
    length = decay / spare + float(k @ smooth)
    pairs = (decay / spare) ** 2 + float((k * (k - 1)) @ smooth)
    return beyond[: half // 2], length, pairs


def _sine_deficit(theta: Floats) -> Floats:
    """Return theta - sin(theta), by its series where the difference would lose digits."""
    square, series = theta * theta, np.zeros_like(theta)
    for k in range(19, 1, -2):
        series = (1 - series) * square / (k * (k - 1))
    return np.where(theta < 1, series * theta, theta - np.sin(theta))
