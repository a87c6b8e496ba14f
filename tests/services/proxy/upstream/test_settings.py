"""The mount's table as an operator writes it, and what is said of each mistake."""

from ipaddress import ip_network
from textwrap import dedent

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.clientlimits import ClientLimits
from netkit.net.destination import parse
from netkit.net.tunnel import TunnelLimits
from netkit.services.proxy.upstream.balancing import Policy
from netkit.services.proxy.upstream.settings import (
    HealthTable,
    ProxyHeader,
    Retries,
    ServerTable,
    Settings,
    Sticky,
    statuses,
)
from tests.configured import loaded
from tests.net.authorities import authority

START = """\
[service.web]
kind = "site"
listen = "tcp:80"
[[service.web.mount]]
path = "/"
kind = "upstream"
"""


class Tables(SynchronousTestCase):
    def load(self, text: str) -> tuple[Settings | None, list[str]]:
        """Return the settings of a mount, and the problems by line."""
        beside: dict[str, str | bytes] = {"rubbish.pem": "rubbish", "ca.pem": authority().pem}
        plans, problems = loaded(self, START + dedent(text), beside)
        site = plans["web"].settings if plans else None
        return site.mount[0].settings if site and site.mount else None, problems

    def assert_problem(self, text: str, expected: str, line: int = 7) -> None:
        """Assert that `text` has one problem, which stands at its last line."""
        found = self.load(text)[1]
        self.assertEqual(found, [f"{line}: [[service.web.mount]] {expected}"])

    def test_servers(self) -> None:
        """A server is a text, or a table with its weight."""
        settings, problems = self.load(
            'servers = ["tcp:127.0.0.1:80", { to = "tls:a.example:443", weight = 3, backup = true }]'
        )
        self.assertEqual(problems, [])
        assert settings is not None
        first = ServerTable(to=parse("tcp:127.0.0.1:80"))
        second = ServerTable(to=parse("tls:a.example:443"), weight=3, backup=True)
        self.assertEqual(settings.tables, (first, second))

    def test_everything(self) -> None:
        """Each key says what it is called."""
        settings, problems = self.load(
            """\
            servers = ["tls:a.example:443"]
            policy = "hash"
            hash_by = "header:X-User"
            health = { path = "/up?x", host = "h:80", expect = "200", interval = 1, timeout = 2, rise = 3, fall = 4, max_fails = 5, fail_timeout = 6, slow_start = 7 }
            retries = { tries = 1, seconds = 2 }
            buffer_bytes = 3
            sticky = { cookie = "at", max_age = 4, secret = "s" }
            strip_prefix = false
            prefix = "/base/x"
            host = "upstream"
            trusted = ["10.0.0.0/8"]
            proxy_header = "v2"
            ca = "ca.pem"
            connect_timeout = 1
            limits = { connections = 5 }
            tunnel = { pipes = 6 }
            name = "us"
            """
        )
        self.assertEqual(problems, [])
        assert settings is not None
        assert settings.ca is not None
        self.assertEqual(settings.ca.name, "ca.pem")
        self.assertEqual(
            evolve(settings, ca=None),
            Settings(
                servers=(parse("tls:a.example:443"),),
                policy=Policy.HASH,
                hash_by="header:X-User",
                health=HealthTable(
                    path="/up?x",
                    host="h:80",
                    expect="200",
                    interval=1,
                    timeout=2,
                    rise=3,
                    fall=4,
                    max_fails=5,
                    fail_timeout=6,
                    slow_start=7,
                ),
                retries=Retries(tries=1, seconds=2),
                buffer_bytes=3,
                sticky=Sticky(cookie="at", max_age=4, secret="s"),
                strip_prefix=False,
                prefix="/base/x",
                host="upstream",
                trusted=(ip_network("10.0.0.0/8"),),
                proxy_header=ProxyHeader.V2,
                connect_timeout=1,
                limits=ClientLimits(connections=5),
                tunnel=TunnelLimits(pipes=6),
                name="us",
            ),
        )

    def test_wrong_servers(self) -> None:
        """Servers are there, are no backups all of them, and none is there twice."""
        self.assert_problem(
            "servers = []", 'servers: is empty; as in servers = ["tcp:127.0.0.1:9000"]'
        )
        self.assert_problem(
            'servers = [{ to = "tcp:a:80", backup = true }]',
            "servers: are backups all of them; one at least is not",
        )
        self.assert_problem(
            'servers = ["tcp:a:80", { to = "tcp:a:80" }]',
            'servers[1]: "tcp:a:80" stands here twice; a larger share is a weight',
        )
        self.assert_problem(
            'servers = [{ to = "tcp:a:80", weight = 0 }]',
            "servers[0].weight: 0 is out of range; 1 to 1000",
        )

    def test_wrong_values(self) -> None:
        """A value of the wrong form is told with the right one."""
        for text, expected in (
            ('policy = "random"', 'policy: "random" is not known; one of "hash", "least-connections", "round-robin"'),
            ('hash_by = "cookie"', 'hash_by: "cookie" is not right; "client", or as in "header:X-User"'),
            ('hash_by = "header:X"', 'hash_by: needs policy = "hash" beside it'),
            ('host = "a b"', 'host: "a b" is not right; "keep", "upstream", or a host as in "example.org"'),
            ('prefix = "/a/../b"', 'prefix: "/a/../b" is not right; a path as in "/base"'),
            ('prefix = "/a/"', 'prefix: "/a/" is not right; a path as in "/base"'),
            ('name = "a b"', 'name: "a b" is not right; a name as in "front-1"'),
            ('health = { expect = "all" }', 'health.expect: "all" are no statuses; as in "200" or "200-399"'),
            ('health = { expect = "400-200" }', 'health.expect: "400-200" are no statuses; as in "200" or "200-399"'),
            ('health = { path = "up" }', 'health.path: "up" is not right; a path as in "/healthy"'),
            ('health = { host = "h" }', 'health.host: needs path beside it; as in path = "/healthy"'),
            ('sticky = { cookie = "a=b" }', 'sticky.cookie: "a=b" is not right; a name as in "netkit-server"'),
            ('proxy_header = "v3"', 'proxy_header: "v3" is not known; one of "v1", "v2"'),
        ):  # fmt: skip
            found = self.load(f'servers = ["tcp:a:80"]\n{text}')[1]
            self.assertEqual(len(found), 1, found)
            self.assertEqual(found[0], f"8: [[service.web.mount]] {expected}")

    def test_authorities(self) -> None:
        """Certificates are read, and mean something."""
        [found] = self.load('servers = ["tls:a:443"]\nca = "rubbish.pem"')[1]
        self.assertIn("[[service.web.mount]] ca", found)
        self.assertIn("holds no certificate", found)
        [found] = self.load('servers = ["tcp:a:80"]\nca = "ca.pem"')[1]
        self.assertIn('ca: means nothing here; a server with TLS is written "tls:HOST:PORT"', found)

    def test_statuses(self) -> None:
        """A range has both its ends."""
        self.assertEqual(statuses("200"), range(200, 201))
        self.assertEqual(statuses("200-399"), range(200, 400))
