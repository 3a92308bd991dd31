from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.capacity.running import capacity
from tests.cases import queue_case


def queue(*options: object, code: int = 0) -> Any:
    """Return the answer to options, as scripts get it."""
    ended = capacity("queue", *options, "--json")
    assert ended.code == code, ended.err
    return ended.json


# Percentiles of M/M/3 and M/M/100 by another program come out of the command as they stand in the case.
@pytest.mark.parametrize("name", ["rq-mm3-percentiles", "rq-mm100-percentiles"])
def test_percentiles_of_another_program(name: str) -> None:
    case = queue_case(name)
    found = queue("--rate", case["lambda"], "--service", 1 / case["mu"], "--servers", case["c"])["result"]
    responses = [found[f"response_{p}_s"] for p in ("p50", "p90", "p95", "p99", "p999")]
    # The tolerance of the case: its values were found by a root finder.
    assert responses == pytest.approx(case["expected"]["W P50,P90,P95,P99,P99.9"]["value"], abs=1e-7)


# The number that is left out is the best one: what is wanted is met, and one server fewer, or a little more, misses it.
@pytest.mark.parametrize("extra", [(), ("--cv2", "1.4"), ("--cv2", "0"), ("--arrival-cv2", "2")], ids=" ".join)
@pytest.mark.parametrize("wish", [("--p99", "60ms"), ("--wait-mean", "2ms"), ("--utilization", "70%")], ids=" ".join)
def test_solved_numbers_are_the_last_that_are_enough(extra: tuple[str, ...], wish: tuple[str, ...]) -> None:
    solved = queue("--rate", "1200/s", "--service", "9ms", *extra, *wish)
    servers = solved["result"]["servers"]
    known = ("--rate", "1200/s", "--service", "9ms", *extra, *wish)
    assert solved["met"]
    assert queue(*known, "--servers", servers)["met"]
    assert not queue(*known, "--servers", servers - 1, code=1)["met"]
    rate = queue("--service", "9ms", "--servers", 16, *extra, *wish)["result"]["rate_per_s"]
    for factor, code in ((1 - 1e-6, 0), (1 + 1e-6, 1)):
        queue("--rate", rate * factor, "--service", "9ms", "--servers", 16, *extra, *wish, code=code)
    service = queue("--rate", "1200/s", "--servers", 16, *extra, *wish)["result"]["service_s"]
    for factor, code in ((1 - 1e-6, 0), (1 + 1e-6, 1)):
        queue("--rate", "1200/s", "--service", service * factor, "--servers", 16, *extra, *wish, code=code)


# Losses can be wanted too: places and patience keep any load stable, and the solved servers are the fewest.
@pytest.mark.parametrize("extra", [("--limit", "40"), ("--patience", "500ms")], ids=" ".join)
def test_servers_for_a_loss(extra: tuple[str, ...]) -> None:
    known = ("--rate", "90/s", "--service", "100ms", *extra, "--lost", "1%")
    servers = queue(*known)["result"]["servers"]
    assert queue(*known, "--servers", servers)["result"]["lost"] <= 0.01
    assert queue(*known, "--servers", servers - 1, code=1)["result"]["lost"] > 0.01


# An overload is an answer: by how much, and what would just keep up; it is exit 1 only where something was wanted.
def test_overload_is_an_answer() -> None:
    options = ("--rate", "2000/s", "--service", "9ms", "--servers", 16)
    found = queue(*options)
    assert found["overloaded"]
    assert found["result"]["short_servers"] == pytest.approx(2, rel=1e-12)
    assert found["keeps_up_with"]["servers"] == 19
    assert not queue("--rate", "2000/s", "--service", "9ms", "--servers", 19)["overloaded"]
    assert queue(*options, "--p99", "50ms", code=1)["met"] is False
    assert "20 servers" in capacity("queue", *options, "--p99", "50ms").out


# Work that just fills what there is is too much too, and is told as that and not as a shortage of nothing, whatever the
# last digits of a product say: 1000/s for 9 ms are a little more than 9 servers in binary.
@pytest.mark.parametrize(
    ("command", "shortage", "growth"),
    [
        (("queue", "--rate", "100/s", "--service", "10ms", "--servers", 1), "short_servers", "backlog_growth_per_s"),
        (("queue", "--rate", "1000/s", "--service", "9ms", "--servers", 9), "short_servers", "backlog_growth_per_s"),
        (("lag", "--rate", "1000/s", "--apply", "1ms"), "short_appliers", "backlog_growth_per_s"),
        (("limit", "--kind", "shaper", "--rate", "100/s", "--limit", "100/s"), None, "backlog_growth_per_s"),
        (
            ("backlog", "--rate", "100/s", "--service", "10ms", "--consumers", 1, "--partitions", 1),
            None,
            "backlog_growth_per_s",
        ),
    ],
)
def test_exactly_full(command: tuple[object, ...], shortage: str | None, growth: str) -> None:
    found = capacity(*command, "--json").json
    assert found["result"][growth] == 0
    assert shortage is None or found["result"][shortage] == 0
    text = capacity(*command).out
    assert "ever more slowly, but without end" in text
    assert "more than all" not in text
    assert "overloaded" not in text
    assert ("none to spare: any more is enough" in text) == (shortage is not None)
    assert "the smallest mend: " in text


# One of anything is written as one.
def test_one_is_one() -> None:
    headline = queue("--rate", "100/s", "--service", "10ms", "--servers", 1)["headline"]
    assert headline == "exactly full: 1 erlang for 1 server, the backlog grows without end"
    over = queue("--rate", "1200/s", "--service", "10ms", "--servers", 9)["headline"]
    assert over == "overloaded: 12 erlangs for 9 servers, the backlog grows without end"


# A round number that is met exactly is met: the last digits of a product ask for no server more.
@pytest.mark.parametrize(("rate", "servers"), [("100/s", 1), ("1000/s", 10), ("7e5/s", 7000), ("1e8/s", 1_000_000)])
def test_round_utilization(rate: str, servers: int) -> None:
    asked = ("--rate", rate, "--service", "9ms", "--utilization", "90%")
    assert queue(*asked)["result"]["servers"] == servers
    assert queue(*asked, "--servers", servers)["met"] is True
    told = capacity("queue", "--rate", "2e8/s", *asked[2:]).out
    assert "no number of servers up to 1,000,000 gives utilization 90%" in told


# What no number of servers can give is said, with the reason.
def test_hopeless_wishes_are_told() -> None:
    ended = capacity("queue", "--rate", "1200/s", "--service", "9ms", "--p99", "40ms")
    assert ended.code == 1
    assert "no number of servers gives response p99 40 ms" in ended.out
    assert "the service alone" in ended.out


# Two unknowns, nothing wanted, and what no model has are refused by name.
@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--rate", "3/s"), "--service and --servers are missing"),
        (("--rate", "3/s", "--service", "1s"), "--servers is left out: to solve for it"),
        (("--rate", "3/s", "--service", "1s", "--servers", "4", "--limit", "3"), "--limit: found 3"),
        (("--rate", "3/s", "--service", "1s", "--servers", "4", "--limit", "9", "--patience", "1s"), "leave out one"),
        (("--rate", "3/s", "--service", "1s", "--servers", "4", "--limit", "9", "--cv2", "2"), "--limit: known for"),
        (("--rate", "3/s", "--service", "1s", "--servers", "4", "--patience", "9", "--cv2", "2"), "--patience: known"),
        (("--rate", "3/s", "--service", "1s", "--servers", "4", "--order", "sharing", "--limit", "9"), "--order"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_answered_is_named(options: tuple[str, ...], told: str) -> None:
    ended = capacity("queue", *options)
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err


# Any queue that can be typed is answered without a bug, and response is never shorter than its service.
@settings(max_examples=20)
@given(
    rate=st.floats(1e-3, 1e4),
    use=st.floats(1e-3, 1.5),
    servers=st.integers(1, 40),
    cv2=st.sampled_from([0, 0.2, 0.5, 1, 2.5, 20]),
)
def test_any_queue_is_answered(rate: float, use: float, servers: int, cv2: float) -> None:
    service = max(use * servers / rate, 1e-11)
    found = queue("--rate", rate, "--service", service, "--servers", servers, "--cv2", cv2)
    if found["overloaded"]:
        assert rate * service >= servers * (1 - 1e-9)
    else:
        result = found["result"]
        assert result["response_mean_s"] >= service * (1 - 1e-9)
        # Little's law ties lengths and times.
        assert result["in_system"] == pytest.approx(rate * result["response_mean_s"], rel=1e-9)


# The formula that is shown gives the number that is shown.
@pytest.mark.parametrize(
    "options",
    [
        ("--servers", "16"),
        ("--servers", "1", "--rate", "100/s", "--cv2", "3"),
        ("--servers", "16", "--limit", "30"),
    ],
    ids=" ".join,
)
def test_explanations_give_the_same_numbers(options: tuple[str, ...]) -> None:
    told = queue("--rate", "1200/s", "--service", "9ms", *options, "--explain")["explained"]
    formulas = [one for one in told if one["by_formula"] is not None]
    assert len(formulas) >= 2
    for one in formulas:
        # Formulas are evaluated with 40 digits, the models are good to 1e-12.
        assert one["by_formula"] == pytest.approx(one["value"], rel=1e-11)
