"""The mount `static`: requests and answers (row 7 of where netkit comes from: fixed pages)."""

import os
from collections.abc import Awaitable
from gzip import compress
from pathlib import Path
from resource import RLIMIT_NOFILE, getrlimit, setrlimit
from typing import Any

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.conditions import entity_tags
from netkit.http.messages import FileRange, Response
from netkit.services.site.mounts.static.mount import MOMENT, Static
from netkit.services.site.mounts.static.settings import CacheRule, Settings
from netkit.services.site.routes import BadTargetError, decoded_path
from tests.http.fakes import asked, content, field

LONG_AGO = 1_000_000_000
LATER = 60.0  # seconds after the files were written


class Mounted(SynchronousTestCase):
    """What the tests of a mount need: a root, and its answers."""

    def setUp(self) -> None:
        """Make a root."""
        self.top = Path(self.mktemp())
        self.root = self.top / "root"
        self.root.mkdir(parents=True)
        self.clock = Clock()
        self.ahead = LATER
        self.mount(Settings(self.root))

    def mount(self, settings: Settings) -> None:
        """Let answers come by these settings."""
        self.settings = settings
        self.static = Static(settings, self.clock, self.now)

    def now(self) -> float:
        """Return the time of day: some time after that of the files just written."""
        return (self.top.stat().st_mtime_ns // 10**9) + self.ahead

    def write(self, name: str, data: str | bytes) -> Path:
        """Write a file of the root."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    def get(
        self,
        path: str,
        method: bytes = b"GET",
        /,
        base: str = "",
        query: str = "?q=1",
        **fields: str,
    ) -> Response:
        """Return the answer for `path`, a moment later, however many turns of the clock it takes."""
        self.clock.advance(MOMENT)
        return self.get_at_once(path, method, base=base, query=query, **fields)

    def get_at_once(
        self,
        path: str,
        method: bytes = b"GET",
        /,
        base: str = "",
        query: str = "?q=1",
        **fields: str,
    ) -> Response:
        """Return the answer for `path`, asked for without delay."""
        headers = tuple(
            (name.replace("_", "-").encode(), each.encode()) for name, each in fields.items()
        )
        request = asked(path, method, base=base, target=b"/x" + query.encode(), headers=headers)
        answer = self.static.answer(request)
        response = answer if isinstance(answer, Response) else self.waited(answer)
        self.addCleanup(response.close)
        return response

    def waited(self, answer: Awaitable[Response]) -> Response:
        """Return the answer that comes after some turns."""

        async def wait() -> Response:
            return await answer

        waiting: Any = Deferred.fromCoroutine(wait())
        self.clock.advance(0)
        response: Response = self.successResultOf(waiting)
        return response

    def body(self, response: Response) -> bytes:
        """Return the bytes of the body, which are as many as were announced."""
        if isinstance(response.body, bytes):
            return response.body
        stream: Any = response.body

        async def read() -> bytes:
            return b"".join([piece async for piece in stream])

        got = self.successResultOf(Deferred.fromCoroutine(read()))
        self.assertEqual(len(got), stream.length)
        return got

    def shown(self, path: str, **fields: str) -> str:
        """Return the content of the file that is shown for `path`."""
        response = self.get(path, **fields)
        self.assertEqual(response.status, 200)
        return self.body(response).decode()

    def status(self, path: str, method: bytes = b"GET", /, **fields: str) -> int:
        """Return the status of the answer."""
        return self.get(path, method, **fields).status

    def tag(self, path: str, **fields: str) -> str:
        """Return the entity tag of what is shown."""
        return (field(self.get(path, **fields), b"ETag") or b"").decode()


class Fixed(Mounted):
    def setUp(self) -> None:
        """Make a root with pages, hidden files and a secret beside it."""
        super().setUp()
        for name in (
            "index.html",
            "test.html",
            "data.bin",
            ".hidden",
            ".git/config",
            ".well-known/security.txt",
            "sub/index.html",
            "sub/a.b/c",
        ):
            self.write(name, name)
        (self.root / "empty").mkdir()
        (self.top / "secret").write_text("secret")
        (self.root / "out").symlink_to("../secret")
        (self.root / "in").symlink_to("index.html")
        (self.root / "up").symlink_to("..")
        os.mkfifo(self.root / "pipe")
        self.mount(Settings(self.root, extension=".html"))

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
        self.mount(Settings(self.root))
        self.assert_nothing("/test")

    def test_headers(self) -> None:
        """A file has its type and is not to be sniffed, unknown ones are bytes."""
        for path, kind in (("/", b"text/html; charset=utf-8"), ("/data.bin", None)):
            response = self.get(path)
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
            "/.git/config",
            "/.well-known/",
            "/up/secret",
            "/sub/../../root/index.html",
            "/a\0b",
            "/index.html\0",
            "/\udcff",
            "/" + "a" * 300,
            "/" + "a/" * 5000,
            "/" + "a" * 70_000,
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
        """There are GET, HEAD and OPTIONS, which all say so, and nothing else."""
        self.assertEqual(self.status("/", b"HEAD"), 200)
        for method, status in ((b"OPTIONS", 204), (b"POST", 405), (b"get", 405), (b"TRACE", 405)):
            response = self.get("/", method)
            self.assertEqual(response.status, status)
            self.assertEqual(field(response, b"Allow"), b"GET, HEAD, OPTIONS")

    def test_dotfiles(self) -> None:
        """Of the hidden names those are shown that the settings name."""
        self.assertEqual(self.shown("/.well-known/security.txt"), ".well-known/security.txt")
        self.mount(Settings(self.root, dotfiles=(".hidden",)))
        self.assertEqual(self.shown("/.hidden"), ".hidden")
        self.assert_nothing("/.well-known/security.txt")

    def test_several_indexes(self) -> None:
        """The first index that there is is shown."""
        self.mount(Settings(self.root, index=("none.html", "test.html", "index.html")))
        self.assertEqual(self.shown("/"), "test.html")

    def test_repeatable(self) -> None:
        """Whatever has its bytes at hand may be repeated by the server."""
        for path, method in (("/", b"GET"), ("/no", b"GET"), ("/sub", b"GET"), ("/", b"PUT")):
            self.assertTrue(self.get(path, method).repeatable)
        self.assertTrue(self.get("/", if_none_match="*").repeatable)

    def test_descriptors(self) -> None:
        """No answer from memory, and no refusal, leaves a descriptor open."""
        before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
        for path in ("/", "/sub", "/sub/", "/no", "/pipe", "/out", "/test", "/empty/", "/in"):
            self.get(path)
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)  # noqa: PTH208

    def test_want_of_descriptors(self) -> None:
        """Where looking itself fails, that is an error and not nothing."""
        free = os.open("/dev/null", os.O_RDONLY)
        os.close(free)
        soft, hard = getrlimit(RLIMIT_NOFILE)
        setrlimit(RLIMIT_NOFILE, (free, hard))
        try:
            self.assertRaises(OSError, self.static.answer, asked("/"))
        finally:
            setrlimit(RLIMIT_NOFILE, (soft, hard))

    @settings(deadline=None, max_examples=200)
    @given(
        st.lists(st.sampled_from(["sub", "..", ".", "", "secret", "root", "a.b", "c"]), max_size=6)
    )
    def test_nothing_escapes(self, segments: list[str]) -> None:
        """Whatever segments a path has, what is shown is a file of the root."""
        response = self.get("/" + "/".join(segments))
        self.assertIn(response.status, (200, 301, 404))
        self.assertNotEqual(self.body(response), b"secret")


class Versions(Mounted):
    def test_tag_of_content(self) -> None:
        """The tag is strong and of the content: the same for a copy, another for another."""
        self.write("a", "one")
        self.write("b", "one")
        self.write("c", "two")
        self.assertEqual(self.tag("/a"), self.tag("/b"))
        self.assertNotEqual(self.tag("/a"), self.tag("/c"))
        [parsed] = entity_tags(self.tag("/a").encode())
        self.assertFalse(parsed.weak)

    def test_same_time_and_size(self) -> None:
        """A file that is replaced by one of the same size and time has another tag and content."""
        for size in (10, 3_000_000):
            with self.subTest(size):
                self.write("file", b"a" * size)
                os.utime(self.root / "file", (LONG_AGO, LONG_AGO))
                first = self.tag("/file")
                self.assertEqual(self.tag("/file"), first)
                new = self.write("new", b"b" * size)
                os.utime(new, (LONG_AGO, LONG_AGO))
                new.replace(self.root / "file")
                self.assertNotEqual(self.tag("/file"), first)
                self.assertEqual(self.shown("/file", if_none_match=first)[:1], "b")

    def test_just_written(self) -> None:
        """A file that was just written is read anew, as its time may not tell of a change."""
        self.ahead = 1.0
        path = self.write("file", "one")
        before = path.stat()
        self.assertEqual(self.shown("/file"), "one")
        first = self.tag("/file")
        path.write_text("two")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        self.assertEqual(self.shown("/file", if_none_match=first), "two")

    def test_not_modified(self) -> None:
        """Who has this version is told so, by tag or by date; who has another gets this one."""
        os.utime(self.write("a.css", "x"), (LONG_AGO, LONG_AGO))
        date = "Sun, 09 Sep 2001 01:46:40 GMT"
        response = self.get("/a.css")
        self.assertEqual(field(response, b"Last-Modified"), date.encode())
        tag = (field(response, b"ETag") or b"").decode()
        for fields, status in (
            ({"if_none_match": tag}, 304),
            ({"if_none_match": "W/" + tag}, 304),
            ({"if_none_match": '"other"', "if_modified_since": date}, 200),
            ({"if_modified_since": date}, 304),
            ({"if_modified_since": "Sunday, 09-Sep-01 01:46:40 GMT"}, 304),
            ({"if_modified_since": "Sun Sep  9 01:46:40 2001"}, 304),
            ({"if_modified_since": "Sun, 09 Sep 2001 01:46:39 GMT"}, 200),
            ({"if_match": '"other"'}, 412),
            ({"if_unmodified_since": "Sun, 09 Sep 2001 01:46:39 GMT"}, 412),
        ):
            self.assertEqual(self.status("/a.css", **fields), status, fields)
            self.assertEqual(self.status("/a.css", b"HEAD", **fields), status, fields)

    def test_no_conditions_on_nothing(self) -> None:
        """Where there is nothing, a condition changes nothing (RFC 9110 13.2.1)."""
        self.assertEqual(self.status("/none", if_match="*"), 404)
        self.assertEqual(self.status("/none", if_none_match="*"), 404)

    def test_time_to_come(self) -> None:
        """A file from the future was modified now at the latest (RFC 9110 8.8.2.1)."""
        os.utime(self.write("file", "x"), (4_000_000_000, 4_000_000_000))
        modified = field(self.get("/file"), b"Last-Modified") or b""
        self.assertNotIn(b"2096", modified)

    def test_date_given_by_hand(self) -> None:
        """A date that was set by whoever unpacked a file does not join two versions of it."""
        os.utime(self.write("file", "0123456789"), (LONG_AGO, LONG_AGO))
        self.write("own", "0123456789")
        for path, status in (("/file", 200), ("/own", 206)):
            date = (field(self.get(path), b"Last-Modified") or b"").decode()
            self.assertEqual(self.status(path, range="bytes=0-1", if_range=date), status)


class Parts(Mounted):
    def setUp(self) -> None:
        """Make a small and a large file, and an empty one."""
        super().setUp()
        self.large = bytes(range(256)) * 8192
        self.write("small", b"0123456789" * 10)
        self.write("large", self.large)
        self.write("empty", b"")

    def test_large_files_are_not_read(self) -> None:
        """A large file is left to the server, open, and is not repeatable."""
        response = self.get("/large")
        assert isinstance(response.body, FileRange)
        self.assertFalse(response.repeatable)
        self.assertEqual((response.body.offset, response.body.length), (0, len(self.large)))
        self.assertEqual(self.body(response), self.large)
        self.assertIsInstance(self.get("/small").body, bytes)

    def test_one(self) -> None:
        """A range of a large file is that part of the open file."""
        tag = self.tag("/large")
        response = self.get("/large", range="bytes=256-511", if_range=tag)
        self.assertEqual((response.status, self.body(response)), (206, bytes(range(256))))
        self.assertEqual(field(response, b"Content-Range"), b"bytes 256-511/2097152")

    def test_suffix(self) -> None:
        """A suffix longer than the file is all of it."""
        for path, data in (("/small", b"0123456789" * 10), ("/large", self.large)):
            response = self.get(path, range="bytes=-999999999999")
            self.assertEqual((response.status, self.body(response)), (206, data))

    def test_empty(self) -> None:
        """Nothing of an empty file can be had in parts, and its suffix is the whole."""
        for asked_for, status in (("bytes=0-", 416), ("bytes=0-0", 416), ("bytes=-5", 200)):
            response = self.get("/empty", range=asked_for)
            self.assertEqual(response.status, status)
        self.assertEqual(self.shown("/empty"), "")

    def test_too_many(self) -> None:
        """Of 200 ranges that overlap comes the whole, once; and never more than twice the file."""
        for path, size in (("/small", 100), ("/large", len(self.large))):
            for ranges in ("0-," * 200, "0-,0-,0-", "0-0," * 11):
                response = self.get(path, range="bytes=" + ranges)
                self.assertEqual((response.status, len(self.body(response))), (200, size))
            response = self.get(path, range="bytes=0-,0-")
            self.assertLess(len(self.body(response)), 2 * size + 1000)

    def test_several(self) -> None:
        """Several ranges of a large file come in parts."""
        response = self.get("/large", range="bytes=0-1,-2")
        body = self.body(response)
        self.assertEqual(response.status, 206)
        self.assertIn(b"\r\n\r\n\x00\x01\r\n--", body)
        self.assertIn(b"\r\n\r\n\xfe\xff\r\n--", body)

    @settings(deadline=None, max_examples=100)
    @given(st.text("bytes=0123456789-, ", max_size=60), st.text('W/"*abc, ', max_size=30))
    def test_never_an_error(self, ranges: str, tags: str) -> None:
        """Whatever stands in the fields, the answer is none of the server's own mistakes."""
        for path in ("/small", "/empty"):
            for fields in (
                {"range": ranges},
                {"range": "bytes=" + ranges, "if_range": tags},
                {"if_match": tags, "if_none_match": tags, "if_modified_since": ranges},
            ):
                self.assertIn(self.status(path, **fields), (200, 206, 304, 412, 416))


class Changing(Mounted):
    def test_folder_instead(self) -> None:
        """A folder where a file was a moment before is one, and the reverse."""
        path = self.write("name", "file")
        self.assertEqual(self.shown("/name"), "file")
        path.unlink()
        path.mkdir()
        self.assertEqual(self.status("/name"), 301)
        path.rmdir()
        self.assertEqual(self.status("/name"), 404)
        path.write_text("again")
        self.assertEqual(self.shown("/name"), "again")

    def test_within_a_moment(self) -> None:
        """What was just seen is shown again without a look at the disk, for a moment alone."""
        path = self.write("name", "one")
        tag = self.tag("/name")
        path.write_text("other")
        for method in (b"GET", b"HEAD"):
            self.assertEqual(self.body(self.get_at_once("/name", method)), b"one")
        self.assertEqual(self.get_at_once("/name", if_none_match=tag).status, 304)
        self.assertEqual(self.body(self.get_at_once("/name", range="bytes=1-")), b"ne")
        self.assertEqual(self.get_at_once("/name", b"POST").status, 405)
        self.assertTrue(self.get_at_once("/name").repeatable)
        self.assertEqual(self.shown("/name"), "other")

    def test_changes_are_seen(self) -> None:
        """A file that changes, grows, shrinks or goes is shown as it is, with its length."""
        path = self.write("name", "one")
        for data in (b"two", b"longer", b"s", b"", b"x" * 2_000_000, b"y" * 3_000_000):
            path.write_bytes(data)
            response = self.get("/name")
            self.assertEqual(self.body(response), data)
        path.unlink()
        self.assertEqual(self.status("/name"), 404)

    def test_cut_while_hashed(self) -> None:
        """A file that changes while it is hashed gets no tag, and the length that it then has."""
        path = self.write("name", b"x" * 2_000_000)
        answer = self.static.answer(asked("/name"))
        assert not isinstance(answer, Response)

        async def wait() -> Response:
            return await answer

        waiting: Any = Deferred.fromCoroutine(wait())
        path.write_bytes(b"y" * 1_500_000)
        self.clock.advance(0)
        response = self.successResultOf(waiting)
        self.assertIs(field(response, b"ETag"), None)
        self.assertEqual(self.body(response), b"y" * 1_500_000)
        response.close()

    def test_client_leaves_while_hashed(self) -> None:
        """An answer that nobody waits for any more leaves nothing open."""
        self.write("name", b"x" * 2_000_000)
        before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
        answers = [self.static.answer(asked("/name")) for _ in range(3)]

        async def wait(answer: Any) -> None:
            await answer

        waiting = [Deferred.fromCoroutine(wait(answer)) for answer in answers]
        for each in reversed(waiting):
            each.cancel()
            self.failureResultOf(each)
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)  # noqa: PTH208
        self.assertTrue(self.tag("/name"))


class Codings(Mounted):
    def setUp(self) -> None:
        """Make a text with all its codings, and one with a single coding and nothing else."""
        super().setUp()
        self.write("a.js", "plain")
        for end in ("br", "zst", "gz"):
            self.write(f"a.js.{end}", end)
        self.write("alone.css.gz", compress(b"styles"))
        self.write("other.txt", "other")

    def test_choice(self) -> None:
        """The best coding is sent that the client takes, as what the plain file is."""
        for accepted, body, coding in (
            ("br, gzip, zstd", "br", b"br"),
            ("gzip, zstd", "zst", b"zstd"),
            ("gzip", "gz", b"gzip"),
            ("identity", "plain", None),
            ("br;q=0, zstd;q=0.1, gzip;q=0.2", "gz", b"gzip"),
            ("identity;q=0, *", "br", b"br"),
        ):
            response = self.get("/a.js", accept_encoding=accepted)
            self.assertEqual(content(response), body.encode())
            self.assertEqual(field(response, b"Content-Encoding"), coding)
            self.assertEqual(field(response, b"Content-Type"), b"text/javascript; charset=utf-8")
            self.assertEqual(field(response, b"Vary"), b"Accept-Encoding")
        self.assertEqual(self.shown("/a.js"), "plain")

    def test_vary(self) -> None:
        """Every answer that depends on the coding says so, and no other does."""
        self.assertEqual(field(self.get("/a.js"), b"Vary"), b"Accept-Encoding")
        self.assertEqual(field(self.get("/a.js", if_none_match="*"), b"Vary"), b"Accept-Encoding")
        self.assertIs(field(self.get("/other.txt"), b"Vary"), None)

    def test_tags_differ(self) -> None:
        """Each coding is a representation of its own, in tags and in ranges."""
        tags = {self.tag("/a.js", accept_encoding=each) for each in ("br", "zstd", "gzip", "")}
        self.assertEqual(len(tags), 4)
        response = self.get("/a.js", accept_encoding="br", range="bytes=1-")
        self.assertEqual((response.status, response.body), (206, b"r"))
        for name in ("empty", "empty.gz"):
            self.write(name, "")
        self.assertNotEqual(self.tag("/empty"), self.tag("/empty", accept_encoding="gzip"))

    def test_without_the_plain_file(self) -> None:
        """A coding alone is sent to who takes it; who does not is told that it cannot be had."""
        response = self.get("/alone.css", accept_encoding="gzip")
        self.assertEqual(content(response), compress(b"styles"))
        self.assertEqual(field(response, b"Content-Encoding"), b"gzip")
        for accepted in ("br", "gzip;q=0", ""):
            response = self.get("/alone.css", accept_encoding=accepted)
            self.assertEqual(response.status, 406)
            self.assertEqual(field(response, b"Vary"), b"Accept-Encoding")
        self.assertEqual(self.status("/alone.css"), 406)

    def test_by_its_own_name(self) -> None:
        """A compressed file that is asked for by name is what it is, without a coding."""
        response = self.get("/alone.css.gz", accept_encoding="gzip")
        self.assertEqual(field(response, b"Content-Type"), b"application/gzip")
        self.assertIs(field(response, b"Content-Encoding"), None)

    def test_off(self) -> None:
        """Without the setting there are plain files only."""
        self.mount(Settings(self.root, precompressed=False))
        self.assertEqual(self.shown("/a.js", accept_encoding="br"), "plain")
        self.assertIs(field(self.get("/a.js"), b"Vary"), None)
        self.assertEqual(self.status("/alone.css", accept_encoding="gzip"), 404)

    def test_index_and_extension(self) -> None:
        """Indexes and files found by the extension have codings too."""
        self.write("index.html.br", "index")
        self.write("page.html.br", "page")
        self.mount(Settings(self.root, extension=".html"))
        self.assertEqual(self.shown("/", accept_encoding="br"), "index")
        self.assertEqual(self.shown("/page", accept_encoding="br"), "page")


class Options(Mounted):
    def test_error_pages(self) -> None:
        """A refusal has the operator's page and its own status and fields; netkit's where it is gone."""
        self.write("errors/404.html", "own")
        errors = {"404": "errors/404.html", "405": "errors/405.html", "416": "errors/404.html"}
        self.mount(Settings(self.root, errors=errors))
        response = self.get("/none")
        self.assertEqual((response.status, response.body), (404, b"own"))
        self.assertEqual(field(response, b"Content-Type"), b"text/html; charset=utf-8")
        self.assertEqual(field(response, b"X-Content-Type-Options"), b"nosniff")
        self.assertIn(b"405", content(self.get("/none", b"POST")))
        response = self.get("/errors/404.html", range="bytes=9-")
        self.assertEqual((response.status, response.body), (416, b"own"))
        self.assertEqual(field(response, b"Content-Range"), b"bytes */3")

    def test_large_error_page(self) -> None:
        """A page that is too large for memory is not sent for every mistake."""
        self.write("404.html", "x" * 2000)
        settings = Settings(self.root, errors={"404": "404.html"}, cached_file_bytes=1000)
        self.mount(settings)
        self.assertIn(b"404 Not Found", content(self.get("/none")))

    def test_fallback(self) -> None:
        """A browser gets the fallback for a path without a file; others get a 404."""
        self.write("app.html", "app")
        self.write("real/file.txt", "real")
        self.mount(Settings(self.root, fallback="app.html"))
        for path in ("/", "/user/7", "/real/", "/a/b/c"):
            self.assertEqual(self.shown(path, accept="text/html,*/*;q=0.1"), "app")
            self.assertEqual(self.shown(path), "app")
        self.assertEqual(field(self.get("/user"), b"Vary"), b"Accept")
        self.assertEqual(self.shown("/real/file.txt"), "real")
        for path, accepted in (
            ("/none.js", "*/*"),
            ("/api", "application/json"),
            ("/api", "text/html;q=0"),
            ("/.git/config", "text/html"),
        ):
            self.assertEqual(self.status(path, accept=accepted), 404)
        self.assertEqual(self.status("/user", b"POST"), 405)
        self.assertEqual(field(self.get("/none.js"), b"Vary"), b"Accept")

    def test_missing_fallback(self) -> None:
        """A fallback that has gone is nothing."""
        self.mount(Settings(self.root, fallback="app.html"))
        self.assertEqual(self.status("/user"), 404)

    def test_cache_control(self) -> None:
        """The first rule that fits says what caches may do, with a 304 as well."""
        for name in ("index.html", "a.css", "assets/a.css", "x.txt"):
            self.write(name, name)
        self.mount(Settings(self.root, cache_control=(
            CacheRule("/assets/*", "max-age=31536000, immutable"),
            CacheRule("*.css", "max-age=60"),
            CacheRule("/index.html", "no-cache"),
        )))  # fmt: skip
        for path, value in (
            ("/assets/a.css", b"max-age=31536000, immutable"),
            ("/a.css", b"max-age=60"),
            ("/", b"no-cache"),
            ("/x.txt", None),
            ("/none.css", None),
        ):
            self.assertEqual(field(self.get(path), b"Cache-Control"), value)
        response = self.get("/a.css", if_none_match="*")
        self.assertEqual((response.status, field(response, b"Cache-Control")), (304, b"max-age=60"))

    def test_listing(self) -> None:
        """A folder without an index is listed where the settings say so."""
        self.write("b/x.txt", "x")
        self.assertEqual(self.status("/b/"), 404)
        self.mount(evolve(self.settings, listing=True))
        response = self.get("/b/")
        self.assertEqual(response.status, 200)
        self.assertTrue(response.repeatable)
        self.assertIn(b'<a href="/b/x.txt">x.txt</a>', content(response))
        self.assertEqual(self.status("/b"), 301)
        self.assertEqual(self.status("/none/"), 404)
        self.write("b/index.html", "index")
        self.assertEqual(self.shown("/b/"), "index")
