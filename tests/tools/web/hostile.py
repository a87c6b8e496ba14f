"""Servers on loopback that answer as no server should."""

from collections.abc import Callable
from typing import Any

from twisted.internet.protocol import Factory, Protocol

Script = Callable[["Peer", str], None]
"""Answers a request for a target on a connection."""


class Peer(Protocol):
    """One connection, whose requests `script` answers."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._heard = b""

    def dataReceived(self, data: bytes) -> None:
        """Answer what is whole."""
        self._heard += data
        while b"\r\n\r\n" in self._heard:
            section, _, self._heard = self._heard.partition(b"\r\n\r\n")
            self.section = section.decode()
            self._script(self, section.split(b" ", 2)[1].decode())

    def say(self, *parts: bytes) -> None:
        """Send a head line after the other, without an end of the section."""
        transport: Any = self.transport
        transport.writeSequence(parts)

    def answer(
        self, body: bytes = b"", *fields: bytes, status: int = 200, length: int | None = None
    ) -> None:
        """Send an answer whose length may be a lie."""
        announced = b"Content-Length: %d" % (len(body) if length is None else length)
        lines = (b"HTTP/1.1 %d Phrase" % status, announced, *fields, b"", b"")
        self.say(b"\r\n".join(lines), body)

    def leave(self) -> None:
        """Close the connection, cleanly."""
        transport: Any = self.transport
        transport.loseConnection()

    def cut(self) -> None:
        """Close the connection below TLS."""
        transport: Any = self.transport
        getattr(transport, "transport", transport).abortConnection()


class Hostile(Factory):
    """Makes such connections."""

    noisy = False

    def __init__(self, script: Script) -> None:
        self._script = script

    def buildProtocol(self, addr: object) -> Peer:
        """Return one."""
        return Peer(self._script)


def flood(peer: Peer) -> None:
    """Send a header section that has no end, as fast as it is taken."""
    peer.say(b"HTTP/1.1 200 OK\r\n")
    transport: Any = peer.transport
    transport.registerProducer(_Flood(transport), False)


class _Flood:
    """Makes field lines without end."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def resumeProducing(self) -> None:
        """Send some more."""
        self._transport.write(b"X: y\r\n" * 1000)

    def stopProducing(self) -> None:
        """Do nothing: the client has left."""
