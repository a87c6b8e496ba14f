"""Plans can be compared, and what is wrong between tables is seen."""

from pathlib import Path
from textwrap import dedent

from twisted.trial.unittest import SynchronousTestCase

from netkit.config.load import load
from netkit.config.plan import Plan
from tests.kinds import KINDS


class PlanTestCase(SynchronousTestCase):
    def load(self, text: str) -> tuple[Plan, list[str]]:
        """Return the plan of a configuration file, and its problems without the file's name."""
        name = self.mktemp()
        Path(name).write_text(dedent(text))
        plan, document = load(name, KINDS)
        return plan, [str(problem).removeprefix(f"{name}:") for problem in document.problems]


class BetweenTablesTests(PlanTestCase):
    def test_unknown_tls(self) -> None:
        """A listener that names a store which is not there is told the nearest one."""
        _, problems = self.load("""\
            [tls.main]
            certificates = "tls"
            [service.plain]
            listen = { endpoint = "tcp:1", tls = "mian" }
            [service.other]
            kind = "plain"
            listen = [{ endpoint = "tcp:2", tls = "main" }]
            """)
        self.assertEqual(
            problems,
            ['4: [service.plain] listen.tls: there is no table [tls.mian]; did you mean "main"?'],
        )

    def test_certificates_of_clients(self) -> None:
        """Whether clients need certificates means nothing where nobody issues them."""
        _, problems = self.load("""\
            [tls.main]
            certificates = "tls"
            client_certificates = "optional"
            [tls.other]
            certificates = "tls"
            client_ca = "clients.pem"
            client_certificates = "required"
            unknown_names = "refuse"
            [service.plain]
            listen = { endpoint = "tcp:1", tls = "main" }
            """)
        self.assertEqual(
            problems,
            [
                "3: [tls.main] client_certificates: needs client_ca beside it;"
                ' as in client_ca = "clients.pem"'
            ],
        )

    def test_one_socket_twice(self) -> None:
        """The second listener on a socket is told who has it."""
        _, problems = self.load("""\
            [service.plain]
            listen = ["tcp:80", "tcp:81"]
            [service.other]
            kind = "plain"
            listen = ["tcp6:81"]
            """)
        self.assertEqual(
            problems,
            [
                '5: [service.other] listen[0]: "tcp6:81" is taken:'
                ' [service.plain] listens on "tcp:81"; give each its own'
            ],
        )

    def test_references(self) -> None:
        """A service that is named must be there, and of the right kind."""
        _, problems = self.load("""\
            [service.plain]
            listen = "tcp:1"
            [service.pages]
            listen = "tcp:2"
            mount = [
              { path = "/a", kind = "view", service = "plane" },
              { path = "/b", kind = "view", service = "pages" },
              { path = "/c", kind = "view", service = "plain" },
            ]
            """)
        self.assertEqual(
            problems,
            [
                '6: [service.pages] mount[0].service: there is no service "plane";'
                ' did you mean "plain"?',
                '7: [service.pages] mount[1].service: "pages" is a pages; name a plain',
            ],
        )

    def test_spoilt(self) -> None:
        """A table with problems of its own is not told to be missing as well."""
        _, problems = self.load("""\
            [tls.main]
            certificate = "tls"
            [service.plain]
            listen = { endpoint = "tcp:1", tls = "main" }
            size = 0
            [service.pages]
            listen = { endpoint = "tcp:2", tls = "main" }
            mount = [{ path = "/a", kind = "view", service = "plain" }]
            """)
        self.assertEqual([problem.split(":")[0] for problem in problems], ["5", "1", "2"])

    def test_circle(self) -> None:
        """Services that name each other in a circle are told so."""
        _, problems = self.load("""\
            [service.plain]
            listen = "tcp:1"
            after = "other"
            [service.other]
            kind = "plain"
            listen = "tcp:2"
            after = "plain"
            """)
        self.assertEqual(len(problems), 1)
        self.assertIn("name each other in a circle", problems[0])

    def test_group_alone(self) -> None:
        """A group without a user would leave root's other rights."""
        _, problems = self.load("""\
            [daemon]
            group = "nogroup"
            [service.plain]
            listen = "tcp:1"
            """)
        self.assertEqual(
            problems, ['2: [daemon] group: needs a user beside it; as in user = "netkit"']
        )


class PlanTests(PlanTestCase):
    TEXT = """\
        [service.pages]
        listen = "tcp:2"
        mount = [{ path = "/", kind = "view", service = "plain" }]
        [service.plain]
        listen = ["tcp:1", { endpoint = "tcp:3", limits = { connections = 7 }, colour = "red" }]
        limits = { idle_timeout = 9, connections = 8 }
        [limits]
        connections = 5
        connections_per_address = 4
        """

    def test_comparable(self) -> None:
        """The same text gives equal plans, another one does not."""
        one, _ = self.load(self.TEXT)
        other, _ = self.load(self.TEXT.replace("red", "blue"))
        self.assertEqual(one.services, self.load(self.TEXT)[0].services)
        self.assertNotEqual(one.services, other.services)

    def test_limits(self) -> None:
        """A listener's limits go before the service's, those before the kind's and the file's."""
        plan, problems = self.load(self.TEXT)
        self.assertEqual(problems, [])
        pages, plain = plan.services
        first, second = (listener.limits for listener in plain.listeners)
        self.assertEqual((first.connections, first.idle_timeout), (8, 9))
        self.assertEqual((second.connections, second.connections_per_address), (7, 4))
        self.assertEqual(second.handshake_timeout, 2.5)  # the kind's own
        self.assertEqual(pages.listeners[0].limits.handshake_timeout, 5)

    def test_in_order(self) -> None:
        """Whoever is named comes before those who name it."""
        plan, _ = self.load(self.TEXT)
        self.assertEqual([each.name for each in plan.in_order()], ["plain", "pages"])
