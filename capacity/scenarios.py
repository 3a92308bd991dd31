"""What happens around the plan: today, a node lost in any tier. Each scenario is the same system with other counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from capacity.evaluate import scenario_result
from capacity.results import Failure, ScenarioClass, ScenarioResult
from capacity.solve import solve
from capacity.verdict import violations

if TYPE_CHECKING:
    from collections.abc import Callable

    from capacity.results import Evaluation
    from capacity.solve import Solution
    from capacity.system import Counts, System


def losses(system: System, counts: Counts) -> list[tuple[str, Counts | None]]:
    """Return every tier that may lose a node, with the counts after it; None where nothing is left to serve."""
    found: list[tuple[str, Counts | None]] = []
    for name in system.counted():
        tier, count = system.tiers[name], counts[name]
        if not system.classes[name] and not any(system.classes[n] for n in system.residents[name]):
            continue
        if tier.machines(count) > 0:
            remaining = count - 1
            found.append((name, {**counts, name: remaining} if remaining >= tier.bearable_loss() else None))
    return found


def with_scenarios(evaluation: Evaluation, system: System, counts: Counts) -> Evaluation:
    """Return the evaluation with the scenarios of its file beside the normal one."""
    scenarios = dict(evaluation.scenarios)
    if "node" in system.topology.resilience.survive:
        scenarios["node"] = node_lost(system, counts, lambda after: solve(system, after))
    return msgspec.structs.replace(
        evaluation, scenarios=scenarios, feasible=all(result.passes for result in scenarios.values())
    )


def node_lost(system: System, counts: Counts, solved: Callable[[Counts], Solution]) -> ScenarioResult:
    """Return the worst of losing one node in any tier, at the load that is planned for."""
    failures: list[Failure] = []
    worst: dict[str, float | None] = dict.fromkeys(system.topology.workload.classes, 0.0)
    for name, after in losses(system, counts):
        if after is None:
            failures.append(Failure("tier", name, "nodes", 0.0, 1.0, "nodes", name))
            reaching = {c for n in system.residents[name] for c in system.classes[n] if n not in system.behind_queue}
            worst |= dict.fromkeys(reaching)
            continue
        solution = solved(after)
        result = scenario_result(solution, violations(solution), name)
        failures += result.violations
        for request_class, seen in result.classes.items():
            before = worst[request_class]
            worst[request_class] = None if before is None or seen.p99_s is None else max(before, seen.p99_s)
    return ScenarioResult(not failures, _worst(failures), {name: ScenarioClass(p99) for name, p99 in worst.items()})


def _worst(failures: list[Failure]) -> list[Failure]:
    """Return for each limit or objective the loss that misses it most."""
    worst: dict[tuple[str, str], Failure] = {}
    for failure in failures:
        key = failure.name, failure.constraint
        known = worst.get(key)
        if known is None or (known.value is not None and (failure.value is None or failure.value > known.value)):
            worst[key] = failure
    return list(worst.values())
