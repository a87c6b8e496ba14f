"""The hub gives everyone what was said, once written and shared."""

from attrs import Factory, define
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.hub import Hub, Said

_SAID = Said("a", (b"1", b"2"))


@define(eq=False)
class _Ear:
    heard: list[bytes] = Factory(list)
    closed: bool = False

    def deliver(self, piece: bytes) -> None:
        self.heard.append(piece)

    def close(self) -> None:
        self.closed = True


def _loud(said: Said) -> bytes:
    return b"!".join(said.lines)


def _quiet(said: Said) -> bytes:
    return said.source.encode() + b".".join(said.lines)


class HubTests(SynchronousTestCase):
    def test_everyone_shares_one_piece(self) -> None:
        """All lines of one read are one piece of bytes, the same one for every subscriber."""
        hub = Hub()
        ears = [_Ear(), _Ear(), _Ear()]
        for ear in ears:
            hub.join(ear, _loud)
        hub.publish(_SAID)
        self.assertEqual([ear.heard for ear in ears], [[b"1!2"]] * 3)
        self.assertIs(ears[0].heard[0], ears[2].heard[0])

    def test_forms(self) -> None:
        """Each subscriber gets the form it asked for, and each form is written once."""
        hub = Hub()
        written = []

        def counted(said: Said) -> bytes:
            written.append(said)
            return _quiet(said)

        loud, one, two = _Ear(), _Ear(), _Ear()
        hub.join(loud, _loud)
        hub.join(one, counted)
        hub.join(two, counted)
        hub.publish(_SAID)
        self.assertEqual((loud.heard, one.heard, two.heard), ([b"1!2"], [b"a1.2"], [b"a1.2"]))
        self.assertEqual(written, [_SAID])

    def test_nobody(self) -> None:
        """What is said to nobody is not even written."""
        hub = Hub()
        ear = _Ear()
        hub.join(ear, _loud)
        hub.leave(ear, _loud)
        hub.publish(Said("a", (b"1",)))
        self.assertEqual(ear.heard, [])
        self.assertEqual(hub, Hub())

    def test_count(self) -> None:
        """The hub knows how many there are; who joins or leaves twice counts once."""
        hub = Hub()
        one, two = _Ear(), _Ear()
        hub.join(one, _loud)
        hub.join(one, _loud)
        hub.join(two, _quiet)
        self.assertEqual(len(hub), 2)
        hub.leave(one, _loud)
        hub.leave(one, _loud)
        self.assertEqual(len(hub), 1)

    def test_leaving_while_a_piece_goes_round(self) -> None:
        """A subscriber that leaves as it is served costs the others nothing."""
        hub = Hub()

        class Leaver(_Ear):
            def deliver(self, piece: bytes) -> None:
                super().deliver(piece)
                hub.leave(self, _loud)

        ears = [Leaver(), _Ear(), Leaver(), _Ear()]
        for ear in ears:
            hub.join(ear, _loud)
        hub.publish(_SAID)
        hub.publish(_SAID)
        self.assertEqual([len(ear.heard) for ear in ears], [1, 2, 1, 2])

    def test_close(self) -> None:
        """Closing lets everyone go, and nothing is delivered after that."""
        hub = Hub()
        loud, quiet = _Ear(), _Ear()
        hub.join(loud, _loud)
        hub.join(quiet, _quiet)
        hub.close()
        hub.publish(_SAID)
        self.assertTrue(loud.closed and quiet.closed)
        self.assertEqual((loud.heard, quiet.heard, len(hub)), ([], [], 0))
