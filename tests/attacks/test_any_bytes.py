"""Whatever a client or an upstream says: the other side sees what netkit counts as valid, and no more."""

from http import HTTPStatus
from itertools import pairwise

import h11
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.attacks.honest import HONEST
from tests.attacks.origins import Llhttp, Origin
from tests.attacks.relayed import Relayed
from tests.attacks.test_hostile import CLEAN, NONE, SURPLUS
from tests.http.test_smuggling import PARTS, Attempt
from tests.net.transports import PeerTransport

_HONEST = st.sampled_from([each.at(b"") for each in HONEST.values()])
_SAID = st.lists(st.one_of(PARTS, _HONEST), max_size=5).map(b"".join)
_CUTS = st.lists(st.integers(0, 600), max_size=8)
_BITS = (b"\r\n", b"\n", b"\r", b" ", b":", b"0\r\n\r\n", b"5\r\nhello\r\n", b"HTTP/1.1 200 OK\r\n")
_LINES = (b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n")
_SHORT = [each for each in NONE.values() if len(each) < 1000]
_ANSWERED = st.lists(
    st.one_of(
        st.binary(max_size=20),
        st.sampled_from((CLEAN, *_SHORT, *(each for each, _ in SURPLUS.values()))),
        st.sampled_from((*_BITS, *_LINES)),
    ),
    max_size=6,
).map(b"".join)


class Served:
    """An llhttp that forgives everything, behind a relay in memory."""

    def __init__(self, relayed: Relayed) -> None:
        self.origin = Origin(0)
        self._relayed = relayed
        self._speakers: dict[PeerTransport, Llhttp] = {}

    def answer(self) -> None:
        """Answer what has come on each connection, to the end."""
        while any(map(self._answers, tuple(self._relayed.origin.ends))):
            self._relayed.clock.advance(1)

    def _answers(self, end: PeerTransport) -> bool:
        """Answer what has come on a connection; return whether anything has."""
        said = end.take()
        if said:
            speaker = self._speakers.get(end)
            if speaker is None:
                speaker = self._speakers[end] = Llhttp(self.origin, end.send)
            speaker.receive(said)
        return bool(said)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """Return `data` in pieces."""
    return [data[a:b] for a, b in pairwise([0, *sorted(cuts), len(data)])]


class AnyBytesTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=300)
    @given(_SAID, _CUTS)
    def test_from_clients(self, data: bytes, cuts: list[int]) -> None:
        """An origin sees the requests that a handler would see, with the same bodies, and no other."""
        relayed = Relayed()
        served = Served(relayed)
        for piece in pieces(data, cuts):
            if relayed.client.disconnected:
                break
            relayed.client.protocol.dataReceived(piece)
            served.answer()
            relayed.client.take()
        attempt = Attempt(data)
        wanted = list(zip(attempt.targets, attempt.bodies, strict=False))
        seen = [
            (each.line.split(" ")[1].encode("latin-1"), each.body.encode("latin-1"))
            for each in served.origin.seen
        ]
        self.assertEqual(wanted, seen)
        self.assertEqual([], served.origin.refused)
        self.assertEqual([], relayed.failures)


def whole(data: bytes, *, ended: bool) -> tuple[int, bytes] | None:
    """Return the status and the body that h11 sees in `data`, or None where that is not whole."""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers=[("Host", "h")]))
    client.send(h11.EndOfMessage())
    status, body = 0, b""
    try:
        client.receive_data(data)
        if ended:
            client.receive_data(b"")
        while not isinstance(event := client.next_event(), h11.EndOfMessage):
            if event is h11.NEED_DATA:
                return None
            if isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += event.data
    except h11.RemoteProtocolError:
        return None
    return status, body


class AnyAnswerTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=300)
    @given(_ANSWERED, _CUTS, st.booleans())
    def test_from_upstreams(self, data: bytes, cuts: list[int], ends: bool) -> None:
        """What a client takes for a whole answer is one, with the same body, to a strict reader."""
        relayed = Relayed()
        relayed.ask()
        end = relayed.origin.end
        for piece in pieces(data, cuts):
            end.send(piece)
            relayed.client.take()
        if ends and not end.disconnected:
            end.finish()
        relayed.wait(3)
        relayed.client.take()
        got = whole(relayed.client.taken, ended=bool(relayed.client.disconnected))
        if got is not None and got[0] != HTTPStatus.BAD_GATEWAY:
            self.assertEqual(whole(data, ended=ends), got)
        self.assertEqual([], relayed.failures)
