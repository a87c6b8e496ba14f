"""What a server is asked for never leads out of where the mount leads."""

import re
from urllib.parse import unquote

from hypothesis import given, reject, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.proxy.upstream.targets import target
from netkit.services.site.routes import BadTargetError, decoded_path


class Targets(SynchronousTestCase):
    def test_plain(self) -> None:
        """A plain path goes on as it is, with its query as received, behind the prefix."""
        self.assertEqual(target("/a;b/c.d", b"/app/a;b/c.d?x=%2F&&y"), b"/a;b/c.d?x=%2F&&y")
        self.assertEqual(target("/a", b"/app/a?", "/base"), b"/base/a?")
        self.assertEqual(target("/", b"/app/"), b"/")
        self.assertEqual(target("", b"/app"), b"/")

    def test_written_anew(self) -> None:
        """What is more than itself in a path is an escape."""
        for path, written in (
            ("/a b", b"/a%20b"),
            ("/ä", b"/%C3%A4"),
            ("/%2e%2e", b"/%252e%252e"),
            ("/a\\..\\b", b"/a%5C..%5Cb"),
            ("/a?b#c", b"/a%3Fb%23c"),
            ("/\r\nX: y", b"/%0D%0AX:%20y"),
        ):
            self.assertEqual(target(path, b"/"), written)

    def test_slashes(self) -> None:
        """No target begins with two slashes."""
        self.assertEqual(target("//evil.example/x", b"//evil.example/x"), b"/evil.example/x")
        self.assertEqual(target("/a//b", b"/a//b"), b"/a//b")
        self.assertEqual(target("//x", b"//x", "/base"), b"/base/x")

    def test_escapes(self) -> None:
        """Ways out of a folder, as attackers write them, are refused or end at the mount's root."""
        for received in (
            b"/../x", b"/a/../../x", b"/%2e%2e/x", b"/.%2E/x", b"/a/%2e%2e/%2E%2e/x", b"/./../x",
        ):  # fmt: skip
            self.assertEqual(target(decoded_path(received), received, "/base"), b"/base/x")
        for received in (
            b"/..%2fx",
            b"/%2e%2e%2Fx",
            b"/%00",
            b"/a%00/../x",
            b"/..;/x",
            b"/a%5C..%5Cx",
        ):
            self.assertRaises(BadTargetError, decoded_path, received)

    @given(st.text(st.sampled_from("/.%2efF5cC\\;a "), max_size=20))
    @settings(deadline=None, max_examples=200)
    def test_any_path(self, text: str) -> None:
        """Whatever the site has decoded, a server that decodes once gets the same path and no more."""
        received = b"/" + text.replace("%", "%25").replace(" ", "%20").encode()
        try:
            path = decoded_path(received)
        except BadTargetError:
            reject()
        written = target(path, received, "/base").decode("ascii")
        self.assertTrue(written.startswith("/base/"))
        self.assertEqual(unquote(written).removeprefix("/base/"), path.lstrip("/"))
        segments = [each.partition(";")[0] for each in re.split("/|%5C", written)]
        self.assertNotIn("..", segments)
