"""The mount: requests on, answers back, another server where one fails, and what must not be repeated."""

from ipaddress import ip_network
from typing import Any

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address
from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.asking import Answer, Problem
from netkit.http.messages import CHUNKED, BodyCutError, Response, ResponseHead
from netkit.services.proxy.upstream.balancing import Policy
from netkit.services.proxy.upstream.health import State
from netkit.services.proxy.upstream.settings import HealthTable, Retries, Sticky
from tests.http.fakes import GivenBody, Visitor, asked, content, field
from tests.services.proxy.fakes import Slow
from tests.services.proxy.upstream.mounted import Mounted


class Answers(SynchronousTestCase):
    """What a client gets."""

    def test_whole(self) -> None:
        """Status, fields and body come back, and the request is over."""
        mounted = Mounted()
        coming = mounted.ask()
        self.assertEqual(mounted.mount.shown[0].active, 1)
        mounted.last.answer(299, (b"X", b"1"), (b"X", b"2"), body=b"hello")
        response = self.successResultOf(coming)
        self.assertEqual((response.status, content(response)), (299, b"hello"))
        self.assertEqual(response.headers, ((b"X", b"1"), (b"X", b"2"), (b"Via", b"1.1 us")))
        self.assertEqual(mounted.mount.shown[0].active, 0)
        self.assertEqual(mounted.lines, [])

    def test_stream(self) -> None:
        """A stream comes piece by piece, as events do; the request is over when it is closed."""
        mounted = Mounted()
        coming = mounted.ask()
        slow = Slow()
        head = ResponseHead(status=200, headers=(), length=CHUNKED)
        mounted.last.coming.callback(Answer(head=head, body=slow))
        body: Any = self.successResultOf(coming).body
        self.assertIsNone(body.length)
        pieces = aiter(body)
        taken: list[bytes] = []
        for piece in (b"data: 1\n\n", b"data: 2\n\n"):
            following = Deferred.fromCoroutine(anext(pieces))
            self.assertNoResult(following)
            slow.give(piece)
            taken.append(self.successResultOf(following))
        self.assertEqual(taken, [b"data: 1\n\n", b"data: 2\n\n"])
        self.assertEqual(mounted.mount.shown[0].active, 1)
        for _ in range(2):
            body.close()
            self.assertTrue(slow.closed)
            self.assertEqual(mounted.mount.shown[0].active, 0)

    def test_cut(self) -> None:
        """A stream that is cut is cut for the client."""
        mounted = Mounted()
        coming = mounted.ask()
        slow = Slow(10)
        head = ResponseHead(status=200, headers=(), length=10)
        mounted.last.coming.callback(Answer(head=head, body=slow))
        body: Any = self.successResultOf(coming).body
        self.assertEqual(body.length, 10)
        following = Deferred.fromCoroutine(anext(aiter(body)))
        slow.cut()
        self.failureResultOf(following, BodyCutError)

    def test_client_leaves(self) -> None:
        """Where the client leaves, the question is given up, and no other server is asked."""
        mounted = Mounted("ab")
        coming = mounted.ask()
        coming.cancel()
        self.failureResultOf(coming, CancelledError)
        self.assertTrue(mounted.last.left)
        self.assertEqual(mounted.ways, "a")
        self.assertEqual([each.active for each in mounted.mount.shown], [0, 0])

    def test_client_leaves_later(self) -> None:
        """The same holds where another server is being asked by then."""
        mounted = Mounted("abc")
        coming = mounted.ask()
        mounted.fail()
        coming.cancel()
        self.failureResultOf(coming, CancelledError)
        self.assertTrue(mounted.last.left)
        self.assertEqual(mounted.ways, "ab")
        self.assertEqual({each.active for each in mounted.mount.shown}, {0})

    def test_statuses(self) -> None:
        """Each failure has its status and its Proxy-Status, and no words of the inside."""
        for problem, status in (
            (Problem.CONNECTION_REFUSED, 502),
            (Problem.HTTP_RESPONSE_TIMEOUT, 504),
            (Problem.CONNECTION_LIMIT_REACHED, 503),
            (Problem.TLS_CERTIFICATE_ERROR, 502),
        ):
            mounted = Mounted()
            coming = mounted.ask()
            mounted.fail(problem)
            response = self.successResultOf(coming)
            self.assertEqual(response.status, status)
            self.assertEqual(
                field(response, b"Proxy-Status"), f"us; error={problem.token}".encode()
            )
            self.assertNotIn(b"it is so", content(response))
            [line] = mounted.lines
            self.assertEqual(line, "a gave no answer to GET /app/: it is so")


class Retried(SynchronousTestCase):
    """Another server, where nobody can be asked twice by that."""

    def test_another(self) -> None:
        """A request that reached no server goes to another, whatever its method."""
        for method in (b"GET", b"POST"):
            mounted = Mounted("ab")
            coming = mounted.ask(method=method)
            mounted.fail()
            mounted.last.answer(body=b"hello")
            self.assertEqual(content(self.successResultOf(coming)), b"hello")
            self.assertEqual(mounted.ways, "ab")
            self.assertEqual([each.active for each in mounted.mount.shown], [0, 0])

    def test_idempotent(self) -> None:
        """A GET goes out again though a server may have seen it."""
        mounted = Mounted("ab")
        coming = mounted.ask()
        mounted.fail(Problem.CONNECTION_TERMINATED, untouched=False)
        mounted.last.answer()
        self.assertEqual(self.successResultOf(coming).status, 200)

    def test_post_never_twice(self) -> None:
        """A POST that a server may have seen never does, at hand or not."""
        for buffered in (0, 1000):
            mounted = Mounted("abc", buffer_bytes=buffered)
            coming = mounted.ask(method=b"POST", body=b"pay")
            mounted.fail(Problem.CONNECTION_TERMINATED, untouched=False)
            self.assertEqual(self.successResultOf(coming).status, 502)
            self.assertEqual(mounted.ways, "a")

    def test_streamed(self) -> None:
        """A body that is streamed goes to another server as long as nobody has taken of it."""
        for begun in (False, True):
            mounted = Mounted("ab")
            coming = mounted.ask(method=b"PUT", body=b"hello")
            body: Any = mounted.last.question.body
            self.assertNotIsInstance(body, bytes)
            if begun:
                aiter(body)
            mounted.fail()
            self.assertEqual(mounted.ways, "a" if begun else "ab")
            if begun:
                self.assertEqual(self.successResultOf(coming).status, 502)

    def test_buffered(self) -> None:
        """A body that is read first goes out again whole; one that is longer, or of no length, streams."""
        mounted = Mounted("ab", buffer_bytes=5)
        mounted.ask(method=b"PUT", body=b"hello")
        mounted.fail(Problem.CONNECTION_TERMINATED, untouched=False)
        self.assertEqual([each.question.body for each in mounted.asked], [b"hello", b"hello"])
        chunked = asked("/", b"PUT")
        chunked = evolve(chunked, head=evolve(chunked.head, length=CHUNKED), body=GivenBody(b"x"))
        for request in (chunked, asked("/", b"PUT", body=b"longer")):
            mounted.send(request)
            self.assertNotIsInstance(mounted.last.question.body, bytes)

    def test_bounds(self) -> None:
        """So many servers are tried and no more, and none when the time is up."""
        mounted = Mounted("abcd", retries=Retries(tries=2))
        coming = mounted.ask()
        mounted.fail()
        mounted.fail(Problem.CONNECTION_TIMEOUT)
        self.assertEqual(self.successResultOf(coming).status, 504)
        self.assertEqual(mounted.ways, "ab")
        mounted = Mounted("ab", retries=Retries(seconds=5))
        coming = mounted.ask()
        mounted.reactor.advance(5)
        mounted.fail()
        self.assertEqual(self.successResultOf(coming).status, 502)
        self.assertEqual(mounted.ways, "a")

    def test_no_use(self) -> None:
        """What no other server would do better is not tried; nor is a server that has failed it."""
        mounted = Mounted("ab")
        coming = mounted.ask()
        mounted.fail(Problem.HTTP_REQUEST_ERROR)
        self.assertEqual(self.successResultOf(coming).status, 400)
        self.assertEqual(mounted.ways, "a")
        mounted = Mounted("ab", retries=Retries(tries=10))
        coming = mounted.ask()
        mounted.fail()
        mounted.fail()
        self.assertEqual(self.successResultOf(coming).status, 502)
        self.assertEqual(mounted.ways, "ab")

    @given(
        st.sampled_from([b"GET", b"PUT", b"POST", b"PATCH"]),
        st.sampled_from([b"", b"hello"]),
        st.sampled_from([0, 100]),
        st.lists(st.tuples(st.sampled_from(list(Problem)), st.booleans()), max_size=5),
    )
    @settings(deadline=None, max_examples=120)
    def test_never_by_guess(
        self, method: bytes, body: bytes, buffered: int, outcomes: list[tuple[Problem, bool]]
    ) -> None:
        """Whatever fails, there is one answer; no server is asked twice, and none by guess."""
        mounted = Mounted("abcd", buffer_bytes=buffered, retries=Retries(tries=3))
        coming = mounted.ask(method=method, body=body)
        for problem, untouched in outcomes:
            if coming.called and not coming.paused:
                break
            mounted.fail(problem, untouched=untouched)
        asked = len(mounted.asked)
        failed = outcomes[: asked - 1]
        self.assertLessEqual(asked, 3)
        self.assertEqual(len(set(mounted.ways)), asked)
        if method in {b"POST", b"PATCH"} or (body and not buffered):
            self.assertTrue(all(untouched for _, untouched in failed))
        if not mounted.last.coming.called:
            mounted.last.answer()
        self.successResultOf(coming)
        self.assertEqual({each.active for each in mounted.mount.shown}, {0})

    def test_body_no_good(self) -> None:
        """A client whose body is no good is the server's business to answer; the server is not to blame."""
        mounted = Mounted("ab", health=HealthTable(max_fails=1))
        coming = mounted.ask(method=b"PUT", body=b"x")
        mounted.last.coming.errback(BodyCutError())
        self.failureResultOf(coming, BodyCutError)
        self.assertEqual({each.state for each in mounted.mount.shown}, {State.UP})


class Healthy(SynchronousTestCase):
    """Servers that go and come."""

    def test_down_and_back(self) -> None:
        """What fails too often is left out, tried again after its time, and each is one line of the log."""
        mounted = Mounted("ab", health=HealthTable(max_fails=1, fail_timeout=5))
        mounted.mount.startService()
        self.addCleanup(mounted.mount.stopService)
        mounted.ask()
        mounted.fail()
        self.assertEqual(
            mounted.lines, ["a is down: it is so", "a gave no answer to GET /app/: it is so"]
        )
        for _ in range(3):
            mounted.ask()
        self.assertEqual(mounted.ways, "abbbb")
        mounted.reactor.pump([1] * 6)
        mounted.ask()
        self.assertEqual(mounted.last.way, mounted.asked[0].way)
        mounted.last.answer()
        self.assertEqual(mounted.lines[-1], "a is back")
        self.assertEqual(mounted.mount.shown[0].state, State.UP)

    def test_not_to_blame(self) -> None:
        """What is the client's fault, or ours, puts no server down."""
        mounted = Mounted("ab", health=HealthTable(max_fails=1), retries=Retries(tries=1))
        for problem in (
            Problem.HTTP_REQUEST_ERROR,
            Problem.CONNECTION_LIMIT_REACHED,
            Problem.DESTINATION_UNAVAILABLE,
        ):
            mounted.ask()
            mounted.fail(problem)
        self.assertEqual({each.state for each in mounted.mount.shown}, {State.UP})

    def test_backup(self) -> None:
        """A backup answers where the others have failed."""
        mounted = Mounted("aZ")
        coming = mounted.ask()
        mounted.fail()
        self.assertEqual(mounted.ways, "az")
        mounted.last.answer()
        self.assertEqual(self.successResultOf(coming).status, 200)


class Stuck(SynchronousTestCase):
    """Visitors who come back to the same server."""

    def visit(self, mounted: Mounted, cookie: bytes = b"", **kw: Any) -> Response:
        """Return the answer to who sends `cookie`."""
        coming = mounted.ask(headers=((b"Cookie", cookie),) if cookie else (), **kw)
        mounted.last.answer()
        return self.successResultOf(coming)

    def test_cookie(self) -> None:
        """The first answer sets the cookie, which leads to the same server and is set no more."""
        mounted = Mounted("abc", sticky=Sticky(cookie="at", max_age=60))
        set_by = field(self.visit(mounted), b"Set-Cookie")
        assert set_by is not None
        pair, _, rest = set_by.partition(b"; ")
        self.assertEqual(rest, b"Max-Age=60; Path=/app; HttpOnly; SameSite=Lax")
        for _ in range(3):
            self.assertIsNone(field(self.visit(mounted, b"x=y; " + pair), b"Set-Cookie"))
        self.assertEqual(mounted.ways, "aaaa")

    def test_secure(self) -> None:
        """Over TLS the cookie is for TLS."""
        mounted = Mounted("ab", sticky=Sticky(cookie="at"))
        set_by = field(self.visit(mounted, client=Visitor(secure=True)), b"Set-Cookie")
        assert set_by is not None
        self.assertTrue(set_by.endswith(b"; Secure"))

    def test_forged(self) -> None:
        """A cookie that names no server chooses nothing, and is replaced."""
        mounted = Mounted("ab", sticky=Sticky(cookie="at"))
        for value in (b"", b"a", b"tcp:10.0.0.1:22", bytes(24).hex().encode(), b"x" * 4000):
            self.assertIsNotNone(field(self.visit(mounted, b"at=" + value), b"Set-Cookie"))
        self.assertEqual(mounted.ways, "ababa")

    def test_gone(self) -> None:
        """Where the server is down, or fails the request, another one takes the visitor over."""
        mounted = Mounted("ab", sticky=Sticky(cookie="at"), health=HealthTable(max_fails=1))
        set_by = field(self.visit(mounted), b"Set-Cookie") or b""
        cookie = set_by.partition(b";")[0]
        coming = mounted.ask(headers=((b"Cookie", cookie),))
        mounted.fail()
        mounted.last.answer()
        self.assertIsNotNone(field(self.successResultOf(coming), b"Set-Cookie"))
        self.visit(mounted, cookie)
        self.assertEqual(mounted.ways, "aabb")


class Keys(SynchronousTestCase):
    """The policy "hash"."""

    def ways(self, mounted: Mounted, *headers: tuple[bytes, bytes], host: str = "192.0.2.7") -> str:
        """Return who was asked by two equal requests."""
        before = len(mounted.asked)
        for _ in range(2):
            mounted.ask(headers=headers, client=Visitor(IPv4Address("TCP", host, 1)))
        return mounted.ways[before:]

    def test_client(self) -> None:
        """A client has its server, and many clients have all; a trusted proxy tells of its clients."""
        mounted = Mounted("abc", policy=Policy.HASH, trusted=(ip_network("10.0.0.0/8"),))
        ways = {host: self.ways(mounted, host=host) for host in (f"192.0.2.{n}" for n in range(40))}
        self.assertEqual(set(ways.values()), {"aa", "bb", "cc"})
        for host, way in ways.items():
            said = (b"X-Forwarded-For", b"8.8.8.8, " + host.encode())
            self.assertEqual(self.ways(mounted, said, host="10.0.0.1"), way)
            self.assertEqual(self.ways(mounted, said, host="192.0.2.3"), ways["192.0.2.3"])

    def test_field(self) -> None:
        """A field's value has its server; where there is none, the client has."""
        mounted = Mounted("abc", policy=Policy.HASH, hash_by="header:X-User")
        ways = {self.ways(mounted, (b"x-user", b"%d" % user)) for user in range(40)}
        self.assertEqual(ways, {"aa", "bb", "cc"})
        self.assertIn(self.ways(mounted), ways)
