"""TLS handshakes that are never finished."""

import ssl

from tests.attacks.case import AttackTestCase
from tests.attacks.crowd import crowd
from tests.attacks.host import PROXIED, SECURE, SERVICES, Door, attacked
from tests.net.headers import LINE

MANY = 2000


class HandshakeTests(AttackTestCase):
    def test_half_finished(self) -> None:
        """2,000 that stop in the middle are let go of; others are served meanwhile and after it."""
        openings = (b"", hello()[:1], hello()[:100], hello())
        doors = [(service, door) for service in SERVICES for door in SECURE]
        limits = "handshake_timeout = 2\nconnections_per_address = 5000"
        with attacked(limits) as host, crowd() as people:
            self.assert_serves(host, Door.TLS)
            descriptors, memory = host.descriptors, host.memory
            for number in range(MANY):
                service, door = doors[number % len(doors)]
                header = LINE if door in PROXIED else b""
                people.come(host.port(service, door), header + openings[number % len(openings)])
                if number == MANY // 2:
                    self.assert_serves(host, Door.TLS)
            self.assert_serves(host, Door.PLAIN, Door.TLS)
            people.stay()
            self.assertLess(host.descriptors, descriptors + len(SERVICES))  # the honest are leaving
            self.assertLess(host.memory - memory, 200)
            self.assert_serves(host, Door.TLS)
            self.assert_quiet(host)


def hello() -> bytes:
    """Return the first flight of a client."""
    out = ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(
        ssl.MemoryBIO(), out, server_hostname="localhost"
    )
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        return out.read()
    raise AssertionError("the handshake is done with nobody")
