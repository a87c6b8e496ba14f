"""The mount `resource`: what its names lead to, what is said of those that lead nowhere."""

import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

from attrs import evolve
from twisted.internet import reactor
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase, TestCase

from netkit.http.messages import BodyTooLargeError, Response
from netkit.services.kind import Complaint, World
from netkit.services.site.mounts.resource import KIND, Settings
from tests.http.fakes import asked, content, recorded
from tests.running import ROOT, TWISTD, run

_MODULE = """
    from twisted.web.resource import Resource
    from klein import Klein

    class Page(Resource):
        isLeaf = True
        def render(self, request):
            return repr(request.args).encode()

    class Nested:
        page = Page()

    made = []
    page = Page()
    app = Klein()

    @app.route("/")
    def home(request):
        return "home"

    def make():
        made.append(True)
        return Page()

    def fail():
        raise ValueError("two\\nlines \\x1b[31m")

    def hello(environ, start_response):
        start_response("200 OK", [("Content-Length", "5")])
        return [environ["SCRIPT_NAME"].encode()]

    number = 5
    text = "text"
"""


class _Folder:
    """A folder on Python's path, which is forgotten with the test."""

    def __init__(self, test: Any) -> None:
        self.path = Path(test.mktemp()).absolute()
        self.path.mkdir()
        sys.path.insert(0, str(self.path))
        test.addCleanup(self.forget)

    def forget(self) -> None:
        sys.path.remove(str(self.path))
        for name in [name for name in sys.modules if name.startswith("shown_")]:
            del sys.modules[name]

    def write(self, name: str, text: str) -> None:
        path = self.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(text))


class ComplaintTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = _Folder(self)
        self.folder.write("shown_app.py", _MODULE)

    def complaint(self, **kw: Any) -> str:
        """Return the one thing that is wrong, or nothing."""
        found: list[Complaint] = list(KIND.complaints(Settings(**kw)))
        self.assertLess(len(found), 2)
        for each in found:
            self.assertEqual(each.path, ("wsgi",) if "wsgi" in kw and len(kw) == 1 else ("name",))
            self.assertNotIn("\n", each.text)
            self.assertNotIn("\x1b", each.text)
        return found[0].text if found else ""

    def test_right(self) -> None:
        """A resource, what makes one, one deep in a module, and an application are right."""
        for name in ("page", "Page", "make", "Nested.page", "app.resource"):
            self.assertEqual(self.complaint(name=f"shown_app.{name}"), "")
        self.assertEqual(self.complaint(wsgi="shown_app:hello"), "")
        self.folder.write("shown_package/__init__.py", "")
        self.folder.write("shown_package/app.py", _MODULE)
        self.assertEqual(self.complaint(name="shown_package.app.page"), "")
        self.folder.write("shown_package/deep/__init__.py", "")
        self.folder.write("shown_package/deep/app.py", _MODULE)
        self.assertEqual(self.complaint(name="shown_package.deep.app.page"), "")
        self.assertIn("no module", self.complaint(name="shown_package.deep.other.page"))
        self.assertEqual(self.complaint(wsgi="shown_package.app:hello"), "")

    def test_reference(self) -> None:
        """What the reference configuration shows is there, and answers."""
        self.assertEqual(self.complaint(name="twisted.web.demo.Test"), "")

    def test_neither(self) -> None:
        """There is one of the two names."""
        self.assertIn('or wsgi = "package:app" instead', self.complaint())
        self.assertIn("not both", self.complaint(name="shown_app.page", wsgi="shown_app:hello"))

    def test_no_name(self) -> None:
        """What has not the form of a name is told the form."""
        for name in ("", "page", "shown_app.", ".page", "a b.c", "shown_app:page", "a..b"):
            self.assertIn('as in "package.module.attribute"', self.complaint(name=name))
        for wsgi in ("", "shown_app", "shown_app:", ":hello", "shown_app.hello", "a b:c", "..a:b"):
            self.assertIn('as in "package.module:app"', self.complaint(wsgi=wsgi))

    def test_not_there(self) -> None:
        """A module or an attribute that is not there is named."""
        self.assertEqual(
            self.complaint(name="shown_nowhere.page"),
            '"shown_nowhere.page" is not there: there is no module "shown_nowhere";'
            " PYTHONPATH says where modules are besides",
        )
        self.assertIn('no module "shown_nowhere"', self.complaint(wsgi="shown_nowhere.x:hello"))
        self.assertEqual(
            self.complaint(name="shown_app.pag"),
            '"shown_app.pag" is not there: "shown_app" has no "pag"',
        )
        self.assertIn('"shown_app.app" has no "x"', self.complaint(name="shown_app.app.x"))
        self.assertIn('"shown_app" has no "hell"', self.complaint(wsgi="shown_app:hell"))

    def test_cannot_be_imported(self) -> None:
        """A module that fails is told with its cause, on one line, whatever the failure."""
        for text, cause in (
            ("raise ValueError('broken\\n\\x1b[31m')", 'ValueError: "broken\\n\\x1b[31m"'),
            ("import shown_missing", "ModuleNotFoundError: \"No module named 'shown_missing'\""),
            ("def", "SyntaxError: "),
            ("raise SystemExit(3)", 'SystemExit: "3"'),
        ):
            self.folder.write("shown_broken.py", text)
            for kw in ({"name": "shown_broken.page"}, {"wsgi": "shown_broken:app"}):
                complaint = self.complaint(**kw)
                self.assertIn("cannot be imported: ", complaint)
                self.assertIn(cause, complaint)
            (self.folder.path / "shown_broken.py").unlink()

    def test_not_a_resource(self) -> None:
        """What is no resource, and no application, is told what it is."""
        self.assertIn(
            "is an object of type int; a resource", self.complaint(name="shown_app.number")
        )
        self.assertIn("type str; a WSGI application", self.complaint(wsgi="shown_app:text"))
        self.assertIn("type Nested; a resource", self.complaint(name="shown_app.Nested"))
        self.assertIn('cannot be called: TypeError: "', self.complaint(name="shown_app.hello"))
        self.assertIn('ValueError: "two\\nlines \\x1b[31m"', self.complaint(name="shown_app.fail"))

    def test_by_check(self) -> None:
        """`--check` finds it, in a line with its place."""
        config = self.folder.path / "netkit.toml"
        self.folder.write(
            "netkit.toml",
            """
            [service.web]
            kind = "site"
            listen = "tcp:0:interface=127.0.0.1"
            [[service.web.mount]]
            path = "/"
            kind = "resource"
            name = "shown_broken.page"
            """,
        )
        self.folder.write("shown_broken.py", "raise ValueError('broken')")
        command = [str(TWISTD), "-n", "--pidfile=", "netkit", "--check", "--config", str(config)]
        ran: subprocess.CompletedProcess[str] = run(command, f"{ROOT}:{self.folder.path}")
        self.assertEqual(ran.returncode, 1)
        self.assertEqual(
            ran.stderr,
            f"{config}:8: [[service.web.mount]] name: "
            '"shown_broken.page" cannot be imported: ValueError: "broken"\n',
        )


class BuildTests(TestCase):
    def setUp(self) -> None:
        self.folder = _Folder(self)
        self.folder.write("shown_app.py", _MODULE)

    def handler(self, network: Any, **kw: Any) -> Any:
        return KIND.build(Settings(**kw), None, World(network, network, recorded([])))

    async def test_resource(self) -> None:
        """A resource answers below its mount, and its forms are bounded."""
        handler = self.handler(MemoryReactorClock(), name="shown_app.page", form_bytes=10)
        self.assertEqual(content(handler(asked(target=b"/?a=1"))), b"{b'a': [b'1']}")
        form = ((b"Content-Type", b"application/x-www-form-urlencoded"),)
        posted = await handler(asked("/", b"POST", headers=form, body=b"a=12345678"))
        self.assertEqual(content(posted), b"{b'a': [b'12345678']}")
        with self.assertRaises(BodyTooLargeError):
            await handler(asked("/", b"POST", headers=form, body=b"a=123456789"))

    def test_klein(self) -> None:
        """So does a klein application, by its `resource`."""
        handler = self.handler(MemoryReactorClock(), name="shown_app.app.resource")
        self.assertEqual(content(handler(asked("/", base="/app"))), b"home")

    async def test_wsgi(self) -> None:
        """So does an application, in threads that end by themselves."""
        handler = self.handler(reactor, wsgi="shown_app:hello", threads=1, waiting=1)
        request = asked("/", base="/hell")
        response: Response = await handler(evolve(request, path="/x"))
        self.assertEqual(content(response), b"/hell")
