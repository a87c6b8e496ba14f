"""The mount `static` (row 7 of where netkit comes from: fixed pages)."""

import os
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.messages import FileRange, Response
from netkit.services.site.mounts.static import KIND, Settings, answer
from netkit.services.site.routes import BadTargetError, decoded_path
from tests.http.fakes import asked, content, field


class Static(SynchronousTestCase):
    def setUp(self) -> None:
        """Make a root with pages, hidden files and a secret beside it."""
        top = Path(self.mktemp())
        self.settings = Settings(top / "root", extension=".html")
        for name in (
            "index.html",
            "test.html",
            "data.bin",
            ".hidden",
            "sub/index.html",
            "sub/a.b/c",
        ):
            path = top / "root" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
        (top / "root" / "empty").mkdir()
        (top / "secret").write_text("secret")
        (top / "root" / "out").symlink_to("../secret")
        (top / "root" / "in").symlink_to("index.html")
        os.mkfifo(top / "root" / "pipe")

    def get(self, path: str, method: bytes = b"GET", base: str = "") -> Response:
        """Return the answer for `path`."""
        return answer(self.settings, asked(path, method, base=base, target=b"/x?q=1"))

    def shown(self, path: str) -> str:
        """Return the content of the file that is shown for `path`."""
        response = self.get(path)
        self.assertEqual(response.status, 200)
        assert isinstance(response.body, FileRange)
        with response.body.file as file:
            return file.read().decode()

    def assert_nothing(self, path: str) -> None:
        """Assert that there is nothing at `path`."""
        response = self.get(path)
        self.assertEqual(response.status, 404)
        self.assertIn(b"404 Not Found", content(response))

    def test_fixed_pages(self) -> None:
        """`/` and `/test` are pages, and there is nothing elsewhere."""
        self.assertEqual(self.shown("/"), "index.html")
        self.assertEqual(self.shown("/test"), "test.html")
        self.assert_nothing("/other")

    def test_files(self) -> None:
        """Files are found by their whole name, folders by their index."""
        self.assertEqual(self.shown("/test.html"), "test.html")
        self.assertEqual(self.shown("/sub/"), "sub/index.html")
        self.assertEqual(self.shown("/sub/a.b/c"), "sub/a.b/c")

    def test_no_extension(self) -> None:
        """Without the setting nothing is added to a path."""
        self.settings = Settings(self.settings.root)
        self.assert_nothing("/test")

    def test_headers(self) -> None:
        """A file has its type and is not to be sniffed, unknown ones are bytes."""
        for path, kind in (("/", b"text/html; charset=utf-8"), ("/data.bin", None)):
            response = self.get(path)
            response.close()
            self.assertEqual(field(response, b"Content-Type"), kind or b"application/octet-stream")
            self.assertEqual(field(response, b"X-Content-Type-Options"), b"nosniff")

    def test_redirect_to_the_slash(self) -> None:
        """A folder without its slash redirects to it, below the mount, with the query."""
        for path, base, location in (("/sub", "", b"/sub/?q=1"), ("", "/m", b"/m/?q=1")):
            response = self.get(path, base=base)
            self.assertEqual((response.status, field(response, b"Location")), (301, location))

    def test_no_redirect_elsewhere(self) -> None:
        """A path that looks like another host redirects nowhere."""
        for path in ("//evil", "//sub", "///sub", "/\\evil"):
            self.assert_nothing(path)

    def test_nothing(self) -> None:
        """Hidden names, links out and in, pipes, empty folders and odd slashes are nothing."""
        for path in (
            "/.hidden",
            "/.",
            "/..",
            "/../secret",
            "/sub/../../secret",
            "/sub/../index.html",
            "/out",
            "/in",
            "/pipe",
            "/empty/",
            "/test/",
            "/test.html/",
            "/sub//a.b/c",
            "/%2e%2e/secret",
        ):
            self.assert_nothing(path)

    def test_attacks_as_written(self) -> None:
        """No target, however encoded, shows the secret."""
        for target in (
            b"/../secret",
            b"/%2e%2e/secret",
            b"/%252e%252e/secret",
            b"/..%2fsecret",
            b"/..%5csecret",
            b"/sub/..%c0%afsecret",
            b"/out%00.html",
            b"/sub/%2e%2e/%2e%2e/secret",
            b"//secret",
            b"/./out",
        ):
            try:
                path = decoded_path(target)
            except BadTargetError:
                continue
            self.assert_nothing(path)

    def test_methods(self) -> None:
        """GET and HEAD are all there is."""
        response = self.get("/", b"HEAD")
        response.close()
        self.assertEqual(response.status, 200)
        response = self.get("/", b"POST")
        self.assertEqual((response.status, field(response, b"Allow")), (405, b"GET, HEAD"))

    @settings(deadline=None, max_examples=200)
    @given(
        st.lists(st.sampled_from(["sub", "..", ".", "", "secret", "root", "a.b", "c"]), max_size=6)
    )
    def test_nothing_escapes(self, segments: list[str]) -> None:
        """Whatever segments a path has, what is shown is a file of the root."""
        response = self.get("/" + "/".join(segments))
        if isinstance(response.body, FileRange):
            with response.body.file as file:
                self.assertNotEqual(file.read(), b"secret")


class Complaints(SynchronousTestCase):
    def test_missing_root(self) -> None:
        """A root that is missing, or a file, is a complaint that names it."""
        [complaint] = KIND.complaints(Settings(Path("/no/such/folder")))
        self.assertEqual(complaint.path, ("root",))
        self.assertTrue(complaint.text.startswith('"/no/such/folder" is no folder; '))
        self.assertEqual(len(list(KIND.complaints(Settings(Path(__file__))))), 1)

    def test_names(self) -> None:
        """An index is a visible name and an extension begins with its dot."""
        here = Path(__file__).parent
        self.assertEqual(list(KIND.complaints(Settings(here, extension=".html"))), [])
        for wrong in (
            Settings(here, index=""),
            Settings(here, index=".x"),
            Settings(here, index="a/b"),
            Settings(here, extension="html"),
            Settings(here, extension="./x"),
        ):
            self.assertEqual(len(list(KIND.complaints(wrong))), 1)
