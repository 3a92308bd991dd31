"""From a calculator to a command: its options as they are typed, its answer where it is wanted."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final

from typer import Exit
from typer.core import TyperArgument, TyperCommand, TyperOption

from capacity.calculators.calculator import FILE, FLAG, Given, NeededError
from capacity.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capacity.calculators.calculator import Answer, Calculator, Option
    from capacity.explanations import Explanation
    from capacity.section import Section

_FORMATS: Final = ("table", "json", "csv", "markdown")
_OWN: Final = ("points", "log", "explain", "output", "format", "json", "force")
"""The options that every calculator has."""


def command(calculator: Calculator) -> TyperCommand:
    """Return the command that runs a calculator."""
    examples = "\n".join(f"  {line}" for example in calculator.examples for line in _wrapped(example))
    return TyperCommand(
        calculator.name,
        params=[*map(_parameter, calculator.options), *_own()],
        help=f"{calculator.about}\n\n\b\nExamples:\n{examples}",
        callback=lambda **typed: run(calculator, typed),
        no_args_is_help=True,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def _wrapped(example: str) -> list[str]:
    """Return an example as a shell takes it, a long one over several lines."""
    lines = wrap(example, 72, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    return [f"{line} \\" for line in lines[:-1]] + lines[-1:]


def run(calculator: Calculator, typed: dict[str, Any]) -> None:
    """Answer what was typed: one answer, or one for each point of a range; exit 1 where a wish is not met."""
    from capacity import output as out  # noqa: PLC0415
    from capacity import render  # noqa: PLC0415
    from capacity.calculators import answers, arguments  # noqa: PLC0415

    target = out.Target(typed["output"], _format(typed), bool(typed["force"]))
    axis, points = arguments.read(calculator, typed, _points(typed["points"]), log=bool(typed["log"]))
    source = _file(calculator, typed)
    if axis is None:
        with out.progress(f"{calculator.name}", "steps") as tick:
            given = Given(points[0], tick)
            answer = answers.finite(_answered(calculator, given))
            explained = calculator.explain(given, answer) if typed["explain"] else None
        found = [*answers.sections(calculator, answer), *_told(explained)]
        out.emit_sections(target, source, found, answers.plain(calculator, points[0], answer, explained))
        if answer.met is False:
            raise Exit(1)
        return
    if typed.get("plot"):
        raise UsageError(f"--plot draws one law: give {axis.flag} one value")
    if typed["explain"]:
        raise UsageError(f"--explain tells of one answer: give {axis.flag} one value")
    with out.progress(f"{calculator.name}", "points") as tick:
        found_all: list[Answer] = []
        files: dict[str, str] = {}
        for at in points:
            found_all.append(answers.finite(_answered(calculator, Given(at, alone=False, files=files))))
            tick(len(found_all))
    sections = answers.over(calculator, axis, [at[axis.name] for at in points], found_all, _suffix(axis))
    rows = answers.over_table(axis, points, found_all)
    if target.form == "csv":
        out.emit_text(target, source, render.csv_table(rows))
    else:
        out.emit_sections(target, source, sections, answers.over_plain(calculator, axis, points, found_all))


def _answered(calculator: Calculator, given: Given) -> Answer:
    try:
        return calculator.answer(given)
    except NeededError as error:
        meaning = next((option.help for option in calculator.options if option.name == error.name), "")
        raise NeededError(error.name, meaning[:1].lower() + meaning[1:].rstrip(".")) from error
    except ValueError as error:
        # The models refuse what has no meaning, in words that are meant to be read.
        raise UsageError(f"{calculator.name}: {error}") from error


def _told(explained: Sequence[Explanation] | None) -> list[Section]:
    if explained is None:
        return []
    from capacity import explain_report  # noqa: PLC0415
    from capacity.section import Section  # noqa: PLC0415

    if not explained:
        return [Section("", notes=["there is no figure to be explained"])]
    return [section for one in explained for section in explain_report.full("", one)]


def _parameter(option: Option) -> Any:
    """Return an option as it is typed: always text, which is read with its unit later."""
    if option.unit == FILE:
        return TyperArgument(
            param_decls=[option.name], type=str, required=option.required, default=option.default, help=option.help,
            metavar="FILE",
        )  # fmt: skip
    names = [option.flag, *([f"--{option.also}"] if option.also else []), option.name]
    if option.unit == FLAG:
        return TyperOption(param_decls=names, is_flag=True, default=False, help=option.help)
    default = f" [default: {option.default}]" if option.default is not None else ""
    what = "|".join(option.choices) if option.choices else _METAVARS.get(option.unit, "NUMBER")
    return TyperOption(param_decls=names, type=str, metavar=what, help=option.help + default)


_METAVARS: Final = {
    "COUNT": "COUNT",
    "TEXT": "TEXT",
    "SECONDS": "TIME",
    "POSITIVE_SECONDS": "TIME",
    "BYTES": "SIZE",
    "PER_SECOND": "RATE",
    "POSITIVE_RATE": "RATE",
    "FRACTION": "SHARE",
    "CEILING": "SHARE",
    "BANDWIDTH": "BANDWIDTH",
}
_SUFFIXES: Final = {"TIME": "s", "SIZE": "B", "RATE": "/s", "SHARE": "share", "BANDWIDTH": "B/s"}


def _suffix(option: Option) -> str:
    return _SUFFIXES.get(_METAVARS.get(option.unit, ""), "")


def _own() -> list[TyperOption]:
    return [
        TyperOption(
            param_decls=["--points"], type=str, metavar="COUNT", default="20",
            help="Values of a range LOW..HIGH, which one number may be. [default: 20]",
        ),
        TyperOption(param_decls=["--log"], is_flag=True, default=False, help="A range in equal ratios."),
        TyperOption(
            param_decls=["--explain"], is_flag=True, default=False,
            help="How every figure came about: its formula with these numbers, or its method.",
        ),
        TyperOption(
            param_decls=["-o", "--output"], type=str, metavar="FILE", help="Write to a file, not to the screen."
        ),
        TyperOption(
            param_decls=["--format"], type=str, metavar="|".join(_FORMATS),
            help="Left out: by the ending of -o FILE, else a table.",
        ),
        TyperOption(param_decls=["--json"], is_flag=True, default=False, help="The same as --format json."),
        TyperOption(param_decls=["--force"], is_flag=True, default=False, help="Replace a file that exists."),
    ]  # fmt: skip


def _format(typed: dict[str, Any]) -> str:
    from capacity import output as out  # noqa: PLC0415
    from capacity.errors import ascii_quoted  # noqa: PLC0415

    form = typed["format"]
    if form is not None and form not in _FORMATS:
        raise UsageError(f"--format: found {ascii_quoted(form)}; allowed: {', '.join(_FORMATS)}")
    return out.table_or(form, typed["output"], json=bool(typed["json"]))


def _points(text: str) -> int:
    from capacity.calculators.arguments import MOST_POINTS  # noqa: PLC0415
    from capacity.errors import ascii_quoted  # noqa: PLC0415

    if not (text.isascii() and text.isdigit() and 2 <= int(text[:9]) <= MOST_POINTS):
        raise UsageError(f"--points: found {ascii_quoted(text)}; allowed: a whole number from 2 to {MOST_POINTS}")
    return int(text)


def _file(calculator: Calculator, typed: dict[str, Any]) -> str:
    """Return the file that is read, which an output must not overwrite by surprise."""
    names = [option.name for option in calculator.options if option.unit == FILE]
    return str(typed[names[0]]) if names and typed[names[0]] is not None else "-"
