"""The settings of the mount as a file has them."""

from twisted.trial.unittest import SynchronousTestCase

from netkit.document.typed import Document
from netkit.services.pubsub.live.settings import Allowed, Settings
from netkit.services.pubsub.permissions import Permissions, Rules


def _read(text: str) -> tuple[Settings | None, list[str]]:
    document = Document("t", text)
    read = document.read(Settings, document.tables, ())
    return read, [problem.text for problem in document.problems]


class SettingsTests(SynchronousTestCase):
    def test_defaults(self) -> None:
        """An empty table is right, and lets no foreign page in."""
        read, problems = _read("")
        self.assertEqual((read, problems), (Settings(), []))
        assert read is not None
        self.assertEqual(read.origins, ())

    def test_rules(self) -> None:
        """What visitors may do is one pattern, or a list."""
        read, _ = _read('[publish]\nallow = "a.>"\n[subscribe]\nallow = ["b", "c.*"]\ndeny = "c.d"')
        assert read is not None
        self.assertEqual(
            read.limit,
            Permissions(Rules((b"a.>",)), Rules((b"b", b"c.*"), (b"c.d",))),
        )

    def test_wrong(self) -> None:
        """A pattern or an origin that is none has its line, and what would be right."""
        for text, problem in (
            (
                'publish.allow = "a..b"',
                '"a..b" is no pattern; subjects with * or > in them, as in "a.>"',
            ),
            (
                'origins = ["app.example.org"]',
                '"app.example.org" is not right; an origin as in "https://app.example.org", or "*" for all',
            ),
            (
                'origins = ["https://app.example.org/"]',
                '"https://app.example.org/" is not right; an origin as in "https://app.example.org",'
                ' or "*" for all',
            ),
            ("keep = -1", "-1 is out of range; 0 to 10000 messages"),
        ):
            with self.subTest(text):
                self.assertEqual(_read(text), (None, [problem]))

    def test_left_out(self) -> None:
        """Without `allow` visitors may do what everybody may, and nothing where there are logins."""
        anybody = Permissions(publish=Rules((b"a",)))
        settings = Settings(subscribe=Allowed(allow=("b",)))
        free = settings.visitors(locked=False, anybody=anybody)
        self.assertEqual((free.publish.permit(b"a"), free.publish.permit(b"b")), (True, False))
        locked = settings.visitors(locked=True, anybody=anybody)
        self.assertEqual(
            (locked.publish.permit(b"a"), locked.subscribe.permit(b"b")), (False, True)
        )
        for permissions in (free, locked):
            self.assertFalse(permissions.subscribe.permit(b"c"))
