"""WebSockets on a transport: messages both ways, back-pressure, deadlines, and the end."""

import struct
import tracemalloc
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from wsproto.connection import ConnectionState
from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage

from netkit.http.frames import message_frame
from netkit.http.sockets import SocketLimits
from netkit.http.websocket import WebSockets
from tests.http.fakes import field, recorded
from tests.http.sockets import MASK, Echo, Listens, Talk, ended, frame, opening, taken_over
from tests.net.splits import split, streams

_BUFFER = 64 * 1024  # bytes; what the transport holds before it pauses its producer
_FULL = b"x" * (_BUFFER + 1)


class Messages(SynchronousTestCase):
    def test_echo(self) -> None:
        """Texts and binary messages of wsproto's client come, and go back."""
        talk = Talk()
        talk.say(TextMessage("gr\u00fc\u00df"), BytesMessage(b"\0\xff"))
        self.assertEqual(talk.news, ["gr\u00fc\u00df", b"\0\xff"])
        self.assertEqual(talk.heard(), [TextMessage("gr\u00fc\u00df"), BytesMessage(b"\0\xff")])

    def test_opened(self) -> None:
        """The endpoint may speak first, and knows who is there and what was agreed on."""

        class Greets(Listens):
            def opened(self, socket: Any) -> None:
                super().opened(socket)
                socket.send("welcome")

        talk = Talk(Greets)
        self.assertEqual(talk.heard(), [TextMessage("welcome")])
        self.assertIsNone(talk.socket.subprotocol)
        self.assertEqual(talk.socket.peer, talk.transport.getPeer())

    def test_subprotocol(self) -> None:
        """What was agreed on is told to the client and to the endpoint."""
        sockets = WebSockets(Clock(), recorded([]), subprotocols=["nats"])
        response = sockets.upgrade(opening((b"Sec-WebSocket-Protocol", b"x, nats")), Echo)
        self.assertEqual(field(response, b"Sec-WebSocket-Protocol"), b"nats")
        self.assertEqual(taken_over(response).subprotocol, "nats")

    def test_fragments(self) -> None:
        """A message in fragments, with a ping between them, is one message."""
        talk = Talk()
        talk.say(TextMessage("a", message_finished=False), Ping(b"?"), TextMessage("b"))
        self.assertEqual(talk.news, ["ab"])
        self.assertEqual(talk.heard(), [Pong(b"?"), TextMessage("ab")])

    def test_shared_frames(self) -> None:
        """What is framed once can be sent to many."""
        talk = Talk()
        talk.socket.send_frames(message_frame(b"1") + message_frame(b"2"))
        self.assertEqual(talk.heard(), [BytesMessage(b"1"), BytesMessage(b"2")])

    def test_pings(self) -> None:
        """Of the pings of one read the last is answered, behind the messages before it."""
        talk = Talk()
        talk.send(frame(0x89, b"1") + frame(0x81, b"a") + frame(0x89, b"2") + frame(0x8A))
        self.assertEqual(talk.heard(), [TextMessage("a"), Pong(b"2")])

    @settings(deadline=None, max_examples=100)
    @given(
        streams(
            frame(0x81, b"text"),
            frame(0x02, b"a") + frame(0x80, b"b"),
            frame(0x88, b"\x03\xe8"),
            frame(0x81, b"\xff"),
            b"\xff",
        ),
        st.data(),
    )
    def test_any_split(self, stream: bytes, data: st.DataObject) -> None:
        """Any split of the same bytes gives the same messages, answers and end."""
        one, other = Talk(), Talk()
        one.send(stream)
        for piece in split(stream, data.draw):
            other.send(piece)
        self.assertEqual(one.news, other.news)
        self.assertEqual(one.transport.take(), other.transport.take())
        self.assertEqual(one.transport.finished, other.transport.finished)


class BackPressure(SynchronousTestCase):
    def test_client_takes_nothing(self) -> None:
        """Nothing is read from a client that does not take its answers, not even of one read."""
        talk = Talk()
        talk.send(frame(0x82, _FULL) + frame(0x81, b"later") + frame(0x89, b"?"))
        self.assertEqual(talk.news, [_FULL, "paused"])
        self.assertFalse(talk.transport.reading)
        talk.transport.take()
        self.assertEqual(talk.news, [_FULL, "paused", "resumed", "later"])
        self.assertTrue(talk.transport.reading)

    def test_flood_of_an_echo(self) -> None:
        """A client that only talks costs one write buffer and one read."""
        talk = Talk()
        message = frame(0x82, b"x" * 1000)
        while talk.send(message * 60):
            pass
        self.assertLess(talk.transport.waiting, _BUFFER + 1100)
        self.assertLess(len(talk.news), 70)

    def test_endpoint_sends_on(self) -> None:
        """An endpoint that sends on all the same does so up to a limit."""
        talk = Talk(Listens, SocketLimits(unsent_bytes=1000))
        talk.socket.send(_FULL)
        for _ in range(3):
            talk.socket.send(b"x" * 300)
        self.assertFalse(talk.transport.aborted)
        for _ in range(3):
            talk.socket.send(b"x" * 300)
        self.assertTrue(talk.transport.aborted)
        self.assertEqual(talk.news, ["paused", (1006, "")])
        self.assertEqual(
            talk.lines, ["let go of the WebSocket of 192.0.2.1:4321: 1216 bytes wait for it"]
        )

    def test_counted_anew(self) -> None:
        """The limit is of what waits, not of all that was ever sent."""
        talk = Talk(Listens, SocketLimits(unsent_bytes=1000))
        for _ in range(5):
            talk.socket.send(_FULL)
            talk.socket.send(b"x" * 900)
            talk.transport.take()
        self.assertFalse(talk.transport.aborted)

    def test_endpoint_pauses(self) -> None:
        """An endpoint that has enough gets no more, nothing is lost, and the client has to wait."""

        class OneAtATime(Listens):
            def received(self, message: str | bytes) -> None:
                super().received(message)
                self.socket.pause_reading()

        talk = Talk(OneAtATime)
        talk.send(frame(0x81, b"1") + frame(0x81, b"2") + frame(0x81, b"3")[:4])
        self.assertEqual(talk.news, ["1"])
        self.assertFalse(talk.transport.reading)
        talk.socket.resume_reading()
        self.assertEqual(talk.news, ["1", "2"])
        self.assertFalse(talk.transport.reading)
        talk.socket.resume_reading()
        self.assertTrue(talk.transport.reading)
        talk.send(frame(0x81, b"3")[4:])
        self.assertEqual(talk.news, ["1", "2", "3"])

    def test_resumed_at_once(self) -> None:
        """Pausing and resuming inside `received` changes neither order nor number."""

        class Wavers(Listens):
            def received(self, message: str | bytes) -> None:
                self.socket.pause_reading()
                self.socket.resume_reading()
                super().received(message)

        talk = Talk(Wavers)
        talk.send(b"".join(frame(0x81, b"%d" % number) for number in range(500)))
        self.assertEqual(talk.news, [str(number) for number in range(500)])


class Closing(SynchronousTestCase):
    def _ended(self, talk: Talk, code: int, reason: str = "") -> None:
        """Check that the endpoint knows, that the FIN is sent, and that the client's FIN ends it."""
        self.assertEqual(talk.news[-1], (code, reason))
        self.assertTrue(talk.transport.finished)
        talk.transport.finish()
        talk.transport.take()
        self.assertTrue(talk.transport.disconnected)
        self.assertEqual([each for each in talk.news if isinstance(each, tuple)], talk.news[-1:])
        self.assertEqual((len(talk.sockets), talk.clock.getDelayedCalls()), (0, []))

    def test_by_the_client(self) -> None:
        """The client's Close is answered with its code, and the connection ends."""
        talk = Talk()
        talk.say(CloseConnection(1001, "leaving"))
        self.assertEqual(ended(talk.heard()), 1001)
        self._ended(talk, 1001, "leaving")

    def test_without_a_code(self) -> None:
        """A Close without a code gets one without; the endpoint is told 1005."""
        talk = Talk()
        talk.send(frame(0x88))
        self.assertEqual(talk.transport.take(), b"\x88\x00")
        self._ended(talk, 1005)

    def test_by_the_endpoint(self) -> None:
        """Ours waits for the client's; what comes before that is dropped, and nothing is sent."""
        talk = Talk()
        talk.socket.close(4000, "enough")
        talk.socket.close()
        talk.socket.send("more")
        talk.send(frame(0x81, b"x") + frame(0x89, b"?"))
        heard = talk.heard()
        self.assertEqual(heard, [CloseConnection(4000, "enough")])
        self.assertEqual(talk.news, [])
        self.assertFalse(talk.transport.finished)
        talk.say(heard[0].response())  # type: ignore[attr-defined]
        self.assertIs(talk.client.state, ConnectionState.CLOSED)
        self.assertEqual(talk.transport.take(), b"")
        self._ended(talk, 4000, "enough")

    def test_inside_received(self) -> None:
        """An endpoint may close on a message, and hears of none after it."""

        class Once(Listens):
            def received(self, message: str | bytes) -> None:
                super().received(message)
                self.socket.close()

        talk = Talk(Once)
        talk.send(frame(0x81, b"1") + frame(0x81, b"2") + frame(0x88, b"\x03\xe8"))
        self.assertEqual(ended(talk.heard()), 1000)
        self.assertEqual(talk.news[0], "1")
        self._ended(talk, 1000)

    def test_while_it_pauses(self) -> None:
        """A Close that waits behind a pause is found when the endpoint closes."""
        talk = Talk()
        talk.socket.pause_reading()
        talk.transport.protocol.dataReceived(frame(0x81, b"x") + frame(0x88, b"\x03\xe8"))
        talk.socket.close()
        talk.transport.take()
        self._ended(talk, 1000)

    def test_wrong_code(self) -> None:
        """An endpoint cannot say what never stands in a frame."""
        self.assertRaises(ValueError, Talk().socket.close, 1006)

    def test_what_comes_after(self) -> None:
        """What a client says after its Close is read, dropped and not answered."""
        talk = Talk()
        talk.send(frame(0x88, b"\x03\xe8") + frame(0x81, b"x"))
        talk.transport.take()
        self.assertTrue(talk.send(b"\xff" * 1000))
        self.assertEqual(talk.transport.take(), b"")
        self._ended(talk, 1000)

    def test_client_does_not_answer(self) -> None:
        """A client that does not answer our Close is let go in time."""
        talk = Talk()
        talk.socket.close()
        talk.wait(4)
        self.assertFalse(talk.transport.aborted)
        talk.wait(1)
        self.assertTrue(talk.transport.aborted)
        self.assertEqual(talk.news, [(1006, "")])
        self.assertIn("did not close in time", talk.lines[-1])

    def test_client_does_not_end(self) -> None:
        """A client that stays after both Closes, talking or not, is let go in time."""
        for says in (b"", frame(0x81, b"x")):
            talk = Talk()
            talk.send(frame(0x88, b"\x03\xe8"))
            talk.transport.take()
            for _ in range(5):
                self.assertFalse(talk.transport.aborted)
                talk.send(says)
                talk.wait(1)
            self.assertTrue(talk.transport.aborted)
            self.assertEqual((talk.news, talk.lines), ([(1000, "")], []))

    def test_client_takes_no_close(self) -> None:
        """A client that never reads cannot draw out the end."""
        talk = Talk(Listens)
        talk.socket.send(_FULL)
        talk.socket.close()
        talk.wait(5)
        self.assertTrue(talk.transport.aborted)
        self.assertEqual(talk.news, ["paused", (1006, "")])

    def test_lost(self) -> None:
        """A connection that is lost is told as 1006."""
        talk = Talk()
        talk.transport.abortConnection()
        self.assertEqual(talk.news, [(1006, "")])
        self.assertEqual((len(talk.sockets), talk.clock.getDelayedCalls()), (0, []))

    def test_half_closed(self) -> None:
        """A client that says no more has left; what was sent to it before still goes out."""
        talk = Talk()
        self.assertTrue(IHalfCloseableProtocol.providedBy(talk.transport.protocol))
        talk.send(frame(0x81, b"x"))
        talk.transport.finish()
        self.assertEqual(talk.news, ["x", (1006, "")])
        self.assertEqual(talk.heard(), [TextMessage("x")])
        self.assertTrue(talk.transport.disconnected)

    def test_half_closed_and_full(self) -> None:
        """The same where the client has not read for a while: a close waits for no producer."""
        talk = Talk(Listens)
        talk.socket.send(_FULL)
        IHalfCloseableProtocol(talk.transport.protocol).readConnectionLost()
        talk.transport.take()
        self.assertTrue(talk.transport.disconnected)

    def test_stop(self) -> None:
        """A service that stops closes all with 1001, and opens no more."""
        talk = Talk()
        talk.sockets.stop()
        self.assertEqual(ended(talk.heard()), 1001)
        self.assertEqual(talk.sockets.upgrade(opening(), Echo).status, 503)
        talk.wait(5)
        self.assertEqual((len(talk.sockets), talk.clock.getDelayedCalls()), (0, []))

    def test_refused(self) -> None:
        """What cannot be upgraded gets a page, and no endpoint."""

        def none() -> Echo:
            raise AssertionError

        sockets = WebSockets(Clock(), recorded([]), origins=["http://friend.example"])
        self.assertEqual(sockets.upgrade(opening(method=b"PUT"), none).status, 405)
        foreign = opening((b"Origin", b"http://foe.example"))
        self.assertEqual(sockets.upgrade(foreign, none).status, 403)
        friend = opening((b"Origin", b"http://friend.example"))
        self.assertEqual(sockets.upgrade(friend, Echo).status, 101)


class Raising(SynchronousTestCase):
    """What an endpoint raises is noted, and costs its own socket only."""

    def _talk(self, where: str) -> Talk:
        def broken(*_: object) -> None:
            raise RuntimeError("on fire")

        class Broken(Echo):
            pass

        setattr(Broken, where, broken)
        return Talk(Broken)

    def test_everywhere(self) -> None:
        """An endpoint that raises closes its socket with 1011, and the log has the traceback."""
        acts: dict[str, Callable[[Talk], object]] = {
            "opened": lambda _: None,
            "received": lambda talk: talk.send(frame(0x81, b"x")),
            "paused": lambda talk: talk.send(frame(0x82, _FULL)),
        }
        for where, act in acts.items():
            with self.subTest(where):
                talk = self._talk(where)
                act(talk)
                talk.transport.take()
                self.assertEqual(talk.endpoint.news[-1], (1011, "something went wrong here"))
                self.assertTrue(talk.transport.finished)
                self.assertEqual(talk.events[0]["log_failure"].type, RuntimeError)

    def test_closed(self) -> None:
        """What `closed` raises is noted, and the connection ends as ever."""
        talk = self._talk("closed")
        talk.send(frame(0x88))
        talk.transport.take()
        self.assertTrue(talk.transport.finished)
        self.assertEqual(talk.events[0]["log_failure"].type, RuntimeError)


class Silence(SynchronousTestCase):
    def test_asked(self) -> None:
        """A client that is silent is asked, and stays if it answers."""
        talk = Talk()
        for _ in range(5):
            talk.wait(24)
            self.assertEqual(talk.heard(), [])
            talk.wait(2)
            (ping,) = talk.heard()
            assert isinstance(ping, Ping)
            talk.say(ping.response())
            talk.wait(1)
        self.assertEqual(talk.news, [])

    def test_no_answer(self) -> None:
        """One that does not answer is let go, once."""
        talk = Talk()
        talk.wait(44)
        self.assertFalse(talk.transport.aborted)
        talk.wait(10)
        self.assertTrue(talk.transport.aborted)
        self.assertEqual(talk.news, [(1006, "")])
        self.assertEqual(
            talk.lines, ["let go of the WebSocket of 192.0.2.1:4321: said nothing for 45 s"]
        )

    def test_half_a_frame(self) -> None:
        """One that stops inside a frame cannot answer, and is let go."""
        for part in (frame(0x82, b"x" * 1000)[:500], b"\x82", b"\x82\xfe\x01\x00\x01\x02"):
            talk = Talk()
            talk.send(part)
            talk.wait(50)
            self.assertTrue(talk.transport.aborted)

    def test_trickle(self) -> None:
        """A message that comes one byte now and then is ended by its own time."""
        talk = Talk()
        talk.send(frame(0x82, b"x" * 1000)[:8])
        for _ in range(119):
            self.assertNotIn((1008, "a message took too long"), talk.news)
            talk.send(b"x")
            talk.wait(1)
        talk.wait(2)
        self.assertEqual(talk.news, [(1008, "a message took too long")])
        self.assertEqual(ended(talk.heard()), 1008)

    def test_trickle_of_fragments(self) -> None:
        """The same holds for a message in fragments with pings between."""
        talk = Talk()
        talk.send(frame(0x02, b"x"))
        for _ in range(125):
            talk.send(frame(0x00, b"x") + frame(0x89))
            talk.wait(1)
        self.assertEqual(talk.news[-1], (1008, "a message took too long"))

    def test_begun_after_a_silence(self) -> None:
        """The time of a message counts from its own first byte."""
        talk = Talk()
        for _ in range(20):
            talk.wait(20)
            talk.send(frame(0x8A))
        talk.send(frame(0x82, b"x" * 10)[:8])
        talk.wait(20)
        talk.send(frame(0x82, b"x" * 10)[8:])
        self.assertEqual(talk.news, [b"x" * 10])

    def test_one_after_another(self) -> None:
        """A client that never pauses between messages is not taken for a slow one."""
        talk = Talk(Listens)
        message = frame(0x82, b"x" * 100)
        talk.send(message[:50])
        for _ in range(300):
            talk.send(message[50:] + message[:50])
            talk.wait(1)
        self.assertEqual(talk.news, [b"x" * 100] * 300)

    def test_not_read_from(self) -> None:
        """A client that is not read from is neither asked nor let go for its silence."""
        talk = Talk()
        talk.send(frame(0x81, b"x")[:3])
        talk.socket.pause_reading()
        talk.wait(500)
        self.assertEqual(talk.heard(), [])
        talk.socket.resume_reading()
        talk.send(frame(0x81, b"x")[3:])
        self.assertEqual(talk.news, ["x"])


class Attacks(SynchronousTestCase):
    def _refused(self, data: bytes, code: int) -> None:
        """Check that `data` ends one connection with `code`, without a traceback or an echo of it."""
        talk = Talk()
        talk.send(data)
        self.assertEqual(ended(talk.heard()), code)
        self.assertEqual(talk.news[-1][0], code)
        self.assertTrue(talk.transport.finished)
        self.assertTrue(talk.send(b"more of it" * 1000), "it is read, so that no reset comes")
        self.assertEqual(len(talk.lines), 1)
        self.assertFalse([each for each in talk.events if "log_failure" in each])
        talk.wait(5)
        self.assertEqual((len(talk.sockets), talk.clock.getDelayedCalls()), (0, []))

    def test_refused(self) -> None:
        """What breaks the rules ends with the code for it."""
        for name, data, code in (
            ("not masked", frame(0x81, b"x", mask=None), 1002),
            ("a reserved bit", frame(0xC1, b"x"), 1002),
            ("a fragmented ping", frame(0x09), 1002),
            ("2^63 bytes", struct.pack("!BBQ", 0x82, 0xFF, 1 << 63), 1002),
            ("2^63 - 1 bytes", struct.pack("!BBQ", 0x82, 0xFF, (1 << 63) - 1) + MASK, 1009),
            ("1 MiB and a byte", struct.pack("!BBQ", 0x82, 0xFF, (1 << 20) + 1) + MASK, 1009),
            ("not UTF-8", frame(0x81, b"\xff"), 1007),
            ("a code of 1005", frame(0x88, b"\x03\xed"), 1002),
            ("a close reason that is not UTF-8", frame(0x88, b"\x03\xe8\xff"), 1007),
            ("101 pings", frame(0x89) * 101, 1008),
            ("101 empty fragments", frame(0x01) + frame(0x00) * 101, 1008),
            ("HTTP", b"GET / HTTP/1.1\r\nHost: test\r\n\r\n", 1002),
        ):
            with self.subTest(name):
                self._refused(data, code)

    def test_messages_before(self) -> None:
        """The messages before what is wrong are still delivered."""
        talk = Talk()
        talk.send(frame(0x81, b"good") + b"\xff\xff")
        self.assertEqual(talk.news[0], "good")

    def test_pings_now_and_then(self) -> None:
        """So many pings as are allowed in a second are answered for ever."""
        talk = Talk()
        for _ in range(10):
            self.assertTrue(talk.send(frame(0x89) * 100))
            talk.wait(1)
        self.assertEqual(talk.news, [])

    def test_largest_message(self) -> None:
        """A message of the limit comes, in one-byte fragments of one read each too."""
        talk = Talk(Listens, SocketLimits(message_bytes=5000))
        talk.send(frame(0x02))
        for _ in range(5000):
            talk.send(frame(0x00, b"x"))
        talk.send(frame(0x80))
        self.assertEqual(talk.news, [b"x" * 5000])

    @settings(deadline=None, max_examples=200)
    @given(st.lists(st.binary(max_size=60), max_size=5))
    def test_rubbish(self, pieces: list[bytes]) -> None:
        """No bytes raise anything or leave a traceback, and time ends every connection."""
        talk = Talk()
        for piece in pieces:
            talk.send(piece)
        talk.wait(60)
        self.assertFalse([each for each in talk.events if "log_failure" in each])
        self.assertEqual(len(talk.sockets), 0)

    def test_idle_is_cheap(self) -> None:
        """A socket at rest keeps little more than itself: its parser is put away."""
        sockets = WebSockets(Clock(), recorded([]))
        endpoint = Listens()

        def connect() -> Any:
            return taken_over(sockets.upgrade(opening(), lambda: endpoint))

        connect()
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        before, _ = tracemalloc.get_traced_memory()
        idle = [connect() for _ in range(100)]
        after, _ = tracemalloc.get_traced_memory()
        self.assertLess((after - before) / len(idle), 500)

    def test_parser_is_put_away(self) -> None:
        """The parser goes when nothing is begun, and comes back with the next byte."""
        talk = Talk()
        talk.send(frame(0x81, b"x"))
        talk.wait(1)
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        before, _ = tracemalloc.get_traced_memory()
        talk.send(frame(0x81, b"y")[:3])
        talk.wait(1)
        talk.send(frame(0x81, b"y")[3:])
        talk.wait(1)
        self.assertEqual(talk.news, ["x", "y"])
        after, _ = tracemalloc.get_traced_memory()
        self.assertLess(after - before, 3000)
