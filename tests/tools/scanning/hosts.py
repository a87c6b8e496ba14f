"""Servers on loopback ports whose state a test knows."""

import socket
from contextlib import ExitStack

from twisted.trial.unittest import TestCase

from netkit.tools.scanning.verdicts import Verdict


def sockets(test: TestCase) -> ExitStack:
    """Return what closes the sockets that are entered into it when `test` ends."""
    stack = ExitStack()
    test.addCleanup(stack.close)
    return stack


def listening(stack: ExitStack, backlog: int = 16, host: str = "127.0.0.1") -> int:
    """Return a port of `host` that is listened to; nobody accepts."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    server = stack.enter_context(socket.socket(family))
    server.bind((host, 0))
    server.listen(backlog)
    port: int = server.getsockname()[1]
    return port


def closed(stack: ExitStack) -> int:
    """Return a port of 127.0.0.1 that nobody listens to, and nobody else gets."""
    bound = stack.enter_context(socket.socket())
    bound.bind(("127.0.0.1", 0))
    port: int = bound.getsockname()[1]
    return port


def silent(stack: ExitStack) -> int:
    """Return a port of 127.0.0.1 that says nothing: its backlog is full."""
    port = listening(stack, 0)
    for _ in range(4):
        filler = stack.enter_context(socket.socket())
        filler.setblocking(False)
        filler.connect_ex(("127.0.0.1", port))
    return port


def by_port(results: "dict[Verdict, tuple[int, ...]]") -> dict[int, Verdict]:
    """Return `results` the other way round."""
    return {port: verdict for verdict, ports in results.items() for port in ports}
