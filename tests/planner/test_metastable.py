"""Retries that keep a tier down after an outage: told exactly where a simulated outage is not recovered from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from capacity.plan import as_given
from models.retries import tipping_outage
from tests.planner.outage_simulation import Call, Callee, RequestClass, exponential, simulate
from tests.planner.systems import database, file, service, topology

if TYPE_CHECKING:
    from tests.planner.systems import Values

SERVICE = 0.01
"""Seconds of the one core of the callee: it serves 100 reads a second."""


def retrying(rate: float, retries: int = 1, **call: float) -> Values:
    """Return a service whose calls to a database of 100 reads/s are given up after a second and tried again."""
    calls = [{"to": "db", "timeout": 1.0, "retries": retries} | call]
    return file({"app": service(0.0001, 1, "n8", calls=calls), "db": database(SERVICE)}, rate)


def told(values: Values) -> list[str]:
    """Return the warnings about loads that do not recover."""
    return [w.message for w in as_given(topology(values)).evaluation.warnings if w.code == "metastable"]


# One retry doubles the load of a station that is full: from half its capacity on it never recovers, below it does.
@pytest.mark.parametrize(("rate", "retries", "threshold"), [(80, 1, 62.5), (60, 1, 83.3), (40, 3, 62.5), (90, 4, 22.2)])
def test_threshold(rate: float, retries: int, threshold: float) -> None:
    (message,) = told(retrying(rate, retries))
    found = re.search(r"metastable above (\d+)% load", message)
    assert found is not None
    assert float(found[1]) == pytest.approx(threshold, abs=0.6)
    outage = tipping_outage(rate, 1 / SERVICE, 1.0, retries)
    assert outage is not None
    assert f"after an outage of {outage:.2f}"[:23] in message


# Where the amplified load still fits, where nothing is tried again, or where threads make too few tries, all is well.
@pytest.mark.parametrize(
    "values",
    [
        retrying(45),
        retrying(80, 0),
        file(
            {
                "app": service(0.0001, 1, "n8", threads=50, calls=[{"to": "db", "timeout": 1.0, "retries": 1}]),
                "db": database(SERVICE),
            },
            80,
        ),
    ],
)
def test_recovers(values: Values) -> None:
    assert told(values) == []


# The simulated callee, down for half as long again as is told, stays down above the threshold and recovers below it.
@pytest.mark.parametrize(("rate", "down"), [(80.0, True), (45.0, False)])
def test_simulated_outage(rate: float, down: bool) -> None:  # noqa: FBT001
    assert bool(told(retrying(rate))) == down
    shortest = tipping_outage(80.0, 1 / SERVICE, 1.0, 1)
    assert shortest is not None
    callee = Callee(exponential(SERVICE), servers=1, outage=(50.0, 50.0 + 1.5 * shortest))
    page = RequestClass(rate, 0.0001, Call(callee, timeout=1.0, retries=1))
    seen = simulate({"page": page}, until=260.0, seed=4)["page"]
    assert seen.share_failed(10.0, 49.0) < 0.01, "stable before"
    assert (seen.share_failed(200.0, 250.0) > 0.9) == down


TWICE = {"to": "db", "timeout": 1.0, "retries": 1}


# Retries of two callers, or of two calls of one, add up: 2 x 30/s x 2 tries are more than 100/s, 30/s x 2 are not.
@pytest.mark.parametrize(
    ("values", "threshold"),
    [
        (file({"app": service(0.0001, 1, "n8", calls=[TWICE, TWICE]), "db": database(SERVICE)}, 30), 83.3),
        (file({"app": service(0.0001, 1, "n8", calls=[TWICE]), "db": database(SERVICE)}, 60), 83.3),
        (file({"app": service(0.0001, 1, "n8", calls=[TWICE]), "db": database(SERVICE)}, 30), None),
        (
            file(
                {
                    "front": service(0.0, 1, "n8", calls=[{"to": "app"}, {"to": "other"}]),
                    "app": service(0.0001, 1, "n8", calls=[TWICE]),
                    "other": service(0.0001, 1, "n8", calls=[TWICE]),
                    "db": database(SERVICE),
                },
                30,
            ),
            83.3,
        ),
        (
            file({"app": service(0.0001, 1, "n8", calls=[TWICE, TWICE | {"retries": 2}]), "db": database(SERVICE)}, 30),
            66.7,
        ),
    ],
)
def test_joint_storm(values: Values, threshold: float | None) -> None:
    found = [re.search(r"metastable above (\d+)% load: after (.*?) the retries", message) for message in told(values)]
    assert [f is not None and float(f[1]) for f in found] == (
        [] if threshold is None else [pytest.approx(threshold, abs=0.6)]
    )
    if threshold == pytest.approx(83.3):
        # Of calls that are alike the shortest outage is that of one call with all their tries.
        outage = tipping_outage(60.0, 1 / SERVICE, 1.0, 1)
        assert outage is not None
        assert found[0] is not None
        assert f"an outage of {outage:.2f}"[:17] in found[0][2]
