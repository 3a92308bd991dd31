from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import queues, quorum
from models.arrays import Many, in_parts, over
from models.availability import fewer_than
from models.erlang import UnstableQueueError, erlang_c
from models.service_time import ServiceTime, exponential, from_moments, mixed

if TYPE_CHECKING:
    from collections.abc import Callable

    from models.states import SteadyStates

FIGURES = (
    "arrival_rate",
    "throughput",
    "utilization",
    "wait_probability",
    "wait_mean",
    "response_mean",
    "queue_length",
    "number",
    "blocking",
    "abandonment",
)

property_test = settings(max_examples=15)
share = st.floats(0.01, 0.95)
seconds = st.floats(1e-4, 100.0)
few = st.integers(1, 40)
service = from_moments(0.3, 2.0)


patience = mixed([0.7, 0.3], [from_moments(2.0, 0.5), ServiceTime((), ((1.0, 0.8),))])


def room(use: float, time: float, servers: int, more: int) -> SteadyStates:
    return queues.finite_room(2 * use * servers / time, time, servers, servers + more)  # type: ignore[no-any-return]


DOORS: list[tuple[str, Callable[..., Any], tuple[st.SearchStrategy[Any], ...]]] = [
    ("M/M/c", lambda use, s, c: queues.mmc(use * c / s, s, c), (share, seconds, few)),
    ("M/G/1", lambda use: queues.mg1(use / service.mean, service), (share,)),
    ("M/M/c/K", room, (share | st.just(0.0), seconds, few, st.integers(0, 60))),
    ("M/G/c/c", lambda use, c: queues.loss_system(9 * use * c, service, c), (share | st.just(0.0), few)),
    ("M/G/inf", lambda use: queues.infinite_servers(9 * use, service), (share | st.just(0.0),)),
    ("M/M/c//N", queues.finite_population, (few, seconds | st.just(0.0), seconds, few)),
    ("M/M/c+G", lambda use, s, c: queues.impatient(3 * use * c / s, s, c, patience), (share, seconds, few)),
    ("M/M/c-PS", lambda use, s, c: queues.processor_sharing(use * c / s, s, c), (share, seconds, few)),
    (
        "M/M/c priority 1",
        lambda use, s, c: queues.queue_by_priority([0.3 * use * c / s, 0.6 * use * c / s], s, c)[1],
        (share, seconds, few),
    ),
]
doors = pytest.mark.parametrize(("model", "door", "parts"), DOORS, ids=[model for model, _, _ in DOORS])


# A door that is given arrays has all figures of each queue alone under the same names, and its distributions.
@doors
def test_arrays_are_many_single_queues(
    model: str, door: Callable[..., Any], parts: tuple[st.SearchStrategy[Any], ...]
) -> None:
    @property_test
    @given(st.lists(st.tuples(*parts), min_size=1, max_size=5), st.floats(0.3, 0.99))
    def check(several: list[tuple[Any, ...]], fraction: float) -> None:
        many = door(*(np.array(column) for column in zip(*several, strict=True)))
        assert (many.model, many.exact, many.error, len(many)) == (model, True, "", len(several))
        alone = [door(*one) for one in several]
        for name in FIGURES:
            expected = [getattr(state, name) for state in alone]
            np.testing.assert_allclose(getattr(many, name), expected, rtol=2e-12, atol=1e-300, err_msg=name)
        asked = many[0]
        assert asked.wait_mean == pytest.approx(alone[0].wait_mean, rel=1e-12)
        for name in ("wait_percentile", "response_percentile"):
            expected = [getattr(state, name)(fraction) for state in alone]
            np.testing.assert_allclose(getattr(many, name)(fraction), expected, rtol=1e-7, atol=1e-12)
        time = many.response_mean
        expected = [state.response_tail(state.response_mean) for state in alone]
        np.testing.assert_allclose(many.response_tail(time), expected, rtol=1e-7)

    check()


# Figures are found for all at once, without a state of each: those are made when a distribution is asked for.
@doors
def test_figures_need_no_states(
    model: str, door: Callable[..., Any], parts: tuple[st.SearchStrategy[Any], ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def counting(*args: Any, **kwargs: Any) -> None:
        calls.append((model, args, kwargs))

    for module in ("stations", "loss", "sharing", "priorities", "impatience"):
        monkeypatch.setattr(f"models.{module}.steady", counting, raising=False)
        monkeypatch.setattr(f"models.{module}.SteadyState", counting, raising=False)
    examples = {few: 3, share: 0.5, seconds: 0.1}
    column = [np.full(4, examples.get(part, 3 if part is parts[-1] else 0.5)) for part in parts]
    many = door(*column)
    assert all(getattr(many, name).shape == (4,) for name in FIGURES)
    assert not calls


# Shapes are broadcast: rates down, servers across; a time or fraction for each row is a further axis.
def test_shapes() -> None:
    many = queues.mmc(np.array([10.0, 20.0, 30.0])[:, None], 0.1, [4, 5])
    assert many.shape == many.wait_mean.shape == (3, 2)
    assert many.response_tail(np.array([0.1, 0.2, 0.5, 1.0])[:, None, None]).shape == (4, 3, 2)
    assert many.response_percentile(np.array([0.5, 0.99])[:, None, None]).shape == (2, 3, 2)
    assert many[2, 1].model == "M/M/5"
    assert many[0].response_percentile(0.99).shape == (2,)
    assert many.wait.variance.shape == (3, 2)
    assert queues.mmc(np.float64(10.0), np.array(0.1), np.int64(3)).model == "M/M/3"
    with pytest.raises(ValueError, match=r"between 0 and 1, not 1\.0"):
        many.response_percentile(1.0)


# One that is overloaded stops them all: the error is about the first, and says where it is and how many there are.
def test_overload_of_one_is_told() -> None:
    doors: tuple[Callable[[Any], Any], ...] = (
        lambda rates: queues.mmc(rates, 0.1, 3),
        lambda rates: queues.mg1(rates / 3, exponential(0.1)),
        lambda rates: queues.processor_sharing(rates, 0.1, 3),
        lambda rates: queues.queue_by_priority([rates / 2, rates / 2], 0.1, 3),
        lambda rates: erlang_c(3, rates * 0.1),
    )
    for door in doors:
        with pytest.raises(UnstableQueueError, match=r"\(element \[1\], the first of 2 of 4\)") as told:
            door(np.array([1.0, 60.0, 3.0, 90.0]))
        assert told.value.short == pytest.approx(told.value.servers)
    with pytest.raises(ValueError, match=r"whole number of servers, at least one, not 0\.5 \(element \[1\]"):
        queues.mmc(1.0, 0.1, [3, 0.5])
    with pytest.raises(ValueError, match=r"room for 2\.0 cannot be less than the 3\.0 servers .*\(element \[0\]"):
        queues.finite_room(1.0, 0.1, 3, [2, 3])


# Whatever is made for one point at a time is run over arrays in their order, and what is alike only once.
def test_over_broadcasts_and_works_once() -> None:
    calls: list[tuple[float, int, str]] = []

    def law(rate: float, servers: int, *, how: str) -> float:
        calls.append((rate, servers, how))
        return rate * servers

    found = over(law)(np.array([1.0, 2.0, 1.0])[:, None], np.array([3, 4]), how="so")
    assert found.tolist() == [[3.0, 4.0], [6.0, 8.0], [3.0, 4.0]]
    assert calls == [(1.0, 3, "so"), (1.0, 4, "so"), (2.0, 3, "so"), (2.0, 4, "so")]
    assert all(type(rate) is float and type(servers) is int for rate, servers, _ in calls)
    assert over(law)(2.0, 5, how="one") == 10.0
    assert over(law)(np.array([]), 5, how="none").shape == (0,)


# Values with figures come back as one whose figures are arrays; tuples as tuples of arrays; what is not there as NaN.
def test_over_gathers() -> None:
    many = over(queues.mgc)(np.array([[10.0, 20.0], [30.0, 10.0]]), service, 12)
    assert isinstance(many, Many)
    alone = queues.mgc(30.0, service, 12)
    assert many.wait_mean[1, 0] == alone.wait_mean
    assert many.response.variance[1, 0] == alone.response.variance
    assert many.response_percentile(0.99)[1, 0] == alone.response_percentile(0.99)
    assert many.exact.dtype == bool
    assert many.model.tolist() == [["M/PH/12"] * 2] * 2
    assert many[0, 0] is many[1, 1]
    assert many[0].shape == (2,)
    assert [part.shape for part in many] == [(2,), (2,)]
    pair = over(lambda x: (x, None if x > 1 else x))(np.array([1, 2]))
    assert pair[0].tolist() == [1, 2]
    assert pair[1][0] == 1
    assert math.isnan(pair[1][1])
    with pytest.raises(AttributeError):
        many.no_such_figure  # noqa: B018

    class Figures(NamedTuple):
        peak: float

    some = over(lambda x: Figures(x) if x > 1 else None)(np.array([1.0, 2.0]))
    assert math.isnan(some.peak[0])
    assert some.peak[1] == 2.0
    assert some[0] is None


# An error tells where it was, unless it is one to skip, which leaves no number.
def test_over_tells_where() -> None:
    rates = np.array([[1.0, 2.0], [200.0, 1.0]])
    with pytest.raises(UnstableQueueError, match=r"\(element \[1, 0\]\)") as told:
        over(queues.mgc)(rates, service, 12)
    assert told.value.short == pytest.approx(200 * service.mean - 12)
    found = over(queues.mgc, skip=UnstableQueueError)(rates, service, 12)
    assert np.isnan(found.wait_mean).tolist() == [[False, False], [True, False]]
    assert np.isnan(found.response_percentile(0.99)).tolist() == [[False, False], [True, False]]


# What is made for one point at a time says how it is run over arrays, instead of failing somewhere inside.
@pytest.mark.parametrize(
    "asked",
    [
        lambda rates: queues.mgc(rates, service, 12),
        lambda rates: queues.ggc(rates, 0.5, service, 12),
        lambda rates: queues.constant_service(rates, 0.1, 12),
        lambda rates: queues.batch_arrivals(rates, [0.5, 0.5], 0.1, 12),
        lambda rates: queues.interrupt_by_priority([rates, rates], 0.1, 12),
        lambda rates: queues.general_priority([rates, rates], [service, service], 12),
        lambda rates: fewer_than(8, [(10, rates / 100)]),
    ],
)
def test_one_point_at_a_time_is_told(asked: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match=r"models\.arrays\.over"):
        asked(np.array([1.0, 2.0]))
    assert over(asked)(np.array([1.0, 2.0])) is not None


# A list is no point either: which argument it is, and the cure, and not what some line inside makes of it.
@pytest.mark.parametrize(
    ("asked", "name"),
    [
        (lambda many: queues.mgc(many, service, 12), "arrival_rate"),
        (lambda many: queues.mgc(1.0, service, many), "servers"),
        (lambda many: queues.gimc(service, many, 2), "service_time"),
        (lambda many: queues.constant_service(many, 0.1, 12), "arrival_rate"),
        (lambda many: queues.batch_arrivals(many, [0.5, 0.5], 0.1, 12), "batch_rate"),
        (lambda many: queues.interrupt_by_priority([many, many], 0.1, 12), "arrival_rates"),
        (lambda many: quorum.versions_behind(many, 1, 1, 1), "nodes"),
        (lambda many: quorum.backwards(3, 1, 1, many), "writes_per_read"),
        (lambda many: fewer_than(many, [(10, 0.1)]), "needed"),
    ],
)
def test_a_list_is_told_by_its_argument(asked: Callable[[Any], Any], name: str) -> None:
    with pytest.raises(TypeError, match=rf"^{name}: found a list; .*models\.arrays\.over"):
        asked([1.0, 2.0])


# What needs much memory for each element is worked out in parts, and every element ends where it belongs.
@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=30))
def test_parts(widths: list[int]) -> None:
    sizes: list[float] = []

    def twice(values: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any]]:
        sizes.append(len(values) * values.max())
        return (2 * values,)

    width = np.array(widths, dtype=float)
    (found,) = in_parts(twice, width, width)
    assert found.tolist() == [2.0 * w for w in widths]
    assert max(sizes) <= 2**20


# The example of the documentation runs, and every door that is told of can be asked for.
def test_the_documented_example_runs() -> None:
    page = Path(__file__).parents[2].joinpath("docs", "theory.md").read_text(encoding="utf-8")
    code = page.split("```python\n")[1].split("```")[0]
    found: dict[str, Any] = {}
    exec(code, found)  # noqa: S102, the page is ours
    assert found["many"].wait_mean.shape == found["wide"].wait_mean.shape == (50,)
    assert all(callable(getattr(queues, door)) for names in queues.DOORS.values() for door in names)
    assert {door for names in queues.DOORS.values() for door in names} <= set(dir(queues))
    with pytest.raises(AttributeError, match="no attribute 'no_such_door'"):
        queues.no_such_door  # noqa: B018
