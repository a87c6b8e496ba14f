"""A site's hosts and rules as an operator writes them, and what is said of each mistake."""

from textwrap import dedent
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from netkit.passwords import Cost, hashed
from tests.configured import loaded

HASH = str(hashed("sesame", Cost(ln=9)))


class ConfiguredTests(SynchronousTestCase):
    def load(self, text: str, passwords: str = "") -> tuple[Any, list[str]]:
        """Return the settings of a site, and the problems by line, of a file and one beside it."""
        beside = {"passwords.toml": passwords}
        plans, problems = loaded(
            self, '[service.web]\nkind = "site"\nlisten = "tcp:80"\n' + dedent(text), beside
        )
        return plans["web"].settings if plans else None, problems

    def problems(self, text: str, passwords: str = "") -> list[str]:
        """Return the problems alone."""
        return self.load(text, passwords)[1]

    def test_everything(self) -> None:
        """A site with all of it is right."""
        settings, problems = self.load(
            f"""\
            https = true
            hsts = 31536000
            passwords = "passwords.toml"
            redirect = [{{ path = "/old", to = "/new" }}, {{ path = "/b/*", to = "/c/*", status = 301 }}]
            headers = [{{ path = "/assets/*", set = {{ Cache-Control = "max-age=60" }}, remove = ["Server"] }}]
            auth = [{{ path = "/", users = ["alice", "bob"], open_methods = ["GET"], realm = "web" }}]
            [service.web.users]
            alice = "{HASH}"
            [[service.web.mount]]
            path = "/"
            kind = "counter"
            [[service.web.host]]
            names = ["example.org", "*.example.org", "b\u00fccher.example", "[::1]"]
            https = 8443
            [[service.web.host.mount]]
            path = "/x"
            kind = "form"
            [[service.web.host.auth]]
            path = "/x"
            [[service.web.host.redirect]]
            path = "/*"
            to = "https://example.com/*"
            """,
            f'bob = "{HASH}"\n',
        )
        self.assertEqual(problems, [])
        self.assertEqual((settings.https_port, settings.host[0].https_port), (443, 8443))
        self.assertEqual(settings.host[0].patterns[2], "xn--bcher-kva.example")
        self.assertNotIn(HASH[-20:], repr(settings))

    def test_names(self) -> None:
        """Names that are taken, wrong or missing are told, each where it stands."""
        counter = '\n[[service.web.host.mount]]\npath = "/"\nkind = "counter"\n'
        text = (
            '[[service.web.host]]\nnames = ["a.example", "A.EXAMPLE."]'
            + counter
            + '[[service.web.host]]\nnames = ["*.b.example"]'
            + counter
            + '[[service.web.host]]\nnames = ["*.b.example"]'
            + counter
            + "[[service.web.host]]\nnames = []"
            + counter
            + '[[service.web.host]]\nnames = ["empty.example"]\n'
        )
        self.assertEqual(
            self.problems(text),
            [
                '5: [[service.web.host]] names[1]: "A.EXAMPLE." is taken; each name leads to one host',
                '15: [[service.web.host]] names[0]: "*.b.example" is taken; each name leads to one host',
                '20: [[service.web.host]] names: is empty; as in names = ["example.org"]',
                "24: [[service.web.host]]: shows nothing; write a mount or a redirect",
            ],
        )

    def test_bad_values(self) -> None:
        """A value of the wrong form is told with the right one."""
        for line, told in (
            (
                'host = [{ names = ["a.*.org"] }]',
                '4: [service.web] host[0].names[0]: "a.*.org" is not right; a host is written as',
            ),
            ("host = [{ mount = [] }]", "4: [service.web] host[0].names: is missing"),
            (
                'redirect = [{ path = "old", to = "/" }]',
                '4: [service.web] redirect[0].path: "old" is not right; a path is written as "/old"',
            ),
            (
                'redirect = [{ path = "/old", to = "//evil" }]',
                '4: [service.web] redirect[0].to: "//evil" is not right; as in',
            ),
            (
                'redirect = [{ path = "/old", to = "/", status = 200 }]',
                "4: [service.web] redirect[0].status: 200 is no redirect; 301, 302",
            ),
            (
                'redirect = [{ path = "/a", to = "/a" }]',
                '4: [service.web] redirect[0].to: "/a" leads back to "/a"; ',
            ),
            (
                'redirect = [{ from = "/a", to = "/a" }]',
                "4: [service.web] redirect[0].from: is not known here; ",
            ),
            (
                'headers = [{ set = { Content-Length = "1" } }]',
                '4: [service.web] headers[0].set.Content-Length: "Content-Length" is the server\'s own',
            ),
            (
                'headers = [{ set = { X = "a\\r\\nb" } }]',
                '4: [service.web] headers[0].set.X: "a\\r\\nb" is not right; one line',
            ),
            (
                'headers = [{ remove = ["a b"] }]',
                '4: [service.web] headers[0].remove[0]: "a b" is no name',
            ),
            (
                'headers = [{ path = "/" }]',
                "4: [service.web] headers[0]: does nothing; write set, remove",
            ),
            ("https = 0", '4: [service.web] https: "0" is not right; true, false, or a port'),
            ('https = "yes"', '4: [service.web] https: "yes" is not right; true, false, or a port'),
            ("hsts = -1", "4: [service.web] hsts: -1 is out of range"),
            ("hsts_preload = true", "4: [service.web] hsts_preload: needs hsts beside it"),
            (
                "hsts = 60\nhsts_subdomains = true\nhsts_preload = true",
                "6: [service.web] hsts_preload: needs hsts of at least 31536000",
            ),
            (
                'auth = [{ path = "/x" }]',
                "4: [service.web] auth[0]: lets nobody in; write users or passwords",
            ),
            (
                'users = { alice = "sesame" }',
                "4: [service.web] users.alice: is not right; a hash of a password, as",
            ),
            (
                f'users = {{ "a:b" = "{HASH}" }}',
                '4: [service.web] users.a:b: the name "a:b" is not right; without a colon',
            ),
            (
                'auth = [{ path = "/", open_methods = ["get"] }]',
                '4: [service.web] auth[0].open_methods[0]: "get" is not right; a method',
            ),
            ('auth = [{ path = "/", realm = \'a"b\' }]', "4: [service.web] auth[0].realm: "),
        ):
            with self.subTest(line):
                problems = self.problems(
                    f'{line}\n[[service.web.mount]]\npath = "/"\nkind = "counter"\n'
                )
                self.assertTrue(any(each.startswith(told) for each in problems), problems)
                self.assertNotIn("sesame", "".join(problems))

    def test_logins(self) -> None:
        """A rule for a mount or a user that is not there is told the nearest that is."""
        self.assertEqual(
            self.problems(f"""\
                users = {{ alice = "{HASH}" }}
                auth = [{{ path = "/cuonter", users = ["alcie"] }}, {{ path = "/counter" }}, {{ path = "/counter" }}]
                [[service.web.mount]]
                path = "/counter"
                kind = "counter"
                """),
            [
                '5: [service.web] auth[0].path: there is no mount "/cuonter" here; did you mean "/counter"?',
                '5: [service.web] auth[0].users[0]: there is no user "alcie"; did you mean "alice"?',
                '5: [service.web] auth[2].path: "/counter" is taken; one rule for a mount',
            ],
        )

    def test_passwords(self) -> None:
        """Mistakes in the file of passwords stand beside the others, and make no more of them."""
        text = """\
            passwords = "passwords.toml"
            auth = [{ path = "/", users = ["bob"] }, { path = "/y", users = ["bob"] }]
            [[service.web.mount]]
            path = "/"
            kind = "counter"
            """
        self.assertEqual(
            self.problems(text, 'bob = "sesame"\n'),
            [
                '5: [service.web] auth[1].path: there is no mount "/y" here; did you mean "/"?',
                "passwords.toml:1: bob: is not right; a hash of a password, as"
                ' "netkit password" prints it',
            ],
        )
        twice = f'users = {{ bob = "{HASH}" }}\n' + dedent(text)
        self.assertIn(
            "stands in the file of passwords too", "".join(self.problems(twice, f'bob = "{HASH}"'))
        )

    def test_default_host_shows_nothing(self) -> None:
        """Rules for a default host that shows nothing belong to a host, and that is said."""
        problems = self.problems("""\
            https = true
            [[service.web.host]]
            names = ["a.example"]
            redirect = [{ path = "/", to = "/a" }]
            """)
        self.assertEqual(
            problems,
            [
                "4: [service.web] https: is for the default host, which shows nothing; it belongs to a host"
            ],
        )

    def test_references(self) -> None:
        """A mount of a host may show another service, and is told where it names none."""
        _, problems = self.load("""\
            [[service.web.host]]
            names = ["a.example"]
            [[service.web.host.mount]]
            path = "a"
            kind = "counter"
            service = "x"
            """)
        self.assertEqual([problem.partition(":")[0] for problem in problems], ["7", "9"])

    def test_unreadable(self) -> None:
        """A file of passwords that is not there is a problem of its own."""
        problems = self.problems(
            'passwords = "none.toml"\n[[service.web.mount]]\npath = "/"\nkind = "counter"\n'
        )
        [problem] = problems
        self.assertTrue(problem.startswith("4: [service.web] passwords: "), problem)
        self.assertTrue(problem.endswith(" is no file of at most 1048576 bytes"), problem)
