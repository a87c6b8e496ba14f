"""Klein applications on the adapter: routes, waiting, errors, files."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource

from tests.http.ecosystem import File, Klein
from tests.http.hosting import Hosted


class KleinTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.app = Klein()
        self.hosted = Hosted(self.app.resource())

    def test_routes(self) -> None:
        """Routes are found below the mount, and their parts are arguments."""

        @self.app.route("/")
        def home(request: Any) -> str:
            return "home"

        @self.app.route("/user/<name>", methods=["GET", "POST"])
        def user(request: Any, name: str) -> str:
            request.setHeader("X-Name", name)
            return f"{name} {request.args}"

        self.assertEqual(self.hosted.ask("/", base="/app").body, b"home")
        visit = self.hosted.ask("/user/j\u00f6rg", base="/app", target=b"/app/user/j%C3%B6rg?x=1")
        self.assertEqual(visit.body.decode(), "j\u00f6rg {b'x': [b'1']}")
        self.assertEqual((visit.field(b"X-Name") or b"").decode(), "j\u00f6rg")
        posted = self.hosted.ask(
            "/user/a",
            b"POST",
            headers=((b"Content-Type", b"application/x-www-form-urlencoded"),),
            body=b"k=v",
        )
        self.assertEqual(posted.body, b"a {b'k': [b'v']}")
        self.assertEqual(self.hosted.ask("/nothing").response.status, 404)
        self.assertEqual(self.hosted.ask("/user/a", b"PUT").response.status, 405)

    def test_url_building(self) -> None:
        """URLs that an application builds lead through the mount."""

        @self.app.route("/there/", endpoint="there")
        def there(request: Any) -> str:
            return str(request.URLPath())

        visit = self.hosted.ask("/there", base="/app")
        self.assertEqual(visit.response.status, 308)
        self.assertEqual(visit.field(b"Location"), b"http://test/app/there/")
        self.assertEqual(self.hosted.ask("/there/", base="/app").body, b"http://test/app/there")

    def test_deferred(self) -> None:
        """A route may answer later."""
        later: Deferred[str] = Deferred()
        self.app.route("/")(lambda request: later)
        visit = self.hosted.ask("/")
        self.assertEqual(visit.answered, [])
        later.callback("late")
        self.assertEqual(visit.body, b"late")

    def test_coroutine(self) -> None:
        """A route may be a coroutine."""
        later: Deferred[str] = Deferred()

        @self.app.route("/")
        async def home(request: Any) -> str:
            return "a" + await later

        visit = self.hosted.ask("/")
        later.callback("b")
        self.assertEqual(visit.body, b"ab")

    def test_client_leaves(self) -> None:
        """What a route waits for is given up when the client leaves."""
        given_up: list[Any] = []
        self.app.route("/")(lambda request: Deferred(given_up.append))
        self.hosted.ask("/").leave()
        self.assertEqual(len(given_up), 1)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_error(self) -> None:
        """What a route raises is raised, and for the server to log, once."""

        @self.app.route("/")
        def home(request: Any) -> str:
            raise ValueError("home")

        with self.assertRaisesRegex(ValueError, "home"):
            self.hosted.ask("/").settled()
        self.assertEqual((self.flushLoggedErrors(), self.hosted.lines), ([], []))

    def test_error_route(self) -> None:
        """An application may answer its errors itself."""

        @self.app.route("/")
        def home(request: Any) -> str:
            raise ValueError("home")

        @self.app.handle_errors(ValueError)
        def wrong(request: Any, failure: Any) -> str:
            request.setResponseCode(418)
            return "teapot"

        visit = self.hosted.ask("/")
        self.assertEqual((visit.response.status, visit.body), (418, b"teapot"))

    def test_resources(self) -> None:
        """A route may lead to a resource, such as a folder of files."""
        path = self.mktemp()
        with open(path, "wb") as file:  # noqa: PTH123 (trial gives a name)
            file.write(b"x" * 200_000)

        @self.app.route("/file")
        def file_route(request: Any) -> Resource:
            found: Resource = File(path)
            return found

        visit = self.hosted.ask("/file")
        self.assertEqual(visit.stream.length, 200_000)
        self.assertEqual(len(visit.take_all()), 200_000)
