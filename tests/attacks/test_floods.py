"""More connections than one peer may have, and than the process may."""

import socket
from functools import partial
from shutil import which
from unittest import skipUnless

from tests.attacks.case import AttackTestCase
from tests.attacks.crowd import crowd
from tests.attacks.host import SERVICES, Door, Host, attacked

FLOOD = 500
OTHER = "127.0.0.2"


class FloodTests(AttackTestCase):
    def test_one_address(self) -> None:
        """A flood from one address is cut to its share; another is served; one line tells of it."""
        with attacked("connections_per_address = 10") as host, crowd() as people:
            for service in SERVICES:
                people.come(host.port(service), count=FLOOD)
                people.stay(until=10)
                for door in (Door.PLAIN, Door.TLS):
                    self.assertTrue(host.serves(service, door, source=OTHER), service)
                people.leave()
                host.running.wait_until(partial(_all_refused, host, service))
                refusals = _refusals(host, service)
                self.assertEqual(sum(map(_count, refusals)), FLOOD - 10)
                self.assertIn("127.0.0.1 has 10 open", refusals[0])
            self.assert_serves(host, Door.PLAIN)
            self.assert_quiet(host, lines=200)

    @skipUnless(which("prlimit"), "needs prlimit, of the package util-linux")
    def test_no_descriptor_left(self) -> None:
        """Out of file descriptors it goes on with those it has, and serves again when some are free."""
        few = ("prlimit", "--nofile=80:80")
        with attacked("connections_per_address = 5000", within=few) as host, crowd() as people:
            with host.connect("echo") as before:
                people.come(host.port("echo"), count=FLOOD)
                self.assertEqual(echoed(before), b"abc")
                people.come(host.port("web"), count=FLOOD)
                people.stay(until=80)
                self.assertEqual(echoed(before), b"abc")
            people.finish()
            people.stay()
            self.assert_serves(host, Door.PLAIN, Door.TLS)
            host.running.wait_for(r"refused connections: \d+; no more can be accepted \(EMFILE\)")
            self.assert_quiet(host, lines=200)


def echoed(client: socket.socket) -> bytes:
    """Return what comes back of three bytes."""
    client.sendall(b"abc")
    return client.recv(3)


def _all_refused(host: Host, service: str) -> bool:
    return sum(map(_count, _refusals(host, service))) >= FLOOD - 10


def _refusals(host: Host, service: str) -> list[str]:
    told = f"netkit.{service}#warn] refused connections: "
    return [line for line in host.running.lines if told in line]


def _count(refusal: str) -> int:
    return int(refusal.split("refused connections: ")[1].split(";", maxsplit=1)[0])
