"""From classes of requests to one stream: mean and variability of the work, slowed by nodes that have to agree."""

from __future__ import annotations

from typing import Final

from sympy import Integer

from models.formulas.formula import Formula, Quantity, Step, chained
from models.formulas.symbols import CORES, LOAD, NODES, RATE, SERVICE, SQUARED_CV, USE, real

SPEED: Final = real("v", "speed of one core")
CONTENTION: Final = real("sigma", "contention between nodes")
COHERENCY: Final = real("kappa", "what nodes have to agree on")
SLOWER: Final = real("u", "slowdown by contention and coherency (Universal Scalability Law)")
HOT: Final = real("h", "share of the work that the busiest node receives")
BUSY: Final = real("b", "cores that the busiest node would keep busy, were all as busy")


def stream(index: int) -> tuple[Quantity, Quantity, Quantity]:
    """Return rate, mean and squared CV of one kind of work."""
    return (
        real(f"lambda_{index}", "arrival rate", "/s"),
        real(f"S_{index}", "mean service time", "s"),
        real(f"c_{index}", "squared coefficient of variation"),
    )


def slowdown() -> Formula:
    """Return by how much each of n nodes is slower than one alone (*exact* for the law)."""
    n, s, k = NODES.symbol, CONTENTION.symbol, COHERENCY.symbol
    step = Step(SLOWER, 1 + s * (n - 1) + k * n * (n - 1))
    return Formula(
        "slowdown", (NODES, CONTENTION, COHERENCY), (step,), "Gunther 2007, eq. 4.31", exact=True, accuracy=""
    )


def own_time(index: int, *, slowed: bool, scaled: bool) -> Formula:
    """Return the service time of one class on this machine, from what was measured on a core of speed 1."""
    _, mean, _ = stream(index)
    measured = real(f"t_{index}", "CPU time on a core of speed 1", "s")
    factor = (SLOWER.symbol if slowed else Integer(1)) / (SPEED.symbol if scaled else Integer(1))
    inputs = (measured, *((SPEED,) if scaled else ()), *((SLOWER,) if slowed else ()))
    return Formula("", inputs, (Step(mean, measured.symbol * factor),), "", exact=True, accuracy="")


def mixture(streams: int, inside: int = 0) -> Formula:
    """Return rate, mean and squared CV of several kinds of work together (*exact*).

    The last `inside` of them make the bursts of the others longer: caches in the memory of who asks them.
    """
    parts = [stream(i + 1) for i in range(streams)]
    bursts, within = parts[: streams - inside], parts[streams - inside :]
    rate = sum((r.symbol for r, _, _ in bursts), Integer(0))
    both = sum((r.symbol * s.symbol for r, s, _ in parts), Integer(0))
    second = sum((r.symbol * s.symbol**2 * (1 + c.symbol) for r, s, c in bursts), Integer(0)) / RATE.symbol
    mean = sum((r.symbol * s.symbol for r, s, _ in bursts), Integer(0)) / RATE.symbol
    if inside:
        more = sum((r.symbol * s.symbol**2 * c.symbol for r, s, c in within), Integer(0)) / RATE.symbol
        squared = (second - mean**2 + more) / SERVICE.symbol**2
    else:
        squared = second / SERVICE.symbol**2 - 1
    inputs = tuple(q for part in parts for q in part)
    steps = (Step(RATE, rate), Step(SERVICE, both / RATE.symbol), Step(SQUARED_CV, squared))
    return Formula("work of all classes", inputs, steps, "moments of a mixture", exact=True, accuracy="")


def cores_in_use(*, hot: bool = False) -> Formula:
    """Return the utilization of n nodes of m cores; of the busiest, where keys choose the node (*exact*)."""
    load = Step(LOAD, RATE.symbol * SERVICE.symbol)
    cores = NODES.symbol * CORES.symbol
    factor = HOT.symbol * NODES.symbol if hot else Integer(1)
    inputs = (RATE, SERVICE, NODES, CORES, *((HOT,) if hot else ()))
    steps = (load, Step(USE, LOAD.symbol * factor / cores))
    name = "utilization of the busiest node" if hot else "utilization"
    return Formula(name, inputs, steps, "Little 1961", exact=True, accuracy="exact", solvable=("lambda", "S"))


def cores_for(ceiling: Quantity = USE) -> Formula:
    """Return the nodes below which the cores are busier than a ceiling, not rounded (*exact* without slowdown)."""
    needed = real("n_u", "nodes that utilization asks for, not rounded")
    value = RATE.symbol * SERVICE.symbol / (CORES.symbol * ceiling.symbol)
    return chained(
        "nodes for utilization",
        Formula(
            "", (RATE, SERVICE, CORES, ceiling), (Step(needed, value),), "Little 1961", exact=True, accuracy="exact"
        ),
    )


USED: Final = real("U", "used")
WHOLE: Final = real("K", "the whole of it")

SHARE: Final = Formula(
    "utilization",
    (USED, WHOLE),
    (Step(USE, USED.symbol / WHOLE.symbol),),
    "definition",
    exact=True,
    accuracy="exact",
    solvable=("U", "K"),
)

HEADROOM: Final = Formula(
    "headroom",
    (USE,),
    (Step(real("H", "headroom"), 1 - USE.symbol),),
    "definition",
    exact=True,
    accuracy="exact",
    solvable=("rho",),
)


def present(classes: int, *, kept: bool = False, result: Quantity | None = None) -> Formula:
    """Return how many requests are inside on average: Little's law over all classes (*exact*).

    With `kept` only that share of them enters at all.
    """
    rates = [real(f"lambda_{i + 1}", "arrival rate", "/s") for i in range(classes)]
    times = [real(f"T_{i + 1}", "mean time inside", "s") for i in range(classes)]
    share = real("q", "share that is not turned away")
    total = sum((r.symbol * t.symbol for r, t in zip(rates, times, strict=True)), Integer(0))
    inside = result or real("N", "mean number inside")
    step = Step(inside, total * share.symbol if kept else total)
    inputs = (*(q for pair in zip(rates, times, strict=True) for q in pair), *((share,) if kept else ()))
    solvable = ("lambda_1", "T_1")
    return Formula("Little's law", inputs, (step,), "Little 1961", exact=True, accuracy="exact", solvable=solvable)
