"""WSGI applications on the adapter, in real threads: Flask, and ones that do what they must not."""

from collections.abc import AsyncIterator, Iterable
from threading import Event
from typing import Any

from attrs import evolve
from twisted.internet import reactor
from twisted.internet.address import UNIXAddress
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.logger import LogEvent
from twisted.trial.unittest import TestCase
from twisted.web.wsgi import WSGIResource

from netkit.http.messages import PIECE_BYTES, Response
from netkit.http.resources import resource_handler
from netkit.http.workers import Workers
from netkit.http.wsgi import ApplicationError, WsgiHost
from tests.http import ecosystem
from tests.http.ecosystem import Flask
from tests.http.fakes import Visitor, asked, content, field, recorded

_REACTOR: Any = reactor
_LONG = 10.0


class _Case(TestCase):
    timeout = 20

    def setUp(self) -> None:
        self.events: list[LogEvent] = []
        self.workers = Workers(2, recorded(self.events), idle=0.01)

    def tearDown(self) -> None:
        for thread in self.workers.threads:
            thread.join(_LONG)

    def handler(self, application: Any, **kw: Any) -> Any:
        host = WsgiHost(application, _REACTOR, self.workers, **kw)
        return self.hosting(host)

    def hosting(self, resource: Any) -> Any:
        return resource_handler(resource, clock=_REACTOR, log=recorded(self.events), form_bytes=0)

    async def ask(self, application: Any, *args: Any, **kw: Any) -> Response:
        """Return the answer of an application to a request."""
        answer = self.handler(application)(asked(*args, **kw))
        return answer if isinstance(answer, Response) else await answer


async def _all(stream: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in stream])


def _said(environ: Any, start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Length", "4")])
    return [b"said"]


class FlaskTests(_Case):
    def setUp(self) -> None:
        super().setUp()
        self.app: Any = Flask("test")
        self.app.secret_key = b"secret"

        @self.app.route("/")
        def home() -> str:
            ecosystem.session["n"] = ecosystem.session.get("n", 0) + 1
            return f"home {ecosystem.session['n']} {ecosystem.request.script_root}"

        @self.app.route("/form", methods=["POST"])
        def form() -> str:
            files = [each.read().decode() for each in ecosystem.request.files.values()]
            return f"{ecosystem.request.form.to_dict()} {files}"

        @self.app.route("/old")
        def old() -> Any:
            return ecosystem.redirect("/new")

        @self.app.route("/wrong")
        def wrong() -> Any:
            return str(1 // 0)

        @self.app.route("/large")
        def large() -> Any:
            return iter([b"x" * 10_000] * 100)

    async def test_page(self) -> None:
        """A page is answered as bytes, below the mount, with its session's cookie."""
        response = await self.ask(self.app, "/", base="/app")
        self.assertEqual((response.status, content(response)), (200, b"home 1 /app"))
        self.assertEqual(field(response, b"Content-Type"), b"text/html; charset=utf-8")
        cookie = (field(response, b"Set-Cookie") or b"").partition(b";")[0]
        again = await self.ask(self.app, "/", headers=((b"Cookie", cookie),))
        self.assertEqual(content(again), b"home 2 ")

    async def test_head(self) -> None:
        """HEAD has the length and no body."""
        response = await self.ask(self.app, "/", b"HEAD")
        body: Any = response.body
        self.assertEqual((body.length, await _all(body)), (7, b""))

    async def test_statuses(self) -> None:
        """Redirects and pages that are not there are answered as Flask does."""
        response = await self.ask(self.app, "/old")
        self.assertEqual((response.status, field(response, b"Location")), (302, b"/new"))
        self.assertEqual((await self.ask(self.app, "/nothing")).status, 404)

    async def test_form(self) -> None:
        """Forms and files are read by Flask, of announced length or not."""
        urlencoded = ((b"Content-Type", b"application/x-www-form-urlencoded"),)
        response = await self.ask(self.app, "/form", b"POST", headers=urlencoded, body=b"a=b")
        self.assertEqual(content(response), b"{'a': 'b'} []")
        multipart = ((b"Content-Type", b"multipart/form-data; boundary=x"),)
        body = (
            b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n%b\r\n--x--\r\n'
        ) % (b"y" * 300_000)
        fields = (*multipart, (b"Content-Length", b"%d" % len(body)))
        response = await self.ask(self.app, "/form", b"POST", headers=fields, body=body)
        self.assertEqual(len(content(response)), 300_007)
        request = asked("/form", b"POST", headers=urlencoded, body=b"a=b")
        chunked = evolve(request, head=evolve(request.head, length=None))
        self.assertEqual(content(await self.handler(self.app)(chunked)), b"{'a': 'b'} []")

    async def test_error(self) -> None:
        """What Flask makes of an exception is its own page."""
        self.app.config["PROPAGATE_EXCEPTIONS"] = True
        with self.assertRaises(ZeroDivisionError):
            await self.ask(self.app, "/wrong")
        self.assertEqual((self.events, self.flushLoggedErrors()), ([], []))

    async def test_large(self) -> None:
        """A long answer is a stream."""
        response = await self.ask(self.app, "/large")
        body: Any = response.body
        self.assertEqual(len(await _all(body)), 1_000_000)

    async def test_plain_resource(self) -> None:
        """twisted.web's own WSGIResource works unchanged, with a pool of its own."""
        pool = _REACTOR.getThreadPool()
        handler = self.hosting(WSGIResource(_REACTOR, pool, self.app))
        self.assertEqual(content(await handler(asked("/"))), b"home 1 ")


class PaceTests(_Case):
    async def test_slow_client(self) -> None:
        """An application writes no faster than the client takes."""
        written: list[int] = []

        def application(environ: Any, start_response: Any) -> Iterable[bytes]:
            start_response("200 OK", [])
            for number in range(100):
                written.append(number)
                yield b"x" * PIECE_BYTES

        response = await self.ask(application)
        stream: Any = response.body
        pieces = aiter(stream)
        for taken in range(1, 20):
            await anext(pieces)
            self.assertLessEqual(len(written), 2 * taken + 4)
        stream.close()

    async def test_client_leaves(self) -> None:
        """When the client leaves, the application is closed, and nothing is logged."""
        closed = Event()

        def application(environ: Any, start_response: Any) -> Iterable[bytes]:
            start_response("200 OK", [])
            try:
                while True:
                    yield b"x" * PIECE_BYTES
            finally:
                closed.set()

        response = await self.ask(application)
        response.close()
        self.assertTrue(closed.wait(_LONG))
        await self._settled()
        self.assertEqual((self.events, self.flushLoggedErrors()), ([], []))

    async def test_client_left(self) -> None:
        """An application that still waits for a thread is not begun for a client that has left."""
        begun: list[Any] = []
        hold, held = Event(), [Event(), Event()]

        def holding(environ: Any, start_response: Any) -> Iterable[bytes]:
            held[int(environ["QUERY_STRING"])].set()
            hold.wait(_LONG)
            return _said(environ, start_response)

        def application(environ: Any, start_response: Any) -> Iterable[bytes]:
            begun.append(environ)
            return _said(environ, start_response)

        answers = [self.handler(holding)(asked(target=b"/?%d" % each)) for each in range(2)]
        self.assertTrue(held[0].wait(_LONG) and held[1].wait(_LONG))
        left = self.handler(application)(asked())
        left.addErrback(lambda _: None)
        left.cancel()
        hold.set()
        for answer in answers:
            self.assertEqual(content(await answer), b"said")
        await self._settled()
        self.assertEqual((begun, self.events, self.flushLoggedErrors()), ([], [], []))

    async def test_reads_when_the_client_has_left(self) -> None:
        """What fails only because the client has left is no news."""
        begun, left, failed = Event(), Event(), Event()

        def application(environ: Any, start_response: Any) -> Iterable[bytes]:
            begun.set()
            left.wait(_LONG)
            try:
                environ["wsgi.input"].read()
            finally:
                failed.set()
            return _said(environ, start_response)

        answer = self.handler(application)(asked())
        answer.addErrback(lambda _: None)
        self.assertTrue(begun.wait(_LONG))
        answer.cancel()
        left.set()
        self.assertTrue(failed.wait(_LONG))
        await self._settled()
        self.assertEqual((self.events, self.flushLoggedErrors()), ([], []))

    async def test_too_busy(self) -> None:
        """When too many wait for a thread, the next is answered 503 at once."""
        hold = Event()

        def application(environ: Any, start_response: Any) -> Iterable[bytes]:
            hold.wait(_LONG)
            return _said(environ, start_response)

        handler = self.handler(application, waiting=1)
        answers = []
        while not isinstance(answer := handler(asked()), Response):
            answers.append(answer)
            self.assertLessEqual(len(answers), 4)
        self.assertEqual((answer.status, field(answer, b"Retry-After")), (503, b"5"))
        hold.set()
        for each in answers:
            self.assertEqual(content(await each), b"said")

    async def test_unix_client(self) -> None:
        """A client without an address is told as one."""
        seen: list[Any] = []

        def application(environ: Any, start_response: Any) -> Iterable[bytes]:
            seen.append(environ["REMOTE_ADDR"])
            return _said(environ, start_response)

        await self.ask(application, client=Visitor(UNIXAddress(None)))
        self.assertEqual(seen, [""])

    async def _settled(self) -> None:
        """Wait until all threads are gone, and what they have handed over is done."""
        self.tearDown()
        done: Deferred[None] = Deferred()
        _REACTOR.callFromThread(done.callback, None)
        await ensureDeferred(done)


class WrongTests(_Case):
    async def fails(self, application: Any, error: type[Exception]) -> None:
        with self.assertRaises(error):
            await self.ask(application)
        self.assertEqual((self.events, self.flushLoggedErrors()), ([], []))

    async def test_wrong(self) -> None:
        """What an application does against PEP 3333 is raised, for the server's 500."""

        def said(status: Any, *headers: Any) -> Any:
            return lambda _, start_response: start_response(status, list(headers)) and []

        for application in (
            said("200"),
            said("OK"),
            said("100 Continue"),
            said("200 OK\r\nX: y"),
            lambda environ, start_response: [],
            lambda environ, start_response: [b"unannounced"],
        ):
            await self.fails(application, ApplicationError)
        await self.fails(said("200 OK", ("X\n", "y")), ValueError)
        await self.fails(said("200 OK", ("X", "\u2603")), ValueError)
        await self.fails(said("200 OK", ("X", "y"), "z"), ValueError)

    async def test_torn_header(self) -> None:
        """So is a header field of two lines."""

        def application(environ: Any, start_response: Any) -> Iterable[bytes]:
            start_response("200 OK", [("X", "a\r\nSet-Cookie: b=c")])
            return [b""]

        with self.assertRaisesRegex(Exception, "more than a line"):
            await self.ask(application)

    async def test_raises_when_begun(self) -> None:
        """What an application raises in the middle cuts the stream."""

        def application(environ: Any, start_response: Any) -> Iterable[bytes]:
            start_response("200 OK", [])
            yield b"x" * 2 * PIECE_BYTES
            yield b"y"
            raise ValueError("middle")

        response = await self.ask(application)
        stream: Any = response.body
        with self.assertRaisesRegex(ValueError, "middle"):
            await _all(stream)

    async def test_lies(self) -> None:
        """What an application announces is told to the server, which cuts an answer that is shorter."""

        def application(environ: Any, start_response: Any) -> Iterable[bytes]:
            start_response("200 OK", [("Content-Length", "10")])
            return [b"short"]

        response = await self.ask(application)
        stream: Any = response.body
        self.assertEqual((stream.length, await _all(stream)), (10, b"short"))
