"""Tests of the reactor itself: its turns, what it calls in them, and how it is installed."""

import ast
import inspect
import os
import resource
import socket
import subprocess
import sys
from pathlib import Path

from twisted.application.reactors import getReactorTypes
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IPullProducer
from twisted.internet.protocol import connectionDone
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from netkit.net import eager, reactor
from tests.net.turning import TCP, Recorder, Recorders, TurningTestCase


class ReactorTestCase(TurningTestCase):
    """Serves recorders, of which tests are the peers."""

    def setUp(self) -> None:
        super().setUp()
        self.served = Recorders()
        self.way = TCP()
        self.port = self.way.listen(self.reactor, self.served)

    def connect(self, says: bytes = b"") -> socket.socket:
        """Return a peer, which has not been accepted yet and `says` something at once."""
        peer = self.way.peer()
        self.addCleanup(peer.close)
        peer.sendall(says)
        return peer

    def accepted(self, count: int = 1) -> list[Recorder]:
        """Return what serves the next `count` peers, which have said nothing yet."""
        before = len(self.served.made)
        for _ in range(count):
            self.connect()
        self.turn_until(lambda: len(self.served.made) == before + count)
        self.turn()
        return self.served.made[before:]


class TurnTests(ReactorTestCase):
    def test_short_connection(self) -> None:
        """A connection whose bytes came with it is read, answered and closed in two turns."""

        def answer(ours: Recorder) -> None:
            ours.transport.write(ours.data.upper())
            ours.transport.loseConnection()

        self.served.on_new = lambda recorder: setattr(recorder, "on_data", answer)
        peer = self.connect(says=b"question")
        self.turn()
        self.turn()
        self.assertEqual(peer.recv(99), b"QUESTION")
        self.assertEqual(peer.recv(99), b"")
        self.assertEqual(self.served.made[0].lost, [ConnectionDone])

    def test_silent_at_first(self) -> None:
        """A connection on which nothing has come is read once something does."""
        peer = self.connect()
        for _ in range(3):
            self.turn()
        peer.sendall(b"late")
        self.turn_until(lambda: self.served.made[0].data == b"late")

    def test_paused_from_the_beginning(self) -> None:
        """A connection that is paused as it is made is not read until it is resumed."""
        self.served.on_new = lambda recorder: setattr(
            recorder, "on_made", lambda ours: ours.transport.pauseProducing()
        )
        self.connect(says=b"early")
        for _ in range(3):
            self.turn()
        [ours] = self.served.made
        self.assertEqual(ours.data, b"")
        ours.transport.resumeProducing()
        self.turn_until(lambda: ours.data == b"early")

    def test_ended_from_the_beginning(self) -> None:
        """A connection that is let go as it is made is told of it once, and not read."""
        ends = [
            lambda ours: ours.transport.loseConnection(),
            lambda ours: ours.transport.abortConnection(),
        ]
        self.served.on_new = lambda recorder: setattr(recorder, "on_made", ends.pop())
        for _ in range(2):
            self.connect(says=b"unheard")
            for _ in range(4):
                self.turn()
        served = [(ours.data, len(ours.lost)) for ours in self.served.made]
        self.assertEqual(served, [(b"", 1), (b"", 1)])

    def test_turns_are_counted(self) -> None:
        """Every turn has a number of its own."""
        before = self.reactor.turn
        self.turn()
        self.turn()
        self.assertEqual(self.reactor.turn, before + 2)

    def test_call_later_from_what_was_due(self) -> None:
        """The loop does not fall asleep over what was asked for by what was due."""
        [ours] = self.accepted()
        called: list[bool] = []
        ours.on_lost = lambda _: self.reactor.callLater(0, called.append, True)
        ours.transport.loseConnection()
        self.reactor.iterate(60)
        self.reactor.iterate(0)
        self.assertEqual(called, [True])


class ErrorTests(ReactorTestCase):
    def test_in_data_received(self) -> None:
        """Who raises as it is given bytes is logged and dropped; the others are served."""
        broken, *others = self.accepted(3)

        def fail(_: Recorder) -> None:
            raise KeyError("in dataReceived")

        broken.on_data = fail
        peers = [each.transport.getPeer().port for each in (broken, *others)]
        self.assertEqual(len(set(peers)), 3)
        for each in (broken, *others):
            self.reach(each)
        self.turn_until(lambda: broken.lost and all(each.data for each in others))
        self.assertEqual(broken.lost, [KeyError])
        self.assertEqual([each.lost for each in others], [[], []])
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)

    def reach(self, ours: Recorder) -> None:
        """Say something to what serves `ours`, whichever peer that is."""
        port = ours.transport.getPeer().port
        for peer in self.peers:
            if peer.getsockname()[1] == port:
                peer.sendall(b"x")

    def connect(self, says: bytes = b"") -> socket.socket:
        peer = super().connect(says)
        self.peers.append(peer)
        return peer

    def setUp(self) -> None:
        super().setUp()
        self.peers: list[socket.socket] = []

    def test_in_connection_lost(self) -> None:
        """Who raises as it is told of the end is logged; the others are told too."""
        everyone = self.accepted(3)

        def fail(_: Recorder) -> None:
            raise KeyError("in connectionLost")

        everyone[0].on_lost = everyone[1].on_lost = fail
        everyone[0].transport.loseConnection()
        for peer in self.peers:
            peer.close()
        self.turn_until(lambda: all(each.lost for each in everyone))
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 2)
        self.assertEqual([each.lost for each in everyone], [[ConnectionDone]] * 3)

    def test_in_resume_producing(self) -> None:
        """A producer that raises as it is asked for more ends its connection only."""
        ours, other = self.accepted(2)
        ours.transport.registerProducer(_Raises(), False)
        ours.transport.write(b"x")
        other.transport.write(b"x")
        other.transport.write(b"y")
        self.turn()
        self.turn()
        self.assertEqual((ours.lost, other.lost), ([KeyError], []))
        self.assertEqual(other.transport.unsent, 0)
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)


@implementer(IPullProducer)
class _Raises:
    asked = False

    def resumeProducing(self) -> None:
        """Raise, unless this is the first time."""
        if self.asked:
            raise KeyError("in resumeProducing")
        self.asked = True

    def stopProducing(self) -> None:
        """Do nothing."""


class WaitingTests(ReactorTestCase):
    def test_writers(self) -> None:
        """What is due counts among those that wait to write, until it is taken away."""
        [ours] = self.accepted()
        self.assertEqual(self.reactor.getWriters(), [])
        ours.transport.loseConnection()
        self.assertEqual(self.reactor.getWriters(), [ours.transport])
        self.reactor.removeWriter(ours.transport)
        self.assertEqual(self.reactor.getWriters(), [])
        self.turn()
        self.assertEqual(ours.lost, [])
        ours.transport.connectionLost(connectionDone)

    def test_readers(self) -> None:
        """A connection waits to be read from the moment it is made."""
        self.connect()
        self.turn()
        [ours] = self.served.made
        self.assertIn(ours.transport, self.reactor.getReaders())
        self.turn()
        self.assertIn(ours.transport, self.reactor.getReaders())
        ours.transport.stopReading()
        self.assertNotIn(ours.transport, self.reactor.getReaders())
        ours.transport.startReading()

    def test_end_of_the_reactor(self) -> None:
        """As the reactor stops every connection is told, whatever it waits for, and once."""
        due, idle = self.accepted(2)
        self.connect()
        self.turn()
        due.transport.loseConnection()
        self.reactor.disconnectAll()
        newborn = self.served.made[2]
        for ours in (due, idle, newborn):
            self.assertEqual(ours.lost, [ConnectionLost])
        self.turn()
        self.assertEqual(due.lost, [ConnectionLost])


class DescriptorsTests(ReactorTestCase):
    def test_none_left(self) -> None:
        """Without descriptors peers are turned away at once; with some again they are served."""
        waiting = [self.connect() for _ in range(3)]
        free = os.dup(0)
        os.close(free)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
        try:
            for peer in waiting:
                self.assertEqual(self.read_until(peer, bool), b"")
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        self.assertEqual(self.served.made, [])
        self.connect(says=b"hello")
        self.turn_until(lambda: self.served.made and self.served.made[0].data)


class InstallTests(SynchronousTestCase):
    def python(self, program: str) -> str:
        """Return what `program` prints, in a process of its own."""
        command = [sys.executable, "-W", "error", "-c", program]
        root = str(Path(__file__).parents[2])
        return subprocess.run(
            command, check=True, capture_output=True, text=True, cwd=root, timeout=60
        ).stdout.strip()

    def test_import(self) -> None:
        """To import the reactor installs none."""
        program = "import sys, netkit.net.reactor; print('twisted.internet.reactor' in sys.modules)"
        self.assertEqual(self.python(program), "False")

    def test_plugin(self) -> None:
        """It is installed by the name that one gives to `twistd --reactor`."""
        program = (
            "from twisted.application.reactors import installReactor;"
            "print(type(installReactor('netkit')).__name__)"
        )
        self.assertEqual(self.python(program), "EagerReactor")

    def test_plugin_is_listed(self) -> None:
        """It is listed once, with words that say what it is."""
        found = [each.description for each in getReactorTypes() if each.shortName == "netkit"]
        self.assertEqual(len(found), 1)


class PrivateNamesTests(SynchronousTestCase):
    def test_table(self) -> None:
        """All that is private to Twisted and used by the two modules stands in their table."""
        table = set((eager.__doc__ or "").replace(",", " ").split())
        for module in (eager, reactor):
            self.assertEqual(_foreign(inspect.getsource(module)) - table, set())


def _foreign(source: str) -> set[str]:
    """Return the private names that a module uses, without those that it makes."""
    nodes = list(ast.walk(ast.parse(source)))
    used = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    made = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    for node in nodes:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            made |= {each.id for each in targets if isinstance(each, ast.Name)}
            made |= {each.attr for each in targets if isinstance(each, ast.Attribute)}
    private = {name for name in used if name.startswith("_") and not name.startswith("__")}
    return private - made
