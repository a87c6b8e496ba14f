"""The pub/sub service as the rest of netkit sees it."""

from twisted.trial.unittest import SynchronousTestCase

from netkit.document.typed import Document
from netkit.services.pubsub import KIND
from netkit.services.pubsub.settings import Options, PermissionsTable, Protocol, Settings


class KindTests(SynchronousTestCase):
    def test_name(self) -> None:
        """It is called pubsub."""
        self.assertEqual(KIND.name, "pubsub")

    def test_quiet_listeners_stay(self) -> None:
        """No idle timeout ends a connection of who only listens."""
        self.assertEqual(KIND.limits, {"first_byte_timeout": 0.0, "idle_timeout": 0.0})

    def test_defaults(self) -> None:
        """An empty table has the documented limits, and listeners speak lines."""
        self.assertEqual(
            Document("t", "").read(Settings, {}, ()),
            Settings(
                lines="lines",
                line_bytes=4096,
                clients=10_000,
                pending_bytes=8_388_608,
                pending_seconds=10.0,
            ),
        )
        self.assertEqual(Document("t", "").read(Options, {}, ()), Options(Protocol.LINE))

    def test_users(self) -> None:
        """Permissions are those of users that there are, or of everybody."""
        settings = Settings(
            certificate_users=("ann",),
            permissions={
                "ann": PermissionsTable(),
                "an": PermissionsTable(),
                "*": PermissionsTable(),
            },
        )
        self.assertEqual(
            [(complaint.path, complaint.text) for complaint in KIND.complaints(settings)],
            [(("permissions", "an"), 'there is no user "an"; did you mean "ann"?')],
        )

    def test_lines(self) -> None:
        """Lines have a subject that clients may publish to."""
        for subject, right in (("lines", True), ("_MISSED.lines", False), ("_MISSED", False)):
            found = [(each.path, each.text) for each in KIND.complaints(Settings(lines=subject))]
            wrong = [(("lines",), "is what the service alone publishes; another subject")]
            self.assertEqual(found, [] if right else wrong)

    def test_permissions(self) -> None:
        """A table of permissions is read; a pattern that is none is a problem, and one needs no list."""
        document = Document(
            "t",
            """
            lines = "a b"
            [permissions.ann]
            publish = { allow = "a.>", deny = ["a..b"] }
            """,
        )
        self.assertIsNone(document.read(Settings, document.tables, ()))
        self.assertEqual(
            sorted(problem.text for problem in document.problems),
            [
                '"a b" is no subject; words with dots between, as in "a.b"',
                '"a..b" is no pattern; subjects with * or > in them, as in "a.>"',
            ],
        )

    def test_unknown_protocol(self) -> None:
        """A protocol that is none is a problem that names the right ones."""
        document = Document("t", 'protocol = "lines"')
        self.assertIsNone(document.read(Options, document.tables, ()))
        self.assertEqual(
            [problem.text for problem in document.problems],
            ['"lines" is not known; did you mean "line"?'],
        )
