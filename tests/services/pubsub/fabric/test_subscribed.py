"""The server is told what is wanted, once, and as it is by then."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.fabric.subscribed import Subscribed, Wanted
from netkit.services.pubsub.nats.grammar import LINE_BYTES, SERVER, Grammar
from netkit.services.pubsub.nats.verbs import Subscribe, Unsubscribe
from netkit.services.pubsub.nats.wire import Reader


class SubscribedTests(SynchronousTestCase):
    def test_lines(self) -> None:
        """What is new is asked for under a sid of its own, and what is over is ended."""
        subscribed = Subscribed()
        subscribed.want((b"a.*", b""))
        subscribed.want((b"b", b"q"))
        self.assertEqual(subscribed.lines(), b"SUB a.* 1\r\nSUB b q 2\r\n")
        self.assertEqual(subscribed.asked(b"2"), (b"b", b"q"))
        subscribed.want_no_more((b"a.*", b""))
        self.assertEqual(subscribed.lines(), b"UNSUB 1\r\n")
        self.assertEqual((subscribed.asked(b"1"), subscribed.lines()), (None, b""))

    def test_come_and_gone(self) -> None:
        """What comes and goes between two lines, or goes and comes, is not spoken of."""
        subscribed = Subscribed()
        subscribed.want((b"a", b""))
        subscribed.want_no_more((b"a", b""))
        self.assertEqual(subscribed.lines(), b"")
        subscribed.want((b"a", b""))
        subscribed.lines()
        subscribed.want_no_more((b"a", b""))
        subscribed.want((b"a", b""))
        self.assertEqual(subscribed.lines(), b"")

    def test_too_long(self) -> None:
        """What does not fit in a control line would end the connection: it is counted, not asked for."""
        subscribed = Subscribed()
        subscribed.want((b"a" * LINE_BYTES, b""))
        self.assertEqual((subscribed.lines(), subscribed.refused), (b"", 1))

    @settings(deadline=None, max_examples=100)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["want", "leave", "tell", "cut"]),
                st.tuples(st.sampled_from([b"a", b"b.*"]), st.sampled_from([b"", b"q"])),
            ),
            max_size=40,
        )
    )
    def test_the_server_knows(self, actions: list[tuple[str, Wanted]]) -> None:
        """Whatever happens, the server knows what is wanted as soon as it is told, each once."""
        subscribed, wanted = Subscribed(), set()
        reader, known = Reader(Grammar(SERVER)), dict[bytes, Wanted]()
        for action, what in [*actions, ("tell", (b"a", b""))]:
            if action == "want":
                wanted.add(what)
                subscribed.want(what)
            elif action == "leave" and what in wanted:
                wanted.discard(what)
                subscribed.want_no_more(what)
            elif action == "cut":
                known.clear()
                subscribed.cut()
            elif action == "tell":
                for event in reader.feed(subscribed.lines()):
                    if isinstance(event, Subscribe):
                        known[event.sid] = (event.pattern, event.queue)
                    elif isinstance(event, Unsubscribe):
                        del known[event.sid]
                self.assertEqual(sorted(known.values()), sorted(wanted))
                self.assertEqual([subscribed.asked(sid) for sid in known], list(known.values()))
