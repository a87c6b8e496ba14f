"""A server with TLS on the loopback interface, for programs that this project did not write."""

from collections.abc import Sequence
from shutil import which
from typing import Any
from unittest import SkipTest

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.protocol import Factory
from twisted.internet.utils import getProcessOutputAndValue
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.trial.unittest import TestCase

from netkit.net.tls import Protocols, Store


def serve(test: TestCase, store: Store, protocols: Protocols, factory: Factory) -> int:
    """Listen until the end of `test`; return the port."""
    from twisted.internet import reactor  # noqa: PLC0415 (trial has chosen it by now)

    wrapped = TLSMemoryBIOFactory(store.creator(protocols), isClient=False, wrappedFactory=factory)
    factory_of_any_sort: Any = wrapped
    port = reactor.listenTCP(0, factory_of_any_sort, interface="127.0.0.1")
    test.addCleanup(maybeDeferred, port.stopListening)
    address = port.getHost()
    assert isinstance(address, IPv4Address)
    return address.port


async def output(
    program: str, arguments: Sequence[str], typed: bytes | None = None
) -> tuple[str, int]:
    """Return what `program` prints, errors first, and its exit status; skip where there is none.

    `typed` is what it is given to read.
    """
    path = which(program)
    if path is None:
        raise SkipTest(f"{program} is not installed")
    ended: Deferred[tuple[bytes, bytes, int]] = getProcessOutputAndValue(
        path, list(arguments), stdinBytes=typed
    )
    out, errors, status = await ended
    return (errors + out).decode(errors="replace"), status
