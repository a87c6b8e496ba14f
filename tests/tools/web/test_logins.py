"""Who to be for a server."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netkit.http.basicauth import Credentials
from netkit.tools.web.fetching import nobody
from netkit.tools.web.logins import Asked, First, Given, Netrc, Only
from netkit.tools.web.urls import Url, parse

URL = parse("http://a.example/")
LOGIN = Credentials("moshez", "sesame")


class NetrcTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Write a file, and hear what is said of it."""
        self.path = Path(self.mktemp())
        self.said: list[str] = []
        self.write("machine a.example login moshez password sesame\n")

    def write(self, text: str, mode: int = 0o600) -> None:
        """Write the file anew."""
        self.path.write_text(text)
        self.path.chmod(mode)

    def asked(
        self, url: Url = URL, refused: int = 0, user: str | None = None
    ) -> Credentials | None:
        """Ask it."""
        return Netrc(self.path, self.said.append, user)(url, "", refused)

    def test_machine(self) -> None:
        """The login of a machine is for that one, for a user that was named too, and once."""
        self.assertEqual(self.asked(), LOGIN)
        self.assertEqual(self.asked(user="moshez"), LOGIN)
        self.assertIsNone(self.asked(user="other"))
        self.assertIsNone(self.asked(parse("http://b.example/")))
        self.assertIsNone(self.asked(refused=1))
        self.assertEqual(self.said, [])

    def test_unfit(self) -> None:
        """A file that is no use is said to be, and no problem."""
        self.path.chmod(0o640)
        self.assertIsNone(self.asked())
        [said] = self.said
        self.assertTrue(said.endswith("others may read it; chmod 600 would be right"))


class LoginTests(SynchronousTestCase):
    def test_only(self) -> None:
        """A login for one server is for no other."""
        only = Only(URL.origin, Given(LOGIN))
        self.assertEqual(only(parse("http://a.example/x"), "", 0), LOGIN)
        for other in ("https://a.example/", "http://a.example:81/", "http://b.example/"):
            self.assertIsNone(only(parse(other), "", 0))

    def test_given(self) -> None:
        """A login that was refused is not tried again."""
        self.assertEqual(Given(LOGIN)(URL, "", 0), LOGIN)
        self.assertIsNone(Given(LOGIN)(URL, "", 1))

    def test_first(self) -> None:
        """The first that knows one counts."""
        self.assertEqual(First((nobody, Given(LOGIN)))(URL, "", 0), LOGIN)
        self.assertIsNone(First((nobody,))(URL, "", 0))

    def test_asked(self) -> None:
        """A user is asked three times at most."""
        asked: list[tuple[Url, str, str | None]] = []

        def ask(url: Url, realm: str, user: str | None) -> Credentials:
            asked.append((url, realm, user))
            return LOGIN

        logins = [Asked(ask, "moshez")(URL, "realm", refused) for refused in range(5)]
        self.assertEqual(logins, [LOGIN] * 3 + [None] * 2)
        self.assertEqual(asked, [(URL, "realm", "moshez")] * 3)

    def test_no_password_shown(self) -> None:
        """What prints a login prints no password."""
        self.assertNotIn("sesame", repr(Only(URL.origin, Given(LOGIN))))
