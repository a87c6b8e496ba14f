"""Server-sent events of what is published."""

import json

from netkit.services.pubsub import settings as service
from netkit.services.pubsub.fabric.edge import Edge
from netkit.services.pubsub.live.settings import Allowed, Settings
from netkit.services.pubsub.messages import Published
from tests.http.eventsource import EventSource
from tests.http.fakes import NarrowTransport
from tests.services.pubsub.live.mounted import LiveCase, heard, streamed


def _data(source: EventSource) -> list[str]:
    return [json.loads(each.data)["data"] for each in source.heard if each.type == "message"]


class StreamTests(LiveCase):
    def test_what_is_published(self) -> None:
        """A client hears what is published to its subjects from then on, numbered."""
        self.publish(b"before")
        visit = self.listen("subject=a.*&subject=c")
        self.publish(b"1", b"2")
        self.publish(b"3", subject=b"b")
        self.publish(b"4", subject=b"c")
        source = heard(visit)
        self.assertEqual(_data(source), ["1", "2", "4"])
        numbers = [int(each.last_event_id) for each in source.heard]
        self.assertEqual([number - numbers[0] for number in numbers], [0, 1, 3])
        self.assertEqual(source.retry, 2000)

    def test_of_a_cluster(self) -> None:
        """What comes down from a cluster is an event as any other, and kept for who comes back."""
        edge = Edge(self.pubsub.house.broker, 1000, buffers=True, stir=lambda: None)
        visits = [self.listen("subject=a.*"), self.listen("subject=*.b&subject=a.>")]
        edge.open(lambda _: None, lambda _: None)
        edge.pong(edge.talk)
        edge.pong(edge.groups)
        for payloads in ([b"1", b"2"], [b"3"]):
            for sid in (b"3", b"1", b"2"):
                edge.land(edge.talk, Published(b"a.b", payloads, sid=sid))
        self.pubsub.house.broker.settle()
        first, second = heard(visits[0]), heard(visits[1])
        self.assertEqual((_data(first), _data(second)), (["1", "2", "3"],) * 2)
        since = [each.last_event_id for each in first.heard]
        self.assertEqual([each.last_event_id for each in second.heard], since)
        self.assertEqual(_data(heard(self.listen(f"subject=a.>&since={since[0]}"))), ["2", "3"])

    def test_no_room(self) -> None:
        """Where there are too many subscriptions already, a stream is a 503, to be tried again."""
        self.serve(shown=service.Settings(subscriptions=2))
        self.listen("subject=a")
        answer = self.ask("/live/events?subject=a&subject=b")
        self.assertEqual((answer.status, answer.headers["Retry-After"]), (503, "10"))
        self.assertEqual(len(self.pubsub.house.broker.interest), 1)
        self.listen("subject=b")
        self.assertEqual(len(self.pubsub.house.broker.interest), 2)

    def test_fields(self) -> None:
        """The response is an event stream, which nobody stores, and no other page may read."""
        section = self.listen("subject=a").transport.value().partition(b"\r\n\r\n")[0]
        self.assertIn(b"Content-Type: text/event-stream", section)
        self.assertIn(b"Cache-Control: no-store", section)
        self.assertNotIn(b"Access-Control", section)

    def test_text(self) -> None:
        """As text a client hears the payload alone."""
        visit = self.listen("subject=a.b&format=text")
        self.publish(b"one\ntwo")
        self.assertEqual([each.data for each in heard(visit).heard], ["one\ntwo"])

    def test_once(self) -> None:
        """A message that several of its subjects match comes once."""
        visit = self.listen("subject=a.*&subject=*.b&subject=a.b")
        self.publish(b"1")
        self.publish(b"2", subject=b"c.b")
        self.assertEqual(_data(heard(visit)), ["1", "2"])

    def test_written_once(self) -> None:
        """Those who want the same share what was written once."""
        first, second = self.listen("subject=a.b"), self.listen("subject=a.>")
        matched = self.pubsub.house.broker.interest.match(b"a.b")
        self.assertEqual([len(receivers) for _, receivers in matched.by_form], [2])
        self.publish(b"1")
        self.assertEqual(_data(heard(first)), _data(heard(second)))

    def test_wrong(self) -> None:
        """What is no subject or no place to begin is a 400, another method a 405."""
        for query in ("", "subject=a..b", "subject=%FF", "subject=a&since=-1", "subject=a&since=x"):
            with self.subTest(query):
                self.assertEqual(self.ask(f"/live/events?{query}").status, 400)
        answer = self.ask("/live/events?subject=a", method="DELETE")
        self.assertEqual((answer.status, answer.headers["Allow"]), (405, "GET"))

    def test_leaving(self) -> None:
        """A client that leaves has no subscription any more, and is counted no longer."""
        visit = self.listen("subject=a&subject=b")
        self.assertEqual(self.pubsub.figures().subscriptions, 2)
        self.assertEqual(self.pubsub.figures().connections, 1)
        visit.leave()
        self.assertEqual(self.pubsub.figures().subscriptions, 0)
        self.assertEqual(self.pubsub.figures().connections, 0)

    def test_too_many(self) -> None:
        """Streams count as clients: one too many hears 503."""
        self.serve(shown=service.Settings(clients=1))
        self.listen("subject=a")
        answer = self.ask("/live/events?subject=a")
        self.assertEqual((answer.status, answer.headers["Retry-After"]), (503, "10"))

    def test_the_end(self) -> None:
        """A stream ends as the service stops, or the site; then there are no new ones."""
        for which in range(2):
            self.serve()
            visit = self.listen("subject=a")
            (self.site if which else self.pubsub).stopService()
            self.assertTrue(visit.transport.value().endswith(b"0\r\n\r\n"))
            self.assertEqual(self.ask("/live/events?subject=a").status, 503)
        self.assertEqual(self.pubsub.house.broker.witnesses, [])

    def test_keep_alive(self) -> None:
        """A quiet stream gets a comment now and then."""
        self.serve(Settings(keep_alive=5))
        visit = self.listen("subject=a")
        self.clock.pump([1] * 11)
        self.assertEqual(streamed(visit).count(b":\n\n"), 2)


class CatchingUpTests(LiveCase):
    def test_since(self) -> None:
        """Whoever comes back gets what it has missed, and then what is new."""
        first = self.listen("subject=a.>")
        self.publish(b"1", b"2", b"3")
        seen = heard(first).heard[0].last_event_id
        first.leave()
        self.publish(b"4", subject=b"a.c")
        self.publish(b"other", subject=b"c")
        for visit in (
            self.listen(f"subject=a.>&since={seen}"),
            self.listen("subject=a.>&since=all", f"Last-Event-ID: {seen}"),
        ):
            self.publish(b"5")
            self.assertEqual(_data(heard(visit))[:3], ["2", "3", "4"])
            self.assertEqual(_data(heard(visit))[-1], "5")
            self.assertEqual({each.type for each in heard(visit).heard}, {"message"})

    def test_all(self) -> None:
        """All that is kept comes first, if wanted."""
        self.serve(Settings(keep=2))
        self.publish(b"1", b"2", b"3")
        self.assertEqual(_data(heard(self.listen("subject=a.b&since=all"))), ["2", "3"])

    def test_missed(self) -> None:
        """Who was away for too long is told so."""
        self.serve(Settings(keep=2))
        visit = self.listen("subject=a.b")
        self.publish(b"1", b"2", b"3", b"4")
        seen = heard(visit).heard[0].last_event_id
        source = heard(self.listen(f"subject=a.b&since={seen}"))
        self.assertEqual([each.type for each in source.heard], ["missed", "message", "message"])
        self.assertEqual(_data(source), ["3", "4"])

    def test_too_much(self) -> None:
        """Of more than one stream may have waiting the last come, and that is told."""
        self.serve(Settings(pending_bytes=500))
        self.publish(*[b"%d" % number for number in range(50)])
        source = heard(self.listen("subject=>&since=all"))
        self.assertEqual(source.heard[0].type, "missed")
        self.assertEqual(_data(source)[-1], "49")
        self.assertTrue(5 < len(source.heard) < 20)

    def test_from_the_future(self) -> None:
        """An absurd place to begin gives nothing but a notice, and the stream goes on."""
        self.publish(b"1")
        for visit in (
            self.listen("subject=a.b&since=999999999999999999"),
            self.listen("subject=a.b", "Last-Event-ID: 999999999999999999"),
        ):
            self.publish(b"new")
            self.assertEqual(heard(visit).heard[0].type, "missed")
            self.assertEqual(_data(heard(visit))[0], "new")

    def test_rubbish_id(self) -> None:
        """A browser's id that is none of ours is passed over: it could only send it again."""
        self.publish(b"1")
        visit = self.listen("subject=a.b", "Last-Event-ID: rubbish")
        self.assertEqual(heard(visit).heard, [])

    def test_answers_to_requests(self) -> None:
        """Answers to requests are not kept: they are for one alone."""
        self.publish(b"secret", subject=b"_INBOX.x.1")
        self.assertEqual(_data(heard(self.listen("subject=>&since=all"))), [])

    def test_nobody_has_heard(self) -> None:
        """What is only kept has been heard by nobody."""
        self.assertEqual(self.pubsub.figures().subscriptions, 0)
        self.publish(b"1")
        self.assertEqual(self.pubsub.figures().out_messages, 0)


class SlowTests(LiveCase):
    def test_slow(self) -> None:
        """A client that takes nothing costs so much and no more; it is named, told, and comes back."""
        self.serve(Settings(pending_bytes=10_000))
        slow, quick = NarrowTransport(), NarrowTransport()
        slow.high_water = 1000
        visit = self.listen("subject=a.b&format=text", transport=slow)
        other = self.listen("subject=a.b&format=text", transport=quick)
        for _ in range(100):
            self.publish(b"x" * 500)
        self.assertEqual(len(heard(other).heard), 100)
        self.assertEqual(self.pubsub.figures().slow_consumers, 1)
        self.assertEqual(len([line for line in self.lines if "it is slow" in line]), 1)
        taken = b""
        while piece := slow.drain():
            taken += piece
        self.assertLess(len(taken), 15_000)
        self.assertTrue(taken.endswith(b"0\r\n\r\n"))
        self.assertIn(b"event: slow\n", taken)
        self.assertEqual(self.pubsub.figures().connections, 1)
        visit.leave()
        other.leave()


class PermissionTests(LiveCase):
    def test_subscribe(self) -> None:
        """Only what visitors may subscribe to can be asked for, and what is denied stays away."""
        self.serve(Settings(subscribe=Allowed(allow=("a.>",), deny=("a.secret",))))
        for pattern, status in (("b", 403), (">", 403), ("a.secret", 403), ("*", 403)):
            with self.subTest(pattern):
                self.assertEqual(self.ask(f"/live/events?subject={pattern}").status, status)
        self.publish(b"old", subject=b"a.secret")
        self.publish(b"1")
        visit = self.listen("subject=a.>&since=all")
        self.publish(b"new", subject=b"a.secret")
        self.publish(b"2")
        self.assertEqual(_data(heard(visit)), ["1", "2"])

    def test_as_the_service(self) -> None:
        """Visitors may do no more than the service lets everybody do."""
        table = service.PermissionsTable(subscribe=service.RulesTable(allow=("a.>",)))
        self.serve(shown=service.Settings(permissions={"*": table}))
        self.assertEqual(self.ask("/live/events?subject=b").status, 403)
        heard(self.listen("subject=a.b"))

    def test_a_service_with_logins(self) -> None:
        """Where the service asks for logins, visitors may do only what the mount says outright."""
        shown = service.Settings(certificate_users=("alice",))
        self.serve(shown=shown)
        self.assertEqual(self.ask("/live/events?subject=a").status, 403)
        self.assertEqual(self.ask("/live/publish/a", method="POST", body=b"x").status, 403)
        self.serve(Settings(subscribe=Allowed(allow=("a",))), shown=shown)
        heard(self.listen("subject=a"))
        self.assertEqual(self.ask("/live/publish/a", method="POST", body=b"x").status, 403)


class SharingTests(LiveCase):
    def test_a_page_that_is_let_in(self) -> None:
        """A page whose origin is named may read events; another may not."""
        self.serve(Settings(origins=("https://app.example.org",)))
        section = self.listen("subject=a", "Origin: https://app.example.org").transport.value()
        self.assertIn(b"Access-Control-Allow-Origin: https://app.example.org\r\n", section)
        self.assertIn(b"Access-Control-Allow-Credentials: true\r\n", section)
        self.assertIn(b"Vary: Origin\r\n", section)
        answer = self.ask("/live/events?subject=a", "Origin: https://evil.example")
        self.assertEqual((answer.status, answer.headers["Vary"]), (403, "Origin"))
        self.assertIsNone(answer.headers["Access-Control-Allow-Origin"])

    def test_a_foreign_page(self) -> None:
        """By default a foreign page opens no stream, and a page of our own does."""
        answer = self.ask("/live/events?subject=a", "Origin: https://evil.example")
        self.assertEqual(answer.status, 403)
        self.assertEqual(self.pubsub.figures().connections, 0)
        heard(self.listen("subject=a", "Origin: http://test"))

    def test_all_pages(self) -> None:
        """All pages together may read what needs no login."""
        self.serve(Settings(origins=("*",)))
        section = self.listen("subject=a", "Origin: https://x.example").transport.value()
        self.assertIn(b"Access-Control-Allow-Origin: *\r\n", section)
        self.assertNotIn(b"Credentials", section)

    def test_asked_beforehand(self) -> None:
        """A browser that asks beforehand is told what a page may do."""
        self.serve(Settings(origins=("https://app.example.org",)))
        for origin, allowed in (
            ("https://app.example.org", "GET, POST"),
            ("https://x.example", None),
        ):
            answer = self.ask(
                "/live/publish/a",
                f"Origin: {origin}",
                "Access-Control-Request-Method: POST",
                method="OPTIONS",
            )
            self.assertEqual(answer.status, 204)
            self.assertEqual(answer.headers["Access-Control-Allow-Methods"], allowed)
            self.assertEqual(
                answer.headers.get_all("Access-Control-Allow-Origin", []),
                [origin] if allowed else [],
            )
