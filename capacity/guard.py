"""The one place that turns what went wrong into a sentence on standard error and an exit code."""

from __future__ import annotations

import os
import platform
import sys
import traceback
from typing import TYPE_CHECKING, Final

from capacity import __version__, console
from capacity.errors import CapacityError, DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable

BAD_INPUT: Final = 2
BUG: Final = 70
INTERRUPTED: Final = 130
PIPE_CLOSED: Final = 141

MOST_SHOWN: Final = 100
"""Problems of one file that are written out."""


def guarded(run: Callable[[], object]) -> int:
    """Return the exit code of a command, whatever happens in it."""
    code = 0
    try:
        console.prepare()
        run()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None) * BAD_INPUT
    except KeyboardInterrupt:
        console.tell("interrupted")
        code = INTERRUPTED
    except (console.OutputClosedError, BrokenPipeError):
        _forget_output()
        code = PIPE_CLOSED
    except console.OutputFailedError as error:
        console.tell(f"error: standard output cannot be written: {error}")
        _forget_output()
        code = BAD_INPUT
    except DocumentError as error:
        many = len(error.problems)
        for problem in error.problems[:MOST_SHOWN]:
            console.tell(problem.text())
        more = f", of which {MOST_SHOWN} are shown" if many > MOST_SHOWN else ""
        console.tell(f"{many} problem{'s' if many != 1 else ''}{more}; nothing was computed")
        code = BAD_INPUT
    except CapacityError as error:
        console.tell(f"error: {error}")
        code = BAD_INPUT
    except Exception as error:  # noqa: BLE001 - the last line of defence: users never see a traceback
        for line in _report(error).splitlines():
            console.tell(line)
        code = BUG
    return code


def _forget_output() -> None:
    """Keep the interpreter from complaining at exit about output that nobody can take."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _report(error: Exception) -> str:
    """Return what a report of a bug needs, without a traceback's noise."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    places = " <- ".join(f"{os.path.basename(f.filename)}:{f.lineno} {f.name}" for f in reversed(frames))  # noqa: PTH119
    return (
        f"internal error: {type(error).__name__}: {str(error)[:300]}\n"
        f"  at {places}\n"
        f"  capacity {__version__}, Python {platform.python_version()}, {platform.system()}\n"
        "This is a bug of capacity, not of your file. Please report these lines with the file that shows it.\n"
    )
