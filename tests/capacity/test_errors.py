from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from capacity.errors import Problem, ascii_quoted, show_path
from tests.capacity.marked import SYSTEM, WEB, accepted, problems, refused, unmarked
from tests.capacity.running import capacity

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Bad:
    """A file that is wrong at its mark, and what its only problem should say."""

    name: str
    text: str
    path: str
    found: str | None = None
    allowed: str | None = None
    nearest: str | None = None


QUEUE = '[components.jobs]\nkind = "queue"\nconsumers = {}\n'
CACHE = '[components.redis]\nkind = "cache"\nnode = "r6i.large"\noperation_time = "60us"\nobjects = 10\nobject_size = 10\norigin = {}\n'
SECOND = f"[components.app]\n{WEB}"

BAD = [
    # Keys and names that nothing has.
    Bad("unknown key", SYSTEM + "‸thraeds = 3\n", "components.web.thraeds", allowed="min_nodes", nearest="threads"),
    Bad("unknown table", SYSTEM + "[‸solo.latency]\n", "solo", allowed="workload", nearest="slo"),
    Bad("far from any key", SYSTEM + "‸zzzz = 1\n", "components.web.zzzz", allowed="cpu_time"),
    Bad("callee", SYSTEM + 'calls = [{ to = ‸"wbe" }]', "components.web.calls[0].to", '"wbe"', "web", "web"),
    Bad("origin", SYSTEM + CACHE.format('‸"wep"'), "components.redis.origin", '"wep"', "web, redis", "web"),
    Bad("consumers", SYSTEM + QUEUE.format('‸"weeb"'), "components.jobs.consumers", '"weeb"', "web, jobs", "web"),
    Bad("entry", SYSTEM.replace('"web"', '‸"webb"'), "workload.classes.page.entry", '"webb"', "web", "web"),
    Bad("host", SYSTEM.replace('node = "c6i.large"', 'host = ‸"ap"') + SECOND, "components.web.host", '"ap"', "web, app", "app"),
    Bad("node type", SYSTEM.replace('"c6i.large"', '‸"c6i.larg"'), "components.web.node", '"c6i.larg"', "capacity nodes", "c6i.large"),
    Bad("class of an objective", SYSTEM + '[slo.latency]\n‸pge = { p99 = "1s" }', "slo.latency.pge", None, "page", "page"),
    Bad("class of a time", SYSTEM.replace('"1ms"', '{ page = 1, ‸pages = "2ms" }'), "components.web.cpu_time.pages", None, "page", "page"),
    Bad("class of a call", SYSTEM + 'calls = [{ to = "app", classes = ["page", ‸"pag"] }]\n' + SECOND, "components.web.calls[0].classes[1]", '"pag"', "page", "page"),
    Bad("kind", SYSTEM.replace('"service"', '‸"servise"'), "components.web.kind", '"servise"', "cache, database", "service"),
    Bad("word", SYSTEM + 'balancing = ‸"randum"', "components.web.balancing", '"randum"', "shared_queue", "random"),
    Bad("scenario", SYSTEM + '[resilience]\nsurvive = ["node", ‸"zones"]', "resilience.survive[1]", '"zones"', "deploy", "zone"),
    # Values that are no such quantity.
    Bad("wrong unit", SYSTEM.replace('"1ms"', '‸"1MB"'), "components.web.cpu_time", '"1MB"', "its units are ns, us"),
    Bad("no unit at all", SYSTEM.replace('"10/s"', '‸"many"'), "workload.classes.page.rate", '"many"', 'a rate, like "1200/s"'),
    Bad("negative", SYSTEM.replace('"10/s"', '‸"-10/s"'), "workload.classes.page.rate", '"-10/s"', "at least 0"),
    Bad("not a number", SYSTEM.replace('"10/s"', "‸nan"), "workload.classes.page.rate", "nan", "a rate"),
    Bad("infinite", SYSTEM.replace('"10/s"', "‸inf"), "workload.classes.page.rate", "inf", "a rate"),
    Bad("too large for a float", SYSTEM.replace('"10/s"', '‸"1e999/s"'), "workload.classes.page.rate", '"1e999/s"', "a rate"),
    Bad("upside down", SYSTEM.replace('"1ms"', '‸"8ms..2ms"'), "components.web.cpu_time", '"8ms..2ms"', "upside down"),
    Bad("four ends", SYSTEM.replace('"1ms"', '‸"1..2..3..4ms"'), "components.web.cpu_time", '"1..2..3..4ms"', "low..likely..high"),
    Bad("above 100%", SYSTEM + '[slo]\nutilization = ‸"175%"', "slo.utilization", '"175%"', "above 0, at most 1"),
    Bad("a share of 75", SYSTEM + "[slo]\navailability = ‸75", "slo.availability", "75", '"75%"'),
    Bad("a ceiling of 0", SYSTEM + "[slo]\nutilization = ‸0.0", "slo.utilization", "0.0", "a share"),
    Bad("an objective of 0", SYSTEM + '[slo.latency]\npage = { p99 = ‸"0ms" }', "slo.latency.page.p99", '"0ms"', "above 0"),
    Bad("a peak below the mean", "workload.peak_to_mean = ‸0.5\n" + SYSTEM, "workload.peak_to_mean", "0.5", "at least 1"),
    Bad("growth per second", 'workload.growth = ‸"6%/s"\n' + SYSTEM, "workload.growth", '"6%/s"', "per month, year, week"),
    Bad("half a node", SYSTEM + "nodes = ‸1.5", "components.web.nodes", "1.5", "a whole number from 1"),
    Bad("no node", SYSTEM + "nodes = ‸0", "components.web.nodes", "0", "from 1 to 1,000,000"),
    Bad("a billion nodes", SYSTEM + "nodes = ‸1_000_000_000", "components.web.nodes", "1000000000", "to 1,000,000"),
    Bad("a word for a count", SYSTEM + 'nodes = ‸"four"', "components.web.nodes", '"four"', "a whole number"),
    Bad("a truth for a number", SYSTEM.replace('"1ms"', "‸true"), "components.web.cpu_time", None, "a time"),
    Bad("a number for a truth", SYSTEM + "stateful = ‸1", "components.web.stateful", "1", "true or false"),
    Bad("a number for a word", "name = ‸7\n" + SYSTEM, "name", "7", "a string"),
    Bad("a list for a table", SYSTEM + "[[‸slo]]", "slo", "a list", "a table"),
    Bad("a table for a list", SYSTEM + 'calls = ‸{ to = "web" }', "components.web.calls", "a table", "a list"),
    Bad("a word for a table", 'slo = ‸"p99"\n' + SYSTEM, "slo", '"p99"', "a table"),
    # What single values cannot show.
    Bad("no entry", SYSTEM.replace('entry = "web"\n', "").replace("[w", "[‸w"), "workload.classes.page", None, "the name of a tier"),
    Bad("no kind", SYSTEM.replace('kind = "service"\n', "").replace("[comp", "[‸comp"), "components.web", None, "external, queue"),
    Bad("no time", SYSTEM.replace('cpu_time = "1ms"\n', "").replace("[comp", "[‸comp"), "components.web", None, "a time"),
    Bad("neither node nor host", SYSTEM.replace('node = "c6i.large"\n', "").replace("[comp", "[‸comp"), "components.web", None, "node (see `capacity nodes`), or host"),
    Bad("node and host", SYSTEM + 'host = ‸"app"\n' + SECOND, "components.web.host", None, "node or host, not both"),
    Bad("its own host", SYSTEM.replace("node = ", "host = ").replace('"c6i.large"', '‸"web"'), "components.web.host", '"web"', "a tier with a node"),
    Bad("nodes on a host", SYSTEM + SECOND.replace('node = "c6i.large"', 'host = "web"') + "nodes = ‸2", "components.app.nodes", "2", "nodes on the host only"),
    Bad("a host that cannot", SYSTEM + 'calls = [{to = "app"}]\n' + CACHE.format('"web"') + SECOND.replace("node = ", "host = ").replace('"c6i.large"', '‸"redis"'), "components.app.host", '"redis"', "a service"),
    Bad("least above most", SYSTEM + "min_nodes = ‸5\nmax_nodes = 4", "components.web.min_nodes", "5", "at most 4"),
    Bad("messages for a cache", SYSTEM + CACHE.format('"web"') + QUEUE.format('‸"redis"'), "components.jobs.consumers", '"redis"'),
    Bad("a class without its time", SYSTEM.replace('entry = "web"\n', 'entry = "web"\n[workload.classes.buy]\nrate = 1\nentry = "web"\n').replace('cpu_time = "1ms"', '‸cpu_time = { page = "1ms" }'), "components.web.cpu_time"),
    Bad("calls to itself", SYSTEM + 'calls = [{ to = ‸"web" }]', "components.web.calls[0].to", "web -> web", "a queue between two of them"),
    Bad("calls in a circle", SYSTEM + 'calls = [{ to = "app" }]\n' + SECOND + 'calls = [{ to = ‸"web" }]', "components.app.calls[0].to", "web -> app -> web", "a queue"),
    Bad("no class", "[‸workload.classes]\n" + SYSTEM.partition('"web"\n')[2], "workload.classes", None, "at least one"),
]  # fmt: skip


# Each bad value is one problem, at its line and column, with its key path, what was found, what is allowed, what was meant.
@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_bad_value(bad: Bad) -> None:
    text, places = unmarked(bad.text)
    (problem,) = problems(text)
    assert [(problem.line, problem.column)] == places
    assert show_path(problem.path) == bad.path
    assert bad.found is None or problem.found == bad.found
    assert bad.allowed is None or bad.allowed in (problem.allowed or "")
    assert problem.nearest == bad.nearest
    assert problem.text().startswith(f"f.toml:{problem.line}:{problem.column}: {bad.path}: {problem.message}")


# On the command line each of them is one line on standard error, nothing on standard output, and 2.
@pytest.mark.parametrize("command", ["plan", "evaluate", "check"])
def test_bad_file(command: str, tmp_path: Path) -> None:
    for bad in BAD:
        path = refused(tmp_path, unmarked(bad.text)[0])
        ended = capacity(command, path)
        assert (ended.code, ended.out) == (2, ""), bad.name
        line, last = ended.err.splitlines()
        assert re.match(rf"{re.escape(str(path))}:\d+:\d+: {re.escape(bad.path)}: ", line), bad.name
        assert last == "1 problem; nothing was computed"
        assert bad.nearest is None or line.endswith(f"did you mean {bad.nearest}?"), bad.name


# All problems of a file are told together, in the order in which they stand in it, each at its own place.
def test_all_problems_at_once(tmp_path: Path) -> None:
    text, places = unmarked(
        "name = ‸3\n[workload]\npeak_to_mean = ‸-1\n[workload.classes.‸a]\nrate = ‸'fast'\n"
        "[‸slow]\n[components.x]\nkind = ‸'serivce'\n[components.y]\nkind = 'service'\nnode = ‸'c9'\n"
        "cpu_time = ‸'1GiB'\nthreads = ‸0\ncalls = [{ to = ‸'z', ‸cuont = 2, timeout = ‸'-1s' }]\n"
    )
    found = problems(text)
    # A table's problem stands where its header's name begins.
    places[2] = (places[2][0], 2)
    assert [(p.line, p.column) for p in found] == places
    ended = capacity("check", refused(tmp_path, text))
    assert ended.code == 2
    assert len(ended.err.splitlines()) == len(places) + 1
    assert ended.err.endswith(f"{len(places)} problems; nothing was computed\n")


# Work that comes back through a queue is no circle: nobody waits for it.
def test_a_circle_through_a_queue_is_allowed() -> None:
    text = SYSTEM + 'calls = [{ to = "jobs" }]\n' + QUEUE.format('"web"')
    assert set(accepted(text).topology.components) == {"web", "jobs"}


# A name that a terminal would obey is shown and not obeyed, wherever it stands; what can be read is left as it is.
@pytest.mark.parametrize("name", ["\x1b[31m", "a\nb", "tab\tbed", "\x00", "\x7f", "\u202e", "\u200b", "\ufeff"])
def test_control_characters_are_shown(name: str, tmp_path: Path) -> None:
    quoted = '"' + "".join(f"\\U{ord(c):08x}" for c in name) + '"'
    text = f"{SYSTEM}{quoted} = {quoted}\nhost = {quoted}\n[components.b]\nkind = {quoted}\n"
    ended = capacity("plan", refused(tmp_path, text))
    assert ended.code == 2
    assert len(ended.err.splitlines()) == 4
    assert all(c.isprintable() for line in ended.err.split("\n") for c in line)


# CJK and emoji stay readable in a message.
@pytest.mark.parametrize("name", ["数据库", "데이터", "🚀", "naïve"])
def test_other_scripts_stay_readable(name: str, tmp_path: Path) -> None:
    ended = capacity("plan", refused(tmp_path, f'{SYSTEM}"{name}" = 1\nhost = "{name}"\n'))
    assert ended.code == 2
    assert ended.err.count(f'"{name}"') == 2


# A value of any length is cut where it no longer helps.
def test_long_values_are_cut() -> None:
    (problem,) = problems(SYSTEM.replace('"1ms"', f'"{"9" * 5000}ns."'))
    assert len(problem.text()) < 300


# A key path is what one would write in TOML, with positions in brackets.
def test_show_path() -> None:
    assert show_path(("components", "app", "calls", 2, "to")) == "components.app.calls[2].to"
    assert show_path(("components", "my app", "a.b", "", "x-y_1")) == 'components."my app"."a.b"."".x-y_1'
    assert show_path(()) == ""


# A problem is one line, whatever is in it, and leaves out what it does not know.
def test_one_line() -> None:
    assert Problem((), "is empty", source="f").text() == "f: is empty"
    assert Problem(("a\nb",), "is wrong", found=ascii_quoted("c\r\nd")).text().count("\n") == 0
    placed = Problem(("a",), "is wrong", "1", "2", "3").placed("f", 4, 5)
    assert placed.text() == "f:4:5: a: is wrong; found 1; allowed: 2; did you mean 3?"
