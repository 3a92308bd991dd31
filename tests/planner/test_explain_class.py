"""Where the numbers of a request class come from: the formula's number is the evaluation's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from capacity.document import load
from capacity.errors import UsageError
from capacity.explaining import explain
from capacity.plan import as_given, plan
from capacity.variants import pinned
from models.availability import MONTH
from tests.planner.systems import database, external, file, service, topology

if TYPE_CHECKING:
    from capacity.topology import Topology

EXAMPLES = Path(__file__).parents[2] / "examples"


def planned(path: str) -> Topology:
    """Return an example with the counts of its plan."""
    subject = load(str(EXAMPLES / path)).topology
    return pinned(subject, plan(subject).counts)


# Mean, p99 and availability are those of the evaluation; mean and availability follow from their formulas to the last
# digits, and the parts of a p99 add up to it within what contributions promise.
@pytest.mark.parametrize("path", ["shop.toml", "ladder/5-read-replicas.toml", "ladder/8-queue-and-partner.toml"])
def test_numbers_are_those_of_the_evaluation(path: str) -> None:
    subject = planned(path)
    seen = as_given(subject).evaluation.classes
    for name, result in seen.items():
        told = {one.metric: one for one in explain(subject, name).metrics}
        assert set(told) == {"mean", "p99", "availability"}
        assert told["mean"].value == result.mean_s
        assert told["mean"].by_formula == pytest.approx(result.mean_s, rel=1e-12)  # the order of additions
        assert result.downtime_s_per_month is not None
        up = 1 - result.downtime_s_per_month / MONTH  # by all that is known, where the evaluation has no availability
        assert told["availability"].value == pytest.approx(up, rel=1e-12)
        assert told["availability"].by_formula == pytest.approx(up, rel=1e-12)
        assert any("not known" in note for note in told["availability"].notes) == (result.availability is None)
        assert told["p99"].value == result.p99_s
        parts = sum(given.value for given in told["p99"].inputs)
        assert parts == pytest.approx(result.p99_s, rel=1e-3)


# One call after another leaves nothing over: the mean is visits times times, of reads and writes each; calls made at once
# are less than their sum, by exactly what is told.
def test_what_is_left_over() -> None:
    def tiers(**parallel: str) -> Topology:
        calls = [{"to": "db", "count": 2, "writes": 0.25, **parallel}, {"to": "partner", **parallel}]
        below = {"db": database(0.002, 0.004), "partner": external(0.03)}
        return topology(file({"app": service(0.01, 4, calls=calls), **below}, 50.0))

    (one,) = explain(tiers(), "page", "mean").metrics
    assert "D" not in {given.name for given in one.inputs}
    assert {given.value for given in one.inputs if given.name.startswith("v_")} == {1.0, 1.5, 0.5}
    (both,) = explain(tiers(parallel="both"), "page", "mean").metrics
    (left,) = [given for given in both.inputs if given.name == "D"]
    assert left.value > 0
    assert both.value is not None
    assert one.value is not None
    assert both.value < one.value


# An overloaded class has no mean, and it is said what is overloaded; a wrong name names tiers and classes.
def test_overloaded_and_unknown() -> None:
    subject = topology(file({"app": service(0.02, 1, "n1")}, 100.0))
    (one,) = explain(subject, "page", "mean").metrics
    assert one.value is None
    assert "app is overloaded" in one.notes[0]
    with pytest.raises(UsageError, match="or a request class: page"):
        explain(subject, "pages")
    with pytest.raises(UsageError, match="there are mean, p99, availability"):
        explain(subject, "page", "wait")
