"""The one place that turns what went wrong into a sentence on standard error and an exit code."""

from __future__ import annotations

import os
import platform
import sys
import traceback
from typing import TYPE_CHECKING, Final

from capacity import __version__
from capacity.errors import CapacityError, DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable

BAD_INPUT: Final = 2
BUG: Final = 70
INTERRUPTED: Final = 130
PIPE_CLOSED: Final = 141


def guarded(run: Callable[[], object]) -> int:
    """Return the exit code of a command, whatever happens in it."""
    code = 0
    try:
        run()
        sys.stdout.flush()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None) * BAD_INPUT
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        code = INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has seen enough; the interpreter must not complain about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = PIPE_CLOSED
    except DocumentError as error:
        for problem in error.problems:
            sys.stderr.write(f"{problem.text()}\n")
        many = len(error.problems)
        sys.stderr.write(f"{many} problem{'s' if many != 1 else ''}; nothing was computed\n")
        code = BAD_INPUT
    except CapacityError as error:
        sys.stderr.write(f"error: {error}\n")
        code = BAD_INPUT
    except Exception as error:  # noqa: BLE001 - the last line of defence: users never see a traceback
        sys.stderr.write(_report(error))
        code = BUG
    return code


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
