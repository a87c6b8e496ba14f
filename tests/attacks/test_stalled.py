"""Peers that ask for much and never read."""

from itertools import product

from tests.attacks.case import AttackTestCase
from tests.attacks.crowd import crowd
from tests.attacks.host import PROXIED, SERVICES, Door, attacked
from tests.net.headers import LINE

DOORS = (Door.PLAIN, Door.TLS, Door.PROXIED, Door.PROXIED_TLS)


class StalledTests(AttackTestCase):
    def test_never_read(self) -> None:
        """They are let go of by name, cost little memory, and honest clients are served meanwhile."""
        with attacked("write_timeout = 1") as host, crowd() as people:
            self.assert_serves(host, Door.PLAIN, Door.TLS)
            descriptors, memory = host.descriptors, host.memory
            peers = [
                (
                    host.connect(service, door, header=LINE * (door in PROXIED), takes_little=True),
                    service,
                )
                for service, door in product(SERVICES, DOORS)
                for _ in range(2)
            ]
            ports = [peer.getsockname()[1] for peer, _ in peers]
            for peer, service in peers:
                people.join(peer, host.endless(service))
            self.assert_serves(host, Door.PLAIN, Door.TLS)
            people.stay()
            self.assertLess(host.memory - memory, 200)
            self.assert_serves(host, Door.PLAIN, Door.TLS)
            self.assertLess(host.descriptors, descriptors + len(SERVICES))  # the honest are leaving
            self.assert_quiet(host)
        log = "\n".join(host.running.lines)
        for port in ports:
            who = rf"(127\.0\.0\.1:{port}|192\.0\.2\.7:50000)"
            self.assertRegex(log, rf"(let go of {who}: took nothing|{who} is let go: it is slow)")
