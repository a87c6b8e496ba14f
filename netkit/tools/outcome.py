"""What came of a command: its exit status, and why nothing came of it.

Rule: the statuses are those of grep and diff, for every command: 0 done, 1 done and the answer was
no, 2 trouble.
"""

import os
import sys
import traceback
from enum import IntEnum

from netkit.document.values import printable

DEBUG = "NETKIT_DEBUG"
"""The environment variable that has mistakes of our own shown with all they say."""


class Exit(IntEnum):
    """The exit status of a command."""

    DONE = 0
    NO = 1
    """As with a page that has changed, a port that is closed, a 404."""
    TROUBLE = 2
    INTERRUPTED = 130  # as a shell has it: 128 and SIGINT
    CUT_OFF = 141  # SIGPIPE: nobody reads the output any more
    TERMINATED = 143  # SIGTERM


class TroubleError(Exception):
    """It cannot be done. The text says why, on one line, what others wrote quoted in it."""


def told(error: BaseException | None) -> Exit:
    """Tell the user in one line what is in the way; return the exit status that goes with it."""
    if isinstance(error, KeyboardInterrupt):
        return Exit.INTERRUPTED
    if isinstance(error, BrokenPipeError):
        # Whoever read has gone, as `head` does; the interpreter shall not complain as it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.CUT_OFF
    sys.stderr.write(f"netkit: {_words(error)}\n")
    if DEBUG in os.environ:
        traceback.print_exception(error)
    return Exit.TROUBLE


def _words(error: BaseException | None) -> str:
    if isinstance(error, TroubleError):
        return printable(str(error))
    if isinstance(error, OSError) and error.strerror:
        place = f"{printable(str(error.filename))}: " if error.filename is not None else ""
        return f"{place}{error.strerror.lower()}"
    what = printable(f"{type(error).__name__}: {error}")
    return f"this is a mistake in netkit, please report it: {what} ({DEBUG}=1 shows where)"
