"""Publishing by POST."""

from hypothesis import given, settings
from hypothesis import strategies as st

from netkit.services.pubsub import settings as service
from netkit.services.pubsub.fabric.edge import Edge
from netkit.services.pubsub.live.settings import Allowed, Settings
from netkit.services.pubsub.messages import Published
from tests.http.fakes import Answer
from tests.services.pubsub.live.mounted import LiveCase, head


class PublishTests(LiveCase):
    def setUp(self) -> None:
        """Note what is published."""
        super().setUp()
        self.note()

    def note(self) -> None:
        """Note what is published from now on."""
        self.runs: list[Published] = []
        self.pubsub.house.broker.witnesses.append(self.runs.append)

    def post(self, subject: str, body: bytes = b"x", *fields: str) -> Answer:
        """Publish by POST."""
        return self.ask(f"/live/publish/{subject}", *fields, method="POST", body=body)

    def test_what_is_posted(self) -> None:
        """A body is published as it is, text or not; the answer is 204."""
        for body in (b"hello", b"", b"\xff\x00\n", b"x" * 100_000):
            self.assertEqual(self.post("a.b", body).status, 204)
        self.assertEqual(
            [run.payloads for run in self.runs],
            [[b"hello"], [b""], [b"\xff\x00\n"], [b"x" * 100_000]],
        )
        self.assertEqual({(run.subject, run.reply) for run in self.runs}, {(b"a.b", b"")})
        self.assertEqual(self.runs[0].source, "192.0.2.7:40000")

    def test_utf8(self) -> None:
        """A subject may have any characters, encoded as a URL has them."""
        self.assertEqual(self.post("gr%C3%BC%C3%9Fe.%F0%9F%99%82").status, 204)
        self.assertEqual(self.runs[0].subject, "gr\u00fc\u00dfe.\U0001f642".encode())

    def test_no_subject(self) -> None:
        """What is no subject is a 400, and nothing is published."""
        for wrong in (
            "",
            "a..b",
            "a.",
            ".a",
            "a.*",
            "a.%3E",
            "a%20b",
            "a%09b",
            "a%00b",
            "a%0D%0Ab",
            "a%7Fb",
            "a%ff",
            "a%c3",
            "a%ed%a0%80",
            "a%2fb",
            "a%",
            "a%zz",
        ):
            with self.subTest(wrong):
                self.assertEqual(self.post(wrong).status, 400)
        self.assertEqual(self.runs, [])

    @settings(deadline=None, max_examples=100)
    @given(st.binary(min_size=1, max_size=12))
    def test_any_subject(self, subject: bytes) -> None:
        """Any bytes as a subject are published or refused."""
        written = "".join(f"%{byte:02x}" for byte in subject)
        self.assertIn(self.post(written).status, {204, 400, 403, 404})

    def test_other_methods(self) -> None:
        """Only POST publishes."""
        for method in ("GET", "PUT", "DELETE"):
            answer = self.ask("/live/publish/a", method=method)
            self.assertEqual((answer.status, answer.headers["Allow"]), (405, "POST"))

    def test_nowhere(self) -> None:
        """There is nothing at other addresses."""
        for path in ("/live/publish", "/live/publisha", "/live/x", "/live/events/", "/live//ws"):
            self.assertEqual(self.ask(path).status, 404)

    def test_too_long(self) -> None:
        """What is longer than a message may be is a 413, before a client is told to go on."""
        self.serve(shown=service.Settings(nats=service.Nats(max_payload=10)))
        self.note()
        self.assertEqual(self.post("a", b"x" * 10).status, 204)
        self.assertEqual(self.post("a", b"x" * 11).status, 413)
        visit = self.visit()
        fields = ("Content-Length: 11", "Expect: 100-continue")
        visit.send(head("POST", "/live/publish/a", *fields))
        self.assertTrue(visit.transport.value().startswith(b"HTTP/1.1 413 "))
        visit = self.visit()
        visit.send(head("POST", "/live/publish/a", "Transfer-Encoding: chunked"))
        visit.send(b"6\r\nxxxxxx\r\n" * 2)
        self.assertEqual(visit.answer("POST").status, 413)
        self.assertEqual(len(self.runs), 1)

    def test_told_to_go_on(self) -> None:
        """A client that waits for a 100 is told to go on, unless it may not publish there."""
        self.serve(Settings(publish=Allowed(allow=("a",))))
        fields = ("Content-Length: 1", "Expect: 100-continue")
        visit = self.visit()
        visit.send(head("POST", "/live/publish/a", *fields))
        self.assertTrue(visit.transport.value().startswith(b"HTTP/1.1 100 "))
        for subject, status in (("b", b"403"), ("b..c", b"400")):
            visit = self.visit()
            visit.send(head("POST", f"/live/publish/{subject}", *fields))
            self.assertTrue(visit.transport.value().startswith(b"HTTP/1.1 " + status))

    def test_half_a_body(self) -> None:
        """Of a body that is cut nothing is published."""
        visit = self.visit()
        visit.send(head("POST", "/live/publish/a", "Content-Length: 10") + b"half")
        visit.leave(cleanly=False)
        self.assertEqual(self.runs, [])
        self.assertEqual(visit.lines, [])

    def full(self) -> Edge:
        """Return an edge of a cluster that takes nothing more."""
        edge = Edge(self.pubsub.house.broker, 10_000, buffers=True, stir=lambda: None)
        edge.open(lambda _: None, lambda _: None)
        edge.pong(edge.talk)
        edge.pong(edge.groups)
        edge.pauseProducing()
        return edge

    def test_waits(self) -> None:
        """While a cluster is slow the answer waits, as any publisher does, and no longer than it is so."""
        for caught_up in (Edge.resumeProducing, Edge.cut):
            edge = self.full()
            body = b"x" * 6000
            visit = self.visit()
            visit.send(head("POST", "/live/publish/a", f"Content-Length: {len(body)}") + body)
            self.assertEqual(visit.transport.value(), b"")
            self.assertEqual(self.runs.pop().payloads, [body])
            caught_up(edge)
            self.assertEqual(visit.answer("POST").status, 204)

    def test_leaves_while_it_waits(self) -> None:
        """Of a client that leaves before its answer nothing stays, and what it said is published."""
        edge = self.full()
        visits = [self.visit() for _ in range(3)]
        for visit in visits:
            visit.send(head("POST", "/live/publish/a", "Content-Length: 6000") + b"x" * 6000)
        for visit in visits:
            visit.leave(cleanly=False)
        self.assertEqual((len(edge._held), len(self.runs)), (0, 3))
        edge.resumeProducing()
        self.assertEqual([line for visit in visits for line in visit.lines], [])

    def test_foreign_pages(self) -> None:
        """A foreign page publishes nothing, though a browser would send what it posts."""
        for origin, status in (
            ("http://test", 204),
            ("https://test", 204),
            ("https://evil.example", 403),
            ("null", 403),
        ):
            with self.subTest(origin):
                answer = self.post("a", b"x", f"Origin: {origin}", "Content-Type: text/plain")
                self.assertEqual(answer.status, status)
        self.assertEqual(len(self.runs), 2)
        self.serve(Settings(origins=("https://app.example.org",)))
        answer = self.post("a", b"x", "Origin: https://app.example.org")
        self.assertEqual(answer.status, 204)
        self.assertEqual(answer.headers["Access-Control-Allow-Origin"], "https://app.example.org")

    def test_what_the_service_says_itself(self) -> None:
        """Nobody tells others that they have missed messages but the service."""
        self.assertEqual(self.post("_MISSED.a").status, 403)
        self.serve(Settings(publish=Allowed(allow=(">",))))
        self.assertEqual(self.post("_MISSED.a").status, 403)
        self.assertEqual(self.post("_MISSEDX.a").status, 204)

    def test_permissions(self) -> None:
        """Only what visitors may publish to is published."""
        self.serve(Settings(publish=Allowed(allow=("a.>", "c"), deny=("a.secret",))))
        statuses = [self.post(subject).status for subject in ("a.b", "c", "a.secret", "a", "d")]
        self.assertEqual(statuses, [204, 204, 403, 403, 403])
