"""A pool, its askers and a server that do whatever comes to their minds."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.protocol import Protocol
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.messages import BodyCutError, Pieces
from tests.http.origins import Asker, Asking, Origin, reset

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
BITS = st.sampled_from(
    (
        OK,
        OK[:20],
        OK[20:],
        OK[:-2],
        OK[-2:],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nhello",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 103 Hints\r\n\r\n",
        b"HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 204 x\r\nConnection: close\r\n\r\n",
        b"rubbish\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 50000,
        b"x" * 50000,
    )
)
WHICH = st.integers(0, 5)
STEPS = st.one_of(
    st.tuples(st.just("ask"), st.sampled_from((b"GET", b"POST", b"CONNECT", b"HEAD"))),
    st.tuples(st.just("upload"), st.sampled_from((None, 300000))),
    st.tuples(st.just("upgrade"), st.just(0)),
    st.tuples(st.sampled_from(("take", "finish", "reset", "cancel", "read", "close")), WHICH),
    st.tuples(st.just("wait"), st.sampled_from((1, 70))),
    st.tuples(st.just("send"), st.tuples(WHICH, BITS)),
)


async def pieces(whole: bool) -> Any:  # an iterator, as `Pieces` wants it
    """Yield what comes to 300,000 bytes, or break off."""
    for _ in range(3):
        yield b"x" * 100000
        if not whole:
            raise BodyCutError("gone")


class World:
    """Everything that there is."""

    def __init__(self) -> None:
        self.asker = Asker(Origin(), connections=3, waiting=2)
        self.askings: list[Asking] = []

    def do(self, step: str, how: Any) -> None:
        """Do one step; what is not there is left alone."""
        ends, askings = self.asker.origin.ends, self.askings
        match step:
            case "ask":
                askings.append(self.asker.ask(how))
            case "upload":
                body = Pieces(pieces(whole=how is not None), how)
                askings.append(self.asker.ask(b"PUT", body=body, expects=how is None))
            case "upgrade":
                askings.append(self.asker.ask(upgrade=b"x"))
            case "wait":
                self.asker.wait(how)
            case "send" if how[0] < len(ends) and not ends[how[0]].disconnected:
                ends[how[0]].send(how[1])
            case "take" | "finish" | "reset" if how < len(ends) and not ends[how].disconnected:
                self.end(step, ends[how])
            case "cancel" | "read" | "close" if how < len(askings):
                self.turn(step, askings[how])

    def end(self, step: str, end: Any) -> None:
        """Have a server take, say no more, or reset its connection."""
        if step == "take":
            end.take()
        elif step == "reset":
            reset(end)
        elif end.reading:
            end.finish()

    def turn(self, step: str, asking: Asking) -> None:
        """Have an asker do something with what it has."""
        if step == "cancel":
            asking.deferred.cancel()
        elif step == "close" and asking.answers:
            asking.answer.close()
        elif asking.answers and not asking.ended and not asking.cuts:
            body: Any = asking.answer.body
            if hasattr(body, "hand_over"):
                body.hand_over(Protocol())
                asking.ended = True
            elif not asking.reading:
                asking.reading = True
                asking.take_all()


class RandomTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=300)
    @given(st.lists(STEPS, max_size=40))
    def test_one_outcome(self, steps: list[tuple[str, Any]]) -> None:
        """Each question comes to one thing and each body to an end; nothing is left of them."""
        world = World()
        for step in steps:
            world.do(*step)
            counts = world.asker.pool.counts
            self.assertLessEqual(counts.idle, counts.connections)
            self.assertLessEqual(counts.connections, 3)
            self.assertLessEqual(counts.waiting, 2)
        world.asker.pool.abort()
        for asking in world.askings:
            self.assertEqual(len(asking.answers) + len(asking.errors), 1)
            world.turn("read", asking)
            if asking.answers:
                self.assertTrue(asking.ended or asking.cuts)
        self.assertEqual(world.asker.pool.counts.connections, 0)
        self.assertEqual(world.asker.clock.getDelayedCalls(), [])
