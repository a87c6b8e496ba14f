"""A listener binds, tells where, and says in one line why it cannot."""

import errno
import sys
from textwrap import dedent
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import Factory
from twisted.internet.testing import (
    EventLoggingObserver,
    MemoryReactorClock,
    RaisingMemoryReactor,
)
from twisted.logger import Logger, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from netkit.config.plan import ListenerPlan
from netkit.daemon.listen import Listener
from netkit.net.endpoint import Endpoint, parse
from netkit.net.limits import Limits
from tests.running import run


class ListenerTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.events = EventLoggingObserver()

    def listener(self, endpoint: Endpoint, reactor: Any, tls: str | None = None) -> Listener:
        plan = ListenerPlan((), endpoint, tls, (), Limits(), None)
        log = Logger("test", observer=self.events)
        return Listener("finger", plan, Factory(), reactor, log)

    def said(self) -> list[str]:
        return [formatEvent(event) for event in self.events]


class BindTests(ListenerTestCase):
    def test_binds_and_tells(self) -> None:
        """A listener binds before it starts, and its start is one line: service, endpoint, TLS."""
        reactor = MemoryReactorClock()
        listener = self.listener(parse("tcp:79"), reactor, "main")
        self.assertEqual(listener.bind(), "")
        self.assertEqual(reactor.tcpServers[0][0], 79)
        listener.startService()
        self.assertEqual(self.said(), ['finger listens on tcp:79 with TLS "main"'])

    def test_stops(self) -> None:
        """A listener that is stopped listens no longer, and can be stopped again."""
        listener = self.listener(parse("tcp:79"), MemoryReactorClock())
        listener.bind()
        listener.startService()
        listener.stopService()
        self.assertFalse(listener.running)
        self.assertIsNone(listener.stopService())

    def test_address(self) -> None:
        """A listener knows its address while it listens on IP."""
        listener = self.listener(parse("tcp:79"), MemoryReactorClock())
        self.assertIsNone(listener.address)
        listener.bind()
        assert listener.address is not None
        self.assertEqual((str(listener.address.host), listener.address.port), ("0.0.0.0", 79))
        listener.startService()
        listener.stopService()
        self.assertIsNone(listener.address)
        listener = self.listener(parse("unix:/tmp/x"), MemoryReactorClock())
        listener.bind()
        self.assertIsNone(listener.address)

    def _refusal(self, number: int, text: str = "why") -> str:
        error = CannotListenError("", 79, OSError(number, text))
        return self.listener(parse("tcp:79"), RaisingMemoryReactor(listenException=error)).bind()

    def test_taken(self) -> None:
        """A port that is taken is one line that names the service and the endpoint."""
        self.assertEqual(
            self._refusal(errno.EADDRINUSE),
            "finger: cannot listen on tcp:79: the address is in use;"
            " is another server, or another netkit, running there?",
        )

    def test_forbidden(self) -> None:
        """A low port that an ordinary user may not have is told with what would help."""
        self.assertIn("ports below 1024 need a start as root", self._refusal(errno.EACCES))

    def test_other_reasons(self) -> None:
        """Any other reason is told in the system's words."""
        self.assertTrue(self._refusal(errno.ENOMEM, "no memory").endswith(": no memory"))

    def test_no_descriptor(self) -> None:
        """A descriptor that systemd did not pass is told by its name."""
        listener = self.listener(parse("systemd:domain=INET:name=finger"), MemoryReactorClock())
        self.assertEqual(
            listener.bind(),
            "finger: cannot listen on systemd:domain=INET:name=finger: systemd passed no"
            ' descriptor "finger"; is it in the .socket unit?',
        )


class LateTests(ListenerTestCase):
    def test_fails_late(self) -> None:
        """A listener that fails after the start ends the daemon: it would lack a service."""

        class Late(Listener):
            answer: Deferred[Any] = Deferred()

            def _listen(self) -> Deferred[Any]:
                return self.answer

        reactor = MemoryReactorClock()
        plan = ListenerPlan((), parse("tcp:79"), None, (), Limits(), None)
        listener = Late("finger", plan, Factory(), reactor, Logger("test", observer=self.events))
        self.assertEqual(listener.bind(), "")
        listener.answer.errback(OSError("no"))
        self.assertTrue(reactor.hasStopped)
        self.assertEqual(self.said(), ["finger: cannot listen on tcp:79: no"])


class SystemdTests(SynchronousTestCase):
    def test_listens_again(self) -> None:
        """A descriptor of systemd's can be listened on again after a stop."""
        program = """
            import os, socket
            listening = socket.create_server(("127.0.0.1", 0))
            os.dup2(listening.fileno(), 3)
            os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="echo")
            from twisted.internet import reactor
            from twisted.internet.protocol import Factory, Protocol
            from twisted.logger import Logger
            from netkit.config.plan import ListenerPlan
            from netkit.daemon.listen import Listener
            from netkit.net.endpoint import parse
            from netkit.net.limits import Limits

            plan = ListenerPlan(
                (), parse("systemd:domain=INET:name=echo"), None, (), Limits(), None)
            listener = Listener("echo", plan, Factory.forProtocol(Protocol), reactor, Logger())

            def again(_):
                print(repr(listener.bind()))
                socket.create_connection(listening.getsockname()).close()
                reactor.stop()

            print(repr(listener.bind()))
            listener.startService()
            reactor.callWhenRunning(lambda: listener.stopService().addCallback(again))
            reactor.run()
            """
        ran = run([sys.executable, "-c", dedent(program)])
        self.assertEqual(ran.stdout.split(), ["''", "''"], ran.stderr)
