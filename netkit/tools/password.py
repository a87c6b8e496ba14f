"""`python -m netkit.tools.password`: a password becomes the hash that a configuration holds.

Rule: a password is never an argument, which every user of a host could read in its list of
processes, and is never shown.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from getpass import getpass
from typing import TextIO

from netkit.passwords import LONGEST_PASSWORD, hashed

Ask = Callable[[str], str]


def main(arguments: Sequence[str] | None = None, source: TextIO | None = None) -> int:
    """Run the command with `arguments`, or those of the process; return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m netkit.tools.password",
        description="Print the hash of a password, which is asked for on a terminal, or else is the"
        " first line of the standard input.",
    )
    parser.parse_args(arguments)
    source = source or sys.stdin
    try:
        password = asked(getpass) if source.isatty() else line(source)
        sys.stdout.write(f"{hashed(password)}\n")
    except (ValueError, EOFError) as error:
        sys.stderr.write(f"netkit.tools.password: {error or 'there is no password'}\n")
        return 1
    return 0


def asked(ask: Ask) -> str:
    """Return the password that `ask` was answered with twice; ValueError: the answers differ."""
    password = ask("Password: ")
    if ask("Again: ") != password:
        raise ValueError("the two are not the same")
    return password


def line(source: TextIO) -> str:
    """Return the first line of `source` without its end; ValueError: it is not UTF-8."""
    try:
        return source.readline(LONGEST_PASSWORD + 2).removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise ValueError("the password is not UTF-8") from None


if __name__ == "__main__":
    sys.exit(main())
