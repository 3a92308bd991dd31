from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from capacity.document import load, scaled, uncertain_fields
from capacity.errors import DocumentError, UsageError
from capacity.reading import MOST_BYTES
from capacity.units import Uncertain
from tests.capacity.marked import SYSTEM, accepted, problems, refused
from tests.capacity.running import EXAMPLES, capacity

if TYPE_CHECKING:
    from collections.abc import Callable

SHOP = (EXAMPLES / "shop.toml").read_text(encoding="utf-8")

NOT_TOPOLOGIES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty; allowed: a [workload]"),
    "only a comment": (b"# nothing\n\n", "is empty"),
    "prose": (b"Dear Sir or Madam,\n", ":1:6: is not TOML"),
    "JSON": (b'{"workload": {}}', ":1:1: is not TOML"),
    "YAML": (b"workload:\n  classes:\n", ":1:9: is not TOML"),
    "a key twice": (SYSTEM.encode() + b'node = "c6i.large"\n', ':8:1: duplicate key; found "node"'),
    "a table twice": (SYSTEM.encode() + b"[components.web]\n", ':8:1: duplicate key; found "[components.web]"'),
    "a string without its end": (b'name = "shop\n', ":1:13: is not TOML"),
    "binary": (bytes(range(256)) * 4, "is not text in UTF-8; found byte 0x80; allowed: a TOML file"),
    "zeros": (bytes(1000), ":1:1: is not TOML"),
    "UTF-16": (SHOP.encode("utf-16"), ":1: is not text in UTF-8; found byte 0xff"),
    "Latin-1": ("name = 'é'".encode("latin-1"), ":1: is not text in UTF-8; found byte 0xe9"),
    "10 MB of garbage": (
        b"garbage\n" * 1_250_000,
        "is too large for a topology; found 8,388,609 bytes; allowed: at most 8 MiB",
    ),
    "10 MB without a line": (b"\xff" * 10_000_000, "is too large for a topology"),
    "deeply nested lists": (b"x = " + b"[" * 100_000 + b"]" * 100_000, "is not TOML"),
    "deeply nested tables": (b"x = " + b"{a=" * 50_000, "is not TOML"),
    "a number of many digits": (b"x = " + b"9" * 5_000, "is not TOML"),
    "no such date": (b"x = 2026-13-45", "is not TOML"),
    "a list that is not closed": (b"x = [", "is not TOML"),
}


# What is no topology at all is one sentence that names the file, and 2; never a traceback, however large or deep it is.
@pytest.mark.parametrize("name", NOT_TOPOLOGIES)
def test_not_a_topology(name: str, tmp_path: Path) -> None:
    content, says = NOT_TOPOLOGIES[name]
    path = refused(tmp_path, content)
    ended = capacity("plan", path)
    assert (ended.code, ended.out) == (2, "")
    line, last = ended.err.splitlines()
    assert line.startswith(f"{path}:")
    assert says in line
    assert len(line) < len(str(path)) + 400
    assert last == "1 problem; nothing was computed"


# The same from standard input names standard input.
@pytest.mark.parametrize("name", NOT_TOPOLOGIES)
def test_not_a_topology_from_standard_input(name: str) -> None:
    ended = capacity("plan", "-", stdin=NOT_TOPOLOGIES[name][0])
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(("<stdin>", "-:"))


# A file that cannot be opened says why, as the system says it.
def test_a_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path, why in ((tmp_path, "Is a directory"), (tmp_path / "a.toml", "No such file or directory")):
        ended = capacity("check", path)
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.startswith(f"{path}: cannot be read: {why}\n")

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    # Whoever runs the tests as root may read everything; so the system's answer is played.
    monkeypatch.setattr(Path, "open", refuse)
    ended = capacity("check", "secret.toml")
    assert (ended.code, ended.err) == (
        2,
        "secret.toml: cannot be read: Permission denied\n1 problem; nothing was computed\n",
    )


# A name that no file can have is an error like any other.
@pytest.mark.parametrize("name", ["a\0b", "x" * 5000, ""])
def test_a_name_that_no_file_has(name: str) -> None:
    with pytest.raises(DocumentError, match="cannot be read"):
        load(name)


# The mark that some editors put before the first line is not part of the text.
def test_byte_order_mark(tmp_path: Path) -> None:
    marked, plain = tmp_path / "marked.toml", tmp_path / "plain.toml"
    marked.write_bytes(b"\xef\xbb\xbf" + SYSTEM.encode())
    plain.write_bytes(SYSTEM.encode())
    assert load(str(marked)).topology == load(str(plain)).topology


# Windows' line ends, comments and the order of tables change nothing.
def test_spelling_does_not_matter() -> None:
    plain = accepted(SYSTEM).topology
    assert accepted(SYSTEM.replace("\n", "\r\n")).topology == plain
    first, second = SYSTEM.split("[components.web]")
    assert accepted("[components.web]" + second + first).topology == plain
    assert accepted(re.sub(r"$", " # why", SYSTEM, flags=re.MULTILINE)).topology == plain


# An override does what an edit of the file would do.
@pytest.mark.parametrize(
    ("override", "found", "wanted"),
    [
        ("components.web.nodes=4", lambda t: t.components["web"].nodes, 4),
        (" components . web . nodes = 4 ", lambda t: t.components["web"].nodes, 4),
        ("components.web.cpu_time=3ms", lambda t: t.components["web"].cpu_time, 0.003),
        ('components.web.cpu_time="3ms"', lambda t: t.components["web"].cpu_time, 0.003),
        ("components.web.cpu_time=1ms..3ms", lambda t: t.components["web"].cpu_time.high, 0.003),
        ("components.web.cpu_time={ page = 2 }", lambda t: t.components["web"].cpu_time, {"page": 2}),
        ("resilience.survive=[]", lambda t: t.resilience.survive, []),
        ('workload.classes."page".rate=5', lambda t: t.workload.classes["page"].rate, 5),
        ("name=a=b", lambda t: t.name, "a=b"),
        ("components.web.stateful=true", lambda t: t.components["web"].stateful, True),
        ("slo.latency.page.p99=1s", lambda t: t.slo.latency["page"].p99, 1),
    ],
)
def test_override(override: str, found: Callable[[Any], object], wanted: object) -> None:
    assert found(accepted(SYSTEM, [override]).topology) == wanted


# Overrides count in the order given, and reach into lists by position.
def test_overrides_in_order() -> None:
    path = "components.app.calls.1.count"
    document = accepted(SHOP, [f"{path}=5", f"{path}=6", "components.app.calls.0.to=mysql"])
    calls = document.values["components"]["app"]["calls"]
    assert (calls[0]["to"], calls[1]["count"]) == ("mysql", 6)


# An override that leads nowhere says so, and names what it probably meant.
@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("", "write KEY.PATH=VALUE"),
        ("components.app.nodes", "write KEY.PATH=VALUE"),
        ("=4", "write KEY.PATH=VALUE"),
        ("components..nodes=4", "--set components..nodes=4: "),
        ("my app.nodes=4", "--set my app.nodes=4: "),
        ("components.ap.nodes=4", "there is no components.ap; did you mean app?"),
        ("components.zzz.nodes=4", "there is no components.zzz; there are web, app"),
        ("name.first=4", "name is not a table"),
        ("components.app.calls.9.to=x", "9 is not a position from 0 to 3"),
        ("components.app.calls.-1.to=x", "-1 is not a position"),
        ("components.app.calls.to=x", "to is not a position"),
        ("components.web.node.a.b=x", "not in a table"),
    ],
)
def test_override_that_leads_nowhere(override: str, says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)):
        accepted(SHOP, [override])
    ended = capacity("plan", EXAMPLES / "shop.toml", "--set", override)
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err


# An override whose value is wrong is a problem like any other in the file.
def test_override_with_a_wrong_value() -> None:
    (problem,) = problems(SYSTEM, ["components.web.cpu_time=fast"])
    assert problem.path == ("components", "web", "cpu_time")
    assert problem.found == '"fast"'
    (problem,) = problems(SYSTEM, ["components.web.thraeds=4"])
    assert problem.nearest == "threads"


# A load multiplies every rate and nothing else; an uncertain rate in all its parts.
def test_load_factor() -> None:
    topology = accepted(SHOP, ["workload.classes.browse.rate=100..200..400/s"]).topology
    rates = {name: c.rate for name, c in scaled(topology, 1.5).workload.classes.items()}
    assert rates == {"browse": 300, "checkout": 90}
    browse = rates["browse"]
    assert isinstance(browse, Uncertain)
    assert (browse.low, browse.high) == (150, 600)
    assert scaled(topology, 1) is topology
    assert scaled(topology, 3).components == topology.components


# Every interval of a file is found, with its path.
def test_uncertain_fields() -> None:
    found = uncertain_fields(accepted(SHOP, ["components.app.calls.0.count=1..3"]).topology)
    assert [(path, tuple(map(float, (u.low, u, u.high)))) for path, u in found] == [
        (("components", "app", "calls", 0, "count"), (1, 2, 3)),
        (("components", "payments", "latency"), (0.18, 0.26, 0.9)),
    ]


# A topology is never larger than is read of it.
def test_the_limit_is_above_any_topology() -> None:
    assert len(SHOP) * 100 < MOST_BYTES
