"""The opening handshake: who may open a WebSocket, and what the 101 says."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.handshake import acceptance, chosen, refusal
from netkit.http.messages import Request
from netkit.http.origins import ANY_ORIGIN
from tests.http.fakes import field
from tests.http.sockets import KEY, opening


def _status(request: Request, *origins: str) -> int | None:
    refused = refusal(request, origins)
    return None if refused is None else refused.status


class Opening(SynchronousTestCase):
    def test_accepted(self) -> None:
        """The example of RFC 6455 1.3 is accepted with its token."""
        self.assertIsNone(refusal(opening()))
        fields = dict(acceptance(opening(), None))
        self.assertEqual(fields[b"Sec-WebSocket-Accept"], b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        self.assertEqual(fields[b"Connection"], b"Upgrade")
        self.assertEqual(fields[b"Upgrade"], b"websocket")
        self.assertNotIn(b"Sec-WebSocket-Protocol", fields)

    def test_any_case_and_others_beside(self) -> None:
        """The protocol's name is compared without case, and may be one of many."""
        self.assertIsNone(refusal(opening(upgrade=b"h2c , WebSocket")))

    def test_other_methods(self) -> None:
        """Only a GET opens a WebSocket; a 405 says so."""
        for method in (b"POST", b"HEAD", b"get"):
            refused = refusal(opening(method=method))
            assert refused is not None
            self.assertEqual((refused.status, field(refused, b"Allow")), (405, b"GET"))

    def test_no_upgrade(self) -> None:
        """A request that asks for nothing, or something else, gets a 426 that says what is here."""
        for upgrade in (b"", b"h2c", b"websocket2", b"websocket/13"):
            refused = refusal(opening(upgrade=upgrade))
            assert refused is not None
            self.assertEqual((refused.status, field(refused, b"Upgrade")), (426, b"websocket"))
            self.assertEqual(field(refused, b"Connection"), b"Upgrade")

    def test_http_1_0(self) -> None:
        """HTTP/1.0 knows no upgrade (RFC 9110 7.8)."""
        self.assertEqual(_status(opening(version=b"HTTP/1.0")), 426)

    def test_other_versions(self) -> None:
        """Another version, or none, gets a 426 that names 13 (RFC 6455 4.4)."""
        without = b"sec-websocket-version"
        for version in ((), ((b"Sec-WebSocket-Version", b"8"),)):
            refused = refusal(opening(*version, without=without))
            assert refused is not None
            self.assertEqual(refused.status, 426)
            self.assertEqual(field(refused, b"Sec-WebSocket-Version"), b"13")
        self.assertEqual(_status(opening((b"Sec-WebSocket-Version", b"13"))), 426)

    def test_keys(self) -> None:
        """The key is 16 bytes in base64, and there is one."""
        without = b"sec-websocket-key"
        self.assertEqual(_status(opening(without=without)), 400)
        self.assertEqual(_status(opening((b"Sec-WebSocket-Key", KEY))), 400)
        for key in (b"", KEY[:-1], KEY[:-2], KEY[:-4], KEY + b"AAAA", b"!" * 24, b"A" * 24):
            with self.subTest(key):
                self.assertEqual(
                    _status(opening((b"Sec-WebSocket-Key", key), without=without)), 400
                )

    @settings(deadline=None, max_examples=100)
    @given(st.binary(max_size=30))
    def test_any_key(self, key: bytes) -> None:
        """No bytes for a key raise anything."""
        request = opening((b"Sec-WebSocket-Key", key), without=b"sec-websocket-key")
        self.assertIn(_status(request), (None, 400))

    def test_body(self) -> None:
        """A request with a body is refused: its bytes could be taken for frames."""
        self.assertEqual(_status(opening(length=5)), 400)
        self.assertEqual(_status(opening(length=None)), 400)


class Origins(SynchronousTestCase):
    def _judged(self, origin: bytes, authority: bytes = b"test", **more: bool) -> int | None:
        return _status(opening((b"Origin", origin), authority=authority, **more))  # type: ignore[arg-type]

    def test_own(self) -> None:
        """A page of the same host and port is let in, the scheme's own port said or not."""
        for origin, authority in (
            (b"http://test", b"test"),
            (b"http://test", b"test:80"),
            (b"http://TEST:80", b"test"),
            (b"http://test:8080", b"Test:8080"),
            (b"http://[::1]", b"[::1]"),
            (b"http://[::1]:81", b"[::1]:81"),
        ):
            with self.subTest(origin):
                self.assertIsNone(self._judged(origin, authority))
        self.assertIsNone(self._judged(b"https://test", b"test:443", secure=True))

    def test_foreign(self) -> None:
        """A page from anywhere else is not, nor one that hides where it is from."""
        for origin, authority in (
            (b"http://evil.example", b"test"),
            (b"http://test.evil.example", b"test"),
            (b"http://eviltest", b"test"),
            (b"http://test@evil.example", b"test"),
            (b"http://test:81", b"test"),
            (b"http://test", b"test:443"),
            (b"http://[::1]", b"[::2]"),
            (b"ftp://test", b"test"),
            (b"null", b"test"),
            (b"", b""),
            (b"http://", b""),
            (b"http://test, http://test", b"test"),
            (b"\xff", b"test"),
        ):
            with self.subTest(origin):
                self.assertEqual(self._judged(origin, authority), 403)

    def test_tls(self) -> None:
        """TLS may end before us, but a page without TLS does not reach a connection with it."""
        self.assertIsNone(self._judged(b"https://test"))
        self.assertEqual(self._judged(b"http://test", b"test:80", secure=True), 403)

    def test_given(self) -> None:
        """A list of origins lets in those, exactly, beside our own; or any."""
        for origin, status in (
            (b"https://app.example", None),
            (b"https://app.example.evil.example", 403),
            (b"http://app.example", 403),
            (b"http://test", None),
        ):
            request = opening((b"Origin", origin))
            self.assertEqual(_status(request, "https://app.example"), status)
            self.assertIsNone(_status(request, ANY_ORIGIN))

    def test_no_browser(self) -> None:
        """A client that names no origin is let in: it can say what it likes anyway."""
        self.assertIsNone(_status(opening()))


class Subprotocols(SynchronousTestCase):
    def test_the_clients_first(self) -> None:
        """The first of the client's that is spoken here is chosen."""
        offered = opening(
            (b"Sec-WebSocket-Protocol", b"x, b"), (b"Sec-WebSocket-Protocol", b"a,  B")
        )
        self.assertEqual(chosen(offered, ("a", "b")), "b")
        self.assertIsNone(chosen(offered, ("c",)))
        self.assertIsNone(chosen(opening(), ("a",)))
        self.assertIsNone(chosen(opening((b"Sec-WebSocket-Protocol", b"\xff,")), ("a",)))

    def test_told(self) -> None:
        """The 101 says what was chosen."""
        fields = dict(acceptance(opening(), "b"))
        self.assertEqual(fields[b"Sec-WebSocket-Protocol"], b"b")
