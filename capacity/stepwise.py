"""The command that tries what comes next, and writes the step that is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from capacity import console
from capacity.options import AsFormat, AsJson, File, Force, Load, Output, Overrides, Prices, document_of

if TYPE_CHECKING:
    from capacity.document import Document

Apply = Annotated[
    str | None,
    typer.Option("--apply", metavar="STEP", help="Write the file with one step, like global-cache or separate:db."),
]
Ahead = Annotated[
    int,
    typer.Option(help="For how many of the first steps it is told which load they carry; 0: none, faster.", min=0),
]


def next_step(
    file: File,
    *,
    apply: Apply = None,
    ahead: Ahead = 3,
    overrides: Overrides = None,
    load: Load = "1x",
    prices: Prices = None,
    output: Output = None,
    form: AsFormat = None,
    json: AsJson = False,
    force: Force = False,
) -> None:
    """Try the steps of a growing architecture on this one: what each would bring, cost and risk; write one of them.

    Examples: capacity next shop.toml --load 2x; capacity next shop.toml --apply global-cache -o shop-cached.toml
    """
    from capacity import next_report  # noqa: PLC0415
    from capacity import output as out  # noqa: PLC0415
    from capacity.errors import UsageError  # noqa: PLC0415
    from capacity.next_steps import applied, next_steps  # noqa: PLC0415
    from capacity.reading import read  # noqa: PLC0415

    if apply is not None and (json or form is not None):
        raise UsageError("--apply writes the topology as TOML: leave --json and --format out")
    target = out.Target(output, "toml" if apply is not None else out.table_or(form, output, json=json), force)
    text = read(file)
    document = document_of(text, file, overrides, load, prices)
    with out.progress("trying steps") as tick:
        if apply is None:
            found = next_steps(document, ahead=ahead, tick=tick)
        else:
            edit = applied(document, apply, tick)
    if apply is None:
        out.emit_sections(target, document.source, next_report.sections(found), found)
    else:
        _write(target.file, text, edit.document, force=force)


def _write(target: str | None, text: str, document: Document, *, force: bool) -> None:
    """Write the changed file with all comments of the text; the numbers of a plan in it are no longer true."""
    from capacity import output as out  # noqa: PLC0415
    from capacity.rewriting import rewritten  # noqa: PLC0415

    values = {key: value for key, value in document.values.items() if key != "plan"}
    changed = rewritten(text, values)
    if target in (None, "-"):
        console.say(changed)
    else:
        out.write_result(target, changed, document.source, force=force)
        console.tell(f"wrote {target}")
    if document.load_factor != 1:
        console.tell(f"the rates are those of the file as it was: plan it with --load {document.load_factor:g}")
