"""`netkit password`: a password becomes the hash that a configuration holds.

Rule: a password is never an argument, which every user of a host could read in its list of
processes, and is never shown.
"""

import sys
from collections.abc import Callable
from functools import partial
from typing import TextIO

import click

from netkit.passwords import LONGEST_PASSWORD, hashed
from netkit.tools.options import ask, examples, on_a_terminal, show
from netkit.tools.outcome import TroubleError

Ask = Callable[[str], str]


@click.command(epilog=examples("password", "password < file"))
def command() -> None:
    """Print the hash of a password, for a configuration.

    The password is asked for on a terminal, or else is the first line of the standard input.
    """
    try:
        password = asked(partial(ask, hidden=True)) if on_a_terminal() else line(sys.stdin)
        show(str(hashed(password)))
    except ValueError as error:
        raise TroubleError(str(error)) from None


def asked(ask: Ask) -> str:
    """Return the password that `ask` was answered with twice; ValueError: the answers differ."""
    password = ask("Password")
    if ask("Again") != password:
        raise ValueError("the two are not the same")
    return password


def line(source: TextIO) -> str:
    """Return the first line of `source` without its end; ValueError: it is not UTF-8."""
    try:
        return source.readline(LONGEST_PASSWORD + 2).removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise ValueError("the password is not UTF-8") from None
