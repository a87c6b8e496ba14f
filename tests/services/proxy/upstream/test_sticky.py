"""The cookie that names a server: read from anything, and set for the mount alone."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.proxy.upstream.sticky import cookie, digest, set_cookie


class Cookies(SynchronousTestCase):
    def test_found(self) -> None:
        """The first cookie of that name is found, wherever it stands."""
        for field in (b"at=x", b"a=b; at=x; at=y", b'a="q"; at="x"', b" at=x ;b", b"a;at=x"):
            self.assertEqual(cookie(field, b"at"), b"x")
        for field in (b"", b"at", b"bat=x", b"a=at=x", b"AT=x"):
            self.assertIsNone(cookie(field, b"at"))

    @given(st.binary(max_size=200))
    @settings(deadline=None, max_examples=100)
    def test_anything(self, field: bytes) -> None:
        """Whatever a visitor writes is a value or none."""
        found = cookie(field, b"at")
        self.assertTrue(found is None or found in field)

    def test_long(self) -> None:
        """A long field takes one pass."""
        self.assertIsNone(cookie(b" " * 100_000 + b";" * 100_000 + b"at" * 100_000, b"at"))

    def test_digest(self) -> None:
        """A server has the same value everywhere, which is another with a secret, and shows no name."""
        self.assertEqual(digest("tcp:10.0.0.1:80"), digest("tcp:10.0.0.1:80"))
        values = {digest("a"), digest("b"), digest("a", "s"), digest("a", "t" * 1000)}
        self.assertEqual(len(values), 4)
        self.assertTrue(all(value.isalnum() for value in values))

    def test_set(self) -> None:
        """The cookie is for the mount, not for scripts, and over TLS for TLS alone."""
        self.assertEqual(
            set_cookie(b"at", b"x", "/app", 3600, secure=True),
            (b"Set-Cookie", b"at=x; Max-Age=3600; Path=/app; HttpOnly; SameSite=Lax; Secure"),
        )
        self.assertEqual(
            set_cookie(b"at", b"x", "/", 0, secure=False)[1],
            b"at=x; Path=/; HttpOnly; SameSite=Lax",
        )
