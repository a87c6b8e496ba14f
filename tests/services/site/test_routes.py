"""Targets, paths and mounts."""

import re
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.site.routes import (
    BadTargetError,
    Place,
    Routes,
    decoded_path,
    mount_path_complaint,
)

SEGMENTS = st.lists(st.sampled_from(["a", "b", ".", "..", "...", ""]), min_size=1, max_size=8)


class DecodedPath(SynchronousTestCase):
    def test_paths(self) -> None:
        """A path is decoded once, in origin-form and in absolute-form."""
        for target, path in (
            (b"/", "/"),
            (b"/a/b?c=/../d", "/a/b"),
            (b"/a%20b", "/a b"),
            (b"/caf%C3%A9", "/caf\u00e9"),
            (b"/%2541", "/%41"),
            (b"/%252e%252e/x", "/%2e%2e/x"),
            (b"/%5C", "/\\"),
            (b"//evil/", "//evil/"),
            (b"http://host:80/a?b", "/a"),
            (b"HTTPS://host", "/"),
            (b"http://host?b", "/"),
        ):
            self.assertEqual(decoded_path(target), path)

    def test_dots(self) -> None:
        """Dot segments are removed, encoded or not, and never lead above the root."""
        for target, path in (
            (b"/a/./b/../c", "/a/c"),
            (b"/a/b/..", "/a/"),
            (b"/a/.", "/a/"),
            (b"/..", "/"),
            (b"/../../etc/passwd", "/etc/passwd"),
            (b"/%2e%2E/%2e./etc", "/etc"),
            (b"/a/.../b", "/a/.../b"),
            (b"/..a/b..", "/..a/b.."),
            (b"/a;../b%5C...", "/a;../b\\..."),
        ):
            self.assertEqual(decoded_path(target), path)

    def test_refused(self) -> None:
        """What is no path, or hides a slash, a NUL or no UTF-8, is refused."""
        for target in (
            b"",
            b"*",
            b"host:443",
            b"a/b",
            b"?a",
            b"ftp://host/",
            b"http://",
            b"http:///a",
            b"/%",
            b"/%2",
            b"/%zz",
            b"/%00",
            b"/a%2fb",
            b"/a%2Fb",
            b"/%c3",
            b"/%c0%ae%c0%ae/",
            b"/%ed%a0%80",
            b"/\x80",
            b"/a b",
            b"/a\x7f",
            b"/a#b",
            b"/a?b#c",
            b"/..;/a",
            b"/a/.;x",
            b"/a/..%3Bx",
            b"/%5C..",
            b"/a%5C..%5Cb",
            b"/..%5Cb",
            b"/a%5C./b",
        ):
            self.assertRaises(BadTargetError, decoded_path, target)

    @settings(deadline=None, max_examples=300)
    @given(st.binary(max_size=40))
    def test_rubbish(self, rubbish: bytes) -> None:
        """Whatever follows a slash is refused, or is a path without NULs and dot segments."""
        try:
            path = decoded_path(b"/" + rubbish)
        except BadTargetError:
            return
        self.assertTrue(path.startswith("/"))
        self.assertNotIn("\0", path)
        self.assertFalse({".", ".."} & set(path.split("/")))

    @settings(deadline=None, max_examples=200)
    @given(SEGMENTS, st.randoms(use_true_random=False))
    def test_encoding_changes_nothing(self, segments: list[str], random: object) -> None:
        """Escapes of characters that need none make no difference."""
        plain = "/" + "/".join(segments)
        choice = getattr(random, "random")  # noqa: B009 (hypothesis gives it no type)
        escaped = "".join(
            f"%{ord(char):02x}" if char != "/" and choice() < 0.5 else char for char in plain
        )
        self.assertEqual(decoded_path(escaped.encode()), decoded_path(plain.encode()))

    @settings(deadline=None, max_examples=200)
    @given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0.")))
    def test_round_trip(self, segment: str) -> None:
        """Any text without slash, NUL and dots comes through as it is."""
        self.assertEqual(decoded_path(b"/" + quote(segment).encode()), "/" + segment)


class Finding(SynchronousTestCase):
    routes = Routes.of((("/", "root"), ("/app", "app"), ("/app/deep", "deep")))

    def test_longest_wins(self) -> None:
        """The longest mount that is a whole number of segments wins."""
        for path, place in (
            ("/", Place("root", "", "/")),
            ("/x", Place("root", "", "/x")),
            ("/apple", Place("root", "", "/apple")),
            ("/app", Place("app", "/app", "")),
            ("/app/", Place("app", "/app", "/")),
            ("/app/x", Place("app", "/app", "/x")),
            ("/app/deeper", Place("app", "/app", "/deeper")),
            ("/app/deep/x/", Place("deep", "/app/deep", "/x/")),
        ):
            self.assertEqual(self.routes.find(path), place)

    def test_slashes(self) -> None:
        """Slashes behind each other lead past no mount, and stay where they make no difference."""
        for path, place in (
            ("//app", Place("app", "/app", "")),
            ("///app//x", Place("app", "/app", "/x")),
            ("/app//deep//x", Place("deep", "/app/deep", "/x")),
            ("/app//deeper", Place("app", "/app", "//deeper")),
            ("/x//y", Place("root", "", "/x//y")),
            ("//x", Place("root", "", "//x")),
        ):
            self.assertEqual(self.routes.find(path), place)
        self.assertEqual(Routes.of((("/app", "app"),)).find("//app/x"), Place("app", "/app", "/x"))

    def test_nothing(self) -> None:
        """Without a mount at the root, other paths lead nowhere."""
        routes = Routes.of((("/app", "app"),))
        self.assertIsNone(routes.find("/"))
        self.assertIsNone(routes.find("/apple"))

    @settings(deadline=None, max_examples=200)
    @given(st.lists(st.sampled_from(["/", "/a", "/a/b", "/ab", "/b"]), unique=True), SEGMENTS)
    def test_base_and_path(self, mounts: list[str], segments: list[str]) -> None:
        """The base and the path below it are the path that was asked for."""
        path = re.sub("//+", "/", "/" + "/".join(segments))
        place = Routes.of((mount, mount) for mount in mounts).find(path)
        fitting = [m for m in mounts if (path + "/").startswith(m.rstrip("/") + "/")]
        if place is None:
            self.assertEqual(fitting, [])
        else:
            self.assertEqual(place.base + place.path, path)
            self.assertEqual(place.mounted, max(fitting, key=len))


class MountPaths(SynchronousTestCase):
    def test_right(self) -> None:
        """A mount is at the root or at a decoded path without a slash at its end."""
        for path in ("/", "/a", "/a/b", "/gr\u00f6\u00dfe", "/.well-known"):
            self.assertIsNone(mount_path_complaint(path))

    def test_wrong(self) -> None:
        """Anything else is wrong."""
        for path in ("", "a", "/a/", "//", "//a", "/a//b", "/..", "/a/./b", "/a%20", "/a?b", "/ a"):
            self.assertIn('"/colors"', mount_path_complaint(path) or "")
