"""A sweep drawn as text: what is drawn stands where its value is, whatever is swept."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.axes import Axis
from capacity.plot import HEIGHT, Line, Mark, Plot, drawn
from capacity.render import WIDTH, width
from capacity.sweep import Sweep, axis, sweep
from capacity.sweep_plot import plotted
from capacity.units import digits, show_seconds
from tests.planner.systems import document, file, service

RATE, TIME = Axis("rate", digits), Axis("time", show_seconds)


def swept(*texts: str, points: int = 9, log: bool = False, planned: bool = False) -> Sweep:
    """Return a sweep of one service of three nodes, or as many as it takes."""
    tiers = {"app": service(0.01, None if planned else 3, "n1", max_nodes=9)}
    subject = document(file(tiers, 100, survive=(), utilization=0.8, latency={"page": {"p99": 0.1}}))
    return sweep(subject, [axis(subject, text, points, log=log) for text in texts], planned=planned)


def inside(rows: list[str]) -> list[str]:
    """Return what is between the axes, row by row from the top."""
    return [row.partition("│" if "│" in row else "┤")[2] for row in rows if "│" in row or "┤" in row]


# A line from corner to corner goes through every row, and each row is further right than the one below it.
@pytest.mark.parametrize("log", [False, True])
def test_a_line_is_where_its_values_are(log: bool) -> None:  # noqa: FBT001
    up = Axis("time", show_seconds, log)
    points = tuple((float(i), 10 ** (i / 50) if log else 1.0 + i) for i in range(101))
    rows = inside(drawn(Plot("", RATE, up, (Line("one", points),))))
    first = [next(i for i, c in enumerate(row) if c != " ") for row in rows]
    assert len(rows) == HEIGHT
    assert first == sorted(first, reverse=True)
    assert first[-1] == 0
    assert len(rows[0].rstrip()) == max(len(row.rstrip()) for row in rows)


# A limit is as high as a line of its value, a mark as far right; both are named.
def test_limits_and_marks() -> None:
    lines = (Line("low", ((0.0, 0.0), (10.0, 0.0))), Line("high", ((0.0, 4.0), (10.0, 4.0))))
    rows = inside(drawn(Plot("", RATE, TIME, lines, (Mark(2.0, "half"),), (Mark(5.0, "middle"),))))
    (at,) = [i for i, row in enumerate(rows) if "half" in row]
    assert at in (HEIGHT // 2 - 1, HEIGHT // 2)
    assert "┄┄┄" in rows[at]
    columns = {row.index("┊") for row in rows if "┊" in row}
    assert len(columns) == 1
    assert abs(columns.pop() / max(map(len, rows)) - 0.5) < 1 / 40  # half a cell of forty, either way
    assert any("middle" in row for row in rows)


values = st.floats(-1e9, 1e9) | st.none() | st.sampled_from([0.0, 1e-12, 3.0])


# Whatever the values, the plot has its size, and none of it is NaN or infinite.
@settings(max_examples=60)  # the first example pays for imports
@given(st.lists(st.lists(values, min_size=1, max_size=8), min_size=1, max_size=3), st.booleans(), st.booleans())
def test_any_values_fit(lines: list[list[float | None]], log: bool, across: bool) -> None:  # noqa: FBT001
    told = tuple(Line(f"line {i}", tuple((float(x), y) for x, y in enumerate(line))) for i, line in enumerate(lines))
    rows = drawn(Plot("title", Axis("x", digits, across), Axis("y", digits, log), told, (Mark(2.0, "limit"),)))
    assert all(width(row) <= WIDTH for row in rows)
    assert len(inside(rows)) == HEIGHT
    assert not any(word in row for row in rows for word in ("nan", "inf"))


# The mark of a plot and its note stand where the verdict of the points turns.
@pytest.mark.parametrize("log", [False, True])
def test_turns_are_those_of_the_points(log: bool) -> None:  # noqa: FBT001
    found = swept("workload.classes.page.rate=50/s..400/s", log=log)
    text = plotted(found)
    turn = next(i for i, point in enumerate(found.points) if not point.feasible)
    before, after = (digits(float(found.axes[0].values[i])) for i in (turn - 1, turn))
    assert f"app cores, page p99: fails from somewhere between {before}/s and {after}/s" in " ".join(text.split())
    assert "FAILS: app cores" in text
    assert "ceiling" in text
    assert "page at most" in text
    assert ("logarithmic" in text.split("→")[1].splitlines()[0]) == log
    assert all(width(line) <= WIDTH for line in text.splitlines())


# Of two inputs every cell tells the number of its point, and ! exactly where something is not met.
def test_two_axes_are_a_table() -> None:
    found = swept("workload.classes.page.rate=50/s..400/s", "components.app.cpu_time=5ms..12ms", points=4)
    block = plotted(found).split("\n\n")[0].splitlines()
    rows = [line.split("  ", 1)[1] for line in block if " ms  " in line][-4:]
    cells = [row.count("!") for row in rows]
    assert sum(cells) == sum(not point.feasible for point in found.points)
    for i, row in enumerate(reversed(rows)):
        for point in found.points[i::4]:
            p99 = point.p99_s["page"]
            assert ("never" if p99 is None else show_seconds(p99)) in row


# Words stand side by side, with their names below and no line between them; plans have their cost drawn as well.
def test_words_and_plans() -> None:
    found = swept("components.app.node=n1,n2,n4", planned=True)
    text = plotted(found)
    assert "cost of the cheapest plan" in text
    below = [line.split() for line in text.splitlines() if line.strip().startswith("n1")]
    assert below == [["n1", "n2", "n4"]] * 3
    assert not any(0x2800 < ord(c) < 0x2900 for c in text)
