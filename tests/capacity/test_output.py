from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

import capacity.plan
from capacity.errors import UsageError
from capacity.guard import guarded
from capacity.output import chosen, load_factor
from capacity.saving import write
from tests.capacity.running import EXAMPLES, MINIMAL, PROGRAM
from tests.capacity.running import capacity as run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SHOP = EXAMPLES / "shop.toml"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a small topology, in a folder that may be written to."""
    path = tmp_path / "a.toml"
    path.write_text(MINIMAL)
    return path


# The file that is read is never the file that is written, by whatever name, unless --force says so.
def test_the_input_is_not_replaced(source: Path) -> None:
    os.link(source, source.with_name("hard.json"))
    source.with_name("soft.json").symlink_to(source)
    for target in (
        source,
        source.with_name("hard.json"),
        source.with_name("soft.json"),
        source.parent / "." / "a.toml",
    ):
        ended = run("plan", source, "-o", target)
        assert (ended.code, ended.out) == (2, "")
        assert "is the input" in ended.err
        assert "--force" in ended.err
    assert source.read_text() == MINIMAL
    assert run("plan", source, "-o", source, "--force").code == 0
    assert "[plan]" in source.read_text()


# A topology that somebody wrote is not replaced without --force; an exported plan is, it can be made again.
def test_a_handwritten_file_is_not_replaced(source: Path) -> None:
    mine, plan = source.with_name("mine.toml"), source.with_name("plan.toml")
    for text in (MINIMAL, "not even TOML [", ""):
        mine.write_text(text)
        ended = run("plan", source, "-o", mine)
        assert (ended.code, ended.out, mine.read_text()) == (2, "", text)
        assert "--force" in ended.err
    assert [run("plan", source, "-o", plan).code for _ in range(2)] == [0, 0]
    assert run("plan", source, "-o", mine, "--force").code == 0
    assert mine.read_bytes() == plan.read_bytes()


# Somebody's file survives also where the topology comes from standard input.
def test_standard_input_does_not_replace_a_file(source: Path) -> None:
    assert run("plan", "-", "-o", source, stdin=MINIMAL.encode()).code == 2
    assert source.read_text() == MINIMAL


# What cannot be written is an error of the one who asked, says why, and leaves nothing behind.
@pytest.mark.parametrize("place", ["missing/plan.json", "folder", "a.toml/plan.json"])
def test_what_cannot_be_written(place: str, source: Path) -> None:
    (source.parent / "folder").mkdir()
    before = sorted(source.parent.rglob("*"))
    ended = run("plan", source, "-o", source.parent / place)
    assert (ended.code, ended.out) == (2, "")
    assert "cannot be written: " in ended.err
    assert sorted(source.parent.rglob("*")) == before


# A write that fails half way leaves the old file whole and no temporary one, whatever made it fail.
@pytest.mark.parametrize("failure", [OSError("disk full"), KeyboardInterrupt()])
def test_a_failed_write_leaves_the_old_file(
    failure: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "plan.json"
    target.write_text("old")

    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises((UsageError, KeyboardInterrupt)):
        write(str(target), "new")
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]
    assert target.read_text() == "old"


# A file that is replaced keeps its permissions, and a new one has those that everybody expects.
def test_permissions(tmp_path: Path) -> None:
    old, new, plain = tmp_path / "old", tmp_path / "new", tmp_path / "plain"
    old.write_text("")
    old.chmod(0o640)
    plain.write_text("")
    write(str(old), "text")
    write(str(new), "text")
    assert old.stat().st_mode & 0o777 == 0o640
    assert new.stat().st_mode == plain.stat().st_mode


# What is no file, like a pipe or a terminal, is written to and not replaced.
def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write(str(pipe), "text")
    assert os.read(reader, 100) == b"text"
    os.close(reader)
    assert pipe.is_fifo()


# A price that is not known is never 0: the total is a lower bound that says what is missing, in words and in JSON.
def test_unknown_price(source: Path) -> None:
    source.write_text(MINIMAL.replace("c6i.large", "own") + "[node_types.own]\nvcpus = 2\n")
    shown, plain = run("plan", source), run("plan", source, "--json").json
    assert "at least 0.00 USD/month plus unknown (no price for web)" in shown.out
    assert plain["cost"]["unknown"] == ["web"]
    assert plain["tiers"]["web"]["monthly_cost"] is None
    assert plain["cost"]["items"][0]["monthly"] is None
    priced = run("plan", source, "--set", "node_types.own.price=0.1", "--json").json
    assert priced["cost"]["unknown"] == []
    assert priced["cost"]["monthly"] == pytest.approx(0.1 * 730 * priced["tiers"]["web"]["nodes"], rel=1e-12)


# Dollars are not euros: the book's prices are unknown in a file of another currency, every one of them.
def test_another_currency_has_no_book_price() -> None:
    cost = run("plan", SHOP, "--set", "currency=EUR", "--json").json["cost"]
    assert cost["unknown"] == ["web", "app", "redis", "mysql", "fulfilment"]
    assert cost["monthly"] == 0
    assert cost["currency"] == "EUR"
    said = run("plan", SHOP, "--set", "currency=EUR", "--only", "cost").out
    assert "built-in prices are in USD and not converted to EUR" in " ".join(said.split())


# What we did not foresee is told as our bug, with where it happened and without a traceback.
@pytest.mark.parametrize(
    "failure", [ZeroDivisionError("float division"), RecursionError(), MemoryError(), KeyError("x")]
)
def test_a_bug(failure: Exception, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr(capacity.plan, "size", fail)
    ended = run("plan", source)
    assert (ended.code, ended.out) == (70, "")
    assert "Traceback" not in ended.err
    assert ended.err.startswith(f"internal error: {type(failure).__name__}: ")
    assert "plan.py" in ended.err
    assert "report" in ended.err


# An interrupt ends with 130 and a word, and leaves no file.
def test_an_interrupt(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(capacity.plan, "size", interrupt)
    ended = run("plan", source, "-o", source.with_name("plan.toml"))
    assert (ended.code, ended.out) == (130, "")
    assert "Traceback" not in ended.err
    assert [path.name for path in source.parent.iterdir()] == ["a.toml"]


# Each way to end has its code.
@pytest.mark.parametrize(
    ("ending", "code"), [(SystemExit(), 0), (SystemExit(1), 1), (SystemExit("text"), 2), (UsageError("no"), 2)]
)
def test_exit_codes(ending: BaseException, code: int) -> None:
    def run_out() -> None:
        raise ending

    assert guarded(run_out) == code


# A reader that has seen enough, as `head -1` has, ends the program without a word.
def test_a_closed_pipe_is_quiet() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed:
        ended = subprocess.run(
            [PROGRAM, "plan", str(SHOP)], stdout=closed, stderr=subprocess.PIPE, check=False, timeout=60
        )
    assert ended.stderr == b""
    assert ended.returncode == 141


# A plan has no colour and no width of the terminal in it: the same bytes in any environment that reads UTF-8.
@pytest.mark.parametrize("settings", [{"COLUMNS": "40", "TERM": "xterm-256color"}, {"NO_COLOR": "1"}, {"LC_ALL": "C"}])
def test_the_environment_changes_nothing(settings: dict[str, str], source: Path) -> None:
    expected = run("plan", source).out
    ended = subprocess.run(
        [PROGRAM, "plan", source],
        capture_output=True,
        env={**os.environ, **settings},
        check=True,
        timeout=60,
    )
    assert ended.stdout.decode() == expected


# --load takes a factor, a percentage, and nothing that is no positive factor.
@pytest.mark.parametrize(
    ("text", "factor"), [("2x", 2), ("2", 2), (" 1.5 X ", 1.5), ("150%", 1.5), ("1e3", 1000), ("1e-3x", 0.001)]
)
def test_load_factor(text: str, factor: float) -> None:
    assert load_factor(text) == factor


# Nonsense for --load is refused with what was found and what is allowed.
@pytest.mark.parametrize(
    "text", ["", "x", "abc", "-1", "0", "0%", "nan", "inf", "1e400", "1e7", "2xx", "2x3", "\x1b[31m"]
)
def test_load_nonsense(text: str) -> None:
    ended = run("plan", SHOP, "--load", text)
    assert (ended.code, ended.out) == (2, "")
    assert "allowed is a factor above 0" in ended.err
    assert "\x1b" not in ended.err


# The format is the one asked for, else that of the ending, else a table; --json may be said twice.
def test_chosen_format() -> None:
    choose: Callable[..., str] = chosen
    assert choose(None, None, json=False) == "table"
    assert choose(None, "a.TOML", json=False) == "toml"
    assert choose("csv", "a.json", json=False) == "csv"
    assert choose("json", "a.csv", json=True) == "json"
    assert choose(None, "a.csv", json=True) == "json"
