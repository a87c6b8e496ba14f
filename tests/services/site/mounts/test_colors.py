"""The mount `colors` (row 9 of where netkit comes from)."""

import re
from urllib.parse import urlsplit

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.messages import Response
from netkit.services.site.mounts.colors import Colors, ink_on
from tests.http.fakes import asked, content, field


class Paths(SynchronousTestCase):
    def setUp(self) -> None:
        """Begin with no colour seen."""
        self.colors = Colors(3)

    def got(self, path: str, base: str = "/colors", method: bytes = b"GET") -> Response:
        """Return the answer for `path`."""
        return self.colors.answer(asked(path, method, base=base))

    def seen(self) -> list[str]:
        """Return the colours that the index shows."""
        page = content(self.got("/color/")).decode()
        return re.findall('href="/colors/color/([0-9a-f]{6})"', page)

    def test_home(self) -> None:
        """The home links to colours and to the index."""
        page = content(self.got("/"))
        self.assertIn(b'href="/colors/color/"', page)
        self.assertIn(b'href="/colors/color/00abef"', page)

    def test_page(self) -> None:
        """A colour has a page on that background."""
        response = self.got("/color/00ABef")
        self.assertEqual(response.status, 200)
        self.assertIn(b"--paper: #00abef;", content(response))
        self.assertIn(b"<h1>#00abef</h1>", content(response))

    def test_index(self) -> None:
        """The index shows the colours seen, the latest first and each once."""
        self.assertEqual(self.seen(), [])
        self.assertIn(b"None yet", content(self.got("/color/")))
        for color in ("000001", "000002", "00000A", "000001"):
            self.got("/color/" + color)
        self.assertEqual(self.seen(), ["000001", "00000a", "000002"])

    def test_index_is_bounded(self) -> None:
        """No more colours are remembered than the setting says."""
        for number in range(10):
            self.got(f"/color/00000{number}")
        self.assertEqual(self.seen(), ["000009", "000008", "000007"])

    def test_redirects(self) -> None:
        """The mount and `/color` without their slashes redirect to them."""
        for base in ("", "/colors"):
            response = self.got("/color", base)
            self.assertEqual(response.status, 301)
            self.assertEqual(field(response, b"Location"), f"{base}/color/".encode())
        self.assertEqual(field(self.got(""), b"Location"), b"/colors/")

    def test_style_sheet(self) -> None:
        """The style sheet is one."""
        response = self.got("/styles.css")
        self.assertEqual(field(response, b"Content-Type"), b"text/css; charset=utf-8")
        self.assertIn(b".swatches", content(response))

    def test_nothing(self) -> None:
        """Whatever is not exactly six hexadecimal digits is nothing, and not remembered."""
        for path in (
            "/color/00abe",
            "/color/00abeff",
            "/color/00abeg",
            "/color/00abef/",
            "/color/#00abef",
            "/color/00abef\n",
            "/color/\u0660\u0660\u0660\u0660\u0660\u0660",
            "/color/<script>",
            "/colors",
            "//",
        ):
            response = self.got(path)
            self.assertEqual(response.status, 404)
            self.assertNotIn(b"<script", content(response))
        self.assertEqual(self.seen(), [])

    def test_methods(self) -> None:
        """Colours are read."""
        self.assertEqual(self.got("/color/00abef", method=b"DELETE").status, 405)

    def test_links(self) -> None:
        """Every link of every page, below any mount, leads to a page of the mount."""
        for base in ("", "/colors", "/a b/\u00fc"):
            for path in ("/", "/color/", "/color/123456"):
                page = content(self.got(path, base)).decode()
                for link in re.findall('href="([^"]*)"', page.partition("<body>")[2]):
                    prefix = "".join(
                        f"%{b:02X}" if b > 126 or b == 32 else chr(b) for b in base.encode()
                    )
                    self.assertTrue(link.startswith(prefix + "/"))
                    below = urlsplit(link).path[len(prefix) :]
                    self.assertEqual(self.got(below, base).status, 200)

    @settings(deadline=None, max_examples=100)
    @given(st.text(max_size=12))
    def test_any_path(self, path: str) -> None:
        """No path makes the index show anything but colours."""
        self.got("/color/" + path)
        self.assertTrue(all(re.fullmatch("[0-9a-f]{6}", color) for color in self.seen()))


class Ink(SynchronousTestCase):
    def test_contrast(self) -> None:
        """Dark colours are written on in white, light ones in black."""
        self.assertEqual([ink_on(color) for color in ("000000", "0000ff", "800000")], ["#fff"] * 3)
        self.assertEqual([ink_on(color) for color in ("ffffff", "ffff00", "00abef")], ["#000"] * 3)
