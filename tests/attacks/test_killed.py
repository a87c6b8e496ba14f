"""Upstreams that die in the middle of an answer: no client takes what there was for the whole."""

import socket
import struct
from collections.abc import Sequence

import h11
from attrs import frozen
from twisted.trial.unittest import SynchronousTestCase

from tests.attacks.fronts import Front, before
from tests.attacks.honest import get, post
from tests.attacks.host import dial, read_until
from tests.attacks.origins import scripted

BODY = bytes(range(256)) * 400  # more than is waited for
SMALL = BODY[:300]
RESET = struct.pack("ii", 1, 0)


def _answer(framing: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nX-A: b\r\n%b\r\n%b" % (framing, body)


def _chunks(body: bytes) -> bytes:
    size = len(body) // 10
    pieces = (body[at : at + size] for at in range(0, len(body), size))
    return b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in pieces) + b"0\r\n\r\n"


def _framed(body: bytes) -> Sequence[bytes]:
    """Return the same answer by its length, in chunks, and to the end of the connection."""
    return (
        _answer(b"Content-Length: %d\r\n" % len(body), body),
        _answer(b"Transfer-Encoding: chunked\r\n", _chunks(body)),
        _answer(b"", body),
    )


@frozen
class Death:
    """How far an upstream gets, and whether it ends by a reset."""

    said: bytes
    reset: bool

    def happen(self, connection: socket.socket) -> None:
        """Send what is said, and be gone."""
        connection.sendall(self.said)
        if self.reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        connection.close()


def _deaths(answer: bytes, *, resets: Sequence[bool]) -> list[Death]:
    """Return ten deaths in each way, from the first byte to the one before the last."""
    last = len(answer) - 1
    return [Death(answer[: last * at // 9], reset) for reset in resets for at in range(10)]


DEATHS = [
    death
    for body in (SMALL, BODY)
    for answer, resets in zip(_framed(body), ((False, True), (False, True), (True,)), strict=True)
    for death in _deaths(answer, resets=resets)
]
"""Twenty in each of the three framings by a reset, and in two of them by a FIN."""


def _die(connection: socket.socket) -> None:
    asked = read_until(connection, b"\r\n\r\n")
    if asked:
        DEATHS[int(asked.split(b" ")[1][1:])].happen(connection)


def fate(front: Front, number: int) -> str:
    """Return what a client that reads to the end makes of the answer: "cut", or its status."""
    client = h11.Connection(h11.CLIENT)
    status = 0
    with dial(front.port) as connection:
        connection.sendall(front.leaving(f"/{number}"))
        client.send(h11.Request(method="GET", target="/", headers=[("Host", "h")]))
        client.send(h11.EndOfMessage())
        try:
            while not isinstance(event := client.next_event(), h11.EndOfMessage):
                if event is h11.NEED_DATA:
                    client.receive_data(connection.recv(65536))
                elif isinstance(event, h11.Response):
                    status = event.status_code
        except (h11.RemoteProtocolError, ConnectionResetError):
            return "cut"
    return str(status)


class Tired:
    """An upstream that answers the first request of each connection, and dies of the second."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []

    def serve(self, connection: socket.socket) -> None:
        """Serve a connection."""
        self._read(connection)
        connection.sendall(_answer(b"Content-Length: 5\r\n", b"hello"))
        self._read(connection)

    def _read(self, connection: socket.socket) -> None:
        asked = read_until(connection, b"\r\n\r\n")
        if asked:
            self.asked.append(asked.partition(b" HTTP/")[0])


def old_fate(front: Front, number: int) -> str:
    """Return what a client of HTTP/1.0 makes of it, to which only a reset says that it is cut."""
    received = b""
    with dial(front.port) as connection:
        said = front.leaving(f"/{number}").replace(b"HTTP/1.1", b"HTTP/1.0")
        connection.sendall(said)
        try:
            while data := connection.recv(65536):
                received += data
        except ConnectionResetError:
            return "cut"
    return received[9:12].decode()


class KilledTests(SynchronousTestCase):
    def assert_none_whole(self, fates: Sequence[str]) -> None:
        """Assert that each death was seen as one."""
        whole = {DEATHS[at]: fate for at, fate in enumerate(fates) if fate not in {"502", "cut"}}
        self.assertEqual({}, whole)
        self.assertEqual({"502", "cut"}, set(fates))

    def test_new_clients(self) -> None:
        """Each death is a 502 or an end that no client takes for the whole."""
        with scripted(_die) as port, before(self, port) as fronts:
            for front in fronts:
                fates = [fate(front, number) for number in range(len(DEATHS))]
                self.assert_none_whole(fates)

    def test_old_clients(self) -> None:
        """So it is for a client of HTTP/1.0, by a reset."""
        with scripted(_die) as port, before(self, port) as fronts:
            for front in fronts:
                fates = [old_fate(front, number) for number in range(len(DEATHS))]
                self.assert_none_whole(fates)

    def test_asked_again(self) -> None:
        """What may not be repeated is asked once; what may is asked once more, on a new connection."""
        tired = Tired()
        with scripted(tired.serve) as port, before(self, port) as fronts:
            for front in fronts:
                said = get(path=b"/1") + get(path=b"/2") + post()
                answers = front.ask(said.replace(b" <", b" " + front.base) + front.leaving("/3"))
                statuses = [each.status for each in answers]
                asked = [b"GET /1", b"GET /2", b"GET /2", b"POST /", b"GET /3"]
                self.assertEqual(([200, 200, 502, 200], asked), (statuses, tired.asked))
                tired.asked.clear()
