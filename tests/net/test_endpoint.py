"""Endpoint strings: what passes, and what is said of every sort of slip."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.endpoints import TCP4ServerEndpoint, serverFromString
from twisted.internet.testing import MemoryReactor
from twisted.trial.unittest import SynchronousTestCase

from netkit.net.endpoint import Endpoint, parse

RIGHT = (
    "tcp:80",
    "tcp:port=80",
    "tcp:0:interface=127.0.0.1:backlog=100",
    r"tcp6:80:interface=\:\:1",
    "unix:/run/x.sock:mode=660:lockfile=0",
    "systemd:domain=INET6:name=finger",
    "haproxy:tcp:80",
)
WRONG = {
    "": 'there is no endpoint type ""',
    "80": 'there is no endpoint type "80"',
    "tpc:80": 'there is no endpoint type "tpc"; did you mean "tcp"?',
    "tcp": 'no port is given; write it as "tcp:8080"',
    "tcp:": "no port is given",
    "tcp:http": '"http" is not a port; 0 to 65535',
    "tcp:99999": '"99999" is not a port; 0 to 65535',
    "tcp:-1": '"-1" is not a port',
    "tcp:80:interfce=x": 'tcp has no option "interfce"; did you mean "interface"?',
    "tcp:80:localhost": '"localhost" has no name',
    "tcp:80:interface=localhost": '"localhost" is not an address',
    "tcp6:80:interface=127.0.0.1": "127.0.0.1 is an IPv4 address; its type is tcp",
    "tcp:80:backlog=many": '"many" is not a backlog',
    "ssl:443": 'names no key; write "tcp:443" with tls = "NAME"',
    "unix": "no path is given",
    "unix:/x:mode=999": '"999" is not a mode',
    "systemd": "the domain is INET, INET6 or UNIX",
    "systemd:domain=INET6": "give either name or index",
    "systemd:domain=INET6:name=a:index=0": "give either name or index",
}


class ParseTests(SynchronousTestCase):
    def test_right(self) -> None:
        """A right string passes, and means the same to Twisted afterwards."""
        for text in RIGHT:
            with self.subTest(text):
                self.assertEqual(parse(str(parse(text))), parse(text))
        endpoint = serverFromString(MemoryReactor(), str(parse(r"tcp:80:interface=\:\:1")))
        assert isinstance(endpoint, TCP4ServerEndpoint)
        self.assertEqual((endpoint._port, endpoint._interface), (80, "::1"))

    def test_wrong(self) -> None:
        """Each sort of slip is told in its own words."""
        for text, said in WRONG.items():
            with self.subTest(text):
                error = self.assertRaises(ValueError, parse, text)
                self.assertIn(said, str(error))

    def test_paths(self) -> None:
        """Relative paths are put below the folder of the file that they stand in."""
        self.assertEqual(str(parse("unix:x.sock", Path("/run"))), "unix:/run/x.sock")
        self.assertEqual(str(parse("unix:/x.sock", Path("/run"))), "unix:/x.sock")

    def test_missing_key(self) -> None:
        """A key file that is not there is told when the string is read, not when it is bound."""
        error = self.assertRaises(
            ValueError, parse, "ssl:443:privateKey=gone.pem", Path("/nowhere")
        )
        self.assertIn('privateKey: "/nowhere/gone.pem" cannot be read', str(error))

    @settings(deadline=None)
    @given(st.text(st.sampled_from("tcp:=\\80unix/syemd.[]\x00\x1bé"), max_size=30))
    def test_any_text(self, text: str) -> None:
        """Whatever is written is an endpoint or a ValueError that can be printed."""
        try:
            endpoint = parse(text)
        except ValueError as error:
            self.assertTrue(str(error).isprintable())
        else:
            self.assertEqual(parse(str(endpoint)), endpoint)


class ClashTests(SynchronousTestCase):
    def _clash(self, one: str, other: str) -> bool:
        first, second = parse(one), parse(other)
        self.assertEqual(first.clashes(second), second.clashes(first))
        return first.clashes(second)

    def test_same_socket(self) -> None:
        """Two listeners on one port clash where one address is the other or covers it."""
        for one, other in (
            ("tcp:80", "tcp:80"),
            ("tcp:80", "tcp:80:interface=127.0.0.1"),
            ("tcp:80", "tcp6:80"),
            ("tcp6:80", r"tcp:80:interface=\:\:1"),
            ("tcp:80", r"tcp6:80:interface=\:\:ffff\:127.0.0.1"),
            ("tcp:80", "ssl:80:privateKey=x"),
            ("unix:/x", "unix:/x:mode=600"),
            ("systemd:domain=INET:name=a", "systemd:domain=INET6:name=a"),
        ):
            with self.subTest(f"{one} {other}"):
                self.assertTrue(self._clash(one, other))

    def test_apart(self) -> None:
        """Other ports, other addresses and ports that the kernel chooses do not clash."""
        for one, other in (
            ("tcp:80", "tcp:81"),
            ("tcp:0", "tcp:0"),
            ("tcp:80:interface=127.0.0.1", "tcp:80:interface=127.0.0.2"),
            ("tcp:80", r"tcp6:80:interface=\:\:1"),
            ("unix:/x", "unix:/y"),
            ("unix:/x", "tcp:80"),
        ):
            with self.subTest(f"{one} {other}"):
                self.assertFalse(self._clash(one, other))

    def test_unknown_type(self) -> None:
        """What a plugin's endpoint binds is not known, so it clashes with nothing."""
        self.assertFalse(Endpoint("other", ("80",)).clashes(Endpoint("other", ("80",))))
