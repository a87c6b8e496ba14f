"""Peers that say nothing, too little, or what makes no sense."""

import contextlib
import socket
from random import Random

from tests.attacks.case import AttackTestCase
from tests.attacks.crowd import crowd
from tests.attacks.host import SERVICES, Door, attacked
from tests.attacks.test_handshakes import hello
from tests.net.headers import LINE

RUBBISH = (
    b"",
    b"\0",
    b"\r\n" * 500,
    b"\xff\xfe" * 50_000,
    Random(7).randbytes(100_000),
    b"GET / HTTP/1.1\r\n" * 2000,
    b"\x1b]0;title\x07\r\n",
    hello(),
    hello()[:50],
    hello() + b"rubbish" * 1000,
    LINE,
    LINE + hello()[:50],
)


class RubbishTests(AttackTestCase):
    def test_all_doors(self) -> None:
        """Whatever is said, and however its speaker leaves, others are served and no error is logged."""
        limits = "handshake_timeout = 1\nfirst_byte_timeout = 1\nidle_timeout = 1"
        with attacked(limits) as host, crowd(reads=True) as people:
            for service in SERVICES:
                for door in Door:
                    for says in RUBBISH:
                        people.come(host.port(service, door), says, count=2)
            people.leave()
            for service in SERVICES:
                for door in Door:
                    for says in RUBBISH:
                        people.come(host.port(service, door), says)
            people.finish()
            people.stay()
            self.assert_serves(host, Door.PLAIN, Door.TLS)
            self.assert_quiet(host)

    def test_within_tls(self) -> None:
        """Rubbish behind a good handshake does no harm either, nor does a reset without a goodbye."""
        with attacked() as host, crowd() as people:
            for service in SERVICES:
                for says in RUBBISH:
                    for cut in (False, True):
                        peer = host.connect(service, Door.TLS)
                        people.join(peer, says)
                        if cut:
                            with contextlib.suppress(OSError):
                                peer.shutdown(socket.SHUT_RDWR)
            people.leave()
            self.assert_serves(host, Door.PLAIN, Door.TLS)
            self.assert_quiet(host)
