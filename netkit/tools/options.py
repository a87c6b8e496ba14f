"""What the subcommands have in common on the command line, and how they say what they show.

Rule: the standard output has nothing but data; everything else is for the standard error.
"""

import json
import signal
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from netkit.document.values import Between, printable
from netkit.tools.outcome import TroubleError

_Command = TypeVar("_Command", bound=Callable[..., Any])

_SHORTEST, _LONGEST = 0.01, 366 * 24 * 3600.0  # seconds


def seconds(low: float) -> Callable[[click.Context, click.Parameter, float], float]:
    """Return the check of an option that says how long something may take, from `low` on."""
    waited = Between(low, _LONGEST, "seconds")

    def check(_: click.Context, __: click.Parameter, value: float) -> float:
        complaint = waited.complaint(value)
        if complaint:
            raise click.BadParameter(complaint)
        return value

    return check


def timeout(default: float) -> Callable[[_Command], _Command]:
    """Return the option `--timeout`: how long a server may say nothing, in seconds."""
    return click.option(
        "--timeout",
        metavar="SECS",
        type=float,
        callback=seconds(_SHORTEST),
        default=default,
        show_default=True,
        help="How long a server may say nothing: until it is connected, and in between.",
    )


as_json = click.option("--json", "as_json", is_flag=True, help="Show the data as JSON.")


def examples(*lines: str) -> str:
    """Return the epilog of a command's help: lines to type."""
    return "\n".join(("\b", "Examples:", *(f"  netkit {line}" for line in lines)))


def show(text: str) -> None:
    """Write a line of data, flushed; what others wrote is made `printable` by the caller."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def show_json(value: object) -> None:
    """Write `value` as one line of JSON."""
    show(json.dumps(value, ensure_ascii=True))


def remark(text: str) -> None:
    """Tell the user something beside the data, on one line; what others wrote stays harmless."""
    sys.stderr.write(f"netkit: {printable(text)}\n")


def on_a_terminal() -> bool:
    """Return whether somebody is there to be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str, *, hidden: bool = False) -> str:
    """Return what the user answers, asked on the standard error; nothing else happens meanwhile.

    TroubleError where nobody is there; KeyboardInterrupt where Ctrl-C is the answer.
    """
    if not on_a_terminal():
        raise TroubleError(f"nobody is there to be asked for the {question.lower()}")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        answer: str = click.prompt(
            question, hide_input=hidden, err=True, default="", show_default=False
        )
    except click.Abort:
        raise KeyboardInterrupt from None
    finally:
        signal.signal(signal.SIGINT, before)
    return answer
