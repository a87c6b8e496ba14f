"""Servers as they are written, their order, and the waits between attempts."""

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.nats.servers import (
    JITTER,
    MOST_DISCOVERED,
    Roster,
    Server,
    discovered,
    parse,
    wait,
)


class ParseTests(SynchronousTestCase):
    def test_forms(self) -> None:
        """A URL has a host, and perhaps a port, a login, and TLS."""
        for text, server in (
            ("nats://10.0.0.2", Server("10.0.0.2", name="10.0.0.2")),
            ("nats://10.0.0.2:4333/", Server("10.0.0.2", 4333, name="10.0.0.2")),
            ("tls://n.example", Server("n.example", tls=True, name="n.example")),
            ("nats://[2001:db8::1]:1", Server("2001:db8::1", 1, name="2001:db8::1")),
            ("nats://bob:a%40b@h", Server("h", name="h", user="bob", password="a@b")),
            ("nats://t%2Fk@h", Server("h", name="h", token="t/k")),
        ):
            self.assertEqual(parse(text), server)
        self.assertEqual(str(parse("nats://u:p@[::1]")), "[::1]:4222")

    def test_wrong(self) -> None:
        """What is none is a mistake, and no password is in what is said about it."""
        for text in (
            "",
            "10.0.0.2:4222",
            "http://h",
            "nats://",
            "nats://u:secret@",
            "nats://u:secret@h:0",
            "nats://u:secret@h:99999",
            "nats://u:secret@h:x",
            "nats://u:secret@h/path",
            "nats://u:secret@h?q",
            "nats://u:secret@h o",
            "nats://u:secret@[::",
            "nats://" + "h" * 5000,
        ):
            error = self.assertRaises(ValueError, parse, text)
            self.assertNotIn("secret", str(error))
            self.assertLess(len(str(error)), 200)

    def test_no_secrets(self) -> None:
        """What a node logs in by is in no repr."""
        shown = repr(parse("nats://user1:pass1@h")) + repr(parse("nats://token1@h"))
        for secret in ("user1", "pass1", "token1"):
            self.assertNotIn(secret, shown)

    @settings(deadline=None, max_examples=100)
    @given(st.text(max_size=60), st.sampled_from(["", "nats://", "tls://u:p@"]))
    def test_anything(self, text: str, before: str) -> None:
        """Whatever is written is a server or a ValueError."""
        try:
            self.assertTrue(parse(before + text).host)
        except ValueError as error:
            self.assertTrue(str(error))


class DiscoveredTests(SynchronousTestCase):
    _BY = Server("n.example", 4222, tls=True, name="n.example", user="bob", password="p")

    def test_terms(self) -> None:
        """Others are spoken to on the terms of who tells of them; addresses must prove to be that one."""
        self.assertEqual(
            discovered(self._BY, ["192.0.2.7:4333", "m.example:1"]),
            (
                evolve(self._BY, host="192.0.2.7", port=4333),
                evolve(self._BY, host="m.example", port=1, name="m.example"),
            ),
        )

    def test_rubbish(self) -> None:
        """What is no server is passed over, and there is an end to it."""
        self.assertEqual(discovered(self._BY, ["", "x y:1", "h:70000", "h/x", "\x00:1"]), ())
        many = discovered(self._BY, (f"h{number}:1" for number in range(1000)))
        self.assertEqual(len(many), MOST_DISCOVERED)


class RosterTests(SynchronousTestCase):
    def test_in_turn(self) -> None:
        """Every server has its turn: the operator's, and those that were told of last, each once."""
        one, two = parse("nats://one"), parse("nats://two")
        roster = Roster((one, two), lambda _: 1)
        self.assertEqual([roster.next() for _ in range(3)], [one, two, one])
        roster.learn(one, ["gone:1"])
        roster.learn(one, ["two:4222", "three:1"])
        self.assertEqual(len(roster), 3)
        self.assertEqual(
            {str(roster.next()) for _ in range(3)}, {"one:4222", "two:4222", "three:1"}
        )


class WaitTests(SynchronousTestCase):
    def test_rounds(self) -> None:
        """The first round is quick; each after it waits twice as long as the one before, up to the most."""
        waits = [wait(failures, 2, 1.0, 5.0, 0.0) for failures in range(10)]
        self.assertEqual(waits, [0, 0, 1, 1, 2, 2, 4, 4, 5, 5])
        self.assertEqual(wait(0, 2, 1.0, 5.0, 1.0), JITTER)
        self.assertEqual(wait(9, 2, 1.0, 5.0, 1.0), 2.5)
        self.assertEqual(wait(10**9, 0, 1.0, 5.0, 0.0), 5.0)
