"""A proxy as an operator writes it, and what is said of each mistake."""

from ipaddress import ip_network
from textwrap import dedent
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from netkit.passwords import Cost, hashed
from netkit.services.proxy.access import Action, DestinationRule
from tests.configured import loaded

HASH = str(hashed("sesame", Cost(ln=9)))


class SettingsTests(SynchronousTestCase):
    def load(self, text: str, passwords: str = "") -> tuple[Any, list[str]]:
        """Return the settings of a proxy, and the problems by line, of a file and one beside it."""
        beside = {"passwords.toml": passwords}
        plans, problems = loaded(
            self, '[service.proxy]\nlisten = "tcp:80"\n' + dedent(text), beside
        )
        return plans["proxy"].settings if plans else None, problems

    def test_everything(self) -> None:
        """A proxy with all of it is right."""
        settings, problems = self.load(
            f"""\
            clients = ["10.0.0.0/8"]
            passwords = "passwords.toml"
            open_clients = ["10.1.0.0/16"]
            connect_ports = [443, "8000-8099"]
            parent = "tcp:squid.example:3128"
            parent_user = "me"
            parent_password = "sesame"
            name = "near"
            users = {{ bob = "{HASH}" }}
            [service.proxy.http]
            header_timeout = 5
            [[service.proxy.destination]]
            name = "lab"
            action = "allow"
            hosts = "*.lab.example"
            networks = ["10.2.0.0/16"]
            ports = [80, "8000-8099"]
            [[service.proxy.destination]]
            action = "refuse"
            """,
            f'alice = "{HASH}"\n',
        )
        self.assertEqual(problems, [])
        lab, rest = settings.destination
        self.assertEqual(
            lab,
            DestinationRule(
                action=Action.ALLOW,
                hosts=("*.lab.example",),
                networks=(ip_network("10.2.0.0/16"),),
                ports=(80, "8000-8099"),
                name="lab",
            ),
        )
        self.assertEqual(rest, DestinationRule(action=Action.REFUSE))
        self.assertEqual((settings.http.header_timeout, settings.http.body_bytes), (5.0, 2**40))
        self.assertNotIn("sesame", repr(settings))
        self.assertNotIn(HASH, repr(settings))

    def test_mistakes(self) -> None:
        """Each mistake in a value is told at its line, with what would be right."""
        _, problems = self.load(
            """\
            connect_ports = [0, true]
            parent = "http://squid:3128"
            name = "a b"
            [[service.proxy.destination]]
            hosts = ["127.0.0.1", "a.*"]
            [[service.proxy.destination]]
            action = "deny"
            ports = "90-80"
            """
        )
        self.assertEqual(
            [int(problem.split(":")[0]) for problem in problems], [3, 3, 4, 5, 6, 7, 7, 9, 10]
        )
        for problem, right in zip(
            problems,
            (
                "a port as in 443",
                "a whole number, or a text",
                "is a URL",
                "letters, digits",
                "action: is missing",
                "is an address; write it in networks",
                "a name as in",
                'one of "allow", "refuse"',
                'ports as in "1024-65535"',
            ),
            strict=True,
        ):
            self.assertIn(right, problem)

    def test_together(self) -> None:
        """So are keys that do not go together."""
        _, problems = self.load(
            """\
            open_clients = ["10.0.0.0/8"]
            parent_password = "x"
            access_log = { file = "no/such/folder" }
            """
        )
        self.assertEqual([int(problem.split(":")[0]) for problem in problems], [3, 4, 5])

    def test_users(self) -> None:
        """So are users that are spoilt, twice, or none."""
        _, problems = self.load(
            f"""\
            passwords = "passwords.toml"
            users = {{ alice = "{HASH}" }}
            """,
            f'alice = "{HASH}"\n',
        )
        self.assertEqual(len(problems), 1)
        self.assertIn("one of the two", problems[0])
        _, problems = self.load('passwords = "passwords.toml"\n', "")
        self.assertIn("nobody could log in", problems[0])
        _, problems = self.load('passwords = "passwords.toml"\n', "alice = 5\n")
        self.assertTrue(problems[0].startswith("passwords.toml:1: alice: "))
