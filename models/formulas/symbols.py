"""The symbols that formulas share, each with one meaning and one unit."""

from __future__ import annotations

from sympy import Symbol

from models.formulas.formula import Quantity


def real(name: str, meaning: str, unit: str = "") -> Quantity:
    """Return a positive quantity."""
    return Quantity(Symbol(name, positive=True), meaning, unit)


def whole(name: str, meaning: str) -> Quantity:
    """Return a positive count."""
    return Quantity(Symbol(name, integer=True, positive=True), meaning)


RATE = real("lambda", "arrival rate", "/s")
SERVICE = real("S", "mean service time", "s")
SQUARED_CV = real("c_s", "squared coefficient of variation of the service time")
LOAD = real("a", "offered load, erlangs")
USE = real("rho", "utilization")
SERVERS = whole("c", "servers")
NODES = whole("n", "nodes")
CORES = whole("m", "cores of each node")
LOSS = real("B", "Erlang B: all servers busy in a system that turns the surplus away")
WAITING = real("C", "Erlang C: probability of having to wait")
WAIT = real("W", "mean wait", "s")
RESPONSE = real("T", "mean response time", "s")
