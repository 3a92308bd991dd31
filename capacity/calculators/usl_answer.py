"""What `capacity usl` answers: the law with its errors, its peak, and the throughput, nodes or users asked for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from capacity.calculators.calculator import Answer, Row
from capacity.calculators.measurements import pairs
from capacity.calculators.plot import plotted
from capacity.errors import DocumentError, Problem, UsageError
from capacity.section import Section
from capacity.units import AT_LEAST_ONE, POSITIVE_RATE, digits, show_amount, show_percent, show_seconds
from models.scalability import concurrency_for_latency, latency, nodes_for, peak_capacity, peak_nodes, relative_capacity
from models.scalability_fit import NAMES, ScalabilityFit, fit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.calculators.calculator import Given

Law = tuple[float, float, float]
"""What one node does, 1/s; contention; coherency."""

_SOURCE: Final = "Gunther 2007, Guerrilla Capacity Planning, eq. 4.31 and 4.33"
_THROUGHPUTS: Final = ("throughput", "tput", "rate", "rps", "tps", "qps", "/s", "per second")
"""What columns of throughput are called."""
_SHARP: Final = 0.05
"""A number whose standard error is more than a twentieth of the peak's nodes is not known well."""


def answered(given: Given) -> Answer:
    """Return the answer to what was given."""
    fitted = _fitted(given) if given.has("file") else None
    law = (fitted.throughput_of_one, fitted.contention, fitted.coherency) if fitted is not None else _given(given)
    rows = [*_law(law, fitted), *_peak(law, fitted)]
    notes = list(_warnings(fitted, given))
    met: bool | None = None
    headline = _headline(law)
    for asked in (_at_nodes, _for_throughput, _for_latency):
        found = asked(law, fitted, given)
        if found is not None:
            headline, more, fine = found
            rows += more
            met = (met is not False) and fine
    sections = [_measured(fitted)] if fitted is not None else []
    if given.flag("plot"):
        sections.append(_drawn(law, fitted, given))
    return Answer(
        headline=headline,
        rows=rows,
        model="Universal Scalability Law" if law[2] else "Amdahl's law",
        source=_SOURCE + ("; least squares within bounds" if fitted is not None else ""),
        accuracy="exact for the law" if fitted is None else "exact for the law; its numbers are as good as the fit",
        notes=notes,
        met=met if given.has("throughput") or given.has("latency") else None,
        sections=sections if given.alone else [],
        more={} if fitted is None else _told(fitted),
    )


def _told(fitted: ScalabilityFit) -> dict[str, object]:
    """Return what scripts want to know of a fit."""
    return {"at_bound": list(fitted.at_bound), "errors": dict(zip(NAMES, fitted.errors, strict=True))}


def _fitted(given: Given) -> ScalabilityFit:
    source = str(given.word("file"))
    if given.has("one"):
        raise UsageError("--one: with a file it is fitted; leave it out")
    shown = "<stdin>" if source == "-" else source
    rows = pairs(
        given.text("file", "a load test", "a CSV file"),
        shown,
        ("nodes", AT_LEAST_ONE),
        ("throughput", POSITIVE_RATE),
        _THROUGHPUTS,
    )
    held = {name: (value, value) for name in ("contention", "coherency") if (value := given.maybe(name)) is not None}
    try:
        return fit([n for n, _ in rows], [x for _, x in rows], **held)
    except ValueError as error:
        raise DocumentError([Problem((), str(error), source=shown)]) from error


def _given(given: Given) -> Law:
    missing = [f"--{name}" for name in ("one", "contention", "coherency") if not given.has(name)]
    if missing:
        raise UsageError(f"{' and '.join(missing)}: needed where no FILE of measurements is given")
    contention = given.number("contention")
    if contention > 1:
        raise UsageError(
            f"--contention: {contention:g} is no share of the work: from 0 to 1 (two nodes would do less than one)"
        )
    return given.number("one"), contention, given.number("coherency")


def _most(law: Law) -> float:
    """Return the most that any number of nodes does, 1/s: that of one, where the peak is below it."""
    one, sigma, kappa = law
    return one * peak_capacity(sigma, kappa) if peak_nodes(sigma, kappa) > 1 else one


def _law(law: Law, fitted: ScalabilityFit | None) -> Iterator[Row]:
    errors = fitted.errors if fitted is not None else (None, None, None)
    bound = fitted.at_bound if fitted is not None else ()
    parts = (
        ("throughput_of_one", "one node does", "/s"),
        ("contention", "contention (sigma)", ""),
        ("coherency", "coherency (kappa)", ""),
    )
    for value, error, (key, label, unit) in zip(law, errors, parts, strict=True):
        note = f"± {error:.2g}" if error is not None else "AT ITS BOUND" if key in bound else ""
        yield Row(key + ("_per_s" if unit else ""), label, value, unit, note)
    if fitted is not None:
        yield Row("residual_error_per_s", "one measurement is off by", fitted.residual_error, "/s")
        yield Row("r_squared", "explained (R squared)", fitted.r_squared, "share")


def _peak(law: Law, fitted: ScalabilityFit | None) -> Iterator[Row]:
    _, sigma, kappa = law
    error = fitted.peak_error() if fitted is not None else None
    note = f"± {error:.2g}" if error is not None else "no peak: coherency 0" if kappa == 0 else ""
    peak = peak_nodes(sigma, kappa)
    yield Row("peak_nodes", "nodes at the peak", peak, "", note)
    told = "by one node: the peak is below it" if peak < 1 else "never reached" if kappa == 0 else ""
    yield Row("peak_throughput_per_s", "the most there is", _most(law), "/s", told)


def _headline(law: Law) -> str:
    _, sigma, kappa = law
    peak, most = peak_nodes(sigma, kappa), _most(law)
    if peak < 1:
        return f"one node does the most, {show_amount(most, '/s')}: every further one takes some away"
    if math.isfinite(peak):
        return f"throughput peaks at {digits(peak)} nodes with {show_amount(most, '/s')}"
    if math.isfinite(most):
        return f"no peak: throughput tends to {show_amount(most, '/s')}"
    return "every node brings as much as the first"


def _warnings(fitted: ScalabilityFit | None, given: Given) -> Iterator[str]:
    if fitted is None:
        return
    for name in fitted.at_bound:
        yield (
            f"{name} is at its bound {digits(getattr(fitted, name))}: the measurements alone would take it beyond, "
            "where it has no meaning; they do not tell it"
        )
    last = max(fitted.nodes)
    if math.isfinite(fitted.peak_nodes) and fitted.peak_nodes > last:
        yield f"the peak lies beyond what was measured, up to {digits(last)} nodes: it is extrapolated"
    error = fitted.peak_error()
    if error is not None and error > _SHARP * fitted.peak_nodes:
        yield f"nodes at the peak are known to ± {show_percent(error / fitted.peak_nodes)} only: measure around them"
    if fitted.freedom == 0:
        yield "as many measurements as numbers: nothing is left to tell how sure they are"
    wanted = given.maybe("nodes")
    if wanted is not None and given.alone and not min(fitted.nodes) <= wanted <= last:
        yield f"{digits(wanted)} nodes lie outside what was measured, {digits(min(fitted.nodes))} to {digits(last)}"


Asked = tuple[str, list[Row], bool] | None


def _at_nodes(law: Law, fitted: ScalabilityFit | None, given: Given) -> Asked:
    if not given.has("nodes"):
        return None
    nodes = given.number("nodes")
    one, sigma, kappa = law
    value = one * relative_capacity(nodes, sigma, kappa)
    rows = [Row("throughput_per_s", f"throughput of {digits(nodes)}", value, "/s", "", "Throughput")]
    between = fitted.interval(nodes, given.number("level")) if fitted is not None else None
    if between is not None:
        level = show_percent(given.number("level"))
        rows.append(
            Row("throughput_low_per_s", f"  {level} of measurements: from", max(between[0], 0.0), "/s", "", "Low")
        )
        rows.append(Row("throughput_high_per_s", "  to", between[1], "/s", "", "High"))
    rows.append(Row("efficiency", "of perfect scaling", value / (nodes * one), "share", "", "Efficiency"))
    rows.append(Row("response_s", "response time of so many users", latency(nodes, sigma, kappa, one), "s", "", "Time"))
    return f"{digits(nodes)} nodes do {show_amount(value, '/s')}", rows, True


def _for_throughput(law: Law, _fitted: ScalabilityFit | None, given: Given) -> Asked:
    wanted = given.maybe("throughput")
    if wanted is None:
        return None
    one, sigma, kappa = law
    nodes = nodes_for(wanted / one, sigma, kappa)
    if nodes is None and wanted <= one:
        nodes = 1.0  # the peak is below one node
    if nodes is None:
        most = _most(law)
        rows = [Row("nodes_for_throughput", "nodes that are enough", None, "", "none", "Nodes")]
        told = f"no number of nodes does {show_amount(wanted, '/s')}: the most there is is {show_amount(most, '/s')}"
        return told, rows, False
    whole = math.ceil(nodes * (1 - 1e-12))
    enough = one * relative_capacity(float(whole), sigma, kappa) >= wanted * (1 - 1e-9)
    rows = [
        Row("nodes_for_throughput", "nodes that are enough", whole if enough else None, "", "", "Nodes"),
        Row("nodes_not_rounded", "  not rounded", nodes, "", "", "Exactly"),
    ]
    if not enough:
        # The peak lies between two whole numbers, and neither does as much.
        return f"no whole number of nodes does {show_amount(wanted, '/s')}: it is next to the peak", rows, False
    return f"{whole:,} nodes do {show_amount(wanted, '/s')}", rows, True


def _for_latency(law: Law, _fitted: ScalabilityFit | None, given: Given) -> Asked:
    wanted = given.maybe("latency")
    if wanted is None:
        return None
    one, sigma, kappa = law
    inside = concurrency_for_latency(wanted, sigma, kappa, one)
    if inside is None or inside < 1:
        rows = [Row("users_for_latency", "users at once", None, "", "none", "Users")]
        return (
            f"not even one user is answered in {show_seconds(wanted)}: alone it takes {show_seconds(1 / one)}",
            rows,
            False,
        )
    rows = [
        Row("users_for_latency", "users at once", inside, "", "", "Users"),
        Row("throughput_at_latency_per_s", "  and their throughput", inside / wanted, "/s", "", "At it"),
    ]
    return f"{digits(inside)} users at once are answered in {show_seconds(wanted)}", rows, True


def _measured(fitted: ScalabilityFit) -> Section:
    rows: list[tuple[str, ...]] = [("Nodes", "Measured", "Law", "Off by")]
    for n, x in zip(fitted.nodes, fitted.throughputs, strict=True):
        value = fitted.throughput(n)
        off = f"{(value / x - 1) * 100:+.1f}%"
        rows.append((digits(n), show_amount(x, "/s"), show_amount(value, "/s"), off))
    shown = rows if len(rows) <= 42 else [*rows[:41], (f"and {len(rows) - 41} more", "", "", "")]
    return Section("", shown, frozenset({0, 1, 2, 3}))


def _drawn(law: Law, fitted: ScalabilityFit | None, given: Given) -> Section:
    one, sigma, kappa = law
    points = list(zip(fitted.nodes, fitted.throughputs, strict=True)) if fitted is not None else []
    peak = peak_nodes(sigma, kappa)
    ends = [n for n, _ in points] + [given.maybe("nodes") or 0.0, 1.3 * peak if math.isfinite(peak) else 0.0]
    last = max(*ends, 2.0) if max(ends) > 0 else 3 / sigma if sigma > 0 else 10.0
    lines = plotted(lambda n: one * relative_capacity(n, sigma, kappa), points, last, lambda x: show_amount(x, "/s"))
    return Section("throughput over nodes: · the law" + (", o measured" if points else ""), [(line,) for line in lines])
