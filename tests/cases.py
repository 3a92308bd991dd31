"""The cases with known answers, each with its source: see the `about` at the top of the files in `tests/data`."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

Case = dict[str, Any]
"""One case as it stands in the file."""


@cache
def _read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((Path(__file__).parent / "data" / name).read_text())
    return content


def queue_case(name: str) -> Case:
    """Return the parameters of the queueing case with this id, and what is expected of it by metric."""
    (case,) = (case for case in _read("queue_cases.json")["cases"] if case["id"] == name)
    parameters: Case = case["parameters"]
    return parameters | {"expected": {e["metric"]: e for e in case["expected"]}}


def expected(name: str, metric: str) -> Any:
    """Return the value that the queueing case gives for this metric."""
    return queue_case(name)["expected"][metric]["value"]


def cache_cases(section: str) -> list[Case]:
    """Return the cases about caches, shards or rate limits in this section."""
    cases: list[Case] = _read("cache_cases.json")[section]
    return cases


def cache_run(section: str) -> Case:
    """Return a section about caches that is one case."""
    run: Case = _read("cache_cases.json")[section]
    return run


def scalability_cases() -> list[Case]:
    """Return measured throughputs with what others fitted to them."""
    cases: list[Case] = _read("scalability_cases.json")["cases"]
    return cases


def scalability_inverses() -> Case:
    """Return what a published tool makes of the law read backwards."""
    inverse: Case = _read("scalability_cases.json")["inverse"]
    return inverse


def replication_cases(section: str) -> Any:
    """Return the cases about quorums and replicas in this section."""
    return _read("replication_cases.json")[section]


def latency_cases() -> Case:
    """Return the simulated response times: fractions, composites by name, forks by name."""
    return _read("latency_cases.json")
