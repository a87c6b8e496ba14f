"""A NATS client that asks for a million subscriptions."""

import socket
import sys
import threading
from pathlib import Path
from unittest import skipUnless

from twisted.trial.unittest import SynchronousTestCase

from tests.attacks.host import dial, read_until
from tests.running import Running, netkit

_CONFIG = """
[service.pubsub]
listen = { endpoint = "tcp:0:interface=127.0.0.1", protocol = "nats" }
"""
_CONNECT = b'CONNECT {"verbose":false}\r\n'
_MOST = 10_000
_BLOCK = 5000
_REFUSED = b"-ERR 'maximum subscriptions exceeded'\r\n"


def _wanted(first: int, count: int) -> bytes:
    return b"".join(b"SUB a.%d %d\r\n" % (each, each) for each in range(first, first + count))


@skipUnless(sys.platform == "linux", "reads /proc")
class SubscriptionsTests(SynchronousTestCase):
    def test_million(self) -> None:
        """It gets its ten thousand, hears so of the others, costs little, and another is served."""
        with netkit(_CONFIG, self.mktemp()) as running:
            (port,) = running.ports["pubsub"]
            with dial(port) as greedy, dial(port) as other:
                greedy.sendall(_CONNECT + _wanted(0, _MOST) + b"PING\r\n")
                read_until(greedy, b"PONG\r\n")
                before = self._memory(running)
                talking = threading.Thread(target=self._ask, args=(greedy,))
                talking.start()
                other.sendall(_CONNECT + b"SUB b 1\r\nPUB b 2\r\nhi\r\n")
                self.assertIn(b"MSG b 1 2\r\nhi\r\n", read_until(other, b"hi\r\n"))
                refused = 1_000_000 - _MOST
                self.assertEqual(self._heard(greedy), refused * len(_REFUSED) + len(b"PONG\r\n"))
                talking.join()
                self.assertLess(self._memory(running) - before, 50)
            self.assertIn(running.stop(), {0, -15})
            self.assertNotIn("Traceback", "\n".join(running.lines))

    def _ask(self, greedy: socket.socket) -> None:
        """Ask for all that is left of the million."""
        block = _wanted(_MOST, _BLOCK)
        for _ in range((1_000_000 - _MOST) // _BLOCK):
            greedy.sendall(block)
        greedy.sendall(b"PING\r\n")

    def _heard(self, greedy: socket.socket) -> int:
        """Return how many bytes come, up to a PONG."""
        heard, end = 0, b""
        while not end.endswith(b"PONG\r\n"):
            data = greedy.recv(262_144)
            assert data, "it is let go"
            heard += len(data)
            end = (end + data)[-6:]
        return heard

    def _memory(self, running: Running) -> int:
        """Return how many MiB of memory the process has."""
        status = Path(f"/proc/{running.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) // 1024
