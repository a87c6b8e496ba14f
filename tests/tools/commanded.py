"""Calls the command: within this process, or as a user does."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen
from click.testing import CliRunner
from twisted.internet.defer import Deferred
from twisted.internet.utils import getProcessOutputAndValue

from netkit.tools.command import main

ROOT = str(Path(__file__).parents[2])
"""Where the netkit stands that is tested."""


@frozen
class Ran:
    """What came of it."""

    status: int
    out: str
    errors: str


def called(*arguments: str, stdin: str | bytes = b"") -> Ran:
    """Call `netkit` with `arguments` in this process; not for what takes the reactor."""
    with CliRunner().isolation(input=stdin) as (out, errors, _):
        status = main(arguments)
        sys.stdout.flush()
        sys.stderr.flush()
        return Ran(status, out.getvalue().decode(), errors.getvalue().decode())


async def spawned(
    *arguments: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None
) -> Ran:
    """Run `netkit` with `arguments` as a process of its own, nowhere near a terminal."""
    ended: Deferred[tuple[bytes, bytes, int]] = getProcessOutputAndValue(
        sys.executable,
        ("-W", "error", "-m", "netkit.tools", *arguments),
        env={**os.environ, "PYTHONPATH": ROOT, **(environment or {})},
        stdinBytes=stdin,
    )
    out, errors, status = await ended
    return Ran(status, out.decode(), errors.decode())
