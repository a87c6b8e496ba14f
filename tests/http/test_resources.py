"""Resources of twisted.web's on their handler: what they are given, and what becomes of answers."""

from typing import Any

from attrs import evolve
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.error import UnsupportedMethod
from twisted.web.guard import BasicCredentialFactory, HTTPAuthSessionWrapper
from twisted.web.iweb import IRequest
from twisted.web.resource import EncodingResourceWrapper, IResource, Resource
from twisted.web.server import NOT_DONE_YET, GzipEncoderFactory, Request
from twisted.web.util import DeferredResource, Redirect
from zope.interface import implementer
from zope.interface.verify import verifyObject

from netkit.http.messages import BodyTooLargeError
from netkit.http.resources import resource_handler
from tests.http.ecosystem import Data, File
from tests.http.fakes import PEER, NarrowTransport, Visit, Visitor, answers, asked, recorded
from tests.http.hosting import Hosted, Page


class Leaf(Data):
    """Data that is there at every path."""

    isLeaf = True


_FORM = (b"Content-Type", b"application/x-www-form-urlencoded")


class GivenTests(SynchronousTestCase):
    """What a resource is given."""

    def given(self, *args: Any, **kw: Any) -> Any:
        """Return the request that a resource gets, unfinished."""
        page = Page(lambda _: NOT_DONE_YET)
        Hosted(page).ask(*args, **kw)
        (request,) = page.requests
        return request

    def test_class(self) -> None:
        """The request is one of twisted.web's."""
        request = self.given()
        self.assertIsInstance(request, Request)
        self.assertTrue(verifyObject(IRequest, request))

    def test_request_line(self) -> None:
        """The method, the target, its path and the version stand there as received."""
        request = self.given("/a%20b", b"PUT", target=b"/a%20b?x=1&x=2&y=", base="")
        self.assertEqual(request.method, b"PUT")
        self.assertEqual(request.uri, b"/a%20b?x=1&x=2&y=")
        self.assertEqual(request.path, b"/a%20b")
        self.assertEqual(request.clientproto, b"HTTP/1.1")
        self.assertEqual(request.args, {b"x": [b"1", b"2"], b"y": [b""]})

    def test_absolute_form(self) -> None:
        """A target in absolute-form is told without its host, which is in Host."""
        for target, uri in ((b"http://test/a?b=/", b"/a?b=/"), (b"http://test?q", b"/?q")):
            request = self.given(target=target, headers=((b"Host", b"other"),))
            self.assertEqual(request.uri, uri)
            self.assertEqual(request.getRequestHostname(), b"test")

    def test_fields(self) -> None:
        """Header fields and cookies can be had by any reading of twisted.web's."""
        request = self.given(
            headers=((b"x-a", b"1"), (b"X-A", b"2"), (b"Cookie", b"a=b; c=d"), (b"Cookie", b"e=f"))
        )
        self.assertEqual(request.requestHeaders.getRawHeaders("X-A"), ["1", "2"])
        self.assertEqual(request.getHeader(b"x-a"), b"2")
        self.assertEqual(request.getAllHeaders()[b"x-a"], b"2")
        self.assertEqual(
            [request.getCookie(name) for name in (b"a", b"c", b"e")], [b"b", b"d", b"f"]
        )

    def test_client(self) -> None:
        """The client's address is that of the client, and TLS is told."""
        request = self.given()
        self.assertEqual(request.getClientAddress(), PEER)
        self.assertFalse(request.isSecure())
        self.assertTrue(self.given(client=Visitor(secure=True)).isSecure())

    def test_host(self) -> None:
        """The host is the one that the visitor sees."""
        self.assertEqual((self.given().getHost().host, self.given().getHost().port), ("test", 80))
        for written, host, port in (
            (b"a:8080", "a", 8080),
            (b"[::1]:81", "::1", 81),
            (b"[::1]", "::1", 80),
            (b"a:", "a", 80),
            (b"a:123456", "a:123456", 80),
            (b"", "", 80),
        ):
            request = asked(headers=((b"Host", written),))
            page = Page(lambda _: NOT_DONE_YET)
            Hosted(page).send(evolve(request, head=evolve(request.head, authority=b"")))
            address = page.requests[0].getHost()
            self.assertEqual((address.host, address.port), (host, port))
        secure = self.given(client=Visitor(secure=True))
        self.assertEqual(secure.prePathURL(), b"https://test/")
        secure.setHost(b"example.org", 8443, 1)
        self.assertEqual(secure.prePathURL(), b"https://example.org:8443/")

    def test_below_the_mount(self) -> None:
        """The mount stands in prepath, the rest in postpath, decoded; links come out right."""
        request = self.given("/x y/", base="/a/b", target=b"/a/b/x%20y/")
        self.assertEqual(request.prepath, [b"a", b"b"])
        self.assertEqual(request.postpath, [b"x y", b""])
        self.assertEqual(request.prePathURL(), b"http://test/a/b")
        self.assertEqual(str(request.URLPath()), "http://test/a/b")

    def test_mount_itself(self) -> None:
        """The mount without a slash has an empty postpath."""
        self.assertEqual(self.given("", base="/a").postpath, [])

    def test_no_mount(self) -> None:
        """Without a site around it the path is read as twisted.web reads it."""
        request = self.given("", target=b"/a%2Fb/c?d")
        self.assertEqual((request.prepath, request.postpath), ([], [b"a/b", b"c"]))

    def test_children(self) -> None:
        """Children are found below the mount."""
        root = Resource()
        root.putChild(b"a", Data(b"child", "text/plain"))
        self.assertEqual(Hosted(root).ask("/a", base="/m").body, b"child")
        self.assertEqual(Hosted(root).ask("/b", base="/m").response.status, 404)
        self.flushWarnings()  # twisted.web's page for a 404 is deprecated by itself


class BodyTests(SynchronousTestCase):
    """The body of a request."""

    def posted(self, body: bytes, content_type: bytes = _FORM[1], **kw: Any) -> Any:
        page = Page(lambda request: request.content.read())
        hosted = Hosted(page, **kw)
        visit = hosted.ask(
            method=b"POST", body=body, headers=((b"Content-Type", content_type),), target=b"/?q=1"
        )
        return visit, page

    def test_content(self) -> None:
        """The body is a file, at its beginning, however large."""
        for size in (1, 1000, 1_000_000):
            visit, _ = self.posted(b"x" * size, b"text/plain")
            self.assertEqual(visit.body, b"x" * size)

    def test_form(self) -> None:
        """The fields of a form are in args, and the form in content still."""
        visit, page = self.posted(b"a=1&a=2&b=+%20")
        self.assertEqual(page.requests[0].args, {b"q": [b"1"], b"a": [b"1", b"2"], b"b": [b"  "]})
        self.assertEqual(visit.body, b"a=1&a=2&b=+%20")

    def test_multipart(self) -> None:
        """So are those of a form with files."""
        body = b'--x\r\nContent-Disposition: form-data; name="f"\r\n\r\nfile\r\n--x--\r\n'
        _, page = self.posted(body, b"multipart/form-data; boundary=x")
        self.assertEqual(page.requests[0].args[b"f"], [b"file"])

    def test_bad_multipart(self) -> None:
        """A form that is none is answered 400, and the resource does not see it."""
        visit, page = self.posted(b"rubbish", b"multipart/form-data; boundary=x")
        self.assertEqual(visit.response.status, 400)
        self.assertEqual(page.requests, [])

    def test_too_large(self) -> None:
        """A form with too many bytes or fields is refused as too large."""
        wide = b'--x\r\nContent-Disposition: form-data; name="f"\r\n\r\n\r\n' * 4 + b"--x--"
        multipart = b"multipart/form-data; boundary=x"
        for body, content_type in (
            (b"a=" + b"x" * 100, _FORM[1]),
            (b"a=1&b=2&c=3&d=4", _FORM[1]),
            (b"a=1;b=2;c=3;d=4", _FORM[1]),
            (wide[:300], multipart),
        ):
            with self.assertRaises(BodyTooLargeError):
                self.posted(body, content_type, form_bytes=100, form_fields=3)[0].settled()
        with self.assertRaises(BodyTooLargeError):
            self.posted(wide, multipart, form_bytes=1000, form_fields=3)[0].settled()

    def test_forms_left_alone(self) -> None:
        """With `form_bytes` of 0 a resource reads its forms itself, however large."""
        visit, page = self.posted(b"a=" + b"x" * 100, form_bytes=0)
        self.assertEqual(page.requests[0].args, {b"q": [b"1"]})
        self.assertEqual(len(visit.body), 102)


class AnswerTests(SynchronousTestCase):
    """What becomes of an answer that is there at once."""

    def test_bytes(self) -> None:
        """Bytes that are returned are the body; status and fields are the resource's."""

        def render(request: Any) -> bytes:
            request.setResponseCode(201, b"Made")
            request.setHeader(b"X-A", b"1")
            request.responseHeaders.addRawHeader("x-a", "2")
            request.addCookie(b"k", b"v", path=b"/")
            return b"made"

        page = Page(render)
        visit = Hosted(page).ask()
        self.assertEqual((visit.response.status, visit.body), (201, b"made"))
        self.assertEqual(
            visit.response.headers,
            (
                (b"X-A", b"1"),
                (b"X-A", b"2"),
                (b"Content-Type", b"text/html"),
                (b"Set-Cookie", b"k=v; Path=/"),
            ),
        )
        self.assertEqual(page.finished, [None])

    def test_written(self) -> None:
        """Many writes and a finish in one turn are one body, however long."""

        def render(request: Any) -> int:
            for _ in range(2000):
                request.write(b"x" * 100)
            request.finish()
            return NOT_DONE_YET

        self.assertEqual(Hosted(Page(render)).ask().body, b"x" * 200_000)

    def test_head(self) -> None:
        """An answer to HEAD has the length that one to GET has, and no body."""
        visit = Hosted(Page(lambda _: b"hello")).ask(method=b"HEAD")
        self.assertEqual(visit.stream.length, 5)
        self.assertEqual(visit.take_all(), b"")

    def test_head_by_get(self) -> None:
        """A resource without HEAD is asked for GET; the server leaves the body out."""

        def render(request: Any) -> bytes:
            if request.method == b"HEAD":
                raise UnsupportedMethod([b"GET"])
            return b"hello"

        visit = Hosted(Page(render)).ask(method=b"HEAD")
        self.assertEqual((visit.response.status, visit.body), (200, b"hello"))

    def test_unsupported(self) -> None:
        """Another method is refused with those that are allowed."""
        visit = Hosted(Leaf(b"x", "text/plain")).ask(method=b"PUT")
        self.assertEqual(visit.response.status, 405)
        allowed = visit.field(b"Allow") or b""
        self.assertEqual(sorted(allowed.split(b", ")), [b"GET", b"HEAD"])

    def test_not_modified(self) -> None:
        """Conditions are twisted.web's; a 304 has no body."""

        def render(request: Any) -> bytes:
            return b"" if request.setETag(b'"a"') else b"body"

        hosted = Hosted(Page(render))
        self.assertEqual(hosted.ask().field(b"ETag"), b'"a"')
        visit = hosted.ask(headers=((b"If-None-Match", b'"a"'),))
        self.assertEqual((visit.response.status, visit.body), (304, b""))

    def test_no_content(self) -> None:
        """A 204 has no body, whatever the resource writes."""

        def render(request: Any) -> bytes:
            request.setResponseCode(204)
            return b"body"

        visit = Hosted(Page(render)).ask()
        self.assertEqual((visit.response.status, visit.body), (204, b""))

    def test_framing_dropped(self) -> None:
        """What is the server's to say is not passed on."""

        def render(request: Any) -> bytes:
            for name in ("Transfer-Encoding", "Connection", "Keep-Alive", "TE", "Trailer", "Date"):
                request.setHeader(name, "close")
            request.setHeader("Server", "x")
            return b""

        self.assertEqual([name for name, _ in Hosted(Page(render)).ask().response.headers], [])

    def test_redirect(self) -> None:
        """Resources that twisted.web brings along work."""
        visit = Hosted(Redirect(b"/there")).ask()
        self.assertEqual((visit.response.status, visit.field(b"Location")), (302, b"/there"))

    def test_compressed(self) -> None:
        """A resource may be wrapped by an encoder."""
        wrapped = EncodingResourceWrapper(Leaf(b"x" * 1000, "text/plain"), [GzipEncoderFactory()])
        visit = Hosted(wrapped).ask(headers=((b"Accept-Encoding", b"gzip"),))
        self.assertEqual(visit.field(b"Content-Encoding"), b"gzip")
        self.assertLess(len(visit.body), 100)


class LaterTests(SynchronousTestCase):
    """What becomes of an answer that is not there at once."""

    def later(self, **kw: Any) -> tuple[Any, Any, Page]:
        page = Page(lambda _: NOT_DONE_YET)
        visit = Hosted(page).ask(**kw)
        self.assertEqual((visit.answered, visit.errors), ([], []))
        return visit, page.requests[0], page

    def test_finished_in_a_turn(self) -> None:
        """What is written and finished in one turn is bytes."""
        visit, request, page = self.later()
        request.write(b"a")
        request.write(b"b")
        request.finish()
        self.assertEqual(visit.body, b"ab")
        self.assertEqual(page.finished, [None])

    def test_pieces(self) -> None:
        """What is written in one turn and finished in another is a stream of unknown length."""
        visit, request, page = self.later()
        request.write(b"a")
        self.assertEqual(visit.answered, [])
        visit.turn()
        self.assertIs(visit.stream.length, None)
        self.assertEqual(visit.take().taken, b"a")
        visit.take()
        request.write(b"b")
        request.write(b"c")
        self.assertEqual(visit.turn().taken, b"abc")
        visit.take()
        request.finish()
        self.assertTrue(visit.ended)
        self.assertEqual(page.finished, [None])

    def test_begun_while_rendered(self) -> None:
        """What is written before the resource waits goes to the client without waiting."""

        def render(request: Any) -> int:
            request.write(b"a")
            return NOT_DONE_YET

        visit = Hosted(Page(render)).ask()
        self.assertEqual(visit.take().taken, b"a")

    def test_announced(self) -> None:
        """An announced length is that of the stream."""
        visit, request, _ = self.later()
        request.setHeader(b"Content-Length", b"10")
        request.write(b"a")
        visit.turn()
        self.assertEqual(visit.stream.length, 10)

    def test_whole(self) -> None:
        """An answer that is all there is bytes, though its end is said in another turn."""
        visit, request, page = self.later()
        push = _Push()
        request.registerProducer(push, True)
        request.setHeader(b"Content-Length", b"100000")
        request.write(b"x" * 100_000)
        self.assertEqual(len(visit.turn().body), 100_000)
        self.assertEqual(visit.turn().response.status, 200)
        self.assertEqual((push.told, page.finished), (["pause", "resume"], []))
        request.unregisterProducer()
        request.finish()
        self.assertEqual(page.finished, [None])

    def test_more_than_whole(self) -> None:
        """What is written behind that is not sent, and logged."""
        page = Page(lambda _: NOT_DONE_YET)
        hosted = Hosted(page)
        visit = hosted.ask()
        page.requests[0].setHeader(b"Content-Length", b"1")
        page.requests[0].write(b"x")
        self.assertEqual(visit.turn().body, b"x")
        page.requests[0].write(b"y")
        visit.turn()
        self.assertIsInstance(page.finished[0], Failure)
        self.assertEqual(len(hosted.lines), 1)

    def test_client_leaves(self) -> None:
        """When the client leaves before the answer, the resource hears of it."""
        visit, request, page = self.later()
        visit.leave()
        (failure,) = page.finished
        failure.trap(ConnectionLost)
        request.write(b"ignored")
        with self.assertRaises(RuntimeError):
            request.finish()
        self.assertEqual(visit.clock.getDelayedCalls(), [])

    def test_client_leaves_a_stream(self) -> None:
        """So it does when it leaves in the middle."""
        visit, request, page = self.later()
        request.write(b"a")
        visit.turn().take().take().leave()
        page.finished[0].trap(ConnectionLost)

    def test_head_of_a_stream(self) -> None:
        """A stream that nobody takes is let go of as if the client had left."""
        visit, request, page = self.later(method=b"HEAD")
        request.setHeader(b"Content-Length", b"10")
        request.write(b"a")
        self.assertEqual(visit.turn().stream.length, 10)
        visit.response.close()
        page.finished[0].trap(ConnectionLost)

    def test_deferred_resource(self) -> None:
        """A resource may come later, or fail to."""
        found: Deferred[IResource] = Deferred()
        visit = Hosted(DeferredResource(found)).ask()
        found.callback(Leaf(b"late", "text/plain"))
        self.assertEqual(visit.body, b"late")
        lost: Deferred[IResource] = Deferred()
        visit = Hosted(DeferredResource(lost)).ask()
        lost.errback(ValueError("lost"))
        with self.assertRaisesRegex(ValueError, "lost"):
            visit.settled()
        self.assertEqual(self.flushLoggedErrors(), [])


class _Push:
    """A producer that writes when it is told to, and says what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def pauseProducing(self) -> None:
        self.told.append("pause")

    def resumeProducing(self) -> None:
        self.told.append("resume")

    def stopProducing(self) -> None:
        self.told.append("stop")


class _Pull(_Push):
    """A producer of `count` pieces of 1000 bytes."""

    def __init__(self, request: Any, count: int) -> None:
        super().__init__()
        self.request, self.count = request, count

    def resumeProducing(self) -> None:
        if self.count:
            self.count -= 1
            self.request.write(b"x" * 1000)
        else:
            self.request.unregisterProducer()
            self.request.finish()


class ProducerTests(SynchronousTestCase):
    """Producers write as fast as the client takes."""

    def test_push(self) -> None:
        """A push producer is paused when enough waits, and goes on when that is taken."""
        push = _Push()

        def render(request: Any) -> int:
            request.registerProducer(push, True)
            request.write(b"x" * 40_000)
            request.write(b"x" * 40_000)
            return NOT_DONE_YET

        page = Page(render)
        visit = Hosted(page).ask()
        self.assertEqual(push.told, ["pause"])
        self.assertEqual(len(visit.take().taken), 80_000)
        self.assertEqual(push.told, ["pause"])
        visit.take()
        self.assertEqual(push.told, ["pause", "resume"])
        page.requests[0].unregisterProducer()
        page.requests[0].finish()
        self.assertTrue(visit.ended)

    def test_pull(self) -> None:
        """A pull producer is asked for a piece's worth at a time."""
        pulls = []

        def render(request: Any) -> int:
            pulls.append(_Pull(request, 200))
            request.registerProducer(pulls[0], False)
            return NOT_DONE_YET

        visit = Hosted(Page(render)).ask()
        self.assertEqual(pulls[0].count, 134)
        visit.take()
        self.assertEqual(pulls[0].count, 134)
        self.assertEqual(len(visit.take_all()), 200_000)

    def test_short_pull(self) -> None:
        """A pull producer that has little to say makes bytes."""

        def render(request: Any) -> int:
            request.registerProducer(_Pull(request, 3), False)
            return NOT_DONE_YET

        self.assertEqual(len(Hosted(Page(render)).ask().body), 3000)

    def test_hesitant_pull(self) -> None:
        """A pull producer that writes later is asked once, and again when it has."""
        push = _Push()
        page = Page(lambda request: request.registerProducer(push, False) or NOT_DONE_YET)
        visit = Hosted(page).ask().turn().turn()
        self.assertEqual(push.told, ["resume"])
        page.requests[0].write(b"a")
        visit.turn()
        self.assertEqual(push.told, ["resume", "resume"])
        self.assertEqual(visit.take().taken, b"a")

    def test_client_leaves(self) -> None:
        """The producers of a client that has left are stopped; one that cannot be is logged."""
        for push in (_Push(), _Unstoppable()):
            page = Page(
                lambda request, push=push: request.registerProducer(push, 1) or NOT_DONE_YET
            )
            hosted = Hosted(page)
            hosted.ask().leave()
            self.assertEqual(push.told, ["stop"])
            self.assertEqual(len(hosted.lines), isinstance(push, _Unstoppable))
            page.finished[0].trap(ConnectionLost)

    def test_pull_fails(self) -> None:
        """What a producer raises before the answer is raised; later it cuts the stream."""

        def render(request: Any) -> int:
            pull = _Pull(request, 66 if request.args else 1)
            pull.request = request
            pull.finish = None  # type: ignore[attr-defined]
            request.finish = None
            request.registerProducer(pull, False)
            return NOT_DONE_YET

        hosted = Hosted(Page(render))
        with self.assertRaises(TypeError):
            hosted.ask().settled()
        visit = hosted.ask(target=b"/?a=1")
        visit.take_all()
        self.assertEqual(len(visit.taken), 66_000)
        self.assertIsInstance(visit.errors[0], TypeError)

    def test_file(self) -> None:
        """A small File is bytes, a large one a stream with its length, a range a part of it."""
        for size in (10, 1_000_000):
            path = self.mktemp()
            with open(path, "wb") as file:  # noqa: PTH123 (trial gives a name)
                file.write(b"0123456789" * (size // 10))
            hosted = Hosted(File(path))
            visit = hosted.ask("", base="/f")
            if size > 100_000:
                self.assertEqual(visit.stream.length, size)
                self.assertEqual(len(visit.take_all()), size)
            else:
                self.assertEqual(visit.body, b"0123456789")
            part = hosted.ask("", base="/f", headers=((b"Range", b"bytes=2-4"),))
            self.assertEqual((part.response.status, part.body), (206, b"234"))
            self.assertEqual(hosted.ask("", base="/f", method=b"HEAD").stream.length, size)


class _Unstoppable(_Push):
    def stopProducing(self) -> None:
        super().stopProducing()
        raise ValueError("never")


class SessionTests(SynchronousTestCase):
    """Sessions are twisted.web's, named after the mount, and so many."""

    def setUp(self) -> None:
        self.page = Page(lambda request: request.getSession().uid)
        self.hosted = Hosted(self.page, sessions=3)

    def visit(self, uid: bytes = b"", **kw: Any) -> bytes:
        """Return the id of the session of a visitor who brings `uid`."""
        name = kw.pop("name", b"TWISTED_SESSION_app")
        visit = self.hosted.ask(base="/app", headers=((b"Cookie", name + b"=" + uid),), **kw)
        return visit.body

    def test_again(self) -> None:
        """Who brings the cookie back has the same session."""
        visit = self.hosted.ask(base="/app")
        self.assertEqual(
            visit.field(b"Set-Cookie"), b"TWISTED_SESSION_app=" + visit.body + b"; Path=/"
        )
        self.assertEqual(self.visit(visit.body), visit.body)

    def test_secure(self) -> None:
        """Under TLS it has a cookie of its own, for TLS alone."""
        visit = self.hosted.ask(base="/app", client=Visitor(secure=True))
        self.assertIn(b"TWISTED_SECURE_SESSION_app", visit.field(b"Set-Cookie") or b"")
        self.assertIn(b"Secure", visit.field(b"Set-Cookie") or b"")

    def test_expires(self) -> None:
        """A session that nobody uses ends."""
        uid = self.visit()
        self.hosted.clock.advance(901)
        self.assertNotEqual(self.visit(uid), uid)

    def test_so_many(self) -> None:
        """Of too many sessions the one ends that was not used for the longest time."""
        first, second, third = self.visit(), self.visit(), self.visit()
        self.assertEqual(self.visit(first), first)
        fourth = self.visit()
        self.assertEqual(
            [self.visit(uid) for uid in (first, third, fourth)], [first, third, fourth]
        )
        self.assertNotEqual(self.visit(second), second)
        self.assertEqual(len(self.hosted.clock.getDelayedCalls()), 3)


@implementer(IRealm)
class _Realm:
    def requestAvatar(self, who: Any, mind: Any, *interfaces: Any) -> Any:
        return IResource, Leaf(who, "text/plain"), lambda: None


class GuardTests(SynchronousTestCase):
    def test_guard(self) -> None:
        """A guarded resource asks for a password and lets in who knows it."""
        checker = InMemoryUsernamePasswordDatabaseDontUse(alice=b"secret")
        portal = Portal(_Realm(), [checker])
        hosted = Hosted(HTTPAuthSessionWrapper(portal, [BasicCredentialFactory(b"here")]))
        refused = hosted.ask()
        self.assertEqual(refused.response.status, 401)
        self.assertEqual(refused.field(b"WWW-Authenticate"), b'basic realm="here"')
        self.assertEqual(
            hosted.ask(headers=((b"Authorization", b"Basic YWxpY2U6c2VjcmV0"),)).body, b"alice"
        )
        wrong = hosted.ask(headers=((b"Authorization", b"Basic YWxpY2U6d3Jvbmc="),))
        self.assertEqual(wrong.response.status, 401)


class WrongTests(SynchronousTestCase):
    """Resources that do what they must not: a 500 of the server's, or a stream that is cut."""

    def raised(self, render: Any, text: str, **kw: Any) -> Page:
        """Check that the answer fails, with nothing left behind; return the page."""
        page = Page(render)
        hosted = Hosted(page)
        visit = hosted.ask(**kw)
        with self.assertRaisesRegex(Exception, text):
            visit.settled()
        visit.turn()
        self.assertEqual(len(page.finished), 1)
        self.assertEqual(hosted.clock.getDelayedCalls(), [])
        self.assertEqual(self.flushLoggedErrors(), [])
        return page

    def test_raises(self) -> None:
        """What a resource raises is raised, and the request is over."""

        def render(_: Any) -> bytes:
            raise ValueError("render")

        self.assertEqual(self.raised(render, "render").finished, [None])

    def test_raises_when_begun(self) -> None:
        """What was written of the answer before is not sent."""

        def render(request: Any) -> bytes:
            request.write(b"half")
            raise ValueError("render")

        self.raised(render, "render")

    def test_fails_later(self) -> None:
        """A failure that is reported later is raised where there is no answer yet."""
        page = Page(lambda _: NOT_DONE_YET)
        visit = Hosted(page).ask()
        page.requests[0].processingFailed(Failure(ValueError("later")))
        with self.assertRaisesRegex(ValueError, "later"):
            visit.settled()
        self.assertEqual(page.finished, [None])

    def test_fails_when_over(self) -> None:
        """A failure after the answer goes to the log."""
        hosted = Hosted(page := Page(lambda _: b"well"))
        self.assertEqual(hosted.ask().body, b"well")
        page.requests[0].processingFailed(Failure(ValueError("late")))
        self.assertEqual(len(hosted.lines), 1)

    def test_no_bytes(self) -> None:
        """Text and nothing are no bytes; neither they nor the resource is shown to the visitor."""
        self.raised(lambda _: "text", "Page rendered str, not bytes")
        self.raised(lambda _: None, "Page rendered NoneType, not bytes")

    def test_torn_fields(self) -> None:
        """A field of two lines fails the answer, however it was set."""

        def added(request: Any) -> bytes:
            request.responseHeaders.addRawHeader("X", "a\rb")
            return b""

        def set_raw(request: Any) -> bytes:
            request.responseHeaders.setRawHeaders(b"X", [b"a", b"a\nb"])
            return b""

        def cookie(request: Any) -> bytes:
            request.cookies.append(b"a=b\r\nSet-Cookie: c=d")
            return b""

        def set_header(request: Any) -> bytes:
            request.setHeader(b"X", b"a\r\nY: b")
            return b""

        for render in (added, set_raw, cookie, set_header):
            self.raised(render, "more than a line")

    def test_controls(self) -> None:
        """So does one with a control character."""

        def render(request: Any) -> bytes:
            request.setHeader(b"X", b"a\x00b")
            return b""

        self.raised(render, "control character")

    def test_field_name(self) -> None:
        """A name that is no token is refused where it is set."""
        self.raised(lambda request: request.setHeader(b"X\r\nY", b"a"), "X")

    def test_status(self) -> None:
        """Statuses that are no answers fail."""
        for status in (0, 99, 101, 600, 1000):
            self.raised(
                lambda request, status=status: request.setResponseCode(status) or b"", "no status"
            )

    def test_lying_length(self) -> None:
        """A length that is not that of the answer, or no number, fails it."""

        def finish(request: Any, length: bytes) -> int:
            request.setHeader(b"Content-Length", length)
            request.write(b"12345")
            request.finish()
            return NOT_DONE_YET

        for length in (b"4", b"6", b"-5", b"5x", b"", b"5, 5", b"9" * 30):
            self.raised(lambda request, length=length: finish(request, length), "announced|number")

    def test_two_lengths(self) -> None:
        """Two lengths are none."""

        def render(request: Any) -> int:
            request.responseHeaders.setRawHeaders(b"Content-Length", [b"5", b"6"])
            request.write(b"12345")
            return NOT_DONE_YET

        page = self.raised(render, "number of bytes")
        self.assertIsInstance(page.finished[0], Failure)

    def test_hangs_up(self) -> None:
        """A resource that closes the connection fails its answer."""
        page = self.raised(lambda request: request.loseConnection() or NOT_DONE_YET, "hung up")
        self.assertIsInstance(page.finished[0], Failure)

    def test_write_after_finish(self) -> None:
        """Who writes after the end, or ends twice, is told as by twisted.web."""
        page = Page(lambda _: b"well")
        visit = Hosted(page).ask()
        with self.assertRaises(RuntimeError):
            page.requests[0].write(b"more")
        page.requests[0].finish()
        self.assertEqual(
            [each["message"] for each in self.flushWarnings()],
            ["Warning! request.finish called twice."],
        )
        self.assertEqual(visit.body, b"well")

    def test_writes_on(self) -> None:
        """A resource without a producer that writes on and on to a slow client loses it."""
        page = Page(lambda _: NOT_DONE_YET)
        visit = Hosted(page).ask()
        request = page.requests[0]
        request.write(b"begin")
        visit.turn().take()
        for _ in range(17):
            request.write(b"x" * 1024 * 1024)
        visit.turn()
        self.assertIsInstance(page.finished[0], Failure)
        visit.take()
        self.assertEqual(bytes(visit.taken), b"begin")
        self.assertRegex(str(visit.errors[0]), "more than the client takes")
        request.write(b"ignored")

    def test_two_producers(self) -> None:
        """A second producer is refused."""

        def render(request: Any) -> int:
            request.registerProducer(_Push(), True)
            request.registerProducer(_Push(), True)
            return NOT_DONE_YET

        self.raised(render, "registering producer")


class ServedTests(SynchronousTestCase):
    """Resources behind netkit's server, as their clients see them."""

    def served(self, render: Any, *fields: str) -> tuple[Visit, Page]:
        """Send a GET to a page; return the client's side and the page."""
        clock = Clock()
        page = Page(render)
        visit = Visit(resource_handler(page, clock=clock, log=recorded([])))
        self.turn = lambda: clock.advance(0)
        visit.send("\r\n".join(("GET / HTTP/1.1", "Host: test", *fields, "", "")).encode())
        return visit, page

    def test_framed_once(self) -> None:
        """An answer has the server's framing and fields, once, whatever the resource says."""

        def render(request: Any) -> bytes:
            request.setHeader("Transfer-Encoding", "chunked")
            request.setHeader("Connection", "close")
            return b"hello"

        visit, _ = self.served(render)
        answer = visit.answer()
        self.assertEqual((answer.status, answer.body), (200, b"hello"))
        self.assertEqual(answer.headers.get_all("Content-Length"), ["5"])
        self.assertEqual(answer.headers.get_all("Server"), ["netkit"])
        self.assertEqual(len(answer.headers.get_all("Date") or ()), 1)
        self.assertIsNone(answer.headers["Transfer-Encoding"])

    def test_raises(self) -> None:
        """A resource that raises is a 500 with a reference; the traceback is in the log alone."""

        def render(_: Any) -> bytes:
            raise ValueError("a secret")

        visit, _ = self.served(render)
        answer = visit.answer()
        self.assertEqual(answer.status, 500)
        self.assertNotIn(b"secret", answer.body)
        self.assertNotIn(b"Traceback", answer.body)
        (event,) = visit.events
        self.assertIn(event["reference"].encode(), answer.body)
        self.assertEqual(event["log_failure"].getErrorMessage(), "a secret")

    def test_torn_field(self) -> None:
        """Nothing of a field with two lines reaches the client."""
        visit, _ = self.served(lambda request: request.setHeader("X", "a\r\nY: b") or b"")
        self.assertEqual(visit.answer().status, 500)
        self.assertNotIn(b"Y: b", visit.transport.value())

    def test_more_than_announced(self) -> None:
        """A client never gets an answer of a wrong length that looks whole."""
        visit, page = self.served(lambda _: NOT_DONE_YET)
        (request,) = page.requests
        request.setHeader(b"Content-Length", b"3")
        request.write(b"a")
        self.turn()
        request.write(b"bcde")
        self.turn()
        self.assertNotIn(b"bc", visit.transport.value().partition(b"\r\n\r\n")[2])
        self.assertTrue(visit.transport.disconnecting or visit.transport.disconnected)

    def test_never_finishes(self) -> None:
        """A resource that never ends hears when its client has gone, and is forgotten."""
        visit, page = self.served(lambda _: NOT_DONE_YET)
        visit.leave()
        page.finished[0].trap(ConnectionLost)
        self.assertEqual(visit.lines, [])

    def test_slow_client(self) -> None:
        """The producer of a client that reads nothing rests, and goes on when it reads."""
        transport = NarrowTransport(peerAddress=PEER)
        pulls: list[_Pull] = []

        def render(request: Any) -> int:
            pulls.append(_Pull(request, 1000))
            request.registerProducer(pulls[0], False)
            return NOT_DONE_YET

        visit = Visit(resource_handler(Page(render), clock=Clock(), log=recorded([])), transport)
        visit.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        self.assertGreater(pulls[0].count, 800)
        received = bytearray()
        while data := transport.drain():
            received += data
            visit.clock.advance(0)
        (answer,) = answers(bytes(received))
        self.assertEqual(len(answer.body), 1_000_000)
