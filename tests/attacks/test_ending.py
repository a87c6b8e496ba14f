"""The end of the daemon among peers that do not want it to end, and a log that cannot be written."""

import contextlib
import socket
from pathlib import Path
from time import monotonic

from tests.attacks.case import AttackTestCase
from tests.attacks.crowd import crowd
from tests.attacks.host import PROXIED, SELF, SERVICES, Door, attacked, dial
from tests.attacks.test_handshakes import hello
from tests.net.headers import LINE
from tests.running import AS_NOBODY, PATIENCE, TWISTD, start


class EndingTests(AttackTestCase):
    def test_open_connections(self) -> None:
        """SIGTERM ends it though peers are idle, stalled or in the middle of a handshake."""
        with attacked("write_timeout = 600\nhandshake_timeout = 600") as host, crowd() as people:
            for service in SERVICES:
                for door in Door:
                    for says in (b"", hello(), hello()[:50], LINE[:9], LINE):
                        people.come(host.port(service, door), says)
                for door in Door:
                    if door is not Door.STRANGE:
                        header = LINE if door in PROXIED else b""
                        people.join(host.connect(service, door, header=header, takes_little=True))
            for service in SERVICES:
                people.come(host.port(service), host.endless(service), count=2)
            self.assert_serves(host, Door.PLAIN, Door.TLS)
            self.assert_quiet(host)

    def test_full_disk(self) -> None:
        """With a log that cannot be written it serves, and ends as ever."""
        with socket.create_server((SELF, 0)) as free:
            port = free.getsockname()[1]
        config = f'[service.echo]\nlisten = "tcp:{port}:interface={SELF}"\n'
        file = Path(self.mktemp())
        file.write_text(config)
        options = (*AS_NOBODY, "-n", "--pidfile=", "--logfile=/dev/full")
        with start([str(TWISTD), *options, "netkit", "--config", str(file.absolute())]) as running:
            with connected(port) as client:
                client.sendall(b"abc")
                self.assertEqual(client.recv(3), b"abc")
            self.assertIn(running.stop(), {0, -15})
        self.assertEqual(running.lines, [])


def connected(port: int) -> socket.socket:
    """Return a connection to `port`, where somebody listens soon."""
    until = monotonic() + PATIENCE
    while monotonic() < until:
        with contextlib.suppress(ConnectionRefusedError):
            return dial(port)
    raise AssertionError(f"nobody listens on {port}")
